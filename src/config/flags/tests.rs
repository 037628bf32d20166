use super::*;
use crate::config::index::Index;
use crate::config::lower::Lowering;
use crate::model::{Part, PartKind};

fn listen(texts: &[&str]) -> Vec<Listen> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

fn to(texts: &[&str]) -> Vec<To> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

#[test]
fn listen_addresses_are_read_or_refused() {
    let check = |text: &str, expected: Option<(Option<&str>, u16)>| {
        let expected = expected
            .map(|(ip, port)| Listen { ip: ip.map(|ip| ip.parse().expect("a literal")), port });
        assert_eq!(text.parse::<Listen>().ok(), expected, "{text}");
    };
    check(":8080", Some((None, 8080)));
    check("127.0.0.1:80", Some((Some("127.0.0.1"), 80)));
    check("[::1]:80", Some((Some("::1"), 80)));
    for text in ["8080", ":", ":0", ":+80", ":65536", "localhost:80", "unix:/a", "::1:80", ""] {
        check(text, None);
    }
}

#[test]
fn destinations_have_a_weight_of_one_unless_one_is_written() {
    let check = |text: &str, expected: Option<(&str, u32)>| {
        let read = text.parse::<To>().ok().map(|to| (to.endpoint.to_string(), to.weight));
        assert_eq!(read, expected.map(|(text, weight)| (text.to_owned(), weight)), "{text}");
    };
    check("localhost:3000", Some(("localhost:3000", 1)));
    check("localhost:3000=90", Some(("localhost:3000", 90)));
    check("localhost:3000=0", Some(("localhost:3000", 0)));
    check("unix:/run/a=b", Some(("unix:/run/a=b", 1)));
    check("unix:/run/a=9", Some(("unix:/run/a", 9)));
    for text in
        ["localhost", "localhost:3000=", "localhost:3000=-1", "localhost:3000=1000001", "=1"]
    {
        check(text, None);
    }
}

#[test]
fn options_are_read_or_refused_by_name() {
    let mut options = Options::default();
    for text in ["web", "web=", "=a:1", "a/b/c=d:1", "/web=a:1", "web=a"] {
        let error = options.add_endpoint(text).expect_err(text);
        assert!(!error.to_string().is_empty());
    }
    for text in ["80", "80=", "=80", "0=80", "80=x", "80=65536"] {
        assert!(options.add_port_move(text).is_err(), "{text}");
    }
    assert_eq!(options, Options::default(), "nothing of a bad value stays");
}

#[test]
fn no_file_at_all_is_a_whole_mesh() {
    let (listen, to) =
        (listen(&[":8080", "[::1]:9090"]), to(&["localhost:3000=90", "10.0.0.1:1=10"]));
    let mut index = Index::new();
    for object in quick(&listen, &to) {
        index.apply(object);
    }
    let mut lowering = Lowering::new(Options::default());
    let lowered = lowering.commit(&mut index, 0);
    assert_eq!(lowered.diagnostics, []);
    let mut binds = Vec::new();
    for part in lowering.parts() {
        match part {
            Part::Listener(listener) => binds.push(listener.bind.to_string()),
            Part::Rule(rule) => {
                let weights: Vec<u32> = rule.backends.iter().map(|one| one.weight).collect();
                assert_eq!(weights, [90, 10]);
                assert_eq!(rule.attachments.len(), 2);
            }
            _ => {}
        }
    }
    binds.sort();
    assert_eq!(binds, ["*:8080", "[::1]:9090"]);
    let count = |kind| lowering.parts().filter(|part| part.key().part == kind).count();
    assert_eq!((count(PartKind::Backend), count(PartKind::EndpointSet)), (2, 2));
}

#[test]
fn the_documents_say_the_same_as_the_objects() {
    let (listen, to) = (listen(&["127.0.0.1:8080"]), to(&["localhost:3000=90", "unix:/run/a"]));
    let objects = quick(&listen, &to);
    let documents = quick_documents(&listen, &to);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (object, document) in objects.iter().zip(&documents) {
        assert_eq!(text(&document["kind"]), object.key.kind.as_str());
        assert_eq!(text(&document["metadata"]["name"]), *object.key.name);
    }
    assert_eq!(objects.len(), documents.len());
    let expected = json!([
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": { "name": "gateway" },
            "spec": {
                "gatewayClassName": "meshctl",
                "listeners": [{ "name": "http-8080", "protocol": "HTTP", "port": 8080 }],
                "addresses": [{ "type": "IPAddress", "value": "127.0.0.1" }],
            },
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": { "name": "route" },
            "spec": {
                "parentRefs": [{ "name": "gateway" }],
                "rules": [{ "backendRefs": [
                    { "group": "meshctl.dev", "kind": "Backend", "name": "backend-1", "weight": 90 },
                    { "group": "meshctl.dev", "kind": "Backend", "name": "backend-2", "weight": 1 },
                ] }],
            },
        },
        {
            "apiVersion": "meshctl.dev/v1alpha1",
            "kind": "Backend",
            "metadata": { "name": "backend-1" },
            "spec": { "endpoints": ["localhost:3000"] },
        },
        {
            "apiVersion": "meshctl.dev/v1alpha1",
            "kind": "Backend",
            "metadata": { "name": "backend-2" },
            "spec": { "endpoints": ["unix:/run/a"] },
        },
    ]);
    assert_eq!(Value::Array(documents), expected);
}
