//! Fields that could pass for a proxy's word.

use crate::names;
use crate::proxy::message::Fields;

/// Addresses, hosts and paths that proxies and content networks vouch for. `forwarded` and the
/// prefixes below stand apart.
pub(super) const VOUCHED: [&str; 13] = [
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-ip",
    "fastly-client-ip",
    "forwarded-for",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-original-url",
    "x-originating-ip",
    "x-real-ip",
    "x-rewrite-url",
];

const X_FORWARDED: &str = "x-forwarded";
const X_ORIGINAL_FORWARDED: &str = "x-original-forwarded";

/// Nobody in front of us is trusted.
pub(super) fn drop_all(fields: &mut Fields) {
    fields.retain(|name, _| {
        !may_be_one(name)
            || !(is(name, names::HEADER_FORWARDED)
                || is(name, names::HEADER_REQUEST_ID)
                || starts(name, names::HEADER_PREFIX)
                || starts(name, X_FORWARDED)
                || starts(name, X_ORIGINAL_FORWARDED)
                || VOUCHED.iter().any(|vouched| is(name, vouched)))
    });
}

/// A trusted hop is in front. It answers for what it lets through; dropped is what we write anew,
/// and every spelling that it can't have meant.
pub(super) fn drop_replaced(fields: &mut Fields) {
    fields.retain(|name, _| {
        if !may_be_one(name) {
            return true;
        }
        let replaced = is(name, names::HEADER_FORWARDED)
            || is(name, names::HEADER_FORWARDED_FOR)
            || is(name, names::HEADER_FORWARDED_PROTO)
            || is(name, names::HEADER_FORWARDED_HOST)
            || is(name, names::HEADER_FORWARDED_PORT)
            || is(name, names::HEADER_REQUEST_ID)
            || is(name, "x-real-ip");
        let misspelled = !is_plain(name)
            && (starts(name, X_FORWARDED) || VOUCHED.iter().any(|vouched| is(name, vouched)));
        !(replaced || misspelled || starts(name, names::HEADER_PREFIX))
    });
}

/// By its first letter: most fields are none.
fn may_be_one(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'c' | b'f' | b'm' | b't' | b'x'))
}

/// `name` is lower case. CGI and its heirs fold `-`, `_` and sometimes `.` into one.
fn is(name: &[u8], ours: &str) -> bool {
    name.len() == ours.len() && starts(name, ours)
}

fn starts(name: &[u8], ours: &str) -> bool {
    name.len() >= ours.len()
        && name.iter().zip(ours.bytes()).all(|(a, b)| *a == b || is_dash(*a, b))
}

fn is_dash(theirs: u8, ours: u8) -> bool {
    ours == b'-' && matches!(theirs, b'_' | b'.')
}

fn is_plain(name: &[u8]) -> bool {
    !name.iter().any(|b| matches!(b, b'_' | b'.'))
}
