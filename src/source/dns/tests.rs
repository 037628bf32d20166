//! Against a name server of our own on loopback, over UDP, in its own wire format.

mod server;

use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};

use self::server::{NameServer, Says};
use super::*;
use crate::model::{Address, Cause, Endpoint, EndpointSet, Kind, ObjectKey, PartKey, Reach, Store};

const LONG: Duration = Duration::from_secs(20);

fn set(name: &str, hosts: &[(&str, u32)]) -> Arc<EndpointSet> {
    let endpoint = |(host, weight): &(&str, u32)| Endpoint {
        address: match host.strip_prefix("unix:") {
            Some(path) => Address::Unix(path.into()),
            None => Address::Dns { host: (*host).into(), port: 80 },
        },
        alternate: None,
        weight: *weight,
    };
    let object = ObjectKey::new(Store::Files, Kind::Backend, "default", name);
    Arc::new(EndpointSet {
        key: PartKey::new(PartKind::EndpointSet, object, ""),
        endpoints: hosts.iter().map(endpoint).collect(),
        empty: None,
        reach: None,
    })
}

fn upserted(sets: &[Arc<EndpointSet>]) -> Changes {
    let upserted = sets.iter().cloned().map(Part::EndpointSet).collect();
    Changes { upserted, removed: Vec::new() }
}

/// `shop: 10.0.0.1:80*1 10.0.0.2:80*1`, a set each, in order.
fn shown(changes: &Changes) -> Vec<String> {
    let show = |part: &Part| {
        let Part::EndpointSet(set) = part else { panic!("not endpoints: {part:?}") };
        let mut text = format!("{}:", set.key.object.name);
        for endpoint in &set.endpoints {
            let alternate = endpoint.alternate.map(|other| format!("|{other}"));
            let alternate = alternate.unwrap_or_default();
            text += &format!(" {}{alternate}*{}", endpoint.address, endpoint.weight);
        }
        set.empty.map_or(text.clone(), |cause| format!("{text} {}", cause.word()))
    };
    changes.upserted.iter().map(show).collect()
}

fn resolver(server: &NameServer) -> Resolver {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    connections.iter_mut().for_each(|connection| connection.port = server.port());
    let one = NameServerConfig::new([127, 0, 0, 1].into(), true, connections);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![one]);
    Resolver::new(Server::at("/nonexistent/hosts".into(), config), fastrand::Rng::with_seed(7))
}

async fn next(resolver: &mut Resolver) -> Vec<String> {
    shown(&tokio::time::timeout(LONG, resolver.next()).await.expect("a change in time"))
}

#[tokio::test]
async fn names_become_addresses_with_alternates_of_the_other_family() {
    let server = NameServer::start().await;
    server.says("a.example", Says::addresses(&["10.0.0.2", "10.0.0.1", "fd00::1"], 60));
    server.says("six.example", Says::addresses(&["fd00::2", "fd00::3"], 60));
    server.says("b.example", Says::addresses(&["10.0.0.9"], 60));
    let mut resolver = resolver(&server);
    let changes = upserted(&[
        set("both", &[("a.example", 1)]),
        set("shares", &[("a.example", 90), ("b.example", 10), ("unix:/s", 0)]),
        set("six", &[("six.example", 1)]),
    ]);
    let out = resolver.resolve(changes).await;
    assert_eq!(
        shown(&out),
        [
            "both: 10.0.0.1:80|[fd00::1]:80*1 10.0.0.2:80|[fd00::1]:80*1",
            "shares: 10.0.0.1:80|[fd00::1]:80*9 10.0.0.2:80|[fd00::1]:80*9 10.0.0.9:80*2 unix:/s*0",
            "six: [fd00::2]:80*1 [fd00::3]:80*1",
        ]
    );
    assert_eq!(server.questions("a.example"), 2, "one for each family, whoever asks");
    assert_eq!(resolver.diagnostics(), []);
}

#[tokio::test]
async fn a_changed_answer_changes_its_sets_alone() {
    let server = NameServer::start().await;
    server.says("a.example", Says::addresses(&["10.0.0.1"], 0));
    server.says("b.example", Says::addresses(&["10.0.0.9"], 300));
    let mut resolver = resolver(&server);
    let changes = upserted(&[set("a", &[("a.example", 1)]), set("b", &[("b.example", 1)])]);
    assert_eq!(resolver.resolve(changes).await.upserted.len(), 2);
    server.says("a.example", Says::addresses(&["10.0.0.3"], 0));
    assert_eq!(next(&mut resolver).await, ["a: 10.0.0.3:80*1"]);
    assert_eq!(server.questions("b.example"), 2, "its time is not over");
}

#[tokio::test]
async fn the_last_good_addresses_stay_while_a_name_fails() {
    let server = NameServer::start().await;
    server.says("a.example", Says::addresses(&["10.0.0.1"], 0));
    let mut resolver = resolver(&server);
    let out = resolver.resolve(upserted(&[set("a", &[("a.example", 1)])])).await;
    assert_eq!(shown(&out), ["a: 10.0.0.1:80*1"]);
    for wrong in [Says::Failure, Says::NoSuchName, Says::addresses(&["0.0.0.0"], 0)] {
        server.says("a.example", wrong);
        told_unchanged(&mut resolver, |said| {
            said.iter().map(|d| (d.code, d.severity)).eq([(codes::NAME_FAILED, Severity::Warning)])
        })
        .await;
        server.says("a.example", Says::addresses(&["10.0.0.1"], 0));
        told_unchanged(&mut resolver, <[Diagnostic]>::is_empty).await;
    }
}

/// The next news changes no part, and what is said is as it should be.
async fn told_unchanged(resolver: &mut Resolver, so: impl Fn(&[Diagnostic]) -> bool) {
    assert_eq!(next(resolver).await, [""; 0]);
    assert!(so(&resolver.diagnostics()), "{:?}", resolver.diagnostics());
}

#[tokio::test]
async fn half_an_answer_takes_nothing_away() {
    let server = NameServer::start().await;
    server.says("a.example", Says::addresses(&["10.0.0.1", "fd00::1"], 0));
    let mut resolver = resolver(&server);
    resolver.resolve(upserted(&[set("a", &[("a.example", 1)])])).await;
    server.says("a.example", Says::WithoutV6Word(vec!["10.0.0.2".parse().unwrap()]));
    assert_eq!(next(&mut resolver).await, ["a: 10.0.0.2:80|[fd00::1]:80*1"]);
    server.says("a.example", Says::addresses(&["10.0.0.2"], 0));
    assert_eq!(next(&mut resolver).await, ["a: 10.0.0.2:80*1"]);
}

#[tokio::test]
async fn a_name_that_never_resolved_is_said_and_tried_again() {
    let server = NameServer::start().await;
    let mut resolver = resolver(&server);
    let out = resolver.resolve(upserted(&[set("a", &[("a.example", 1)])])).await;
    assert_eq!(shown(&out), ["a: dns_failed"]);
    assert_eq!(Cause::DnsFailed.status(), 503);
    let said = resolver.diagnostics();
    assert_eq!((said.len(), said[0].severity), (1, Severity::Error));
    assert!(said[0].message.contains("a.example"), "{}", said[0].message);
    server.says("a.example", Says::addresses(&["10.0.0.1"], 60));
    assert_eq!(next(&mut resolver).await, ["a: 10.0.0.1:80*1"]);
    assert_eq!(resolver.diagnostics(), []);
}

#[tokio::test]
async fn a_silent_server_holds_the_other_parts_up_for_a_moment_only() {
    let server = NameServer::start().await;
    server.says("slow.example", Says::Nothing);
    server.says("b.example", Says::addresses(&["10.0.0.9"], 60));
    let mut resolver = resolver(&server);
    let changes = upserted(&[set("a", &[("slow.example", 1)]), set("b", &[("b.example", 1)])]);
    let began = clock::now();
    let out = resolver.resolve(changes).await;
    assert!(began.elapsed() < limits::DNS_FIRST_WAIT + Duration::from_secs(1));
    assert_eq!(shown(&out), ["a: dns_failed", "b: 10.0.0.9:80*1"]);
    // It is under way already: nobody asks a second time for the same name.
    let asked = server.questions("slow.example");
    let again = resolver.resolve(upserted(&[set("c", &[("slow.example", 1)])])).await;
    assert_eq!(shown(&again), ["c: dns_failed"]);
    assert!(server.questions("slow.example") <= asked + 2, "retries of the one question");
}

#[tokio::test]
async fn a_set_that_is_gone_or_needs_no_name_is_asked_for_no_more() {
    let server = NameServer::start().await;
    server.says("a.example", Says::addresses(&["10.0.0.1"], 0));
    let mut resolver = resolver(&server);
    let named = set("a", &[("a.example", 1)]);
    resolver.resolve(upserted(&[Arc::clone(&named)])).await;
    let plain = set("a", &[("unix:/s", 1)]);
    let out = resolver.resolve(upserted(&[plain])).await;
    assert_eq!(shown(&out), ["a: unix:/s*1"]);
    assert!(resolver.names.is_empty());
    resolver.resolve(upserted(&[Arc::clone(&named)])).await;
    let gone = Changes { upserted: Vec::new(), removed: vec![named.key.clone()] };
    let out = resolver.resolve(gone).await;
    assert_eq!((out.upserted.len(), out.removed.len()), (0, 1));
    assert!(resolver.names.is_empty());
}

#[tokio::test]
async fn a_set_that_is_lowered_again_is_told_again_with_what_is_known() {
    let server = NameServer::start().await;
    server.says("a.example", Says::addresses(&["10.0.0.1"], 300));
    let mut resolver = resolver(&server);
    resolver.resolve(upserted(&[set("a", &[("a.example", 1)])])).await;
    let out = resolver.resolve(upserted(&[set("a", &[("a.example", 1), ("unix:/s", 1)])])).await;
    assert_eq!(shown(&out), ["a: 10.0.0.1:80*1 unix:/s*1"]);
    assert_eq!(server.questions("a.example"), 2);
}

#[tokio::test]
async fn too_many_addresses_are_cut_the_same_way_each_time() {
    let server = NameServer::start().await;
    let many: Vec<String> = (0..300).map(|n| format!("10.0.{}.{}", n / 250, n % 250 + 1)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    server.says("a.example", Says::addresses(&many, 0));
    let mut resolver = resolver(&server);
    let out = resolver.resolve(upserted(&[set("a", &[("a.example", 1)])])).await;
    let Part::EndpointSet(set) = &out.upserted[0] else { panic!("not endpoints") };
    assert_eq!(set.endpoints.len(), limits::DNS_ADDRESSES);
    let mut turned = many.clone();
    turned.rotate_left(100);
    server.says("a.example", Says::addresses(&turned, 0));
    tokio::select! {
        changes = resolver.next() => panic!("{changes:?}"),
        () = server.asked("a.example", server.questions("a.example") + 4) => {}
    }
}

#[tokio::test]
async fn without_a_name_server_the_hosts_file_is_what_there_is() {
    let directory = tempfile::TempDir::new().unwrap();
    let hosts = directory.path().join("hosts");
    std::fs::write(&hosts, "10.0.0.5 shop\n").unwrap();
    let mut resolver = Resolver::new(Server::none(hosts), fastrand::Rng::with_seed(7));
    let changes = upserted(&[
        set("a", &[("shop", 1)]),
        set("b", &[("localhost", 1)]),
        set("c", &[("elsewhere.example", 1)]),
    ]);
    let out = resolver.resolve(changes).await;
    assert_eq!(shown(&out), ["a: 10.0.0.5:80*1", "b: 127.0.0.1:80|[::1]:80*1", "c: dns_failed"]);
    let said: Vec<_> = resolver.diagnostics().iter().map(|d| d.code).collect();
    assert_eq!(said, [codes::NO_NAME_SERVER, codes::NAME_FAILED]);
}

#[test]
fn backoff_grows_to_its_bound_and_never_in_step() {
    let mut random = fastrand::Rng::with_seed(1);
    for (failures, whole) in [(1, 1.0), (2, 2.0), (3, 4.0), (6, 30.0), (u32::MAX, 30.0)] {
        let pauses: Vec<f64> =
            (0..100).map(|_| backoff(failures, &mut random).as_secs_f64()).collect();
        assert!(pauses.iter().all(|p| (whole / 2.0..=whole).contains(p)), "{failures}: {pauses:?}");
        assert!(pauses.iter().any(|p| (p - pauses[0]).abs() > whole / 20.0), "{failures}");
    }
}

/// What a name leads to is in nobody's hands but its owner's, who may change it at any time.
#[tokio::test]
async fn names_of_a_cluster_lead_where_written_addresses_may() {
    let server = NameServer::start().await;
    let own = |name, host, reach: Option<&Arc<Reach>>| {
        let written = set(name, &[(host, 1)]);
        Arc::new(EndpointSet { reach: reach.cloned(), ..(*written).clone() })
    };
    let closed = [IpAddr::from([10, 96, 0, 1])].into();
    let cluster = Arc::new(Reach { local: false, closed });
    let trusted = Arc::new(Reach { local: true, ..(*cluster).clone() });
    server.says("self.example", Says::addresses(&["127.0.0.1", "::1"], 60));
    server.says("link.example", Says::addresses(&["169.254.169.254", "10.0.0.1", "fe80::1"], 60));
    server.says("api.example", Says::addresses(&["10.96.0.1"], 60));
    server.says("turns.example", Says::addresses(&["10.0.0.1"], 0));
    let mut resolver = resolver(&server);
    let out = resolver.resolve(upserted(&[
        own("api", "api.example", Some(&trusted)),
        own("files", "self.example", None),
        own("link", "link.example", Some(&cluster)),
        own("self", "self.example", Some(&cluster)),
        own("trusted", "self.example", Some(&trusted)),
        own("turns", "turns.example", Some(&cluster)),
    ]));
    assert_eq!(
        shown(&out.await),
        [
            "api: backend_address_refused",
            "files: 127.0.0.1:80|[::1]:80*1",
            "link: 10.0.0.1:80*1",
            "self: backend_address_refused",
            "trusted: 127.0.0.1:80|[::1]:80*1",
            "turns: 10.0.0.1:80*1",
        ]
    );
    let said = |resolver: &Resolver| {
        let refused = |one: Diagnostic| (one.code == codes::NAME_REFUSED).then_some(one.message);
        resolver.diagnostics().into_iter().filter_map(refused).collect::<Vec<_>>()
    };
    let mut expected = vec![
        "`api.example` resolves to 10.96.0.1, the API server".to_owned(),
        "`link.example` resolves to 169.254.169.254, on the node's own link".to_owned(),
        "`self.example` resolves to 127.0.0.1, the proxy itself".to_owned(),
    ];
    assert_eq!(said(&resolver), expected);
    server.says("turns.example", Says::addresses(&["127.0.0.1"], 60));
    assert_eq!(next(&mut resolver).await, ["turns: backend_address_refused"]);
    expected.push("`turns.example` resolves to 127.0.0.1, the proxy itself".to_owned());
    assert_eq!(said(&resolver), expected);
}
