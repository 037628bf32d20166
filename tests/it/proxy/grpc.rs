//! gRPC, unary, as its protocol over HTTP/2 has it.

use crate::support::server::{self, Answer, Seen};
use crate::support::words::{GATEWAY, backend, to};
use crate::support::{Mesh, h2, mesh, until};

const CALL: [(&str, &str); 2] = [("content-type", "application/grpc"), ("te", "trailers")];

fn grpc_route(rules: &str) -> String {
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {{name: g}}
spec:
  parentRefs: [{{name: gw}}]
  rules:
{}",
        crate::support::words::indented(rules, 2)
    )
}

fn service(name: &'static str) -> impl Fn(&Seen) -> Answer + Send + Sync + 'static {
    move |seen| match &*seen.target {
        "/shop.Cart/Broken" => Answer::status(200)
            .field("content-type", "application/grpc")
            .field("grpc-status", "5")
            .field("grpc-message", "no such cart"),
        _ => {
            assert_eq!(seen.get("te"), Some("trailers"));
            let mut body = vec![0, 0, 0, 0, name.len() as u8];
            body.extend_from_slice(name.as_bytes());
            Answer::text(body).field("content-type", "application/grpc").trailer("grpc-status", "0")
        }
    }
}

async fn shop() -> (Mesh, [server::Upstream; 2]) {
    let cart = server::http2(service("cart")).await;
    let other = server::http2(service("other")).await;
    let rules = format!(
        "
- matches: [{{method: {{service: shop.Cart}}}}]
  backendRefs: [{}]
- matches: [{{method: {{service: shop.Stock, method: Get}}, headers: [{{name: x-tier, value: gold}}]}}]
  backendRefs: [{}]
",
        to("cart"),
        to("other")
    );
    let yaml = format!(
        "{GATEWAY}{}{}{}",
        grpc_route(&rules),
        backend("cart", &[&cart.address], "protocol: H2C"),
        backend("other", &[&other.address], "protocol: H2C")
    );
    (mesh(&yaml), [cart, other])
}

#[tokio::test]
async fn unary_calls_are_routed_by_service_and_method() {
    let (mesh, _ups) = shop().await;
    let mut client = h2::Client::connect(mesh.port(80)).await;
    let answer = client.post("h", "/shop.Cart/Get", &CALL, &b"\0\0\0\0\0"[..]).await.expect(200);
    assert_eq!(&answer.body[5..], b"cart");
    assert_eq!(answer.trailers, [("grpc-status".to_owned(), "0".to_owned())]);
    let gold = [CALL[0], CALL[1], ("x-tier", "gold")];
    let answer = client.post("h", "/shop.Stock/Get", &gold, &b"\0\0\0\0\0"[..]).await.expect(200);
    assert_eq!(&answer.body[5..], b"other");
    // Nobody serves it: UNIMPLEMENTED, without a body, as a gRPC client reads it.
    let answer = client.post("h", "/shop.Stock/Get", &CALL, &b"\0\0\0\0\0"[..]).await.expect(200);
    assert_eq!((answer.get("grpc-status"), answer.length), (Some("12"), 0));
    assert!(answer.get("grpc-message").unwrap().starts_with("route_not_found"));
}

#[tokio::test]
async fn a_status_without_a_message_goes_through() {
    let (mesh, _ups) = shop().await;
    let mut client = h2::Client::connect(mesh.port(80)).await;
    let answer = client.post("h", "/shop.Cart/Broken", &CALL, &b"\0\0\0\0\0"[..]).await.expect(200);
    assert_eq!(answer.get("grpc-status"), Some("5"));
    assert_eq!(answer.get("grpc-message"), Some("no such cart"));
    assert_eq!(answer.length, 0);
}

#[tokio::test]
async fn a_backend_that_is_gone_is_unavailable() {
    let (mesh, ups) = shop().await;
    for up in ups {
        up.gone().await;
    }
    let mut client = h2::Client::connect(mesh.port(80)).await;
    let answer = client.post("h", "/shop.Cart/Get", &CALL, &b"\0\0\0\0\0"[..]).await.expect(200);
    assert_eq!(answer.get("grpc-status"), Some("14"));
}

/// grpcroute_types.go, `backendRefs`: what would have gone to an invalid one is UNAVAILABLE.
#[tokio::test]
async fn an_invalid_backend_is_unavailable() {
    let up = server::http2(service("cart")).await;
    let backends = [
        (to("nobody"), "backend_not_found"),
        ("{name: cart, namespace: other, port: 80}".to_owned(), "backend_not_permitted"),
        ("{group: example.test, kind: Bucket, name: cart}".to_owned(), "backend_kind_unknown"),
        (crate::support::words::weighed("cart", 0), "no_backend"),
    ];
    for (backend_ref, cause) in backends {
        let rules = format!("- backendRefs: [{backend_ref}]\n");
        let cart = backend("cart", &[&up.address], "protocol: H2C");
        let mut mesh = mesh(GATEWAY);
        // Mistakes are said, and served as what they are.
        mesh.take(&format!("{GATEWAY}{}{cart}", grpc_route(&rules)));
        let mut client = h2::Client::connect(mesh.port(80)).await;
        let target = "/shop.Cart/Get";
        until("the rule", || mesh.serves_newest()).await;
        let answer = client.post("h", target, &CALL, &b"\0\0\0\0\0"[..]).await.expect(200);
        assert_eq!(answer.cause(), Some(cause));
        assert_eq!(answer.get("grpc-status"), Some("14"), "{cause}");
        // A gRPC-Web client reads an HTTP status.
        let web = [("content-type", "application/grpc-web+proto")];
        let answer = client.post("h", target, &web, &b"\0\0\0\0\0"[..]).await.expect(500);
        assert_eq!(answer.get("grpc-status"), None);
    }
    assert_eq!(up.count(), 0);
}
