//! One byte stream, whatever carries it: TCP, a Unix socket, or TLS over either.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::{client, server};

use super::buffers;

/// The socket under a stream.
#[derive(Debug)]
pub enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A stream of bytes to read and write.
#[derive(Debug)]
pub enum Io {
    Plain(Socket),
    Server(Box<server::TlsStream<Socket>>),
    Client(Box<client::TlsStream<Socket>>),
}

macro_rules! each {
    ($enum:ident { $($variant:ident),* }, $value:expr, $stream:ident => $call:expr) => {
        match $value { $($enum::$variant($stream) => $call),* }
    };
}

impl Socket {
    /// Ready once a read would not block; holds no buffer while it waits.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(Socket { Tcp, Unix }, self, s => s.poll_read_ready(cx))
    }
}

impl Io {
    pub fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Server(stream) => stream.get_ref().0,
            Self::Client(stream) => stream.get_ref().0,
        }
    }

    /// Makes closing a reset, which no peer takes for an ordinary end.
    pub fn reset_on_close(&self) {
        if let Socket::Tcp(stream) = self.socket() {
            let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
        }
    }

    /// Whether the negotiated protocol is HTTP/2.
    pub fn is_alpn_h2(&self) -> bool {
        let alpn = match self {
            Self::Plain(_) => None,
            Self::Server(stream) => stream.get_ref().1.alpn_protocol(),
            Self::Client(stream) => stream.get_ref().1.alpn_protocol(),
        };
        alpn == Some(b"h2")
    }

    /// Whether an idle connection can still be used: nothing to read, no end, no error. Costs no
    /// system call unless the poller has seen something.
    pub fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        if self.socket().poll_read_ready(&mut cx).is_pending() {
            return true;
        }
        let mut byte = [0; 1];
        let mut buffer = ReadBuf::new(&mut byte);
        // TLS may only have had a session ticket to say.
        Pin::new(self).poll_read(&mut cx, &mut buffer).is_pending()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(Socket { Tcp, Unix }, self.get_mut(), s => Pin::new(s).poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(Socket { Tcp, Unix }, self.get_mut(), s => Pin::new(s).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(Socket { Tcp, Unix }, self.get_mut(), s => Pin::new(s).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(Socket { Tcp, Unix }, self.get_mut(), s => Pin::new(s).poll_shutdown(cx))
    }
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(Io { Plain, Server, Client }, self.get_mut(), s => Pin::new(s).poll_read(cx, buf))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(Io { Plain, Server, Client }, self.get_mut(), s => Pin::new(s).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(Io { Plain, Server, Client }, self.get_mut(), s => {
            Pin::new(s).poll_write_vectored(cx, bufs)
        })
    }

    fn is_write_vectored(&self) -> bool {
        each!(Io { Plain, Server, Client }, self, s => s.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(Io { Plain, Server, Client }, self.get_mut(), s => Pin::new(s).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(Io { Plain, Server, Client }, self.get_mut(), s => Pin::new(s).poll_shutdown(cx))
    }
}

/// A stream some of whose bytes have been read already: what protocol detection hands on.
#[derive(Debug)]
pub struct Rewound {
    read: BytesMut,
    io: Io,
}

impl Rewound {
    pub fn new(read: BytesMut, io: Io) -> Self {
        Self { read, io }
    }
}

impl AsyncRead for Rewound {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.read.is_empty() {
            return Pin::new(&mut this.io).poll_read(cx, buf);
        }
        let length = this.read.len().min(buf.remaining());
        buf.put_slice(&this.read[..length]);
        this.read.advance(length);
        if this.read.is_empty() {
            // Gives the buffer back: the connection may stay for hours.
            this.read = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

/// Reads what is there into `input`, allocating only once something is.
///
/// `Ok(0)` is the end of the stream.
pub fn poll_fill(
    io: &mut Io,
    cx: &mut Context<'_>,
    input: &mut BytesMut,
    room: usize,
) -> Poll<io::Result<usize>> {
    match io {
        Io::Plain(socket) => {
            if input.capacity() - input.len() < room {
                if input.is_empty() {
                    ready!(socket.poll_read_ready(cx))?;
                }
                buffers::grow(input, room);
            }
            tokio_util::io::poll_read_buf(Pin::new(socket), cx, input)
        }
        Io::Server(stream) => poll_take_plaintext(Pin::new(&mut **stream), cx, input),
        Io::Client(stream) => poll_take_plaintext(Pin::new(&mut **stream), cx, input),
    }
}

/// A TLS record's text is copied once from where rustls keeps it, so an idle connection holds no
/// buffer of ours beside rustls' own.
fn poll_take_plaintext(
    mut stream: Pin<&mut impl AsyncBufRead>,
    cx: &mut Context<'_>,
    input: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    let text = ready!(stream.as_mut().poll_fill_buf(cx))?;
    let length = text.len();
    if length > 0 {
        buffers::grow(input, length);
        input.extend_from_slice(text);
        stream.consume(length);
    }
    Poll::Ready(Ok(length))
}
