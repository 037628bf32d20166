//! `meshctl explain [CODE|CAUSE]`, and `meshctl explain request` below it.

mod request;

use meshctl::config::{codes, suggest};
use meshctl::model::Cause;
use serde::Serialize;

use crate::args::{Format, OutputFormat, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Say what a diagnostic or the cause of a failed request means, and what to do
///
/// Codes such as MC0012 stand in what `meshctl check` finds, causes such as no_endpoint in access
/// logs, metrics and the meshctl-cause header. Without a word, all are listed. `explain request`
/// tells which listener, route and backend a request meets.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_value_name = "request")]
#[command(after_help = examples(&[
    "meshctl explain MC0012",
    "meshctl explain upstream_connect_timeout",
    "meshctl explain -o name | grep tls",
]))]
pub struct Args {
    /// The code or the cause, such as MC0012 or no_endpoint
    #[arg(value_name = "CODE|CAUSE")]
    word: Option<String>,
    #[command(flatten)]
    output: OutputFormat,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(clap::Subcommand)]
enum Verb {
    Request(request::Args),
}

#[derive(Serialize)]
struct Explanation {
    kind: Kind,
    name: String,
    /// What the client gets; codes are about files, which nobody answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    meaning: &'static str,
    help: &'static str,
}

#[derive(Clone, Copy, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Code,
    Cause,
}

impl From<Cause> for Explanation {
    fn from(cause: Cause) -> Self {
        Self {
            kind: Kind::Cause,
            name: cause.word().to_owned(),
            status: Some(cause.status()),
            meaning: cause.summary(),
            help: cause.help(),
        }
    }
}

impl From<&codes::Explanation> for Explanation {
    fn from(row: &codes::Explanation) -> Self {
        Self {
            kind: Kind::Code,
            name: row.code.to_string(),
            status: None,
            meaning: row.title,
            help: row.text,
        }
    }
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let format = args.output.format;
    match (args.verb, args.word) {
        (Some(Verb::Request(args)), _) => request::run(args, environment, output),
        (None, None) => list(format, output),
        (None, Some(word)) => one(&word, format, output),
    }
}

/// Every word that can be explained.
pub fn words() -> Vec<String> {
    all().into_iter().map(|one| one.name).collect()
}

/// Codes, then causes.
fn all() -> Vec<Explanation> {
    codes::all().map(Explanation::from).chain(Cause::all().map(Explanation::from)).collect()
}

fn list(format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let all = all();
    match format {
        Format::Json | Format::Yaml => output.object(format, &all)?,
        Format::Name => all.iter().try_for_each(|one| output.line(&one.name))?,
        Format::Table | Format::Wide => {
            let of = |kind| all.iter().filter(move |one| one.kind == kind);
            let code = |one: &Explanation| vec![one.name.clone(), one.meaning.to_owned()];
            output.table(&["CODE", "MEANING"], of(Kind::Code).map(code).collect())?;
            output.line("")?;
            let wide = format == Format::Wide;
            let mut headings = vec!["CAUSE", "STATUS", "MEANING"];
            headings.extend(wide.then_some("WHAT TO DO"));
            let cause = |one: &Explanation| {
                let status = one.status.map(|status| status.to_string()).unwrap_or_default();
                let mut row = vec![one.name.clone(), status, one.meaning.to_owned()];
                row.extend(wide.then(|| one.help.to_owned()));
                row
            };
            output.table(&headings, of(Kind::Cause).map(cause).collect())?;
        }
    }
    Ok(Exit::Yes)
}

fn one(word: &str, format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let explanation = find(word).ok_or_else(|| unknown(word))?;
    match format {
        Format::Json | Format::Yaml => output.object(format, &explanation)?,
        Format::Name => output.line(explanation.name)?,
        Format::Table | Format::Wide => {
            let Explanation { name, status, meaning, help, .. } = explanation;
            output.prose(&match status {
                Some(status) => format!("# {name}\n\nStatus {status}: {meaning}.\n\n{help}\n"),
                None => format!("# {name}: {meaning}\n\n{help}"),
            })?;
        }
    }
    Ok(Exit::Yes)
}

fn find(word: &str) -> Option<Explanation> {
    let cause = Cause::from_word(&word.to_ascii_lowercase());
    let code = || codes::parse(word).and_then(codes::explain);
    cause.map(Explanation::from).or_else(|| code().map(Explanation::from))
}

fn unknown(word: &str) -> Failure {
    let wrong = |message| Failure::new(Exit::WrongCommandLine, message);
    // One digit off is another code and no slip.
    if let Some(code) = codes::parse(word) {
        return wrong(format!("there is no code {code}")).tip("`meshctl explain` lists all");
    }
    let failure = wrong(format!("`{word}` is neither a code nor the cause of a failure"));
    let words = words();
    match suggest::nearest(word, words.iter().map(String::as_str)) {
        Some(near) => failure.tip(format!("did you mean `{near}`?")),
        None => failure.tip("`meshctl explain` lists all"),
    }
}
