//! cp and mv.

use std::collections::BTreeMap;

use super::super::{Call, Exit, Program, Stop, cost};
use super::opts::{Grammar, parse};
use super::remove;
use crate::fs::{self, Errno, Flags, Follow, Handle, Inode, Kind, Meta};

pub(super) const TABLE: &[Program] = &[Program::executed("cp", cp), Program::executed("mv", mv)];

/// How a copy is made.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::run) struct Options {
    /// Directories are entered.
    pub recursive: bool,
    /// Symbolic links are copied as what they lead to, everywhere.
    pub follow: bool,
    /// The same, only for the operands.
    pub follow_operands: bool,
    /// Mode and owner are kept.
    pub attributes: bool,
    /// Times are kept.
    pub times: bool,
    /// Names of one file stay names of one file.
    pub links: bool,
    /// A file that cannot be opened is removed first.
    pub force: bool,
    /// A hard link is made instead of a copy.
    pub hard: bool,
    /// A symbolic link is made instead of a copy.
    pub symbolic: bool,
    /// What exists is left alone.
    pub no_clobber: bool,
    /// Only what is newer or missing is copied.
    pub update: bool,
}

/// Where the files that have several names were copied to.
pub(in crate::run) type Links = BTreeMap<Handle, String>;

fn cp(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "adfHilLnpPrRsTt:uvx",
            long: &[
                "archive",
                "force",
                "link",
                "no-clobber",
                "no-dereference",
                "dereference",
                "no-preserve=",
                "no-target-directory",
                "parents",
                "preserve=",
                "preserve",
                "recursive",
                "symbolic-link",
                "target-directory=",
                "update",
                "verbose",
                "reflink=",
            ],
        },
    )?;
    let archive = opts.has(&["a", "archive"]);
    let recursive = archive || opts.has(&["r", "R", "recursive"]);
    let preserve = archive || opts.has(&["p", "preserve"]);
    let kept: Vec<&str> = opts
        .values(&["preserve"])
        .flat_map(|list| list.split(','))
        .collect();
    let keeps = |what: &str| kept.contains(&what) || kept.contains(&"all");
    let follow_last = opts.last(&[
        "L",
        "dereference",
        "P",
        "no-dereference",
        "d",
        "a",
        "archive",
    ]);
    let follow = match follow_last {
        Some("L" | "dereference") => true,
        Some(_) => false,
        None => !recursive,
    };
    let options = Options {
        recursive,
        follow,
        follow_operands: opts.has(&["H"]),
        attributes: preserve || keeps("mode") || keeps("ownership"),
        times: preserve || keeps("timestamps"),
        links: archive || opts.has(&["d", "p"]) || keeps("links") || recursive,
        force: opts.has(&["f", "force"]),
        hard: opts.has(&["l", "link"]),
        symbolic: opts.has(&["s", "symbolic-link"]),
        no_clobber: opts.has(&["n", "no-clobber"]),
        update: opts.has(&["u", "update"]),
    };
    let Some(Targets {
        sources,
        target,
        into_dir,
    }) = targets(call, &opts)?
    else {
        return Ok(1);
    };
    let mut links = Links::new();
    let mut code = 0;
    for source in &sources {
        let to = if opts.has(&["parents"]) {
            let to = format!("{target}/{}", source.trim_start_matches('/'));
            if let Err(errno) = super::create::make_dir(call, &parent_of(&to), None, true) {
                call.complain(format_args!("can't create directory '{to}': {errno}"))?;
                return Ok(1);
            }
            to
        } else {
            destination(source, &target, into_dir)
        };
        if !copy(call, source, &to, &options, &mut links)? {
            code = 1;
        } else if opts.has(&["v", "verbose"]) {
            call.out(format!("'{source}' -> '{to}'\n"))?;
        }
    }
    Ok(code)
}

fn mv(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "fint:Tuv",
            long: &[
                "force",
                "interactive",
                "no-clobber",
                "target-directory=",
                "no-target-directory",
                "update",
                "verbose",
            ],
        },
    )?;
    let Some(Targets {
        sources,
        target,
        into_dir,
    }) = targets(call, &opts)?
    else {
        return Ok(1);
    };
    let mut code = 0;
    for source in &sources {
        let to = destination(source, &target, into_dir);
        if opts.has(&["n", "no-clobber"])
            && call.kernel.vfs.stat(&call.proc.fs, &to, Follow::No).is_ok()
        {
            continue;
        }
        if !move_one(call, source, &to)? {
            code = 1;
        } else if opts.has(&["v", "verbose"]) {
            call.out(format!("'{source}' -> '{to}'\n"))?;
        }
    }
    Ok(code)
}

fn move_one(call: &mut Call<'_, '_>, source: &str, to: &str) -> Result<bool, Stop> {
    let fs = call.proc.fs.clone();
    let is_dir = |call: &Call<'_, '_>, path: &str| {
        let stat = call.kernel.vfs.stat(&fs, path, Follow::No);
        stat.map(|handle| call.kernel.vfs.inode(handle).is_dir())
    };
    let from = source.trim_end_matches('/');
    let from = if from.is_empty() { source } else { from };
    match call.kernel.vfs.rename(&fs, from, to.trim_end_matches('/')) {
        Ok(()) => return Ok(true),
        Err(Errno::Exdev) => {}
        Err(errno) => {
            call.complain(format_args!("can't rename '{source}': {errno}"))?;
            return Ok(false);
        }
    }
    // Across filesystems, and for directories of lower layers: copy all, then remove.
    if let (Ok(source_dir), Ok(target_dir)) = (is_dir(call, from), is_dir(call, to)) {
        if source_dir && !target_dir {
            call.complain(format_args!("can't overwrite directory '{to}'"))?;
            return Ok(false);
        }
        if source_dir && target_dir {
            if call.kernel.vfs.rmdir(&fs, to).is_err() {
                call.complain(format_args!("can't remove '{to}': {}", Errno::Enotempty))?;
                return Ok(false);
            }
        } else if target_dir {
            call.complain(format_args!("can't overwrite directory with non-directory"))?;
            return Ok(false);
        } else if let Err(errno) = call.kernel.vfs.unlink(&fs, to) {
            call.complain(format_args!("can't remove '{to}': {errno}"))?;
            return Ok(false);
        }
    }
    let options = Options {
        recursive: true,
        attributes: true,
        times: true,
        links: true,
        ..Options::default()
    };
    if !copy(call, from, to, &options, &mut Links::new())? {
        return Ok(false);
    }
    let force = remove::Options {
        recursive: true,
        force: true,
        ..Default::default()
    };
    remove::remove(call, from, force)
}

struct Targets {
    sources: Vec<String>,
    target: String,
    into_dir: bool,
}

/// Sources and target of `cp`, `mv`; nothing after a complaint.
fn targets(call: &mut Call<'_, '_>, opts: &super::opts::Opts) -> Result<Option<Targets>, Stop> {
    let mut sources = opts.operands.clone();
    let named = opts.value(&["t", "target-directory"]).map(String::from);
    let target = match &named {
        Some(dir) => dir.clone(),
        None => match sources.pop() {
            Some(target) if !sources.is_empty() => target,
            _ => {
                call.complain("missing operand")?;
                return Ok(None);
            }
        },
    };
    let into_dir =
        !opts.has(&["T", "no-target-directory"]) && call.kernel.vfs.is_dir(&call.proc.fs, &target);
    if !into_dir && (sources.len() > 1 || named.is_some()) {
        call.complain(format_args!("target '{target}' is not a directory"))?;
        return Ok(None);
    }
    Ok(Some(Targets {
        sources,
        target,
        into_dir,
    }))
}

fn destination(source: &str, target: &str, into_dir: bool) -> String {
    if !into_dir {
        return target.to_string();
    }
    // `cp -r . dir` copies what is in here, not a directory called `.`.
    let last = source
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    match last {
        "" => target.to_string(),
        name => format!("{}/{name}", target.trim_end_matches('/')),
    }
}

fn parent_of(path: &str) -> String {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/".into(),
        Some((dir, _)) => dir.to_string(),
        None => ".".into(),
    }
}

/// Copies a node and, with [`Options::recursive`], what is below. Complains about what it cannot
/// copy, and says whether it could all.
///
/// # Errors
/// Only what ends the program.
pub(in crate::run) fn copy(
    call: &mut Call<'_, '_>,
    from: &str,
    to: &str,
    options: &Options,
    links: &mut Links,
) -> Result<bool, Stop> {
    copy_node(call, from, to, options, links, true)
}

fn copy_node(
    call: &mut Call<'_, '_>,
    from: &str,
    to: &str,
    options: &Options,
    links: &mut Links,
    operand: bool,
) -> Result<bool, Stop> {
    call.kernel.round()?;
    let process = call.proc.fs.clone();
    let follow = options.follow || (operand && options.follow_operands);
    let follow = if follow { Follow::Yes } else { Follow::No };
    let source = match call.kernel.vfs.stat(&process, from, follow) {
        Ok(source) => source,
        Err(errno) => {
            call.complain(format_args!("can't stat '{from}': {errno}"))?;
            return Ok(false);
        }
    };
    let inode = call.kernel.vfs.inode(source).clone();
    let target = call.kernel.vfs.stat(&process, to, Follow::Yes).ok();
    if target == Some(source) && !options.hard && !options.symbolic {
        call.complain(format_args!("'{from}' and '{to}' are the same file"))?;
        return Ok(false);
    }
    if inode.is_dir() {
        return copy_dir(call, (from, &inode), to, options, links);
    }
    if target.is_some_and(|target| call.kernel.vfs.inode(target).is_dir())
        && !matches!(inode.kind, Kind::Symlink(_))
    {
        call.complain(format_args!(
            "can't overwrite directory '{to}' with non-directory"
        ))?;
        return Ok(false);
    }
    if let Some(target) = target {
        let newer = call.kernel.vfs.inode(target).meta.mtime >= inode.meta.mtime;
        if options.no_clobber || (options.update && newer) {
            return Ok(true);
        }
    }
    let done = copy_file(call, (from, source, &inode), to, options, links);
    match done {
        Ok(()) => Ok(true),
        Err(errno) => {
            call.complain(format_args!("can't create '{to}': {errno}"))?;
            Ok(false)
        }
    }
}

fn copy_dir(
    call: &mut Call<'_, '_>,
    (from, inode): (&str, &Inode),
    to: &str,
    options: &Options,
    links: &mut Links,
) -> Result<bool, Stop> {
    let process = call.proc.fs.clone();
    if !options.recursive {
        call.complain(format_args!("omitting directory '{from}'"))?;
        return Ok(false);
    }
    let real = |call: &Call<'_, '_>, path: &str| {
        call.kernel
            .vfs
            .resolve(&process, path, Follow::Yes)
            .map(|spot| spot.path)
    };
    if let (Ok(source), Ok(target)) = (real(call, from), real(call, to)) {
        let inside = target == source
            || target
                .strip_prefix(&source)
                .is_some_and(|rest| rest.starts_with('/'));
        if inside && source != "/" {
            call.complain("recursion detected, omitting directory")?;
            return Ok(false);
        }
    }
    let mut made = false;
    match call.kernel.vfs.stat(&process, to, Follow::Yes) {
        Ok(target) if call.kernel.vfs.inode(target).is_dir() => {}
        Ok(_) => {
            call.complain(format_args!("target '{to}' is not a directory"))?;
            return Ok(false);
        }
        Err(_) => {
            // Writable while it is filled; its own bits come last.
            let mode = inode.meta.mode & 0o777;
            let result = call
                .kernel
                .vfs
                .mkdir(&process, to.trim_end_matches('/'), mode)
                .and_then(|_| match mode & !process.umask & 0o700 {
                    0o700 => Ok(()),
                    _ => {
                        let open = (mode & !process.umask) | 0o700;
                        call.kernel.vfs.chmod(&process, to, open)
                    }
                });
            if let Err(errno) = result {
                call.complain(format_args!("can't create directory '{to}': {errno}"))?;
                return Ok(false);
            }
            made = true;
        }
    }
    let names = match call.kernel.vfs.read_dir(&process, from) {
        Ok(names) => names,
        Err(errno) => {
            call.complain(format_args!("can't open '{from}': {errno}"))?;
            return Ok(false);
        }
    };
    let mut ok = true;
    for name in names {
        let from = format!("{}/{name}", from.trim_end_matches('/'));
        let to = format!("{}/{name}", to.trim_end_matches('/'));
        ok &= call.kernel.vfs.stat(&process, &from, Follow::No).is_err()
            || call_nested(call, &from, &to, options, links)?;
    }
    let mode = match (options.attributes, made) {
        (true, _) => Some(inode.meta.mode),
        (false, true) => Some(inode.meta.mode & 0o777 & !process.umask),
        (false, false) => None,
    };
    if let Some(mode) = mode
        && let Err(errno) = keep(
            call,
            to,
            &Meta {
                mode,
                ..inode.meta.clone()
            },
            options,
            made,
        )
    {
        call.complain(format_args!("can't preserve attributes of '{to}': {errno}"))?;
        ok = false;
    }
    Ok(ok)
}

fn call_nested(
    call: &mut Call<'_, '_>,
    from: &str,
    to: &str,
    options: &Options,
    links: &mut Links,
) -> Result<bool, Stop> {
    copy_node(call, from, to, options, links, false)
}

fn copy_file(
    call: &mut Call<'_, '_>,
    (from, source, inode): (&str, Handle, &Inode),
    to: &str,
    options: &Options,
    links: &mut Links,
) -> Result<(), Errno> {
    let process = call.proc.fs.clone();
    let vfs = &mut *call.kernel.vfs;
    let replace = |vfs: &mut fs::Vfs| match vfs.unlink(&process, to) {
        Ok(()) | Err(Errno::Enoent) => Ok(()),
        Err(errno) => Err(errno),
    };
    if options.hard {
        replace(vfs)?;
        return vfs.link(&process, from, to);
    }
    if options.symbolic {
        return vfs.symlink(&process, from, to).map(|_| ());
    }
    if options.links && inode.nlink() > 1 {
        if let Some(first) = links.get(&source) {
            replace(vfs)?;
            return vfs.link(&process, first, to);
        }
        links.insert(source, to.to_string());
    }
    match &inode.kind {
        Kind::File(content) => {
            let open = Flags {
                create: true,
                truncate: false,
                exclusive: false,
            };
            if !process.cred.may(&inode.meta, 4, false) {
                return Err(Errno::Eacces);
            }
            let mode = inode.meta.mode & 0o777;
            let handle = match vfs.open(&process, to, open, mode) {
                Err(_) if options.force => {
                    replace(vfs)?;
                    vfs.open(&process, to, open, mode)?
                }
                other => other?,
            };
            vfs.write_handle(handle, content.clone())?;
            let time = cost::disk(call.kernel.host.machine(), content.size());
            call.kernel.spend(time);
            keep(call, to, &inode.meta, options, true)
        }
        Kind::Symlink(target) => {
            replace(vfs)?;
            vfs.symlink(&process, target, to)?;
            if options.attributes {
                let owner = (Some(inode.meta.uid), Some(inode.meta.gid));
                let _ = vfs.chown(&process, to, owner, Follow::No);
            }
            if options.times {
                let _ = vfs.set_mtime(&process, to, inode.meta.mtime, Follow::No);
            }
            Ok(())
        }
        kind => {
            replace(vfs)?;
            vfs.make(&process, to, kind.clone(), inode.meta.mode & 0o777)?;
            keep(call, to, &inode.meta, options, true)
        }
    }
}

/// Gives a copy the attributes that it is to keep.
fn keep(
    call: &mut Call<'_, '_>,
    path: &str,
    meta: &Meta,
    options: &Options,
    set_mode: bool,
) -> Result<(), Errno> {
    let process = &call.proc.fs;
    let vfs = &mut *call.kernel.vfs;
    if options.times {
        vfs.set_mtime(process, path, meta.mtime, Follow::Yes)?;
    }
    if options.attributes {
        let mut mode = meta.mode;
        let owner = (Some(meta.uid), Some(meta.gid));
        if vfs.chown(process, path, owner, Follow::Yes).is_err() {
            mode &= 0o1777;
        }
        vfs.chmod(process, path, mode)?;
    } else if set_mode && vfs.is_dir(process, path) {
        vfs.chmod(process, path, meta.mode)?;
    }
    Ok(())
}
