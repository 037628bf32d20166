//! An ask becomes a change: it is written into the rollout, somebody takes the turn, and the
//! proxies serve it.

use std::fmt::Write;
use std::time::Duration;

use anstyle::AnsiColor;
use jiff::Timestamp;
use meshctl::clock::{self, Instant};
use meshctl::limits;
use meshctl::model::Counts;
use meshctl::rollout::directory::{HomeError, Locked, Runner};
use meshctl::rollout::plan::{Seen, plan};
use meshctl::rollout::route::Weights;
use meshctl::rollout::state::{self, Intent, Phase};
use meshctl::rollout::turn::TurnError;
use meshctl::rollout::{Rollout, RolloutKind, ask, mirror};
use meshctl::store::{Change, Mode, Stored};

use super::place::{Directory, Known, Place};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    pub intent: Intent,
    pub weight: Option<u32>,
    /// For how long; then the weights of before hold again.
    pub span: Option<Duration>,
    /// What follows, as people say it: `10%`.
    pub to: String,
    /// The command that takes it back.
    pub back: String,
}

impl Ask {
    /// As it is written, at this moment.
    fn said(&self, now: Timestamp) -> state::Ask {
        // Whole seconds: that is what a route and lowering count in.
        let until = self.span.and_then(|span| now.checked_add(span).ok());
        let until = until.and_then(|until| Timestamp::from_second(until.as_second()).ok());
        let Self { intent, weight, .. } = *self;
        state::Ask { intent, weight, until, at: Some(now.to_string()) }
    }
}

/// How an ask is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    pub dry_run: bool,
}

/// How far it came while it was waited for.
pub struct Settled {
    pub known: Known,
    /// Who drives, if it isn't this command.
    pub driver: Option<Locked>,
    pub done: bool,
}

pub fn now() -> Timestamp {
    let since = clock::since_epoch();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let nanos = i32::try_from(since.subsec_nanos()).unwrap_or_default();
    Timestamp::new(seconds, nanos).unwrap_or(Timestamp::MAX)
}

impl Asking {
    /// Asks, says what changes and how to take it back, and waits until it is served.
    pub async fn ask(
        self,
        place: &Place,
        known: &Known,
        wanted: &Ask,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        let route = route_of(place, &known.rollout).await?;
        let from = percent_of(&known.rollout, &route)?;
        let asked = wanted.said(now());
        let patch = ask::patch(&known.stored.value, &asked);
        let change = Change { key: known.rollout.key.clone(), patch };
        if self.dry_run {
            let asked = place.plans().patch(&[change], Mode::DryRun).await?;
            let route = preview(place, known, wanted, &route).await?;
            output.text(coloured(&(asked.diff + &route)))?;
            return Ok(Exit::Yes);
        }
        place.plans().patch(&[change], Mode::Apply).await?;
        let Ask { to, back, .. } = wanted;
        place.audit(&known.rollout, "asked", format!("{from}%"), to.clone())?;
        output.note(format_args!(
            "{}, {}: {} {from}% → {to}; back: {back}",
            place.words(),
            known.rollout.route,
            known.rollout.key.name,
        ));
        let settled = settle(place, known, &asked).await?;
        report(place, &settled, output)
    }
}

/// What came of it.
pub fn report(place: &Place, settled: &Settled, output: &mut Output) -> Result<Exit, Failure> {
    let Settled { known, driver, done } = settled;
    let command = known.kind().command();
    let name = known.name();
    let view = known.view.clone().unwrap_or_default();
    if !done {
        let seconds = limits::ROLLOUT_SETTLE.as_secs();
        let why = match view.behind.first() {
            Some(behind) if known.state.written.is_some() => behind.clone(),
            _ if known.state.message.is_empty() => "nobody has answered".to_owned(),
            _ => known.state.message.clone(),
        };
        let message = format!("after {seconds} s it is not served yet: {why}");
        let tip = format!("`meshctl {command} status {name}` shows how far it is");
        return Err(Failure::new(Exit::NotYet, message).tip(tip));
    }
    // Within the wait: a bad version may be gone before anybody looks.
    if known.state.phase == Phase::RolledBack {
        let message = format!("{name} was taken back: {}", known.state.message);
        return Err(Failure::new(Exit::No, message));
    }
    if let Place::Directory(_) = place {
        match view.proxies {
            0 => output.note("no proxy serves it: it is written, and holds when one starts"),
            1 => output.note("served by the proxy"),
            count => output.note(format_args!("served by all {count} proxies")),
        }
        let goes_on = known.state.phase == Phase::Progressing && command == "canary";
        if goes_on && driver.is_none() {
            output.note(format_args!("nothing advances it: meshctl canary run {name}"));
        }
    }
    Ok(Exit::Yes)
}

/// Until the ask was answered and every proxy serves the answer.
pub async fn settle(place: &Place, known: &Known, asked: &state::Ask) -> Result<Settled, Failure> {
    let until = clock::now() + limits::ROLLOUT_SETTLE;
    match place {
        Place::Directory(directory) => settle_here(place, directory, known, asked, until).await,
        Place::Cluster(_) => loop {
            let known = place.again(known).await?;
            let done = is_settled(&known, asked);
            if done || clock::now() >= until {
                return Ok(Settled { known, driver: None, done });
            }
            tokio::time::sleep(LOOK).await;
        },
    }
}

/// Between two looks at what somebody else does.
const LOOK: Duration = Duration::from_millis(200);

async fn settle_here(
    place: &Place,
    directory: &Directory,
    known: &Known,
    asked: &state::Ask,
    until: Instant,
) -> Result<Settled, Failure> {
    let mut runner: Option<Runner> = None;
    loop {
        let mut driver = None;
        if runner.is_none() {
            let (home, who) = (directory.home.clone(), directory.who.clone());
            match Runner::new(home, directory.proxies(), who)? {
                Ok(free) => runner = Some(free),
                Err(locked) => driver = Some(locked),
            }
        }
        if let Some(runner) = &mut runner {
            let rollout = place.again(known).await?.rollout;
            match runner.turn(&rollout, now()).await {
                // Somebody was faster: what it is now is looked at in the next turn.
                Err(HomeError::Turn(TurnError::Store(error))) if error.may_pass() => {}
                turn => drop(turn?),
            }
        }
        let known = place.again(known).await?;
        let nobody = known.view.as_ref().is_some_and(|view| {
            view.proxies == 0 && view.behind.is_empty() && known.state.before.is_none()
        });
        let answered = known.state.asked.as_ref() == Some(asked);
        let done = is_settled(&known, asked) || answered && nobody;
        if done || clock::now() >= until {
            return Ok(Settled { known, driver, done });
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn is_settled(known: &Known, asked: &state::Ask) -> bool {
    let state = &known.state;
    state.asked.as_ref() == Some(asked) && state.before.is_none() && state.since.is_some()
}

pub async fn route_of(place: &Place, rollout: &Rollout) -> Result<Stored, Failure> {
    let route = place.routes().get(&rollout.route).await?;
    route.ok_or_else(|| Failure::new(Exit::No, format!("there is no {}", rollout.route)))
}

/// What the new version has now.
pub fn percent_of(rollout: &Rollout, route: &Stored) -> Result<u32, Failure> {
    let rule = rollout.rule.as_deref();
    Ok(match &rollout.kind {
        RolloutKind::Canary(canary) => {
            let weights = Weights::read(&route.value, rule, &canary.stable)?;
            weights.percent(&canary.stable, &canary.canary)
        }
        RolloutKind::DarkLaunch(dark) => {
            let percents = mirror::percents(&route.value, rule, &dark.to)?;
            percents.into_iter().flatten().max().unwrap_or(0)
        }
    })
}

/// What the answer would change of the route.
async fn preview(
    place: &Place,
    known: &Known,
    wanted: &Ask,
    route: &Stored,
) -> Result<String, Failure> {
    let rollout = Rollout { ask: wanted.said(now()), ..known.rollout.clone() };
    diff_of(place, &rollout, &known.state, route).await
}

/// What the next turn of a rollout would change, if its new version had an endpoint.
pub async fn diff_of(
    place: &Place,
    rollout: &Rollout,
    state: &state::State,
    route: &Stored,
) -> Result<String, Failure> {
    let rule = rollout.rule.as_deref();
    let patch = match &rollout.kind {
        RolloutKind::Canary(canary) => {
            let weights = Weights::read(&route.value, rule, &canary.stable)?;
            let counts = Counts::default();
            let seen = Seen {
                now: now(),
                weights: &weights,
                in_force: true,
                ready: true,
                counts: &counts,
                annotated: true,
            };
            match plan(&rollout.ask, canary, state, &seen)?.write {
                Some(write) => write.patch(&route.value, &canary.canary)?,
                None => return Ok(String::new()),
            }
        }
        RolloutKind::DarkLaunch(dark) => {
            let percent = if rollout.ask.intent == Intent::Running { dark.percent } else { 0 };
            mirror::patch(&route.value, rule, &dark.to, percent)?
        }
    };
    let change = Change { key: rollout.route.clone(), patch };
    Ok(place.routes().patch(&[change], Mode::DryRun).await?.diff)
}

/// A unified diff as terminals show it; where there is no colour, the style is left out.
pub fn coloured(diff: &str) -> String {
    let mut text = String::with_capacity(diff.len() + 64);
    for line in diff.lines() {
        let colour = match line.as_bytes().first() {
            _ if line.starts_with("+++") || line.starts_with("---") => None,
            Some(b'+') => Some(AnsiColor::Green),
            Some(b'-') => Some(AnsiColor::Red),
            Some(b'@') => Some(AnsiColor::Cyan),
            _ => None,
        };
        // Writing into a String can't fail.
        let _ = match colour.map(AnsiColor::on_default) {
            Some(style) => writeln!(text, "{style}{line}{style:#}"),
            None => writeln!(text, "{line}"),
        };
    }
    text
}
