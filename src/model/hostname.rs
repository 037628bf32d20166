//! Hostnames as the Gateway API writes them: exact, or with one leading wildcard label.

use std::fmt;
use std::sync::Arc;

/// A validated, lower-case hostname without a trailing dot: `shop.example` or `*.shop.example`.
/// "Any host" is the absence of a Hostname (`Option<Hostname>`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hostname(Arc<str>);

/// Why a text is no hostname; reads as the end of "`x` is not a hostname: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostnameError {
    Empty,
    TooLong,
    IpAddress,
    BadLabel,
    MisplacedWildcard,
}

impl fmt::Display for HostnameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "it is longer than 253 characters",
            Self::IpAddress => "it is an IP address, which the Gateway API does not allow here",
            Self::BadLabel => {
                "each label takes 1 to 63 letters, digits or '-', and neither starts nor ends with '-'"
            }
            Self::MisplacedWildcard => "a '*' may only be the whole first label, as in '*.example.com'",
        })
    }
}

impl Hostname {
    /// Parses RFC 1123 names with an optional `*.` in front (Gateway API `Hostname`). Upper case
    /// is folded, as DNS does.
    pub fn parse(text: &str) -> Result<Self, HostnameError> {
        if text.is_empty() {
            return Err(HostnameError::Empty);
        }
        if text.len() > 253 {
            return Err(HostnameError::TooLong);
        }
        if text.parse::<std::net::IpAddr>().is_ok() {
            return Err(HostnameError::IpAddress);
        }
        let lower = text.to_ascii_lowercase();
        let labels = match lower.strip_prefix("*.") {
            Some(rest) => rest,
            None => lower.as_str(),
        };
        if labels.contains('*') {
            return Err(HostnameError::MisplacedWildcard);
        }
        if !labels.split('.').all(is_label) {
            return Err(HostnameError::BadLabel);
        }
        Ok(Self(lower.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// For `*.example.com` the suffix `.example.com`; `None` for an exact name.
    pub fn wildcard_suffix(&self) -> Option<&str> {
        self.0.strip_prefix('*')
    }

    /// Whether a request for `host` (lower case, no port) is meant. A wildcard stands for one or
    /// more labels, as the Gateway API says for listeners and routes alike.
    pub fn matches(&self, host: &str) -> bool {
        match self.wildcard_suffix() {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => &*self.0 == host,
        }
    }

    /// The hosts that both mean, or `None` when there are none: a route's hostname met with its
    /// listener's.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        match (self.wildcard_suffix(), other.wildcard_suffix()) {
            (None, _) => other.matches(self.as_str()).then(|| self.clone()),
            (Some(_), None) => self.matches(other.as_str()).then(|| other.clone()),
            (Some(mine), Some(theirs)) => {
                if mine.ends_with(theirs) {
                    Some(self.clone())
                } else if theirs.ends_with(mine) {
                    Some(other.clone())
                } else {
                    None
                }
            }
        }
    }
}

impl fmt::Debug for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}
