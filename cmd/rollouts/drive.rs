//! Drives rollouts until one is over, or for ever.

use std::collections::BTreeMap;

use meshctl::limits;
use meshctl::model::ObjectKey;
use meshctl::rollout::directory::{HomeError, Runner};
use meshctl::rollout::state::{Event, Phase, State};
use meshctl::rollout::turn::TurnError;
use tokio::signal::unix::{SignalKind, signal};

use super::asking::now;
use super::place::{Directory, Known, Place};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Which rollouts are driven.
#[derive(Clone, Debug)]
pub enum Driven {
    /// Until it is over.
    One(ObjectKey),
    /// Those that come later too.
    All,
}

/// One process per directory. Events are lines of the answer.
pub async fn drive(place: &Place, driven: &Driven, output: &mut Output) -> Result<Exit, Failure> {
    let Place::Directory(directory) = place else {
        let message = "in a cluster the controller advances rollouts";
        return Err(Failure::new(Exit::WrongCommandLine, message)
            .tip("`meshctl canary status -w` follows one"));
    };
    let listen = |kind| {
        signal(kind).map_err(|error| {
            Failure::new(Exit::CouldNotAsk, format!("can't listen to signals: {error}"))
        })
    };
    let (mut interrupt, mut term) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut driver = Driver { place, runner: take(directory).await?, told: BTreeMap::new() };
    let mut ticks = tokio::time::interval(limits::ROLLOUT_TURN);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = interrupt.recv() => return Ok(driver.left(driven, output)),
            _ = term.recv() => return Ok(driver.left(driven, output)),
        }
        // A turn is never cut in two: a signal waits for its end.
        if let Some(exit) = driver.turns(driven, output).await? {
            return Ok(exit);
        }
    }
}

/// The lock; a verb that holds it is done in a moment.
async fn take(directory: &Directory) -> Result<Runner, Failure> {
    let until = meshctl::clock::now() + limits::ROLLOUT_SETTLE;
    loop {
        let (home, who) = (directory.home.clone(), format!("runner of {}", directory.who));
        match Runner::new(home, directory.proxies(), who)? {
            Ok(runner) => return Ok(runner),
            Err(_) if meshctl::clock::now() < until => {
                tokio::time::sleep(limits::STORE_LOCK_LOOK * 10).await;
            }
            Err(locked) => {
                let by = locked.process.map_or_else(String::new, |id| format!(": process {id}"));
                let message =
                    format!("another process advances the rollouts of this directory{by}");
                return Err(Failure::new(Exit::CouldNotAsk, message)
                    .tip("`meshctl canary status -w` follows it"));
            }
        }
    }
}

struct Driver<'a> {
    place: &'a Place,
    runner: Runner,
    told: BTreeMap<ObjectKey, Told>,
}

/// What was said of a rollout.
#[derive(Default)]
struct Told {
    event: Option<Event>,
    message: String,
    weight: u32,
    /// Its command and name.
    name: (String, String),
}

impl Driver<'_> {
    /// A turn of each; how the one that is meant has ended.
    async fn turns(
        &mut self,
        driven: &Driven,
        output: &mut Output,
    ) -> Result<Option<Exit>, Failure> {
        let all = match self.place.all(&super::Target::default()).await {
            Ok(all) => all,
            // A file that is being written is read again in the next turn.
            Err(failure) => {
                output.note(format_args!("{failure}"));
                return Ok(None);
            }
        };
        let meant = |known: &Known| match driven {
            Driven::One(key) => known.rollout.key == *key,
            Driven::All => true,
        };
        let mut found = false;
        for known in all.into_iter().filter(meant) {
            found = true;
            if let Some(exit) = self.turn(known, driven, output).await?
                && matches!(driven, Driven::One(_))
            {
                return Ok(Some(exit));
            }
        }
        match driven {
            Driven::One(key) if !found => Err(Failure::new(Exit::No, format!("{key} is gone"))),
            _ => Ok(None),
        }
    }

    async fn turn(
        &mut self,
        known: Known,
        driven: &Driven,
        output: &mut Output,
    ) -> Result<Option<Exit>, Failure> {
        let key = known.rollout.key.clone();
        let told = self.told.entry(key).or_insert_with(|| Told {
            event: known.state.history.back().cloned(),
            weight: known.state.weight,
            name: (known.kind().command().to_owned(), known.name()),
            message: String::new(),
        });
        if self.runner.rests(&known.rollout)? {
            return Ok(exit_of(known.state.phase));
        }
        match self.runner.turn(&known.rollout, now()).await {
            Ok(turned) => {
                told.tell(&turned.state, output)?;
                let settled = turned.state.before.is_none() && turned.state.since.is_some();
                let nobody = turned.view.proxies == 0 && turned.view.behind.is_empty();
                let over = exit_of(turned.state.phase);
                Ok(over.filter(|_| settled || nobody && turned.state.before.is_none()))
            }
            // The next turn sees what it is now.
            Err(HomeError::Turn(error)) => {
                if !matches!(&error, TurnError::Store(error) if error.may_pass()) {
                    told.message(&error.to_string(), output);
                }
                Ok(None)
            }
            // It has its turns when the other one is over.
            Err(HomeError::Held(why)) if matches!(driven, Driven::All) => {
                told.message(&why, output);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Somebody has seen enough: what is served stays.
    fn left(&self, driven: &Driven, output: &mut Output) -> Exit {
        let Driven::One(key) = driven else { return Exit::Yes };
        if let Some(Told { weight, name: (command, name), .. }) = self.told.get(key) {
            output.note(format_args!(
                "{name} stays at {weight}%: `meshctl {command} run {name}` goes on, \
                 `meshctl {command} abort {name}` takes it back"
            ));
        }
        Exit::Interrupted
    }
}

impl Told {
    /// What is new.
    fn tell(&mut self, state: &State, output: &mut Output) -> Result<(), Failure> {
        let known = self.event.take();
        let news = state.history.iter().rev().take_while(|event| Some(*event) != known.as_ref());
        let mut news: Vec<&Event> = news.collect();
        news.reverse();
        let (_, name) = &self.name;
        for event in &news {
            output.line(line(name, event))?;
        }
        self.event = state.history.back().cloned();
        self.weight = state.weight;
        if news.is_empty() && !is_countdown(&state.message) {
            self.message(&state.message, output);
        }
        Ok(())
    }

    fn message(&mut self, message: &str, output: &mut Output) {
        if self.message != message && !message.is_empty() {
            let (_, name) = &self.name;
            output.note(format_args!("{name}: {message}"));
            message.clone_into(&mut self.message);
        }
    }
}

/// It is another one each second.
fn is_countdown(message: &str) -> bool {
    message.ends_with(" s to go")
}

/// `09:41:07 shop 5% → 25%, Progressing: step 3 of 4`
pub fn line(name: &str, event: &Event) -> String {
    let Event { at, phase, from, to, why, .. } = event;
    let time = at.strftime("%H:%M:%SZ");
    if from == to {
        return format!("{time} {name} {to}%, {}: {why}", phase.as_str());
    }
    format!("{time} {name} {from}% → {to}%, {}: {why}", phase.as_str())
}

/// The answer of a rollout that is over.
pub fn exit_of(phase: Phase) -> Option<Exit> {
    match phase {
        Phase::Promoted => Some(Exit::Yes),
        Phase::Aborted | Phase::RolledBack => Some(Exit::No),
        Phase::Pending | Phase::Progressing | Phase::Paused => None,
    }
}
