//! `meshctl completions SHELL`

use clap::builder::PossibleValuesParser;
use clap_complete::aot;

use crate::args::examples;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{explain, help};

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
    let shell = match args.shell {
        Shell::Bash => aot::Shell::Bash,
        Shell::Zsh => aot::Shell::Zsh,
        Shell::Fish => aot::Shell::Fish,
    };
    let mut script = Vec::new();
    aot::generate(shell, &mut visible(&crate::tree()), "meshctl", &mut script);
    output.bytes(&script)?;
    Ok(Exit::Yes)
}

/// What shells are to know: hidden commands are left out, which the generators would offer, and
/// words are put in that only the commands themselves check.
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
