//! Bytes that are in an image for nothing, as the tool *dive* counts them.
//!
//! Only leaves of a layer's tree count: a directory with anything in it does not. What is in several
//! layers under one path is wasted but for its smallest version; so a removed file is wasted whole,
//! while a removed directory is not, since its path was no leaf before.

use std::collections::{BTreeMap, BTreeSet};

use super::tar_read::{TarNode, read_plain};
use super::tar_write::WHITEOUT;
use super::{Digest, Layer};
use crate::fs::{Change, base_name};

/// A path in several layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WastedPath {
    /// The absolute path.
    pub path: String,
    /// In how many layers it is, as a file or as gone.
    pub count: usize,
    /// The sum of its sizes in them, in bytes.
    pub bytes: u64,
}

/// A layer as it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WasteLayer {
    /// The sum of the sizes in its tar, in bytes.
    pub bytes: u64,
    /// The entries of its tar, whiteouts with them.
    pub entries: usize,
}

/// What is wasted of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Waste {
    /// The layers, the lowest first.
    pub layers: Vec<WasteLayer>,
    /// The paths that are in several layers, the largest first.
    pub paths: Vec<WastedPath>,
    /// The smallest versions of all paths by all versions: from 0 to 1.
    pub efficiency: f64,
}

impl Waste {
    /// Bytes of all layers.
    pub fn bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.bytes).sum()
    }

    /// Bytes of the paths that are in several layers.
    pub fn wasted(&self) -> u64 {
        self.paths.iter().map(|path| path.bytes).sum()
    }

    /// The wasted bytes by the bytes of all layers but the lowest; it can be more than 1.
    pub fn of_user_bytes(&self) -> f64 {
        let user: u64 = self.layers.iter().skip(1).map(|layer| layer.bytes).sum();
        match (self.wasted(), user) {
            (0, 0) => 0.0,
            (wasted, user) => wasted as f64 / user as f64,
        }
    }
}

/// Counts what is wasted. A layer that comes again is empty: archives hold it once.
pub fn waste(layers: &[Layer]) -> Waste {
    let mut out = Vec::new();
    let mut seen: BTreeSet<Digest> = BTreeSet::new();
    let mut paths: BTreeMap<String, Versions> = BTreeMap::new();
    // Everything so far, with its size; a directory has none of its own.
    let mut stacked: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for layer in layers {
        let entries = match seen.insert(layer.diff_id) {
            true => entries(layer),
            false => BTreeMap::new(),
        };
        out.push(WasteLayer {
            bytes: entries.values().flatten().sum(),
            entries: entries.len(),
        });
        for (path, size) in &entries {
            let below = format!("{path}/");
            let next = entries.range(below.clone()..).next();
            if next.is_some_and(|(next, _)| next.starts_with(&below)) {
                continue;
            }
            let (shown, size) = match hidden(path) {
                Some(hidden) => {
                    let size = match stacked.get(&hidden) {
                        Some(None) => size_below(&stacked, &hidden),
                        _ => 0,
                    };
                    (hidden, size)
                }
                None => (path.clone(), size.unwrap_or(0)),
            };
            paths.entry(shown).or_default().add(size);
        }
        for (path, size) in entries {
            match hidden(&path) {
                Some(hidden) => {
                    let below = format!("{hidden}/");
                    stacked.retain(|path, _| *path != hidden && !path.starts_with(&below));
                }
                None => drop(stacked.insert(path, size)),
            }
        }
    }
    let smallest: u64 = paths.values().map(|versions| versions.smallest).sum();
    let all: u64 = paths.values().map(|versions| versions.bytes).sum();
    let several = paths.into_iter().filter(|(_, versions)| versions.count > 1);
    let mut paths: Vec<WastedPath> = several
        .map(|(path, versions)| WastedPath {
            path: format!("/{path}"),
            count: versions.count,
            bytes: versions.bytes,
        })
        .collect();
    crate::order::sort_by(&mut paths, |a, b| b.bytes.cmp(&a.bytes));
    Waste {
        layers: out,
        paths,
        efficiency: match all {
            0 => 1.0,
            all => smallest as f64 / all as f64,
        },
    }
}

/// The versions of a path.
#[derive(Default)]
struct Versions {
    count: usize,
    bytes: u64,
    smallest: u64,
}

impl Versions {
    fn add(&mut self, size: u64) {
        self.smallest = match self.count {
            0 => size,
            _ => self.smallest.min(size),
        };
        self.count += 1;
        self.bytes += size;
    }
}

/// The path that a whiteout hides.
fn hidden(path: &str) -> Option<String> {
    let name = base_name(path);
    let hidden = name.strip_prefix(WHITEOUT)?;
    Some(format!("{}{hidden}", &path[..path.len() - name.len()]))
}

fn size_below(stacked: &BTreeMap<String, Option<u64>>, dir: &str) -> u64 {
    let below = format!("{dir}/");
    let inside = stacked.range(below.clone()..);
    let inside = inside.take_while(|(path, _)| path.starts_with(&below));
    inside.filter_map(|(_, size)| *size).sum()
}

/// The paths of a layer's tar with their sizes, none for directories; opaque markers left out.
fn entries(layer: &Layer) -> BTreeMap<String, Option<u64>> {
    let read = layer
        .verbatim
        .as_deref()
        .and_then(|tar| read_plain(tar).ok());
    let listed: Vec<(String, Option<u64>)> = match read {
        Some(entries) => entries
            .into_iter()
            .map(|entry| {
                let size = match &entry.node {
                    TarNode::Inode(inode) if inode.is_dir() => None,
                    TarNode::Inode(inode) => Some(inode.file().map_or(0, crate::fs::Content::size)),
                    TarNode::HardLink(_) => Some(0),
                };
                (entry.path, size)
            })
            .collect(),
        None => layer.changes.iter().map(of_change).collect(),
    };
    let marker = format!("{WHITEOUT}{WHITEOUT}");
    let kept = listed.into_iter();
    crate::order::map(kept.filter(|(path, _)| !base_name(path).starts_with(&marker)))
}

fn of_change(change: &Change) -> (String, Option<u64>) {
    match change {
        Change::Whiteout { path, .. } => {
            let name = base_name(path);
            let dir = &path[..path.len() - name.len()];
            (format!("{dir}{WHITEOUT}{name}"), Some(0))
        }
        Change::Put {
            path,
            inode,
            hard_link,
            ..
        } => {
            let content = inode.file().filter(|_| hard_link.is_none());
            let size = content.map_or(0, crate::fs::Content::size);
            (path.clone(), (!inode.is_dir()).then_some(size))
        }
    }
}
