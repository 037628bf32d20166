//! Documents into objects: types, names, ranges and the rules that an API server would hold.
//!
//! One pass finds every mistake. An object with an error isn't used, as an API server would have
//! refused it: whoever called keeps its last good state.
//!
//! - Gateway API kinds are read with every field of v1.6, Standard and Experimental; what isn't
//!   one is an error. So it is for meshctl's own kinds.
//! - For Kubernetes' own kinds an unknown field is a warning: clusters differ.
//! - What an API server adds (`status`, `managedFields`, `uid`, …) is passed over.
//! - Enums that the Gateway API may grow (filters, path modifiers, namespaces) keep what they
//!   don't know, unless it is a slip of the fingers away from something known.
//!
//! This module must not know other objects, files or the clock.

mod base64;
mod deployment;
mod fields;
mod filters;
mod findings;
mod formats;
mod gateway;
mod grpc_route;
mod http_route;
mod json;
mod kubernetes;
mod meshctl;
mod metadata;
mod policy;
mod references;
mod rollout;
mod routes;
mod served;
#[cfg(test)]
mod tests;
mod unreadable;

use std::sync::Arc;

use fields::Fields;
use findings::Findings;
pub(super) use formats::is_label;
pub use metadata::from_files;
pub use served::versions;

use super::raw::{Object, Origin, Spec};
use super::{Diagnostic, Severity};
use crate::limits;
use crate::model::{Kind, ObjectKey, Store};
use crate::yaml::{self, DocumentText, Node, Value};

/// What a document turned out to be.
#[derive(Clone, Debug)]
pub enum Decoded {
    Object(Box<Object>),
    /// One of our kinds with an error in it; its key, where that much could be read.
    Broken(Option<ObjectKey>),
    /// The items of a `kind: List`.
    List(Vec<Self>),
    /// An object that isn't ours.
    Foreign,
    /// YAML, but no Kubernetes object.
    NotAnObject,
    /// Not even YAML; the object that it was most likely going to be.
    Unreadable(Option<ObjectKey>),
}

impl Decoded {
    /// Itself, or what a list holds, lists in lists included.
    pub fn flatten(self) -> Vec<Self> {
        match self {
            Self::List(items) => items.into_iter().flat_map(Self::flatten).collect(),
            other => vec![other],
        }
    }
}

/// Reads one document of a file; its mistakes are appended to `diagnostics`, as long as there are
/// less than `limits::DIAGNOSTICS`, and always one.
pub fn read(
    document: &DocumentText<'_>,
    file: &Arc<str>,
    store: Store,
    diagnostics: &mut Vec<Diagnostic>,
) -> Decoded {
    let origin = Origin { file: file.clone(), line_offset: document.line_offset };
    let before = diagnostics.len();
    let decoded = read_text(document.text, &origin, store, diagnostics);
    if document.text.contains("{{") {
        let above = document.line_offset;
        unreadable::tell_templates(diagnostics, before, document.text, above);
    }
    decoded
}

fn read_text(
    text: &str,
    origin: &Origin,
    store: Store,
    diagnostics: &mut Vec<Diagnostic>,
) -> Decoded {
    let mut mistakes = Vec::new();
    let root = match yaml::parse(text, &mut mistakes) {
        Ok(root) => root,
        Err(error) => {
            let hidden = served::may_hold_secret(text);
            diagnostics.push(unreadable::diagnostic(&error, text, origin, hidden));
            return Decoded::Unreadable(unreadable::key(text, store));
        }
    };
    let hidden = served::holds_secret(&root);
    let decoded = decode(&root, origin, store, diagnostics);
    if matches!(decoded, Decoded::Foreign | Decoded::NotAnObject) || mistakes.is_empty() {
        return decoded;
    }
    let room = limits::DIAGNOSTICS.saturating_sub(diagnostics.len()).max(1);
    let kept = mistakes.iter().take(room);
    let told = |mistake| unreadable::diagnostic(mistake, text, origin, hidden);
    diagnostics.extend(kept.map(told));
    decoded.broken()
}

/// Decodes an object as an API server has it. Its CRDs may be newer than what is known here, so an
/// unknown field is a warning, an unknown word is kept as such, and what breaks a rule that is
/// known here is left to lowering; an object is broken only when a value of it can't be held.
pub fn from_json(value: &serde_json::Value, store: Store) -> (Decoded, Vec<Diagnostic>) {
    let origin = Origin { file: "".into(), line_offset: 0 };
    let doc = json::node(value);
    let findings = Findings::new(&origin, served::holds_secret(&doc), 0).taken_by_a_cluster();
    let decoded = Document { origin: &origin, store, findings: &findings }.decode(&doc);
    let mut diagnostics = findings.into_diagnostics();
    // What was missing altogether was the object's undoing.
    if decoded.is_broken() && !any_error(&diagnostics) {
        diagnostics.iter_mut().for_each(|one| one.severity = Severity::Error);
    }
    (decoded, diagnostics)
}

/// Decodes one document, or the items of a list of them. The places of `doc` are its own; `origin`
/// says where in which file it stands.
pub fn decode(
    doc: &Node,
    origin: &Origin,
    store: Store,
    diagnostics: &mut Vec<Diagnostic>,
) -> Decoded {
    let findings = Findings::new(origin, served::holds_secret(doc), diagnostics.len());
    let decoded = Document { origin, store, findings: &findings }.decode(doc);
    diagnostics.extend(findings.into_diagnostics());
    decoded
}

impl Decoded {
    fn is_broken(&self) -> bool {
        match self {
            Self::Broken(_) | Self::Unreadable(_) => true,
            Self::List(items) => items.iter().any(Self::is_broken),
            Self::Object(_) | Self::Foreign | Self::NotAnObject => false,
        }
    }

    /// A key that is there twice spoils every object of its document.
    fn broken(self) -> Self {
        match self {
            Self::Object(object) => Self::Broken(Some(object.key)),
            Self::List(items) => Self::List(items.into_iter().map(Self::broken).collect()),
            other => other,
        }
    }
}

struct Document<'a> {
    origin: &'a Origin,
    store: Store,
    findings: &'a Findings<'a>,
}

impl Document<'_> {
    fn decode(&self, doc: &Node) -> Decoded {
        match served::recognise(doc, self.findings) {
            served::Recognised::Served(kind) => self.object(kind, doc),
            served::Recognised::List => self.list(doc),
            served::Recognised::Broken(kind) => {
                Decoded::Broken(kind.and_then(|kind| metadata::guess(doc, kind, self.store)))
            }
            served::Recognised::Foreign => Decoded::Foreign,
            served::Recognised::NotAnObject => Decoded::NotAnObject,
        }
    }

    fn list(&self, doc: &Node) -> Decoded {
        match doc.get("items").map(|items| &items.value) {
            Some(Value::List(items)) => {
                Decoded::List(items.iter().map(|item| self.decode(item)).collect())
            }
            _ => Decoded::List(Vec::new()),
        }
    }

    fn object(&self, kind: Kind, doc: &Node) -> Decoded {
        let before = self.findings.errors();
        self.findings.be_lenient(matches!(kind.group(), "" | crate::names::GROUP_DISCOVERY));
        let Some(mut fields) = Fields::open(doc, self.findings) else {
            return Decoded::Broken(None);
        };
        fields.ignore(&["apiVersion", "kind"]);
        let (key, meta) = metadata::decode(&mut fields, kind, self.store);
        let spec = spec(kind, &mut fields, meta.as_ref());
        if kind != Kind::EndpointSlice {
            fields.ignore(&["status"]);
        }
        fields.finish();
        match (key, meta, spec) {
            (Some(key), Some(meta), Some(spec)) if self.findings.errors() == before => {
                Decoded::Object(Box::new(Object { key, origin: self.origin.clone(), meta, spec }))
            }
            (key, ..) => Decoded::Broken(key.or_else(|| metadata::guess(doc, kind, self.store))),
        }
    }
}

/// `None` only after an error was reported.
fn spec(kind: Kind, object: &mut Fields<'_, '_>, meta: Option<&super::raw::Meta>) -> Option<Spec> {
    Some(match kind {
        Kind::GatewayClass => Spec::GatewayClass(gateway::class(object)?),
        Kind::Gateway => Spec::Gateway(gateway::gateway(object)?),
        Kind::ListenerSet => Spec::ListenerSet(gateway::listener_set(object)?),
        Kind::HttpRoute => Spec::HttpRoute(http_route::route(object)?),
        Kind::GrpcRoute => Spec::GrpcRoute(grpc_route::route(object)?),
        Kind::ReferenceGrant => Spec::ReferenceGrant(policy::grant(object)?),
        Kind::BackendTlsPolicy => Spec::BackendTlsPolicy(policy::backend_tls(object)?),
        Kind::Service => Spec::Service(kubernetes::service(object)?),
        Kind::EndpointSlice => Spec::EndpointSlice(kubernetes::endpoint_slice(object, meta)),
        Kind::Secret => Spec::Secret(kubernetes::secret(object)),
        Kind::ConfigMap => Spec::ConfigMap(kubernetes::config_map(object)),
        Kind::Namespace => Spec::Namespace(kubernetes::namespace(object)),
        Kind::Backend => Spec::Backend(meshctl::backend(object)?),
        Kind::TrafficPolicy => Spec::TrafficPolicy(meshctl::traffic_policy(object)?),
        Kind::MeshConfig => Spec::MeshConfig(meshctl::mesh_config(object)?),
        Kind::TrafficRollout => Spec::TrafficRollout(rollout::traffic_rollout(object)?),
    })
}

/// Whether any of them is an error, which makes `meshctl check` answer no.
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}
