//! Snapshots: a filesystem that does not change any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use rpds::VectorSync;

use super::inode::Memo;
use super::{Errno, Ino, Inode, Kind, LayerIndex, Meta, Name, Result, Time, split};

/// A filesystem at one moment. A clone costs O(1) and shares everything.
#[derive(Clone, Debug)]
pub struct Fs {
    /// By number; `None` where the last name is gone.
    pub(super) inodes: VectorSync<Option<Arc<Inode>>>,
    /// The topmost layer.
    pub(super) layer: LayerIndex,
}

/// One node of a walk.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The path without a slash in front.
    pub path: String,
    /// The inode's number.
    pub ino: Ino,
    /// The inode.
    pub inode: &'a Arc<Inode>,
}

impl Default for Fs {
    fn default() -> Fs {
        Fs::empty()
    }
}

impl Fs {
    /// The root's number.
    pub const ROOT: Ino = Ino(0);

    /// A root directory with nothing in it: `scratch`.
    pub fn empty() -> Fs {
        let root = Inode {
            kind: Kind::Dir(Arc::new(BTreeMap::new())),
            meta: Meta::root(0o755, Time::EPOCH),
            born: 0,
            layer: 0,
            parent: Fs::ROOT,
            more_parents: Vec::new(),
            memo: Memo::default(),
        };
        Fs {
            inodes: VectorSync::new_sync().push_back(Some(Arc::new(root))),
            layer: 0,
        }
    }

    /// The number of the topmost layer; an [empty](Fs::empty) filesystem has none.
    pub fn layer(&self) -> LayerIndex {
        self.layer
    }

    /// The inode of a number that this snapshot gave out.
    pub fn inode(&self, ino: Ino) -> &Arc<Inode> {
        self.get(ino)
            .expect("an inode number is only used with the snapshot that gave it out")
    }

    /// The inode, if the number leads to one here.
    pub fn get(&self, ino: Ino) -> Option<&Arc<Inode>> {
        self.inodes.get(ino.0 as usize).and_then(Option::as_ref)
    }

    /// The number under `name` in directory `dir`.
    pub fn child(&self, dir: Ino, name: &str) -> Option<Ino> {
        self.get(dir)?.dir()?.get(name).copied()
    }

    /// The node at `path`, without following any symbolic link.
    pub fn find(&self, path: &str) -> Option<(Ino, &Arc<Inode>)> {
        let mut ino = Fs::ROOT;
        for part in split(path) {
            ino = self.child(ino, part)?;
        }
        Some((ino, self.inode(ino)))
    }

    /// The node at `path` with all symbolic links followed inside the root, and its real path.
    ///
    /// # Errors
    /// [`Errno::Enoent`], [`Errno::Enotdir`] and [`Errno::Eloop`], as `stat` would.
    pub fn follow(&self, path: &str) -> Result<(String, Ino)> {
        let mut budget = 40;
        let mut todo: Vec<String> = split(path).rev().map(String::from).collect();
        let mut done: Vec<(String, Ino)> = Vec::new();
        while let Some(part) = todo.pop() {
            if part == "." {
                continue;
            }
            if part == ".." {
                done.pop();
                continue;
            }
            let here = done.last().map_or(Fs::ROOT, |(_, ino)| *ino);
            let dir = self.inode(here).dir().ok_or(Errno::Enotdir)?;
            let ino = *dir.get(part.as_str()).ok_or(Errno::Enoent)?;
            match self.inode(ino).link_target() {
                Some(target) => {
                    if budget == 0 {
                        return Err(Errno::Eloop);
                    }
                    budget -= 1;
                    if target.starts_with('/') {
                        done.clear();
                    }
                    todo.extend(split(target).rev().map(String::from));
                }
                None => done.push((part, ino)),
            }
        }
        let ino = done.last().map_or(Fs::ROOT, |(_, ino)| *ino);
        let mut real = String::new();
        for (name, _) in &done {
            real.push('/');
            real.push_str(name);
        }
        Ok((if real.is_empty() { "/".into() } else { real }, ino))
    }

    /// The text of the file at `path`, links followed; bytes that are not UTF-8 are replaced.
    pub fn read_text(&self, path: &str) -> Option<String> {
        let (_, ino) = self.follow(path).ok()?;
        Some(String::from_utf8_lossy(self.inode(ino).file()?.bytes()).into_owned())
    }

    /// Everything below directory `from` (not itself), depth first, the entries of each directory
    /// in byte order of their bare names: the order of layer tars.
    pub fn walk(&self, from: Ino) -> Walk<'_> {
        let mut walk = Walk {
            fs: self,
            stack: Vec::new(),
        };
        walk.enter("", from);
        walk
    }

    /// The same filesystem with other entries in the given directories: a view that leaves names
    /// out. Every directory above a changed one must be given too (with a new [`Inode`]), since a
    /// directory remembers the digest of all that is below it.
    pub fn with_dirs(&self, dirs: impl IntoIterator<Item = (Ino, Arc<Inode>)>) -> Fs {
        let mut fs = self.clone();
        for (ino, dir) in dirs {
            fs.inodes.set_mut(ino.0 as usize, Some(dir));
        }
        fs
    }

    /// The number of inodes that have a name, the root included. O(n).
    pub fn count(&self) -> usize {
        let mut seen = crate::order::set([Fs::ROOT]);
        seen.extend(self.walk(Fs::ROOT).map(|entry| entry.ino));
        seen.len()
    }

    /// A path of the inode from the root, without a slash in front (the first in walk order of
    /// its first directory, for a file with several names).
    pub fn path_of(&self, ino: Ino) -> String {
        let mut parts: Vec<Name> = Vec::new();
        let mut at = ino;
        while at != Fs::ROOT {
            let parent = self.inode(at).parent;
            let name = self
                .inode(parent)
                .dir()
                .and_then(|dir| dir.iter().find(|(_, child)| **child == at))
                .map(|(name, _)| name.clone());
            parts.push(name.unwrap_or_else(|| "(deleted)".into()));
            at = parent;
        }
        parts.reverse();
        parts.join("/")
    }
}

/// See [`Fs::walk`].
#[derive(Debug)]
pub struct Walk<'a> {
    fs: &'a Fs,
    stack: Vec<(String, std::collections::btree_map::Iter<'a, Name, Ino>)>,
}

impl<'a> Walk<'a> {
    fn enter(&mut self, path: &str, dir: Ino) {
        if let Some(entries) = self.fs.inode(dir).dir() {
            self.stack.push((path.to_string(), entries.iter()));
        }
    }

    /// Leaves out what is below the directory that came last.
    pub fn skip_dir(&mut self, entry: &Entry<'_>) {
        if entry.inode.is_dir()
            && self
                .stack
                .last()
                .is_some_and(|(path, _)| *path == entry.path)
        {
            self.stack.pop();
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let (dir, entries) = self.stack.last_mut()?;
            let Some((name, &ino)) = entries.next() else {
                self.stack.pop();
                continue;
            };
            let path = if dir.is_empty() {
                name.to_string()
            } else {
                format!("{dir}/{name}")
            };
            let inode = self.fs.inode(ino);
            self.enter(&path, ino);
            return Some(Entry { path, ino, inode });
        }
    }
}
