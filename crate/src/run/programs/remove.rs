//! rm, rmdir, unlink.

use super::super::{Call, Exit, Program, Stop};
use super::opts::{Grammar, parse};
use crate::fs::{self, Errno, Follow};

pub(super) const TABLE: &[Program] = &[
    Program::executed("rm", rm),
    Program::executed("rmdir", rmdir),
    Program::executed("unlink", unlink),
];

/// How things are removed.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::run) struct Options {
    /// Directories with all that is in them.
    pub recursive: bool,
    /// No complaint about what is not there.
    pub force: bool,
    /// Empty directories too.
    pub dir: bool,
}

fn rm(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "fiIrRdv",
            long: &[
                "force",
                "recursive",
                "dir",
                "verbose",
                "one-file-system",
                "no-preserve-root",
                "preserve-root",
                "interactive=",
            ],
        },
    )?;
    let options = Options {
        recursive: opts.has(&["r", "R", "recursive"]),
        force: opts.has(&["f", "force"]),
        dir: opts.has(&["d", "dir"]),
    };
    if opts.operands.is_empty() && !options.force {
        return call.fail(1, "missing operand");
    }
    let mut code = 0;
    for path in &opts.operands {
        let last = path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        if matches!(last, "." | "..") {
            code = call.fail(1, "can't remove '.' or '..'")?;
            continue;
        }
        let root = fs::join(&call.proc.fs.cwd, path) == "/";
        if root && options.recursive && !opts.has(&["no-preserve-root"]) {
            let text = "it is dangerous to operate recursively on '/'";
            code = call.fail(1, text)?;
            continue;
        }
        if !remove(call, path, options)? {
            code = 1;
        } else if opts.has(&["v", "verbose"]) {
            call.out(format!("removed '{path}'\n"))?;
        }
    }
    Ok(code)
}

/// Removes a path. Complains about what stays, and says whether all is gone.
///
/// # Errors
/// Only what ends the program.
pub(in crate::run) fn remove(
    call: &mut Call<'_, '_>,
    path: &str,
    options: Options,
) -> Result<bool, Stop> {
    call.kernel.round()?;
    let process = call.proc.fs.clone();
    let bare = match path.trim_end_matches('/') {
        "" => path,
        bare => bare,
    };
    let handle = match call.kernel.vfs.stat(&process, bare, Follow::No) {
        Ok(handle) => handle,
        Err(Errno::Enoent | Errno::Enotdir) if options.force => return Ok(true),
        Err(errno) => {
            call.complain(format_args!("can't remove '{path}': {errno}"))?;
            return Ok(false);
        }
    };
    let removed = if call.kernel.vfs.inode(handle).is_dir() {
        if !options.recursive && !options.dir {
            call.complain(format_args!("'{path}' is a directory"))?;
            return Ok(false);
        }
        let mut ok = true;
        if options.recursive {
            let names = match call.kernel.vfs.read_dir(&process, bare) {
                Ok(names) => names,
                Err(errno) => {
                    call.complain(format_args!("can't open '{path}': {errno}"))?;
                    return Ok(false);
                }
            };
            for name in names {
                ok &= remove(call, &format!("{bare}/{name}"), options)?;
            }
        }
        if !ok {
            return Ok(false);
        }
        call.kernel.vfs.rmdir(&process, bare)
    } else {
        call.kernel.vfs.unlink(&process, bare)
    };
    match removed {
        Ok(()) => Ok(true),
        Err(errno) => {
            call.complain(format_args!("can't remove '{path}': {errno}"))?;
            Ok(false)
        }
    }
}

fn rmdir(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "pv",
            long: &["parents", "ignore-fail-on-non-empty", "verbose"],
        },
    )?;
    let mut code = 0;
    for operand in &opts.operands {
        let mut path = operand.trim_end_matches('/').to_string();
        loop {
            match call.kernel.vfs.rmdir(&call.proc.fs, &path) {
                Ok(()) => {}
                Err(Errno::Enotempty) if opts.has(&["ignore-fail-on-non-empty"]) => break,
                Err(errno) => {
                    code = call.fail(1, format_args!("'{path}': {errno}"))?;
                    break;
                }
            }
            match path.rsplit_once('/') {
                Some((dir, _)) if opts.has(&["p", "parents"]) && !dir.is_empty() => {
                    path = dir.to_string();
                }
                _ => break,
            }
        }
    }
    Ok(code)
}

fn unlink(call: &mut Call<'_, '_>) -> Exit {
    let Some(path) = call.args.first().cloned() else {
        return call.fail(1, "missing operand");
    };
    match call.kernel.vfs.unlink(&call.proc.fs, &path) {
        Ok(()) => Ok(0),
        Err(errno) => call.fail(1, format_args!("can't remove file '{path}': {errno}")),
    }
}
