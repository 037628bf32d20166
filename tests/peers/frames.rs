//! HTTP/2 frames written by hand (RFC 9113 §4.1), so that wrong ones can be written too.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const ACK: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;

/// A client that has lost interest (RFC 9113 §7).
pub(crate) const CANCEL: [u8; 4] = [0, 0, 0, 8];

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// GET or POST of `/` as an HPACK block without dynamic entries (RFC 7541).
pub(crate) fn request(method: u8) -> Vec<u8> {
    let mut block = vec![method, 0x84, 0x86, 0x01, 9];
    block.extend_from_slice(b"localhost");
    block
}

/// RFC 7541 appendix A.
pub(crate) const METHOD_GET: u8 = 0x82;
pub(crate) const METHOD_POST: u8 = 0x83;

/// One raw connection. What comes is read by a thread of its own, unless it is told not to.
pub(crate) struct Raw {
    stream: TcpStream,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

/// What the server has sent so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) pongs: usize,
    /// Reason of the GOAWAY.
    pub(crate) goaway: Option<u32>,
    pub(crate) heads: usize,
    pub(crate) resets: usize,
    pub(crate) closed: bool,
}

impl Raw {
    /// Shakes hands with the given settings: (identifier, value).
    pub(crate) fn connect(address: SocketAddr, settings: &[(u16, u32)], reads: bool) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut payload = Vec::new();
        for (identifier, value) in settings {
            payload.extend_from_slice(&identifier.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        let mut hello = PREFACE.to_vec();
        hello.extend(frame(SETTINGS, 0, 0, &payload));
        hello.extend(frame(SETTINGS, ACK, 0, &[]));
        stream.write_all(&hello).unwrap();
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        if reads {
            let (mut stream, seen) = (stream.try_clone().unwrap(), Arc::clone(&seen));
            std::thread::spawn(move || {
                while note_frame(&mut stream, &seen).is_ok() {}
                seen.0.lock().unwrap().closed = true;
                seen.1.notify_all();
            });
        }
        Self { stream, seen }
    }

    /// False when the server takes no more: it has closed, or does not read.
    pub(crate) fn send(&mut self, frames: &[u8]) -> bool {
        match self.stream.write_all(frames) {
            Ok(()) => true,
            Err(error) => {
                let gone = !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                self.seen.0.lock().unwrap().closed |= gone;
                false
            }
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.0.lock().unwrap().clone()
    }

    /// Waits until everything that was sent has been dealt with; false when the server closed.
    pub(crate) fn barrier(&mut self) -> bool {
        let before = self.seen().pongs;
        self.send(&frame(PING, 0, 0, b"barrier!")) && !self.wait(|seen| seen.pongs > before).closed
    }

    /// Waits for what came, or for the end, or for ten seconds.
    pub(crate) fn wait(&self, enough: impl Fn(&Seen) -> bool) -> Seen {
        let (lock, changed) = &*self.seen;
        let guard = lock.lock().unwrap();
        let patience = Duration::from_secs(10);
        let waited =
            changed.wait_timeout_while(guard, patience, |seen| !seen.closed && !enough(seen));
        waited.unwrap().0.clone()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // The reading thread holds the socket too.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn note_frame(stream: &mut TcpStream, seen: &(Mutex<Seen>, Condvar)) -> std::io::Result<()> {
    let Frame { kind, flags, payload, .. } = read(stream)?;
    let mut now = seen.0.lock().unwrap();
    match kind {
        PING if flags & ACK != 0 => now.pongs += 1,
        GOAWAY => now.goaway = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap())),
        HEADERS => now.heads += 1,
        RST_STREAM => now.resets += 1,
        _ => {}
    }
    drop(now);
    seen.1.notify_all();
    Ok(())
}

pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn read(stream: &mut impl Read) -> std::io::Result<Frame> {
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload)?;
    let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
    Ok(Frame { kind: head[3], flags: head[4], stream, payload })
}
