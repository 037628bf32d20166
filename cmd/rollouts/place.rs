//! Where rollouts live: a directory, or a cluster.

use std::path::PathBuf;

use meshctl::cluster::Cluster;
use meshctl::model;
use meshctl::rollout::directory::{Audit, Home, Proxies};
use meshctl::rollout::state::State;
use meshctl::rollout::view::{Arm, View};
use meshctl::rollout::{Rollout, RolloutKind, ask};
use meshctl::store::{Store, Stored};
use serde_json::Value;

use super::Kind;
use crate::args::Context;
use crate::completions::live;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{cluster, mesh};

/// Which rollouts are meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Target {
    /// The directory that is served [default: the nearest with .meshctl, then the cluster]
    #[arg(short = 'f', long = "file", value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    file: Option<PathBuf>,
    #[command(flatten)]
    context: Context,
    /// The namespace [default: any that has the name; of a cluster, the context's]
    #[arg(short, long, value_name = "NAME", add = live::namespaces())]
    pub namespace: Option<String>,
}

pub enum Place {
    Directory(Box<Directory>),
    Cluster(Box<Remote>),
}

pub struct Directory {
    /// As it was typed or found.
    pub name: String,
    /// Where a new file would be served; `None` where single files are.
    pub root: Option<PathBuf>,
    pub home: Home,
    served: Vec<PathBuf>,
    doors: Vec<PathBuf>,
    pub who: String,
}

pub struct Remote {
    pub name: String,
    pub namespace: String,
    store: Store,
}

/// A rollout and how far it is.
#[derive(Clone, Debug)]
pub struct Known {
    pub stored: Stored,
    pub rollout: Rollout,
    pub state: State,
    pub view: Option<View>,
}

impl Target {
    /// The first that there is: what is named, `MESHCTL_CONFIG`, the nearest mesh directory, the
    /// kubeconfig's cluster.
    pub async fn place(
        &self,
        environment: &Environment,
        output: &mut Output,
    ) -> Result<Place, Failure> {
        if self.file.is_some() && self.context.context.is_some() {
            let message = "-f and --context can't be used together";
            return Err(Failure::new(Exit::WrongCommandLine, message));
        }
        let here = || environment.config.clone().or_else(|| mesh::here(environment));
        let named = self.context.context.is_some();
        match self.file.clone().or_else(|| if named { None } else { here() }) {
            Some(path) => {
                if self.file.is_none() && cluster::has_kubeconfig(environment) {
                    output.note(format_args!(
                        "of the directory {}; no cluster is touched (--context names one)",
                        path.display()
                    ));
                }
                Ok(Place::Directory(Box::new(Directory::open(path, environment)?)))
            }
            None if named || cluster::has_kubeconfig(environment) || environment.in_cluster => {
                let cluster = cluster::connect(&self.context, environment).await?;
                Ok(Place::Cluster(Box::new(Remote::new(cluster, self.namespace.as_deref()))))
            }
            None => {
                Err(Failure::new(Exit::WrongCommandLine, "no directory and no cluster is here")
                    .tip("name what is served: -f DIR; or begin with `meshctl init`"))
            }
        }
    }
}

impl Directory {
    fn open(path: PathBuf, environment: &Environment) -> Result<Self, Failure> {
        let found = environment.absolute(&path).metadata();
        let found = found.map_err(|error| Failure::file("read", &path, &error))?;
        let above = path.parent().filter(|above| !above.as_os_str().is_empty());
        let root = if found.is_dir() {
            path.clone()
        } else {
            above.map_or_else(|| PathBuf::from("."), PathBuf::from)
        };
        let mark = root.join(mesh::MARK);
        let mut doors = mesh::run_dirs(environment);
        doors.push(mark.join("run"));
        // As it was typed: messages name its files so.
        let served = vec![path.clone()];
        Ok(Self {
            name: path.display().to_string(),
            root: found.is_dir().then_some(root),
            home: Home::new(&served, &mark)?,
            served,
            doors,
            who: environment
                .user
                .map_or_else(|| "somebody".to_owned(), |user| format!("uid {user}")),
        })
    }

    pub fn proxies(&self) -> Proxies {
        Proxies::new(&self.served, &self.doors)
    }
}

impl Remote {
    fn new(cluster: Cluster, namespace: Option<&str>) -> Self {
        Self {
            name: cluster.name.clone(),
            namespace: namespace.unwrap_or(&cluster.namespace).to_owned(),
            store: Store::Cluster(cluster),
        }
    }
}

impl Place {
    /// `directory shop`, `cluster prod-eu`.
    pub fn words(&self) -> String {
        match self {
            Self::Directory(directory) => format!("directory {}", directory.name),
            Self::Cluster(remote) => format!("cluster {}", remote.name),
        }
    }

    /// Where routes are.
    pub fn routes(&self) -> &Store {
        match self {
            Self::Directory(directory) => directory.home.files(),
            Self::Cluster(remote) => &remote.store,
        }
    }

    /// Where rollouts are.
    pub fn plans(&self) -> &Store {
        match self {
            Self::Directory(directory) => directory.home.plans(),
            Self::Cluster(remote) => &remote.store,
        }
    }

    pub fn origin(&self) -> model::Store {
        match self {
            Self::Directory(_) => model::Store::Files,
            Self::Cluster(_) => model::Store::Cluster,
        }
    }

    /// The only namespace that is looked at.
    pub fn namespace<'a>(&'a self, target: &'a Target) -> Option<&'a str> {
        match self {
            Self::Directory(_) => target.namespace.as_deref(),
            Self::Cluster(remote) => Some(&remote.namespace),
        }
    }

    /// All rollouts, of every kind.
    pub async fn all(&self, target: &Target) -> Result<Vec<Known>, Failure> {
        let namespace = self.namespace(target);
        let stored = self.plans().list(model::Kind::TrafficRollout, namespace).await?;
        stored.into_iter().map(|stored| self.known(stored)).collect()
    }

    pub fn known(&self, stored: Stored) -> Result<Known, Failure> {
        let rollout = ask::read(&stored).map_err(|why| Failure::new(Exit::No, why))?;
        let (state, view) = match self {
            Self::Directory(directory) => {
                let key = &rollout.key;
                (directory.home.record(key)?.state, directory.home.view(key))
            }
            Self::Cluster(_) => of_status(&stored.value["status"]),
        };
        Ok(Known { stored, rollout, state, view })
    }

    /// As it is now.
    pub async fn again(&self, known: &Known) -> Result<Known, Failure> {
        let key = &known.rollout.key;
        match self.plans().get(key).await? {
            Some(stored) => self.known(stored),
            None => Err(Failure::new(Exit::No, format!("{key} is gone"))),
        }
    }

    /// The one that is named; else the only one that goes on; else, where `over` may be meant, the
    /// one that ended last.
    pub async fn one(
        &self,
        target: &Target,
        kind: Kind,
        name: Option<&str>,
        over: bool,
    ) -> Result<Known, Failure> {
        let mut all = self.all(target).await?;
        all.retain(|known| known.kind() == kind);
        if let Some(name) = name {
            let names: Vec<String> = all.iter().map(Known::name).collect();
            all.retain(|known| *known.rollout.key.name == *name);
            return match (all.pop(), all.is_empty()) {
                (Some(known), true) => Ok(known),
                (None, _) => Err(self.none(kind, &format!("called {name}"), &names)),
                (Some(_), false) => {
                    let message = format!("several rollouts are called {name}");
                    Err(Failure::new(Exit::WrongCommandLine, message).tip("name one with -n"))
                }
            };
        }
        let (active, mut ended): (Vec<Known>, Vec<Known>) =
            all.into_iter().partition(|known| !known.state.phase.is_over());
        let names: Vec<String> = active.iter().map(Known::name).collect();
        let mut active = active.into_iter();
        match (active.next(), active.next()) {
            (Some(known), None) => Ok(known),
            (Some(_), Some(_)) => {
                let message = format!("several rollouts go on: {}", names.join(", "));
                Err(Failure::new(Exit::WrongCommandLine, message).tip("name one of them"))
            }
            (None, _) if over => {
                ended.sort_by_key(|known| known.state.history.back().map(|event| event.at));
                ended.pop().ok_or_else(|| self.none(kind, "yet", &[]))
            }
            (None, _) => {
                let names: Vec<String> = ended.iter().map(Known::name).collect();
                Err(self.none(kind, "that goes on", &names))
            }
        }
    }

    fn none(&self, kind: Kind, which: &str, others: &[String]) -> Failure {
        let message = format!("{} has no {} {which}", self.words(), kind.command());
        let failure = Failure::new(Exit::CouldNotAsk, message);
        if others.is_empty() {
            failure.tip(kind.begin())
        } else {
            failure.tip(format!("there are: {}; {}", others.join(", "), kind.begin()))
        }
    }

    /// Notes who asked for what, where that has a place.
    pub fn audit(
        &self,
        known: &Rollout,
        what: &str,
        from: String,
        to: String,
    ) -> Result<(), Failure> {
        let Self::Directory(directory) = self else { return Ok(()) };
        let Directory { home, who, .. } = &**directory;
        let rollout = known.key.to_string();
        home.audit(&Audit { at: super::asking::now(), who, rollout, what, from, to })?;
        Ok(())
    }
}

impl Known {
    pub fn name(&self) -> String {
        self.rollout.key.name.to_string()
    }

    pub fn kind(&self) -> Kind {
        match self.rollout.kind {
            RolloutKind::Canary(_) => Kind::Canary,
            RolloutKind::DarkLaunch(_) => Kind::DarkLaunch,
        }
    }
}

/// How far a rollout is that the controller drives.
pub fn of_status(status: &Value) -> (State, Option<View>) {
    (serde_json::from_value(status.clone()).unwrap_or_default(), told(status))
}

/// The numbers in a status, which the controller writes for people.
fn told(status: &Value) -> Option<View> {
    let arms = status["arms"].as_array()?;
    let named = |name: &str| arms.iter().find(|arm| arm["name"] == name);
    let new = named("canary").or_else(|| named("dark"))?;
    let arm = |arm: &Value| Arm {
        requests: arm["requests"].as_u64().unwrap_or(0),
        errors: arm["errors"].as_u64().unwrap_or(0),
        per_second: arm["requestsPerSecond"].as_f64(),
        p50_ms: arm["p50"].as_str().and_then(millis),
        p99_ms: arm["p99"].as_str().and_then(millis),
    };
    Some(View {
        measured: new["measured"].as_f64(),
        stable: named("stable").map(arm),
        canary: arm(new),
        verdict: status["verdict"].as_str().map(str::to_owned),
        ..View::default()
    })
}

/// `12ms`, `1.4ms`, `850µs`, `1.2s`.
fn millis(text: &str) -> Option<f64> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit);
    let factor = match unit {
        "ns" => 1e-6,
        "µs" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}
