//! What needs no controller; the conversation itself is tested with `controller::xds`.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::time::Duration;

use super::backoff::Backoff;
use super::held::{self, Held};
use super::saved;
use crate::controller::fixture::{certificate, endpoints};
use crate::limits;
use crate::model::Part;
use crate::wire::transaction::{Parcel, Transaction};

#[test]
fn tries_grow_rarer_and_are_never_at_one_time() {
    let waits = |seed: u64| {
        let mut backoff = Backoff::new(fastrand::Rng::with_seed(seed));
        (0..40).map(|_| backoff.next()).collect::<Vec<_>>()
    };
    let thousand: Vec<_> = (0..1_000).map(waits).collect();
    let longest = |at: usize| thousand.iter().map(|waits| waits[at]).max().unwrap();
    let mean = |at: usize| thousand.iter().map(|waits| waits[at]).sum::<Duration>() / 1_000;
    assert!(longest(0) <= limits::CONTROLLER_RETRY);
    assert!(longest(1) > limits::CONTROLLER_RETRY && longest(1) <= 2 * limits::CONTROLLER_RETRY);
    for at in [10, 39] {
        assert!(longest(at) <= limits::CONTROLLER_RETRY_MAX);
        let share = mean(at).as_secs_f64() / limits::CONTROLLER_RETRY_MAX.as_secs_f64();
        assert!((0.45..0.55).contains(&share), "full jitter: {share}");
    }
    let mut backoff = Backoff::new(fastrand::Rng::with_seed(1));
    (0..40).for_each(|_| {
        backoff.next();
    });
    backoff.reset();
    assert!(backoff.next() <= limits::CONTROLLER_RETRY);
}

fn transaction(parts: &[Part], removed: &[&str]) -> Transaction {
    Transaction {
        generation: 1,
        nonce: "1/1/1".to_owned(),
        parcels: parts.iter().map(Parcel::pack).collect(),
        removed: removed.iter().map(ToString::to_string).collect(),
    }
}

fn versions(held: &Held) -> Vec<(String, String)> {
    held.versions().map(|(name, version)| (name.to_string(), version.to_string())).collect()
}

#[test]
fn what_says_the_same_is_no_change() {
    let mut held = Held::default();
    assert!(held.all().is_none());
    let changes = held.apply(transaction(&[endpoints("a", 1), endpoints("b", 1)], &[]));
    assert_eq!(changes.upserted.len(), 2);
    let name = versions(&held)[0].0.clone();
    let mut again = transaction(&[endpoints("a", 1)], &["unheard-of"]);
    // Another controller may count otherwise.
    again.parcels[0].version = "other".into();
    let changes = held.apply(again);
    assert!(changes.upserted.is_empty() && changes.removed.is_empty() && held.refused().is_empty());
    assert_eq!(versions(&held)[0], (name.clone(), "other".to_owned()));
    // What comes and goes in one transaction is there.
    let changes = held.apply(transaction(&[endpoints("a", 2)], &[&name]));
    assert_eq!((changes.upserted.len(), changes.removed.len()), (1, 1));
    let changes = held.apply(transaction(&[], &[&name]));
    assert_eq!(changes.removed, [endpoints("a", 2).key().clone()]);
}

#[test]
fn many_refusals_are_told_in_short() {
    let refused = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>();
    assert_eq!(held::tell(&[]), None);
    assert_eq!(held::tell(&refused(2)).as_deref(), Some("0; 1"));
    let told = held::tell(&refused(25)).unwrap();
    assert!(told.starts_with("0; 1; ") && told.ends_with("; 9; and 15 more"), "{told}");
}

#[test]
fn what_was_saved_is_its_owner_s_alone() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("deep/state");
    let mut held = Held::default();
    held.apply(transaction(&[certificate("a", "secret"), endpoints("a", 1)], &[]));
    saved::store(&directory, "1", &held).unwrap();
    let file = directory.join("parts");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(directory.metadata().unwrap().mode() & 0o777, 0o700);
    let loaded = saved::load(&directory).unwrap();
    assert!(!format!("{loaded:?}").contains("secret"), "{loaded:?}");
    assert_eq!(versions(&loaded.held("1")), versions(&held));
    let other = saved::load(&directory).unwrap().held("2");
    assert!(other.versions().all(|(_, version)| version.is_empty()), "all is asked for again");
    assert_eq!(other.all().unwrap().upserted.len(), 2);
    // What somebody else put in the way is not written through.
    let elsewhere = root.path().join("elsewhere");
    std::fs::write(&elsewhere, "mine").unwrap();
    symlink(&elsewhere, directory.join("parts.new")).unwrap();
    saved::store(&directory, "1", &held).unwrap();
    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"mine");
    assert!(saved::load(&directory).is_some());
    assert!(!directory.join("parts.new").exists());
}

/// Every byte counts: a file that is cut anywhere, or has one bit turned, is none.
#[test]
fn a_damaged_file_is_no_file() {
    let root = tempfile::tempdir().unwrap();
    let mut held = Held::default();
    held.apply(transaction(&[endpoints("a", 1)], &[]));
    saved::store(root.path(), "1", &held).unwrap();
    let file = root.path().join("parts");
    let whole = std::fs::read(&file).unwrap();
    for at in 0..whole.len() {
        std::fs::write(&file, &whole[..at]).unwrap();
        assert!(saved::load(root.path()).is_none(), "cut at {at}");
        let mut turned = whole.clone();
        turned[at] ^= 1;
        std::fs::write(&file, turned).unwrap();
        assert!(saved::load(root.path()).is_none(), "turned at {at}");
    }
    std::fs::write(&file, whole).unwrap();
    assert!(saved::load(root.path()).is_some());
    assert!(saved::load(&root.path().join("nowhere")).is_none());
}
