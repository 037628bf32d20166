//! Upstreams: real sockets that answer as they are told and say what they saw.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

pub use super::answer::{Answer, spell};
use super::h1::{Bytes, Framing, Wire};
use super::{h2, within};

/// A request as an upstream saw it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Which connection of this upstream it came on, from 0.
    pub connection: usize,
    pub version: &'static str,
    pub method: String,
    pub target: String,
    /// `host` of HTTP/1, `:authority` of HTTP/2.
    pub host: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Of the body, of which `body` may be the beginning.
    pub length: u64,
    pub trailers: Vec<(String, String)>,
    /// The end of the body did not come.
    pub broken: bool,
}

impl Seen {
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|field| field.0 == name);
        let value = values.next().map(|field| field.1.as_str());
        assert!(values.next().is_none(), "{name} more than once: {self:?}");
        value
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |field| field.0 == name).map(|field| field.1.as_str())
    }
}

pub(super) type Answering = Arc<dyn Fn(&Seen) -> Answer + Send + Sync>;

/// A running upstream; dropping it closes its sockets.
pub struct Upstream {
    /// As a Backend's `endpoints` name it.
    pub address: String,
    pub(super) log: Log,
    tasks: Tasks,
    _directory: Option<tempfile::TempDir>,
}

/// What all connections of an upstream write to.
#[derive(Clone, Default)]
pub struct Log {
    seen: Arc<Mutex<Vec<Seen>>>,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    streams: Arc<AtomicUsize>,
}

#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<AbortHandle>>>);

/// Counts while it lives.
pub struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Log {
    pub fn push(&self, seen: Seen) {
        self.seen.lock().unwrap().push(seen);
    }

    pub fn enter_stream(&self) -> Open {
        self.streams.fetch_add(1, Ordering::SeqCst);
        Open(Arc::clone(&self.streams))
    }

    fn accept(&self) -> (usize, Open) {
        self.open.fetch_add(1, Ordering::SeqCst);
        (self.accepted.fetch_add(1, Ordering::SeqCst), Open(Arc::clone(&self.open)))
    }
}

impl Upstream {
    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.log.seen.lock().unwrap().len()
    }

    #[track_caller]
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("a request")
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.log.accepted.load(Ordering::SeqCst)
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.log.open.load(Ordering::SeqCst)
    }

    /// Requests being answered now.
    pub fn streams(&self) -> usize {
        self.log.streams.load(Ordering::SeqCst)
    }

    /// Ends it; over once its address refuses.
    pub async fn gone(self) {
        self.stop();
        within("the address to refuse", async {
            while TcpStream::connect(&self.address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Closes the listening socket and every connection.
    pub fn stop(&self) {
        for task in self.tasks.0.lock().unwrap().drain(..) {
            task.abort();
        }
    }

    async fn tcp<F, W>(serve: F) -> Self
    where
        F: Fn(TcpStream, usize, Log) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), serve)
    }

    fn on<F, W>(listener: TcpListener, serve: F) -> Self
    where
        F: Fn(TcpStream, usize, Log) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().unwrap();
        let (log, tasks) = (Log::default(), Tasks::default());
        let (shared, spawned) = (log.clone(), tasks.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (number, open) = shared.accept();
                let work = serve(stream, number, shared.clone());
                let task = tokio::spawn(async move {
                    let _open = open;
                    work.await;
                });
                spawned.0.lock().unwrap().push(task.abort_handle());
            }
        });
        tasks.0.lock().unwrap().push(accepting.abort_handle());
        Self { address: address.to_string(), log, tasks, _directory: None }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop();
    }
}

/// HTTP/1.1 with keep-alive.
pub async fn http1(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Upstream {
    let answer: Answering = Arc::new(answer);
    Upstream::tcp(move |stream, number, log| speak_http1(stream, number, log, answer.clone())).await
}

/// The same, on this address.
pub async fn http1_at(
    address: &str,
    answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
) -> Upstream {
    let answer: Answering = Arc::new(answer);
    let listener = TcpListener::bind(address).await.unwrap();
    Upstream::on(listener, move |stream, number, log| {
        speak_http1(stream, number, log, answer.clone())
    })
}

/// Answers everything with its own name.
pub async fn named(name: &'static str) -> Upstream {
    http1(move |_| Answer::text(name)).await
}

/// Answers with the body that it was sent.
pub async fn echo() -> Upstream {
    http1(|seen| Answer::text(seen.body.clone())).await
}

/// HTTP/1.1 over TLS.
pub async fn https1(
    tls: Arc<ServerConfig>,
    answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
) -> Upstream {
    https1_at("127.0.0.1:0", tls, answer).await
}

/// The same, on this address.
pub async fn https1_at(
    address: &str,
    tls: Arc<ServerConfig>,
    answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
) -> Upstream {
    let answer: Answering = Arc::new(answer);
    let listener = TcpListener::bind(address).await.unwrap();
    Upstream::on(listener, move |stream, number, log| {
        let (acceptor, answer) = (TlsAcceptor::from(tls.clone()), answer.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                speak_http1(stream, number, log, answer).await;
            }
        }
    })
}

/// HTTP/2 with prior knowledge.
pub async fn http2(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Upstream {
    let answer: Answering = Arc::new(answer);
    Upstream::tcp(move |stream, number, log| h2::serve(stream, number, log, answer.clone())).await
}

/// HTTP/2 over TLS.
pub async fn https2(
    tls: Arc<ServerConfig>,
    answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
) -> Upstream {
    let answer: Answering = Arc::new(answer);
    Upstream::tcp(move |stream, number, log| {
        let (acceptor, answer) = (TlsAcceptor::from(tls.clone()), answer.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                h2::serve(stream, number, log, answer).await;
            }
        }
    })
    .await
}

/// HTTP/1.1 on a Unix socket; `address` is `unix:/…`.
pub async fn unix(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Upstream {
    let answer: Answering = Arc::new(answer);
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = directory.path().join("up");
    let listener = UnixListener::bind(&path).unwrap();
    let (log, tasks) = (Log::default(), Tasks::default());
    let (shared, spawned) = (log.clone(), tasks.clone());
    let accepting = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (number, open) = shared.accept();
            let work = speak_http1(stream, number, shared.clone(), answer.clone());
            let task = tokio::spawn(async move {
                let _open = open;
                work.await;
            });
            spawned.0.lock().unwrap().push(task.abort_handle());
        }
    });
    tasks.0.lock().unwrap().push(accepting.abort_handle());
    let address = format!("unix:{}", path.display());
    Upstream { address, log, tasks, _directory: Some(directory) }
}

/// Does with each connection what it likes. `number` counts them from 0.
pub async fn raw<F, W>(serve: F) -> Upstream
where
    F: Fn(Wire, usize) -> W + Send + Sync + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    Upstream::tcp(move |stream, number, log| {
        let work = serve(Wire::new(stream), number);
        async move {
            let _stream = log.enter_stream();
            work.await;
        }
    })
    .await
}

/// The same, with the socket itself.
pub async fn socket<F, W>(serve: F) -> Upstream
where
    F: Fn(TcpStream, usize) -> W + Send + Sync + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    Upstream::tcp(move |stream, number, _| serve(stream, number)).await
}

/// Reads a request, then sends these bytes and closes; each connection alike.
pub async fn canned(bytes: impl Into<Vec<u8>>) -> Upstream {
    let bytes: Arc<[u8]> = bytes.into().into();
    Upstream::tcp(move |stream, connection, log| {
        let bytes = bytes.clone();
        async move {
            let mut wire = Wire::new(stream);
            if let Ok(Some(head)) = wire.head().await {
                log.push(Seen { connection, target: head.line, ..Seen::default() });
                let _ = wire.write(bytes).await;
            }
        }
    })
    .await
}

/// An address where nothing listens.
pub async fn nobody() -> SocketAddr {
    // A socket that is bound and does not listen refuses, and nobody else gets its port.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let _socket = socket;
        std::future::pending::<()>().await;
    });
    address
}

async fn speak_http1(stream: impl Bytes + 'static, connection: usize, log: Log, answer: Answering) {
    let mut wire = Wire::new(stream);
    while let Ok(Some(head)) = wire.head().await {
        let mut words = head.line.split(' ');
        let mut seen = Seen {
            connection,
            version: "1.1",
            method: words.next().unwrap_or_default().to_owned(),
            target: words.next().unwrap_or_default().to_owned(),
            host: head.get("host").unwrap_or_default().to_owned(),
            fields: head.fields.clone(),
            ..Seen::default()
        };
        assert_eq!(words.next(), Some("HTTP/1.1"), "{}", head.line);
        if head.get("expect").is_some() {
            let _ = wire.write("HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        let framing = match head.framing() {
            Framing::Close => Framing::None,
            framing => framing,
        };
        let _stream = log.enter_stream();
        match wire.body(framing).await {
            Ok(body) => {
                seen.body = body.bytes;
                seen.length = body.length;
                seen.trailers = body.trailers;
            }
            Err(_) => seen.broken = true,
        }
        let answer = answer(&seen);
        let (method, broken) = (seen.method.clone(), seen.broken);
        log.push(seen);
        if broken {
            return;
        }
        if !wait_while_there(&mut wire, answer.wait).await {
            return;
        }
        if wire.write(spell(&answer, &method)).await.is_err() {
            return;
        }
    }
}

/// Whether the peer was still there at the end.
async fn wait_while_there(wire: &mut Wire, wait: Duration) -> bool {
    if wait.is_zero() {
        return true;
    }
    let mut over = std::pin::pin!(tokio::time::sleep(wait));
    loop {
        tokio::select! {
            () = &mut over => return true,
            read = wire.fill() => if !read.is_ok_and(|read| read > 0) {
                return false;
            },
        }
    }
}
