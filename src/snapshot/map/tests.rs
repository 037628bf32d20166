use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Hashes of which most are equal in many bits, and some in all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crowded(u16);

impl Hashed for Crowded {
    fn hashed(&self) -> u64 {
        match self.0 % 4 {
            0 => 0,
            1 => u64::from(self.0) << 56,
            2 => u64::from(self.0),
            _ => u64::MAX << (self.0 % 64),
        }
    }
}

fn built<'a>(content: impl IntoIterator<Item = (&'a Crowded, &'a u8)>) -> Map<Crowded, u8> {
    let mut map = Map::default();
    for (key, value) in content {
        map.insert(key.clone(), *value);
    }
    map
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u16, u8),
    Remove(u16),
    Add(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..200_u16;
    let step = prop_oneof![
        4 => (key(), any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
        3 => key().prop_map(Step::Remove),
        1 => key().prop_map(Step::Add),
    ];
    prop::collection::vec(step, 0..300)
}

proptest! {
    #[test]
    fn it_is_a_map_whose_copies_do_not_see_each_other(steps in steps(), cut in 0..300_usize) {
        let mut map = Map::default();
        let mut model = BTreeMap::new();
        let mut kept = (map.clone(), model.clone());
        for (position, step) in steps.into_iter().enumerate() {
            match step {
                Step::Insert(key, value) => prop_assert_eq!(
                    map.insert(Crowded(key), value),
                    model.insert(Crowded(key), value)
                ),
                Step::Remove(key) => {
                    prop_assert_eq!(map.remove(&Crowded(key)), model.remove(&Crowded(key)));
                }
                Step::Add(key) => {
                    let both = (map.get_mut(&Crowded(key)), model.get_mut(&Crowded(key)));
                    prop_assert_eq!(both.0.is_some(), both.1.is_some());
                    for value in [both.0, both.1].into_iter().flatten() {
                        *value = value.wrapping_add(1);
                    }
                }
            }
            if position == cut {
                kept = (map.clone(), model.clone());
            }
        }
        for (map, model) in [(map, model), kept] {
            for key in (0..200).map(Crowded) {
                prop_assert_eq!(map.get(&key), model.get(&key));
            }
            prop_assert_eq!(map.is_empty(), model.is_empty());
            let found: BTreeMap<_, _> = map.iter().map(|(k, v)| (k.clone(), *v)).collect();
            prop_assert_eq!(map.iter().count(), model.len());
            prop_assert_eq!(&found, &model);
            // The same content in another order has the same shape.
            prop_assert_eq!(format!("{map:?}"), format!("{:?}", built(model.iter().rev())));
        }
    }
}

#[test]
fn a_change_of_a_copy_leaves_the_other_branches_shared() {
    let mut map: Map<Name, u32> = Map::default();
    for number in 0..10_000 {
        map.insert(number.to_string().as_str().into(), number);
    }
    let before = map.clone();
    *map.get_mut("4321").expect("it was inserted") = 7;
    assert_eq!((before.get("4321"), map.get("4321")), (Some(&4321), Some(&7)));
    let branches = |map: &Map<Name, u32>| {
        let mut all = Vec::new();
        let mut open: Vec<_> = map.root.iter().cloned().collect();
        while let Some(branch) = open.pop() {
            open.extend(branch.slots.iter().filter_map(|slot| match slot {
                Slot::Branch(below) => Some(below.clone()),
                Slot::Leaf(..) => None,
            }));
            all.push(Arc::as_ptr(&branch));
        }
        all
    };
    let old = branches(&before);
    let copied = branches(&map).iter().filter(|branch| !old.contains(branch)).count();
    assert!(copied <= 4, "{copied} of {} branches were copied", old.len());
}

#[test]
fn only_unshared_values_are_handed_over() {
    let mut map = built(&BTreeMap::from([(Crowded(1), 10), (Crowded(2), 20)]));
    let mut copy = map.clone();
    let mut taken = Vec::new();
    map.take_unshared(|value| taken.push(value));
    assert!(map.is_empty() && taken.is_empty());
    copy.take_unshared(|value| taken.push(value));
    taken.sort_unstable();
    assert_eq!(taken, [10, 20]);
}
