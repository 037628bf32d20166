//! From a head to its rule: listener by socket and host, rule by everything else.
//!
//! Pure, over one Snapshot: what serves a request and what explains one ask here alike. This
//! module must not know connections, workers or what follows from the rule.

use std::borrow::Cow;
use std::sync::Arc;

use super::message::RequestHead;
use crate::identity::{Sni, sni_host};
use crate::model::{BindAddress, Cause, ListenerProtocol, PartKey};
use crate::snapshot::{Found, ListenerTable, Port, RouteRequest, Snapshot};

/// The listener that a request on this socket means.
pub fn listener<'s>(
    snapshot: &'s Snapshot,
    bind: BindAddress,
    head: &RequestHead,
) -> Result<&'s Arc<ListenerTable>, Cause> {
    let port = snapshot.port(bind).ok_or(Cause::ListenerNotFound)?;
    port.listener_for(head.host()).ok_or(Cause::ListenerNotFound)
}

/// The listener that a ClientHello means. Without a server name only one for every host can be.
pub fn listener_of_hello<'s>(
    port: &'s Port,
    server_name: Option<&str>,
) -> Option<&'s Arc<ListenerTable>> {
    match sni_host(server_name) {
        Sni::Host(host) => port.listener_for(&host),
        Sni::Absent => port.listener_for(""),
        Sni::Invalid => None,
    }
}

/// The rule that takes the request, and which of its matches. `secured` is the listener whose
/// handshake the connection passed, if it is TLS.
pub fn rule<'s>(
    table: &'s ListenerTable,
    secured: Option<&PartKey>,
    head: &RequestHead,
    visited: &mut u32,
) -> Result<Found<'s>, Cause> {
    check_direction(table, secured)?;
    table.find(head, visited).ok_or(Cause::RouteNotFound)
}

/// RFC 9110 §15.5.20 and GEP-3567: a connection made for one listener's server name must not
/// reach another listener, whose certificate and client validation it never met.
fn check_direction(table: &ListenerTable, secured: Option<&PartKey>) -> Result<(), Cause> {
    match secured {
        Some(secured) if *secured != table.listener.key => Err(Cause::MisdirectedRequest),
        None if matches!(table.listener.protocol, ListenerProtocol::Https(_)) => {
            Err(Cause::ListenerNotFound)
        }
        _ => Ok(()),
    }
}

/// The authority is lower case already.
impl RouteRequest for RequestHead {
    fn host(&self) -> &str {
        self.host()
    }

    fn path(&self) -> &str {
        self.target.path()
    }

    fn query(&self) -> Option<&str> {
        self.target.query()
    }

    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        if name == "host" {
            return Some(Cow::Borrowed(&self.authority));
        }
        let mut values = self.fields.get_all(name);
        let first = String::from_utf8_lossy(values.next()?);
        let mut joined = first;
        for value in values {
            let joined = joined.to_mut();
            joined.push_str(", ");
            joined.push_str(&String::from_utf8_lossy(value));
        }
        Some(joined)
    }
}
