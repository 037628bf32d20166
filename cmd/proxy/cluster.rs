//! The proxies of a cluster: whether they are meant, and the table of them.

use meshctl::clock;
use meshctl::cluster::{Cluster, name_of};
use meshctl::install;
use meshctl::proxy::control;
use meshctl::survey::{self, Asked, Replicas, Seen, State, Unasked};
use serde::Serialize;
use serde_json::Value;

use super::Proxy;
use crate::args::{Context, Format, Namespaces, Serving};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh;
use crate::output::Output;
use crate::units::age;

/// What a command about proxies is told of its target.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Target {
    #[command(flatten)]
    pub serving: Serving,
    #[command(flatten)]
    pub context: Context,
    #[command(flatten)]
    pub namespaces: Namespaces,
}

impl Target {
    /// Whether a cluster is asked. What is named decides; where nothing is, this machine does if a
    /// mesh or a proxy is here, and then says that no cluster was asked.
    pub fn is_cluster(
        &self,
        wanted: Option<&Proxy>,
        environment: &Environment,
        output: &mut Output,
    ) -> Result<bool, Failure> {
        let Self { serving, context, namespaces } = self;
        let said = context.context.is_some()
            || namespaces.namespace.is_some()
            || namespaces.all_namespaces;
        let of_machine =
            serving.file.is_some() || matches!(wanted, Some(Proxy::Process(_) | Proxy::Socket(_)));
        let of_cluster = said || matches!(wanted, Some(Proxy::Pod { .. }));
        match (of_machine, of_cluster) {
            (true, true) => Err(wrong("a proxy of this machine and a cluster are both named")),
            (true, false) => Ok(false),
            (false, true) => Ok(true),
            (false, false) if !crate::cluster::has_kubeconfig(environment) => Ok(false),
            (false, false) => {
                let here = mesh::here(environment).is_some()
                    || !control::find(&mesh::run_dirs(environment)).is_empty();
                if here {
                    output.note("of this machine; no cluster was asked (-A asks it)");
                }
                Ok(!here)
            }
        }
    }

    /// The namespace that is asked, `None` for all; and the pod, where one is named.
    fn place(
        &self,
        wanted: Option<&Proxy>,
        cluster: &Cluster,
    ) -> Result<(Option<String>, Option<String>), Failure> {
        let given = self.namespaces.namespace.clone();
        let Some(Proxy::Pod { namespace, name }) = wanted else { return Ok((given, None)) };
        match (namespace, &given) {
            (Some(one), Some(other)) if one != other => {
                Err(wrong("the pod's namespace and -n contradict each other"))
            }
            (None, None) if self.namespaces.all_namespaces => {
                Err(wrong("a pod is in one namespace: name it as NAMESPACE/POD"))
            }
            (namespace, _) => {
                let own = || cluster.namespace.clone();
                let namespace = namespace.clone().or(given).unwrap_or_else(own);
                Ok((Some(namespace), Some(name.clone())))
            }
        }
    }
}

fn wrong(message: &str) -> Failure {
    Failure::new(Exit::WrongCommandLine, message)
}

impl From<Unasked> for Failure {
    fn from(why: Unasked) -> Self {
        match why {
            Unasked::Cluster(error) => error.into(),
            other => Self::new(Exit::CouldNotAsk, other.to_string())
                .tip("`meshctl proxy status -A` lists the proxies"),
        }
    }
}

/// What the proxy in a pod answers to a command line of its own program; the pod's name, besides.
pub fn of_pod(
    target: &Target,
    wanted: Option<&Proxy>,
    question: &[&str],
    environment: &Environment,
) -> Result<(String, Value), Failure> {
    crate::cluster::run(async {
        let cluster = crate::cluster::connect(&target.context, environment).await?;
        let (namespace, pod) = target.place(wanted, &cluster)?;
        let (Some(namespace), Some(pod)) = (namespace, pod) else {
            return Err(
                wrong("name the proxy's pod").tip("`meshctl proxy status -A -o name` lists them")
            );
        };
        let named = format!("{namespace}/{pod}");
        match survey::of_proxy(&cluster, &namespace, &pod, question).await? {
            Asked::Answer(answer) => Ok((named, answer)),
            Asked::Refused(why) => {
                let message = format!("the proxy in pod {named} gave no answer: {why}");
                Err(Failure::new(Exit::CouldNotAsk, message))
            }
        }
    })
}

/// What JSON and YAML carry.
#[derive(Serialize)]
struct Shown<'a> {
    target: &'a str,
    proxies: &'a [Seen],
}

pub fn status(
    target: &Target,
    wanted: Option<&Proxy>,
    format: Format,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    crate::cluster::run(async {
        let cluster = crate::cluster::connect(&target.context, environment).await?;
        let (namespace, pod) = target.place(wanted, &cluster)?;
        let mut pods = survey::pods(&cluster, namespace.as_deref()).await?;
        if let Some(pod) = pod {
            pods.retain(|found| name_of(found) == pod);
            if pods.is_empty() {
                let named = format!("{}/{pod}", namespace.unwrap_or_default());
                return Err(Unasked::NoPod(named).into());
            }
        }
        let replicas = survey::replicas(&cluster).await?;
        let seen = survey::join(&pods, &replicas);
        show(format, &cluster, &seen, output)?;
        let asked = asked(&cluster, &replicas, output).await?;
        Ok(match (asked, seen.iter().all(|proxy| proxy.state.is_good())) {
            (false, _) => Exit::CouldNotAsk,
            (true, true) => Exit::Yes,
            (true, false) => Exit::No,
        })
    })
}

/// Whether the controllers told all that there is; says what is missing.
async fn asked(
    cluster: &Cluster,
    replicas: &Replicas,
    output: &mut Output,
) -> Result<bool, Failure> {
    for (pod, why) in &replicas.silent {
        output.note(format_args!("controller {pod} gave no answer: {why}"));
    }
    if !replicas.pictures.is_empty() || !replicas.silent.is_empty() {
        return Ok(replicas.silent.is_empty());
    }
    if install::controller(cluster).await?.is_none() {
        let message = format!("meshctl is not installed in cluster {}", cluster.name);
        return Err(Failure::new(Exit::CouldNotAsk, message).tip("`meshctl install` installs it"));
    }
    output.note("no controller is ready: which proxies would be connected isn't known");
    Ok(false)
}

fn show(
    format: Format,
    cluster: &Cluster,
    seen: &[Seen],
    output: &mut Output,
) -> Result<(), Failure> {
    let wide = format == Format::Wide;
    let mut headings =
        vec!["PROXY", "GATEWAY", "STATE", "VERSION", "CONNECTED", "REQUESTS", "ERRORS"];
    if wide {
        headings.extend(["CONNECTIONS", "GENERATION", "ACKNOWLEDGED", "CONTROLLER"]);
    }
    let now = clock::since_epoch().as_secs();
    let rows = seen.iter().map(|proxy| row(proxy, wide, now)).collect();
    let shown = Shown { target: &cluster.name, proxies: seen };
    output.rows(format, &headings, rows, &shown)?;
    if seen.is_empty() {
        output.note(format_args!("no Gateway has proxies there; cluster {}", cluster.name));
    }
    for proxy in seen.iter().filter(|proxy| proxy.state != State::Synced) {
        if let Some(trouble) = &proxy.trouble {
            output.note(format_args!("{}: {trouble}", proxy.name));
        }
    }
    Ok(())
}

fn row(proxy: &Seen, wide: bool, now: u64) -> Vec<String> {
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let since = proxy.connected_since.map(|since| age(now.saturating_sub(since)));
    let report = proxy.report;
    let mut row = vec![
        proxy.name.clone(),
        proxy.gateway.clone(),
        proxy.state.as_str().to_owned(),
        text(&proxy.version),
        text(&since),
        number(report.map(|report| report.requests)),
        number(report.map(|report| report.errors)),
    ];
    if wide {
        row.extend([
            number(report.map(|report| report.connections)),
            number(proxy.generation),
            number(proxy.acknowledged),
            text(&proxy.controller),
        ]);
    }
    row
}
