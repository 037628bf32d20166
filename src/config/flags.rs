//! What the command line says about the configuration, flag by flag.
//!
//! This module must not know how arguments are split from a command line.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::address::{self, AddressError};
use super::decode::is_label;
use crate::model::{AccessLogFormat, Address, Name};
use crate::{limits, names};

#[cfg(test)]
mod tests;

/// What changes the meaning of a directory without editing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `--class NAME`: these classes are ours too.
    pub classes: Vec<Name>,
    /// `--port 80=8080`: a listener's port to the one that is bound.
    pub port_moves: BTreeMap<u16, u16>,
    /// `--endpoint [NS/]SERVICE=HOST:PORT`, repeatable: (namespace, Service) to its endpoints.
    pub endpoints: BTreeMap<(Name, Name), Vec<Address>>,
    /// `--access-log`: every listener's, whatever its MeshConfig says.
    pub access_log: Option<Option<AccessLogFormat>>,
    /// The objects are a cluster's: Gateways have proxies of their own, `spec.addresses` are not
    /// the proxy's, and what each object's status says is worked out as well.
    pub cluster: bool,
    /// Backends of a cluster may lead to loopback, link-local and Unix sockets: where proxies share
    /// their network with nobody, or all route authors are trusted.
    pub allow_local_backends: bool,
    /// ExternalName Services of a cluster may be sent to. They name any host, other namespaces'
    /// Services too, so whoever may write a Service gets around every ReferenceGrant.
    pub allow_external_names: bool,
    /// Addresses that Backends of a cluster may not lead to: the API server's.
    pub forbidden: BTreeSet<IpAddr>,
}

impl Options {
    pub fn add_endpoint(&mut self, given: EndpointOverride) {
        let EndpointOverride { namespace, service, address } = given;
        self.endpoints.entry((namespace, service)).or_default().push(address);
    }

    pub fn add_port_move(&mut self, PortMove { listener, here }: PortMove) {
        self.port_moves.insert(listener, here);
    }
}

/// Why the value of a flag can't be read, as a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagError {
    Address(AddressError),
    Weight(String),
    EndpointShape,
    /// What it should name, and what was written.
    ObjectName(&'static str, String),
    PortShape(String),
}

impl std::fmt::Display for FlagError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(why) => why.fmt(f),
            Self::Weight(text) => {
                write!(f, "`{text}` is not a weight: a number from 0 to {}", limits::WEIGHT)
            }
            Self::EndpointShape => f.write_str("an endpoint is [NS/]SERVICE=HOST:PORT"),
            Self::ObjectName(what, text) => {
                write!(f, "`{text}` is not a {what}: 1 to 63 lower-case letters, digits and `-`")
            }
            Self::PortShape(text) => {
                write!(f, "say which listener's port moves where, as in `80={text}`")
            }
        }
    }
}

impl std::error::Error for FlagError {}

impl From<AddressError> for FlagError {
    fn from(why: AddressError) -> Self {
        Self::Address(why)
    }
}

/// `--to localhost:3000=90`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub address: Address,
    /// 1 where none is given.
    pub weight: u32,
}

/// Reads an endpoint, and `=WEIGHT` after it. The last `=` counts, so the path of a Unix socket
/// may hold one when a weight follows.
pub fn target(text: &str) -> Result<Target, FlagError> {
    let Some((address, weight)) = text.rsplit_once('=') else {
        return Ok(Target { address: address::endpoint(text)?, weight: 1 });
    };
    let digits = !weight.is_empty() && weight.bytes().all(|byte| byte.is_ascii_digit());
    let number = weight.parse().ok().filter(|number| digits && *number <= limits::WEIGHT);
    let number = number.ok_or_else(|| FlagError::Weight(weight.to_owned()))?;
    Ok(Target { address: address::endpoint(address)?, weight: number })
}

/// `--endpoint shop/cart=localhost:3000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointOverride {
    pub namespace: Name,
    pub service: Name,
    pub address: Address,
}

/// Reads `[NS/]SERVICE=HOST:PORT`.
pub fn endpoint_override(text: &str) -> Result<EndpointOverride, FlagError> {
    let (service, address) = text.split_once('=').ok_or(FlagError::EndpointShape)?;
    let (namespace, service) =
        service.split_once('/').unwrap_or((names::NAMESPACE_DEFAULT, service));
    Ok(EndpointOverride {
        namespace: object_name("namespace", namespace)?,
        service: object_name("Service's name", service)?,
        address: address::endpoint(address)?,
    })
}

fn object_name(what: &'static str, text: &str) -> Result<Name, FlagError> {
    let name = is_label(text).then(|| text.into());
    name.ok_or_else(|| FlagError::ObjectName(what, text.to_owned()))
}

/// `--port 80=8080`: what a listener says, and what is opened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortMove {
    pub listener: u16,
    pub here: u16,
}

/// Reads `80=8080`.
pub fn port_move(text: &str) -> Result<PortMove, FlagError> {
    let shape = || FlagError::PortShape(text.to_owned());
    let (listener, here) = text.split_once('=').ok_or_else(shape)?;
    Ok(PortMove { listener: address::port(listener)?, here: address::port(here)? })
}
