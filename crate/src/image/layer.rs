//! Layers: a set of changes and the digest of its tar.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use super::Digest;
use super::digest::Hasher;
use super::tar_read::{TarEntry, TarError, TarNode, read_plain, uncompressed};
use super::tar_write::{OPAQUE, WHITEOUT, write_layer};
use crate::fs::{Change, Fs, Ino, Inode, Kind, Reason, Time, base_name};

/// One layer of an image.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The SHA-256 of the uncompressed tar.
    pub diff_id: Digest,
    /// The length of the uncompressed tar, in bytes.
    pub size: u64,
    /// What the files in it weigh, in bytes: the nominal size of stand-ins, each hard link once.
    /// This is the figure that `docker history` shows.
    pub content_size: u64,
    /// What it changes, in tar order.
    pub changes: Arc<[Change]>,
    /// Whether any file in it is a stand-in.
    pub modelled: bool,
    /// The time in seconds since the epoch that later times were set to, if a build did that: the
    /// manifest says so.
    pub rewritten: Option<i64>,
    /// Whether `diff_id` and `size` were taken from elsewhere: not all bytes of it are held, and
    /// its tar cannot be written.
    pub declared: bool,
    /// The uncompressed tar as it was read, where another program wrote it and the changes would
    /// be written otherwise here.
    pub verbatim: Option<Arc<[u8]>>,
}

impl Layer {
    /// Makes a layer: writes its tar through SHA-256. Later times than `clamp` become `clamp`, as
    /// with `rewrite-timestamp=true` and `SOURCE_DATE_EPOCH`.
    pub fn from_changes(changes: impl Into<Arc<[Change]>>, clamp: Option<Time>) -> Layer {
        let changes = changes.into();
        let mut hasher = Hasher::default();
        write_layer(&changes, clamp, &mut hasher)
            .expect("a hasher takes everything that is written to it");
        let (diff_id, size) = hasher.finish();
        Layer {
            diff_id,
            size,
            rewritten: clamp.map(Time::secs),
            declared: false,
            ..Layer::declared(diff_id, size, changes)
        }
    }

    /// A layer whose bytes are elsewhere, such as a base image's with a large binary.
    pub fn declared(diff_id: Digest, size: u64, changes: impl Into<Arc<[Change]>>) -> Layer {
        let changes = changes.into();
        let files = || {
            changes.iter().filter_map(|change| match change {
                Change::Put {
                    inode,
                    hard_link: None,
                    ..
                } => inode.file(),
                _ => None,
            })
        };
        Layer {
            diff_id,
            size,
            content_size: files().map(|content| content.size()).sum(),
            modelled: files().any(|content| content.is_stand_in()),
            rewritten: None,
            declared: true,
            verbatim: None,
            changes,
        }
    }

    /// Reads a layer's tar, compressed or plain, as a layer on top of `lower`.
    ///
    /// # Errors
    /// As [`read_tar`](super::read_tar) and [`changes`].
    pub fn read(bytes: &[u8], lower: &Fs) -> Result<Layer, TarError> {
        let tar = uncompressed(bytes)?;
        let layer = Layer::from_changes(changes(read_plain(&tar)?, lower)?, None);
        let diff_id = Digest::of(&tar);
        if layer.diff_id == diff_id {
            return Ok(layer);
        }
        Ok(Layer {
            diff_id,
            size: tar.len() as u64,
            verbatim: Some(tar.into()),
            ..layer
        })
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Writes the uncompressed tar whose SHA-256 is [`diff_id`](Layer::diff_id).
    ///
    /// # Errors
    /// What `out` returns; `Unsupported` for a [declared](Layer::declared) layer.
    pub fn write_tar(&self, mut out: impl Write) -> io::Result<()> {
        if self.declared {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("the bytes of layer {} are not held here", self.diff_id),
            ));
        }
        match &self.verbatim {
            Some(tar) => out.write_all(tar),
            None => write_layer(&self.changes, self.rewritten.map(Time::from_secs), out),
        }
    }

    /// The uncompressed tar.
    ///
    /// # Errors
    /// As [`write_tar`](Layer::write_tar).
    pub fn tar(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(self.size as usize);
        self.write_tar(&mut out)?;
        Ok(out)
    }
}

/// The chain IDs of a stack of layers: each names a layer together with all below it (OCI image
/// specification, "Layer ChainID").
pub fn chain_ids(diff_ids: impl IntoIterator<Item = Digest>) -> Vec<Digest> {
    let mut below: Option<Digest> = None;
    diff_ids
        .into_iter()
        .map(|diff_id| {
            let chain = match below {
                None => diff_id,
                Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
            };
            below = Some(chain);
            chain
        })
        .collect()
}

/// What the entries of a layer's tar change on top of `lower`: whiteouts are told from files, and
/// an opaque marker becomes a whiteout of each lower name that the layer does not have itself.
/// Whiteouts of names that are not there change nothing and are left out.
///
/// # Errors
/// A whiteout without a name; a hard link to what neither this layer nor `lower` has.
pub fn changes(entries: Vec<TarEntry>, lower: &Fs) -> Result<Vec<Change>, TarError> {
    let mut puts: Vec<Change> = Vec::with_capacity(entries.len());
    // The whiteouts and opaque directories, by the position that they come at.
    let mut opaque: Vec<(usize, String)> = Vec::new();
    let mut listed = BTreeMap::new();
    for TarEntry { path, node } in entries {
        let refuse = |why: &str| TarError::Entry {
            name: path.clone(),
            why: why.to_string(),
        };
        let name = base_name(&path);
        let dir = &path[..path.len() - name.len()];
        if name == OPAQUE {
            opaque.push((puts.len(), dir.trim_end_matches('/').to_string()));
            continue;
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            if hidden.is_empty() || hidden == "." || hidden == ".." {
                return Err(refuse("it hides no name"));
            }
            // Aufs's own files, which old layers hold.
            if hidden.starts_with(WHITEOUT) {
                continue;
            }
            let path = format!("{dir}{hidden}");
            if let Some((_, was)) = lower.find(&path) {
                let was = was.clone();
                puts.push(Change::Whiteout { path, was });
            }
            continue;
        }
        let (inode, hard_link) = match node {
            TarNode::Inode(inode) => (inode, None),
            TarNode::HardLink(first) => {
                let inode = listed
                    .get(&first)
                    .cloned()
                    .or_else(|| lower.find(&first).map(|(_, inode)| inode.clone()))
                    .filter(|inode| !matches!(inode.kind, Kind::Dir(_)))
                    .ok_or_else(|| refuse(&format!("hard link to `{first}`, which is no file")))?;
                (inode, Some(first))
            }
        };
        let reason = match lower.find(&path) {
            None => Reason::Added,
            Some((_, old)) if old.is_dir() && inode.is_dir() => {
                if old.meta.same_but_time(&inode.meta) {
                    Reason::Parent
                } else {
                    Reason::Changed
                }
            }
            Some(_) => Reason::Changed,
        };
        listed.insert(path.clone(), inode.clone());
        puts.push(Change::Put {
            path,
            inode,
            hard_link,
            reason,
        });
    }
    for (at, dir) in opaque.into_iter().rev() {
        let mut hidden = Vec::new();
        if let Some((_, below)) = lower.find(&dir)
            && let Some(names) = below.dir()
        {
            for (name, ino) in names.iter() {
                let path = if dir.is_empty() {
                    name.to_string()
                } else {
                    format!("{dir}/{name}")
                };
                hide_unlisted(lower, &path, *ino, &listed, &mut hidden);
            }
        }
        puts.splice(at..at, hidden);
    }
    Ok(puts)
}

/// Whiteouts for what of a lower tree the layer does not list.
fn hide_unlisted(
    lower: &Fs,
    path: &str,
    ino: Ino,
    listed: &BTreeMap<String, Arc<Inode>>,
    out: &mut Vec<Change>,
) {
    let was = lower.inode(ino);
    match (listed.get(path), was.dir()) {
        (None, _) => {
            // A directory that is only implied by what the layer lists in it stays.
            let prefix = format!("{path}/");
            let implied = listed
                .range(prefix.clone()..)
                .next()
                .is_some_and(|(first, _)| first.starts_with(&prefix));
            if !implied {
                out.push(Change::Whiteout {
                    path: path.to_string(),
                    was: was.clone(),
                });
                return;
            }
        }
        (Some(now), Some(_)) if now.is_dir() => {}
        // Replaced by what the layer lists.
        (Some(_), _) => return,
    }
    for (name, child) in was.dir().iter().flat_map(|names| names.iter()) {
        hide_unlisted(lower, &format!("{path}/{name}"), *child, listed, out);
    }
}
