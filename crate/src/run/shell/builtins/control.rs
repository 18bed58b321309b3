//! What runs next: other scripts, programs, the way out of loops and shells.

use super::super::super::Kernel;
use super::super::{Dialect, Jump, Result, Shell};
use super::find;
use crate::fs::{self, Errno, Follow};

pub(super) fn leave(
    shell: &mut Shell,
    k: &mut Kernel<'_>,
    args: &[String],
    jump: fn(u32) -> Jump,
) -> Result<i32> {
    let count = match args.get(1) {
        None => 1,
        Some(text) => match text.parse::<u32>() {
            Ok(count) if count > 0 => count,
            _ => return Err(shell.error(k, 2, format!("Illegal number: {text}"))?),
        },
    };
    match shell.loops {
        0 => Ok(0),
        loops => Err(jump(count.min(loops))),
    }
}

pub(super) fn source(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let Some(name) = args.get(1) else {
        return Err(shell.error(k, 2, "filename argument required")?);
    };
    let path = match name.contains('/') {
        true => name.clone(),
        false => {
            let dirs = shell.vars.text("PATH").unwrap_or_default().to_string();
            let found = dirs.split(':').find_map(|dir| {
                let path = format!("{dir}/{name}");
                let stat = k.vfs.stat(&shell.proc.fs, &path, Follow::Yes);
                stat.is_ok_and(|handle| k.vfs.inode(handle).file().is_some())
                    .then_some(path)
            });
            found.unwrap_or_else(|| name.clone())
        }
    };
    let content = match k.vfs.read(&shell.proc.fs, &path) {
        Ok(content) => content,
        // A device such as /dev/null has nothing to say.
        Err(Errno::Einval) => fs::Content::default(),
        Err(errno) => {
            let text = match shell.dialect {
                Dialect::Bash => format!("{name}: {errno}"),
                _ => format!("can't open '{name}': {errno}"),
            };
            if shell.dialect == Dialect::Bash {
                shell.complain(k, text)?;
                return Ok(1);
            }
            return Err(shell.error(k, 2, text)?);
        }
    };
    let text = String::from_utf8_lossy(content.bytes()).into_owned();
    let positional = match args.len() {
        2 => None,
        _ => Some(std::mem::replace(
            &mut shell.positional,
            std::rc::Rc::new(args[2..].to_vec()),
        )),
    };
    shell.sourced += 1;
    let builtin = shell.builtin.take();
    let mut result = Ok(0);
    let nested = k.nested(|k| {
        result = shell.run_text(k, &text, shell.tested);
        Ok(())
    });
    shell.builtin = builtin;
    shell.sourced -= 1;
    if let Some(positional) = positional {
        shell.positional = positional;
    }
    nested?;
    match result {
        Err(Jump::Return(code)) => Ok(code),
        other => other,
    }
}

pub(super) fn eval(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let rest = match args.get(1).map(String::as_str) {
        Some("--") => &args[2..],
        _ => &args[1..],
    };
    let text = rest.join(" ");
    let builtin = shell.builtin.clone();
    let mut result = Ok(0);
    k.nested(|k| {
        result = shell.run_text(k, &text, shell.tested);
        Ok(())
    })?;
    shell.builtin = builtin;
    result
}

pub(super) fn exec(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut rest = &args[1..];
    while let Some(option) = rest.first() {
        match option.as_str() {
            "--" => {
                rest = &rest[1..];
                break;
            }
            "-a" if rest.len() > 2 => rest = &rest[2..],
            option if option.starts_with('-') && option.len() > 1 => rest = &rest[1..],
            _ => break,
        }
    }
    if rest.is_empty() {
        return Ok(0);
    }
    let mut child = shell.proc.clone();
    child.env = shell.vars.environment();
    child.args = rest.to_vec();
    if let Err(error) = k.find(&child, &rest[0])
        && error != super::super::super::ExecError::Format
    {
        let (code, text) = shell.not_started(k, &rest[0], error);
        return Err(shell.error(k, code, text)?);
    }
    shell.builtin = None;
    let code = shell.program(k, rest.to_vec())?;
    // The process is another program now: its traps are gone.
    shell.traps = Default::default();
    Err(Jump::Exit(code))
}

pub(super) fn exit(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let code = match args.get(1) {
        None => shell.status,
        Some(text) => match text.parse::<i32>() {
            Ok(code) => code & 0xff,
            Err(_) => return Err(shell.error(k, 2, format!("Illegal number: {text}"))?),
        },
    };
    match args[0].as_str() {
        "return" => Err(Jump::Return(code)),
        _ => Err(Jump::Exit(code)),
    }
}

pub(super) fn command(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut rest = &args[1..];
    let mut show = None;
    while let Some(option) = rest.first().filter(|option| option.starts_with('-')) {
        match option.as_str() {
            "-v" | "-V" => show = Some(option == "-V"),
            "-p" | "--" => {}
            _ => break,
        }
        rest = &rest[1..];
    }
    if rest.is_empty() {
        return Ok(0);
    }
    if let Some(verbose) = show {
        let mut status = 0;
        for name in rest {
            match (describe(shell, k, name), verbose) {
                (Some((long, _)), true) => shell.out(k, format!("{long}\n"))?,
                (Some((_, short)), false) => shell.out(k, format!("{short}\n"))?,
                (None, verbose) => {
                    status = 127;
                    if verbose {
                        shell.out(k, format!("{name}: not found\n"))?;
                    }
                    true
                }
            };
            if shell.is_ash() {
                break;
            }
        }
        return Ok(status);
    }
    let rest = rest.to_vec();
    match find(shell.dialect, &rest[0]) {
        Some(builtin) => {
            shell.builtin = (!builtin.plain).then(|| rest[0].clone());
            (builtin.run)(shell, k, &rest)
        }
        None => {
            shell.builtin = None;
            shell.program(k, rest)
        }
    }
}

/// What `type` and `command -v` say of a name.
pub(super) fn describe(shell: &Shell, k: &Kernel<'_>, name: &str) -> Option<(String, String)> {
    const WORDS: &[&str] = &[
        "if", "then", "else", "elif", "fi", "for", "in", "do", "done", "while", "until", "case",
        "esac", "{", "}", "!",
    ];
    if WORDS.contains(&name) {
        return Some((format!("{name} is a shell keyword"), name.to_string()));
    }
    if shell.functions.contains_key(name) {
        return Some((format!("{name} is a function"), name.to_string()));
    }
    if let Some(builtin) = find(shell.dialect, name) {
        let special = builtin.special && !shell.dialect.has_bash_words();
        let kind = if special {
            "special shell builtin"
        } else {
            "shell builtin"
        };
        return Some((format!("{name} is a {kind}"), name.to_string()));
    }
    let path = shell.find_on_path(k, name)?;
    Some((format!("{name} is {path}"), path))
}

pub(super) fn type_(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut status = 0;
    for name in args[1..].iter().filter(|arg| !arg.starts_with('-')) {
        match describe(shell, k, name) {
            Some((long, _)) => shell.out(k, format!("{long}\n"))?,
            None => {
                status = if shell.dialect == Dialect::Bash {
                    1
                } else {
                    127
                };
                shell.out(k, format!("{name}: not found\n"))?
            }
        };
    }
    Ok(status)
}

pub(super) fn wait(shell: &mut Shell, _: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut status = 0;
    if args.len() == 1 {
        shell.jobs.clear();
    }
    for arg in &args[1..] {
        let pid = arg.parse::<u32>().ok();
        let at = shell.jobs.iter().position(|(job, _)| Some(*job) == pid);
        status = match at {
            Some(at) => shell.jobs.remove(at).1,
            None => 127,
        };
    }
    Ok(status)
}
