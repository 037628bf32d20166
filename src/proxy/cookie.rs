//! Reads the `Cookie` field.
//!
//! Tolerant, because cookies are whatever any page of the site has ever set (RFC 6265 §5.4 is for
//! browsers, §4.2 a wish): a pair without `=`, odd characters and empty pairs are passed over.
//! Nothing is allocated; the work is bounded by the bound on the head.

use crate::proxy::message::Fields;

/// The values of all cookies with this name (compared exactly), in the order in which they came.
/// More than one is normal: browsers send one for each path and domain that matches.
pub fn values<'a>(fields: &'a Fields, name: &str) -> impl Iterator<Item = &'a [u8]> {
    fields.get_all("cookie").flat_map(|field| field.split(|&byte| byte == b';')).filter_map(
        move |pair| {
            let pair = pair.trim_ascii();
            let value = pair.strip_prefix(name.as_bytes())?.trim_ascii_start();
            Some(unquoted(value.strip_prefix(b"=")?.trim_ascii_start()))
        },
    )
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

#[cfg(test)]
mod tests;
