//! Which keys move, and where to, when endpoints come and go.

use xxhash_rust::xxh64::xxh64;

use super::super::maglev::Maglev;
use super::*;

const KEYS: u64 = 20_000;

fn hashes() -> impl Iterator<Item = u64> {
    (0..KEYS).map(|key| xxh64(&key.to_be_bytes(), 0))
}

fn worker(process: &Process, endpoints: &[usize]) -> EndpointGroup {
    let policy = frail(Balance::ConsistentHash(HashSource::ClientAddress));
    let endpoints = fixture::endpoint_set(endpoints.iter().map(|&number| (number, 1)));
    process.worker_of(&fixture::backend(policy), &endpoints, process.seconds(0))
}

/// Where each key goes, by address.
fn owners(group: &EndpointGroup, now: Instant) -> Vec<Address> {
    let mut rng = Rng::with_seed(1);
    let mut owner = |hash| {
        let index = group.pick(&mut rng, Some(hash), &[], now).expect("someone is in");
        group.members()[index].address.clone()
    };
    hashes().map(&mut owner).collect()
}

#[test]
fn keys_are_spread_by_weight() {
    let check = |weights: &[u32]| {
        let addresses: Vec<_> = (0..weights.len()).map(fixture::address).collect();
        let list: Vec<_> = addresses.iter().zip(weights.iter().copied()).collect();
        let table = Maglev::new(&list);
        let mut counts = vec![0; weights.len()];
        hashes().for_each(|hash| counts[table.find(hash, |_| true).expect("one is in")] += 1);
        let shares: Vec<f64> = weights.iter().map(|&weight| f64::from(weight)).collect();
        assert_shares(&counts, &shares, &format!("{weights:?}"));
    };
    check(&[1, 1, 1]);
    check(&[5, 3, 0, 1]);
    check(&[1; 100]);
    check(&[100, 1]);
}

#[test]
fn a_key_stays_when_others_come_and_go() {
    let process = Process::start();
    let now = process.seconds(0);
    let ten = owners(&worker(&process, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), now);
    let nine = owners(&worker(&process, &[0, 1, 2, 3, 5, 6, 7, 8, 9]), now);
    let eleven = owners(&worker(&process, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), now);
    let gone = fixture::address(4);
    let moved = |after: &[Address]| {
        let kept = |(before, after): &(&Address, &Address)| **before != gone && before != after;
        ten.iter().zip(after).filter(kept).count() as f64 / KEYS as f64
    };
    // The least possible is 0, and 1/11 for the newcomer's own share.
    assert!(moved(&nine) < 0.02, "{}", moved(&nine));
    assert!(moved(&eleven) < 1.0 / 11.0 + 0.02, "{}", moved(&eleven));
}

#[test]
fn the_order_of_the_list_means_nothing() {
    let process = Process::start();
    let now = process.seconds(0);
    assert_eq!(
        owners(&worker(&process, &[0, 1, 2, 3]), now),
        owners(&worker(&process, &[3, 0, 2, 1]), now)
    );
}

#[test]
fn keys_of_an_ejected_endpoint_spread_over_the_others_and_come_back() {
    let process = Process::start();
    let group = worker(&process, &[0, 1, 2, 3]);
    let before = owners(&group, process.seconds(0));
    eject(&group, 0, process.seconds(0));
    let during = owners(&group, process.seconds(1));
    let lost = fixture::address(0);
    let mut heirs = [0; 4];
    for (before, during) in before.iter().zip(&during) {
        assert!(*before == lost || before == during, "only the lost endpoint's keys move");
        if *before == lost {
            heirs[(0..4).find(|&heir| fixture::address(heir) == *during).expect("known")] += 1;
        }
    }
    assert_shares(&heirs, &[0.0, 1.0, 1.0, 1.0], "heirs");
    assert_eq!(owners(&group, process.seconds(10)), before, "back after the ejection");
}

#[test]
fn the_last_endpoint_of_many_takes_every_key() {
    let process = Process::start();
    let group = worker(&process, &(0..200).collect::<Vec<_>>());
    let now = process.seconds(0);
    (0..198).for_each(|index| eject(&group, index, now));
    let mut rng = Rng::with_seed(1);
    let mut pick = |hash, excluded: &[usize]| group.pick(&mut rng, Some(hash), excluded, now);
    let mut counts = vec![0; 200];
    for hash in hashes() {
        let index = pick(hash, &[]).expect("two are in");
        assert_eq!(pick(hash, &[]), Ok(index), "a key stays with its heir");
        assert_eq!(pick(hash, &[index]), Ok(if index == 198 { 199 } else { 198 }));
        counts[index] += 1;
    }
    assert_eq!(counts[198] + counts[199], u32::try_from(KEYS).expect("small"));
    assert!(counts[198].abs_diff(counts[199]) < 2_000, "{counts:?}");
}

#[test]
fn requests_without_a_hash_are_spread() {
    let process = Process::start();
    let group = worker(&process, &[0, 1, 2, 3]);
    assert_shares(&picks(&group, &[], process.seconds(0)), &[1.0; 4], "no hash");
}

#[test]
fn workers_share_one_table_and_a_new_list_gets_a_new_one() {
    let process = Process::start();
    let table = |group: &EndpointGroup| Arc::as_ptr(group.maglev.as_ref().expect("has one"));
    let first = worker(&process, &[0, 1]);
    let second = worker(&process, &[0, 1]);
    assert_eq!(table(&first), table(&second));
    assert_ne!(table(&first), table(&worker(&process, &[0, 1, 2])));
}

/// A release that places keys otherwise would move every client of every cache at once, and the
/// replicas of a rolling upgrade would disagree.
#[test]
fn placement_is_the_same_in_every_release() {
    let process = Process::start();
    let group = worker(&process, &[0, 1, 2, 3, 4, 5, 6, 7]);
    let mut rng = Rng::with_seed(1);
    let mut place =
        |hash| group.pick(&mut rng, Some(hash), &[], process.seconds(0)).expect("all are in");
    let placed: Vec<usize> = hashes().take(12).map(&mut place).collect();
    assert_eq!(placed, [7, 7, 6, 3, 1, 6, 7, 4, 6, 1, 1, 0]);
}
