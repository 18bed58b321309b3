//! What a process sees: the system calls on paths, with their permissions, over mounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lookup::wants_dir;
use super::{
    Clock, Content, Errno, Follow, Fs, Ino, Inode, Kind, Meta, Name, Overlay, Process, Result,
    Spot, Time, base_name,
};

/// How a file is opened for writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Make it if it is missing.
    pub create: bool,
    /// Empty it.
    pub truncate: bool,
    /// Fail if it exists.
    pub exclusive: bool,
}

/// The number of a mount; the root is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MountId(pub(super) usize);

impl MountId {
    /// The root filesystem.
    pub const ROOT: MountId = MountId(0);
}

/// An open inode: it stays the same file when its name moves or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle {
    /// Where.
    pub mount: MountId,
    /// Which.
    pub ino: Ino,
}

impl Handle {
    /// The inode number that `stat` shows.
    pub fn number(&self) -> u64 {
        u64::from(self.ino.0) + 1
    }
}

#[derive(Clone, Debug)]
pub(super) struct Mount {
    overlay: Overlay,
    pub(super) root: Ino,
    read_only: bool,
}

/// A tree of mounts, as one mount namespace has it.
#[derive(Clone, Debug)]
pub struct Vfs {
    pub(super) mounts: Vec<Mount>,
    pub(super) points: BTreeMap<String, MountId>,
}

impl Vfs {
    /// A namespace with `root` alone.
    pub fn new(root: Overlay) -> Vfs {
        let root = Mount {
            overlay: root,
            root: Fs::ROOT,
            read_only: false,
        };
        Vfs {
            mounts: vec![root],
            points: BTreeMap::new(),
        }
    }

    /// Mounts the node `root` of `overlay` (a directory or a file) over the absolute real path
    /// `at`. The caller has made sure that a node of the same type is there to be covered.
    pub fn mount(&mut self, at: &str, overlay: Overlay, root: Ino, read_only: bool) -> MountId {
        let id = MountId(self.mounts.len());
        self.mounts.push(Mount {
            overlay,
            root,
            read_only,
        });
        self.points.insert(at.to_string(), id);
        id
    }

    /// Takes away what is mounted at `at`; what it covered is seen again. The mount's files stay
    /// reachable with [`overlay`](Vfs::overlay).
    pub fn unmount(&mut self, at: &str) -> Option<MountId> {
        self.points.remove(at)
    }

    /// The absolute paths of all mounts but the root.
    pub fn mount_points(&self) -> impl Iterator<Item = (&str, MountId)> {
        self.points.iter().map(|(at, id)| (at.as_str(), *id))
    }

    /// The overlay of a mount.
    pub fn overlay(&self, mount: MountId) -> &Overlay {
        &self.mounts[mount.0].overlay
    }

    /// The overlay of a mount, to be changed without regard to permissions.
    pub fn overlay_mut(&mut self, mount: MountId) -> &mut Overlay {
        &mut self.mounts[mount.0].overlay
    }

    /// The root's overlay, and the end of the namespace.
    pub fn into_root(mut self) -> Overlay {
        let mut root = self.mounts.swap_remove(0).overlay;
        root.clock = self
            .mounts
            .iter()
            .map(|m| m.overlay.clock)
            .fold(root.clock, later);
        root
    }

    /// The overlays of all mounts, the root's first and then in the order in which they were
    /// mounted, and the end of the namespace.
    pub fn into_overlays(self) -> Vec<Overlay> {
        let clock = Clock::at(self.now());
        self.mounts
            .into_iter()
            .map(|mut mount| {
                mount.overlay.clock = clock;
                mount.overlay
            })
            .collect()
    }

    /// The merged view of the root mount.
    pub fn root_fs(&self) -> &Fs {
        self.mounts[0].overlay.fs()
    }

    /// The present moment: the latest that any mount has seen.
    pub fn now(&self) -> Time {
        self.mounts
            .iter()
            .map(|m| m.overlay.clock)
            .fold(self.mounts[0].overlay.clock, later)
            .now()
    }

    /// Moves time on by `nanos`.
    pub fn advance(&mut self, nanos: i64) {
        let mut clock = Clock::at(self.now());
        clock.advance(nanos);
        self.mounts[0].overlay.clock = clock;
    }

    /// The inode behind a handle.
    pub fn inode(&self, handle: Handle) -> &Arc<Inode> {
        self.mounts[handle.mount.0].overlay.fs().inode(handle.ino)
    }

    /// How many names the inode behind a handle has, as `stat` shows it: of a lower file still those
    /// that were copied up since and are files of their own now (overlayfs without `index`).
    pub fn nlink(&self, handle: Handle) -> usize {
        let overlay = &self.mounts[handle.mount.0].overlay;
        let below = overlay.lower().get(handle.ino);
        match below.filter(|_| !overlay.is_upper(handle.ino)) {
            Some(inode) => inode.nlink(),
            None => overlay.fs().inode(handle.ino).nlink(),
        }
    }

    /// The content of the file at `path`, links followed.
    ///
    /// # Errors
    /// As [`stat`](Vfs::stat), `EACCES`, `EISDIR`, and `EINVAL` for devices and the like.
    pub fn read(&self, process: &Process, path: &str) -> Result<Content> {
        let inode = self.inode(self.stat(process, path, Follow::Yes)?);
        if !process.cred.may(&inode.meta, 4, inode.is_dir()) {
            return Err(Errno::Eacces);
        }
        match &inode.kind {
            Kind::File(content) => Ok(content.clone()),
            Kind::Dir(_) => Err(Errno::Eisdir),
            _ => Err(Errno::Einval),
        }
    }

    /// The names in the directory at `path`, in byte order.
    ///
    /// # Errors
    /// As [`stat`](Vfs::stat), `EACCES`, `ENOTDIR`.
    pub fn read_dir(&self, process: &Process, path: &str) -> Result<Vec<Name>> {
        let inode = self.inode(self.stat(process, path, Follow::Yes)?);
        let entries = inode.dir().ok_or(Errno::Enotdir)?;
        if !process.cred.may(&inode.meta, 4, true) {
            return Err(Errno::Eacces);
        }
        Ok(entries.keys().cloned().collect())
    }

    /// Opens a file for writing, links followed; a lower file is copied up.
    ///
    /// # Errors
    /// As [`resolve`](Vfs::resolve), `EACCES`, `EEXIST`, `EISDIR`, `EROFS`.
    pub fn open(
        &mut self,
        process: &Process,
        path: &str,
        flags: Flags,
        mode: u32,
    ) -> Result<Handle> {
        let follow = if flags.exclusive {
            Follow::No
        } else {
            Follow::Yes
        };
        let spot = self.resolve(process, path, follow)?;
        let Some(ino) = spot.ino else {
            if !flags.create {
                return Err(Errno::Enoent);
            }
            if wants_dir(path) {
                return Err(Errno::Eisdir);
            }
            let kind = Kind::File(Content::default());
            return self.make_at(process, &spot, kind, mode);
        };
        if flags.exclusive {
            return Err(Errno::Eexist);
        }
        let inode = self.inode(Handle {
            mount: spot.mount,
            ino,
        });
        if inode.is_dir() {
            return Err(Errno::Eisdir);
        }
        if !process.cred.may(&inode.meta, 2, false) {
            return Err(Errno::Eacces);
        }
        if inode.file().is_none() {
            return spot.handle();
        }
        let handle = self.upper(&spot)?;
        if flags.truncate {
            self.overlay_mut(handle.mount)
                .write(handle.ino, Content::default())?;
        }
        Ok(handle)
    }

    /// Writes a whole file: opens it (created 0666 under the umask) and replaces its content.
    ///
    /// # Errors
    /// As [`open`](Vfs::open), `EFBIG`.
    pub fn write(&mut self, process: &Process, path: &str, content: Content) -> Result<Handle> {
        let flags = Flags {
            create: true,
            truncate: false,
            exclusive: false,
        };
        let handle = self.open(process, path, flags, 0o666)?;
        self.write_handle(handle, content)?;
        Ok(handle)
    }

    /// Replaces the content of an open file. A write to a device goes nowhere.
    ///
    /// # Errors
    /// `EFBIG`.
    pub fn write_handle(&mut self, handle: Handle, content: Content) -> Result<()> {
        if self.inode(handle).file().is_none() {
            return Ok(());
        }
        self.sync_clock(handle.mount);
        self.overlay_mut(handle.mount).write(handle.ino, content)
    }

    /// Adds to the end of an open file. A write to a device goes nowhere.
    ///
    /// # Errors
    /// `EFBIG`.
    pub fn append_handle(&mut self, handle: Handle, bytes: &[u8]) -> Result<()> {
        if self.inode(handle).file().is_none() {
            return Ok(());
        }
        self.sync_clock(handle.mount);
        self.overlay_mut(handle.mount).append(handle.ino, bytes)
    }

    /// Makes a node (not through a symbolic link) with `mode` under the process's umask, owned by
    /// the process; a set-group-ID directory passes its group on.
    ///
    /// # Errors
    /// As [`resolve`](Vfs::resolve), `EEXIST`, `EACCES`, `EROFS`, and `ENOENT` for anything but a
    /// directory under a name with a slash behind it.
    pub fn make(&mut self, process: &Process, path: &str, kind: Kind, mode: u32) -> Result<Handle> {
        let spot = self.resolve(process, path, Follow::No)?;
        if spot.ino.is_some() {
            return Err(Errno::Eexist);
        }
        if wants_dir(path) && !matches!(kind, Kind::Dir(_)) {
            return Err(Errno::Enoent);
        }
        self.make_at(process, &spot, kind, mode)
    }

    fn make_at(&mut self, process: &Process, spot: &Spot, kind: Kind, mode: u32) -> Result<Handle> {
        self.may_change_dir(process, spot)?;
        self.sync_clock(spot.mount);
        let dir = self
            .inode(Handle {
                mount: spot.mount,
                ino: spot.dir,
            })
            .meta
            .clone();
        let setgid = dir.mode & 0o2000 != 0;
        let gid = if setgid { dir.gid } else { process.cred.gid };
        let mut mode = match kind {
            Kind::Symlink(_) => 0o777,
            _ => mode & !process.umask,
        };
        if setgid && matches!(kind, Kind::Dir(_)) {
            mode |= 0o2000;
        }
        let overlay = self.overlay_mut(spot.mount);
        let meta = Meta {
            mode,
            uid: process.cred.uid,
            gid,
            mtime: overlay.clock.tick(),
            xattrs: None,
        };
        let ino = overlay.create(spot.dir, &spot.name, kind, meta)?;
        Ok(Handle {
            mount: spot.mount,
            ino,
        })
    }

    /// `mkdir`.
    ///
    /// # Errors
    /// As [`make`](Vfs::make).
    pub fn mkdir(&mut self, process: &Process, path: &str, mode: u32) -> Result<Handle> {
        self.make(process, path, Kind::empty_dir(), mode)
    }

    /// `symlink`.
    ///
    /// # Errors
    /// As [`make`](Vfs::make), and `ENOENT` for an empty target.
    pub fn symlink(&mut self, process: &Process, target: &str, path: &str) -> Result<Handle> {
        if target.is_empty() {
            return Err(Errno::Enoent);
        }
        self.make(process, path, Kind::Symlink(target.into()), 0o777)
    }

    /// `link`: `to` becomes another name of the file `from` (itself, where it is a symbolic link).
    ///
    /// # Errors
    /// `EXDEV` across mounts, `EPERM` for a directory, `EEXIST`, `EACCES`, `EROFS`, `ENOENT` for a
    /// new name with a slash behind it.
    pub fn link(&mut self, process: &Process, from: &str, to: &str) -> Result<()> {
        let from = self.resolve(process, from, Follow::No)?;
        let handle = from.handle()?;
        let name = to;
        let to = self.resolve(process, to, Follow::No)?;
        if to.ino.is_some() {
            return Err(Errno::Eexist);
        }
        if wants_dir(name) {
            return Err(Errno::Enoent);
        }
        if self.inode(handle).is_dir() {
            return Err(Errno::Eperm);
        }
        if from.mount != to.mount || from.is_mount_root() {
            return Err(Errno::Exdev);
        }
        self.may_change_dir(process, &to)?;
        self.sync_clock(to.mount);
        self.overlay_mut(to.mount)
            .link((from.dir, &from.name), to.dir, &to.name)?;
        Ok(())
    }

    /// `unlink` of anything but a directory.
    ///
    /// # Errors
    /// `EISDIR`, `EBUSY` for a mount, `EACCES`, `EPERM` (sticky directory), `EROFS`.
    pub fn unlink(&mut self, process: &Process, path: &str) -> Result<()> {
        let spot = self.resolve(process, path, Follow::No)?;
        if self.inode(spot.handle()?).is_dir() {
            return Err(Errno::Eisdir);
        }
        self.remove_spot(process, &spot)
    }

    /// `rmdir`.
    ///
    /// # Errors
    /// `ENOTDIR`, `ENOTEMPTY` (also for a path that ends in `..`), `EINVAL` for one that ends in
    /// `.`, and as [`unlink`](Vfs::unlink).
    pub fn rmdir(&mut self, process: &Process, path: &str) -> Result<()> {
        match base_name(path) {
            "." => return Err(Errno::Einval),
            ".." => return Err(Errno::Enotempty),
            _ => {}
        }
        let spot = self.resolve(process, path, Follow::No)?;
        if !self.inode(spot.handle()?).is_dir() {
            return Err(Errno::Enotdir);
        }
        self.remove_spot(process, &spot)
    }

    fn remove_spot(&mut self, process: &Process, spot: &Spot) -> Result<()> {
        if spot.is_mount_root() || self.covers_mount(&spot.path) {
            return Err(Errno::Ebusy);
        }
        self.may_remove(process, spot)?;
        self.sync_clock(spot.mount);
        self.overlay_mut(spot.mount).remove(spot.dir, &spot.name)
    }

    /// `rename`.
    ///
    /// # Errors
    /// `EXDEV` across mounts and for lower directories, `EBUSY` for mounts and for paths that end
    /// in `.` or `..`, `EACCES`, `EROFS`, `ENOTDIR` for a file to a name with a slash behind it,
    /// and as [`Overlay::rename`].
    pub fn rename(&mut self, process: &Process, from: &str, to: &str) -> Result<()> {
        if [from, to]
            .iter()
            .any(|path| matches!(base_name(path), "." | ".."))
        {
            return Err(Errno::Ebusy);
        }
        let from = self.resolve(process, from, Follow::No)?;
        let node = self.inode(from.handle()?);
        if wants_dir(to) && !node.is_dir() {
            return Err(Errno::Enotdir);
        }
        let to = self.resolve(process, to, Follow::No)?;
        if from.is_mount_root() || to.is_mount_root() {
            return Err(Errno::Ebusy);
        }
        if from.mount != to.mount {
            return Err(Errno::Exdev);
        }
        if self.covers_mount(&from.path) || self.covers_mount(&to.path) {
            return Err(Errno::Ebusy);
        }
        self.may_remove(process, &from)?;
        if to.ino.is_some() {
            self.may_remove(process, &to)?;
        } else {
            self.may_change_dir(process, &to)?;
        }
        // A directory's `..` changes with its parent.
        let node = self.inode(from.handle()?);
        if node.is_dir() && from.dir != to.dir && !process.cred.may(&node.meta, 2, true) {
            return Err(Errno::Eacces);
        }
        self.sync_clock(from.mount);
        self.overlay_mut(from.mount)
            .rename((from.dir, &from.name), (to.dir, &to.name))
    }

    /// `chmod`: sets permission and special bits. A non-root caller outside the file's group
    /// loses the set-group-ID bit.
    ///
    /// # Errors
    /// `EPERM` unless owner or root, `EROFS`.
    pub fn chmod(&mut self, process: &Process, path: &str, mode: u32) -> Result<()> {
        let spot = self.resolve(process, path, Follow::Yes)?;
        let meta = &self.inode(spot.handle()?).meta;
        let cred = &process.cred;
        if cred.uid != 0 && cred.uid != meta.uid {
            return Err(Errno::Eperm);
        }
        let drop_setgid = cred.uid != 0 && !cred.in_group(meta.gid);
        let mode = if drop_setgid { mode & !0o2000 } else { mode } & 0o7777;
        let handle = self.upper(&spot)?;
        self.overlay_mut(handle.mount)
            .set_meta(handle.ino, |meta| meta.mode = mode);
        Ok(())
    }

    /// `chown` (or `lchown`). For anything but a directory, the set-user-ID bit goes, and the
    /// set-group-ID bit where the group may execute, whoever calls (Linux: `chown(2)`).
    ///
    /// # Errors
    /// `EPERM`: only root gives files away; an owner may change the group to one of its own.
    pub fn chown(
        &mut self,
        process: &Process,
        path: &str,
        (uid, gid): (Option<u32>, Option<u32>),
        follow: Follow,
    ) -> Result<()> {
        let spot = self.resolve(process, path, follow)?;
        let meta = &self.inode(spot.handle()?).meta;
        let cred = &process.cred;
        let own = cred.uid == meta.uid;
        let group_only = uid.is_none_or(|uid| uid == meta.uid)
            && gid.is_none_or(|gid| gid == meta.gid || cred.in_group(gid));
        if cred.uid != 0 && !(own && group_only) {
            return Err(Errno::Eperm);
        }
        let handle = self.upper(&spot)?;
        let clear = !self.inode(handle).is_dir();
        self.overlay_mut(handle.mount).set_meta(handle.ino, |meta| {
            meta.uid = uid.unwrap_or(meta.uid);
            meta.gid = gid.unwrap_or(meta.gid);
            if clear {
                let setgid = if meta.mode & 0o010 != 0 { 0o2000 } else { 0 };
                meta.mode &= !(0o4000 | setgid);
            }
        });
        Ok(())
    }

    /// `utimensat`: sets the modification time.
    ///
    /// # Errors
    /// `EPERM` unless owner, root, or writer with the present time; `EROFS`.
    pub fn set_mtime(
        &mut self,
        process: &Process,
        path: &str,
        mtime: Time,
        follow: Follow,
    ) -> Result<()> {
        let spot = self.resolve(process, path, follow)?;
        let inode = self.inode(spot.handle()?);
        let cred = &process.cred;
        let may =
            cred.uid == 0 || cred.uid == inode.meta.uid || cred.may(&inode.meta, 2, inode.is_dir());
        if !may {
            return Err(Errno::Eperm);
        }
        let handle = self.upper(&spot)?;
        self.overlay_mut(handle.mount)
            .set_meta(handle.ino, |meta| meta.mtime = mtime);
        Ok(())
    }

    /// A tick of the clock: the present time for `touch`.
    pub fn tick(&mut self) -> Time {
        self.sync_clock(MountId::ROOT);
        self.mounts[0].overlay.clock.tick()
    }

    /// Brings what is at `spot` into its mount's upper layer.
    ///
    /// # Errors
    /// `ENOENT`, `EROFS`.
    pub fn upper(&mut self, spot: &Spot) -> Result<Handle> {
        let handle = spot.handle()?;
        let mount = &mut self.mounts[spot.mount.0];
        if mount.read_only {
            return Err(Errno::Erofs);
        }
        if spot.is_mount_root() {
            // A root has no name to be copied up by; it is marked as it is.
            mount.overlay.claim(handle.ino);
            return Ok(handle);
        }
        Ok(Handle {
            mount: spot.mount,
            ino: mount.overlay.copy_up(spot.dir, &spot.name)?,
        })
    }

    fn may_change_dir(&self, process: &Process, spot: &Spot) -> Result<()> {
        let dir = self.inode(Handle {
            mount: spot.mount,
            ino: spot.dir,
        });
        if !process.cred.may(&dir.meta, 3, true) {
            return Err(Errno::Eacces);
        }
        if self.mounts[spot.mount.0].read_only {
            Err(Errno::Erofs)
        } else {
            Ok(())
        }
    }

    fn may_remove(&self, process: &Process, spot: &Spot) -> Result<()> {
        self.may_change_dir(process, spot)?;
        let dir = &self
            .inode(Handle {
                mount: spot.mount,
                ino: spot.dir,
            })
            .meta;
        let node = &self.inode(spot.handle()?).meta;
        let uid = process.cred.uid;
        let sticky = dir.mode & 0o1000 != 0;
        if sticky && uid != 0 && uid != dir.uid && uid != node.uid {
            return Err(Errno::Eperm);
        }
        Ok(())
    }

    fn covers_mount(&self, path: &str) -> bool {
        self.points.keys().any(|at| {
            at.strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// One clock for all mounts: the mount that is written to next sees the latest time.
    fn sync_clock(&mut self, mount: MountId) {
        if self.mounts.len() > 1 {
            let now = self.now();
            self.mounts[mount.0].overlay.clock = Clock::at(now);
        }
    }
}

fn later(a: Clock, b: Clock) -> Clock {
    if b.now() > a.now() { b } else { a }
}
