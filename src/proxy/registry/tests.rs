use std::time::Duration;

use super::fixture::{Process, address, backend, endpoint_set, fail_in_a_row, key, policy};
use super::*;
use crate::model::{
    Backend, BackendPolicy, BackendProtocol, BackendTls, Balance, Cause, Ejection, HashSource,
    PartKind, ProxyProtocolVersion, RetryBudget, SlowStart, TrustRoots,
};
use crate::proxy::balance::EndpointGroup;

/// Everything that a backend and its endpoint 0 have learned.
#[derive(Debug, PartialEq)]
struct Learned {
    pool: EndpointId,
    average: Option<f32>,
    endpoint_in_flight: u32,
    backend_in_flight: u32,
    is_out: bool,
    retries_left: u32,
}

fn learned(process: &Process, group: &EndpointGroup) -> Learned {
    let endpoint = &group.members()[0].shared;
    let now = process.seconds(5);
    let backend = group.backend();
    Learned {
        pool: endpoint.id,
        average: endpoint.latency(),
        endpoint_in_flight: endpoint.in_flight(),
        backend_in_flight: backend.in_flight(),
        is_out: endpoint.is_out(now),
        retries_left: (0..100).map(|_| u32::from(backend.try_spend(BUDGET, now))).sum(),
    }
}

const BUDGET: RetryBudget = RetryBudget { percent: 20, floor_per_second: 0 };

/// Makes a view, lets it learn, and makes the view of `changed`: what the first one learned, and
/// what the second one knows.
fn across(change: impl FnOnce(&mut Backend, &mut Vec<(usize, u32)>)) -> (Learned, Learned) {
    let process = Process::start();
    let mut part = backend(BackendPolicy::standard());
    let mut endpoints = vec![(0, 1), (1, 1), (2, 1)];
    let before = process.worker_of(&part, &endpoint_set(endpoints.clone()), process.seconds(0));
    let _in_flight = before.members()[0].shared.begin();
    let _request = before.backend().begin(0);
    before.members()[0].shared.observe(Duration::from_millis(7), process.seconds(1));
    fail_in_a_row(&before, 0, process.seconds(2));
    // 40 requests are 8 retries, of which 3 are spent here and 5 by whoever asks first.
    (0..40).for_each(|_| before.backend().deposit(process.seconds(5)));
    assert!((0..3).all(|_| before.backend().try_spend(BUDGET, process.seconds(5))));

    change(&mut part, &mut endpoints);
    let after = process.worker_of(&part, &endpoint_set(endpoints), process.seconds(5));
    let after = learned(&process, &after);
    (Learned { retries_left: 5, ..learned(&process, &before) }, after)
}

fn assert_kept(what: &str, change: impl FnOnce(&mut Backend, &mut Vec<(usize, u32)>)) {
    let (before, after) = across(change);
    assert!(before.is_out && before.average.is_some(), "there was something to lose");
    assert_eq!(before, after, "{what}");
}

fn assert_policy_kept(what: &str, change: impl FnOnce(&mut BackendPolicy)) {
    assert_kept(what, |part, _| change(Arc::make_mut(&mut part.policy)));
}

#[test]
fn a_change_of_the_mesh_resets_nothing() {
    assert_kept("nothing", |_, _| {});
    assert_kept("own weight", |_, endpoints| endpoints[0].1 = 9);
    assert_kept("another's weight", |_, endpoints| endpoints[1].1 = 0);
    assert_kept("one more endpoint", |_, endpoints| endpoints.push((3, 1)));
    assert_kept("one endpoint less", |_, endpoints| endpoints.truncate(2));
    assert_policy_kept("balance", |policy| policy.balance = Balance::RoundRobin);
    assert_policy_kept("hashing", |policy| {
        policy.balance = Balance::ConsistentHash(HashSource::Path);
    });
    assert_policy_kept("connect timeout", |policy| policy.connect_timeout *= 2);
    assert_policy_kept("retry budget", |policy| policy.retry_budget.percent = 90);
    assert_policy_kept("ejection", |policy| {
        policy.ejection = Ejection { consecutive_failures: 9, ..policy.ejection };
    });
    assert_policy_kept("slow start", |policy| {
        policy.slow_start = Some(SlowStart { window: Duration::from_secs(60) });
    });
    assert_policy_kept("idle connections", |policy| policy.max_idle_per_endpoint = 1);
    assert_policy_kept("most requests", |policy| policy.max_requests = 1);
}

#[test]
fn another_way_to_speak_makes_another_endpoint_of_the_same_backend() {
    let check = |what: &str, change: fn(&mut Backend)| {
        let (before, after) = across(|part, _| change(part));
        assert_ne!(before.pool, after.pool, "{what}: its connections are no use");
        assert_eq!((after.average, after.is_out), (None, false), "{what}");
        assert_eq!(before.backend_in_flight, after.backend_in_flight, "{what}");
        assert_eq!(before.retries_left, after.retries_left, "{what}");
    };
    check("protocol", |part| part.protocol = BackendProtocol::H2c);
    check("TLS", |part| part.tls = Ok(Some(Arc::new(tls("cart.example")))));
    check("TLS refused", |part| part.tls = Err(Cause::BackendTlsInvalid));
    check("PROXY header", |part| {
        Arc::make_mut(&mut part.policy).proxy_protocol = Some(ProxyProtocolVersion::V2);
    });
}

fn tls(server_name: &str) -> BackendTls {
    BackendTls {
        roots: TrustRoots::System,
        server_name: server_name.into(),
        subject_alt_names: Vec::new(),
        identity: None,
    }
}

#[test]
fn backends_share_nothing_even_at_one_address() {
    let process = Process::start();
    let cart = process.worker(policy(Balance::LeastRequest), &[1, 1]);
    let mut other = backend(BackendPolicy::standard());
    other.key = key(PartKind::Backend, "pay");
    let pay = process.worker_of(&other, &endpoint_set([(0, 1), (1, 1)]), process.seconds(0));
    fail_in_a_row(&cart, 0, process.seconds(0));
    assert!(cart.is_out(0, process.seconds(0)) && !pay.is_out(0, process.seconds(0)));
}

#[test]
fn the_unused_is_remembered_for_a_while_and_then_forgotten() {
    let process = Process::start();
    let id = |now: Instant| {
        process
            .worker_of(&backend(BackendPolicy::standard()), &endpoint_set([(0, 1)]), now)
            .members()[0]
            .shared
            .id
    };
    let remembered = limits::REMEMBER_UNUSED.as_secs();
    let first = id(process.seconds(0));
    process.registry.sweep(process.seconds(10));
    process.registry.sweep(process.seconds(10 + remembered - 1));
    assert_eq!(id(process.seconds(10 + remembered)), first, "just in time, and used again");
    process.registry.sweep(process.seconds(11 + remembered));
    assert_eq!(id(process.seconds(12 + remembered)), first, "the time starts anew");
    process.registry.sweep(process.seconds(500));
    process.registry.sweep(process.seconds(500 + remembered));
    process.registry.sweep(process.seconds(500 + remembered * 2));
    assert!(process.registry.backends().is_empty(), "endpoints first, then the backend");
    assert_ne!(id(process.seconds(1_000)), first);
}

#[test]
fn what_carries_a_request_is_not_forgotten() {
    let process = Process::start();
    let group = process.worker(BackendPolicy::standard(), &[1]);
    let request = group.members()[0].shared.begin();
    drop(group);
    for minute in 0..60 {
        process.registry.sweep(process.seconds(minute * 60));
    }
    let group = process.worker(BackendPolicy::standard(), &[1]);
    assert_eq!(group.members()[0].shared.in_flight(), 1, "the stream of an hour is still counted");
    drop(request);
    assert_eq!(group.members()[0].shared.in_flight(), 0);
}

#[test]
fn endless_change_does_not_add_up() {
    let process = Process::start();
    let part = backend(BackendPolicy::standard());
    let kept = process.worker_of(&part, &endpoint_set([(0, 1)]), process.seconds(0));
    kept.members()[0].shared.observe(Duration::from_millis(1), process.seconds(0));
    for number in 1..3 * limits::REMEMBERED {
        kept.backend().endpoint(Channel::of(&part), &address(number), process.seconds(0));
        let one_of_many = key(PartKind::Backend, &number.to_string());
        process.registry.backend(&one_of_many);
    }
    assert!(kept.backend().endpoints().len() <= limits::REMEMBERED);
    assert!(process.registry.backends().len() <= limits::REMEMBERED);
    let again = process.worker_of(&part, &endpoint_set([(0, 1)]), process.seconds(0));
    assert_eq!(again.members()[0].shared.id, kept.members()[0].shared.id, "in use, so kept");
}

#[test]
fn more_in_use_than_are_remembered_stay() {
    let process = Process::start();
    let count = limits::REMEMBERED + 100;
    let group = process.worker(BackendPolicy::standard(), &vec![1; count]);
    assert_eq!(group.backend().endpoints().len(), count);
    let again = process.worker(BackendPolicy::standard(), &vec![1; count]);
    assert!((0..count).all(|at| group.members()[at].shared.id == again.members()[at].shared.id));
}

fn observed(samples: impl IntoIterator<Item = (u64, f64)>) -> f32 {
    let process = Process::start();
    let group = process.worker(BackendPolicy::standard(), &[1]);
    let endpoint = &group.members()[0].shared;
    for (at_ms, latency_ms) in samples {
        let now = process.after(Duration::from_millis(at_ms));
        endpoint.observe(Duration::from_secs_f64(latency_ms / 1e3), now);
    }
    endpoint.latency().expect("has samples") / 1e3
}

#[test]
fn the_average_rises_at_once_and_falls_with_time_and_samples() {
    let close = |got: f32, due: f32| assert!((got / due - 1.0).abs() < 0.01, "{got}, due {due}");
    close(observed([(0, 10.0)]), 10.0);
    close(observed([(0, 10.0), (1, 15.0)]), 15.0);
    close(observed([(0, 10.0), (1, 1_000.0)]), 20.0);
    close(observed([(0, 10.0), (1, 100.0), (2, 100.0), (3, 100.0), (4, 100.0)]), 100.0);
    // A fall of 90 by 1/e in 5 s, or by a quarter with each sample.
    let fallen = 10.0 + 90.0 / std::f32::consts::E;
    close(observed([(0, 100.0), (5_000, 10.0)]), fallen);
    close(observed([(0, 100.0), (1, 10.0)]), 77.5);
    close(observed([(0, 100.0)].into_iter().chain((1..=8).map(|at| (at, 10.0)))), 19.01);
    close(observed([(0, 100.0), (600_000, 10.0)]), 10.0);
    // Two workers' clocks: an older sample is no time at all, and never 49 days.
    close(observed([(5_000, 100.0), (4_000, 10.0)]), 77.5);
    close(observed([(0, 0.0)]), 0.001);
}

#[test]
fn round_robin_of_two_processes_starts_apart() {
    let first_pick = |seed| {
        let now = crate::clock::now();
        let registry = Registry::new(now, seed);
        let part = backend(policy(Balance::RoundRobin));
        let endpoints = endpoint_set((0..7).map(|number| (number, 1)));
        let group = EndpointGroup::new(&part, &endpoints, registry.backend(&part.key), now);
        group.pick(&mut fastrand::Rng::with_seed(1), None, &[], now)
    };
    let picks: std::collections::HashSet<_> = (0..7).map(first_pick).collect();
    assert_eq!(picks.len(), 7);
}
