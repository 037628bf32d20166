//! Session persistence through the proxy.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::client::{Client, Response};
use crate::support::words::{GATEWAY, backend, route, to, weighed};
use crate::support::{Mesh, mesh, server};

/// `cookie: …` of an answer's `Set-Cookie`.
fn cookie(answer: &Response) -> Option<String> {
    let value = answer.get("set-cookie")?;
    Some(format!("cookie: other=1; {}", value.split(';').next().unwrap()))
}

async fn three(persistence: &str) -> (Mesh, Vec<server::Upstream>) {
    let mut ups = Vec::new();
    for name in ["a", "b", "c"] {
        ups.push(server::named(name).await);
    }
    let addresses: Vec<&str> = ups.iter().map(|up| &*up.address).collect();
    let rules = format!("- backendRefs: [{}]\n  sessionPersistence: {persistence}\n", to("up"));
    let yaml = format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", &addresses, ""));
    (mesh(&yaml), ups)
}

#[tokio::test]
async fn a_cookie_brings_a_client_back() {
    let (mesh, mut ups) = three("{sessionName: sid, type: Cookie}").await;
    let mut client = Client::connect(mesh.port(80)).await;
    let first = client.get("h", "/").await.expect(200);
    let token = cookie(&first).expect("a cookie");
    assert!(first.get("set-cookie").unwrap().starts_with("sid="));
    for _ in 0..30 {
        let mut client = Client::connect(mesh.port(80)).await;
        let answer = client.ask("GET", "h", "/", &[&token]).await.expect(200);
        assert_eq!(answer.text(), first.text());
        assert_eq!(answer.get("set-cookie"), None, "the client knows it already");
    }
    // Its endpoint is gone: another takes over, and says so.
    let home = ups.iter().position(|up| up.count() > 1).unwrap();
    ups.remove(home).gone().await;
    let answer = client.ask("GET", "h", "/", &[&token]).await.expect(200);
    assert_ne!(answer.text(), first.text());
    assert!(cookie(&answer).is_some());
}

#[tokio::test]
async fn a_header_does_the_same() {
    let (mesh, _ups) = three("{sessionName: X-Session, type: Header}").await;
    let mut client = Client::connect(mesh.port(80)).await;
    let first = client.get("h", "/").await.expect(200);
    let line = format!("x-session: {}", first.get("x-session").expect("a session"));
    for _ in 0..20 {
        let answer = client.ask("GET", "h", "/", &[&line]).await.expect(200);
        assert_eq!(answer.text(), first.text());
    }
}

#[tokio::test]
async fn a_session_stays_with_a_backend_of_weight_0() {
    let (a, b) = (server::named("a").await, server::named("b").await);
    let yaml = |weights: [u32; 2]| {
        let rules = format!(
            "- backendRefs: [{}, {}]\n  sessionPersistence: {{sessionName: sid}}\n",
            weighed("a", weights[0]),
            weighed("b", weights[1])
        );
        format!(
            "{GATEWAY}{}{}{}",
            route("r", &[], &rules),
            backend("a", &[&a.address], ""),
            backend("b", &[&b.address], "")
        )
    };
    let mut mesh = mesh(&yaml([1, 0]));
    let mut client = Client::connect(mesh.port(80)).await;
    let token = cookie(&client.get("h", "/").await.expect(200)).unwrap();
    mesh.apply(&yaml([0, 1])).await;
    assert_eq!(client.ask("GET", "h", "/", &[&token]).await.expect(200).text(), "a");
    assert_eq!(client.get("h", "/").await.expect(200).text(), "b");
}

#[tokio::test]
async fn a_forged_token_is_passed_over() {
    let (mesh, _ups) = three("{sessionName: sid, type: Cookie}").await;
    let mut client = Client::connect(mesh.port(80)).await;
    for token in ["", "x", "\"", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &"z".repeat(4000)] {
        let line = format!("cookie: sid={token}");
        let answer = client.ask("GET", "h", "/", &[&line]).await.expect(200);
        assert!(cookie(&answer).is_some());
    }
}

/// A browser keeps one cookie per name, host and path; every cookie of ours has the path `/`.
#[tokio::test]
async fn rules_that_name_no_session_keep_theirs_beside_each_other() {
    let mut ups = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ups.push(server::named(name).await);
    }
    let addresses: Vec<&str> = ups.iter().map(|up| &*up.address).collect();
    let rule = |path: &str| {
        let up = to("up");
        format!(
            "- matches: [{{path: {{value: {path}}}}}]\n  backendRefs: [{up}]\n  \
             sessionPersistence: {{type: Cookie}}\n"
        )
    };
    let rules = rule("/cart") + &rule("/pay");
    let yaml = format!("{GATEWAY}{}{}", route("r", &[], &rules), backend("up", &addresses, ""));
    let mesh = mesh(&yaml);
    let mut client = Client::connect(mesh.port(80)).await;
    let mut jar = BTreeMap::new();
    let mut homes: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for path in ["/cart/x", "/pay"].repeat(15) {
        let cookies: Vec<String> =
            jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let line = format!("cookie: {}", cookies.join("; "));
        let answer = client.ask("GET", "h", path, &[&line]).await.expect(200);
        if let Some(cookie) = answer.get("set-cookie") {
            assert!(cookie.contains("; Path=/;"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            jar.insert(name.to_owned(), value.to_owned());
        }
        homes.entry(path).or_default().insert(answer.text());
    }
    assert!(homes.values().all(|home| home.len() == 1), "{homes:?}");
}
