//! `meshctl check`

use crate::args::{Files, Format, OutputFormat, Overrides, Quick, Quiet, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh::Source;

/// Find every mistake in a configuration
///
/// Exit code 1 where there is an error.
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl check -f shop", "meshctl check -f shop -o json"]))]
pub struct Args {
    #[command(flatten)]
    files: Files,
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
        let Args { files, overrides, strict, output, quiet } = args;
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
