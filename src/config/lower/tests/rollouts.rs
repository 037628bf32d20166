//! What rollouts ask of the lowering.

use super::build::*;
use super::*;
use crate::config::raw::{Service, Spec};

fn key(kind: Kind, object: &Object) -> ObjectKey {
    ObjectKey { kind, ..object.key.clone() }
}

#[test]
fn the_fleets_of_a_route_are_those_of_its_gateways() {
    let options = Options { cluster: true, ..Options::default() };
    let cluster = |mut object: Object| {
        object.key.store = crate::model::Store::Cluster;
        object
    };
    let objects = [
        cluster(class("meshctl", crate::names::CONTROLLER, None)),
        cluster(gateway("web", vec![listener("http", 80)])),
        cluster(gateway("other", vec![listener("http", 80)])),
        cluster(service("web", 8080)),
        cluster(route("web", "web", vec![to_service("web", 8080)])),
        cluster(route("astray", "nowhere", vec![to_service("web", 8080)])),
    ];
    let [_, _, _, _, web, astray] = &objects;
    let (web, astray) = (web.key.clone(), astray.key.clone());
    let world = World::with(options, objects);
    let scopes: Vec<String> =
        world.lowering.scopes_of(&web).iter().map(ToString::to_string).collect();
    assert_eq!(scopes, ["default/web"]);
    assert!(world.lowering.scopes_of(&astray).is_empty());
}

/// Before any route names it: what nobody refers to is not lowered.
#[test]
fn a_backend_is_ready_when_a_request_would_find_an_endpoint() {
    let own = service("api", 80);
    let far = service("far", 80).within("other");
    let mut world = World::of([
        own.clone(),
        far.clone(),
        slice("api-1", "api", 8080, &["10.0.0.1"]),
        slice("far-1", "far", 8080, &["10.0.0.2"]).within("other"),
        backend("outside", &["legacy.example.com:80"]),
    ]);
    let from = route("web", "web", vec![]);
    let ready = |world: &mut World, object: &Object, port: Option<u16>| {
        let World { lowering, index, .. } = world;
        lowering.is_ready(index, &from.key, &object.key, port)
    };
    assert!(ready(&mut world, &own, Some(80)));
    assert!(ready(&mut world, &own, None), "any port");
    assert!(!ready(&mut world, &own, Some(81)), "there is no such port");
    assert!(!ready(&mut world, &service("nobody", 80), Some(80)));
    let mut outside = backend("outside", &[]);
    outside.key = key(Kind::Backend, &outside);
    assert!(ready(&mut world, &outside, None));
    // Another namespace has to permit it.
    assert!(!ready(&mut world, &far, Some(80)));
    world.apply([grant("g", (Kind::HttpRoute, "default"), Kind::Service).within("other")]);
    assert!(ready(&mut world, &far, Some(80)));
    // Its last pods serve until they are gone: a rollout waits for none of that.
    let mut leaves = slice("api-1", "api", 8080, &["10.0.0.1", "10.0.0.3"]);
    let Spec::EndpointSlice(spec) = &mut leaves.spec else { panic!("an EndpointSlice") };
    let leave = |endpoint: &mut crate::config::raw::SliceEndpoint| {
        (endpoint.ready, endpoint.serving, endpoint.terminating) =
            (Some(false), Some(true), Some(true));
    };
    leave(&mut spec.endpoints[0]);
    world.apply([leaves.clone()]);
    assert!(ready(&mut world, &own, Some(80)), "the other one stays");
    let Spec::EndpointSlice(spec) = &mut leaves.spec else { panic!("an EndpointSlice") };
    leave(&mut spec.endpoints[1]);
    world.apply([leaves]);
    assert!(!ready(&mut world, &own, Some(80)));
    // Its pods are there and not ready.
    let mut down = slice("api-1", "api", 8080, &["10.0.0.1"]);
    let Spec::EndpointSlice(spec) = &mut down.spec else { panic!("an EndpointSlice") };
    spec.endpoints.iter_mut().for_each(|endpoint| endpoint.ready = Some(false));
    world.apply([down]);
    assert!(!ready(&mut world, &own, Some(80)));
    // A question leaves nothing behind: the World compares its parts after each change.
    world.apply([service("api", 80).service(|service: &mut Service| service.ports.clear())]);
    assert!(!ready(&mut world, &own, None));
    assert_eq!(world.parts.len(), 0);
}
