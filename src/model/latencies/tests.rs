use super::*;

#[test]
fn buckets_follow_each_other_and_hold_what_falls_into_them() {
    for bucket in 0..LAST {
        let (from, to) = (begin(bucket), begin(bucket + 1));
        assert_eq!(latency_bucket(from), bucket);
        assert_eq!(latency_bucket(to - Duration::from_nanos(1)), bucket);
        if from >= Duration::from_micros(128) {
            let middle = (from + to) / 2;
            let error = (middle - from).as_secs_f64() / from.as_secs_f64();
            assert!(error <= 1.0 / 16.0, "bucket {bucket}: {error}");
        }
    }
    assert_eq!(begin(LAST), Duration::from_micros(1 << 27), "134 s");
    assert_eq!(latency_bucket(begin(LAST)), LAST);
    assert_eq!(latency_bucket(Duration::MAX), LAST);
    assert_eq!(latency_bucket(Duration::ZERO), 0);
}

#[test]
fn a_quantile_is_near_what_was_measured() {
    let mut rng = fastrand::Rng::with_seed(3);
    // From 0.2 ms to 20 s, as many in each doubling.
    let mut took: Vec<f64> = (0..10_000).map(|_| 0.0002 * 100_000_f64.powf(rng.f64())).collect();
    let mut latencies = Latencies::default();
    took.iter().for_each(|seconds| latencies.observe(Duration::from_secs_f64(*seconds)));
    took.sort_by(f64::total_cmp);
    assert_eq!(latencies.count(), 10_000);
    for (q, rank) in [(0.0, 0), (0.5, 4_999), (0.9, 8_999), (0.99, 9_899), (1.0, 9_999)] {
        let found = latencies.quantile(q).unwrap().as_secs_f64();
        assert!((found / took[rank] - 1.0).abs() <= 0.0625, "{q}: {found} for {}", took[rank]);
    }
    assert_eq!(Latencies::default().quantile(0.5), None);
    let endless = Latencies::new([(LAST, 1)]).unwrap();
    assert_eq!(endless.quantile(0.5), Some(begin(LAST)));
}

/// Halves merged are the whole, and the whole without one half is the other.
#[test]
fn merging_is_exact() {
    let mut rng = fastrand::Rng::with_seed(5);
    let (mut whole, mut halves) =
        (Latencies::default(), [Latencies::default(), Latencies::default()]);
    for at in 0..1_000 {
        let most = 1 << rng.u32(1..30);
        let took = Duration::from_micros(rng.u64(0..most));
        whole.observe(took);
        halves[at % 2].observe(took);
    }
    let [mut one, other] = halves;
    assert_eq!(whole.since(&one), other);
    assert_eq!(one.since(&whole), Latencies::default(), "never below zero");
    one.add(&other);
    assert_eq!(one, whole);
    assert_eq!(Latencies::new(whole.buckets()), Ok(whole));
}

#[test]
fn a_bucket_that_there_is_none_of_is_refused() {
    assert_eq!(Latencies::new([(3, 1), (169, 1)]), Err(NoSuchBucket(169)));
    let twice = Latencies::new([(3, 1), (1, 0), (3, u64::MAX)]).unwrap();
    assert_eq!(twice.buckets().collect::<Vec<_>>(), [(3, u64::MAX)], "numbers of others saturate");
}
