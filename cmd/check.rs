//! `meshctl check`

mod cluster;

use meshctl::config::{codes, render};
use meshctl::model::Kind;
use meshctl::rollout::directory as rollouts;
use meshctl::source::{Feed, Update};
use meshctl::store::Directory;

use crate::args::{Context, Files, Format, OutputFormat, Overrides, Quick, Quiet, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh::{self, Source};
use crate::output::Output;
use crate::units::count;

/// Find every mistake in a configuration
///
/// Exit code 1 where there is an error, 4 where a file can't be read. With --context, or where no
/// files are given and a kubeconfig is there, a cluster is looked at: what it needs for `meshctl
/// install`; once that is done, its objects, versions, permissions, certificates, the addresses of
/// Gateways and the pods.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl check -f shop", "meshctl check -f shop -o json"]))]
pub struct Args {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    context: Context,
    #[command(flatten)]
    overrides: Overrides,
    /// A warning is an error
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    output: OutputFormat,
    #[command(flatten)]
    quiet: Quiet,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    if mesh::asks_cluster(&args.files, &args.context, environment)? {
        return cluster::check(&args, environment, output);
    }
    let options = Options::new(args, environment)?;
    let inputs = options.source.inputs(&options.overrides, None);
    let (feed, Update { diagnostics, summary: read, .. }) =
        Feed::load(inputs).map_err(|error| {
            Failure::new(Exit::CouldNotAsk, format!("can't read the configuration: {error}"))
        })?;
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    match (options.format, options.quiet) {
        (Format::Json | Format::Yaml, _) => {
            output.object(options.format, &render::rows(&diagnostics))?;
        }
        (Format::Name, _) | (_, true) => {
            for line in render::lines(&diagnostics) {
                output.line(line)?;
            }
        }
        (Format::Table | Format::Wide, false) => {
            let colour = output.colours();
            output.text(render::render(&diagnostics, &|file| feed.text(file), colour))?;
            output.note(format_args!("{read}: {}", summary(errors, warnings)));
            tell_strays(&options.source, output);
        }
    }
    // What else is wrong may come of what could not be seen.
    if diagnostics.iter().any(|diagnostic| diagnostic.code == codes::FILE_UNREADABLE) {
        return Ok(Exit::CouldNotAsk);
    }
    Ok(options.exit(errors, warnings))
}

/// Rollouts that stand among what a directory serves are good objects, and nobody drives them.
fn tell_strays(source: &Source, output: &mut Output) {
    let Source::Files(files) = source else { return };
    let directories: Vec<_> = files.iter().filter(|file| file.is_dir()).cloned().collect();
    let Some(mark) = directories.first().map(|directory| directory.join(mesh::MARK)) else {
        return;
    };
    let inside = |place: &str| place.contains(&format!("{}/{}/", mesh::MARK, rollouts::DIRECTORY));
    // What can't be read was told above.
    let strays = Directory::new(&directories, &mark)
        .and_then(|directory| directory.list(Kind::TrafficRollout, None))
        .unwrap_or_default();
    for stray in strays.iter().filter(|stray| !inside(&stray.place)) {
        output.note(format_args!(
            "note: {}: nobody drives {} here: move it to {}",
            stray.place,
            stray.key,
            mark.join(rollouts::DIRECTORY).display()
        ));
    }
}

/// How it stands, in one line.
fn summary(errors: usize, warnings: usize) -> String {
    match (errors, warnings) {
        (0, 0) => "no mistake found".to_owned(),
        (0, _) => format!("{}, no error", count(warnings, "warning")),
        (_, 0) => format!("{}; `meshctl explain CODE` tells more", count(errors, "error")),
        _ => format!(
            "{}, {}; `meshctl explain CODE` tells more",
            count(errors, "error"),
            count(warnings, "warning")
        ),
    }
}

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub source: Source,
    pub overrides: Overrides,
    pub strict: bool,
    pub format: Format,
    /// No excerpts and no summary: the exit code, and errors as one line each.
    pub quiet: bool,
}

impl Options {
    pub fn new(args: Args, environment: &Environment) -> Result<Self, Failure> {
        let Args { files, context: _, overrides, strict, output, quiet } = args;
        Ok(Self {
            source: Source::choose(files, Quick::default(), environment)?,
            overrides,
            strict,
            format: output.format,
            quiet: quiet.quiet,
        })
    }

    /// The answer to a count of errors and warnings.
    pub fn exit(&self, errors: usize, warnings: usize) -> Exit {
        if errors > 0 || (self.strict && warnings > 0) { Exit::No } else { Exit::Yes }
    }
}

#[cfg(test)]
mod tests;
