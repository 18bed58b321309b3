//! Making a tar archive.

use std::collections::BTreeMap;

use tar::{Builder, EntryType, Header};

use super::super::super::{Call, Flavour, Stop, users};
use super::super::date;
use super::super::opts::Opts;
use super::tar::is_excluded;
use crate::fs::{Follow, Handle, Kind};

/// How an archive is made.
pub(super) struct Settings<'a> {
    pub excluded: &'a [String],
    /// The archive itself, which is left out.
    pub own: Option<Handle>,
    /// Names are printed: true where standard output is taken by the archive.
    pub verbose: Option<bool>,
    pub follow: bool,
    pub recursive: bool,
    pub absolute: bool,
    pub opts: &'a Opts,
}

/// What came out.
pub(super) struct Packed {
    pub bytes: Vec<u8>,
    pub failed: bool,
}

struct Packer<'a> {
    settings: &'a Settings<'a>,
    builder: Builder<Vec<u8>>,
    links: BTreeMap<Handle, String>,
    failed: bool,
    stripped: bool,
}

/// The uncompressed archive of `names`.
///
/// # Errors
/// Only what ends the program.
pub(super) fn run(
    call: &mut Call<'_, '_>,
    names: &[String],
    settings: &Settings<'_>,
) -> Result<Packed, Stop> {
    let mut packer = Packer {
        settings,
        builder: Builder::new(Vec::new()),
        links: BTreeMap::new(),
        failed: false,
        stripped: false,
    };
    for name in names {
        let bare = match name.trim_end_matches('/') {
            "" => "/",
            bare => bare,
        };
        packer.add(call, bare, true)?;
    }
    let Packer {
        builder, failed, ..
    } = packer;
    let mut bytes = builder.into_inner().unwrap_or_default();
    // Whole records of twenty blocks.
    let record = 512 * 20;
    if call.flavour() == Flavour::Gnu {
        bytes.resize(bytes.len().div_ceil(record) * record, 0);
    }
    Ok(Packed { bytes, failed })
}

impl Packer<'_> {
    fn add(&mut self, call: &mut Call<'_, '_>, path: &str, operand: bool) -> Result<(), Stop> {
        call.kernel.round()?;
        let follow = if self.settings.follow {
            Follow::Yes
        } else {
            Follow::No
        };
        let handle = match call.kernel.vfs.stat(&call.proc.fs, path, follow) {
            Ok(handle) => handle,
            Err(errno) => {
                self.failed = true;
                let text = match call.flavour() {
                    Flavour::Busybox => format!("{path}: {errno}"),
                    Flavour::Gnu => format!("{path}: Cannot stat: {errno}"),
                };
                return call.complain(text);
            }
        };
        if Some(handle) == self.settings.own {
            let text = match call.flavour() {
                Flavour::Busybox => format!("{path}: file is the archive; skipping"),
                Flavour::Gnu => format!("{path}: file is the archive; not dumped"),
            };
            return call.complain(text);
        }
        if is_excluded(path, self.settings.excluded) {
            return Ok(());
        }
        let inode = call.kernel.vfs.inode(handle).clone();
        let mut name = path.to_string();
        if !self.settings.absolute && name.starts_with('/') {
            if !std::mem::replace(&mut self.stripped, true) {
                let text = match call.flavour() {
                    Flavour::Busybox => "removing leading '/' from member names",
                    Flavour::Gnu => "Removing leading `/' from member names",
                };
                call.complain(text)?;
            }
            name = name.trim_start_matches('/').to_string();
        }
        if name.is_empty() && call.flavour() == Flavour::Gnu {
            name = "./".to_string();
        }
        if inode.is_dir() && !name.is_empty() && !name.ends_with('/') {
            name.push('/');
        }
        if matches!(inode.kind, Kind::Socket) {
            return call.complain(format_args!("{path}: socket ignored"));
        }
        let mut content = Vec::new();
        if let Kind::File(file) = &inode.kind {
            if !call.proc.fs.cred.may(&inode.meta, 4, false) {
                self.failed = true;
                let text = match call.flavour() {
                    Flavour::Busybox => format!("{path}: Permission denied"),
                    Flavour::Gnu => format!("{path}: Cannot open: Permission denied"),
                };
                return call.complain(text);
            }
            content = file.bytes().to_vec();
        }
        if !name.is_empty() {
            let header = self.header(call, &inode.kind, &inode.meta, content.len() as u64);
            let first = match self.links.get(&handle) {
                Some(first) if inode.nlink() > 1 && !inode.is_dir() => Some(first.clone()),
                _ => None,
            };
            self.write(&name, header, &inode.kind, &content, first);
            if inode.nlink() > 1 {
                self.links.entry(handle).or_insert_with(|| name.clone());
            }
            match self.settings.verbose {
                None => {}
                Some(true) => call.err(format!("{name}\n"))?,
                Some(false) => call.out(format!("{name}\n"))?,
            }
        }
        if inode.is_dir() && self.settings.recursive {
            let names = match call.kernel.vfs.read_dir(&call.proc.fs, path) {
                Ok(names) => names,
                Err(errno) => {
                    self.failed = true;
                    return call.complain(format_args!("{path}: {errno}"));
                }
            };
            let _ = operand;
            for below in names {
                let below = match path.ends_with('/') {
                    true => format!("{path}{below}"),
                    false => format!("{path}/{below}"),
                };
                self.add(call, &below, false)?;
            }
        }
        Ok(())
    }

    fn header(
        &self,
        call: &Call<'_, '_>,
        kind: &Kind,
        meta: &crate::fs::Meta,
        size: u64,
    ) -> Header {
        let opts = self.settings.opts;
        let mut header = Header::new_gnu();
        header.set_mode(meta.mode);
        let vfs = &*call.kernel.vfs;
        let split = |spec: &str| match spec.split_once(':') {
            Some((name, id)) => (name.to_string(), id.parse().ok()),
            None => (spec.to_string(), spec.parse().ok()),
        };
        let (mut user, mut uid) = (
            users::user_by_id(vfs, meta.uid).map(|user| user.name),
            meta.uid,
        );
        if let Some(spec) = opts.value(&["owner"]) {
            let (name, id) = split(spec);
            uid = id
                .or(users::user(vfs, &name).map(|user| user.uid))
                .unwrap_or(uid);
            user = Some(name).filter(|name| name.parse::<u32>().is_err());
        }
        let (mut group, mut gid) = (
            users::group_by_id(vfs, meta.gid).map(|group| group.name),
            meta.gid,
        );
        if let Some(spec) = opts.value(&["group"]) {
            let (name, id) = split(spec);
            gid = id
                .or(users::group(vfs, &name).map(|group| group.gid))
                .unwrap_or(gid);
            group = Some(name).filter(|name| name.parse::<u32>().is_err());
        }
        header.set_uid(uid.into());
        header.set_gid(gid.into());
        if !opts.has(&["numeric-owner"]) {
            // A name that does not fit is left out; the number counts then.
            let _ = header.set_username(user.as_deref().unwrap_or_default());
            let _ = header.set_groupname(group.as_deref().unwrap_or_default());
        }
        let time = opts
            .value(&["mtime"])
            .and_then(|text| date::parse(text, vfs.now()));
        let seconds = time.unwrap_or(meta.mtime).secs();
        header.set_mtime(u64::try_from(seconds).unwrap_or(0));
        if let Some(spec) = opts.value(&["mode"]) {
            let is_dir = matches!(kind, Kind::Dir(_));
            let mode = super::super::mode::apply(spec, meta.mode, is_dir, 0);
            header.set_mode(mode.unwrap_or(meta.mode));
        }
        header.set_size(size);
        header.set_entry_type(match kind {
            Kind::File(_) => EntryType::Regular,
            Kind::Dir(_) => EntryType::Directory,
            Kind::Symlink(_) => EntryType::Symlink,
            Kind::CharDevice(..) => EntryType::Char,
            Kind::BlockDevice(..) => EntryType::Block,
            Kind::Fifo | Kind::Socket => EntryType::Fifo,
        });
        if let Kind::CharDevice(major, minor) | Kind::BlockDevice(major, minor) = kind {
            let _ = header.set_device_major(*major);
            let _ = header.set_device_minor(*minor);
        }
        header
    }

    fn write(
        &mut self,
        name: &str,
        mut header: Header,
        kind: &Kind,
        content: &[u8],
        first: Option<String>,
    ) {
        let link = match (&first, kind) {
            (Some(first), _) => {
                header.set_entry_type(EntryType::Link);
                header.set_size(0);
                Some(first.as_str())
            }
            (None, Kind::Symlink(target)) => Some(&**target),
            _ => None,
        };
        let content = if link.is_some() { &[] } else { content };
        let fits = name.len() < 100 && link.is_none_or(|link| link.len() < 100);
        let written = if fits {
            // As they are: a leading `./` stays.
            let bytes = header.as_mut_bytes();
            bytes[..name.len()].copy_from_slice(name.as_bytes());
            if let Some(link) = link {
                bytes[157..157 + link.len()].copy_from_slice(link.as_bytes());
            }
            header.set_cksum();
            self.builder.append(&header, content)
        } else {
            match link {
                Some(link) => self.builder.append_link(&mut header, name, link),
                None => self.builder.append_data(&mut header, name, content),
            }
        };
        self.failed |= written.is_err();
    }
}
