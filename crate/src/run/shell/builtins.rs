//! Builtin commands.

use super::super::Kernel;
use super::super::programs::{print, test};
use super::vars::Val;
use super::{Dialect, Jump, Result, Shell, word};
use crate::fs::{self, Errno, Follow};

/// A command that the shell does itself.
pub(super) struct Builtin {
    name: &'static str,
    /// A special builtin of POSIX: its assignments stay, its errors end the shell.
    pub special: bool,
    /// A program that is built in: its errors do not name the builtin's place.
    pub plain: bool,
    pub run: fn(&mut Shell, &mut Kernel<'_>, &[String]) -> Result<i32>,
    only_bash: bool,
}

type Run = fn(&mut Shell, &mut Kernel<'_>, &[String]) -> Result<i32>;

const fn special(name: &'static str, run: Run) -> Builtin {
    Builtin {
        name,
        special: true,
        plain: false,
        run,
        only_bash: false,
    }
}

const fn regular(name: &'static str, run: Run) -> Builtin {
    Builtin {
        name,
        special: false,
        plain: false,
        run,
        only_bash: false,
    }
}

const fn plain(name: &'static str, run: Run) -> Builtin {
    Builtin {
        name,
        special: false,
        plain: true,
        run,
        only_bash: false,
    }
}

const fn bash(name: &'static str, run: Run) -> Builtin {
    Builtin {
        name,
        special: false,
        plain: false,
        run,
        only_bash: true,
    }
}

static BUILTINS: &[Builtin] = &[
    special(":", |_, _, _| Ok(0)),
    special(".", source),
    special("break", |shell, k, args| leave(shell, k, args, Jump::Break)),
    special("continue", |shell, k, args| {
        leave(shell, k, args, Jump::Continue)
    }),
    special("eval", eval),
    special("exec", exec),
    special("exit", exit),
    special("export", export),
    special("readonly", readonly),
    special("return", exit),
    special("set", set),
    special("shift", shift),
    special("times", |shell, k, _| {
        shell.out(k, "0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n")?;
        Ok(0)
    }),
    special("trap", |shell, k, args| shell.trap(k, args)),
    special("unset", unset),
    plain("[", bracket),
    plain("test", bracket),
    plain("echo", echo),
    plain("printf", printf),
    plain("true", |_, _, _| Ok(0)),
    plain("false", |_, _, _| Ok(1)),
    plain("kill", |shell, k, args| shell.kill(k, args)),
    regular("cd", cd),
    regular("chdir", cd),
    regular("pwd", pwd),
    regular("read", read),
    regular("local", local),
    regular("getopts", getopts),
    regular("umask", umask),
    regular("command", command),
    regular("type", type_),
    regular("wait", wait),
    regular("alias", |_, _, _| Ok(0)),
    regular("unalias", |_, _, _| Ok(0)),
    regular("hash", |_, _, _| Ok(0)),
    regular("jobs", |_, _, _| Ok(0)),
    regular("ulimit", |_, _, _| Ok(0)),
    regular("let", let_),
    regular("source", source),
    bash("declare", declare),
    bash("typeset", declare),
    bash("shopt", |_, _, _| Ok(0)),
    bash("builtin", command),
    bash("mapfile", mapfile),
    bash("readarray", mapfile),
];

/// The builtin called `name`.
pub(super) fn find(dialect: Dialect, name: &str) -> Option<&'static Builtin> {
    let found = BUILTINS.iter().find(|builtin| builtin.name == name)?;
    let there = match name {
        _ if found.only_bash => dialect == Dialect::Bash,
        "let" | "source" => dialect != Dialect::Dash,
        _ => true,
    };
    there.then_some(found)
}

fn leave(
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

fn source(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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

fn eval(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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

fn exec(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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
        && error != super::super::ExecError::Format
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

fn exit(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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

fn split(arg: &str) -> (&str, Option<&str>) {
    match arg.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (arg, None),
    }
}

fn check_name(shell: &mut Shell, k: &mut Kernel<'_>, name: &str) -> Result<()> {
    if word::is_name(name) {
        return Ok(());
    }
    Err(shell.error(k, 2, format!("{name}: bad variable name"))?)
}

fn export(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let remove = args.get(1).is_some_and(|arg| arg == "-n");
    let names: Vec<&String> = args[1..]
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    if names.is_empty() {
        let mut out = String::new();
        for (name, var) in shell.vars.iter().filter(|(_, var)| var.exported) {
            match var.text() {
                Some(text) => out += &format!("export {name}={}\n", always_quoted(text)),
                None => out += &format!("export {name}\n"),
            }
        }
        shell.out(k, out)?;
        return Ok(0);
    }
    for arg in names {
        let (name, value) = split(arg);
        check_name(shell, k, name)?;
        if let Some(value) = value {
            shell.set_variable(k, name, value.to_string())?;
        }
        shell.vars.entry(name).exported = !remove;
    }
    Ok(0)
}

fn always_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn readonly(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    for arg in args[1..].iter().filter(|arg| !arg.starts_with('-')) {
        let (name, value) = split(arg);
        check_name(shell, k, name)?;
        if let Some(value) = value {
            shell.set_variable(k, name, value.to_string())?;
        }
        shell.vars.entry(name).readonly = true;
    }
    Ok(0)
}

fn set(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    if args.len() == 1 {
        let mut out = String::new();
        for (name, var) in shell.vars.iter() {
            if let Some(text) = var.text() {
                out += &format!("{name}={}\n", always_quoted(text));
            }
        }
        shell.out(k, out)?;
        return Ok(0);
    }
    let mut at = 1;
    while let Some(arg) = args.get(at) {
        if arg == "--" {
            shell.positional = std::rc::Rc::new(args[at + 1..].to_vec());
            return Ok(0);
        }
        let on = arg.starts_with('-');
        let Some(letters) = arg
            .strip_prefix(['-', '+'])
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        at += 1;
        for letter in letters.chars() {
            let name = match letter {
                'o' => match args.get(at) {
                    Some(name) => {
                        at += 1;
                        name.clone()
                    }
                    None => return list_options(shell, k),
                },
                _ => String::new(),
            };
            let letter = if letter == 'o' { ' ' } else { letter };
            match shell.options.field(letter, &name) {
                Some(field) => *field = on,
                // Known elsewhere, without anything to show here.
                None if "bhmEHTBI".contains(letter) => {}
                None if matches!(
                    name.as_str(),
                    "vi" | "emacs"
                        | "posix"
                        | "monitor"
                        | "notify"
                        | "errtrace"
                        | "functrace"
                        | "ignoreeof"
                        | "history"
                        | "braceexpand"
                        | "hashall"
                ) => {}
                None => {
                    let text = match name.is_empty() {
                        true => format!("illegal option -{letter}"),
                        false => format!("illegal option -o {name}"),
                    };
                    return Err(shell.error(k, 2, text)?);
                }
            }
        }
    }
    if at < args.len() {
        shell.positional = std::rc::Rc::new(args[at..].to_vec());
    }
    Ok(0)
}

fn list_options(shell: &mut Shell, k: &mut Kernel<'_>) -> Result<i32> {
    let names = [
        "errexit",
        "noglob",
        "noexec",
        "xtrace",
        "verbose",
        "noclobber",
        "allexport",
        "nounset",
        "pipefail",
    ];
    let mut out = String::new();
    for name in names {
        let on = shell.options.field(' ', name).is_some_and(|field| *field);
        out += &format!("{name:<16}{}\n", if on { "on" } else { "off" });
    }
    shell.out(k, out)?;
    Ok(0)
}

fn shift(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let count = match args.get(1).map(|text| text.parse::<usize>()) {
        None => 1,
        Some(Ok(count)) => count,
        Some(Err(_)) => {
            return Err(shell.error(k, 2, format!("Illegal number: {}", args[1]))?);
        }
    };
    if count > shell.positional.len() {
        return Ok(1);
    }
    shell.positional = std::rc::Rc::new(shell.positional[count..].to_vec());
    Ok(0)
}

fn unset(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut functions = false;
    for arg in &args[1..] {
        match arg.as_str() {
            "-f" => functions = true,
            "-v" => functions = false,
            name if functions => {
                std::rc::Rc::make_mut(&mut shell.functions).remove(name);
            }
            name => {
                if shell.vars.get(name).is_some_and(|var| var.readonly) {
                    return Err(shell.error(k, 2, format!("{name}: is read only"))?);
                }
                shell.vars.remove(name);
            }
        }
    }
    Ok(0)
}

fn bracket(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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

fn echo(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let text = print::echo_with(&args[1..], shell.dialect == Dialect::Dash);
    match shell.out(k, text)? {
        true => Ok(0),
        false => {
            shell.complain(k, "write error: Bad file descriptor")?;
            Ok(1)
        }
    }
}

fn printf(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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

fn cd(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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

fn pwd(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let physical = args.get(1).is_some_and(|arg| arg == "-P");
    let path = match shell.vars.text("PWD") {
        Some(path) if !physical => path.to_string(),
        _ => shell.proc.fs.cwd.clone(),
    };
    shell.out(k, format!("{path}\n"))?;
    Ok(0)
}

fn read(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut raw = false;
    let mut count = None;
    let mut end = b'\n';
    let mut array = None;
    let mut number = 0;
    let mut at = 1;
    while let Some(letters) = args.get(at).and_then(|arg| arg.strip_prefix('-')) {
        at += 1;
        if letters.is_empty() || letters == "-" {
            break;
        }
        for (place, letter) in letters.char_indices() {
            let mut value = || {
                let rest = &letters[place + 1..];
                match rest.is_empty() {
                    false => rest.to_string(),
                    true => {
                        at += 1;
                        args.get(at - 1).cloned().unwrap_or_default()
                    }
                }
            };
            match letter {
                'r' => {
                    raw = true;
                    continue;
                }
                's' | 'e' => continue,
                'n' | 'N' => count = value().parse::<usize>().ok(),
                'd' => end = value().bytes().next().unwrap_or(0),
                'u' => number = value().parse().unwrap_or(0),
                'a' => array = Some(value()),
                'p' | 't' => drop(value()),
                _ => {
                    let text = format!("illegal option -{letter}");
                    return Err(shell.error(k, 2, text)?);
                }
            }
            break;
        }
    }
    let names = args.get(at..).unwrap_or_default().to_vec();
    let Some(fd) = shell.proc.fds.get(number).cloned() else {
        return Ok(1);
    };
    let (text, complete) = read_record(k, &fd, end, count, raw)?;
    let ifs = shell.ifs();
    if let Some(name) = array {
        let fields = split_fields(&text, &ifs, usize::MAX);
        let elements = fields
            .into_iter()
            .enumerate()
            .map(|(at, text)| (at as i64, text));
        shell.set_value(k, &name, Val::Array(crate::order::map(elements)))?;
        return Ok(i32::from(!complete));
    }
    if names.is_empty() {
        let whole: String = text.into_iter().map(|(c, _)| c).collect();
        let value = match shell.dialect {
            Dialect::Bash => whole,
            _ => whole.trim_matches([' ', '\t']).to_string(),
        };
        shell.set_variable(k, "REPLY", value)?;
        return Ok(i32::from(!complete));
    }
    let mut fields = split_fields(&text, &ifs, names.len()).into_iter();
    for name in &names {
        check_name(shell, k, name)?;
        shell.set_variable(k, name, fields.next().unwrap_or_default())?;
    }
    Ok(i32::from(!complete))
}

type Marked = Vec<(char, bool)>;

/// One record of input, each character with whether it was escaped; and whether its end was
/// there.
fn read_record(
    k: &mut Kernel<'_>,
    fd: &super::super::Fd,
    end: u8,
    count: Option<usize>,
    raw: bool,
) -> Result<(Marked, bool)> {
    let mut bytes: Vec<(u8, bool)> = Vec::new();
    let complete = if end == b'\n' && count.is_none() {
        loop {
            let line = k.read_line(fd)?;
            let ended = line.last() == Some(&b'\n');
            let body = if ended {
                &line[..line.len() - 1]
            } else {
                &line[..]
            };
            let mut escape = false;
            for byte in body {
                match (raw, escape, byte) {
                    (false, false, b'\\') => escape = true,
                    _ => {
                        bytes.push((*byte, std::mem::take(&mut escape)));
                    }
                }
            }
            // A backslash at the end of the line goes on with the next.
            if !(escape && ended) {
                break ended;
            }
        }
    } else {
        let most = count.unwrap_or(usize::MAX);
        let mut escape = false;
        loop {
            if bytes.len() >= most {
                break true;
            }
            let Some(byte) = k.read(fd, 1)?.first().copied() else {
                break false;
            };
            if byte == end && count.is_none_or(|_| end != b'\n' || byte == b'\n') && !escape {
                break true;
            }
            match (raw, escape, byte) {
                (false, false, b'\\') => escape = true,
                _ => bytes.push((byte, std::mem::take(&mut escape))),
            }
        }
    };
    let text: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut at = 0;
    let marked = text.chars().map(|c| {
        let escaped = bytes.get(at).is_some_and(|(_, escaped)| *escaped);
        at += c.len_utf8();
        (c, escaped)
    });
    Ok((marked.collect(), complete))
}

/// Splits a record into at most `most` fields; the last takes the rest of it.
fn split_fields(text: &Marked, ifs: &str, most: usize) -> Vec<String> {
    let is_blank =
        |(c, escaped): &(char, bool)| !escaped && ifs.contains(*c) && c.is_ascii_whitespace();
    let is_separator =
        |(c, escaped): &(char, bool)| !escaped && ifs.contains(*c) && !c.is_ascii_whitespace();
    let mut fields = Vec::new();
    let mut at = 0;
    while text.get(at).is_some_and(is_blank) {
        at += 1;
    }
    while at < text.len() {
        if fields.len() + 1 == most {
            let mut rest = &text[at..];
            while rest.last().is_some_and(is_blank) {
                rest = &rest[..rest.len() - 1];
            }
            // A single separator behind the last field belongs to it, not to its text.
            if let Some((last, body)) = rest.split_last()
                && is_separator(last)
                && !body.iter().any(is_separator)
            {
                rest = body;
            }
            fields.push(rest.iter().map(|(c, _)| *c).collect());
            break;
        }
        let mut field = String::new();
        while let Some(one) = text
            .get(at)
            .filter(|one| !is_blank(one) && !is_separator(one))
        {
            field.push(one.0);
            at += 1;
        }
        fields.push(field);
        while text.get(at).is_some_and(is_blank) {
            at += 1;
        }
        if text.get(at).is_some_and(is_separator) {
            at += 1;
            while text.get(at).is_some_and(is_blank) {
                at += 1;
            }
        }
    }
    fields
}

fn mapfile(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let trim = args[1..].iter().any(|arg| arg == "-t");
    let name = args[1..].iter().rfind(|arg| !arg.starts_with('-'));
    let name = name.cloned().unwrap_or_else(|| "MAPFILE".to_string());
    let Some(fd) = shell.proc.fds.get(0).cloned() else {
        return Ok(1);
    };
    let bytes = k.read_all(&fd)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines = text.split_inclusive('\n').map(|line| match trim {
        true => line.trim_end_matches('\n').to_string(),
        false => line.to_string(),
    });
    let elements = lines.enumerate().map(|(at, line)| (at as i64, line));
    shell.set_value(k, &name, Val::Array(crate::order::map(elements)))?;
    Ok(0)
}

fn local(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    if shell.locals.is_empty() {
        return Err(shell.error(k, 2, "not in a function")?);
    }
    for arg in args[1..].iter().filter(|arg| !arg.starts_with('-')) {
        let (name, value) = split(arg);
        check_name(shell, k, name)?;
        shell.make_local(name);
        match value {
            Some(value) => shell.set_variable(k, name, value.to_string())?,
            None if shell.dialect == Dialect::Bash => shell.vars.entry(name).value = None,
            None => {}
        }
    }
    Ok(0)
}

fn declare(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let flags: String = args[1..]
        .iter()
        .filter(|arg| arg.starts_with('-'))
        .cloned()
        .collect();
    for arg in args[1..].iter().filter(|arg| !arg.starts_with('-')) {
        let (name, value) = split(arg);
        check_name(shell, k, name)?;
        if !flags.contains('g') {
            shell.make_local(name);
        }
        if let Some(value) = value {
            shell.set_variable(k, name, value.to_string())?;
        }
        let var = shell.vars.entry(name);
        var.exported |= flags.contains('x');
        var.readonly |= flags.contains('r');
    }
    Ok(0)
}

fn getopts(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let (Some(spec), Some(name)) = (args.get(1).cloned(), args.get(2).cloned()) else {
        return Err(shell.error(k, 2, "usage: getopts optstring var [arg]")?);
    };
    let words = match args.len() {
        3 => shell.positional.to_vec(),
        _ => args[3..].to_vec(),
    };
    let index = shell
        .vars
        .text("OPTIND")
        .and_then(|text| text.parse::<usize>().ok());
    let mut index = index.unwrap_or(1).max(1);
    let mut at = shell.getopts_at;
    let silent = spec.starts_with(':');
    let done = |shell: &mut Shell, k: &mut Kernel<'_>, index: usize| -> Result<i32> {
        shell.vars.set("OPTIND", index.to_string());
        shell.set_variable(k, &name, "?".into())?;
        shell.getopts_at = 0;
        Ok(1)
    };
    let Some(word) = words.get(index - 1) else {
        return done(shell, k, index);
    };
    if at == 0 {
        if word == "--" {
            return done(shell, k, index + 1);
        }
        if !word.starts_with('-') || word.len() < 2 {
            return done(shell, k, index);
        }
        at = 1;
    }
    let Some(letter) = word[at..].chars().next() else {
        return done(shell, k, index);
    };
    at += letter.len_utf8();
    let found = spec.find(letter).filter(|_| letter != ':');
    let takes = found.is_some_and(|place| spec[place + letter.len_utf8()..].starts_with(':'));
    let mut value = None;
    let mut result = letter.to_string();
    if takes {
        if at < word.len() {
            value = Some(word[at..].to_string());
        } else {
            index += 1;
            value = words.get(index - 1).cloned();
        }
        index += 1;
        at = 0;
    } else if at >= word.len() {
        index += 1;
        at = 0;
    }
    if found.is_none() || (takes && value.is_none()) {
        let missing = found.is_some();
        if silent {
            value = Some(letter.to_string());
            result = if missing { ":" } else { "?" }.to_string();
        } else {
            let text = match missing {
                true => format!("No arg for -{letter} option"),
                false => format!("Illegal option -{letter}"),
            };
            shell.builtin = None;
            shell.complain(k, text)?;
            result = "?".to_string();
        }
    }
    shell.vars.set("OPTIND", index.to_string());
    match value {
        Some(value) => shell.set_variable(k, "OPTARG", value)?,
        None => shell.vars.remove("OPTARG"),
    }
    shell.set_variable(k, &name, result)?;
    shell.getopts_at = at;
    Ok(0)
}

fn umask(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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
                Err(_) => super::super::programs::mode::apply(text, !mask & 0o777, true, 0)
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

fn command(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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
fn describe(shell: &Shell, k: &Kernel<'_>, name: &str) -> Option<(String, String)> {
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

fn type_(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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

fn wait(shell: &mut Shell, _: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
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

fn let_(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut value = 0;
    for arg in &args[1..] {
        value = match super::arith::evaluate(arg, shell) {
            Ok(value) => value,
            Err(message) => {
                shell.complain(k, message)?;
                return Ok(1);
            }
        };
    }
    Ok(i32::from(value == 0))
}
