//! A new rollout takes its place: what it is, what is in its way, and what it would change.

use meshctl::model::{Kind, ObjectKey};
use meshctl::rollout::others::{Keeper, Rival};
use meshctl::rollout::route::Destination;
use meshctl::rollout::state::State;
use meshctl::rollout::{Rollout, ask};
use meshctl::store::Stored;
use meshctl::yaml;
use serde_json::Value;

use super::asking::{coloured, diff_of};
use super::place::{Known, Place, Target};
use super::subject::{self, NewBackend};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What is to be written.
pub struct Planned {
    object: Value,
    rollout: Rollout,
    backend: Option<NewBackend>,
    route: Stored,
}

impl Planned {
    /// `object` is what the user's words make; it is read as a file of it would be.
    pub fn new(
        place: &Place,
        object: Value,
        backend: Option<NewBackend>,
        route: Stored,
    ) -> Result<Self, Failure> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let namespace = subject::namespace(&route);
        let key = ObjectKey::new(place.origin(), Kind::TrafficRollout, namespace, name);
        let (value, version) = (object.clone(), String::new());
        let stored = Stored { key, value, version, place: "the plan".to_owned() };
        let read = ask::read(&stored);
        let rollout = read.map_err(|why| Failure::new(Exit::WrongCommandLine, why))?;
        Ok(Self { object, rollout, backend, route })
    }

    /// A rollout of the same name that is over makes room; what goes on is in the way.
    async fn former(&self, place: &Place, target: &Target) -> Result<Option<ObjectKey>, Failure> {
        let Rollout { key, route, .. } = &self.rollout;
        let mut former = None;
        for known in place.all(target).await? {
            let (phase, name) = (known.state.phase, known.name());
            let theirs = &known.rollout.key;
            let same = (&theirs.namespace, &theirs.name) == (&key.namespace, &key.name);
            let dark = |rollout: &Rollout| rollout.versions().2;
            let of_route =
                known.rollout.route == *route && dark(&known.rollout) == dark(&self.rollout);
            if phase.is_over() {
                former = former.or(same.then(|| theirs.clone()));
            } else if same || of_route {
                let (command, end) = (known.kind().command(), known.kind().end());
                let message = format!(
                    "{} has a {command} already: {name} goes on ({}, {}%)",
                    known.rollout.route,
                    phase.as_str(),
                    known.state.weight,
                );
                let tip = format!("`meshctl {command} {end} {name}` ends it");
                return Err(Failure::new(Exit::No, message).tip(tip));
            }
        }
        Ok(former)
    }

    /// In a cluster another tool may drive the route, or write it anew from a repository.
    async fn others(&self, place: &Place, output: &mut Output) -> Result<(), Failure> {
        if let Place::Directory(_) = place {
            return Ok(());
        }
        let mut rival = Rival::of(&self.route.value);
        let (stable, new, _) = self.rollout.versions();
        for service in stable.into_iter().chain([new]).filter(|to| to.kind == "Service") {
            if rival.is_some() {
                break;
            }
            let Destination { namespace, name, .. } = service;
            let key = ObjectKey::new(place.origin(), Kind::Service, namespace, name);
            let service = place.routes().get(&key).await?;
            rival = service.and_then(|service| Rival::by_service(&service.value));
        }
        let route = &self.rollout.route;
        if let Some(rival) = rival {
            let message = format!("{rival} drives the weights of {route}");
            return Err(Failure::new(Exit::No, message)
                .tip("two that do take back each other's steps: leave it to one of them"));
        }
        if let Some(keeper) = Keeper::of(&self.route.value) {
            output.note(format_args!("warning: {}", keeper.advice(&self.rollout)));
        }
        Ok(())
    }

    /// What would be written.
    pub async fn preview(
        &self,
        place: &Place,
        target: &Target,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        self.former(place, target).await?;
        self.others(place, output).await?;
        let file = match place {
            Place::Directory(directory) => {
                directory.home.plan_file(&self.rollout.key.name).display().to_string()
            }
            Place::Cluster(_) => self.rollout.key.to_string(),
        };
        let backend = self.backend.iter().map(|new| (new.file.display().to_string(), &new.object));
        let mut diff = String::new();
        for (file, object) in backend.chain([(file, &self.object)]) {
            let file = file.trim_start_matches("./").trim_start_matches('/');
            diff.push_str(&format!("--- /dev/null\n+++ b/{file}\n"));
            let text = yaml::write(object);
            text.lines().for_each(|line| diff.push_str(&format!("+{line}\n")));
        }
        diff.push_str(&diff_of(place, &self.rollout, &State::default(), &self.route).await?);
        output.text(coloured(&diff))?;
        Ok(Exit::Yes)
    }

    /// Writes it, and gives it back as it is stored.
    pub async fn write(
        &self,
        place: Place,
        target: &Target,
        output: &mut Output,
    ) -> Result<(Place, Known), Failure> {
        let former = self.former(&place, target).await?;
        self.others(&place, output).await?;
        let place = made(place)?;
        let key = &self.rollout.key;
        if let Some(former) = former {
            place.plans().delete(&former).await?;
        }
        let file = match &place {
            Place::Directory(directory) => {
                directory.home.forget(key)?;
                directory.home.plan_file(&key.name)
            }
            Place::Cluster(_) => std::path::PathBuf::new(),
        };
        if let Some(NewBackend { object, file }) = &self.backend {
            place.routes().create(object, file).await?;
            output.note(format_args!("{} is the new version's Backend", file.display()));
        }
        place.plans().create(&self.object, &file).await?;
        place.audit(&self.rollout, "started", "nothing".to_owned(), "0%".to_owned())?;
        let stored = place.plans().get(key).await?;
        let stored = stored.ok_or_else(|| Failure::new(Exit::No, format!("{key} is gone")))?;
        let known = place.known(stored)?;
        Ok((place, known))
    }
}

/// With a place for rollouts.
fn made(place: Place) -> Result<Place, Failure> {
    Ok(match place {
        Place::Directory(mut directory) => {
            directory.home = directory.home.made()?;
            Place::Directory(directory)
        }
        cluster @ Place::Cluster(_) => cluster,
    })
}
