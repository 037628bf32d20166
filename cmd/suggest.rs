//! "Did you mean": for commands that stand under another word than was thought.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Names the command that was meant when a verb was typed without its noun: `meshctl run` is
/// `meshctl proxy run`.
pub fn nested(mut error: clap::Error, tree: &clap::Command) -> clap::Error {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let mut found: Vec<String> = Vec::new();
    for parent in tree.get_subcommands().filter(|parent| !parent.is_hide_set()) {
        if parent.find_subcommand(word).is_some() {
            found.push(format!("{} {word}", parent.get_name()));
        }
    }
    if !found.is_empty() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(found));
    }
    error
}
