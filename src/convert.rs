//! Ingress and Istio into the Gateway API and our own kinds, and in words what that can't say.
//!
//! A document is read through `ledger`, which reports every field that no reader asked for: what
//! is lost is said, even where nobody thought of it. Where a protection is lost the routes behind
//! it are left out, and where a rule can't be said its requests are answered with 500 instead of
//! going to the next one: nothing becomes more open than it was. Istio's own kinds of security are
//! enforced by its proxies: they are reported, one by one.
//!
//! This module must not know files, and never asks whether what comes out is served: `check` does.

mod ingress;
mod istio;
mod ledger;
mod made;
mod services;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::config::decode;
use crate::config::raw::Origin;
use crate::config::{Diagnostic, codes};
use crate::model::Store;
use crate::yaml::{self, Node};
use ledger::{Cursor, Document};
use made::Made;
use services::Services;

/// What may be asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the Gateway of Ingresses of several namespaces stands.
    pub namespace: Option<String>,
    /// The class of Gateways that are written.
    pub class: String,
    /// Routes that lost a protection are written too.
    pub unprotected: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Conversion {
    pub objects: Vec<Value>,
    /// An error is something that is lost, a warning something that differs.
    pub diagnostics: Vec<Diagnostic>,
    /// Objects that were read.
    pub converted: usize,
    /// Objects that are neither an Ingress nor Istio's, and Services, which were looked at.
    pub passed_over: usize,
}

/// Groups whose kinds are ours to read or to report.
const INGRESS: &str = "networking.k8s.io";
const ISTIO: [&str; 5] = [
    "networking.istio.io",
    "security.istio.io",
    "telemetry.istio.io",
    "extensions.istio.io",
    "config.istio.io",
];
/// What an API server and the tools before it write into metadata; it isn't the author's.
const SERVERS: [&str; 7] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "generateName",
];

/// The object as `kubectl apply` has seen it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Converts the texts of files, by their names.
pub fn convert(texts: &BTreeMap<Arc<str>, Arc<str>>, options: &Options) -> Conversion {
    let mut found = Found::default();
    for (file, text) in texts {
        found.file(file, text);
    }
    let Found { documents, services, mut diagnostics, passed_over } = found;
    let mut made = Made::default();
    let converted = documents.len();
    // Services that are made don't take the names of those that are there.
    for (namespace, name) in services.keys() {
        made.name("Service", namespace.as_deref(), name);
    }
    ingress::convert(&documents, &services, options, &mut made);
    istio::convert(&documents, &services, options, &mut made);
    diagnostics.extend(documents.iter().flat_map(Document::finish));
    // An alias of a host says the same of its paths again.
    diagnostics.sort_by(|a, b| (&a.file, a.place, &a.message).cmp(&(&b.file, b.place, &b.message)));
    diagnostics.dedup();
    Conversion { objects: made.finish(), diagnostics, converted, passed_over }
}

#[derive(Default)]
struct Found {
    documents: Vec<Document>,
    services: Services,
    diagnostics: Vec<Diagnostic>,
    passed_over: usize,
}

impl Found {
    fn file(&mut self, file: &Arc<str>, text: &str) {
        for document in yaml::documents(text) {
            let origin = Origin { file: file.clone(), line_offset: document.line_offset };
            let mut mistakes = Vec::new();
            match yaml::parse(document.text, &mut mistakes) {
                Ok(root) => {
                    let before = self.documents.len();
                    self.object(root, &origin);
                    if self.documents.len() > before {
                        self.diagnostics.extend(mistakes.into_iter().map(|mistake| {
                            Diagnostic::error(
                                codes::DUPLICATE_KEY,
                                &origin,
                                mistake.place,
                                mistake.message,
                            )
                        }));
                    }
                }
                // As `check` says it: a Secret's lines are nobody's to see.
                Err(_) => {
                    decode::read(&document, file, Store::Flags, &mut self.diagnostics);
                }
            }
        }
    }

    /// One object, or those of a list.
    fn object(&mut self, root: Node, origin: &Origin) {
        let text = |key| root.get(key).and_then(Node::as_str).unwrap_or_default();
        let (version, kind) = (text("apiVersion"), text("kind"));
        if kind.ends_with("List")
            && let Some(yaml::Value::List(items)) = root.get("items").map(|items| &items.value)
        {
            for item in items.iter() {
                self.object(item.clone(), origin);
            }
            return;
        }
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let ingress = matches!(kind, "Ingress" | "IngressClass");
        if ISTIO.contains(&group) || ingress && (group == INGRESS || group == "extensions") {
            self.documents.push(Document::new(root, origin.clone()));
            return;
        }
        if (version, kind) == ("v1", "Service") {
            self.services.learn(&root.json());
        }
        self.passed_over += usize::from(!kind.is_empty());
    }
}

/// Annotations go along, but for those that are about the old object itself.
fn annotations(root: &Cursor<'_>) -> Option<(&'static str, Value)> {
    let mut carried = serde_json::Map::new();
    let all = root.get("metadata").and_then(|metadata| metadata.get("annotations"));
    for (key, cursor) in all.map(|all| all.entries()).unwrap_or_default() {
        // What is left here is reported.
        if key == LAST_APPLIED {
            cursor.take();
        } else if !key.contains("istio.io/") {
            carried.insert(key.to_owned(), cursor.json());
            cursor.take();
        }
    }
    (!carried.is_empty()).then(|| ("annotations", carried.into()))
}

/// Metadata that every kind has: what is nobody's is taken, `labels` are carried.
fn metadata(root: &Cursor<'_>) -> (Option<String>, String, Vec<(&'static str, Value)>) {
    for key in ["apiVersion", "kind", "status"] {
        root.get(key).inspect(Cursor::take);
    }
    let Some(metadata) = root.get("metadata") else { return (None, String::new(), Vec::new()) };
    for key in SERVERS {
        metadata.get(key).inspect(Cursor::take);
    }
    let carried = metadata.get("labels").map(|labels| {
        labels.take();
        ("labels", labels.json())
    });
    let has_name = metadata.get("name").is_some();
    let namespace = metadata.text_of("namespace").map(str::to_owned);
    let name = metadata.text_of("name").unwrap_or_default().to_owned();
    if name.is_empty() && !has_name {
        let message = "an object without a name";
        root.unreadable(message, "write `metadata.name`");
    }
    (namespace, name, carried.into_iter().collect())
}
