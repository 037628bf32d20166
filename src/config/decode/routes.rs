//! What HTTPRoute and GRPCRoute share.

use std::collections::HashSet;
use std::hash::Hash;

use super::fields::Fields;
use super::findings::{Findings, Spot};
use super::references::{self, PARENT};
use super::{filters, formats};
use crate::config::codes;
use crate::config::raw::{At, BackendRef, Filter, Reference, SessionPersistence, ValueMatch};
use crate::limits;
use crate::model::Name;
use crate::yaml::Node;

/// All rules together; the schema's own bound on an etcd object.
pub(super) const MATCHES: usize = 128;

pub(super) fn parents(spec: &mut Fields<'_, '_>) -> Vec<Reference> {
    let findings = spec.findings;
    let parents = spec.list("parentRefs", limits::PARENT_REFS, |node| {
        references::reference(node, &PARENT, findings)
    });
    // More were reported, and are compared with nothing.
    distinct_parents(&parents[..parents.len().min(limits::PARENT_REFS)], findings);
    spec.choice("useDefaultGateways", &["All", "None"]);
    parents
}

/// Two references to one parent name different sections or ports of it, each of them. Compares
/// every pair: callers bound the list.
fn distinct_parents(parents: &[Reference], findings: &Findings<'_>) {
    for (at, one) in parents.iter().enumerate() {
        let same = |other: &&Reference| {
            (&one.group, &one.kind, &one.name, &one.namespace)
                == (&other.group, &other.kind, &other.name, &other.namespace)
        };
        for other in parents[..at].iter().filter(same) {
            let whole = |r: &Reference| r.section_name.is_none() && r.port.is_none();
            let message = if (&one.section_name, one.port) == (&other.section_name, other.port) {
                format!("this parent is line {}'s again", other.place.line)
            } else if whole(one) || whole(other) {
                "several references to one parent each need a `sectionName` or `port`".to_owned()
            } else {
                continue;
            };
            findings.error(codes::REPEATED, one.place, message);
            break;
        }
    }
}

pub(super) fn hostnames(spec: &mut Fields<'_, '_>) -> Vec<At<Name>> {
    spec.texts("hostnames", 16, &formats::WILDCARD_HOSTNAME)
}

pub(super) fn backends(rule: &mut Fields<'_, '_>, family: filters::Family) -> Vec<BackendRef> {
    let findings = rule.findings;
    rule.list("backendRefs", limits::BACKEND_REFS, |node| backend(node, family, findings))
}

fn backend(node: &Node, family: filters::Family, findings: &Findings<'_>) -> Option<BackendRef> {
    let mut fields = Fields::open(node, findings)?;
    let reference = references::of_fields(&mut fields, &references::BACKEND);
    references::needs_port(&reference, &fields);
    let backend = BackendRef {
        reference,
        weight: fields.number("weight", 0..=limits::WEIGHT).unwrap_or(At::nowhere(1)),
        filters: filters::filters(&mut fields, family),
    };
    fields.finish();
    Some(backend)
}

/// The `headers` or `queryParams` of a match.
pub(super) fn value_matches(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    format: &formats::Format,
) -> Vec<ValueMatch> {
    let findings = fields.findings;
    let matches = fields.list(name, 16, |node| {
        let mut fields = Fields::open(node, findings)?;
        let found = ValueMatch {
            kind: fields.choice_or("type", &["Exact", "RegularExpression"], "Exact"),
            name: fields.required_text("name", &formats::HEADER_NAME),
            value: fields.required_text("value", format),
        };
        fields.finish();
        Some(found)
    });
    distinct(findings, matches.iter().map(|found| (&found.name, &*found.name.value)));
    matches
}

/// Reports every item whose key was there before.
pub(super) fn distinct<S: Into<Spot>, K: Hash + Eq + std::fmt::Display>(
    findings: &Findings<'_>,
    items: impl Iterator<Item = (S, K)>,
) {
    let mut seen = HashSet::new();
    for (spot, key) in items {
        let shown = findings.value(&key.to_string());
        if !seen.insert(key) {
            findings.error(codes::REPEATED, spot, format!("{shown} is there twice"));
        }
    }
}

pub(super) fn rule_names<'r>(
    names: impl Iterator<Item = Option<&'r At<Name>>>,
    findings: &Findings<'_>,
) {
    distinct(findings, names.flatten().map(|name| (name, &*name.value)));
}

pub(super) fn total_matches(counts: impl Iterator<Item = usize>, spec: &Fields<'_, '_>) {
    let total: usize = counts.sum();
    if total > MATCHES {
        let message =
            format!("the rules have {total} matches in all, at most {MATCHES} are allowed");
        spec.findings.error(codes::BAD_LENGTH, spec.place, message);
    }
}

pub(super) fn session_persistence(rule: &mut Fields<'_, '_>) -> Option<SessionPersistence> {
    let mut fields = rule.map("sessionPersistence")?;
    let place = fields.place;
    let session_name = fields.text("sessionName", &formats::SESSION_NAME);
    let absolute_timeout = fields.duration("absoluteTimeout");
    let idle_timeout = fields.duration("idleTimeout");
    let kind = fields.choice_or("type", &["Cookie", "Header"], "Cookie");
    let has_cookie = fields.has("cookieConfig");
    let mut cookie_lifetime = At::nowhere("Session".into());
    if let Some(mut cookie) = fields.map("cookieConfig") {
        cookie_lifetime = cookie.choice_or("lifetimeType", &["Permanent", "Session"], "Session");
        cookie.finish();
    }
    if has_cookie && &*kind.value == "Header" {
        let help = "remove `cookieConfig`, or write `type: Cookie`";
        fields.conflict(&kind, "`cookieConfig` goes with type `Cookie`", help);
    }
    if &*cookie_lifetime.value == "Permanent" && !fields.has("absoluteTimeout") {
        let message = "a `Permanent` cookie needs an `absoluteTimeout`";
        let help = "write `absoluteTimeout`, or `lifetimeType: Session`";
        fields.conflict(&cookie_lifetime, message, help);
    }
    fields.finish();
    Some(SessionPersistence {
        place,
        session_name,
        absolute_timeout,
        idle_timeout,
        kind,
        cookie_lifetime,
    })
}

/// Whether any filter replaces the matched prefix.
pub(super) fn replaces_prefix<'r>(
    mut filters: impl Iterator<Item = &'r Filter>,
) -> Option<&'r Filter> {
    use crate::config::raw::{FilterKind, PathModifier};
    filters.find(|filter| {
        let path = match &filter.kind {
            FilterKind::RequestRedirect(redirect) => &redirect.path,
            FilterKind::UrlRewrite(rewrite) => &rewrite.path,
            _ => return false,
        };
        matches!(path, Some(PathModifier::ReplacePrefixMatch(_)))
    })
}
