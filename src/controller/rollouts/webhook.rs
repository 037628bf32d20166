//! The administrator's webhook: each change of phase as one POST of JSON, whose `text` chat systems
//! show.
//!
//! The URL stands in the MeshConfig of the controller's own namespace, or in a Secret beside it:
//! who may write rollouts can't send the controller anywhere. Redirects are not followed. What
//! can't be told in a few tries is dropped, and said in the log.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Secret;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use super::telling::Notice;
use crate::cluster::{Cluster, Resource};
use crate::config::index::Index;
use crate::config::raw::{MeshConfig, Spec};
use crate::identity::{Alpn, Clients, SystemRoots};
use crate::limits;
use crate::model::{BackendTls, Kind, Name, ObjectKey, Store, TrustRoots};
use crate::names;

/// Where it is, as the administrator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::controller) struct Webhook {
    url: Option<Name>,
    /// A Secret of the same namespace: `url`, where that is a secret, `token` for a bearer token,
    /// `ca.crt` for whom to believe.
    secret: Option<Name>,
}

/// Of the default MeshConfig, and of no other: those of other namespaces are their tenants'.
pub(in crate::controller) fn of(index: &Index) -> Option<Webhook> {
    let (namespace, name) = (names::NAMESPACE_SYSTEM, names::MESH_CONFIG_DEFAULT);
    let key = ObjectKey::new(Store::Cluster, Kind::MeshConfig, namespace, name);
    match &index.get(&key)?.spec {
        Spec::MeshConfig(MeshConfig { webhook: Some(webhook), .. }) => Some(Webhook {
            url: webhook.url.as_ref().map(|url| url.value.clone()),
            secret: webhook.secret_ref.as_ref().map(|secret| secret.value.clone()),
        }),
        _ => None,
    }
}

/// Tells until nobody is left who has something to tell.
pub(super) fn start(cluster: Cluster) -> (watch::Sender<Option<Webhook>>, mpsc::Sender<Notice>) {
    let (webhook, at) = watch::channel(None::<Webhook>);
    let (notices, mut waiting) = mpsc::channel::<Notice>(limits::WEBHOOK_QUEUE);
    tokio::spawn(async move {
        while let Some(notice) = waiting.recv().await {
            let Some(webhook) = at.borrow().clone() else { continue };
            let body = body(&notice).to_string();
            if let Err(why) = insist(&cluster, &webhook, &body, limits::WEBHOOK_RETRY).await {
                let (rollout, phase) = (&notice.rollout, notice.event.phase.as_str());
                tracing::warn!(%rollout, phase, "the webhook is not told: {why}");
            }
        }
    });
    (webhook, notices)
}

fn body(notice: &Notice) -> Value {
    let Notice { rollout, route, was, event, .. } = notice;
    let (was, phase) = (was.as_str(), event.phase.as_str());
    let text = format!("{rollout}: {was} → {phase}, {}", notice.sentence());
    json!({
        // Slack reads links and mentions between these.
        "text": text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        "namespace": &*rollout.namespace,
        "rollout": &*rollout.name,
        "route": {"kind": route.kind.as_str(), "name": &*route.name},
        "previousPhase": was,
        "phase": phase,
        "previousWeight": event.from,
        "weight": event.to,
        "message": event.why,
        "at": event.at.to_string(),
    })
}

async fn insist(
    cluster: &Cluster,
    webhook: &Webhook,
    body: &str,
    mut rest: Duration,
) -> Result<(), String> {
    let mut tried = 0;
    loop {
        let posted = async { post(&Whereto::find(cluster, webhook).await?, body).await };
        let posted = timeout(limits::WEBHOOK_PATIENCE, posted).await;
        let why = match posted {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(Failure { why, lasting: true })) => return Err(why),
            Ok(Err(Failure { why, .. })) => why,
            Err(_) => "it doesn't answer".to_owned(),
        };
        tried += 1;
        if tried >= limits::WEBHOOK_TRIES {
            return Err(why);
        }
        sleep(rest).await;
        rest *= 2;
    }
}

/// Why one try failed, without its URL: that may be a secret.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    why: String,
    /// Another try would fail alike.
    lasting: bool,
}

fn passing(why: impl ToString) -> Failure {
    Failure { why: why.to_string(), lasting: false }
}

fn lasting(why: impl ToString) -> Failure {
    Failure { why: why.to_string(), lasting: true }
}

/// All that it takes to post.
#[derive(Debug)]
struct Whereto {
    url: Uri,
    token: Option<String>,
    roots: TrustRoots,
}

impl Whereto {
    async fn find(cluster: &Cluster, webhook: &Webhook) -> Result<Self, Failure> {
        let mut secret = Secret::default();
        if let Some(name) = &webhook.secret {
            let namespace = Some(names::NAMESPACE_SYSTEM);
            let found = cluster.get(&Resource::SECRET, namespace, name).await.map_err(passing)?;
            let missing =
                || passing(format!("there is no Secret {name} in {}", names::NAMESPACE_SYSTEM));
            secret = serde_json::from_value(found.ok_or_else(missing)?).map_err(passing)?;
        }
        let data = secret.data.unwrap_or_default();
        let text = |name: &str| {
            let text = std::str::from_utf8(&data.get(name)?.0).ok()?;
            Some(text.trim().to_owned())
        };
        let url = webhook.url.as_deref().map(str::to_owned).or_else(|| text("url"));
        let url =
            url.ok_or_else(|| lasting("neither `url` nor a Secret's `url` says where it is"))?;
        let url: Uri = url.parse().map_err(|_| lasting("its URL can't be read"))?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none() {
            return Err(lasting("its URL is neither http:// nor https://"));
        }
        let roots = match text("ca.crt") {
            None => TrustRoots::System,
            Some(pem) => {
                let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
                let der = certificates.filter_map(Result::ok).map(|der| der.to_vec());
                TrustRoots::Bundle(der.collect::<Vec<_>>().into())
            }
        };
        Ok(Self { url, token: text("token"), roots })
    }
}

async fn post(whereto: &Whereto, body: &str) -> Result<(), Failure> {
    let host = whereto.url.host().unwrap_or_default().trim_matches(['[', ']']);
    let https = whereto.url.scheme_str() == Some("https");
    let port = whereto.url.port_u16().unwrap_or(if https { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await.map_err(passing)?;
    let answer = if https {
        let tls = BackendTls {
            roots: whereto.roots.clone(),
            server_name: host.into(),
            subject_alt_names: Vec::new(),
            identity: None,
        };
        let tls = Clients::new(SystemRoots::standard()).build(&tls, Alpn::Http1, |_| None);
        let tls = tls.map_err(lasting)?;
        let connector = TlsConnector::from(Arc::clone(tls.config()));
        let stream = connector.connect(tls.server_name().clone(), stream).await.map_err(passing)?;
        send(stream, whereto, body).await?
    } else {
        send(stream, whereto, body).await?
    };
    match answer {
        200..=299 => Ok(()),
        429 | 500.. => Err(passing(format!("it answers with {answer}"))),
        300..=399 => Err(lasting(format!("it answers with {answer}, and no redirect is followed"))),
        _ => Err(lasting(format!("it answers with {answer}"))),
    }
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    whereto: &Whereto,
    body: &str,
) -> Result<u16, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(passing)?;
    let authority = whereto.url.authority().map(|it| it.as_str()).unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = whereto.url.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::post(path)
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, names::FIELD_MANAGER);
    if let Some(token) = &whereto.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).map_err(lasting)?;
    let conversation = async {
        let answer = sender.send_request(request).await.map_err(passing)?;
        let status = answer.status().as_u16();
        // To the end, so that who answers isn't cut off; what it says is nobody's.
        let _ = Limited::new(answer.into_body(), limits::WEBHOOK_ANSWER_BYTES).collect().await;
        Ok(status)
    };
    let mut conversation = std::pin::pin!(conversation);
    tokio::select! {
        answer = &mut conversation => answer,
        ended = connection => match ended {
            Ok(()) => conversation.await,
            Err(error) => Err(passing(error)),
        },
    }
}

#[cfg(test)]
mod tests;
