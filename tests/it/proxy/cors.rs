//! Cross-origin requests, as the API's text and its conformance tests have them.

use crate::support::Mesh;
use crate::support::client::{Client, Response};
use crate::support::mesh;
use crate::support::server::{self, Answer, Upstream};
use crate::support::words::{GATEWAY, backend, route, to};

async fn cors_mesh(answer: Answer) -> (Mesh, Upstream) {
    let up = server::http1(move |_| answer.clone()).await;
    let rule = |path: &str, cors: &str| {
        format!(
            "- matches: [{{path: {{value: {path}}}}}]\n  filters: [{{type: CORS, cors: {{{cors}}}}}]\n  \
             backendRefs: [{}]\n",
            to("up")
        )
    };
    let rules = rule(
        "/list",
        "allowOrigins: [\"https://www.foo.com\", \"https://*.bar.com\"], allowMethods: [GET, \
         OPTIONS], allowHeaders: [x-header-1, x-header-2], exposeHeaders: [x-header-3, \
         x-header-4], allowCredentials: true, maxAge: 3600",
    ) + &rule("/any", "allowOrigins: [\"*\"], allowMethods: [PUT]")
        + &rule(
            "/everything",
            "allowOrigins: [\"*\"], allowMethods: [\"*\"], allowHeaders: [\"*\"], exposeHeaders: \
             [\"*\"], allowCredentials: true",
        )
        + &rule(
            "/stranger",
            "allowOrigins: [\"*\"], allowMethods: [\"*\"], allowHeaders: [\"*\"], exposeHeaders: [\"*\"]",
        );
    let yaml = format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", &[&up.address], ""));
    (mesh(&yaml), up)
}

async fn preflight(mesh: &Mesh, path: &str, origin: &str, method: &str, headers: &str) -> Response {
    let origin = format!("origin: {origin}");
    let method = format!("access-control-request-method: {method}");
    let headers = format!("access-control-request-headers: {headers}");
    let mut lines = vec![&*origin, &method];
    if !headers.ends_with(": ") {
        lines.push(&headers);
    }
    Client::connect(mesh.port(80)).await.ask("OPTIONS", "h", path, &lines).await
}

fn words(answer: &Response) -> Vec<(&str, &str)> {
    let mut words: Vec<_> = answer
        .fields
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("access-control-")?, value.as_str())))
        .collect();
    words.sort_unstable();
    words
}

#[tokio::test]
async fn a_preflight_is_answered_without_the_backend() {
    let (mesh, up) = cors_mesh(Answer::text("x")).await;
    for origin in ["https://www.foo.com", "https://www.bar.com", "https://xpto.www.bar.com"] {
        let answer = preflight(&mesh, "/list", origin, "GET", "x-header-1, x-header-2").await;
        assert_eq!(
            words(&answer),
            [
                ("allow-credentials", "true"),
                ("allow-headers", "x-header-1, x-header-2"),
                ("allow-methods", "GET, OPTIONS"),
                ("allow-origin", origin),
                ("expose-headers", "x-header-3, x-header-4"),
                ("max-age", "3600"),
            ]
        );
        assert_eq!(answer.status, 204);
        assert_eq!(answer.get("vary"), Some("origin"));
        assert_eq!(answer.get("content-length"), None);
    }
    assert_eq!(up.count(), 0);
}

#[tokio::test]
async fn an_origin_that_is_not_allowed_hears_nothing() {
    let (mesh, up) = cors_mesh(Answer::text("x").field("access-control-allow-origin", "*")).await;
    for origin in [
        "https://foobar.com",
        "http://www.foo.com",
        "https://www.foo.com:8443",
        "https://bar.com",
        "https://evilbar.com",
        "https://www.bar.com.evil.example",
        "null",
    ] {
        let answer = preflight(&mesh, "/list", origin, "GET", "").await.expect(204);
        assert_eq!(words(&answer), [], "{origin}");
        let line = format!("origin: {origin}");
        let mut client = Client::connect(mesh.port(80)).await;
        let answer = client.ask("GET", "h", "/list", &[&line]).await.expect(200);
        assert_eq!(words(&answer), [], "{origin}");
        assert_eq!(answer.get("vary"), Some("origin"));
    }
    assert_eq!(up.count(), 7);
}

#[tokio::test]
async fn a_simple_request_is_answered_by_the_backend_and_marked() {
    // What a backend says itself gives way, whatever it says.
    let (mesh, up) = cors_mesh(
        Answer::text("x")
            .field("access-control-allow-origin", "https://backend.example")
            .field("access-control-allow-methods", "GET")
            .field("access-control-expose-headers", "x-secret"),
    )
    .await;
    let mut client = Client::connect(mesh.port(80)).await;
    let answer = client.ask("GET", "h", "/list", &["origin: https://www.foo.com"]).await;
    assert_eq!(answer.get("access-control-allow-origin"), Some("https://www.foo.com"));
    assert_eq!(answer.get("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.get("access-control-expose-headers"), Some("x-header-3, x-header-4"));
    assert_eq!(answer.text(), "x");
    // An OPTIONS request that asks nothing is the backend's.
    client.ask("OPTIONS", "h", "/list", &["origin: https://www.foo.com"]).await.expect(200);
    let answer = client.ask("GET", "h", "/list", &[]).await.expect(200);
    assert_eq!(answer.get("access-control-allow-origin"), None);
    assert_eq!(answer.get("vary"), Some("origin"));
    assert_eq!(up.count(), 3);
    // A failure of our own can be read by the page, too.
    up.gone().await;
    let mut client = Client::connect(mesh.port(80)).await;
    let answer = client.ask("GET", "h", "/list", &["origin: https://www.foo.com"]).await;
    assert_eq!(answer.expect(502).get("access-control-allow-origin"), Some("https://www.foo.com"));
}

#[tokio::test]
async fn wildcards_follow_the_credentials() {
    let (mesh, _up) = cors_mesh(Answer::text("x")).await;
    let origin = "https://other.foo.com";
    let answer = preflight(&mesh, "/any", origin, "PUT", "").await;
    assert_eq!(words(&answer), [("allow-methods", "PUT"), ("allow-origin", "*"), ("max-age", "5")]);
    assert_eq!(answer.get("vary"), None);
    let answer = preflight(&mesh, "/everything", origin, "PUT", "x-a, x-b").await;
    assert_eq!(
        words(&answer),
        [
            ("allow-credentials", "true"),
            ("allow-headers", "x-a, x-b"),
            ("allow-methods", "PUT"),
            ("allow-origin", origin),
            ("max-age", "5")
        ]
    );
    // Nothing to repeat: no header, and never `*`.
    let answer = preflight(&mesh, "/everything", origin, "PUT", "").await;
    assert_eq!(answer.get("access-control-allow-headers"), None);
    let answer = preflight(&mesh, "/stranger", origin, "PUT", "x-a").await;
    assert_eq!(
        words(&answer),
        [
            ("allow-headers", "*"),
            ("allow-methods", "*"),
            ("allow-origin", "*"),
            ("expose-headers", "*"),
            ("max-age", "5")
        ]
    );
}

async fn allowed(origins: &str, tried: &[(&str, bool)]) {
    let up = server::named("up").await;
    let rules = format!(
        "- filters: [{{type: CORS, cors: {{allowOrigins: [{origins}], allowMethods: [GET]}}}}]\n  \
         backendRefs: [{}]\n",
        to("up")
    );
    let yaml = format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", &[&up.address], ""));
    let mesh = mesh(&yaml);
    for (origin, expected) in tried {
        let told = expected.then_some(*origin);
        let answer = preflight(&mesh, "/", origin, "GET", "").await.expect(204);
        assert_eq!(answer.get("access-control-allow-origin"), told, "{origins}: {origin}");
        assert_eq!(answer.get("access-control-allow-methods").is_some(), *expected, "{origin}");
        let mut client = Client::connect(mesh.port(80)).await;
        let answer = client.ask("GET", "h", "/", &[&format!("origin: {origin}")]).await;
        assert_eq!(answer.get("access-control-allow-origin"), told, "{origins}: {origin}");
    }
}

/// httproute_types.go, `allowOrigins`: 80 and 443 are assumed where no port stands.
#[tokio::test]
async fn an_origin_without_a_port_has_its_schemes() {
    allowed(
        "\"https://x.test:443\", \"http://x.test:80\", \"https://y.test\", \"https://z.test:80\"",
        &[
            ("https://x.test", true),
            ("https://x.test:443", true),
            ("http://x.test", true),
            ("http://x.test:80", true),
            ("https://x.test:80", false),
            ("http://x.test:443", false),
            ("https://y.test", true),
            ("https://y.test:443", true),
            ("https://y.test:8443", false),
            ("http://y.test", false),
            ("https://z.test:80", true),
            ("https://z.test", false),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_wildcard_is_for_hosts_and_not_for_ports() {
    allowed(
        "\"https://*\"",
        &[
            ("https://foo.test", true),
            ("https://a.foo.test:443", true),
            ("https://[2001:db8::1]", true),
            ("https://foo.test:8443", false),
            ("https://[2001:db8::1]:8443", false),
            ("http://foo.test", false),
            ("https://", false),
        ],
    )
    .await;
    allowed(
        "\"https://*:8443\", \"https://*.bar.test:443\"",
        &[
            ("https://foo.test:8443", true),
            ("https://[2001:db8::1]:8443", true),
            ("https://foo.test", false),
            ("https://foo.test:1:8443", false),
            ("https://a.bar.test", true),
            ("https://a.b.bar.test:443", true),
            ("https://a.bar.test:444", false),
        ],
    )
    .await;
}

/// A rule whose only backend has these filters, and an endpoint that may be gone.
fn of_backend(address: &str, filters: &str) -> Mesh {
    let rules = format!(
        "- filters: [{{type: ResponseHeaderModifier, responseHeaderModifier: {{set: [{{name: x-rule, \
         value: r}}, {{name: x-last, value: rule}}]}}}}]\n  \
         backendRefs: [{{group: meshctl.dev, kind: Backend, name: up, filters: [{filters}]}}]\n"
    );
    mesh(&format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", &[address], "")))
}

/// What a backend's filters do to answers holds from when it was chosen, whoever answers.
#[tokio::test]
async fn a_backends_own_filters_speak_in_every_answer() {
    let filters = "{type: CORS, cors: {allowOrigins: [\"https://a.test\"], allowMethods: [PUT]}}, \
                   {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-way, \
                   value: w}, {name: x-last, value: way}]}}";
    let up = server::named("up").await;
    let mesh = of_backend(&up.address, filters);
    let origin = "https://a.test";
    let answer = preflight(&mesh, "/", origin, "PUT", "").await.expect(204);
    assert_eq!(
        words(&answer),
        [("allow-methods", "PUT"), ("allow-origin", origin), ("max-age", "5")]
    );
    assert_eq!(answer.get("vary"), Some("origin"));
    let answer = preflight(&mesh, "/", "https://b.test", "PUT", "").await.expect(204);
    assert_eq!(words(&answer), []);
    assert_eq!(up.count(), 0);
    let line = format!("origin: {origin}");
    let ask = async || Client::connect(mesh.port(80)).await.ask("GET", "h", "/", &[&line]).await;
    let check = |answer: Response| {
        assert_eq!(answer.get("access-control-allow-origin"), Some(origin));
        assert_eq!((answer.get("x-way"), answer.get("x-rule")), (Some("w"), Some("r")));
        // The rule's come behind the backend's.
        assert_eq!(answer.get("x-last"), Some("rule"));
    };
    check(ask().await.expect(200));
    // A page may read why its backend can't be reached.
    up.gone().await;
    check(ask().await.expect(502));
}
