//! Making nodes: mkdir, mkfifo, mknod, mktemp, touch, truncate, ln, install.

use super::super::{Call, Exit, Program, Stop};
use super::opts::{Grammar, parse};
use super::{copy, mode, owner};
use crate::fs::{self, Content, Errno, Flags, Follow, Kind, Time};

pub(super) const TABLE: &[Program] = &[
    Program::executed("mkdir", mkdir),
    Program::executed("mkfifo", mkfifo),
    Program::executed("mknod", mknod),
    Program::executed("mktemp", mktemp),
    Program::executed("touch", touch),
    Program::executed("truncate", truncate),
    Program::executed("fallocate", truncate),
    Program::executed("ln", ln),
    Program::executed("link", link),
    Program::executed("install", install),
];

fn mkdir(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "pm:v",
            long: &["parents", "mode=", "verbose"],
        },
    )?;
    if opts.operands.is_empty() {
        return call.fail(1, "missing operand");
    }
    let mode = match opts.value(&["m", "mode"]) {
        None => None,
        Some(spec) => match mode::apply(spec, 0o777, true, call.proc.fs.umask) {
            Some(mode) => Some(mode),
            None => return call.fail(1, format_args!("invalid mode '{spec}'")),
        },
    };
    let parents = opts.has(&["p", "parents"]);
    let mut code = 0;
    for path in &opts.operands {
        if let Err(errno) = make_dir(call, path, mode, parents) {
            code = call.fail(1, format_args!("can't create directory '{path}': {errno}"))?;
        }
    }
    Ok(code)
}

/// Makes a directory, and with `parents` the missing ones above it.
pub(in crate::run) fn make_dir(
    call: &mut Call<'_, '_>,
    path: &str,
    mode: Option<u32>,
    parents: bool,
) -> Result<(), Errno> {
    if parents {
        let mut at = String::from(if path.starts_with('/') { "/" } else { "" });
        let parts: Vec<&str> = fs::split(path).collect();
        for part in parts.iter().take(parts.len().saturating_sub(1)) {
            at.push_str(part);
            // What is in between can be entered and written by its owner whatever the umask.
            match call.kernel.vfs.mkdir(&call.proc.fs, &at, 0o777) {
                Ok(_) if call.proc.fs.umask & 0o300 != 0 => {
                    let bits = (0o777 & !call.proc.fs.umask) | 0o300;
                    call.kernel.vfs.chmod(&call.proc.fs, &at, bits)?;
                }
                Ok(_) => {}
                Err(Errno::Eexist) => {}
                Err(_) if call.kernel.vfs.is_dir(&call.proc.fs, &at) => {}
                Err(errno) => return Err(errno),
            }
            at.push('/');
        }
    }
    let trimmed = path.trim_end_matches('/');
    let target = if trimmed.is_empty() { path } else { trimmed };
    match call.kernel.vfs.mkdir(&call.proc.fs, target, 0o777) {
        Ok(_) => {}
        Err(errno) => {
            let there = call.kernel.vfs.is_dir(&call.proc.fs, path);
            return if parents && there { Ok(()) } else { Err(errno) };
        }
    }
    match mode {
        Some(mode) => {
            // A directory that inherits its group keeps the bit that says so.
            let stat = call.kernel.vfs.stat(&call.proc.fs, target, Follow::Yes)?;
            let inherited = call.kernel.vfs.inode(stat).meta.mode & 0o2000;
            call.kernel
                .vfs
                .chmod(&call.proc.fs, target, mode | inherited)
        }
        None => Ok(()),
    }
}

fn mkfifo(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "m:",
            long: &["mode="],
        },
    )?;
    let mut code = 0;
    for path in &opts.operands {
        code |= special(call, path, Kind::Fifo, opts.value(&["m", "mode"]))?;
    }
    Ok(code)
}

fn mknod(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "m:",
            long: &["mode="],
        },
    )?;
    let number = |at: usize| opts.operands.get(at).and_then(|n| n.parse::<u32>().ok());
    let kind = match (
        opts.operands.get(1).map(String::as_str),
        number(2),
        number(3),
    ) {
        (Some("p"), ..) => Kind::Fifo,
        (Some("c" | "u"), Some(major), Some(minor)) => Kind::CharDevice(major, minor),
        (Some("b"), Some(major), Some(minor)) => Kind::BlockDevice(major, minor),
        _ => return call.fail(1, "missing operand"),
    };
    let path = opts.operands[0].clone();
    if call.proc.fs.cred.uid != 0 && !matches!(kind, Kind::Fifo) {
        return call.fail(1, format_args!("{path}: {}", Errno::Eperm));
    }
    special(call, &path, kind, opts.value(&["m", "mode"]))
}

fn special(call: &mut Call<'_, '_>, path: &str, kind: Kind, spec: Option<&str>) -> Exit {
    let mut made = call
        .kernel
        .vfs
        .make(&call.proc.fs, path, kind, 0o666)
        .map(|_| ());
    if let (Ok(()), Some(spec)) = (&made, spec) {
        let Some(mode) = mode::apply(spec, 0o666, false, call.proc.fs.umask) else {
            return call.fail(1, format_args!("invalid mode '{spec}'"));
        };
        made = call.kernel.vfs.chmod(&call.proc.fs, path, mode);
    }
    match made {
        Ok(()) => Ok(0),
        Err(errno) => call.fail(1, format_args!("{path}: {errno}")),
    }
}

fn mktemp(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "dqup:t",
            long: &["directory", "quiet", "dry-run", "tmpdir=", "suffix="],
        },
    )?;
    let template = opts.operands.first().map_or("tmp.XXXXXX", String::as_str);
    let stem = template.trim_end_matches('X');
    let count = template.len() - stem.len();
    if count < 3 {
        return call.fail(1, format_args!("invalid template '{template}'"));
    }
    let tmp = call.proc.env.get("TMPDIR").unwrap_or("/tmp").to_string();
    let dir = match opts.value(&["p", "tmpdir"]) {
        Some(dir) => Some(dir.to_string()),
        None if opts.operands.is_empty() || opts.has(&["t"]) => Some(tmp),
        None => None,
    };
    // Names in order instead of at random: the same run gives the same names.
    for number in 0..10_000_u32 {
        let mut letters = String::new();
        let mut rest = number;
        for _ in 0..count {
            letters.insert(0, char::from(b'a' + (rest % 26) as u8));
            rest /= 26;
        }
        let suffix = opts.value(&["suffix"]).unwrap_or_default();
        let name = format!("{stem}{letters}{suffix}");
        let path = dir
            .as_ref()
            .map_or(name.clone(), |dir| format!("{dir}/{name}"));
        let made = if opts.has(&["d", "directory"]) {
            call.kernel
                .vfs
                .mkdir(&call.proc.fs, &path, 0o700)
                .map(|_| ())
        } else {
            let flags = Flags {
                create: true,
                truncate: false,
                exclusive: true,
            };
            call.kernel
                .vfs
                .open(&call.proc.fs, &path, flags, 0o600)
                .map(|_| ())
        };
        match made {
            Ok(()) => {
                if opts.has(&["u", "dry-run"]) {
                    let _ = call.kernel.vfs.unlink(&call.proc.fs, &path);
                }
                call.out(format!("{path}\n"))?;
                return Ok(0);
            }
            Err(Errno::Eexist) => {}
            Err(errno) => return call.fail(1, format_args!("{path}: {errno}")),
        }
    }
    call.fail(1, "no name is left")
}

fn touch(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "achmd:r:t:f",
            long: &[
                "no-create",
                "date=",
                "reference=",
                "no-dereference",
                "time=",
            ],
        },
    )?;
    let follow = if opts.has(&["h", "no-dereference"]) {
        Follow::No
    } else {
        Follow::Yes
    };
    let time = if let Some(reference) = opts.value(&["r", "reference"]) {
        match call.kernel.vfs.stat(&call.proc.fs, reference, Follow::Yes) {
            Ok(handle) => Some(call.kernel.vfs.inode(handle).meta.mtime),
            Err(errno) => return call.fail(1, format_args!("{reference}: {errno}")),
        }
    } else if let Some(date) = opts.value(&["d", "date", "t"]) {
        match super::date::parse(date, call.kernel.vfs.now()) {
            // busybox takes the time of day from the clock where none is given.
            Some(time) if call.flavour() == super::Flavour::Busybox && is_day(date) => {
                let now = call.kernel.vfs.now().secs();
                Some(Time::from_secs(time.secs() + now.rem_euclid(86_400)))
            }
            Some(time) => Some(time),
            None => return call.fail(1, format_args!("invalid date '{date}'")),
        }
    } else {
        None
    };
    if opts.operands.is_empty() {
        return call.fail(1, "missing operand");
    }
    let mut code = 0;
    for path in &opts.operands {
        if let Err(errno) = touch_one(call, path, time, follow, opts.has(&["c", "no-create"])) {
            code = call.fail(1, format_args!("{path}: {errno}"))?;
        }
    }
    Ok(code)
}

/// Whether a date names no time of day.
fn is_day(date: &str) -> bool {
    date.contains('-') && !date.contains(':')
}

fn touch_one(
    call: &mut Call<'_, '_>,
    path: &str,
    time: Option<Time>,
    follow: Follow,
    no_create: bool,
) -> Result<(), Errno> {
    let fs = &call.proc.fs;
    let spot = call.kernel.vfs.resolve(fs, path, follow)?;
    if spot.ino.is_none() {
        if no_create || follow == Follow::No {
            return Ok(());
        }
        let flags = Flags {
            create: true,
            truncate: false,
            exclusive: false,
        };
        call.kernel.vfs.open(fs, path, flags, 0o666)?;
        if time.is_none() {
            return Ok(());
        }
    }
    let time = time.unwrap_or_else(|| call.kernel.vfs.tick());
    call.kernel.vfs.set_mtime(&call.proc.fs, path, time, follow)
}

fn truncate(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "cs:l:o:",
            long: &["no-create", "size=", "length="],
        },
    )?;
    let Some(spec) = opts.value(&["s", "size", "l", "length"]) else {
        return call.fail(1, "missing size");
    };
    let (sign, digits) = match spec.strip_prefix(['+', '-']) {
        Some(rest) => (spec.chars().next(), rest),
        None => (None, spec),
    };
    let Some(size) = super::number::bytes(digits) else {
        return call.fail(1, format_args!("invalid number '{spec}'"));
    };
    let mut code = 0;
    for path in &opts.operands {
        let flags = Flags {
            create: !opts.has(&["c", "no-create"]),
            truncate: false,
            exclusive: false,
        };
        let done = call
            .kernel
            .vfs
            .open(&call.proc.fs, path, flags, 0o666)
            .and_then(|handle| {
                let old = call
                    .kernel
                    .vfs
                    .inode(handle)
                    .file()
                    .cloned()
                    .unwrap_or_default();
                let len = old.bytes().len() as u64;
                let size = match sign {
                    Some('+') => len + size,
                    Some(_) => len.saturating_sub(size),
                    None => size,
                };
                call.kernel.vfs.write_handle(handle, resized(&old, size))
            });
        match done {
            Ok(()) | Err(Errno::Enoent) if opts.has(&["c", "no-create"]) => {}
            Ok(()) => {}
            Err(errno) => code = call.fail(1, format_args!("{path}: open: {errno}"))?,
        }
    }
    Ok(code)
}

/// Content of another length: cut, or filled with zeros. What is too large to be held is a
/// stand-in.
fn resized(old: &Content, size: u64) -> Content {
    const HELD: u64 = 16 << 20;
    if size > HELD {
        return Content::stand_in(old.bytes().to_vec(), size);
    }
    let mut bytes = old.bytes().to_vec();
    bytes.resize(size as usize, 0);
    Content::new(bytes)
}

fn link(call: &mut Call<'_, '_>) -> Exit {
    let [from, to] = call.args.clone().try_into().map_err(|_| Stop::Exit(1))?;
    match call.kernel.vfs.link(&call.proc.fs, &from, &to) {
        Ok(()) => Ok(0),
        Err(errno) => call.fail(
            1,
            format_args!("can't create link '{to}' to '{from}': {errno}"),
        ),
    }
}

fn ln(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "sfnbS:vTrLPt:i",
            long: &[
                "symbolic",
                "force",
                "no-dereference",
                "no-target-directory",
                "relative",
                "target-directory=",
                "verbose",
                "backup",
            ],
        },
    )?;
    let symbolic = opts.has(&["s", "symbolic"]);
    let mut sources = opts.operands.clone();
    let target = match opts.value(&["t", "target-directory"]) {
        Some(dir) => dir.to_string(),
        None if sources.len() > 1 => sources.pop().unwrap_or_default(),
        None => match sources.first() {
            // A single operand is linked into the working directory.
            Some(source) => fs::base_name(source).to_string(),
            None => return call.fail(1, "missing operand"),
        },
    };
    let no_follow = opts.has(&["n", "no-dereference"]);
    let mut into_dir = call.kernel.vfs.is_dir(&call.proc.fs, &target);
    if into_dir && no_follow {
        let stat = call.kernel.vfs.stat(&call.proc.fs, &target, Follow::No);
        into_dir = stat.is_ok_and(|handle| call.kernel.vfs.inode(handle).is_dir());
    }
    if opts.has(&["T", "no-target-directory"]) {
        into_dir = false;
    }
    if !into_dir && sources.len() > 1 {
        return call.fail(1, format_args!("target '{target}' is not a directory"));
    }
    let mut code = 0;
    for source in &sources {
        let to = if into_dir {
            format!("{}/{}", target.trim_end_matches('/'), fs::base_name(source))
        } else {
            target.clone()
        };
        let source = if symbolic && opts.has(&["r", "relative"]) {
            relative(call, source, &to)
        } else {
            source.clone()
        };
        if opts.has(&["f", "force"]) && source != to {
            let _ = call.kernel.vfs.unlink(&call.proc.fs, &to);
        }
        let done = if symbolic {
            call.kernel
                .vfs
                .symlink(&call.proc.fs, &source, &to)
                .map(|_| ())
        } else {
            hard_link(call, &source, &to, opts.has(&["L"]))
        };
        if let Err(errno) = done {
            let shown = if errno == Errno::Enoent && !symbolic {
                &source
            } else {
                &to
            };
            code = call.fail(1, format_args!("{shown}: {errno}"))?;
        }
    }
    Ok(code)
}

fn hard_link(call: &mut Call<'_, '_>, from: &str, to: &str, follow: bool) -> Result<(), Errno> {
    let from = if follow {
        call.kernel
            .vfs
            .resolve(&call.proc.fs, from, Follow::Yes)?
            .path
    } else {
        from.to_string()
    };
    call.kernel.vfs.link(&call.proc.fs, &from, to)
}

/// `source` as seen from the directory of `to`.
fn relative(call: &Call<'_, '_>, source: &str, to: &str) -> String {
    let cwd = &call.proc.fs.cwd;
    let source = fs::join(cwd, source);
    let dir = fs::parent(&fs::join(cwd, to));
    let (source, dir): (Vec<_>, Vec<_>) = (fs::split(&source).collect(), fs::split(&dir).collect());
    let shared = source.iter().zip(&dir).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; dir.len() - shared];
    parts.extend(&source[shared..]);
    if parts.is_empty() {
        ".".into()
    } else {
        parts.join("/")
    }
}

fn install(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "cdDpsm:o:g:t:vT",
            long: &[
                "directory",
                "mode=",
                "owner=",
                "group=",
                "target-directory=",
                "verbose",
            ],
        },
    )?;
    let umask = call.proc.fs.umask;
    let mode = match opts.value(&["m", "mode"]) {
        None => 0o755,
        Some(spec) => match mode::apply(spec, 0, false, umask) {
            Some(mode) => mode,
            None => return call.fail(1, format_args!("invalid mode '{spec}'")),
        },
    };
    let mut owner = (None, None);
    if let Some(name) = opts.value(&["o", "owner"]) {
        owner.0 = Some(owner::user(call, name)?);
    }
    if let Some(name) = opts.value(&["g", "group"]) {
        owner.1 = Some(owner::group(call, name)?);
    }
    let finish = |call: &mut Call<'_, '_>, path: &str| -> Result<(), Errno> {
        if owner != (None, None) {
            call.kernel
                .vfs
                .chown(&call.proc.fs, path, owner, Follow::Yes)?;
        }
        call.kernel.vfs.chmod(&call.proc.fs, path, mode)
    };
    let mut code = 0;
    if opts.has(&["d", "directory"]) {
        for path in &opts.operands {
            let made = make_dir(call, path, None, true).and_then(|()| finish(call, path));
            if let Err(errno) = made {
                code = call.fail(1, format_args!("can't create directory '{path}': {errno}"))?;
            }
        }
        return Ok(code);
    }
    let mut sources = opts.operands.clone();
    let target = match opts.value(&["t", "target-directory"]) {
        Some(dir) => dir.to_string(),
        None => match sources.pop() {
            Some(target) if !sources.is_empty() => target,
            _ => return call.fail(1, "missing operand"),
        },
    };
    let named_dir = opts.value(&["t", "target-directory"]).is_some();
    if opts.has(&["D"]) {
        let dir = if named_dir {
            target.clone()
        } else {
            fs::parent(&target)
        };
        let dir = if target.starts_with('/') || named_dir {
            dir
        } else {
            fs::parent(&fs::join(&call.proc.fs.cwd, &target))
        };
        if let Err(errno) = make_dir(call, &dir, None, true) {
            return call.fail(1, format_args!("can't create directory '{dir}': {errno}"));
        }
    }
    let into_dir = call.kernel.vfs.is_dir(&call.proc.fs, &target) && !opts.has(&["T"]);
    for source in &sources {
        let to = if into_dir {
            format!("{}/{}", target.trim_end_matches('/'), fs::base_name(source))
        } else {
            target.clone()
        };
        // The old file is not written over: it goes, and a new one is made.
        let _ = call.kernel.vfs.unlink(&call.proc.fs, &to);
        let options = copy::Options {
            follow: true,
            times: opts.has(&["p"]),
            ..copy::Options::default()
        };
        if !copy::copy(call, source, &to, &options, &mut copy::Links::default())? {
            code = 1;
        } else if let Err(errno) = finish(call, &to) {
            code = call.fail(1, format_args!("{to}: {errno}"))?;
        }
    }
    Ok(code)
}
