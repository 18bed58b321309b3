//! Where a path leads: symbolic links, mounts and the permission to search.

use super::{Errno, Handle, Ino, MountId, Name, Overlay, Process, Result, Vfs, base_name, split};

/// Whether a symbolic link as the last component is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// `stat`, `open`, `chmod`.
    Yes,
    /// `lstat`, `unlink`, `rename`.
    No,
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

/// A path is looked up over at most so many symbolic links (Linux: 40).
const MAX_LINKS: usize = 40;
/// The longest path, in bytes (Linux: `PATH_MAX`). Here it holds for real paths from the root too,
/// which bounds how deep directories go.
pub const MAX_PATH: usize = 4096;

impl Vfs {
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
        let mut must_be_dir = wants_dir(path);
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
                _ if part.len() > Overlay::MAX_NAME => return Err(Errno::Enametoolong),
                _ => {}
            }
            let mut path = String::with_capacity(here.path.len() + 1 + part.len());
            if here.path != "/" {
                path.push_str(&here.path);
            }
            path.push('/');
            path.push_str(&part);
            if path.len() > MAX_PATH {
                return Err(Errno::Enametoolong);
            }
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
                must_be_dir |= last && wants_dir(target);
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
}

/// Whether what has this path must be a directory, since a slash follows its name.
pub(super) fn wants_dir(path: &str) -> bool {
    path.ends_with('/') && !base_name(path).is_empty()
}
