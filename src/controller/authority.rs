//! The controller's certificate, so that proxies know whom they hand their tokens to.
//!
//! One authority for all replicas, kept in a Secret of the controller's namespace: the first
//! replica makes it, the others find it. Each replica signs a certificate of its own with it and
//! keeps that in memory.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, Error as KubeError};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::names;

#[cfg(test)]
mod tests;

const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";

/// What the controller shows, and what it is checked with.
#[derive(Clone)]
pub(super) struct Served {
    /// PEM, leaf first.
    pub(super) chain: String,
    pub(super) key: String,
    pub(super) authority: String,
}

#[derive(Debug)]
pub enum AuthorityError {
    Kube(Box<KubeError>),
    /// What stands in the Secret, or what was made of it, is no good.
    Certificate(rcgen::Error),
    Missing(&'static str),
}

impl std::fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secret = names::CONTROLLER_AUTHORITY;
        match self {
            Self::Kube(error) => write!(f, "Secret {secret} can't be had: {error}"),
            Self::Certificate(error) => write!(
                f,
                "the authority in Secret {secret} can't be used: {error}; delete the Secret and \
                 restart the controller to have a new one made"
            ),
            Self::Missing(field) => write!(f, "Secret {secret} has no `{field}`"),
        }
    }
}

impl std::error::Error for AuthorityError {}

impl From<KubeError> for AuthorityError {
    fn from(error: KubeError) -> Self {
        Self::Kube(Box::new(error))
    }
}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error)
    }
}

/// Finds or makes the authority and signs this replica's certificate for the controller's Service.
pub(super) async fn serve(client: &Client, namespace: &str) -> Result<Served, AuthorityError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let secret = match secrets.get_opt(names::CONTROLLER_AUTHORITY).await? {
        Some(secret) => secret,
        None => match secrets.create(&PostParams::default(), &make()?).await {
            // Another replica was faster.
            Err(KubeError::Api(status)) if status.code == 409 => {
                secrets.get(names::CONTROLLER_AUTHORITY).await?
            }
            other => other?,
        },
    };
    let text = |field: &'static str| {
        let value = secret.data.as_ref().and_then(|data| data.get(field));
        let text = value.and_then(|value| String::from_utf8(value.0.clone()).ok());
        text.ok_or(AuthorityError::Missing(field))
    };
    sign(text(CERTIFICATE)?, &text(KEY)?, namespace)
}

fn make() -> Result<Secret, AuthorityError> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, names::CONTROLLER_AUTHORITY);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = parameters.self_signed(&key)?;
    let data = BTreeMap::from([
        (CERTIFICATE.to_owned(), ByteString(certificate.pem().into_bytes())),
        (KEY.to_owned(), ByteString(key.serialize_pem().into_bytes())),
    ]);
    let labels =
        BTreeMap::from([(names::LABEL_MANAGED_BY.to_owned(), names::FIELD_MANAGER.to_owned())]);
    Ok(Secret {
        metadata: ObjectMeta {
            name: Some(names::CONTROLLER_AUTHORITY.to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        data: Some(data),
        ..Secret::default()
    })
}

/// What each replica's certificate is for.
pub(super) fn host(namespace: &str) -> String {
    format!("{}.{namespace}.svc", names::CONTROLLER_NAME)
}

fn sign(authority: String, key: &str, namespace: &str) -> Result<Served, AuthorityError> {
    let issuer = Issuer::from_ca_cert_pem(&authority, KeyPair::from_pem(key)?)?;
    let service = names::CONTROLLER_NAME;
    let hosts = vec![host(namespace), format!("{service}.{namespace}"), service.to_owned()];
    let mut parameters = CertificateParams::new(hosts)?;
    parameters.distinguished_name.push(DnType::CommonName, service);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf_key = KeyPair::generate()?;
    let leaf = parameters.signed_by(&leaf_key, &issuer)?;
    Ok(Served { chain: leaf.pem(), key: leaf_key.serialize_pem(), authority })
}
