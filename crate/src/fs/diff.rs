//! The difference of two snapshots, and its inverse.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Clock, Errno, Fs, Ino, Inode, Kind, Meta, Name, Overlay, Result, Time, split};

/// One entry of a layer.
#[derive(Clone, Debug)]
pub enum Change {
    /// The node as it now is.
    Put {
        /// Path without a slash in front or behind.
        path: String,
        /// The node.
        inode: Arc<Inode>,
        /// For a further name of a file that the layer already holds: the first name's path.
        hard_link: Option<String>,
        /// Why it is listed.
        reason: Reason,
    },
    /// The path is gone.
    Whiteout {
        /// Path without a slash in front or behind.
        path: String,
        /// The node that was there.
        was: Arc<Inode>,
    },
}

/// Why a layer lists a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing had this name below.
    Added,
    /// Another node, other metadata or other content had this name below.
    Changed,
    /// A directory that is the same as below, listed because of what follows in it.
    Parent,
}

impl Change {
    /// The path without a slash in front or behind.
    pub fn path(&self) -> &str {
        match self {
            Change::Put { path, .. } | Change::Whiteout { path, .. } => path,
        }
    }
}

/// What leads from `lower` to `upper`, in the order of a layer tar: depth first, the entries of
/// each directory by byte order of the bare name, whiteouts by the name that they hide.
///
/// `upper` must come from an [`Overlay`] over `lower`, directly or over several: what both share
/// is recognised by identity and not looked into.
///
/// The rules are those of BuildKit's overlay differ:
/// - a directory is listed if it is new or its mode, owner or attributes changed, never for its
///   time alone; the root never;
/// - a file is listed if it is new or differs in type, mode, owner, device, size or time, and
///   where both times are whole seconds, in bytes;
/// - before the first entry of a directory that is not listed itself, the directory is listed;
/// - what changed its type is listed without a whiteout; opaque markers are never used;
/// - sockets are passed over.
pub fn diff(lower: &Fs, upper: &Fs) -> Vec<Change> {
    let mut differ = Differ {
        upper,
        lower,
        out: Vec::new(),
        names: BTreeMap::new(),
        open: Vec::new(),
    };
    differ.compare_dirs("", Fs::ROOT, Fs::ROOT);
    differ.out
}

struct Differ<'a> {
    lower: &'a Fs,
    upper: &'a Fs,
    out: Vec<Change>,
    /// The first listed path of each inode that has several names.
    names: BTreeMap<Ino, String>,
    /// The directories that lead to the present one and are not listed yet.
    open: Vec<(String, Ino)>,
}

impl Differ<'_> {
    fn compare_dirs(&mut self, path: &str, lower: Ino, upper: Ino) {
        let empty = BTreeMap::new();
        let below = self
            .lower
            .inode(lower)
            .dir()
            .map_or(&empty, |dir| dir.as_ref());
        let above = self
            .upper
            .inode(upper)
            .dir()
            .map_or(&empty, |dir| dir.as_ref());
        let mut below = below.iter().peekable();
        let mut above = above.iter().peekable();
        loop {
            let name: Name = match (below.peek(), above.peek()) {
                (None, None) => break,
                (Some((l, _)), None) => Name::clone(l),
                (None, Some((u, _))) => Name::clone(u),
                (Some((l, _)), Some((u, _))) => Name::clone(l.min(u)),
            };
            let l = below.next_if(|(n, _)| **n == name).map(|(_, ino)| *ino);
            let u = above.next_if(|(n, _)| **n == name).map(|(_, ino)| *ino);
            let path = if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}/{name}")
            };
            match (l, u) {
                (Some(l), None) => {
                    let was = self.lower.inode(l).clone();
                    self.list_open();
                    self.out.push(Change::Whiteout { path, was });
                }
                (None, Some(u)) => self.add(&path, u, Reason::Added),
                (Some(l), Some(u)) => self.compare(&path, l, u),
                (None, None) => {}
            }
        }
    }

    fn compare(&mut self, path: &str, l: Ino, u: Ino) {
        let (old, new) = (self.lower.inode(l), self.upper.inode(u));
        if l == u && Arc::ptr_eq(old, new) {
            return;
        }
        match (old.is_dir(), new.is_dir()) {
            (true, true) => {
                if old.meta.same_but_time(&new.meta) {
                    self.open.push((path.to_string(), u));
                    self.compare_dirs(path, l, u);
                    self.open.pop();
                } else {
                    self.put(path, u, Reason::Changed);
                    self.compare_dirs(path, l, u);
                }
            }
            (false, false) if same_file(old, new) => {}
            _ => self.add(path, u, Reason::Changed),
        }
    }

    fn add(&mut self, path: &str, ino: Ino, reason: Reason) {
        if matches!(self.upper.inode(ino).kind, Kind::Socket) {
            return;
        }
        self.put(path, ino, reason);
        let Some(dir) = self.upper.inode(ino).dir() else {
            return;
        };
        for (name, child) in dir.iter() {
            self.add(&format!("{path}/{name}"), *child, Reason::Added);
        }
    }

    fn put(&mut self, path: &str, ino: Ino, reason: Reason) {
        self.list_open();
        let inode = self.upper.inode(ino).clone();
        let mut hard_link = None;
        if !inode.is_dir() && inode.nlink() > 1 {
            match self.names.get(&ino) {
                Some(first) => hard_link = Some(first.clone()),
                None => {
                    self.names.insert(ino, path.to_string());
                }
            }
        }
        self.out.push(Change::Put {
            path: path.to_string(),
            inode,
            hard_link,
            reason,
        });
    }

    fn list_open(&mut self) {
        for (path, ino) in std::mem::take(&mut self.open) {
            // An empty path marks a directory that is listed already; see below.
            if !path.is_empty() {
                let inode = self.upper.inode(ino).clone();
                self.out.push(Change::Put {
                    path,
                    inode,
                    hard_link: None,
                    reason: Reason::Parent,
                });
            }
            self.open.push((String::new(), ino));
        }
    }
}

fn same_file(old: &Inode, new: &Inode) -> bool {
    if !old.meta.same_but_time(&new.meta) {
        return false;
    }
    match (&old.kind, &new.kind) {
        (Kind::File(a), Kind::File(b)) => {
            let (t, u) = (old.meta.mtime, new.meta.mtime);
            let whole = t.subsec_nanos() == 0 && u.subsec_nanos() == 0;
            a.size() == b.size() && t == u && (!whole || a == b)
        }
        (Kind::Symlink(a), Kind::Symlink(b)) => a == b && old.meta.mtime == new.meta.mtime,
        (Kind::CharDevice(a, b), Kind::CharDevice(c, d))
        | (Kind::BlockDevice(a, b), Kind::BlockDevice(c, d)) => {
            (a, b) == (c, d) && old.meta.mtime == new.meta.mtime
        }
        (Kind::Fifo, Kind::Fifo) => old.meta.mtime == new.meta.mtime,
        _ => false,
    }
}

/// The filesystem with a layer's changes on top: the inverse of [`diff`].
///
/// Missing parents are made (0755, owner 0:0, at the epoch), as unpacking does. Directories that
/// the layer does not list keep their times.
///
/// # Errors
/// `ENOTDIR` where a parent is no directory, `ENOENT` where a hard link's first name is missing,
/// `EINVAL` for an unusable name, `ENOSPC` past the limit.
pub fn apply(lower: &Fs, changes: &[Change]) -> Result<Fs> {
    let mut overlay = Overlay::over(lower, Clock::at(Time::EPOCH));
    let mut times = DirTimes::default();
    for change in changes {
        let mut parts: Vec<&str> = split(change.path()).collect();
        let Some(name) = parts.pop() else { continue };
        let dir = make_dirs(&mut overlay, &parts, &mut times)?;
        match change {
            Change::Whiteout { .. } => match overlay.remove_all(dir, name) {
                Err(Errno::Enoent) | Ok(()) => {}
                Err(errno) => return Err(errno),
            },
            Change::Put {
                inode,
                hard_link: Some(first),
                ..
            } => {
                let mut first: Vec<&str> = split(first).collect();
                let last = first.pop().ok_or(Errno::Einval)?;
                let first_dir = find_dir(&overlay, &first)?;
                clear(&mut overlay, dir, name, inode)?;
                overlay.link((first_dir, last), dir, name)?;
            }
            Change::Put { inode, .. } => {
                let ino = if clear(&mut overlay, dir, name, inode)? {
                    overlay.copy_up(dir, name)?
                } else {
                    let kind = if inode.is_dir() {
                        Kind::empty_dir()
                    } else {
                        inode.kind.clone()
                    };
                    overlay.create(dir, name, kind, inode.meta.clone())?
                };
                overlay.set_meta(ino, |meta| *meta = inode.meta.clone());
                if inode.is_dir() {
                    times.0.insert(ino, inode.meta.mtime);
                }
            }
        }
    }
    for (ino, mtime) in times.0 {
        overlay.restore_time(ino, mtime);
    }
    Ok(overlay.commit())
}

/// The times that directories are to have in the end: what happens in them changes theirs.
#[derive(Default)]
struct DirTimes(BTreeMap<Ino, Time>);

impl DirTimes {
    /// Keeps the present time of `dir`, unless it is settled already.
    fn keep(&mut self, overlay: &Overlay, dir: Ino) {
        let mtime = overlay.fs().inode(dir).meta.mtime;
        self.0.entry(dir).or_insert(mtime);
    }
}

/// Makes room for `inode`; true where a directory is there that it becomes one with.
fn clear(overlay: &mut Overlay, dir: Ino, name: &str, inode: &Inode) -> Result<bool> {
    let Some(there) = overlay.fs().child(dir, name) else {
        return Ok(false);
    };
    if inode.is_dir() && overlay.fs().inode(there).is_dir() {
        return Ok(true);
    }
    overlay.remove_all(dir, name)?;
    Ok(false)
}

fn find_dir(overlay: &Overlay, parts: &[&str]) -> Result<Ino> {
    parts.iter().try_fold(Fs::ROOT, |dir, part| {
        overlay.fs().child(dir, part).ok_or(Errno::Enoent)
    })
}

/// The directory at the end of `parts`, into which something is about to go.
fn make_dirs(overlay: &mut Overlay, parts: &[&str], times: &mut DirTimes) -> Result<Ino> {
    let mut dir = Fs::ROOT;
    for part in parts {
        dir = match overlay.fs().child(dir, part) {
            Some(ino) => ino,
            None => {
                times.keep(overlay, dir);
                let meta = Meta::root(0o755, Time::EPOCH);
                overlay.create(dir, part, Kind::empty_dir(), meta)?
            }
        };
    }
    times.keep(overlay, dir);
    Ok(dir)
}
