//! Which mesh a command acts on, and where its proxies leave their control sockets.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use meshctl::config::quick;
use meshctl::model::AccessLogFormat;
use meshctl::source::Inputs;

use crate::args::{Context, Files, Overrides, Quick};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};

/// The directory that marks a mesh, as `.git` marks a repository.
pub const MARK: &str = ".meshctl";
/// Where control sockets live in it.
const RUN: &str = "run";
/// Where a service of the system keeps its sockets.
const SYSTEM_RUN_DIR: &str = "/run/meshctl";

/// Where a user has no runtime directory, as in most containers. What is there is believed only
/// where it is the user's own.
const TEMPORARY_RUN_DIR: &str = "/tmp/meshctl-";

/// What is served or checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Files and directories; `-` is standard input.
    Files(Vec<PathBuf>),
    /// No file at all.
    Quick(quick::Quick),
}

impl Source {
    /// The first that there is: the command line, `MESHCTL_CONFIG`, the nearest mesh directory.
    pub fn choose(files: Files, quick: Quick, environment: &Environment) -> Result<Self, Failure> {
        let Files { files } = files;
        match (files.is_empty(), quick.targets.is_empty(), quick.listen.is_empty()) {
            (false, false, _) => Err(wrong("-f and --to can't be used together").tip(
                "--to serves without a file; `meshctl init` writes the same as YAML, to be edited",
            )),
            (false, true, false) => Err(wrong("-f and --listen can't be used together").tip(
                "the files say where to listen; --port 80=8080 opens 8080 where a listener says 80",
            )),
            (false, true, true) => Self::files(files),
            (true, true, true) => Self::unsaid(environment),
            (true, ..) => Ok(Self::Quick(quick.read()?)),
        }
    }

    /// What is served or checked, as the library reads it.
    pub fn inputs(
        &self,
        overrides: &Overrides,
        access_log: Option<Option<AccessLogFormat>>,
    ) -> Inputs {
        let options = overrides.options(access_log);
        match self {
            Self::Files(files) => Inputs { files: files.clone(), objects: Vec::new(), options },
            Self::Quick(quick) => Inputs { files: Vec::new(), objects: quick.objects(), options },
        }
    }

    fn files(files: Vec<PathBuf>) -> Result<Self, Failure> {
        if files.iter().filter(|file| is_standard_input(file)).count() > 1 {
            return Err(wrong("standard input can be read once: `-f -` is given twice"));
        }
        Ok(Self::Files(files))
    }

    fn unsaid(environment: &Environment) -> Result<Self, Failure> {
        match environment.config.clone().or_else(|| here(environment)) {
            Some(path) => Ok(Self::Files(vec![path])),
            None => Err(wrong("no configuration is given").tip(
                "give -f DIR, or --listen :8080 --to localhost:3000, or begin with `meshctl init`",
            )),
        }
    }

    /// The directory with a mark among what is served: its proxies are found through it.
    fn marked(&self) -> Option<&Path> {
        let Self::Files(files) = self else { return None };
        files.iter().find(|file| file.join(MARK).is_dir()).map(PathBuf::as_path)
    }
}

/// As it was named.
impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files(files) => {
                let names: Vec<String> =
                    files.iter().map(|file| file.display().to_string()).collect();
                f.write_str(&names.join(", "))
            }
            Self::Quick(_) => f.write_str("the command line"),
        }
    }
}

pub fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// The nearest directory with a mark, looked for upwards as git does, but never above the home
/// directory nor on another file system.
pub fn nearest(from: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let device = |path: &Path| path.metadata().ok().map(|metadata| metadata.dev());
    let start = device(from)?;
    for directory in from.ancestors() {
        if device(directory) != Some(start) {
            return None;
        }
        if directory.join(MARK).is_dir() {
            return Some(directory.to_owned());
        }
        if home == Some(directory) {
            return None;
        }
    }
    None
}

/// Where a proxy that serves `source` puts its control socket, unless `--control` names it.
pub fn run_dir(source: &Source, environment: &Environment) -> PathBuf {
    environment
        .run_dir
        .clone()
        .or_else(|| source.marked().map(|directory| directory.join(MARK).join(RUN)))
        .or_else(|| of_user(environment))
        .unwrap_or_else(|| SYSTEM_RUN_DIR.into())
}

/// Where a proxy is made known whose control socket stands elsewhere.
pub fn register_dir(environment: &Environment) -> PathBuf {
    let of_user = || of_user(environment);
    environment.run_dir.clone().or_else(of_user).unwrap_or_else(|| SYSTEM_RUN_DIR.into())
}

/// Whether a cluster is meant and no files: files win, unless a context is named.
pub fn asks_cluster(
    files: &Files,
    context: &Context,
    environment: &Environment,
) -> Result<bool, Failure> {
    let files = !files.files.is_empty();
    if files && context.context.is_some() {
        return Err(wrong("-f and --context can't be used together"));
    }
    let here = || environment.config.is_some() || here(environment).is_some();
    Ok(context.context.is_some()
        || !files && !here() && crate::cluster::has_kubeconfig(environment))
}

/// The user's own directory; root's is the system's, unless it has one besides.
fn of_user(environment: &Environment) -> Option<PathBuf> {
    let temporary = || {
        let user = environment.user.filter(|user| *user != 0)?;
        Some(format!("{TEMPORARY_RUN_DIR}{user}").into())
    };
    environment.runtime_dir.as_ref().map(|directory| directory.join("meshctl")).or_else(temporary)
}

/// The mesh that a command is in, unless it is told.
pub fn here(environment: &Environment) -> Option<PathBuf> {
    nearest(&environment.current_dir, environment.home.as_deref())
}

/// Everywhere that proxies of this machine may have put theirs, or made them known, nearest first.
pub fn run_dirs(environment: &Environment) -> Vec<PathBuf> {
    if let Some(directory) = &environment.run_dir {
        return vec![directory.clone()];
    }
    let near = here(environment);
    let near = near.map(|directory| directory.join(MARK).join(RUN));
    near.into_iter().chain(of_user(environment)).chain([SYSTEM_RUN_DIR.into()]).collect()
}

fn wrong(message: &str) -> Failure {
    Failure::new(Exit::WrongCommandLine, message)
}

#[cfg(test)]
mod tests;
