//! The demo's gateway: what `meshctl proxy run` starts, in this process, and asked and stopped
//! through its control door as any other.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use http::Method;
use serde_json::Value;
use tokio::sync::oneshot;

use meshctl::config::{Diagnostic, flags, render};
use meshctl::model::BindAddress;
use meshctl::proxy::control;
use meshctl::proxy::takeover::Listening;
use meshctl::serve::{self, StartError};
use meshctl::source::Inputs;
use meshctl::{limits, names};

use crate::exit::{Exit, Failure};
use crate::version;

use super::plan::{Version, Weights};

/// Two, so that the demo shows what more than one does to weights.
const WORKERS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// Where the gateway will listen. The socket is open before the port is written into a file, so
/// nobody else can get the port in between.
pub struct Place {
    pub address: SocketAddr,
    socket: TcpListener,
}

impl Place {
    pub fn find(port: Option<NonZeroU16>) -> Result<Self, Failure> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port.map_or(0, NonZeroU16::get)));
        let bound = TcpListener::bind(wanted)
            .and_then(|socket| Ok(Self { address: socket.local_addr()?, socket }));
        bound.map_err(|error| {
            let message = format!("could not listen on {wanted}: {error}");
            let failure = Failure::new(Exit::CouldNotAsk, message);
            if port.is_some() { failure.tip("without --port a free one is found") } else { failure }
        })
    }
}

pub struct Gateway {
    control: PathBuf,
    thread: JoinHandle<Result<(), StartError>>,
    problems: Problems,
}

/// What is wrong in the directory, a line each.
type Problems = Arc<Mutex<Vec<String>>>;

/// Where the gateway's control socket is, and where it is made known.
pub struct Sockets {
    pub run_dir: PathBuf,
    pub register: PathBuf,
}

impl Gateway {
    /// Serves the directory. Returns once everything is served.
    pub async fn start(place: Place, directory: &Path, sockets: Sockets) -> Result<Self, Failure> {
        let id = std::process::id();
        let Sockets { run_dir, register } = sockets;
        let control = run_dir.join(format!("proxy-{id}{}", names::CONTROL_SOCKET_SUFFIX));
        let (tell_started, started) = oneshot::channel();
        let problems = Problems::default();
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn({
            let (directory, control) = (directory.to_owned(), control.clone());
            let problems = Arc::clone(&problems);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(StartError::Workers)?;
                let started = Box::new(move |_: &serve::Started| {
                    // Whoever waited for it has given up.
                    let _ = tell_started.send(());
                });
                runtime.block_on(Box::pin(async move {
                    serve::run(options(place, &directory, (control, register), problems, started))
                        .await
                }))
            }
        });
        let thread = thread.map_err(|error| could_not_start(&error))?;
        match started.await {
            Ok(()) => Ok(Self { control, thread, problems }),
            Err(_) => Err(match thread.join() {
                Ok(Err(error)) => could_not_start(&error),
                Ok(Ok(())) => could_not_start(&"it was told to stop"),
                Err(_) => could_not_start(&"it panicked"),
            }),
        }
    }

    /// The weights that the gateway serves, as it says itself. `None` where it doesn't answer, or
    /// its route is no longer the demo's.
    pub async fn weights(&self) -> Option<Weights> {
        let wait = limits::DEMO_LOOK_TIMEOUT;
        let answer = control::ask(&self.control, Method::GET, "/config", wait).await;
        let (_, body) = answer.ok()?;
        served(&serde_json::from_slice(&body).ok()?)
    }

    /// The first thing that is wrong in the directory.
    pub fn problem(&self) -> Option<String> {
        lock(&self.problems).first().cloned()
    }

    /// Drains, and returns when nothing of it is left.
    pub async fn stop(self) {
        let seconds = limits::DEMO_DRAIN_TIMEOUT.as_secs();
        let target = format!("/drain?seconds={seconds}");
        // Ctrl-C may have told it before: then nobody answers any more, and it ends as well.
        let wait = limits::DEMO_ANSWER_TIMEOUT;
        let _ = control::ask(&self.control, Method::POST, &target, wait).await;
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

fn options(
    place: Place,
    directory: &Path,
    (control, register): (PathBuf, PathBuf),
    problems: Problems,
    started: Box<dyn FnOnce(&serve::Started) + Send>,
) -> serve::Options {
    let Place { address, socket } = place;
    let bind = BindAddress { ip: Some(address.ip()), port: address.port() };
    let diagnosed = move |found: &[Diagnostic], _: serve::Texts<'_>| {
        *lock(&problems) = found.iter().filter(|d| d.is_error()).map(render::line).collect();
    };
    // Nothing is to be written over the view, nor between the lines of a script.
    let flags = flags::Options { access_log: Some(None), ..flags::Options::default() };
    serve::Options {
        input: serve::Input::Files(Inputs {
            files: vec![directory.to_owned()],
            objects: Vec::new(),
            options: flags,
        }),
        workers: WORKERS,
        // Another proxy of this machine may have the usual port; `proxy status` needs none.
        observe: None,
        control,
        register: Some(register),
        takeover: None,
        passed: vec![Listening { bind, socket: socket.into() }],
        notify: None,
        drain_timeout: Some(limits::DEMO_DRAIN_TIMEOUT),
        version: version::TEXT,
        set_log_level: Box::new(|_| Err("the demo writes no log".to_owned())),
        started,
        diagnosed: Box::new(diagnosed),
    }
}

/// Nothing panics while it holds this; if it did, the lines would still be right.
fn lock(problems: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    problems.lock().unwrap_or_else(PoisonError::into_inner)
}

fn could_not_start(reason: &impl std::fmt::Display) -> Failure {
    Failure::new(Exit::CouldNotAsk, format!("could not start the gateway: {reason}"))
}

/// The weights in an answer to `/config`; a version that is not named there gets nothing.
fn served(config: &Value) -> Option<Weights> {
    let mut rules = config["parts"].as_array()?.iter().filter(|part| part["part"] == "rule");
    let (rule, None) = (rules.next()?, rules.next()) else { return None };
    let backends = rule["spec"]["backends"].as_array()?;
    let weight = |version: Version| {
        let is_it = |backend: &&Value| {
            let name = backend["backend"].as_str().unwrap_or_default();
            name.ends_with(&format!("/app-{}", version.name()))
        };
        let weight = backends.iter().find(is_it).and_then(|backend| backend["weight"].as_u64());
        weight.and_then(|weight| u32::try_from(weight).ok()).unwrap_or(0)
    };
    Some(Weights(Version::ALL.map(weight)))
}

#[cfg(test)]
mod tests;
