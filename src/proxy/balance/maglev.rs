//! Consistent hashing by a lookup table (Eisenbud et al., "Maglev", NSDI 2016, §3.4).
//!
//! The table depends on addresses and weights alone, not on their order, the process or the build,
//! so all proxies send a key to the same endpoint.

use std::iter::successors;
use std::sync::Arc;

use xxhash_rust::xxh64::xxh64;

use super::Member;
use crate::limits;
use crate::model::{Address, PartHash};
use crate::proxy::registry::BackendShared;

/// Slots that belong to positions of one endpoint list.
#[derive(Debug)]
pub(in crate::proxy) struct Maglev {
    /// Of addresses and weights in their order.
    made_for: PartHash,
    slots: Box<[u32]>,
}

impl Maglev {
    /// The table for these members, made by the first worker that needs it.
    pub(super) fn shared(backend: &BackendShared, members: &[Member]) -> Arc<Self> {
        let list: Vec<(&Address, u32)> =
            members.iter().map(|member| (&member.address, member.weight)).collect();
        let hash = PartHash::of(&list);
        backend.maglev(|table| table.made_for == hash, || Self::new(&list))
    }

    pub(super) fn new(list: &[(&Address, u32)]) -> Self {
        let size = if list.len() * 100 <= limits::MAGLEV_ENTRIES as usize {
            limits::MAGLEV_ENTRIES
        } else {
            limits::MAGLEV_ENTRIES_MAX
        };
        Self { made_for: PartHash::of(&list), slots: fill(list, size) }
    }

    /// The owner of the hash, or, where it is not eligible, of other slots in an order that the
    /// hash sets: so the load of a missing endpoint is spread over all others. `None` when nearly
    /// all are missing too.
    pub(super) fn find(&self, hash: u64, is_eligible: impl Fn(usize) -> bool) -> Option<usize> {
        const JUMPS: usize = 32;
        let size = self.slots.len() as u64;
        if size == 0 {
            return None;
        }
        // Not the slots beside it: neighbours belong to the same pairs again and again, so one
        // heir would get twice what another does.
        successors(Some(hash), |&hash| Some(xxh64(&hash.to_be_bytes(), 0)))
            .take(JUMPS)
            .map(|hash| self.slots[(hash % size) as usize] as usize)
            .find(|&index| is_eligible(index))
    }
}

/// One endpoint's preference for slots: a permutation of the table, as far as it has been used.
struct Preference {
    position: u32,
    weight: f64,
    next: u32,
    skip: u32,
    /// Rises by the weight each round; a slot is due whenever it passes a whole number.
    due: f64,
}

impl Preference {
    fn new(position: u32, address: &Address, weight: f64, size: u32) -> Self {
        let name = address.to_string();
        let hash = |seed| xxh64(name.as_bytes(), seed);
        let next = (hash(1) % u64::from(size)) as u32;
        let skip = (hash(2) % u64::from(size - 1)) as u32 + 1;
        Self { position, weight, next, skip, due: 0.0 }
    }

    fn take(&mut self, slots: &mut [u32]) {
        let size = slots.len() as u32;
        while slots[self.next as usize] != FREE {
            self.next = (self.next + self.skip) % size;
        }
        slots[self.next as usize] = self.position;
    }
}

const FREE: u32 = u32::MAX;

/// Endpoints take turns, each taking its most preferred free slot, until none is left.
fn fill(list: &[(&Address, u32)], size: u32) -> Box<[u32]> {
    let heaviest = f64::from(list.iter().map(|entry| entry.1).max().unwrap_or(0));
    let mut sorted: Vec<(u32, &Address, u32)> = (0..)
        .zip(list)
        .map(|(position, &(address, weight))| (position, address, weight))
        .filter(|entry| entry.2 > 0)
        .collect();
    if sorted.is_empty() {
        return Box::default();
    }
    sorted.sort_unstable_by_key(|entry| entry.1);
    let mut preferences: Vec<Preference> = sorted
        .into_iter()
        .map(|(position, address, weight)| {
            Preference::new(position, address, f64::from(weight) / heaviest, size)
        })
        .collect();
    let mut slots = vec![FREE; size as usize].into_boxed_slice();
    let mut free = size;
    loop {
        for preference in &mut preferences {
            preference.due += preference.weight;
            if preference.due < 1.0 {
                continue;
            }
            preference.due -= 1.0;
            preference.take(&mut slots);
            free -= 1;
            if free == 0 {
                return slots;
            }
        }
    }
}
