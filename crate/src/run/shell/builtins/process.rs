//! What echo and its like print, and the working directory and umask of the process.

use super::super::super::Kernel;
use super::super::super::programs::{print, test};
use super::super::{Dialect, Result, Shell};
use crate::fs::{self, Errno, Follow};

pub(super) fn bracket(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut rest = &args[1..];
    if args[0] == "[" {
        match rest.split_last() {
            Some((last, more)) if last == "]" => rest = more,
            _ => {
                shell.complain(k, "missing ]")?;
                return Ok(2);
            }
        }
    }
    match test::evaluate(k, &shell.proc, rest) {
        Ok(holds) => Ok(i32::from(!holds)),
        Err(message) => {
            shell.complain(k, message)?;
            Ok(2)
        }
    }
}

pub(super) fn echo(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let text = print::echo_with(&args[1..], shell.dialect == Dialect::Dash);
    match shell.out(k, text)? {
        true => Ok(0),
        false => {
            shell.complain(k, "write error: Bad file descriptor")?;
            Ok(1)
        }
    }
}

pub(super) fn printf(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut rest = &args[1..];
    if rest.first().is_some_and(|arg| arg == "--") {
        rest = &rest[1..];
    }
    let variable = match rest {
        [option, name, ..] if option == "-v" && shell.dialect == Dialect::Bash => {
            let name = name.clone();
            rest = &rest[2..];
            Some(name)
        }
        _ => None,
    };
    let Some((format, rest)) = rest.split_first() else {
        shell.complain(k, "usage: printf FORMAT [ARG]...")?;
        return Ok(2);
    };
    let printed = print::printf(format, rest);
    for error in &printed.errors {
        shell.complain(k, error)?;
    }
    match variable {
        Some(name) => {
            let text = String::from_utf8_lossy(&printed.out).into_owned();
            shell.set_variable(k, &name, text)?;
        }
        None => {
            shell.out(k, &printed.out)?;
        }
    }
    Ok(printed.code)
}

pub(super) fn cd(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut physical = false;
    let mut rest = &args[1..];
    while let Some(option) = rest.first() {
        match option.as_str() {
            "-P" => physical = true,
            "-L" => physical = false,
            "--" => {
                rest = &rest[1..];
                break;
            }
            _ => break,
        }
        rest = &rest[1..];
    }
    let mut shown = false;
    let target = match rest.first().map(String::as_str) {
        None => match shell.vars.text("HOME") {
            Some(home) => home.to_string(),
            None => return Ok(0),
        },
        Some("-") => {
            shown = true;
            shell.vars.text("OLDPWD").unwrap_or(".").to_string()
        }
        Some("") => ".".to_string(),
        Some(path) => path.to_string(),
    };
    let is_relative =
        !target.starts_with('/') && !matches!(target.split('/').next(), Some("." | ".."));
    let found = shell
        .vars
        .text("CDPATH")
        .filter(|_| is_relative)
        .and_then(|dirs| {
            let mut paths = dirs.split(':').filter(|dir| !dir.is_empty());
            let path = paths.find(|dir| k.vfs.is_dir(&shell.proc.fs, &format!("{dir}/{target}")));
            path.map(|dir| format!("{dir}/{target}"))
        });
    let old = shell
        .vars
        .text("PWD")
        .unwrap_or(&shell.proc.fs.cwd)
        .to_string();
    let logical = fs::join(&old, found.as_ref().unwrap_or(&target));
    let path = if physical {
        target.clone()
    } else {
        logical.clone()
    };
    let spot = k
        .vfs
        .resolve(&shell.proc.fs, &path, Follow::Yes)
        .and_then(|spot| {
            let inode = k.vfs.inode(spot.handle()?);
            match (inode.is_dir(), shell.proc.fs.cred.may(&inode.meta, 1, true)) {
                (false, _) => Err(Errno::Enotdir),
                (true, false) => Err(Errno::Eacces),
                (true, true) => Ok(spot),
            }
        });
    let spot = match spot {
        Ok(spot) => spot,
        Err(errno) => {
            let (code, text) = match shell.dialect {
                Dialect::Ash => (2, format!("can't cd to {target}: {errno}")),
                Dialect::Dash => (2, format!("can't cd to {target}")),
                Dialect::Bash => (1, format!("{target}: {errno}")),
            };
            shell.complain(k, text)?;
            return Ok(code);
        }
    };
    let shown_path = if physical { spot.path.clone() } else { logical };
    shell.proc.fs.cwd = spot.path;
    shell.set_variable(k, "OLDPWD", old)?;
    shell.set_variable(k, "PWD", shown_path.clone())?;
    shell.vars.entry("PWD").exported = true;
    shell.vars.entry("OLDPWD").exported = true;
    if shown || found.is_some() {
        shell.out(k, format!("{shown_path}\n"))?;
    }
    Ok(0)
}

pub(super) fn pwd(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let physical = args.get(1).is_some_and(|arg| arg == "-P");
    let path = match shell.vars.text("PWD") {
        Some(path) if !physical => path.to_string(),
        _ => shell.proc.fs.cwd.clone(),
    };
    shell.out(k, format!("{path}\n"))?;
    Ok(0)
}

pub(super) fn umask(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mask = shell.proc.fs.umask;
    match args.get(1).map(String::as_str) {
        None => {
            shell.out(k, format!("{mask:04o}\n"))?;
        }
        Some("-S") => {
            let part = |shift: u32| {
                let bits = !(mask >> shift);
                let letters = [(4, 'r'), (2, 'w'), (1, 'x')];
                letters
                    .iter()
                    .filter(|(bit, _)| bits & bit != 0)
                    .map(|(_, c)| *c)
                    .collect::<String>()
            };
            shell.out(k, format!("u={},g={},o={}\n", part(6), part(3), part(0)))?;
        }
        Some(text) => {
            let mask = match u32::from_str_radix(text, 8) {
                Ok(mask) if mask <= 0o777 => Some(mask),
                Ok(_) => None,
                // A symbolic mask says what stays, not what goes.
                Err(_) => super::super::super::programs::mode::apply(text, !mask & 0o777, true, 0)
                    .map(|mode| !mode & 0o777),
            };
            match mask {
                Some(mask) => shell.proc.fs.umask = mask,
                None => return Err(shell.error(k, 2, format!("illegal mode: {text}"))?),
            }
        }
    }
    Ok(0)
}
