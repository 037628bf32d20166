//! `meshctl convert`

use std::path::PathBuf;

use meshctl::config::{codes, render};
use meshctl::convert::{self, Conversion};
use meshctl::names;
use meshctl::source::{self, Texts};

use crate::args::{Quiet, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::generate::{ObjectFormat, print};
use crate::mesh::is_standard_input;
use crate::output::Output;

/// Convert Ingress and Istio objects to the Gateway API
///
/// Reads Ingress (with the annotations of ingress-nginx) and Istio's Gateway, VirtualService and
/// DestinationRule, and prints what means the same. Every field that could not be carried over is
/// reported with its place; exit code 1 where there was one. Services are read for their ports and
/// selectors: convert them together with what names them.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl convert -f ingress.yaml > routes.yaml",
    "meshctl convert -f - -o name < ingress.yaml",
]))]
pub struct Args {
    /// A file or directory of YAML, or - for standard input; may be given several times
    #[arg(short = 'f', long = "file", value_name = "PATH", required = true)]
    #[arg(value_hint = clap::ValueHint::AnyPath)]
    files: Vec<PathBuf>,
    /// Where the Gateway of Ingresses stands [default: beside them]
    #[arg(short = 'n', long, value_name = "NAME")]
    namespace: Option<String>,
    /// The GatewayClass of the Gateways that are written
    #[arg(long, value_name = "NAME", default_value = names::GATEWAY_CLASS)]
    class: String,
    /// Write routes that lost a protection, too
    #[arg(long)]
    unprotected: bool,
    /// How to write the answer
    #[arg(short = 'o', long = "output", value_name = "FORMAT", default_value = "yaml")]
    format: ObjectFormat,
    #[command(flatten)]
    quiet: Quiet,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { files, namespace, class, unprotected, format, quiet } = args;
    output.quiet(quiet.quiet);
    if files.iter().filter(|file| is_standard_input(file)).count() > 1 {
        let message = "standard input can be read once: `-f -` is given twice";
        return Err(Failure::new(Exit::WrongCommandLine, message));
    }
    let Texts { texts, diagnostics: unread } = source::texts(&files)
        .map_err(|error| Failure::file("read", &environment.current_dir, &error))?;
    let options = convert::Options { namespace, class, unprotected };
    let Conversion { objects, mut diagnostics, converted, passed_over } =
        convert::convert(&texts, &options);
    diagnostics.extend(unread);
    if quiet.quiet {
        for line in render::lines(&diagnostics) {
            output.diagnose(format_args!("{line}\n"));
        }
    } else {
        let colour = output.diagnoses_in_colour();
        let text = render::render(&diagnostics, &|file| texts.get(file).cloned(), colour);
        output.diagnose(text);
    }
    if !objects.is_empty() {
        print(&objects, format, output)?;
    }
    let lost = diagnostics.iter().filter(|one| one.is_error()).count();
    output.note(summary(converted, objects.len(), passed_over, lost, diagnostics.len() - lost));
    // What else would have been lost may stand where nothing could be read.
    if diagnostics.iter().any(|one| one.code == codes::FILE_UNREADABLE) {
        return Ok(Exit::CouldNotAsk);
    }
    Ok(if lost > 0 { Exit::No } else { Exit::Yes })
}

fn summary(
    converted: usize,
    written: usize,
    passed_over: usize,
    lost: usize,
    differing: usize,
) -> String {
    let count = |n: usize, one: &str, several: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {several}"),
    };
    let mut text = format!(
        "{} read, {} written",
        count(converted, "object", "objects"),
        count(written, "object", "objects")
    );
    if passed_over > 0 {
        text.push_str(&format!(
            "; passed over: {}",
            count(passed_over, "object of another kind", "objects of other kinds")
        ));
    }
    if converted == 0 && lost == 0 {
        return format!(
            "nothing here is an Ingress or Istio's{}",
            text.trim_start_matches("0 objects read, 0 objects written")
        );
    }
    text.push_str(": ");
    text.push_str(&match (lost, differing) {
        (0, 0) => "all carried over".to_owned(),
        (0, _) => {
            format!("all carried over, {}", count(differing, "thing differs", "things differ"))
        }
        (_, 0) => format!("{} lost", count(lost, "thing is", "things are")),
        _ => format!(
            "{} lost, {}",
            count(lost, "thing is", "things are"),
            count(differing, "thing differs", "things differ")
        ),
    });
    text
}
