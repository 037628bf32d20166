//! A hardened systemd unit. The text is a template; what goes into it is typed, and quoted by
//! systemd's rules (systemd.syntax(7), systemd.service(5) "Command lines").

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits;

const TEMPLATE: &str = include_str!("../../templates/meshctl.service");

/// What a unit says about one proxy.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Absolute.
    pub program: PathBuf,
    /// Absolute; what the proxy serves.
    pub files: Vec<PathBuf>,
    /// `None`: a user that exists only while the service runs.
    pub user: Option<UserName>,
    /// `None`: the proxy's own default.
    pub drain_timeout: Option<Duration>,
}

/// A name that systemd takes without `RelaxedNames` (USER_NAMES in systemd's documentation).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(String);

impl UserName {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
        let rest =
            bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
        if first && rest && text.len() <= 31 {
            Ok(Self(text.to_owned()))
        } else {
            Err("a user name has 1 to 31 of a-z, 0-9, _ and -, and begins with a letter or _"
                .into())
        }
    }
}

/// Why a path can't stand in a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitError {
    NotAbsolute(PathBuf),
    NotText(PathBuf),
    ControlCharacter(PathBuf),
    /// `PrivateTmp` gives a service its own `/tmp`.
    Temporary(PathBuf),
    /// systemd's rules for the program's own path are narrower than those for arguments.
    Program(PathBuf),
    /// Standard input of a service is nobody.
    StandardInput,
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute(path) => write!(f, "{path:?} is not an absolute path"),
            Self::NotText(path) => write!(f, "{path:?} is not UTF-8, as systemd needs it"),
            Self::ControlCharacter(path) => {
                write!(f, "{path:?} holds a control character, which no unit can carry")
            }
            Self::Temporary(path) => write!(
                f,
                "{} would not be there: the service has a temporary directory of its own",
                path.display()
            ),
            Self::Program(path) => {
                write!(f, "systemd can't start a program at {path:?}: it holds one of $ % \" ' \\")
            }
            Self::StandardInput => f.write_str("a service has no standard input to read from"),
        }
    }
}

impl Unit {
    pub fn render(&self) -> Result<String, UnitError> {
        let Self { program, files, user, drain_timeout } = self;
        let drain = drain_timeout.unwrap_or(limits::DRAIN_TIMEOUT);
        let exec_start = exec_start(program, files, *drain_timeout)?;
        Ok(fill(TEMPLATE, |name| match name {
            "exec-start" => Some(exec_start.clone()),
            "user" => Some(user_lines(user.as_ref())),
            "protect-home" => Some(protect_home(files).to_owned()),
            // The proxy ends by itself; systemd's patience ends a little later.
            "stop-seconds" => Some((drain.as_secs() + 10).to_string()),
            // A client's socket, a backend's, and what the process itself holds open.
            "files" => Some((limits::CONNECTIONS * 2 + 4_096).to_string()),
            _ => None,
        }))
    }
}

/// Puts values where `{{name}}` stands, in one pass: a value that looks like a placeholder is not
/// taken for one. A name without a value stays, and a test finds it.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(template.len() + 256);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let found = after.split_once("}}").and_then(|(name, rest)| Some((value(name)?, rest)));
        match found {
            Some((value, after_value)) => {
                text.push_str(&value);
                rest = after_value;
            }
            None => {
                text.push_str("{{");
                rest = after;
            }
        }
    }
    text + rest
}

fn exec_start(
    program: &Path,
    files: &[PathBuf],
    drain_timeout: Option<Duration>,
) -> Result<String, UnitError> {
    let mut line = program_word(program)?;
    line.push_str(" proxy run");
    for file in files {
        if file.file_name().is_some_and(|name| name == "-") {
            return Err(UnitError::StandardInput);
        }
        if ["/tmp", "/var/tmp"].iter().any(|temporary| file.starts_with(temporary)) {
            return Err(UnitError::Temporary(file.clone()));
        }
        line.push_str(" -f ");
        line.push_str(&quote(text_of(file)?));
    }
    if let Some(timeout) = drain_timeout {
        line.push_str(&format!(" --drain-timeout {}ms", timeout.as_millis()));
    }
    Ok(line)
}

/// Absolute, UTF-8, no control characters: then every other character can be quoted.
fn text_of(path: &Path) -> Result<&str, UnitError> {
    if !path.is_absolute() {
        return Err(UnitError::NotAbsolute(path.to_owned()));
    }
    let text = path.to_str().ok_or_else(|| UnitError::NotText(path.to_owned()))?;
    if text.chars().any(char::is_control) {
        return Err(UnitError::ControlCharacter(path.to_owned()));
    }
    Ok(text)
}

/// The program's path is neither expanded nor unescaped as arguments are, and how exactly has
/// changed between versions of systemd: only what all read alike is let through.
fn program_word(program: &Path) -> Result<String, UnitError> {
    let text = text_of(program)?;
    if text.contains(['$', '%', '"', '\'', '\\']) {
        return Err(UnitError::Program(program.to_owned()));
    }
    Ok(quote(text))
}

/// One argument: `%` would be a specifier, `$` a variable, and the rest is C's quoting.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' | '$' => quoted.extend([c, c]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn user_lines(user: Option<&UserName>) -> String {
    match user {
        Some(UserName(name)) => format!("User={name}"),
        None => "DynamicUser=yes".to_owned(),
    }
}

/// Home directories are out of sight, unless the configuration lives in one.
fn protect_home(files: &[PathBuf]) -> &'static str {
    let homes = ["/home", "/root", "/run/user"];
    let in_a_home = files.iter().any(|file| homes.iter().any(|home| file.starts_with(home)));
    if in_a_home { "read-only" } else { "yes" }
}
