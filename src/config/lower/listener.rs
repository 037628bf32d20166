//! A listener that is left, with its certificates, its clients' certificates and its settings.

use std::sync::Arc;

use super::reference::Unusable;
use super::unit::{ListenerShape, ListenerState, Made, Output, UnitKey};
use super::view::View;
use super::{codes, reference};
use crate::config::raw::{self, Object, Spec};
use crate::config::status::{self, Refusal};
use crate::model::{
    ClientAuth, ClientAuthMode, Kind, Listener, ListenerProtocol, ListenerSettings, ListenerTls,
    ObjectKey, Part, PartKey, TlsVersion,
};
use crate::names;

pub(super) fn listener(view: &mut View<'_>, key: &PartKey) -> Made {
    let parent = view.parent(&key.object);
    let of_key = |shape: &&Arc<ListenerShape>| shape.binds.iter().any(|(part, _)| part == key);
    let Some(shape) = parent.listeners.iter().find(of_key).cloned() else {
        return Made::default();
    };
    let (Some(object), Some(gateway)) = (view.object(&key.object), view.object(&shape.gateway))
    else {
        return Made::default();
    };
    let Some((_, bind)) = shape.binds.iter().find(|(part, _)| part == key) else {
        return Made::default();
    };
    let mut state = ListenerState::default();
    let protocol = match (shape.https, &gateway.spec) {
        (true, Spec::Gateway(spec)) => {
            ListenerProtocol::Https(tls(view, &object, (&gateway, spec), &shape, &mut state))
        }
        _ => ListenerProtocol::Http,
    };
    let part = Listener {
        key: key.clone(),
        gateway: shape.gateway.clone(),
        scope: shape.scope.clone(),
        bind: *bind,
        port: shape.port,
        hostname: shape.hostname.clone(),
        protocol,
        settings: settings(view, &shape.gateway),
    };
    let parts = vec![Part::Listener(Arc::new(part))];
    Made { output: Output::Listener(Arc::new(state)), parts }
}

/// The MeshConfig's settings, with what a TrafficPolicy on the Gateway says.
fn settings(view: &mut View<'_>, gateway: &ObjectKey) -> Arc<ListenerSettings> {
    let settings = match view.output(UnitKey::Settings(gateway.clone())) {
        Output::Settings(settings) => settings,
        _ => Arc::new(super::settings::standard()),
    };
    let stream_idle = match view.output(UnitKey::Traits(gateway.clone())) {
        Output::Traits(traits) => traits.stream_idle,
        _ => None,
    };
    let access_log = view.lowering.options.access_log;
    if stream_idle.is_none() && access_log.is_none() {
        return settings;
    }
    Arc::new(ListenerSettings {
        stream_idle_timeout: stream_idle.unwrap_or(settings.stream_idle_timeout),
        access_log: access_log.unwrap_or(settings.access_log),
        ..(*settings).clone()
    })
}

fn tls(
    view: &mut View<'_>,
    object: &Object,
    (gateway, spec): (&Object, &raw::Gateway),
    shape: &ListenerShape,
    state: &mut ListenerState,
) -> ListenerTls {
    let written = match &object.spec {
        Spec::Gateway(gateway) => &gateway.listeners[..],
        Spec::ListenerSet(set) => &set.listeners[..],
        _ => &[],
    };
    let listener = written.iter().find(|listener| listener.name.value == shape.name);
    let tls = listener.and_then(|listener| listener.tls.as_ref());
    let references = tls.map_or(&[][..], |tls| &tls.certificate_refs);
    if references.is_empty() {
        let place = tls.map(|tls| tls.place).or(listener.map(|listener| listener.name.place));
        let message =
            format!("listener `{}` has no certificate: handshakes are refused", shape.name);
        view.error(object, codes::BAD_LISTENER_TLS, &place.unwrap_or_default(), message)
            .help("name a Secret in `tls.certificateRefs`");
        let why = "the listener has no certificate";
        state.certificates = Some(Refusal::new(status::INVALID_CERTIFICATE_REF, why));
    }
    let certificate = |one: &raw::Reference| {
        let before = view.findings.len();
        reference::certificate_of(view, object, one).map_err(|why| {
            let refusal = certificate_refused(view, one, why, before);
            state.certificates.get_or_insert(refusal);
            why.cause()
        })
    };
    let certificates: Vec<_> = references.iter().map(certificate).collect();
    state.without_certificate = certificates.iter().all(Result::is_err);
    ListenerTls {
        certificates,
        client_auth: client_auth(view, gateway, spec, shape.port, state),
        min_version: tls.map_or(TlsVersion::V1_2, |tls| min_version(view, object, tls)),
    }
}

fn certificate_refused(
    view: &View<'_>,
    reference: &raw::Reference,
    why: Unusable,
    findings: usize,
) -> Refusal {
    let reason = match why {
        Unusable::NotPermitted => status::REF_NOT_PERMITTED,
        Unusable::Kind | Unusable::Missing | Unusable::Malformed => status::INVALID_CERTIFICATE_REF,
    };
    match view.said_since(findings) {
        Some(said) => Refusal::new(reason, said),
        // What is wrong in a Secret is said where the Secret is.
        None => Refusal::new(reason, format!("Secret {} holds no usable pair", reference.name)),
    }
}

fn min_version(view: &mut View<'_>, object: &Object, tls: &raw::ListenerTls) -> TlsVersion {
    let mut version = TlsVersion::V1_2;
    for (name, value) in &tls.options {
        match (&**name, &*value.value) {
            (names::OPTION_MIN_TLS, "1.2") => {}
            (names::OPTION_MIN_TLS, "1.3") => version = TlsVersion::V1_3,
            (names::OPTION_MIN_TLS, other) => {
                version = TlsVersion::V1_3;
                let message = format!("`{other}` is not a TLS version: 1.3 is asked for");
                view.error(object, codes::TLS_OPTION, value, message).help("use `1.2` or `1.3`");
            }
            (name, _) => {
                let message = format!("TLS option `{name}` is not known");
                view.warning(object, codes::TLS_OPTION, value, message);
            }
        }
    }
    version
}

/// What the Gateway asks of clients on this port: the port's own rule, else the default.
fn client_auth(
    view: &mut View<'_>,
    gateway: &Object,
    spec: &raw::Gateway,
    port: u16,
    state: &mut ListenerState,
) -> Option<ClientAuth> {
    let own = spec.frontend_per_port.iter().find(|(at, _)| at.value == port);
    let validation = match own {
        Some((_, validation)) => validation.as_ref()?,
        None => spec.frontend_default.as_ref()?,
    };
    debug_assert_eq!(gateway.key.kind, Kind::Gateway, "grants are given to the Gateway");
    let before = view.findings.len();
    let (roots, bad) = reference::authorities_of(view, gateway, &validation.ca_certificate_refs);
    if let Some(why) = bad {
        let reason = match why {
            Unusable::Kind => status::INVALID_CA_CERTIFICATE_KIND,
            Unusable::NotPermitted => status::REF_NOT_PERMITTED,
            Unusable::Missing | Unusable::Malformed => status::INVALID_CA_CERTIFICATE_REF,
        };
        let said = view.said_since(before).unwrap_or_default();
        state.authorities = Some(Refusal::new(reason, said));
    }
    state.without_authority = roots.is_empty();
    let mode = match &*validation.mode.value {
        "AllowValidOnly" => ClientAuthMode::AllowValidOnly,
        "AllowInsecureFallback" => ClientAuthMode::AllowInsecureFallback,
        other => {
            let message =
                format!("mode `{other}` is not known: only valid certificates are let in");
            view.error(gateway, codes::BAD_LISTENER_TLS, &validation.mode, message)
                .help("use AllowValidOnly or AllowInsecureFallback");
            ClientAuthMode::AllowValidOnly
        }
    };
    if roots.is_empty() {
        let message = "no CA certificate can be used: clients are refused";
        view.error(gateway, codes::CA_INVALID, &validation.place, message);
    }
    Some(ClientAuth { roots, mode })
}
