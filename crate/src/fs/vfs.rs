//! What a process sees: paths, symbolic links, permissions and mounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Clock, Content, Errno, Fs, Ino, Inode, Kind, Meta, Name, Overlay, Result, Time, split,
};

/// Who a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cred {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

impl Cred {
    /// The superuser, whom no permission stops.
    pub const ROOT: Cred = Cred {
        uid: 0,
        gid: 0,
        groups: Vec::new(),
    };

    /// Whether the user is in `group`.
    pub fn in_group(&self, group: u32) -> bool {
        self.gid == group || self.groups.contains(&group)
    }

    /// Whether `meta` grants all of `want` (4 read, 2 write, 1 execute or search).
    pub fn may(&self, meta: &Meta, want: u32, is_dir: bool) -> bool {
        if self.uid == 0 {
            // Root reads and writes everything, and executes what anybody may execute.
            return want & 1 == 0 || is_dir || meta.mode & 0o111 != 0;
        }
        let shift = if self.uid == meta.uid {
            6
        } else if self.in_group(meta.gid) {
            3
        } else {
            0
        };
        (meta.mode >> shift) & want == want
    }
}

/// What the filesystem needs to know of the process that calls.
#[derive(Clone, Debug)]
pub struct Process {
    /// Who it is.
    pub cred: Cred,
    /// The working directory, absolute.
    pub cwd: String,
    /// Permission bits that new files do not get.
    pub umask: u32,
}

impl Process {
    /// Root at `/` with umask 022.
    pub fn root() -> Process {
        Process {
            cred: Cred::ROOT,
            cwd: "/".into(),
            umask: 0o022,
        }
    }
}

/// Whether a symbolic link as the last component is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// `stat`, `open`, `chmod`.
    Yes,
    /// `lstat`, `unlink`, `rename`.
    No,
}

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
pub struct MountId(usize);

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

/// Where a path leads: a name in a directory, and what is there.
#[derive(Clone, Debug)]
pub struct Spot {
    /// The mount that the name is in.
    pub mount: MountId,
    /// The directory; for a mount's root, that root itself.
    pub dir: Ino,
    /// The name in it; empty for a mount's root.
    pub name: Name,
    /// The inode, if the name is taken.
    pub ino: Option<Ino>,
    /// The absolute path without symbolic links (but perhaps the last component).
    pub path: String,
}

impl Spot {
    /// The inode as a handle.
    ///
    /// # Errors
    /// `ENOENT` where nothing is there.
    pub fn handle(&self) -> Result<Handle> {
        Ok(Handle {
            mount: self.mount,
            ino: self.ino.ok_or(Errno::Enoent)?,
        })
    }

    /// Whether this is the root of a mount, which cannot be removed or renamed.
    pub fn is_mount_root(&self) -> bool {
        self.name.is_empty()
    }
}

#[derive(Clone, Debug)]
struct Mount {
    overlay: Overlay,
    root: Ino,
    read_only: bool,
}

/// A tree of mounts, as one mount namespace has it.
#[derive(Clone, Debug)]
pub struct Vfs {
    mounts: Vec<Mount>,
    points: BTreeMap<String, MountId>,
}

/// A path is looked up over at most so many symbolic links (Linux: 40).
const MAX_LINKS: usize = 40;
/// The longest path, in bytes (Linux: `PATH_MAX`).
const MAX_PATH: usize = 4096;

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

    /// Looks `path` up. The last component may be missing: [`Spot::ino`] is then empty.
    ///
    /// # Errors
    /// `ENOENT` for a missing directory on the way, `ENOTDIR`, `EACCES`, `ELOOP`,
    /// `ENAMETOOLONG`.
    pub fn resolve(&self, process: &Process, path: &str, follow: Follow) -> Result<Spot> {
        if path.is_empty() {
            return Err(Errno::Enoent);
        }
        if path.len() > MAX_PATH {
            return Err(Errno::Enametoolong);
        }
        let mut links = 0;
        let mut todo: Vec<String> = split(path).rev().map(String::from).collect();
        let must_be_dir = path.ends_with('/') && !todo.is_empty();
        if !path.starts_with('/') {
            todo.extend(split(&process.cwd).rev().map(String::from));
        }
        // The directories entered, the root first.
        let mut stack = vec![self.root_spot()];
        while let Some(part) = todo.pop() {
            let here = stack
                .last()
                .unwrap_or_else(|| unreachable!("the root is never popped"));
            let handle = here.handle()?;
            let inode = self.inode(handle);
            let Some(entries) = inode.dir() else {
                return Err(Errno::Enotdir);
            };
            if !process.cred.may(&inode.meta, 1, true) {
                return Err(Errno::Eacces);
            }
            match part.as_str() {
                "." => continue,
                ".." => {
                    if stack.len() > 1 {
                        stack.pop();
                    }
                    continue;
                }
                _ => {}
            }
            let mut path = String::with_capacity(here.path.len() + 1 + part.len());
            if here.path != "/" {
                path.push_str(&here.path);
            }
            path.push('/');
            path.push_str(&part);
            if let Some(mount) = self.points.get(&path) {
                stack.push(self.mount_root(*mount, path));
                continue;
            }
            let ino = entries.get(part.as_str()).copied();
            let last = todo.is_empty();
            let Some(ino) = ino else {
                if !last {
                    return Err(Errno::Enoent);
                }
                if part.len() > Overlay::MAX_NAME {
                    return Err(Errno::Enametoolong);
                }
                return Ok(Spot {
                    mount: handle.mount,
                    dir: handle.ino,
                    name: part.into(),
                    ino: None,
                    path,
                });
            };
            let found = self.inode(Handle {
                mount: handle.mount,
                ino,
            });
            if let Some(target) = found.link_target()
                && (!last || follow == Follow::Yes || must_be_dir)
            {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::Eloop);
                }
                if target.is_empty() {
                    return Err(Errno::Enoent);
                }
                if target.starts_with('/') {
                    stack.truncate(1);
                }
                todo.extend(split(target).rev().map(String::from));
                continue;
            }
            stack.push(Spot {
                mount: handle.mount,
                dir: handle.ino,
                name: part.into(),
                ino: Some(ino),
                path,
            });
        }
        let spot = stack.pop().unwrap_or_else(|| self.root_spot());
        if must_be_dir && !self.inode(spot.handle()?).is_dir() {
            return Err(Errno::Enotdir);
        }
        Ok(spot)
    }

    fn root_spot(&self) -> Spot {
        self.mount_root(MountId::ROOT, "/".into())
    }

    fn mount_root(&self, mount: MountId, path: String) -> Spot {
        let root = self.mounts[mount.0].root;
        Spot {
            mount,
            dir: root,
            name: "".into(),
            ino: Some(root),
            path,
        }
    }

    /// `stat` (or `lstat`): the inode at `path`.
    ///
    /// # Errors
    /// As [`resolve`](Vfs::resolve), and `ENOENT` where nothing is there.
    pub fn stat(&self, process: &Process, path: &str, follow: Follow) -> Result<Handle> {
        self.resolve(process, path, follow)?.handle()
    }

    /// Whether something is at `path`, links followed.
    pub fn exists(&self, process: &Process, path: &str) -> bool {
        self.stat(process, path, Follow::Yes).is_ok()
    }

    /// Whether a directory is at `path`, links followed.
    pub fn is_dir(&self, process: &Process, path: &str) -> bool {
        self.stat(process, path, Follow::Yes)
            .is_ok_and(|handle| self.inode(handle).is_dir())
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
        match inode.kind {
            Kind::Dir(_) => return Err(Errno::Eisdir),
            Kind::File(_) => {}
            _ => return spot.handle(),
        }
        if !process.cred.may(&inode.meta, 2, false) {
            return Err(Errno::Eacces);
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
    /// As [`resolve`](Vfs::resolve), `EEXIST`, `EACCES`, `EROFS`.
    pub fn make(&mut self, process: &Process, path: &str, kind: Kind, mode: u32) -> Result<Handle> {
        let spot = self.resolve(process, path, Follow::No)?;
        if spot.ino.is_some() {
            return Err(Errno::Eexist);
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
    /// As [`make`](Vfs::make).
    pub fn symlink(&mut self, process: &Process, target: &str, path: &str) -> Result<Handle> {
        self.make(process, path, Kind::Symlink(target.into()), 0o777)
    }

    /// `link`: `to` becomes another name of the file `from` (itself, where it is a symbolic link).
    ///
    /// # Errors
    /// `EXDEV` across mounts, `EPERM` for a directory, `EEXIST`, `EACCES`, `EROFS`.
    pub fn link(&mut self, process: &Process, from: &str, to: &str) -> Result<()> {
        let from = self.resolve(process, from, Follow::No)?;
        let handle = from.handle()?;
        let to = self.resolve(process, to, Follow::No)?;
        if to.ino.is_some() {
            return Err(Errno::Eexist);
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
    /// `ENOTDIR`, `ENOTEMPTY`, and as [`unlink`](Vfs::unlink).
    pub fn rmdir(&mut self, process: &Process, path: &str) -> Result<()> {
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
    /// `EXDEV` across mounts and for lower directories, `EBUSY`, `EACCES`, `EROFS`, and as
    /// [`Overlay::rename`].
    pub fn rename(&mut self, process: &Process, from: &str, to: &str) -> Result<()> {
        let from = self.resolve(process, from, Follow::No)?;
        from.handle()?;
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
