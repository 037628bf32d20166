//! Which rule answers.

use crate::support::client::{Client, get};
use crate::support::words::{GATEWAY, all_to, backend, gateway, route, simple, to};
use crate::support::{mesh, server};

#[tokio::test]
async fn a_request_reaches_its_backend() {
    let up = server::named("hello").await;
    let mesh = mesh(&simple(&[&up.address]));
    let answer = get(mesh.port(80), "shop.example", "/a?b=c").await.expect(200);
    assert_eq!(answer.text(), "hello");
    assert_eq!(up.last().target, "/a?b=c");
    assert_eq!(up.last().host, "shop.example");
}
