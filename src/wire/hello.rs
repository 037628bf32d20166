//! What a proxy says: who it is and which parts it has, then one word about each transaction.
//!
//! The messages are those of Envoy's delta discovery (`DeltaDiscoveryRequest`). A list of parts
//! may be longer than a message: the last message of a hello is the one that subscribes.

use std::collections::HashMap;
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::discovery::v3::DeltaDiscoveryRequest;
use envoy_types::pb::google::rpc;

use super::transaction::TYPE_URL;
use crate::limits;
use crate::model::Name;

/// Subscribes to whatever the proxy needs.
const EVERYTHING: &str = "*";
/// gRPC's INVALID_ARGUMENT.
const NOT_DONE: i32 = 3;

/// The process that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub namespace: Name,
    /// Of the pod, or of the machine.
    pub name: Name,
    /// Of the binary.
    pub version: Name,
}

/// A hello, in messages of a bounded size. `held` are names and versions.
pub fn hello<'a>(
    node: &Node,
    held: impl IntoIterator<Item = (&'a Arc<str>, &'a Arc<str>)>,
) -> Vec<DeltaDiscoveryRequest> {
    let Node { namespace, name, version } = node;
    let mut messages = vec![DeltaDiscoveryRequest {
        node: Some(core::Node {
            id: format!("{namespace}/{name}"),
            user_agent_name: crate::names::FIELD_MANAGER.to_owned(),
            user_agent_version_type: Some(core::node::UserAgentVersionType::UserAgentVersion(
                version.to_string(),
            )),
            ..core::Node::default()
        }),
        type_url: TYPE_URL.to_owned(),
        ..DeltaDiscoveryRequest::default()
    }];
    let mut bytes = 0;
    for (name, version) in held {
        let size = name.len() + version.len() + 16;
        if bytes + size > limits::WIRE_MESSAGE_BYTES / 2 {
            messages.push(DeltaDiscoveryRequest {
                type_url: TYPE_URL.to_owned(),
                ..DeltaDiscoveryRequest::default()
            });
            bytes = 0;
        }
        bytes += size;
        if let Some(last) = messages.last_mut() {
            last.initial_resource_versions.insert(name.to_string(), version.to_string());
        }
    }
    if let Some(last) = messages.last_mut() {
        last.resource_names_subscribe.push(EVERYTHING.to_owned());
    }
    messages
}

/// The word about a transaction.
pub fn answer(nonce: &str, outcome: Result<(), String>) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        type_url: TYPE_URL.to_owned(),
        response_nonce: nonce.to_owned(),
        error_detail: outcome.err().map(|message| rpc::Status {
            code: NOT_DONE,
            message,
            details: Vec::new(),
        }),
        ..DeltaDiscoveryRequest::default()
    }
}

/// A hello on its way in.
#[derive(Debug, Default)]
pub struct Greeting {
    /// `NAMESPACE/NAME`, as the other side calls itself; printable, as is the version.
    pub name: String,
    pub version: String,
    pub held: HashMap<Arc<str>, Arc<str>>,
    bytes: usize,
}

impl Greeting {
    /// Whether it is complete now. An error ends the conversation.
    pub fn take(&mut self, message: DeltaDiscoveryRequest) -> Result<bool, String> {
        if message.type_url != TYPE_URL {
            return Err(format!("a message asks for the type `{}`", message.type_url));
        }
        if let Some(node) = message.node {
            self.name = printable(&node.id, limits::WIRE_NAME_CHARS);
            if let Some(core::node::UserAgentVersionType::UserAgentVersion(version)) =
                node.user_agent_version_type
            {
                self.version = printable(&version, limits::WIRE_NAME_CHARS);
            }
        }
        for (name, version) in message.initial_resource_versions {
            self.bytes += name.len() + version.len();
            if self.bytes > limits::WIRE_HELLO_BYTES {
                return Err(format!("the parts' names exceed {} bytes", limits::WIRE_HELLO_BYTES));
            }
            self.held.insert(name.into(), version.into());
        }
        Ok(!message.resource_names_subscribe.is_empty())
    }
}

/// What a proxy says of a transaction: its nonce, and what went wrong.
pub fn read_answer(message: DeltaDiscoveryRequest) -> Option<(String, Result<(), String>)> {
    if message.type_url != TYPE_URL || message.response_nonce.is_empty() {
        return None;
    }
    let outcome = match message.error_detail {
        Some(status) => Err(printable(&status.message, limits::WIRE_TROUBLE_CHARS)),
        None => Ok(()),
    };
    Some((message.response_nonce, outcome))
}

/// The beginning of a text that is shown on terminals and in the status of objects.
pub(super) fn printable(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}
