//! References to other objects: which of the seven fields a place has, and their defaults.

use super::fields::Fields;
use super::findings::Findings;
use super::formats;
use crate::config::codes;
use crate::config::raw::{At, Place, Reference};
use crate::model::Name;
use crate::names::GROUP_GATEWAY_API;
use crate::yaml::Node;

/// `None` for group and kind: they must be written.
pub(super) struct Shape {
    group: Option<&'static str>,
    kind: Option<&'static str>,
    namespace: bool,
    section_name: bool,
    port: bool,
}

const BARE: Shape =
    Shape { group: None, kind: None, namespace: false, section_name: false, port: false };

pub(super) const PARENT: Shape = Shape {
    group: Some(GROUP_GATEWAY_API),
    kind: Some("Gateway"),
    namespace: true,
    section_name: true,
    port: true,
};
/// A ListenerSet's `parentRef`: a whole Gateway.
pub(super) const PARENT_GATEWAY: Shape = Shape { section_name: false, port: false, ..PARENT };
pub(super) const BACKEND: Shape =
    Shape { group: Some(""), kind: Some("Service"), namespace: true, port: true, ..BARE };
pub(super) const SECRET: Shape =
    Shape { group: Some(""), kind: Some("Secret"), namespace: true, ..BARE };
/// In the same namespace.
pub(super) const LOCAL: Shape = BARE;
pub(super) const ANY_NAMESPACE: Shape = Shape { namespace: true, ..BARE };
pub(super) const POLICY_TARGET: Shape = Shape { section_name: true, ..BARE };

pub(super) fn reference(node: &Node, shape: &Shape, findings: &Findings<'_>) -> Option<Reference> {
    let mut fields = Fields::open(node, findings)?;
    let reference = of_fields(&mut fields, shape);
    fields.finish();
    Some(reference)
}

/// For maps that hold more than the reference.
pub(super) fn of_fields(fields: &mut Fields<'_, '_>, shape: &Shape) -> Reference {
    let group = named(fields, "group", &formats::GROUP, shape.group);
    let kind = named(fields, "kind", &formats::KIND, shape.kind);
    let name = fields.required_text("name", &formats::FILLED);
    let namespace = shape.namespace.then(|| fields.text("namespace", &formats::LABEL)).flatten();
    let section_name =
        shape.section_name.then(|| fields.text("sectionName", &formats::SUBDOMAIN)).flatten();
    let port = shape.port.then(|| fields.port("port")).flatten();
    Reference {
        place: if name.place == Place::default() { fields.place } else { name.place },
        group,
        kind,
        namespace: namespace.map(|at| at.value),
        name: name.value,
        section_name: section_name.map(|at| at.value),
        port: port.map(|at| at.value),
    }
}

fn named(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    format: &formats::Format,
    default: Option<&'static str>,
) -> Name {
    let found: Option<At<Name>> = match default {
        None => return fields.required_text(name, format).value,
        Some(_) => fields.text(name, format),
    };
    found.map_or_else(|| default.unwrap_or_default().into(), |at| at.value)
}

/// "Must have port for Service reference".
pub(super) fn needs_port(reference: &Reference, fields: &Fields<'_, '_>) {
    let is_service = reference.group.is_empty() && &*reference.kind == "Service";
    if is_service && reference.port.is_none() && !fields.has("port") {
        let help = "which port of the Service?";
        let message = "missing field `port`";
        fields.findings.error_help(codes::MISSING_FIELD, fields.place, message, help);
    }
}
