//! The demo from its first file to its last: builds everything up, lets the plan run, tells how
//! it went, and takes everything down, whatever ended it.

use std::sync::Arc;
use std::time::Duration;

use meshctl::clock::{self, Instant};
use meshctl::limits;

use crate::args::Format;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh;
use crate::output::Output;

use super::Options;
use super::directory::{Directory, ROUTE};
use super::gateway::{Gateway, Place, Sockets};
use super::load::Load;
use super::meter::{Meter, Phase, TICK};
use super::plan::{STEPS, Weights, step_duration};
use super::report;
use super::sample::Services;
use super::screen::Screen;
use super::stop::Stop;
use super::view::{self, View};

/// Between two looks at what the gateway serves, while an edit is on its way to it.
const LOOK: Duration = Duration::from_millis(10);

/// What runs while the demo does. The directory goes last: the gateway's socket is in it.
struct Stage {
    gateway: Gateway,
    meter: Arc<Meter>,
    url: String,
    total: Duration,
    _services: Services,
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
    let stage = Stage {
        gateway: Gateway::start(place, directory.path(), sockets).await?,
        meter: Arc::new(Meter::new(clock::now())),
        url: format!("http://{address}/"),
        total: options.duration,
        _services: services,
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
        Err(failure) => Err(failure),
    };
    stage.gateway.stop().await;
    answer
}

impl Stage {
    /// Without a view: a line for each step.
    async fn tell(&self, output: &mut Output, stop: &mut Stop) -> Result<End, Failure> {
        output.note(format_args!("{} shares its requests as {} says", self.url, self.route()));
        let announce = |step: usize| {
            let weights = STEPS[step];
            output.note(format_args!("step {} of {}: {weights}", step + 1, STEPS.len()));
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
                () = screen.quit() => break,
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
            (format!("$EDITOR {ROUTE}"), "other weights are served within a second"),
            ("meshctl check -f .".to_owned(), "finds every mistake in them"),
            ("meshctl proxy status".to_owned(), "what the gateway believes"),
        ]
    }

    /// All steps, one after the other.
    async fn carry_out(&self, mut announce: impl FnMut(usize)) -> Result<(), Failure> {
        let each = step_duration(self.total);
        let mut end = clock::now();
        for (step, weights) in STEPS.into_iter().enumerate() {
            self.meter.leave(Phase::Settling(step)).await;
            if step > 0 {
                self.directory.edit(weights)?;
            }
            self.served(weights).await?;
            self.meter.measure(step);
            announce(step);
            // A step that was served late still gets half of its time.
            end = (end + each).max(clock::now() + each / 2);
            tokio::time::sleep_until(end).await;
        }
        self.meter.leave(Phase::After).await;
        Ok(())
    }

    /// Until the gateway says that it serves the weights.
    async fn served(&self, weights: Weights) -> Result<(), Failure> {
        let until_then = async {
            while self.gateway.weights().await != Some(weights) {
                tokio::time::sleep(LOOK).await;
            }
        };
        let waited = tokio::time::timeout(limits::DEMO_EDIT_TIMEOUT, until_then).await;
        waited.map_err(|_| {
            let seconds = limits::DEMO_EDIT_TIMEOUT.as_secs();
            let message = format!(
                "{} asks for {weights}, and after {seconds} s the gateway does not serve it",
                self.route()
            );
            let failure = Failure::new(Exit::No, message);
            match self.gateway.problem() {
                Some(problem) => failure.tip(problem),
                None => failure,
            }
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
