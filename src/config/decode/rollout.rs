//! TrafficRollout: what a canary or a dark launch is, in its author's words.

use std::time::Duration;

use super::fields::{Fields, number, string};
use super::findings::Findings;
use super::metadata::timestamp;
use super::references::{self, reference};
use super::{formats, routes};
use crate::config::raw::{
    At, Canary, DarkLaunch, Gates, Reference, Release, TrafficRollout, Webhook,
};
use crate::config::{codes, suggest};
use crate::limits;
use crate::model::Kind;
use crate::yaml::Node;

/// A plan for one route: a canary in steps, or a copy of its traffic.
///
/// ```yaml
/// spec:
///   targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}
///   state: Running                  # Running, Paused, Promoted or Aborted
///   weight: 10                      # percent, set by hand; steps rest there
///   until: 2026-11-24T12:00:00Z     # for so long; then the weights are those of before
///   canary:
///     stable: {name: shop-v1, port: 80}
///     canary: {name: shop-v2, port: 80}
///     steps: [{weight: 1}, {weight: 5}, {weight: 25}, {weight: 50}]
///     interval: 5m
///     gates: {errorRate: {max: 1%}, p99: {max: 500ms}, minRequests: 100}
///   darkLaunch:                     # instead of `canary`
///     to: {name: shop-v2, port: 80}
///     percent: 20
/// ```
pub(super) fn traffic_rollout(object: &mut Fields<'_, '_>) -> Option<TrafficRollout> {
    let mut spec = object.required_map("spec")?;
    let findings = spec.findings;
    let target = spec.require("targetRef");
    let target = target.and_then(|node| reference(node, &references::POLICY_TARGET, findings));
    if let Some(target) = &target {
        check_target(target, findings);
    }
    let both = spec.has("canary") && spec.has("darkLaunch");
    let canary = spec.map("canary").and_then(canary).map(Release::Canary);
    let dark = spec.map("darkLaunch").and_then(dark_launch).map(Release::DarkLaunch);
    if both || !(spec.has("canary") || spec.has("darkLaunch")) {
        let message = "a rollout is either a `canary` or a `darkLaunch`";
        spec.conflict(spec.place, message, "write one of the two");
    }
    let state = spec.choice_or("state", &["Running", "Paused", "Promoted", "Aborted"], "Running");
    let weight = spec.number("weight", 0..=100);
    if let (Some(weight), Some(Release::DarkLaunch(_))) = (&weight, &dark) {
        spec.conflict(
            weight.place,
            "a dark launch has no `weight`: nobody is answered by it",
            "say with `percent` how much is copied",
        );
    }
    let until = spec.take("until").map(|node| {
        if weight.is_none() {
            spec.conflict(
                node.place,
                "`until` is for a `weight`",
                "write one, or leave out `until`",
            );
        }
        timestamp(node, findings)
    });
    spec.finish();
    Some(TrafficRollout { target: target?, release: canary.or(dark)?, state, weight, until })
}

/// `{webhook: {url, secretRef}}` of a MeshConfig.
pub(super) fn notified(mut fields: Fields<'_, '_>) -> Option<Webhook> {
    let webhook = fields.map("webhook").map(|mut fields| {
        let secret_ref = fields.map("secretRef").map(|mut fields| {
            let name = fields.required_text("name", &formats::SUBDOMAIN);
            fields.finish();
            name
        });
        let url = fields.text("url", &formats::WEBHOOK);
        if !fields.has("url") && secret_ref.is_none() {
            let message = "a webhook needs a `url`";
            fields.conflict(fields.place, message, "write `url`, or a `secretRef` with one");
        }
        fields.finish();
        Webhook { url, secret_ref }
    });
    fields.finish();
    webhook
}

fn check_target(target: &Reference, findings: &Findings<'_>) {
    const KINDS: [Kind; 2] = [Kind::HttpRoute, Kind::GrpcRoute];
    let known = |kind: &Kind| kind.as_str() == &*target.kind && kind.group() == &*target.group;
    if !KINDS.iter().any(known) {
        let message =
            format!("a rollout can't have the target kind {}", findings.value(&target.kind));
        let kinds = suggest::one_of(&KINDS.map(Kind::as_str));
        let help = format!("it can be {kinds} of the group {}", KINDS[0].group());
        findings.error_help(codes::UNKNOWN_VALUE, target.place, message, help);
    }
}

fn canary(mut fields: Fields<'_, '_>) -> Option<Canary> {
    let findings = fields.findings;
    let stable = arm(&mut fields, "stable");
    let canary = arm(&mut fields, "canary");
    if let (Some(stable), Some(canary)) = (&stable, &canary)
        && (&stable.group, &stable.kind, &stable.namespace, &stable.name, stable.port)
            == (&canary.group, &canary.kind, &canary.namespace, &canary.name, canary.port)
    {
        let message = "`stable` and `canary` are the same backend";
        fields.conflict(canary.place, message, "the canary is the new version's Service");
    }
    let steps = fields.list("steps", limits::ROLLOUT_STEPS, |node| step(node, findings));
    routes::distinct(findings, steps.iter().map(|step| (step.place, step.value)));
    if let Some([_, lower]) = steps.windows(2).find(|pair| pair[0].value > pair[1].value) {
        let message = "a step is lower than the one before it";
        fields.conflict(
            lower.place,
            message,
            "steps go up: the way down is `meshctl canary abort`",
        );
    }
    let interval = fields.duration("interval");
    if let Some(short) = interval.as_ref().filter(|at| at.value < limits::ROLLOUT_INTERVAL_MIN) {
        let message = "`interval` is too short for a step to be looked at";
        findings.error_help(codes::OUT_OF_RANGE, short.place, message, "write `1s` or more");
    }
    let gates = fields
        .map("gates")
        .map(gates)
        .unwrap_or_else(|| Gates { min_requests: limits::GATE_REQUESTS, ..Gates::default() });
    fields.finish();
    let interval = interval.map_or(limits::ROLLOUT_INTERVAL, |at| at.value);
    let steps =
        if steps.is_empty() { limits::ROLLOUT_WEIGHTS.map(At::nowhere).to_vec() } else { steps };
    Some(Canary { stable: stable?, canary: canary?, steps, interval, gates })
}

fn dark_launch(mut fields: Fields<'_, '_>) -> Option<DarkLaunch> {
    let to = arm(&mut fields, "to");
    let percent = fields.require("percent");
    let percent = percent.and_then(|node| number(node, &(1..=100), fields.findings));
    fields.finish();
    Some(DarkLaunch { to: to?, percent: percent? })
}

fn arm(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Reference> {
    let findings = fields.findings;
    fields.require(name).and_then(|node| reference(node, &references::BACKEND, findings))
}

/// `{weight: 5}`: a map, so that a step can say more one day.
fn step(node: &Node, findings: &Findings<'_>) -> Option<At<u32>> {
    let mut fields = Fields::open(node, findings)?;
    let weight = fields.require("weight").and_then(|node| number(node, &(1..=99), findings));
    fields.finish();
    weight
}

fn gates(mut fields: Fields<'_, '_>) -> Gates {
    let findings = fields.findings;
    let max_errors_ppm = fields.map("errorRate").and_then(|mut rate| {
        let most = rate.require("max").and_then(|node| percentage(node, findings));
        rate.finish();
        most
    });
    let max_p99: Option<Duration> = fields.map("p99").and_then(|mut p99| {
        let most = p99.duration("max").map(|at| at.value);
        if !p99.has("max") {
            p99.missing("max");
        }
        p99.finish();
        most
    });
    let min_requests = fields.number("minRequests", 1..=1_000_000_000);
    fields.finish();
    Gates {
        max_errors_ppm,
        max_p99,
        min_requests: min_requests.map_or(limits::GATE_REQUESTS, |at| at.value),
    }
}

/// `1%`, `0.05%`: in parts per million.
fn percentage(node: &Node, findings: &Findings<'_>) -> Option<u32> {
    let text = string(node, findings)?;
    let found = parts_per_million(&text);
    if found.is_none() {
        let message = format!("{} is not a percentage", findings.value(&text));
        findings.error_help(codes::BAD_TEXT, node, message, "write it as `1%` or `0.05%`");
    }
    found
}

fn parts_per_million(text: &str) -> Option<u32> {
    let digits = text.strip_suffix('%')?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !numeric(whole) || !numeric(part) || part.len() > 4 {
        return None;
    }
    let parts: u32 = format!("{part:0<4}").parse().ok()?;
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 100)?;
    Some(whole * 10_000 + parts).filter(|ppm| *ppm <= 1_000_000)
}
