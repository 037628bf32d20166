//! Drives rollouts until one is over, or for ever.

use std::collections::BTreeMap;

use meshctl::limits;
use meshctl::model::ObjectKey;
use meshctl::rollout::directory::{HomeError, Locked, Runner, Turned};
use meshctl::rollout::state::{Event, Phase, State};
use meshctl::rollout::turn::TurnError;
use tokio::signal::unix::{SignalKind, signal};

use super::asking::now;
use super::live::Live;
use super::place::{Directory, Known, Place};
use super::show::Shown;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::screen::Screen;

/// Beside the live view.
const FAREWELL: &str = " q or Ctrl-C ends the run; the weight stays as it is";

/// Which rollouts are driven.
#[derive(Clone, Debug)]
pub enum Driven {
    /// Until it is over.
    One(ObjectKey),
    /// Those that come later too.
    All,
}

/// One process per directory. Events are lines of the answer; whoever sits at a terminal and drives
/// one rollout sees the live view first.
pub async fn drive(place: &Place, driven: &Driven, output: &mut Output) -> Result<Exit, Failure> {
    let Place::Directory(directory) = place else {
        let message = "in a cluster the controller advances rollouts";
        return Err(Failure::new(Exit::WrongCommandLine, message)
            .tip("`meshctl canary status -w` follows one"));
    };
    let runner = take(directory).await?;
    let is_live = matches!(driven, Driven::One(_)) && Screen::is_there();
    let live = is_live.then(|| Live::take(FAREWELL)).transpose()?;
    let voice = Voice { output, held: is_live.then(Vec::new) };
    let mut driver = Driver { place, runner, told: BTreeMap::new(), shown: None, voice, live };
    let exit = driver.run(driven).await;
    driver.live = None;
    driver.voice.release()?;
    match exit? {
        Some(exit) => Ok(exit),
        None => Ok(driver.left(driven)),
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
    /// The last moment of the one that is driven.
    shown: Option<Shown>,
    voice: Voice<'a>,
    live: Option<Live>,
}

/// Where events go: to the outputs, or behind the live view until it is left.
struct Voice<'a> {
    output: &'a mut Output,
    held: Option<Vec<Said>>,
}

#[derive(PartialEq, Eq)]
enum Said {
    Line(String),
    Note(String),
}

impl Voice<'_> {
    fn say(&mut self, said: Said) -> Result<(), Failure> {
        match (&mut self.held, said) {
            // What goes wrong in every turn is one thing to tell.
            (Some(held), said) if held.last() == Some(&said) => {}
            (Some(held), said) => held.push(said),
            (None, Said::Line(line)) => self.output.line(line)?,
            (None, Said::Note(note)) => self.output.note(note),
        }
        Ok(())
    }

    fn release(&mut self) -> Result<(), Failure> {
        self.held.take().into_iter().flatten().try_for_each(|said| self.say(said))
    }
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
    /// How it ended; `None` where somebody has seen enough.
    async fn run(&mut self, driven: &Driven) -> Result<Option<Exit>, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Exit::CouldNotAsk, format!("can't listen to signals: {error}"))
            })
        };
        let (mut interrupt, mut term) =
            (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        let mut ticks = tokio::time::interval(limits::ROLLOUT_TURN);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = interrupt.recv() => return Ok(None),
                _ = term.recv() => return Ok(None),
                () = quit(self.live.as_mut()) => return Ok(None),
            }
            // A turn is never cut in two: who leaves waits for its end.
            let exit = self.turns(driven).await?;
            if let (Some(live), Some(shown)) = (&mut self.live, &self.shown) {
                live.show(shown)?;
            }
            if exit.is_some() {
                return Ok(exit);
            }
        }
    }

    /// A turn of each; how the one that is meant has ended.
    async fn turns(&mut self, driven: &Driven) -> Result<Option<Exit>, Failure> {
        let all = match self.place.all(&super::Target::default()).await {
            Ok(all) => all,
            // A file that is being written is read again in the next turn.
            Err(failure) => {
                self.voice.say(Said::Note(failure.to_string()))?;
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
            if let Some(exit) = self.turn(known, driven).await?
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

    async fn turn(&mut self, known: Known, driven: &Driven) -> Result<Option<Exit>, Failure> {
        let key = known.rollout.key.clone();
        let told = self.told.entry(key).or_insert_with(|| Told {
            event: known.state.history.back().cloned(),
            weight: known.state.weight,
            name: (known.kind().command().to_owned(), known.name()),
            message: String::new(),
        });
        if self.runner.rests(&known.rollout)? {
            let phase = known.state.phase;
            self.shown = Some(moment(self.place, known));
            return Ok(exit_of(phase));
        }
        match self.runner.turn(&known.rollout, now()).await {
            Ok(Turned { state, view, .. }) => {
                let answered = state.answers(&known.rollout);
                told.tell(&state, &mut self.voice)?;
                let settled = state.before.is_none() && state.since.is_some();
                let nobody = view.proxies == 0 && view.behind.is_empty();
                let over = exit_of(state.phase).filter(|_| answered);
                let over = over.filter(|_| settled || nobody && state.before.is_none());
                self.shown = Some(moment(self.place, Known { state, view: Some(view), ..known }));
                Ok(over)
            }
            // The next turn sees what it is now.
            Err(HomeError::Turn(error)) => {
                if !matches!(&error, TurnError::Store(error) if error.may_pass()) {
                    let error = error.to_string();
                    told.message(&error, &mut self.voice)?;
                    let mut shown = moment(self.place, known);
                    shown.view.error = Some(error);
                    self.shown = Some(shown);
                }
                Ok(None)
            }
            // It has its turns when the other one is over.
            Err(HomeError::Held(why)) if matches!(driven, Driven::All) => {
                told.message(&why, &mut self.voice)?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Somebody has seen enough: what is served stays.
    fn left(&mut self, driven: &Driven) -> Exit {
        let Driven::One(key) = driven else { return Exit::Yes };
        if let Some(Told { weight, name: (command, name), .. }) = self.told.get(key) {
            self.voice.output.note(format_args!(
                "{name} stays at {weight}%: `meshctl {command} run {name}` goes on, \
                 `meshctl {command} abort {name}` takes it back"
            ));
        }
        Exit::Interrupted
    }
}

/// Until somebody leaves the view, where there is one.
async fn quit(live: Option<&mut Live>) {
    match live {
        Some(live) => drop(live.quit().await),
        None => std::future::pending().await,
    }
}

/// What the view shows of a rollout that this process drives.
fn moment(place: &Place, known: Known) -> Shown {
    let driver = Some(Locked { process: Some(std::process::id()) });
    let view = known.view.clone().unwrap_or_default();
    Shown { place: place.words(), known, view, driver, is_cluster: false }
}

impl Told {
    /// What is new.
    fn tell(&mut self, state: &State, voice: &mut Voice<'_>) -> Result<(), Failure> {
        let known = self.event.take();
        let news = state.history.iter().rev().take_while(|event| Some(*event) != known.as_ref());
        let mut news: Vec<&Event> = news.collect();
        news.reverse();
        let (_, name) = &self.name;
        for event in &news {
            voice.say(Said::Line(line(name, event)))?;
        }
        self.event = state.history.back().cloned();
        self.weight = state.weight;
        if news.is_empty() && !is_countdown(&state.message) {
            self.message(&state.message, voice)?;
        }
        Ok(())
    }

    fn message(&mut self, message: &str, voice: &mut Voice<'_>) -> Result<(), Failure> {
        if self.message != message && !message.is_empty() {
            let (_, name) = &self.name;
            voice.say(Said::Note(format!("{name}: {message}")))?;
            message.clone_into(&mut self.message);
        }
        Ok(())
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
