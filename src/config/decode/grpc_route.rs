//! GRPCRoute.

use super::fields::Fields;
use super::filters::{self, Family};
use super::findings::Findings;
use super::{formats, routes};
use crate::config::codes;
use crate::config::raw::{GrpcMatch, GrpcMethodMatch, GrpcRoute, GrpcRule};
use crate::yaml::Node;

pub(super) fn route(object: &mut Fields<'_, '_>) -> Option<GrpcRoute> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let route = GrpcRoute {
        parents: routes::parents(&mut spec),
        hostnames: routes::hostnames(&mut spec),
        rules: spec.list("rules", 16, |node| rule(node, findings)),
    };
    routes::rule_names(route.rules.iter().map(|rule| rule.name.as_ref()), findings);
    routes::total_matches(route.rules.iter().map(|rule| rule.matches.len()), &spec);
    spec.finish();
    Some(route)
}

fn rule(node: &Node, findings: &Findings<'_>) -> Option<GrpcRule> {
    let mut fields = Fields::open(node, findings)?;
    let rule = GrpcRule {
        place: fields.place,
        name: fields.text("name", &formats::SUBDOMAIN),
        matches: fields.list("matches", 64, |node| grpc_match(node, findings)),
        filters: filters::filters(&mut fields, Family::Grpc),
        backends: routes::backends(&mut fields, Family::Grpc),
        session_persistence: routes::session_persistence(&mut fields),
    };
    fields.finish();
    Some(rule)
}

fn grpc_match(node: &Node, findings: &Findings<'_>) -> Option<GrpcMatch> {
    let mut fields = Fields::open(node, findings)?;
    let found = GrpcMatch {
        place: fields.place,
        method: method(&mut fields),
        headers: routes::value_matches(&mut fields, "headers", &formats::MATCH_VALUE),
    };
    fields.finish();
    Some(found)
}

fn method(fields: &mut Fields<'_, '_>) -> Option<GrpcMethodMatch> {
    let mut fields = fields.map("method")?;
    let kind = fields.choice_or("type", &["Exact", "RegularExpression"], "Exact");
    let (service, method) = if &*kind.value == "RegularExpression" {
        (&formats::LONG, &formats::LONG)
    } else {
        (&formats::GRPC_SERVICE, &formats::GRPC_METHOD)
    };
    let found = GrpcMethodMatch {
        service: fields.text("service", service),
        method: fields.text("method", method),
        kind,
    };
    if !fields.has("service") && !fields.has("method") {
        let message = "`method` needs a `service`, a `method` or both";
        let help = "write one of them, or leave the outer `method` out to match all";
        fields.findings.error_help(codes::MISSING_FIELD, fields.place, message, help);
    }
    fields.finish();
    Some(found)
}
