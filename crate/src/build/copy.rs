//! Copying files into a filesystem, as ADD, COPY and WORKDIR do.
//!
//! Source: BuildKit `solver/llbsolver/file` and `fsutil/copy`. Paths are resolved inside the root
//! they belong to; a link never leads out of it.

use std::collections::BTreeMap;

use super::chmod::ModeEdit;
use super::filter::{Above, Filter};
use super::glob;
use crate::fs::{Errno, Fs, Ino, Inode, Kind, Meta, Name, Overlay, Time, base_name, clean, parent};

/// How the root of a filesystem is written where a message names a path of the host.
const ROOT: &str = "<root>";

/// A path is looked up over at most so many symbolic links (continuity: 255).
const MAX_LINKS: usize = 255;

/// Permissions of directories that nobody has said anything about.
const DIRECTORY: u32 = 0o755;

/// Who owns what is made: user and group.
pub(super) type Owner = (u32, u32);

/// What is copied, and how.
#[derive(Clone, Debug)]
pub(super) struct CopyJob<'a> {
    /// The source, maybe a pattern.
    pub source: &'a str,
    /// The destination; a slash or `/.` at its end means a directory.
    pub dest: &'a str,
    /// Whether `source` may be a pattern.
    pub wildcard: bool,
    /// Whether a link as the last component of the source is followed.
    pub follow_links: bool,
    /// Whether a directory stands for its content.
    pub contents_only: bool,
    /// Whether archives are unpacked.
    pub unpack: bool,
    /// The owner, if it is not the source's.
    pub owner: Option<Owner>,
    /// The mode, if it is not the source's.
    pub chmod: Option<&'a ModeEdit>,
    /// What is taken of the source.
    pub filter: &'a Filter,
}

/// Copies from `source` into `overlay`.
///
/// # Errors
/// BuildKit's text.
pub(super) fn copy(source: &Fs, overlay: &mut Overlay, job: &CopyJob<'_>) -> Result<(), String> {
    let wanted = clean(job.source);
    let found = if job.wildcard {
        resolve_wildcards(source, &wanted, job.follow_links)?
    } else {
        vec![wanted]
    };
    for path in found {
        if job.unpack {
            let real = root_path(source, &path)?;
            let dest = root_path(overlay.fs(), job.dest)?;
            let file = source.find(&real).and_then(|(_, inode)| inode.file());
            if let Some(archive) = file
                && let Some(entries) = super::unpack::archive(archive)?
            {
                make_dirs(overlay, &dest, DIRECTORY, job.owner, None)?;
                super::unpack::unpack(overlay, &dest, entries, job.owner)?;
                continue;
            }
        }
        copy_one(source, &path, overlay, job)?;
    }
    Ok(())
}

/// Makes a directory with its parents (WORKDIR).
///
/// # Errors
/// BuildKit's text.
pub(super) fn mkdir(
    overlay: &mut Overlay,
    path: &str,
    mode: u32,
    owner: Option<Owner>,
    mtime: Option<Time>,
) -> Result<(), String> {
    let path = root_path(overlay.fs(), path)?;
    make_dirs(overlay, &path, mode, owner, mtime)
}

/// The real path of `path` inside the root: links are followed, what is missing is kept as it is
/// written.
///
/// # Errors
/// A link leads to itself.
pub(super) fn root_path(fs: &Fs, path: &str) -> Result<String, String> {
    root_path_in(fs, Fs::ROOT, path)
}

/// The same with another directory as the root, from which the answer is seen.
///
/// # Errors
/// As [`root_path`].
pub(super) fn root_path_in(fs: &Fs, root: Ino, path: &str) -> Result<String, String> {
    let mut budget = MAX_LINKS;
    let mut todo: Vec<String> = crate::fs::split(&clean(path))
        .rev()
        .map(String::from)
        .collect();
    let mut done: Vec<(String, Option<Ino>)> = Vec::new();
    while let Some(part) = todo.pop() {
        match part.as_str() {
            "." => continue,
            ".." => {
                done.pop();
                continue;
            }
            _ => {}
        }
        let dir = done.last().map_or(Some(root), |(_, ino)| *ino);
        let ino = dir.and_then(|dir| fs.child(dir, &part));
        if let Some(target) = ino.and_then(|ino| fs.inode(ino).link_target()) {
            if budget == 0 {
                return Err("too many links".into());
            }
            budget -= 1;
            if target.starts_with('/') {
                done.clear();
            }
            todo.extend(crate::fs::split(target).rev().map(String::from));
        } else {
            done.push((part, ino));
        }
    }
    let mut out = String::new();
    for (part, _) in &done {
        out.push('/');
        out.push_str(part);
    }
    Ok(if out.is_empty() { "/".into() } else { out })
}

fn resolve_wildcards(fs: &Fs, path: &str, follow: bool) -> Result<Vec<String>, String> {
    let (dir, pattern) = glob::split(path);
    if pattern.is_empty() {
        return Ok(vec![dir]);
    }
    let dir = if follow {
        root_path(fs, &dir)?
    } else {
        join(&root_path(fs, &parent(&dir))?, base_name(&dir))
    };
    let Some((ino, _)) = fs.find(&dir) else {
        return Err(lstat_error(&dir));
    };
    let mut out = Vec::new();
    let mut walk = fs.walk(ino);
    while let Some(entry) = walk.next() {
        if glob::matches(&pattern, &entry.path) == Ok(true) {
            out.push(join(&dir, &entry.path));
            walk.skip_dir(&entry);
        }
    }
    Ok(out)
}

fn copy_one(
    source: &Fs,
    path: &str,
    overlay: &mut Overlay,
    job: &CopyJob<'_>,
) -> Result<(), String> {
    let dir_mode = match job.chmod {
        Some(ModeEdit::Set(mode)) => *mode,
        _ => DIRECTORY,
    };
    let ends_in_dir = job.dest.ends_with('/') || job.dest.ends_with("/.");
    let first = if ends_in_dir {
        clean(job.dest)
    } else {
        parent(job.dest)
    };
    let first = root_path(overlay.fs(), &first)?;
    make_dirs(overlay, &first, dir_mode, job.owner, None)?;

    let mut dest = root_path(overlay.fs(), job.dest)?;
    let real = if job.follow_links {
        root_path(source, path)?
    } else {
        join(&root_path(source, &parent(path))?, base_name(path))
    };
    let Some((ino, inode)) = source.find(&real) else {
        return Err(lstat_error(&real));
    };
    let there = overlay.fs().find(&dest).map(|(_, inode)| inode.is_dir());
    let keeps_name = if inode.is_dir() {
        !job.contents_only && there.is_some()
    } else {
        there == Some(true)
    };
    if keeps_name {
        dest = join(&dest, base_name(path));
    }
    let target = if job.contents_only && inode.is_dir() && there.is_none() {
        dest.clone()
    } else {
        parent(&dest)
    };
    make_dirs(overlay, &target, dir_mode, job.owner, None)?;
    let mut copier = Copier {
        source,
        overlay,
        job,
        links: BTreeMap::new(),
        open: Vec::new(),
    };
    copier.node(ino, "", &dest, false, &Above::default())
}

struct Copier<'a> {
    source: &'a Fs,
    overlay: &'a mut Overlay,
    job: &'a CopyJob<'a>,
    /// Where each source file with several names went first.
    links: BTreeMap<Ino, String>,
    /// The directories that lead to the present node.
    open: Vec<OpenDir>,
}

struct OpenDir {
    source: Ino,
    dest: String,
    made: bool,
}

impl Copier<'_> {
    /// Copies the node `ino`, which patterns see as `below`, to the real path `dest`.
    fn node(
        &mut self,
        ino: Ino,
        below: &str,
        dest: &str,
        overwrite: bool,
        above: &Above,
    ) -> Result<(), String> {
        let filter = self.job.filter;
        let (mut taken, mut excluded, mut inner) = (true, false, Above::default());
        if !below.is_empty() {
            let verdict = filter.verdict(below, above);
            (taken, excluded, inner) = (verdict.taken, verdict.excluded, verdict.above);
            if !taken && !filter.has_include() && filter.prunes() {
                return Ok(());
            }
        }
        let source = self.source;
        let inode = source.inode(ino);
        if !taken && !inode.is_dir() {
            return Ok(());
        }
        if taken {
            self.make_open_dirs(overwrite)?;
        }
        if inode.is_dir() {
            return self.directory(ino, below, dest, overwrite, (taken, excluded), &inner);
        }
        self.clear(dest)?;
        let (dir, name) = self.place(dest)?;
        if let Some(first) = self.links.get(&ino) {
            let (first_dir, first_name) = self.place(&first.clone())?;
            let from = (first_dir, &*first_name);
            self.overlay
                .link(from, dir, &name)
                .map_err(|errno| host_error("failed to create hard link: link", dest, errno))?;
            return Ok(());
        }
        if inode.nlink() > 1 && inode.file().is_some() {
            self.links.insert(ino, dest.to_string());
        }
        let meta = self.meta(inode);
        self.overlay
            .create(dir, &name, inode.kind.clone(), meta)
            .map_err(|errno| host_error("open", dest, errno))?;
        Ok(())
    }

    fn directory(
        &mut self,
        ino: Ino,
        below: &str,
        dest: &str,
        overwrite: bool,
        (taken, excluded): (bool, bool),
        above: &Above,
    ) -> Result<(), String> {
        let source = self.source;
        let inode = source.inode(ino);
        let mut created = false;
        if taken {
            created = self.make_dir(dest)?;
        }
        self.open.push(OpenDir {
            source: ino,
            dest: dest.to_string(),
            made: taken,
        });
        let mut outcome = Ok(());
        if !(excluded && self.job.filter.prunes()) {
            for (name, child) in inode.dir().iter().flat_map(|entries| entries.iter()) {
                let below = if below.is_empty() {
                    name.to_string()
                } else {
                    format!("{below}/{name}")
                };
                outcome = self.node(*child, &below, &join(dest, name), true, above);
                if outcome.is_err() {
                    break;
                }
            }
        } else {
            created = false;
        }
        self.open.pop();
        outcome?;
        if taken && (created || overwrite) {
            self.set_dir_meta(dest, inode)?;
        }
        Ok(())
    }

    /// Makes the directories on the way that no pattern named by themselves.
    fn make_open_dirs(&mut self, overwrite: bool) -> Result<(), String> {
        for at in 0..self.open.len() {
            if self.open[at].made {
                continue;
            }
            let dest = self.open[at].dest.clone();
            let inode = self.source.inode(self.open[at].source);
            if self.make_dir(&dest)? {
                self.set_dir_meta(&dest, inode)?;
            } else if overwrite {
                let mode = inode.meta.mode;
                self.change(&dest, |meta| meta.mode = mode)?;
            }
            self.open[at].made = true;
        }
        Ok(())
    }

    /// Makes one directory, if it is missing; says whether it was.
    fn make_dir(&mut self, dest: &str) -> Result<bool, String> {
        match self.overlay.fs().find(dest) {
            Some((_, inode)) if inode.is_dir() => Ok(false),
            Some(_) => Err(format!("cannot copy to non-directory: {ROOT}{dest}")),
            None => {
                let (dir, name) = self.place(dest)?;
                let meta = Meta::root(DIRECTORY, self.overlay.clock.now());
                self.overlay
                    .create(dir, &name, Kind::empty_dir(), meta)
                    .map_err(|errno| host_error("mkdir", dest, errno))?;
                Ok(true)
            }
        }
    }

    fn set_dir_meta(&mut self, dest: &str, inode: &Inode) -> Result<(), String> {
        let new = self.meta(inode);
        self.change(dest, |meta| *meta = new)
    }

    fn change(&mut self, dest: &str, edit: impl FnOnce(&mut Meta)) -> Result<(), String> {
        change(self.overlay, dest, edit).map_err(|errno| host_error("chmod", dest, errno))
    }

    fn meta(&self, inode: &Inode) -> Meta {
        let mut meta = inode.meta.clone();
        if let Some((uid, gid)) = self.job.owner {
            (meta.uid, meta.gid) = (uid, gid);
        }
        if let Some(chmod) = self.job.chmod
            && inode.link_target().is_none()
        {
            meta.mode = chmod.apply(meta.mode, inode.is_dir());
        }
        meta
    }

    /// Makes room for something that is no directory.
    fn clear(&mut self, dest: &str) -> Result<(), String> {
        let Some((_, inode)) = self.overlay.fs().find(dest) else {
            return Ok(());
        };
        if inode.is_dir() {
            return Err(format!(
                "cannot replace to directory {ROOT}{dest} with file"
            ));
        }
        let (dir, name) = self.place(dest)?;
        self.overlay
            .remove(dir, &name)
            .map_err(|errno| host_error("remove", dest, errno))
    }

    fn place(&self, dest: &str) -> Result<(Ino, Name), String> {
        place(self.overlay.fs(), dest).map_err(|errno| host_error("open", dest, errno))
    }
}

/// The directory and the name of a real path.
pub(super) fn place(fs: &Fs, path: &str) -> Result<(Ino, Name), Errno> {
    let name = base_name(path);
    if name.is_empty() {
        return Err(Errno::Eexist);
    }
    let (dir, inode) = fs.find(&parent(path)).ok_or(Errno::Enoent)?;
    if inode.is_dir() {
        Ok((dir, name.into()))
    } else {
        Err(Errno::Enotdir)
    }
}

/// Changes the metadata of what is at a real path.
pub(super) fn change(
    overlay: &mut Overlay,
    path: &str,
    edit: impl FnOnce(&mut Meta),
) -> Result<(), Errno> {
    let ino = if base_name(path).is_empty() {
        Fs::ROOT
    } else {
        let (dir, name) = place(overlay.fs(), path)?;
        overlay.copy_up(dir, &name)?
    };
    overlay.set_meta(ino, edit);
    Ok(())
}

/// Makes the directory at a real path, with its parents. A set-group-ID directory passes its group
/// and that bit on.
pub(super) fn make_dirs(
    overlay: &mut Overlay,
    path: &str,
    mode: u32,
    owner: Option<Owner>,
    mtime: Option<Time>,
) -> Result<(), String> {
    let mut dir = Fs::ROOT;
    let mut at = String::new();
    for part in crate::fs::split(path) {
        at.push('/');
        at.push_str(part);
        let fs = overlay.fs();
        if let Some(ino) = fs.child(dir, part) {
            if !fs.inode(ino).is_dir() {
                return Err(host_error("mkdir", &at, Errno::Enotdir));
            }
            dir = ino;
            continue;
        }
        let above = &fs.inode(dir).meta;
        let mut meta = Meta::root(mode & 0o777, mtime.unwrap_or(overlay.clock.now()));
        if above.mode & 0o2000 != 0 {
            meta.mode |= 0o2000;
            meta.gid = above.gid;
        }
        if let Some((uid, gid)) = owner {
            (meta.uid, meta.gid) = (uid, gid);
        }
        dir = overlay
            .create(dir, part, Kind::empty_dir(), meta)
            .map_err(|errno| host_error("mkdir", &at, errno))?;
    }
    Ok(())
}

pub(super) fn join(dir: &str, name: &str) -> String {
    if dir == "/" {
        format!("/{name}")
    } else {
        format!("{dir}/{name}")
    }
}

fn lstat_error(path: &str) -> String {
    host_error("lstat", path, Errno::Enoent)
}

/// An error of a system call, as Go words it: in lower case, with the path inside the root.
pub(super) fn host_error(call: &str, path: &str, errno: Errno) -> String {
    format!("{call} {path}: {}", errno.to_string().to_lowercase())
}
