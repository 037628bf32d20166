//! Header or trailer fields in one buffer.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

/// An ordered multi-map of fields. Names are lower case; values are bytes without control
/// characters (both checked by whoever pushes). Lookups are linear: messages have a dozen fields.
#[derive(Clone, Default)]
pub struct Fields {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    start: u32,
    name_len: u16,
    value_len: u32,
}

impl Entry {
    fn name(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + usize::from(self.name_len)
    }

    fn value(self) -> Range<usize> {
        let start = self.name().end;
        start..start + self.value_len as usize
    }
}

impl Fields {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// The memory that they hold, used or not.
    pub fn held_bytes(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Room for this many bytes of names and values.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends a field; the name is folded to lower case on the way in.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name);
        self.bytes[start..].make_ascii_lowercase();
        self.bytes.extend_from_slice(value);
        let (Ok(start), Ok(name_len), Ok(value_len)) =
            (u32::try_from(start), u16::try_from(name.len()), u32::try_from(value.len()))
        else {
            debug_assert!(false, "a codec let a field of gigabytes through");
            return;
        };
        self.entries.push(Entry { start, name_len, value_len });
    }

    /// The first value.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// The first value as text; `None` also where it is not UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    pub fn get_all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.entries
            .iter()
            .filter(move |entry| {
                usize::from(entry.name_len) == name.len()
                    && &self.bytes[entry.name()] == name.as_bytes()
            })
            .map(|entry| &self.bytes[entry.value()])
    }

    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Takes every field of the name out; says how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        self.retain(|field, _| field != name.as_bytes())
    }

    /// Keeps the fields that `keep(name, value)` wants; says how many went.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &[u8]) -> bool) -> usize {
        let before = self.entries.len();
        let bytes = &self.bytes;
        self.entries.retain(|entry| keep(&bytes[entry.name()], &bytes[entry.value()]));
        before - self.entries.len()
    }

    /// Leaves exactly one field of the name.
    pub fn set(&mut self, name: &str, value: &[u8]) {
        self.remove(name);
        self.push(name.as_bytes(), value);
    }

    /// (name, value) in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|entry| (&self.bytes[entry.name()], &self.bytes[entry.value()]))
    }

    /// As `iter`, with values that keep one copy of all of them alive.
    pub fn share(&self) -> impl Iterator<Item = (&[u8], Bytes)> {
        let all = Bytes::copy_from_slice(&self.bytes);
        self.entries.iter().map(move |entry| (&self.bytes[entry.name()], all.slice(entry.value())))
    }

    /// What the fields weigh on an HTTP/1 wire.
    pub fn wire_len(&self) -> usize {
        self.entries.iter().map(|e| usize::from(e.name_len) + e.value_len as usize + 4).sum()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        f.debug_map().entries(self.iter().map(|(name, value)| (lossy(name), lossy(value)))).finish()
    }
}
