//! Inodes: what a name leads to.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::{Content, Time};

/// The name of a directory entry: UTF-8, no slash, at most 255 bytes.
pub type Name = Arc<str>;

/// An inode number. Numbers are never used twice within a line of snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ino(pub(super) u32);

/// The position of a layer in its stack, the lowest being 1. Zero is the empty root.
pub type LayerIndex = u32;

/// Owner, permissions, time and extended attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Permission, set-user-ID, set-group-ID and sticky bits (`0o7777`).
    pub mode: u32,
    /// Owning user.
    pub uid: u32,
    /// Owning group.
    pub gid: u32,
    /// Time of the last change of the content (of the entries, for a directory).
    pub mtime: Time,
    /// Extended attributes, if any.
    pub xattrs: Option<Arc<BTreeMap<String, Vec<u8>>>>,
}

impl Meta {
    /// Root-owned, with `mode` and `mtime`.
    pub fn root(mode: u32, mtime: Time) -> Meta {
        Meta {
            mode,
            uid: 0,
            gid: 0,
            mtime,
            xattrs: None,
        }
    }

    /// Whether permissions, owner and attributes are equal, whatever the times.
    pub fn same_but_time(&self, other: &Meta) -> bool {
        self.mode == other.mode
            && self.uid == other.uid
            && self.gid == other.gid
            && self.xattrs == other.xattrs
    }
}

/// What an inode is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A regular file.
    File(Content),
    /// A directory.
    Dir(Dir),
    /// A symbolic link and its target, as written.
    Symlink(Arc<str>),
    /// A character device (major, minor).
    CharDevice(u32, u32),
    /// A block device (major, minor).
    BlockDevice(u32, u32),
    /// A named pipe.
    Fifo,
    /// A socket. Layers cannot hold one: the differ passes it over.
    Socket,
}

/// The entries of a directory, in byte order of their names.
pub type Dir = Arc<BTreeMap<Name, Ino>>;

/// A node of the filesystem.
#[derive(Clone, Debug)]
pub struct Inode {
    /// What it is.
    pub kind: Kind,
    /// Its metadata.
    pub meta: Meta,
    /// The layer that made it.
    pub born: LayerIndex,
    /// The layer that holds the version seen: where it was made or last copied up to.
    pub layer: LayerIndex,
    /// The directory of its first name; the root is its own parent.
    pub(super) parent: Ino,
    /// The directories of its further names (hard links), one item a name.
    pub(super) more_parents: Vec<Ino>,
    /// The digest of everything from here down. Emptied by every change at or below this inode.
    pub(super) memo: Memo,
}

impl Inode {
    /// A node that is in no filesystem yet: for a [`Change`](super::Change) made by hand.
    pub fn new(kind: Kind, meta: Meta) -> Inode {
        Inode {
            kind,
            meta,
            born: 0,
            layer: 0,
            parent: super::Fs::ROOT,
            more_parents: Vec::new(),
            memo: Memo::default(),
        }
    }

    /// The same directory with other entries, for [`Fs::with_dirs`](super::Fs::with_dirs).
    pub fn with_entries(&self, entries: BTreeMap<Name, Ino>) -> Inode {
        Inode {
            kind: Kind::Dir(Arc::new(entries)),
            ..self.clone()
        }
    }

    /// The entries, for a directory.
    pub fn dir(&self) -> Option<&Dir> {
        match &self.kind {
            Kind::Dir(dir) => Some(dir),
            _ => None,
        }
    }

    /// The content, for a regular file.
    pub fn file(&self) -> Option<&Content> {
        match &self.kind {
            Kind::File(content) => Some(content),
            _ => None,
        }
    }

    /// The target, for a symbolic link.
    pub fn link_target(&self) -> Option<&str> {
        match &self.kind {
            Kind::Symlink(target) => Some(target),
            _ => None,
        }
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir(_))
    }

    /// The size that `stat` shows: of a file its content, of a link its target, else 0.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::File(content) => content.size(),
            Kind::Symlink(target) => target.len() as u64,
            _ => 0,
        }
    }

    /// How many names lead here (subdirectories do not count).
    pub fn nlink(&self) -> usize {
        1 + self.more_parents.len()
    }
}

/// A digest remembered as long as its inode does not change; a copy starts without.
#[derive(Debug, Default)]
pub(super) struct Memo(pub OnceLock<[u8; 32]>);

impl Clone for Memo {
    fn clone(&self) -> Memo {
        Memo::default()
    }
}
