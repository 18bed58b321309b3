//! The user's files and what is done to them.

use std::fmt;

use crate::fs::{
    Clock, Content, Errno, Flags, Follow, Fs, Overlay, Process, Result, Time, Vfs, base_name, join,
    parent, split,
};

use super::{Ignore, IgnoreError};

/// The files that a build may use. A clone costs O(1) and shares everything.
///
/// All belong to root, as the sender of a build context makes them.
#[derive(Clone, Debug)]
pub struct Context {
    // One layer for good: in it a directory can be renamed.
    files: Overlay,
}

/// A change to the files. Paths are relative to the context's root; missing parents are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Makes a file or replaces its content. A symbolic link is followed.
    Write {
        /// Where.
        path: String,
        /// What.
        content: Content,
        /// Permissions; a new file gets 0644 otherwise, another one keeps what it has.
        mode: Option<u32>,
    },
    /// Takes a file away, or a directory with everything in it.
    Delete {
        /// Which.
        path: String,
    },
    /// Sets permissions.
    Chmod {
        /// Of what.
        path: String,
        /// Permission and special bits.
        mode: u32,
    },
    /// Sets the time of modification.
    Touch {
        /// Of what.
        path: String,
        /// The time.
        mtime: Time,
    },
    /// Makes a symbolic link.
    Symlink {
        /// Where.
        path: String,
        /// Its target, as written.
        target: String,
    },
    /// Makes a directory, if it is not there.
    Mkdir {
        /// Where.
        path: String,
        /// Permissions; 0755 for a new one otherwise.
        mode: Option<u32>,
    },
    /// Moves a file or a directory, over what has the name.
    Rename {
        /// From where.
        from: String,
        /// To where.
        to: String,
    },
}

impl Edit {
    /// The path that it is about.
    pub fn path(&self) -> &str {
        match self {
            Edit::Write { path, .. }
            | Edit::Delete { path }
            | Edit::Chmod { path, .. }
            | Edit::Touch { path, .. }
            | Edit::Symlink { path, .. }
            | Edit::Mkdir { path, .. } => path,
            Edit::Rename { from, .. } => from,
        }
    }
}

/// An edit that cannot be done. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditError {
    /// The path that the edit is about.
    pub path: String,
    /// Why.
    pub errno: Errno,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.errno)
    }
}

impl std::error::Error for EditError {}

impl Context {
    /// No files. Writes take their times from `now` on.
    pub fn new(now: Time) -> Context {
        Context {
            files: Overlay::over(&Fs::empty(), Clock::at(now)),
        }
    }

    /// The files.
    pub fn fs(&self) -> &Fs {
        self.files.fs()
    }

    /// Moves the clock on, so that later writes have later times.
    pub fn advance_to(&mut self, now: Time) {
        let nanos = now.0.saturating_sub(self.files.clock.now().0);
        self.files.clock.advance(nanos);
    }

    /// Does an edit.
    ///
    /// # Errors
    /// As the system calls that it stands for; the files are then as they were.
    pub fn edit(&mut self, edit: &Edit) -> std::result::Result<(), EditError> {
        let mut vfs = Vfs::new(self.files.clone());
        apply(&mut vfs, edit).map_err(|errno| EditError {
            path: edit.path().to_string(),
            errno,
        })?;
        self.files = vfs.into_root();
        self.files.forget_unnamed();
        Ok(())
    }

    /// Makes a file or replaces its content: an [`Edit::Write`] without a mode.
    ///
    /// # Errors
    /// As [`edit`](Context::edit).
    pub fn write(
        &mut self,
        path: &str,
        content: impl Into<Content>,
    ) -> std::result::Result<(), EditError> {
        self.edit(&Edit::Write {
            path: path.into(),
            content: content.into(),
            mode: None,
        })
    }

    /// The ignore file that counts for the Dockerfile at `dockerfile`: the one beside it that is
    /// named after it, else `.dockerignore` in the root, else none.
    ///
    /// # Errors
    /// What [`Ignore::parse`] says of it.
    pub fn ignore(&self, dockerfile: &str) -> std::result::Result<Ignore, IgnoreError> {
        let own = format!("{dockerfile}.dockerignore");
        for name in [own.as_str(), ".dockerignore"] {
            if let Some(text) = self.fs().read_text(name) {
                let shown = if name == own { base_name(name) } else { name };
                return Ignore::parse(shown, &text);
            }
        }
        Ok(Ignore::default())
    }
}

fn apply(vfs: &mut Vfs, edit: &Edit) -> Result<()> {
    let root = Process::root();
    match edit {
        Edit::Write {
            path,
            content,
            mode,
        } => {
            make_dirs(vfs, &root, &parent(path))?;
            let flags = Flags {
                create: true,
                truncate: false,
                exclusive: false,
            };
            let file = vfs.open(&root, path, flags, 0o666)?;
            vfs.write_handle(file, content.clone())?;
            mode.map_or(Ok(()), |mode| vfs.chmod(&root, path, mode))
        }
        Edit::Delete { path } => {
            let spot = vfs.resolve(&root, path, Follow::No)?;
            if spot.is_mount_root() {
                return Err(Errno::Ebusy);
            }
            vfs.overlay_mut(spot.mount).remove_all(spot.dir, &spot.name)
        }
        Edit::Chmod { path, mode } => vfs.chmod(&root, path, *mode),
        Edit::Touch { path, mtime } => vfs.set_mtime(&root, path, *mtime, Follow::Yes),
        Edit::Symlink { path, target } => {
            make_dirs(vfs, &root, &parent(path))?;
            vfs.symlink(&root, target, path).map(|_| ())
        }
        Edit::Mkdir { path, mode } => {
            make_dirs(vfs, &root, path)?;
            mode.map_or(Ok(()), |mode| vfs.chmod(&root, path, mode))
        }
        Edit::Rename { from, to } => {
            make_dirs(vfs, &root, &parent(to))?;
            vfs.rename(&root, from, to)
        }
    }
}

fn make_dirs(vfs: &mut Vfs, root: &Process, path: &str) -> Result<()> {
    let mut at = String::from("/");
    for part in split(path) {
        at = join(&at, part);
        if !vfs.is_dir(root, &at) {
            vfs.mkdir(root, &at, 0o777)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(context: &Context) -> Vec<String> {
        let fs = context.fs();
        fs.walk(Fs::ROOT)
            .map(|entry| format!("{:04o} {}", entry.inode.meta.mode, entry.path))
            .collect()
    }

    #[test]
    fn edits() {
        let mut context = Context::new(Time::EPOCH);
        let mode = Some(0o755);
        let (path, content) = ("bin/run".to_string(), Content::from("1"));
        context
            .edit(&Edit::Write {
                path: path.clone(),
                content,
                mode,
            })
            .unwrap();
        context.write(&path, "2").unwrap();
        context.write("src/a", "a").unwrap();
        let (from, to) = ("src".to_string(), "lib/src".to_string());
        context.edit(&Edit::Rename { from, to }).unwrap();
        assert_eq!(
            listing(&context),
            [
                "0755 bin",
                "0755 bin/run",
                "0755 lib",
                "0755 lib/src",
                "0644 lib/src/a"
            ]
        );
        let before = context.clone();
        let path = "lib".to_string();
        context.edit(&Edit::Delete { path }).unwrap();
        assert_eq!(listing(&context), ["0755 bin", "0755 bin/run"]);
        assert_eq!(listing(&before).len(), 5);
        assert_eq!(context.fs().count(), 3);
    }

    #[test]
    fn a_failed_edit_changes_nothing() {
        let mut context = Context::new(Time::EPOCH);
        context.write("f", "").unwrap();
        let (from, to) = ("none".to_string(), "new/dir/f".to_string());
        let error = context.edit(&Edit::Rename { from, to }).unwrap_err();
        assert_eq!(error.to_string(), "none: No such file or directory");
        let error = context.write("f/g", "").unwrap_err();
        assert_eq!(error.errno, Errno::Eexist);
        assert_eq!(listing(&context), ["0644 f"]);
    }

    #[test]
    fn the_ignore_file_beside_the_dockerfile_comes_first() {
        let mut context = Context::new(Time::EPOCH);
        assert_eq!(context.ignore("Dockerfile"), Ok(Ignore::default()));
        context.write(".dockerignore", "a").unwrap();
        context.write("d/x.Dockerfile.dockerignore", "b").unwrap();
        assert_eq!(context.ignore("Dockerfile").unwrap().patterns, ["a"]);
        assert_eq!(context.ignore("d/x.Dockerfile").unwrap().patterns, ["b"]);
    }
}
