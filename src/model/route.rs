//! Rules: what a request must look like, what happens to it, and where it goes.

use std::time::Duration;

use super::{Cause, Hostname, Name, ObjectKey, PartKey, Pattern, RetryPolicy, Timeouts};

/// One rule of an HTTPRoute or GRPCRoute. It carries where it is attached, so that the tables
/// of hosts are compiled from rules alone and no part grows with the number of routes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Object: the route. Section: the rule's name, else its position.
    pub key: PartKey,
    pub protocol: RouteProtocol,
    pub order: RuleOrder,
    /// Empty when no parent accepted the route: then it is reported and never matches.
    pub attachments: Vec<Attachment>,
    /// Never empty: a rule without matches has one that takes everything.
    pub matches: Vec<Match>,
    pub filters: Vec<Filter>,
    pub backends: Vec<WeightedBackend>,
    pub timeouts: Timeouts,
    pub retry: RetryPolicy,
    pub session_persistence: Option<SessionPersistence>,
}

impl Rule {
    /// The route that the rule belongs to, as metrics and logs name it.
    pub fn route(&self) -> &ObjectKey {
        &self.key.object
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteProtocol {
    Http,
    Grpc,
}

/// The last tie-breakers of the Gateway API, in its order: the oldest route, then the
/// alphabetical one by `namespace/name`, then the first rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleOrder {
    /// Seconds since the epoch; objects without a timestamp (files) are all equally old: 0.
    pub created: i64,
    pub namespace: Name,
    pub name: Name,
    pub rule: u32,
}

/// A listener that takes the rule, for these hosts (the listener's hostname met with the
/// route's; `None` takes every host).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attachment {
    pub listener: PartKey,
    pub hostname: Option<Hostname>,
}

/// All conditions must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Match {
    pub path: PathMatch,
    pub method: Option<Method>,
    /// At most one per name: later ones of the same name were dropped, as the API says.
    pub headers: Vec<HeaderMatch>,
    pub query: Vec<QueryMatch>,
}

/// An HTTP method token, upper case by convention, compared exactly.
pub type Method = Name;
/// A lower-case header field name.
pub type HeaderName = Name;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathMatch {
    /// The whole path, byte for byte after normalisation.
    Exact(Name),
    /// Whole segments: `/foo` takes `/foo`, `/foo/` and `/foo/bar`. Stored without a trailing
    /// slash; `/` is stored as the empty text.
    Prefix(Name),
    /// The whole path must match (anchored at both ends).
    Regex(Pattern),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HeaderMatch {
    Exact { name: HeaderName, value: Name },
    Regex { name: HeaderName, pattern: Pattern },
}

impl HeaderMatch {
    pub fn name(&self) -> &HeaderName {
        match self {
            Self::Exact { name, .. } | Self::Regex { name, .. } => name,
        }
    }
}

/// Names are compared exactly (not folded) after percent-decoding; the first value counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QueryMatch {
    Exact { name: Name, value: Name },
    Regex { name: Name, pattern: Pattern },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    RequestHeaders(HeaderEdit),
    ResponseHeaders(HeaderEdit),
    Redirect(Redirect),
    Rewrite(Rewrite),
    Mirror(Mirror),
    Cors(Cors),
    /// Unknown, unsupported or unresolved: the request is answered with the cause. A filter may
    /// be a protection, so it is never passed over.
    Refuse(Cause),
}

/// What codecs write from other parts of a head: it says where a message ends and who its next
/// hop is, and a route that changed it could make one message read as two.
pub const FRAMING: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Applied in this order: set, add, remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HeaderEdit {
    pub set: Vec<(HeaderName, Name)>,
    pub add: Vec<(HeaderName, Name)>,
    pub remove: Vec<HeaderName>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Redirect {
    /// `http` or `https`; `None` keeps the request's.
    pub scheme: Option<Name>,
    pub hostname: Option<Hostname>,
    pub path: Option<PathRewrite>,
    pub port: Option<u16>,
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rewrite {
    pub hostname: Option<Hostname>,
    pub path: Option<PathRewrite>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathRewrite {
    Full(Name),
    /// Replaces the matched prefix (the rule's match is a prefix then: lowering has checked it).
    Prefix(Name),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mirror {
    pub backend: Result<PartKey, Cause>,
    pub fraction: Fraction,
}

/// `numerator` of `denominator`; `100/100` is everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fraction {
    pub numerator: u32,
    pub denominator: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cors {
    pub allow_origins: Vec<CorsOrigin>,
    pub allow_credentials: bool,
    /// `*` stands as it is.
    pub allow_methods: Vec<Method>,
    pub allow_headers: Vec<HeaderName>,
    pub expose_headers: Vec<HeaderName>,
    pub max_age: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CorsOrigin {
    Any,
    /// `https://shop.example:8443`, lower case, without a default port.
    Exact(Name),
    /// `https://*.shop.example`: scheme with `://`, the suffix after the `*`, and a port where it
    /// is another than the default.
    Wildcard {
        scheme: Name,
        suffix: Name,
    },
}

impl CorsOrigin {
    /// The spelling that origins are compared in: where no port stands, "port `80` is assumed for
    /// `http` scheme origins, and port `443` is assumed for `https` origins" (httproute_types.go).
    /// `origin` is lower case.
    pub fn without_default_port(origin: &str) -> &str {
        let default = if origin.starts_with("https://") { ":443" } else { ":80" };
        origin.strip_suffix(default).unwrap_or(origin)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WeightedBackend {
    /// 0 sends nothing. A refused backend keeps its weight: its share is answered with the cause.
    pub weight: u32,
    pub backend: Result<PartKey, Cause>,
    pub filters: Vec<Filter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionPersistence {
    /// The cookie's or header's name.
    pub name: Name,
    pub cookie: Option<SessionCookie>,
    /// The session's end by either of these; an expired session is balanced anew.
    pub absolute_timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionCookie {
    /// `Permanent` cookies carry Max-Age (the absolute timeout); `Session` ones don't.
    pub permanent: bool,
}
