//! What `explain request` says of a request, beside what becomes of it when it is sent.

use meshctl::proxy::explain::{Asked, Outcome, Told, explain};

use crate::support::authority::Authority;
use crate::support::client::Client;
use crate::support::server::{self, Answer};
use crate::support::words::{all_to, backend, gateway, route, tls_secret, to};
use crate::support::{Mesh, mesh};

/// A rule that tells the backend, which answers with it, who it is.
fn rule(name: &str, matches: &str) -> String {
    let set = format!("{{set: [{{name: x-rule, value: {name}}}]}}");
    let filter = format!("{{type: RequestHeaderModifier, requestHeaderModifier: {set}}}");
    format!("- matches: [{matches}]\n  filters: [{filter}]\n  backendRefs: [{}]\n", to("up"))
}

fn told(mesh: &Mesh, method: &str, url: &str, fields: &[String], sni: Option<&str>) -> Told {
    let asked = Asked::new(method, url, fields, sni).unwrap();
    explain(mesh.snapshot(), &asked).tell(&asked, mesh.snapshot(), 100)
}

/// What the backend or the proxy would answer.
fn foretold(told: &Told) -> String {
    match &told.outcome {
        Outcome::Forwarded => {
            let rule = told.route.as_ref().expect("it is forwarded by a rule");
            rule.filters[0].rsplit(' ').next().unwrap().to_owned()
        }
        Outcome::Redirected { status } => status.to_string(),
        Outcome::Refused { cause, .. } => cause.clone(),
        Outcome::Unheard { port } => panic!("{port} is listened on"),
    }
}

/// Three listeners on one port, and rules of every kind that lie over each other.
async fn tangled() -> (Mesh, server::Upstream) {
    let up = server::http1(|seen| Answer::text(seen.get("x-rule").unwrap().to_owned())).await;
    let rules = [
        rule("a", "{path: {value: /cart}, headers: [{name: x-user, value: '1'}]}"),
        rule("b", "{path: {value: /cart}, method: POST}"),
        rule("c", "{path: {type: Exact, value: /cart}, queryParams: [{name: q, value: x}]}"),
        rule("d", "{path: {type: RegularExpression, value: '/c.*/[0-9]+'}}"),
        rule("p", "{path: {value: /secure}, headers: [{name: x-forwarded-proto, value: http}]}"),
        "- matches: [{path: {value: /old}}]\n  filters: [{type: RequestRedirect, \
         requestRedirect: {statusCode: 301, hostname: new.example}}]\n"
            .to_owned(),
        format!("- matches: [{{path: {{value: /gone}}}}]\n  backendRefs: [{}]\n", to("missing")),
    ];
    let any = rule("any", "{path: {value: /cart}}, {path: {value: /any}}");
    let http = |name: &str, more: &str| format!("{{name: {name}, port: 80, protocol: HTTP{more}}}");
    let yaml = gateway(&[
        &http("wild", ", hostname: '*.example'"),
        &http("exact", ", hostname: admin.example"),
    ]) + &route("shop", &["shop.example"], &rules.concat())
        + &route("every", &[], &any)
        + &route("ops", &["admin.example"], &rule("ops", "{path: {value: /ops}}"))
        + &backend("up", &[&up.address], "");
    let mut mesh = mesh(&gateway(&[&http("wild", "")]));
    // That `missing` is missing is told, and served all the same.
    mesh.take(&yaml);
    (mesh, up)
}

#[tokio::test]
async fn every_request_meets_what_was_foretold() {
    let (mesh, _up) = tangled().await;
    crate::support::until("the workers to serve it", || mesh.serves_newest()).await;
    let at = mesh.port(80);
    let hosts = ["shop.example", "SHOP.example.", "x.example", "admin.example", "a.test"];
    let targets = [
        "/",
        "/cart",
        "/cart?q=x",
        "/a/../cart/1",
        "/ops",
        "/any",
        "/old",
        "/gone",
        "/%",
        "/secure",
    ];
    let mut client = Client::connect(at).await;
    let mut seen = std::collections::BTreeSet::new();
    for host in hosts {
        for target in targets {
            for (method, field) in [("GET", None), ("POST", None), ("GET", Some("x-user: 1"))] {
                let fields: Vec<String> = field.into_iter().map(str::to_owned).collect();
                let url = format!("http://{host}:{}{target}", at.port());
                let told = told(&mesh, method, &url, &fields, None);
                let lines: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
                let length = if method == "POST" { "content-length: 0\r\n" } else { "" };
                let head = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n");
                client.send(format!("{head}{length}{lines}\r\n")).await;
                let answer = client.response().await;
                let is = match (answer.status, answer.cause()) {
                    (_, Some(cause)) => cause.to_owned(),
                    (301, None) => "301".to_owned(),
                    _ => answer.text(),
                };
                assert_eq!(foretold(&told), is, "{method} {url} {field:?}\n{told:#?}");
                if answer.status == 400 {
                    client = Client::connect(at).await;
                }
                seen.insert(is);
            }
        }
    }
    let all = [
        "301",
        "a",
        "any",
        "b",
        "backend_not_found",
        "bad_path",
        "c",
        "d",
        "listener_not_found",
        "ops",
        "p",
        "route_not_found",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}

#[tokio::test]
async fn the_handshake_is_foretold_as_well() {
    let authority = Authority::new("ca");
    let up = server::named("up").await;
    let leaf = authority.server(&["a.example", "b.example"]);
    let https = |name: &str, hostname: &str, secret: &str| {
        format!(
            "{{name: {name}, port: 443, protocol: HTTPS, hostname: {hostname}, tls: \
             {{certificateRefs: [{{name: {secret}}}]}}}}"
        )
    };
    let listeners = [
        https("a", "a.example", "cert"),
        https("b", "b.example", "cert"),
        https("c", "c.example", "missing"),
        "{name: plain, port: 80, protocol: HTTP}".to_owned(),
    ];
    let yaml = gateway(&listeners.each_ref().map(String::as_str))
        + &route("r", &[], &all_to("up"))
        + &backend("up", &[&up.address], "")
        + &tls_secret("cert", &leaf.certificate, &leaf.key);
    let mut mesh = mesh(&gateway(&[&listeners[3]]));
    mesh.take(&yaml);
    crate::support::until("the workers to serve it", || mesh.serves_newest()).await;
    let (tls, plain) = (mesh.port(443), mesh.port(80));
    let why = |told: &Told, name: &str| {
        let mut listeners = told.listeners.iter();
        let found = listeners.find(|one| one.listener.ends_with(&format!("#{name}")));
        found.and_then(|one| one.why_not.clone()).unwrap_or_default()
    };

    // One listener's connection, another's host.
    let url = format!("https://b.example:{}/", tls.port());
    let misdirected = told(&mesh, "GET", &url, &[], Some("a.example"));
    let config = authority.trusted(&[], None);
    let mut client = Client::tls(tls, "a.example", config.clone()).await.unwrap();
    let answer = client.get("b.example", "/").await.expect(421);
    assert!(
        matches!(&misdirected.outcome, Outcome::Refused { cause, status: 421, .. }
            if Some(cause.as_str()) == answer.cause()),
        "{misdirected:#?}"
    );
    assert_eq!(
        why(&misdirected, "b"),
        "the handshake was with another listener, by its server name"
    );
    let direct = told(&mesh, "GET", &url, &[], None);
    assert_eq!((&direct.outcome, why(&direct, "b")), (&Outcome::Forwarded, String::new()));

    // Handshakes that fail.
    for (host, reason, of) in [
        ("c.example", "certificate_missing", "it has no certificate to show"),
        ("d.example", "listener_not_found", "it is for c.example"),
    ] {
        let url = format!("https://{host}:{}/", tls.port());
        let refused = told(&mesh, "GET", &url, &[], None);
        assert_eq!(foretold(&refused), reason, "{refused:#?}");
        assert_eq!(why(&refused, "c"), of);
        assert!(Client::tls(tls, host, config.clone()).await.is_err());
    }

    // TLS where none is, and none where TLS is.
    let url = format!("https://a.example:{}/", plain.port());
    assert_eq!(foretold(&told(&mesh, "GET", &url, &[], None)), "bad_request");
    assert!(Client::tls(plain, "a.example", config).await.is_err());
    let url = format!("http://a.example:{}/", tls.port());
    let refused = told(&mesh, "GET", &url, &[], None);
    assert_eq!(foretold(&refused), "tls_handshake_failed");
    assert_eq!(why(&refused, "a"), "it speaks TLS, and the request comes without");
    let unheard = told(&mesh, "GET", "https://a.example:1/", &[], None);
    assert_eq!(unheard.outcome, Outcome::Unheard { port: 1 });
}

#[test]
fn what_is_no_request_is_refused_in_words() {
    let check = |method: &str, url: &str, field: &str, expected: &str| {
        let fields: Vec<String> =
            Some(field.to_owned()).filter(|f| !f.is_empty()).into_iter().collect();
        let why = Asked::new(method, url, &fields, None).err().map(|error| error.0);
        assert_eq!(why.as_deref(), Some(expected));
    };
    let url = "http://a/";
    check("GE T", url, "", "`GE T` is no HTTP method");
    check("GET", "a/b", "", "`a/b` doesn't begin with http:// or https://");
    check("GET", "http:///x", "", "`http:///x` names no host");
    check("GET", "http://u@a/", "", "`http://u@a/` names no host");
    check("GET", "http://a:x/", "", "`http://a:x/` has a port that is none");
    let spaced = "holds a space or a control character, which a URL can't";
    check("GET", "http://a/ b", "", &format!("`http://a/ b` {spaced}"));
    check("GET", url, "x", "`x` is no header: write `name: value`");
    let control = "is no header: a name is missing, or it holds a control character";
    check("GET", url, "x: 1\r\ny: 2", &format!("`x: 1\\r\\ny: 2` {control}"));
}
