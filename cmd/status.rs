//! `meshctl status`

use std::time::Duration;

use serde_json::{Value, json};

use crate::args::{Format, OutputFormat, Watch, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::get::{Listed, Named, rollouts, routes};
use crate::lowered::{self, Lowered};
use crate::output::Output;
use crate::page::{self, Page};
use crate::proxy::cluster::Target;
use crate::proxy::every::{Answers, Every, pause};
use crate::proxy::status::state;
use crate::screen;
use crate::units::{age, count};
use crate::why::{self, Remembered};

/// Show on one screen how it stands: proxies, listeners, routes with problems, rollouts, failures
///
/// Exit code 1 where a proxy isn't ready or the configuration has an error, 4 where a proxy gives
/// no answer or none runs. With -w it is drawn again until q or Ctrl-C; in a pipe it follows itself,
/// as JSON a line each. -n narrows everything to what is in that namespace.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl status", "meshctl status -n shop -o json"]))]
pub struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    watch: Watch,
    #[command(flatten)]
    output: OutputFormat,
}

/// How many failures stand on the screen.
const LAST: usize = 5;
/// Between two looks at this machine.
const LOOK: Duration = Duration::from_secs(2);
/// Between two looks at a cluster: each lists what its controller watches.
const LOOK_AT_CLUSTER: Duration = Duration::from_secs(5);

/// Everything that is looked at.
struct Screen {
    target: String,
    /// Each by its name, with what it says of itself.
    proxies: Vec<(String, Value)>,
    /// The namespace that all is of.
    namespace: Option<String>,
    /// Proxies that gave no answer, in words.
    silent: Vec<String>,
    /// Why there is none to ask.
    none: Option<String>,
    failures: Vec<Remembered>,
    /// `None` where no configuration is named and none is here.
    lowered: Option<Lowered>,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { target, watch, output: OutputFormat { format } } = args;
    let every = Every::new(&target, environment, output)?;
    let (of, environment) = (every.clone(), environment.clone());
    let look = move || Screen::look(&target, &of, &environment);
    let wait = if every.is_cluster() { LOOK_AT_CLUSTER } else { LOOK };
    match (watch.watch, format) {
        (true, Format::Table | Format::Wide) if screen::Screen::is_there() => {
            page::watch(wait, move || Ok(look()?.page()))
        }
        (true, _) => follow(wait, format, look, output),
        (false, _) => {
            let screen = look()?;
            screen.silent.iter().for_each(|why| output.note(why));
            let exit = screen.exit();
            screen.show(format, output)?;
            Ok(exit)
        }
    }
}

/// Again and again, until Ctrl-C.
fn follow(
    wait: Duration,
    format: Format,
    look: impl Fn() -> Result<Screen, Failure>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    loop {
        match look() {
            Ok(screen) if matches!(format, Format::Json | Format::Yaml) => {
                output.line(screen.json())?;
            }
            Ok(screen) => {
                screen.show(format, output)?;
                output.line("")?;
            }
            Err(failure) => output.note(failure),
        }
        if !pause(wait)? {
            return Ok(Exit::Interrupted);
        }
    }
}

impl Screen {
    fn look(target: &Target, every: &Every, environment: &Environment) -> Result<Self, Failure> {
        let lowered = configuration(target, every.is_cluster(), environment)?;
        let namespace = every.namespace().map(str::to_owned);
        match every.ask("/status") {
            Ok(Answers { target, mut answers, silent }) => {
                if every.is_cluster() {
                    answers.retain(|(pod, _)| {
                        namespace.as_ref().is_none_or(|wanted| {
                            pod.split_once('/').is_some_and(|(namespace, _)| namespace == wanted)
                        })
                    });
                }
                let failures = every.ask("/failures")?;
                let failures = why::last(failures, every.namespace(), LAST);
                let none = None;
                Ok(Self { target, proxies: answers, namespace, silent, none, failures, lowered })
            }
            // What is configured is worth a look where nothing serves it.
            Err(failure) => match lowered {
                None => Err(failure),
                Some(lowered) => Ok(Self {
                    target: lowered.target.clone(),
                    proxies: Vec::new(),
                    namespace,
                    silent: Vec::new(),
                    none: Some(failure.to_string()),
                    failures: Vec::new(),
                    lowered: Some(lowered),
                }),
            },
        }
    }

    fn show(self, format: Format, output: &mut Output) -> Result<(), Failure> {
        match format {
            Format::Json | Format::Yaml => output.object(format, &self.json()),
            Format::Name => self.proxies.iter().try_for_each(|(name, _)| output.line(name)),
            Format::Table | Format::Wide => self.page().print(output),
        }
    }

    fn is_in(&self, named: &Named) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == named.namespace)
    }

    fn routes(&self, lowered: &Lowered) -> Vec<routes::Row> {
        let mut all = routes::of(lowered);
        all.retain(|route| self.is_in(route.name()));
        all
    }

    fn rollouts(&self, lowered: &Lowered) -> Vec<rollouts::Row> {
        let mut all = rollouts::of(lowered);
        all.retain(|rollout| self.is_in(rollout.name()));
        all
    }

    fn errors(&self, lowered: &Lowered) -> usize {
        lowered.errors_in(self.namespace.as_deref())
    }

    fn exit(&self) -> Exit {
        let good = |status: &Value| status["ready"] == true;
        let errors = self.lowered.as_ref().map_or(0, |lowered| self.errors(lowered));
        let ready = self.proxies.iter().all(|(_, status)| good(status));
        match (!self.silent.is_empty() || self.none.is_some(), ready && errors == 0) {
            (true, _) => Exit::CouldNotAsk,
            (false, true) => Exit::Yes,
            (false, false) => Exit::No,
        }
    }

    fn json(&self) -> Value {
        let lowered = self.lowered.as_ref();
        let proxies = self.proxies.iter().map(|(name, status)| {
            let mut status = status.clone();
            status["name"] = json!(name);
            status
        });
        json!({
            "target": self.target,
            "proxies": proxies.collect::<Vec<_>>(),
            "silent": self.silent,
            "why": self.none,
            "configuration": lowered.map(|lowered| json!({
                "target": lowered.target,
                "errors": self.errors(lowered),
            })),
            "routes": lowered.map(|lowered| self.routes(lowered)).unwrap_or_default(),
            "rollouts": lowered.map(|lowered| self.rollouts(lowered)).unwrap_or_default(),
            "failures": self.failures,
        })
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        match &self.none {
            Some(why) => page.line(why),
            None => {
                page.line(&self.target);
                let headings =
                    ["PROXY", "STATE", "GENERATION", "CONNECTIONS", "UPTIME", "LISTENERS"];
                let rows = self.proxies.iter().map(|(name, status)| proxy(name, status));
                page.table(&headings, rows.collect());
                self.silent.iter().for_each(|why| page.line(why));
            }
        }
        if let Some(lowered) = &self.lowered {
            self.configured(lowered, &mut page);
        }
        if !self.failures.is_empty() {
            let now = why::now();
            page.line("\nlast failures (`meshctl why` tells more)");
            let rows = self.failures.iter().map(|one| why::shown::row(one, false, now)).collect();
            page.table(&why::shown::headings(false), rows);
        }
        page
    }

    /// Routes and rollouts: of those that are well, how many there are.
    fn configured(&self, lowered: &Lowered, page: &mut Page) {
        let all = self.routes(lowered);
        let wrong: Vec<&routes::Row> =
            all.iter().filter(|route| !route.name().problems.is_empty()).collect();
        let (routes, errors) = (count(all.len(), "route"), count(self.errors(lowered), "error"));
        page.line(format_args!("\n{}: {routes}, {errors}", lowered.target));
        if !wrong.is_empty() {
            let row = |route: &&routes::Row| {
                let problems = &route.name().problems;
                let message = problems.first().map(|one| one.message.clone()).unwrap_or_default();
                vec![route.name().full(), route.name().state(), message]
            };
            page.table(&["ROUTE", "STATE", "WHY"], wrong.iter().map(row).collect());
        }
        let rollouts = self.rollouts(lowered);
        if !rollouts.is_empty() {
            page.line("");
            let mut headings = vec!["ROLLOUT"];
            headings.extend(rollouts::Row::HEADINGS);
            let row =
                |rollout: &rollouts::Row| [vec![rollout.name().full()], rollout.cells()].concat();
            page.table(&headings, rollouts.iter().map(row).collect());
        }
    }
}

/// What is named, else what is here: that there is none is no failure.
fn configuration(
    target: &Target,
    is_cluster: bool,
    environment: &Environment,
) -> Result<Option<Lowered>, Failure> {
    let files = target.serving.file.clone().into_iter().collect();
    match (is_cluster, target.serving.file.is_some()) {
        (true, _) => lowered::of_cluster(&target.context, environment).map(Some),
        (false, true) => lowered::of_files(files, environment).map(Some),
        (false, false) => Ok(lowered::of_files(files, environment).ok()),
    }
}

fn proxy(name: &str, status: &Value) -> Vec<String> {
    let listeners = status["listeners"].as_array().into_iter().flatten();
    let listeners: Vec<&str> =
        listeners.filter_map(|listener| listener["address"].as_str()).collect();
    let generation = status["generation"].as_u64();
    vec![
        name.to_owned(),
        state(status),
        generation.map_or_else(|| "-".to_owned(), |number| number.to_string()),
        status["connections"].to_string(),
        age(status["uptimeSeconds"].as_u64().unwrap_or(0)),
        listeners.join(", "),
    ]
}
