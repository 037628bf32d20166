//! VirtualService, DestinationRule and Gateway of Istio; its other kinds are reported.

mod conditions;
mod destination_rule;
mod destinations;
mod gateway;
mod order;
mod virtual_service;

use std::collections::BTreeMap;

use super::ledger::{Cursor, Document};
use super::made::{Key, Made};
use super::services::Services;
use super::{ISTIO, Options, annotations, metadata};
use destinations::Destinations;
use gateway::Listener;

/// What stands before `/` in the apiVersions that are read.
const NETWORKING: [&str; 3] =
    ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"];

/// The listeners of each Gateway.
type Gateways = BTreeMap<Key, Vec<Listener>>;

pub(super) fn convert(
    documents: &[Document],
    services: &Services,
    options: &Options,
    made: &mut Made,
) {
    let of_kind = |wanted: &'static str| {
        documents.iter().filter(move |document| {
            let (version, kind) = document.kind();
            kind == wanted && NETWORKING.contains(&version)
        })
    };
    let mut gateways = Gateways::new();
    for document in of_kind("Gateway") {
        let (key, listeners) = gateway::convert(document, options, made);
        gateways.insert(key, listeners);
    }
    let mut destinations = Destinations::new(services);
    for document in of_kind("DestinationRule") {
        destination_rule::learn(document, &mut destinations);
    }
    for document in of_kind("VirtualService") {
        virtual_service::convert(document, &gateways, &mut destinations, made);
    }
    for document in of_kind("DestinationRule") {
        destination_rule::convert(document, &mut destinations, made);
    }
    documents.iter().for_each(unknown);
}

/// Every object of Istio's that nobody reads is lost as a whole.
fn unknown(document: &Document) {
    let (version, kind) = document.kind();
    let group = version.split('/').next().unwrap_or_default();
    let known = ["Gateway", "VirtualService", "DestinationRule"].contains(&kind);
    if !ISTIO.contains(&group) || known && NETWORKING.contains(&version) {
        return;
    }
    let help = match kind {
        "ServiceEntry" => "hosts that routes send to become Backends; others need none",
        "AuthorizationPolicy" | "RequestAuthentication" => {
            "nothing here decides who may call: protect the application before its routes are used"
        }
        "PeerAuthentication" => "mTLS between workloads is not part of this version",
        _ => "what it does is not part of the Gateway API",
    };
    let root = document.root();
    let _ = metadata(&root);
    root.get("kind").unwrap_or_else(|| root.clone()).lost(format!("{kind} is not converted"), help);
    root.take();
}

/// `exportTo` hides objects from namespaces; routes and policies here are seen by whoever they
/// are attached to.
fn export(spec: &Cursor<'_>) {
    let Some(export) = spec.get("exportTo") else { return };
    let everywhere = export.items().iter().all(|one| matches!(one.text(), Some("*" | ".")));
    if !everywhere {
        export.differs(
            "it is not hidden from any namespace",
            "listeners decide which routes they take, by `allowedRoutes`",
        );
    }
}
