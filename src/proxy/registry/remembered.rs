//! A map of shared values that forgets what nobody holds.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::clock::Instant;
use crate::limits;

#[derive(Debug)]
pub(super) struct Remembered<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// At this size unused entries go at once; raised when all are in use, so that looking for
    /// them stays cheap per insertion.
    purge_at: usize,
    limit: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: Arc<V>,
    unused_since: Option<Instant>,
}

impl<V> Entry<V> {
    fn in_use(&self) -> bool {
        // Only the map hands out the value and the map is locked: nobody can join at 1.
        Arc::strong_count(&self.value) > 1
    }
}

impl<K: Clone + Eq + Hash, V> Remembered<K, V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: HashMap::new(), purge_at: limit, limit }
    }

    pub(super) fn get_or_insert(&mut self, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.unused_since = None;
            return Arc::clone(&entry.value);
        }
        if self.entries.len() >= self.purge_at {
            self.entries.retain(|_, entry| entry.in_use());
            self.purge_at = self.limit.max(self.entries.len() * 2);
        }
        let value = Arc::new(make());
        let entry = Entry { value: Arc::clone(&value), unused_since: None };
        self.entries.insert(key.clone(), entry);
        value
    }

    /// Visits every value; `may_go` is asked for its consent too.
    pub(super) fn sweep(&mut self, now: Instant, mut may_go: impl FnMut(&K, &V) -> bool) {
        self.entries.retain(|key, entry| {
            let may_go = may_go(key, &entry.value);
            if entry.in_use() {
                entry.unused_since = None;
                return true;
            }
            let since = *entry.unused_since.get_or_insert(now);
            !may_go || now.saturating_duration_since(since) < limits::REMEMBER_UNUSED
        });
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn values(&self) -> Vec<Arc<V>> {
        self.entries.values().map(|entry| Arc::clone(&entry.value)).collect()
    }
}
