//! The processes in pods, asked by `exec`: each replica of the controller for what it knows, one
//! proxy for what it believes.

use futures_util::future::join_all;
use serde_json::Value;

use super::PROGRAM;
use super::proxies::{is_ready, is_running};
use crate::cluster::{Cluster, ClusterError, Inside, Ran, Resource, name_of, namespace_of};
use crate::controller::picture::Picture;
use crate::names;

/// The exit code of a program that doesn't know the command.
const WRONG_COMMAND_LINE: i32 = 2;

/// The controllers, as far as they could be asked.
#[derive(Clone, Debug, Default)]
pub struct Replicas {
    pub pictures: Vec<Picture>,
    /// Those that gave no answer: pod, and why.
    pub silent: Vec<(String, String)>,
}

/// What a process in a pod said.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Answer(Value),
    /// It has none: its own words.
    Refused(String),
}

/// Why a proxy can't be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unasked {
    Cluster(ClusterError),
    /// `NAMESPACE/POD` isn't there.
    NoPod(String),
    /// It is there, and no proxy of ours.
    NoProxy(String),
}

impl From<ClusterError> for Unasked {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(error)
    }
}

impl std::fmt::Display for Unasked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cluster(error) => error.fmt(f),
            Self::NoPod(name) => write!(f, "there is no pod {name}"),
            Self::NoProxy(name) => write!(f, "pod {name} is no proxy of a Gateway"),
        }
    }
}

/// The pods of the controller.
pub(super) async fn controllers(cluster: &Cluster) -> Result<Vec<Value>, ClusterError> {
    let labels = of("controller");
    cluster.list(&Resource::POD, Some(names::NAMESPACE_SYSTEM), Some(&labels)).await
}

/// The pods of all Gateways, of one namespace or of all.
pub async fn pods(cluster: &Cluster, namespace: Option<&str>) -> Result<Vec<Value>, ClusterError> {
    cluster.list(&Resource::POD, namespace, Some(&of("proxy"))).await
}

fn of(component: &str) -> String {
    format!(
        "{}={},{}={component}",
        names::LABEL_APP_NAME,
        names::FIELD_MANAGER,
        names::LABEL_COMPONENT
    )
}

/// Asks every ready replica: each knows its own conversations alone. Fails where none may be asked.
pub async fn replicas(cluster: &Cluster) -> Result<Replicas, ClusterError> {
    let pods = controllers(cluster).await?;
    let ready: Vec<&str> = pods.iter().filter(|pod| is_ready(pod)).map(name_of).collect();
    let asked = join_all(ready.iter().map(|pod| picture(cluster, pod))).await;
    let mut replicas = Replicas::default();
    for (pod, asked) in ready.into_iter().zip(asked) {
        match asked {
            Ok(Ok(picture)) => replicas.pictures.push(picture),
            Ok(Err(why)) => replicas.silent.push((pod.to_owned(), why)),
            Err(error @ ClusterError::Forbidden { .. }) => return Err(error),
            Err(error) => replicas.silent.push((pod.to_owned(), error.to_string())),
        }
    }
    Ok(replicas)
}

async fn picture(cluster: &Cluster, pod: &str) -> Result<Result<Picture, String>, ClusterError> {
    let at = Inside { namespace: names::NAMESPACE_SYSTEM, pod, container: "controller" };
    let command = [PROGRAM, "controller", "status", "--output", "json"];
    let ran = cluster.exec(at, &command).await?;
    Ok(match answer(&ran) {
        Asked::Answer(value) => serde_json::from_value(value).map_err(|error| error.to_string()),
        Asked::Refused(why) => Err(why),
    })
}

/// What the proxy in a pod answers to a command line of its own program, such as `proxy config`.
pub async fn of_proxy(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    question: &[&str],
) -> Result<Asked, Unasked> {
    let named = || format!("{namespace}/{pod}");
    let found = cluster.get(&Resource::POD, Some(namespace), pod).await?;
    let found = found.ok_or_else(|| Unasked::NoPod(named()))?;
    let labels = &found["metadata"]["labels"];
    if labels[names::LABEL_COMPONENT] != "proxy" || !labels[names::LABEL_FLEET].is_string() {
        return Err(Unasked::NoProxy(named()));
    }
    let namespace = namespace_of(&found).unwrap_or(namespace);
    Ok(inside(cluster, namespace, pod, question).await?)
}

/// What stands at the control doors of these pods: `/failures`, `/report`. Those that give no
/// answer stand there with why; fails where none may be asked.
pub async fn at_doors(
    cluster: &Cluster,
    pods: &[Value],
    path: &str,
) -> Result<Vec<(String, Asked)>, ClusterError> {
    let running = pods.iter().filter(|pod| is_running(pod));
    let asked = join_all(running.map(async |pod| {
        let (namespace, name) = (namespace_of(pod).unwrap_or_default(), name_of(pod));
        let answer = inside(cluster, namespace, name, &["proxy", "ask", path]).await;
        (format!("{namespace}/{name}"), answer)
    }));
    let mut asked = asked.await;
    let is_forbidden = |(_, answer): &(String, Result<Asked, ClusterError>)| {
        matches!(answer, Err(ClusterError::Forbidden { .. }))
    };
    if asked.iter().all(is_forbidden)
        && let Some((_, Err(error))) = asked.pop()
    {
        return Err(error);
    }
    let refused = |error: ClusterError| Asked::Refused(error.to_string());
    Ok(asked.into_iter().map(|(pod, answer)| (pod, answer.unwrap_or_else(refused))).collect())
}

async fn inside(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    question: &[&str],
) -> Result<Asked, ClusterError> {
    let at = Inside { namespace, pod, container: "proxy" };
    let command: Vec<&str> = [PROGRAM].into_iter().chain(question.iter().copied()).collect();
    Ok(answer(&cluster.exec(at, &command).await?))
}

/// Standard output where it is JSON, whatever the exit code: that says how it is, not whether
/// there is an answer.
pub(super) fn answer(ran: &Ran) -> Asked {
    if let Ok(value) = serde_json::from_slice(&ran.stdout) {
        return Asked::Answer(value);
    }
    if ran.code == WRONG_COMMAND_LINE {
        let why = "it is of another version, which doesn't know the question: `meshctl version`";
        return Asked::Refused(why.to_owned());
    }
    let said = ran.stderr.trim().lines().next().unwrap_or_default();
    let said = said.strip_prefix("error: ").unwrap_or(said);
    Asked::Refused(match said {
        "" => format!("it ended with exit code {} and said nothing", ran.code),
        said => said.to_owned(),
    })
}
