//! Definitions of the Gateway API's kinds, for clusters that have none: built from pieces in our
//! own words (`templates/gateway-api/`), because each piece stands in many kinds.
//!
//! Fields, bounds and defaults are the specification's. Where a cluster has definitions from
//! somewhere else in the same or a newer version, those stay.

use serde_json::{Map, Value, json};

use crate::names;
use crate::yaml;

#[cfg(test)]
mod tests;

const FRAGMENTS: &str = include_str!("../../templates/gateway-api/fragments.yaml");
const KINDS: &str = include_str!("../../templates/gateway-api/kinds.yaml");
/// Stands for a fragment.
const REFERENCE: &str = "$ref";
/// What the standard channel doesn't have.
const EXPERIMENTAL: &str = "x-experimental";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Standard,
    /// With the fields that are served beyond the standard ones.
    Experimental,
}

impl Channel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Experimental => "experimental",
        }
    }
}

/// One CustomResourceDefinition for each kind.
pub fn definitions(channel: Channel) -> Vec<Value> {
    let fragments = read(FRAGMENTS).pop().unwrap_or_default();
    read(KINDS).iter().map(|kind| definition(kind, &fragments, channel)).collect()
}

fn read(text: &str) -> Vec<Value> {
    yaml::objects(text).expect("a test reads them")
}

fn definition(kind: &Value, fragments: &Value, channel: Channel) -> Value {
    let text = |field: &str| kind[field].as_str().unwrap_or_default();
    let mut schema = json!({
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
        },
    });
    let mut subresources = json!({});
    for part in ["spec", "status"] {
        if let Some(part_schema) = kind.get(part) {
            schema["properties"][part] = resolved(part_schema, fragments, channel);
        }
    }
    if kind.get("status").is_some() {
        subresources["status"] = json!({});
    }
    let served: Vec<&str> =
        kind["served"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let stored = kind["stored"].as_str().or_else(|| served.first().copied()).unwrap_or_default();
    let versions: Vec<Value> = served
        .iter()
        .map(|version| {
            json!({
                "name": version,
                "served": true,
                "storage": *version == stored,
                "subresources": subresources,
                "additionalPrinterColumns": kind["columns"],
                "schema": {"openAPIV3Schema": schema},
            })
        })
        .collect();
    let mut names = json!({
        "kind": text("kind"),
        "listKind": format!("{}List", text("kind")),
        "plural": text("plural"),
        "singular": text("kind").to_ascii_lowercase(),
        "categories": ["gateway-api"],
    });
    if let Some(short) = kind.get("shortNames") {
        names["shortNames"] = short.clone();
    }
    let mut metadata = json!({
        "name": format!("{}.{}", text("plural"), names::GROUP_GATEWAY_API),
        "annotations": {
            "api-approved.kubernetes.io": names::GATEWAY_API_APPROVAL,
            names::ANNOTATION_BUNDLE_VERSION: names::GATEWAY_API_BUNDLE,
            names::ANNOTATION_CHANNEL: channel.as_str(),
        },
    });
    if let Some(labels) = kind.get("labels") {
        metadata["labels"] = labels.clone();
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {
            "group": names::GROUP_GATEWAY_API,
            "scope": kind["scope"],
            "names": names,
            "versions": versions,
        },
    })
}

/// A schema with every `$ref` in its place, without what the channel doesn't have.
fn resolved(schema: &Value, fragments: &Value, channel: Channel) -> Value {
    match schema {
        Value::Object(map) => {
            let mut found = Map::new();
            if let Some(name) = map.get(REFERENCE).and_then(Value::as_str)
                && let Value::Object(fragment) = resolved(&fragments[name], fragments, channel)
            {
                found.extend(fragment);
            }
            for (key, value) in map.iter().filter(|(key, _)| *key != REFERENCE) {
                let value = resolved(value, fragments, channel);
                let experimental = value.get(EXPERIMENTAL).is_some();
                if !(experimental && channel == Channel::Standard) {
                    found.insert(key.clone(), unmarked(value));
                }
            }
            found.into()
        }
        Value::Array(items) => {
            items.iter().map(|item| resolved(item, fragments, channel)).collect()
        }
        scalar => scalar.clone(),
    }
}

fn unmarked(mut value: Value) -> Value {
    if let Value::Object(map) = &mut value {
        map.shift_remove(EXPERIMENTAL);
    }
    value
}
