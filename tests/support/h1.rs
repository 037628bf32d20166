//! HTTP/1.1 as naively as it can be read, shared by clients and upstreams.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What carries bytes: TCP, TLS, a Unix socket.
pub trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

/// A stream with what was read of it and not yet taken.
pub struct Wire {
    pub stream: Box<dyn Bytes>,
    pub read: Vec<u8>,
}

/// A start line and its fields, names in lower case.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub line: String,
    pub fields: Vec<(String, String)>,
}

/// A body that was read to its end.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The first [`KEPT`] bytes.
    pub bytes: Vec<u8>,
    pub length: u64,
    pub trailers: Vec<(String, String)>,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    None,
    Length(u64),
    Chunked,
    Close,
}

/// Bytes of a body that are kept.
const KEPT: usize = 1024 * 1024;

/// The stream ended, or was broken off, where a message was not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenOff(pub String);

impl Head {
    /// The one field of that name, or nothing.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|field| field.0 == name);
        let value = values.next().map(|field| field.1.as_str());
        assert!(values.next().is_none(), "{name} stands there more than once: {self:?}");
        value
    }

    /// What the framing fields say; `Close` where they say nothing.
    pub fn framing(&self) -> Framing {
        match (self.get("transfer-encoding"), self.get("content-length")) {
            (Some("chunked"), None) => Framing::Chunked,
            (None, Some(length)) => Framing::Length(length.parse().unwrap()),
            (None, None) => Framing::Close,
            both => panic!("framing {both:?}"),
        }
    }
}

impl Wire {
    pub fn new(stream: impl Bytes + 'static) -> Self {
        Self { stream: Box::new(stream), read: Vec::new() }
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }

    /// Reads once; 0 at the end.
    pub async fn fill(&mut self) -> Result<usize, BrokenOff> {
        self.read.reserve(64 * 1024);
        self.stream.read_buf(&mut self.read).await.map_err(|error| BrokenOff(error.to_string()))
    }

    async fn more(&mut self, what: &str) -> Result<(), BrokenOff> {
        match self.fill().await? {
            0 => Err(BrokenOff(format!("the end, in {what}"))),
            _ => Ok(()),
        }
    }

    /// The next head; `None` when the stream ends before its first byte.
    pub async fn head(&mut self) -> Result<Option<Head>, BrokenOff> {
        loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                let text: Vec<u8> = self.read.drain(..end + 4).collect();
                return Ok(Some(parse(&String::from_utf8_lossy(&text))));
            }
            if self.fill().await? == 0 {
                return match self.read.is_empty() {
                    true => Ok(None),
                    false => Err(BrokenOff("the end, in a head".to_owned())),
                };
            }
        }
    }

    /// A line without its CRLF.
    pub async fn line(&mut self) -> Result<String, BrokenOff> {
        loop {
            if let Some(end) = find(&self.read, b"\r\n") {
                let line: Vec<u8> = self.read.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.more("a line").await?;
        }
    }

    pub async fn body(&mut self, framing: Framing) -> Result<Body, BrokenOff> {
        let mut body = Body::default();
        match framing {
            Framing::None => {}
            Framing::Length(length) => self.exactly(length, &mut body).await?,
            Framing::Close => loop {
                let rest = std::mem::take(&mut self.read);
                body.take(&rest);
                if self.fill().await? == 0 {
                    break;
                }
            },
            Framing::Chunked => self.chunks(&mut body).await?,
        }
        Ok(body)
    }

    async fn chunks(&mut self, body: &mut Body) -> Result<(), BrokenOff> {
        loop {
            let line = self.line().await?;
            let size = u64::from_str_radix(&line, 16).unwrap_or_else(|_| panic!("chunk {line:?}"));
            if size == 0 {
                loop {
                    let line = self.line().await?;
                    if line.is_empty() {
                        return Ok(());
                    }
                    body.trailers.push(field(&line));
                }
            }
            self.exactly(size, body).await?;
            assert_eq!(self.line().await?, "", "behind a chunk");
        }
    }

    async fn exactly(&mut self, mut length: u64, body: &mut Body) -> Result<(), BrokenOff> {
        while length > 0 {
            if self.read.is_empty() {
                self.more("a body").await?;
            }
            let here = self.read.len().min(usize::try_from(length).unwrap());
            body.take(&self.read[..here]);
            self.read.drain(..here);
            length -= here as u64;
        }
        Ok(())
    }

    /// Everything up to the end, however it comes.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await.is_ok_and(|read| read > 0) {}
        std::mem::take(&mut self.read)
    }
}

impl Body {
    fn take(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let room = KEPT - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

fn parse(text: &str) -> Head {
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    Head { line, fields: lines.map(field).collect() }
}

fn field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no field: {line:?}"));
    assert_eq!(name, name.trim(), "space around a field's name");
    (name.to_ascii_lowercase(), value.trim().to_owned())
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
