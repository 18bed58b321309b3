//! tar, gzip, gunzip, zcat and their bzip2 and xz readers.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::read::GzEncoder;

use super::super::io::Access;
use super::super::{Call, Exit, Program, Stop, cost, glob_matches, users};
use super::opts::{Grammar, Opts, parse};
use super::{create, remove};
use crate::fs::{self, Content, Errno, Follow, Handle, Kind, Meta};
use crate::image::{TarNode, compression, decompress, read_tar};

pub(super) const TABLE: &[Program] = &[
    Program::executed("tar", tar),
    Program::executed("gzip", gzip),
    Program::executed("gunzip", gzip),
    Program::executed("zcat", gzip),
    Program::executed("bunzip2", gzip),
    Program::executed("bzcat", gzip),
    Program::executed("unxz", gzip),
    Program::executed("xzcat", gzip),
];

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // No name and no time in the header: the same bytes give the same file.
    let _ = GzEncoder::new(bytes, flate2::Compression::default()).read_to_end(&mut out);
    out
}

fn gzip(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "cdfknqtv123456789",
            long: &[
                "stdout",
                "to-stdout",
                "decompress",
                "uncompress",
                "force",
                "keep",
                "no-name",
                "best",
                "fast",
                "test",
            ],
        },
    )?;
    let name = call.name.clone();
    let cat = matches!(name.as_str(), "zcat" | "bzcat" | "xzcat");
    let unpack = name != "gzip" || opts.has(&["d", "decompress", "uncompress"]);
    let to_stdout = cat || opts.has(&["c", "stdout", "to-stdout", "t", "test"]);
    let operands = match opts.operands.is_empty() {
        true => vec!["-".to_string()],
        false => opts.operands.clone(),
    };
    let mut code = 0;
    for path in operands {
        let bytes = match call.slurp(&path)? {
            Ok(bytes) => bytes,
            Err(errno) => {
                code = call.fail(1, format_args!("{path}: {errno}"))?;
                continue;
            }
        };
        let time = cost::archive(call.kernel.host.machine(), bytes.len() as u64);
        call.kernel.spend(time);
        let result = match (unpack, compression(&bytes)) {
            (false, _) => Ok(compress(&bytes)),
            (true, Some(kind)) => match decompress(kind, &bytes) {
                Ok(Some(plain)) => Ok(plain),
                Ok(None) => Err("corrupted data".to_string()),
                Err(message) => Err(message),
            },
            (true, None) if cat && opts.has(&["f", "force"]) => Ok(bytes),
            (true, None) => Err("invalid magic".to_string()),
        };
        let result = match result {
            Ok(result) => result,
            Err(message) => {
                code = call.fail(1, message)?;
                continue;
            }
        };
        if opts.has(&["t", "test"]) {
            continue;
        }
        if path == "-" || to_stdout {
            call.out(&result)?;
            continue;
        }
        let target = match unpack {
            false => Some(format!("{path}.gz")),
            true => target_of(&path),
        };
        let Some(target) = target else {
            code = call.fail(1, format_args!("{path}: unknown suffix - ignored"))?;
            continue;
        };
        if call.kernel.vfs.exists(&call.proc.fs, &target) && !opts.has(&["f", "force"]) {
            code = call.fail(1, format_args!("can't open '{target}': File exists"))?;
            continue;
        }
        if let Err(errno) = replace(call, &path, &target, result, opts.has(&["k", "keep"])) {
            code = call.fail(1, format_args!("{target}: {errno}"))?;
        }
    }
    Ok(code)
}

fn target_of(path: &str) -> Option<String> {
    let plain = [".gz", ".bz2", ".xz"]
        .into_iter()
        .find_map(|end| path.strip_suffix(end));
    let tar = [".tgz", ".tbz", ".txz"]
        .into_iter()
        .find_map(|end| path.strip_suffix(end));
    plain
        .map(String::from)
        .or_else(|| tar.map(|path| format!("{path}.tar")))
}

/// Writes `target` with the mode, owner and time of `path`, which goes unless it is to be kept.
fn replace(
    call: &mut Call<'_, '_>,
    path: &str,
    target: &str,
    bytes: Vec<u8>,
    keep: bool,
) -> Result<(), Errno> {
    let process = call.proc.fs.clone();
    let vfs = &mut *call.kernel.vfs;
    let old = vfs
        .inode(vfs.stat(&process, path, Follow::Yes)?)
        .meta
        .clone();
    vfs.write(&process, target, Content::new(bytes))?;
    let _ = vfs.chown(
        &process,
        target,
        (Some(old.uid), Some(old.gid)),
        Follow::Yes,
    );
    vfs.chmod(&process, target, old.mode)?;
    vfs.set_mtime(&process, target, old.mtime, Follow::Yes)?;
    if keep {
        Ok(())
    } else {
        vfs.unlink(&process, path)
    }
}

fn tar(call: &mut Call<'_, '_>) -> Exit {
    // The first word may be options without a dash.
    if let Some(first) = call.args.first_mut()
        && !first.starts_with('-')
    {
        bundle(&mut call.args);
    }
    let opts = parse(
        call,
        Grammar {
            short: "cxtrf:zjJavkopPmhOT:X:C:",
            long: &[
                "create",
                "extract",
                "list",
                "file=",
                "gzip",
                "bzip2",
                "xz",
                "auto-compress",
                "verbose",
                "directory=",
                "strip-components=",
                "exclude=",
                "no-same-owner",
                "same-owner",
                "no-same-permissions",
                "preserve-permissions",
                "same-permissions",
                "numeric-owner",
                "owner=",
                "group=",
                "mtime=",
                "sort=",
                "to-stdout",
                "overwrite",
                "dereference",
                "warning=",
                "no-recursion",
                "wildcards",
                "files-from=",
                "exclude-from=",
                "transform=",
                "touch",
                "keep-old-files",
            ],
        },
    )?;
    let dir = opts.value(&["C", "directory"]).unwrap_or(".").to_string();
    let file = opts.value(&["f", "file"]).unwrap_or("-").to_string();
    let mut tar = Tar {
        dir,
        excludes: Vec::new(),
        verbose: opts.has(&["v", "verbose"]),
    };
    tar.excludes
        .extend(opts.values(&["exclude"]).map(String::from));
    for list in opts.values(&["X", "exclude-from"]) {
        if let Ok(bytes) = call.slurp(list)? {
            tar.excludes
                .extend(String::from_utf8_lossy(&bytes).lines().map(String::from));
        }
    }
    match opts.last(&["c", "create", "x", "extract", "t", "list"]) {
        Some("c" | "create") => tar.create(call, &opts, &file),
        Some("x" | "extract") => tar.read(call, &opts, &file, true),
        Some(_) => tar.read(call, &opts, &file, false),
        None => call.fail(1, "need at least one option"),
    }
}

/// `tar xzf FILE` means `tar -xz -f FILE`: the letters take their arguments in order.
fn bundle(args: &mut Vec<String>) {
    let letters = args.remove(0);
    let mut at = 0;
    let mut options = Vec::new();
    for letter in letters.chars() {
        options.push(format!("-{letter}"));
        if "fCTX".contains(letter) && at < args.len() {
            options.push(args.remove(at));
        }
        at = 0;
    }
    args.splice(0..0, options);
}

struct Tar {
    dir: String,
    excludes: Vec<String>,
    verbose: bool,
}

impl Tar {
    fn excluded(&self, path: &str) -> bool {
        let name = fs::base_name(path);
        self.excludes.iter().any(|pattern| {
            let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
            glob_matches(pattern, path.trim_start_matches("./"))
                || glob_matches(pattern, name)
                || path
                    .trim_start_matches("./")
                    .strip_prefix(pattern)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    fn create(&self, call: &mut Call<'_, '_>, opts: &Opts, file: &str) -> Exit {
        let mut operands = opts.operands.clone();
        for list in opts.values(&["T", "files-from"]) {
            if let Ok(bytes) = call.slurp(list)? {
                operands.extend(String::from_utf8_lossy(&bytes).lines().map(String::from));
            }
        }
        if operands.is_empty() {
            return call.fail(1, "empty archive");
        }
        let mut writer = Writer {
            builder: tar::Builder::new(Vec::new()),
            names: BTreeMap::new(),
            listing: String::new(),
            code: 0,
            follow: if opts.has(&["h", "dereference"]) {
                Follow::Yes
            } else {
                Follow::No
            },
        };
        for operand in &operands {
            let from = match operand.starts_with('/') {
                true => operand.clone(),
                false => format!("{}/{operand}", self.dir),
            };
            self.add(call, &mut writer, &from, operand)?;
        }
        let Writer {
            builder,
            listing,
            mut code,
            ..
        } = writer;
        let mut bytes = match builder.into_inner() {
            Ok(bytes) => bytes,
            Err(error) => return call.fail(1, error),
        };
        // Archives are written in records of 20 blocks.
        bytes.resize(bytes.len().next_multiple_of(10_240), 0);
        let time = cost::archive(call.kernel.host.machine(), bytes.len() as u64);
        call.kernel.spend(time);
        let by_name =
            opts.has(&["a", "auto-compress"]) && (file.ends_with(".gz") || file.ends_with(".tgz"));
        if opts.has(&["z", "gzip"]) || by_name {
            bytes = compress(&bytes);
        } else if opts.has(&["j", "bzip2", "J", "xz"]) {
            return call.fail(1, "writing bzip2 and xz is not simulated: use -z");
        }
        if file == "-" {
            call.out(&bytes)?;
        } else {
            match call.open(file, Access::WRITE) {
                Ok(fd) => {
                    if call.kernel.write(&fd, &bytes).is_err() {
                        return call.fail(1, format_args!("{file}: {}", Errno::Enospc));
                    }
                }
                Err(errno) => code = call.fail(1, format_args!("can't open '{file}': {errno}"))?,
            }
        }
        if self.verbose {
            match file {
                "-" => call.err(listing)?,
                _ => call.out(listing)?,
            }
        }
        Ok(code)
    }

    fn add(
        &self,
        call: &mut Call<'_, '_>,
        writer: &mut Writer,
        from: &str,
        name: &str,
    ) -> Result<(), Stop> {
        call.kernel.round()?;
        if self.excluded(name) {
            return Ok(());
        }
        let process = call.proc.fs.clone();
        let handle = match call.kernel.vfs.stat(&process, from, writer.follow) {
            Ok(handle) => handle,
            Err(errno) => {
                writer.code = call.fail(1, format_args!("{name}: {errno}"))?;
                return Ok(());
            }
        };
        let inode = call.kernel.vfs.inode(handle).clone();
        let inside = name.trim_start_matches('/');
        let shown = if inode.is_dir() {
            format!("{}/", inside.trim_end_matches('/'))
        } else {
            inside.to_string()
        };
        writer.listing += &format!("{shown}\n");
        if !shown.trim_matches('/').is_empty()
            && let Err(error) = writer.entry(call, handle, &shown, &inode.kind, &inode.meta)
        {
            writer.code = call.fail(1, format_args!("{name}: {error}"))?;
        }
        if inode.is_dir() {
            match call.kernel.vfs.read_dir(&process, from) {
                Ok(names) => {
                    for child in names {
                        let from = format!("{}/{child}", from.trim_end_matches('/'));
                        let name = format!("{}/{child}", name.trim_end_matches('/'));
                        self.add(call, writer, &from, &name)?;
                    }
                }
                Err(errno) => {
                    writer.code = call.fail(1, format_args!("can't open '{name}': {errno}"))?
                }
            }
        }
        Ok(())
    }

    fn read(&self, call: &mut Call<'_, '_>, opts: &Opts, file: &str, extract: bool) -> Exit {
        let bytes = match call.slurp(file)? {
            Ok(bytes) => bytes,
            Err(errno) => return call.fail(1, format_args!("can't open '{file}': {errno}")),
        };
        let plain = match compression(&bytes) {
            Some(kind) => match decompress(kind, &bytes) {
                Ok(Some(plain)) => plain,
                Ok(None) => return call.fail(1, "corrupted data"),
                Err(message) => return call.fail(1, message),
            },
            None => bytes,
        };
        let time = cost::archive(call.kernel.host.machine(), plain.len() as u64);
        call.kernel.spend(time);
        if plain.is_empty() {
            return call.fail(1, "short read");
        }
        let entries = match read_tar(&plain) {
            Ok(entries) => entries,
            Err(error) => return call.fail(1, error),
        };
        let strip: usize = opts
            .value(&["strip-components"])
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        let wanted: Vec<&str> = opts
            .operands
            .iter()
            .map(|path| path.trim_start_matches("./").trim_matches('/'))
            .collect();
        let mut code = 0;
        let mut dirs: Vec<(String, Meta)> = Vec::new();
        let mut found = vec![false; wanted.len()];
        for entry in entries {
            call.kernel.round()?;
            let chosen = wanted.iter().position(|wanted| {
                entry.path == *wanted
                    || entry
                        .path
                        .strip_prefix(wanted)
                        .is_some_and(|rest| rest.starts_with('/'))
                    || glob_matches(wanted, &entry.path)
            });
            match chosen {
                Some(at) => found[at] = true,
                None if !wanted.is_empty() => continue,
                None => {}
            }
            if self.excluded(&entry.path) {
                continue;
            }
            let is_dir = matches!(&entry.node, TarNode::Inode(inode) if inode.is_dir());
            let slash = if is_dir { "/" } else { "" };
            if !extract || self.verbose {
                let line = format!("{}{slash}\n", entry.path);
                call.out(line)?;
            }
            if !extract {
                continue;
            }
            let stripped = |path: &str| {
                let rest: Vec<&str> = fs::split(path).skip(strip).collect();
                (!rest.is_empty()).then(|| rest.join("/"))
            };
            let Some(path) = stripped(&entry.path) else {
                continue;
            };
            if opts.has(&["O", "to-stdout"]) {
                if let TarNode::Inode(inode) = &entry.node
                    && let Some(content) = inode.file()
                {
                    let bytes = content.bytes().to_vec();
                    call.out(bytes)?;
                }
                continue;
            }
            let to = format!("{}/{path}", self.dir);
            let made = match &entry.node {
                TarNode::HardLink(first) => match stripped(first) {
                    Some(first) => hard_link(call, &format!("{}/{first}", self.dir), &to),
                    None => Ok(()),
                },
                TarNode::Inode(inode) => {
                    if inode.is_dir() {
                        dirs.push((to.clone(), inode.meta.clone()));
                    }
                    self.place(call, &to, &inode.kind, &inode.meta, opts)
                }
            };
            if let Err(errno) = made {
                code = call.fail(1, format_args!("can't create '{path}': {errno}"))?;
            }
        }
        // Directories last: what is put into one changes its time.
        for (path, meta) in dirs.into_iter().rev() {
            let _ = finish(call, &path, &meta, opts, true);
        }
        for (wanted, _) in wanted.iter().zip(found).filter(|(_, found)| !found) {
            code = call.fail(1, format_args!("{wanted}: not found in archive"))?;
        }
        Ok(code)
    }

    fn place(
        &self,
        call: &mut Call<'_, '_>,
        to: &str,
        kind: &Kind,
        meta: &Meta,
        opts: &Opts,
    ) -> Result<(), Errno> {
        let process = call.proc.fs.clone();
        create::make_dir(call, &format!("{to}/.."), None, true).or_else(|_| {
            let parent = to.rsplit_once('/').map_or(".", |(parent, _)| parent);
            create::make_dir(call, parent, None, true)
        })?;
        if let Kind::Dir(_) = kind {
            if call.kernel.vfs.is_dir(&process, to) {
                return Ok(());
            }
            return call
                .kernel
                .vfs
                .mkdir(&process, to, meta.mode | 0o700)
                .map(|_| ());
        }
        let force = remove::Options {
            recursive: false,
            force: true,
            dir: true,
        };
        if call.kernel.vfs.stat(&process, to, Follow::No).is_ok() {
            remove::remove(call, to, force).map_err(|_| Errno::Eexist)?;
        }
        match kind {
            Kind::File(content) => {
                call.kernel.vfs.write(&process, to, content.clone())?;
            }
            kind => {
                call.kernel
                    .vfs
                    .make(&process, to, kind.clone(), meta.mode)?;
            }
        }
        finish(call, to, meta, opts, false)
    }
}

fn hard_link(call: &mut Call<'_, '_>, from: &str, to: &str) -> Result<(), Errno> {
    let _ = call.kernel.vfs.unlink(&call.proc.fs, to);
    call.kernel.vfs.link(&call.proc.fs, from, to)
}

/// Owner, mode and time of what was unpacked. Owners are root's to give.
fn finish(
    call: &mut Call<'_, '_>,
    path: &str,
    meta: &Meta,
    opts: &Opts,
    is_dir: bool,
) -> Result<(), Errno> {
    let process = call.proc.fs.clone();
    let root = process.cred.uid == 0;
    let vfs = &mut *call.kernel.vfs;
    let is_link = vfs
        .inode(vfs.stat(&process, path, Follow::No)?)
        .link_target()
        .is_some();
    if root && !opts.has(&["o", "no-same-owner"]) {
        vfs.chown(&process, path, (Some(meta.uid), Some(meta.gid)), Follow::No)?;
    }
    if !is_link {
        let keep = opts.has(&["p", "preserve-permissions", "same-permissions"])
            || (root && !opts.has(&["no-same-permissions"]));
        let mode = if keep {
            meta.mode
        } else {
            meta.mode & 0o777 & !process.umask
        };
        vfs.chmod(&process, path, mode)?;
    }
    if !opts.has(&["m", "touch"]) || is_dir {
        vfs.set_mtime(&process, path, meta.mtime, Follow::No)?;
    }
    Ok(())
}

struct Writer {
    builder: tar::Builder<Vec<u8>>,
    /// The first name of each file that has several.
    names: BTreeMap<Handle, String>,
    listing: String,
    code: i32,
    follow: Follow,
}

impl Writer {
    fn entry(
        &mut self,
        call: &Call<'_, '_>,
        handle: Handle,
        name: &str,
        kind: &Kind,
        meta: &Meta,
    ) -> std::io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_mode(meta.mode);
        header.set_uid(meta.uid.into());
        header.set_gid(meta.gid.into());
        header.set_mtime(u64::try_from(meta.mtime.secs()).unwrap_or(0));
        if let Some(user) = users::user_by_id(call.kernel.vfs, meta.uid) {
            header.set_username(&user.name)?;
        }
        if let Some(group) = users::group_by_id(call.kernel.vfs, meta.gid) {
            header.set_groupname(&group.name)?;
        }
        header.set_size(0);
        if call.kernel.vfs.inode(handle).nlink() > 1 && !matches!(kind, Kind::Dir(_)) {
            if let Some(first) = self.names.get(&handle) {
                header.set_entry_type(tar::EntryType::Link);
                return self.builder.append_link(&mut header, name, first);
            }
            self.names.insert(handle, name.to_string());
        }
        match kind {
            Kind::File(content) => {
                header.set_size(content.bytes().len() as u64);
                return self.builder.append_data(&mut header, name, content.bytes());
            }
            Kind::Symlink(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                return self.builder.append_link(&mut header, name, &**target);
            }
            Kind::Dir(_) => header.set_entry_type(tar::EntryType::Directory),
            Kind::Fifo => header.set_entry_type(tar::EntryType::Fifo),
            Kind::CharDevice(major, minor) | Kind::BlockDevice(major, minor) => {
                header.set_entry_type(match kind {
                    Kind::CharDevice(..) => tar::EntryType::Char,
                    _ => tar::EntryType::Block,
                });
                header.set_device_major(*major)?;
                header.set_device_minor(*minor)?;
            }
            Kind::Socket => return Ok(()),
        }
        self.builder
            .append_data(&mut header, name, std::io::empty())?;
        self.builder.get_mut().flush()
    }
}
