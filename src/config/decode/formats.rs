//! The forms that text fields have, each with the rule that is shown when it is broken.

use std::net::IpAddr;

use crate::config::{Code, codes};

/// What a text must look like.
pub(super) struct Format {
    pub(super) holds: fn(&str) -> bool,
    pub(super) code: Code,
    /// After "`x` is not", with its article.
    pub(super) what: &'static str,
    pub(super) rule: &'static str,
}

macro_rules! formats {
    ($($name:ident: $code:ident, $what:literal, $rule:literal, $holds:expr;)*) => {
        $(pub(super) const $name: Format =
            Format { holds: $holds, code: codes::$code, what: $what, rule: $rule };)*
    };
}

formats! {
    ANY: BAD_TEXT, "a text", "any text will do", |_| true;
    FILLED: BAD_LENGTH, "a text of 1 to 253 characters", "write 1 to 253 characters",
        |t| (1..=253).contains(&t.chars().count());
    SESSION_NAME: BAD_LENGTH, "a text of at most 128 characters", "shorten it",
        |t| t.chars().count() <= 128;
    LONG: BAD_LENGTH, "a text of at most 1024 characters", "shorten it",
        |t| t.chars().count() <= 1024;
    QUERY_VALUE: BAD_LENGTH, "a text of 1 to 1024 characters", "write 1 to 1024 characters",
        |t| (1..=1024).contains(&t.chars().count());
    MATCH_VALUE: BAD_LENGTH, "a text of 1 to 4096 characters", "write 1 to 4096 characters",
        |t| (1..=4096).contains(&t.chars().count());
    SUBDOMAIN: BAD_NAME, "a valid name",
        "use lower-case letters, digits, `-` and `.`, start and end with a letter or digit",
        is_subdomain;
    LABEL: BAD_NAME, "a valid name",
        "use at most 63 lower-case letters, digits and `-`, start and end with a letter or digit",
        is_label;
    DATA_KEY: BAD_NAME, "a valid key",
        "use at most 253 letters, digits, `-`, `_` and `.`", is_data_key;
    KIND: BAD_NAME, "a valid kind", "use letters, digits and `-`, as in `HTTPRoute`", is_kind;
    GROUP: BAD_NAME, "a valid API group", "write a domain, or \"\" for Kubernetes' core group",
        |t| t.is_empty() || is_subdomain(t);
    HOSTNAME: BAD_HOSTNAME, "a valid hostname",
        "use a lower-case name without wildcard, scheme and port", is_hostname;
    WILDCARD_HOSTNAME: BAD_HOSTNAME, "a valid hostname",
        "use a lower-case name without scheme and port; a wildcard is the whole first label",
        |t| is_hostname(t.strip_prefix("*.").unwrap_or(t));
    HEADER_NAME: BAD_HEADER, "a valid header name",
        "use letters, digits and -_.!#$%&'*+^`|~", |t| (1..=256).contains(&t.len()) && is_token(t);
    HEADER_VALUE: BAD_HEADER, "a valid header value",
        "use visible ASCII, with single spaces between words", is_header_value;
    PROTOCOL: BAD_NAME, "a valid protocol",
        "use `HTTP`, `HTTPS`, `TLS`, `TCP`, `UDP`, or a domain and a name with `/` between", is_protocol;
    PATH: BAD_PATH, "a valid path",
        "start with `/`; no `//`, `/./`, `/../`, `%2f`, `?` or `#`", is_path;
    PATH_TEXT: BAD_PATH, "a valid path", "use characters of a URL path, percent-encoded where needed",
        |t| (1..=1024).contains(&t.len()) && is_path_text(t);
    CONTROLLER: BAD_TEXT, "a controller name", "write a domain and a path, `example.com/name`",
        |t| t.len() <= 253 && t.split_once('/').is_some_and(|(d, p)| is_subdomain(d) && !p.is_empty());
    GRPC_SERVICE: BAD_TEXT, "a gRPC service name", "write it with its package, `shop.v1.Cart`",
        |t| t.len() <= 1024 && t.strip_prefix('.').unwrap_or(t).split('.').all(is_identifier);
    GRPC_METHOD: BAD_TEXT, "a gRPC method name", "write its name alone, `GetCart`",
        |t| t.len() <= 1024 && is_identifier(t);
    ORIGIN: BAD_TEXT, "an origin", "write `*`, or scheme and host, `https://*.example.com`", is_origin;
    URI: BAD_TEXT, "a URI", "write scheme and path, `spiffe://example.com/ns/shop`",
        |t| t.len() <= 253 && t.split_once(':').is_some_and(|(s, _)| is_scheme(s));
    WEBHOOK: BAD_TEXT, "a URL", "write it as `https://chat.example/hook`", is_web_url;
    WELL_KNOWN_CA: BAD_TEXT, "a known set of CA certificates", "write `System`",
        |t| t == "System" || t.split_once('/').is_some_and(|(d, n)| is_subdomain(d) && is_qualified(n));
    DESCRIPTION: BAD_LENGTH, "a text of at most 64 characters", "shorten it", |t| t.chars().count() <= 64;
    EXTERNAL_NAME: BAD_HOSTNAME, "a valid hostname", "use a lower-case name without scheme and port",
        |t| is_subdomain(t.strip_suffix('.').unwrap_or(t));
    ADDRESS: BAD_LENGTH, "a text of at most 253 characters", "shorten it", |t| t.chars().count() <= 253;
    IP_ADDRESS: BAD_ADDRESS, "an IP address", "write it as `192.0.2.1` or `2001:db8::1`",
        |t| t.is_empty() || t.parse::<IpAddr>().is_ok();
    ADDRESS_HOSTNAME: BAD_HOSTNAME, "a valid hostname", "use a lower-case name without scheme and port",
        |t| t.is_empty() || is_subdomain(t.strip_prefix("*.").unwrap_or(t));
    CIDR: BAD_ADDRESS, "a network", "write it as `10.0.0.0/8` or `2001:db8::/32`",
        |t| t.parse::<ipnet::IpNet>().is_ok() || t.parse::<IpAddr>().is_ok();
}

pub(in crate::config) fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(inner)
        && bytes.first() != Some(&b'-')
        && bytes.last() != Some(&b'-')
}

/// The API's patterns put no 63 on the parts, only 253 on the whole.
pub(super) fn is_subdomain(text: &str) -> bool {
    let part = |part: &str| {
        let bytes = part.as_bytes();
        !bytes.is_empty()
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
            && bytes.first() != Some(&b'-')
            && bytes.last() != Some(&b'-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

fn is_hostname(text: &str) -> bool {
    is_subdomain(text) && text.parse::<IpAddr>().is_err()
}

fn is_data_key(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=253).contains(&text.len())
        && text.bytes().all(allowed)
        && text != "."
        && !text.starts_with("..")
}

fn is_kind(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        && bytes[0].is_ascii_alphabetic()
        && bytes.last() != Some(&b'-')
}

fn is_token(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// `^[!-~]+([\t ]?[!-~]+)*$`
fn is_header_value(text: &str) -> bool {
    let blank = |b: u8| b == b' ' || b == b'\t';
    let bytes = text.as_bytes();
    (1..=4096).contains(&bytes.len())
        && bytes.iter().all(|&b| b.is_ascii_graphic() || blank(b))
        && !blank(bytes[0])
        && !blank(bytes[bytes.len() - 1])
        && !bytes.windows(2).any(|pair| blank(pair[0]) && blank(pair[1]))
}

fn is_protocol(text: &str) -> bool {
    match text.split_once('/') {
        None => {
            is_kind(text)
                || text.starts_with(|c: char| c.is_ascii_digit()) && is_kind(&format!("a{text}"))
        }
        Some((domain, name)) => {
            is_subdomain(domain)
                && !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric())
        }
    }
}

/// What HTTPRoute's rules on `Exact` and `PathPrefix` values say, one after the other.
fn is_path(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.len() <= 1024
        && text.starts_with('/')
        && !["//", "/./", "/../", "%2f", "#"].iter().any(|part| lower.contains(part))
        && !text.ends_with("/..")
        && !text.ends_with("/.")
        && is_path_text(text)
}

fn is_path_text(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let good = match byte {
            b'%' => [bytes.next(), bytes.next()]
                .iter()
                .all(|b| b.is_some_and(|b| b.is_ascii_hexdigit())),
            _ => byte.is_ascii_alphanumeric() || b"-/._~!$&'()*+,;=:@".contains(&byte),
        };
        if !good {
            return false;
        }
    }
    true
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_qualified(text: &str) -> bool {
    let end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
        && end(bytes.first())
        && end(bytes.last())
}

fn is_web_url(text: &str) -> bool {
    let url: Option<http::Uri> = text.parse().ok().filter(|_| text.len() <= 2048);
    url.is_some_and(|url| matches!(url.scheme_str(), Some("http" | "https")))
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && !text.contains(['/', '?', '#'])
}

fn is_origin(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let (host, port) = rest.split_once(':').unwrap_or((rest, "0"));
    let label = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 253
        && (host == "*" || host.strip_prefix("*.").unwrap_or(host).split('.').all(label))
        && (1..=5).contains(&port.len())
        && port.bytes().all(|b| b.is_ascii_digit())
}

/// Bytes as Kubernetes writes them: `65536`, `64Ki`, `1M`.
pub(super) fn quantity(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = text.split_at(digits);
    let factor = match suffix {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// RFC 3339, as in `creationTimestamp`, into seconds since the epoch.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let digits = |range: std::ops::Range<usize>| -> Option<i64> {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten()
    };
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let shaped = marks.iter().all(|(at, mark)| text.as_bytes()[*at] == *mark);
    let zone = text[19..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let east = match zone.as_bytes() {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), ..] if zone.len() == 6 && zone.as_bytes()[3] == b':' => {
            let at = text.len() - 6;
            let minutes = digits(at + 1..at + 3)? * 60 + digits(at + 4..at + 6)?;
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let ranges = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !shaped || !ranges {
        return None;
    }
    // Days since the epoch from the civil date (H. Hinnant, chrono-compatible low-level date algorithms).
    let shifted = year - i64::from(month <= 2);
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100
        + day_of_year
        - 719_468;
    Some(days * 86_400 + hour * 3_600 + (minute - east) * 60 + second)
}
