//! Dense numbers for parts: stable while the part lives, used again after it.
//!
//! Workers keep their views of parts in arrays by these numbers. A number that was given back
//! may mean another part in a later Snapshot, so such a view remembers its key.

use std::sync::Arc;

use crate::model::PartKey;

use super::map::Map;

#[derive(Debug)]
pub(super) struct Slots<T> {
    numbers: Map<PartKey, u32>,
    entries: Arc<Vec<Option<Arc<T>>>>,
    free: Arc<Vec<u32>>,
}

/// Shares the entries, which needn't be `Clone` themselves.
impl<T> Clone for Slots<T> {
    fn clone(&self) -> Self {
        Self {
            numbers: self.numbers.clone(),
            entries: self.entries.clone(),
            free: self.free.clone(),
        }
    }
}

impl<T> Slots<T> {
    pub(super) fn empty() -> Self {
        Self { numbers: Map::default(), entries: Arc::default(), free: Arc::default() }
    }

    pub(super) fn number(&self, key: &PartKey) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    pub(super) fn at(&self, number: u32) -> Option<&Arc<T>> {
        self.entries.get(number as usize)?.as_ref()
    }

    pub(super) fn get(&self, key: &PartKey) -> Option<&Arc<T>> {
        self.at(self.number(key)?)
    }

    /// In the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.entries.iter().flatten()
    }

    /// The entry is made from the number that the key has or gets.
    pub(super) fn put(&mut self, key: &PartKey, make: impl FnOnce(u32) -> T) -> Arc<T> {
        let entries = Arc::make_mut(&mut self.entries);
        let number = match self.numbers.get(key) {
            Some(number) => *number,
            None => {
                let number = Arc::make_mut(&mut self.free).pop().unwrap_or_else(|| {
                    entries.push(None);
                    u32::try_from(entries.len() - 1).expect("memory ends before the numbers do")
                });
                self.numbers.insert(key.clone(), number);
                number
            }
        };
        let entry = Arc::new(make(number));
        entries[number as usize] = Some(entry.clone());
        entry
    }

    pub(super) fn remove(&mut self, key: &PartKey) -> Option<Arc<T>> {
        let number = self.numbers.remove(key)?;
        Arc::make_mut(&mut self.free).push(number);
        Arc::make_mut(&mut self.entries)[number as usize].take()
    }
}
