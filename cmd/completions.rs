//! `meshctl completions SHELL`

use clap_complete::aot;

use crate::args::examples;
use crate::exit::{Exit, Failure};
use crate::output::Output;

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

/// Hidden commands are left out: the generators would offer them.
fn visible(tree: &clap::Command) -> clap::Command {
    clap::Command::new("meshctl")
        .version(crate::version::TEXT)
        .disable_help_subcommand(true)
        .subcommands(tree.get_subcommands().filter(|child| !child.is_hide_set()).cloned())
}
