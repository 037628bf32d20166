//! HTTPRoute.

use super::fields::Fields;
use super::filters::{self, Family};
use super::findings::Findings;
use super::{formats, routes};
use crate::config::codes;
use crate::config::raw::{At, FilterKind, HttpMatch, HttpRoute, HttpRule, Retry, Timeouts};
use crate::model::Name;
use crate::yaml::Node;

const METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
const PATH_TYPES: &[&str] = &["Exact", "PathPrefix", "RegularExpression"];

pub(super) fn route(object: &mut Fields<'_, '_>) -> Option<HttpRoute> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let route = HttpRoute {
        parents: routes::parents(&mut spec),
        hostnames: routes::hostnames(&mut spec),
        rules: if spec.has("rules") {
            spec.required_list("rules", 16, |node| rule(node, findings))
        } else {
            spec.ignore(&["rules"]);
            vec![default_rule(&spec)]
        },
    };
    routes::rule_names(route.rules.iter().map(|rule| rule.name.as_ref()), findings);
    routes::total_matches(route.rules.iter().map(|rule| rule.matches.len()), &spec);
    spec.finish();
    Some(route)
}

/// The schema's default: everything, to nowhere.
fn default_rule(spec: &Fields<'_, '_>) -> HttpRule {
    HttpRule {
        place: spec.place,
        name: None,
        matches: Vec::new(),
        filters: Vec::new(),
        backends: Vec::new(),
        timeouts: Timeouts::default(),
        retry: None,
        session_persistence: None,
    }
}

fn rule(node: &Node, findings: &Findings<'_>) -> Option<HttpRule> {
    let mut fields = Fields::open(node, findings)?;
    let rule = HttpRule {
        place: fields.place,
        name: fields.text("name", &formats::SUBDOMAIN),
        matches: fields.list("matches", 64, |node| http_match(node, findings)),
        filters: filters::filters(&mut fields, Family::Http),
        backends: routes::backends(&mut fields, Family::Http),
        timeouts: timeouts(&mut fields),
        retry: retry(&mut fields),
        session_persistence: routes::session_persistence(&mut fields),
    };
    fields.finish();
    check_rule(&rule, findings);
    Some(rule)
}

fn check_rule(rule: &HttpRule, findings: &Findings<'_>) {
    let redirect = rule.filters.iter().find(|f| matches!(f.kind, FilterKind::RequestRedirect(_)));
    if let (Some(redirect), false) = (redirect, rule.backends.is_empty()) {
        let message = "a rule with a RequestRedirect filter can't have `backendRefs`";
        findings.error_help(
            codes::CONFLICT,
            redirect.place,
            message,
            "remove `backendRefs`: a redirected request goes to no backend",
        );
    }
    let all = rule.filters.iter().chain(rule.backends.iter().flat_map(|backend| &backend.filters));
    if let (Some(filter), false) = (routes::replaces_prefix(all), matches_one_prefix(rule)) {
        let message =
            "`replacePrefixMatch` needs exactly one match in its rule, of type `PathPrefix`";
        let help = "give the rule one PathPrefix match, or use `ReplaceFullPath`";
        findings.error_help(codes::CONFLICT, filter.place, message, help);
    }
}

/// No match at all is the default one: the prefix `/`.
fn matches_one_prefix(rule: &HttpRule) -> bool {
    match rule.matches.as_slice() {
        [] => true,
        [only] => only.path.as_ref().is_none_or(|(kind, _)| &*kind.value == "PathPrefix"),
        _ => false,
    }
}

fn http_match(node: &Node, findings: &Findings<'_>) -> Option<HttpMatch> {
    let mut fields = Fields::open(node, findings)?;
    let found = HttpMatch {
        place: fields.place,
        path: path(&mut fields),
        method: fields.choice("method", METHODS),
        headers: routes::value_matches(&mut fields, "headers", &formats::HEADER_VALUE),
        query_params: routes::value_matches(&mut fields, "queryParams", &formats::QUERY_VALUE),
    };
    fields.finish();
    Some(found)
}

fn path(fields: &mut Fields<'_, '_>) -> Option<(At<Name>, At<Name>)> {
    let mut path = fields.map("path")?;
    let kind = path.choice_or("type", PATH_TYPES, "PathPrefix");
    let format = if &*kind.value == "RegularExpression" { &formats::LONG } else { &formats::PATH };
    let value = path.text("value", format).unwrap_or_else(|| At::nowhere("/".into()));
    path.finish();
    Some((kind, value))
}

pub(super) fn timeouts(rule: &mut Fields<'_, '_>) -> Timeouts {
    let Some(mut fields) = rule.map("timeouts") else { return Timeouts::default() };
    let timeouts = Timeouts {
        request: fields.duration("request"),
        backend_request: fields.duration("backendRequest"),
    };
    longer_than_request(&timeouts, &fields);
    fields.finish();
    timeouts
}

/// Zero is no timeout.
pub(super) fn longer_than_request(timeouts: &Timeouts, fields: &Fields<'_, '_>) {
    if let (Some(request), Some(attempt)) = (&timeouts.request, &timeouts.backend_request)
        && !request.is_zero()
        && attempt.value > request.value
    {
        let message = "`backendRequest` can't be longer than `request`";
        let help = "`backendRequest` is for one try, `request` for all of them: shorten the former";
        fields.conflict(attempt.place, message, help);
    }
}

fn retry(rule: &mut Fields<'_, '_>) -> Option<Retry> {
    let mut fields = rule.map("retry")?;
    let findings = fields.findings;
    let retry = Retry {
        codes: fields
            .list("codes", usize::MAX, |node| super::fields::number(node, &(400..=599), findings)),
        attempts: fields.number("attempts", 1..=u32::MAX),
        backoff: fields.duration("backoff"),
    };
    routes::distinct(findings, retry.codes.iter().map(|code| (code.place, code.value)));
    fields.finish();
    Some(retry)
}
