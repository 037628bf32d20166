#![allow(clippy::unwrap_used, reason = "a test may panic")]

use meshctl::clock;

use super::*;

const LATENCY: Duration = Duration::from_millis(5);

fn answer(meter: &Meter, version: Version) {
    meter.end(meter.begin(), Ended::Answered(version), LATENCY, clock::now());
}

fn lose(meter: &Meter) {
    meter.end(meter.begin(), Ended::Lost("timed out".into()), LATENCY, clock::now());
}

#[tokio::test(start_paused = true)]
async fn a_share_is_counted_from_the_moment_at_which_its_weights_are_served() {
    let meter = Meter::new(clock::now());
    answer(&meter, Version::V1);
    lose(&meter);
    assert_eq!((meter.steps()[0].measured(), meter.steps()[0].losses()), (0, 1));
    meter.measure(0);
    answer(&meter, Version::V1);
    answer(&meter, Version::V2);
    meter.leave(Phase::Settling(1)).await;
    answer(&meter, Version::V2);
    assert_eq!(meter.steps()[0].answered, [1, 1]);
    assert_eq!(meter.steps()[1].answered, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_step_is_left_when_its_last_request_has_ended() {
    let meter = Meter::new(clock::now());
    meter.measure(0);
    let slow = meter.begin();
    let leave = meter.leave(Phase::Settling(1));
    tokio::pin!(leave);
    assert!(tokio::time::timeout(LATENCY, &mut leave).await.is_err());
    // One that began afterwards holds nothing up.
    let later = meter.begin();
    meter.end(slow, Ended::Answered(Version::V2), LATENCY, clock::now());
    tokio::time::timeout(LATENCY, leave).await.unwrap();
    meter.end(later, Ended::Answered(Version::V2), LATENCY, clock::now());
    assert_eq!(meter.steps()[0].answered, [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_is_lost_at_any_time_and_a_failure_is_its_versions() {
    let meter = Meter::new(clock::now());
    meter.measure(0);
    lose(&meter);
    meter.end(meter.begin(), Ended::Failed(Version::V2), LATENCY, clock::now());
    meter.leave(Phase::Deciding(0)).await;
    meter.end(meter.begin(), Ended::Failed(Version::V2), LATENCY, clock::now());
    meter.leave(Phase::After).await;
    lose(&meter);
    assert_eq!(meter.lost(), 2);
    let step = &meter.steps()[0];
    assert_eq!((step.losses(), step.answered, step.failed), (1, [0, 1], [0, 2]));
    assert_eq!(meter.recent(clock::now()).map(|recent| recent.errors), [0, 2]);
}

#[tokio::test(start_paused = true)]
async fn rates_are_of_the_last_seconds_and_history_is_bounded() {
    let meter = Meter::new(clock::now());
    for _ in 0..40 {
        for _ in 0..10 {
            answer(&meter, Version::V1);
        }
        tokio::time::advance(TICK).await;
    }
    let [v1, v2] = meter.recent(clock::now());
    assert_eq!(v1.per_second, 20.0);
    assert_eq!(v1.answered, [10; 40]);
    assert!(v1.p99_micros.iter().all(|micros| (4_500..5_500).contains(micros)), "{v1:?}");
    assert!((4.0..6.0).contains(&v1.p50_ms.unwrap()), "{v1:?}");
    assert_eq!((v2.per_second, v2.p50_ms), (0.0, None));
    tokio::time::advance(TICK * 100_000).await;
    let [v1, _] = meter.recent(clock::now());
    assert_eq!((v1.per_second, v1.p99_ms), (0.0, None));
    assert!(v1.answered.len() < limits::DEMO_TICKS);
}
