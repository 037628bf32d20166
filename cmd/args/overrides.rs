//! `--endpoint` and `--port`: what is different on this machine.

use meshctl::model::Address;
use meshctl::names::NAMESPACE_DEFAULT;

use super::{address, port};

/// `--endpoint shop/cart=localhost:3000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointOverride {
    pub namespace: String,
    pub service: String,
    pub address: Address,
}

/// `--port 80=8080`: what a listener says, and what is opened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortMove {
    pub listener: u16,
    pub here: u16,
}

/// Reads `[NS/]SERVICE=HOST:PORT`.
pub fn endpoint_override(text: &str) -> Result<EndpointOverride, String> {
    let Some((service, target)) = text.split_once('=') else {
        return Err("an endpoint is [NS/]SERVICE=HOST:PORT".to_owned());
    };
    let (namespace, service) = service.split_once('/').unwrap_or((NAMESPACE_DEFAULT, service));
    Ok(EndpointOverride {
        namespace: object_name("namespace", namespace)?,
        service: object_name("Service's name", service)?,
        address: address::address(target)?,
    })
}

/// Reads `80=8080`.
pub fn port_move(text: &str) -> Result<PortMove, String> {
    let Some((listener, here)) = text.split_once('=') else {
        return Err(format!("say which listener's port moves where: 80={text}"));
    };
    Ok(PortMove { listener: port(listener)?.get(), here: port(here)?.get() })
}

/// RFC 1123 label, as Kubernetes asks of namespaces and Services.
fn object_name(what: &str, name: &str) -> Result<String, String> {
    let valid = (1..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    valid.then(|| name.to_owned()).ok_or_else(|| {
        format!("`{name}` is not a {what}: 1 to 63 lower-case letters, digits and '-'")
    })
}
