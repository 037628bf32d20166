//! Finding the rule: listener by host, rule by everything else.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::Exchange;
use crate::model::{Cause, Listener};
use crate::proxy::message::RequestHead;
use crate::proxy::view::RuleView;
use crate::snapshot::{ListenerTable, RouteRequest};

impl Exchange<'_> {
    /// The rule that the request is decided by, and which of its matches matched.
    pub(super) fn route(&mut self) -> Result<(Rc<RuleView>, usize), Cause> {
        let world = self.worker.world();
        self.record.generation = world.snapshot.generation;
        let port = world.snapshot.port(self.client.bind).ok_or(Cause::ListenerNotFound)?;
        let table = port.listener_for(self.head.host()).ok_or(Cause::ListenerNotFound)?;
        self.follow(&table.listener);
        match self.find(table) {
            Ok((view, matched)) => {
                self.record.route = Some(Rc::clone(&view.series));
                Ok((view, matched))
            }
            Err(cause) => {
                self.record.route = Some(self.worker.listener_series(&table.listener));
                Err(cause)
            }
        }
    }

    fn find(&mut self, table: &Arc<ListenerTable>) -> Result<(Rc<RuleView>, usize), Cause> {
        self.check_direction(table)?;
        let request = Request::new(self.head);
        let found = table.find(&request, &mut self.record.visited).ok_or(Cause::RouteNotFound)?;
        Ok((self.worker.rule(&table.listener, found.rule), found.matched))
    }

    /// RFC 9110 §15.5.20 and GEP-3567: a connection made for one listener's server name must not
    /// reach another listener, whose certificate and client validation it never met.
    fn check_direction(&self, table: &Arc<ListenerTable>) -> Result<(), Cause> {
        match &self.client.tls {
            Some(tls) if tls.listener != table.listener.key => Err(Cause::MisdirectedRequest),
            None if matches!(table.listener.protocol, crate::model::ListenerProtocol::Https(_)) => {
                Err(Cause::ListenerNotFound)
            }
            _ => Ok(()),
        }
    }

    fn follow(&mut self, listener: &Arc<Listener>) {
        self.stream_idle = listener.settings.stream_idle_timeout;
        self.record.log = listener.settings.access_log;
    }

    /// Counts a request that could not even be read on the only listener it can have meant.
    pub(super) fn count_on_listener(&mut self) {
        let world = self.worker.world();
        let Some(port) = world.snapshot.port(self.client.bind) else { return };
        if let Some(table) = port.listeners().next() {
            self.follow(&table.listener);
            self.record.route = Some(self.worker.listener_series(&table.listener));
        }
    }
}

/// What a lookup may ask. The authority is lower case already.
struct Request<'a> {
    head: &'a RequestHead,
}

impl<'a> Request<'a> {
    fn new(head: &'a RequestHead) -> Self {
        Self { head }
    }
}

impl RouteRequest for Request<'_> {
    fn host(&self) -> &str {
        self.head.host()
    }

    fn path(&self) -> &str {
        self.head.target.path()
    }

    fn query(&self) -> Option<&str> {
        self.head.target.query()
    }

    fn method(&self) -> &str {
        self.head.method.as_str()
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        if name == "host" {
            return Some(Cow::Borrowed(&self.head.authority));
        }
        let mut values = self.head.fields.get_all(name);
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
