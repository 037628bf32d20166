//! The demo from its first file to its last: builds everything up, lets the plan run, tells how
//! it went, and takes everything down, whatever ended it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use meshctl::clock::{self, Instant};
use meshctl::limits;
use meshctl::rollout::state as rollout;

use crate::args::Format;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh;
use crate::output::Output;
use crate::screen::Screen;
use crate::stop::Stop;

use super::Options;
use super::directory::{Directory, ROUTE};
use super::gateway::{Gateway, Place, Sockets};
use super::load::Load;
use super::meter::{Meter, Phase, TICK};
use super::plan::{BAD, STEPS, STORY, step_duration};
use super::report;
use super::sample::Services;
use super::story::Story;
use super::view::{self, View};

/// Between two looks at what the gateway serves, while an edit is on its way to it.
const LOOK: Duration = Duration::from_millis(20);
/// Between two turns of a canary that is served: the steps of a demo are short.
const TURN: Duration = Duration::from_millis(400);

/// What runs while the demo does. The directory goes last: the gateway's socket is in it.
struct Stage {
    gateway: Gateway,
    meter: Arc<Meter>,
    url: String,
    total: Duration,
    services: Services,
    run_dir: PathBuf,
    directory: Directory,
}

/// How the demo came to its end.
enum End {
    /// The plan was carried out.
    Done,
    /// Somebody wanted it.
    Left,
}

pub async fn play(
    options: &Options,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut stop = Stop::new().map_err(|error| failed("listen to signals", &error))?;
    let place = Place::find(options.port)?;
    let address = place.address;
    let given = options.directory.as_deref().map(|directory| environment.absolute(directory));
    let directory = Directory::make(given.as_deref(), &environment.temporary)?;
    let services = Services::start().await;
    let services = services.map_err(|error| failed("start the sample service", &error))?;
    directory.write(address, services.addresses, STEPS[0])?;
    let served = mesh::Source::Files(vec![directory.path().to_owned()]);
    let sockets = Sockets {
        run_dir: mesh::run_dir(&served, environment),
        register: mesh::register_dir(environment),
    };
    let run_dir = sockets.run_dir.clone();
    let stage = Stage {
        gateway: Gateway::start(place, directory.path(), sockets).await?,
        meter: Arc::new(Meter::new(clock::now())),
        url: format!("http://{address}/"),
        total: options.duration,
        services,
        run_dir,
        directory,
    };
    let load = Load::start(address, &stage.meter);
    let end = if options.headless {
        stage.tell(output, &mut stop).await
    } else {
        stage.show(&mut stop).await
    };
    load.stop().await;
    let answer = match end {
        Ok(End::Done) => verdict(&stage, output),
        // A view is left like this; a script wanted its table.
        Ok(End::Left) => Ok(if options.headless { Exit::Interrupted } else { Exit::Yes }),
        Err(failure) => {
            // Why it didn't get on may stand in what was lost.
            let steps = report::steps(stage.meter.steps());
            let lost = steps.iter().enumerate().filter_map(|(at, step)| step.loss(at + 1));
            lost.for_each(|problem| output.note(format_args!("note: {problem}")));
            Err(failure)
        }
    };
    stage.gateway.stop().await;
    answer
}

impl Stage {
    /// Without a view: a line for each step.
    async fn tell(&self, output: &mut Output, stop: &mut Stop) -> Result<End, Failure> {
        output.note(format_args!("{} shares its requests as {} says", self.url, self.route()));
        let announce = |step: usize| {
            let (weights, story) = (STEPS[step], STORY[step]);
            output.note(format_args!("step {} of {}: {weights}, {story}", step + 1, STEPS.len()));
        };
        tokio::select! {
            carried_out = self.carry_out(announce) => carried_out.map(|()| End::Done),
            () = stop.wait() => Ok(End::Left),
        }
    }

    /// With the view, until somebody leaves it.
    async fn show(&self, stop: &mut Stop) -> Result<End, Failure> {
        let mut screen = Screen::take().map_err(|error| failed("use the terminal", &error))?;
        let started = clock::now();
        let mut plan = std::pin::pin!(self.carry_out(|_| {}));
        let mut carried_out: Option<Result<(), Failure>> = None;
        let mut ticks = tokio::time::interval(TICK / 2);
        loop {
            tokio::select! {
                result = &mut plan, if carried_out.is_none() => carried_out = Some(result),
                _ = ticks.tick() => {
                    let failure = carried_out.as_ref().and_then(|result| result.as_ref().err());
                    let failure = failure.map(in_a_line);
                    self.draw(&mut screen, started, failure).await?;
                }
                _ = screen.quit() => break,
                () = stop.wait() => break,
            }
        }
        drop(screen);
        match carried_out {
            Some(result) => result.map(|()| End::Done),
            None => Ok(End::Left),
        }
    }

    async fn draw(
        &self,
        screen: &mut Screen,
        started: Instant,
        failure: Option<String>,
    ) -> Result<(), Failure> {
        let now = clock::now();
        let weights = self.gateway.weights().await;
        let trouble = failure.or_else(|| self.gateway.problem());
        let commands = self.commands();
        let farewell = if self.directory.is_temporary() {
            " q or Ctrl-C ends everything and removes the directory"
        } else {
            " q or Ctrl-C ends everything; the directory stays"
        };
        let view = View {
            phase: self.meter.phase(),
            elapsed: now - started,
            total: self.total,
            weights,
            recent: self.meter.recent(now),
            steps: &report::steps(self.meter.steps()),
            lost: self.meter.lost(),
            trouble: trouble.as_deref(),
            commands: &commands,
            farewell,
        };
        let drawn = screen.draw(|frame| view::draw(frame, &view));
        drawn.map_err(|error| failed("draw on the terminal", &error))
    }

    /// What one may try while it is up.
    fn commands(&self) -> Vec<(String, &'static str)> {
        vec![
            (format!("curl {}", self.url), "a request; ask several times"),
            (format!("cd {}", self.directory.path().display()), "the files"),
            ("meshctl canary status".to_owned(), "how far the canaries are"),
            ("meshctl canary history good".to_owned(), "who changed what, and why"),
            ("meshctl canary undo good".to_owned(), "once it is promoted: takes that back"),
        ]
    }

    /// The whole story, one step after the other.
    async fn carry_out(&self, mut announce: impl FnMut(usize)) -> Result<(), Failure> {
        let each = step_duration(self.total);
        let text = self.directory.text()?;
        let mut story = Story::open(self.directory.path(), &self.run_dir)?;
        self.dark_launch(&mut story, each, &mut announce).await?;
        self.services.make_second(true);
        story.begin_canary("bad", 10, each).await?;
        let steps = [(10, BAD), (0, BAD + 1)];
        let phase = self.canary(&mut story, "bad", &steps, each, &mut announce).await?;
        if phase != rollout::Phase::RolledBack || self.directory.text()? != text {
            return Err(Failure::new(Exit::No, "the bad version was not taken back"));
        }
        self.services.make_second(false);
        story.begin_canary("good", 50, each).await?;
        let steps = [(50, BAD + 2), (100, BAD + 3)];
        let phase = self.canary(&mut story, "good", &steps, each, &mut announce).await?;
        if phase != rollout::Phase::Promoted {
            return Err(Failure::new(Exit::No, "the good version was not promoted"));
        }
        self.meter.leave(Phase::After).await;
        Ok(())
    }

    /// The first step: nobody is answered by v2, and it gets copies all the same.
    async fn dark_launch(
        &self,
        story: &mut Story,
        each: Duration,
        announce: &mut impl FnMut(usize),
    ) -> Result<(), Failure> {
        story.begin_dark_launch().await?;
        self.settle_dark(story).await?;
        self.meter.measure(0);
        announce(0);
        tokio::time::sleep(each).await;
        self.meter.leave(Phase::Deciding(0)).await;
        let copies = story.turn_dark_launch().await?.view.canary.requests;
        if copies == 0 {
            return Err(Failure::new(Exit::No, "v2 has got no copy of any request"));
        }
        story.end_dark_launch().await?;
        self.settle_dark(story).await
    }

    /// Until the gateway copies as it was asked to.
    async fn settle_dark(&self, story: &mut Story) -> Result<(), Failure> {
        let until = clock::now() + limits::DEMO_EDIT_TIMEOUT;
        // The first turn answers, the next ones look.
        story.turn_dark_launch().await?;
        while story.turn_dark_launch().await?.state.since.is_none() {
            self.not_later_than(until, "the dark launch")?;
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Drives a canary through `steps`, each a percentage and its place in the story, until it is
    /// over and its end was looked at for as long as the others.
    async fn canary(
        &self,
        story: &mut Story,
        name: &str,
        steps: &[(u32, usize)],
        each: Duration,
        announce: &mut impl FnMut(usize),
    ) -> Result<rollout::Phase, Failure> {
        let mut announced = None;
        let mut until = clock::now() + each + limits::DEMO_EDIT_TIMEOUT;
        let place = |weight: u32, over: bool| {
            // At first it has no weight either: that is no end.
            let at = steps.iter().find(|(percent, _)| *percent == weight && (weight > 0 || over));
            at.map(|(_, step)| *step)
        };
        let mut now = steps[0].1;
        loop {
            // A turn may write: what was begun under the weights of before has ended by then.
            let held =
                if announced.is_some() { Phase::Deciding(now) } else { Phase::Settling(now) };
            self.meter.leave(held).await;
            let turned = story.turn(name).await?;
            let over = turned.state.phase.is_over();
            let served = turned.state.before.is_none() && turned.state.since.is_some();
            if let Some(step) = place(turned.state.weight, over) {
                if step != now {
                    (now, announced) = (step, None);
                    until = clock::now() + each + limits::DEMO_EDIT_TIMEOUT;
                }
                if served {
                    self.meter.measure(step);
                    if announced.is_none() {
                        announced = Some(step);
                        announce(step);
                    }
                }
            }
            if over && served {
                tokio::time::sleep(each).await;
                self.meter.leave(Phase::Deciding(now)).await;
                return Ok(turned.state.phase);
            }
            self.not_later_than(until, &turned.state.message)?;
            tokio::time::sleep(if served { TURN } else { LOOK }).await;
        }
    }

    fn not_later_than(&self, until: Instant, what: &str) -> Result<(), Failure> {
        if clock::now() < until {
            return Ok(());
        }
        let failure = Failure::new(Exit::No, format!("it doesn't get on: {what}"));
        Err(match self.gateway.problem() {
            Some(problem) => failure.tip(problem),
            None => failure,
        })
    }

    fn route(&self) -> String {
        self.directory.path().join(ROUTE).display().to_string()
    }
}

/// The table, and whether it shows what was asked for.
fn verdict(stage: &Stage, output: &mut Output) -> Result<Exit, Failure> {
    let steps = report::steps(stage.meter.steps());
    output.rows(Format::Table, report::HEADINGS, report::rows(&steps), &())?;
    let problems = report::problems(&steps);
    if problems.is_empty() {
        return Ok(Exit::Yes);
    }
    Err(Failure::new(Exit::No, problems.join("; ")))
}

/// One line for the view.
fn in_a_line(failure: &Failure) -> String {
    match failure {
        Failure::Said { message, tip: Some(tip), .. } => format!("{message}: {tip}"),
        Failure::Said { message, tip: None, .. } => message.clone(),
        Failure::CommandLine(_) | Failure::OutputClosed => "the output is closed".to_owned(),
    }
}

fn failed(doing: &str, error: &std::io::Error) -> Failure {
    Failure::new(Exit::CouldNotAsk, format!("could not {doing}: {error}"))
}
