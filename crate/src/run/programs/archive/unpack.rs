//! Listing and unpacking a tar archive.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Read;

use tar::{Archive, EntryType};

use super::super::super::{Call, Exit, Flavour, Stop, cost, glob_matches, stand_in, users};
use super::super::opts::Opts;
use super::super::{create, date, input};
use super::tar::is_excluded;
use crate::fs::{Errno, Flags, Follow, Kind, Meta, Time};

/// Which members are wanted.
pub(super) struct Selection<'a> {
    names: &'a [String],
    excluded: &'a [String],
    strip: usize,
    seen: RefCell<BTreeSet<usize>>,
}

impl<'a> Selection<'a> {
    pub fn new(names: &'a [String], excluded: &'a [String], opts: &Opts) -> Selection<'a> {
        let strip = opts
            .value(&["strip-components"])
            .and_then(|n| n.parse().ok());
        Selection {
            names,
            excluded,
            strip: strip.unwrap_or(0),
            seen: RefCell::default(),
        }
    }

    fn wants(&self, name: &str) -> bool {
        if is_excluded(name, self.excluded) {
            return false;
        }
        if self.names.is_empty() {
            return true;
        }
        let bare = name.trim_end_matches('/');
        let fits = self.names.iter().position(|wanted| {
            let wanted = wanted.trim_end_matches('/');
            bare == wanted
                || bare
                    .strip_prefix(wanted)
                    .is_some_and(|rest| rest.starts_with('/'))
                || glob_matches(wanted, bare)
        });
        if let Some(at) = fits {
            self.seen.borrow_mut().insert(at);
        }
        fits.is_some()
    }

    /// The names that no member had.
    pub fn missing(&mut self) -> Vec<String> {
        let seen = self.seen.borrow();
        let names = self.names.iter().enumerate();
        let missing = names.filter(|(at, _)| !seen.contains(at));
        missing.map(|(_, name)| name.clone()).collect()
    }
}

/// A member.
struct Member {
    name: String,
    link: String,
    kind: EntryType,
    meta: Meta,
    size: u64,
    owner: String,
    device: (u32, u32),
    bytes: Vec<u8>,
}

/// Lists or unpacks an archive into the working directory.
///
/// # Errors
/// Only what ends the program.
pub(super) fn run(
    call: &mut Call<'_, '_>,
    bytes: &[u8],
    opts: &Opts,
    selection: &Selection<'_>,
    list: bool,
) -> Exit {
    let mut code = 0;
    let mut dirs: Vec<(String, Meta)> = Vec::new();
    let mut warned = false;
    let mut archive = Archive::new(bytes);
    let Ok(entries) = archive.entries() else {
        return bad(call, bytes);
    };
    let mut any = false;
    for entry in entries {
        call.kernel.round()?;
        let Ok(mut entry) = entry else {
            return if any { short(call) } else { bad(call, bytes) };
        };
        any = true;
        let header = entry.header();
        let kind = header.entry_type();
        if matches!(kind, EntryType::XGlobalHeader | EntryType::XHeader) {
            continue;
        }
        let text = |bytes: Option<&[u8]>| input::decode(bytes.unwrap_or_default());
        let user = text(header.username_bytes());
        let group = text(header.groupname_bytes());
        let (mut uid, mut gid) = (
            u32::try_from(header.uid().unwrap_or(0)).unwrap_or(0),
            u32::try_from(header.gid().unwrap_or(0)).unwrap_or(0),
        );
        let numeric = opts.has(&["numeric-owner"]);
        let vfs = &*call.kernel.vfs;
        if !numeric {
            uid = users::user(vfs, &user).map_or(uid, |user| user.uid);
            gid = users::group(vfs, &group).map_or(gid, |group| group.gid);
        }
        let shown = |name: &str, id: u32| match name {
            "" => id.to_string(),
            _ if numeric => id.to_string(),
            name => name.to_string(),
        };
        let mtime = i64::try_from(header.mtime().unwrap_or(0)).unwrap_or(0);
        let mut member = Member {
            owner: format!("{}/{}", shown(&user, uid), shown(&group, gid)),
            kind,
            meta: Meta {
                mode: header.mode().unwrap_or(0) & 0o7777,
                uid,
                gid,
                mtime: Time::from_secs(mtime),
                xattrs: None,
            },
            device: (
                header.device_major().ok().flatten().unwrap_or(0),
                header.device_minor().ok().flatten().unwrap_or(0),
            ),
            name: input::decode(&entry.path_bytes()),
            link: entry
                .link_name_bytes()
                .map(|link| input::decode(&link))
                .unwrap_or_default(),
            size: entry.size(),
            bytes: Vec::new(),
        };
        if entry.read_to_end(&mut member.bytes).is_err() {
            return short(call);
        }
        if kind == EntryType::Directory && !member.name.ends_with('/') {
            member.name.push('/');
        }
        if !selection.wants(&member.name) {
            continue;
        }
        if list {
            let line = line(&member, opts.has(&["v", "verbose"]));
            call.out(line)?;
            continue;
        }
        let original = member.name.clone();
        if !safe(call, &mut member, opts, selection.strip, &mut warned)? {
            continue;
        }
        if opts.has(&["v", "verbose"]) {
            let line = format!(
                "{}\n",
                if call.flavour() == Flavour::Gnu {
                    &original
                } else {
                    &member.name
                }
            );
            match opts.has(&["O", "to-stdout"]) {
                true => call.err(line)?,
                false => call.out(line)?,
            }
        }
        if opts.has(&["O", "to-stdout"]) {
            call.out(&member.bytes)?;
            continue;
        }
        if let Err(errno) = extract(call, &member, opts) {
            let name = member.name.trim_end_matches('/');
            let text = match (call.flavour(), kind, errno) {
                (Flavour::Busybox, EntryType::Directory, _) => {
                    format!("can't make dir {name}: {errno}")
                }
                (Flavour::Busybox, EntryType::Symlink, _) => {
                    format!(
                        "can't create symlink '{name}' to '{}': {errno}",
                        member.link
                    )
                }
                (Flavour::Busybox, EntryType::Link, _) => {
                    format!(
                        "can't create hardlink '{name}' to '{}': {errno}",
                        member.link
                    )
                }
                (Flavour::Busybox, ..) => format!("can't open '{name}': {errno}"),
                (Flavour::Gnu, ..) => format!("{name}: Cannot open: {errno}"),
            };
            code = call.fail(1, text)?;
            if call.flavour() == Flavour::Busybox && kind != EntryType::Symlink {
                return Ok(code);
            }
            continue;
        }
        if kind == EntryType::Directory {
            dirs.push((member.name, member.meta));
        }
    }
    if !any && !bytes.iter().all(|b| *b == 0) || (bytes.is_empty()) {
        return bad(call, bytes);
    }
    // Times last: what is put into a directory changes its own.
    // (busybox does not wait.)
    if !opts.has(&["m", "touch"]) && call.flavour() == Flavour::Gnu {
        for (path, meta) in dirs.iter().rev() {
            let _ = call
                .kernel
                .vfs
                .set_mtime(&call.proc.fs, path, meta.mtime, Follow::No);
        }
    }
    Ok(code)
}

fn bad(call: &mut Call<'_, '_>, bytes: &[u8]) -> Exit {
    match call.flavour() {
        Flavour::Busybox if bytes.len() < 512 => call.fail(1, "short read"),
        Flavour::Busybox => call.fail(1, "invalid tar magic"),
        Flavour::Gnu => call.fail(1, "This does not look like a tar archive"),
    }
}

fn short(call: &mut Call<'_, '_>) -> Exit {
    match call.flavour() {
        Flavour::Busybox => call.fail(1, "short read"),
        Flavour::Gnu => call.fail(1, "Unexpected EOF in archive"),
    }
}

/// The line of a listing.
fn line(member: &Member, verbose: bool) -> String {
    if !verbose {
        return format!("{}\n", member.name);
    }
    let letter = match member.kind {
        EntryType::Directory => 'd',
        EntryType::Symlink => 'l',
        EntryType::Char => 'c',
        EntryType::Block => 'b',
        EntryType::Fifo => 'p',
        EntryType::Link => 'h',
        _ => '-',
    };
    let bits = super::super::list::permissions(member.meta.mode);
    let time = date::format(member.meta.mtime, "%F %T");
    let arrow = match member.kind {
        EntryType::Symlink => format!(" -> {}", member.link),
        EntryType::Link => format!(" link to {}", member.link),
        _ => String::new(),
    };
    format!(
        "{letter}{bits} {} {:9} {time} {}{arrow}\n",
        member.owner, member.size, member.name
    )
}

/// Makes a member's name one below the working directory; false where nothing of it is left.
fn safe(
    call: &mut Call<'_, '_>,
    member: &mut Member,
    opts: &Opts,
    strip: usize,
    warned: &mut bool,
) -> Result<bool, Stop> {
    let clean = |name: &str| {
        let mut rest = name;
        if let Some(at) = rest.rfind("/../") {
            rest = &rest[at + 4..];
        }
        while let Some(shorter) = rest.strip_prefix("../").or(rest.strip_prefix('/')) {
            rest = shorter;
        }
        rest.to_string()
    };
    if !opts.has(&["P", "absolute-names"]) {
        let cleaned = clean(&member.name);
        if cleaned != member.name && !std::mem::replace(warned, true) {
            let taken = &member.name[..member.name.len() - cleaned.len()];
            let text = match call.flavour() {
                Flavour::Busybox => format!("removing leading '{taken}' from member names"),
                Flavour::Gnu => format!("Removing leading `{taken}' from member names"),
            };
            call.complain(text)?;
        }
        member.name = cleaned;
        if member.kind == EntryType::Link {
            member.link = clean(&member.link);
        }
    }
    let cut = |name: &str| {
        let is_dir = name.ends_with('/');
        let parts: Vec<&str> = name.trim_end_matches('/').split('/').collect();
        let rest = parts
            .get(strip..)
            .filter(|rest| !rest.is_empty())?
            .join("/");
        Some(if is_dir { rest + "/" } else { rest })
    };
    if strip > 0 {
        let Some(name) = cut(&member.name) else {
            return Ok(false);
        };
        member.name = name;
        if member.kind == EntryType::Link {
            member.link = cut(&member.link).unwrap_or_default();
        }
    }
    Ok(!member.name.is_empty())
}

fn extract(call: &mut Call<'_, '_>, member: &Member, opts: &Opts) -> Result<(), Errno> {
    let process = call.proc.fs.clone();
    let path = match member.name.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    if let Some((dir, _)) = path.rsplit_once('/')
        && !dir.is_empty()
        && !call.kernel.vfs.is_dir(&process, dir)
    {
        create::make_dir(call, dir, None, true)?;
    }
    let there = call.kernel.vfs.stat(&process, path, Follow::No).ok();
    let was_dir = there.is_some_and(|handle| call.kernel.vfs.inode(handle).is_dir());
    if let Some(handle) = there
        && member.kind != EntryType::Directory
    {
        if opts.has(&["k", "keep-old-files", "skip-old-files"]) {
            return match opts.has(&["skip-old-files"]) {
                true => Ok(()),
                false => Err(Errno::Eexist),
            };
        }
        // `--overwrite` writes into the file that is there.
        let into = opts.has(&["overwrite"]) && call.kernel.vfs.inode(handle).file().is_some();
        if !was_dir && !into {
            call.kernel.vfs.unlink(&process, path)?;
        }
    }
    let vfs = &mut *call.kernel.vfs;
    let mode = member.meta.mode;
    match member.kind {
        EntryType::Directory => match there {
            Some(handle) if !was_dir => {
                // A link to a directory stays in the place of one.
                if vfs.inode(handle).link_target().is_none() || !vfs.is_dir(&process, path) {
                    vfs.unlink(&process, path)?;
                    vfs.mkdir(&process, path, mode & 0o777)?;
                }
            }
            Some(_) => {}
            None => {
                vfs.mkdir(&process, path, mode & 0o777)?;
            }
        },
        EntryType::Symlink => {
            vfs.symlink(&process, &member.link, path)?;
        }
        EntryType::Link => return vfs.link(&process, &member.link, path),
        EntryType::Char => {
            let kind = Kind::CharDevice(member.device.0, member.device.1);
            vfs.make(&process, path, kind, mode & 0o777)?;
        }
        EntryType::Block => {
            let kind = Kind::BlockDevice(member.device.0, member.device.1);
            vfs.make(&process, path, kind, mode & 0o777)?;
        }
        EntryType::Fifo => {
            vfs.make(&process, path, Kind::Fifo, mode & 0o777)?;
        }
        _ => {
            let flags = Flags {
                create: true,
                truncate: true,
                exclusive: false,
            };
            let handle = vfs.open(&process, path, flags, mode & 0o777)?;
            if !member.bytes.is_empty() {
                vfs.write_handle(handle, stand_in::recognise(member.bytes.clone()))?;
            }
            let machine = call.kernel.host.machine();
            call.kernel
                .spend(cost::disk(machine, member.bytes.len() as u64));
        }
    }
    restore(call, path, member, opts)
}

/// Gives what was unpacked the owner, mode and time it had.
fn restore(call: &mut Call<'_, '_>, path: &str, member: &Member, opts: &Opts) -> Result<(), Errno> {
    let gnu = call.flavour() == Flavour::Gnu;
    let process = &call.proc.fs;
    let vfs = &mut *call.kernel.vfs;
    let root = process.cred.uid == 0;
    let is_link = member.kind == EntryType::Symlink;
    if root && !opts.has(&["no-same-owner", "o"]) {
        let owner = (Some(member.meta.uid), Some(member.meta.gid));
        vfs.chown(process, path, owner, Follow::No)?;
    }
    let keeps = !opts.has(&["no-same-permissions"])
        && (root || (gnu && opts.has(&["p", "same-permissions", "preserve-permissions"])));
    if !is_link {
        let mode = match keeps {
            true => member.meta.mode,
            false => member.meta.mode & 0o777 & !process.umask,
        };
        vfs.chmod(process, path, mode)?;
    }
    if !opts.has(&["m", "touch"]) {
        vfs.set_mtime(process, path, member.meta.mtime, Follow::No)?;
    }
    Ok(())
}
