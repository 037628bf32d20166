//! Clients that send what they are told and read strictly what comes.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::h1::{Body, BrokenOff, Framing, Head, Wire};
use super::within;

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub struct Response {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Of the body, of which `body` may be the beginning.
    pub length: u64,
    pub trailers: Vec<(String, String)>,
}

impl Response {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |field| field.0 == name).map(|field| field.1.as_str())
    }

    /// The one field of that name.
    #[track_caller]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|field| field.0 == name);
        let value = values.next().map(|field| field.1.as_str());
        assert!(values.next().is_none(), "{name} more than once: {self:?}");
        value
    }

    /// Fails with what came where the status is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}\n{}", self.text());
        self
    }

    /// The cause that the proxy names for a failure of its own.
    pub fn cause(&self) -> Option<&str> {
        self.get("meshctl-cause")
    }
}

/// One HTTP/1 connection.
pub struct Client {
    pub wire: Wire,
    /// 1xx that came before the last answer.
    pub interim: Vec<(u16, Head)>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { wire: Wire::new(stream), interim: Vec::new() }
    }

    pub async fn tls(
        address: SocketAddr,
        name: &str,
        config: Arc<ClientConfig>,
    ) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        Ok(Self { wire: Wire::new(stream), interim: Vec::new() })
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within("the proxy to take bytes", self.wire.write(bytes)).await.unwrap();
    }

    /// The next final answer, to a request that was not HEAD.
    pub async fn response(&mut self) -> Response {
        self.try_response("GET").await.unwrap()
    }

    /// The next final answer, or how it broke off. A connection that ends before its first byte
    /// has none either.
    pub async fn try_response(&mut self, method: &str) -> Result<Response, BrokenOff> {
        within("an answer", async {
            self.interim.clear();
            loop {
                let Some(head) = self.wire.head().await? else {
                    return Err(BrokenOff("the end, before an answer".to_owned()));
                };
                let status = status(&head);
                if (100..200).contains(&status) && status != 101 {
                    self.interim.push((status, head));
                    continue;
                }
                let framing = match head.framing() {
                    _ if method == "HEAD" || matches!(status, 101 | 204 | 304) => Framing::None,
                    framing => framing,
                };
                let body = self.wire.body(framing).await?;
                return Ok(response(head, status, body));
            }
        })
        .await
    }

    /// The next head of any status.
    pub async fn head(&mut self) -> (u16, Head) {
        let head = within("a head", self.wire.head()).await.unwrap().expect("a head");
        (status(&head), head)
    }

    pub async fn get(&mut self, host: &str, target: &str) -> Response {
        self.send(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        self.response().await
    }

    pub async fn post(&mut self, host: &str, target: &str, body: impl AsRef<[u8]>) -> Response {
        let body = body.as_ref();
        let length = body.len();
        let mut text =
            format!("POST {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n")
                .into_bytes();
        text.extend_from_slice(body);
        self.send(text).await;
        self.response().await
    }

    /// A request with these header lines, such as `"x-user: 1"`.
    pub async fn ask(
        &mut self,
        method: &str,
        host: &str,
        target: &str,
        lines: &[&str],
    ) -> Response {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.send(format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\n")).await;
        self.try_response(method).await.unwrap()
    }

    /// What still comes, up to the connection's end.
    pub async fn rest(&mut self) -> Vec<u8> {
        within("the connection's end", self.wire.rest()).await
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) {
        let _ = self.wire.stream.shutdown().await;
    }
}

/// One request on a connection of its own.
pub async fn get(address: SocketAddr, host: &str, target: &str) -> Response {
    Client::connect(address).await.get(host, target).await
}

fn status(head: &Head) -> u16 {
    let mut words = head.line.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    assert_eq!(version, "HTTP/1.1", "{}", head.line);
    words.next().unwrap_or_default().parse().unwrap_or_else(|_| panic!("{}", head.line))
}

fn response(head: Head, status: u16, body: Body) -> Response {
    Response {
        status,
        fields: head.fields,
        body: body.bytes,
        length: body.length,
        trailers: body.trailers,
    }
}
