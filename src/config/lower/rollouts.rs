//! What whoever runs rollouts asks of the lowering: who serves a route, and whether a backend could
//! take its requests before the route names it.

use std::collections::BTreeSet;

use super::unit::{Fleet, Output, UnitKey};
use super::view::View;
use super::{Lowering, endpoints, grants, target};
use crate::config::index::Index;
use crate::config::raw::Spec;
use crate::model::{ObjectKey, Part, Scope};

impl Lowering {
    /// The fleets of the Gateways that a route is attached to, as of the last commit.
    pub fn scopes_of(&self, route: &ObjectKey) -> BTreeSet<Scope> {
        let output = |key: UnitKey| self.units.get(&key).map(|unit| &unit.output);
        let Some(Output::Attach(attached)) = output(UnitKey::Attach(route.clone())) else {
            return BTreeSet::new();
        };
        let scope = |gateway: &ObjectKey| match output(UnitKey::Gateway(gateway.clone())) {
            Some(Output::Gateway(shape)) => shape.fleet.as_ref().map(Fleet::scope),
            _ => None,
        };
        attached.claims.iter().filter_map(|claim| scope(&claim.gateway)).collect()
    }

    /// Whether requests of a route would find an endpoint there: it may refer to it, the port is
    /// there, and something is ready and stays. Any port of a Service does where none is said.
    pub fn is_ready(
        &mut self,
        index: &Index,
        route: &ObjectKey,
        to: &ObjectKey,
        port: Option<u16>,
    ) -> bool {
        let mut ports = vec![port];
        if let Some(Spec::Service(service)) = index.get(to).map(|object| &object.spec)
            && port.is_none()
        {
            ports = service.ports.iter().map(|one| Some(one.port.value)).collect();
        }
        // Nothing of this is kept: it is no unit, and what it reads wakes nobody.
        let mut view = View::new(self, index, 0);
        grants::permits(&mut view, route, to)
            && !endpoints::all_leave(&mut view, to)
            && ports.into_iter().any(|port| {
                matches!(target::target(&mut view, to, port), Output::Target(Ok(_)))
                    && endpoints::endpoints(&mut view, to, port).parts.iter().any(
                        |part| matches!(part, Part::EndpointSet(set) if !set.endpoints.is_empty()),
                    )
            })
    }
}
