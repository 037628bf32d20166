//! After any edits, in any order of arrival, incremental lowering says what full lowering says.

use proptest::collection::vec;
use proptest::prelude::*;

use super::build::*;
use super::*;
use crate::config::index::{Content, Document};
use crate::config::raw::{At, FromNamespaces, Place, Reference, Spec};
use crate::config::status::{self, Refusal};
use crate::model::Store;
use crate::names::GROUP_GATEWAY_API;

/// One object of a small universe: what it is, and which of its variants.
#[derive(Clone, Copy, Debug)]
struct Choice {
    what: u8,
    variant: u16,
}

const WHATS: u8 = 24;

/// The object of a choice: few names, so that references meet and keys collide.
fn of(choice: Choice) -> Object {
    let v = choice.variant;
    let bit = |n: u16| v >> n & 1 == 1;
    let pick = |n: u16, of: u16| (v >> n) % of;
    let age = i64::from(pick(8, 3));
    let object = match choice.what {
        0 | 1 => gateway_of(choice),
        2 | 3 => {
            let port = 80 + pick(0, 2);
            let set = listener_set(
                ["s", "t"][usize::from(choice.what - 2)],
                if bit(2) { "g0" } else { "g1" },
                vec![listener("l", port).from(FromNamespaces::All), https("m", 443, &["c0"])],
            );
            if bit(3) { set.within("other") } else { set }
        }
        4..=9 => route_of(choice),
        10 | 11 => grpc_of(choice),
        12 | 13 => {
            let object = service(["a", "b"][usize::from(choice.what - 12)], 80 + pick(0, 2));
            let object = if bit(3) { object.within("other") } else { object };
            object.service(|service| {
                service.ports[0].name = bit(4).then(|| "http".into());
                service.ports[0].app_protocol = bit(5).then(|| at("kubernetes.io/h2c"));
                if bit(6) {
                    service.kind = at("ExternalName");
                    service.external_name = Some(at("x.example"));
                }
            })
        }
        14 => {
            let ips: &[&str] = [&["10.0.0.1"][..], &["10.0.0.2", "!10.0.0.1"], &["-10.0.0.3"], &[]]
                [usize::from(pick(0, 4))];
            slice("slice", if bit(2) { "a" } else { "b" }, 3000, ips)
        }
        15 => slice("more", "a", 3000, if bit(0) { &["10.0.0.9"] } else { &["bad"] }),
        16 => {
            let endpoints: &[&str] = if bit(0) { &["localhost:1"] } else { &["unix:/b", "a:2"] };
            let mut object = backend("k", endpoints);
            if let Spec::Backend(spec) = &mut object.spec
                && bit(1)
            {
                spec.protocol = at("H2C");
            }
            object
        }
        17 => secret_of(v),
        18 => config_map("ca", &[(if bit(0) { "other" } else { "ca.crt" }, ca())]),
        19 => {
            let from = if bit(0) { Kind::HttpRoute } else { Kind::GrpcRoute };
            let to = if bit(1) { Kind::Service } else { Kind::Secret };
            grant("grant", (from, "default"), to).within("other")
        }
        20 => traffic_of(v),
        21 => {
            let mut policy = tls_of(to("", "Service", "a"), &["ca"]);
            policy.targets[0].section_name = bit(0).then(|| "http".into());
            tls_policy(if bit(1) { "p" } else { "q" }, policy)
        }
        22 => {
            let object = mesh_config(if bit(0) { "default" } else { "own" }, |config| {
                config.trusted_hops = Some(At::nowhere(u32::from(pick(1, 2)) * 299 + 1));
            });
            if bit(4) { object.within("meshctl-system") } else { object }
        }
        _ => match pick(0, 2) {
            0 => namespace("other").label("tier", if bit(1) { "front" } else { "back" }),
            _ => {
                let ours = if bit(1) { crate::names::CONTROLLER } else { "example.com/x" };
                let parameters = bit(2).then(|| to("meshctl.dev", "MeshConfig", "default/own"));
                class("own", ours, parameters)
            }
        },
    };
    // Where it stands changes nothing but the places of diagnostics.
    let mut object = object.created(age);
    object.meta.generation = i64::from(pick(9, 2));
    object.meta.place = Place { line: 1 + u32::from(pick(10, 3)), column: 1 };
    object
}

fn gateway_of(choice: Choice) -> Object {
    let v = choice.variant;
    let bit = |n: u16| v >> n & 1 == 1;
    let mut from = crate::config::raw::LabelSelector::default();
    from.match_labels.insert("tier".into(), "front".into());
    let from = if bit(0) { FromNamespaces::Same } else { FromNamespaces::Selector(from) };
    let mut listeners = vec![listener("l", 80).from(from)];
    if bit(1) {
        listeners.push(listener("m", 80).host("*.example"));
    }
    if bit(2) {
        listeners.push(https("n", 443, &["c0", "other/c0"]));
    }
    gateway(if choice.what == 0 { "g0" } else { "g1" }, listeners).gateway(|gateway| {
        if bit(3) {
            gateway.class = at(if bit(12) { "own" } else { "meshctl-shared" });
        }
        if bit(4) {
            gateway.allowed_listeners = FromNamespaces::All;
        }
        if bit(5) {
            gateway.backend_client_certificate = Some(to("", "Secret", "c0"));
        }
        if bit(6) {
            gateway.infrastructure.parameters_ref = Some(to("meshctl.dev", "MeshConfig", "own"));
        }
        if bit(7) {
            gateway.frontend_default = Some(crate::config::raw::FrontendValidation {
                place: Place::default(),
                ca_certificate_refs: vec![to("", "ConfigMap", "ca")],
                mode: at("AllowValidOnly"),
            });
        }
    })
}

fn some_backend(n: u16) -> Reference {
    match n % 5 {
        0 => to_service("a", 80),
        1 => to_service("b", 81),
        2 => to_service("other/a", 80),
        3 => to_backend("k"),
        _ => to("", "Pod", "x"),
    }
}

fn some_parents(n: u16) -> Vec<Reference> {
    match n % 5 {
        0 => vec![to_gateway("g0")],
        1 => vec![to_gateway("g0"), to_gateway("g1")],
        2 => vec![to(GROUP_GATEWAY_API, "ListenerSet", "s")],
        3 => vec![Reference { section_name: Some("m".into()), ..to_gateway("g1") }],
        _ => vec![to("", "Service", "a")],
    }
}

fn some_hosts(n: u16) -> Vec<At<Name>> {
    match n % 4 {
        0 => Vec::new(),
        1 => hosts(&["a.example"]),
        2 => hosts(&["*.example", "b.test"]),
        _ => hosts(&["10.0.0.1"]),
    }
}

fn route_of(choice: Choice) -> Object {
    let v = choice.variant;
    let name = format!("r{}", choice.what - 4);
    let object = route(&name, "g0", vec![some_backend(v), some_backend(v >> 3)]);
    object.route(|route| {
        route.parents = some_parents(v >> 5);
        route.hostnames = some_hosts(v >> 7);
        route.rules[0].backends[0].weight = At::nowhere(u32::from(v >> 9 & 3));
        if v >> 11 & 1 == 1 {
            route.rules[0].matches = vec![matching("RegularExpression", "(")];
        }
        if v >> 12 & 1 == 1 {
            let mirror = crate::config::raw::Mirror {
                backend: some_backend(v >> 6),
                percent: None,
                fraction: None,
            };
            route.rules[0].filters =
                vec![filter(crate::config::raw::FilterKind::RequestMirror(mirror))];
        }
        if v >> 13 & 1 == 1 {
            route.rules.push(rule(vec![some_backend(v >> 2)]));
        }
    })
}

fn grpc_of(choice: Choice) -> Object {
    let v = choice.variant;
    let name = ["p0", "r1"][usize::from(choice.what - 10)];
    let mut object = grpc_route(name, "g0", vec![some_backend(v)]);
    if let Spec::GrpcRoute(route) = &mut object.spec {
        route.parents = some_parents(v >> 3);
        route.hostnames = some_hosts(v >> 5);
    }
    object
}

fn traffic_of(v: u16) -> Object {
    let target = match v % 4 {
        0 => to("", "Service", "a"),
        1 => to(GROUP_GATEWAY_API, "HTTPRoute", "r0"),
        2 => to_gateway("g0"),
        _ => to_backend("k"),
    };
    traffic_policy(if v >> 2 & 1 == 1 { "p" } else { "q" }, target).set(|policy| {
        policy.request_timeout = seconds(u64::from(v >> 3 & 3));
        policy.connect_timeout = seconds(u64::from(v >> 5 & 3));
    })
}

/// Certificates are dear to make and say nothing by being new each time.
fn ca() -> &'static str {
    static CA: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    CA.get_or_init(|| pem(&["ca.example"], (NOW - 100, NOW + 100)).0)
}

fn secret_of(v: u16) -> Object {
    static PEMS: std::sync::OnceLock<[(String, String); 2]> = std::sync::OnceLock::new();
    let pems = PEMS.get_or_init(|| {
        [pem(&["a.example"], (NOW - 9, NOW + 9)), pem(&["b.example"], (NOW + 5, NOW + 20))]
    });
    let certificate = &pems[usize::from(v & 1)].0;
    let key = &pems[usize::from((v & 1) ^ (v >> 1 & v >> 2 & 1))].1;
    let object = secret("c0", &[("tls.crt", certificate), ("tls.key", key)]);
    if v >> 3 & 1 == 1 { object.within("other") } else { object }
}

/// What is done to a file between two commits.
#[derive(Clone, Debug)]
enum Edit {
    /// The file holds these objects now; documents that it held before stay the same ones.
    Write {
        file: u8,
        contents: Vec<Choice>,
        offset: u8,
    },
    /// The document at this position can't be decoded any more.
    Break {
        file: u8,
        position: usize,
    },
    Remove {
        file: u8,
    },
    Stream(Choice),
    Unstream(Choice),
    /// Time goes by: certificates begin and expire.
    Wait(u8),
    /// The proxies of a Gateway are said to be so.
    Know {
        gateway: u8,
        variant: u8,
    },
    Commit,
}

fn choices() -> impl Strategy<Value = Choice> {
    (0..WHATS, any::<u16>()).prop_map(|(what, variant)| Choice { what, variant })
}

fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        6 => (0..4u8, vec(choices(), 0..6), 0..4u8)
            .prop_map(|(file, contents, offset)| Edit::Write { file, contents, offset }),
        1 => (0..4u8, 0..6usize).prop_map(|(file, position)| Edit::Break { file, position }),
        1 => (0..4u8).prop_map(|file| Edit::Remove { file }),
        4 => choices().prop_map(Edit::Stream),
        2 => choices().prop_map(Edit::Unstream),
        1 => (0..15u8).prop_map(Edit::Wait),
        1 => (0..2u8, 0..6u8).prop_map(|(gateway, variant)| Edit::Know { gateway, variant }),
        4 => Just(Edit::Commit),
    ]
}

fn facts_of(variant: u8) -> Option<Facts> {
    let why = Refusal::new(status::NO_RESOURCES, "no node has room");
    (variant > 0).then(|| Facts {
        addresses: (variant > 1)
            .then(|| ("IPAddress".into(), "10.0.0.1".into()))
            .into_iter()
            .collect(),
        ready: if variant == 3 { Err(why) } else { Ok(()) },
        nacked: (variant == 4).then(|| "no such part".to_owned()),
    })
}

fn file_name(file: u8) -> Arc<str> {
    format!("f{file}.yaml").into()
}

fn perform(world: &mut World, edit: &Edit) {
    match edit {
        Edit::Write { file, contents, offset } => {
            let good = |(position, choice): (usize, &Choice)| {
                let object = Arc::new(of(*choice));
                let line_offset = u32::from(*offset) + 10 * u32::try_from(position).expect("few");
                Content::Good(Document { object, line_offset })
            };
            let contents = contents.iter().enumerate().map(good).collect();
            world.index.replace(&file_name(*file), contents, Vec::new());
        }
        Edit::Break { file, position } => {
            let file = file_name(*file);
            let held =
                world.index.objects().filter(|object| world.index.origin(&object.key).file == file);
            let keys: Vec<ObjectKey> = held.map(|object| object.key.clone()).collect();
            if let Some(key) = keys.get(*position) {
                // The others of the file are gone: a file is written as a whole.
                world.index.replace(&file, vec![Content::Broken(key.clone())], Vec::new());
            }
        }
        Edit::Remove { file } => world.index.remove(&file_name(*file)),
        Edit::Stream(choice) => world.index.apply(of(*choice).file("stream")),
        Edit::Unstream(choice) => world.index.delete(&of(*choice).key, &"stream".into()),
        Edit::Wait(seconds) => world.now += i64::from(*seconds),
        Edit::Know { gateway, variant } => {
            let key =
                ObjectKey::new(Store::Files, Kind::Gateway, "default", &format!("g{gateway}"));
            world.lowering.set_facts(&key, facts_of(*variant));
        }
        Edit::Commit => world.commit(),
    }
}

/// Everything that the index holds, lowered from nothing, in the other order.
fn from_scratch(world: &World) -> World {
    let mut fresh = World::new((*world.lowering.options).clone());
    for (gateway, facts) in &world.lowering.facts {
        fresh.lowering.set_facts(gateway, Some(facts.clone()));
    }
    fresh.now = world.now;
    let held: Vec<_> = world.index.objects().cloned().collect();
    for object in held.into_iter().rev() {
        let origin = world.index.origin(&object.key);
        let mut object = Arc::unwrap_or_clone(object);
        object.origin = origin;
        fresh.index.apply(object);
    }
    fresh.commit();
    fresh
}

#[test]
fn a_diagnostic_follows_its_document_and_touches_nothing() {
    let mut listener = listener("bad", 80).host("10.0.0.1");
    listener.hostname.as_mut().expect("set").place = Place { line: 9, column: 15 };
    let object = Arc::new(gateway("web", vec![listener]));
    let mut world = World::new(Options::default());
    let write = |world: &mut World, line_offset| {
        let document = Document { object: object.clone(), line_offset };
        world.index.replace(&file_name(0), vec![Content::Good(document)], Vec::new());
        world.commit();
    };
    write(&mut world, 0);
    let place = |world: &World| (world.last.diagnostics[0].place, world.last.diagnostics[0].width);
    assert_eq!(place(&world), (Place { line: 9, column: 15 }, 8));
    write(&mut world, 100);
    assert_eq!(place(&world), (Place { line: 109, column: 15 }, 8));
    assert_eq!(world.last.counters, Counters::default());
}

#[test]
fn an_object_without_a_file_is_named_in_its_diagnostics() {
    let bad = gateway("web", vec![listener("bad", 80).host("10.0.0.1")]).file("");
    World::of([bad]).says("Gateway default/web: `10.0.0.1` is not a hostname");
}

#[test]
fn lowering_runs_on_any_thread() {
    fn is_send<T: Send>() {}
    is_send::<Lowering>();
    is_send::<Index>();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn incremental_lowering_equals_full_lowering(
        edits in vec(edits(), 1..40),
        cluster in any::<bool>(),
    ) {
        let classes = if cluster { vec!["meshctl".into(), "meshctl-shared".into()] } else { vec![] };
        let mut world = World::new(Options { cluster, classes, ..Options::default() });
        for edit in &edits {
            perform(&mut world, edit);
        }
        world.commit();
        let fresh = from_scratch(&world);
        prop_assert_eq!(&world.parts, &fresh.parts);
        prop_assert_eq!(&world.statuses, &fresh.statuses);
        prop_assert!(cluster || world.statuses.is_empty());
        let said = |world: &World| -> Vec<_> {
            // The losers of a contested key aren't among the objects that are held.
            let lowered = world.last.diagnostics.iter();
            lowered.filter(|one| one.code != codes::DUPLICATE_OBJECT).cloned().collect()
        };
        prop_assert_eq!(said(&world), said(&fresh));
        // Nothing is left to do.
        world.commit();
        prop_assert_eq!(world.last.counters, Counters::default());
    }

    #[test]
    fn the_order_of_arrival_changes_nothing(
        contents in vec(vec(choices(), 0..8), 1..6),
        order in Just((0..6usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let write = |world: &mut World, position: usize| {
            if let Some(contents) = contents.get(position) {
                let file = u8::try_from(position).expect("few");
                perform(world, &Edit::Write { file, contents: contents.clone(), offset: 0 });
            }
        };
        let (mut straight, mut shuffled) =
            (World::new(Options::default()), World::new(Options::default()));
        (0..6).for_each(|position| write(&mut straight, position));
        for position in order {
            write(&mut shuffled, position);
            shuffled.commit();
        }
        straight.commit();
        shuffled.commit();
        prop_assert_eq!(&straight.parts, &shuffled.parts);
        prop_assert_eq!(&straight.last.diagnostics, &shuffled.last.diagnostics);
    }
}
