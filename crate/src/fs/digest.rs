//! The digest of a node and everything below it.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{Fs, Ino, Inode, Kind};

/// A digest over a node's type, permissions, owner, attributes, link target and bytes, and for a
/// directory the names and digests below. Times, inode numbers and link counts are out, and so is
/// the node's own name.
///
/// It answers one question: are these two trees the same to `COPY`? (BuildKit: contenthash.)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeDigest(pub [u8; 32]);

impl fmt::Debug for NodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(6)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The digest of the node `ino`. Directories remember theirs until something in them changes, so
/// a repeated call costs what changed and not what exists.
pub fn node_digest(fs: &Fs, ino: Ino) -> NodeDigest {
    let inode = fs.inode(ino);
    if let Some(known) = inode.memo.0.get() {
        return NodeDigest(*known);
    }
    let mut hasher = Sha256::new();
    hash_header(&mut hasher, inode);
    if let Some(entries) = inode.dir() {
        for (name, child) in entries.iter() {
            hasher.update((name.len() as u32).to_be_bytes());
            hasher.update(name.as_bytes());
            hasher.update(node_digest(fs, *child).0);
        }
    }
    let digest: [u8; 32] = hasher.finalize().into();
    NodeDigest(*inode.memo.0.get_or_init(|| digest))
}

/// The digest of the node alone: for a directory, without what is in it.
pub fn header_digest(inode: &Inode) -> NodeDigest {
    let mut hasher = Sha256::new();
    hash_header(&mut hasher, inode);
    NodeDigest(hasher.finalize().into())
}

fn hash_header(hasher: &mut Sha256, inode: &Inode) {
    let meta = &inode.meta;
    let mut numbers = |tag: u8, a: u64, b: u64| {
        hasher.update([tag]);
        for number in [
            u64::from(meta.mode),
            u64::from(meta.uid),
            u64::from(meta.gid),
            a,
            b,
        ] {
            hasher.update(number.to_be_bytes());
        }
    };
    match &inode.kind {
        Kind::File(content) => {
            numbers(0, content.size(), 0);
            hasher.update(content.sha256());
        }
        Kind::Dir(_) => numbers(1, 0, 0),
        Kind::Symlink(target) => {
            numbers(2, target.len() as u64, 0);
            hasher.update(target.as_bytes());
        }
        Kind::CharDevice(major, minor) => numbers(3, u64::from(*major), u64::from(*minor)),
        Kind::BlockDevice(major, minor) => numbers(4, u64::from(*major), u64::from(*minor)),
        Kind::Fifo => numbers(5, 0, 0),
        Kind::Socket => numbers(6, 0, 0),
    }
    for (name, value) in meta.xattrs.iter().flat_map(|xattrs| xattrs.iter()) {
        hasher.update((name.len() as u32).to_be_bytes());
        hasher.update(name.as_bytes());
        hasher.update((value.len() as u32).to_be_bytes());
        hasher.update(value);
    }
}
