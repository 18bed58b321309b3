//! tar: its command line, and listing.

use super::super::super::io::Access;
use super::super::super::{Call, Exit, Fidelity, Flavour, Program, Stop, cost, glob_matches};
use super::super::input;
use super::super::opts::{Grammar, Opts, parse};
use super::codec::Codec;
use super::{pack, unpack};

pub(super) const TABLE: &[Program] = &[Program::executed("tar", tar)];

const GRAMMAR: Grammar<'_> = Grammar {
    short: "cxtrudvzjJaf:C:OpkomT:X:hPlnswSWBgZ",
    long: &[
        "create",
        "extract",
        "get",
        "list",
        "append",
        "update",
        "verbose",
        "gzip",
        "gunzip",
        "bzip2",
        "xz",
        "lzma",
        "zstd",
        "auto-compress",
        "use-compress-program=",
        "file=",
        "directory=",
        "to-stdout",
        "same-permissions",
        "preserve-permissions",
        "no-same-permissions",
        "same-owner",
        "no-same-owner",
        "numeric-owner",
        "keep-old-files",
        "skip-old-files",
        "keep-newer-files",
        "overwrite",
        "unlink-first",
        "no-overwrite-dir",
        "touch",
        "files-from=",
        "exclude=",
        "exclude-from=",
        "exclude-vcs",
        "dereference",
        "absolute-names",
        "strip-components=",
        "no-recursion",
        "owner=",
        "group=",
        "mode=",
        "mtime=",
        "sort=",
        "format=",
        "transform=",
        "wildcards",
        "no-wildcards",
        "anchored",
        "no-anchored",
        "warning=",
        "checkpoint=",
        "checkpoint-action=",
        "totals",
        "delay-directory-restore",
        "no-xattrs",
        "xattrs",
        "acls",
        "selinux",
        "sparse",
        "ignore-failed-read",
        "remove-files",
        "one-file-system",
        "null",
        "warning=",
    ],
};

/// The first word may be options without a dash, their arguments behind it in order.
fn old_style(call: &mut Call<'_, '_>) {
    let Some(first) = call
        .args
        .first()
        .filter(|word| !word.starts_with('-'))
        .cloned()
    else {
        return;
    };
    let mut rest = call.args.drain(1..).collect::<Vec<_>>().into_iter();
    let mut args = Vec::new();
    for letter in first.chars() {
        args.push(format!("-{letter}"));
        if "fCTXb".contains(letter) {
            args.extend(rest.next());
        }
    }
    args.extend(rest);
    call.args = args;
}

fn tar(call: &mut Call<'_, '_>) -> Exit {
    old_style(call);
    let opts = parse(call, GRAMMAR)?;
    let modes: [(&[&str], char); 4] = [
        (&["c", "create"], 'c'),
        (&["x", "extract", "get"], 'x'),
        (&["t", "list"], 't'),
        (&["r", "u", "append", "update"], 'r'),
    ];
    let chosen: Vec<char> = modes
        .iter()
        .filter(|(names, _)| opts.has(names))
        .map(|(_, mode)| *mode)
        .collect();
    let mode = match (&chosen[..], call.flavour()) {
        ([mode], _) => *mode,
        (_, Flavour::Busybox) => {
            call.err("BusyBox v1.35.0 multi-call binary.\n\nUsage: tar c|x|t [FILE]...\n")?;
            return Ok(1);
        }
        (_, Flavour::Gnu) => {
            call.complain(
                "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options",
            )?;
            return Ok(2);
        }
    };
    let unknown_codec = opts.has(&["Z", "zstd"])
        || opts
            .value(&["use-compress-program"])
            .is_some_and(|program| !program.contains("gzip"));
    if unknown_codec || (mode == 'r') || (mode == 'c' && opts.has(&["j", "bzip2"])) {
        call.kernel.mark(Fidelity::NotSimulated);
        return Ok(0);
    }
    let mut excluded: Vec<String> = opts.values(&["exclude"]).map(String::from).collect();
    for path in opts.values(&["X", "exclude-from"]) {
        let Some(bytes) = input::slurp(call, path)? else {
            return Ok(1);
        };
        excluded.extend(input::decode(&bytes).lines().map(String::from));
    }
    if opts.has(&["exclude-vcs"]) {
        excluded.extend([".git", ".gitignore", ".svn", ".hg"].map(String::from));
    }
    let mut names = opts.operands.clone();
    for path in opts.values(&["T", "files-from"]) {
        let Some(bytes) = input::slurp(call, path)? else {
            return Ok(1);
        };
        let text = input::decode(&bytes);
        let end = if opts.has(&["null"]) { '\0' } else { '\n' };
        let lines = text.split(end).filter(|line| !line.is_empty());
        names.extend(lines.map(String::from));
    }
    let archive = opts.value(&["f", "file"]).unwrap_or("-").to_string();
    if mode == 'c' {
        return create(call, &opts, &archive, &names, &excluded);
    }
    let Some(bytes) = input::slurp(call, &archive)? else {
        return failure(call);
    };
    let spent = cost::archive(call.kernel.host.machine(), bytes.len() as u64);
    call.kernel.spend(spent);
    let codec = Codec::detect(&bytes).or(opts.has(&["lzma"]).then_some(Codec::Lzma));
    let plain = match codec {
        None if opts.has(&["z", "gzip", "gunzip"]) && !bytes.is_empty() => {
            match call.flavour() {
                Flavour::Busybox => call.complain("invalid magic")?,
                Flavour::Gnu => {
                    call.err("\ngzip: stdin: not in gzip format\n")?;
                    call.complain("Child returned status 1")?;
                }
            }
            if call.flavour() == Flavour::Busybox {
                return call.fail(1, "short read");
            }
            return failure(call);
        }
        None => bytes,
        Some(codec) => match codec.unpack(&bytes) {
            Some(plain) => plain,
            None => {
                let text = match call.flavour() {
                    Flavour::Busybox => "corrupted data",
                    Flavour::Gnu => "Unexpected EOF in archive",
                };
                call.complain(text)?;
                if call.flavour() == Flavour::Busybox {
                    return call.fail(1, "short read");
                }
                return failure(call);
            }
        },
    };
    let mut selection = unpack::Selection::new(&names, &excluded, &opts);
    enter(call, &opts)?;
    let mut code = unpack::run(call, &plain, &opts, &selection, mode == 't')?;
    for name in selection.missing() {
        let text = match call.flavour() {
            Flavour::Busybox => format!("{name}: not found in archive"),
            Flavour::Gnu => format!("{name}: Not found in archive"),
        };
        code = call.fail(1, text)?;
    }
    match code {
        0 => Ok(0),
        _ => failure(call),
    }
}

/// The exit after something went wrong.
fn failure(call: &mut Call<'_, '_>) -> Exit {
    match call.flavour() {
        Flavour::Busybox => Ok(1),
        Flavour::Gnu => call.fail(2, "Exiting with failure status due to previous errors"),
    }
}

/// `-C`
fn enter(call: &mut Call<'_, '_>, opts: &Opts) -> Result<(), Stop> {
    let Some(dir) = opts.value(&["C", "directory"]) else {
        return Ok(());
    };
    let stat = call
        .kernel
        .vfs
        .stat(&call.proc.fs, dir, crate::fs::Follow::Yes);
    let problem = match stat {
        Ok(handle) if call.kernel.vfs.inode(handle).is_dir() => None,
        Ok(_) => Some(crate::fs::Errno::Enotdir),
        Err(errno) => Some(errno),
    };
    if let Some(errno) = problem {
        let text = match call.flavour() {
            Flavour::Busybox => format!("can't change directory to '{dir}': {errno}"),
            Flavour::Gnu => format!("{dir}: Cannot open: {errno}"),
        };
        call.complain(text)?;
        if call.flavour() == Flavour::Gnu {
            call.complain("Error is not recoverable: exiting now")?;
            return Err(Stop::Exit(2));
        }
        return Err(Stop::Exit(1));
    }
    call.proc.fs.cwd = crate::fs::join(&call.proc.fs.cwd, dir);
    Ok(())
}

fn create(
    call: &mut Call<'_, '_>,
    opts: &Opts,
    archive: &str,
    names: &[String],
    excluded: &[String],
) -> Exit {
    if names.is_empty() && !opts.has(&["T", "files-from"]) {
        return match call.flavour() {
            Flavour::Busybox => call.fail(1, "empty archive"),
            Flavour::Gnu => call.fail(2, "Cowardly refusing to create an empty archive"),
        };
    }
    // The archive is opened before the directory is changed, and before anything is read.
    let target = match archive {
        "-" => None,
        path => match call.open(path, Access::WRITE) {
            Ok(fd) => Some(fd),
            Err(errno) => {
                let text = match call.flavour() {
                    Flavour::Busybox => format!("can't open '{path}': {errno}"),
                    Flavour::Gnu => format!("{path}: Cannot open: {errno}"),
                };
                return call.fail(if call.flavour() == Flavour::Gnu { 2 } else { 1 }, text);
            }
        },
    };
    let own = match archive {
        "-" => None,
        path => call
            .kernel
            .vfs
            .stat(&call.proc.fs, path, crate::fs::Follow::Yes)
            .ok(),
    };
    enter(call, opts)?;
    let verbose = opts.has(&["v", "verbose"]);
    let packed = pack::run(
        call,
        names,
        &pack::Settings {
            excluded,
            own,
            verbose: verbose.then_some(target.is_none()),
            follow: opts.has(&["h", "dereference"]),
            recursive: !opts.has(&["no-recursion"]),
            absolute: opts.has(&["P", "absolute-names"]),
            opts,
        },
    )?;
    let auto = opts.has(&["a", "auto-compress"]);
    let ends = |end: &[&str]| auto && end.iter().any(|end| archive.ends_with(end));
    let codec = if opts.has(&["z", "gzip"])
        || opts.has(&["use-compress-program"])
        || ends(&[".gz", ".tgz"])
    {
        Some(Codec::Gzip)
    } else if opts.has(&["J", "xz"]) || ends(&[".xz", ".txz"]) {
        Some(Codec::Xz)
    } else if opts.has(&["lzma"]) {
        Some(Codec::Lzma)
    } else {
        None
    };
    let spent = cost::archive(call.kernel.host.machine(), packed.bytes.len() as u64);
    call.kernel.spend(spent);
    let bytes = match codec {
        Some(codec) => codec.pack(&packed.bytes, 6).unwrap_or_default(),
        None => packed.bytes,
    };
    match target {
        None => call.out(bytes)?,
        Some(fd) => {
            if let Err(errno) = input::write(call, &fd, &bytes)? {
                return call.fail(1, format_args!("write error: {errno}"));
            }
        }
    }
    match (packed.failed, call.flavour()) {
        (false, _) => Ok(0),
        (true, Flavour::Busybox) => call.fail(1, "error exit delayed from previous errors"),
        (true, Flavour::Gnu) => failure(call),
    }
}

/// Whether a member is excluded: a pattern fits its name, the end of it, or a directory above it.
pub(super) fn is_excluded(name: &str, patterns: &[String]) -> bool {
    let name = name.trim_end_matches('/');
    let fits = |pattern: &str, name: &str| {
        let parts: Vec<&str> = name.split('/').collect();
        (0..parts.len()).any(|from| {
            (from == 0 || !pattern.starts_with('/'))
                && (from + 1..=parts.len())
                    .any(|to| glob_matches(pattern, &parts[from..to].join("/")))
        })
    };
    patterns.iter().any(|pattern| {
        let pattern = pattern.trim_end_matches('/');
        fits(pattern, name)
            || name
                .strip_prefix("./")
                .is_some_and(|bare| fits(pattern, bare))
    })
}
