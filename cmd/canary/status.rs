//! `meshctl canary status`

use std::time::Duration;

use serde_json::Value;

use crate::args::{Format, OutputFormat, Watch, examples};
use crate::completions::live::{self, ROLLOUTS};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::rollouts::show::{self, Shown};
use crate::rollouts::{self, Kind, Place, Target};
use crate::screen::Screen;

/// Show how far a rollout is: steps, weights, requests and errors of both versions
///
/// Exit code 0 once it is promoted, 1 when it went back, 3 while it goes on.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl canary status", "meshctl canary status shop -o json"]))]
pub struct Args {
    /// The rollout [default: all]
    #[arg(value_name = "NAME", add = live::names(ROLLOUTS))]
    name: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    watch: Watch,
    #[command(flatten)]
    output: OutputFormat,
}

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    show(Kind::Canary, args, environment, output)
}

/// The same for rollouts of each kind.
pub fn show(
    kind: Kind,
    args: &Args,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    rollouts::block_on(async {
        let place = args.target.place(environment, output).await?;
        if args.watch.watch {
            return follow(kind, args, &place, output).await;
        }
        let shown = gather(kind, args, &place).await?;
        print(kind, args, &shown, &place, output)?;
        Ok(show::exit(shown.iter().map(|shown| shown.known.state.phase)))
    })
}

async fn gather(kind: Kind, args: &Args, place: &Place) -> Result<Vec<Shown>, Failure> {
    let all = match &args.name {
        Some(name) => vec![place.one(&args.target, kind, Some(name), true).await?],
        None => place.all(&args.target).await?,
    };
    let mut shown = Vec::new();
    for known in all.into_iter().filter(|known| known.kind() == kind) {
        shown.push(show::look(place, known).await?);
    }
    Ok(shown)
}

fn print(
    kind: Kind,
    args: &Args,
    shown: &[Shown],
    place: &Place,
    output: &mut Output,
) -> Result<(), Failure> {
    let format = args.output.format;
    match (format, shown) {
        (Format::Json | Format::Yaml, [one]) if args.name.is_some() => {
            output.object(format, &one.json())
        }
        (Format::Json | Format::Yaml, all) => {
            let all: Vec<Value> = all.iter().map(Shown::json).collect();
            output.object(format, &all)
        }
        (Format::Table | Format::Wide, []) => {
            output.note(format_args!("{} has no {}", place.words(), kind.command()));
            output.note(kind.begin());
            Ok(())
        }
        (Format::Table | Format::Wide, [one]) => one.print(output),
        (_, all) => {
            output.rows(format, &Shown::HEADINGS, all.iter().map(Shown::row).collect(), &())
        }
    }
}

/// Until the rollout is over: a live view on a terminal, elsewhere a line for each change, as JSON
/// one for each look.
async fn follow(
    kind: Kind,
    args: &Args,
    place: &Place,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let name = args.name.as_deref();
    let mut known = place.one(&args.target, kind, name, true).await?;
    let format = args.output.format;
    let is_data = matches!(format, Format::Json | Format::Yaml);
    if Screen::is_there() && !is_data {
        let (shown, exit) = rollouts::live::watch(place, known).await?;
        shown.print(output)?;
        return Ok(exit);
    }
    let mut told = known.state.history.front().cloned();
    if !is_data {
        show::look(place, known.clone()).await?.print(output)?;
    }
    loop {
        if is_data {
            output.line(show::look(place, known.clone()).await?.json())?;
        }
        let news =
            known.state.history.iter().rev().take_while(|event| Some(*event) != told.as_ref());
        let mut news: Vec<_> = news.collect();
        news.reverse();
        for event in news.into_iter().filter(|_| !is_data) {
            output.line(rollouts::drive::line(&known.name(), event))?;
        }
        told = known.state.history.back().cloned();
        if let Some(exit) = rollouts::drive::exit_of(known.state.phase) {
            return Ok(exit);
        }
        tokio::time::sleep(LOOK).await;
        known = place.again(&known).await?;
    }
}
