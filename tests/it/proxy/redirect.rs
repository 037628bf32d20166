//! Redirects and rewrites through the whole proxy; the tables of paths are unit tests of the
//! stages.

use crate::support::authority::Authority;
use crate::support::client::Client;
use crate::support::words::{GATEWAY, backend, gateway, route, settings, tls_secret, to};
use crate::support::{mesh, server};

#[tokio::test]
async fn redirects_say_where_and_keep_the_connection() {
    let rules = "
- matches: [{path: {value: /moved}}]
  filters: [{type: RequestRedirect, requestRedirect: {hostname: new.example, statusCode: 301}}]
- matches: [{path: {value: /safe}}]
  filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]
- matches: [{path: {value: /port}}]
  filters: [{type: RequestRedirect, requestRedirect: {port: 8080, statusCode: 307}}]
- matches: [{path: {value: /old}}]
  filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}, statusCode: 308}}]
- matches: [{path: {value: /full}}]
  filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /whole}, statusCode: 303}}]
";
    let mesh = mesh(&format!("{GATEWAY}{}", route("r", &[], rules)));
    let mut client = Client::connect(mesh.port(80)).await;
    for (target, status, location) in [
        ("/moved/x?q=1", 301, "http://new.example/moved/x?q=1"),
        ("/safe/x", 302, "https://shop.example/safe/x"),
        ("/port", 307, "http://shop.example:8080/port"),
        ("/old/x?q", 308, "http://shop.example/new/x?q"),
        ("/full/x?q=1", 303, "http://shop.example/whole?q=1"),
    ] {
        let answer = client.get("shop.example", target).await.expect(status);
        assert_eq!(answer.get("location"), Some(location));
        assert_eq!(answer.length, 0);
    }
    let answer = client.post("shop.example", "/moved", "a body that nobody reads").await;
    answer.expect(301);
}

#[tokio::test]
async fn a_redirect_from_https_stays_there() {
    let authority = Authority::new("ca");
    let leaf = authority.server(&["shop.example"]);
    let rules = "- filters: [{type: RequestRedirect, requestRedirect: {hostname: new.example}}]";
    let mesh = mesh(&format!(
        "{}{}{}",
        gateway(&["{name: s, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}"]),
        route("r", &[], rules),
        tls_secret("cert", &leaf.certificate, &leaf.key)
    ));
    let config = authority.trusted(&["http/1.1"], None);
    let mut client = Client::tls(mesh.port(443), "shop.example", config).await.unwrap();
    let answer = client.get("shop.example", "/x").await.expect(302);
    assert_eq!(answer.get("location"), Some("https://new.example/x"));
}

#[tokio::test]
async fn a_redirect_behind_a_hop_that_ends_tls_names_the_hops_port() {
    let rules = "
- matches: [{path: {value: /moved}}]
  filters: [{type: RequestRedirect, requestRedirect: {hostname: new.example}}]
- matches: [{path: {value: /plain}}]
  filters: [{type: RequestRedirect, requestRedirect: {scheme: http}}]
- matches: [{path: {value: /port}}]
  filters: [{type: RequestRedirect, requestRedirect: {port: 80}}]
";
    let yaml = format!("{GATEWAY}{}{}", route("r", &[], rules), settings("trustedHops: 1"));
    let mesh = mesh(&yaml);
    let mut client = Client::connect(mesh.port(80)).await;
    for (target, told, location) in [
        ("/moved", &["x-forwarded-proto: https"][..], "https://new.example/moved"),
        (
            "/moved",
            &["x-forwarded-proto: https", "x-forwarded-port: 443"],
            "https://new.example/moved",
        ),
        (
            "/moved",
            &["x-forwarded-proto: https", "x-forwarded-port: 8443"],
            "https://new.example:8443/moved",
        ),
        (
            "/moved",
            &["x-forwarded-proto: https", "x-forwarded-host: shop.example:9443"],
            "https://new.example:9443/moved",
        ),
        ("/moved", &["forwarded: for=192.0.2.1;proto=https"], "https://new.example/moved"),
        // Where the schemes agree the listener's port holds, whatever a hop says.
        (
            "/moved",
            &["x-forwarded-proto: http", "x-forwarded-port: 81"],
            "http://new.example/moved",
        ),
        ("/plain", &["x-forwarded-proto: https"], "http://shop.example/plain"),
        ("/port", &["x-forwarded-proto: https"], "https://shop.example:80/port"),
    ] {
        let answer = client.ask("GET", "shop.example", target, told).await.expect(302);
        assert_eq!(answer.get("location"), Some(location), "{target} {told:?}");
    }
}

#[tokio::test]
async fn rewrites_change_what_the_backend_sees() {
    let up = server::named("up").await;
    let rules = format!(
        "
- matches: [{{path: {{value: /api}}}}]
  filters: [{{type: URLRewrite, urlRewrite: {{path: {{type: ReplacePrefixMatch, replacePrefixMatch: /v2}}}}}}]
  backendRefs: [{up}]
- matches: [{{path: {{value: /host}}}}]
  filters: [{{type: URLRewrite, urlRewrite: {{hostname: inner.example}}}}]
  backendRefs: [{up}]
- matches: [{{path: {{value: /both}}}}]
  filters: [{{type: URLRewrite, urlRewrite: {{hostname: inner.example, path: {{type: ReplaceFullPath, replaceFullPath: /one}}}}}}]
  backendRefs: [{up}]
- matches: [{{path: {{value: /strip}}}}]
  filters: [{{type: URLRewrite, urlRewrite: {{path: {{type: ReplacePrefixMatch, replacePrefixMatch: /}}}}}}]
  backendRefs: [{up}]
",
        up = to("up")
    );
    let mesh =
        mesh(&format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", &[&up.address], "")));
    let mut client = Client::connect(mesh.port(80)).await;
    for (target, host, seen) in [
        ("/api", "shop.example", "/v2"),
        ("/api/", "shop.example", "/v2/"),
        ("/api/a/b?c=d", "shop.example", "/v2/a/b?c=d"),
        ("/host/x", "inner.example", "/host/x"),
        ("/both/x?q=1", "inner.example", "/one?q=1"),
        ("/strip/a", "shop.example", "/a"),
        ("/strip", "shop.example", "/"),
    ] {
        client.get("shop.example", target).await.expect(200);
        let last = up.last();
        assert_eq!((&*last.host, &*last.target), (host, seen), "{target}");
        assert_eq!(last.get("x-forwarded-host"), Some("shop.example"));
    }
}
