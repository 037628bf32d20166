//! Finding the rule by what the worker's world says, and whom it counts for.

use std::rc::Rc;
use std::sync::Arc;

use super::Exchange;
use crate::model::{Cause, Listener};
use crate::proxy::routing;
use crate::proxy::view::RuleView;
use crate::snapshot::ListenerTable;

impl Exchange<'_> {
    /// The rule that the request is decided by, and which of its matches matched.
    pub(super) fn route(&mut self) -> Result<(Rc<RuleView>, usize), Cause> {
        let world = self.worker.world();
        self.record.generation = world.snapshot.generation;
        let table = routing::listener(&world.snapshot, self.client.bind, self.head)?;
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
        let secured = self.client.tls.as_ref().map(|tls| &tls.listener);
        let found = routing::rule(table, secured, self.head, &mut self.record.visited)?;
        Ok((self.worker.rule(&table.listener, found.rule), found.matched))
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
