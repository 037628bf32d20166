//! How far a rollout is, for people and for scripts.

use meshctl::rollout::directory::Locked;
use meshctl::rollout::state::Phase;
use meshctl::rollout::view::{Arm, View};
use meshctl::rollout::{Canary, DarkLaunch, RolloutKind};
use serde_json::{Value, json};

use super::place::{Directory, Known, Place};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// A rollout at one moment, with all that is shown of it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub known: Known,
    pub view: View,
    /// The process that advances it; in a cluster the controller does.
    pub driver: Option<Locked>,
    pub place: String,
    pub is_cluster: bool,
}

/// Numbers that are older than this are nobody's any more.
const FRESH_SECONDS: i64 = 5;

/// Looks at it, and at its proxies where nobody else does.
pub async fn look(place: &Place, known: Known) -> Result<Shown, Failure> {
    let is_cluster = matches!(place, Place::Cluster(_));
    let mut driver = None;
    let mut view = known.view.clone().unwrap_or_default();
    if let Place::Directory(directory) = place {
        driver = directory.home.driver();
        let age = super::asking::now().duration_since(view.at).as_secs();
        let fresh = driver.is_some() && age <= FRESH_SECONDS;
        if !fresh && !known.state.phase.is_over() {
            view = sample(place, directory, &known).await?;
        }
    }
    Ok(Shown { place: place.words(), known, view, driver, is_cluster })
}

/// The last second, as the proxies tell it.
async fn sample(place: &Place, directory: &Directory, known: &Known) -> Result<View, Failure> {
    let route = super::asking::route_of(place, &known.rollout).await?;
    let proxies = directory.proxies();
    let before = proxies.look(&known.rollout, &route).await;
    if before.proxies > 0 {
        tokio::time::sleep(meshctl::limits::ROLLOUT_TURN).await;
    }
    let after = proxies.look(&known.rollout, &route).await;
    let recent = after.sight.totals.since(&before.sight.totals);
    let seconds = if after.proxies == 0 { 0.0 } else { (after.at - before.at).as_secs_f64() };
    let dark = known.rollout.versions().2;
    let view = View::of(super::asking::now(), &recent, &recent, seconds, None, dark);
    Ok(View { proxies: after.proxies, behind: after.behind, ..view })
}

impl Shown {
    pub fn json(&self) -> Value {
        let Self { known, view, driver, place, .. } = self;
        let state = &known.state;
        let rollout = &known.rollout;
        let (stable, new, _) = rollout.versions();
        let mut shown = json!({
            "target": place,
            "namespace": &*rollout.key.namespace,
            "name": &*rollout.key.name,
            "route": rollout.route.to_string(),
            "rule": rollout.rule.as_deref(),
            "phase": state.phase.as_str(),
            "weight": state.weight,
            "step": state.step,
            "steps": self.steps(),
            "since": state.since,
            "message": state.message,
            "stable": stable.map(ToString::to_string),
            "canary": new.to_string(),
            "runner": driver.as_ref().and_then(|driver| driver.process),
            "seen": view,
            "history": state.history,
        });
        // The controller tells whether all proxies serve it (`since`), not how many there are.
        if self.is_cluster {
            let seen = shown["seen"].as_object_mut().expect("it was made as one");
            ["at", "proxies"].iter().for_each(|field| drop(seen.shift_remove(*field)));
        }
        if let RolloutKind::DarkLaunch(_) = rollout.kind {
            let map = shown.as_object_mut().expect("it was made as one");
            ["step", "steps", "stable"].iter().for_each(|field| drop(map.shift_remove(*field)));
        }
        shown
    }

    pub fn steps(&self) -> Vec<u32> {
        match &self.known.rollout.kind {
            RolloutKind::Canary(Canary { steps, .. }) => {
                steps.iter().copied().chain([100]).collect()
            }
            RolloutKind::DarkLaunch(_) => Vec::new(),
        }
    }

    /// One line of the table of several.
    pub fn row(&self) -> Vec<String> {
        let Self { known, view, .. } = self;
        let percent =
            |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{share}%"));
        let verdict = view.verdict.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            known.name(),
            known.rollout.route.to_string(),
            known.state.phase.as_str().to_owned(),
            format!("{}%", known.state.weight),
            percent(view.measured),
            verdict,
        ]
    }

    pub const HEADINGS: [&'static str; 6] =
        ["ROLLOUT", "ROUTE", "PHASE", "ASKED", "MEASURED", "VERDICT"];

    /// All of it, as text.
    pub fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let Self { known, view, .. } = self;
        let state = &known.state;
        let message =
            if state.message.is_empty() { String::new() } else { format!(": {}", state.message) };
        output.line(format_args!(
            "{}  {}  {}{message}",
            known.name(),
            known.rollout.route,
            state.phase.as_str()
        ))?;
        match &known.rollout.kind {
            RolloutKind::Canary(_) => {
                output.line(format_args!("  steps    {}", self.marked_steps()))?;
                let measured =
                    view.measured.map_or("nothing yet".to_owned(), |is| format!("{is}%"));
                output.line(format_args!(
                    "  weight   asked {}%, measured {measured}",
                    state.weight
                ))?;
            }
            RolloutKind::DarkLaunch(DarkLaunch { percent, .. }) => {
                output.line(format_args!("  copies   asked {percent}%, now {}%", state.weight))?;
            }
        }
        let verdict = view.verdict.as_deref().unwrap_or("none yet");
        if !known.rollout.versions().2 {
            output.line(format_args!("  verdict  {verdict}"))?;
        }
        output.line(format_args!("  proxies  {}", self.proxies()))?;
        if !known.rollout.versions().2 {
            output.line(format_args!("  runner   {}", self.runner()))?;
        }
        if let Some(error) = &view.error {
            output.line(format_args!("  error    {error}"))?;
        }
        output.line("")?;
        output.table(&ARMS, self.arms())
    }

    fn marked_steps(&self) -> String {
        let weight = self.known.state.weight;
        let marked = self.steps().into_iter().map(|step| match step.cmp(&weight) {
            std::cmp::Ordering::Less => format!("✓{step}%"),
            std::cmp::Ordering::Equal => format!("▶{step}%"),
            std::cmp::Ordering::Greater => format!("·{step}%"),
        });
        marked.collect::<Vec<_>>().join(" ")
    }

    fn proxies(&self) -> String {
        let View { proxies, behind, .. } = &self.view;
        if self.is_cluster {
            let all = self.known.state.since.is_some();
            let told = if all { "all serve it as it is" } else { "not all serve it yet" };
            return told.to_owned();
        }
        match (proxies, behind.as_slice()) {
            (0, []) => "none serves it".to_owned(),
            (count, []) => format!("{count}, all serve it as it is"),
            (_, behind) => behind.join("; "),
        }
    }

    fn runner(&self) -> String {
        let over = self.known.state.phase.is_over();
        match (&self.driver, self.is_cluster) {
            (_, true) => "the controller".to_owned(),
            (Some(Locked { process: Some(process) }), _) => format!("process {process}"),
            (Some(Locked { process: None }), _) => "another process".to_owned(),
            (None, _) if over => "none is needed".to_owned(),
            (None, _) => format!("none: `meshctl canary run {}` advances it", self.known.name()),
        }
    }

    /// The versions, one row each.
    pub fn arms(&self) -> Vec<Vec<String>> {
        let (stable, new, dark) = self.known.rollout.versions();
        let stable = stable.map(|to| ("stable", to, self.view.stable.clone().unwrap_or_default()));
        let new = (if dark { "copies" } else { "canary" }, new, self.view.canary.clone());
        let rows = stable.into_iter().chain([new]);
        rows.map(|(what, to, arm)| row(what, &to.to_string(), &arm)).collect()
    }
}

pub const ARMS: [&str; 7] =
    ["VERSION", "BACKEND", "REQUESTS/S", "REQUESTS", "ERRORS", "P50", "P99"];

fn row(what: &str, to: &str, arm: &Arm) -> Vec<String> {
    let millis = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms} ms"));
    let Arm { requests, errors, per_second, p50_ms, p99_ms } = arm;
    vec![
        what.to_owned(),
        to.to_owned(),
        per_second.map_or("-".to_owned(), |rate| format!("{rate:.1}")),
        requests.to_string(),
        errors.to_string(),
        millis(*p50_ms),
        millis(*p99_ms),
    ]
}

/// The answer of one or several: what still goes on is not yet decided.
pub fn exit(phases: impl Iterator<Item = Phase>) -> Exit {
    let mut exit = Exit::Yes;
    for phase in phases {
        match super::drive::exit_of(phase) {
            None => return Exit::NotYet,
            Some(Exit::Yes) => {}
            Some(other) => exit = other,
        }
    }
    exit
}
