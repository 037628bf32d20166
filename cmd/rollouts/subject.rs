//! What a new rollout is about: a route, what it sends to now, and the new version.

use std::path::PathBuf;

use meshctl::manifest::generate::{self, Target as Written};
use meshctl::model::{Kind, ObjectKey};
use meshctl::rollout::route::Destination;
use meshctl::store::Stored;
use meshctl::{limits, names};
use serde_json::{Value, json};

use super::place::{Place, Target};
use crate::exit::{Exit, Failure};

/// A new version that has no object yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBackend {
    pub object: Value,
    pub file: PathBuf,
}

/// The route of that name, HTTPRoute or GRPCRoute.
pub async fn route(place: &Place, target: &Target, name: &str) -> Result<Stored, Failure> {
    let mut found = Vec::new();
    let mut others = Vec::new();
    for kind in [Kind::HttpRoute, Kind::GrpcRoute] {
        for route in place.routes().list(kind, place.namespace(target)).await? {
            others.push(route.key.name.to_string());
            if *route.key.name == *name {
                found.push(route);
            }
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(route), true) => {
            // A list passes over what is there twice, and a change of it would be refused later.
            place.routes().get(&route.key).await?;
            Ok(route)
        }
        (Some(route), false) => {
            let message = format!("several routes are called {name}");
            let found = found.iter().map(|one| one.key.to_string());
            let all: Vec<String> = found.chain([route.key.to_string()]).collect();
            Err(wrong(message).tip(format!("{}: name one with -n", all.join(", "))))
        }
        (None, _) => {
            let namespace = place.namespace(target).unwrap_or(names::NAMESPACE_DEFAULT);
            for kind in [Kind::HttpRoute, Kind::GrpcRoute] {
                // It may be there, with errors, or in a file that nobody can read.
                place.routes().get(&ObjectKey::new(place.origin(), kind, namespace, name)).await?;
            }
            let failure = Failure::new(Exit::No, format!("{} has no route {name}", place.words()));
            Err(match others.as_slice() {
                [] => failure.tip("`meshctl generate route` prints one"),
                _ => failure.tip(format!("there are: {}", others.join(", "))),
            })
        }
    }
}

/// What the rules of a route that are meant send to, each once.
pub fn backends(route: &Stored, rule: Option<&str>) -> Vec<Destination> {
    let namespace = namespace(route);
    let rules = route.value["spec"]["rules"].as_array().into_iter().flatten();
    let meant = rules.filter(|one| rule.is_none_or(|name| one["name"] == name));
    let backends = meant.flat_map(|rule| rule["backendRefs"].as_array().into_iter().flatten());
    let mut found: Vec<Destination> = Vec::new();
    for backend in backends.map(|backend| Destination::read(backend, namespace)) {
        if !found.contains(&backend) {
            found.push(backend);
        }
    }
    found
}

pub fn namespace(route: &Stored) -> &str {
    route.value["metadata"]["namespace"].as_str().unwrap_or(names::NAMESPACE_DEFAULT)
}

/// The stable version: what is named, or the only backend that there is besides the new one.
pub fn stable(
    route: &Stored,
    rule: Option<&str>,
    given: Option<&str>,
    canary: &Destination,
) -> Result<Destination, Failure> {
    let all = backends(route, rule);
    let listed = || all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if let Some(text) = given {
        let written = Written::parse(text).map_err(|why| wrong(format!("--stable: {why}")))?;
        let meant = all.iter().find(|one| is_written(&written, one));
        return meant.cloned().ok_or_else(|| {
            let message = format!("{} sends nothing to {text}", route.key);
            Failure::new(Exit::No, message).tip(format!("it sends to: {}", listed()))
        });
    }
    let mut others = all.iter().filter(|one| !canary.means(one));
    match (others.next(), others.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => {
            Err(Failure::new(Exit::No, format!("{} has no backend to begin with", route.key)))
        }
        (Some(_), Some(_)) => {
            let message = format!("{} has several backends: {}", route.key, listed());
            Err(wrong(message).tip("name the stable one with --stable"))
        }
    }
}

fn is_written(written: &Written, one: &Destination) -> bool {
    let kind = if written.backend { "Backend" } else { &*one.kind };
    one.name == written.name
        && one.kind == kind
        && (written.port.is_none() || written.port == one.port)
}

/// The new version: what the route knows already, a Service, a Backend, or an address, which gets a
/// Backend of its own.
pub async fn new_version(
    place: &Place,
    route: &Stored,
    rule: Option<&str>,
    text: &str,
) -> Result<(Destination, Option<NewBackend>), Failure> {
    if is_address(text) {
        return of_address(place, route, text).await;
    }
    let written = Written::parse(text).map_err(wrong)?;
    let all = backends(route, rule);
    if let Some(known) = all.iter().find(|one| is_written(&written, one)) {
        return Ok((known.clone(), None));
    }
    let key = |kind| key(place, kind, namespace(route), &written.name);
    if !written.backend
        && let Some(service) = place.routes().get(&key(Kind::Service)).await?
    {
        let port = match written.port {
            Some(port) => port,
            None => port_of(&service, all.first().and_then(|one| one.port))?,
        };
        return Ok((destination(Kind::Service, route, &written.name, Some(port)), None));
    }
    if written.port.is_none() && place.routes().get(&key(Kind::Backend)).await?.is_some() {
        return Ok((destination(Kind::Backend, route, &written.name, None), None));
    }
    let message = format!("there is no Service or Backend {} in {}", written.name, place.words());
    Err(Failure::new(Exit::No, message)
        .tip("name what there is, or an address, as in localhost:3001: it gets a Backend"))
}

fn key(place: &Place, kind: Kind, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::new(place.origin(), kind, namespace, name)
}

fn destination(kind: Kind, route: &Stored, name: &str, port: Option<u16>) -> Destination {
    let group = if kind == Kind::Service { "" } else { kind.group() };
    Destination {
        group: group.to_owned(),
        kind: kind.as_str().to_owned(),
        namespace: namespace(route).to_owned(),
        name: name.to_owned(),
        port,
    }
}

/// The stable version's port where the Service has it, or its only one.
fn port_of(service: &Stored, preferred: Option<u16>) -> Result<u16, Failure> {
    let ports = service.value["spec"]["ports"].as_array().into_iter().flatten();
    let ports: Vec<u16> =
        ports.filter_map(|port| u16::try_from(port["port"].as_u64()?).ok()).collect();
    match (preferred.filter(|port| ports.contains(port)), ports.as_slice()) {
        (Some(port), _) => Ok(port),
        (None, [port]) => Ok(*port),
        _ => {
            let message = format!("{} has several ports: {ports:?}", service.key);
            Err(wrong(message).tip(format!("name one: {}:PORT", service.key.name)))
        }
    }
}

/// What no Service is called: `localhost:3001`, `10.0.0.7:80`, `[::1]:80`, `v2.example:80`, `unix:/…`.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    if text.starts_with("unix:") {
        return true;
    }
    let host_is = host == "localhost" || host.contains('.') || host.starts_with('[');
    host_is && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0)
}

async fn of_address(
    place: &Place,
    route: &Stored,
    text: &str,
) -> Result<(Destination, Option<NewBackend>), Failure> {
    let name = name_of(text);
    let to = destination(Kind::Backend, route, &name, None);
    if let Some(there) =
        place.routes().get(&key(place, Kind::Backend, namespace(route), &name)).await?
    {
        if there.value["spec"]["endpoints"] == json!([text]) {
            return Ok((to, None));
        }
        let message =
            format!("{} is there already, and has other endpoints than {text}", there.key);
        return Err(Failure::new(Exit::No, message).tip(format!("name it: Backend/{name}")));
    }
    let Place::Directory(directory) = place else {
        let message = format!("{text} is an address of this machine's, and a cluster is meant");
        return Err(wrong(message).tip("name a Service or a Backend of the cluster"));
    };
    let Some(root) = &directory.root else {
        let message = format!("{text} needs a Backend, and a single file is served");
        return Err(wrong(message)
            .tip(format!("`meshctl generate backend {name} --endpoint {text}` prints it")));
    };
    let backend = generate::Backend {
        name: name.clone(),
        namespace: route.value["metadata"]["namespace"].as_str().map(str::to_owned),
        endpoints: vec![text.to_owned()],
        tls: false,
    };
    let objects = backend.plan().objects(None).expect("a test fills our own templates");
    let object = objects.into_iter().next().expect("the template has one object");
    Ok((to, Some(NewBackend { object, file: root.join(format!("{name}.yaml")) })))
}

/// `localhost-3001`: as Kubernetes lets objects be called.
fn name_of(address: &str) -> String {
    let letters = address.chars().map(|c| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9') => c,
        _ => '-',
    });
    let name: String = letters.collect();
    let name: String = name.trim_matches('-').chars().take(limits::ROLLOUT_NAME).collect();
    name.trim_end_matches('-').to_owned()
}

/// Written into a rollout.
pub fn written(to: &Destination) -> Written {
    Written {
        backend: to.kind == Kind::Backend.as_str(),
        name: to.name.clone(),
        port: to.port,
        weight: None,
    }
}

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Exit::WrongCommandLine, message)
}
