//! A hash map whose copies share: a trie over the bits of the key's hash, 64 ways at each level.
//!
//! A clone costs one reference count, a change of a clone copies the few branches above the
//! changed entry, and a map that nobody shares is changed in place. What a map looks like inside
//! follows from its content alone, never from the order of changes, so iteration is
//! deterministic. The hash has no secret: whoever finds keys of equal hashes gains nothing, for
//! such keys are kept sorted and searched by halves.
//!
//! It must not know what it is used for.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::mem;
use std::slice;
use std::sync::Arc;

use smallvec::SmallVec;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use crate::model::{Name, PartKey};

/// What can be looked up. An owned key and its borrowed form have the same hash.
pub(super) trait Hashed {
    fn hashed(&self) -> u64;
}

impl Hashed for str {
    fn hashed(&self) -> u64 {
        xxh3_64(self.as_bytes())
    }
}

impl Hashed for Name {
    fn hashed(&self) -> u64 {
        str::hashed(self)
    }
}

impl Hashed for PartKey {
    fn hashed(&self) -> u64 {
        let mut hasher = Xxh3Default::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

#[derive(Clone, Debug)]
pub(super) struct Map<K, V> {
    root: Option<Arc<Branch<K, V>>>,
}

#[derive(Clone, Debug)]
struct Branch<K, V> {
    /// Which of the 64 places are taken; `slots` holds these alone, in their order. Below the
    /// last level it stays 0 and the slots are leaves sorted by key.
    taken: u64,
    slots: Vec<Slot<K, V>>,
}

#[derive(Clone, Debug)]
enum Slot<K, V> {
    Leaf(K, V),
    Branch(Arc<Branch<K, V>>),
}

const BITS: u32 = 6;
/// Levels that tell keys apart by their hashes: 64 bits, 6 at a time.
const LEVELS: u32 = u64::BITS.div_ceil(BITS);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { root: None }
    }
}

impl<K, V> Map<K, V> {
    pub(super) fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Whether there is a single entry.
    pub(super) fn has_one(&self) -> bool {
        // A lone leaf never stands below the root.
        self.root.as_ref().is_some_and(|root| matches!(root.slots[..], [Slot::Leaf(..)]))
    }

    pub(super) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hashed + Ord + ?Sized,
    {
        let mut branch = self.root.as_ref()?;
        let hash = key.hashed();
        let mut level = 0;
        loop {
            let at = branch.locate(level, hash, key).ok()?;
            match &branch.slots[at] {
                Slot::Leaf(other, value) => return (other.borrow() == key).then_some(value),
                Slot::Branch(below) => branch = below,
            }
            level += 1;
        }
    }

    /// In the order of the hashes: arbitrary, but always the same for the same content.
    pub(super) fn iter(&self) -> Iter<'_, K, V> {
        Iter { open: self.root.iter().map(|root| root.slots.iter()).collect() }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Empties the map and hands over those values that no other map shares.
    pub(super) fn take_unshared(&mut self, mut take: impl FnMut(V)) {
        let mut branches: SmallVec<[_; 4]> = self.root.take().into_iter().collect();
        while let Some(branch) = branches.pop() {
            for slot in Arc::into_inner(branch).into_iter().flat_map(|branch| branch.slots) {
                match slot {
                    Slot::Leaf(_, value) => take(value),
                    Slot::Branch(below) => branches.push(below),
                }
            }
        }
    }
}

impl<K: Hashed + Ord + Clone, V: Clone> Map<K, V> {
    /// The value that stood there before is given back.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let root = self.root.get_or_insert_with(|| Arc::new(Branch::empty()));
        let hash = key.hashed();
        Arc::make_mut(root).insert(0, hash, key, value)
    }

    pub(super) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hashed + Ord + ?Sized,
    {
        // Asked first, so that nothing is copied for a key that isn't there.
        self.get(key)?;
        let mut branch = Arc::make_mut(self.root.as_mut()?);
        let hash = key.hashed();
        let mut level = 0;
        loop {
            let at = branch.locate(level, hash, key).ok()?;
            match &mut branch.slots[at] {
                Slot::Leaf(_, value) => return Some(value),
                Slot::Branch(below) => branch = Arc::make_mut(below),
            }
            level += 1;
        }
    }

    /// `own` makes the key where it is missing.
    pub(super) fn get_or_default<'q, Q>(
        &mut self,
        key: &'q Q,
        own: impl FnOnce(&'q Q) -> K,
    ) -> &mut V
    where
        K: Borrow<Q>,
        Q: Hashed + Ord + ?Sized,
        V: Default,
    {
        if self.get(key).is_none() {
            self.insert(own(key), V::default());
        }
        self.get_mut(key).expect("it was inserted above if it was missing")
    }

    pub(super) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hashed + Ord + ?Sized,
    {
        self.get(key)?;
        let root = Arc::make_mut(self.root.as_mut()?);
        let removed = root.remove(0, key.hashed(), key);
        if root.slots.is_empty() {
            self.root = None;
        }
        removed
    }
}

impl<K, V> Branch<K, V> {
    fn empty() -> Self {
        Self { taken: 0, slots: Vec::new() }
    }

    /// Where the key's slot is (`Ok`), or where it would be put (`Err`). A slot that is found
    /// may hold another key that agrees in the bits so far.
    fn locate<Q>(&self, level: u32, hash: u64, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        if level == LEVELS {
            return self.slots.binary_search_by(|slot| match slot {
                Slot::Leaf(other, _) => other.borrow().cmp(key),
                Slot::Branch(_) => unreachable!("there are no branches below the last level"),
            });
        }
        let bit = bit(level, hash);
        let at = (self.taken & (bit - 1)).count_ones() as usize;
        if self.taken & bit == 0 { Err(at) } else { Ok(at) }
    }
}

impl<K: Hashed + Ord + Clone, V: Clone> Branch<K, V> {
    fn insert(&mut self, level: u32, hash: u64, key: K, value: V) -> Option<V> {
        let at = match self.locate(level, hash, &key) {
            Ok(at) => at,
            Err(at) => {
                self.taken |= bit(level, hash);
                // Most branches stay small, and there are as many as routes.
                self.slots.reserve_exact(1);
                self.slots.insert(at, Slot::Leaf(key, value));
                return None;
            }
        };
        match &mut self.slots[at] {
            Slot::Branch(below) => Arc::make_mut(below).insert(level + 1, hash, key, value),
            Slot::Leaf(other, old) if *other == key => Some(mem::replace(old, value)),
            Slot::Leaf(other, old) => {
                let mut below = Self::empty();
                below.insert(level + 1, other.hashed(), other.clone(), old.clone());
                below.insert(level + 1, hash, key, value);
                self.slots[at] = Slot::Branch(Arc::new(below));
                None
            }
        }
    }

    fn remove<Q>(&mut self, level: u32, hash: u64, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let at = self.locate(level, hash, key).ok()?;
        if let Slot::Branch(below) = &mut self.slots[at] {
            let below = Arc::make_mut(below);
            let removed = below.remove(level + 1, hash, key);
            // A lone leaf moves up, so that the shape doesn't remember what was there.
            if let [Slot::Leaf(..)] = below.slots[..]
                && let Some(leaf) = below.slots.pop()
            {
                self.slots[at] = leaf;
            }
            return removed;
        }
        self.taken &= !bit(level, hash);
        match self.slots.remove(at) {
            Slot::Leaf(_, value) => Some(value),
            Slot::Branch(_) => None,
        }
    }
}

/// The place of a hash at this level, as a set of one; nothing below the last level.
fn bit(level: u32, hash: u64) -> u64 {
    match hash.checked_shr(level * BITS) {
        Some(rest) => 1 << (rest % u64::from(u64::BITS)),
        None => 0,
    }
}

pub(super) struct Iter<'a, K, V> {
    open: SmallVec<[slice::Iter<'a, Slot<K, V>>; 4]>,
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.open.last_mut()?.next() {
                Some(Slot::Leaf(key, value)) => return Some((key, value)),
                Some(Slot::Branch(below)) => self.open.push(below.slots.iter()),
                None => {
                    self.open.pop();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
