//! Labels and who selects by them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{NAME_BYTES, SUFFIX};

pub(super) type Labels = BTreeMap<String, String>;

/// The label that tells versions apart with the least surprise: one that is about the version, then
/// about the instance, then the name; else the first.
pub(super) fn told_apart_by<'a>(keys: impl Iterator<Item = &'a String>) -> Option<String> {
    const PREFERRED: [&str; 7] = [
        "version",
        "app.kubernetes.io/version",
        "app.kubernetes.io/instance",
        "app",
        "app.kubernetes.io/name",
        "k8s-app",
        "name",
    ];
    let rank = |key: &str| PREFERRED.iter().position(|one| *one == key).unwrap_or(PREFERRED.len());
    keys.min_by_key(|key| (rank(key), key.as_str().to_owned())).cloned()
}

/// `matchLabels` below that ask for an old value ask for the new one.
pub(super) fn follow(value: &mut Value, pod_labels: &Labels, changed: &BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|one| follow(one, pod_labels, changed)),
        Value::Object(map) => {
            for (key, below) in map.iter_mut() {
                if key != "matchLabels" {
                    follow(below, pod_labels, changed);
                    continue;
                }
                for (label, asked) in below.as_object_mut().into_iter().flatten() {
                    let old = pod_labels.get(label).filter(|_| changed.contains(label));
                    if let Some(old) = old.filter(|old| *asked == old.as_str()) {
                        *asked = renamed(old).into();
                    }
                }
            }
        }
        _ => {}
    }
}

pub(super) fn relabelled(labels: &Labels, changed: &BTreeSet<String>) -> Labels {
    let new = |(key, value): (&String, &String)| {
        (key.clone(), if changed.contains(key) { renamed(value) } else { value.clone() })
    };
    labels.iter().map(new).collect()
}

pub(super) fn renamed(value: &str) -> String {
    let longer = format!("{value}{SUFFIX}");
    let fits = !value.is_empty() && longer.len() <= NAME_BYTES;
    if fits { longer } else { SUFFIX.trim_start_matches('-').to_owned() }
}

/// A Service without a selector selects nothing.
pub(super) fn selects(selector: &Labels, pod_labels: &Labels) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| pod_labels.get(key) == Some(value))
}

pub(super) fn selector(service: &Value) -> Labels {
    labels(service.pointer("/spec/selector"))
}

pub(super) fn labels(value: Option<&Value>) -> Labels {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
