//! What field names mean to a proxy.
//!
//! Names come in any case. Backends behind CGI, WSGI and their like read `X_Auth_User` and
//! `X.Auth.User` as `X-Auth-User`, so a name is compared to what it may turn into there.

/// Fields that the codec itself has to understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    Upgrade,
    Expect,
    Te,
    Trailer,
    /// Ends at this hop (RFC 9110 §7.6.1, §11.7), or has no use but an attack.
    Dropped,
    /// Data.
    EndToEnd,
}

/// By length first: most names of a request are told from the special ones by one comparison.
pub fn meaning(name: &[u8]) -> Meaning {
    let candidates: &[(&str, Meaning)] = match name.len() {
        2 => &[("te", Meaning::Te)],
        4 => &[("host", Meaning::Host)],
        // httpoxy (CVE-2016-5385): CGI turns it into HTTP_PROXY.
        5 => &[("proxy", Meaning::Dropped)],
        6 => &[("expect", Meaning::Expect)],
        7 => &[("upgrade", Meaning::Upgrade), ("trailer", Meaning::Trailer)],
        10 => &[("connection", Meaning::Connection), ("keep-alive", Meaning::Dropped)],
        14 => &[("content-length", Meaning::ContentLength), ("http2-settings", Meaning::Dropped)],
        16 => &[("proxy-connection", Meaning::Dropped)],
        17 => &[("transfer-encoding", Meaning::TransferEncoding)],
        18 => &[("proxy-authenticate", Meaning::Dropped)],
        19 => &[("proxy-authorization", Meaning::Dropped)],
        25 => &[("proxy-authentication-info", Meaning::Dropped)],
        _ => return Meaning::EndToEnd,
    };
    candidates
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
        .map_or(Meaning::EndToEnd, |&(_, meaning)| meaning)
}

/// Fields on whose value framing, routing, trust or tracing rests.
const PROTECTED: &[&str] = &[
    "authorization",
    "cache-control",
    "connection",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "max-forwards",
    "origin",
    "proxy",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-http-method-override",
    "x-real-ip",
    "x-request-id",
];

/// Families of such fields: our own, and those by which gateways commonly tell a backend who is
/// calling.
const PROTECTED_FAMILIES: &[&str] = &[
    "access-control-",
    "content-",
    "meshctl-",
    "remote-",
    "sec-",
    "ssl-",
    "x-auth",
    "x-client-",
    "x-consumer-",
    "x-envoy-",
    "x-forwarded",
    "x-jwt-",
    "x-meshctl-",
    "x-original-",
    "x-remote-",
    "x-rewrite-",
    "x-spiffe-",
    "x-ssl-",
    "x-user",
];

/// Hop-by-hop names that old clients list in Connection (RFC 2616 §13.5.1), as they may.
const LISTABLE: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// Whether a Connection field that lists this name is an attack on what a proxy before us, or we,
/// have put there (CVE-2024-45410) and not a hop-by-hop field.
pub fn is_protected(name: &[u8]) -> bool {
    !LISTABLE.iter().any(|known| folds_to(name, known)) && turns_into_protected(name)
}

/// Whether the name is another spelling of a protected one: with anything but letters, digits
/// and `-` in it, and protected once these are read as `-`. Such fields are dropped. Other names
/// with `_` or `.` pass: gRPC metadata is full of them.
pub fn is_alias(name: &[u8]) -> bool {
    // Without an early way out: nearly no name is odd, and each of every request comes by here.
    name.iter().fold(false, |odd, &byte| odd | IS_ODD[usize::from(byte)])
        && turns_into_protected(name)
}

/// Neither letter nor digit nor `-`.
const IS_ODD: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = !(byte.is_ascii_alphanumeric() || byte == b'-');
        byte += 1;
    }
    table
};

/// Whether a backend may read `name` as `canonical` (lower case): what a filter that sets a field
/// has to remove first.
pub fn folds_to(name: &[u8], canonical: &str) -> bool {
    name.len() == canonical.len() && family(name, canonical)
}

fn turns_into_protected(name: &[u8]) -> bool {
    PROTECTED.iter().any(|known| folds_to(name, known))
        || PROTECTED_FAMILIES.iter().any(|prefix| family(name, prefix))
}

fn family(name: &[u8], prefix: &str) -> bool {
    name.len() >= prefix.len()
        && name.iter().zip(prefix.bytes()).all(|(&byte, known)| fold(byte) == known)
}

fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

/// Fields that a trailer section must not bring (RFC 9110 §6.5.1): framing, routing,
/// authentication, request modifiers, response controls and how content is read. gRPC's
/// `grpc-status` and the like pass.
pub fn may_trail(name: &[u8]) -> bool {
    const NEVER: &[&str] = &[
        "accept",
        "age",
        "allow",
        "date",
        "etag",
        "expires",
        "from",
        "last-modified",
        "link",
        "location",
        "pragma",
        "range",
        "referer",
        "retry-after",
        "server",
        "strict-transport-security",
        "user-agent",
        "vary",
        "warning",
        "www-authenticate",
    ];
    meaning(name) == Meaning::EndToEnd
        && !turns_into_protected(name)
        && !family(name, "if-")
        && !family(name, "proxy-")
        && !NEVER.iter().any(|known| folds_to(name, known))
}

/// A token (RFC 9110 §5.6.2).
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The elements of a comma-separated list without the empty ones (RFC 9110 §5.6.1.2).
pub fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// Cuts SP and HTAB, and no other white space (RFC 9110 §5.6.3).
pub fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests;
