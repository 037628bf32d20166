//! Whose request it is, and what the backend is told about it.
//!
//! One rule decides all: **what isn't believed isn't sent on.** `trusted_hops` proxies in front
//! of us are ours; that many entries at the end of `X-Forwarded-For` (or `Forwarded`) were
//! written by them and are believed, everything to their left was written by a stranger.
//! Without trusted hops every field that could pass for a proxy's word is dropped, also in the
//! spellings that CGI-like backends can't tell apart (`x_forwarded_for`).
//!
//! What is sent on: `X-Forwarded-For` (the believed entries, then our peer), `-Proto`, `-Host`,
//! `-Port`, `X-Request-Id` and `Via`. `Forwarded` (RFC 7239, the standard's answer to them, which few backends
//! read) is continued only where a trusted hop sent it, so that requests don't carry everything
//! twice.
//!
//! Where the two disagree about the client, `X-Forwarded-For` wins and `Forwarded` ends here:
//! nearly every load balancer writes the former and passes the latter on as the client sent it.
//! In front of a proxy that writes `Forwarded` alone, `X-Forwarded-For` must be removed there.
//!
//! The codec has removed hop-by-hop fields and those that `Connection` lists before any of this,
//! so a client can't have ours removed. Nothing here reads a clock or a configuration.

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use hops::Believed;

use super::message::{Fields, RequestHead, ResponseHead, Version};
use crate::{limits, names};

mod element;
mod hops;
mod request_id;
mod strangers;
mod trace;

pub use request_id::RequestId;
pub use trace::TraceParent;

/// What the connection of a request says, after the PROXY protocol had its word.
#[derive(Clone, Copy, Debug)]
pub struct Inbound<'a> {
    pub peer: SocketAddr,
    /// Where the client connected to: its port is what `X-Forwarded-Port` says where no trusted
    /// hop says otherwise.
    pub local: SocketAddr,
    /// TLS ends here.
    pub secure: bool,
    pub trusted_hops: u8,
    /// Our pseudonym (`ListenerSettings::via`).
    pub via: &'a str,
}

/// Whose request it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client's address as far as we can trust it; IPv4 is never mapped.
    pub client: IpAddr,
    /// The client spoke https, here or to a trusted hop in front.
    pub secure: bool,
    /// The port that the client spoke to, as a trusted hop tells it.
    pub port: Option<u16>,
    pub request_id: RequestId,
    /// A valid `traceparent` that was there, and is sent on as it is.
    pub trace: Option<TraceParent>,
}

/// Finds out whose request it is and leaves in its fields what may be believed and sent on. To be
/// called once per request, before routing, so that routes match on what is true.
pub fn receive(head: &mut RequestHead, inbound: &Inbound<'_>, rng: &mut fastrand::Rng) -> Origin {
    let trusted = inbound.trusted_hops > 0;
    let (believed, known_id) = if trusted {
        let id = head.fields.get(names::HEADER_REQUEST_ID).and_then(RequestId::accept);
        (hops::believed(&head.fields, inbound), id)
    } else {
        (Believed::nothing(inbound), None)
    };
    let request_id = known_id.unwrap_or_else(|| RequestId::new(rng));
    let trace = trace::keep_valid(&mut head.fields);
    if trusted {
        strangers::drop_replaced(&mut head.fields);
    } else {
        strangers::drop_all(&mut head.fields);
    }
    let Believed { client, secure, port, .. } = believed;
    tell(head, believed, inbound);
    head.fields.push(names::HEADER_REQUEST_ID.as_bytes(), request_id.as_str().as_bytes());
    push_via(&mut head.fields, head.version, inbound.via);
    Origin { client, secure, port, request_id, trace }
}

/// Writes what the backend is to know of the client.
fn tell(head: &mut RequestHead, believed: Believed, inbound: &Inbound<'_>) {
    let RequestHead { fields, authority, .. } = head;
    let mut push = |name: &str, value: &[u8]| fields.push(name.as_bytes(), value);
    push(names::HEADER_FORWARDED_FOR, &believed.forwarded_for(inbound.peer.ip()));
    let proto: &[u8] = if believed.secure { b"https" } else { b"http" };
    push(names::HEADER_FORWARDED_PROTO, proto);
    let host = believed.host.as_deref().unwrap_or(authority.as_bytes());
    if !host.is_empty() {
        push(names::HEADER_FORWARDED_HOST, host);
    }
    let port = believed.port.unwrap_or(inbound.local.port());
    push(names::HEADER_FORWARDED_PORT, itoa::Buffer::new().format(port).as_bytes());
    if let Some(mut forwarded) = believed.forwarded {
        element::append(&mut forwarded, authority, inbound);
        push(names::HEADER_FORWARDED, &forwarded);
    }
}

/// Marks a backend's response on its way to the client. `Server` stays the backend's. What an
/// inner meshctl says about causes is for trusted clients alone.
pub fn send_back(head: &mut ResponseHead, via: &str, trusted_client: bool) {
    if !trusted_client {
        head.fields.remove(names::HEADER_CAUSE);
    }
    push_via(&mut head.fields, head.version, via);
}

/// Marks a response that is our own: its request id, and to trusted clients why.
pub fn mark_own(
    head: &mut ResponseHead,
    id: &RequestId,
    cause: Option<crate::model::Cause>,
    trusted_client: bool,
) {
    head.fields.set(names::HEADER_REQUEST_ID, id.as_str().as_bytes());
    match cause {
        Some(cause) if trusted_client => {
            head.fields.set(names::HEADER_CAUSE, cause.word().as_bytes());
        }
        _ => {
            head.fields.remove(names::HEADER_CAUSE);
        }
    }
}

/// Whether a request goes round: it has passed more than `limits::VIA_PASSES` proxies of our
/// pseudonym (RFC 9110 §7.6.3). A client that forges as many refuses only itself. To be asked
/// before [`receive`] adds this pass.
pub fn is_loop(fields: &Fields, via: &str) -> bool {
    passes(fields, via) > limits::VIA_PASSES
}

fn passes(fields: &Fields, via: &str) -> usize {
    let is_ours = |member: &&[u8]| {
        // `1.1 pseudonym (comment)`.
        let mut words = member.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let by = words.nth(1);
        by.is_some_and(|by| by.eq_ignore_ascii_case(via.as_bytes()))
    };
    let members = |line: &'_ [u8]| line.split(|b| *b == b',').filter(is_ours).count();
    fields.get_all(names::HEADER_VIA).map(members).sum()
}

/// As another line, so that no joined value is built.
fn push_via(fields: &mut Fields, version: Version, pseudonym: &str) {
    let mut value = SmallVec::<[u8; 64]>::new();
    value.extend_from_slice(match version {
        Version::HTTP_10 => b"1.0 ",
        Version::HTTP_2 => b"2 ",
        Version::HTTP_3 => b"3 ",
        _ => b"1.1 ",
    });
    value.extend_from_slice(pseudonym.as_bytes());
    fields.push(names::HEADER_VIA.as_bytes(), &value);
}

#[cfg(test)]
mod tests;
