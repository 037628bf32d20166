//! Session persistence: the token by which a client comes back to its endpoint (GEP-1619).
//!
//! A token names rule, backend and endpoint by hashes and carries two times. It needs no state, so
//! it outlives restarts and every replica understands it. It is not authenticated: a key would
//! have to be shared by all replicas to be worth anything, and who forges a token gains a session
//! without an end and the choice among the endpoints that the rule may use. Those of a backend of
//! weight 0 are among them, because GEP-1619 keeps sessions there alive. Nor does a token hide an
//! address from someone who hashes all of them; it names none in plain.
//!
//! This module must not know balancing: what a token names may be gone, out or full.

mod token;

use std::time::Duration;

use xxhash_rust::xxh64::xxh64;

use super::balance::EndpointGroup;
use super::cookie;
use super::message::Fields;
use crate::clock::Instant;
use crate::limits;
use crate::model::{Address, PartKey, SessionPersistence};

pub use token::Token;

/// A backend as one rule's sessions name it. Rules never share sessions, even where they share a
/// backend and a cookie's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendId(u64);

impl BackendId {
    /// For a worker's view of the rule, not per request.
    pub fn new(rule: &PartKey, backend: &PartKey) -> Self {
        Self(xxh64(format!("{rule}\n{backend}").as_bytes(), SEED))
    }
}

/// Changes with the format: tokens of another one match nothing.
const SEED: u64 = 1;

/// An endpoint as sessions name it.
pub fn endpoint_id(address: &Address) -> u64 {
    xxh64(address.to_string().as_bytes(), SEED)
}

/// What a token says. Times are seconds since the Unix epoch (u32: until 2106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub backend: BackendId,
    pub endpoint: u64,
    started: u32,
    seen: u32,
}

impl Session {
    /// `now` is `clock::since_epoch`, here and below.
    pub fn new(backend: BackendId, address: &Address, now: Duration) -> Self {
        let now = seconds(now);
        Self { backend, endpoint: endpoint_id(address), started: now, seen: now }
    }

    /// The live sessions that a request brings. A client may bring several of one name, from other
    /// paths and earlier configurations; one that can't be read is passed over.
    pub fn of_request(
        persistence: &SessionPersistence,
        fields: &Fields,
        now: Duration,
    ) -> impl Iterator<Item = Self> {
        let name = &*persistence.name;
        let cookies = persistence.cookie.as_ref().map(|_| cookie::values(fields, name));
        let headers = persistence.cookie.is_none().then(|| {
            let is_ours = |field: &[u8]| field.eq_ignore_ascii_case(name.as_bytes());
            fields.iter().filter(move |field| is_ours(field.0)).map(|field| field.1)
        });
        cookies
            .into_iter()
            .flatten()
            .chain(headers.into_iter().flatten())
            .filter_map(Self::decode)
            .filter(move |session| session.is_live(persistence, now))
    }

    /// Whether neither timeout has passed. A token from the future never ends, so it isn't one.
    pub fn is_live(&self, persistence: &SessionPersistence, now: Duration) -> bool {
        let now = seconds(now);
        let latest = now.saturating_add(seconds(limits::CLOCK_SKEW));
        let ended = |since: u32, timeout: Option<Duration>| {
            timeout.is_some_and(|timeout| now.saturating_sub(since) >= seconds(timeout).max(1))
        };
        self.started <= latest
            && self.seen <= latest
            && !ended(self.started, persistence.absolute_timeout)
            && !ended(self.seen, persistence.idle_timeout)
    }

    /// The position of the session's endpoint, for a group of the session's backend; `None` when
    /// it is gone or out, and the request is balanced anew.
    pub fn find(&self, group: &EndpointGroup, now: Instant) -> Option<usize> {
        group.position_of_session(self.endpoint).filter(|&index| !group.is_out(index, now))
    }

    /// The session to send back to its client, when only that keeps it from going idle. A tenth of
    /// the timeout late, so that not every answer carries a cookie.
    pub fn refreshed(self, persistence: &SessionPersistence, now: Duration) -> Option<Self> {
        let idle_timeout = persistence.idle_timeout?;
        let now = seconds(now);
        let stale = now.saturating_sub(self.seen) >= (seconds(idle_timeout) / 10).max(1);
        stale.then_some(Self { seen: now, ..self })
    }

    /// Adds the session to a response's fields. `secure`: the client came by TLS.
    ///
    /// `Path` is always `/`. GEP-1619 once had it made from the path that matched; it now demands
    /// `/`, because that says nothing for regular expressions and breaks where a proxy in front
    /// rewrites paths. Rules stay apart by the cookie's name and by what the token names.
    ///
    /// `SameSite` is Lax where GEP-1619 proposes Strict: with Strict, whoever returns by a link
    /// from a sign-in or payment page comes without the cookie, lands elsewhere and loses the
    /// session for good. The token carries no authority, so there is nothing for Strict to protect.
    pub fn announce(
        &self,
        persistence: &SessionPersistence,
        secure: bool,
        now: Duration,
        fields: &mut Fields,
    ) {
        let token = self.encode();
        let name = &persistence.name;
        let Some(cookie) = &persistence.cookie else {
            fields.remove(&name.to_ascii_lowercase());
            fields.push(name.as_bytes(), token.as_bytes());
            return;
        };
        let mut value = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax");
        if secure {
            value.push_str("; Secure");
        }
        if let Some(timeout) = persistence.absolute_timeout.filter(|_| cookie.permanent) {
            let age = seconds(now).saturating_sub(self.started);
            value.push_str(&format!("; Max-Age={}", seconds(timeout).saturating_sub(age)));
        }
        fields.push(b"set-cookie", value.as_bytes());
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
