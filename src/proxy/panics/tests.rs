use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, LocalOptions};

use super::*;
use crate::clock;
use crate::telemetry::{Family, Registry, SampleValue};

fn counted(metrics: &Registry) -> u64 {
    let collected = metrics.collect(clock::now());
    let samples = collected.iter().filter(|family| family.family == Family::Panics);
    let values = samples.flat_map(|family| &family.samples).map(|sample| match sample.value {
        SampleValue::Count(count) => count,
        _ => unreachable!("a counter"),
    });
    values.sum()
}

/// What a worker runs on.
fn on_a_worker<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    runtime.expect("a runtime").block_on(work)
}

#[test]
fn a_panic_is_counted_and_work_that_ends_is_not() {
    let metrics = Registry::new();
    let panics = metrics.counter(Family::Panics, &[]);
    on_a_worker(async {
        assert_eq!(caught(&panics, async { 7 }).await, Some(7));
        let late = async {
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(caught(&panics, late).await, Some(7));
        assert_eq!(counted(&metrics), 0);
        assert_eq!(caught(&panics, async { panic!("at once") }).await, None::<()>);
        let late = async {
            tokio::task::yield_now().await;
            panic!("at the second poll")
        };
        assert_eq!(caught(&panics, late).await, None::<()>);
    });
    assert_eq!(counted(&metrics), 2);
}

#[test]
fn what_the_work_held_is_given_back() {
    let metrics = Registry::new();
    let panics = metrics.counter(Family::Panics, &[]);
    let (held, cell) = (Rc::new(()), Rc::new(RefCell::new(0)));
    let (kept, borrowed) = (Rc::clone(&held), Rc::clone(&cell));
    let outcome = on_a_worker(caught(&panics, async move {
        let _kept = kept;
        tokio::task::yield_now().await;
        let mut borrowed = borrowed.borrow_mut();
        *borrowed += 1;
        panic!("while it holds something");
    }));
    assert_eq!(outcome, None::<()>);
    assert_eq!(Rc::strong_count(&held), 1);
    assert_eq!(*cell.borrow(), 1, "nobody borrows it any more");
}

/// Three connections on one thread; the one in the middle meets a bug.
#[test]
fn a_bug_in_one_connection_ends_that_one_alone() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a socket like others");
    let metrics = Registry::new();
    let panics = Rc::new(metrics.counter(Family::Panics, &[]));
    let clients = std::thread::spawn(move || {
        let mut clients = [(); 3].map(|()| TcpStream::connect(address).expect("a connection"));
        let say = |client: &mut TcpStream, byte: u8| {
            let mut answer = Vec::new();
            client.write_all(&[byte]).expect("it is taken");
            let read = client.take(1).read_to_end(&mut answer);
            read.map(|_| answer).unwrap_or_default()
        };
        let mut heard = Vec::new();
        for (number, byte) in [(0, b'a'), (1, b'b'), (2, b'c'), (1, b'!'), (0, b'd'), (2, b'e')] {
            heard.push(say(&mut clients[number], byte));
        }
        heard
    });
    on_a_worker(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime's socket");
        let mut connections = Vec::new();
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let panics = Rc::clone(&panics);
            connections.push(tokio::task::spawn_local(async move {
                let echo = async move {
                    while let Ok(byte) = stream.read_u8().await {
                        assert_ne!(byte, b'!', "the bug");
                        let _ = stream.write_u8(byte).await;
                    }
                };
                caught(&panics, echo).await
            }));
        }
        let mut ended = Vec::new();
        for connection in connections {
            ended.push(connection.await.expect("no task of a worker panics"));
        }
        assert_eq!(ended, [Some(()), None, Some(())]);
    });
    let heard = clients.join().expect("clients that end");
    assert_eq!(heard, [&b"a"[..], b"b", b"c", b"", b"d", b"e"]);
    assert_eq!(counted(&metrics), 1);
}
