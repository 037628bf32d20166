//! What a line that isn't finished says of its target.

use std::path::PathBuf;

use meshctl::model::Kind;

use super::{BACKENDS, GATEWAYS, POLICIES, ROLLOUTS, ROUTES};
use crate::environment::Environment;

pub struct Line {
    pub environment: Environment,
    /// The first `-f`.
    pub file: Option<PathBuf>,
    pub context: Option<String>,
    words: Vec<String>,
}

impl Line {
    /// The shell gives the line after `--`.
    pub fn read(environment: Environment) -> Self {
        let words = environment.arguments.iter().skip_while(|word| *word != "--").skip(1);
        let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let file = value(&words, "-f", "--file").map(|file| environment.absolute(file.as_ref()));
        let context = value(&words, "--context", "--context");
        Self { file, context, environment, words }
    }

    /// Those of the first word that is one of a kind.
    pub fn kinds(&self) -> Option<&'static [Kind]> {
        self.words.iter().find_map(|word| match word.as_str() {
            "gateways" | "gateway" => Some(GATEWAYS),
            "routes" | "route" => Some(ROUTES),
            // An endpoint is looked for by its backend.
            "backends" | "backend" | "endpoints" | "endpoint" => Some(BACKENDS),
            "policies" | "policy" => Some(POLICIES),
            "rollouts" | "rollout" => Some(ROLLOUTS),
            _ => None,
        })
    }
}

/// `-f shop`, `--file shop`, `--file=shop`.
fn value(words: &[String], short: &str, long: &str) -> Option<String> {
    words.iter().enumerate().find_map(|(at, word)| {
        let joined = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
        let apart = || (word == short || word == long).then(|| words.get(at + 1)).flatten();
        joined
            .or_else(|| apart().map(String::as_str))
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    })
}
