use super::*;

#[test]
fn a_certificate_is_signed_by_what_the_secret_holds() {
    let data = make().unwrap().data.unwrap();
    let text = |name: &str| String::from_utf8(data[name].0.clone()).unwrap();
    let served = sign(text(CERTIFICATE), &text(KEY), "meshctl-system").unwrap();
    assert_ne!(served.chain, served.authority);
    assert!(sign("nonsense".to_owned(), &text(KEY), "meshctl-system").is_err());
}
