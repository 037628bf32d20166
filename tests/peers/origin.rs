//! An HTTP/1 origin that counts what reaches it, on threads of its own. A target `/stream/N` is
//! answered with N pieces, one every [`PIECE_EVERY`].

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use meshctl::clock;

/// What a stream consists of.
pub(crate) const PIECE: &[u8] = b"piece\n";
pub(crate) const PIECE_EVERY: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(crate) struct Counts {
    /// Requests so far.
    pub(crate) requests: AtomicUsize,
    /// Requests that are neither answered nor given up.
    pub(crate) open: AtomicUsize,
    /// The most of them at once, so far.
    pub(crate) most_open: AtomicUsize,
}

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    pub(crate) counts: Arc<Counts>,
}

impl Origin {
    /// Holds each answer back for as long, unless the request is given up before.
    pub(crate) fn start(hold: Duration) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), hold)
    }

    /// The same, on this address.
    pub(crate) fn start_at(address: SocketAddr, hold: Duration) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counts = Arc::clone(&shared);
                // A proxy that goes away is no failure of the origin.
                std::thread::spawn(move || serve(&stream, &counts, hold).is_ok());
            }
        });
        Self { address, counts }
    }
}

fn serve(stream: &TcpStream, counts: &Counts, hold: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let Some(head) = read_head(&mut reader)? else { return Ok(()) };
        counts.requests.fetch_add(1, SeqCst);
        let open = counts.open.fetch_add(1, SeqCst) + 1;
        counts.most_open.fetch_max(open, SeqCst);
        let finished = finish(stream, &mut reader, head, hold);
        counts.open.fetch_sub(1, SeqCst);
        finished?;
    }
}

/// What matters of the next request; `None` at the end.
fn read_head(reader: &mut impl BufRead) -> std::io::Result<Option<Head>> {
    let mut head = Head { body: Body::Sized(0), pieces: None };
    let mut line = String::new();
    let mut first = true;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let field = line.trim_end().to_ascii_lowercase();
        if field.is_empty() && !first {
            return Ok(Some(head));
        }
        if first {
            let rest = field.split(' ').nth(1).and_then(|target| target.strip_prefix("/stream/"));
            head.pieces = rest.map(|number| number.parse().expect("the tests write numbers"));
        }
        first = false;
        if let Some(length) = field.strip_prefix("content-length:") {
            head.body = Body::Sized(length.trim().parse().expect("the proxy sends numbers"));
        } else if field.starts_with("transfer-encoding:") {
            head.body = Body::Chunked;
        }
    }
}

struct Head {
    body: Body,
    /// Of a stream.
    pieces: Option<u32>,
}

#[derive(Clone, Copy)]
enum Body {
    Sized(u64),
    Chunked,
}

fn finish(
    mut stream: &TcpStream,
    reader: &mut impl BufRead,
    head: Head,
    hold: Duration,
) -> std::io::Result<()> {
    match head.body {
        Body::Sized(length) => {
            std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
        }
        Body::Chunked => read_chunks(reader)?,
    }
    if let Some(pieces) = head.pieces {
        return send_pieces(stream, pieces);
    }
    let until = clock::now() + hold;
    while let Some(rest) = until.checked_duration_since(clock::now()).filter(|d| !d.is_zero()) {
        // A proxy that gives the request up closes; nothing else can come.
        stream.set_read_timeout(Some(rest))?;
        match stream.peek(&mut [0]) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => break,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    stream.set_read_timeout(None)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello\n")
}

fn send_pieces(mut stream: &TcpStream, pieces: u32) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
    for _ in 0..pieces {
        std::thread::sleep(PIECE_EVERY);
        stream
            .write_all(&[format!("{:x}\r\n", PIECE.len()).as_bytes(), PIECE, b"\r\n"].concat())?;
    }
    stream.write_all(b"0\r\n\r\n")
}

fn read_chunks(reader: &mut impl BufRead) -> std::io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        // The chunk and its line's end; after the last one, the empty trailer section.
        std::io::copy(&mut reader.take(size + 2), &mut std::io::sink())?;
        if size == 0 {
            return Ok(());
        }
    }
}
