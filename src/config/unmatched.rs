//! Flags that match nothing: a slip in one would otherwise show only as traffic that goes
//! elsewhere.
//!
//! What matches is looked up; all of a kind is looked at only where something doesn't, to say what
//! was likely meant.

use super::codes::FLAG_UNUSED;
use super::flags::Options;
use super::index::{Index, Tag};
use super::raw::{Listener, Origin, Place, Spec};
use super::{Diagnostic, suggest};
use crate::model::{Kind, Name, ObjectKey, Store};
use crate::{limits, names};

#[cfg(test)]
mod tests;

/// A warning for each flag that has no effect on these objects.
pub fn warnings(options: &Options, index: &Index) -> Vec<Diagnostic> {
    let endpoints = options.endpoints.keys();
    let endpoints = endpoints.filter_map(|(namespace, name)| endpoint(index, namespace, name));
    let ports = options.port_moves.keys().filter_map(|port| port_move(index, *port));
    let classes = options.classes.iter().filter_map(|name| class(index, name));
    endpoints.chain(ports).chain(classes).collect()
}

fn endpoint(index: &Index, namespace: &str, name: &str) -> Option<Diagnostic> {
    let is_there = |store| index.get(&ObjectKey::new(store, Kind::Service, namespace, name));
    if [Store::Files, Store::Cluster].into_iter().find_map(is_there).is_some() {
        return None;
    }
    let written = flag(namespace, name);
    let services: Vec<&ObjectKey> =
        index.objects().map(|object| &object.key).filter(|key| key.kind == Kind::Service).collect();
    let spelled: Vec<String> = services.iter().map(|key| flag(&key.namespace, &key.name)).collect();
    let elsewhere = services.iter().position(|key| *key.name == *name);
    let meant = elsewhere
        .map(|position| spelled[position].as_str())
        .or_else(|| suggest::nearest(&written, spelled.iter().map(String::as_str)));
    let help = match meant {
        Some(meant) => format!("did you mean `--endpoint {meant}=HOST:PORT`?"),
        None if spelled.is_empty() => "there is no Service here; a Backend says its endpoints \
                                       itself"
            .to_owned(),
        None => format!("the Services here are {}", some(spelled)),
    };
    let message = format!("there is no Service `{namespace}/{name}`: the flag has no effect");
    Some(warning(format!("--endpoint {written}"), message, help))
}

/// As it is typed: the default namespace goes without saying.
fn flag(namespace: &str, name: &str) -> String {
    if namespace == names::NAMESPACE_DEFAULT {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}

fn port_move(index: &Index, port: u16) -> Option<Diagnostic> {
    let objects = || {
        [Kind::Gateway, Kind::ListenerSet]
            .map(|kind| index.tagged(&Tag::All(kind)).collect::<Vec<_>>())
    };
    let mut ports: Vec<u16> = objects()
        .iter()
        .flatten()
        .flat_map(|object| listeners(&object.spec))
        .map(|listener| listener.port.value)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    if ports.contains(&port) {
        return None;
    }
    let help = match &ports[..] {
        [] => "there is no listener here".to_owned(),
        [one] => format!("the listeners here have port {one}: did you mean `--port {one}=…`?"),
        _ => format!("the listeners here have the ports {}", some(ports)),
    };
    let message = format!("no listener has port {port}: the flag has no effect");
    Some(warning(format!("--port {port}"), message, help))
}

fn listeners(spec: &Spec) -> &[Listener] {
    match spec {
        Spec::Gateway(gateway) => &gateway.listeners,
        Spec::ListenerSet(set) => &set.listeners,
        _ => &[],
    }
}

fn class(index: &Index, name: &Name) -> Option<Diagnostic> {
    let classes = index.tagged(&Tag::All(Kind::Gateway)).filter_map(|object| match &object.spec {
        Spec::Gateway(gateway) => Some(gateway.class.value.to_string()),
        _ => None,
    });
    let mut classes: Vec<String> = classes.collect();
    classes.sort_unstable();
    classes.dedup();
    if classes.iter().any(|class| **class == **name) {
        return None;
    }
    let help = match suggest::nearest(name, classes.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `--class {meant}`?"),
        None if classes.is_empty() => "there is no Gateway here".to_owned(),
        None => format!("the Gateways here have {}", some(classes)),
    };
    let message = format!("no Gateway has the class `{name}`: the flag has no effect");
    Some(warning(format!("--class {name}"), message, help))
}

/// The first few, as a list.
fn some(all: Vec<impl ToString>) -> String {
    let left = all.len().saturating_sub(limits::FLAG_CHOICES);
    let shown = all.iter().take(limits::FLAG_CHOICES).map(|one| format!("`{}`", one.to_string()));
    let shown = shown.collect::<Vec<_>>().join(", ");
    if left == 0 { shown } else { format!("{shown} and {left} more") }
}

/// The flag stands where another diagnostic has its file.
fn warning(flag: String, message: String, help: String) -> Diagnostic {
    let origin = Origin { file: flag.into(), line_offset: 0 };
    Diagnostic::warning(FLAG_UNUSED, &origin, Place { line: 0, column: 0 }, message).help(help)
}
