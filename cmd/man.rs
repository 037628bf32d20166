//! `meshctl man DIR`, hidden: the manual pages, for packagers and install.sh.

use std::io;
use std::path::PathBuf;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

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

fn collect(command: &clap::Command, pages: &mut Vec<(String, String)>) {
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        collect(child, pages);
    }
    let man = Man::new(command.clone());
    let mut sections = Vec::new();
    render(&man, command, &mut sections).expect("a vector takes all bytes");
    let sections = String::from_utf8(sections).expect("the tree is text");
    let name = man.get_filename();
    let title = name.strip_suffix(".1").unwrap_or(&name);
    // The date is left empty: pages are compared with what is committed.
    let mut page = format!("{PREAMBLE}.TH {title} 1 \"\" meshctl \"meshctl manual\"\n");
    page.push_str(&sections.replace(PREAMBLE, ""));
    pages.push((name, page));
}

/// What every section of clap_mangen begins with; once is enough.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// As `Man::render`, with examples as examples: as running text they could not be read.
fn render(man: &Man, command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
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
        roff.control("fi", []).to_writer(page)?;
    }
    exit_status().to_writer(page)
}

fn exit_status() -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        roff.control("TP", []).text([bold(exit.code().to_string())]).text([roman(exit.meaning())]);
    }
    roff
}
