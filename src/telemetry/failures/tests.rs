use crate::model::Cause;
use crate::telemetry::{Registry, WorkerTelemetry};

use super::*;

fn failed(cause: Cause) -> Record {
    Record { cause: Some(cause), status: cause.status(), ..Record::default() }
}

fn numbers(ring: &Ring) -> Vec<u64> {
    ring.after(0).failures.iter().map(|failure| failure.number).collect()
}

#[test]
fn failures_alone_are_kept_and_told_in_their_order() {
    let ring = Ring::default();
    ring.note(&Record { status: 200, ..Record::default() });
    ring.note(&Record { status: 404, ..Record::default() });
    assert_eq!(ring.after(0), Failures::default(), "a backend's 404 is an answer");
    ring.note(&failed(Cause::NoEndpoint));
    ring.note(&failed(Cause::RouteNotFound));
    ring.note(&Record { status: 500, ..Record::default() });
    let all = ring.after(0);
    let told: Vec<_> = all.failures.iter().map(|one| (one.number, one.cause.as_deref())).collect();
    assert_eq!(told, [(1, Some("no_endpoint")), (2, Some("route_not_found")), (3, None)]);
    assert_eq!((all.last, all.left_out), (3, 0));
    assert_eq!(ring.after(2).failures.len(), 1);
    assert_eq!(ring.after(3), Failures { last: 3, ..Failures::default() });
}

#[test]
fn a_flood_of_what_clients_get_wrong_leaves_the_rest() {
    let ring = Ring::default();
    ring.note(&failed(Cause::UpstreamReset));
    let flood = limits::REFUSALS as u64 + 10;
    for _ in 0..flood {
        ring.note(&failed(Cause::RouteNotFound));
    }
    let numbers = numbers(&ring);
    assert_eq!(numbers[0], 1);
    assert_eq!(numbers[1..], (12..=flood + 1).collect::<Vec<_>>());
}

#[test]
fn entries_and_bytes_are_bounded() {
    let ring = Ring::default();
    for _ in 0..limits::FAILURES + 5 {
        ring.note(&failed(Cause::NoEndpoint));
    }
    assert_eq!(numbers(&ring).len(), limits::FAILURES);
    assert_eq!(numbers(&ring)[0], 6);

    let ring = Ring::default();
    let mut large = failed(Cause::NoEndpoint);
    large.path.set(&[b'a'; 4 * limits::RECORD_PATH_BYTES]);
    large.because(&"ä".repeat(limits::RECORD_SENTENCE_BYTES));
    large.tries = (0..limits::RECORD_TRIES).map(|_| tried()).collect();
    for _ in 0..limits::FAILURES {
        ring.note(&large);
    }
    let failures = ring.after(0).failures;
    let bytes: usize = failures.iter().map(Failure::weight).sum();
    assert!(failures.len() < limits::FAILURES, "{}", failures.len());
    assert!(bytes <= limits::FAILURES_BYTES && bytes > limits::FAILURES_BYTES * 9 / 10, "{bytes}");
    assert!(failures[0].path.ends_with("aa…"));
    assert_eq!(failures[0].reason.as_ref().map(String::len), Some(limits::RECORD_SENTENCE_BYTES));
    assert_eq!(failures.last().map(|one| one.number), Some(limits::FAILURES as u64));
}

fn tried() -> Tried {
    Tried {
        endpoint: "127.0.0.1:3000".into(),
        cause: Some(Cause::UpstreamConnectRefused),
        sentence: "x".repeat(limits::RECORD_SENTENCE_BYTES).into(),
        took: Duration::from_millis(1),
    }
}

/// Whoever reads takes as long as a copy does; a worker must not wait for that.
#[test]
fn nobody_waits_for_the_lock() {
    let ring = Ring::default();
    let held = ring.kept();
    ring.note(&failed(Cause::NoEndpoint));
    drop(held);
    ring.note(&failed(Cause::NoEndpoint));
    let all = ring.after(0);
    assert_eq!((all.last, all.left_out, all.failures.len()), (1, 1, 1));
}

#[test]
fn what_every_worker_consumes_is_in_one_list() {
    let registry = Registry::new();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let registry = registry.clone();
            std::thread::spawn(move || {
                let mut worker = WorkerTelemetry::new(registry.worker(), None);
                worker.consume(&failed(Cause::RequestTimeout));
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("it counts"));
    let all = registry.failures(0);
    assert_eq!(all.failures.len() as u64 + all.left_out, 2);
}

#[test]
fn a_failure_survives_its_journey() {
    let mut record = failed(Cause::UpstreamConnectFailed);
    record.request_id.set(b"id");
    record.total = Duration::from_millis(5);
    record.tries = vec![tried()];
    let ring = Ring::default();
    ring.note(&record);
    let all = ring.after(0);
    let text = serde_json::to_string(&all).expect("it is JSON");
    let read: Failures = serde_json::from_str(&text).expect("it is its own");
    assert_eq!(read, all);
    // What another version leaves out or has besides hurts nobody.
    let read: Failures = serde_json::from_str(r#"{"last":2,"new":1,"failures":[{"number":2}]}"#)
        .expect("it is read as far as it is known");
    assert_eq!(read.failures[0].number, 2);
}
