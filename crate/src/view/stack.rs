//! Layers on each other: what each holds, what is hidden, how they are browsed.

use std::collections::HashSet;
use std::sync::Arc;

use crate::build::snapshot::Snapshot;
use crate::engine::Refusal;
use crate::fs::{Change, Fs, Inode, Reason};
use crate::image::Image;

use super::tree::{hex, node_kind, row, weigh};
use super::{ChangeKind, FileView, NodeKind, Row, Version};

/// The layers of an image or of a step, with the tree after each.
#[derive(Clone, Debug)]
pub struct Stack {
    /// What each layer changes, in tar order.
    pub layers: Vec<Arc<[Change]>>,
    /// The tree after each layer.
    pub trees: Vec<Fs>,
}

impl Stack {
    /// Of an image.
    pub fn of_image(image: &Image) -> Stack {
        Stack {
            layers: image
                .layers
                .iter()
                .map(|layer| layer.changes.clone())
                .collect(),
            trees: image.snapshots.clone(),
        }
    }

    /// Of what a step left.
    pub fn of_snapshot(snapshot: &Snapshot) -> Stack {
        Stack {
            layers: snapshot
                .layers
                .iter()
                .map(|layer| match layer.known() {
                    Some(layer) => layer.changes.clone(),
                    None => layer.changes().into(),
                })
                .collect(),
            trees: snapshot.trees.clone(),
        }
    }

    /// For each layer the bytes of its files that layers above overwrite or delete. A directory
    /// that goes takes everything in it along.
    pub fn hidden_bytes(&self) -> Vec<u64> {
        let mut hidden = vec![0; self.layers.len()];
        // Paths that a layer above has, and those below which nothing of the lower layers is seen.
        let mut covered: HashSet<&str> = HashSet::new();
        let mut gone: HashSet<&str> = HashSet::new();
        for (at, changes) in self.layers.iter().enumerate().rev() {
            for change in changes.iter() {
                let Change::Put {
                    path,
                    inode,
                    hard_link: None,
                    ..
                } = change
                else {
                    continue;
                };
                let Some(content) = inode.file() else {
                    continue;
                };
                if covered.contains(path.as_str()) || is_below(&gone, path) {
                    hidden[at] += content.size();
                }
            }
            for change in changes.iter().filter(|_| at > 0) {
                covered.insert(change.path());
                match change {
                    Change::Put { inode, .. } if inode.is_dir() => {}
                    change => drop(gone.insert(change.path())),
                }
            }
        }
        hidden
    }

    /// One directory of what a layer changes.
    pub fn layer_rows(&self, layer: usize, dir: &str) -> Vec<Row> {
        let Some(changes) = self.layers.get(layer) else {
            return Vec::new();
        };
        let mut rows: Vec<Row> = Vec::new();
        for change in changes.iter() {
            let Some(rest) = below(change.path(), dir) else {
                continue;
            };
            match rest.split_once('/') {
                None => rows.push(self.change_row(layer, change)),
                // What is deeper counts for its directory, which stands right before it.
                Some((name, deeper)) => {
                    let Some(row) = rows.iter_mut().rev().find(|row| row.name == name) else {
                        continue;
                    };
                    if !deeper.contains('/') {
                        row.entries += 1;
                    }
                    if let Change::Put {
                        inode,
                        hard_link: None,
                        ..
                    } = change
                    {
                        row.size += inode.file().map_or(0, |content| content.size());
                        row.modelled |= is_stand_in(inode);
                    }
                }
            }
        }
        rows
    }

    fn change_row(&self, layer: usize, change: &Change) -> Row {
        let path = change.path().to_string();
        let name = path.rsplit('/').next().unwrap_or_default().to_string();
        let (inode, kind, target, node) = match change {
            Change::Put {
                inode,
                hard_link,
                reason,
                ..
            } => {
                let node = match hard_link {
                    Some(_) => NodeKind::HardLink,
                    None => node_kind(inode),
                };
                let link = inode.link_target().map(String::from);
                (
                    inode,
                    change_kind(*reason),
                    hard_link.clone().or(link),
                    node,
                )
            }
            Change::Whiteout { was, .. } => (was, ChangeKind::Deleted, None, node_kind(was)),
        };
        let below = layer.checked_sub(1).and_then(|below| self.trees.get(below));
        let deleted = match (kind, below.and_then(|fs| Some((fs, fs.find(&path)?.0)))) {
            (ChangeKind::Deleted, Some((fs, ino))) => Some(weigh(fs, ino)),
            _ => None,
        };
        Row {
            name,
            node,
            mode: inode.meta.mode,
            owner: [inode.meta.uid, inode.meta.gid],
            size: match deleted {
                Some(weight) => weight.bytes,
                None if node == NodeKind::File => inode.size(),
                None => 0,
            },
            modelled: deleted.map_or_else(|| is_stand_in(inode), |weight| weight.modelled),
            target,
            entries: 0,
            change: Some(kind),
            layer: Some(layer as u32),
            hides: self.holders(&path, layer),
            ignored: None,
            rules: Vec::new(),
            edited: false,
            path,
        }
    }

    /// One directory of the tree after a layer.
    ///
    /// # Errors
    /// There is no such directory.
    pub fn merged_rows(&self, layer: usize, dir: &str) -> Result<Vec<Row>, Refusal> {
        let empty = Fs::empty();
        let fs = self.trees.get(layer).unwrap_or(&empty);
        let mut rows = dir_rows(fs, dir)?;
        // Which layers list each of the rows, in one pass over all layers.
        let mut listed: Vec<Vec<u32>> = vec![Vec::new(); rows.len()];
        for (at, changes) in self.layers.iter().enumerate().take(layer + 1) {
            for change in changes.iter() {
                let Some(name) = below(change.path(), dir).filter(|rest| !rest.contains('/'))
                else {
                    continue;
                };
                let holds = match change {
                    Change::Put { reason, .. } => *reason != Reason::Parent,
                    Change::Whiteout { .. } => false,
                };
                if holds && let Ok(row) = rows.binary_search_by(|row| row.name.as_str().cmp(name)) {
                    listed[row].push(at as u32);
                }
            }
        }
        for (row, mut layers) in rows.iter_mut().zip(listed) {
            row.layer = layers.pop();
            if row.node != NodeKind::Dir {
                row.hides = layers;
            }
        }
        Ok(rows)
    }

    /// Layers below `layer` that hold a version of the path.
    fn holders(&self, path: &str, layer: usize) -> Vec<u32> {
        let holds = |changes: &Arc<[Change]>| {
            changes.iter().any(|change| {
                change.path() == path
                    && matches!(change, Change::Put { inode, .. } if !inode.is_dir())
            })
        };
        (0..layer)
            .filter(|at| holds(&self.layers[*at]))
            .map(|at| at as u32)
            .collect()
    }

    /// Every version of a path, the lowest first.
    pub fn versions(&self, path: &str) -> Vec<Version> {
        let mut versions = Vec::new();
        for (at, changes) in self.layers.iter().enumerate() {
            let found = changes.iter().rev().find(|change| match change {
                Change::Put { .. } => change.path() == path,
                Change::Whiteout { path: gone, .. } => {
                    gone == path || below(path, gone).is_some_and(|_| !gone.is_empty())
                }
            });
            match found {
                Some(Change::Put {
                    inode,
                    reason: reason @ (Reason::Added | Reason::Changed),
                    ..
                }) => versions.push(Version {
                    layer: at as u32,
                    change: change_kind(*reason),
                    size: inode.size(),
                    sha256: inode.file().map(|content| hex(&content.sha256())),
                    text: text_of(inode),
                }),
                Some(Change::Whiteout { .. }) if !versions.is_empty() => versions.push(Version {
                    layer: at as u32,
                    change: ChangeKind::Deleted,
                    size: 0,
                    sha256: None,
                    text: None,
                }),
                _ => {}
            }
        }
        versions
    }

    /// A file as a layer has it, deleted ones as they were below.
    ///
    /// # Errors
    /// The layer does not list it.
    pub fn layer_file(&self, layer: usize, path: &str) -> Result<FileView, Refusal> {
        let changes = self.layers.get(layer).map_or(&[][..], |changes| changes);
        let change = changes
            .iter()
            .find(|change| change.path() == path)
            .ok_or_else(|| Refusal::new(format!("The layer does not list {path}.")))?;
        let inode = match change {
            Change::Put { inode, .. } => inode,
            Change::Whiteout { was, .. } => was,
        };
        Ok(FileView {
            row: self.change_row(layer, change),
            text: text_of(inode),
            sha256: inode.file().map(|content| hex(&content.sha256())),
            versions: self.versions(path),
        })
    }

    /// A file as it stands after a layer.
    ///
    /// # Errors
    /// There is no such file.
    pub fn merged_file(&self, layer: usize, path: &str) -> Result<FileView, Refusal> {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let row = self
            .merged_rows(layer, dir)?
            .into_iter()
            .find(|row| row.path == path)
            .ok_or_else(|| missing(path))?;
        let (_, inode) = self.trees[layer].find(path).ok_or_else(|| missing(path))?;
        Ok(FileView {
            row,
            text: text_of(inode),
            sha256: inode.file().map(|content| hex(&content.sha256())),
            versions: self.versions(path),
        })
    }

    /// Rows of what a layer changes, or of the tree after it, whose path fits.
    pub fn find(
        &self,
        layer: usize,
        merged: bool,
        fits: impl Fn(&str) -> bool,
        limit: usize,
    ) -> Vec<Row> {
        if merged {
            let Some(fs) = self.trees.get(layer) else {
                return Vec::new();
            };
            fs.walk(Fs::ROOT)
                .filter(|entry| fits(&entry.path))
                .take(limit)
                .map(|entry| row(fs, entry.path.clone(), entry.ino))
                .collect()
        } else {
            let changes = self.layers.get(layer).map_or(&[][..], |changes| changes);
            changes
                .iter()
                .filter(|change| fits(change.path()))
                .take(limit)
                .map(|change| self.change_row(layer, change))
                .collect()
        }
    }
}

/// The rows of one directory.
///
/// # Errors
/// There is no such directory.
pub fn dir_rows(fs: &Fs, dir: &str) -> Result<Vec<Row>, Refusal> {
    let (_, inode) = fs.find(dir).ok_or_else(|| missing(dir))?;
    let entries = inode
        .dir()
        .ok_or_else(|| Refusal::new(format!("{dir} is no directory.")))?;
    let path = |name: &str| match dir {
        "" => name.to_string(),
        dir => format!("{dir}/{name}"),
    };
    Ok(entries
        .iter()
        .map(|(name, ino)| row(fs, path(name), *ino))
        .collect())
}

/// That a path is not in a tree.
pub fn missing(path: &str) -> Refusal {
    Refusal::new(format!("There is no {path} here."))
}

/// The text of a file that is text and not too long.
pub fn text_of(inode: &Inode) -> Option<String> {
    let bytes = inode.file()?.bytes();
    if bytes.len() > FileView::MAX_TEXT {
        return None;
    }
    String::from_utf8(bytes.to_vec()).ok()
}

fn is_stand_in(inode: &Inode) -> bool {
    inode.file().is_some_and(|content| content.is_stand_in())
}

fn change_kind(reason: Reason) -> ChangeKind {
    match reason {
        Reason::Added => ChangeKind::Added,
        Reason::Changed => ChangeKind::Changed,
        Reason::Parent => ChangeKind::Parent,
    }
}

/// What of `path` is below `dir`.
fn below<'p>(path: &'p str, dir: &str) -> Option<&'p str> {
    match dir {
        "" => Some(path),
        dir => path.strip_prefix(dir)?.strip_prefix('/'),
    }
}

fn is_below(set: &HashSet<&str>, path: &str) -> bool {
    path.match_indices('/')
        .any(|(at, _)| set.contains(&path[..at]))
}
