//! The workspace: the files of the build context, the Dockerfile among them, and the options.

use std::borrow::Cow;
use std::sync::Arc;

use crate::fs::{Clock, Content, Errno, Fs, Ino, Kind, Meta, Overlay, Time, split};

use super::limits::{
    MAX_CONTEXT_BYTES, MAX_CONTEXT_ENTRIES, MAX_DOCKERFILE_BYTES, MAX_FILE_BYTES, MAX_PATH_BYTES,
};
use super::{BuildOptions, Edit, Refusal, blocks, nudge};

/// The path of the Dockerfile in the context.
pub const DOCKERFILE: &str = "Dockerfile";

/// What is built, and how. A clone costs O(1).
#[derive(Clone, Debug)]
pub struct Workspace {
    files: Fs,
    clock: Clock,
    options: Arc<BuildOptions>,
    entries: usize,
    bytes: u64,
}

impl Workspace {
    /// An empty one, at `now`.
    pub fn new(now: Time) -> Workspace {
        Workspace {
            files: Fs::empty(),
            clock: Clock::at(now),
            options: Arc::default(),
            entries: 0,
            bytes: 0,
        }
    }

    /// The files of the context.
    pub fn files(&self) -> &Fs {
        &self.files
    }

    /// The options.
    pub fn options(&self) -> &BuildOptions {
        &self.options
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Moves time on.
    pub fn advance(&mut self, nanos: i64) {
        self.clock.advance(nanos);
    }

    /// The Dockerfile's text; nothing where there is no such file.
    pub fn dockerfile(&self) -> Option<Cow<'_, str>> {
        let (_, inode) = self.files.find(DOCKERFILE)?;
        Some(String::from_utf8_lossy(inode.file()?.bytes()))
    }

    /// Makes a change. On a refusal nothing has changed.
    ///
    /// [`Edit::Advance`] and [`Edit::ClearCache`] are not the workspace's: they do nothing here.
    ///
    /// # Errors
    /// A path that does not exist or cannot be one, an index out of range, a limit.
    pub fn apply(&mut self, edit: &Edit) -> Result<(), Refusal> {
        let mut next = self.clone();
        match edit {
            Edit::Dockerfile { text } => next.set_dockerfile(text)?,
            Edit::Move { from, to } => {
                let text = next.dockerfile().unwrap_or_default().into_owned();
                next.set_dockerfile(&blocks::move_block(&text, *from, *to)?)?;
            }
            Edit::Write { path, bytes, mode } => next.write(path, bytes.clone(), *mode)?,
            Edit::Nudge { path } => {
                let path = usable(path)?;
                let content = next.file(&path)?;
                let bytes = nudge::nudged(&path, content.bytes());
                next.write(&path, bytes, None)?;
            }
            Edit::Upload { files } => {
                for file in files {
                    next.write(&file.path, file.bytes.clone(), None)?;
                }
            }
            Edit::Mkdir { path } => next.mkdir(path)?,
            Edit::Symlink { path, target } => next.symlink(path, target)?,
            Edit::Delete { path } => next.delete(path)?,
            Edit::Rename { from, to } => next.rename(from, to)?,
            Edit::Chmod { path, mode } => next.chmod(path, *mode)?,
            Edit::Touch { path } => next.touch(path)?,
            Edit::Options { options } => next.options = Arc::new(options.clone()),
            Edit::Advance { .. } | Edit::ClearCache => {}
        }
        *self = next;
        Ok(())
    }

    fn set_dockerfile(&mut self, text: &str) -> Result<(), Refusal> {
        if text.len() > MAX_DOCKERFILE_BYTES {
            return Err(Refusal::new(format!(
                "The Dockerfile would have {}; at most {} are possible.",
                bytes(text.len() as u64),
                bytes(MAX_DOCKERFILE_BYTES as u64)
            ))
            .help("Keep data in files of the context and COPY them."));
        }
        self.write(DOCKERFILE, text.as_bytes().to_vec(), None)
    }

    fn file(&self, path: &str) -> Result<Content, Refusal> {
        let (_, inode) = self.files.find(path).ok_or_else(|| missing(path))?;
        let file = inode.file().ok_or_else(|| {
            Refusal::new(format!("{path} is no regular file.")).help("Choose a file.")
        })?;
        Ok(file.clone())
    }

    /// One change of the files in a layer of its own.
    fn change<T>(
        &mut self,
        path: &str,
        change: impl FnOnce(&mut Overlay) -> Result<T, Errno>,
    ) -> Result<T, Refusal> {
        let mut overlay = Overlay::over(&self.files, self.clock);
        let done = change(&mut overlay).map_err(|errno| unfit(path, errno))?;
        self.clock = overlay.clock;
        self.files = overlay.commit();
        Ok(done)
    }

    fn write(&mut self, path: &str, content: Vec<u8>, mode: Option<u32>) -> Result<(), Refusal> {
        let path = usable(path)?;
        if content.len() > MAX_FILE_BYTES {
            return Err(Refusal::new(format!(
                "{path} would have {}; a file may have at most {}.",
                bytes(content.len() as u64),
                bytes(MAX_FILE_BYTES as u64)
            ))
            .help("What matters here are names and changes: a shorter file shows the same."));
        }
        let old = match self.files.find(&path) {
            Some((_, inode)) if inode.is_dir() => {
                return Err(Refusal::new(format!("{path} is a directory."))
                    .help("Delete it first, or choose another name."));
            }
            Some((_, inode)) => Some(inode.file().map_or(0, Content::size)),
            None => None,
        };
        let after = self.bytes - old.unwrap_or(0) + content.len() as u64;
        if after > MAX_CONTEXT_BYTES {
            return Err(Refusal::new(format!(
                "The files would have {} together; at most {} are possible.",
                bytes(after),
                bytes(MAX_CONTEXT_BYTES)
            ))
            .help("Leave out what the Dockerfile does not copy."));
        }
        let made = self.change(&path, |overlay| {
            let (dir, name, mut made) = place(overlay, &path)?;
            match overlay.fs().child(dir, name) {
                Some(there) if overlay.fs().inode(there).file().is_some() => {
                    let ino = overlay.copy_up(dir, name)?;
                    overlay.write(ino, Content::new(content))?;
                    if let Some(mode) = mode {
                        overlay.set_meta(ino, |meta| meta.mode = mode & 0o7777);
                    }
                }
                there => {
                    if there.is_some() {
                        overlay.remove(dir, name)?;
                    } else {
                        made += 1;
                    }
                    let kind = Kind::File(Content::new(content));
                    create(overlay, dir, name, kind, mode.unwrap_or(0o644))?;
                }
            }
            Ok(made)
        })?;
        self.bytes = after;
        self.count(made)
    }

    fn mkdir(&mut self, path: &str) -> Result<(), Refusal> {
        let path = usable(path)?;
        let made = self.change(&path, |overlay| {
            let (dir, name, made) = place(overlay, &path)?;
            create(overlay, dir, name, Kind::empty_dir(), 0o755)?;
            Ok(made + 1)
        })?;
        self.count(made)
    }

    fn symlink(&mut self, path: &str, target: &str) -> Result<(), Refusal> {
        let path = usable(path)?;
        if target.is_empty() || target.len() > MAX_PATH_BYTES || target.contains('\0') {
            return Err(Refusal::new("That is no target for a link.").help(format!(
                "A target is a path of 1 to {MAX_PATH_BYTES} bytes."
            )));
        }
        let made = self.change(&path, |overlay| {
            let (dir, name, made) = place(overlay, &path)?;
            create(overlay, dir, name, Kind::Symlink(target.into()), 0o777)?;
            Ok(made + 1)
        })?;
        self.count(made)
    }

    fn delete(&mut self, path: &str) -> Result<(), Refusal> {
        let path = usable(path)?;
        let (ino, _) = self.files.find(&path).ok_or_else(|| missing(&path))?;
        let (entries, bytes) = weigh(&self.files, ino);
        self.change(&path, |overlay| {
            let (dir, name, _) = place(overlay, &path)?;
            remove_all(overlay, dir, name)
        })?;
        self.entries -= entries;
        self.bytes -= bytes;
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Refusal> {
        let (from, to) = (usable(from)?, usable(to)?);
        if self.files.find(&from).is_none() {
            return Err(missing(&from));
        }
        if from == to {
            return Ok(());
        }
        if self.files.find(&to).is_some() {
            return Err(Refusal::new(format!("{to} exists already."))
                .help("Delete it first, or choose another name."));
        }
        if to.starts_with(&format!("{from}/")) {
            return Err(Refusal::new(format!("{from} cannot be moved into itself."))
                .help("Choose a place outside of it."));
        }
        let made = self.change(&to, |overlay| {
            let (old_dir, old_name, _) = place(overlay, &from)?;
            let (new_dir, new_name, made) = place(overlay, &to)?;
            move_all(overlay, (old_dir, old_name), (new_dir, new_name))?;
            Ok(made)
        })?;
        self.count(made)
    }

    fn chmod(&mut self, path: &str, mode: u32) -> Result<(), Refusal> {
        let path = usable(path)?;
        if mode > 0o7777 {
            return Err(Refusal::new(format!("{mode:o} are no permission bits."))
                .help("Permission bits are 0 to 7777 in octal, such as 644 or 755."));
        }
        let (_, inode) = self.files.find(&path).ok_or_else(|| missing(&path))?;
        if inode.link_target().is_some() {
            return Err(
                Refusal::new(format!("{path} is a symbolic link, which has no mode."))
                    .help("Change the mode of what it points to."),
            );
        }
        self.set_meta(&path, |meta, _| meta.mode = mode)
    }

    fn touch(&mut self, path: &str) -> Result<(), Refusal> {
        let path = usable(path)?;
        self.set_meta(&path, |meta, now| meta.mtime = now)
    }

    fn set_meta(&mut self, path: &str, edit: impl FnOnce(&mut Meta, Time)) -> Result<(), Refusal> {
        if self.files.find(path).is_none() {
            return Err(missing(path));
        }
        self.change(path, |overlay| {
            let (dir, name, _) = place(overlay, path)?;
            let ino = overlay.copy_up(dir, name)?;
            let now = overlay.clock.tick();
            overlay.set_meta(ino, |meta| edit(meta, now));
            Ok(())
        })
    }

    fn count(&mut self, made: usize) -> Result<(), Refusal> {
        self.entries += made;
        if self.entries > MAX_CONTEXT_ENTRIES {
            return Err(Refusal::new(format!(
                "The context would have {} files and directories; at most {MAX_CONTEXT_ENTRIES} are possible.",
                self.entries
            ))
            .help("Leave out what the Dockerfile does not copy, such as node_modules or .git."));
        }
        Ok(())
    }
}

/// The path as the context knows it: components joined by single slashes.
fn usable(path: &str) -> Result<String, Refusal> {
    let parts: Vec<&str> = split(path).filter(|part| *part != ".").collect();
    let help = "A path is relative to the context, such as src/app.js.";
    if parts.is_empty() {
        return Err(Refusal::new("The path is empty.").help(help));
    }
    if parts.contains(&"..") {
        return Err(Refusal::new(format!("{path} may lead out of the context.")).help(help));
    }
    if path.chars().any(char::is_control) {
        return Err(Refusal::new(format!(
            "{} has a character that no name may have.",
            path.escape_debug()
        ))
        .help(help));
    }
    let joined = parts.join("/");
    if joined.len() > MAX_PATH_BYTES || parts.iter().any(|part| part.len() > Overlay::MAX_NAME) {
        return Err(Refusal::new("The path is too long.").help(format!(
            "A path may have {MAX_PATH_BYTES} bytes, each name in it {}.",
            Overlay::MAX_NAME
        )));
    }
    Ok(joined)
}

fn missing(path: &str) -> Refusal {
    Refusal::new(format!("There is no {path} in the context."))
        .help("Look at the files for its name.")
}

fn unfit(path: &str, errno: Errno) -> Refusal {
    match errno {
        Errno::Eexist => Refusal::new(format!("{path} exists already."))
            .help("Delete it first, or choose another name."),
        Errno::Enotdir => Refusal::new(format!("A directory above {path} is a file."))
            .help("Delete or rename that file first."),
        Errno::Enospc => Refusal::new("The context has seen too many files.")
            .help("Start again from what is there: save and open."),
        errno => Refusal::new(format!("{path} cannot be changed: {errno}.")),
    }
}

/// The directory and the name that a path consists of, missing directories made; how many were.
fn place<'p>(overlay: &mut Overlay, path: &'p str) -> Result<(Ino, &'p str, usize), Errno> {
    let mut parts = split(path);
    let name = parts.next_back().ok_or(Errno::Einval)?;
    let (mut dir, mut made) = (Fs::ROOT, 0);
    for part in parts {
        dir = match overlay.fs().child(dir, part) {
            Some(ino) => ino,
            None => {
                made += 1;
                create(overlay, dir, part, Kind::empty_dir(), 0o755)?
            }
        };
    }
    Ok((dir, name, made))
}

fn create(
    overlay: &mut Overlay,
    dir: Ino,
    name: &str,
    kind: Kind,
    mode: u32,
) -> Result<Ino, Errno> {
    let meta = Meta::root(mode & 0o7777, overlay.clock.tick());
    overlay.create(dir, name, kind, meta)
}

fn remove_all(overlay: &mut Overlay, dir: Ino, name: &str) -> Result<(), Errno> {
    let ino = overlay.fs().child(dir, name).ok_or(Errno::Enoent)?;
    for child in names(overlay, ino) {
        remove_all(overlay, ino, &child)?;
    }
    overlay.remove(dir, name)
}

/// Renames a tree: file by file, since an overlay moves no directory that exists below.
fn move_all(overlay: &mut Overlay, from: (Ino, &str), to: (Ino, &str)) -> Result<(), Errno> {
    let ino = overlay.fs().child(from.0, from.1).ok_or(Errno::Enoent)?;
    let inode = overlay.fs().inode(ino).clone();
    if !inode.is_dir() {
        return overlay.rename(from, to);
    }
    let new = overlay.create(to.0, to.1, Kind::empty_dir(), inode.meta.clone())?;
    for child in names(overlay, ino) {
        move_all(overlay, (ino, &child), (new, &child))?;
    }
    overlay.restore_time(new, inode.meta.mtime);
    overlay.remove(from.0, from.1)
}

fn names(overlay: &Overlay, dir: Ino) -> Vec<crate::fs::Name> {
    let entries = overlay.fs().inode(dir).dir();
    entries
        .map(|dir| dir.keys().cloned().collect())
        .unwrap_or_default()
}

/// How many nodes there are from `ino` on, and the bytes of the files among them.
fn weigh(files: &Fs, ino: Ino) -> (usize, u64) {
    let own = files.inode(ino).file().map_or(0, Content::size);
    files.walk(ino).fold((1, own), |(entries, bytes), entry| {
        (
            entries + 1,
            bytes + entry.inode.file().map_or(0, Content::size),
        )
    })
}

/// A number of bytes in words.
pub fn bytes(count: u64) -> String {
    match count {
        0..=9_999 => format!("{count} bytes"),
        10_000..=999_999 => format!("{} kB", count / 1000),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}
