//! TLS on both sides.

use std::sync::Arc;
use std::time::Duration;

use crate::support::authority::{Authority, Leaf};
use crate::support::client::{Client, Response};
use crate::support::server::{self, Answer};
use crate::support::words::{
    GATEWAY, all_to, backend, ca_map, gateway, indented, route, tls_secret,
};
use crate::support::{Mesh, h2, mesh, until};

fn secret(name: &str, leaf: &Leaf) -> String {
    tls_secret(name, &leaf.certificate, &leaf.key)
}

fn https(name: &str, hostname: &str, certificate: &str) -> String {
    format!(
        "{{name: {name}, port: 443, protocol: HTTPS, hostname: \"{hostname}\", tls: \
         {{certificateRefs: [{{name: {certificate}}}]}}}}"
    )
}

/// Two listeners with names of their own, behind which one backend stands.
async fn two_names(authority: &Authority) -> (Mesh, server::Upstream) {
    let up = server::http1(|seen| Answer::text(seen.host.clone())).await;
    let yaml =
        gateway(&[&https("a", "a.example", "cert-a"), &https("w", "*.wild.example", "cert-w")])
            + &route("r", &[], &all_to("up"))
            + &backend("up", &[&up.address], "")
            + &secret("cert-a", &authority.server(&["a.example"]))
            + &secret("cert-w", &authority.server(&["*.wild.example"]));
    (mesh(&yaml), up)
}

#[tokio::test]
async fn the_server_name_chooses_the_certificate() {
    let authority = Authority::new("ca");
    let (mesh, up) = two_names(&authority).await;
    for name in ["a.example", "x.wild.example", "y.x.wild.example"] {
        let config = authority.trusted(&["h2", "http/1.1"], None);
        let client = Client::tls(mesh.port(443), name, config.clone()).await;
        // The wildcard of a certificate covers one label alone (RFC 6125).
        if name.starts_with("y.") {
            assert!(client.is_err());
            continue;
        }
        drop(client.unwrap());
        let mut client = h2::Client::tls(mesh.port(443), name, config).await;
        assert_eq!(client.get(name, "/").await.expect(200).text(), name);
        let config = authority.trusted(&[], None);
        let mut client = Client::tls(mesh.port(443), name, config).await.unwrap();
        assert_eq!(client.get(name, "/").await.expect(200).text(), name);
        assert_eq!(up.last().get("x-forwarded-proto"), Some("https"));
        assert_eq!(up.last().get("x-forwarded-port"), Some(&*mesh.port(443).port().to_string()));
    }
    let config = authority.trusted(&[], None);
    assert!(Client::tls(mesh.port(443), "other.example", config).await.is_err());
}

/// Who is refused hears why, instead of a connection that closes.
#[tokio::test]
async fn a_handshake_that_nobody_takes_ends_with_an_alert() {
    let authority = Authority::new("ca");
    let up = server::named("up").await;
    let parts = |listeners: &[&str]| {
        gateway(listeners)
            + &route("r", &[], &all_to("up"))
            + &backend("up", &[&up.address], "")
            + &secret("cert-a", &authority.server(&["a.example"]))
    };
    let (a, b) = (https("a", "a.example", "cert-a"), https("b", "b.example", "missing"));
    let mut mesh = mesh(&parts(&[&a]));
    assert!(!mesh.take(&parts(&[&a, &b])).is_empty(), "b has no certificate");
    for protocols in [&["h2"][..], &[]] {
        let config = authority.trusted(protocols, None);
        let mut silent = (*config).clone();
        silent.enable_sni = false;
        for (name, config, alert) in [
            ("other.example", Arc::clone(&config), "UnrecognisedName"),
            ("a.example", Arc::new(silent), "MissingExtension"),
            ("b.example", config, "InternalError"),
        ] {
            let refused = Client::tls(mesh.port(443), name, config).await.err().unwrap();
            assert!(refused.to_string().contains(alert), "{name}: {refused}");
        }
    }
    let config = authority.trusted(&[], None);
    Client::tls(mesh.port(443), "a.example", config).await.expect("a has what it needs");
}

#[tokio::test]
async fn a_host_of_another_listener_is_misdirected() {
    let authority = Authority::new("ca");
    let (mesh, up) = two_names(&authority).await;
    let config = authority.trusted(&["h2"], None);
    let mut client = h2::Client::tls(mesh.port(443), "a.example", config).await;
    let answer = client.get("x.wild.example", "/").await.expect(421);
    assert_eq!(answer.cause(), Some("misdirected_request"));
    client.get("nowhere.example", "/").await.expect(404);
    client.get("a.example", "/").await.expect(200);
    let config = authority.trusted(&["http/1.1"], None);
    let mut client = Client::tls(mesh.port(443), "a.example", config).await.unwrap();
    client.get("x.wild.example", "/").await.expect(421);
    client.get("a.example", "/").await.expect(200);
    assert_eq!(up.count(), 2);
}

#[tokio::test]
async fn clients_show_certificates_where_they_are_asked_to() {
    let (authority, clients) = (Authority::new("ca"), Authority::new("clients"));
    let stranger = Authority::new("stranger");
    let up = server::named("up").await;
    let validation = "
tls:
  frontend:
    default:
      validation:
        caCertificateRefs: [{group: \"\", kind: ConfigMap, name: clients}]
";
    let yaml = gateway(&[&https("a", "a.example", "cert-a")]).trim_end().to_owned()
        + "\n"
        + &indented(validation, 2)
        + &route("r", &[], &all_to("up"))
        + &backend("up", &[&up.address], "")
        + &secret("cert-a", &authority.server(&["a.example"]))
        + &ca_map("clients", &clients.pem());
    let mesh = mesh(&yaml);
    let known = clients.client("client.example");
    let config = authority.trusted(&["http/1.1"], Some(&known));
    let mut client = Client::tls(mesh.port(443), "a.example", config).await.unwrap();
    client.get("a.example", "/").await.expect(200);
    let unknown = stranger.client("client.example");
    for identity in [None, Some(&unknown)] {
        let config = authority.trusted(&["http/1.1"], identity);
        // TLS 1.3 refuses after the client thinks that it is done.
        if let Ok(mut client) = Client::tls(mesh.port(443), "a.example", config).await {
            let _ = client.wire.write("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n").await;
            assert!(client.try_response("GET").await.is_err());
        }
    }
    assert_eq!(up.count(), 1);
}

#[tokio::test]
async fn a_new_certificate_costs_no_connection() {
    let authority = Authority::new("ca");
    let up = server::named("up").await;
    let yaml = |leaf: &Leaf| {
        gateway(&[&https("a", "a.example", "cert")])
            + &route("r", &[], &all_to("up"))
            + &backend("up", &[&up.address], "")
            + &secret("cert", leaf)
    };
    let (old, new) = (authority.server(&["a.example"]), authority.server(&["a.example"]));
    let mut mesh = mesh(&yaml(&old));
    let config = authority.trusted(&["http/1.1"], None);
    let mut kept = Client::tls(mesh.port(443), "a.example", config).await.unwrap();
    let config = authority.trusted(&["h2"], None);
    let mut streams = h2::Client::tls(mesh.port(443), "a.example", config).await;
    kept.get("a.example", "/").await.expect(200);
    streams.get("a.example", "/").await.expect(200);
    assert_eq!(shown(&authority, &mesh).await, old.der());
    mesh.apply(&yaml(&new)).await;
    assert_eq!(shown(&authority, &mesh).await, new.der());
    for _ in 0..3 {
        assert_eq!(kept.get("a.example", "/").await.expect(200).get("connection"), None);
        streams.get("a.example", "/").await.expect(200);
    }
    assert!(!streams.is_over());
}

/// The certificate that a new connection is shown.
async fn shown(authority: &Authority, mesh: &Mesh) -> Vec<u8> {
    let stream = tokio::net::TcpStream::connect(mesh.port(443)).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(authority.trusted(&[], None));
    let stream = connector.connect("a.example".try_into().unwrap(), stream).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn plain_text_and_silence_get_nothing_from_https() {
    let authority = Authority::new("ca");
    let (mesh, up) = two_names(&authority).await;
    let mut client = Client::connect(mesh.port(443)).await;
    client.send("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n").await;
    let rest = client.rest().await;
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
    assert_eq!(up.count(), 0);
    let failed = meshctl::telemetry::Family::TlsHandshakes;
    // The client learns of it before it is counted.
    until("the count", || mesh.metric(failed, &["tls_handshake_failed"]) == 1).await;
}

/// A mesh that speaks TLS to its backend, named `up.example`.
fn behind(address: &str, authority: &Authority, more: &str) -> String {
    format!(
        "{GATEWAY}{}{}{}",
        route("r", &[], &all_to("up")),
        backend(
            "up",
            &[address],
            &format!(
                "tls:\n  validation:\n    hostname: up.example\n    caCertificateRefs: [{{group: \
                 \"\", kind: ConfigMap, name: ca}}]\n{}",
                indented(more, 2)
            )
        ),
        ca_map("ca", &authority.pem())
    )
}

#[tokio::test]
async fn a_backend_is_spoken_to_as_its_alpn_says() {
    let authority = Authority::new("ca");
    let leaf = authority.server(&["up.example"]);
    let one = server::https1(leaf.server(&["http/1.1"]), |_| Answer::text("1")).await;
    let none = server::https1(leaf.server(&[]), |_| Answer::text("none")).await;
    let two = server::https2(leaf.server(&["h2"]), |_| Answer::text("2")).await;
    for (up, text) in [(&one, "1"), (&none, "none"), (&two, "2")] {
        let mesh = Mesh::of(&behind(&up.address, &authority, "")).workers(1).start();
        let mut client = Client::connect(mesh.port(80)).await;
        for _ in 0..5 {
            assert_eq!(client.get("h", "/").await.expect(200).text(), text);
        }
        assert_eq!(up.connections(), 1);
    }
}

/// Requests that all come before the first connection is made.
async fn at_once(mesh: &Mesh, count: usize) -> Vec<Response> {
    let address = mesh.port(80);
    let asked: Vec<_> = (0..count)
        .map(|_| tokio::spawn(async move { Client::connect(address).await.get("h", "/").await }))
        .collect();
    let mut answers = Vec::new();
    for one in asked {
        answers.push(one.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn the_first_requests_wait_for_one_connection_to_say_its_protocol() {
    let authority = Authority::new("ca");
    let leaf = authority.server(&["up.example"]);
    let slow = |_: &server::Seen| Answer::text("x").after(Duration::from_millis(100));
    let two = server::https2(leaf.server(&["h2", "http/1.1"]), slow).await;
    let one = server::https1(leaf.server(&["http/1.1"]), slow).await;
    for (up, connections) in [(&two, 1..=1), (&one, 10..=30)] {
        let mesh = Mesh::of(&behind(&up.address, &authority, "")).workers(1).start();
        for answer in at_once(&mesh, 30).await {
            answer.expect(200);
        }
        assert!(connections.contains(&up.connections()), "{}", up.connections());
    }
}

#[tokio::test]
async fn a_first_connection_that_fails_or_is_given_up_holds_nobody_up() {
    let authority = Authority::new("ca");
    let stranger = authority.server(&["other.example"]);
    let wrong = server::https2(stranger.server(&["h2"]), |_| Answer::text("x")).await;
    let mesh = Mesh::of(&behind(&wrong.address, &authority, "")).workers(1).start();
    for answer in at_once(&mesh, 10).await {
        assert_eq!(answer.expect(502).cause(), Some("upstream_tls_failed"));
    }
    // The first connection never gets an answer, and its client leaves.
    let leaf = authority.server(&["up.example"]);
    let tls = leaf.server(&["http/1.1"]);
    let up = server::socket(move |stream, number| {
        let acceptor = tokio_rustls::TlsAcceptor::from(tls.clone());
        async move {
            if number == 0 {
                let _stream = stream;
                return std::future::pending().await;
            }
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let mut wire = crate::support::h1::Wire::new(stream);
            while let Ok(Some(_)) = wire.head().await {
                let _ = wire.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        }
    })
    .await;
    let mesh = Mesh::of(&behind(&up.address, &authority, "")).workers(1).start();
    let mut leaves = Client::connect(mesh.port(80)).await;
    leaves.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    until("the connection", || up.connections() == 1).await;
    let address = mesh.port(80);
    let waits = tokio::spawn(async move { Client::connect(address).await.get("h", "/").await });
    until("the other client", || mesh.connections() == 2).await;
    drop(leaves);
    waits.await.unwrap().expect(200);
}

#[tokio::test]
async fn a_backend_may_change_its_protocol() {
    let authority = Authority::new("ca");
    let leaf = authority.server(&["up.example"]);
    let up = server::https2(leaf.server(&["h2"]), |_| Answer::text("2")).await;
    let address = up.address.clone();
    let mesh = mesh(&behind(&address, &authority, ""));
    let mut client = Client::connect(mesh.port(80)).await;
    client.get("h", "/").await.expect(200);
    up.gone().await;
    let _up = server::https1_at(&address, leaf.server(&["http/1.1"]), |_| Answer::text("1")).await;
    for _ in 0..5 {
        assert_eq!(client.get("h", "/").await.expect(200).text(), "1");
    }
}

#[tokio::test]
async fn a_backend_that_is_somebody_else_is_502() {
    let (authority, other) = (Authority::new("ca"), Authority::new("other"));
    let impostor = other.server(&["up.example"]);
    let stranger = authority.server(&["other.example"]);
    for leaf in [impostor, stranger] {
        let up = server::https1(leaf.server(&["http/1.1"]), |_| Answer::text("trust me")).await;
        let mesh = mesh(&behind(&up.address, &authority, ""));
        let mut client = Client::connect(mesh.port(80)).await;
        let answer = client.get("h", "/").await.expect(502);
        assert_eq!(answer.cause(), Some("upstream_tls_failed"));
        assert_eq!(up.count(), 0);
    }
}

#[tokio::test]
async fn a_backend_may_ask_who_we_are() {
    let (authority, ours) = (Authority::new("ca"), Authority::new("ours"));
    let leaf = authority.server(&["up.example"]);
    let tls = leaf.server_for(&ours, &["http/1.1"]);
    let up = server::https1(Arc::clone(&tls), |_| Answer::text("welcome")).await;
    let with = behind(
        &up.address,
        &authority,
        "mode: ClientAndServer\nclientCertificateRef: {name: me}\n",
    ) + &secret("me", &ours.client("me.example"));
    let mesh_with = mesh(&with);
    let mut client = Client::connect(mesh_with.port(80)).await;
    assert_eq!(client.get("h", "/").await.expect(200).text(), "welcome");
    let mesh_without = mesh(&behind(&up.address, &authority, ""));
    let mut client = Client::connect(mesh_without.port(80)).await;
    client.get("h", "/").await.expect(502);
}

#[tokio::test]
async fn an_answer_over_tls_needs_its_end() {
    // Closing TCP under TLS, without a close_notify, is what an attacker can do.
    let authority = Authority::new("ca");
    let leaf = authority.server(&["up.example"]);
    let tls = leaf.server(&["http/1.1"]);
    let up = server::socket(move |stream, _| {
        let acceptor = tokio_rustls::TlsAcceptor::from(tls.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let mut wire = crate::support::h1::Wire::new(stream);
            let _ = wire.head().await;
            let _ = wire.write("HTTP/1.1 200 OK\r\n\r\nhalf of it").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let mesh = mesh(&behind(&up.address, &authority, ""));
    let mut client = Client::connect(mesh.port(80)).await;
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    let answer = client.try_response("GET").await;
    assert!(answer.is_err(), "{answer:?}");
}
