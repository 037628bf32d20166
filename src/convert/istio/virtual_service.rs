//! VirtualService: HTTP routes into one HTTPRoute.

mod actions;

use serde_json::{Value, json};

pub(super) use actions::go_duration;

use super::conditions;
use super::destinations::{Destinations, Host};
use super::order::{self, Match, Ranked};
use super::{Gateways, annotations, export, metadata};
use crate::config::{Severity, codes};
use crate::convert::ledger::{Cursor, Document};
use crate::convert::made::{Made, RouteDraft};
use crate::limits;
use crate::names;

/// A rule before its order is settled.
struct Rule<'d> {
    cursor: Cursor<'d>,
    ranked: Ranked,
    /// Without `matches`.
    value: Value,
}

pub(super) fn convert(
    document: &Document,
    gateways: &Gateways,
    destinations: &mut Destinations<'_>,
    made: &mut Made,
) {
    let root = document.root();
    let (namespace, name, mut metadata) = metadata(&root);
    metadata.extend(annotations(&root));
    let Some(spec) = root.get("spec") else { return };
    export(&spec);
    let hosts: Vec<(String, Cursor<'_>)> = spec
        .list("hosts")
        .into_iter()
        .filter_map(|host| Some((host.text()?.to_ascii_lowercase(), host)))
        .collect();
    let parents = parents(&spec, &hosts, namespace.as_deref(), gateways);
    let mut rules = Vec::new();
    for http in spec.list("http") {
        rule(&http, namespace.as_deref(), destinations, made, &mut rules);
    }
    settle(&mut rules);
    let in_mesh = parents.iter().all(|parent| parent["kind"] == "Service");
    let everyone = hosts.iter().any(|(host, _)| host == "*");
    let hostnames = if in_mesh || everyone {
        Vec::new()
    } else {
        hosts.iter().map(|(host, _)| host.clone()).collect()
    };
    let rules: Vec<Value> = rules.iter().flat_map(written).collect();
    if rules.is_empty() || parents.is_empty() {
        return;
    }
    made.routes(
        "HTTPRoute",
        &RouteDraft { namespace, wanted: name, parents, hostnames, rules, metadata },
    );
}

/// The listeners of each Gateway that take its requests; Services where the mesh is meant.
fn parents(
    spec: &Cursor<'_>,
    hosts: &[(String, Cursor<'_>)],
    namespace: Option<&str>,
    gateways: &Gateways,
) -> Vec<Value> {
    let named: Vec<(&str, Cursor<'_>)> =
        spec.list("gateways").into_iter().filter_map(|one| Some((one.text()?, one))).collect();
    let mut parents = Vec::new();
    for (text, cursor) in &named {
        if *text == "mesh" {
            continue;
        }
        let (there, name) = match text.split_once('/') {
            None | Some((".", _)) => (namespace, text.trim_start_matches("./")),
            Some((there, name)) => (Some(there), name),
        };
        let mut parent = json!({"name": name});
        if there != namespace {
            parent["namespace"] = there.unwrap_or(names::NAMESPACE_DEFAULT).into();
        }
        match gateways.get(&(there.map(str::to_owned), name.to_owned())) {
            None => {
                let help = "convert it together with the Gateway, or write one of this name";
                cursor.differs(format!("Gateway {text} is not among what is converted"), help);
                parents.push(parent);
            }
            Some(listeners) if listeners.iter().all(|listener| !listener.redirects) => {
                parents.push(parent)
            }
            // A listener that sends everything to HTTPS has a route of its own.
            Some(listeners) => {
                let takes = |listener: &&super::Listener| {
                    !listener.redirects
                        && hosts.iter().any(|(host, _)| meets(host, listener.hostname.as_deref()))
                };
                parents.extend(listeners.iter().filter(takes).map(|listener| {
                    let mut parent = parent.clone();
                    parent["sectionName"] = listener.section.as_str().into();
                    parent
                }));
            }
        }
    }
    let mesh = named.iter().find(|(text, _)| *text == "mesh").map(|(_, cursor)| cursor.clone());
    if named.is_empty() || mesh.is_some() {
        let only = parents.is_empty();
        let cursor = mesh.or_else(|| spec.get("hosts")).unwrap_or_else(|| spec.clone());
        let help =
            "the route is written for its Services, and not served by this version: name a Gateway";
        let help = if only { help } else { "the route is written for its Gateways alone" };
        cursor.lost("requests between workloads are not routed yet", help);
        if only {
            for (host, _) in hosts {
                if let Host::Service(there, name) = Host::of(host, namespace) {
                    let mut parent = json!({"group": "", "kind": "Service", "name": name});
                    if there.as_deref() != namespace {
                        parent["namespace"] = there.into();
                    }
                    parents.push(parent);
                }
            }
        }
    }
    if parents.len() > limits::PARENT_REFS {
        spec.lost(format!("a route has {} parents", limits::PARENT_REFS), "divide it");
        parents.truncate(limits::PARENT_REFS);
    }
    parents
}

/// Whether a listener could take requests to a host.
fn meets(host: &str, listener: Option<&str>) -> bool {
    let below = |name: &str, pattern: &str| {
        pattern.strip_prefix('*').is_some_and(|end| name.ends_with(end))
    };
    listener.is_none_or(|listener| {
        host == "*" || host == listener || below(host, listener) || below(listener, host)
    })
}

fn rule<'d>(
    http: &Cursor<'d>,
    namespace: Option<&str>,
    destinations: &mut Destinations<'_>,
    made: &mut Made,
    rules: &mut Vec<Rule<'d>>,
) {
    let asked = http.list("match");
    let matches: Vec<Match> = match asked.as_slice() {
        [] => vec![Match::default()],
        several => several.iter().filter_map(conditions::read).collect(),
    };
    let rule = actions::read(http, namespace, destinations, made);
    if matches.is_empty() {
        return;
    }
    let rewrite = http.get("rewrite").and_then(|rewrite| rewrite.get("uri"));
    let Some((cursor, uri)) = rewrite.and_then(|uri| Some((uri.clone(), uri.text()?))) else {
        rules.push(Rule {
            cursor: http.clone(),
            ranked: Ranked { matches, may_grow: true },
            value: rule,
        });
        return;
    };
    // What is replaced depends on the match, and a rule that replaces a prefix has but one.
    for one in matches {
        let kind = one.path.as_ref().map_or("PathPrefix", |(kind, _)| *kind);
        let modifier = match kind {
            "Exact" => json!({"type": "ReplaceFullPath", "replaceFullPath": uri}),
            "PathPrefix" => json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": uri}),
            _ => {
                let help = "write the rule by hand; its requests are answered with 500";
                cursor.lost("a path that an expression matched can't be rewritten", help);
                let value = closed();
                let ranked = Ranked { matches: vec![one], may_grow: true };
                rules.push(Rule { cursor: http.clone(), ranked, value });
                continue;
            }
        };
        let mut value = rule.clone();
        actions::rewrite(&mut value, "path", modifier);
        let ranked = Ranked { matches: vec![one], may_grow: kind == "Exact" };
        rules.push(Rule { cursor: http.clone(), ranked, value });
    }
}

/// A rule whose requests are answered with 500: they must not go to another one.
fn closed() -> Value {
    json!({})
}

fn settle(rules: &mut [Rule<'_>]) {
    let mut ranked: Vec<Ranked> = rules
        .iter_mut()
        .map(|rule| Ranked {
            matches: std::mem::take(&mut rule.ranked.matches),
            may_grow: rule.ranked.may_grow,
        })
        .collect();
    let outcome = order::keep(&mut ranked);
    for (rule, ranked) in rules.iter_mut().zip(ranked) {
        rule.ranked = ranked;
    }
    for at in outcome.grown {
        let help = "Istio takes the first rule that matches, the Gateway API the most specific one";
        rules[at].cursor.tell(
            Severity::Warning,
            codes::CARRIED_DIFFERENTLY,
            "the rule has more matches here, so that it still wins against later ones".to_owned(),
            help,
        );
    }
    for (earlier, later) in outcome.wrong {
        let line = rules[earlier].cursor.line();
        let message =
            format!("this rule may win against that of line {line}, which comes first in Istio");
        let help = "the most specific rule wins here: add the conditions of the first to this one";
        rules[later].cursor.tell(Severity::Error, codes::ORDER_MATTERS, message, help);
    }
    if let (true, Some(rule)) = (outcome.unknown, rules.first()) {
        let message = format!(
            "there are more than {} matches: their order was not compared",
            limits::CONVERT_MATCHES
        );
        let help = "divide the VirtualService by hosts";
        rule.cursor.tell(Severity::Error, codes::ORDER_MATTERS, message, help);
    }
}

/// A rule has up to 64 matches.
fn written<'r>(rule: &'r Rule<'_>) -> impl Iterator<Item = Value> + 'r {
    /// Below the Gateway API's bound of 128 for the rules of a route, which have more than one.
    const MATCHES: usize = 8;
    rule.ranked.matches.chunks(MATCHES).map(|matches| {
        let mut object = json!({});
        let everything = matches == [Match::default()];
        if !everything {
            object["matches"] = matches.iter().map(Match::json).collect();
        }
        for (field, value) in rule.value.as_object().into_iter().flatten() {
            object[field] = value.clone();
        }
        object
    })
}
