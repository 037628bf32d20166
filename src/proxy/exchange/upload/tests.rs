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
struct Takes {
    room: Pin<Box<tokio::time::Sleep>>,
    /// Until then what was written waits in its socket.
    flushed: Option<Pin<Box<tokio::time::Sleep>>>,
    bytes: usize,
}

impl Takes {
    fn after(time: Duration) -> Self {
        Self { room: Box::pin(tokio::time::sleep(time)), flushed: None, bytes: 0 }
    }

    fn flushed_after(time: Duration) -> Self {
        Self { flushed: Some(Box::pin(tokio::time::sleep(time))), ..Self::after(Duration::ZERO) }
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
        self.room.as_mut().poll(cx).map(Ok)
    }

    fn write_data(&mut self, data: Bytes, _: bool) -> Result<(), Fault> {
        self.bytes += data.len();
        // A sleep that is over may not be asked again.
        self.room.as_mut().reset(clock::now());
        Ok(())
    }

    fn write_end(&mut self, _: Option<&Fields>) -> Result<(), Fault> {
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if let Some(flushed) = &mut self.flushed {
            ready!(flushed.as_mut().poll(cx));
            self.flushed = None;
        }
        Poll::Ready(Ok(()))
    }
}

/// How the upload of all of `down` ended, and after how many seconds.
async fn upload(length: BodyLength, down: Drip, up: Takes) -> (Result<usize, Cause>, f64) {
    let upload = Upload::new(length, false, false, SmallVec::new());
    run(upload, &Deadlines::default(), down, up).await
}

async fn run(
    mut upload: Upload,
    deadlines: &Deadlines,
    mut down: Drip,
    mut up: Takes,
) -> (Result<usize, Cause>, f64) {
    let started = clock::now();
    let work = poll_fn(|cx| upload.poll(cx, &mut down, &mut up, deadlines));
    let ended = deadlines.guard(pin!(work)).await;
    let took = (clock::now() - started).as_secs_f64();
    let ended = ended.map(|outcome| outcome.expect("nobody breaks it off"));
    (ended.map(|()| up.bytes), took)
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
        // Whether the client says how much will come or not.
        for length in [BodyLength::Sized(1_000 * piece as u64), BodyLength::Streamed] {
            let drip = Drip::new(piece, seconds(every), 1_000);
            let (ended, took) = upload(length, drip, Takes::after(seconds(0))).await;
            assert_eq!(ended, GIVEN_UP, "{length:?}, {piece} bytes every {every} s");
            assert!((least..most).contains(&took), "{piece} bytes every {every} s: {took} s");
        }
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_slow_line_has_the_time_that_it_needs() {
    let drip = Drip::new(240, seconds(1), 1_000);
    let (ended, took) = upload(BodyLength::Sized(240_000), drip, Takes::after(seconds(0))).await;
    assert_eq!(ended, Ok(240_000));
    assert!((1_000.0..1_001.0).contains(&took), "{took}");
}

/// A call that streams may rest between its messages: silence is the stream's to end.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_conversation_may_rest() {
    for every in [59, 250] {
        let call = Upload::new(BodyLength::Streamed, true, false, SmallVec::new());
        let drip = Drip::new(1, seconds(every), 100);
        let (ended, _) = run(call, &Deadlines::default(), drip, Takes::after(seconds(0))).await;
        assert_eq!(ended, Ok(100), "a byte every {every} s");
    }
    // Whoever says how much will come doesn't converse.
    let call = Upload::new(BodyLength::Sized(100), true, false, SmallVec::new());
    let drip = Drip::new(1, seconds(1), 100);
    let (ended, _) = run(call, &Deadlines::default(), drip, Takes::after(seconds(0))).await;
    assert_eq!(ended, GIVEN_UP);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_endpoint_that_answers_while_it_is_sent_to_converses() {
    for (length, expected) in [(BodyLength::Streamed, Ok(100)), (BodyLength::Sized(100), GIVEN_UP)]
    {
        let deadlines = Deadlines::default();
        let mut one = Upload::new(length, false, false, SmallVec::new());
        let mut drip = Drip::new(1, seconds(59), 100);
        let mut up = Takes::after(seconds(0));
        tokio::time::sleep(seconds(1)).await;
        // The client is waited for when the answer comes.
        let waits = poll_fn(|cx| Poll::Ready(one.poll(cx, &mut drip, &mut up, &deadlines)));
        assert!(waits.await.is_pending());
        assert!(deadlines.is_set(Phase::Upload));
        one.hear_answer(&deadlines);
        let (ended, _) = run(one, &deadlines, drip, up).await;
        assert_eq!(ended, expected, "{length:?}");
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_client_does_not_pay_for_a_slow_endpoint() {
    let drip = Drip::new(1_000, seconds(1), 100);
    let (ended, took) = upload(BodyLength::Sized(100_000), drip, Takes::after(seconds(500))).await;
    assert_eq!(ended, Ok(100_000));
    assert!(took > 500.0, "{took}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn nor_for_one_whose_socket_is_full() {
    // Pieces come after 55, 110 and 165 seconds; what counts begins after 100.
    let drip = Drip::new(10, seconds(55), 5);
    let up = Takes::flushed_after(seconds(100));
    let (ended, took) = upload(BodyLength::Sized(50), drip, up).await;
    assert_eq!(ended, GIVEN_UP);
    assert!((160.0..160.2).contains(&took), "{took}");
}
