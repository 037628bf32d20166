//! `meshctl canary history`

use serde_json::json;

use crate::args::{Format, OutputFormat, examples};
use crate::completions::live::{self, ROLLOUTS};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::rollouts::{self, Kind, Place, Target};

/// Tell who changed what, and why
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl canary history", "meshctl canary history -o json"]))]
pub struct Args {
    /// The rollout
    #[arg(value_name = "NAME", add = live::names(ROLLOUTS))]
    name: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: OutputFormat,
}

const HEADINGS: [&str; 5] = ["WHEN", "WHO", "FROM", "TO", "WHAT"];

pub fn run(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    rollouts::block_on(async {
        let place = args.target.place(environment, output).await?;
        let known = place.one(&args.target, Kind::Canary, args.name.as_deref(), true).await?;
        let lines = match &place {
            Place::Directory(directory) => directory.home.audited(&known.rollout.key),
            // Who asked, the API server's audit log knows.
            Place::Cluster(_) => known
                .state
                .history
                .iter()
                .map(|event| {
                    json!({
                        "at": event.at,
                        "who": if event.by_hand { "somebody else" } else { "controller" },
                        "what": event.why,
                        "from": format!("{}%", event.from),
                        "to": format!("{}%, {}", event.to, event.phase.as_str()),
                    })
                })
                .collect(),
        };
        let text = |line: &serde_json::Value, field: &str| {
            line[field].as_str().unwrap_or_default().to_owned()
        };
        let rows = lines
            .iter()
            .map(|line| ["at", "who", "from", "to", "what"].map(|field| text(line, field)).to_vec())
            .collect();
        match args.output.format {
            Format::Json | Format::Yaml => output.object(args.output.format, &lines)?,
            format => output.rows(format, &HEADINGS, rows, &())?,
        }
        Ok(Exit::Yes)
    })
}
