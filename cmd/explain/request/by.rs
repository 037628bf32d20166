//! Who tells a request's story: a proxy that runs, or the configuration.

use http::Method;
use meshctl::proxy::explain::{Question, Told};
use serde_json::Value;

use crate::args::{Files, Overrides, Serving};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::lowered::Target;
use crate::mesh;
use crate::proxy::{self, Proxy, cluster};

/// A story and its teller: `the proxy 4711`.
pub struct Story {
    pub by: String,
    pub told: Told,
}

/// The proxy that is named answers; `target` has its context.
pub fn named(
    wanted: &Proxy,
    target: Target,
    question: &Question,
    environment: &Environment,
) -> Result<Story, Failure> {
    let path = super::is_asked(question.target())?;
    if let Proxy::Pod { .. } = wanted {
        let of = cluster::Target { context: target.context, ..cluster::Target::default() };
        let asked = ["proxy", "ask", &path];
        let (pod, answer) = cluster::of_pod(&of, Some(wanted), &asked, environment)?;
        return read(format!("the proxy in pod {pod}"), answer);
    }
    if target.context.context.is_some() {
        let message = "a proxy of this machine and a cluster are both named";
        return Err(Failure::new(Exit::WrongCommandLine, message));
    }
    let serving = Serving { file: target.files.files.into_iter().next() };
    let proxy = proxy::one(Some(wanted), &serving, environment)?;
    read(format!("the proxy {}", proxy::name(&proxy)), proxy::ask(&proxy, Method::GET, &path)?)
}

/// A proxy that serves what the command would read, if one does: by what it serves, requests go.
/// What it can't tell, the configuration does.
pub fn serving(target: &Target, question: &Question, environment: &Environment) -> Option<Story> {
    let Target { files: Files { files }, context, overrides } = target;
    let file = match files.as_slice() {
        [] => environment.config.clone().or_else(|| mesh::here(environment))?,
        [one] if !mesh::is_standard_input(one) => one.clone(),
        _ => return None,
    };
    // They say how the configuration is to be read.
    if context.context.is_some() || *overrides != Overrides::default() {
        return None;
    }
    let path = question.target().ok()?;
    let found = proxy::chosen(None, &Serving { file: Some(file) }, environment).ok()?;
    let (first, others) = found.split_first()?;
    let mut by = format!("the proxy {}", proxy::name(first));
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(proxy::name).collect();
        by.push_str(&format!(" (--proxy asks {})", others.join(" or ")));
    }
    read(by, proxy::ask(first, Method::GET, &path).ok()?).ok()
}

fn read(by: String, answer: Value) -> Result<Story, Failure> {
    let told = serde_json::from_value(answer).map_err(|error| {
        let message = format!("{by} gave an answer that can't be read: {error}");
        Failure::new(Exit::CouldNotAsk, message).tip("`meshctl proxy status` shows its version")
    })?;
    Ok(Story { by, told })
}
