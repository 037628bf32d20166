use std::sync::Arc;

use super::*;
use crate::config::decode::{self, Decoded};
use crate::config::flags;
use crate::config::index::Content;
use crate::yaml;

const MESH: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: meshctl
  listeners: [{name: http, port: 80, protocol: HTTP}, {name: alt, port: 8080, protocol: HTTP}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {ports: [{port: 80}]}
";

fn index(text: &str) -> Index {
    let file: Arc<str> = "mesh.yaml".into();
    let (mut index, mut found, mut contents) = (Index::new(), Vec::new(), Vec::new());
    for document in yaml::documents(text) {
        for decoded in decode::read(&document, &file, Store::Files, &mut found).flatten() {
            if let Decoded::Object(object) = decoded {
                contents.push(Content::Good((*object).into()));
            }
        }
    }
    assert!(found.is_empty(), "{found:?}");
    index.replace(&file, contents, found);
    index
}

fn options(flag: &str) -> Options {
    let mut options = Options::default();
    match flag.split_once(' ').expect("a flag and its value") {
        ("--endpoint", value) => {
            options.add_endpoint(flags::endpoint_override(value).expect("an endpoint"));
        }
        ("--port", value) => options.add_port_move(flags::port_move(value).expect("a port")),
        (_, value) => options.classes.push(value.into()),
    }
    options
}

/// What is said about one flag, its help too.
fn check(text: &str, flag: &str, expected: &[(&str, &str)]) {
    let found = warnings(&options(flag), &index(text));
    let said: Vec<(&str, &str)> =
        found.iter().map(|one| (one.message.as_str(), one.help.as_str())).collect();
    assert_eq!(said, expected, "{flag}");
    assert!(found.iter().all(|one| !one.is_error() && one.code == FLAG_UNUSED));
}

#[test]
fn what_matches_is_nobodys_business() {
    for flag in [
        "--endpoint shop/cart=localhost:1",
        "--endpoint front=localhost:1",
        "--endpoint default/front=localhost:1",
        "--port 80=8000",
        "--port 8080=80",
        "--class meshctl",
    ] {
        check(MESH, flag, &[]);
    }
}

#[test]
fn what_was_likely_meant_is_said() {
    let no_service = |name: &str| format!("there is no Service `{name}`: the flag has no effect");
    for (flag, name, help) in [
        // The namespace was forgotten, or the name mistyped, or both are nowhere near.
        ("cart", "default/cart", "did you mean `--endpoint shop/cart=HOST:PORT`?"),
        ("shop/crat", "shop/crat", "did you mean `--endpoint shop/cart=HOST:PORT`?"),
        ("fron", "default/fron", "did you mean `--endpoint front=HOST:PORT`?"),
        ("payments", "default/payments", "the Services here are `front`, `shop/cart`"),
    ] {
        let flag = format!("--endpoint {flag}=localhost:1");
        check(MESH, &flag, &[(&no_service(name), help)]);
    }
    let no_port = "no listener has port 99: the flag has no effect";
    check(MESH, "--port 99=100", &[(no_port, "the listeners here have the ports `80`, `8080`")]);
    let no_class =
        |name: &str| format!("no Gateway has the class `{name}`: the flag has no effect");
    check(MESH, "--class meshclt", &[(&no_class("meshclt"), "did you mean `--class meshctl`?")]);
    check(MESH, "--class istio", &[(&no_class("istio"), "the Gateways here have `meshctl`")]);
}

#[test]
fn where_there_is_nothing_that_is_said() {
    for (flag, help) in [
        ("--endpoint a=b:1", "there is no Service here; a Backend says its endpoints itself"),
        ("--port 1=2", "there is no listener here"),
        ("--class x", "there is no Gateway here"),
    ] {
        let found = warnings(&options(flag), &Index::new());
        assert_eq!(found.iter().map(|one| one.help.as_str()).collect::<Vec<_>>(), [help]);
    }
}
