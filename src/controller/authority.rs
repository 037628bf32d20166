//! The controller's certificate, so that proxies know whom they hand their tokens to.
//!
//! One authority for all replicas, kept in a Secret of the controller's namespace: the first
//! replica makes it, the others find it. Each replica signs a certificate of its own with it and
//! keeps that in memory.
//!
//! Both are made anew when two thirds of their time are over. The authority keeps its key and its
//! name, so that proxies which hold the old certificate believe what the new one signs, and no
//! order of who hears first can part them from the controller.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, Error as KubeError};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio::sync::watch;
use x509_parser::pem::parse_x509_pem;

use super::xds::ServerIdentity;
use crate::clock;
use crate::limits;
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
    /// When it is to be signed anew.
    renew: Duration,
}

#[derive(Debug)]
pub enum AuthorityError {
    Kube(Box<KubeError>),
    /// What stands in the Secret, or what was made of it, is no good.
    Certificate(rcgen::Error),
    /// It is no certificate at all.
    NotPem,
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
            Self::NotPem => write!(f, "`{CERTIFICATE}` in Secret {secret} is no certificate"),
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

/// The authority and what this replica signs with it, over time.
pub(super) struct Authority {
    secrets: Api<Secret>,
    namespace: String,
}

impl Authority {
    pub(super) fn new(client: &Client, namespace: &str) -> Self {
        let secrets = Api::namespaced(client.clone(), namespace);
        Self { secrets, namespace: namespace.to_owned() }
    }

    /// Finds or makes the authority and signs this replica's certificate for the controller's
    /// Service.
    pub(super) async fn serve(&self, now: Duration) -> Result<Served, AuthorityError> {
        sign(&self.secret(now).await?, &self.namespace, now)
    }

    /// Renews what runs out, on and on. Tells the authority's certificate when that is another.
    pub(super) fn keep(
        self,
        mut served: Served,
        identity: Arc<ServerIdentity>,
    ) -> watch::Receiver<String> {
        let (tell, told) = watch::channel(served.authority.clone());
        tokio::spawn(async move {
            while !tell.is_closed() {
                tokio::time::sleep(limits::CERTIFICATE_LOOK).await;
                match self.look(&served, clock::since_epoch()).await {
                    Ok(None) => continue,
                    Ok(Some(new)) => served = new,
                    Err(error) => {
                        tracing::warn!("the controller's certificate is not renewed: {error}");
                        continue;
                    }
                }
                let renewed = identity.renew(served.chain.as_bytes(), served.key.as_bytes());
                if let Err(error) = renewed {
                    tracing::warn!("the controller's certificate is not renewed: {error}");
                    continue;
                }
                tracing::info!("the controller's certificate is renewed");
                tell.send_if_modified(|held| {
                    let changed = *held != served.authority;
                    held.clone_from(&served.authority);
                    changed
                });
            }
        });
        told
    }

    async fn look(&self, held: &Served, now: Duration) -> Result<Option<Served>, AuthorityError> {
        let secret = self.secret(now).await?;
        if now < held.renew && field(&secret, CERTIFICATE)? == held.authority {
            return Ok(None);
        }
        sign(&secret, &self.namespace, now).map(Some)
    }

    async fn secret(&self, now: Duration) -> Result<Secret, AuthorityError> {
        const NAME: &str = names::CONTROLLER_AUTHORITY;
        let write = PostParams::default();
        let written = match self.secrets.get_opt(NAME).await? {
            None => self.secrets.create(&write, &make(now)?).await,
            Some(secret) => match renewed(&secret, now)? {
                None => return Ok(secret),
                // With the version that was read.
                Some(renewed) => self.secrets.replace(NAME, &write, &renewed).await,
            },
        };
        match written {
            // Another replica was faster.
            Err(KubeError::Api(status)) if status.code == 409 => Ok(self.secrets.get(NAME).await?),
            other => Ok(other?),
        }
    }
}

fn field(secret: &Secret, name: &'static str) -> Result<String, AuthorityError> {
    let value = secret.data.as_ref().and_then(|data| data.get(name));
    let text = value.and_then(|value| String::from_utf8(value.0.clone()).ok());
    text.ok_or(AuthorityError::Missing(name))
}

fn make(now: Duration) -> Result<Secret, AuthorityError> {
    let key = KeyPair::generate()?;
    let data = BTreeMap::from([
        (CERTIFICATE.to_owned(), ByteString(certificate(&key, now)?.into_bytes())),
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

/// The authority's own certificate.
fn certificate(key: &KeyPair, now: Duration) -> Result<String, AuthorityError> {
    let mut parameters = CertificateParams::default();
    lasts(&mut parameters, now, now + limits::AUTHORITY_LIFETIME);
    parameters.distinguished_name.push(DnType::CommonName, names::CONTROLLER_AUTHORITY);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters.self_signed(key)?.pem())
}

/// With a serial number of its own: two certificates of one issuer must not share one.
fn lasts(parameters: &mut CertificateParams, from: Duration, until: Duration) {
    let epoch = date_time_ymd(1970, 1, 1);
    parameters.not_before = epoch + from.saturating_sub(limits::CERTIFICATE_SKEW);
    parameters.not_after = epoch + until;
    parameters.serial_number = Some(from.as_nanos().to_be_bytes().to_vec().into());
}

/// The Secret with its certificate made anew, where that is due. What somebody else put there is
/// somebody else's to renew.
fn renewed(secret: &Secret, now: Duration) -> Result<Option<Secret>, AuthorityError> {
    let labels = secret.metadata.labels.as_ref();
    let by = labels.and_then(|labels| labels.get(names::LABEL_MANAGED_BY));
    if by.is_none_or(|by| by != names::FIELD_MANAGER) {
        return Ok(None);
    }
    let (from, until) = validity(&field(secret, CERTIFICATE)?)?;
    if now < renewal(from, until) {
        return Ok(None);
    }
    let key = KeyPair::from_pem(&field(secret, KEY)?)?;
    let mut secret = secret.clone();
    let data = secret.data.get_or_insert_default();
    data.insert(CERTIFICATE.to_owned(), ByteString(certificate(&key, now)?.into_bytes()));
    Ok(Some(secret))
}

/// Since the epoch: from when, and until when.
fn validity(pem: &str) -> Result<(Duration, Duration), AuthorityError> {
    let (_, pem) = parse_x509_pem(pem.as_bytes()).map_err(|_| AuthorityError::NotPem)?;
    let certificate = pem.parse_x509().map_err(|_| AuthorityError::NotPem)?;
    let validity = certificate.validity();
    let since_epoch = |seconds: i64| Duration::from_secs(seconds.try_into().unwrap_or(0));
    let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    Ok((since_epoch(from), since_epoch(until)))
}

/// While a third is left there is time to see that renewing fails.
fn renewal(from: Duration, until: Duration) -> Duration {
    from + until.saturating_sub(from) / 3 * 2
}

/// What each replica's certificate is for.
pub(super) fn host(namespace: &str) -> String {
    format!("{}.{namespace}.svc", names::CONTROLLER_NAME)
}

fn sign(secret: &Secret, namespace: &str, now: Duration) -> Result<Served, AuthorityError> {
    let authority = field(secret, CERTIFICATE)?;
    let issuer = Issuer::from_ca_cert_pem(&authority, KeyPair::from_pem(&field(secret, KEY)?)?)?;
    let service = names::CONTROLLER_NAME;
    let hosts = vec![host(namespace), format!("{service}.{namespace}"), service.to_owned()];
    let mut parameters = CertificateParams::new(hosts)?;
    let until = now + limits::CERTIFICATE_LIFETIME;
    lasts(&mut parameters, now, until);
    parameters.distinguished_name.push(DnType::CommonName, service);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let leaf = parameters.signed_by(&key, &issuer)?;
    let renew = renewal(now, until);
    Ok(Served { chain: leaf.pem(), key: key.serialize_pem(), authority, renew })
}
