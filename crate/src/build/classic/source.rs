//! What ADD and COPY take their files from, and the digests of files that cache keys hold.
//!
//! The digest of a file is that of its tar header without the time, and of its content (moby:
//! `tarsum` version 1). Files of the context are digested as they arrive; those of an image as the
//! engine finds them on its disk, where a mode has its type bits and an owner a name.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::super::copy::{join, root_path};
use super::Failure;
use crate::context::Patterns;
use crate::fs::{
    Clock, Content, Errno, Fs, Ino, Inode, Kind, Meta, Overlay, Time, base_name, parent,
};

/// Bytes of a tar's block.
const BLOCK: u64 = 512;
/// The longest name or link that needs no extended header.
const SHORT: usize = 100;

/// The build context as it arrives at the engine.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The files.
    pub fs: Fs,
    /// The digest of each, by its path.
    sums: BTreeMap<String, String>,
    /// The length of the archive that was sent.
    pub bytes: u64,
}

/// Packs the files below `root`, but for those that `ignore` matches, and unpacks them again. All
/// belong to root then.
///
/// # Errors
/// There are too many.
pub fn send(files: &Fs, root: Ino, ignore: &Patterns, now: Time) -> Result<Sent, Errno> {
    let mut sending = Sending {
        files,
        ignore,
        overlay: Overlay::over(&Fs::empty(), Clock::at(now)),
        sums: BTreeMap::new(),
        bytes: 2 * BLOCK,
        first: BTreeMap::new(),
        times: Vec::new(),
    };
    sending.dir(root, "")?;
    for (ino, time) in std::mem::take(&mut sending.times) {
        sending.overlay.restore_time(ino, time);
    }
    Ok(Sent {
        fs: sending.overlay.commit(),
        sums: sending.sums,
        bytes: sending.bytes,
    })
}

struct Sending<'a> {
    files: &'a Fs,
    ignore: &'a Patterns,
    overlay: Overlay,
    sums: BTreeMap<String, String>,
    bytes: u64,
    /// The first path of each file with several names.
    first: BTreeMap<Ino, String>,
    times: Vec<(Ino, Time)>,
}

impl Sending<'_> {
    fn dir(&mut self, dir: Ino, path: &str) -> Result<(), Errno> {
        let files = self.files;
        let entries = files.inode(dir).dir();
        for (name, ino) in entries.into_iter().flat_map(|entries| entries.iter()) {
            let path = match path {
                "" => name.to_string(),
                dir => format!("{dir}/{name}"),
            };
            let inode = files.inode(*ino);
            let ignored = self.ignore.matches(&path).matched;
            if !ignored {
                self.node(*ino, inode, &path)?;
            }
            // An ignored directory is looked into if a pattern takes something in it back.
            if inode.is_dir() && (!ignored || self.ignore.may_match_below(&path, true)) {
                self.dir(*ino, &path)?;
            }
        }
        Ok(())
    }

    fn node(&mut self, ino: Ino, inode: &Inode, path: &str) -> Result<(), Errno> {
        if matches!(inode.kind, Kind::Socket) {
            return Ok(());
        }
        let dir = self.parents(path)?;
        let name = base_name(path);
        let link = match self.first.get(&ino) {
            Some(first) => Some(first.clone()),
            None => {
                if inode.nlink() > 1 && !inode.is_dir() {
                    self.first.insert(ino, path.to_string());
                }
                None
            }
        };
        let meta = Meta {
            uid: 0,
            gid: 0,
            mtime: Time::from_secs(inode.meta.mtime.secs()),
            ..inode.meta.clone()
        };
        let header = Header {
            path,
            inode,
            mode: meta.mode,
            owner: (0, 0),
            names: ("", ""),
            hard_link: link.as_deref(),
        };
        self.bytes += header.archived();
        self.sums.insert(path.to_string(), header.sum());
        let Some(first) = link else {
            let kind = match inode.is_dir() {
                true => Kind::empty_dir(),
                false => inode.kind.clone(),
            };
            let time = meta.mtime;
            let made = self.overlay.create(dir, name, kind, meta)?;
            self.times.push((made, time));
            return Ok(());
        };
        let from = self.overlay.fs().find(&parent(&first)).map(|(ino, _)| ino);
        let from = (from.ok_or(Errno::Enoent)?, base_name(&first));
        self.overlay.link(from, dir, name).map(drop)
    }

    /// The directory that the path is in: made, if it was left out itself.
    fn parents(&mut self, path: &str) -> Result<Ino, Errno> {
        let mut dir = Fs::ROOT;
        let mut parts: Vec<&str> = crate::fs::split(path).collect();
        parts.pop();
        for part in parts {
            dir = match self.overlay.fs().child(dir, part) {
                Some(ino) => ino,
                None => {
                    let meta = Meta::root(0o755, self.overlay.clock.now());
                    self.overlay.create(dir, part, Kind::empty_dir(), meta)?
                }
            };
        }
        Ok(dir)
    }
}

impl Sent {
    /// Takes a file away that was only sent to be read.
    pub fn forget(&mut self, path: &str) {
        let mut overlay = Overlay::over(&self.fs, Clock::at(Time::EPOCH));
        let dir = overlay.fs().find(&parent(path)).map(|(ino, _)| ino);
        if let Some(dir) = dir {
            let time = overlay.fs().inode(dir).meta.mtime;
            if overlay.remove_all(dir, base_name(path)).is_ok() {
                overlay.restore_time(dir, time);
                self.fs = overlay.commit();
            }
        }
    }
}

/// Where ADD and COPY take their files from.
#[derive(Debug)]
pub(super) enum Source<'a> {
    /// The build context.
    Context(&'a Sent),
    /// The files of an image.
    Image(Fs),
}

impl Source<'_> {
    pub fn fs(&self) -> &Fs {
        match self {
            Source::Context(sent) => &sent.fs,
            Source::Image(fs) => fs,
        }
    }

    pub fn is_context(&self) -> bool {
        matches!(self, Source::Context(_))
    }

    /// The digest of what is at a path, a link followed; of what is not there, the path itself.
    ///
    /// # Errors
    /// A link leads to itself.
    pub fn hash(&self, path: &str) -> Result<String, Failure> {
        let real = root_path(self.fs(), path).map_err(Failure::step)?;
        let name = real.trim_start_matches('/');
        match self {
            Source::Context(sent) => Ok(sent
                .sums
                .get(name)
                .map_or_else(|| path.to_string(), String::clone)),
            Source::Image(fs) => Ok(match fs.find(&real) {
                Some((_, inode)) => on_disk(name, inode),
                None => name.to_string(),
            }),
        }
    }

    /// The digests of everything from a real path down, without the root itself.
    ///
    /// # Errors
    /// As [`hash`](Source::hash).
    pub fn hashes_below(&self, real: &str) -> Result<Vec<String>, Failure> {
        let fs = self.fs();
        let Some((ino, _)) = fs.find(real) else {
            return Ok(Vec::new());
        };
        let mut hashes = Vec::new();
        if real != "/" {
            hashes.push(self.hash(real.trim_start_matches('/'))?);
        }
        for entry in fs.walk(ino) {
            hashes.push(self.hash(join(real, &entry.path).trim_start_matches('/'))?);
        }
        Ok(hashes)
    }
}

/// The digest of a file where it lies.
fn on_disk(name: &str, inode: &Inode) -> String {
    let kind = match &inode.kind {
        Kind::File(_) => 0o100_000,
        Kind::Dir(_) => 0o40_000,
        Kind::Symlink(_) => 0o120_000,
        Kind::CharDevice(..) => 0o20_000,
        Kind::BlockDevice(..) => 0o60_000,
        Kind::Fifo => 0o10_000,
        Kind::Socket => 0o140_000,
    };
    let owner = (inode.meta.uid, inode.meta.gid);
    Header {
        path: name,
        inode,
        mode: inode.meta.mode | kind,
        owner,
        names: (listed(USERS, owner.0), listed(GROUPS, owner.1)),
        hard_link: None,
    }
    .sum()
}

/// What a tar header says of a file.
struct Header<'a> {
    path: &'a str,
    inode: &'a Inode,
    mode: u32,
    owner: (u32, u32),
    names: (&'a str, &'a str),
    hard_link: Option<&'a str>,
}

impl Header<'_> {
    fn name(&self) -> String {
        let slash = if self.inode.is_dir() { "/" } else { "" };
        format!("{}{slash}", self.path)
    }

    fn link(&self) -> &str {
        self.hard_link
            .or_else(|| self.inode.link_target())
            .unwrap_or("")
    }

    fn content(&self) -> Option<&Content> {
        self.inode.file().filter(|_| self.hard_link.is_none())
    }

    /// The length in an archive.
    fn archived(&self) -> u64 {
        let long = |text: &str| text.len() > SHORT || !text.is_ascii();
        let extended = long(&self.name()) || long(self.link());
        let content = self.content().map_or(0, Content::size);
        BLOCK * (1 + 2 * u64::from(extended)) + content.div_ceil(BLOCK) * BLOCK
    }

    fn sum(&self) -> String {
        let (kind, device) = match &self.inode.kind {
            _ if self.hard_link.is_some() => ('1', (0, 0)),
            Kind::File(_) | Kind::Socket => ('0', (0, 0)),
            Kind::Symlink(_) => ('2', (0, 0)),
            Kind::CharDevice(major, minor) => ('3', (*major, *minor)),
            Kind::BlockDevice(major, minor) => ('4', (*major, *minor)),
            Kind::Dir(_) => ('5', (0, 0)),
            Kind::Fifo => ('6', (0, 0)),
        };
        let mut hasher = Sha256::new();
        hasher.update(format!(
            "name{}mode{}uid{}gid{}size{}typeflag{kind}linkname{}uname{}gname{}devmajor{}devminor{}",
            self.name(),
            self.mode,
            self.owner.0,
            self.owner.1,
            self.content().map_or(0, Content::size),
            self.link(),
            self.names.0,
            self.names.1,
            device.0,
            device.1,
        ));
        if let Some(content) = self.content() {
            hasher.update(content.bytes());
        }
        crate::image::Digest(hasher.finalize().into()).hex()
    }
}

/// Users and groups of the engine's own machine (Debian 12), whose names headers hold.
const USERS: &[(u32, &str)] = &[
    (0, "root"),
    (1, "daemon"),
    (2, "bin"),
    (3, "sys"),
    (4, "sync"),
    (5, "games"),
    (6, "man"),
    (7, "lp"),
    (8, "mail"),
    (9, "news"),
    (10, "uucp"),
    (13, "proxy"),
    (33, "www-data"),
    (34, "backup"),
    (38, "list"),
    (39, "irc"),
    (42, "_apt"),
    (65_534, "nobody"),
];
const GROUPS: &[(u32, &str)] = &[
    (0, "root"),
    (1, "daemon"),
    (2, "bin"),
    (3, "sys"),
    (4, "adm"),
    (5, "tty"),
    (6, "disk"),
    (7, "lp"),
    (8, "mail"),
    (9, "news"),
    (10, "uucp"),
    (12, "man"),
    (13, "proxy"),
    (15, "kmem"),
    (20, "dialout"),
    (21, "fax"),
    (22, "voice"),
    (24, "cdrom"),
    (25, "floppy"),
    (26, "tape"),
    (27, "sudo"),
    (29, "audio"),
    (30, "dip"),
    (33, "www-data"),
    (34, "backup"),
    (37, "operator"),
    (38, "list"),
    (39, "irc"),
    (40, "src"),
    (42, "shadow"),
    (43, "utmp"),
    (44, "video"),
    (45, "sasl"),
    (46, "plugdev"),
    (50, "staff"),
    (60, "games"),
    (100, "users"),
    (65_534, "nogroup"),
];

fn listed(list: &'static [(u32, &str)], id: u32) -> &'static str {
    list.iter()
        .find(|(known, _)| *known == id)
        .map_or("", |(_, name)| name)
}
