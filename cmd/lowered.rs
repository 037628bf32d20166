//! What a configuration comes to, of files or of a cluster: the parts that views show.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;

use meshctl::config::Diagnostic;
use meshctl::config::index::Index;
use meshctl::install;
use meshctl::model::{ObjectKey, Part};
use meshctl::rollout::directory::Home;
use meshctl::rollout::state::State;
use meshctl::rollout::view::View;
use meshctl::source::{Feed, Inputs};
use meshctl::{rollout, survey, yaml};
use serde::Serialize;
use serde_json::Value;

use crate::args::{Context, Files, Overrides, Quick};
use crate::cluster;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh::{self, Source};
use crate::rollouts::place;

/// Which configuration.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Target {
    #[command(flatten)]
    pub files: Files,
    #[command(flatten)]
    pub context: Context,
    #[command(flatten)]
    pub overrides: Overrides,
}

/// How far a rollout is, and what was seen of it last.
pub type Progress = (State, Option<View>);

/// Where that stands.
enum Kept {
    /// Of the directories that were read.
    Homes(Vec<Home>),
    Statuses(BTreeMap<ObjectKey, Value>),
}

pub struct Lowered {
    /// `shop`, or `cluster prod-eu`.
    pub target: String,
    pub parts: Vec<Part>,
    pub diagnostics: Vec<Diagnostic>,
    /// The objects as they are in force.
    pub index: Index,
    /// Of files, the lines above each of their documents.
    documents: BTreeMap<Arc<str>, BTreeSet<u32>>,
    is_cluster: bool,
    kept: Kept,
}

/// One mistake of an object.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    pub code: String,
    pub severity: &'static str,
    pub message: String,
}

impl Lowered {
    /// How many there are in all.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|one| one.is_error()).count()
    }

    /// Of the objects of a namespace, where one is meant.
    pub fn errors_in(&self, namespace: Option<&str>) -> usize {
        let Some(namespace) = namespace else { return self.errors() };
        let objects = self.index.objects().filter(|object| *object.key.namespace == *namespace);
        let problems = objects.flat_map(|object| self.problems(&object.key));
        problems.filter(|problem| problem.severity == "error").count()
    }

    /// How far a rollout is, as whoever drives it wrote it down.
    pub fn progress(&self, rollout: &ObjectKey) -> Progress {
        match &self.kept {
            Kept::Homes(homes) => {
                let kept = |home: &Home| {
                    home.record(rollout).ok().filter(|one| one.state != State::default())
                };
                let found =
                    homes.iter().find_map(|home| Some((kept(home)?.state, home.view(rollout))));
                found.unwrap_or_default()
            }
            Kept::Statuses(statuses) => {
                let status = statuses.get(rollout).unwrap_or(&Value::Null);
                place::of_status(status)
            }
        }
    }

    /// What is wrong with an object: in files, within its document.
    pub fn problems(&self, key: &ObjectKey) -> Vec<Problem> {
        let origin = self.index.origin(key);
        let starts = self.documents.get(&origin.file);
        let later = (Bound::Excluded(origin.line_offset), Bound::Unbounded);
        let next = starts.and_then(|starts| starts.range(later).next().copied());
        let shown = key.to_string();
        let is_its = |one: &&Diagnostic| match self.is_cluster {
            true => *one.file == *shown,
            false => {
                let line = one.place.line;
                one.file == origin.file
                    && origin.line_offset < line
                    && next.is_none_or(|next| line <= next)
            }
        };
        let its = self.diagnostics.iter().filter(is_its);
        its.map(|one| Problem {
            code: one.code.to_string(),
            severity: one.severity.as_str(),
            message: one.message.clone(),
        })
        .collect()
    }
}

impl Target {
    /// Reads and lowers everything once. Files win, unless a context is named.
    pub fn lower(self, environment: &Environment) -> Result<Lowered, Failure> {
        let Self { files, context, overrides } = self;
        if mesh::asks_cluster(&files, &context, environment)? {
            return of_cluster(&context, environment);
        }
        read(files, &overrides, environment)
    }
}

/// The files, or those of where the command is.
pub fn of_files(files: Vec<PathBuf>, environment: &Environment) -> Result<Lowered, Failure> {
    read(Files { files }, &Overrides::default(), environment)
}

fn read(
    files: Files,
    overrides: &Overrides,
    environment: &Environment,
) -> Result<Lowered, Failure> {
    let source = Source::choose(files, Quick::default(), environment)?;
    let (feed, update) = Feed::load(inputs(&source, overrides)).map_err(|error| {
        Failure::new(Exit::CouldNotAsk, format!("can't read the configuration: {error}"))
    })?;
    Ok(Lowered {
        target: source.to_string(),
        documents: documents(&feed, &update.diagnostics),
        parts: update.changes.upserted,
        diagnostics: update.diagnostics,
        index: feed.into_index(),
        is_cluster: false,
        kept: Kept::Homes(homes(&source)),
    })
}

/// Where the documents begin of files in which something is wrong.
fn documents(feed: &Feed, wrong: &[Diagnostic]) -> BTreeMap<Arc<str>, BTreeSet<u32>> {
    let files: BTreeSet<&Arc<str>> = wrong.iter().map(|one| &one.file).collect();
    let texts = files.into_iter().filter_map(|file| Some((file, feed.text(file)?)));
    texts
        .map(|(file, text)| {
            let starts = yaml::documents(&text).map(|document| document.line_offset);
            (Arc::clone(file), starts.collect())
        })
        .collect()
}

/// What a proxy reads, and the rollouts that stand beside it.
fn inputs(source: &Source, overrides: &Overrides) -> Inputs {
    let mut inputs = source.inputs(overrides, None);
    let rollouts = |file: &PathBuf| file.join(mesh::MARK).join(rollout::directory::DIRECTORY);
    let beside: Vec<PathBuf> =
        inputs.files.iter().map(rollouts).filter(|path| path.is_dir()).collect();
    inputs.files.extend(beside);
    inputs
}

/// Where the directories among the files keep how far their rollouts are.
fn homes(source: &Source) -> Vec<Home> {
    let Source::Files(files) = source else { return Vec::new() };
    let marks = files.iter().map(|file| file.join(mesh::MARK)).filter(|mark| mark.is_dir());
    marks.filter_map(|mark| Home::new(&[], &mark).ok()).collect()
}

/// All of a cluster, as its controller sees it.
pub fn of_cluster(context: &Context, environment: &Environment) -> Result<Lowered, Failure> {
    cluster::run(async {
        let cluster = cluster::connect(context, environment).await?;
        let Some(controller) = install::controller(&cluster).await? else {
            let message = format!("meshctl is not installed in cluster {}", cluster.name);
            let failure = Failure::new(Exit::CouldNotAsk, message);
            return Err(failure.tip("`meshctl install` installs it; -f asks files"));
        };
        let mesh = survey::mesh_of(&cluster, &controller).await?;
        Ok(Lowered {
            target: format!("cluster {}", cluster.name),
            parts: mesh.parts,
            diagnostics: mesh.diagnostics,
            index: mesh.index,
            documents: BTreeMap::new(),
            is_cluster: true,
            kept: Kept::Statuses(mesh.rollouts),
        })
    })
}
