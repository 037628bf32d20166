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
/// install.sh puts them where each shell looks. By hand, for this shell alone:
/// bash and zsh: source <(meshctl completions bash); fish: meshctl completions fish | source
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
    aot::generate(shell, &mut crate::tree(), "meshctl", &mut script);
    output.bytes(&script)?;
    Ok(Exit::Yes)
}
