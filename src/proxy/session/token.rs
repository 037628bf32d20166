//! A session as text: 24 bytes in base64url (RFC 4648 §5), without padding.

use std::fmt;

use super::{BackendId, Session};

const BYTES: usize = 24;
const CHARACTERS: usize = BYTES / 3 * 4;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The text of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token([u8; CHARACTERS]);

impl Token {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| fmt::Write::write_char(f, char::from(byte)))
    }
}

impl Session {
    pub fn encode(&self) -> Token {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&self.backend.0.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.endpoint.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.started.to_be_bytes());
        bytes[20..].copy_from_slice(&self.seen.to_be_bytes());
        let mut text = [0; CHARACTERS];
        for (from, to) in bytes.chunks_exact(3).zip(text.chunks_exact_mut(4)) {
            let group = u32::from_be_bytes([0, from[0], from[1], from[2]]);
            for (position, character) in to.iter_mut().enumerate() {
                *character = ALPHABET[(group >> (18 - 6 * position)) as usize & 63];
            }
        }
        Token(text)
    }

    /// Exactly what `encode` writes, else `None`.
    pub fn decode(token: &[u8]) -> Option<Self> {
        let token: &[u8; CHARACTERS] = token.try_into().ok()?;
        let mut bytes = [0; BYTES];
        for (from, to) in token.chunks_exact(4).zip(bytes.chunks_exact_mut(3)) {
            let mut group = 0;
            for &character in from {
                group = group << 6 | value_of(character)?;
            }
            to.copy_from_slice(&group.to_be_bytes()[1..]);
        }
        let [b0, b1, b2, b3, b4, b5, b6, b7, e0, e1, e2, e3, e4, e5, e6, e7, times @ ..] = bytes;
        let [s0, s1, s2, s3, t0, t1, t2, t3] = times;
        Some(Self {
            backend: BackendId(u64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7])),
            endpoint: u64::from_be_bytes([e0, e1, e2, e3, e4, e5, e6, e7]),
            started: u32::from_be_bytes([s0, s1, s2, s3]),
            seen: u32::from_be_bytes([t0, t1, t2, t3]),
        })
    }
}

fn value_of(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}
