//! The overlay: a lower snapshot, and what is changed on top of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::inode::Memo;
use super::{Clock, Content, Errno, Fs, Ino, Inode, Kind, LayerIndex, Meta, Name, Result, Time};

/// A writable layer over a snapshot, merged.
///
/// It works on inode numbers and names and knows neither paths nor permissions (see
/// [`Vfs`](super::Vfs)). What is merged here is what a process on overlayfs would see; the
/// differences that overlayfs makes against a plain filesystem are kept:
///
/// - the first change to a lower non-directory copies it up whole (overlayfs: non-directory
///   copy-up), and breaks its hard links, since only the name that was used gets the copy;
/// - a directory that exists below cannot be renamed (overlayfs without `redirect_dir`: `EXDEV`),
///   so programs fall back to copying.
#[derive(Clone, Debug)]
pub struct Overlay {
    lower: Fs,
    merged: Fs,
    /// The clock that writes take their times from. Whoever made the overlay reads it back.
    pub clock: Clock,
    events: Option<Vec<Event>>,
    /// Inodes without a name, which open files may still use.
    orphans: Vec<Ino>,
    /// Directories of this layer that were moved into one that exists below.
    moved: BTreeSet<Ino>,
    limit: usize,
}

/// What the overlay did, for whoever wants to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A lower inode was copied up because it is to be changed: `bytes` of content were copied.
    CopyUp {
        /// Path without a slash in front.
        path: String,
        /// The layer that the lower version is in.
        from: LayerIndex,
        /// Bytes copied (nominal).
        bytes: u64,
    },
    /// A name of a lower layer went away: the upper directory holds a whiteout for it.
    Whiteout {
        /// Path without a slash in front.
        path: String,
        /// The layer that the hidden version is in.
        hides: LayerIndex,
    },
    /// A directory was made where a lower one was removed before: it is opaque.
    Opaque {
        /// Path without a slash in front.
        path: String,
    },
}

impl Overlay {
    /// The most inodes that a filesystem may hold.
    pub const MAX_INODES: usize = 1_000_000;
    /// The longest name, in bytes (Linux: `NAME_MAX`).
    pub const MAX_NAME: usize = 255;
    /// The largest file, in bytes held.
    pub const MAX_FILE: usize = 256 << 20;

    /// A new, empty layer over `lower`.
    pub fn over(lower: &Fs, clock: Clock) -> Overlay {
        let mut merged = lower.clone();
        merged.layer += 1;
        Overlay {
            lower: lower.clone(),
            merged,
            clock,
            events: None,
            orphans: Vec::new(),
            moved: BTreeSet::new(),
            limit: Overlay::MAX_INODES,
        }
    }

    /// The same, writing down its [`Event`]s.
    pub fn traced(lower: &Fs, clock: Clock) -> Overlay {
        Overlay {
            events: Some(Vec::new()),
            ..Overlay::over(lower, clock)
        }
    }

    /// What it did so far, if it was to write that down. Empties the list.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The merged view.
    pub fn fs(&self) -> &Fs {
        &self.merged
    }

    /// What lies below.
    pub fn lower(&self) -> &Fs {
        &self.lower
    }

    /// The merged view as a snapshot.
    pub fn snapshot(&self) -> Fs {
        self.merged.clone()
    }

    /// Ends the layer: the merged view as a snapshot. Files without a name are gone.
    pub fn commit(mut self) -> Fs {
        self.forget_unnamed();
        self.merged
    }

    /// Gives up the files without a name: nothing has them open any more.
    pub fn forget_unnamed(&mut self) {
        for ino in self.orphans.drain(..) {
            self.merged.inodes.set_mut(ino.0 as usize, None);
        }
    }

    /// Takes the inode for this layer where it has no name to be copied up by: the root of a
    /// mount.
    pub(super) fn claim(&mut self, ino: Ino) {
        let layer = self.merged.layer;
        self.inode_mut(ino).layer = layer;
    }

    /// Whether the inode's present version is in this layer's upper directory.
    pub fn is_upper(&self, ino: Ino) -> bool {
        self.merged
            .get(ino)
            .is_some_and(|inode| inode.layer == self.merged.layer)
    }

    /// Whether the kernel has marked the directory as opaque when it was moved: whatever the name
    /// had below is hidden, were there anything (overlayfs: `ovl_rename`).
    pub fn is_moved(&self, dir: Ino) -> bool {
        self.moved.contains(&dir)
    }

    /// Makes a new inode under `name` in `dir`. The directory takes a tick.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `EEXIST`, `ENAMETOOLONG`, `EINVAL` (a name that is no name), `ENOSPC`.
    pub fn create(&mut self, dir: Ino, name: &str, kind: Kind, meta: Meta) -> Result<Ino> {
        self.check_new(dir, name)?;
        if self.merged.inodes.len() >= self.limit {
            return Err(Errno::Enospc);
        }
        let ino = Ino(self.merged.inodes.len() as u32);
        let layer = self.merged.layer;
        if matches!(kind, Kind::Dir(_)) && self.hides_lower(dir, name) {
            self.note(|fs| Event::Opaque {
                path: under(fs, dir, name),
            });
        }
        let inode = Inode {
            kind,
            meta,
            born: layer,
            layer,
            parent: dir,
            more_parents: Vec::new(),
            memo: Memo::default(),
        };
        self.merged.inodes.push_back_mut(Some(Arc::new(inode)));
        self.enter(dir, name, ino);
        Ok(ino)
    }

    /// A further name for a file (`link`). A lower file is copied up first.
    ///
    /// # Errors
    /// As [`create`](Overlay::create), and `EPERM` for a directory.
    pub fn link(&mut self, from: (Ino, &str), dir: Ino, name: &str) -> Result<Ino> {
        self.check_new(dir, name)?;
        let ino = self.merged.child(from.0, from.1).ok_or(Errno::Enoent)?;
        if self.merged.inode(ino).is_dir() {
            return Err(Errno::Eperm);
        }
        let ino = self.copy_up(from.0, from.1)?;
        self.inode_mut(ino).more_parents.push(dir);
        self.enter(dir, name, ino);
        Ok(ino)
    }

    /// Takes a name away (`unlink`, `rmdir`). The inode stays readable by number until the layer
    /// is committed, as an open file does.
    ///
    /// # Errors
    /// `ENOENT`; `ENOTEMPTY` for a directory with entries.
    pub fn remove(&mut self, dir: Ino, name: &str) -> Result<()> {
        let ino = self.merged.child(dir, name).ok_or(Errno::Enoent)?;
        if self
            .merged
            .inode(ino)
            .dir()
            .is_some_and(|entries| !entries.is_empty())
        {
            return Err(Errno::Enotempty);
        }
        if self.hides_lower(dir, name) {
            let hides = self.merged.inode(ino).layer.min(self.lower.layer);
            self.note(|fs| Event::Whiteout {
                path: under(fs, dir, name),
                hides,
            });
        }
        self.leave(dir, name, ino);
        Ok(())
    }

    /// Takes a name away with everything below it.
    ///
    /// # Errors
    /// `ENOENT`.
    pub fn remove_all(&mut self, dir: Ino, name: &str) -> Result<()> {
        let ino = self.merged.child(dir, name).ok_or(Errno::Enoent)?;
        let names: Vec<Name> = match self.merged.inode(ino).dir() {
            Some(entries) => entries.keys().cloned().collect(),
            None => Vec::new(),
        };
        for child in names {
            self.remove_all(ino, &child)?;
        }
        self.remove(dir, name)
    }

    /// Moves a name (`rename`), over what has the new name already.
    ///
    /// # Errors
    /// `ENOENT`; `EXDEV` for a directory that exists below; `EISDIR`, `ENOTDIR` and `ENOTEMPTY`
    /// for what the target is; `EINVAL` for a directory into itself.
    pub fn rename(&mut self, from: (Ino, &str), to: (Ino, &str)) -> Result<()> {
        let ino = self.merged.child(from.0, from.1).ok_or(Errno::Enoent)?;
        let is_dir = self.merged.inode(ino).is_dir();
        if is_dir {
            let mut above = to.0;
            loop {
                if above == ino {
                    return Err(Errno::Einval);
                }
                if above == Fs::ROOT {
                    break;
                }
                above = self.merged.inode(above).parent;
            }
        }
        let target = self.merged.child(to.0, to.1);
        if let Some(target) = target {
            // Two names of a lower file are two files to overlayfs, which would break the link as
            // soon as either is changed (overlayfs without `index`).
            if target == ino && (from == to || self.is_upper(ino)) {
                return Ok(());
            }
            match (is_dir, self.merged.inode(target).dir()) {
                (false, Some(_)) => return Err(Errno::Eisdir),
                (true, None) => return Err(Errno::Enotdir),
                (true, Some(entries)) if !entries.is_empty() => return Err(Errno::Enotempty),
                _ => {}
            }
        } else {
            self.check_new(to.0, to.1)?;
        }
        if is_dir && self.merged.inode(ino).born != self.merged.layer {
            return Err(Errno::Exdev);
        }
        let ino = self.copy_up(from.0, from.1)?;
        if let Some(target) = target {
            self.leave(to.0, to.1, target);
        }
        if self.hides_lower(from.0, from.1) {
            let hides = self.lower.layer;
            self.note(|fs| Event::Whiteout {
                path: under(fs, from.0, from.1),
                hides,
            });
        }
        self.enter(to.0, to.1, ino);
        self.detach_name(from.0, from.1);
        if is_dir && self.lower.get(to.0).is_some() {
            self.moved.insert(ino);
        }
        let inode = self.inode_mut(ino);
        if inode.parent == from.0 {
            inode.parent = to.0;
        } else if let Some(parent) = inode.more_parents.iter_mut().find(|p| **p == from.0) {
            *parent = to.0;
        }
        Ok(())
    }

    /// Brings the inode under `name` into this layer, so that it may be changed, and gives its
    /// number: another one where a hard link was broken.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `ENOSPC`.
    pub fn copy_up(&mut self, dir: Ino, name: &str) -> Result<Ino> {
        let ino = self.merged.child(dir, name).ok_or(Errno::Enoent)?;
        if self.is_upper(ino) {
            return Ok(ino);
        }
        let inode = self.merged.inode(ino);
        let (from, bytes) = (inode.layer, inode.file().map_or(0, Content::size));
        self.note(|fs| Event::CopyUp {
            path: under(fs, dir, name),
            from,
            bytes,
        });
        let layer = self.merged.layer;
        if self.merged.inode(ino).nlink() == 1 {
            self.inode_mut(ino).layer = layer;
            return Ok(ino);
        }
        if self.merged.inodes.len() >= self.limit {
            return Err(Errno::Enospc);
        }
        let mut copy = Inode::clone(self.merged.inode(ino));
        copy.layer = layer;
        copy.parent = dir;
        copy.more_parents.clear();
        let new = Ino(self.merged.inodes.len() as u32);
        self.merged.inodes.push_back_mut(Some(Arc::new(copy)));
        self.drop_link(ino, dir);
        if let Kind::Dir(entries) = &mut self.inode_mut(dir).kind {
            Arc::make_mut(entries).insert(name.into(), new);
        }
        Ok(new)
    }

    /// Replaces the content of an upper file; it takes a tick.
    ///
    /// # Errors
    /// `EISDIR`/`EINVAL` for what is no file, `EFBIG`.
    pub fn write(&mut self, ino: Ino, content: Content) -> Result<()> {
        self.edit_file(ino, content.bytes().len(), |old| *old = content)
    }

    /// Adds to an upper file; it takes a tick.
    ///
    /// # Errors
    /// As [`write`](Overlay::write).
    pub fn append(&mut self, ino: Ino, bytes: &[u8]) -> Result<()> {
        let len = self
            .merged
            .get(ino)
            .and_then(|i| i.file())
            .map_or(0, |c| c.bytes().len());
        self.edit_file(ino, len + bytes.len(), |old| old.append(bytes))
    }

    fn edit_file(&mut self, ino: Ino, len: usize, edit: impl FnOnce(&mut Content)) -> Result<()> {
        if len > Overlay::MAX_FILE {
            return Err(Errno::Efbig);
        }
        debug_assert!(self.is_upper(ino), "only upper inodes are changed");
        let now = self.clock.tick();
        let inode = self.inode_mut(ino);
        match &mut inode.kind {
            Kind::File(content) => edit(content),
            Kind::Dir(_) => return Err(Errno::Eisdir),
            _ => return Err(Errno::Einval),
        }
        inode.meta.mtime = now;
        Ok(())
    }

    /// Changes the metadata of an upper inode. Times stay as they are unless `edit` sets them.
    pub fn set_meta(&mut self, ino: Ino, edit: impl FnOnce(&mut Meta)) {
        debug_assert!(
            ino == Fs::ROOT || self.is_upper(ino),
            "only upper inodes are changed"
        );
        edit(&mut self.inode_mut(ino).meta);
    }

    /// Sets a directory's time without anything else: what a container runtime does after it has
    /// taken a mount point away.
    pub fn restore_time(&mut self, dir: Ino, mtime: Time) {
        self.inode_mut(dir).meta.mtime = mtime;
    }

    fn check_new(&self, dir: Ino, name: &str) -> Result<()> {
        if name.len() > Overlay::MAX_NAME {
            return Err(Errno::Enametoolong);
        }
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            return Err(Errno::Einval);
        }
        let entries = self
            .merged
            .get(dir)
            .ok_or(Errno::Enoent)?
            .dir()
            .ok_or(Errno::Enotdir)?;
        if entries.contains_key(name) {
            Err(Errno::Eexist)
        } else {
            Ok(())
        }
    }

    /// Whether the lower filesystem has this very name.
    fn hides_lower(&self, dir: Ino, name: &str) -> bool {
        self.lower.child(dir, name).is_some()
    }

    fn note(&mut self, event: impl FnOnce(&Fs) -> Event) {
        if let Some(events) = &mut self.events {
            events.push(event(&self.merged));
        }
    }

    fn enter(&mut self, dir: Ino, name: &str, ino: Ino) {
        let now = self.clock.tick();
        let inode = self.inode_mut(dir);
        if let Kind::Dir(entries) = &mut inode.kind {
            Arc::make_mut(entries).insert(Name::from(name), ino);
        }
        inode.meta.mtime = now;
    }

    fn detach_name(&mut self, dir: Ino, name: &str) {
        let now = self.clock.tick();
        let inode = self.inode_mut(dir);
        if let Kind::Dir(entries) = &mut inode.kind {
            Arc::make_mut(entries).remove(name);
        }
        inode.meta.mtime = now;
    }

    fn leave(&mut self, dir: Ino, name: &str, ino: Ino) {
        self.detach_name(dir, name);
        if self.merged.inode(ino).nlink() > 1 {
            self.drop_link(ino, dir);
        } else {
            self.orphans.push(ino);
        }
    }

    /// One name of `ino` in `dir` less; there is another one.
    fn drop_link(&mut self, ino: Ino, dir: Ino) {
        let inode = self.inode_mut(ino);
        if let Some(at) = inode.more_parents.iter().position(|parent| *parent == dir) {
            inode.more_parents.swap_remove(at);
        } else if inode.parent == dir && !inode.more_parents.is_empty() {
            inode.parent = inode.more_parents.swap_remove(0);
        }
    }

    /// The inode for changing; every directory above forgets what it remembered of its content,
    /// and is no longer the same allocation as in any snapshot.
    fn inode_mut(&mut self, ino: Ino) -> &mut Inode {
        let inode = self.merged.inode(ino);
        let parents: Vec<Ino> = std::iter::once(inode.parent)
            .chain(inode.more_parents.iter().copied())
            .collect();
        for parent in parents {
            let mut at = parent;
            loop {
                let inode = self.own(at);
                inode.memo = Memo::default();
                if at == Fs::ROOT {
                    break;
                }
                at = inode.parent;
            }
        }
        let inode = self.own(ino);
        inode.memo = Memo::default();
        inode
    }

    fn own(&mut self, ino: Ino) -> &mut Inode {
        let slot = self
            .merged
            .inodes
            .get_mut(ino.0 as usize)
            .and_then(Option::as_mut)
            .expect("an inode number is only used with the overlay that gave it out");
        Arc::make_mut(slot)
    }
}

fn under(fs: &Fs, dir: Ino, name: &str) -> String {
    match fs.path_of(dir) {
        dir if dir.is_empty() => name.to_string(),
        dir => format!("{dir}/{name}"),
    }
}

/// An empty directory's kind.
impl Kind {
    /// A directory without entries.
    pub fn empty_dir() -> Kind {
        Kind::Dir(Arc::new(BTreeMap::new()))
    }
}
