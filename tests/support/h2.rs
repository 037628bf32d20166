//! HTTP/2 through the h2 crate: a client, and the upstream's half.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::client::Response;
use super::h1;
use super::server::{Answer, Answering, Log, Seen};
use super::within;

/// One HTTP/2 connection of a client.
pub struct Client {
    sender: SendRequest<Bytes>,
    scheme: &'static str,
    ended: Arc<AtomicBool>,
}

/// A request on its way.
pub struct Exchange {
    pub response: ResponseFuture,
    pub body: SendStream<Bytes>,
}

impl Client {
    /// Prior knowledge.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::over(stream, "http").await
    }

    pub async fn tls(address: SocketAddr, name: &str, config: Arc<ClientConfig>) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let stream = TlsConnector::from(config).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Self::over(stream, "https").await
    }

    async fn over(stream: impl h1::Bytes + 'static, scheme: &'static str) -> Self {
        let (sender, connection) = client::Builder::new()
            // So that one stream that nobody reads leaves room for others.
            .initial_connection_window_size(1 << 20)
            .handshake(stream)
            .await
            .unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let driven = Arc::clone(&ended);
        tokio::spawn(async move {
            let _ = connection.await;
            driven.store(true, Ordering::SeqCst);
        });
        Self { sender, scheme, ended }
    }

    /// Whether the connection has ended.
    pub fn is_over(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Starts a request; `ended` where no body follows.
    pub async fn start(
        &mut self,
        method: &str,
        host: &str,
        target: &str,
        fields: &[(&str, &str)],
        ended: bool,
    ) -> Result<Exchange, h2::Error> {
        let uri = format!("{}://{host}{target}", self.scheme);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut sender = within("a stream", self.sender.clone().ready()).await?;
        let (response, body) = sender.send_request(request.body(()).unwrap(), ended)?;
        Ok(Exchange { response, body })
    }

    pub async fn get(&mut self, host: &str, target: &str) -> Response {
        self.try_get(host, target).await.unwrap()
    }

    pub async fn try_get(&mut self, host: &str, target: &str) -> Result<Response, h2::Error> {
        self.start("GET", host, target, &[], true).await?.finish().await
    }

    pub async fn post(
        &mut self,
        host: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response {
        let mut exchange = self.start("POST", host, target, fields, false).await.unwrap();
        let Exchange { response, body: stream } = &mut exchange;
        // The answer may come, and be read, while the body is still on its way.
        let sending = send(stream, body.into(), None);
        let reading = receive(response);
        let (sent, response) =
            within("an exchange", async { tokio::join!(sending, reading) }).await;
        sent.unwrap();
        response.unwrap()
    }
}

impl Exchange {
    /// The whole answer.
    pub async fn finish(mut self) -> Result<Response, h2::Error> {
        within("an answer", receive(&mut self.response)).await
    }
}

/// Sends a body as the windows allow.
pub async fn send(
    stream: &mut SendStream<Bytes>,
    mut body: Bytes,
    trailers: Option<HeaderMap>,
) -> Result<(), h2::Error> {
    while !body.is_empty() {
        stream.reserve_capacity(body.len().min(64 * 1024));
        let room = match std::future::poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(room) => room?,
            None => return Err(Reason::STREAM_CLOSED.into()),
        };
        let piece = body.split_to(room.min(body.len()));
        stream.send_data(piece, body.is_empty() && trailers.is_none())?;
        if body.is_empty() && trailers.is_none() {
            return Ok(());
        }
    }
    match trailers {
        Some(trailers) => stream.send_trailers(trailers),
        None => stream.send_data(Bytes::new(), true),
    }
}

async fn receive(response: &mut ResponseFuture) -> Result<Response, h2::Error> {
    let (parts, body) = response.await?.into_parts();
    let (body, length, trailers) = read(body).await?;
    Ok(Response {
        status: parts.status.as_u16(),
        fields: fields(&parts.headers),
        body,
        length,
        trailers,
    })
}

type Whole = (Vec<u8>, u64, Vec<(String, String)>);

/// A body to its end; the first mebibyte is kept.
pub async fn read(mut stream: RecvStream) -> Result<Whole, h2::Error> {
    let (mut kept, mut length) = (Vec::new(), 0);
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        length += data.len() as u64;
        if kept.len() < 1024 * 1024 {
            kept.extend_from_slice(&data);
        }
    }
    let trailers = stream.trailers().await?;
    Ok((kept, length, trailers.as_ref().map(fields).unwrap_or_default()))
}

fn fields(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

/// An upstream's connection.
pub(super) async fn serve(
    stream: impl h1::Bytes + 'static,
    connection: usize,
    log: Log,
    answer: Answering,
) {
    let Ok(mut accepting) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = accepting.accept().await {
        let (log, answer) = (log.clone(), answer.clone());
        tokio::spawn(async move {
            let open = log.enter_stream();
            let work = respond_to(request, respond, connection, &log, answer);
            let _ = work.await;
            drop(open);
        });
    }
}

async fn respond_to(
    request: Request<RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    connection: usize,
    log: &Log,
    answer: Answering,
) -> Result<(), h2::Error> {
    let (parts, body) = request.into_parts();
    let read = read(body).await;
    let broken = read.is_err();
    let (body, length, trailers) = read.unwrap_or_default();
    let seen = Seen {
        connection,
        version: "2",
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        host: parts.uri.authority().map(ToString::to_string).unwrap_or_default(),
        fields: fields(&parts.headers),
        body,
        length,
        trailers,
        broken,
    };
    let answer = answer(&seen);
    log.push(seen);
    // Waits as long as somebody wants to know.
    tokio::select! {
        () = tokio::time::sleep(answer.wait) => {}
        reason = std::future::poll_fn(|cx| respond.poll_reset(cx)) => {
            reason?;
            return Ok(());
        }
    }
    for (status, fields) in &answer.interim {
        respond.send_informational(head(*status, fields))?;
    }
    let Answer { status, fields, body, trailers, .. } = answer;
    let ended = body.is_empty() && trailers.is_empty();
    let mut stream = respond.send_response(head(status, &fields), ended)?;
    if ended {
        return Ok(());
    }
    let trailers = (!trailers.is_empty()).then(|| map(&trailers));
    send(&mut stream, body.into(), trailers).await
}

fn head(status: u16, fields: &[(String, String)]) -> http::Response<()> {
    let mut head = http::Response::new(());
    *head.status_mut() = status.try_into().unwrap();
    *head.headers_mut() = map(fields);
    head
}

fn map(fields: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, value.parse().unwrap());
    }
    map
}
