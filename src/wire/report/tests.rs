use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::model::{Kind, LATENCY_BUCKETS, ObjectKey, Store};

fn key(name: &str, backend: &str) -> ArmKey {
    let part = |part, kind, name: &str, section: &str| {
        PartKey::new(part, ObjectKey::new(Store::Cluster, kind, "shop", name), section)
    };
    ArmKey {
        rule: part(PartKind::Rule, Kind::HttpRoute, name, "0"),
        backend: part(PartKind::Backend, Kind::Service, backend, "80"),
        dark: false,
    }
}

fn arm(name: &str, requests: u64) -> Arm {
    Arm { key: key(name, "web"), born: 1, counts: Counts { requests, ..Counts::default() } }
}

fn whole(mut arms: Vec<Arm>) -> Report {
    arms.sort_by(|a, b| a.key.cmp(&b.key));
    let requests = arms.iter().fold(0_u64, |sum, arm| sum.wrapping_add(arm.counts.requests));
    Report { process: 7, born: 9, totals: Totals { requests, ..Totals::default() }, arms }
}

prop_compose! {
    fn any_counts()(
        requests in any::<u64>(),
        attempts in any::<u64>(),
        errors in any::<u64>(),
        server_errors in any::<u64>(),
        cancelled in any::<u64>(),
        in_flight in any::<u64>(),
        buckets in vec((0..LATENCY_BUCKETS, any::<u64>()), 0..20),
    ) -> Counts {
        let latencies = Latencies::new(buckets).unwrap();
        Counts { requests, attempts, errors, server_errors, cancelled, in_flight, latencies }
    }
}

prop_compose! {
    fn any_arm()(
        name in "[a-z]{1,8}",
        backend in "[a-z]{1,8}",
        dark in any::<bool>(),
        born in any::<u64>(),
        counts in any_counts(),
    ) -> Arm {
        Arm { key: ArmKey { dark, ..key(&name, &backend) }, born, counts }
    }
}

proptest! {
    #[test]
    fn what_is_sent_is_what_arrives(
        process in any::<u64>(),
        numbers in any::<[u64; 4]>(),
        arms in vec(any_arm(), 0..8),
        born in any::<u64>(),
    ) {
        let [requests, errors, connections, left_out] = numbers;
        let totals = Totals { requests, errors, connections, left_out };
        let report = Report { process, born, totals, arms };
        prop_assert_eq!(read(&write(&report)), Some(report));
    }

    /// One in many is a report; what counts is that nothing panics, and that what is believed
    /// is within its bounds.
    #[test]
    fn noise_is_harmless(
        report in vec(any_arm(), 0..3).prop_map(whole),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut request = write(&report);
        let bytes = &mut request.error_detail.as_mut().unwrap().details[0].value;
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for arm in read(&request).into_iter().flat_map(|report| report.arms) {
            prop_assert_eq!(arm.key.rule.part, PartKind::Rule);
            prop_assert!(arm.counts.latencies.buckets().all(|(at, _)| at < LATENCY_BUCKETS));
        }
    }
}

#[test]
fn an_arm_that_is_not_understood_is_left_out_and_counted() {
    let good = write_arm(&arm("web", 1));
    let swapped = ArmMessage { rule: good.backend.clone(), ..good.clone() };
    let nameless = ArmMessage { backend: None, ..good.clone() };
    let bucket = ArmMessage { buckets: vec![169], bucket_counts: vec![1], ..good.clone() };
    let uneven = ArmMessage { buckets: vec![1, 2], bucket_counts: vec![1], ..good.clone() };
    let long = write_arm(&arm(&"x".repeat(limits::WIRE_NAME_CHARS + 1), 1));
    let arms = vec![swapped, nameless, bucket, uneven, long, good];
    let report = report_of(ReportMessage { arms, left_out: 2, ..ReportMessage::default() });
    assert_eq!(report.arms, [arm("web", 1)]);
    assert_eq!(report.totals.left_out, 7);
    let many = (0..limits::ARMS + 3).map(|at| write_arm(&arm(&at.to_string(), 1)));
    let many = ReportMessage { arms: many.collect(), ..ReportMessage::default() };
    let report = report_of(many);
    assert_eq!((report.arms.len(), report.totals.left_out), (limits::ARMS, 3));
}

#[test]
fn only_news_are_told() {
    let mut teller = Teller::default();
    let opening = teller.next(&whole(vec![])).unwrap();
    assert!(opening.arms.is_empty(), "there is nothing: that is news, once");
    teller.sent(opening);
    assert_eq!(teller.next(&whole(vec![])), None);
    let report = whole(vec![arm("a", 1), arm("b", 1)]);
    assert_eq!(teller.next(&report), Some(report.clone()));
    assert_eq!(teller.next(&report), Some(report.clone()), "what was not sent is news still");
    teller.sent(report.clone());
    assert_eq!(teller.next(&report), None);
    let later = teller.next(&whole(vec![arm("a", 1), arm("b", 2)])).unwrap();
    assert_eq!(later.arms, [arm("b", 2)]);
    let other = Report { process: 8, ..report.clone() };
    assert_eq!(teller.next(&other), Some(other), "another process says all of its own");
    // It was forgotten and has come again.
    let reborn = Arm { born: 2, ..arm("a", 1) };
    assert_eq!(teller.next(&whole(vec![reborn.clone()])).unwrap().arms, [reborn]);
}

/// Many arms are told in several messages, each in its turn, though all of them change always.
#[test]
fn each_arm_has_its_turn() {
    let names: Vec<String> = (0..200).map(|at| format!("{at:03}{}", "x".repeat(400))).collect();
    let full = |count| {
        let buckets = (0..LATENCY_BUCKETS).map(|bucket| (bucket, u64::MAX - count));
        Latencies::new(buckets).unwrap()
    };
    let state = |count: u64| {
        let arms = names.iter().map(|name| {
            let mut arm = arm(name, count);
            arm.key.backend.section = "x".repeat(400).into();
            arm.counts.latencies = full(count);
            arm
        });
        whole(arms.chain((0..500).map(|at| arm(&format!("z{at}"), count))).collect())
    };
    let mut teller = Teller::default();
    let mut heard = std::collections::HashSet::new();
    for count in 1..=2 {
        let report = teller.next(&state(count)).unwrap();
        assert!(message_of(&report).encoded_len() <= limits::REPORT_BYTES);
        assert!((10..700).contains(&report.arms.len()), "{}", report.arms.len());
        heard.extend(report.arms.iter().map(|arm| arm.key.clone()));
        teller.sent(report);
    }
    let mut count = 3;
    while heard.len() < 700 {
        let report = teller.next(&state(count)).unwrap();
        heard.extend(report.arms.iter().map(|arm| arm.key.clone()));
        teller.sent(report);
        count += 1;
        assert!(count < 20, "{} were heard", heard.len());
    }
    // Once nothing changes any more, everything has been said.
    for _ in 0..20 {
        teller.next(&state(99)).into_iter().for_each(|report| teller.sent(report));
    }
    assert_eq!(teller.next(&state(99)), None);
}
