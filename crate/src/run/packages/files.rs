//! Writing and removing many files at once, as the user of a process.

use std::collections::BTreeMap;

use crate::fs::{
    Clock, Content, Errno, Follow, Handle, Kind, Meta, Process, Vfs, base_name, join, parent,
};

use super::super::Call;
pub(super) use super::super::stand_in::{program, stand_in};

/// A system call that failed, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// The call.
    pub call: &'static str,
    /// The path.
    pub path: String,
    /// Why.
    pub errno: Errno,
}

/// Writes files and counts them. What has its name already is replaced by a new inode, as
/// programs do that write beside and rename.
pub(super) struct Files<'v> {
    vfs: &'v mut Vfs,
    process: Process,
    umask: u32,
    dirs: BTreeMap<String, Known>,
    /// Bytes written.
    pub bytes: u64,
    /// Files and links written.
    pub files: u64,
}

/// A directory that was asked for before.
#[derive(Clone, Copy)]
struct Known {
    handle: Handle,
    /// It was made here: nothing is mounted in it, and its entries are ours.
    fresh: bool,
}

impl<'v> Files<'v> {
    /// Writes with the user and the umask of the calling process.
    pub fn of(call: &'v mut Call<'_, '_>) -> Files<'v> {
        let process = call.proc.fs.clone();
        Files {
            umask: process.umask,
            process: Process {
                umask: 0,
                ..process
            },
            vfs: call.kernel.vfs,
            dirs: BTreeMap::new(),
            bytes: 0,
            files: 0,
        }
    }

    /// The absolute form of a path.
    pub fn absolute(&self, path: &str) -> String {
        join(&self.process.cwd, path)
    }

    /// Makes the directory `path` and those that lead to it, where they are missing.
    pub fn dir(&mut self, path: &str) -> Result<(), Failed> {
        self.known(&self.absolute(path)).map(|_| ())
    }

    fn known(&mut self, path: &str) -> Result<Known, Failed> {
        if let Some(known) = self.dirs.get(path) {
            return Ok(*known);
        }
        let fail = |errno| Failed {
            call: "mkdir",
            path: path.to_owned(),
            errno,
        };
        let known = match self.vfs.stat(&self.process, path, Follow::Yes) {
            Ok(handle) if self.vfs.inode(handle).is_dir() => Known {
                handle,
                fresh: false,
            },
            Ok(_) => return Err(fail(Errno::Enotdir)),
            Err(Errno::Enoent) => {
                let above = self.known(&parent(path))?;
                let mode = 0o777 & !self.umask;
                Known {
                    handle: self
                        .make(above, path, Kind::empty_dir(), mode)
                        .map_err(fail)?,
                    fresh: true,
                }
            }
            Err(errno) => return Err(fail(errno)),
        };
        self.dirs.insert(path.to_owned(), known);
        Ok(known)
    }

    fn make(&mut self, dir: Known, path: &str, kind: Kind, mode: u32) -> Result<Handle, Errno> {
        let taken = |vfs: &Vfs| {
            let entries = vfs.inode(dir.handle).dir();
            entries.is_some_and(|entries| entries.contains_key(base_name(path)))
        };
        if !dir.fresh || taken(self.vfs) {
            if taken(self.vfs) {
                self.vfs.unlink(&self.process, path)?;
            }
            return self.vfs.make(&self.process, path, kind, mode);
        }
        let now = self.vfs.now();
        let overlay = self.vfs.overlay_mut(dir.handle.mount);
        if overlay.clock.now() < now {
            overlay.clock = Clock::at(now);
        }
        let meta = Meta {
            uid: self.process.cred.uid,
            gid: self.process.cred.gid,
            ..Meta::root(mode, overlay.clock.tick())
        };
        let ino = overlay.create(dir.handle.ino, base_name(path), kind, meta)?;
        Ok(Handle {
            mount: dir.handle.mount,
            ino,
        })
    }

    fn node(&mut self, path: &str, kind: Kind, mode: u32) -> Result<(), Failed> {
        let path = self.absolute(path);
        let dir = self.known(&parent(&path))?;
        self.make(dir, &path, kind, mode).map_err(|errno| Failed {
            call: "open",
            path,
            errno,
        })?;
        self.files += 1;
        Ok(())
    }

    /// Writes a file.
    pub fn put(&mut self, path: &str, content: Content, mode: u32) -> Result<(), Failed> {
        self.bytes += content.size();
        self.node(path, Kind::File(content), mode & !self.umask)
    }

    /// Makes a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) -> Result<(), Failed> {
        self.node(path, Kind::Symlink(target.into()), 0o777)
    }

    /// Writes `count` files `PREFIX0001SUFFIX …` that weigh `bytes` together and share their
    /// bytes, which say what they stand for.
    pub fn put_many(
        &mut self,
        (prefix, suffix): (&str, &str),
        what: &str,
        count: u64,
        bytes: u64,
    ) -> Result<(), Failed> {
        let Some(each) = bytes.checked_div(count) else {
            return Ok(());
        };
        let content = stand_in(what, each);
        let first = stand_in(what, bytes - each * (count - 1));
        for number in 1..=count {
            let content = if number == 1 { &first } else { &content };
            self.put(
                &format!("{prefix}{number:04}{suffix}"),
                content.clone(),
                0o644,
            )?;
        }
        Ok(())
    }

    /// The text of a file, if it is there and may be read.
    pub fn text(&self, path: &str) -> Option<String> {
        let content = self.vfs.read(&self.process, path).ok()?;
        Some(String::from_utf8_lossy(content.bytes()).into_owned())
    }

    /// The size of a file; 0 if there is none.
    pub fn size(&self, path: &str) -> u64 {
        let handle = self.vfs.stat(&self.process, path, Follow::Yes);
        handle.map_or(0, |handle| self.vfs.inode(handle).size())
    }

    /// Whether something is at `path`.
    pub fn exists(&self, path: &str) -> bool {
        self.vfs.exists(&self.process, path)
    }

    /// The names in a directory; none if it is not there.
    pub fn names(&self, dir: &str) -> Vec<String> {
        let names = self.vfs.read_dir(&self.process, dir).unwrap_or_default();
        names.iter().map(|name| name.to_string()).collect()
    }

    /// Removes what is at `path`, with everything in it. That nothing is there is no error.
    pub fn remove(&mut self, path: &str) -> Result<(), Failed> {
        let path = self.absolute(path);
        let fail = |path: &str, errno| Failed {
            call: "unlink",
            path: path.to_owned(),
            errno,
        };
        // Directories are visited twice: to be emptied, then to be removed.
        let mut todo = vec![(path, false)];
        while let Some((path, emptied)) = todo.pop() {
            let handle = match self.vfs.stat(&self.process, &path, Follow::No) {
                Ok(handle) => handle,
                Err(Errno::Enoent | Errno::Enotdir) => continue,
                Err(errno) => return Err(fail(&path, errno)),
            };
            let inode = self.vfs.inode(handle);
            if let (Some(entries), false) = (inode.dir(), emptied) {
                let names: Vec<String> = entries.keys().map(|n| format!("{path}/{n}")).collect();
                todo.push((path, true));
                todo.extend(names.into_iter().map(|path| (path, false)));
            } else if emptied {
                self.dirs.remove(&path);
                match self.vfs.rmdir(&self.process, &path) {
                    // A mount stays, emptied.
                    Ok(()) | Err(Errno::Ebusy | Errno::Enotempty) => {}
                    Err(errno) => return Err(fail(&path, errno)),
                }
            } else {
                self.vfs
                    .unlink(&self.process, &path)
                    .map_err(|errno| fail(&path, errno))?;
            }
        }
        Ok(())
    }

    /// Removes the directory `path` if nothing is in it.
    pub fn remove_empty(&mut self, path: &str) {
        // A directory that cannot be removed is one that stays.
        if self.vfs.rmdir(&self.process, path).is_ok() {
            self.dirs.remove(path);
        }
    }
}
