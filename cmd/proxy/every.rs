//! One question to every proxy that is meant, of this machine or of a cluster: what views are made
//! of.

use std::time::Duration;

use http::Method;
use meshctl::survey::{self, Asked};
use serde::de::DeserializeOwned;

use super::cluster::Target;
use super::{ask, chosen, name};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Who is asked.
pub struct Every<'a> {
    target: &'a Target,
    environment: &'a Environment,
    is_cluster: bool,
}

/// What they said.
pub struct Answers<T> {
    /// `this machine`, or the cluster's name.
    pub target: String,
    /// By the proxy's name.
    pub answers: Vec<(String, T)>,
    /// How many gave none.
    pub silent: usize,
}

impl<T> Answers<T> {
    /// Exit code 4 where somebody said nothing.
    pub fn exit(&self, otherwise: Exit) -> Exit {
        if self.silent > 0 { Exit::CouldNotAsk } else { otherwise }
    }

    /// Hands each answer on; one that can't be read is none.
    pub fn each(
        self,
        mut take: impl FnMut(&str, T) -> Result<(), String>,
        output: &mut Output,
    ) -> Answers<()> {
        let Self { target, answers, mut silent } = self;
        let mut taken = Vec::new();
        for (name, answer) in answers {
            match take(&name, answer) {
                Ok(()) => taken.push((name, ())),
                Err(why) => {
                    output.note(format_args!("the proxy {name} gave no answer: {why}"));
                    silent += 1;
                }
            }
        }
        Answers { target, answers: taken, silent }
    }
}

impl<'a> Every<'a> {
    pub fn new(
        target: &'a Target,
        environment: &'a Environment,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let is_cluster = target.is_cluster(None, environment, output)?;
        Ok(Self { target, environment, is_cluster })
    }

    pub fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// Asks each for what stands at this path of its control door. Who gives no answer is told of;
    /// fails where nobody is there to be asked, or nobody answers.
    pub fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        output: &mut Output,
    ) -> Result<Answers<T>, Failure> {
        let (target, told) = if self.is_cluster { self.pods(path)? } else { self.processes(path)? };
        let mut answers = Vec::new();
        let mut silent = Vec::new();
        for (name, answer) in told {
            match answer
                .and_then(|value| serde_json::from_value(value).map_err(|error| error.to_string()))
            {
                Ok(answer) => answers.push((name, answer)),
                Err(why) => silent.push(format!("the proxy {name} gave no answer: {why}")),
            }
        }
        if answers.is_empty()
            && let Some(why) = silent.first()
        {
            return Err(Failure::new(Exit::CouldNotAsk, why));
        }
        silent.iter().for_each(|why| output.note(why));
        Ok(Answers { target, answers, silent: silent.len() })
    }

    fn processes(&self, path: &str) -> Result<Told, Failure> {
        let found = chosen(None, &self.target.serving, self.environment)?;
        let told = found.iter().map(|proxy| {
            let answer = ask(proxy, Method::GET, path).map_err(|failure| failure.to_string());
            (name(proxy), answer)
        });
        Ok(("this machine".to_owned(), told.collect()))
    }

    fn pods(&self, path: &str) -> Result<Told, Failure> {
        let Target { context, namespaces, .. } = self.target;
        crate::cluster::run(async {
            let cluster = crate::cluster::connect(context, self.environment).await?;
            let pods = survey::pods(&cluster, namespaces.namespace.as_deref()).await?;
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
            Ok((format!("cluster {}", cluster.name), told.collect()))
        })
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

/// The target, and each proxy's answer.
type Told = (String, Vec<(String, Result<serde_json::Value, String>)>);
