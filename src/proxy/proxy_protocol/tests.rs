use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn proxied(source: &str, destination: &str) -> Header {
    Header::Proxied { source: address(source), destination: address(destination) }
}

/// A version 2 header with any command, family and body.
fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let mut out = SIGNATURE.to_vec();
    out.extend([command, family]);
    out.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    out.extend(body);
    out
}

const IPV4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 2, 0x1f, 0x90, 0x01, 0xbb];

fn ipv4_with(tlvs: &[u8]) -> Vec<u8> {
    v2(0x21, 0x11, &[&IPV4[..], tlvs].concat())
}

fn complete(bytes: &[u8]) -> Header {
    match parse(bytes) {
        Parsed::Complete { consumed, header } => {
            assert_eq!(consumed, bytes.len(), "{}", bytes.escape_ascii());
            header
        }
        other => panic!("{other:?} for {}", bytes.escape_ascii()),
    }
}

fn invalid(bytes: &[u8]) -> String {
    match parse(bytes) {
        Parsed::Invalid(invalid) => invalid.to_string(),
        other => panic!("{other:?} for {}", bytes.escape_ascii()),
    }
}

#[test]
fn version_1_names_addresses() {
    for (line, header) in [
        (
            "PROXY TCP4 192.0.2.1 198.51.100.2 8080 443\r\n",
            proxied("192.0.2.1:8080", "198.51.100.2:443"),
        ),
        ("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", proxied("[2001:db8::1]:0", "[::1]:65535")),
        // A mapped address is the IPv4 address that it stands for.
        ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", proxied("192.0.2.1:1", "[::1]:2")),
        ("PROXY UNKNOWN\r\n", Header::Local),
        ("PROXY UNKNOWN ffff::1 nonsense \x01 9\r\n", Header::Local),
    ] {
        assert_eq!(complete(line.as_bytes()), header, "{line:?}");
    }
}

#[test]
fn version_1_takes_no_other_spelling() {
    for line in [
        "PROXY TCP4 192.0.2.1 198.51.100.2 8080\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 8080 443 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 8080 443 1\r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.2 8080 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 08080 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +80 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2  443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n",
        "PROXY TCP4 192.0.2 198.51.100.2 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        "PROXY TCP6 [::1] ::1 1 2\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY TCP4\t192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\rX",
        "PROXY \r\n",
        "proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "\r\n\r\n\0\r\nQUIX",
    ] {
        invalid(line.as_bytes());
    }
}

#[test]
fn version_1_ends_at_107_bytes() {
    let line = |length: usize| format!("PROXY UNKNOWN {}", "x".repeat(length - 14));
    assert_eq!(complete(format!("{}\r\n", line(105)).as_bytes()), Header::Local);
    assert_eq!(parse(line(106).as_bytes()), Parsed::Partial);
    assert!(invalid(line(107).as_bytes()).contains("107"));
    invalid(format!("{}\r\n", line(106)).as_bytes());
    invalid(format!("{}\r", line(106)).as_bytes());
}

#[test]
fn version_2_names_addresses() {
    let ipv6 = [[0x20; 16], [0x30; 16]].concat();
    let mapped = [&[0; 10][..], &[0xff, 0xff, 192, 0, 2, 1], &[0; 15], &[1, 0, 1, 0, 2]].concat();
    for (bytes, header) in [
        (ipv4_with(&[]), proxied("192.0.2.1:8080", "198.51.100.2:443")),
        (
            v2(0x21, 0x21, &[&ipv6[..], &[0, 1, 0, 2]].concat()),
            proxied(
                "[2020:2020:2020:2020:2020:2020:2020:2020]:1",
                "[3030:3030:3030:3030:3030:3030:3030:3030]:2",
            ),
        ),
        (v2(0x21, 0x21, &mapped), proxied("192.0.2.1:1", "[::1]:2")),
        (v2(0x21, 0x31, &[b'/'; 216]), Header::Local),
        (v2(0x21, 0x00, b"anything"), Header::Local),
        (v2(0x20, 0x00, &[]), Header::Local),
        // LOCAL: the family and what stands there don't count.
        (v2(0x20, 0x11, &[1, 2, 3]), Header::Local),
        (v2(0x20, 0xff, &[9; 40]), Header::Local),
        // Fields that we don't read: ALPN, an empty NOOP, TLS.
        (
            ipv4_with(&[1, 0, 2, b'h', b'2', 4, 0, 0, 0x20, 0, 5, 1, 0, 0, 0, 0]),
            proxied("192.0.2.1:8080", "198.51.100.2:443"),
        ),
    ] {
        assert_eq!(complete(&bytes), header, "{}", bytes.escape_ascii());
    }
}

#[test]
fn version_2_refuses_what_it_does_not_know() {
    for (bytes, word) in [
        (v2(0x11, 0x11, &IPV4), "version"),
        (v2(0x31, 0x11, &IPV4), "version"),
        (v2(0x22, 0x11, &IPV4), "command"),
        (v2(0x21, 0x12, &IPV4), "stream"),
        (v2(0x21, 0x22, &[0; 36]), "stream"),
        (v2(0x21, 0x32, &[0; 216]), "stream"),
        (v2(0x21, 0x41, &[0; 216]), "stream"),
        (v2(0x21, 0x10, &IPV4), "stream"),
        (v2(0x21, 0x11, &IPV4[..11]), "too short"),
        (v2(0x21, 0x21, &[0; 35]), "too short"),
        (v2(0x21, 0x31, &[0; 215]), "too short"),
        (ipv4_with(&[1]), "longer than the header"),
        (ipv4_with(&[1, 0]), "longer than the header"),
        (ipv4_with(&[1, 0, 1]), "longer than the header"),
        (ipv4_with(&[1, 0xff, 0xff, 0]), "longer than the header"),
        (ipv4_with(&[3, 0, 3, 0, 0, 0]), "four bytes"),
        (ipv4_with(&[3, 0, 4, 0, 0, 0, 0]), "wrong"),
    ] {
        let sentence = invalid(&bytes);
        assert!(sentence.contains(word), "{sentence}: {}", bytes.escape_ascii());
    }
}

#[test]
fn version_2_is_bounded_before_it_is_there() {
    let mut header = [SIGNATURE, &[0x20, 0]].concat();
    header.extend(4081_u16.to_be_bytes());
    assert!(invalid(&header).contains("4096"));
    header.truncate(14);
    header.extend(4080_u16.to_be_bytes());
    assert_eq!(parse(&header), Parsed::Partial);
    header.resize(4096, 0);
    assert_eq!(complete(&header), Header::Local);
}

/// A bitwise checksum, unlike the table that is tested.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 }
        })
    })
}

#[test]
fn checksums_are_held_to() {
    let mut known = crc32c::Crc32c::new();
    known.update(b"1234");
    known.update(b"56789");
    assert_eq!(known.finish(), 0xe306_9283, "the check value of CRC-32C");

    let with = |tlvs: &[u8]| {
        let mut bytes = ipv4_with(tlvs);
        let sum = crc32c(&bytes).to_be_bytes();
        bytes[31..35].copy_from_slice(&sum);
        bytes
    };
    // In front of another field, which it covers too.
    let mut bytes = with(&[3, 0, 4, 0, 0, 0, 0, 1, 0, 2, b'h', b'2']);
    assert_eq!(complete(&bytes), proxied("192.0.2.1:8080", "198.51.100.2:443"));
    // Another kind at 28 is a field without meaning: then there is no checksum.
    for at in (16..bytes.len()).filter(|at| *at != 28) {
        bytes[at] ^= 1;
        invalid(&bytes);
        bytes[at] ^= 1;
    }
    let sum = &bytes[28..35].to_vec();
    assert!(invalid(&with(&[&[3, 0, 4, 0, 0, 0, 0], &sum[..]].concat())).contains("two"));
}

#[test]
fn sources_are_networks() {
    let sources = |list: &[(&str, u8)]| {
        Sources::new(&list.iter().map(|(ip, n)| (ip.parse().unwrap(), *n)).collect::<Vec<_>>())
    };
    let set = sources(&[
        ("10.1.0.0", 16),
        ("192.0.2.7", 32),
        ("2001:db8::", 32),
        ("::ffff:172.16.0.0", 108),
    ]);
    for (peer, listed) in [
        ("10.1.255.255", true),
        ("10.2.0.0", false),
        ("192.0.2.7", true),
        ("192.0.2.6", false),
        ("::ffff:10.1.0.9", true),
        ("172.31.0.1", true),
        ("172.32.0.1", false),
        ("2001:db8:ffff::1", true),
        ("2001:db9::", false),
        ("::", false),
        ("0.0.0.0", false),
    ] {
        assert_eq!(set.contains(peer.parse().unwrap()), listed, "{peer}");
    }
    let all_v4 = sources(&[("0.0.0.0", 0)]);
    assert!(all_v4.contains("203.0.113.1".parse().unwrap()));
    assert!(!all_v4.contains("2001:db8::1".parse().unwrap()));
    let all = sources(&[("::", 0)]);
    assert!(all.contains("2001:db8::1".parse().unwrap()));
    assert!(sources(&[]).is_empty() && !sources(&[]).contains("10.0.0.1".parse().unwrap()));
    // Too long a prefix trusts one address, not everybody.
    assert!(!sources(&[("10.0.0.1", 200)]).contains("10.0.0.2".parse().unwrap()));
}

fn any_address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip.to_canonical(), port))
}

fn any_header() -> impl Strategy<Value = Header> {
    prop_oneof![
        9 => (any_address(), any_address())
            .prop_map(|(source, destination)| Header::Proxied { source, destination }),
        1 => Just(Header::Local),
    ]
}

fn any_version() -> impl Strategy<Value = ProxyProtocolVersion> {
    prop_oneof![Just(ProxyProtocolVersion::V1), Just(ProxyProtocolVersion::V2)]
}

proptest! {
    #[test]
    fn what_is_written_is_read(header in any_header(), version in any_version(), rest: Vec<u8>) {
        let mut bytes = Vec::new();
        write(version, header, &mut bytes);
        let consumed = bytes.len();
        for cut in 0..consumed {
            prop_assert_eq!(parse(&bytes[..cut]), Parsed::Partial);
        }
        bytes.extend(rest);
        prop_assert_eq!(parse(&bytes), Parsed::Complete { consumed, header });
    }

    /// No answer is taken back when more bytes come, and none waits past the bound.
    #[test]
    fn any_bytes_get_one_answer(
        version in any_version(),
        header in any_header(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
        tail in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut bytes = Vec::new();
        write(version, header, &mut bytes);
        bytes.extend(tail);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let whole = parse(&bytes);
        for cut in 0..bytes.len() {
            let part = parse(&bytes[..cut]);
            prop_assert!(part == Parsed::Partial || part == whole, "{:?} then {:?}", part, whole);
        }
        bytes.resize(limits::PROXY_PROTOCOL_BYTES, b' ');
        prop_assert_ne!(parse(&bytes), Parsed::Partial);
    }
}
