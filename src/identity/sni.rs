//! The server name of a ClientHello, as listeners and certificates are asked for it.

use std::borrow::Cow;

/// What a ClientHello says about the host that it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sni<'a> {
    /// No name, or an IP address, which RFC 6066 forbids and clients send all the same.
    Absent,
    /// Lower case, without the trailing dot: the one spelling that every later choice sees, so
    /// that no other spelling finds a listener with weaker settings (CVE-2026-53622).
    Host(Cow<'a, str>),
    /// No host name: the handshake is to be refused, never given to a listener without a hostname.
    Invalid,
}

/// Folds the name as DNS does. `None` is [`Sni::Absent`].
pub fn sni_host(name: Option<&str>) -> Sni<'_> {
    let Some(name) = name else { return Sni::Absent };
    let host = name.strip_suffix('.').unwrap_or(name);
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Sni::Absent;
    }
    if host.is_empty() || host.len() > 253 || !host.split('.').all(is_label) {
        return Sni::Invalid;
    }
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        Sni::Host(Cow::Owned(host.to_ascii_lowercase()))
    } else {
        Sni::Host(Cow::Borrowed(host))
    }
}

/// Underscores occur in names of services inside clusters and are harmless.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !label.starts_with('-')
        && !label.ends_with('-')
}
