//! ADD and COPY: which files, what they are in the key, and how they are laid into the image.

use std::collections::BTreeMap;

use super::super::copy::{Owner, change, host_error, join, make_dirs, place, root_path};
use super::super::unpack;
use super::Failure;
use super::source::Source;
use crate::context::{glob, has_wildcards};
use crate::dockerfile::golang::{clean_path, join_path};
use crate::fs::{Fs, Ino, Kind, Meta, Overlay, base_name};
use crate::image::Digest;

/// The instruction, its variables replaced.
pub(super) struct Job<'a> {
    /// `ADD` or `COPY`.
    pub name: &'static str,
    pub sources: &'a [String],
    pub dest: &'a str,
    pub chown: &'a str,
    pub source: &'a Source<'a>,
    /// Whether owners are kept as they are there.
    pub keep_owner: bool,
}

/// A source: a path and the digest of what is there.
#[derive(Clone, Debug)]
pub(super) struct Info {
    path: String,
    hash: String,
}

impl Job<'_> {
    /// The files that are copied.
    ///
    /// # Errors
    /// moby's text.
    pub fn infos(&self) -> Result<Vec<Info>, Failure> {
        let name = self.name;
        let failed = |failure: Failure| failure.wrapped(&format!("{name} failed"));
        let mut infos = Vec::new();
        for source in self.sources {
            infos.extend(self.info(source).map_err(failed)?);
        }
        if infos.is_empty() {
            return Err(failed(Failure::step("no source files were specified")));
        }
        if infos.len() > 1 && !self.dest.ends_with('/') {
            return Err(Failure::step(format!(
                "When using {name} with more than one source file, the destination must be a \
                 directory and end with a /"
            )));
        }
        Ok(infos)
    }

    fn info(&self, source: &str) -> Result<Vec<Info>, Failure> {
        if source.starts_with("http://") || source.starts_with("https://") {
            return Err(Failure::step(match self.name {
                "COPY" => "source can't be a URL for COPY".to_string(),
                _ => format!("Get {source:?}: the classic builder has no network here"),
            }));
        }
        let path = source.strip_prefix('/').unwrap_or(source);
        let path = path.strip_prefix("./").unwrap_or(path);
        if !has_wildcards(path) {
            return Ok(vec![self.single(path)?]);
        }
        let fs = self.source.fs();
        let found = fs.walk(Fs::ROOT).map(|entry| entry.path);
        found
            .filter(|name| glob(path, name) == Ok(true))
            .map(|name| self.single(&name))
            .collect()
    }

    fn single(&self, path: &str) -> Result<Info, Failure> {
        if clean_path(path).starts_with("..") {
            let why = format!("forbidden path outside the build context: {path} ()");
            return Err(Failure::step(why));
        }
        let fs = self.source.fs();
        let real = root_path(fs, path).map_err(Failure::step)?;
        let Some((_, inode)) = fs.find(&real) else {
            let failure = Failure::step(format!("stat {path}: file does not exist"));
            return Err(match self.source.is_context() {
                true => {
                    failure.wrapped("file not found in build context or excluded by .dockerignore")
                }
                false => failure,
            });
        };
        let hash = if inode.is_dir() {
            let mut hashes = self.source.hashes_below(&real)?;
            crate::order::sort(&mut hashes);
            combined("dir", &hashes)
        } else {
            format!("file:{}", self.source.hash(path)?)
        };
        let path = path.to_string();
        Ok(Info { path, hash })
    }

    /// What the key says of the files.
    pub fn comment(&self, infos: &[Info]) -> String {
        let hash = match infos {
            [info] => info.hash.clone(),
            _ => {
                let hashes: Vec<String> = infos.iter().map(|info| info.hash.clone()).collect();
                combined("multi", &hashes)
            }
        };
        let chown = match self.chown {
            "" => String::new(),
            chown => format!("--chown={chown}"),
        };
        format!("{} {chown}{hash} in {} ", self.name, self.dest)
    }

    /// Copies. `workdir` is what a relative destination is seen from.
    ///
    /// # Errors
    /// moby's text.
    pub fn copy(
        &self,
        infos: &[Info],
        workdir: &str,
        overlay: &mut Overlay,
    ) -> Result<(), Failure> {
        let dest = self.destination(workdir);
        let owner = if self.chown.is_empty() {
            (0, 0)
        } else {
            chown(self.chown, overlay.fs()).map_err(|why| {
                let what = "unable to convert uid/gid chown string to host mapping";
                Failure::step(format!("{what}: {why}"))
            })?
        };
        let mut laying = Laying {
            source: self.source.fs(),
            overlay,
            owner: (!self.keep_owner).then_some(owner),
        };
        for info in infos {
            laying
                .lay(&info.path, &dest, self.name == "ADD")
                .map_err(|why| Failure::step(format!("failed to copy files: {why}")))?;
        }
        Ok(())
    }

    fn destination(&self, workdir: &str) -> String {
        if self.dest.starts_with('/') {
            return self.dest.to_string();
        }
        let slash = if self.dest.ends_with('/') { "/" } else { "" };
        let dir = join_path("/", workdir);
        format!("{}{slash}", join_path(&dir, self.dest))
    }
}

fn combined(prefix: &str, hashes: &[String]) -> String {
    let digest = Digest::of(hashes.join(",").as_bytes());
    format!("{prefix}:{}", digest.hex())
}

/// The numbers of `--chown`. A user without a group is a group as well.
fn chown(text: &str, fs: &Fs) -> Result<Owner, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (user, group) = match parts[..] {
        [user] => (user, user),
        [user, group] => (user, group),
        _ => return Err(format!("invalid chown string format: {text}")),
    };
    let look_up = |file: &str, kind: &str, id: &str, name: &str| {
        if let Ok(number) = name.parse::<i32>() {
            return Ok(number as u32);
        }
        let real = root_path(fs, file)?;
        let text = fs.read_text(&real).ok_or_else(|| {
            format!("can't find {id} for {kind} {name}: open {file}: no such file or directory")
        })?;
        let number = text.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.first() == Some(&name)).then(|| fields.get(2)?.parse().ok())?
        });
        number.ok_or_else(|| format!("can't find {id} for {kind} {name}: no such {kind}: {name}"))
    };
    Ok((
        look_up("/etc/passwd", "user", "uid", user)?,
        look_up("/etc/group", "group", "gid", group)?,
    ))
}

/// Laying files into an image.
struct Laying<'a> {
    source: &'a Fs,
    overlay: &'a mut Overlay,
    /// The owner of what is laid; none to keep those of the source.
    owner: Option<Owner>,
}

impl Laying<'_> {
    fn lay(&mut self, path: &str, dest: &str, decompress: bool) -> Result<(), String> {
        let real = root_path(self.source, path)?;
        let target = root_path(self.overlay.fs(), dest)?;
        let Some((ino, inode)) = self.source.find(&real) else {
            return Err(format!(
                "source path not found: stat {real}: no such file or directory"
            ));
        };
        if inode.is_dir() {
            return self.directory(ino, &target);
        }
        if decompress
            && let Some(content) = inode.file()
            && let Ok(Some(entries)) = unpack::archive(content)
        {
            make_dirs(self.overlay, &target, 0o755, Some((0, 0)), None)?;
            return unpack::unpack(self.overlay, &target, entries, None);
        }
        let there = self.overlay.fs().find(&target);
        let into = dest.ends_with('/') || there.is_some_and(|(_, inode)| inode.is_dir());
        let target = if into {
            join(&target, base_name(path))
        } else {
            target
        };
        let above = crate::fs::parent(&target);
        make_dirs(
            self.overlay,
            &above,
            0o755,
            Some(self.owner.unwrap_or((0, 0))),
            None,
        )
        .map_err(|why| format!("failed to create new directory: {why}"))?;
        self.node(ino, &target, &mut BTreeMap::new())
    }

    /// The content of a directory. Its own mode and time are not taken over.
    fn directory(&mut self, ino: Ino, target: &str) -> Result<(), String> {
        let there = self.overlay.fs().find(target);
        let new = there.is_none_or(|(_, inode)| !inode.is_dir());
        make_dirs(self.overlay, target, 0o755, Some((0, 0)), None)
            .map_err(|why| format!("failed to copy directory: {why}"))?;
        let mut links = BTreeMap::new();
        self.below(ino, target, &mut links)?;
        if let (true, Some((uid, gid))) = (new, self.owner) {
            change(self.overlay, target, |meta| {
                (meta.uid, meta.gid) = (uid, gid)
            })
            .map_err(|errno| host_error("lchown", target, errno))?;
        }
        Ok(())
    }

    fn below(
        &mut self,
        dir: Ino,
        target: &str,
        links: &mut BTreeMap<Ino, String>,
    ) -> Result<(), String> {
        let source = self.source;
        let entries = source.inode(dir).dir();
        for (name, ino) in entries.into_iter().flat_map(|entries| entries.iter()) {
            self.node(*ino, &join(target, name), links)?;
        }
        Ok(())
    }

    /// One node, over what is there; a directory with its content.
    fn node(
        &mut self,
        ino: Ino,
        target: &str,
        links: &mut BTreeMap<Ino, String>,
    ) -> Result<(), String> {
        let source = self.source;
        let inode = source.inode(ino);
        if matches!(inode.kind, Kind::Socket) {
            return Ok(());
        }
        let wrong = |errno| host_error("open", target, errno);
        let (dir, name) = place(self.overlay.fs(), target).map_err(wrong)?;
        let there = self.overlay.fs().child(dir, &name);
        let merges =
            there.is_some_and(|ino| self.overlay.fs().inode(ino).is_dir()) && inode.is_dir();
        if there.is_some() && !merges {
            self.overlay.remove_all(dir, &name).map_err(wrong)?;
        }
        if let Some(first) = links.get(&ino) {
            let (first_dir, first_name) = place(self.overlay.fs(), first).map_err(wrong)?;
            let from = (first_dir, &*first_name);
            return self.overlay.link(from, dir, &name).map(drop).map_err(wrong);
        }
        if inode.nlink() > 1 && !inode.is_dir() {
            links.insert(ino, target.to_string());
        }
        let meta = self.meta(&inode.meta, inode.file().is_some());
        if inode.is_dir() {
            let made = match merges {
                true => self.overlay.copy_up(dir, &name).map_err(wrong)?,
                false => self
                    .overlay
                    .create(dir, &name, Kind::empty_dir(), meta.clone())
                    .map_err(wrong)?,
            };
            self.below(ino, target, links)?;
            self.overlay.set_meta(made, |old| *old = meta);
            return Ok(());
        }
        self.overlay
            .create(dir, &name, inode.kind.clone(), meta)
            .map(drop)
            .map_err(wrong)
    }

    /// The metadata of a copy. Giving a file to somebody takes its set-ID bits away (`chown`).
    fn meta(&self, meta: &Meta, is_file: bool) -> Meta {
        let mut meta = meta.clone();
        if let Some((uid, gid)) = self.owner {
            (meta.uid, meta.gid) = (uid, gid);
            if is_file {
                meta.mode &= !0o4000;
                if meta.mode & 0o010 != 0 {
                    meta.mode &= !0o2000;
                }
            }
        }
        meta
    }
}
