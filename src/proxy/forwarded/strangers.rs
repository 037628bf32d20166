//! Fields that could pass for a proxy's word.

use crate::names;
use crate::proxy::message::Fields;

/// Addresses, users, schemes, hosts and paths that proxies and content networks vouch for, but for
/// `forwarded`. Most fields begin with another letter than `x`, so they have a list of their own.
pub(super) const VOUCHED: [&str; 15] = [
    "cf-access-authenticated-user-email",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-cert",
    "client-cert-chain",
    "client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded-for",
    "front-end-https",
    "http-client-ip",
    "proxy-client-ip",
    "remote-user",
    "true-client-ip",
    "wl-proxy-client-ip",
];
pub(super) const VOUCHED_X: [&str; 16] = [
    "x-appengine-user-ip",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-client-cert",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-http-client-ip",
    "x-original-url",
    "x-originating-ip",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-rewrite-url",
    "x-scheme",
    "x-true-client-ip",
    "x-url-scheme",
];

/// The same by how the names begin: load balancers, Linkerd, nginx, oauth2-proxy, Kong, Envoy,
/// SPIFFE and API servers. Not `x-auth-` and `x-user-`, in which clients speak for themselves.
pub(super) const FAMILIES: [&str; 2] = ["l5d-", "ssl-client-"];
pub(super) const FAMILIES_X: [&str; 13] = [
    "x-amzn-mtls-",
    "x-amzn-oidc-",
    "x-auth-request-",
    "x-consumer-",
    "x-envoy-",
    X_FORWARDED,
    "x-goog-authenticated-user-",
    "x-goog-iap-",
    "x-ms-client-principal",
    "x-original-forwarded",
    "x-remote-",
    "x-spiffe-",
    "x-ssl-",
];

const X_FORWARDED: &str = "x-forwarded";

/// Nobody in front of us is trusted.
pub(super) fn drop_all(fields: &mut Fields) {
    fields.retain(|name, _| {
        !may_be_one(name)
            || !(is(name, names::HEADER_FORWARDED)
                || is(name, names::HEADER_REQUEST_ID)
                || is_ours(name)
                || is_vouched(name))
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
        let misspelled = !is_plain(name) && is_vouched(name);
        !(replaced || misspelled || is_ours(name))
    });
}

/// By its first letter: most fields are none.
fn may_be_one(name: &[u8]) -> bool {
    matches!(
        name.first(),
        Some(b'c' | b'f' | b'h' | b'l' | b'm' | b'p' | b'r' | b's' | b't' | b'w' | b'x')
    )
}

/// Also as people spell what isn't registered.
fn is_ours(name: &[u8]) -> bool {
    starts(name, names::HEADER_PREFIX)
        || starts(name, "x-") && starts(&name[2..], names::HEADER_PREFIX)
}

fn is_vouched(name: &[u8]) -> bool {
    let (whole, families) = match name.first() {
        Some(b'x') => (&VOUCHED_X[..], &FAMILIES_X[..]),
        _ => (&VOUCHED[..], &FAMILIES[..]),
    };
    whole.iter().any(|vouched| is(name, vouched))
        || families.iter().any(|family| starts(name, family))
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
