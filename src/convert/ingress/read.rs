//! An Ingress, as far as it can be read alone.

use serde_json::Value;

use super::annotations::{Reader, Settings};
use crate::convert::ledger::{Cursor, Document};
use crate::convert::metadata;
use crate::convert::services::Services;

/// One Ingress, read as far as it stands alone.
pub(super) struct Ingress<'d> {
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) class: String,
    pub(super) metadata: Vec<(&'static str, Value)>,
    pub(super) settings: Settings<'d>,
    pub(super) spec: Option<Cursor<'d>>,
    /// In the order of the text.
    pub(super) paths: Vec<Path<'d>>,
}

/// One path of one host.
pub(super) struct Path<'d> {
    pub(super) cursor: Option<Cursor<'d>>,
    pub(super) host: Option<String>,
    pub(super) path: String,
    pub(super) path_type: String,
    /// `None`: reported.
    pub(super) backend: Option<(String, u16)>,
}

/// Which controller serves is what our own class says; parameters are reported as unread.
pub(super) fn class(document: &Document) {
    let root = document.root();
    let _ = metadata(&root);
    let annotations = root.get("metadata").and_then(|metadata| metadata.get("annotations"));
    annotations.inspect(Cursor::take);
    root.get("spec").and_then(|spec| spec.get("controller")).inspect(Cursor::take);
}

pub(super) fn read<'d>(document: &'d Document, services: &Services) -> Ingress<'d> {
    let root = document.root();
    let (namespace, name, mut carried) = metadata(&root);
    let reader = Reader::new(root.get("metadata").as_ref());
    let mut settings = reader.settings();
    if !settings.carried.is_empty() {
        carried.push(("annotations", std::mem::take(&mut settings.carried).into()));
    }
    let spec = root.get("spec");
    let old = reader.cursor("kubernetes.io/ingress.class").and_then(|class| class.text());
    let named = spec.as_ref().and_then(|spec| spec.text_of("ingressClassName"));
    let mut ingress = Ingress {
        class: named.or(old).unwrap_or("ingress").to_owned(),
        namespace,
        name,
        metadata: carried,
        settings,
        paths: Vec::new(),
        spec: spec.clone(),
    };
    for rule in spec.iter().flat_map(|spec| spec.list("rules")) {
        rule_of(&rule, &mut ingress, services);
    }
    if let Some(backend) = spec.and_then(|spec| spec.get("defaultBackend")) {
        let found = backend_of(&backend, ingress.namespace.as_deref(), services);
        ingress.paths.push(Path {
            cursor: None,
            host: None,
            path: "/".to_owned(),
            path_type: "Prefix".to_owned(),
            backend: found,
        });
    }
    ingress
}

fn rule_of<'d>(rule: &Cursor<'d>, ingress: &mut Ingress<'d>, services: &Services) {
    let host = rule.text_of("host").filter(|host| !host.is_empty()).map(str::to_ascii_lowercase);
    let Some(http) = rule.get("http") else {
        let why = "a host without paths sends everything to the default backend";
        return rule.lost(why, "write its path `/`, with the default backend's Service");
    };
    for cursor in http.list("paths") {
        let path = cursor.text_of("path").filter(|path| !path.is_empty()).unwrap_or("/");
        let path_type = cursor.text_of("pathType").unwrap_or("ImplementationSpecific");
        if let (false, Some(kind)) = (
            ["Prefix", "Exact", "ImplementationSpecific"].contains(&path_type),
            cursor.get("pathType"),
        ) {
            kind.unreadable(format!("`{path_type}` is no type of path"), "write Prefix or Exact");
        }
        let namespace = ingress.namespace.as_deref();
        let backend = match cursor.get("backend") {
            Some(backend) => backend_of(&backend, namespace, services),
            None => {
                cursor.unreadable("a path without a backend", "write `backend`");
                None
            }
        };
        ingress.paths.push(Path {
            path: path.to_owned(),
            path_type: path_type.to_owned(),
            host: host.clone(),
            backend,
            cursor: Some(cursor),
        });
    }
}

fn backend_of(
    backend: &Cursor<'_>,
    namespace: Option<&str>,
    services: &Services,
) -> Option<(String, u16)> {
    if let Some(resource) = backend.get("resource") {
        resource.lost("a backend that is no Service is not read", "name a Service or a Backend");
        return None;
    }
    let service = backend.get("service")?;
    let name = service.text_of("name")?.to_owned();
    let port = service.get("port")?;
    if port.get("number").is_some() {
        return port.port_of("number").map(|number| (name, number));
    }
    let wanted = port.text_of("name")?;
    let number = services.named(namespace, &name, wanted);
    if number.is_none() {
        let message = format!("which number has port `{wanted}` of Service {name}?");
        port.unreadable(message, "convert it together with its Service, or write `number`");
    }
    Some((name, number?))
}
