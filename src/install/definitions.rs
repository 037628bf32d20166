//! The Gateway API's own definitions: whose they are, which are missing, which may be replaced.
//!
//! They belong to everybody in a cluster. What is there in the same or a newer version is left
//! alone, and nobody is moved from one channel to the other unasked.

use serde_json::Value;

use super::{Plan, Refusal, Version};
use crate::cluster::name_of;
use crate::names;

/// A kind of the Gateway API that the cluster knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// `gateways.gateway.networking.k8s.io`
    pub name: String,
    pub kind: String,
    /// The release that it is from, `v1.6.0`; empty where it doesn't say.
    pub bundle: String,
    /// `standard` or `experimental`.
    pub channel: String,
    /// The versions that are served.
    pub versions: Vec<String>,
}

/// Where definitions come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Definitions {
    /// Those that are there have to do.
    None,
    /// These, for kinds that are not there at all.
    Missing(Vec<Value>),
    /// These, also in the place of older ones.
    These(Vec<Value>),
}

impl Definitions {
    /// What is applied where the cluster has none.
    pub fn objects(&self) -> &[Value] {
        match self {
            Self::None => &[],
            Self::Missing(objects) | Self::These(objects) => objects,
        }
    }
}

/// Our own kinds, as `meshctl install` defines them.
pub(super) const OWN: [&str; 4] = ["backends", "meshconfigs", "trafficpolicies", "trafficrollouts"];

/// One of our own: its plural, and the version of the `meshctl` that applied it.
pub(super) fn own(definition: &Value) -> Option<(String, String)> {
    let plural = name_of(definition).strip_suffix(names::GROUP_MESHCTL)?.strip_suffix('.')?;
    let version = definition["metadata"]["annotations"][names::ANNOTATION_VERSION].as_str();
    Some((plural.to_owned(), version.unwrap_or_default().to_owned()))
}

/// The kinds without which nothing works, and those without which something doesn't.
const KINDS: [(&str, bool); 7] = [
    ("GatewayClass", true),
    ("Gateway", true),
    ("HTTPRoute", true),
    ("GRPCRoute", false),
    ("ReferenceGrant", false),
    ("BackendTLSPolicy", false),
    ("ListenerSet", false),
];

/// The kinds that are missing: (without which nothing works, the others).
pub fn required(definitions: &[Definition]) -> (Vec<String>, Vec<String>) {
    let served = |kind: &str| {
        definitions
            .iter()
            .any(|known| known.kind == kind && known.versions.iter().any(|v| v == "v1"))
    };
    let missing = KINDS.into_iter().filter(|(kind, _)| !served(kind));
    let (needed, wanted): (Vec<_>, Vec<_>) = missing.partition(|(_, needed)| *needed);
    let names =
        |kinds: Vec<(&str, bool)>| kinds.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    (names(needed), names(wanted))
}

impl Definition {
    /// `None` for what is not of the Gateway API.
    pub fn of(object: &Value) -> Option<Self> {
        let spec = &object["spec"];
        if spec["group"] != names::GROUP_GATEWAY_API || object["kind"] != "CustomResourceDefinition"
        {
            return None;
        }
        let annotation = |name: &str| {
            object["metadata"]["annotations"][name].as_str().unwrap_or_default().to_owned()
        };
        let versions = spec["versions"].as_array().into_iter().flatten();
        let served = versions.filter(|version| version["served"] == true);
        Some(Self {
            name: name_of(object).to_owned(),
            kind: spec["names"]["kind"].as_str().unwrap_or_default().to_owned(),
            bundle: annotation(names::ANNOTATION_BUNDLE_VERSION),
            channel: annotation(names::ANNOTATION_CHANNEL),
            versions: served
                .filter_map(|version| version["name"].as_str().map(str::to_owned))
                .collect(),
        })
    }
}

/// Which of what was given is applied, and what is said of the rest.
pub(super) fn plan(there: &[Definition], given: &Definitions) -> Result<Plan, Refusal> {
    let leave = matches!(given, Definitions::Missing(_));
    let mut plan = Plan::default();
    let mut after = there.to_vec();
    let mut kept = 0;
    for object in given.objects() {
        let Some(offered) = Definition::of(object) else {
            // What comes along with them, such as an admission policy.
            plan.objects.push(object.clone());
            continue;
        };
        match there.iter().find(|known| known.name == offered.name) {
            Some(known) if leave || is_same_or_newer(known, &offered) => kept += 1,
            Some(known) if known.channel == "experimental" && offered.channel == "standard" => {
                return Err(Refusal::Channel(format!(
                    "{} is of the experimental channel here: with the standard one, fields of \
                     routes that are in use may be lost",
                    known.name
                )));
            }
            _ => {
                after.retain(|known| known.name != offered.name);
                after.push(offered);
                plan.objects.push(object.clone());
            }
        }
    }
    let (needed, wanted) = required(&after);
    if !needed.is_empty() {
        return Err(Refusal::MissingDefinitions(needed));
    }
    if kept > 0 {
        plan.notes
            .push(format!("{kept} definitions of the Gateway API are there and stay as they are"));
    }
    if !wanted.is_empty() {
        plan.notes.push(format!(
            "the cluster has no definition of {}: what they are for is not served",
            wanted.join(", ")
        ));
    }
    if let Some(old) = after.iter().find(|known| is_old(known)) {
        plan.notes.push(format!(
            "{} is of Gateway API {}, and {} is served: newer fields are missing; --crds standard \
             brings them",
            old.name,
            old.bundle,
            names::GATEWAY_API_VERSION
        ));
    }
    Ok(plan)
}

/// Of the same release, an experimental definition offered explicitly replaces a standard one.
fn is_same_or_newer(known: &Definition, offered: &Definition) -> bool {
    let changes_channel = known.channel == "standard" && offered.channel == "experimental";
    match (Version::parse(&known.bundle), Version::parse(&offered.bundle)) {
        (Some(known), Some(offered)) if changes_channel => known > offered,
        (Some(known), Some(offered)) => known >= offered,
        // Made by somebody who doesn't say from what: not ours to replace.
        (None, _) => true,
        (Some(_), None) => true,
    }
}

fn is_old(known: &Definition) -> bool {
    let served = Version::parse(names::GATEWAY_API_VERSION);
    let kind = KINDS.iter().any(|(kind, _)| *kind == known.kind);
    kind && Version::parse(&known.bundle).is_some_and(|bundle| Some(bundle) < served)
}
