//! Caches that travel: what a build exports, and what another machine finds by it.
//!
//! Source: BuildKit `solver/exporter`, `solver/combinedcache` and `cache/remotecache`. An exported
//! cache is the part of the key graph that leads to the target, and for some of its keys a result:
//! with `mode=max` for every step that the build had a result of, with `mode=min` for the target
//! and for whatever has its layers as blobs already, inline for what consists of layers of the
//! image alone. Images are never in it: they are found by their own keys, and pulled.
//!
//! What is imported counts for the one build that imports it. Of it stays what the build loaded,
//! with the results below that are made of the same layers, and the keys by which the build came
//! there.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::cache::{Cache, InputKey, KeyId, Record, RecordId};
use super::snapshot::{BuiltLayer, Snapshot};
use crate::image::Digest;

/// What of a cache is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `mode=min`: the result, and what its layers give anyway.
    Min,
    /// `mode=max`: the results of all steps.
    Max,
    /// `type=inline`: what layers of the image give; it is written into the image's config.
    Inline,
}

/// An exported cache. A clone costs O(1).
#[derive(Clone, Debug, Default)]
pub struct Exported {
    nodes: Arc<[Node]>,
}

/// A key, after the keys that lead to it.
#[derive(Debug)]
struct Node {
    /// The key, if it has no inputs.
    root: Option<KeyId>,
    /// The digest of the step, or of the root.
    op: Digest,
    /// For each input the nodes that lead here, with their selectors.
    inputs: Vec<Vec<(usize, Option<Digest>)>>,
    record: Option<Arc<Record>>,
}

impl Exported {
    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.nodes.len()
    }

    /// The steps that results are there for, as they were shown.
    pub fn results(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.nodes.iter().filter_map(|node| node.record.as_ref())
    }

    /// The layers of all results, each once.
    pub fn layers(&self) -> Vec<Arc<BuiltLayer>> {
        let mut out: Vec<Arc<BuiltLayer>> = Vec::new();
        for layer in self.results().flat_map(|record| &record.result.layers) {
            if !holds(&out, layer) {
                out.push(layer.clone());
            }
        }
        out
    }

    /// The records as the config of an image holds them: JSON, in which a result is named by the
    /// number of its uppermost layer. Times are `created`.
    pub(super) fn inline(&self, image: &[Arc<BuiltLayer>], created: &str) -> Vec<u8> {
        let records = self.nodes.iter().map(|node| {
            let mut record = serde_json::Map::new();
            if let Some(result) = &node.record {
                let numbers: Vec<usize> = result
                    .result
                    .layers
                    .iter()
                    .filter_map(|layer| image.iter().position(|other| Arc::ptr_eq(layer, other)))
                    .collect();
                if numbers.iter().enumerate().all(|(at, number)| at == *number) {
                    let top = numbers.len().saturating_sub(1);
                    record.insert(
                        "layers".into(),
                        json!([{"layer": top, "createdAt": created}]),
                    );
                } else {
                    record.insert(
                        "chains".into(),
                        json!([{"layers": numbers, "createdAt": created}]),
                    );
                }
            }
            record.insert("digest".into(), json!(node.op));
            let link = |(from, selector): &(usize, Option<Digest>)| match selector {
                Some(selector) => json!({"selector": selector, "link": from}),
                None => json!({"link": from}),
            };
            let inputs: Vec<Vec<_>> = node
                .inputs
                .iter()
                .map(|links| links.iter().map(link).collect())
                .collect();
            if !inputs.is_empty() {
                record.insert("inputs".into(), json!(inputs));
            }
            record.into()
        });
        serde_json::Value::Array(records.collect())
            .to_string()
            .into_bytes()
    }
}

/// Whether a layer is among others.
fn holds(layers: &[Arc<BuiltLayer>], layer: &Arc<BuiltLayer>) -> bool {
    layers.iter().any(|other| Arc::ptr_eq(other, layer))
}

/// Whether the layers of `lower` are the first ones of `upper`.
pub(super) fn is_below(lower: &Snapshot, upper: &Snapshot) -> bool {
    lower.layers.len() <= upper.layers.len()
        && lower
            .layers
            .iter()
            .zip(&upper.layers)
            .all(|(a, b)| Arc::ptr_eq(a, b))
}

/// What a build has at hand of a step: its keys and its result.
pub(super) struct Held {
    /// All keys that are known of it.
    pub keys: Vec<KeyId>,
    /// The result, if there is one; none for images.
    pub record: Option<Arc<Record>>,
    /// Whether its result is an image that the build makes.
    pub target: bool,
}

impl Cache {
    /// Exports what leads to the targets among `held`; the others are the steps below them.
    pub(super) fn export(&self, held: &[Held], mode: Mode) -> Exported {
        let targets = || held.iter().filter(|step| step.target);
        let mut blobs: Vec<Arc<BuiltLayer>> = Vec::new();
        if mode != Mode::Max {
            let images = targets().filter_map(|step| step.record.as_ref());
            blobs.extend(images.flat_map(|record| record.result.layers.iter().cloned()));
        }
        if mode == Mode::Min {
            blobs.extend(
                self.exported()
                    .flat_map(|result| result.layers.iter().cloned()),
            );
        }
        let mut results: BTreeMap<KeyId, &Arc<Record>> = BTreeMap::new();
        for step in held {
            let there = |record: &&Arc<Record>| {
                let layers = &record.result.layers;
                mode == Mode::Max || layers.iter().all(|layer| holds(&blobs, layer))
            };
            if let Some(record) = step.record.as_ref().filter(there) {
                for key in &step.keys {
                    results.insert(*key, record);
                }
            }
        }
        let mut nodes: Vec<Node> = Vec::new();
        let mut place: BTreeMap<KeyId, usize> = BTreeMap::new();
        let mut open = self.leading_to(targets().flat_map(|step| step.keys.iter().copied()));
        // Keys come after those that lead to them. What is left in the end leads in a circle.
        loop {
            let before = nodes.len();
            open.retain(|key, links| {
                let mut inputs: Vec<Vec<(usize, Option<Digest>)>> = Vec::new();
                let mut op = None;
                for (from, input, of) in links.iter() {
                    let Some(at) = place.get(&from.key) else {
                        return true;
                    };
                    let input = *input as usize;
                    inputs.resize_with(inputs.len().max(input + 1), Vec::new);
                    inputs[input].push((*at, from.selector));
                    op = Some(*of);
                }
                let (root, op) = match (*key, op) {
                    (KeyId::Root(digest) | KeyId::Content(digest), _) => (Some(*key), digest),
                    (KeyId::Node(_), Some(op)) if inputs.iter().all(|links| !links.is_empty()) => {
                        (None, op)
                    }
                    _ => return false,
                };
                let record = results.get(key).map(|record| (*record).clone());
                place.insert(*key, nodes.len());
                nodes.push(Node {
                    root,
                    op,
                    inputs,
                    record,
                });
                false
            });
            if nodes.len() == before {
                break;
            }
        }
        if mode == Mode::Inline && nodes.iter().all(|node| node.record.is_none()) {
            nodes.clear();
        }
        Exported {
            nodes: nodes.into(),
        }
    }

    /// Takes an exported cache in; gives the records that are new.
    pub(super) fn import(&mut self, exported: &Exported) -> Vec<RecordId> {
        let mut keys: Vec<KeyId> = Vec::with_capacity(exported.nodes.len());
        let mut new = Vec::new();
        for node in exported.nodes.iter() {
            let key = node.root.unwrap_or_else(|| {
                let inputs: Vec<Vec<InputKey>> = node
                    .inputs
                    .iter()
                    .map(|links| {
                        links
                            .iter()
                            .map(|(from, selector)| InputKey {
                                key: keys[*from],
                                selector: *selector,
                            })
                            .collect()
                    })
                    .collect();
                self.key_for(node.op, &inputs)
            });
            keys.push(key);
            if let KeyId::Root(_) = key {
                self.know_root(key);
            }
            if let Some(record) = node.record.as_ref().filter(|_| self.newest(key).is_none()) {
                let made = self.save(&[key], |id| Record {
                    id,
                    key,
                    build: 0,
                    ..Record::clone(record)
                });
                new.push(made.id);
            }
        }
        new
    }
}
