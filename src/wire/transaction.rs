//! All changes of one generation in messages of a bounded size, and back.
//!
//! The messages are those of Envoy's delta discovery (`DeltaDiscoveryResponse`), with one type of
//! resource. `system_version_info` is the generation; the nonce, `GENERATION/N/M`, says which of
//! how many messages it is, and a receiver applies nothing before it has all of them. It answers
//! once, with the last one's nonce.

use std::ops::Range;
use std::sync::Arc;

use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryResponse, Resource};
use envoy_types::pb::google::protobuf::Any;

use crate::limits;
use crate::model::{Part, PartHash};

/// The one type of resource.
pub const TYPE_URL: &str = "type.meshctl.dev/meshctl.parts.v1.Part";

/// A part, ready to travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// See [`super::name`].
    pub name: Arc<str>,
    /// Of the bytes: two senders of one version agree on it, and a sender that writes more of a
    /// part than the one before does not.
    pub version: Arc<str>,
    pub bytes: Vec<u8>,
}

impl Parcel {
    pub fn pack(part: &Part) -> Self {
        let bytes = super::encode(part);
        let version = format!("{:?}", PartHash::of(&bytes)).into();
        Self { name: super::name(part.key()).into(), version, bytes }
    }

    /// What it takes in a message, at the most.
    fn size(&self) -> usize {
        self.name.len() + self.version.len() + self.bytes.len() + TYPE_URL.len() + FRAME
    }
}

/// Tags and lengths of a resource and what it holds.
const FRAME: usize = 64;

/// One transaction on its way out; the messages are made as they are asked for.
#[derive(Debug)]
pub struct Outgoing {
    generation: u64,
    parcels: Vec<Arc<Parcel>>,
    removed: Vec<Arc<str>>,
    /// What each message holds of the two lists.
    messages: Vec<(Range<usize>, Range<usize>)>,
    next: usize,
}

impl Outgoing {
    pub fn new(generation: u64, parcels: Vec<Arc<Parcel>>, removed: Vec<Arc<str>>) -> Self {
        Self::within(limits::WIRE_MESSAGE_BYTES, generation, parcels, removed)
    }

    /// Messages of up to `most` bytes; a larger parcel has one for itself. At least one message.
    pub(super) fn within(
        most: usize,
        generation: u64,
        parcels: Vec<Arc<Parcel>>,
        removed: Vec<Arc<str>>,
    ) -> Self {
        let sizes = parcels.iter().map(|parcel| parcel.size());
        let sizes = sizes.chain(removed.iter().map(|name| name.len() + FRAME));
        let (mut messages, mut start, mut bytes, mut end) = (Vec::new(), 0, 0, 0);
        let count = parcels.len();
        let cut = |range: Range<usize>| {
            let of_removed = range.start.max(count) - count..range.end.max(count) - count;
            (range.start.min(count)..range.end.min(count), of_removed)
        };
        for size in sizes {
            if end > start && bytes + size > most {
                messages.push(cut(start..end));
                (start, bytes) = (end, 0);
            }
            (end, bytes) = (end + 1, bytes + size);
        }
        messages.push(cut(start..end));
        Self { generation, parcels, removed, messages, next: 0 }
    }

    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What an answer to the whole is known by.
    pub fn nonce(&self) -> String {
        nonce(self.generation, self.messages.len(), self.messages.len())
    }
}

impl Iterator for Outgoing {
    type Item = DeltaDiscoveryResponse;

    fn next(&mut self) -> Option<DeltaDiscoveryResponse> {
        let (parcels, removed) = self.messages.get(self.next)?.clone();
        self.next += 1;
        Some(DeltaDiscoveryResponse {
            system_version_info: self.generation.to_string(),
            resources: self.parcels[parcels].iter().map(|parcel| resource(parcel)).collect(),
            type_url: TYPE_URL.to_owned(),
            removed_resources: self.removed[removed].iter().map(ToString::to_string).collect(),
            nonce: nonce(self.generation, self.next, self.messages.len()),
            ..DeltaDiscoveryResponse::default()
        })
    }
}

fn nonce(generation: u64, number: usize, of: usize) -> String {
    format!("{generation}/{number}/{of}")
}

fn resource(parcel: &Parcel) -> Resource {
    Resource {
        name: parcel.name.to_string(),
        version: parcel.version.to_string(),
        resource: Some(Any { type_url: TYPE_URL.to_owned(), value: parcel.bytes.clone() }),
        ..Resource::default()
    }
}

/// A whole transaction that has come in.
#[derive(Debug, PartialEq, Eq)]
pub struct Transaction {
    pub generation: u64,
    /// For the answer.
    pub nonce: String,
    pub parcels: Vec<Parcel>,
    pub removed: Vec<String>,
}

/// Messages on their way in, until they are a whole transaction.
#[derive(Debug, Default)]
pub struct Incoming {
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    transaction: Transaction,
    seen: usize,
    of: usize,
    bytes: usize,
}

impl Incoming {
    /// The transaction that this message completes. An error ends the conversation: the other
    /// side doesn't speak as we do.
    pub fn take(&mut self, message: DeltaDiscoveryResponse) -> Result<Option<Transaction>, String> {
        if message.type_url != TYPE_URL {
            return Err(format!("a message is of type `{}`", message.type_url));
        }
        let (generation, number, of) = read_nonce(&message.nonce)
            .ok_or_else(|| format!("a message has the nonce `{}`", message.nonce))?;
        let mut begun = match self.begun.take() {
            None => Begun::new(generation, of),
            Some(begun) => begun,
        };
        if (begun.transaction.generation, begun.seen + 1, begun.of) != (generation, number, of) {
            return Err(format!("message `{}` is out of order", message.nonce));
        }
        begun.seen = number;
        begun.add(message)?;
        if number < of {
            self.begun = Some(begun);
            return Ok(None);
        }
        Ok(Some(begun.transaction))
    }
}

impl Begun {
    fn new(generation: u64, of: usize) -> Self {
        let transaction = Transaction {
            generation,
            nonce: String::new(),
            parcels: Vec::new(),
            removed: Vec::new(),
        };
        Self { transaction, seen: 0, of, bytes: 0 }
    }

    fn add(&mut self, message: DeltaDiscoveryResponse) -> Result<(), String> {
        for resource in message.resources {
            let bytes = resource.resource.map(|any| any.value).unwrap_or_default();
            let parcel =
                Parcel { name: resource.name.into(), version: resource.version.into(), bytes };
            self.bytes += parcel.size();
            self.transaction.parcels.push(parcel);
        }
        self.bytes +=
            message.removed_resources.iter().map(|name| name.len() + FRAME).sum::<usize>();
        self.transaction.removed.extend(message.removed_resources);
        self.transaction.nonce = message.nonce;
        if self.bytes > limits::WIRE_TRANSACTION_BYTES {
            return Err(format!("a transaction exceeds {} bytes", limits::WIRE_TRANSACTION_BYTES));
        }
        Ok(())
    }
}

fn read_nonce(text: &str) -> Option<(u64, usize, usize)> {
    let mut numbers = text.split('/');
    let generation = numbers.next()?.parse().ok()?;
    let number = numbers.next()?.parse().ok()?;
    let of = numbers.next()?.parse().ok()?;
    (numbers.next().is_none() && (1..=of).contains(&number)).then_some((generation, number, of))
}
