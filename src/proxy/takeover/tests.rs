use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

use super::*;

type Sockets = Arc<Mutex<Vec<TcpListener>>>;

fn listeners(count: usize) -> Sockets {
    let one = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    Arc::new(Mutex::new((0..count).map(|_| one()).collect()))
}

fn bind_of(listener: &TcpListener) -> BindAddress {
    let address = listener.local_addr().expect("it is bound");
    BindAddress { ip: Some(address.ip()), port: address.port() }
}

fn offered(sockets: &Sockets) -> io::Result<Offer> {
    let sockets = sockets.lock().expect("no panic holds it");
    let duplicate = |listener: &TcpListener| {
        Ok(Listening { bind: bind_of(listener), socket: listener.try_clone()?.into() })
    };
    Ok(Offer { sockets: sockets.iter().map(duplicate).collect::<io::Result<_>>()?, door: None })
}

/// An old process on a thread and a runtime of its own. Ends when somebody has taken over, with
/// the sockets closed, as the end of a process closes them.
fn old_process(sockets: &Sockets) -> (TempDir, PathBuf, thread::JoinHandle<u32>) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run/proxy.takeover");
    let (ready, is_ready) = std::sync::mpsc::sync_channel(0);
    let (sockets, bound) = (sockets.clone(), path.clone());
    let old = thread::spawn(move || {
        runtime().block_on(async {
            let door = TakeoverDoor::bind(&bound, Existing::Refuse).expect("the door opens");
            ready.send(()).expect("the test waits");
            let pid = door.serve(|| offered(&sockets)).await.pid;
            sockets.lock().expect("no panic holds it").clear();
            pid
        })
    });
    is_ready.recv().expect("the door is open");
    (directory, path, old)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn join<T>(thread: thread::JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What waits in the queue of `listener` says what it came to say.
fn accept(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().expect("somebody waits");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("it is text");
    said
}

fn knock(address: SocketAddr, text: &str) {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.write_all(text.as_bytes()).expect("the kernel takes it");
}

#[test]
fn three_hundred_sockets_pass_with_what_waits_in_their_queues() {
    const SOCKETS: usize = 300;
    crate::telemetry::process::raise_open_files().expect("there are enough files");
    let sockets = listeners(SOCKETS);
    let addresses: Vec<_> = sockets
        .lock()
        .expect("no panic holds it")
        .iter()
        .map(|listener| listener.local_addr().expect("it is bound"))
        .collect();
    let (_directory, path, old) = old_process(&sockets);
    // Nobody accepts these before the sockets have changed hands.
    for (n, address) in addresses.iter().enumerate() {
        knock(*address, &format!("before {n}"));
    }
    let taken = runtime().block_on(async {
        let handover = request(&path, None).await.expect("the sockets come");
        assert_eq!(handover.pid, std::process::id());
        for (n, address) in addresses.iter().enumerate() {
            knock(*address, &format!("between {n}"));
        }
        handover.serving().await.expect("the old process lets go");
        handover.sockets
    });
    assert_eq!(join(old), std::process::id());
    assert!(sockets.lock().expect("no panic holds it").is_empty(), "the old ones are closed");
    assert_eq!(taken.len(), SOCKETS);
    for (n, (listening, address)) in taken.into_iter().zip(addresses).enumerate() {
        let listener = TcpListener::from(listening.socket);
        assert_eq!(listener.local_addr().expect("it is bound"), address);
        assert_eq!(listening.bind, bind_of(&listener));
        knock(address, &format!("after {n}"));
        let heard = [accept(&listener), accept(&listener), accept(&listener)];
        assert_eq!(heard, [format!("before {n}"), format!("between {n}"), format!("after {n}")]);
        let flags = rustix::io::fcntl_getfd(&listener).expect("it is open");
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC), "children don't hold our ports");
    }
}

#[test]
fn a_newcomer_that_dies_before_it_serves_changes_nothing() {
    let sockets = listeners(2);
    let address = sockets.lock().expect("no panic holds it")[0].local_addr().expect("it is bound");
    let (_directory, path, old) = old_process(&sockets);
    runtime().block_on(async {
        for _ in 0..3 {
            let handover = request(&path, None).await.expect("the sockets come");
            assert_eq!(handover.sockets.len(), 2);
            drop(handover);
        }
        assert!(!old.is_finished());
        assert_eq!(sockets.lock().expect("no panic holds it").len(), 2);
        knock(address, "still here");
        assert_eq!(accept(&sockets.lock().expect("no panic holds it")[0]), "still here");
        request(&path, None).await.expect("the sockets come").serving().await.expect("it lets go");
    });
    join(old);
}

#[test]
fn a_process_without_sockets_is_taken_over_too() {
    let (_directory, path, old) = old_process(&listeners(0));
    runtime().block_on(async {
        let handover = request(&path, None).await.expect("an empty offer comes");
        assert!(handover.sockets.is_empty());
        handover.serving().await.expect("it lets go");
    });
    join(old);
}

/// Whoever speaks something else is sent away, and the old process goes on.
#[test]
fn other_versions_and_nonsense_are_refused() {
    let sockets = listeners(1);
    let (_directory, path, old) = old_process(&sockets);
    let connect = || {
        let socket = control::connect(&path, SocketType::SEQPACKET).expect("the door is open");
        Channel::new(UnixStream::from_std(socket.into()).expect("a socket"))
    };
    runtime().block_on(async {
        let channel = connect();
        send(&channel, &Message::Hello { version: VERSION + 1, pid: 1, door: None }, &[])
            .await
            .expect("sent");
        let answer = receive(&channel).await.expect("an answer comes");
        assert!(matches!(&answer, Message::Refused { reason } if reason.contains("version 1")));

        let nonsense = [&b"{}"[..], b"GET / HTTP/1.1\r\n\r\n", b"\xff", &[b'['; 30_000]];
        for packet in nonsense {
            let channel = connect();
            channel.send(packet, &[]).await.expect("it is sent");
            let answer = receive(&channel).await;
            assert!(answer.is_err(), "{answer:?} to {packet:?}");
        }
        // Serving is no first word, and a descriptor is no gift that anyone asked for.
        let channel = connect();
        send(&channel, &Message::Serving, &[]).await.expect("it is sent");
        assert!(receive(&channel).await.is_err());
        let channel = connect();
        let gift = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let hello = Message::Hello { version: VERSION, pid: 1, door: None };
        send(&channel, &hello, &[gift.as_fd()]).await.expect("it is sent");
        assert!(receive(&channel).await.is_err());
        // Too early: the sockets have come, but not all of them were asked for.
        let channel = connect();
        send(&channel, &hello, &[]).await.expect("it is sent");
        channel.receive().await.expect("the sockets come");
        send(&channel, &Message::Next, &[]).await.expect("it is sent");
        assert!(receive(&channel).await.is_err());

        assert!(!old.is_finished());
        request(&path, None).await.expect("the sockets come").serving().await.expect("it lets go");
    });
    join(old);
}

#[test]
fn an_old_process_that_is_gone_is_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run/proxy.takeover");
    runtime().block_on(async {
        let refused = request(&path, None).await.map_err(|error| error.kind());
        assert_eq!(refused.err(), Some(ErrorKind::NotFound));
        let door = TakeoverDoor::bind(&path, Existing::Refuse).expect("the door opens");
        let sockets = listeners(1);
        let handover = {
            let offer = || offered(&sockets);
            tokio::select! {
                successor = door.serve(offer) => panic!("{successor:?} has not taken over"),
                handover = request(&path, None) => handover.expect("the sockets come"),
            }
        };
        // The offer was dropped with the old process, in the middle of the conversation.
        assert!(handover.serving().await.is_err());
        drop(door);
        assert!(request(&path, None).await.is_err());
    });
}

#[test]
fn a_socket_that_is_not_what_it_was_said_to_be_is_refused() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let bind = bind_of(&listener);
    check_listening(listener.as_fd(), bind).expect("it listens");
    let other = BindAddress { port: bind.port ^ 1, ..bind };
    assert!(check_listening(listener.as_fd(), other).is_err(), "another port");
    let client =
        TcpStream::connect(listener.local_addr().expect("it is bound")).expect("connected");
    let port = client.local_addr().expect("it is bound").port();
    assert!(check_listening(client.as_fd(), BindAddress { port, ..bind }).is_err(), "a connection");
    let (pipe, _) = io::pipe().expect("a pipe");
    assert!(check_listening(pipe.as_fd(), bind).is_err(), "no socket");
}

#[test]
fn addresses_are_read_as_they_are_written() {
    for ip in [
        None,
        Some(Ipv4Addr::new(10, 0, 0, 1).into()),
        Some(Ipv6Addr::LOCALHOST.into()),
        Some(Ipv6Addr::UNSPECIFIED.into()),
        Some(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()),
    ] {
        let bind = BindAddress { ip, port: 8443 };
        assert_eq!(parse_bind(&bind.to_string()), Some(bind));
    }
    for text in ["", "*", "*:", "*:99999", "10.0.0.1", "shop.example:80", "*:80 "] {
        assert_eq!(parse_bind(text), None, "{text}");
    }
}

/// The door goes to who asks for its address, and to nobody else: an older process would not
/// expect one more descriptor.
#[test]
fn the_door_is_handed_to_who_wants_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run/proxy.takeover");
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let (at, other) = (door.local_addr().expect("it is bound"), ([127, 0, 0, 1], 1).into());
    // None, one short of a batch, a whole one, and one that goes over.
    for count in [0, 1, 250, 251] {
        crate::telemetry::process::raise_open_files().expect("there are enough files");
        let sockets = listeners(count);
        for (wanted, given) in [(None, false), (Some(other), false), (Some(at), true)] {
            runtime().block_on(async {
                let old = TakeoverDoor::bind(&path, Existing::Replace).expect("the door opens");
                let offer = || {
                    let door = Some(door.try_clone()?.into());
                    Ok(Offer { door, ..offered(&sockets)? })
                };
                let new = async {
                    let handover = request(&path, wanted).await.expect("the sockets come");
                    handover.serving().await.expect("the old process lets go");
                    handover
                };
                let (successor, handover) = tokio::join!(old.serve(offer), new);
                assert_eq!((successor.door, handover.door.is_some()), (given, given));
                assert_eq!(handover.sockets.len(), count);
                if let Some(door) = handover.door {
                    assert_eq!(door.local_addr().expect("it is bound"), at);
                }
            });
        }
    }
}

/// What processes said before there was a door to hand over, and what they still understand.
#[test]
fn the_words_of_older_processes_are_understood() {
    let hello = br#"{"say":"hello","version":1,"pid":7}"#;
    let message = parse(hello).expect("it is understood");
    assert!(matches!(message, Message::Hello { version: 1, pid: 7, door: None }), "{message:?}");
    assert_eq!(serde_json::to_vec(&message).expect("it is text"), hello);
    let sockets = br#"{"say":"sockets","pid":7,"binds":["*:80"],"left":0}"#;
    let message = parse(sockets).expect("it is understood");
    assert!(matches!(message, Message::Sockets { door: false, .. }), "{message:?}");
    assert_eq!(serde_json::to_vec(&message).expect("it is text"), sockets);
}
