//! A layer as the storage driver overlay2 stores and archives it: the upper directory as it is.
//!
//! Where BuildKit compares two trees, Docker's own builder packs what the kernel left in the upper
//! directory: also what was copied up without being changed, directories for their time alone, and
//! opaque markers. Source: moby `pkg/archive` (`TarWithOptions` with overlay whiteouts) and the
//! kernel's overlayfs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tar_write::{OPAQUE, WHITEOUT, write_upper};
use super::{Digest, Hasher, Layer, TarEntry, TarNode};
use crate::fs::{Change, Content, Fs, Ino, Inode, Kind, Meta, Name, Overlay, Time, base_name};

/// One entry of an upper directory. Paths have no slash in front or behind.
#[derive(Clone, Debug)]
pub enum Upper {
    /// A node.
    Node {
        /// Where.
        path: String,
        /// What.
        inode: Arc<Inode>,
        /// For a further name of a file: the path of the first.
        hard_link: Option<String>,
    },
    /// A device 0/0: the name hides what lies below.
    Whiteout {
        /// The hidden path.
        path: String,
        /// All whiteouts of a layer are one inode, and an archive that has met it names the path
        /// where, although it then writes an ordinary file.
        link: Option<String>,
        /// When: the last change of the directory that it is in.
        mtime: Time,
    },
    /// The directory hides everything below it.
    Opaque {
        /// The directory.
        path: String,
    },
}

impl Upper {
    /// The path in the upper directory.
    pub fn path(&self) -> &str {
        match self {
            Upper::Node { path, .. } | Upper::Whiteout { path, .. } | Upper::Opaque { path } => {
                path
            }
        }
    }
}

/// The upper directory of an overlay, in the order of its archive: by byte order of the names.
pub fn upper(overlay: &Overlay) -> Vec<Upper> {
    let mut walk = Walk {
        overlay,
        lower: overlay.lower(),
        merged: overlay.fs(),
        out: Vec::new(),
        names: BTreeMap::new(),
        whiteout: None,
    };
    walk.both("", Fs::ROOT, Fs::ROOT);
    walk.out
}

struct Walk<'a> {
    overlay: &'a Overlay,
    lower: &'a Fs,
    merged: &'a Fs,
    out: Vec<Upper>,
    /// The first path of each inode that has several names.
    names: BTreeMap<Ino, String>,
    /// The path of the first whiteout.
    whiteout: Option<String>,
}

impl Walk<'_> {
    /// What is in the upper directory below a directory that both trees have.
    fn both(&mut self, path: &str, l: Ino, u: Ino) {
        let (old, new) = (self.lower.inode(l), self.merged.inode(u));
        if Arc::ptr_eq(old, new) {
            return;
        }
        let empty = BTreeMap::new();
        let below = old.dir().map_or(&empty, |dir| &**dir);
        let above = new.dir().map_or(&empty, |dir| &**dir);
        for name in crate::order::set(below.keys().chain(above.keys())) {
            let path = join(path, name);
            match (below.get(name), above.get(name)) {
                (Some(_), None) => self.whiteout(path, new.meta.mtime),
                (old, Some(new)) => self.name(path, old.copied(), *new),
                (None, None) => {}
            }
        }
    }

    fn name(&mut self, path: String, l: Option<Ino>, u: Ino) {
        let new = self.merged.inode(u);
        let here = new.layer == self.merged.layer();
        if l != Some(u) {
            return self.tree(path, u, l.is_some());
        }
        let old = self.lower.inode(u);
        if !new.is_dir() {
            if here {
                self.node(path, u);
            }
            return;
        }
        let at = self.out.len();
        self.both(&path, u, u);
        // What is changed in a directory copies the directory up, and so changes its time.
        if here || old.meta.mtime != new.meta.mtime || self.out.len() > at {
            let inode = new.clone();
            let hard_link = None;
            let node = Upper::Node {
                path,
                inode,
                hard_link,
            };
            self.out.insert(at, node);
        }
    }

    /// A node that is not the lower one, with everything below it.
    fn tree(&mut self, path: String, ino: Ino, hides: bool) {
        self.node(path.clone(), ino);
        let Some(dir) = self.merged.inode(ino).dir() else {
            return;
        };
        if hides || self.overlay.is_moved(ino) {
            self.out.push(Upper::Opaque { path: path.clone() });
        }
        for (name, child) in dir.iter() {
            self.tree(join(&path, name), *child, false);
        }
    }

    fn node(&mut self, path: String, ino: Ino) {
        let inode = self.merged.inode(ino).clone();
        if matches!(inode.kind, Kind::Socket) {
            return;
        }
        let mut hard_link = None;
        if !inode.is_dir() && inode.nlink() > 1 {
            match self.names.get(&ino) {
                Some(first) => hard_link = Some(first.clone()),
                None => drop(self.names.insert(ino, path.clone())),
            }
        }
        self.out.push(Upper::Node {
            path,
            inode,
            hard_link,
        });
    }

    fn whiteout(&mut self, path: String, mtime: Time) {
        let link = self.whiteout.clone();
        self.whiteout.get_or_insert_with(|| path.clone());
        self.out.push(Upper::Whiteout { path, link, mtime });
    }
}

fn join(dir: &str, name: &Name) -> String {
    if dir.is_empty() {
        name.to_string()
    } else {
        format!("{dir}/{name}")
    }
}

/// What the files of an upper directory weigh, in bytes: each inode once, a symbolic link as its
/// target's length, everything else nothing.
pub fn stored_size(entries: &[Upper]) -> u64 {
    let size = |entry: &Upper| match entry {
        Upper::Node {
            inode,
            hard_link: None,
            ..
        } => inode.size(),
        _ => 0,
    };
    entries.iter().map(size).sum()
}

/// What a layer's files weigh where they are stored; see [`stored_size`].
pub fn layer_stored_size(layer: &Layer) -> u64 {
    let size = |change: &Change| match change {
        Change::Put {
            inode,
            hard_link: None,
            ..
        } => inode.size(),
        _ => 0,
    };
    layer.changes.iter().map(size).sum()
}

impl Layer {
    /// The layer that an upper directory over `lower` is packed into.
    ///
    /// # Errors
    /// A name that begins with `.wh.` and hides nothing.
    pub fn of_upper(entries: &[Upper], lower: &Fs) -> Result<Layer, super::TarError> {
        let mut tar = Vec::new();
        let mut hasher = Hasher::default();
        write_upper(entries, &mut tar).expect("a vector takes everything that is written to it");
        hasher.update(&tar);
        let (diff_id, size): (Digest, u64) = hasher.finish();
        let listed = entries.iter().map(raw).collect();
        let layer = Layer::declared(diff_id, size, super::changes(listed, lower)?);
        Ok(Layer {
            declared: false,
            verbatim: Some(tar.into()),
            ..layer
        })
    }
}

/// The entry as an archive has it.
fn raw(entry: &Upper) -> TarEntry {
    let mark = |path: String| TarEntry {
        path,
        node: TarNode::Inode(Arc::new(Inode::new(
            Kind::File(Content::default()),
            Meta::root(0o600, Time::EPOCH),
        ))),
    };
    match entry {
        Upper::Node {
            path,
            hard_link: Some(first),
            ..
        } => TarEntry {
            path: path.clone(),
            node: TarNode::HardLink(first.clone()),
        },
        Upper::Node { path, inode, .. } => TarEntry {
            path: path.clone(),
            node: TarNode::Inode(whole_seconds(inode)),
        },
        Upper::Whiteout { path, .. } => {
            let name = base_name(path);
            let dir = &path[..path.len() - name.len()];
            mark(format!("{dir}{WHITEOUT}{name}"))
        }
        Upper::Opaque { path } => mark(format!("{path}/{OPAQUE}")),
    }
}

/// The inode with the time that an archive keeps of it.
fn whole_seconds(inode: &Arc<Inode>) -> Arc<Inode> {
    let time = Time::from_secs(inode.meta.mtime.secs());
    if inode.meta.mtime == time {
        return inode.clone();
    }
    let mut inode = Inode::clone(inode);
    inode.meta.mtime = time;
    Arc::new(inode)
}
