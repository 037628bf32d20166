//! What the rules of HTTPRoutes and GRPCRoutes have in common: backends and filters, first as
//! drafts, then as each Gateway sees them.

use super::codes;
use super::filters::{self, Draft, Trouble};
use super::target;
use super::unit::{BackendKey, Identity, UnitKey};
use super::view::View;
use crate::config::raw::{self, At, BackendRef, Filter, Object, Place};
use crate::config::returning::Returning;
use crate::model::{Cause, Match, Mirror, Name, ObjectKey, PartKey, WeightedBackend};

/// A rule as it is written, of either kind of route.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) place: Place,
    pub(super) name: Option<&'a At<Name>>,
    pub(super) matches: Matches<'a>,
    pub(super) filters: &'a [Filter],
    pub(super) backends: &'a [BackendRef],
    /// GRPCRoutes have neither timeouts nor retries.
    pub(super) timeouts: Option<&'a raw::Timeouts>,
    pub(super) retry: Option<&'a raw::Retry>,
    pub(super) session_persistence: Option<&'a raw::SessionPersistence>,
}

#[derive(Clone, Copy)]
pub(super) enum Matches<'a> {
    Http(&'a [raw::HttpMatch]),
    Grpc(&'a [raw::GrpcMatch]),
}

impl Matches<'_> {
    pub(super) fn lower(self, view: &mut View<'_>, object: &Object) -> Option<Vec<Match>> {
        match self {
            Self::Http(written) => super::matches::http(view, object, written),
            Self::Grpc(written) => super::grpc::grpc(view, object, written),
        }
    }
}

/// Where a rule's requests go, before it is known which Gateway asks.
pub(super) struct Plan {
    filters: Vec<Draft>,
    backends: Vec<(u32, Result<BackendKey, Cause>, Vec<Draft>)>,
    pub(super) trouble: Trouble,
}

impl Plan {
    /// The objects that requests are sent to, copies too.
    pub(super) fn targets(&self) -> impl Iterator<Item = &ObjectKey> {
        let filters = self.filters.iter().chain(self.backends.iter().flat_map(|(.., of)| of));
        let backends = self.backends.iter().filter_map(|(_, backend, _)| backend.as_ref().ok());
        backends.chain(filters.filter_map(Draft::mirrored)).map(|backend| &backend.object)
    }
}

pub(super) fn plan(
    view: &mut View<'_>,
    object: &Object,
    position: usize,
    rule: &Written<'_>,
    matches: &[Match],
) -> Plan {
    let returned = returned(view, object, position, rule.backends.len());
    let mut trouble = Trouble::default();
    let filters = filters::filters(view, object, rule.filters, matches, &mut trouble);
    let backends: Vec<_> = rule
        .backends
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let weight = returned.as_ref().map_or(one.weight.value, |weights| weights[at]);
            let backend = trouble.resolve(view, object, &one.reference);
            let filters = filters::filters(view, object, &one.filters, matches, &mut trouble);
            (weight, backend, filters)
        })
        .collect();
    let answers = |one: &Filter| matches!(one.kind, raw::FilterKind::RequestRedirect(_));
    let redirects = rule.filters.iter().any(answers);
    if redirects && !backends.is_empty() {
        let message = "the rule redirects: its backends get no requests";
        view.warning(object, codes::NO_BACKEND, &rule.place, message);
    } else if !redirects && backends.iter().all(|(weight, ..)| *weight == 0) {
        let message = "the rule has no backend: its requests are answered with 500";
        view.warning(object, codes::NO_BACKEND, &rule.place, message)
            .help("add a backendRef, or give one a weight above 0");
    }
    Plan { filters, backends, trouble }
}

/// The weights that the rule has gone back to, as somebody wanted of them from the beginning.
fn returned(
    view: &mut View<'_>,
    object: &Object,
    position: usize,
    backends: usize,
) -> Option<Vec<u32>> {
    let returning = Returning::of(&object.meta)?;
    view.wake_at(returning.at.as_second());
    returning.weights(position, backends, view.now).map(<[u32]>::to_vec)
}

/// The plan as Gateways with this identity carry it out.
pub(super) fn carry_out(
    view: &mut View<'_>,
    plan: &Plan,
    identity: &Identity,
) -> (Vec<crate::model::Filter>, Vec<WeightedBackend>) {
    let filters = finish(view, &plan.filters, identity);
    let backends = plan
        .backends
        .iter()
        .map(|(weight, backend, drafts)| WeightedBackend {
            weight: *weight,
            backend: key_of(view, backend, identity),
            filters: finish(view, drafts, identity),
        })
        .collect();
    (filters, backends)
}

fn finish(view: &mut View<'_>, drafts: &[Draft], identity: &Identity) -> Vec<crate::model::Filter> {
    drafts
        .iter()
        .map(|draft| match draft {
            Draft::Ready(filter) => filter.clone(),
            Draft::Mirror { backend, fraction } => crate::model::Filter::Mirror(Mirror {
                backend: key_of(view, backend, identity),
                fraction: *fraction,
            }),
        })
        .collect()
}

fn key_of(
    view: &mut View<'_>,
    backend: &Result<BackendKey, Cause>,
    identity: &Identity,
) -> Result<PartKey, Cause> {
    let backend = backend.as_ref().map_err(|cause| *cause)?;
    let key = target::seen_by(view, backend, identity);
    let part = key.part();
    view.demand(UnitKey::Backend(key));
    Ok(part)
}
