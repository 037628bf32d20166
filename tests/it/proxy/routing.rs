//! Which rule answers.

use crate::support::client::{Client, get};
use crate::support::words::{GATEWAY, backend, gateway, route, simple, to};
use crate::support::{h2, mesh, server};

#[tokio::test]
async fn a_request_reaches_its_backend() {
    let up = server::named("hello").await;
    let mesh = mesh(&simple(&[&up.address]));
    let answer = get(mesh.port(80), "shop.example", "/a?b=c").await.expect(200);
    assert_eq!(answer.text(), "hello");
    assert_eq!(up.last().target, "/a?b=c");
    assert_eq!(up.last().host, "shop.example");
}

/// One Backend per name, which answers with its name, and a mesh of `routes` over them.
async fn named_mesh(
    names: &[&'static str],
    routes: &str,
) -> (crate::support::Mesh, Vec<server::Upstream>) {
    let mut yaml = format!("{GATEWAY}{routes}");
    let mut upstreams = Vec::new();
    for name in names {
        let up = server::named(name).await;
        yaml += &backend(name, &[&up.address], "");
        upstreams.push(up);
    }
    (mesh(&yaml), upstreams)
}

#[tokio::test]
async fn rules_have_the_precedence_of_the_api() {
    let rules = [
        "- matches: [{path: {type: PathPrefix, value: /}}]",
        "- matches: [{path: {type: PathPrefix, value: /shop}}]",
        "- matches: [{path: {type: Exact, value: /shop/cart}}]",
        "- matches: [{path: {type: RegularExpression, value: \"/item/[0-9]+\"}}]",
        "- matches: [{path: {type: PathPrefix, value: /shop}, method: POST}]",
        "- matches: [{path: {type: PathPrefix, value: /shop}, headers: [{name: x-user, value: a}]}]",
        "- matches: [{path: {type: PathPrefix, value: /shop}, queryParams: [{name: beta, value: \"1\"}]}]",
        "- matches: [{path: {type: PathPrefix, value: /shop}, headers: [{name: x-user, value: a}, {name: x-tier, value: gold}]}]",
    ];
    let names = ["root", "shop", "cart", "item", "post", "user", "beta", "gold"];
    let rules: String = rules
        .iter()
        .zip(names)
        .map(|(rule, name)| format!("{rule}\n  backendRefs: [{}]\n", to(name)))
        .collect();
    let (mesh, _ups) = named_mesh(&names, &route("shop", &[], &rules)).await;
    let mut client = Client::connect(mesh.port(80)).await;
    for (method, target, lines, expected) in [
        ("GET", "/", &[][..], "root"),
        ("GET", "/shopping", &[], "root"),
        ("GET", "/shop", &[], "shop"),
        ("GET", "/shop/", &[], "shop"),
        ("GET", "/shop/cart", &[], "cart"),
        ("GET", "/shop/cart/x", &[], "shop"),
        ("GET", "/shop/%63art", &[], "cart"),
        ("GET", "/x/../shop/cart", &[], "cart"),
        ("GET", "/item/42", &[], "item"),
        ("GET", "/item/42x", &[], "root"),
        ("POST", "/shop", &["content-length: 0"], "post"),
        ("GET", "/shop", &["x-user: a"], "user"),
        ("GET", "/shop", &["x-user: A"], "shop"),
        ("POST", "/shop", &["x-user: a", "content-length: 0"], "post"),
        ("GET", "/shop?beta=1", &[], "beta"),
        ("GET", "/shop?beta=2&beta=1", &[], "shop"),
        ("GET", "/shop?beta=1", &["x-user: a"], "user"),
        ("GET", "/shop", &["X-Tier: gold", "X-User: a"], "gold"),
    ] {
        let answer = client.ask(method, "h", target, lines).await.expect(200);
        assert_eq!(answer.text(), expected, "{method} {target} {lines:?}");
    }
}

#[tokio::test]
async fn hosts_fall_through_from_exact_to_wildcard_to_any() {
    let rule = |path: &str, name: &str| {
        format!(
            "- matches: [{{path: {{type: PathPrefix, value: {path}}}}}]\n  backendRefs: [{}]\n",
            to(name)
        )
    };
    let routes = route("exact", &["a.shop.example"], &rule("/exact", "exact"))
        + &route("wild", &["*.shop.example"], &rule("/wild", "wild"))
        + &route("wider", &["*.example"], &rule("/wider", "wider"))
        + &route("any", &[], &rule("/any", "any"));
    let (mesh, _ups) = named_mesh(&["exact", "wild", "wider", "any"], &routes).await;
    let mut client = Client::connect(mesh.port(80)).await;
    for (host, target, expected) in [
        ("a.shop.example", "/exact", "exact"),
        ("A.Shop.Example:8080", "/exact", "exact"),
        ("a.shop.example.", "/exact", "exact"),
        ("a.shop.example", "/wild", "wild"),
        ("a.shop.example", "/wider", "wider"),
        ("a.shop.example", "/any", "any"),
        ("b.shop.example", "/wild", "wild"),
        ("c.b.shop.example", "/wild", "wild"),
        ("shop.example", "/wider", "wider"),
        ("other.test", "/any", "any"),
        ("127.0.0.1", "/any", "any"),
    ] {
        let answer = client.get(host, target).await.expect(200);
        assert_eq!(answer.text(), expected, "{host} {target}");
    }
    for (host, target) in [
        ("b.shop.example", "/exact"),
        ("shop.example", "/wild"),
        ("example", "/wider"),
        ("other.test", "/nowhere"),
    ] {
        let answer = client.get(host, target).await.expect(404);
        assert_eq!(answer.cause(), Some("route_not_found"), "{host} {target}");
    }
}

#[tokio::test]
async fn a_host_that_no_listener_takes_is_404() {
    let up = server::named("up").await;
    let yaml = gateway(&[
        "{name: a, port: 80, protocol: HTTP, hostname: a.example}",
        "{name: w, port: 80, protocol: HTTP, hostname: \"*.example\"}",
    ]) + &route("all", &[], &format!("- backendRefs: [{}]", to("up")))
        + &backend("up", &[&up.address], "");
    let mesh = mesh(&yaml);
    let mut client = Client::connect(mesh.port(80)).await;
    client.get("a.example", "/").await.expect(200);
    client.get("b.example", "/").await.expect(200);
    let answer = client.get("other.test", "/").await.expect(404);
    assert_eq!(answer.cause(), Some("listener_not_found"));
    // The connection is as good as before.
    client.get("a.example", "/").await.expect(200);
}

#[tokio::test]
async fn what_can_not_be_routed_says_why() {
    let rules = "
- matches: [{path: {value: /nothing}}]
- matches: [{path: {value: /zero}}]
  backendRefs: [{group: meshctl.dev, kind: Backend, name: up, weight: 0}]
- matches: [{path: {value: /missing}}]
  backendRefs: [{group: meshctl.dev, kind: Backend, name: nowhere}]
- matches: [{path: {value: /alien}}]
  backendRefs: [{group: other.example, kind: Thing, name: up}]
- matches: [{path: {value: /foreign}}]
  backendRefs: [{group: meshctl.dev, kind: Backend, name: up, namespace: elsewhere}]
- matches: [{path: {value: /empty}}]
  backendRefs: [{name: empty, port: 80}]
- matches: [{path: {value: /odd}}]
  filters: [{type: SomethingNew}]
  backendRefs: [{group: meshctl.dev, kind: Backend, name: up}]
";
    let service = "
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec: {ports: [{port: 80}], selector: {app: empty}}
";
    let up = server::named("up").await;
    let mut mesh = mesh(GATEWAY);
    mesh.take(&format!(
        "{GATEWAY}{}{service}{}",
        route("r", &[], rules),
        backend("up", &[&up.address], "")
    ));
    let mut client = Client::connect(mesh.port(80)).await;
    for (target, status, cause) in [
        ("/nothing", 500, "no_backend"),
        ("/zero", 500, "no_backend"),
        ("/missing", 500, "backend_not_found"),
        ("/alien", 500, "backend_kind_unknown"),
        ("/foreign", 500, "backend_not_permitted"),
        ("/empty", 503, "no_endpoint"),
        ("/odd", 500, "filter_unknown"),
        ("/else", 404, "route_not_found"),
    ] {
        let answer = client.get("h", target).await.expect(status);
        assert_eq!(answer.cause(), Some(cause), "{target}");
        assert!(answer.text().starts_with(cause), "{}", answer.text());
        assert!(answer.get("x-request-id").is_some());
    }
    assert_eq!(up.count(), 0);
}

#[tokio::test]
async fn http2_requests_are_routed_alike() {
    let rules = format!(
        "- matches: [{{path: {{value: /a}}, headers: [{{name: cookie, value: \"x=1; y=2\"}}]}}]\n  \
         backendRefs: [{}]\n- matches: [{{path: {{value: /a}}}}]\n  backendRefs: [{}]\n",
        to("cookie"),
        to("plain")
    );
    let (mesh, _ups) = named_mesh(&["cookie", "plain"], &route("r", &["h.example"], &rules)).await;
    let mut client = h2::Client::connect(mesh.port(80)).await;
    assert_eq!(client.get("h.example", "/a").await.expect(200).text(), "plain");
    // RFC 9113 §8.2.3: crumbs are one field.
    let crumbs = [("cookie", "x=1"), ("cookie", "y=2")];
    let exchange = client.start("GET", "h.example", "/a", &crumbs, true).await.unwrap();
    assert_eq!(exchange.finish().await.unwrap().expect(200).text(), "cookie");
    client.get("other.example", "/a").await.expect(404);
    client.get("h.example", "/b").await.expect(404);
}
