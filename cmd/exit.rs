//! How a command ends: six exit codes, and the words that go with a bad one.

use std::process::ExitCode;

/// The answer as a script sees it. One meaning per number, in every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Yes,
    No,
    WrongCommandLine,
    NotYet,
    CouldNotAsk,
    Interrupted,
}

impl Exit {
    pub const ALL: [Self; 6] = [
        Self::Yes,
        Self::No,
        Self::WrongCommandLine,
        Self::NotYet,
        Self::CouldNotAsk,
        Self::Interrupted,
    ];

    pub fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::WrongCommandLine => 2,
            Self::NotYet => 3,
            Self::CouldNotAsk => 4,
            // 128 + SIGINT, as shells say it.
            Self::Interrupted => 130,
        }
    }

    /// For `meshctl help exit-codes`.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Yes => "yes: done, valid, served until it was told to stop, promoted",
            Self::No => "no: errors were found, a file would be overwritten, a rollout went back",
            Self::WrongCommandLine => "the command line is wrong; nothing was done",
            Self::NotYet => "not yet: still running, paused, or the time given was over",
            Self::CouldNotAsk => {
                "could not ask: no such target, unreachable, forbidden, a file that can't be read \
                 or written"
            }
            Self::Interrupted => "interrupted by Ctrl-C",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command ended without its answer.
#[derive(Debug)]
pub enum Failure {
    /// Whoever reads our output has seen enough (`| head`), which is no error.
    OutputClosed,
    /// Wrong arguments, or a request for help: clap has the words and knows which of the two.
    CommandLine(Box<clap::Error>),
    /// A sentence without a full stop, and what to do about it.
    Said { exit: Exit, message: String, tip: Option<String> },
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Said { exit, message: message.into(), tip: None }
    }

    /// A file or directory that couldn't be read or written.
    pub fn file(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(Exit::CouldNotAsk, format!("could not {doing} {}: {error}", path.display()))
    }

    #[must_use]
    pub fn tip(self, words: impl Into<String>) -> Self {
        match self {
            Self::Said { exit, message, .. } => {
                Self::Said { exit, message, tip: Some(words.into()) }
            }
            other => other,
        }
    }
}

/// In one line, for a note.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutputClosed => f.write_str("nobody reads the output"),
            Self::CommandLine(error) => error.fmt(f),
            Self::Said { message, .. } => f.write_str(message),
        }
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(Box::new(error))
    }
}
