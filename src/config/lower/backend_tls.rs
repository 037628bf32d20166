//! How a backend's certificate is checked. What can't be had safely is refused: nothing falls back
//! to plain text or to an unchecked certificate.

use std::sync::Arc;

use super::view::View;
use super::{codes, reference};
use crate::config::address::dotless;
use crate::config::raw::{self, At, Object, Place, Reference};
use crate::model::{
    Address, BackendTls, Cause, ClientIdentity, Hostname, Name, SubjectAltName, TrustRoots,
};

pub(super) fn of_policy(
    view: &mut View<'_>,
    object: &Object,
    policy: &raw::BackendTlsPolicy,
) -> Result<Arc<BackendTls>, Cause> {
    let references = &policy.ca_certificate_refs;
    let well_known = policy.well_known_ca.as_ref();
    let roots = roots(view, object, object.meta.place, references, well_known);
    let server_name = server_name(view, object, &policy.hostname);
    let names = subject_alt_names(view, object, &policy.subject_alt_names);
    let (roots, server_name, subject_alt_names) = (roots?, server_name?, names?);
    Ok(Arc::new(BackendTls { roots, server_name, subject_alt_names, identity: None }))
}

pub(super) fn of_backend(
    view: &mut View<'_>,
    object: &Object,
    backend: &raw::Backend,
    tls: &raw::BackendTls,
) -> Result<BackendTls, Cause> {
    let references = &tls.ca_certificate_refs;
    let roots = roots(view, object, tls.place, references, tls.well_known_ca.as_ref());
    let server_name = match (&tls.hostname, only_host(backend)) {
        (Some(hostname), _) => server_name(view, object, hostname),
        (None, Some(host)) => Ok(host),
        (None, None) => {
            let message = "tls needs the hostname of the certificate";
            view.error(object, codes::BACKEND_TLS_INVALID, &tls.place, message)
                .help("write `hostname`");
            Err(Cause::BackendTlsInvalid)
        }
    };
    let names = subject_alt_names(view, object, &tls.subject_alt_names);
    let identity = match &tls.client_certificate_ref {
        None => Ok(None),
        Some(one) => reference::certificate_of(view, object, one)
            .map(|key| Some(ClientIdentity(key)))
            .map_err(|_| Cause::BackendTlsInvalid),
    };
    let (roots, server_name, subject_alt_names) = (roots?, server_name?, names?);
    Ok(BackendTls { roots, server_name, subject_alt_names, identity: identity? })
}

/// The one name that all endpoints have.
fn only_host(backend: &raw::Backend) -> Option<Name> {
    let mut hosts = backend.endpoints.iter().map(|(address, _)| match &address.value {
        Address::Dns { host, .. } => Some(host),
        _ => None,
    });
    let first = hosts.next().flatten()?;
    hosts.all(|host| host == Some(first)).then(|| first.clone())
}

fn roots(
    view: &mut View<'_>,
    object: &Object,
    place: Place,
    references: &[Reference],
    well_known: Option<&At<Name>>,
) -> Result<TrustRoots, Cause> {
    let well_known = well_known.filter(|one| !one.value.is_empty());
    let message = match (references.is_empty(), well_known) {
        (false, None) => {
            let (roots, bad) = reference::authorities_of(view, object, references);
            return if bad.is_none() {
                Ok(TrustRoots::Bundle(roots))
            } else {
                Err(Cause::BackendTlsInvalid)
            };
        }
        (true, Some(one)) if &*one.value == "System" => return Ok(TrustRoots::System),
        (true, Some(one)) => {
            let message = format!("`{}` is no known set of CA certificates", one.value);
            view.error(object, codes::BACKEND_TLS_INVALID, one, message).help("use System");
            return Err(Cause::BackendTlsInvalid);
        }
        (false, Some(_)) => "caCertificateRefs and wellKnownCACertificates can't both be written",
        (true, None) => "caCertificateRefs or wellKnownCACertificates is needed",
    };
    let place = well_known.map_or(place, |one| one.place);
    view.error(object, codes::BACKEND_TLS_INVALID, &place, message);
    Err(Cause::BackendTlsInvalid)
}

fn server_name(view: &mut View<'_>, object: &Object, text: &At<Name>) -> Result<Name, Cause> {
    let parsed = Hostname::parse(dotless(&text.value));
    let why = match parsed {
        Ok(name) if !name.is_wildcard() => return Ok(name.as_str().into()),
        Ok(_) => "a wildcard can't stand here".to_owned(),
        Err(why) => why.to_string(),
    };
    let message = format!("`{}` is not a hostname: {why}", text.value);
    view.error(object, codes::BACKEND_TLS_INVALID, text, message);
    Err(Cause::BackendTlsInvalid)
}

fn subject_alt_names(
    view: &mut View<'_>,
    object: &Object,
    written: &[(At<Name>, At<Name>)],
) -> Result<Vec<SubjectAltName>, Cause> {
    let mut names = Vec::new();
    let mut whole = true;
    for (kind, value) in written {
        let name = match &*kind.value {
            "Hostname" => Hostname::parse(&value.value)
                .map(|name| SubjectAltName::Dns(name.as_str().into()))
                .map_err(|why| format!("`{}` is not a hostname: {why}", value.value)),
            "URI" if is_absolute_uri(&value.value) => Ok(SubjectAltName::Uri(value.value.clone())),
            "URI" => Err(format!("`{}` is not an absolute URI", value.value)),
            other => Err(format!("`{other}` is no kind of subjectAltName")),
        };
        match name {
            Ok(name) => names.push(name),
            Err(message) => {
                whole = false;
                view.error(object, codes::BACKEND_TLS_INVALID, value, message);
            }
        }
    }
    // Without one of its names the list would allow less, without all of them anything.
    if whole { Ok(names) } else { Err(Cause::BackendTlsInvalid) }
}

fn is_absolute_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_graphic())
    })
}
