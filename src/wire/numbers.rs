//! The model's enumerations as numbers. 0 is none of them, so that what is left out is noticed.

use super::WireError;
use crate::model::{
    AccessLogFormat, BackendProtocol, ClientAuthMode, Kind, PartKind, ProxyProtocolVersion,
    RouteProtocol, Store, TlsVersion,
};

/// A value that travels as a number.
pub(super) trait Numbered: Sized + 'static {
    const WHAT: &'static str;
    const ALL: &'static [Self];

    fn number(&self) -> u32;

    fn from_number(number: u32) -> Result<Self, WireError>
    where
        Self: Copy,
    {
        let found = Self::ALL.iter().find(|one| one.number() == number).copied();
        found.ok_or_else(|| WireError::Unknown { what: Self::WHAT, value: number.to_string() })
    }
}

macro_rules! numbered {
    ($of:ident, $what:literal, $($one:ident = $number:literal),*) => {
        impl Numbered for $of {
            const WHAT: &'static str = $what;
            const ALL: &'static [Self] = &[$(Self::$one),*];

            fn number(&self) -> u32 {
                match self {
                    $(Self::$one => $number,)*
                }
            }
        }
    };
}

numbered!(Store, "store", Flags = 1, Files = 2, Cluster = 3);
numbered!(
    PartKind,
    "kind of part",
    Listener = 1,
    Rule = 2,
    Backend = 3,
    EndpointSet = 4,
    Certificate = 5
);
numbered!(
    Kind,
    "kind of object",
    GatewayClass = 1,
    Gateway = 2,
    ListenerSet = 3,
    HttpRoute = 4,
    GrpcRoute = 5,
    ReferenceGrant = 6,
    BackendTlsPolicy = 7,
    Service = 8,
    EndpointSlice = 9,
    Secret = 10,
    ConfigMap = 11,
    Namespace = 12,
    Backend = 13,
    TrafficPolicy = 14,
    MeshConfig = 15,
    TrafficRollout = 16
);
numbered!(RouteProtocol, "protocol of routes", Http = 1, Grpc = 2);
numbered!(BackendProtocol, "protocol of backends", Http = 1, H2c = 2, WebSocket = 3);
numbered!(ProxyProtocolVersion, "version of the PROXY protocol", V1 = 1, V2 = 2);
numbered!(TlsVersion, "version of TLS", V1_2 = 1, V1_3 = 2);
numbered!(
    ClientAuthMode,
    "mode of client authentication",
    AllowValidOnly = 1,
    AllowInsecureFallback = 2
);
numbered!(AccessLogFormat, "format of the access log", Json = 1, Text = 2);
