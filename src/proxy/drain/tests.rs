use std::time::Duration;

use super::*;
use crate::clock;

#[tokio::test(start_paused = true)]
async fn a_drain_wakes_who_waits_and_who_comes_later() {
    let drain = Drain::new();
    assert!(!drain.is_draining());
    assert_eq!(drain.phase(), Phase::Running);
    let waiter = tokio::spawn({
        let drain = drain.clone();
        async move { drain.wait().await }
    });
    tokio::task::yield_now().await;
    let deadline = clock::now() + Duration::from_secs(30);
    drain.start(deadline);
    assert!(drain.is_draining());
    assert_eq!(waiter.await.expect("the waiter ends"), deadline);
    assert_eq!(drain.wait().await, deadline);
}

#[tokio::test(start_paused = true)]
async fn a_second_start_may_only_hurry() {
    let drain = Drain::new();
    let begun = clock::now();
    drain.start(begun + Duration::from_secs(30));
    drain.start(begun + Duration::from_secs(60));
    assert_eq!(drain.wait().await, begun + Duration::from_secs(30));
    let end = tokio::spawn({
        let drain = drain.clone();
        async move {
            drain.expired().await;
            clock::now()
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    drain.start(begun + Duration::from_secs(5));
    let end = end.await.expect("the drain ends");
    assert_eq!((end - begun).as_secs(), 5);
}
