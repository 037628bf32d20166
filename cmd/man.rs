//! `meshctl man DIR`, hidden: the manual pages, for packagers and install.sh.

use std::io;
use std::path::PathBuf;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::args::examples;
use crate::exit::{Exit, Failure};
use crate::help;
use crate::output::Output;

/// Write a manual page for each command
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl man man1", "meshctl man . && ls meshctl.1"]))]
pub struct Args {
    /// The directory, made if it isn't there
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: PathBuf,
}

pub fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let directory = &args.directory;
    std::fs::create_dir_all(directory).map_err(|e| Failure::file("make", directory, &e))?;
    let mut tree = crate::tree();
    tree.build();
    let mut pages = Vec::new();
    collect(&tree, &mut pages);
    for (name, page) in &pages {
        let path = directory.join(name);
        std::fs::write(&path, page).map_err(|error| Failure::file("write", &path, &error))?;
    }
    output.note(format_args!("{} pages in {}", pages.len(), directory.display()));
    Ok(Exit::Yes)
}

fn collect(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) {
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        collect(child, pages);
    }
    let man = Man::new(command.clone()).manual("meshctl manual").source("meshctl");
    let mut page = Vec::new();
    render(&man, command, &mut page).expect("a vector takes all bytes");
    pages.push((man.get_filename(), page));
}

/// As `Man::render`, with examples as examples: as running text they could not be read.
fn render(man: &Man, command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(page)?;
    }
    if command.get_subcommands().any(|child| !child.is_hide_set()) {
        man.render_subcommands_section(page)?;
    }
    let examples = help::examples_of(command);
    if !examples.is_empty() {
        let mut roff = Roff::default();
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        for example in &examples {
            roff.text([roman(example.as_str())]);
        }
        roff.control("fi", []);
        roff.to_writer(page)?;
    }
    Ok(())
}
