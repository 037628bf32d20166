//! Shares between backends.

use std::collections::BTreeMap;

use crate::support::client::Client;
use crate::support::words::{GATEWAY, backend, route, weighed};
use crate::support::{mesh, server};

#[tokio::test]
async fn backends_get_their_shares() {
    let names = ["a", "b", "c", "none"];
    let mut yaml = GATEWAY.to_owned();
    let mut ups = Vec::new();
    for name in names {
        let up = server::named(name).await;
        yaml += &backend(name, &[&up.address], "");
        ups.push(up);
    }
    let refs = [weighed("a", 6), weighed("b", 3), weighed("c", 1), weighed("none", 0)];
    yaml += &route("r", &[], &format!("- backendRefs: [{}]", refs.join(", ")));
    let mesh = mesh(&yaml);
    let mut counts = BTreeMap::<String, u32>::new();
    for _ in 0..4 {
        let mut client = Client::connect(mesh.port(80)).await;
        for _ in 0..250 {
            *counts.entry(client.get("h", "/").await.expect(200).text()).or_default() += 1;
        }
    }
    // 1,000 draws: each bound is about six standard deviations away.
    assert!((500..700).contains(&counts["a"]), "{counts:?}");
    assert!((210..390).contains(&counts["b"]), "{counts:?}");
    assert!((45..160).contains(&counts["c"]), "{counts:?}");
    assert_eq!(counts.get("none"), None);
}

#[tokio::test]
async fn a_share_of_a_missing_backend_is_answered_with_500() {
    let up = server::named("up").await;
    let mut mesh = mesh(GATEWAY);
    let rules = format!("- backendRefs: [{}, {}]", weighed("up", 1), weighed("gone", 1));
    mesh.take(&format!(
        "{GATEWAY}{}{}",
        route("r", &[], &rules),
        backend("up", &[&up.address], "")
    ));
    let mut client = Client::connect(mesh.port(80)).await;
    let mut failed = 0;
    for _ in 0..200 {
        let answer = client.get("h", "/").await;
        match answer.status {
            200 => {}
            500 => {
                assert_eq!(answer.cause(), Some("backend_not_found"));
                failed += 1;
            }
            _ => panic!("{answer:?}"),
        }
    }
    assert!((55..145).contains(&failed), "{failed}");
}
