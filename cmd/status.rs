//! `meshctl status`

use serde_json::{Value, json};

use crate::args::{Format, OutputFormat, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::get::{Listed, rollouts, routes};
use crate::lowered::{self, Lowered};
use crate::output::Output;
use crate::proxy::cluster::Target;
use crate::proxy::every::{Answers, Every};
use crate::proxy::status::state;
use crate::units::{age, count};
use crate::why::{self, Remembered};

/// Show on one screen how it stands: proxies, listeners, routes with problems, rollouts, failures
///
/// Exit code 1 where a proxy isn't ready or the configuration has an error, 4 where a proxy gives
/// no answer or none runs.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl status", "meshctl status -n shop -o json"]))]
pub struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: OutputFormat,
}

/// How many failures stand on the screen.
const LAST: usize = 5;

/// Everything that is looked at.
struct Screen {
    target: String,
    /// Each by its name, with what it says of itself.
    proxies: Vec<(String, Value)>,
    /// Proxies that gave no answer.
    silent: usize,
    /// Why there is none to ask.
    none: Option<String>,
    failures: Vec<Remembered>,
    /// `None` where no configuration is named and none is here.
    lowered: Option<Lowered>,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { target, output: form } = args;
    let screen = Screen::look(&target, environment, output)?;
    match form.format {
        Format::Json | Format::Yaml => output.object(form.format, &screen.json())?,
        Format::Name => screen.proxies.iter().try_for_each(|(name, _)| output.line(name))?,
        Format::Table | Format::Wide => screen.print(output)?,
    }
    Ok(screen.exit())
}

impl Screen {
    fn look(
        target: &Target,
        environment: &Environment,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let every = Every::new(target, environment, output)?;
        let lowered = configuration(target, every.is_cluster(), environment)?;
        match every.ask("/status", output) {
            Ok(Answers { target, answers, silent }) => {
                let failures = why::last(every.ask("/failures", output)?, LAST);
                Ok(Self { target, proxies: answers, silent, none: None, failures, lowered })
            }
            // What is configured is worth a look where nothing serves it.
            Err(failure) => match lowered {
                None => Err(failure),
                Some(lowered) => Ok(Self {
                    target: lowered.target.clone(),
                    proxies: Vec::new(),
                    silent: 0,
                    none: Some(failure.to_string()),
                    failures: Vec::new(),
                    lowered: Some(lowered),
                }),
            },
        }
    }

    fn exit(&self) -> Exit {
        let good = |status: &Value| status["ready"] == true;
        let errors = self.lowered.as_ref().map_or(0, Lowered::errors);
        let ready = self.proxies.iter().all(|(_, status)| good(status));
        match (self.silent > 0 || self.none.is_some(), ready && errors == 0) {
            (true, _) => Exit::CouldNotAsk,
            (false, true) => Exit::Yes,
            (false, false) => Exit::No,
        }
    }

    fn json(&self) -> Value {
        let routes = self.lowered.as_ref().map(routes::of).unwrap_or_default();
        let rollouts = self.lowered.as_ref().map(rollouts::of).unwrap_or_default();
        let proxies = self.proxies.iter().map(|(name, status)| {
            let mut status = status.clone();
            status["name"] = json!(name);
            status
        });
        json!({
            "target": self.target,
            "proxies": proxies.collect::<Vec<_>>(),
            "why": self.none,
            "configuration": self.lowered.as_ref().map(|lowered| json!({
                "target": lowered.target,
                "errors": lowered.errors(),
            })),
            "routes": routes,
            "rollouts": rollouts,
            "failures": self.failures,
        })
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        match &self.none {
            Some(why) => output.line(why)?,
            None => {
                output.line(&self.target)?;
                let headings =
                    ["PROXY", "STATE", "GENERATION", "CONNECTIONS", "UPTIME", "LISTENERS"];
                let rows = self.proxies.iter().map(|(name, status)| proxy(name, status));
                output.table(&headings, rows.collect())?;
            }
        }
        if let Some(lowered) = &self.lowered {
            print_configuration(lowered, output)?;
        }
        if !self.failures.is_empty() {
            let now = why::now();
            output.line("\nlast failures (`meshctl why` tells more)")?;
            let rows = self.failures.iter().map(|one| why::shown::row(one, false, now)).collect();
            output.table(&why::shown::headings(false), rows)?;
        }
        Ok(())
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

/// Routes and rollouts: of those that are well, how many there are.
fn print_configuration(lowered: &Lowered, output: &mut Output) -> Result<(), Failure> {
    let all = routes::of(lowered);
    let wrong: Vec<&routes::Row> =
        all.iter().filter(|route| !route.name().problems.is_empty()).collect();
    let (routes, errors) = (count(all.len(), "route"), count(lowered.errors(), "error"));
    output.line(format_args!("\n{}: {routes}, {errors}", lowered.target))?;
    if !wrong.is_empty() {
        let row = |route: &&routes::Row| {
            let problems = &route.name().problems;
            let message = problems.first().map(|one| one.message.clone()).unwrap_or_default();
            vec![route.name().full(), route.name().state(), message]
        };
        output.table(&["ROUTE", "STATE", "WHY"], wrong.iter().map(row).collect())?;
    }
    let rollouts = rollouts::of(lowered);
    if !rollouts.is_empty() {
        output.line("")?;
        let mut headings = vec!["ROLLOUT"];
        headings.extend(rollouts::Row::HEADINGS);
        let row = |rollout: &rollouts::Row| [vec![rollout.name().full()], rollout.cells()].concat();
        output.table(&headings, rollouts.iter().map(row).collect())?;
    }
    Ok(())
}
