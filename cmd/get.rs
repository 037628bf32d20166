//! `meshctl get KIND [NAME]`

mod backends;
mod gateways;
mod policies;
pub mod rollouts;
pub mod routes;

use meshctl::model::ObjectKey;
use serde::Serialize;

use crate::args::{Format, OutputFormat, examples};
use crate::completions::live;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::lowered::{Lowered, Problem, Target};
use crate::output::Output;
use crate::units::count;
use crate::wanted::Wanted;

/// List what a configuration comes to: routes, gateways, backends, policies or rollouts
///
/// Files are read and a cluster is listed as `meshctl check` does it, so what stands here is what
/// proxies serve by, and STATE is what `check` finds. Exit code 4 where NAME isn't there.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl get routes -f shop",
    "meshctl get backends -f shop -o wide",
    "meshctl get gateways -f shop -o json",
]))]
pub struct Args {
    /// What to list
    #[arg(value_name = "KIND")]
    kind: Kind,
    /// Only this one
    #[arg(value_name = "[NAMESPACE/]NAME", add = live::listed())]
    name: Option<String>,
    /// Only this namespace
    #[arg(short, long, value_name = "NAME", add = live::namespaces())]
    namespace: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: OutputFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    #[value(alias = "gateway")]
    Gateways,
    #[value(alias = "route")]
    Routes,
    #[value(alias = "backend")]
    Backends,
    #[value(alias = "policy")]
    Policies,
    #[value(alias = "rollout")]
    Rollouts,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { kind, name, namespace, target, output: form } = args;
    let lowered = target.lower(environment)?;
    let wanted = Wanted { name, namespace };
    match kind {
        Kind::Gateways => show(gateways::of(&lowered), &wanted, &lowered, form.format, output),
        Kind::Routes => show(routes::of(&lowered), &wanted, &lowered, form.format, output),
        Kind::Backends => show(backends::of(&lowered), &wanted, &lowered, form.format, output),
        Kind::Policies => show(policies::of(&lowered), &wanted, &lowered, form.format, output),
        Kind::Rollouts => show(rollouts::of(&lowered), &wanted, &lowered, form.format, output),
    }
}

/// Something that is listed.
pub trait Listed: Serialize {
    const HEADINGS: &'static [&'static str];
    /// Of the wide table, besides.
    const MORE: &'static [&'static str];

    fn name(&self) -> &Named;
    /// What stands after the name.
    fn cells(&self) -> Vec<String>;
    fn more(&self) -> Vec<String>;
}

/// What everything that is listed has.
#[derive(Clone, Debug, Serialize)]
pub struct Named {
    pub namespace: String,
    pub name: String,
    pub kind: &'static str,
    pub problems: Vec<Problem>,
}

impl Named {
    pub fn new(key: &ObjectKey, lowered: &Lowered) -> Self {
        Self {
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            kind: key.kind.as_str(),
            problems: lowered.problems(key),
        }
    }

    pub fn full(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// `ok`, or what there is of mistakes.
    pub fn state(&self) -> String {
        let mut codes: Vec<&str> = self.problems.iter().map(|one| one.code.as_str()).collect();
        codes.dedup();
        let errors = self.problems.iter().filter(|one| one.severity == "error").count();
        match (codes.is_empty(), errors) {
            (true, _) => "ok".to_owned(),
            (false, 0) => format!("warning {}", codes.join(" ")),
            (false, _) => format!("error {}", codes.join(" ")),
        }
    }
}

fn show<T: Listed>(
    mut all: Vec<T>,
    wanted: &Wanted,
    lowered: &Lowered,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    all.retain(|one| wanted.is_in(&one.name().namespace));
    let names: Vec<String> = all.iter().map(|one| one.name().full()).collect();
    all.retain(|one| wanted.takes(&one.name().namespace, &one.name().name));
    if let (Some(name), true) = (&wanted.name, all.is_empty()) {
        let namespace = wanted.namespace.as_ref();
        let within = namespace.map_or_else(String::new, |name| format!(", namespace {name}"));
        let failure = format!("there is no `{name}` in {}{within}", lowered.target);
        let tip = match names.as_slice() {
            [] => "there is none at all".to_owned(),
            names => format!("there are: {}", names.join(", ")),
        };
        return Err(Failure::new(Exit::CouldNotAsk, failure).tip(tip));
    }
    let wide = format == Format::Wide;
    let mut headings = vec!["NAME"];
    headings.extend(T::HEADINGS);
    headings.push("STATE");
    headings.extend(if wide { T::MORE } else { &[] });
    let rows = all.iter().map(|one| {
        let mut row = vec![one.name().full()];
        row.extend(one.cells());
        row.push(one.name().state());
        row.extend(if wide { one.more() } else { Vec::new() });
        row
    });
    output.rows(format, &headings, rows.collect(), &all)?;
    if all.is_empty() {
        output.note(format_args!("{}: there is none", lowered.target));
    }
    // What can't be read isn't listed.
    if lowered.errors() > 0 {
        let errors = count(lowered.errors(), "error");
        output.note(format_args!("{}: `meshctl check` tells of {errors}", lowered.target));
    }
    Ok(Exit::Yes)
}

/// `-` where there is nothing.
fn listed(texts: impl IntoIterator<Item = impl ToString>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| text.to_string()).collect();
    if texts.is_empty() { "-".to_owned() } else { texts.join(", ") }
}
