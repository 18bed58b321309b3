//! chmod, chown, chgrp.

use super::super::{Call, Exit, Program, Stop, cost, users};
use super::mode;
use super::opts::{Grammar, parse};
use crate::fs::{Errno, Follow};

pub(super) const TABLE: &[Program] = &[
    Program::executed("chmod", chmod),
    Program::executed("chown", chown),
    Program::executed("chgrp", chgrp),
];

fn chmod(call: &mut Call<'_, '_>) -> Exit {
    // `chmod -x file` is a mode, not an option.
    let mut spec = None;
    let is_mode = |arg: &String| {
        arg.strip_prefix('-').is_some_and(|rest| {
            rest.starts_with(|c| "rwxXstugoa".contains(c)) && !rest.contains('R')
        })
    };
    if let Some(at) = call.args.iter().position(is_mode) {
        spec = Some(call.args.remove(at));
    }
    let opts = parse(
        call,
        Grammar {
            short: "Rcfv",
            long: &["recursive", "verbose", "reference=", "changes", "silent"],
        },
    )?;
    let mut paths = opts.operands.clone();
    if let Some(reference) = opts.value(&["reference"]) {
        match call.kernel.vfs.stat(&call.proc.fs, reference, Follow::Yes) {
            Ok(handle) => spec = Some(format!("{:o}", call.kernel.vfs.inode(handle).meta.mode)),
            Err(errno) => return call.fail(1, format_args!("{reference}: {errno}")),
        }
    }
    let spec = match spec {
        Some(spec) => spec,
        None if paths.is_empty() => return call.fail(1, "missing operand"),
        None => paths.remove(0),
    };
    if mode::apply(&spec, 0, false, 0).is_none() {
        return call.fail(1, format_args!("invalid mode '{spec}'"));
    }
    let recursive = opts.has(&["R", "recursive"]);
    let mut code = 0;
    for path in &paths {
        code |= walk(call, path, recursive, true, &mut |call, path| {
            let process = &call.proc.fs;
            let handle = call.kernel.vfs.stat(process, path, Follow::Yes)?;
            let inode = call.kernel.vfs.inode(handle);
            let (old, is_dir) = (inode.meta.mode, inode.is_dir());
            let Some(new) = mode::apply(&spec, old, is_dir, process.umask) else {
                return Err(Errno::Einval);
            };
            // An octal mode of up to four digits leaves a directory's set-ID bits as they are.
            let octal = spec.starts_with(|c: char| c.is_ascii_digit());
            let keep =
                if octal && is_dir && spec.len() <= 4 && call.flavour() == super::Flavour::Gnu {
                    old & 0o6000
                } else {
                    0
                };
            call.kernel.vfs.chmod(process, path, new | keep)
        })?;
    }
    Ok(code)
}

fn chown(call: &mut Call<'_, '_>) -> Exit {
    change_owner(call, |call, spec| {
        let (user, group) = match spec.split_once(':').or_else(|| spec.split_once('.')) {
            Some((user, group)) => (user, Some(group)),
            None => (spec, None),
        };
        let mut owner = (None, None);
        if !user.is_empty() {
            owner.0 = Some(self::user(call, user)?);
        }
        match group {
            Some("") if !user.is_empty() => {
                let found = users::user(call.kernel.vfs, user)
                    .or_else(|| users::user_by_id(call.kernel.vfs, owner.0.unwrap_or(0)));
                owner.1 = found.map(|user| user.gid);
            }
            Some("") | None => {}
            Some(name) => owner.1 = Some(self::group(call, name)?),
        }
        Ok(owner)
    })
}

fn chgrp(call: &mut Call<'_, '_>) -> Exit {
    change_owner(call, |call, spec| Ok((None, Some(group(call, spec)?))))
}

type Owner = (Option<u32>, Option<u32>);

fn change_owner(
    call: &mut Call<'_, '_>,
    read: impl FnOnce(&mut Call<'_, '_>, &str) -> Result<Owner, Stop>,
) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "RhHLPcfv",
            long: &[
                "recursive",
                "no-dereference",
                "dereference",
                "verbose",
                "reference=",
                "changes",
                "silent",
                "from=",
            ],
        },
    )?;
    let mut paths = opts.operands.clone();
    let owner = if let Some(reference) = opts.value(&["reference"]) {
        match call.kernel.vfs.stat(&call.proc.fs, reference, Follow::Yes) {
            Ok(handle) => {
                let meta = &call.kernel.vfs.inode(handle).meta;
                (Some(meta.uid), Some(meta.gid))
            }
            Err(errno) => return call.fail(1, format_args!("{reference}: {errno}")),
        }
    } else if paths.is_empty() {
        return call.fail(1, "missing operand");
    } else {
        let spec = paths.remove(0);
        read(call, &spec)?
    };
    let recursive = opts.has(&["R", "recursive"]);
    let no_follow = opts.has(&["h", "no-dereference"]);
    // With -R, GNU leaves links' targets alone and changes the links themselves.
    let follow = if no_follow || (recursive && call.flavour() == super::Flavour::Gnu) {
        Follow::No
    } else {
        Follow::Yes
    };
    let mut code = 0;
    for path in &paths {
        code |= walk(call, path, recursive, false, &mut |call, path| {
            call.kernel.vfs.chown(&call.proc.fs, path, owner, follow)
        })?;
    }
    Ok(code)
}

/// Does `act` to a path and, if `recursive`, to all that is below it. Symbolic links found on the
/// way are not followed; `skip_links` passes over them altogether.
fn walk(
    call: &mut Call<'_, '_>,
    path: &str,
    recursive: bool,
    skip_links: bool,
    act: &mut dyn FnMut(&mut Call<'_, '_>, &str) -> Result<(), Errno>,
) -> Exit {
    let mut code = 0;
    call.kernel.round()?;
    call.kernel.spend(cost::INODE);
    if let Err(errno) = act(call, path) {
        code = call.fail(1, format_args!("{path}: {errno}"))?;
        if errno == Errno::Enoent {
            return Ok(code);
        }
    }
    if !recursive {
        return Ok(code);
    }
    let is_dir = |call: &Call<'_, '_>, path: &str| {
        let stat = call.kernel.vfs.stat(&call.proc.fs, path, Follow::No);
        stat.map(|handle| call.kernel.vfs.inode(handle).is_dir())
    };
    if !is_dir(call, path).unwrap_or(false) {
        return Ok(code);
    }
    let names = match call.kernel.vfs.read_dir(&call.proc.fs, path) {
        Ok(names) => names,
        Err(errno) => return call.fail(1, format_args!("{path}: {errno}")),
    };
    for name in names {
        let path = format!("{}/{name}", path.trim_end_matches('/'));
        let stat = call.kernel.vfs.stat(&call.proc.fs, &path, Follow::No);
        let is_link =
            stat.is_ok_and(|handle| call.kernel.vfs.inode(handle).link_target().is_some());
        if is_link && skip_links {
            continue;
        }
        code |= walk(call, &path, true, skip_links, act)?;
    }
    Ok(code)
}

/// The number of a user by name or number.
///
/// # Errors
/// [`Stop::Exit`] after a complaint.
pub(in crate::run) fn user(call: &mut Call<'_, '_>, name: &str) -> Result<u32, Stop> {
    if let Some(user) = users::user(call.kernel.vfs, name) {
        return Ok(user.uid);
    }
    if let Ok(uid) = name.parse() {
        return Ok(uid);
    }
    let text = match call.flavour() {
        super::Flavour::Busybox => format!("unknown user {name}"),
        super::Flavour::Gnu => format!("invalid user: '{name}'"),
    };
    call.complain(text)?;
    Err(Stop::Exit(1))
}

/// The number of a group by name or number.
///
/// # Errors
/// [`Stop::Exit`] after a complaint.
pub(in crate::run) fn group(call: &mut Call<'_, '_>, name: &str) -> Result<u32, Stop> {
    if let Some(group) = users::group(call.kernel.vfs, name) {
        return Ok(group.gid);
    }
    if let Ok(gid) = name.parse() {
        return Ok(gid);
    }
    let text = match call.flavour() {
        super::Flavour::Busybox => format!("unknown group {name}"),
        super::Flavour::Gnu => format!("invalid group: '{name}'"),
    };
    call.complain(text)?;
    Err(Stop::Exit(1))
}
