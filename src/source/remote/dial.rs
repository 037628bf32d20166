//! One connection to the controller, up to its first word.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse,
};
use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Request, Status, Streaming};

use crate::limits;

/// Whom to talk to, and how both sides show who they are.
#[derive(Clone, Copy)]
pub(crate) struct Peer<'a> {
    /// `https://HOST:PORT`.
    pub(crate) url: &'a str,
    /// What its certificate is for, where that isn't the host.
    pub(crate) server_name: Option<&'a str>,
    pub(crate) authority: Authority<'a>,
    /// The token's file.
    pub(crate) token: &'a Path,
}

/// Whom the controller's certificate is to be signed by.
#[derive(Clone, Copy)]
pub(crate) enum Authority<'a> {
    File(&'a Path),
    Pem(&'a str),
}

/// Both directions.
pub(crate) struct Line {
    pub(crate) messages: Streaming<DeltaDiscoveryResponse>,
    pub(crate) answers: mpsc::Sender<DeltaDiscoveryRequest>,
}

/// Connects and says hello. The error is a sentence.
pub(crate) async fn dial(
    peer: Peer<'_>,
    hello: Vec<DeltaDiscoveryRequest>,
) -> Result<Line, String> {
    let Peer { url, server_name, authority, token } = peer;
    let ca = match authority {
        Authority::File(path) => read(path, "the controller's certificate authority").await?,
        Authority::Pem(text) => text.to_owned(),
    };
    let token = read(token, "the token").await?;
    let endpoint = endpoint(url, server_name, ca)?;
    let connecting = timeout(limits::CONTROLLER_TIMEOUT, endpoint.connect()).await;
    let channel = connecting
        .map_err(|_| format!("the controller at {url} does not answer"))?
        .map_err(|error| format!("the controller at {url} can't be reached: {}", chain(&error)))?;
    // One word about one transaction at a time, and perhaps one more about the last.
    let (answers, queued) = mpsc::channel(2);
    let queued = stream::unfold(queued, |mut queued| async move {
        queued.recv().await.map(|message| (message, queued))
    });
    let mut request = Request::new(stream::iter(hello).chain(queued));
    let bearer = MetadataValue::try_from(format!("Bearer {}", token.trim()));
    let bearer = bearer.map_err(|_| "the token's file holds something else".to_owned())?;
    request.metadata_mut().insert("authorization", bearer);
    let mut client = AggregatedDiscoveryServiceClient::new(channel)
        .max_decoding_message_size(limits::WIRE_PART_BYTES + limits::WIRE_MESSAGE_BYTES);
    let called = client.delta_aggregated_resources(request);
    let called = timeout(limits::CONTROLLER_TIMEOUT, called).await;
    let response = called
        .map_err(|_| format!("the controller at {url} does not answer"))?
        .map_err(|status| refused(url, &status))?;
    Ok(Line { messages: response.into_inner(), answers })
}

fn endpoint(url: &str, server_name: Option<&str>, ca: String) -> Result<Endpoint, String> {
    let wrong = |error: tonic::transport::Error| {
        format!("the controller's address `{url}` can't be used: {}", chain(&error))
    };
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
    let tls = match server_name {
        Some(name) => tls.domain_name(name),
        None => tls,
    };
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(wrong)?;
    let endpoint = endpoint.tls_config(tls).map_err(wrong)?;
    Ok(endpoint
        .connect_timeout(limits::CONTROLLER_TIMEOUT)
        .initial_stream_window_size(limits::WIRE_WINDOW)
        .initial_connection_window_size(limits::WIRE_WINDOW)
        .http2_keep_alive_interval(limits::PROXY_PING)
        .keep_alive_timeout(limits::PROXY_PING_TIMEOUT)
        .keep_alive_while_idle(true))
}

/// Why the controller gives nothing, or nothing more.
pub(crate) fn refused(url: &str, status: &Status) -> String {
    match status.code() {
        tonic::Code::Unauthenticated | tonic::Code::PermissionDenied => {
            format!("the controller at {url} does not take the token: {}", status.message())
        }
        _ => format!("the controller at {url} ended the conversation: {}", status.message()),
    }
}

/// What lies behind "transport error".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        // Some repeat what lies behind them.
        if !text.ends_with(&more) {
            let _ = write!(text, ": {more}");
        }
        source = error.source();
    }
    text
}

async fn read(path: &Path, what: &str) -> Result<String, String> {
    let (path, said) = (path.to_owned(), path.display().to_string());
    let read = tokio::task::spawn_blocking(move || bounded(&path)).await;
    let text = read.map_err(|error| format!("{what} can't be read: {error}"))?;
    text.map_err(|error| format!("{what} can't be read from {said}: {error}"))
}

fn bounded(path: &PathBuf) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(limits::CONTROLLER_FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}
