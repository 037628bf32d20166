//! What one replica of the controller tells the one that leads: which proxies it has, and what
//! they said.
//!
//! It goes up as a proxy's words do, in requests of a type of its own. A conversation begins with
//! everything; then follows what has changed. Generations don't travel: each replica counts its
//! own, so it says itself whether a proxy is behind, and of routes that rollouts are about behind
//! which version of them.

use std::collections::BTreeMap;
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::DeltaDiscoveryRequest;
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::google::rpc;
use prost::Message;

use super::hello::printable;
use super::report::{self, ReportMessage};
use super::{key, messages};
use crate::limits;
use crate::model::{Name, ObjectKey, Report, Scope};

/// The type of such a request, and of what it carries.
pub const TYPE_URL: &str = "type.meshctl.dev/meshctl.relay.v1.Words";

/// A proxy's fleet and name.
pub type Place = (Scope, Name);

/// A fleet, and a route that a rollout is about.
pub type Course = (Scope, ObjectKey);

/// All proxies of a replica, each with its whole report.
pub type Proxies = BTreeMap<Place, (Relayed, Option<Report>)>;

/// What its fleets have of each.
pub type Versions = BTreeMap<Course, Name>;

/// What there is to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// New, or other than they were.
    pub here: Vec<Relayed>,
    /// As a proxy sends them: what has changed.
    pub reports: Vec<(Place, Report)>,
    pub gone: Vec<Place>,
    /// New, or other than they were; without a version where a fleet has nothing of one any more.
    pub routes: Vec<(Course, Option<Name>)>,
    /// All proxies have been told: who was there before and wasn't told of is gone.
    pub opened: bool,
}

/// A proxy of another replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relayed {
    pub place: Place,
    pub version: Name,
    /// Since the epoch.
    pub connected_since: Duration,
    /// It doesn't serve yet what it was told last.
    pub behind: bool,
    pub trouble: Option<Name>,
}

#[derive(Clone, PartialEq, Message)]
struct WordsMessage {
    #[prost(message, repeated, tag = "1")]
    proxies: Vec<ProxyMessage>,
    #[prost(bool, tag = "2")]
    opened: bool,
    #[prost(message, repeated, tag = "3")]
    routes: Vec<RouteMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct RouteMessage {
    #[prost(string, tag = "1")]
    scope_namespace: String,
    #[prost(string, tag = "2")]
    scope_name: String,
    #[prost(bool, tag = "3")]
    scope_shared: bool,
    #[prost(message, optional, tag = "4")]
    route: Option<messages::ObjectKey>,
    #[prost(string, optional, tag = "5")]
    version: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct ProxyMessage {
    #[prost(string, tag = "1")]
    scope_namespace: String,
    #[prost(string, tag = "2")]
    scope_name: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(message, optional, tag = "4")]
    here: Option<HereMessage>,
    #[prost(message, optional, tag = "5")]
    report: Option<ReportMessage>,
    #[prost(bool, tag = "6")]
    gone: bool,
    #[prost(bool, tag = "7")]
    scope_shared: bool,
}

#[derive(Clone, PartialEq, Message)]
struct HereMessage {
    #[prost(string, tag = "1")]
    version: String,
    #[prost(uint64, tag = "2")]
    connected_since_ms: u64,
    #[prost(bool, tag = "3")]
    behind: bool,
    #[prost(string, optional, tag = "4")]
    trouble: Option<String>,
}

/// The first word: that this is a replica's conversation.
pub fn hello() -> DeltaDiscoveryRequest {
    request(&WordsMessage::default())
}

pub fn write(words: &Words) -> DeltaDiscoveryRequest {
    let Words { here, reports, gone, routes, opened } = words;
    let here = here.iter().map(|relayed| ProxyMessage {
        here: Some(HereMessage {
            version: relayed.version.to_string(),
            connected_since_ms: u64::try_from(relayed.connected_since.as_millis())
                .unwrap_or(u64::MAX),
            behind: relayed.behind,
            trouble: relayed.trouble.as_ref().map(ToString::to_string),
        }),
        ..at(&relayed.place)
    });
    let reports = reports.iter().map(|(place, report)| ProxyMessage {
        report: Some(report::message_of(report)),
        ..at(place)
    });
    let gone = gone.iter().map(|place| ProxyMessage { gone: true, ..at(place) });
    let proxies = here.chain(reports).chain(gone).collect();
    let route = |((scope, route), version): &(Course, Option<Name>)| RouteMessage {
        scope_namespace: scope.namespace.to_string(),
        scope_name: scope.name.to_string(),
        scope_shared: scope.shared,
        route: Some(key::write_object(route)),
        version: version.as_ref().map(ToString::to_string),
    };
    let routes = routes.iter().map(route).collect();
    request(&WordsMessage { proxies, opened: *opened, routes })
}

fn at((scope, name): &Place) -> ProxyMessage {
    ProxyMessage {
        scope_namespace: scope.namespace.to_string(),
        scope_name: scope.name.to_string(),
        scope_shared: scope.shared,
        name: name.to_string(),
        ..ProxyMessage::default()
    }
}

fn request(message: &WordsMessage) -> DeltaDiscoveryRequest {
    let detail = Any { type_url: TYPE_URL.to_owned(), value: message.encode_to_vec() };
    DeltaDiscoveryRequest {
        type_url: TYPE_URL.to_owned(),
        error_detail: Some(rpc::Status { details: vec![detail], ..rpc::Status::default() }),
        ..DeltaDiscoveryRequest::default()
    }
}

/// The words in a request; `None` for one that says something else.
pub fn read(request: &DeltaDiscoveryRequest) -> Option<Words> {
    let status = request.error_detail.as_ref().filter(|_| request.type_url == TYPE_URL)?;
    let detail = status.details.iter().find(|detail| detail.type_url == TYPE_URL)?;
    let WordsMessage { proxies, opened, routes } = WordsMessage::decode(&*detail.value).ok()?;
    let mut words = Words { opened, ..Words::default() };
    for RouteMessage { scope_namespace, scope_name, scope_shared, route, version } in routes {
        let (namespace, name) = (text(&scope_namespace), text(&scope_name));
        let scope = Scope { namespace, name, shared: scope_shared };
        // A kind that this version doesn't know has no rollouts here.
        let Some(Ok(route)) = route.map(key::read_object) else { continue };
        words.routes.push(((scope, route), version.map(|version| text(&version))));
    }
    for proxy in proxies {
        let ProxyMessage { scope_namespace, scope_name, scope_shared, name, here, report, gone } =
            proxy;
        let scope = Scope {
            namespace: text(&scope_namespace),
            name: text(&scope_name),
            shared: scope_shared,
        };
        let place = (scope, text(&name));
        if let Some(here) = here {
            words.here.push(Relayed {
                place: place.clone(),
                version: text(&here.version),
                connected_since: Duration::from_millis(here.connected_since_ms),
                behind: here.behind,
                trouble: here.trouble.map(|why| printable(&why, limits::WIRE_TROUBLE_CHARS).into()),
            });
        }
        if let Some(report) = report {
            words.reports.push((place.clone(), report::report_of(report)));
        }
        if gone {
            words.gone.push(place);
        }
    }
    Some(words)
}

fn text(text: &str) -> Name {
    printable(text, limits::WIRE_NAME_CHARS).into()
}

#[cfg(test)]
mod tests;
