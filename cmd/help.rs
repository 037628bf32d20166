//! `meshctl help [TOPIC]`, and what `meshctl` alone says to a newcomer.

use meshctl::config::suggest;

use crate::args::examples;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What stands under the list of all commands.
pub fn footer() -> String {
    let topics: Vec<&str> = topics().collect();
    let examples = examples(&["meshctl init shop", "meshctl explain no_endpoint"]);
    format!("{examples}\n\nTopics of `meshctl help`: {}", topics.join(", "))
}

const TOPICS: &[(&str, &str)] = &[
    ("files", include_str!("help/files.md")),
    ("rollouts", include_str!("help/rollouts.md")),
    ("exit-codes", include_str!("help/exit-codes.md")),
    ("resources", include_str!("help/resources.md")),
    ("examples", include_str!("help/examples.md")),
];

/// The commands to start with, in the order in which one meets them. What isn't in the tree is
/// not shown.
const FIRST: &[(&str, &str, &str)] = &[
    ("demo", "meshctl demo", "see it: two versions, a gateway and a canary, on this machine"),
    ("init", "meshctl init shop", "write a first configuration into the directory shop"),
    ("check", "meshctl check -f shop", "find every mistake in it"),
    ("proxy", "meshctl proxy run -f shop", "serve it; edits are live within a second"),
    ("explain", "meshctl explain no_endpoint", "what the cause of a failed request means"),
];

/// Explain a topic or a command
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl help files", "meshctl help generate systemd"]))]
pub struct Args {
    /// files, rollouts, exit-codes, resources, examples, or a command
    #[arg(value_name = "TOPIC")]
    words: Vec<String>,
}

pub fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let topic = match args.words.as_slice() {
        [word] => TOPICS.iter().find(|(name, _)| name == word),
        _ => None,
    };
    match topic {
        Some((name, text)) => output.prose(&filled(name, text))?,
        None => output.text(command(&args.words, output.width())?)?,
    }
    Ok(Exit::Yes)
}

pub fn topics() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|(name, _)| *name)
}

pub fn welcome(output: &mut Output) -> Result<Exit, Failure> {
    let tree = crate::tree();
    let about = tree.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{about}.\n\nStart with:\n\n");
    for (command, line, meaning) in FIRST {
        if tree.find_subcommand(command).is_some() {
            text.push_str(&format!("    {line:<28}  {meaning}\n"));
        }
    }
    text.push_str("\n`meshctl help` lists every command, `meshctl COMMAND --help` explains one.\n");
    output.prose(&text)?;
    Ok(Exit::Yes)
}

/// The example lines of a command's help.
pub fn examples_of(command: &clap::Command) -> Vec<String> {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
}

/// What the program knows better than a text.
fn filled(topic: &str, text: &str) -> String {
    let list = match topic {
        "exit-codes" => {
            Exit::ALL.map(|exit| format!("- {:<3} {}\n", exit.code(), exit.meaning())).concat()
        }
        "examples" => {
            let mut lines = Vec::new();
            every_example(&crate::tree(), &mut lines);
            lines.iter().map(|line| format!("    {line}\n")).collect()
        }
        _ => return text.to_owned(),
    };
    text.replace("{list}\n", &list)
}

/// In the order of the commands, each once: a command may show one of those below it.
fn every_example(command: &clap::Command, lines: &mut Vec<String>) {
    for example in examples_of(command) {
        if !lines.contains(&example) {
            lines.push(example);
        }
    }
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        every_example(child, lines);
    }
}

/// The help of a command, as `--help` gives it.
fn command(words: &[String], width: usize) -> Result<String, Failure> {
    let mut tree = crate::tree().term_width(width);
    tree.build();
    let mut command = &mut tree;
    for word in words {
        if command.find_subcommand(word).is_none() {
            return Err(unknown(word, command));
        }
        command = command.find_subcommand_mut(word).expect("it was found above");
    }
    Ok(command.render_long_help().ansi().to_string())
}

fn unknown(word: &str, parent: &clap::Command) -> Failure {
    let failure =
        Failure::new(Exit::WrongCommandLine, format!("`{word}` is neither a topic nor a command"));
    let commands =
        parent.get_subcommands().filter(|c| !c.is_hide_set()).map(clap::Command::get_name);
    let topics = topics().map(|topic| -> &str { topic });
    match suggest::nearest(word, topics.chain(commands)) {
        Some(near) => failure.tip(format!("did you mean `{near}`?")),
        None => failure.tip("`meshctl help` lists all"),
    }
}
