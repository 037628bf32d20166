//! The only place that prints. Answers go to standard output; everything else that a person
//! should know goes to standard error, so that a pipe carries answers alone.

mod prose;
mod tame;

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Stderr, Stdout, Write};

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use crate::args::Format;
use crate::environment::{Colour, Environment};
use crate::exit::{Exit, Failure};

/// Lines longer than this are hard to read, however wide the terminal is.
pub const WIDTH_MAX: usize = 100;
/// Narrower than this, wrapping makes things worse.
const WIDTH_MIN: usize = 40;

const BOLD: anstyle::Style = anstyle::Style::new().bold();
const ERROR: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
const TIP: anstyle::Style = anstyle::AnsiColor::Green.on_default();

pub struct Output {
    stdout: Stream<Stdout>,
    stderr: Stream<Stderr>,
    width: usize,
    /// The full width of the terminal for tables; `None` leaves lines whole, as pipes want them.
    table_width: Option<u16>,
    quiet: bool,
}

/// A terminal is shown what others wrote, and not steered by it; of what a pipe gets, all that would
/// steer one is left out.
struct Stream<S: RawStream> {
    to: AutoStream<S>,
    terminal: bool,
}

impl<S: RawStream + AsLockedWrite> Stream<S> {
    fn say(&mut self, text: impl Display) -> std::io::Result<()> {
        if self.terminal {
            self.to.write_all(tame::tame(&text.to_string()).as_bytes())
        } else {
            write!(self.to, "{text}")
        }
    }
}

impl Output {
    pub fn new(environment: &Environment) -> Self {
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        let columns = environment
            .columns
            .or_else(|| terminal.then(terminal_columns).flatten())
            .map(|columns| columns.max(WIDTH_MIN));
        Self {
            width: columns.unwrap_or(WIDTH_MAX).min(WIDTH_MAX),
            table_width: columns.filter(|_| terminal).and_then(|c| u16::try_from(c).ok()),
            stdout: stream(stdout, terminal, environment.colour),
            stderr: {
                let stderr = std::io::stderr();
                let terminal = stderr.is_terminal();
                stream(stderr, terminal, environment.colour)
            },
            quiet: false,
        }
    }

    /// `-q`: notes are left out; answers and errors are not.
    pub fn quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// Whether answers are coloured.
    pub fn colours(&self) -> bool {
        self.stdout.to.current_choice() == ColorChoice::Always
    }

    /// Whether somebody watches standard error, and wants to.
    pub fn draws(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// A yes or no from whoever sits at the terminal; `None` where nobody does.
    pub fn ask(&mut self, question: impl Display) -> Option<bool> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        let _ = self.stderr.say(format_args!("{question} [y/N] "));
        let _ = self.stderr.to.flush();
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).ok()?;
        Some(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
    }

    /// How wide prose may be.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Text that ends its own lines.
    pub fn text(&mut self, text: impl Display) -> Result<(), Failure> {
        self.stdout.say(text).map_err(not_written)
    }

    /// One line.
    pub fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        self.stdout.say(format_args!("{line}\n")).map_err(not_written)
    }

    /// Bytes as they are, for what programs read (completions).
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stdout.to.as_inner().lock().write_all(bytes).map_err(not_written)
    }

    /// A help topic in our small part of Markdown.
    pub fn prose(&mut self, markdown: &str) -> Result<(), Failure> {
        self.text(prose::render(markdown, self.width))
    }

    /// Something that a person should know and a script need not.
    pub fn note(&mut self, note: impl Display) {
        if !self.quiet {
            // Nobody is left to tell when standard error is gone.
            let _ = self.stderr.say(format_args!("{note}\n"));
        }
    }

    /// What is wrong, whether or not notes are wanted; the text ends its own lines.
    pub fn diagnose(&mut self, text: impl Display) {
        // Nobody is left to tell when standard error is gone.
        let _ = self.stderr.say(text);
    }

    /// Whether what is wrong is coloured.
    pub fn diagnoses_in_colour(&self) -> bool {
        self.stderr.to.current_choice() == ColorChoice::Always
    }

    /// Rows in the form that was asked for. `objects` is what json and yaml carry; the first
    /// column is the name.
    pub fn rows<T: Serialize>(
        &mut self,
        format: Format,
        headings: &[&str],
        rows: Vec<Vec<String>>,
        objects: &T,
    ) -> Result<(), Failure> {
        match format {
            Format::Json | Format::Yaml => self.object(format, objects),
            Format::Name => {
                let names = rows.into_iter().filter_map(|row| row.into_iter().next());
                names.map(|name| name + "\n").try_for_each(|line| self.text(line))
            }
            Format::Table | Format::Wide => self.table(headings, rows),
        }
    }

    /// One value as JSON or YAML.
    pub fn object<T: Serialize>(&mut self, format: Format, object: &T) -> Result<(), Failure> {
        let value = serde_json::to_value(object).expect("output types have string keys");
        match format {
            Format::Yaml => self.text(meshctl::yaml::write(&value)),
            _ => self.line(format_args!("{value:#}")),
        }
    }

    /// Text for a person, from a process that serves and holds no `Output`.
    pub fn complain(text: &str) {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// Rows under headings, as wide as they are where nobody's terminal wraps them.
    pub fn table(&mut self, headings: &[&str], rows: Vec<Vec<String>>) -> Result<(), Failure> {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(headings.to_vec()).add_rows(rows);
        match self.table_width {
            Some(width) => {
                table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width)
            }
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        for (position, line) in lines.iter().enumerate() {
            if position == 0 {
                self.line(format_args!("{BOLD}{line}{BOLD:#}"))?;
            } else {
                self.line(line)?;
            }
        }
        Ok(())
    }

    /// Says what is left to say and turns the answer into an exit code.
    pub fn finish(mut self, answer: Result<Exit, Failure>) -> Exit {
        match answer.and_then(|exit| self.stdout.to.flush().map_err(not_written).map(|()| exit)) {
            Ok(exit) => exit,
            Err(Failure::OutputClosed) => Exit::Yes,
            Err(Failure::CommandLine(error)) if error.use_stderr() => {
                let _ = self.stderr.say(error.render().ansi());
                Exit::WrongCommandLine
            }
            // Help was asked for: an answer like any other.
            Err(Failure::CommandLine(error)) => {
                let answer = self.text(error.render().ansi()).map(|()| Exit::Yes);
                self.finish(answer)
            }
            Err(Failure::Said { exit, message, tip }) => {
                let _ = self.stderr.say(format_args!("{ERROR}error:{ERROR:#} {message}\n"));
                if let Some(tip) = tip {
                    let _ = self.stderr.say(format_args!("\n  {TIP}tip:{TIP:#} {tip}\n"));
                }
                exit
            }
        }
    }
}

fn not_written(error: std::io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        return Failure::OutputClosed;
    }
    Failure::new(Exit::CouldNotAsk, format!("could not write to standard output: {error}"))
}

fn stream<S: RawStream>(raw: S, terminal: bool, colour: Colour) -> Stream<S> {
    let choice = match colour {
        Colour::Always => ColorChoice::Always,
        Colour::Auto if terminal => ColorChoice::Always,
        Colour::Auto | Colour::Never => ColorChoice::Never,
    };
    Stream { to: AutoStream::new(raw, choice), terminal }
}

fn terminal_columns() -> Option<usize> {
    ratatui::crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns))
}
