//! A route's rules, one part each. Where its Gateways differ in what they bring (a client
//! certificate for backends, timeouts), a rule becomes one part per difference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::filters::Trouble;
use super::rule::{self, Matches, Plan, Written};
use super::unit::{Claim, GatewayTraits, Made, Output, RouteShape, UnitKey};
use super::view::{Query, View};
use super::{codes, policy, session};
use crate::config::raw::{self, Object, Spec};
use crate::config::status::{self, Refusal};
use crate::model::{
    Attachment, Kind, Match, Name, ObjectKey, Part, PartKey, PartKind, RetryPolicy, RouteProtocol,
    Rule, RuleOrder, SessionPersistence, Timeouts,
};

pub(super) fn route(view: &mut View<'_>, key: &ObjectKey) -> Made {
    let Some(object) = view.object(key) else { return Made::default() };
    let gateways = attachments(view, &object);
    let rules: Vec<Written<'_>> = match &object.spec {
        Spec::HttpRoute(route) => route.rules.iter().map(http_rule).collect(),
        Spec::GrpcRoute(route) => route.rules.iter().map(grpc_rule).collect(),
        _ => return Made::default(),
    };
    let sections = sections(&rules);
    let mut parts = Vec::new();
    let mut shape = RouteShape { wholly_invalid: !rules.is_empty(), ..RouteShape::default() };
    for (position, (written, section)) in rules.iter().zip(sections).enumerate() {
        let before = view.findings.len();
        let matches = written.matches.lower(view, &object);
        let unmatched = match matches {
            None => Some(view.said_since(before).unwrap_or_default().to_owned()),
            Some(_) => None,
        };
        let plan =
            rule::plan(view, &object, position, written, matches.as_deref().unwrap_or_default());
        shape.note(view, &plan, unmatched, position, &gateways);
        let valid = matches.is_some();
        let matches = matches.unwrap_or_default();
        let one = OneRule { object: &object, written, position, section, matches, plan };
        if valid && !gateways.is_empty() {
            parts.extend(one.parts(view, &gateways));
        } else {
            // It matches nothing or nobody takes it; what else is wrong in it is told all the same.
            one.limits(view, &GatewayTraits::default());
        }
    }
    if shape.wholly_invalid
        && let Some(why) = &mut shape.invalid
    {
        why.message = format!("no rule can be served: {}", why.message);
    }
    Made { output: Output::Route(Arc::new(shape)), parts }
}

impl RouteShape {
    fn note(
        &mut self,
        view: &View<'_>,
        plan: &Plan,
        unmatched: Option<String>,
        position: usize,
        gateways: &Gateways,
    ) {
        let Trouble { refs, invalid } = plan.trouble.clone();
        self.refs = self.refs.take().or(refs);
        let unmatched = unmatched.map(|why| Refusal::new(status::UNSUPPORTED_VALUE, why));
        match unmatched.or(invalid) {
            Some(why) if self.invalid.is_none() => {
                let message = format!("rule {position}: {}", why.message);
                self.invalid = Some(Refusal { message, ..why });
            }
            Some(_) => {}
            None => self.wholly_invalid = false,
        }
        if view.lowering.options.cluster {
            let pair = |target: &ObjectKey| {
                let target = target.clone();
                gateways.keys().map(move |gateway| (target.clone(), gateway.clone()))
            };
            self.uses.extend(plan.targets().flat_map(pair));
        }
    }
}

fn http_rule(rule: &raw::HttpRule) -> Written<'_> {
    let raw::HttpRule {
        place,
        name,
        matches,
        filters,
        backends,
        timeouts,
        retry,
        session_persistence,
    } = rule;
    Written {
        place: *place,
        name: name.as_ref(),
        matches: Matches::Http(matches),
        filters,
        backends,
        timeouts: Some(timeouts),
        retry: retry.as_ref(),
        session_persistence: session_persistence.as_ref(),
    }
}

fn grpc_rule(rule: &raw::GrpcRule) -> Written<'_> {
    let raw::GrpcRule { place, name, matches, filters, backends, session_persistence } = rule;
    Written {
        place: *place,
        name: name.as_ref(),
        matches: Matches::Grpc(matches),
        filters,
        backends,
        timeouts: None,
        retry: None,
        session_persistence: session_persistence.as_ref(),
    }
}

/// Each Gateway that takes the route, with its attachments, in the order of their keys.
type Gateways = BTreeMap<ObjectKey, (Arc<GatewayTraits>, BTreeSet<Attachment>)>;

fn attachments(view: &mut View<'_>, object: &Object) -> Gateways {
    let attached = match view.output(UnitKey::Attach(object.key.clone())) {
        Output::Attach(attached) => attached,
        _ => Arc::default(),
    };
    let mut gateways = Gateways::new();
    for claim in &attached.claims {
        if lost(view, object, claim) {
            continue;
        }
        let (_, attachments) = gateways.entry(claim.gateway.clone()).or_insert_with(|| {
            let traits = match view.output(UnitKey::Traits(claim.gateway.clone())) {
                Output::Traits(traits) => traits,
                _ => Arc::default(),
            };
            (traits, BTreeSet::new())
        });
        attachments.extend(claim.hosts.iter().map(|hostname| Attachment {
            listener: claim.listener.clone(),
            hostname: hostname.clone(),
        }));
    }
    gateways
}

/// Whether a route of the other kind has these hosts already.
fn lost(view: &mut View<'_>, object: &Object, claim: &Claim) -> bool {
    let (listener, route) = (&claim.listener, &object.key);
    view.reads.insert(Query::Verdict(listener.clone(), route.clone()));
    let Some(winner) = view.lowering.claims.winner(listener, route).cloned() else { return false };
    let message = format!("{winner} has hosts in common on listener {listener} and goes first");
    view.error(object, codes::ROUTE_TYPE_CONFLICT, &object.meta.place, message)
        .help("give them different hostnames or listeners");
    true
}

/// The rules' names where they are written and unique, else their positions.
fn sections(rules: &[Written<'_>]) -> Vec<Name> {
    let mut seen = BTreeSet::new();
    let mut sections = Vec::new();
    for (position, rule) in rules.iter().enumerate() {
        // The decoder refuses a name that is there twice; two parts can't have one key.
        let named = rule.name.filter(|name| seen.insert(name.value.clone()));
        sections.push((position, named.map(|name| name.value.clone())));
    }
    // A rule may be called `1` and stand elsewhere: a position that is taken gets a sign.
    let position = |position: usize| {
        let mut section = position.to_string();
        while seen.contains(section.as_str()) {
            section.push('\'');
        }
        Name::from(section)
    };
    sections.into_iter().map(|(at, name)| name.unwrap_or_else(|| position(at))).collect()
}

struct OneRule<'a> {
    object: &'a Object,
    written: &'a Written<'a>,
    position: usize,
    section: Name,
    matches: Vec<Match>,
    plan: Plan,
}

impl OneRule<'_> {
    /// The rule as each Gateway sees it; equal ones are one part with all attachments.
    fn parts(&self, view: &mut View<'_>, gateways: &Gateways) -> Vec<Part> {
        let mut rules: Vec<Rule> = Vec::new();
        for (gateway, (traits, attachments)) in gateways {
            let mut rule = self.lower(view, traits);
            match rules.iter_mut().find(|other| same(other, &rule)) {
                Some(other) => other.attachments.extend(attachments.iter().cloned()),
                None => {
                    if !rules.is_empty() {
                        let section =
                            format!("{}~{}/{}", self.section, gateway.namespace, gateway.name);
                        rule.key.section = section.into();
                    }
                    rule.attachments.extend(attachments.iter().cloned());
                    rules.push(rule);
                }
            }
        }
        for rule in &mut rules {
            rule.attachments.sort();
        }
        rules.into_iter().map(|rule| Part::Rule(Arc::new(rule))).collect()
    }

    fn lower(&self, view: &mut View<'_>, traits: &GatewayTraits) -> Rule {
        let object = self.object;
        let (timeouts, retry, session_persistence) = self.limits(view, traits);
        let (filters, backends) = rule::carry_out(view, &self.plan, &traits.identity);
        Rule {
            key: PartKey::new(PartKind::Rule, object.key.clone(), &self.section),
            protocol: match object.key.kind {
                Kind::GrpcRoute => RouteProtocol::Grpc,
                _ => RouteProtocol::Http,
            },
            order: RuleOrder {
                created: object.meta.created,
                namespace: object.key.namespace.clone(),
                name: object.key.name.clone(),
                rule: u32::try_from(self.position).unwrap_or(u32::MAX),
            },
            attachments: Vec::new(),
            matches: self.matches.clone(),
            filters,
            backends,
            timeouts,
            retry,
            session_persistence,
        }
    }

    fn limits(
        &self,
        view: &mut View<'_>,
        traits: &GatewayTraits,
    ) -> (Timeouts, RetryPolicy, Option<SessionPersistence>) {
        let (object, written) = (self.object, self.written);
        let name = written.name.map(|name| &name.value);
        let policy = policy::traffic_of(view, &object.key, name);
        let own = written.timeouts.cloned().unwrap_or_default();
        (
            session::timeouts(&own, policy.as_deref(), traits.timeouts),
            session::retry(view, object, written.retry),
            session::persistence(view, object, &self.section, written.session_persistence),
        )
    }
}

/// Whether two Gateways see the same rule.
fn same(a: &Rule, b: &Rule) -> bool {
    a.filters == b.filters && a.backends == b.backends && a.timeouts == b.timeouts
}
