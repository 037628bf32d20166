//! Bodies: where they end, and how they are spelled.
//!
//! The decoder gives data out without copying it; chunk extensions are skipped and never passed
//! on. What the encoder writes has one spelling: sizes in lower-case hex without leading zeros.

use std::fmt;
use std::io::Write;

use bytes::{Buf, Bytes, BytesMut};

use super::name::may_trail;
use crate::limits;
use crate::proxy::message::{BodyLength, Fields};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// What a chunked body breaks.
    Chunk(&'static str),
    /// What a trailer section breaks.
    Trailers(&'static str),
    /// The connection ended before the body did.
    Truncated,
    /// More was given to the encoder than the head promised.
    TooLong,
    /// Less was given to the encoder than the head promised.
    TooShort,
}

impl BodyError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Chunk(reason) | Self::Trailers(reason) => reason,
            Self::Truncated => "the connection ended before the body did (RFC 9112 §8)",
            Self::TooLong => "a body that is longer than its Content-Length (RFC 9112 §6.2)",
            Self::TooShort => "a body that is shorter than its Content-Length (RFC 9112 §6.2)",
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

#[derive(Debug)]
pub enum Decoded {
    /// Never empty.
    Data(Bytes),
    /// Never empty; `End` follows.
    Trailers(Box<Fields>),
    /// Nothing of `input` behind the body has been touched.
    End,
    NeedMore,
}

/// Finds a body's end in what the connection brings.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    /// What the chunk extensions of this body have weighed so far.
    extensions: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Sized { left: u64 },
    UntilClose,
    ChunkSize,
    ChunkData { left: u64 },
    ChunkEnd,
    Trailers,
    Done,
}

impl BodyDecoder {
    pub fn new(length: BodyLength) -> Self {
        let state = match length {
            BodyLength::Empty | BodyLength::Sized(0) => State::Done,
            BodyLength::Sized(left) => State::Sized { left },
            BodyLength::Streamed => State::ChunkSize,
            BodyLength::UntilClose => State::UntilClose,
        };
        Self { state, extensions: 0 }
    }

    /// The next thing in `input`. An error is final: the connection must close.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, BodyError> {
        loop {
            match self.state {
                State::Done => return Ok(Decoded::End),
                _ if input.is_empty() => return Ok(Decoded::NeedMore),
                State::UntilClose => return Ok(Decoded::Data(input.split().freeze())),
                State::Sized { left } => {
                    let (data, left) = take(input, left);
                    self.state = if left == 0 { State::Done } else { State::Sized { left } };
                    return Ok(Decoded::Data(data));
                }
                State::ChunkData { left } => {
                    let (data, left) = take(input, left);
                    self.state =
                        if left == 0 { State::ChunkEnd } else { State::ChunkData { left } };
                    return Ok(Decoded::Data(data));
                }
                State::ChunkSize => match self.chunk_size(input)? {
                    None => return Ok(Decoded::NeedMore),
                    Some(0) => self.state = State::Trailers,
                    Some(left) => self.state = State::ChunkData { left },
                },
                State::ChunkEnd => {
                    if !input.starts_with(&b"\r\n"[..input.len().min(2)]) {
                        return Err(BodyError::Chunk(
                            "a chunk that is longer than its size (RFC 9112 §7.1)",
                        ));
                    }
                    if input.len() < 2 {
                        return Ok(Decoded::NeedMore);
                    }
                    input.advance(2);
                    self.state = State::ChunkSize;
                }
                State::Trailers => return self.trailers(input),
            }
        }
    }

    /// The peer has closed and `input` is used up: fine for `UntilClose`, else `Truncated`.
    pub fn closed(&mut self) -> Result<(), BodyError> {
        match self.state {
            State::UntilClose | State::Done => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(BodyError::Truncated),
        }
    }

    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// One line `size [";" extensions] CRLF`.
    fn chunk_size(&mut self, input: &mut BytesMut) -> Result<Option<u64>, BodyError> {
        let window = &input[..input.len().min(limits::CHUNK_LINE_BYTES)];
        let Some(end) = memchr::memchr2(b'\r', b'\n', window) else {
            read_size(window)?;
            return if window.len() == limits::CHUNK_LINE_BYTES {
                Err(LINE_TOO_LONG)
            } else {
                Ok(None)
            };
        };
        let (size, extensions) = read_size(&window[..end])?;
        match window[end..] {
            [b'\r'] if window.len() < limits::CHUNK_LINE_BYTES => return Ok(None),
            [b'\r', b'\n', ..] => {}
            [b'\r'] => return Err(LINE_TOO_LONG),
            _ => {
                return Err(BodyError::Chunk(
                    "a chunk line that does not end in CRLF (RFC 9112 §7.1)",
                ));
            }
        }
        self.extensions += extensions;
        if self.extensions > limits::CHUNK_EXTENSION_BYTES {
            return Err(BodyError::Chunk("chunk extensions above the limit (RFC 9112 §7.1.1)"));
        }
        let size = size.ok_or(BodyError::Chunk("a chunk without a size (RFC 9112 §7.1)"))?;
        input.advance(end + 2);
        Ok(Some(size))
    }

    fn trailers(&mut self, input: &mut BytesMut) -> Result<Decoded, BodyError> {
        let window = &input[..input.len().min(limits::TRAILER_BYTES)];
        let mut slots = [httparse::EMPTY_HEADER; limits::HEADERS];
        match httparse::parse_headers(window, &mut slots) {
            Ok(httparse::Status::Partial) if window.len() == limits::TRAILER_BYTES => {
                Err(BodyError::Trailers("a trailer section above the limit"))
            }
            Ok(httparse::Status::Partial) => Ok(Decoded::NeedMore),
            Err(httparse::Error::TooManyHeaders) => {
                Err(BodyError::Trailers("too many trailer fields"))
            }
            Err(_) => Err(BodyError::Trailers("a trailer that is no field line (RFC 9112 §7.1.2)")),
            Ok(httparse::Status::Complete((consumed, headers))) => {
                // As in a head: httparse lets a bare LF end a line, and a CR only before an LF.
                let lines = memchr::memchr_iter(b'\r', &window[..consumed]).count();
                if lines != headers.len() + 1 {
                    return Err(BodyError::Trailers(
                        "a trailer line that ends in a bare LF (RFC 9112 §2.2)",
                    ));
                }
                let mut fields = Fields::new();
                for header in headers.iter().filter(|header| may_trail(header.name.as_bytes())) {
                    fields.push(header.name.as_bytes(), header.value);
                }
                input.advance(consumed);
                self.state = State::Done;
                Ok(if fields.is_empty() {
                    Decoded::End
                } else {
                    Decoded::Trailers(Box::new(fields))
                })
            }
        }
    }
}

const LINE_TOO_LONG: BodyError = BodyError::Chunk("a chunk line above the limit (RFC 9112 §7.1.1)");

/// Splits up to `left` bytes off `input`; says how many are still to come.
fn take(input: &mut BytesMut, left: u64) -> (Bytes, u64) {
    let here = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
    (input.split_to(here).freeze(), left - here as u64)
}

/// The size in a chunk line (`None` while no digit has come) and how long its extensions are.
///
/// Strictly `1*HEXDIG` and then the end or a `;`: no sign, no `0x`, no `_`, and no white space,
/// which RFC 9112 §7.1.1 calls bad and which hides a size from another parser. At most 16 digits
/// and below 2^63, because a backend may count in signed numbers.
fn read_size(line: &[u8]) -> Result<(Option<u64>, usize), BodyError> {
    const TOO_LARGE: BodyError = BodyError::Chunk("a chunk size above 2^63 - 1 (RFC 9112 §7.1)");
    let mut size = 0u64;
    for (at, &byte) in line.iter().enumerate() {
        match char::from(byte).to_digit(16) {
            Some(_) if at == 16 => return Err(TOO_LARGE),
            Some(digit) if size >> 59 == 0 => size = size << 4 | u64::from(digit),
            Some(_) => return Err(TOO_LARGE),
            None if byte == b';' && at > 0 => {
                return check_extensions(&line[at..]).map(|len| (Some(size), len));
            }
            None => {
                return Err(BodyError::Chunk(
                    "a chunk size that is not hexadecimal (RFC 9112 §7.1)",
                ));
            }
        }
    }
    Ok(((!line.is_empty()).then_some(size), 0))
}

fn check_extensions(extensions: &[u8]) -> Result<usize, BodyError> {
    if extensions.iter().any(|&byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(BodyError::Chunk("a control byte in a chunk extension (RFC 9112 §7.1.1)"));
    }
    Ok(extensions.len())
}

/// Spells a body as its head has promised it.
#[derive(Debug)]
pub struct BodyEncoder {
    framing: Framing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Sized { left: u64 },
    Chunked { in_chunk: bool },
    UntilClose,
    Done,
}

impl BodyEncoder {
    pub fn new(length: BodyLength) -> Self {
        let framing = match length {
            BodyLength::Empty => Framing::Sized { left: 0 },
            BodyLength::Sized(left) => Framing::Sized { left },
            BodyLength::Streamed => Framing::Chunked { in_chunk: false },
            BodyLength::UntilClose => Framing::UntilClose,
        };
        Self { framing }
    }

    /// What goes before `len` bytes of data. `len` 0 writes nothing, in `end_data` too: an empty
    /// chunk would end the body. `TooLong` when a sized body has no room for them; nothing of
    /// them may be sent then.
    pub fn start_data(&mut self, len: usize, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if len == 0 {
            return Ok(());
        }
        match &mut self.framing {
            Framing::Sized { left } => {
                *left = left.checked_sub(len as u64).ok_or(BodyError::TooLong)?;
            }
            Framing::Chunked { in_chunk } => {
                debug_assert!(!*in_chunk, "the last chunk was not ended");
                *in_chunk = true;
                write!(out, "{len:x}\r\n").expect("a Vec takes everything");
            }
            Framing::UntilClose => {}
            Framing::Done => return Err(BodyError::TooLong),
        }
        Ok(())
    }

    /// What goes behind the data of the last `start_data`.
    pub fn end_data(&mut self, out: &mut Vec<u8>) {
        if let Framing::Chunked { in_chunk } = &mut self.framing
            && std::mem::take(in_chunk)
        {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Both, with a copy of the data between.
    pub fn data(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        self.start_data(data.len(), out)?;
        out.extend_from_slice(data);
        self.end_data(out);
        Ok(())
    }

    /// The end mark; trailers go out only in chunks, and only those that may trail. `TooShort`
    /// when a sized body still owes bytes: the connection must close then.
    pub fn finish(
        &mut self,
        trailers: Option<&Fields>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyError> {
        self.end_data(out);
        match std::mem::replace(&mut self.framing, Framing::Done) {
            Framing::Sized { left: 1.. } => return Err(BodyError::TooShort),
            Framing::Chunked { .. } => {
                out.extend_from_slice(b"0\r\n");
                write_trailers(trailers, out);
                out.extend_from_slice(b"\r\n");
            }
            Framing::Sized { left: 0 } | Framing::UntilClose | Framing::Done => {}
        }
        Ok(())
    }

    /// Bytes that a sized body still owes.
    pub fn owes(&self) -> u64 {
        match self.framing {
            Framing::Sized { left } => left,
            _ => 0,
        }
    }
}

fn write_trailers(trailers: Option<&Fields>, out: &mut Vec<u8>) {
    for (name, value) in trailers.into_iter().flat_map(Fields::iter) {
        debug_assert!(
            !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)),
            "an unchecked trailer"
        );
        if may_trail(name) {
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }
}

#[cfg(test)]
mod tests;
