//! Who is told of a rollout's changes: its events, and the administrator's webhook.
//!
//! To tell is to try: a rollout never waits for somebody to hear of it. What is missed stands in
//! the status's history.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::cluster::{Cluster, Resource};
use crate::limits;
use crate::model::{Name, ObjectKey};
use crate::names;
use crate::rollout::Rollout;
use crate::rollout::state::{Event, Phase};

/// One change of weight or phase.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Notice {
    pub(super) rollout: ObjectKey,
    pub(super) route: ObjectKey,
    pub(super) was: Phase,
    pub(super) event: Event,
    uid: String,
}

impl Notice {
    pub(super) fn new(rollout: &Rollout, object: &Value, was: Phase, event: Event) -> Self {
        Self {
            rollout: rollout.key.clone(),
            route: rollout.route.clone(),
            was,
            event,
            uid: object["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Whether it says more than that the next step was taken.
    pub(super) fn is_change_of_phase(&self) -> bool {
        self.was != self.event.phase
    }

    /// `10% → 25%: step 2 of 4`
    pub(super) fn sentence(&self) -> String {
        let Event { from, to, why, .. } = &self.event;
        if from == to { format!("{to}%: {why}") } else { format!("{from}% → {to}%: {why}") }
    }

    /// As `kubectl describe` shows it.
    fn to_json(&self, instance: &str, now: Timestamp) -> Value {
        let Self { rollout, event, uid, .. } = self;
        let bad = matches!(event.phase, Phase::Aborted | Phase::RolledBack);
        let name = cut(&rollout.name, limits::EVENT_NAME_BYTES).trim_end_matches(['.', '-']);
        json!({
            "apiVersion": Resource::EVENT.api_version,
            "kind": Resource::EVENT.kind,
            "metadata": {
                "namespace": &*rollout.namespace,
                "name": format!("{name}.{:x}", now.as_nanosecond()),
            },
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
            "type": if bad { "Warning" } else { "Normal" },
            "reason": event.phase.as_str(),
            "action": if self.is_change_of_phase() { "ChangePhase" } else { "ShiftWeight" },
            "note": cut(&self.sentence(), limits::EVENT_NOTE_BYTES),
            "reportingController": names::CONTROLLER,
            "reportingInstance": cut(instance, limits::EVENT_INSTANCE_BYTES),
            "regarding": {
                "apiVersion": Resource::TRAFFIC_ROLLOUT.api_version,
                "kind": Resource::TRAFFIC_ROLLOUT.kind,
                "namespace": &*rollout.namespace,
                "name": &*rollout.name,
                "uid": uid,
            },
        })
    }
}

/// Up to so many bytes, of whole characters.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[derive(Clone)]
pub(super) struct Teller {
    pub(super) cluster: Cluster,
    /// The replica: its pod's name.
    pub(super) instance: Name,
    pub(super) webhook: mpsc::Sender<Notice>,
}

impl Teller {
    pub(super) async fn tell(&self, notice: &Notice) {
        let Notice { rollout, event, .. } = notice;
        let phase = event.phase.as_str();
        tracing::info!(%rollout, phase, "{}", notice.sentence());
        if notice.is_change_of_phase() && self.webhook.try_send(notice.clone()).is_err() {
            tracing::warn!(%rollout, phase, "the webhook is not told: it has not heard of many");
        }
        let told = notice.to_json(&self.instance, Timestamp::now());
        if let Err(error) = self.cluster.create(&told, false).await {
            tracing::warn!(%rollout, %error, "no event tells of it");
        }
    }
}

#[cfg(test)]
mod tests;
