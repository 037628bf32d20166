use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn converted(text: &str, options: &Options) -> Conversion {
    convert(&[(Arc::from("in.yaml"), Arc::from(text))].into(), options)
}

/// What the case folders convert, by their names.
fn cases() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/convert");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let text = |folder: &PathBuf| {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        Some((name, fs::read_to_string(folder.join("in/in.yaml")).ok()?))
    };
    folders.iter().filter_map(text).collect()
}

/// The JSON pointer of every scalar.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let pointer = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{path}/{pointer}"), found);
            }
        }
        Value::Array(items) => {
            let below = items.iter().enumerate();
            below.for_each(|(at, value)| leaves(value, &format!("{path}/{at}"), found));
        }
        Value::Null => {}
        _ => found.push(path.to_owned()),
    }
}

fn changed(value: &Value) -> Value {
    match value {
        Value::String(text) => format!("{text}z").into(),
        Value::Number(number) => (number.as_f64().unwrap() as i64 + 1).into(),
        Value::Bool(value) => (!value).into(),
        other => panic!("{other} is no leaf"),
    }
}

fn text_of(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("---\n{}", yaml::write(object))).collect()
}

/// Where the leaf stands, and all that it is below of.
fn places(text: &str, object: usize, pointer: &str) -> Vec<(u32, u32)> {
    let document = yaml::documents(text).nth(object).unwrap();
    let root = yaml::parse(document.text, &mut Vec::new()).unwrap();
    let (mut node, mut found) = (&root, Vec::new());
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        let place = match &node.value {
            yaml::Value::Map(entries) => {
                let entry = entries.iter().find(|entry| *entry.key == *name).unwrap();
                node = &entry.value;
                entry.key_place
            }
            yaml::Value::List(nodes) => {
                node = &nodes[name.parse::<usize>().unwrap()];
                node.place
            }
            other => panic!("{other:?} holds nothing"),
        };
        found.push((place.line + document.line_offset, place.column));
    }
    found
}

/// (case, kind, name, beginning of the path, why it means nothing there)
const SAME: &[(&str, &str, &str, &str, &str)] = &[
    (
        "ingress-annotations",
        "Ingress",
        "moved",
        "/spec/rules/0/http/paths/0/backend",
        "it redirects",
    ),
    (
        "ingress-annotations",
        "Ingress",
        "gone",
        "/spec/rules/0/http/paths/0/backend",
        "it redirects",
    ),
    ("ingress-canary", "Ingress", "shop-canary", "/metadata/name", "it joins another"),
    ("ingress-canary", "Ingress", "lonely", "", "it joins none, as its annotation says"),
    (
        "ingress-classes-and-namespaces",
        "Ingress",
        "two",
        "/spec/tls/1/secretName",
        "the host has one",
    ),
    ("ingress-losses", "Ingress", "guarded", "", "it is left out, as its annotations say"),
    ("ingress-unprotected", "Ingress", "guarded", "", "it is left out here"),
    (
        "istio-canary",
        "DestinationRule",
        "shop",
        "/metadata/name",
        "policies are called by their target",
    ),
    (
        "istio-losses",
        "DestinationRule",
        "web",
        "/metadata/name",
        "policies are called by their target",
    ),
    ("istio-losses", "Gateway", "front", "/spec/servers/2", "it is left out, as its mode says"),
    ("istio-losses", "EnvoyFilter", "x", "", "it is left out, as its kind says"),
];

/// The property that the ledger is for, without asking it: a leaf of which another value changes
/// neither the output nor what is said was lost without a word, unless it stands below what is
/// reported.
#[test]
fn every_leaf_matters_or_is_reported() {
    let mut tried = 0;
    let (mut silent, mut excused) = (Vec::new(), BTreeSet::new());
    for (case, text) in cases() {
        let Ok(objects) = yaml::objects(&text) else { continue };
        let text = text_of(&objects);
        let before = converted(&text, &Options::default());
        let said = |one: &Diagnostic| (one.code, one.message.clone());
        let mut words: Vec<_> = before.diagnostics.iter().map(said).collect();
        words.sort();
        for (at, object) in objects.iter().enumerate() {
            let kind = object["kind"].as_str().unwrap_or_default();
            let ours = object["apiVersion"].as_str().is_some_and(|version| {
                version.starts_with("networking.k8s.io/v1")
                    || version.starts_with("networking.istio.io/")
            });
            let mut found = Vec::new();
            leaves(object, "", &mut found);
            for pointer in found.iter().filter(|_| ours && kind != "IngressClass") {
                tried += 1;
                let mut others = objects.clone();
                let leaf = others[at].pointer_mut(pointer).unwrap();
                *leaf = changed(leaf);
                let after = converted(&text_of(&others), &Options::default());
                let mut now: Vec<_> = after.diagnostics.iter().map(said).collect();
                now.sort();
                if after.objects != before.objects || now != words {
                    continue;
                }
                let places = places(&text, at, pointer);
                let told = |one: &Diagnostic| places.contains(&(one.place.line, one.place.column));
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                let same = SAME.iter().position(|(of, known, called, start, _)| {
                    (*of, *known, *called) == (&*case, kind, name) && pointer.starts_with(start)
                });
                match same {
                    Some(row) => drop(excused.insert(row)),
                    None if before.diagnostics.iter().any(told) => {}
                    None => silent.push(format!("{case}: {kind} {name} {pointer}")),
                }
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
    assert_eq!(excused.len(), SAME.len(), "{excused:?} of the excuses are needed");
    assert!(tried > 300, "{tried}");
}

#[test]
fn what_nobody_knows_is_reported_with_its_place() {
    let text = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  finalizers: [x]
  annotations:
    nginx.ingress.kubernetes.io/new-thing: \"1\"
spec:
  novel: {deep: [1, 2], more: {}}
  rules:
  - host: shop.example
    http:
      extra: 1
      paths: []
";
    let Conversion { diagnostics, .. } = converted(text, &Options::default());
    let said: Vec<_> = diagnostics.iter().map(|one| (one.place.line, one.code)).collect();
    let lost = |line: u32| (line, codes::NOT_CARRIED);
    assert_eq!(said, [lost(5), lost(7), lost(9), lost(13)], "{diagnostics:?}");
}

/// Each code, as its table says it; they are not of `meshctl check`.
#[test]
fn codes_are_said_where_they_belong() {
    let ingress = |annotation: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: a\n  annotations:\n    {annotation}\nspec:\n  rules:\n  - host: a.example\n    http: {{paths: [{{path: /a, backend: {{service: {{name: a, port: {{name: x}}}}}}}}]}}\n"
        )
    };
    let said = |annotation: &str| {
        let found = converted(&ingress(annotation), &Options::default()).diagnostics;
        found.into_iter().map(|one| one.code).collect::<BTreeSet<_>>()
    };
    let plain = said("a: b");
    assert_eq!(plain, [codes::CARRIED_DIFFERENTLY, codes::NOT_CONVERTED].into());
    assert!(said("nginx.ingress.kubernetes.io/proxy-body-size: 1m").contains(&codes::NOT_CARRIED));
    assert!(said("nginx.ingress.kubernetes.io/auth-url: x").contains(&codes::PROTECTION_LOST));
    let order = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: [a]\n  gateways: [g]\n  http:\n  - match: [{uri: {prefix: /a/}}]\n  - match: [{uri: {regex: /.*x}}]\n";
    let found = converted(order, &Options::default()).diagnostics;
    assert!(found.iter().any(|one| one.code == codes::ORDER_MATTERS), "{found:?}");
}

#[test]
fn routes_behind_a_lost_protection_are_left_out() {
    for annotation in [
        "auth-type: basic",
        "whitelist-source-range: 10.0.0.0/8",
        "enable-modsecurity: \"true\"",
        "server-snippet: deny all;",
    ] {
        let text = format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: a\n  annotations:\n    nginx.ingress.kubernetes.io/{annotation}\nspec:\n  rules:\n  - http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: a, port: {{number: 80}}}}}}}}]}}\n"
        );
        let closed = converted(&text, &Options::default());
        assert!(
            closed.objects.is_empty() && closed.diagnostics.iter().any(Diagnostic::is_error),
            "{annotation}"
        );
        let open = converted(&text, &Options { unprotected: true, ..Options::default() });
        assert_eq!(open.objects.len(), 2, "{annotation}");
        assert_eq!(open.diagnostics, closed.diagnostics, "{annotation}");
    }
}

/// Other people's YAML may be anything.
#[test]
fn anything_is_read_to_its_end() {
    let mut random = fastrand::Rng::with_seed(301);
    let texts: Vec<String> = cases().into_iter().map(|(_, text)| text).collect();
    for _ in 0..400 {
        let mut lines: Vec<&str> = texts[random.usize(..texts.len())].lines().collect();
        for _ in 0..random.usize(1..6) {
            let (from, to) = (random.usize(..lines.len()), random.usize(..lines.len()));
            match random.u8(..3) {
                0 => lines.swap(from, to),
                1 => drop(lines.remove(from)),
                _ => lines.insert(to, lines[from]),
            }
            if lines.is_empty() {
                break;
            }
        }
        let text = lines.join("\n");
        let first = converted(&text, &Options::default());
        let again = converted(&text, &Options::default());
        assert_eq!((first.objects, first.diagnostics), (again.objects, again.diagnostics));
    }
}
