//! The name of one request in every log that it passes.

use std::fmt;

use crate::limits;

/// Kept in place: a Record holds one without touching the heap.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId {
    bytes: [u8; limits::REQUEST_ID_BYTES],
    len: u8,
}

impl RequestId {
    /// A random (version 4) UUID, the shape that most systems expect. It names, it doesn't
    /// protect: a fast generator will do.
    pub fn new(rng: &mut fastrand::Rng) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        // RFC 9562 §5.4: version in the 7th byte, variant in the 9th.
        let random = rng.u128(..) & !(0xf000 << 64) & !(0b11 << 62);
        let random = (random | (0x4000 << 64) | (0b10 << 62)).to_be_bytes();
        let mut bytes = [0; limits::REQUEST_ID_BYTES];
        let mut at = 0;
        for (position, byte) in random.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                bytes[at] = b'-';
                at += 1;
            }
            bytes[at] = HEX[usize::from(byte >> 4)];
            bytes[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        Self { bytes, len: 36 }
    }

    /// A trusted hop's, where it is short and plain enough for every log and query.
    pub fn accept(value: &[u8]) -> Option<Self> {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:+/=@".contains(b);
        if value.is_empty() || !value.iter().all(plain) {
            return None;
        }
        let mut bytes = [0; limits::REQUEST_ID_BYTES];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        Some(Self { bytes, len: u8::try_from(value.len()).ok()? })
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("both makers write ASCII")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
