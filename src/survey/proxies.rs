//! The pods of Gateways, beside what the controllers know of the proxies in them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::replicas::Replicas;
use crate::cluster::{name_of, namespace_of};
use crate::controller::picture::{Connected, Counts, Picture};
use crate::install::Trouble;
use crate::names;

/// One proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// `NAMESPACE/POD`
    pub name: String,
    /// `NAMESPACE/NAME` of the Gateway, or of the fleet that Gateways share.
    pub gateway: String,
    pub state: State,
    /// Why it doesn't do what it should, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The rest is known of those that talk to a controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_since: Option<u64>,
    /// The replica that it talks to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Counts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It serves what was told last.
    Synced,
    /// It has yet to say that it does.
    Behind,
    /// It serves what it could of it; the rest is its trouble.
    Refused,
    /// Its container doesn't run yet.
    Starting,
    /// It runs, talks to no controller, and takes no requests.
    NotReady,
    /// It serves what it knows, and talks to no controller.
    NotConnected,
    /// It runs, and a controller that may talk to it gave no answer.
    Unknown,
    /// It was told to end.
    Ending,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Behind => "behind",
            Self::Refused => "refused",
            Self::Starting => "starting",
            Self::NotReady => "not ready",
            Self::NotConnected => "not connected",
            Self::Unknown => "unknown",
            Self::Ending => "ending",
        }
    }

    /// Whether nobody has to do anything.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Synced | Self::Ending)
    }
}

/// All pods by name, with what the controllers say of each. A proxy that came back by another way
/// counts where it was seen last. One that nobody knows is in no conversation, if all were asked.
pub fn join(pods: &[Value], Replicas { pictures, silent }: &Replicas) -> Vec<Seen> {
    let all_told = silent.is_empty() && !pictures.is_empty();
    let mut known: BTreeMap<&str, (&Picture, &Connected)> = BTreeMap::new();
    for picture in pictures {
        for proxy in &picture.proxies {
            let later =
                |(_, held): &(&Picture, &Connected)| held.connected_since < proxy.connected_since;
            if known.get(proxy.name.as_str()).is_none_or(later) {
                known.insert(&proxy.name, (picture, proxy));
            }
        }
    }
    let mut seen: Vec<Seen> = pods
        .iter()
        .filter(|pod| is_alive(pod))
        .map(|pod| match known.get(called(pod).as_str()) {
            Some((picture, proxy)) => Seen::connected(pod, picture, proxy),
            None => Seen::alone(pod, all_told),
        })
        .collect();
    seen.sort_by(|one, other| one.name.cmp(&other.name));
    seen
}

/// One that has ended is replaced by another, which is listed.
fn is_alive(pod: &Value) -> bool {
    !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

fn called(pod: &Value) -> String {
    format!("{}/{}", namespace_of(pod).unwrap_or_default(), name_of(pod))
}

impl Seen {
    fn connected(pod: &Value, picture: &Picture, proxy: &Connected) -> Self {
        let state = match (is_ending(pod), proxy.is_synced(), &proxy.trouble) {
            (true, ..) => State::Ending,
            (false, _, Some(_)) => State::Refused,
            (false, true, None) => State::Synced,
            (false, false, None) => State::Behind,
        };
        Self {
            name: proxy.name.clone(),
            gateway: proxy.gateway.clone(),
            state,
            trouble: proxy.trouble.clone(),
            version: Some(proxy.version.clone()),
            connected_since: Some(proxy.connected_since),
            controller: Some(picture.name.clone()),
            generation: proxy.generation,
            acknowledged: proxy.acknowledged,
            report: proxy.report,
        }
    }

    fn alone(pod: &Value, all_told: bool) -> Self {
        let (state, trouble) = match state(pod) {
            (State::NotConnected, _) if !all_told => (State::Unknown, None),
            known => known,
        };
        let gateway = pod["metadata"]["labels"][names::LABEL_GATEWAY_NAME].as_str();
        let namespace = namespace_of(pod).unwrap_or_default();
        Self {
            name: called(pod),
            gateway: format!("{namespace}/{}", gateway.unwrap_or_default()),
            state,
            trouble,
            version: None,
            connected_since: None,
            controller: None,
            generation: None,
            acknowledged: None,
            report: None,
        }
    }
}

fn is_ending(pod: &Value) -> bool {
    pod["metadata"]["deletionTimestamp"].is_string()
}

fn state(pod: &Value) -> (State, Option<String>) {
    if is_ending(pod) {
        return (State::Ending, None);
    }
    if let Some(Trouble { reason, message, .. }) = Trouble::of(pod) {
        let why = if message.is_empty() { reason } else { format!("{reason}: {message}") };
        return (State::Starting, Some(why));
    }
    if !is_running(pod) {
        return (State::Starting, None);
    }
    if is_ready(pod) {
        let why = "it serves what it was told before, or is on its way to another controller";
        return (State::NotConnected, Some(why.to_owned()));
    }
    let why = format!(
        "`kubectl -n {} logs {}` tells",
        namespace_of(pod).unwrap_or_default(),
        name_of(pod)
    );
    (State::NotReady, Some(why))
}

/// Whether there is a process to ask.
pub(super) fn is_running(pod: &Value) -> bool {
    let statuses = pod["status"]["containerStatuses"].as_array();
    let runs = |container: &Value| container["state"]["running"].is_object();
    statuses.is_some_and(|statuses| statuses.iter().all(runs))
}

pub(super) fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|condition| condition["type"] == "Ready");
    ready.any(|condition| condition["status"] == "True")
}
