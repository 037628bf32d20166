//! How long a mirror may take, against a backend on a socket and under a paused clock.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::sleep;

use super::*;
use crate::proxy::codec::h1::{ClientConn, HeadLimits};
use crate::proxy::codec::io::{Io, Socket};
use crate::proxy::message::BodyLength;

const PIECE: &[u8] = &[b'x'; 1_000];

/// Mirrors a body that `client` offers to what `backend` does; the outcome, and how long it took.
async fn mirrored(
    client: impl AsyncFnOnce(Tap),
    backend: impl AsyncFnOnce(UnixStream),
) -> (MirrorOutcome, Duration) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let conn = ClientConn::new(Io::Plain(Socket::Unix(ours)), HeadLimits::default());
    let mut upstream = Upstream::H1(Box::new(conn));
    let head = RequestHead {
        method: http::Method::POST,
        authority: "h".to_owned(),
        body: BodyLength::Streamed,
        ..RequestHead::default()
    };
    let window = Rc::new(Window::default());
    let tap = Tap(Rc::clone(&window));
    let began = clock::now();
    let copied = async {
        let status = copy(&mut upstream, &head, &window).await;
        let outcome = status.map_or_else(|outcome| outcome, |_| MirrorOutcome::Ok);
        (outcome, clock::now() - began)
    };
    tokio::select! {
        done = copied => done,
        _ = async { tokio::join!(client(tap), backend(theirs)) } => unreachable!("they wait"),
    }
}

async fn forever() {
    std::future::pending().await
}

/// Reads to the last chunk, with or without trailers.
async fn read_request(stream: &mut UnixStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    while !text.contains("\r\n0\r\n") {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "{text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

async fn read_and_answer(mut stream: UnixStream) {
    read_request(&mut stream).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    forever().await;
}

#[tokio::test(start_paused = true)]
async fn an_upload_may_last_as_long_as_it_goes_on() {
    let client = async |tap: Tap| {
        for _ in 0..20 {
            sleep(limits::MIRROR_TIMEOUT / 3).await;
            tap.offer(&Bytes::from_static(PIECE));
        }
        tap.end(None);
        forever().await;
    };
    let (outcome, took) = mirrored(client, read_and_answer).await;
    assert_eq!(outcome, MirrorOutcome::Ok);
    assert!(took > limits::MIRROR_TIMEOUT * 5, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_rests_is_waited_for() {
    let client = async |tap: Tap| {
        tap.offer(&Bytes::from_static(PIECE));
        sleep(limits::MIRROR_TIMEOUT * 4).await;
        tap.end(None);
        forever().await;
    };
    let (outcome, _) = mirrored(client, read_and_answer).await;
    assert_eq!(outcome, MirrorOutcome::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_stands_still_is_given_up() {
    let client = async |tap: Tap| {
        // Until the socket and the codec hold no more; the window still has room then.
        while tap.0.0.borrow().bytes < limits::MIRROR_WINDOW_BYTES / 2 {
            tap.offer(&Bytes::from_static(PIECE));
            sleep(Duration::from_millis(1)).await;
        }
        forever().await;
    };
    let never_reads = async |stream: UnixStream| {
        let _stream = stream;
        forever().await;
    };
    let (outcome, took) = mirrored(client, never_reads).await;
    assert_eq!(outcome, MirrorOutcome::Failed);
    assert!(took < limits::MIRROR_TIMEOUT * 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_to_come_in_time_and_whole() {
    let client = async |tap: Tap| {
        sleep(limits::MIRROR_TIMEOUT * 2).await;
        tap.end(None);
        forever().await;
    };
    let silent = async |mut stream: UnixStream| {
        read_request(&mut stream).await;
        forever().await;
    };
    let (outcome, took) = mirrored(client, silent).await;
    assert_eq!(outcome, MirrorOutcome::Failed);
    let due = limits::MIRROR_TIMEOUT * 3;
    assert!((due..due + Duration::from_secs(1)).contains(&took), "{took:?}");
    // Also one that trickles without an end: events for nobody.
    let trickles = async |mut stream: UnixStream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            sleep(limits::MIRROR_TIMEOUT / 10).await;
        }
        forever().await;
    };
    let (outcome, took) = mirrored(client, trickles).await;
    assert_eq!(outcome, MirrorOutcome::Failed);
    assert!((due..due + Duration::from_secs(1)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn trailers_are_mirrored_and_a_body_that_broke_off_is_not_completed() {
    let client = async |tap: Tap| {
        tap.offer(&Bytes::from_static(b"abc"));
        let mut trailers = Fields::new();
        trailers.push(b"x-sum", b"3");
        tap.end(Some(Box::new(trailers)));
        forever().await;
    };
    let reads = async |mut stream: UnixStream| {
        let text = read_request(&mut stream).await;
        assert!(text.ends_with("\r\n3\r\nabc\r\n0\r\nx-sum: 3\r\n\r\n"), "{text}");
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        forever().await;
    };
    assert_eq!(mirrored(client, reads).await.0, MirrorOutcome::Ok);
    let breaks_off = async |tap: Tap| {
        tap.offer(&Bytes::from_static(b"abc"));
        sleep(Duration::from_secs(1)).await;
        drop(tap);
        forever().await;
    };
    assert_eq!(mirrored(breaks_off, read_and_answer).await.0, MirrorOutcome::Dropped);
}
