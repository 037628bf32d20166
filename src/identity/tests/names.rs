use crate::identity::{Leaf, LeafError, Sni, sni_host};

#[test]
fn server_names_have_one_spelling() {
    let host = |name: &'static str| Sni::Host(name.into());
    for (sent, seen) in [
        (None, Sni::Absent),
        (Some("192.0.2.1"), Sni::Absent),
        (Some("::1"), Sni::Absent),
        (Some("shop.example"), host("shop.example")),
        (Some("SHOP.Example"), host("shop.example")),
        (Some("shop.example."), host("shop.example")),
        (Some("ShOp.ExAmPlE."), host("shop.example")),
        (Some("my_service.ns.svc"), host("my_service.ns.svc")),
        (Some("localhost"), host("localhost")),
        (Some(""), Sni::Invalid),
        (Some("."), Sni::Invalid),
        (Some("shop.example.."), Sni::Invalid),
        (Some(".shop.example"), Sni::Invalid),
        (Some("shop..example"), Sni::Invalid),
        (Some("*.shop.example"), Sni::Invalid),
        (Some("shop.example\0"), Sni::Invalid),
        (Some("shop.example\0.evil.example"), Sni::Invalid),
        (Some("shop example"), Sni::Invalid),
        (Some("shop.example:443"), Sni::Invalid),
        (Some("-shop.example"), Sni::Invalid),
        (Some("shop-.example"), Sni::Invalid),
        (Some("sh\u{f6}p.example"), Sni::Invalid),
        (Some("shop.example\r\nX: y"), Sni::Invalid),
    ] {
        assert_eq!(sni_host(sent), seen, "{sent:?}");
    }
    let label = "a".repeat(63);
    assert_eq!(sni_host(Some(&label)), Sni::Host(label.as_str().into()));
    assert_eq!(sni_host(Some(&"a".repeat(64))), Sni::Invalid);
    let long = [label.as_str(); 4].join(".");
    assert_eq!(long.len(), 255);
    assert_eq!(sni_host(Some(&long)), Sni::Invalid);
}

#[test]
fn leaves_tell_their_facts_in_plain_letters() {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};
    let san =
        |san: fn(rcgen::string::Ia5String) -> SanType, name: &str| san(name.try_into().unwrap());
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "shop\u{1b}[31m\r\nlevel=error \u{202e}x");
    params.subject_alt_names = vec![
        san(SanType::DnsName, "Shop.Example"),
        san(SanType::DnsName, "*.shop.example"),
        san(SanType::URI, "spiffe://mesh/ns/a/sa/b"),
    ];
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 2);
    let key = KeyPair::generate().unwrap();
    let der = params.self_signed(&key).unwrap().der().to_vec();
    let leaf = Leaf::read(&der).unwrap();
    assert!(leaf.subject.contains("shop?[31m??level=error ?x"), "{}", leaf.subject);
    assert_eq!(leaf.dns_names, ["shop.example", "*.shop.example"]);
    assert_eq!(leaf.uris, ["spiffe://mesh/ns/a/sa/b"]);
    assert_eq!(leaf.name(), "spiffe://mesh/ns/a/sa/b");
    assert_eq!((leaf.not_before, leaf.not_after), (1_704_067_200, 1_893_542_400));
    assert!(!leaf.suspicious);

    for bad in ["a\0b.example", "a\nb", "a b", "*", "a/b", "*.*.example"] {
        params.subject_alt_names = vec![san(SanType::DnsName, bad)];
        let leaf = Leaf::read(params.self_signed(&key).unwrap().der()).unwrap();
        assert!(leaf.suspicious && leaf.dns_names.is_empty(), "{bad:?}");
    }
    params.subject_alt_names = vec![san(SanType::URI, "spiffe://a\0b")];
    assert!(Leaf::read(params.self_signed(&key).unwrap().der()).unwrap().suspicious);

    params.distinguished_name.push(DnType::CommonName, "\u{e9}".repeat(10_000));
    let leaf = Leaf::read(params.self_signed(&key).unwrap().der()).unwrap();
    assert!(leaf.subject.len() <= crate::limits::CERTIFICATE_NAME_BYTES);

    let longer = [&der[..], b"\0"].concat();
    assert_eq!(Leaf::read(&longer), Err(LeafError::TrailingBytes));
    assert_eq!(Leaf::read(b"nonsense"), Err(LeafError::NotDer));
    for cut in 0..der.len() {
        assert!(Leaf::read(&der[..cut]).is_err(), "{cut}");
    }
}
