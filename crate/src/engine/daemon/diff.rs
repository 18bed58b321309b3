//! `docker diff`: where a container differs from its image.

use super::Container;
use crate::fs::{Fs, Ino, Inode, Meta};

/// A difference to the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub kind: Kind,
    /// The absolute path.
    pub path: String,
}

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is new.
    Added,
    /// It or something in it is another.
    Changed,
    /// It is gone.
    Deleted,
}

impl Container {
    /// Where it differs from its image, in order of the paths.
    pub fn diff(&self) -> Vec<Change> {
        let mut out = Vec::new();
        compare(self.lower(), self.fs(), (Fs::ROOT, Fs::ROOT), "", &mut out);
        out
    }
}

/// The differences below a directory that both trees have (moby: `archive.ChangesDirs`).
fn compare(old: &Fs, new: &Fs, (o, n): (Ino, Ino), path: &str, out: &mut Vec<Change>) {
    let (below, above) = (old.inode(o), new.inode(n));
    if std::sync::Arc::ptr_eq(below, above) {
        return;
    }
    let change = |kind, path: String| Change { kind, path };
    let entries = above.dir().into_iter().flat_map(|dir| dir.iter());
    for (name, ino) in entries {
        let path = format!("{path}/{name}");
        let inode = new.inode(*ino);
        let Some(was) = old.child(o, name) else {
            out.push(change(Kind::Added, path.clone()));
            added(new, *ino, &path, out);
            continue;
        };
        let at = out.len();
        let before = old.inode(was);
        match (before.is_dir(), inode.is_dir()) {
            (true, true) => compare(old, new, (was, *ino), &path, out),
            (false, true) => added(new, *ino, &path, out),
            _ => {}
        }
        if differs(before, inode) || out.len() > at {
            out.insert(at, change(Kind::Changed, path));
        }
    }
    let entries = below.dir().into_iter().flat_map(|dir| dir.iter());
    for (name, _) in entries {
        if new.child(n, name).is_none() {
            out.push(change(Kind::Deleted, format!("{path}/{name}")));
        }
    }
}

fn added(new: &Fs, ino: Ino, path: &str, out: &mut Vec<Change>) {
    for entry in new.walk(ino) {
        let path = format!("{path}/{}", entry.path);
        let kind = Kind::Added;
        out.push(Change { kind, path });
    }
}

fn differs(old: &Inode, new: &Inode) -> bool {
    let owner = |meta: &Meta| (meta.mode, meta.uid, meta.gid);
    if std::mem::discriminant(&old.kind) != std::mem::discriminant(&new.kind)
        || owner(&old.meta) != owner(&new.meta)
    {
        return true;
    }
    // A time without a fraction comes out of an archive that had none.
    let (t, u) = (old.meta.mtime, new.meta.mtime);
    let whole = t.subsec_nanos() == 0 || u.subsec_nanos() == 0;
    let same_time = t == u || (whole && t.secs() == u.secs());
    !new.is_dir() && (old.size() != new.size() || !same_time)
}
