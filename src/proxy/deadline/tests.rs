use std::pin::pin;
use std::time::Duration;

use super::*;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_earliest_deadline_ends_the_work_with_its_cause() {
    let deadlines = Deadlines::default();
    let start = clock::now();
    deadlines.set(Phase::Request, start + seconds(9), Cause::RequestTimeout);
    deadlines.set(Phase::Attempt, start + seconds(3), Cause::BackendRequestTimeout);
    let ended = deadlines.guard(pin!(std::future::pending::<()>())).await;
    assert_eq!(ended, Err(Cause::BackendRequestTimeout));
    assert_eq!(start.elapsed(), seconds(3));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_deadline_moved_on_by_the_work_does_not_fire_early() {
    let deadlines = Deadlines::default();
    let start = clock::now();
    deadlines.set(Phase::Stream, start + seconds(2), Cause::StreamIdleTimeout);
    let work = async {
        for _ in 0..5 {
            tokio::time::sleep(seconds(1)).await;
            deadlines.set(Phase::Stream, clock::now() + seconds(2), Cause::StreamIdleTimeout);
        }
        std::future::pending::<()>().await;
    };
    assert_eq!(deadlines.guard(pin!(work)).await, Err(Cause::StreamIdleTimeout));
    assert_eq!(start.elapsed(), seconds(7));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_nearer_deadline_set_by_the_work_is_kept() {
    let deadlines = Deadlines::default();
    let start = clock::now();
    deadlines.set(Phase::Stream, start + seconds(300), Cause::StreamIdleTimeout);
    let work = async {
        tokio::time::sleep(seconds(1)).await;
        deadlines.set(Phase::Attempt, clock::now() + seconds(1), Cause::BackendRequestTimeout);
        std::future::pending::<()>().await;
    };
    assert_eq!(deadlines.guard(pin!(work)).await, Err(Cause::BackendRequestTimeout));
    assert_eq!(start.elapsed(), seconds(2));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn work_that_ends_in_time_gives_its_result() {
    let deadlines = Deadlines::default();
    assert_eq!(deadlines.guard(pin!(async { 7 })).await, Ok(7));
}
