//! `meshctl completions SHELL`, and the answers that the script of a shell asks this program for.
//!
//! A script only registers: at each Tab the shell runs `meshctl` with the line so far, so what is
//! offered is what this binary knows and what the mesh holds now.

pub mod live;

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap_complete::CompleteEnv;
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{explain, help};

/// What tells that a shell asks.
const VARIABLE: &str = "MESHCTL_COMPLETE";

/// zsh loads a file of its function path at the first Tab, by calling it.
const ZSH_FIRST: &str = r#"if [ "$funcstack[1]" = "_meshctl" ]; then
    _clap_dynamic_completer_meshctl "$@"
fi
"#;

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Print the completions of a shell
///
/// install.sh puts them where each shell looks. To try them in one shell alone, type
/// `source <(meshctl completions bash)`, and in fish `meshctl completions fish | source`.
/// Names of routes, backends and rollouts are those of the mesh that a command there acts on.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl completions bash > meshctl.bash",
    "meshctl completions fish | grep -c meshctl",
]))]
pub struct Args {
    /// The shell
    shell: Shell,
}

pub fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let (shell, more): (&dyn EnvCompleter, &str) = match args.shell {
        Shell::Bash => (&Bash, ""),
        Shell::Zsh => (&Zsh, ZSH_FIRST),
        Shell::Fish => (&Fish, ""),
    };
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, "meshctl", "meshctl", "meshctl", &mut script)
        .expect("a vector takes everything");
    script.extend_from_slice(more.as_bytes());
    output.bytes(&script)?;
    Ok(Exit::Yes)
}

/// Whether a shell asked, and was answered: then there is nothing else to do.
pub fn answered(environment: &Environment) -> Result<bool, Failure> {
    let arguments: Vec<OsString> = environment.arguments.clone();
    CompleteEnv::with_factory(|| visible(&crate::tree()))
        .var(VARIABLE)
        .try_complete(arguments, Some(&environment.current_dir))
        .map_err(Failure::from)
}

/// What shells are to know: words are put in that only the commands themselves check.
fn visible(tree: &clap::Command) -> clap::Command {
    let shown = tree.get_subcommands().filter(|child| !child.is_hide_set()).cloned();
    clap::Command::new("meshctl")
        .version(crate::version::TEXT)
        .disable_help_subcommand(true)
        .subcommands(shown)
        .mut_subcommand("explain", |explain| with_words(explain, "word", explain::words()))
        .mut_subcommand("help", |help| with_words(help, "words", help::topics()))
}

fn with_words(
    command: clap::Command,
    argument: &'static str,
    words: impl IntoIterator<Item = impl Into<clap::builder::PossibleValue>>,
) -> clap::Command {
    let words = PossibleValuesParser::new(words);
    command.mut_arg(argument, |argument| argument.value_parser(words))
}
