//! `meshctl explain [CODE|CAUSE]`

use meshctl::model::Cause;
use serde::Serialize;

use crate::args::{Format, OutputFormat, examples};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::suggest;

/// Say what the cause of a failed request means, and what to do
///
/// Causes are the words in access logs, metrics and the meshctl-cause header. Without a word, all
/// are listed.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl explain upstream_connect_timeout",
    "meshctl explain -o name | grep tls",
]))]
pub struct Args {
    /// The cause, such as no_endpoint
    #[arg(value_name = "CAUSE")]
    word: Option<String>,
    #[command(flatten)]
    output: OutputFormat,
}

#[derive(Serialize)]
struct Explanation {
    name: &'static str,
    status: u16,
    meaning: &'static str,
    help: &'static str,
}

impl From<Cause> for Explanation {
    fn from(cause: Cause) -> Self {
        Self {
            name: cause.word(),
            status: cause.status(),
            meaning: cause.summary(),
            help: cause.help(),
        }
    }
}

pub fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    match &args.word {
        None => list(args.output.format, output),
        Some(word) => one(word, args.output.format, output),
    }
}

/// Every word that can be explained.
pub fn words() -> impl Iterator<Item = &'static str> {
    Cause::all().map(Cause::word)
}

fn list(format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let all: Vec<Explanation> = Cause::all().map(Explanation::from).collect();
    let (headings, columns): (&[&str], usize) = match format {
        Format::Wide => (&["CAUSE", "STATUS", "MEANING", "WHAT TO DO"], 4),
        _ => (&["CAUSE", "STATUS", "MEANING"], 3),
    };
    let row = |e: &Explanation| {
        let cells = [e.name.to_owned(), e.status.to_string(), e.meaning.into(), e.help.into()];
        cells.into_iter().take(columns).collect()
    };
    output.rows(format, headings, all.iter().map(row).collect(), &all)?;
    Ok(Exit::Yes)
}

fn one(word: &str, format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let word = word.to_ascii_lowercase();
    let cause = Cause::from_word(&word).ok_or_else(|| unknown(&word))?;
    let explanation = Explanation::from(cause);
    match format {
        Format::Json | Format::Yaml => output.object(format, &explanation)?,
        Format::Name => output.line(explanation.name)?,
        Format::Table | Format::Wide => {
            let Explanation { name, status, meaning, help } = explanation;
            output.prose(&format!("# {name}\n\nStatus {status}: {meaning}.\n\n{help}\n"))?;
        }
    }
    Ok(Exit::Yes)
}

fn unknown(word: &str) -> Failure {
    let failure =
        Failure::new(Exit::WrongCommandLine, format!("`{word}` is not a cause of a failure"));
    match suggest::nearest(word, words()) {
        Some(near) => failure.tip(format!("did you mean `{near}`?")),
        None => failure.tip("`meshctl explain` lists all"),
    }
}
