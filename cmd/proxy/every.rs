//! One question to every proxy that is meant, of this machine or of a cluster: what views are made
//! of.

use std::time::Duration;

use http::Method;
use meshctl::cluster::{Cluster, ClusterError};
use meshctl::survey::{self, Asked};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cluster::Target;
use super::{ask, chosen, name};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Who is asked.
#[derive(Clone)]
pub struct Every {
    target: Target,
    environment: Environment,
    is_cluster: bool,
}

/// What they said.
pub struct Answers<T> {
    /// `this machine`, or the cluster's name.
    pub target: String,
    /// By the proxy's name.
    pub answers: Vec<(String, T)>,
    /// Those that gave none, and why, in words.
    pub silent: Vec<String>,
}

impl<T> Answers<T> {
    /// Exit code 4 where somebody said nothing.
    pub fn exit(&self, otherwise: Exit) -> Exit {
        if self.silent.is_empty() { otherwise } else { Exit::CouldNotAsk }
    }

    /// Tells who said nothing.
    pub fn noted(self, output: &mut Output) -> Self {
        self.silent.iter().for_each(|why| output.note(why));
        self
    }

    /// Hands each answer on; one that can't be read is none.
    pub fn each(self, mut take: impl FnMut(&str, T) -> Result<(), String>) -> Answers<()> {
        let Self { target, answers, mut silent } = self;
        let mut taken = Vec::new();
        for (name, answer) in answers {
            match take(&name, answer) {
                Ok(()) => taken.push((name, ())),
                Err(why) => silent.push(no_answer(&name, &why)),
            }
        }
        Answers { target, answers: taken, silent }
    }
}

fn no_answer(name: &str, why: &str) -> String {
    format!("the proxy {name} gave no answer: {why}")
}

impl Every {
    /// A namespace says what is shown, not whether a cluster is asked for it.
    pub fn new(
        target: &Target,
        environment: &Environment,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let mut anywhere = target.clone();
        anywhere.namespaces.namespace = None;
        let is_cluster = anywhere.is_cluster(None, environment, output)?;
        Ok(Self { target: target.clone(), environment: environment.clone(), is_cluster })
    }

    pub fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    pub fn namespace(&self) -> Option<&str> {
        self.target.namespaces.namespace.as_deref()
    }

    /// Asks each for what stands at this path of its control door. Fails where nobody is there to be
    /// asked, or nobody answers.
    pub fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<Answers<T>, Failure> {
        let Told { target, told } =
            if self.is_cluster { self.pods(path)? } else { self.processes(path)? };
        let mut answers = Vec::new();
        let mut silent = Vec::new();
        for (name, answer) in told {
            match answer
                .and_then(|value| serde_json::from_value(value).map_err(|error| error.to_string()))
            {
                Ok(answer) => answers.push((name, answer)),
                Err(why) => silent.push(no_answer(&name, &why)),
            }
        }
        match silent.first() {
            Some(why) if answers.is_empty() => Err(Failure::new(Exit::CouldNotAsk, why)),
            _ => Ok(Answers { target, answers, silent }),
        }
    }

    fn processes(&self, path: &str) -> Result<Told, Failure> {
        let found = chosen(None, &self.target.serving, &self.environment)?;
        let told = found.iter().map(|proxy| {
            let answer = ask(proxy, Method::GET, path).map_err(|failure| failure.to_string());
            (name(proxy), answer)
        });
        Ok(Told { target: "this machine".to_owned(), told: told.collect() })
    }

    fn pods(&self, path: &str) -> Result<Told, Failure> {
        crate::cluster::run(async {
            let context = &self.target.context;
            let cluster = crate::cluster::connect(context, &self.environment).await?;
            let pods = self.pods_of(&cluster).await?;
            let told = survey::at_doors(&cluster, &pods, path).await?;
            if told.is_empty() {
                let message = format!("no proxy runs in cluster {}", cluster.name);
                let tip = "`meshctl proxy status -A` lists the proxies and what they wait for";
                return Err(Failure::new(Exit::CouldNotAsk, message).tip(tip));
            }
            let told = told.into_iter().map(|(pod, asked)| match asked {
                Asked::Answer(value) => (pod, Ok(value)),
                Asked::Refused(why) => (pod, Err(why)),
            });
            Ok(Told { target: format!("cluster {}", cluster.name), told: told.collect() })
        })
    }

    /// A route's requests come to proxies of any namespace; who may look into one alone asks there.
    async fn pods_of(&self, cluster: &Cluster) -> Result<Vec<Value>, ClusterError> {
        match (survey::pods(cluster, None).await, self.namespace()) {
            (Err(ClusterError::Forbidden { .. }), Some(namespace)) => {
                survey::pods(cluster, Some(namespace)).await
            }
            (pods, _) => pods,
        }
    }
}

/// Waits between two questions; false where Ctrl-C ended it.
pub fn pause(time: Duration) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(Exit::CouldNotAsk, format!("can't start the runtime: {error}"))
    })?;
    Ok(runtime.block_on(async {
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            _ = tokio::signal::ctrl_c() => false,
        }
    }))
}

struct Told {
    target: String,
    /// Each proxy's answer.
    told: Vec<(String, Result<Value, String>)>,
}
