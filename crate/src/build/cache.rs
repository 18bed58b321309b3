//! The build cache: keys, what leads from one to the next, and the results they stand for.
//!
//! A step's key is not one digest. It is a node in a graph: a link leads from the key of an input,
//! by the input's position, the step's own digest and the selector on the input, to the keys of the
//! step. So one result is found by more than one way: by how its inputs were made, and, where a
//! step looks at the content of an input, by that content. (BuildKit: `solver/cachemanager`.)
//!
//! Everything is persistent: a clone of the whole cache costs O(1).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync, VectorSync};

use super::content::Selector;
use super::key::Frame;
use super::snapshot::Snapshot;
use super::solve::transfer::Transferred;
use crate::fs::Fs;
use crate::image::Digest;

/// A node of the key graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyId {
    /// The key of a step without inputs, by its digest.
    Root(Digest),
    /// The content of an input, by its digest.
    Content(Digest),
    /// The key of a step with inputs, by its number.
    Node(u32),
}

/// The number of a record. Later records have higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(u32);

impl RecordId {
    /// The number: the count of records made before.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A key of an input, with the part of the input that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputKey {
    /// The input's key.
    pub key: KeyId,
    /// The digest of the paths that are looked at; `None` for the whole.
    pub selector: Option<Digest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    from: InputKey,
    input: u32,
    op: Digest,
}

/// A link and one of the keys that it leads to.
pub(super) type Way = (InputKey, u32, Digest, KeyId);

/// What one step left behind, and all that its key was made of.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number.
    pub id: RecordId,
    /// The key that leads to it.
    pub key: KeyId,
    /// The digest of the operation: the part of the key that does not come from inputs.
    pub op: Digest,
    /// The readable key: see [`Frame`].
    pub frames: Vec<Frame>,
    /// The digest of the readable key.
    pub digest: Digest,
    /// The inputs whose content is in the key: the files as they were, and what of them was looked
    /// at.
    pub contents: Vec<SeenContent>,
    /// The step's name, as it was shown when the record was made.
    pub name: String,
    /// The step's instruction without its number, which stays the same when steps are inserted.
    pub instruction: String,
    /// The stage's name, where it was shown.
    pub stage: String,
    /// The step's number, if it had one.
    pub number: Option<u32>,
    /// The build (counted by the owner of the cache) that made it; 0 if it was imported.
    pub build: u32,
    /// What came out.
    pub result: Arc<Snapshot>,
    /// Simulated time it took, in nanoseconds.
    pub nanos: u64,
}

/// Files whose content a key holds.
#[derive(Clone, Debug)]
pub struct SeenContent {
    /// The position of the input.
    pub input: u32,
    /// The files.
    pub fs: Fs,
    /// What of them counts.
    pub selectors: Vec<Selector>,
}

/// The build cache. See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    links: RedBlackTreeMapSync<Link, RedBlackTreeSetSync<KeyId>>,
    by_key: RedBlackTreeMapSync<KeyId, RedBlackTreeSetSync<RecordId>>,
    records: RedBlackTreeMapSync<RecordId, Arc<Record>>,
    by_op: RedBlackTreeMapSync<Digest, RecordId>,
    /// The files of cache mounts, by id.
    mounts: RedBlackTreeMapSync<String, Fs>,
    context: Transferred,
    /// What was exported: its layers are there as blobs.
    exported: VectorSync<Arc<Snapshot>>,
    /// The images whose layers are unpacked; of others only what they are is known.
    unpacked: RedBlackTreeSetSync<Digest>,
    next_key: u32,
    next_record: u32,
    builds: u32,
}

impl Cache {
    /// An empty cache.
    pub fn new() -> Cache {
        Cache::default()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.size()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The newest record of an operation, whatever its inputs were.
    pub fn newest_of(&self, op: Digest) -> Option<&Arc<Record>> {
        self.by_op.get(&op).and_then(|id| self.records.get(id))
    }

    /// All records, the oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        self.records.values()
    }

    /// A record by its number.
    pub fn record(&self, id: RecordId) -> Option<&Arc<Record>> {
        self.records.get(&id)
    }

    /// Whether a key is known, be there a result or not.
    pub(super) fn knows(&self, key: KeyId) -> bool {
        match key {
            KeyId::Node(number) => number <= self.next_key,
            key => self.has_root(key),
        }
    }

    /// Whether a key without inputs is known.
    pub fn has_root(&self, key: KeyId) -> bool {
        self.by_key.contains_key(&key)
    }

    /// The newest record of a key.
    pub fn newest(&self, key: KeyId) -> Option<&Arc<Record>> {
        let ids = self.by_key.get(&key)?;
        ids.iter().rev().find_map(|id| self.records.get(id))
    }

    /// The keys of the step `op` that any of `from`, as its input number `input`, leads to.
    pub fn follow(&self, from: &[InputKey], input: u32, op: Digest) -> BTreeSet<KeyId> {
        let mut found = BTreeSet::new();
        for &from in from {
            if let Some(keys) = self.links.get(&Link { from, input, op }) {
                found.extend(keys.iter().copied());
            }
        }
        found
    }

    /// The same, and from now on each of `from` leads to all that any of them led to: two keys of
    /// one input are two names of one thing.
    pub fn follow_and_join(
        &mut self,
        from: &[InputKey],
        input: u32,
        op: Digest,
    ) -> BTreeSet<KeyId> {
        let found = self.follow(from, input, op);
        for &from in from {
            for &to in &found {
                self.link(Link { from, input, op }, to);
            }
        }
        found
    }

    /// The key of the step `op` with these inputs (for each input all keys it is known by): the one
    /// that all inputs lead to, or a new one. The links to it are made.
    pub fn key_for(&mut self, op: Digest, inputs: &[Vec<InputKey>]) -> KeyId {
        let mut common: Option<BTreeSet<KeyId>> = None;
        for (input, keys) in inputs.iter().enumerate() {
            let mut found = self.follow(keys, input as u32, op);
            if let Some(common) = &common {
                found.retain(|key| common.contains(key));
            }
            common = Some(found);
        }
        let known = common.and_then(|keys| keys.first().copied());
        let key = known.unwrap_or_else(|| {
            self.next_key += 1;
            KeyId::Node(self.next_key)
        });
        for (input, keys) in inputs.iter().enumerate() {
            for &from in keys {
                let input = input as u32;
                self.link(Link { from, input, op }, key);
            }
        }
        key
    }

    fn link(&mut self, link: Link, to: KeyId) {
        let known = self.links.get(&link);
        if known.is_some_and(|keys| keys.contains(&to)) {
            return;
        }
        let keys = known.cloned().unwrap_or_default().insert(to);
        self.links.insert_mut(link, keys);
    }

    /// Keeps a result. `make` gets the record's number.
    pub fn save(&mut self, keys: &[KeyId], make: impl FnOnce(RecordId) -> Record) -> Arc<Record> {
        self.next_record += 1;
        let id = RecordId(self.next_record);
        let record = Arc::new(make(id));
        self.records.insert_mut(id, record.clone());
        self.by_op.insert_mut(record.op, id);
        for key in keys {
            let ids = self.by_key.get(key).cloned().unwrap_or_default();
            self.by_key.insert_mut(*key, ids.insert(id));
        }
        record
    }

    /// Makes a key without inputs known.
    pub(super) fn know_root(&mut self, key: KeyId) {
        if !self.by_key.contains_key(&key) {
            self.by_key.insert_mut(key, Default::default());
        }
    }

    /// The keys that lead to any of `to`, and they themselves; for each the links to it: from where,
    /// as which input, by which step.
    pub(super) fn leading_to(
        &self,
        to: impl Iterator<Item = KeyId>,
    ) -> BTreeMap<KeyId, Vec<(InputKey, u32, Digest)>> {
        let mut back: BTreeMap<KeyId, Vec<(InputKey, u32, Digest)>> = BTreeMap::new();
        for (link, keys) in self.links.iter() {
            for key in keys.iter() {
                let links = back.entry(*key).or_default();
                links.push((link.from, link.input, link.op));
            }
        }
        let mut out = BTreeMap::new();
        let mut open: Vec<KeyId> = to.collect();
        while let Some(key) = open.pop() {
            if let Entry::Vacant(free) = out.entry(key) {
                let links = back.remove(&key).unwrap_or_default();
                open.extend(links.iter().map(|(from, ..)| from.key));
                free.insert(links);
            }
        }
        out
    }

    /// Forgets keys that `local` does not have, but for those that one of `ways` leads to: an input's
    /// key, its position, the step and the step's key.
    pub(super) fn forget_keys(&mut self, local: &Cache, ways: &BTreeSet<Way>) {
        let mut roots = BTreeSet::new();
        for (link, keys) in self.links.clone().iter() {
            let stays = |key: &&KeyId| {
                matches!(key, KeyId::Node(number) if *number <= local.next_key)
                    || ways.contains(&(link.from, link.input, link.op, **key))
            };
            let left: RedBlackTreeSetSync<KeyId> = keys.iter().filter(stays).copied().collect();
            if left.is_empty() {
                self.links.remove_mut(link);
                continue;
            }
            roots.insert(link.from.key);
            if left.size() < keys.size() {
                self.links.insert_mut(*link, left);
            }
        }
        for (key, ids) in self.by_key.clone().iter() {
            if ids.is_empty() && !roots.contains(key) {
                self.by_key.remove_mut(key);
            }
        }
    }

    /// Notes that a result was exported as an image: its layers are there as blobs.
    pub(super) fn note_exported(&mut self, result: Arc<Snapshot>) {
        if !self.exported().any(|known| Arc::ptr_eq(known, &result)) {
            self.exported.push_back_mut(result);
        }
    }

    /// The results that were exported as images.
    pub(super) fn exported(&self) -> impl Iterator<Item = &Arc<Snapshot>> {
        self.exported.iter()
    }

    /// Forgets a record. Keys and links stay: they say nothing without a record.
    pub fn remove(&mut self, id: RecordId) -> Option<Arc<Record>> {
        let record = self.records.get(&id).cloned()?;
        self.records.remove_mut(&id);
        let ids = self.by_key.get(&record.key).map(|ids| ids.remove(&id));
        match ids {
            Some(ids) if ids.is_empty() => {
                self.by_key.remove_mut(&record.key);
            }
            Some(ids) => self.by_key.insert_mut(record.key, ids),
            None => {}
        }
        Some(record)
    }

    /// Forgets every record, key and cache mount.
    pub fn clear(&mut self) {
        let builds = self.builds;
        let (next_key, next_record) = (self.next_key, self.next_record);
        *self = Cache {
            builds,
            next_key,
            next_record,
            ..Cache::default()
        };
    }

    /// The files of the cache mount `id`, if it was ever used.
    pub fn mount(&self, id: &str) -> Option<&Fs> {
        self.mounts.get(id)
    }

    /// Keeps the files of a cache mount.
    pub fn set_mount(&mut self, id: &str, files: Fs) {
        self.mounts.insert_mut(id.to_string(), files);
    }

    /// The cache mounts by id.
    pub fn mounts(&self) -> impl Iterator<Item = (&str, &Fs)> {
        self.mounts.iter().map(|(id, fs)| (id.as_str(), fs))
    }

    /// Forgets a cache mount.
    pub fn remove_mount(&mut self, id: &str) {
        self.mounts.remove_mut(id);
    }

    /// Takes the files of the context that were sent.
    pub(super) fn take_context(&mut self, files: &Fs) {
        self.context.take(files);
    }

    /// The context as its content counts.
    pub(super) fn seen_context(&self) -> Fs {
        self.context.view()
    }

    /// Whether the layers of an image are unpacked, by the key of its vertex.
    pub(super) fn is_unpacked(&self, image: Digest) -> bool {
        self.unpacked.contains(&image)
    }

    /// Notes that the layers of an image are unpacked.
    pub(super) fn unpack(&mut self, image: Digest) {
        self.unpacked.insert_mut(image);
    }

    /// How many builds have begun with this cache.
    pub fn builds(&self) -> u32 {
        self.builds
    }

    /// Counts a build that begins, and gives its number, the first being 1.
    pub(super) fn begin_build(&mut self) -> u32 {
        self.builds += 1;
        self.builds
    }
}
