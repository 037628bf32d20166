//! References to Secrets and ConfigMaps that hold certificates.

use std::sync::Arc;

use super::view::View;
use super::{certificate, codes, grants};
use crate::config::raw::{Object, Reference, Spec};
use crate::model::{Cause, Kind, ObjectKey, PartKey};

/// Why what is referred to can't be used; it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    Kind,
    NotPermitted,
    Missing,
    Malformed,
}

impl Unusable {
    /// The same of a certificate.
    pub(super) fn cause(self) -> Cause {
        match self {
            Self::Kind | Self::NotPermitted | Self::Missing => Cause::CertificateMissing,
            Self::Malformed => Cause::CertificateInvalid,
        }
    }
}

/// The object that a reference names, in the namespace of the one who names it by default.
pub(super) fn key_of(object: &Object, reference: &Reference, kind: Kind) -> ObjectKey {
    let namespace = reference.namespace.as_ref().unwrap_or(&object.key.namespace);
    ObjectKey {
        kind,
        namespace: namespace.clone(),
        name: reference.name.clone(),
        ..object.key.clone()
    }
}

fn wrong_kind(view: &mut View<'_>, object: &Object, reference: &Reference, wanted: &str) {
    let group = if reference.group.is_empty() { "core" } else { &reference.group };
    let message = format!("{} of group {group} can't stand here", reference.kind);
    view.error(object, codes::REFERENCE_KIND, &reference.place, message)
        .help(format!("refer to a {wanted}"));
}

/// The certificate of a Secret, or why there is none.
pub(super) fn certificate_of(
    view: &mut View<'_>,
    object: &Object,
    reference: &Reference,
) -> Result<PartKey, Unusable> {
    if !reference.group.is_empty() || &*reference.kind != "Secret" {
        wrong_kind(view, object, reference, "Secret");
        return Err(Unusable::Kind);
    }
    let secret = key_of(object, reference, Kind::Secret);
    if !grants::check(view, object, reference, &secret) {
        return Err(Unusable::NotPermitted);
    }
    view.certificate(&secret).map_err(|cause| match cause {
        Cause::CertificateMissing => {
            missing(view, object, reference, &secret);
            Unusable::Missing
        }
        _ => Unusable::Malformed,
    })
}

fn missing(view: &mut View<'_>, object: &Object, reference: &Reference, key: &ObjectKey) {
    let message = format!("{key} does not exist");
    view.error(object, codes::REFERENCE_MISSING, &reference.place, message).seeks(key);
}

/// The CA certificates of a ConfigMap or Secret. What can't be used is reported.
pub(super) fn ca_of(
    view: &mut View<'_>,
    object: &Object,
    reference: &Reference,
) -> Result<Vec<Vec<u8>>, Unusable> {
    let kind = match (&*reference.group, &*reference.kind) {
        ("", "ConfigMap") => Kind::ConfigMap,
        ("", "Secret") => Kind::Secret,
        _ => {
            wrong_kind(view, object, reference, "ConfigMap");
            return Err(Unusable::Kind);
        }
    };
    let key = key_of(object, reference, kind);
    if !grants::check(view, object, reference, &key) {
        return Err(Unusable::NotPermitted);
    }
    let Some(holder) = view.object(&key) else {
        missing(view, object, reference, &key);
        return Err(Unusable::Missing);
    };
    let pem = match &holder.spec {
        Spec::ConfigMap(map) => map.data.get("ca.crt"),
        Spec::Secret(secret) => secret.data.get("ca.crt"),
        _ => None,
    };
    let read = match pem {
        Some(pem) => certificate::authorities(&pem.value),
        None => Err("it has no `ca.crt`".to_owned()),
    };
    read.map_err(|why| {
        let message = format!("{key} holds no usable CA certificates: {why}");
        view.error(object, codes::CA_INVALID, &reference.place, message);
        Unusable::Malformed
    })
}

/// All CA certificates of a list of references, and the first reference that isn't usable.
pub(super) fn authorities_of(
    view: &mut View<'_>,
    object: &Object,
    references: &[Reference],
) -> (Arc<[Vec<u8>]>, Option<Unusable>) {
    let mut roots = Vec::new();
    let mut bad = None;
    for reference in references {
        match ca_of(view, object, reference) {
            Ok(certificates) => roots.extend(certificates),
            Err(why) => bad = bad.or(Some(why)),
        }
    }
    (roots.into(), bad)
}
