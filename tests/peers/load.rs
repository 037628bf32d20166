//! Clients that ask without end, never ask twice, and count every request that is lost: refused,
//! reset, timed out, broken off, or answered with anything but what the origin says.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::frames::{self, Frame, frame};
use crate::origin::{PIECE, PIECE_EVERY};
use crate::process::Proxy;

/// An answer that takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two connections of one client, so that ports last.
const REST: Duration = Duration::from_millis(1);
/// Requests that an HTTP/2 client has in flight.
const STREAMS: u32 = 8;
const ANSWER: &[u8] = b"hello\n";

/// Clients that run, and what they have seen.
pub(crate) struct Load {
    tally: Arc<Tally>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    answered: [AtomicUsize; KINDS.len()],
    lost: Mutex<Vec<String>>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    KeepAlive,
    NewConnections,
    TlsKeepAlive,
    TlsNewConnections,
    H2,
    H2OverTls,
    Streams,
}

const KINDS: [Kind; 7] = [
    Kind::KeepAlive,
    Kind::NewConnections,
    Kind::TlsKeepAlive,
    Kind::TlsNewConnections,
    Kind::H2,
    Kind::H2OverTls,
    Kind::Streams,
];

impl Load {
    /// Clients of every kind; `pieces` is how long each open stream is.
    pub(crate) fn start(proxy: &Proxy, pieces: u32) -> Self {
        let tally = Arc::new(Tally::default());
        let h1 = proxy.authority.trusted(&["http/1.1"], None);
        let h2 = proxy.authority.trusted(&["h2"], None);
        let client = |kind, address, tls: Option<&Arc<ClientConfig>>| Client {
            kind,
            address,
            tls: tls.cloned(),
            tally: Arc::clone(&tally),
        };
        let (http, https) = (proxy.http, proxy.https);
        let clients = [
            client(Kind::KeepAlive, http, None),
            client(Kind::KeepAlive, http, None),
            client(Kind::KeepAlive, http, None),
            client(Kind::NewConnections, http, None),
            client(Kind::NewConnections, http, None),
            client(Kind::TlsKeepAlive, https, Some(&h1)),
            client(Kind::TlsKeepAlive, https, Some(&h1)),
            client(Kind::TlsNewConnections, https, Some(&h1)),
            client(Kind::H2, http, None),
            client(Kind::H2OverTls, https, Some(&h2)),
            client(Kind::Streams, http, None),
            client(Kind::Streams, https, Some(&h1)),
        ];
        let threads = clients.into_iter();
        let threads = threads.map(|client| std::thread::spawn(move || client.run(pieces)));
        Self { threads: threads.collect(), tally }
    }

    pub(crate) fn answered(&self) -> usize {
        self.tally.answered.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// Ends all clients; says what they did, and what they lost.
    pub(crate) fn stop(self) -> (String, Vec<String>) {
        self.tally.stop.store(true, Relaxed);
        for thread in self.threads {
            thread.join().expect("a client that fails says so in its tally");
        }
        let answered = KINDS.iter().zip(&self.tally.answered);
        let said: Vec<String> =
            answered.map(|(kind, count)| format!("{kind:?} {}", count.load(Relaxed))).collect();
        let lost = std::mem::take(&mut *self.tally.lost.lock().unwrap());
        (said.join(", "), lost)
    }
}

impl Tally {
    fn is_over(&self) -> bool {
        self.stop.load(Relaxed)
    }
}

struct Client {
    kind: Kind,
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    tally: Arc<Tally>,
}

impl Client {
    fn run(&self, pieces: u32) {
        match self.kind {
            Kind::KeepAlive | Kind::TlsKeepAlive => self.keep_alive(),
            Kind::NewConnections | Kind::TlsNewConnections => self.new_connections(),
            Kind::H2 | Kind::H2OverTls => self.http2(),
            Kind::Streams => self.streams(pieces),
        }
    }

    fn note(&self, outcome: Result<(), impl Display>) {
        match outcome {
            Ok(()) => {
                self.tally.answered[self.kind as usize].fetch_add(1, Relaxed);
            }
            Err(error) => {
                self.tally.lost.lock().unwrap().push(format!("{:?}: {error}", self.kind));
                // A proxy that is gone for good need not be asked a million times.
                std::thread::sleep(REST);
            }
        }
    }

    /// A connection is used until the server says that it closes it.
    fn keep_alive(&self) {
        while !self.tally.is_over() {
            let mut wire = match self.connect() {
                Ok(wire) => wire,
                Err(error) => {
                    self.note(Err(format!("connecting: {error}")));
                    continue;
                }
            };
            while !self.tally.is_over() {
                match ask(&mut wire, "/", "") {
                    Ok(Answer { body, .. }) if body != ANSWER => {
                        self.note(Err(String::from_utf8_lossy(&body).into_owned()));
                    }
                    Ok(Answer { closes, .. }) => {
                        self.note(Ok::<_, String>(()));
                        if closes {
                            break;
                        }
                    }
                    Err(error) => {
                        self.note(Err(error));
                        break;
                    }
                }
            }
        }
    }

    fn new_connections(&self) {
        while !self.tally.is_over() {
            let outcome = self.connect().and_then(|mut wire| ask(&mut wire, "/", CLOSE));
            self.note(outcome.and_then(|answer| answer.is(ANSWER)));
            std::thread::sleep(REST);
        }
    }

    fn streams(&self, pieces: u32) {
        let whole = PIECE.repeat(usize::try_from(pieces).unwrap());
        while !self.tally.is_over() {
            let target = format!("/stream/{pieces}");
            let outcome = self.connect().and_then(|mut wire| {
                wire.tcp.set_read_timeout(Some(PATIENCE + pieces * PIECE_EVERY))?;
                ask(&mut wire, &target, CLOSE)
            });
            self.note(outcome.and_then(|answer| answer.is(&whole)));
        }
    }

    /// Rounds of requests until the server says goodbye; all that were started end well.
    fn http2(&self) {
        while !self.tally.is_over() {
            match self.connect().and_then(Multiplexed::new) {
                Ok(mut connection) => {
                    while !connection.goodbye && !self.tally.is_over() {
                        connection.round().into_iter().for_each(|outcome| self.note(outcome));
                    }
                }
                Err(error) => self.note(Err(format!("connecting: {error}"))),
            }
        }
    }

    fn connect(&self) -> std::io::Result<Wire> {
        let tcp = TcpStream::connect(self.address)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        let stream: Box<dyn Both> = match &self.tls {
            None => Box::new(tcp.try_clone()?),
            Some(config) => {
                let tls = ClientConnection::new(Arc::clone(config), localhost());
                Box::new(StreamOwned::new(tls.map_err(std::io::Error::other)?, tcp.try_clone()?))
            }
        };
        Ok(Wire { tcp, stream: BufReader::new(stream) })
    }
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").expect("a name")
}

trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

struct Wire {
    tcp: TcpStream,
    stream: BufReader<Box<dyn Both>>,
}

impl Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes)?;
        self.stream.get_mut().flush()
    }
}

struct Answer {
    body: Vec<u8>,
    /// The server will close.
    closes: bool,
}

impl Answer {
    fn is(&self, wanted: &[u8]) -> std::io::Result<()> {
        if self.body == wanted {
            return Ok(());
        }
        let (got, wanted) = (self.body.len(), wanted.len());
        Err(std::io::Error::other(format!("another body: {got} bytes, not {wanted}")))
    }
}

const CLOSE: &str = "Connection: close\r\n";

/// One request over HTTP/1; anything but a complete answer with status 200 is an error.
fn ask(wire: &mut Wire, target: &str, fields: &str) -> std::io::Result<Answer> {
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    wire.write(request.as_bytes())?;
    let (mut closes, mut length) = (false, None);
    let status = read_line(&mut wire.stream)?;
    loop {
        let field = read_line(&mut wire.stream)?.to_ascii_lowercase();
        if field.is_empty() {
            break;
        }
        closes |= field == "connection: close";
        if let Some(number) = field.strip_prefix("content-length: ") {
            length = Some(number.parse::<u64>().map_err(std::io::Error::other)?);
        }
    }
    let mut body = Vec::new();
    match length {
        Some(length) => {
            (&mut wire.stream).take(length).read_to_end(&mut body)?;
        }
        None => read_chunks(&mut wire.stream, &mut body)?,
    }
    if status.starts_with("HTTP/1.1 200 ") {
        Ok(Answer { body, closes })
    } else {
        Err(std::io::Error::other(format!("{status}: {}", String::from_utf8_lossy(&body))))
    }
}

fn read_chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let size = u64::from_str_radix(&read_line(stream)?, 16).map_err(std::io::Error::other)?;
        stream.take(size).read_to_end(body)?;
        read_line(stream)?;
        if size == 0 {
            return Ok(());
        }
    }
}

/// Without its end; the end of the stream is an error.
fn read_line(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// An HTTP/2 connection that answers a PING after the requests it has started, as Go's client
/// does. The h2 crate's client lets the answer overtake them: the server's second GOAWAY then
/// names a stream below theirs, and it is for the client to send them again (RFC 9113 §6.8).
struct Multiplexed {
    wire: Wire,
    next: u32,
    /// The server takes no more.
    goodbye: bool,
}

impl Multiplexed {
    fn new(mut wire: Wire) -> std::io::Result<Self> {
        let mut hello = frames::PREFACE.to_vec();
        hello.extend(frame(frames::SETTINGS, 0, 0, &[]));
        hello.extend(frame(frames::SETTINGS, frames::ACK, 0, &[]));
        // Room for all answers of all rounds.
        hello.extend(frame(frames::WINDOW_UPDATE, 0, 0, &[0x3f, 0, 0, 0]));
        wire.write(&hello)?;
        Ok(Self { wire, next: 1, goodbye: false })
    }

    /// One outcome for each request.
    fn round(&mut self) -> Vec<Result<(), String>> {
        let ids: Vec<u32> = (0..STREAMS).map(|n| self.next + 2 * n).collect();
        self.next += 2 * STREAMS;
        let ask = |id: &u32| {
            let flags = frames::END_HEADERS | frames::END_STREAM;
            frame(frames::HEADERS, flags, *id, &frames::request(frames::METHOD_GET))
        };
        let requests: Vec<u8> = ids.iter().flat_map(ask).collect();
        let mut open: BTreeMap<u32, Vec<u8>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        let mut outcomes = Vec::new();
        if let Err(error) = self.wire.write(&requests) {
            self.goodbye = true;
            return open.keys().map(|id| Err(format!("stream {id}: {error}"))).collect();
        }
        while !open.is_empty() {
            if let Err(error) = self.read(&mut open, &mut outcomes) {
                self.goodbye = true;
                outcomes.extend(open.keys().map(|id| Err(format!("stream {id}: {error}"))));
                break;
            }
        }
        outcomes
    }

    /// One frame; streams that it ends leave `open` with an outcome.
    fn read(
        &mut self,
        open: &mut BTreeMap<u32, Vec<u8>>,
        outcomes: &mut Vec<Result<(), String>>,
    ) -> std::io::Result<()> {
        let Frame { kind, flags, stream, payload } = frames::read(&mut self.wire.stream)?;
        match kind {
            frames::PING if flags & frames::ACK == 0 => {
                self.wire.write(&frame(frames::PING, frames::ACK, 0, &payload))?;
            }
            frames::GOAWAY => {
                self.goodbye = true;
                let last = u32::from_be_bytes(payload[..4].try_into().expect("four bytes"));
                let refused: Vec<u32> = open.keys().copied().filter(|id| *id > last).collect();
                for id in refused {
                    open.remove(&id);
                    outcomes.push(Err(format!("stream {id}: GOAWAY after {last}")));
                }
            }
            frames::RST_STREAM if open.remove(&stream).is_some() => {
                outcomes.push(Err(format!("stream {stream}: reset {payload:?}")));
            }
            // Entry 8 of the static table: the status is 200.
            frames::HEADERS if !payload.contains(&0x88) => {
                open.remove(&stream);
                outcomes.push(Err(format!("stream {stream}: another status, {payload:x?}")));
            }
            frames::DATA => {
                let Some(body) = open.get_mut(&stream) else { return Ok(()) };
                body.extend_from_slice(&payload);
                if flags & frames::END_STREAM != 0 {
                    let body = open.remove(&stream).expect("it was there");
                    let right = body == ANSWER;
                    outcomes.push(right.then_some(()).ok_or_else(|| format!("{body:?}")));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
