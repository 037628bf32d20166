#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use super::*;

fn walk(value: &Value, path: &str, see: &mut impl FnMut(&str, &Value)) {
    see(path, value);
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| walk(value, &format!("{path}.{key}"), see));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{path}[]"), see)),
        _ => {}
    }
}

fn fields(channel: Channel) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for definition in definitions(channel) {
        let kind = definition["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        walk(schema, &kind, &mut |path, _| {
            let path = path.replace(".properties", "").replace(".items", "[]");
            found.insert(path);
        });
    }
    found
}

#[test]
fn every_kind_is_defined_once_and_whole() {
    for channel in [Channel::Standard, Channel::Experimental] {
        let definitions = definitions(channel);
        let kinds: BTreeSet<_> = definitions
            .iter()
            .map(|definition| definition["spec"]["names"]["kind"].clone().to_string())
            .collect();
        assert_eq!((kinds.len(), definitions.len()), (10, 10));
        for definition in &definitions {
            let name = definition["metadata"]["name"].as_str().unwrap();
            let versions = definition["spec"]["versions"].as_array().unwrap();
            let stored = versions.iter().filter(|version| version["storage"] == true).count();
            assert_eq!(stored, 1, "{name}");
            assert!(versions.iter().any(|version| version["name"] == "v1"), "{name}");
            walk(definition, name, &mut |path, value| {
                assert!(!path.ends_with(REFERENCE) && !path.ends_with(EXPERIMENTAL), "{path}");
                // A reference that leads nowhere leaves nothing.
                assert_ne!(*value, json!(null), "{path}");
                let is_schema = value.get("items").is_some() || value.get("properties").is_some();
                let in_schema = path.contains("openAPIV3Schema") && !path.ends_with(".properties");
                if in_schema && is_schema {
                    assert!(value["type"].is_string(), "{path} has no type");
                }
            });
        }
    }
}

#[test]
fn the_standard_channel_lacks_what_is_marked() {
    let standard = fields(Channel::Standard);
    let experimental = fields(Channel::Experimental);
    assert!(standard.is_subset(&experimental));
    for field in ["HTTPRoute.spec.rules[].retry", "HTTPRoute.spec.rules[].sessionPersistence"] {
        assert!(!standard.contains(field) && experimental.contains(field), "{field}");
    }
    for field in [
        "HTTPRoute.spec.rules[].timeouts.backendRequest",
        "HTTPRoute.spec.rules[].backendRefs[].filters[].cors.maxAge",
        "Gateway.spec.tls.frontend.perPort[].tls.validation.mode",
        "GatewayClass.spec.controllerName.pattern",
        "GatewayClass.spec.controllerName.x-kubernetes-validations[].rule",
    ] {
        assert!(standard.contains(field), "{field}");
    }
}

#[test]
fn every_fragment_is_used() {
    let fragments = read(FRAGMENTS).pop().unwrap();
    let text = [KINDS, FRAGMENTS].concat();
    for name in fragments.as_object().unwrap().keys() {
        let named = [format!("$ref: {name}}}"), format!("$ref: {name}\n"), format!("*{name}")];
        assert!(named.iter().any(|word| text.contains(word.as_str())), "{name}");
    }
}
