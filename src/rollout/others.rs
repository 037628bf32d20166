//! Who else has a say in a route: another rollout, another tool that drives its weights, and what
//! puts them back to what a repository says.
//!
//! Of tools only what is certain counts, from the route alone and the annotation of a Service: a
//! label that several of them use names none.
//!
//! This module is pure, and must not know what follows.

use std::fmt;

use serde_json::Value;

use super::state::{Intent, State};
use super::{Rollout, RolloutKind};
use crate::model::ObjectKey;
use crate::names::GROUP_GATEWAY_API;

/// On a Service whose pods an Argo Rollout chooses: the Rollout.
pub const SERVICE_OF_ROLLOUT: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
/// On a route while Argo Rollouts' Gateway API plugin drives it: `NAMESPACE/ROLLOUT,…`, and before
/// that was known, a label alone.
const ACTIVE_ROLLOUTS: &str = "rollouts.argoproj.io/gatewayapi-active-rollouts";
const CANARY_ROUTE: &str = "rollouts.argoproj.io/gatewayapi-canary";

/// What a rollout has of its route while it goes on, and no other has meanwhile: the weights, or
/// what is copied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hold {
    pub route: ObjectKey,
    pub dark: bool,
}

impl Hold {
    pub fn of(rollout: &Rollout) -> Self {
        Self { route: rollout.route.clone(), dark: rollout.versions().2 }
    }

    /// What it has now: that of a former route or version until it is taken back.
    pub fn now(rollout: &Rollout, state: &State) -> Option<Self> {
        let former = state.former(rollout);
        state.holds().then(|| Self::of(former.as_ref().unwrap_or(rollout)))
    }

    /// What to say to the second, of whoever was first.
    pub fn refusal(&self, first: &ObjectKey) -> String {
        let Self { route, dark } = self;
        let (what, end) = if *dark {
            ("a dark launch", "dark-launch stop")
        } else {
            ("a canary", "canary abort")
        };
        let name = &first.name;
        format!("{route} has {what} already, {name}: `meshctl {end} {name}` ends it")
    }
}

/// What a rollout may do in its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Turn,
    /// It is over, and another has its route: it sees whether proxies serve what it left.
    Leave,
    /// Another has its route.
    Nothing,
}

impl Part {
    /// By who is the first that has its route. One that is under way though it isn't the first is
    /// ended by whoever wants its end, and takes back what it has of a former route.
    pub fn of(rollout: &Rollout, state: &State, first: &ObjectKey) -> Self {
        let ends = state.holds() && rollout.ask.intent == Intent::Aborted;
        if *first == rollout.key || ends || state.former(rollout).is_some() {
            Self::Turn
        } else if state.phase.is_over() && state.answers(rollout) {
            Self::Leave
        } else {
            Self::Nothing
        }
    }
}

/// What drives the weights: two that do take back each other's steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rival {
    /// The Canary.
    Flagger(String),
    /// The Rollout, where it is known.
    ArgoRollouts(Option<String>),
}

impl Rival {
    /// By what stands on the route.
    pub fn of(route: &Value) -> Option<Self> {
        let owners = route["metadata"]["ownerReferences"].as_array();
        let owner = |group: &str, kind: &str| {
            let owned = owners.into_iter().flatten().find(|owner| {
                let version = owner["apiVersion"].as_str().unwrap_or_default();
                version.split('/').next() == Some(group) && owner["kind"] == kind
            });
            owned.map(|owner| owner["name"].as_str().unwrap_or_default().to_owned())
        };
        if let Some(canary) = owner("flagger.app", "Canary") {
            return Some(Self::Flagger(canary));
        }
        if let Some(rollout) = owner("argoproj.io", "Rollout") {
            return Some(Self::ArgoRollouts(Some(rollout)));
        }
        if let Some(active) = annotation(route, ACTIVE_ROLLOUTS).filter(|all| !all.is_empty()) {
            return Some(Self::ArgoRollouts(Some(active.replace(',', ", "))));
        }
        label(route, CANARY_ROUTE).map(|_| Self::ArgoRollouts(None))
    }

    /// By what stands on the Service of one of the versions.
    pub fn by_service(service: &Value) -> Option<Self> {
        annotation(service, SERVICE_OF_ROLLOUT).map(Self::of_service)
    }

    /// By [`SERVICE_OF_ROLLOUT`] on one of the Services.
    pub fn of_service(rollout: &str) -> Self {
        Self::ArgoRollouts(Some(rollout.to_owned()))
    }
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flagger(canary) => write!(f, "Flagger (Canary {canary})"),
            Self::ArgoRollouts(Some(rollout)) => write!(f, "Argo Rollouts (Rollout {rollout})"),
            Self::ArgoRollouts(None) => f.write_str("Argo Rollouts"),
        }
    }
}

/// What writes the route anew from a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The Application, where it is known.
    ArgoCd(Option<String>),
    /// `NAMESPACE/NAME`.
    FluxKustomization(String),
    FluxHelmRelease(String),
}

impl Keeper {
    pub fn of(route: &Value) -> Option<Self> {
        let meta = &route["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(tracking) = annotation(route, "argocd.argoproj.io/tracking-id") {
            // One that was copied from another object is passed over by Argo CD, too.
            let own = format!(
                ":{GROUP_GATEWAY_API}/{}:{}/{}",
                text(&route["kind"]),
                text(&meta["namespace"]),
                text(&meta["name"])
            );
            if let Some(application) = tracking.strip_suffix(&own) {
                return Some(Self::ArgoCd(Some(application.to_owned())));
            }
        }
        if let Some(application) = label(route, "argocd.argoproj.io/instance") {
            return Some(Self::ArgoCd(Some(application.to_owned())));
        }
        for (of, keeper) in [
            ("kustomize.toolkit.fluxcd.io", Self::FluxKustomization as fn(String) -> Self),
            ("helm.toolkit.fluxcd.io", Self::FluxHelmRelease),
        ] {
            if let Some(name) = label(route, &format!("{of}/name")) {
                let namespace = label(route, &format!("{of}/namespace")).unwrap_or_default();
                return Some(keeper(format!("{namespace}/{name}")));
            }
        }
        // The label that Argo CD tracks by where nobody says otherwise is Helm's, too: its name
        // among those that wrote the route tells.
        let managers = meta["managedFields"].as_array().into_iter().flatten();
        let wrote = managers.into_iter().any(|entry| entry["manager"] == "argocd-controller");
        let instance = label(route, "app.kubernetes.io/instance").map(str::to_owned);
        wrote.then_some(Self::ArgoCd(instance))
    }

    /// What to say: that a rollout's changes may be taken back, and the YAML that prevents it.
    pub fn advice(&self, rollout: &Rollout) -> String {
        let ObjectKey { kind: of, namespace, name, .. } = &rollout.route;
        let field = match rollout.kind {
            RolloutKind::Canary(_) => "backendRefs",
            RolloutKind::DarkLaunch(_) => "filters",
        };
        match self {
            Self::ArgoCd(_) => format!(
                "{self} writes the route from a repository, and takes back what a rollout changes \
                 unless it has:\nspec:\n  ignoreDifferences:\n  - group: {GROUP_GATEWAY_API}\n    \
                 kind: {of}\n    namespace: {namespace}\n    name: {name}\n    \
                 jqPathExpressions: ['.spec.rules[].{field}']\n  syncPolicy:\n    syncOptions: \
                 [RespectIgnoreDifferences=true]"
            ),
            Self::FluxKustomization(_) => format!(
                "{self} writes the route from a repository, and takes back what a rollout changes \
                 unless it has:\nspec:\n  ignore:\n  - paths: [/spec/rules]\n    target: {{kind: \
                 {of}, namespace: {namespace}, name: {name}}}"
            ),
            Self::FluxHelmRelease(_) => format!(
                "{self} writes the route from a chart; where it has driftDetection, it takes back \
                 what a rollout changes unless it has:\nspec:\n  driftDetection:\n    ignore:\n    \
                 - paths: [/spec/rules]\n      target: {{kind: {of}, namespace: {namespace}, name: \
                 {name}}}"
            ),
        }
    }
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArgoCd(Some(application)) => write!(f, "Argo CD (Application {application})"),
            Self::ArgoCd(None) => f.write_str("Argo CD"),
            Self::FluxKustomization(name) => write!(f, "Flux (Kustomization {name})"),
            Self::FluxHelmRelease(name) => write!(f, "Flux (HelmRelease {name})"),
        }
    }
}

fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object["metadata"]["annotations"].get(name)?.as_str()
}

fn label<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object["metadata"]["labels"].get(name)?.as_str()
}

#[cfg(test)]
mod tests;
