use proptest::prelude::*;

use super::*;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn inbound(hops: u8) -> Inbound<'static> {
    Inbound {
        peer: "203.0.113.9:40000".parse().unwrap(),
        local: "198.51.100.1:8443".parse().unwrap(),
        secure: true,
        trusted_hops: hops,
        via: "meshctl",
    }
}

fn head(fields: &[(&str, &str)]) -> RequestHead {
    let mut head = RequestHead { authority: "shop.example".into(), ..RequestHead::default() };
    for (name, value) in fields {
        head.fields.push(name.as_bytes(), value.as_bytes());
    }
    head
}

fn lines(fields: &Fields) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    fields.iter().map(|(name, value)| format!("{}: {}", text(name), text(value))).collect()
}

/// What a request becomes, without the request id that is random.
fn received(hops: u8, fields: &[(&str, &str)]) -> (Origin, Vec<String>) {
    let mut head = head(fields);
    let origin = receive(&mut head, &inbound(hops), &mut fastrand::Rng::with_seed(1));
    let mut lines = lines(&head.fields);
    lines.retain(|line| !line.starts_with("x-request-id: "));
    (origin, lines)
}

fn client(hops: u8, fields: &[(&str, &str)]) -> String {
    received(hops, fields).0.client.to_string()
}

#[test]
fn without_trusted_hops_the_connection_alone_is_believed() {
    let forged = [
        ("accept", "*/*"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "admin.example"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-client-cert", "Subject=admin"),
        ("x-forwarded-user", "admin"),
        ("x-forwarded", "for=10.0.0.1"),
        ("x-original-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("forwarded-for", "10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("x-client-ip", "10.0.0.1"),
        ("client-ip", "10.0.0.1"),
        ("x-cluster-client-ip", "10.0.0.1"),
        ("true-client-ip", "10.0.0.1"),
        ("cf-connecting-ip", "10.0.0.1"),
        ("cf-connecting-ipv6", "::1"),
        ("fastly-client-ip", "10.0.0.1"),
        ("x-originating-ip", "10.0.0.1"),
        ("x-host", "admin.example"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-request-id", "forged"),
        ("meshctl-cause", "bad_path"),
        ("meshctl-anything", "1"),
        ("x_forwarded_for", "10.0.0.1"),
        ("x_forwarded-for", "10.0.0.1"),
        ("x.forwarded.for", "10.0.0.1"),
        ("x_real_ip", "10.0.0.1"),
        ("x_request_id", "forged"),
        ("meshctl_cause", "bad_path"),
        ("cookie", "a=b"),
    ];
    let (origin, lines) = received(0, &forged);
    assert_eq!(origin.client.to_string(), "203.0.113.9");
    assert!(origin.secure);
    assert_eq!(
        lines,
        [
            "accept: */*",
            "cookie: a=b",
            "x-forwarded-for: 203.0.113.9",
            "x-forwarded-proto: https",
            "x-forwarded-host: shop.example",
            "x-forwarded-port: 8443",
            "via: 1.1 meshctl",
        ]
    );
}

/// The first letter decides whether a name is looked at.
#[test]
fn every_vouching_name_is_dropped() {
    let families = strangers::FAMILIES.iter().chain(&strangers::FAMILIES_X);
    let families = families.map(|family| format!("{family}a"));
    let whole = strangers::VOUCHED.iter().chain(&strangers::VOUCHED_X).map(|name| (*name).into());
    for name in families.chain(whole) {
        let name: &str = &name;
        let forged = name.replace('-', "_");
        assert_eq!(received(0, &[(name, "1"), (&forged, "1")]), received(0, &[]), "{name}");
    }
}

#[test]
fn names_that_only_look_alike_pass() {
    let own = [
        ("x-forward", "1"),
        ("forwarded-by-me", "1"),
        ("x-real-ips", "1"),
        ("xforwarded", "1"),
        ("x-auth-token", "1"),
        ("x-user-id", "1"),
        ("x-meshctlx", "1"),
        ("client-certs", "1"),
        ("l5", "1"),
        ("x", "1"),
        ("x-", "1"),
    ];
    let (_, lines) = received(0, &own);
    for (name, value) in own {
        assert!(lines.contains(&format!("{name}: {value}")), "{name}: {lines:?}");
    }
}

#[test]
fn the_client_is_the_entry_that_the_first_trusted_hop_wrote() {
    let check = |hops: u8, values: &[&str], expected: &str, sent: &str| {
        let fields: Vec<_> = values.iter().map(|value| ("x-forwarded-for", *value)).collect();
        let (origin, lines) = received(hops, &fields);
        assert_eq!(origin.client.to_string(), expected, "{hops} hops, {values:?}");
        let line = format!("x-forwarded-for: {sent}");
        assert!(lines.contains(&line), "{line}: {lines:?}");
    };
    check(1, &["192.0.2.1"], "192.0.2.1", "192.0.2.1, 203.0.113.9");
    // What stands to the left was written by a stranger, and isn't sent on.
    check(1, &["10.0.0.1, 192.0.2.1"], "192.0.2.1", "192.0.2.1, 203.0.113.9");
    check(2, &["10.0.0.1, 192.0.2.1, 192.0.2.2"], "192.0.2.1", "192.0.2.1, 192.0.2.2, 203.0.113.9");
    check(
        2,
        &["10.0.0.1", "192.0.2.1", "192.0.2.2"],
        "192.0.2.1",
        "192.0.2.1, 192.0.2.2, 203.0.113.9",
    );
    check(2, &["192.0.2.1 ,, ,192.0.2.2,"], "192.0.2.1", "192.0.2.1, 192.0.2.2, 203.0.113.9");
    // Entered behind the first hop.
    check(3, &["192.0.2.1"], "192.0.2.1", "192.0.2.1, 203.0.113.9");
    check(1, &[""], "203.0.113.9", "203.0.113.9");
    // Ports and IPv6, as proxies write them.
    check(1, &["192.0.2.1:5555"], "192.0.2.1", "192.0.2.1, 203.0.113.9");
    check(1, &["[2001:db8::1]:5555"], "2001:db8::1", "2001:db8::1, 203.0.113.9");
    check(1, &["[2001:DB8::1]"], "2001:db8::1", "2001:db8::1, 203.0.113.9");
    check(1, &["2001:db8::1"], "2001:db8::1", "2001:db8::1, 203.0.113.9");
    check(1, &["::ffff:192.0.2.1"], "192.0.2.1", "192.0.2.1, 203.0.113.9");
    // The walk ends where something else than an address stands.
    check(3, &["10.0.0.1, unknown, 192.0.2.2"], "192.0.2.2", "192.0.2.2, 203.0.113.9");
    for nonsense in [
        "unknown",
        "192.0.2.1.5",
        "192.0.2.1:",
        "192.0.2.1:99999",
        "[192.0.2.1]",
        "[::1",
        "::1]",
        "1",
        "fe80::1%eth0",
        "192.0.2.1 x",
        "\"192.0.2.1\"",
    ] {
        check(1, &[nonsense], "203.0.113.9", "203.0.113.9");
    }
}

#[test]
fn forwarded_is_believed_where_it_is_alone() {
    for (value, hops, expected) in [
        ("for=192.0.2.1", 1, "192.0.2.1"),
        ("For=192.0.2.1;Proto=http;By=203.0.113.43", 1, "192.0.2.1"),
        ("for=\"192.0.2.1:4711\"", 1, "192.0.2.1"),
        ("for=\"[2001:db8::1]\"", 1, "2001:db8::1"),
        ("for=\"[2001:db8::1]:4711\";host=\"a\\\"b\"", 1, "2001:db8::1"),
        ("for=\"192.0.2.1:_port\"", 1, "192.0.2.1"),
        ("for=10.0.0.1, for=192.0.2.1 , for=192.0.2.2", 2, "192.0.2.1"),
        ("for=10.0.0.1,, for=192.0.2.1,", 1, "192.0.2.1"),
        ("for=10.0.0.1, for=_hidden, for=192.0.2.2", 3, "192.0.2.2"),
        ("for=unknown", 1, "203.0.113.9"),
        ("proto=https", 1, "203.0.113.9"),
        // A list that breaks the grammar says nothing at all.
        ("for=192.0.2.1;", 1, "203.0.113.9"),
        ("for=192.0.2.1; proto=https", 1, "203.0.113.9"),
        ("for = 192.0.2.1", 1, "203.0.113.9"),
        ("for=192.0.2.1;for=192.0.2.2", 1, "203.0.113.9"),
        ("for=192.0.2.1:80", 1, "203.0.113.9"),
        ("for=[2001:db8::1]", 1, "203.0.113.9"),
        ("for=\"2001:db8::1\"", 1, "203.0.113.9"),
        ("for=\"192.0.2.1", 1, "203.0.113.9"),
        ("for=\"192.0.2.1\\", 1, "203.0.113.9"),
        ("for=192.0.2.1 for=192.0.2.2", 1, "203.0.113.9"),
        ("for=", 1, "203.0.113.9"),
        ("=192.0.2.1", 1, "203.0.113.9"),
        ("for=evil, for=192.0.2.1", 1, "203.0.113.9"),
        ("for=\"a, for=192.0.2.1\"", 1, "203.0.113.9"),
    ] {
        assert_eq!(client(hops, &[("forwarded", value)]), expected, "{value}");
    }
}

#[test]
fn forwarded_is_bounded() {
    let many = |n: usize| vec!["for=192.0.2.1"; n].join(",");
    assert_eq!(client(1, &[("forwarded", &many(32))]), "192.0.2.1");
    assert_eq!(client(1, &[("forwarded", &many(33))]), "203.0.113.9");
    let half = many(20);
    assert_eq!(client(1, &[("forwarded", &half), ("forwarded", &half)]), "203.0.113.9");
}

#[test]
fn forwarded_is_continued_only_where_it_is_believed() {
    let forwarded = |fields: &[(&str, &str)]| -> Vec<String> {
        let (_, lines) = received(1, fields);
        lines.into_iter().filter(|line| line.starts_with("forwarded")).collect()
    };
    let ours = r#"for=203.0.113.9;host="shop.example";proto=https;by=_meshctl"#;
    let theirs = ("forwarded", "for=192.0.2.1;proto=https");
    let chain = format!("forwarded: for=192.0.2.1;proto=https, {ours}");
    let stranger = ("forwarded", "for=10.0.0.1;host=\"admin\", for=192.0.2.1;proto=https,");
    assert_eq!(forwarded(&[theirs]), [&*chain]);
    // A stranger's elements end here.
    assert_eq!(forwarded(&[stranger]), [&*chain]);
    assert_eq!(forwarded(&[("forwarded", "for=10.0.0.1"), theirs]), [&*chain]);
    // Both, and of one mind.
    assert_eq!(forwarded(&[theirs, ("x-forwarded-for", "192.0.2.1")]), [&*chain]);
    // In conflict: the load balancer wrote one and passed the client's other on.
    let conflict = [theirs, ("x-forwarded-for", "192.0.2.77")];
    assert_eq!(forwarded(&conflict), Vec::<String>::new());
    assert_eq!(client(1, &conflict), "192.0.2.77");
    assert_eq!(forwarded(&[("forwarded", "for=")]), Vec::<String>::new());
    assert_eq!(forwarded(&[]), Vec::<String>::new());
}

#[test]
fn a_mapped_or_ipv6_peer_is_written_as_it_is() {
    for (peer, expected) in [
        ("[::ffff:203.0.113.9]:1", "for=203.0.113.9;"),
        ("[2001:db8::9]:1", "for=\"[2001:db8::9]\";"),
    ] {
        let mut head = head(&[("forwarded", "for=192.0.2.1")]);
        let inbound = Inbound { peer: peer.parse().unwrap(), via: "my mesh", ..inbound(1) };
        receive(&mut head, &inbound, &mut fastrand::Rng::with_seed(1));
        let ours = head.fields.get_all("forwarded").last().unwrap();
        let ours = std::str::from_utf8(ours).unwrap();
        assert!(
            ours.starts_with(&format!("for=192.0.2.1, {expected}"))
                && ours.ends_with("by=_my-mesh"),
            "{ours}"
        );
    }
}

#[test]
fn scheme_host_and_port_come_from_the_first_trusted_hop() {
    let check = |hops: u8, fields: &[(&str, &str)], secure: bool, expected: [&str; 3]| {
        let (origin, lines) = received(hops, fields);
        assert_eq!(origin.secure, secure, "{fields:?}");
        for line in expected {
            assert!(lines.iter().any(|l| l == line), "{line}: {lines:?}");
        }
        assert_eq!(lines.len(), 5, "{lines:?}");
    };
    let proto = "x-forwarded-proto: https";
    let host = "x-forwarded-host: shop.example";
    check(1, &[], true, [proto, host, "x-forwarded-port: 8443"]);
    check(1, &[("x-forwarded-proto", "HTTPS")], true, [proto, host, "x-forwarded-port: 443"]);
    let http = "x-forwarded-proto: http";
    check(1, &[("x-forwarded-proto", "http")], false, [http, host, "x-forwarded-port: 80"]);
    // A list: the first of two trusted hops saw http, a stranger before it lies.
    let list = [("x-forwarded-proto", "https, http, https")];
    check(2, &list, false, [http, host, "x-forwarded-port: 80"]);
    check(2, &[("x-forwarded-proto", "http")], false, [http, host, "x-forwarded-port: 80"]);
    let full = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "www.shop.example:444"),
        ("x-forwarded-port", "4443"),
    ];
    let seen = "x-forwarded-host: www.shop.example:444";
    check(1, &full, true, [proto, seen, "x-forwarded-port: 4443"]);
    check(1, &full[..2], true, [proto, seen, "x-forwarded-port: 444"]);
    for bad in ["a b", "a/b", "a\"b", "a@b", "", "é"] {
        check(1, &[("x-forwarded-host", bad)], true, [proto, host, "x-forwarded-port: 8443"]);
    }
    for bad in ["0x50", "-1", "65536", "+80", ""] {
        check(1, &[("x-forwarded-port", bad)], true, [proto, host, "x-forwarded-port: 8443"]);
    }
    check(1, &[("x-forwarded-proto", "gopher")], true, [proto, host, "x-forwarded-port: 443"]);
}

#[test]
fn a_trusted_hop_answers_for_what_else_it_lets_through() {
    let (_, lines) = received(
        1,
        &[
            ("x-forwarded-client-cert", "Hash=1"),
            ("cf-connecting-ip", "192.0.2.1"),
            ("x_forwarded_client_cert", "Hash=forged"),
            ("x_forwarded_for", "10.0.0.1"),
            ("x-real-ip", "10.0.0.1"),
            ("meshctl-cause", "bad_path"),
        ],
    );
    assert_eq!(lines[..2], ["x-forwarded-client-cert: Hash=1", "cf-connecting-ip: 192.0.2.1"]);
    assert_eq!(lines.len(), 7, "{lines:?}");
}

#[test]
fn request_ids_are_kept_from_trusted_hops_alone() {
    let id = |hops: u8, value: &str| {
        received(hops, &[("x-request-id", value)]).0.request_id.as_str().to_owned()
    };
    let new = id(0, "abc");
    assert_eq!(id(1, "abc-DEF_1.2:3+4/5=6@7"), "abc-DEF_1.2:3+4/5=6@7");
    let longest = "x".repeat(64);
    assert_eq!(id(1, &longest), longest);
    for bad in ["", "a b", "a\"b", "é", &"x".repeat(65), "<script>"] {
        assert_eq!(id(1, bad), new, "{bad}: the seed is the same, so is the new one");
    }
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..1000 {
        let text = RequestId::new(&mut rng).to_string();
        let shape: String =
            text.chars().map(|c| if c.is_ascii_hexdigit() { 'x' } else { c }).collect();
        assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        assert_eq!(&text[14..15], "4");
        assert!("89ab".contains(&text[19..20]), "{text}");
    }
    let pair = [RequestId::new(&mut rng), RequestId::new(&mut rng)];
    assert_ne!(pair[0], pair[1]);
    assert_eq!(size_of::<RequestId>(), limits::REQUEST_ID_BYTES + 1);
}

#[test]
fn exactly_one_valid_trace_parent_goes_on() {
    let check = |fields: &[(&str, &str)], kept: bool| {
        let (origin, lines) = received(0, fields);
        assert_eq!(origin.trace.is_some(), kept, "{fields:?}");
        let rest: Vec<_> = lines.iter().filter(|line| line.starts_with("trace")).collect();
        let expected: Vec<_> = fields.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        let expected: Vec<_> = expected.iter().filter(|_| kept).collect();
        assert_eq!(rest, expected);
    };
    check(&[("traceparent", TRACE), ("tracestate", "a=1"), ("tracestate", "b=2")], true);
    check(&[("traceparent", TRACE)], true);
    check(&[("tracestate", "a=1")], false);
    check(&[("traceparent", TRACE), ("traceparent", TRACE), ("tracestate", "a=1")], false);
    check(&[("traceparent", "nonsense"), ("tracestate", "a=1")], false);
}

#[test]
fn trace_parents_are_read_strictly() {
    let parent = TraceParent::parse(TRACE.as_bytes()).unwrap();
    assert_eq!(parent.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert_eq!(parent.parent_id, 0xb7ad_6b71_6920_3331);
    assert!(parent.is_sampled());
    assert_eq!(&parent.write(), TRACE.as_bytes());
    let child = parent.child(5).write();
    assert_eq!(
        std::str::from_utf8(&child),
        Ok("00-0af7651916cd43dd8448eb211c80319c-0000000000000005-01")
    );
    let ok = |text: &str| TraceParent::parse(text.as_bytes()).is_some();
    assert!(ok(&TRACE.replace("-01", "-ff")));
    assert!(!TraceParent::parse(TRACE.replace("-01", "-02").as_bytes()).unwrap().is_sampled());
    assert!(ok(&format!("cc{}", &TRACE[2..])));
    assert!(ok(&format!("01{}-what-the-future-brings", &TRACE[2..])));
    for bad in [
        format!("ff{}", &TRACE[2..]),
        format!("{TRACE}-00"),
        format!("01{}.00", &TRACE[2..]),
        format!("{TRACE} "),
        format!(" {TRACE}"),
        TRACE.to_uppercase(),
        TRACE.replace('-', "_"),
        TRACE.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
        TRACE.replace("b7ad6b7169203331", &"0".repeat(16)),
        TRACE.replace("b7ad", "b7ag"),
        TRACE.replace("b7ad", "b+ad"),
        TRACE[..54].to_owned(),
        String::new(),
    ] {
        assert!(!ok(&bad), "{bad}");
    }
}

#[test]
fn via_names_us_and_counts_passes() {
    for (version, expected) in [
        (Version::HTTP_10, "1.0 mesh"),
        (Version::HTTP_11, "1.1 mesh"),
        (Version::HTTP_2, "2 mesh"),
    ] {
        let mut response = ResponseHead { version, ..ResponseHead::default() };
        response.fields.push(b"via", b"1.1 inner");
        response.fields.push(b"server", b"nginx");
        send_back(&mut response, "mesh", false);
        let via: Vec<_> = response.fields.get_all("via").collect();
        assert_eq!(via, [b"1.1 inner", expected.as_bytes()]);
        assert_eq!(response.fields.get("server"), Some(&b"nginx"[..]));
    }
    for (values, count) in [
        (&[][..], 0),
        (&["1.1 meshctl"], 1),
        (&["1.0 fred, HTTP/1.1 Meshctl (v1), 2 meshctl", "1.1 meshctl"], 3),
        (&["1.1 meshctl2, 1.1 x meshctl, meshctl"], 0),
    ] {
        let fields: Vec<_> = values.iter().map(|value| ("via", *value)).collect();
        assert_eq!(passes(&head(&fields).fields, "meshctl"), count, "{values:?}");
    }
    let ours = |passes: usize| vec!["1.1 meshctl"; passes].join(", ");
    assert!(!is_loop(&head(&[("via", &ours(16))]).fields, "meshctl"));
    assert!(is_loop(&head(&[("via", &ours(9)), ("via", &ours(8))]).fields, "meshctl"));
    // A client's Via stays: it says where the request has been, and grants nothing.
    let (_, lines) = received(0, &[("via", "1.0 fred")]);
    let via: Vec<_> = lines.iter().filter(|line| line.starts_with("via")).collect();
    assert_eq!(via, ["via: 1.0 fred", "via: 1.1 meshctl"]);
}

#[test]
fn causes_are_for_trusted_clients() {
    let cause = crate::model::Cause::NoEndpoint;
    let id = RequestId::accept(b"id").unwrap();
    for (trusted, expected) in [(false, None), (true, Some(&b"no_endpoint"[..]))] {
        let mut own = ResponseHead::default();
        mark_own(&mut own, &id, Some(cause), trusted);
        assert_eq!(own.fields.get(names::HEADER_CAUSE), expected);
        assert_eq!(own.fields.get("x-request-id"), Some(&b"id"[..]));
        let mut inner = ResponseHead::default();
        inner.fields.push(b"meshctl-cause", b"no_endpoint");
        send_back(&mut inner, "meshctl", trusted);
        assert_eq!(inner.fields.get(names::HEADER_CAUSE), expected);
    }
}

#[test]
fn a_request_without_a_host_names_none() {
    let mut head = head(&[]);
    head.authority.clear();
    receive(&mut head, &inbound(0), &mut fastrand::Rng::with_seed(1));
    assert!(!head.fields.contains("x-forwarded-host"));
}

proptest! {
    /// Whatever a client sends in fields about itself, the client stays its connection's peer,
    /// and what is sent on is the same as if it had sent nothing.
    #[test]
    fn strangers_change_nothing(
        values in proptest::collection::vec(("[ -~]{0,40}", 0_usize..6), 0..8),
    ) {
        let names = ["x-forwarded-for", "forwarded", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x_forwarded_for"];
        let fields: Vec<_> = values.iter().map(|(value, name)| (names[*name], value.as_str())).collect();
        prop_assert_eq!(received(0, &fields), received(0, &[]));
    }

    /// To the left of what trusted hops wrote, a stranger may write anything.
    #[test]
    fn strangers_are_not_heard_behind_a_hop(forged in "[ -~]{0,60}", line in any::<bool>()) {
        let honest = received(2, &[("x-forwarded-for", "192.0.2.1, 192.0.2.2")]);
        let lied = if line {
            received(2, &[("x-forwarded-for", &forged), ("x-forwarded-for", "192.0.2.1, 192.0.2.2")])
        } else {
            received(2, &[("x-forwarded-for", &format!("{forged}, 192.0.2.1, 192.0.2.2"))])
        };
        prop_assert_eq!(lied, honest);
    }

    /// No bytes make the parsers panic or let a control byte through into our fields.
    #[test]
    fn any_bytes_are_survived(
        forwarded in proptest::collection::vec(any::<u8>(), 0..80),
        near in "((for|proto|host|by|FOR)=(\"?[0-9a-f.:\\[\\]_\\\\\"]{0,12}\"?|unknown)[;, ]{0,2}){0,6}",
        addresses in proptest::collection::vec(any::<u8>(), 0..80),
        hops in 0_u8..=255,
    ) {
        let mut head = head(&[("forwarded", &near)]);
        head.fields.push(b"forwarded", &forwarded);
        for name in ["x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "traceparent"] {
            head.fields.push(name.as_bytes(), &addresses);
        }
        receive(&mut head, &inbound(hops), &mut fastrand::Rng::with_seed(1));
        for (name, value) in head.fields.iter().filter(|(name, _)| name.starts_with(b"x-")) {
            prop_assert!(value.iter().all(|b| (b' '..=b'~').contains(b)), "{:?} {:?}", name, value);
        }
        prop_assert!(element::parse(&forwarded).is_none_or(|elements| elements.len() <= 33));
    }
}
