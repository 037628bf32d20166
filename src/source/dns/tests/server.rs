//! A name server that says what a test tells it to. Hand-written bytes of RFC 1035 §4.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;

#[derive(Clone, Debug)]
pub(super) enum Says {
    Addresses(Vec<IpAddr>, u32),
    /// SERVFAIL for IPv6, answers for IPv4.
    WithoutV6Word(Vec<IpAddr>),
    Failure,
    NoSuchName,
    Nothing,
}

impl Says {
    pub(super) fn addresses(addresses: &[&str], ttl: u32) -> Self {
        Self::Addresses(addresses.iter().map(|text| text.parse().unwrap()).collect(), ttl)
    }
}

#[derive(Default)]
struct Book {
    says: HashMap<String, Says>,
    questions: HashMap<String, usize>,
}

pub(super) struct NameServer {
    port: u16,
    book: Arc<Mutex<Book>>,
    turns: watch::Receiver<u64>,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl NameServer {
    pub(super) async fn start() -> Self {
        let book = Arc::new(Mutex::new(Book::default()));
        let (turn, turns) = watch::channel(0);
        // Both protocols on one port: long answers come over TCP.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let port = udp.local_addr().unwrap().port();
        let turn = Arc::new(turn);
        let tasks = [
            tokio::spawn(serve_udp(udp, Arc::clone(&book), Arc::clone(&turn))),
            tokio::spawn(serve_tcp(tcp, Arc::clone(&book), turn)),
        ];
        Self { port, book, turns, tasks }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn says(&self, name: &str, says: Says) {
        self.book.lock().unwrap().says.insert(name.to_owned(), says);
    }

    pub(super) fn questions(&self, name: &str) -> usize {
        self.book.lock().unwrap().questions.get(name).copied().unwrap_or(0)
    }

    /// Waits until the name was asked for that often in all.
    pub(super) async fn asked(&self, name: &str, times: usize) {
        let mut turns = self.turns.clone();
        let enough = turns.wait_for(|_| self.questions(name) >= times);
        tokio::time::timeout(super::LONG, enough).await.expect("questions in time").unwrap();
    }
}

async fn serve_udp(udp: UdpSocket, book: Arc<Mutex<Book>>, turn: Arc<watch::Sender<u64>>) {
    let mut buffer = [0; 4096];
    loop {
        let Ok((length, from)) = udp.recv_from(&mut buffer).await else { continue };
        let answer = answer(&buffer[..length], &book, true);
        if let Some(answer) = answer {
            let _ = udp.send_to(&answer, from).await;
        }
        turn.send_modify(|turn| *turn += 1);
    }
}

async fn serve_tcp(tcp: TcpListener, book: Arc<Mutex<Book>>, turn: Arc<watch::Sender<u64>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    while let Ok((mut stream, _)) = tcp.accept().await {
        while let Ok(length) = stream.read_u16().await {
            let mut question = vec![0; length.into()];
            let Ok(_) = stream.read_exact(&mut question).await else { break };
            if let Some(answer) = answer(&question, &book, false) {
                let length = u16::try_from(answer.len()).unwrap();
                let _ = stream.write_u16(length).await;
                let _ = stream.write_all(&answer).await;
            }
            turn.send_modify(|turn| *turn += 1);
        }
    }
}

const A: u16 = 1;
const AAAA: u16 = 28;

fn answer(question: &[u8], book: &Mutex<Book>, short: bool) -> Option<Vec<u8>> {
    let (name, end) = name_of(question);
    let kind = u16::from_be_bytes([question[end], question[end + 1]]);
    let mut book = book.lock().unwrap();
    *book.questions.entry(name.clone()).or_default() += 1;
    let says = book.says.get(&name).cloned().unwrap_or(Says::NoSuchName);
    let (addresses, ttl, code) = match says {
        Says::Nothing => return None,
        Says::Failure => (Vec::new(), 0, 2),
        Says::NoSuchName => (Vec::new(), 0, 3),
        Says::WithoutV6Word(_) if kind == AAAA => (Vec::new(), 0, 2),
        Says::WithoutV6Word(addresses) => (addresses, 0, 0),
        Says::Addresses(addresses, ttl) => (addresses, ttl, 0),
    };
    let of_kind = |ip: &&IpAddr| matches!((kind, ip), (A, IpAddr::V4(_)) | (AAAA, IpAddr::V6(_)));
    let records: Vec<&IpAddr> = addresses.iter().filter(of_kind).collect();
    let cut = short && records.len() > 20;
    let count = if cut { 0 } else { u16::try_from(records.len()).unwrap() };
    let mut out = question[..2].to_vec();
    // A response, authoritative, truncated or not, recursion available.
    out.extend([0x85 | if cut { 2 } else { 0 }, 0x80 | code, 0, 1]);
    out.extend(count.to_be_bytes());
    out.extend([0, 0, 0, 0]);
    out.extend(&question[12..end + 4]);
    for ip in records.into_iter().take(count.into()) {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1]);
        out.extend(ttl.to_be_bytes());
        match ip {
            IpAddr::V4(ip) => {
                out.extend([0, 4]);
                out.extend(ip.octets());
            }
            IpAddr::V6(ip) => {
                out.extend([0, 16]);
                out.extend(ip.octets());
            }
        }
    }
    Some(out)
}

/// The name of the question, and where its type stands.
fn name_of(question: &[u8]) -> (String, usize) {
    let mut position = 12;
    let mut labels = Vec::new();
    while question[position] != 0 {
        let length = usize::from(question[position]);
        let label = &question[position + 1..=position + length];
        labels.push(String::from_utf8_lossy(label).to_lowercase());
        position += length + 1;
    }
    (labels.join("."), position + 1)
}
