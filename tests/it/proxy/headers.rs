//! Header modifiers, and what proxies tell each other.

use crate::support::client::Client;
use crate::support::server::{self, Answer};
use crate::support::words::{GATEWAY, backend, policy, route, settings, simple, to};
use crate::support::{Mesh, mesh};

#[tokio::test]
async fn request_and_response_fields_are_set_added_and_removed() {
    let up = server::http1(|_| {
        Answer::text("x").field("x-set", "theirs").field("x-gone", "1").field("x-add", "theirs")
    })
    .await;
    let rules = format!(
        "
- filters:
  - type: RequestHeaderModifier
    requestHeaderModifier:
      set: [{{name: X-Set, value: ours}}]
      add: [{{name: X-Add, value: ours}}]
      remove: [x-gone]
  - type: ResponseHeaderModifier
    responseHeaderModifier:
      set: [{{name: X-Set, value: ours}}]
      add: [{{name: X-Add, value: ours}}]
      remove: [X-Gone]
  backendRefs: [{}]
",
        to("up")
    );
    let mesh =
        mesh(&format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", &[&up.address], "")));
    let mut client = Client::connect(mesh.port(80)).await;
    let lines = ["x-set: theirs", "X-Set: twice", "x-add: theirs", "x-gone: 1", "x-kept: 1"];
    let answer = client.ask("GET", "h", "/", &lines).await.expect(200);
    let seen = up.last();
    assert_eq!(seen.get("x-set"), Some("ours"));
    assert_eq!(seen.all("x-add").collect::<Vec<_>>(), ["theirs", "ours"]);
    assert_eq!(seen.get("x-gone"), None);
    assert_eq!(seen.get("x-kept"), Some("1"));
    assert_eq!(answer.get("x-set"), Some("ours"));
    assert_eq!(answer.all("x-add").collect::<Vec<_>>(), ["theirs", "ours"]);
    assert_eq!(answer.get("x-gone"), None);
}

#[tokio::test]
async fn a_backend_has_filters_of_its_own() {
    let (a, b) = (server::named("a").await, server::named("b").await);
    let with = |name: &str| {
        format!(
            "{{group: meshctl.dev, kind: Backend, name: {name}, filters: [{{type: \
             RequestHeaderModifier, requestHeaderModifier: {{set: [{{name: x-for, value: \
             {name}}}]}}}}, {{type: ResponseHeaderModifier, responseHeaderModifier: {{set: \
             [{{name: x-by, value: {name}}}]}}}}]}}"
        )
    };
    let rules = format!("- backendRefs: [{}, {}]", with("a"), with("b"));
    let mesh = mesh(&format!(
        "{GATEWAY}{}{}{}",
        route("r", &[], &rules),
        backend("a", &[&a.address], ""),
        backend("b", &[&b.address], "")
    ));
    let mut client = Client::connect(mesh.port(80)).await;
    for _ in 0..40 {
        let answer = client.get("h", "/").await.expect(200);
        assert_eq!(answer.get("x-by"), Some(&*answer.text()));
    }
    for (name, up) in [("a", a), ("b", b)] {
        assert!(up.count() > 0);
        assert!(up.seen().iter().all(|seen| seen.get("x-for") == Some(name)));
    }
}

#[tokio::test]
async fn a_backend_is_told_whose_request_it_is() {
    let up = server::named("up").await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    let lies = [
        "x-forwarded-for: 6.6.6.6",
        "X_Forwarded_For: 6.6.6.6",
        "forwarded: for=6.6.6.6",
        "x-forwarded-proto: https",
        "x-real-ip: 6.6.6.6",
        "x-request-id: mine",
        "meshctl-cause: lie",
    ];
    let answer = client.ask("GET", "shop.example", "/", &lies).await.expect(200);
    let seen = up.last();
    assert_eq!(seen.get("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.get("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.get("x-forwarded-host"), Some("shop.example"));
    assert_eq!(seen.get("x-forwarded-port"), Some(&*mesh.port(80).port().to_string()));
    assert_eq!(seen.get("forwarded"), None);
    assert_eq!(seen.get("x_forwarded_for"), None);
    assert_eq!(seen.get("meshctl-cause"), None);
    assert_ne!(seen.get("x-request-id"), Some("mine"));
    assert_eq!(seen.get("via"), Some("1.1 meshctl"));
    assert_eq!(answer.get("via"), Some("1.1 meshctl"));
}

/// What other proxies tell their backends in: from a stranger it is a lie, however it is spelled.
#[tokio::test]
async fn no_client_speaks_for_another_proxy() {
    let up = server::named("up").await;
    let lies = [
        "Front-End-Https: on",
        "X-Url-Scheme: https",
        "X-Scheme: https",
        "X-Envoy-External-Address: 6.6.6.6",
        "x-envoy-internal: true",
        "x_envoy_peer_metadata: x",
        "l5d-client-id: admin.default.serviceaccount.identity.linkerd.cluster.local",
        "L5D-DST-OVERRIDE: evil.test:80",
        "X-Meshctl-Identity: admin",
        "x.meshctl.identity: admin",
        "Client-Cert: :AAAA:",
        "ssl-client-verify: SUCCESS",
        "x-ssl-client-s-dn: CN=admin",
        "x-amzn-oidc-identity: admin",
        "x-goog-authenticated-user-email: admin",
        "x-remote-user: admin",
        "remote-user: admin",
        "wl-proxy-client-ip: 6.6.6.6",
    ];
    let plain = |mesh: &Mesh| Client::connect(mesh.port(80));
    let mesh_one = mesh(&simple(&[&up.address]));
    plain(&mesh_one).await.ask("GET", "h", "/", &[]).await.expect(200);
    let honest: Vec<String> = up.last().fields.into_iter().map(|field| field.0).collect();
    plain(&mesh_one).await.ask("GET", "h", "/", &lies).await.expect(200);
    let told: Vec<String> = up.last().fields.into_iter().map(|field| field.0).collect();
    assert_eq!(told, honest);
    // A hop that is trusted answers for what it lets through, but not for what is ours.
    let mesh = mesh(&(simple(&[&up.address]) + &settings("trustedHops: 1")));
    plain(&mesh).await.ask("GET", "h", "/", &lies).await.expect(200);
    assert_eq!(up.last().get("front-end-https"), Some("on"));
    assert_eq!(up.last().get("x-meshctl-identity"), None);
    assert_eq!(up.last().get("x_envoy_peer_metadata"), None);
}

/// A socket for both families tells an IPv4 client's address as ::ffff:127.0.0.1.
#[tokio::test]
async fn an_ipv4_client_of_a_dual_stack_listener_is_one() {
    let up = server::named("up").await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let mesh = Mesh::of(&simple(&[&up.address])).dual_stack().log(log.clone()).start();
    let mut client = Client::connect(mesh.port(80)).await;
    client.get("h", "/").await.expect(200);
    assert_eq!(up.last().get("x-forwarded-for"), Some("127.0.0.1"));
    // A client on this machine may know why.
    let answer = client.get("h", "/%00").await.expect(400);
    assert_eq!(answer.cause(), Some("bad_path"));
    mesh.stop().await;
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("127.0.0.1") && !log.contains("::ffff"), "{log}");
    // PROXY headers, too, name both addresses of the connection.
    let up = server::raw(|mut wire, _| async move {
        let said = wire.line().await.unwrap();
        let _ = wire.head().await;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{said}", said.len());
        let _ = wire.write(answer).await;
    })
    .await;
    let yaml = simple(&[&up.address]) + &policy("up", "proxyProtocol: v1");
    let mesh = Mesh::of(&yaml).dual_stack().start();
    let answer = crate::support::client::get(mesh.port(80), "h", "/").await.expect(200);
    assert!(answer.text().starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "), "{}", answer.text());
}

#[tokio::test]
async fn trusted_hops_are_believed() {
    let up = server::named("up").await;
    let mesh = mesh(&(simple(&[&up.address]) + &settings("trustedHops: 1")));
    let mut client = Client::connect(mesh.port(80)).await;
    let lines = [
        "x-forwarded-for: 6.6.6.6, 192.0.2.7",
        "x-forwarded-proto: https",
        "x-request-id: from-the-edge",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ];
    client.ask("GET", "shop.example", "/", &lines).await.expect(200);
    let seen = up.last();
    assert_eq!(seen.get("x-forwarded-for"), Some("192.0.2.7, 127.0.0.1"));
    assert_eq!(seen.get("x-forwarded-proto"), Some("https"));
    assert_eq!(seen.get("x-request-id"), Some("from-the-edge"));
    assert!(seen.get("traceparent").is_some_and(|trace| trace.contains("0af7651916cd43dd")));
}

#[tokio::test]
async fn hop_by_hop_fields_end_here() {
    let up = server::http1(|_| {
        Answer::text("x")
            .field("connection", "x-private")
            .field("x-private", "1")
            .field("keep-alive", "timeout=5")
            .field("proxy-authenticate", "Basic")
    })
    .await;
    let mesh = mesh(&simple(&[&up.address]));
    let mut client = Client::connect(mesh.port(80)).await;
    let lines = [
        "connection: x-secret, close",
        "x-secret: 1",
        "keep-alive: timeout=5",
        "proxy-connection: keep-alive",
        "te: gzip",
    ];
    let answer = client.ask("GET", "h", "/", &lines).await.expect(200);
    let seen = up.last();
    for name in ["x-secret", "keep-alive", "proxy-connection", "connection", "te"] {
        assert_eq!(seen.get(name), None, "{name}");
    }
    assert_eq!(seen.get("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(answer.get("x-private"), None);
    assert_eq!(answer.get("keep-alive"), None);
    assert_eq!(answer.get("connection"), Some("close"));
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn a_client_can_not_have_our_word_removed() {
    let up = server::named("up").await;
    let mesh = mesh(&simple(&[&up.address]));
    for name in ["x-forwarded-for", "X-Request-Id", "via", "host", "cookie"] {
        let mut client = Client::connect(mesh.port(80)).await;
        let line = format!("connection: {name}");
        client.ask("GET", "h", "/", &[&line]).await.expect(400);
    }
    assert_eq!(up.count(), 0);
}

#[tokio::test]
async fn a_request_that_goes_round_ends() {
    // The proxy's own address is its backend: only counting passes ends it.
    let mut mesh = mesh(GATEWAY);
    mesh.apply(&simple(&[&mesh.port(80).to_string()])).await;
    let answer = crate::support::client::get(mesh.port(80), "h", "/").await;
    // Each pass hands the next one's answer on.
    assert_eq!(answer.expect(508).cause(), Some("loop_detected"));
}
