//! The demo's rollouts: written as `meshctl canary` and `meshctl dark-launch` write them, and
//! driven as `meshctl canary run` does.

use std::path::{Path, PathBuf};
use std::time::Duration;

use meshctl::manifest::generate::{self, Plan, Subject, Target};
use meshctl::model::{Kind, ObjectKey, Store};
use meshctl::rollout::ask;
use meshctl::rollout::directory::{Home, Proxies, Runner, Turned};
use meshctl::rollout::state::{Ask, Intent};
use meshctl::store::{Change, Mode};

use crate::exit::{Exit, Failure};
use crate::mesh::MARK;
use crate::rollouts::asking::now;

use super::plan::Version;

/// The route that `meshctl init` writes.
const ROUTE: &str = "app";
const DARK: &str = "dark";
/// What a verdict of the demo needs: a second of its load.
const MIN_REQUESTS: u32 = 50;

pub struct Story {
    home: Home,
    runner: Runner,
}

impl Story {
    /// Of the directory; `run_dir` is where its gateway can be asked.
    pub fn open(directory: &Path, run_dir: &Path) -> Result<Self, Failure> {
        let served = [directory.to_owned()];
        let home = Home::new(&served, &directory.join(MARK))?.made()?;
        let proxies = Proxies::new(&served, &[run_dir.to_owned()]);
        match Runner::new(home.clone(), proxies, "demo".to_owned())? {
            Ok(runner) => Ok(Self { home, runner }),
            Err(_) => Err(Failure::new(Exit::No, "another process drives the demo's rollouts")),
        }
    }

    pub async fn begin_dark_launch(&self) -> Result<(), Failure> {
        let plan =
            generate::DarkLaunch { subject: subject(DARK), to: target(Version::V2), percent: 50 };
        self.begin(&plan.plan(), DARK).await
    }

    /// To `step` percent, and from there to all.
    pub async fn begin_canary(
        &self,
        name: &str,
        step: u8,
        interval: Duration,
    ) -> Result<(), Failure> {
        let plan = generate::Canary {
            subject: subject(name),
            stable: target(Version::V1),
            canary: target(Version::V2),
            steps: vec![step],
            interval: format!("{}ms", interval.as_millis()),
            error_rate: Some("1%".to_owned()),
            p99: None,
            min_requests: Some(MIN_REQUESTS),
        };
        self.begin(&plan.plan(), name).await
    }

    async fn begin(&self, plan: &Plan, name: &str) -> Result<(), Failure> {
        let objects = plan.objects(None).expect("a test fills our own templates");
        let file: PathBuf = self.home.plan_file(name);
        for object in &objects {
            self.home.plans().create(object, &file).await?;
        }
        Ok(())
    }

    pub async fn end_dark_launch(&self) -> Result<(), Failure> {
        let stored = self.stored(DARK).await?;
        let at = Some(now().to_string());
        let patch =
            ask::patch(&stored.value, &Ask { intent: Intent::Aborted, at, ..Ask::default() });
        let change = Change { key: stored.key, patch };
        self.home.plans().patch(&[change], Mode::Apply).await?;
        Ok(())
    }

    pub async fn turn_dark_launch(&mut self) -> Result<Turned, Failure> {
        self.turn(DARK).await
    }

    pub async fn turn(&mut self, name: &str) -> Result<Turned, Failure> {
        let stored = self.stored(name).await?;
        let rollout = ask::read(&stored).map_err(|why| Failure::new(Exit::No, why))?;
        Ok(self.runner.turn(&rollout, now()).await?)
    }

    async fn stored(&self, name: &str) -> Result<meshctl::store::Stored, Failure> {
        let key = ObjectKey::new(Store::Files, Kind::TrafficRollout, "default", name);
        let stored = self.home.plans().get(&key).await?;
        stored.ok_or_else(|| Failure::new(Exit::No, format!("{key} is gone")))
    }
}

fn subject(name: &str) -> Subject {
    let (name, route) = (name.to_owned(), ROUTE.to_owned());
    Subject { name, namespace: None, route, grpc: false }
}

fn target(version: Version) -> Target {
    let name = format!("{ROUTE}-{}", version.name());
    Target { backend: true, name, port: None, weight: None }
}
