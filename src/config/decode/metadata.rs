//! `metadata`: the same for every kind.

use std::collections::BTreeMap;

use super::fields::{Fields, string, text};
use super::findings::Findings;
use super::{formats, unreadable};
use crate::config::codes;
use crate::config::raw::{Meta, Place};
use crate::config::returning::Returning;
use crate::model::{Kind, Name, ObjectKey, Store};
use crate::names;
use crate::yaml::{Node, Value};

/// What `kubectl apply` keeps: the whole object as text, a Secret's values too. Nobody reads it here.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The key and the metadata, each as far as it can be read.
pub(super) fn decode(
    object: &mut Fields<'_, '_>,
    kind: Kind,
    store: Store,
) -> (Option<ObjectKey>, Option<Meta>) {
    let Some(mut fields) = object.required_map("metadata") else { return (None, None) };
    let findings = fields.findings;
    let format = match kind {
        Kind::Service | Kind::Namespace => &formats::LABEL,
        _ => &formats::SUBDOMAIN,
    };
    let name = match fields.take("name") {
        Some(node) => text(node, format, findings),
        None => {
            missing_name(&fields);
            None
        }
    };
    let namespace = fields.text("namespace", &formats::LABEL);
    let created = fields.take("creationTimestamp").map_or(0, |node| timestamp(node, findings));
    // An API server writes these two; what a file says there is nobody's business.
    let generation = match fields.peek("generation").map(|node| &node.value) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    };
    let uid = fields.peek("uid").and_then(Node::as_str).unwrap_or_default().into();
    let meta = Meta {
        place: name.as_ref().map_or(Place::default(), |name| name.place),
        created,
        generation,
        uid,
        labels: values(fields.text_map("labels").into_iter()),
        annotations: values(
            fields.text_map("annotations").into_iter().filter(|(key, _)| &**key != LAST_APPLIED),
        ),
    };
    check_from_files(&meta, &fields);
    check_returning(&meta, &fields);
    fields.ignore(&[
        "generateName",
        "uid",
        "resourceVersion",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "finalizers",
        "ownerReferences",
        "managedFields",
        "selfLink",
        "clusterName",
    ]);
    fields.finish();
    let key = name.map(|name| {
        let namespace = match namespace {
            _ if kind.is_cluster_scoped() => "".into(),
            Some(namespace) => namespace.value,
            None => names::NAMESPACE_DEFAULT.into(),
        };
        ObjectKey { store, kind, namespace, name: name.value }
    });
    (key, Some(meta))
}

/// The key of an object whose `metadata` has mistakes in it, as far as it can be told.
pub(super) fn guess(doc: &Node, kind: Kind, store: Store) -> Option<ObjectKey> {
    let text = |field: &str| {
        let node = doc.get("metadata")?.get(field)?;
        match (&node.spelling, &node.value) {
            (Some(text), _) => Some(text.to_string()),
            (None, Value::String(text)) => Some(text.to_string()),
            (None, Value::Int(number)) => Some(number.to_string()),
            _ => None,
        }
    };
    unreadable::object_key(kind, &text("name")?, text("namespace").as_deref(), store)
}

fn missing_name(fields: &Fields<'_, '_>) {
    if fields.has("generateName") {
        let message = "an object of a file needs a `name`, `generateName` is for `kubectl create`";
        fields.findings.error_help(codes::MISSING_FIELD, fields.place, message, "write `name`");
    } else {
        fields.missing("name");
    }
}

fn values(map: impl Iterator<Item = (Name, crate::config::raw::At<Name>)>) -> BTreeMap<Name, Name> {
    map.map(|(key, at)| (key, at.value)).collect()
}

pub(super) fn timestamp(node: &Node, findings: &Findings<'_>) -> i64 {
    if let Value::Null = node.value {
        return 0;
    }
    let Some(text) = string(node, findings) else { return 0 };
    formats::timestamp(&text).unwrap_or_else(|| {
        let message = format!("{} is not a timestamp", findings.value(&text));
        findings.error_help(codes::BAD_TEXT, node, message, "write it as `2026-01-31T12:00:00Z`");
        0
    })
}

/// `meshctl.dev/from-files: tls.crt=a.pem,tls.key=b.pem` as (key, file); the files are somebody
/// else's to read. What can't be read was reported when the object was decoded.
pub fn from_files(meta: &Meta) -> impl Iterator<Item = (&str, &str)> {
    let text = meta.annotations.get(names::ANNOTATION_FROM_FILES).map_or("", |text| text);
    text.split(',').filter_map(|pair| pair.trim().split_once('='))
}

fn check_returning(meta: &Meta, fields: &Fields<'_, '_>) {
    let Some(text) = meta.annotations.get(names::ANNOTATION_RETURN) else { return };
    if text.parse::<Returning>().is_err() {
        let message = format!("`{}` can't be read", names::ANNOTATION_RETURN);
        let help =
            "write it as `2026-01-31T12:00:00Z 0=100,0`: from then on, the weights of rule 0";
        fields.findings.error_help(codes::BAD_ANNOTATION, fields.place, message, help);
    }
}

fn check_from_files(meta: &Meta, fields: &Fields<'_, '_>) {
    let Some(text) = meta.annotations.get(names::ANNOTATION_FROM_FILES) else { return };
    let good = |pair: &str| {
        let pair = pair.trim().split_once('=');
        pair.is_some_and(|(key, file)| (formats::DATA_KEY.holds)(key) && !file.trim().is_empty())
    };
    if !text.split(',').all(good) {
        let message = format!("`{}` can't be read", names::ANNOTATION_FROM_FILES);
        let help = "write it as `tls.crt=cert.pem,tls.key=key.pem`";
        fields.findings.error_help(codes::BAD_ANNOTATION, fields.place, message, help);
    }
}
