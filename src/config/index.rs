//! All objects by key, and what each change touches.
//!
//! Several files may bring the same key: the first by file name, then by place in the file, wins,
//! whatever the order of arrival; the others are reported. What a broken document held before
//! stays. A batch is everything between two takings of what was touched: callers apply a whole
//! set of changed files and then lower once.
//!
//! This module must not know what an object means beyond whom it mentions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use super::codes;
use super::raw::{Object, Origin, Spec};
use super::{Diagnostic, raw};
use crate::model::{Kind, ObjectKey, Store};
use crate::names;

#[cfg(test)]
mod tests;

/// A question that can be asked of the index, and the unit of "what changed".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tag {
    Object(ObjectKey),
    /// Gateways, ListenerSets and MeshConfigs alone: the kinds that are asked for as a whole.
    All(Kind),
    /// ReferenceGrants of a namespace.
    Grants(Store, Arc<str>),
    /// EndpointSlices of a Service.
    Slices(ObjectKey),
    /// Policies whose `targetRefs` name the object.
    Policies(ObjectKey),
    /// ListenerSets whose parent is the Gateway.
    ListenerSets(ObjectKey),
}

/// What one document of a file is now.
#[derive(Clone, Debug)]
pub enum Content {
    /// An unchanged document should be the same `Arc` as before: then nothing is lowered again.
    Good(Document),
    /// The document of this key can't be decoded: what the file held under the key stays.
    Broken(ObjectKey),
}

/// An object and the lines above its document, which move without changing it. The line offset
/// here counts, the one in `object.origin` doesn't.
#[derive(Clone, Debug)]
pub struct Document {
    pub object: Arc<Object>,
    pub line_offset: u32,
}

impl From<Object> for Document {
    fn from(object: Object) -> Self {
        Self { line_offset: object.origin.line_offset, object: Arc::new(object) }
    }
}

#[derive(Debug)]
struct Held {
    file: Arc<str>,
    /// Position among the documents of the file.
    ordinal: usize,
    document: Document,
}

#[derive(Debug, Default)]
struct File {
    keys: BTreeSet<ObjectKey>,
    broken: BTreeSet<ObjectKey>,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Default)]
pub struct Index {
    /// Never an empty list; the first one counts.
    objects: BTreeMap<ObjectKey, Vec<Held>>,
    tagged: HashMap<Tag, BTreeSet<ObjectKey>>,
    files: BTreeMap<Arc<str>, File>,
    contested: BTreeSet<ObjectKey>,
    /// Objects that are written with errors, by how many files, whether their last good state
    /// stays or there is none.
    broken: BTreeMap<ObjectKey, usize>,
    touched: BTreeSet<Tag>,
}

impl Index {
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets everything that `file` holds, in its order. Keys that it held and that are not in
    /// `contents` are gone. `diagnostics` are the decoder's, kept until the next `replace`.
    pub fn replace(
        &mut self,
        file: &Arc<str>,
        contents: Vec<Content>,
        diagnostics: Vec<Diagnostic>,
    ) {
        let before = self.files.remove(file).unwrap_or_default();
        let mut new: BTreeMap<ObjectKey, Vec<Held>> = BTreeMap::new();
        let mut kept: BTreeSet<ObjectKey> = BTreeSet::new();
        for (ordinal, content) in contents.into_iter().enumerate() {
            match content {
                Content::Good(document) => new
                    .entry(document.object.key.clone())
                    .or_default()
                    .push(Held { file: file.clone(), ordinal, document }),
                Content::Broken(key) => {
                    kept.insert(key);
                }
            }
        }
        self.note_broken(&before.broken, &kept);
        let broken = kept.clone();
        // A good document beside a broken one of the same key replaces both: it is the news.
        kept.retain(|key| before.keys.contains(key) && !new.contains_key(key));
        let mut keys: BTreeSet<ObjectKey> = new.keys().cloned().collect();
        for gone in before.keys.iter().filter(|key| !keys.contains(*key) && !kept.contains(*key)) {
            self.set(gone, file, Vec::new());
        }
        for (key, held) in new {
            self.set(&key, file, held);
        }
        keys.extend(kept);
        if !keys.is_empty() || !broken.is_empty() || !diagnostics.is_empty() {
            self.files.insert(file.clone(), File { keys, broken, diagnostics });
        }
    }

    /// The file can't be read at all: what it held stays, and this is said about it.
    pub fn broken(&mut self, file: &Arc<str>, diagnostics: Vec<Diagnostic>) {
        self.files.entry(file.clone()).or_default().diagnostics = diagnostics;
    }

    /// The file is gone.
    pub fn remove(&mut self, file: &Arc<str>) {
        self.replace(file, Vec::new(), Vec::new());
    }

    /// One object of a stream (a cluster, the flags): replaces what `origin.file` held under
    /// its key and nothing else.
    pub fn apply(&mut self, object: impl Into<Document>) {
        let document = object.into();
        let (key, file) = (document.object.key.clone(), document.object.origin.file.clone());
        self.files.entry(file.clone()).or_default().keys.insert(key.clone());
        self.set(&key, &file, vec![Held { file: file.clone(), ordinal: 0, document }]);
    }

    /// The opposite of [`Self::apply`].
    pub fn delete(&mut self, key: &ObjectKey, file: &Arc<str>) {
        if let Some(held) = self.files.get_mut(file) {
            held.keys.remove(key);
        }
        self.set(key, file, Vec::new());
    }

    /// Whether a document of this key is there that can't be decoded.
    pub fn is_broken(&self, key: &ObjectKey) -> bool {
        self.broken.contains_key(key)
    }

    /// The keys from this one on, in their order.
    pub fn from(&self, first: Bound<&ObjectKey>) -> impl Iterator<Item = &ObjectKey> {
        self.objects.range((first, Bound::Unbounded)).map(|(key, _)| key)
    }

    fn note_broken(&mut self, before: &BTreeSet<ObjectKey>, after: &BTreeSet<ObjectKey>) {
        for mended in before.difference(after) {
            if let Some(files) = self.broken.get_mut(mended) {
                *files -= 1;
                if *files == 0 {
                    self.broken.remove(mended);
                }
            }
        }
        for new in after.difference(before) {
            *self.broken.entry(new.clone()).or_default() += 1;
        }
    }

    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<Object>> {
        self.objects.get(key).map(|held| &held[0].document.object)
    }

    /// The objects that the tag names, in the order of their keys.
    pub fn tagged(&self, tag: &Tag) -> impl Iterator<Item = &Arc<Object>> {
        let keys = self.tagged.get(tag).into_iter().flatten();
        keys.filter_map(|key| self.get(key))
    }

    pub fn objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values().map(|held| &held[0].document.object)
    }

    /// Where the object stands now.
    pub fn origin(&self, key: &ObjectKey) -> Origin {
        let held = self.objects.get(key).map(|held| &held[0]);
        held.map_or(Origin { file: "".into(), line_offset: 0 }, Held::origin)
    }

    /// What is asked again once a batch is complete.
    pub fn take_touched(&mut self) -> BTreeSet<Tag> {
        std::mem::take(&mut self.touched)
    }

    /// What the decoder said, and the keys that were brought twice.
    pub fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        let decoded = self.files.values().flat_map(|file| file.diagnostics.iter().cloned());
        decoded.chain(self.contested.iter().flat_map(|key| self.contest(key)))
    }

    fn contest<'a>(&'a self, key: &'a ObjectKey) -> impl Iterator<Item = Diagnostic> {
        let held = self.objects.get(key).map_or(&[][..], Vec::as_slice);
        held.iter().skip(1).map(move |loser| {
            let first = &held[0];
            let place = first.document.object.meta.place;
            let line = place.line + if place.line == 0 { 0 } else { first.document.line_offset };
            Diagnostic::error(
                codes::DUPLICATE_OBJECT,
                &loser.origin(),
                loser.document.object.meta.place,
                format!("{key} was defined before, in {}:{line}", first.file),
            )
            .help("remove one of them: the first by file name counts, this one is passed over")
        })
    }

    /// Puts `mine` in the place of what `file` held under `key`.
    fn set(&mut self, key: &ObjectKey, file: &Arc<str>, mine: Vec<Held>) {
        let mut held = self.objects.remove(key).unwrap_or_default();
        let before = held.first().map(|first| first.document.object.clone());
        held.retain(|other| other.file != *file);
        held.extend(mine);
        held.sort_by(|a, b| (&a.file, a.ordinal).cmp(&(&b.file, b.ordinal)));
        let after = held.first().map(|first| first.document.object.clone());
        if held.len() > 1 {
            self.contested.insert(key.clone());
        } else {
            self.contested.remove(key);
        }
        if !held.is_empty() {
            self.objects.insert(key.clone(), held);
        }
        let same = match (&before, &after) {
            (Some(before), Some(after)) => Arc::ptr_eq(before, after),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.retag(key, before.as_deref(), after.as_deref());
        }
    }

    fn retag(&mut self, key: &ObjectKey, before: Option<&Object>, after: Option<&Object>) {
        self.touched.insert(Tag::Object(key.clone()));
        for tag in before.map(tags).unwrap_or_default() {
            if let Some(keys) = self.tagged.get_mut(&tag) {
                keys.remove(key);
                if keys.is_empty() {
                    self.tagged.remove(&tag);
                }
            }
            self.touched.insert(tag);
        }
        for tag in after.map(tags).unwrap_or_default() {
            self.tagged.entry(tag.clone()).or_default().insert(key.clone());
            self.touched.insert(tag);
        }
    }
}

impl Held {
    fn origin(&self) -> Origin {
        Origin { file: self.file.clone(), line_offset: self.document.line_offset }
    }
}

/// The questions, beyond its own key, whose answer an object is part of.
fn tags(object: &Object) -> Vec<Tag> {
    let key = &object.key;
    match &object.spec {
        Spec::Gateway(_) | Spec::MeshConfig(_) => vec![Tag::All(key.kind)],
        Spec::ListenerSet(set) => {
            let namespace = set.parent.namespace.as_ref().unwrap_or(&key.namespace);
            let parent = ObjectKey::new(key.store, Kind::Gateway, namespace, &set.parent.name);
            vec![Tag::All(key.kind), Tag::ListenerSets(parent)]
        }
        Spec::ReferenceGrant(_) => vec![Tag::Grants(key.store, key.namespace.clone())],
        Spec::EndpointSlice(slice) => {
            let service = |name: &Arc<str>| ObjectKey {
                kind: Kind::Service,
                name: name.clone(),
                ..key.clone()
            };
            slice.service.iter().map(service).map(Tag::Slices).collect()
        }
        Spec::BackendTlsPolicy(policy) => policy_tags(key, &policy.targets),
        Spec::TrafficPolicy(policy) => policy_tags(key, &policy.targets),
        Spec::GatewayClass(_)
        | Spec::HttpRoute(_)
        | Spec::GrpcRoute(_)
        | Spec::Service(_)
        | Spec::Secret(_)
        | Spec::ConfigMap(_)
        | Spec::Namespace(_)
        | Spec::Backend(_)
        | Spec::TrafficRollout(_) => Vec::new(),
    }
}

fn policy_tags(policy: &ObjectKey, targets: &[raw::Reference]) -> Vec<Tag> {
    targets.iter().filter_map(|target| policy_target(policy, target)).map(Tag::Policies).collect()
}

/// The object that a policy's `targetRefs` entry names, when it is of a kind that takes policies.
pub(super) fn policy_target(policy: &ObjectKey, target: &raw::Reference) -> Option<ObjectKey> {
    let kind = match (&*target.group, &*target.kind) {
        ("", "Service") => Kind::Service,
        (names::GROUP_MESHCTL, "Backend") => Kind::Backend,
        (names::GROUP_GATEWAY_API, "HTTPRoute") => Kind::HttpRoute,
        (names::GROUP_GATEWAY_API, "GRPCRoute") => Kind::GrpcRoute,
        (names::GROUP_GATEWAY_API, "Gateway") => Kind::Gateway,
        _ => return None,
    };
    Some(ObjectKey { kind, name: target.name.clone(), ..policy.clone() })
}
