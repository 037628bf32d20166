//! Any part: every variant of every enumeration, texts that need escaping, numbers at their ends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::limits;
use crate::model::*;
use crate::wire::numbers::Numbered;

/// Names are whatever lowering read; nothing is promised of them.
fn name() -> impl Strategy<Value = Name> {
    let odd = select(&["", "web", "a/b", "100%", "naïve 名", "%2F"][..]).prop_map(Into::into);
    prop_oneof![odd, "[a-z][a-z0-9-]{0,20}".prop_map(Into::into)]
}

fn token() -> impl Strategy<Value = Name> {
    "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}".prop_map(Into::into)
}

fn header() -> impl Strategy<Value = Name> {
    let known = select(&["host", "x-request-id", "cookie"][..]).prop_map(Into::into);
    prop_oneof![known, "x-[a-z0-9!#$%&'*+.^_`|~-]{1,12}".prop_map(Into::into)]
}

fn value() -> impl Strategy<Value = Name> {
    "[ -~\tä]{0,12}".prop_map(Into::into)
}

fn path() -> impl Strategy<Value = Name> {
    "(/[a-z0-9%.~-]{1,6}){1,4}".prop_map(Into::into)
}

fn regex() -> impl Strategy<Value = Pattern> {
    select(&["", ".*", "/a/(b|c)+", r"\d{3}", "[ä-ü]", r"\p{L}x"][..]).prop_map(Pattern::checked)
}

fn host() -> impl Strategy<Value = Hostname> {
    "(x[a-z0-9]{0,8}\\.){0,3}[a-z]{1,8}".prop_map(|text| Hostname::parse(&text).unwrap())
}

fn hostname() -> impl Strategy<Value = Hostname> {
    let wildcard = host().prop_map(|host| Hostname::parse(&format!("*.{host}")).unwrap());
    prop_oneof![host(), wildcard]
}

fn time() -> impl Strategy<Value = Duration> {
    let ends = select(vec![0, 1, u64::MAX]);
    prop_oneof![ends, 0..10_000_000_000_u64].prop_map(Duration::from_nanos)
}

fn cause() -> impl Strategy<Value = Cause> {
    select(Cause::all().collect::<Vec<_>>())
}

fn any_of<T: Numbered + Copy + std::fmt::Debug>() -> impl Strategy<Value = T> {
    select(T::ALL)
}

fn ip() -> impl Strategy<Value = IpAddr> {
    let v4 = any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
    let v6 = any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)));
    let mapped =
        any::<u32>().prop_map(|bits| IpAddr::V6(Ipv4Addr::from_bits(bits).to_ipv6_mapped()));
    prop_oneof![v4, v6, mapped]
}

fn socket() -> impl Strategy<Value = SocketAddr> {
    (ip(), 1..=u16::MAX).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 1..16)
}

fn object() -> impl Strategy<Value = ObjectKey> {
    let parts = (any_of::<Store>(), any_of::<Kind>(), name(), name());
    parts.prop_map(|(store, kind, namespace, name)| ObjectKey { store, kind, namespace, name })
}

pub(super) fn key(part: PartKind) -> impl Strategy<Value = PartKey> {
    (object(), name()).prop_map(move |(object, section)| PartKey { part, object, section })
}

fn reference(part: PartKind) -> impl Strategy<Value = Result<PartKey, Cause>> {
    prop_oneof![3 => key(part).prop_map(Ok), 1 => cause().prop_map(Err)]
}

fn settings() -> impl Strategy<Value = ListenerSettings> {
    let network = ip().prop_flat_map(|ip| (Just(ip), 0..=if ip.is_ipv4() { 32 } else { 128_u8 }));
    let times = (time(), time(), time(), time());
    let bytes = 0..=u32::try_from(limits::HEAD_BYTES).unwrap();
    let log = option::of(any_of::<AccessLogFormat>());
    (any::<u8>(), vec(network, 0..3), times, bytes, log, token()).prop_map(
        |(trusted_hops, proxy_protocol_from, times, max_header_bytes, access_log, via)| {
            let (idle_timeout, request_head_timeout, stream_idle_timeout, drain_timeout) = times;
            ListenerSettings {
                trusted_hops,
                proxy_protocol_from,
                idle_timeout,
                request_head_timeout,
                stream_idle_timeout,
                drain_timeout,
                max_header_bytes,
                access_log,
                via,
            }
        },
    )
}

fn tls() -> impl Strategy<Value = ListenerTls> {
    let client_auth = (vec(bytes(), 0..3), any_of::<ClientAuthMode>())
        .prop_map(|(roots, mode)| ClientAuth { roots: roots.into(), mode });
    let certificates = vec(reference(PartKind::Certificate), 0..3);
    (certificates, option::of(client_auth), any_of::<TlsVersion>()).prop_map(
        |(certificates, client_auth, min_version)| ListenerTls {
            certificates,
            client_auth,
            min_version,
        },
    )
}

fn listener() -> impl Strategy<Value = Part> {
    let protocol =
        prop_oneof![Just(ListenerProtocol::Http), tls().prop_map(ListenerProtocol::Https),];
    let keys = (key(PartKind::Listener), object(), name(), name(), any::<bool>());
    let bind = (option::of(ip()), 1..=u16::MAX, 1..=u16::MAX);
    (keys, bind, option::of(hostname()), protocol, settings()).prop_map(
        |(
            (key, gateway, namespace, name, shared),
            (ip, bind, port),
            hostname,
            protocol,
            settings,
        )| {
            Part::Listener(Arc::new(Listener {
                key,
                gateway,
                scope: Scope { namespace, name, shared },
                bind: BindAddress { ip, port: bind },
                port,
                hostname,
                protocol,
                settings: Arc::new(settings),
            }))
        },
    )
}

fn one_match() -> impl Strategy<Value = Match> {
    let path = prop_oneof![
        path().prop_map(PathMatch::Exact),
        path().prop_map(PathMatch::Prefix),
        Just(PathMatch::Prefix("".into())),
        regex().prop_map(PathMatch::Regex),
    ];
    let header = prop_oneof![
        (header(), name()).prop_map(|(name, value)| HeaderMatch::Exact { name, value }),
        (header(), regex()).prop_map(|(name, pattern)| HeaderMatch::Regex { name, pattern }),
    ];
    let query = prop_oneof![
        (token(), name()).prop_map(|(name, value)| QueryMatch::Exact { name, value }),
        (token(), regex()).prop_map(|(name, pattern)| QueryMatch::Regex { name, pattern }),
    ];
    (path, option::of(token()), vec(header, 0..3), vec(query, 0..3))
        .prop_map(|(path, method, headers, query)| Match { path, method, headers, query })
}

fn path_rewrite() -> impl Strategy<Value = PathRewrite> {
    prop_oneof![
        path().prop_map(PathRewrite::Full),
        path().prop_map(PathRewrite::Prefix),
        Just(PathRewrite::Prefix("".into())),
    ]
}

fn edit() -> impl Strategy<Value = HeaderEdit> {
    let fields = || vec((header(), value()), 0..3);
    (fields(), fields(), vec(header(), 0..3)).prop_map(|(set, add, remove)| HeaderEdit {
        set,
        add,
        remove,
    })
}

fn cors() -> impl Strategy<Value = Cors> {
    let scheme = select(&["http://", "https://"][..]);
    let origin = prop_oneof![
        Just(CorsOrigin::Any),
        host().prop_map(|host| CorsOrigin::Exact(format!("https://{host}:8443").into())),
        (scheme, select(&["", ".shop.example", ".shop.example:1"][..])).prop_map(
            |(scheme, suffix)| CorsOrigin::Wildcard {
                scheme: scheme.into(),
                suffix: suffix.into()
            }
        ),
    ];
    let lists = (vec(token(), 0..3), vec(header(), 0..3), vec(header(), 0..3));
    (vec(origin, 0..3), any::<bool>(), lists, time()).prop_map(
        |(allow_origins, allow_credentials, lists, max_age)| {
            let (allow_methods, allow_headers, expose_headers) = lists;
            Cors {
                allow_origins,
                allow_credentials,
                allow_methods,
                allow_headers,
                expose_headers,
                max_age,
            }
        },
    )
}

fn filter() -> impl Strategy<Value = Filter> {
    let scheme = option::of(select(&["http", "https"][..]));
    let redirect = (
        scheme,
        option::of(host()),
        option::of(path_rewrite()),
        option::of(1..=u16::MAX),
        select(&[301, 302, 303, 307, 308_u16][..]),
    )
        .prop_map(|(scheme, hostname, path, port, status)| Redirect {
            scheme: scheme.map(Into::into),
            hostname,
            path,
            port,
            status,
        });
    let fraction = (0..=100_u32, 100..=u32::MAX)
        .prop_map(|(numerator, denominator)| Fraction { numerator, denominator });
    let mirror = (reference(PartKind::Backend), fraction)
        .prop_map(|(backend, fraction)| Mirror { backend, fraction });
    let rewrite = (option::of(host()), option::of(path_rewrite()))
        .prop_map(|(hostname, path)| Rewrite { hostname, path });
    prop_oneof![
        edit().prop_map(Filter::RequestHeaders),
        edit().prop_map(Filter::ResponseHeaders),
        redirect.prop_map(Filter::Redirect),
        rewrite.prop_map(Filter::Rewrite),
        mirror.prop_map(Filter::Mirror),
        cors().prop_map(Filter::Cors),
        cause().prop_map(Filter::Refuse),
    ]
}

fn weighted() -> impl Strategy<Value = WeightedBackend> {
    (0..=limits::WEIGHT, reference(PartKind::Backend), vec(filter(), 0..2))
        .prop_map(|(weight, backend, filters)| WeightedBackend { weight, backend, filters })
}

fn retry() -> impl Strategy<Value = RetryPolicy> {
    let attempts = 0..=limits::RETRY_ATTEMPTS;
    (attempts, option::of(time()), vec(400..=599_u16, 0..3), any::<bool>()).prop_map(
        |(attempts, backoff, statuses, on_failure)| RetryPolicy {
            attempts,
            backoff,
            statuses,
            on_failure,
        },
    )
}

fn session() -> impl Strategy<Value = SessionPersistence> {
    let cookie = option::of(any::<bool>().prop_map(|permanent| SessionCookie { permanent }));
    (token(), cookie, option::of(time()), option::of(time())).prop_map(
        |(name, cookie, absolute_timeout, idle_timeout)| SessionPersistence {
            name,
            cookie,
            absolute_timeout,
            idle_timeout,
        },
    )
}

fn rule() -> impl Strategy<Value = Part> {
    let order = (any::<i64>(), name(), name(), any::<u32>())
        .prop_map(|(created, namespace, name, rule)| RuleOrder { created, namespace, name, rule });
    let attachment = (key(PartKind::Listener), option::of(hostname()))
        .prop_map(|(listener, hostname)| Attachment { listener, hostname });
    let timeouts = (option::of(time()), option::of(time()), option::of(time())).prop_map(
        |(request, backend_request, stream_idle)| Timeouts {
            request,
            backend_request,
            stream_idle,
        },
    );
    let head = (key(PartKind::Rule), any_of::<RouteProtocol>(), order, vec(attachment, 0..3));
    let body = (vec(one_match(), 1..3), vec(filter(), 0..3), vec(weighted(), 0..3));
    (head, body, timeouts, retry(), option::of(session())).prop_map(
        |(head, (matches, filters, backends), timeouts, retry, session_persistence)| {
            let (key, protocol, order, attachments) = head;
            Part::Rule(Arc::new(Rule {
                key,
                protocol,
                order,
                attachments,
                matches,
                filters,
                backends,
                timeouts,
                retry,
                session_persistence,
            }))
        },
    )
}

fn policy() -> impl Strategy<Value = BackendPolicy> {
    let source = prop_oneof![
        Just(HashSource::ClientAddress),
        header().prop_map(HashSource::Header),
        token().prop_map(HashSource::Cookie),
        Just(HashSource::Path),
    ];
    let balance = prop_oneof![
        Just(Balance::LeastRequest),
        Just(Balance::RoundRobin),
        Just(Balance::Random),
        source.prop_map(Balance::ConsistentHash),
    ];
    let budget = (0..=100_u32, any::<u32>())
        .prop_map(|(percent, floor_per_second)| RetryBudget { percent, floor_per_second });
    let ejection = (any::<u32>(), time(), time(), 0..=100_u32).prop_map(
        |(consecutive_failures, one, other, max_percent)| Ejection {
            consecutive_failures,
            base: one.min(other),
            max: one.max(other),
            max_percent,
        },
    );
    let slow_start = option::of(time().prop_map(|window| SlowStart { window }));
    let version = option::of(any_of::<ProxyProtocolVersion>());
    let counts = (any::<u32>(), any::<u32>());
    (balance, time(), budget, ejection, slow_start, version, counts).prop_map(
        |(balance, connect_timeout, retry_budget, ejection, slow_start, proxy_protocol, counts)| {
            BackendPolicy {
                balance,
                connect_timeout,
                retry_budget,
                ejection,
                slow_start,
                proxy_protocol,
                max_idle_per_endpoint: counts.0,
                max_requests: counts.1,
            }
        },
    )
}

fn backend() -> impl Strategy<Value = Part> {
    let roots = prop_oneof![
        Just(TrustRoots::System),
        vec(bytes(), 0..3).prop_map(|bundle| TrustRoots::Bundle(bundle.into())),
    ];
    let alt_name = prop_oneof![
        hostname().prop_map(|name| SubjectAltName::Dns(name.as_str().into())),
        host().prop_map(|host| SubjectAltName::Uri(format!("spiffe://{host}/x").into())),
    ];
    let identity = option::of(key(PartKind::Certificate).prop_map(ClientIdentity));
    let tls = (roots, host(), vec(alt_name, 0..3), identity).prop_map(
        |(roots, server_name, subject_alt_names, identity)| BackendTls {
            roots,
            server_name: server_name.as_str().into(),
            subject_alt_names,
            identity,
        },
    );
    let tls = prop_oneof![
        Just(Ok(None)),
        tls.prop_map(|tls| Ok(Some(Arc::new(tls)))),
        cause().prop_map(Err),
    ];
    let keys = (key(PartKind::Backend), key(PartKind::EndpointSet));
    (keys, any_of::<BackendProtocol>(), tls, policy()).prop_map(
        |((key, endpoints), protocol, tls, policy)| {
            let policy = Arc::new(policy);
            Part::Backend(Arc::new(Backend { key, endpoints, protocol, tls, policy }))
        },
    )
}

fn endpoint_set() -> impl Strategy<Value = Part> {
    let address = prop_oneof![
        socket().prop_map(Address::Socket),
        select(&["/run/a b.sock", "@abstract"][..]).prop_map(|path| Address::Unix(path.into())),
        ("[a-z_.-]{1,12}", 1..=u16::MAX)
            .prop_map(|(host, port)| Address::Dns { host: host.into(), port }),
    ];
    let endpoint = (address, option::of(socket()), any::<u32>())
        .prop_map(|(address, alternate, weight)| Endpoint { address, alternate, weight });
    let reach = (any::<bool>(), vec(socket(), 0..3)).prop_map(|(local, closed)| {
        Arc::new(Reach { local, closed: closed.iter().map(SocketAddr::ip).collect() })
    });
    (key(PartKind::EndpointSet), vec(endpoint, 0..4), option::of(cause()), option::of(reach))
        .prop_map(|(key, endpoints, empty, reach)| {
            Part::EndpointSet(Arc::new(EndpointSet { key, endpoints, empty, reach }))
        })
}

fn certificate() -> impl Strategy<Value = Part> {
    (key(PartKind::Certificate), vec(bytes(), 1..3), bytes()).prop_map(
        |(key, chain, private_key)| {
            let private_key = PrivateKey(private_key.into());
            Part::Certificate(Arc::new(Certificate { key, chain, private_key }))
        },
    )
}

pub(crate) fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        2 => listener(),
        4 => rule(),
        2 => backend(),
        1 => endpoint_set(),
        1 => certificate(),
    ]
}
