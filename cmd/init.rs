//! `meshctl init [DIR]`

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use meshctl::manifest::Example;

use crate::args::{DryRun, Quick, Quiet, examples};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh::MARK;
use crate::output::Output;

/// Where the configuration is written.
const FILE: &str = "gateway.yaml";
/// Beside it in the mark of the directory; sockets are nobody's to commit.
const IGNORED: &str = "/run/\n";

/// Write a first configuration, to be edited
///
/// Without flags: a gateway on port 8080 in front of localhost:3000.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl init shop",
    "meshctl init canary --listen :8080 --to localhost:3000=90 --to localhost:3001=10",
    "meshctl init --example hosts --dry-run",
]))]
pub struct Args {
    /// The directory, made if it isn't there
    #[arg(value_name = "DIR", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    directory: PathBuf,
    #[command(flatten)]
    quick: Quick,
    /// Write this example
    #[arg(long, value_name = "NAME", conflicts_with_all = ["listen", "targets"])]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(example_names()))]
    example: Option<String>,
    /// Overwrite what is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    quiet: Quiet,
}

/// What will be done.
struct Options {
    directory: PathBuf,
    text: String,
    force: bool,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    output.quiet(args.quiet.quiet);
    let dry_run = args.dry_run.dry_run;
    let options = Options::new(args)?;
    let file = options.directory.join(FILE);
    let file = file.strip_prefix(".").unwrap_or(&file).display();
    if dry_run {
        output.note(format_args!("would write {file}:"));
        output.text(&options.text)?;
        return Ok(Exit::Yes);
    }
    write(&options, environment)?;
    output.line(file)?;
    output.note("next: edit it; `meshctl help files` says what may stand there");
    output.note("commands that run in that directory or below find it without -f");
    Ok(Exit::Yes)
}

fn example_names() -> Vec<clap::builder::PossibleValue> {
    let value = |e: &Example| clap::builder::PossibleValue::new(e.name).help(e.about);
    Example::ALL.iter().map(value).collect()
}

impl Options {
    fn new(args: Args) -> Result<Self, Failure> {
        let Args { directory, quick, example, force, dry_run: _, quiet: _ } = args;
        let text = match example.as_deref().and_then(Example::named) {
            Some(example) => example.text.to_owned(),
            None => quick.read()?.yaml(),
        };
        Ok(Self { directory, text, force })
    }
}

fn write(options: &Options, environment: &Environment) -> Result<(), Failure> {
    let directory = environment.absolute(&options.directory);
    let file = directory.join(FILE);
    if !options.force && file.symlink_metadata().is_ok() {
        let message = format!("{} exists and was not touched", file.display());
        return Err(Failure::new(Exit::No, message).tip("--force overwrites it"));
    }
    let mark = directory.join(MARK);
    fs::create_dir_all(&mark).map_err(|error| Failure::file("make", &mark, &error))?;
    put(&file, &options.text)?;
    // The mark may be there from before, with more in it than we would write.
    let ignore = mark.join(".gitignore");
    if ignore.symlink_metadata().is_ok() { Ok(()) } else { put(&ignore, IGNORED) }
}

/// The whole file or none of it: written beside, and then given its name.
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // The error that we tell is the first one.
        let _ = fs::remove_file(&beside);
        Failure::file("write", path, &error)
    })
}
