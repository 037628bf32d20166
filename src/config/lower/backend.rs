//! One destination with its protocol, its TLS and its policy.

use std::sync::Arc;

use super::endpoints::endpoints_key;
use super::target::port_of;
use super::unit::{BackendKey, Identity, Made, Output, UnitKey};
use super::view::View;
use super::{backend_tls, codes, policy};
use crate::config::raw::{self, Object, ServicePort, Spec};
use crate::model::{
    Backend, BackendPolicy, BackendProtocol, BackendTls, Cause, ClientIdentity, Name, Part,
};

pub(super) fn backend(view: &mut View<'_>, key: &BackendKey) -> Made {
    let Some(object) = view.object(&key.object) else { return Made::default() };
    let (protocol, own_tls, section) = match &object.spec {
        Spec::Service(service) => {
            let Some(port) = port_of(service, key.port) else { return Made::default() };
            let (protocol, tls) = service_protocol(view, &object, port, key.grpc);
            (protocol, tls, port.name.clone())
        }
        Spec::Backend(backend) => {
            let protocol = backend_protocol(view, &object, backend);
            let tls = backend
                .tls
                .as_ref()
                .map(|tls| backend_tls::of_backend(view, &object, backend, tls))
                .transpose();
            (protocol, tls, None)
        }
        _ => return Made::default(),
    };
    let tls = tls(view, key, section.as_ref(), own_tls);
    let traffic = policy::traffic_of(view, &key.object, section.as_ref());
    let policy = traffic.map_or_else(BackendPolicy::standard, |traffic| traffic.backend.clone());
    view.demand(UnitKey::Endpoints(key.object.clone(), key.port));
    let part = Backend {
        key: key.part(),
        endpoints: endpoints_key(&key.object, key.port),
        protocol,
        tls,
        policy: Arc::new(policy),
    };
    Made { output: Output::Nothing, parts: vec![Part::Backend(Arc::new(part))] }
}

/// The backend's own settings, else its BackendTLSPolicy; with the Gateway's client certificate
/// where there is no other.
fn tls(
    view: &mut View<'_>,
    key: &BackendKey,
    section: Option<&Name>,
    own: Result<Option<BackendTls>, Cause>,
) -> Result<Option<Arc<BackendTls>>, Cause> {
    let policy = policy::backend_tls_of(view, &key.object, section);
    let by_policy = match policy {
        None => None,
        Some(policy) => match view.output(UnitKey::Policy(policy)) {
            Output::BackendTls(tls) => Some((*tls?).clone()),
            _ => return Err(Cause::BackendTlsInvalid),
        },
    };
    let chosen = match (own, by_policy) {
        // A Service that says `https` has no settings of its own; the policy brings them.
        (Err(cause), None) => return Err(cause),
        (Err(_), by_policy) if key.port.is_some() => by_policy,
        (Err(cause), _) => return Err(cause),
        (Ok(own), by_policy) => own.or(by_policy),
    };
    let Some(mut tls) = chosen else { return Ok(None) };
    if tls.identity.is_none() {
        tls.identity = match &key.identity {
            Identity::Nobody => None,
            Identity::Certificate(certificate) => {
                view.demand(UnitKey::Certificate(certificate.object.clone()));
                Some(ClientIdentity(certificate.clone()))
            }
            Identity::Refused => return Err(Cause::BackendTlsInvalid),
        };
    }
    Ok(Some(Arc::new(tls)))
}

/// The protocol that a Service's port names, and `Err` where it asks for TLS by itself.
fn service_protocol(
    view: &mut View<'_>,
    object: &Object,
    port: &ServicePort,
    grpc: bool,
) -> (BackendProtocol, Result<Option<BackendTls>, Cause>) {
    let Some(written) = &port.app_protocol else {
        return (if grpc { BackendProtocol::H2c } else { BackendProtocol::Http }, Ok(None));
    };
    let secure = Err(Cause::BackendTlsInvalid);
    // Names of IANA's registry have no case (RFC 6335, 5.1), and `HTTPS` must not become plain text.
    let (protocol, tls) = match written.value.to_ascii_lowercase().as_str() {
        "kubernetes.io/h2c" | "grpc" => (BackendProtocol::H2c, Ok(None)),
        "kubernetes.io/ws" => (BackendProtocol::WebSocket, Ok(None)),
        "kubernetes.io/wss" => (BackendProtocol::WebSocket, secure),
        "http" => (BackendProtocol::Http, Ok(None)),
        "https" => (BackendProtocol::Http, secure),
        _ => {
            let message = format!("appProtocol `{}` is not known: HTTP is spoken", written.value);
            view.warning(object, codes::APP_PROTOCOL, written, message);
            (BackendProtocol::Http, Ok(None))
        }
    };
    if tls.is_err() && policy::backend_tls_of(view, &object.key, port.name.as_ref()).is_none() {
        let message = format!("appProtocol `{}` needs a BackendTLSPolicy", written.value);
        view.error(object, codes::BACKEND_TLS_INVALID, written, message)
            .help("say in a BackendTLSPolicy how the certificate is checked");
    }
    (protocol, tls)
}

fn backend_protocol(
    view: &mut View<'_>,
    object: &Object,
    backend: &raw::Backend,
) -> BackendProtocol {
    match &*backend.protocol.value {
        "HTTP" => BackendProtocol::Http,
        "H2C" => BackendProtocol::H2c,
        "WebSocket" => BackendProtocol::WebSocket,
        other => {
            let message = format!("protocol `{other}` is not known: HTTP is spoken");
            view.error(object, codes::APP_PROTOCOL, &backend.protocol, message)
                .help("use HTTP, H2C or WebSocket");
            BackendProtocol::Http
        }
    }
}
