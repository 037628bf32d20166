//! Bodies.

use bytes::{Bytes, BytesMut};

use crate::proxy::message::{BodyLength, Fields};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// What a chunked body breaks.
    Chunk(&'static str),
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
        ""
    }
}

#[derive(Debug)]
pub enum Decoded {
    /// Never empty.
    Data(Bytes),
    /// Never empty; `End` follows.
    Trailers(Fields),
    /// Nothing of `input` behind the body has been touched.
    End,
    NeedMore,
}

#[derive(Debug)]
pub struct BodyDecoder {}

impl BodyDecoder {
    pub fn new(_length: BodyLength) -> Self {
        Self {}
    }

    pub fn decode(&mut self, _input: &mut BytesMut) -> Result<Decoded, BodyError> {
        Ok(Decoded::NeedMore)
    }

    /// The peer has closed and `input` is used up: fine for `UntilClose`, else `Truncated`.
    pub fn closed(&mut self) -> Result<(), BodyError> {
        Ok(())
    }

    pub fn is_done(&self) -> bool {
        false
    }
}

#[derive(Debug)]
pub struct BodyEncoder {}

impl BodyEncoder {
    pub fn new(_length: BodyLength) -> Self {
        Self {}
    }

    /// What goes before `len` bytes of data (`len` 0 writes nothing, in `end_data` too).
    pub fn start_data(&mut self, _len: usize, _out: &mut Vec<u8>) -> Result<(), BodyError> {
        Ok(())
    }

    /// What goes behind the data of the last `start_data`.
    pub fn end_data(&mut self, _out: &mut Vec<u8>) {}

    /// Both, with a copy of the data between.
    pub fn data(&mut self, _data: &[u8], _out: &mut Vec<u8>) -> Result<(), BodyError> {
        Ok(())
    }

    /// The end mark; trailers go out only in chunks.
    pub fn finish(
        &mut self,
        _trailers: Option<&Fields>,
        _out: &mut Vec<u8>,
    ) -> Result<(), BodyError> {
        Ok(())
    }
}
