//! Parts as bytes: what travels between controller and proxy, and what a proxy saves.
//!
//! The bytes are protobuf (`messages`, package `meshctl.parts.v1`). Both directions name every
//! field of the model, so a new one doesn't compile until it travels. A reader refuses what it
//! does not understand and says what that is: a field that is passed over may be the one that
//! protects something. What arrives is checked as lowering checks it, for the model's types
//! promise that their values are right.
//!
//! This module must not know who sends to whom, over what, or where anything is saved.

mod backend;
mod certificate;
mod check;
mod filter;
pub mod hello;
mod key;
mod listener;
mod messages;
mod numbers;
pub mod relay;
pub mod report;
mod rule;
pub mod transaction;

use std::fmt;

use prost::Message;

use crate::model::{Part, PartKey};
use messages::OnePart;

pub use key::name;

/// What went wrong with a part on its way in. Reads as the end of "HTTPRoute shop/web#0: …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireError {
    /// No protobuf, or not in the form that we write.
    Malformed(String),
    /// A value that this version has no meaning for: the sender is newer.
    Unknown {
        what: &'static str,
        value: String,
    },
    /// A field that this version has no meaning for.
    UnknownField,
    Missing(&'static str),
    Invalid {
        what: &'static str,
        why: String,
    },
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "it can't be read: {why}"),
            Self::Unknown { what, value } => {
                write!(f, "its {what} `{value}` is not known to this version")
            }
            Self::UnknownField => f.write_str("it has a field that is not known to this version"),
            Self::Missing(what) => {
                write!(f, "its {what} is missing, or of a kind that is not known to this version")
            }
            Self::Invalid { what, why } => write!(f, "its {what} is not valid: {why}"),
        }
    }
}

impl std::error::Error for WireError {}

/// The same part has the same bytes, always.
pub fn encode(part: &Part) -> Vec<u8> {
    let one = match part {
        Part::Listener(listener) => OnePart::Listener(listener::write(listener)),
        Part::Rule(rule) => OnePart::Rule(rule::write(rule)),
        Part::Backend(backend) => OnePart::Backend(backend::write(backend)),
        Part::EndpointSet(set) => OnePart::EndpointSet(backend::write_endpoints(set)),
        Part::Certificate(certificate) => OnePart::Certificate(certificate::write(certificate)),
    };
    messages::Part { one: Some(one) }.encode_to_vec()
}

/// A part as good as one that lowering made, or why there is none.
pub fn decode(bytes: &[u8]) -> Result<Part, WireError> {
    let message =
        messages::Part::decode(bytes).map_err(|error| WireError::Malformed(error.to_string()))?;
    // Prost passes over what it doesn't know. We write each field once, in order and without
    // defaults, so what is left out here is what makes the difference in length.
    let whole = message.encoded_len() == bytes.len();
    let part = match message.one.ok_or(WireError::Missing("content"))? {
        OnePart::Listener(listener) => Part::Listener(listener::read(listener)?.into()),
        OnePart::Rule(rule) => Part::Rule(rule::read(rule)?.into()),
        OnePart::Backend(backend) => Part::Backend(backend::read(backend)?.into()),
        OnePart::EndpointSet(set) => Part::EndpointSet(backend::read_endpoints(set)?.into()),
        OnePart::Certificate(certificate) => {
            Part::Certificate(certificate::read(certificate)?.into())
        }
    };
    if whole { Ok(part) } else { Err(WireError::UnknownField) }
}

/// Whether a part stands under its own key's kind.
fn of_kind(key: PartKey, kind: crate::model::PartKind) -> Result<PartKey, WireError> {
    if key.part == kind {
        return Ok(key);
    }
    let why = format!("it is of {} where {} belongs", key.part.as_str(), kind.as_str());
    Err(WireError::Invalid { what: "key", why })
}

#[cfg(test)]
mod tests;
