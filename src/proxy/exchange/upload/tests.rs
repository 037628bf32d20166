use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::time::Duration;

use super::*;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A client that sends a piece, waits, and sends the next one.
struct Drip {
    piece: usize,
    every: Duration,
    left: u32,
    wait: Pin<Box<tokio::time::Sleep>>,
}

impl Drip {
    fn new(piece: usize, every: Duration, pieces: u32) -> Self {
        Self { piece, every, left: pieces, wait: Box::pin(tokio::time::sleep(every)) }
    }
}

/// An endpoint that takes nothing until its time has come.
struct Takes(Pin<Box<tokio::time::Sleep>>, usize);

impl Takes {
    fn after(time: Duration) -> Self {
        Self(Box::pin(tokio::time::sleep(time)), 0)
    }
}

impl Body for Drip {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
        if self.left == 0 {
            return Poll::Ready(Ok(Frame::End));
        }
        ready!(self.wait.as_mut().poll(cx));
        self.wait.as_mut().reset(clock::now() + self.every);
        self.left -= 1;
        Poll::Ready(Ok(Frame::Data(vec![b'x'; self.piece].into())))
    }

    fn is_read(&self) -> bool {
        self.left == 0
    }

    fn poll_room(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        unreachable!("a client is not uploaded to")
    }

    fn write_data(&mut self, _: Bytes, _: bool) -> Result<(), Fault> {
        unreachable!("a client is not uploaded to")
    }

    fn write_end(&mut self, _: Option<&Fields>) -> Result<(), Fault> {
        unreachable!("a client is not uploaded to")
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        unreachable!("a client is not uploaded to")
    }
}

impl Body for Takes {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
        unreachable!("an upload reads no answer")
    }

    fn is_read(&self) -> bool {
        unreachable!("an upload reads no answer")
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.0.as_mut().poll(cx).map(Ok)
    }

    fn write_data(&mut self, data: Bytes, _: bool) -> Result<(), Fault> {
        self.1 += data.len();
        // A sleep that is over may not be asked again.
        self.0.as_mut().reset(clock::now());
        Ok(())
    }

    fn write_end(&mut self, _: Option<&Fields>) -> Result<(), Fault> {
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }
}

/// How the upload of all of `down` ended, and after how many seconds.
async fn upload(length: BodyLength, mut down: Drip, mut up: Takes) -> (Result<usize, Cause>, f64) {
    let deadlines = Deadlines::default();
    let mut upload = Upload::new(length, false, SmallVec::new());
    let started = clock::now();
    let work = poll_fn(|cx| upload.poll(cx, &mut down, &mut up, &deadlines));
    let ended = deadlines.guard(pin!(work)).await;
    let took = (clock::now() - started).as_secs_f64();
    let ended = ended.map(|outcome| outcome.expect("nobody breaks it off"));
    (ended.map(|()| up.1), took)
}

const GIVEN_UP: Result<usize, Cause> = Err(Cause::RequestBodyTimeout);

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_client_that_falls_silent_is_given_up() {
    for length in [BodyLength::Sized(10), BodyLength::Streamed] {
        let (ended, took) =
            upload(length, Drip::new(1, seconds(1_000), 10), Takes::after(seconds(0))).await;
        assert_eq!(ended, GIVEN_UP);
        assert!((60.0..60.1).contains(&took), "{took}");
    }
}

/// A byte now and then moves the deadline by what a byte is worth, four milliseconds.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_drip_buys_no_time() {
    for (piece, every, least, most) in
        [(1, 59, 60.0, 61.0), (1, 1, 60.0, 61.0), (10, 1, 62.0, 64.0), (120, 1, 118.0, 122.0)]
    {
        let drip = Drip::new(piece, seconds(every), 1_000);
        let length = BodyLength::Sized(1_000 * piece as u64);
        let (ended, took) = upload(length, drip, Takes::after(seconds(0))).await;
        assert_eq!(ended, GIVEN_UP, "{piece} bytes every {every} s");
        assert!((least..most).contains(&took), "{piece} bytes every {every} s: {took} s");
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_slow_line_has_the_time_that_it_needs() {
    let drip = Drip::new(240, seconds(1), 1_000);
    let (ended, took) = upload(BodyLength::Sized(240_000), drip, Takes::after(seconds(0))).await;
    assert_eq!(ended, Ok(240_000));
    assert!((1_000.0..1_001.0).contains(&took), "{took}");
}

/// A stream whose length nobody knows is often meant to be slow (gRPC, events): only silence ends
/// it, and `timeouts.request` where the route has one.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_stream_may_be_slow() {
    let drip = Drip::new(1, seconds(59), 100);
    let (ended, _) = upload(BodyLength::Streamed, drip, Takes::after(seconds(0))).await;
    assert_eq!(ended, Ok(100));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_client_does_not_pay_for_a_slow_endpoint() {
    let drip = Drip::new(1_000, seconds(1), 100);
    let (ended, took) = upload(BodyLength::Sized(100_000), drip, Takes::after(seconds(500))).await;
    assert_eq!(ended, Ok(100_000));
    assert!(took > 500.0, "{took}");
}
