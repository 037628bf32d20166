//! ReferenceGrant and BackendTLSPolicy.

use super::fields::Fields;
use super::findings::Findings;
use super::formats;
use super::references::{self, reference};
use crate::config::codes;
use crate::config::raw::{At, BackendTlsPolicy, Reference, ReferenceGrant};
use crate::model::Name;
use crate::yaml::Node;

pub(super) fn grant(object: &mut Fields<'_, '_>) -> Option<ReferenceGrant> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let grant = ReferenceGrant {
        from: spec.required_list("from", 16, |node| {
            let mut fields = Fields::open(node, findings)?;
            let group = fields.required_text("group", &formats::GROUP);
            let kind = fields.required_text("kind", &formats::KIND);
            let namespace = fields.required_text("namespace", &formats::LABEL);
            fields.finish();
            Some((group.value, kind.value, namespace.value))
        }),
        to: spec.required_list("to", 16, |node| {
            let mut fields = Fields::open(node, findings)?;
            let group = fields.required_text("group", &formats::GROUP);
            let kind = fields.required_text("kind", &formats::KIND);
            let name = fields.text("name", &formats::FILLED);
            fields.finish();
            Some((group.value, kind.value, name.map(|at| at.value)))
        }),
    };
    spec.finish();
    Some(grant)
}

pub(super) fn backend_tls(object: &mut Fields<'_, '_>) -> Option<BackendTlsPolicy> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let targets = spec.required_list("targetRefs", TARGETS, |node| {
        reference(node, &references::POLICY_TARGET, findings)
    });
    distinct_targets(&targets, findings);
    spec.text_map("options");
    let validation = spec.required_map("validation").map(|fields| {
        if !fields.has("hostname") {
            fields.missing("hostname");
        }
        validation(fields)
    });
    spec.finish();
    let Validation { hostname, ca_certificate_refs, well_known_ca, subject_alt_names } =
        validation?;
    Some(BackendTlsPolicy {
        targets,
        hostname: hostname.unwrap_or_else(|| At::nowhere("".into())),
        ca_certificate_refs,
        well_known_ca,
        subject_alt_names,
    })
}

/// A policy's `targetRefs`.
pub(super) const TARGETS: usize = 16;

/// Two references to one target name different sections of it, each of them. What is over the
/// list's bound was reported, and isn't compared.
pub(super) fn distinct_targets(targets: &[Reference], findings: &Findings<'_>) {
    for (at, one) in targets.iter().enumerate().take(TARGETS) {
        let same = |other: &Reference| {
            (&one.group, &one.kind, &one.name) == (&other.group, &other.kind, &other.name)
                && (one.section_name == other.section_name
                    || one.section_name.is_none()
                    || other.section_name.is_none())
        };
        if targets[..at].iter().any(same) {
            let message = "several references to one target each need a `sectionName` of their own";
            findings.error(codes::REPEATED, one.place, message);
        }
    }
}

/// How a backend's certificate is checked: BackendTLSPolicy's and XBackend's `validation`.
pub(super) struct Validation {
    pub(super) hostname: Option<At<Name>>,
    pub(super) ca_certificate_refs: Vec<Reference>,
    pub(super) well_known_ca: Option<At<Name>>,
    pub(super) subject_alt_names: Vec<(At<Name>, At<Name>)>,
}

pub(super) fn validation(mut fields: Fields<'_, '_>) -> Validation {
    let findings = fields.findings;
    let validation = Validation {
        hostname: fields.text("hostname", &formats::HOSTNAME),
        ca_certificate_refs: fields
            .list("caCertificateRefs", 8, |node| reference(node, &references::LOCAL, findings)),
        well_known_ca: fields.text("wellKnownCACertificates", &formats::WELL_KNOWN_CA),
        subject_alt_names: fields
            .list("subjectAltNames", 5, |node| subject_alt_name(node, findings)),
    };
    match (&validation.well_known_ca, validation.ca_certificate_refs.is_empty()) {
        (Some(known), false) => {
            let message = "`caCertificateRefs` and `wellKnownCACertificates` exclude each other";
            fields.conflict(known, message, "remove one of them");
        }
        (None, true) if !fields.has("caCertificateRefs") => {
            let message = "missing `caCertificateRefs` or `wellKnownCACertificates`";
            let help = "`wellKnownCACertificates: System` trusts what the system trusts";
            findings.error_help(codes::MISSING_FIELD, fields.place, message, help);
        }
        _ => {}
    }
    fields.finish();
    validation
}

fn subject_alt_name(node: &Node, findings: &Findings<'_>) -> Option<(At<Name>, At<Name>)> {
    let mut fields = Fields::open(node, findings)?;
    let kind = fields.required_choice("type", &["Hostname", "URI"]);
    let hostname = fields.text("hostname", &formats::WILDCARD_HOSTNAME);
    let uri = fields.text("uri", &formats::URI);
    let (wanted, member, other) = match &*kind.value {
        "URI" => (uri, "uri", hostname),
        _ => (hostname, "hostname", uri),
    };
    if fields.has("type") && (!fields.has(member) || other.is_some()) {
        let message = format!("type `{}` goes with `{member}` alone", kind.value);
        findings.error(codes::WRONG_MEMBER, &kind, message);
    }
    fields.finish();
    Some((kind, wanted?))
}
