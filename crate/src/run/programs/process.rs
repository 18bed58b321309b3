//! Programs that run programs, and what they say of their process: xargs, env, timeout, id, uname.

use super::super::{Call, ExecError, Exit, Program, Stop, users};
use super::opts::{Grammar, parse};
use crate::fs::Errno;

pub(super) const TABLE: &[Program] = &[
    Program::executed("xargs", xargs),
    Program::executed("env", env),
    Program::executed("printenv", printenv),
    Program::executed("timeout", timeout),
    Program::executed("nohup", wrapper),
    Program::executed("nice", wrapper),
    Program::executed("ionice", wrapper),
    Program::executed("setsid", wrapper),
    Program::executed("time", wrapper),
    Program::executed("id", id),
    Program::executed("whoami", whoami),
    Program::executed("groups", groups),
    Program::executed("logname", whoami),
    Program::executed("uname", uname),
    Program::executed("arch", |call| {
        call.out(format!("{MACHINE}\n"))?;
        Ok(0)
    }),
    Program::executed("hostname", hostname),
    Program::executed("nproc", nproc),
    Program::executed("sync", |_| Ok(0)),
    Program::executed("which", which),
    Program::executed("pwd", |call| {
        let line = format!("{}\n", call.proc.fs.cwd);
        call.out(line)?;
        Ok(0)
    }),
    Program::executed("tty", |call| {
        call.out("not a tty\n")?;
        Ok(1)
    }),
    Program::executed("kill", kill),
];

/// The machine's name for itself.
const MACHINE: &str = "x86_64";

/// Runs `args` and complains as the caller would where that cannot be done.
fn start(
    call: &mut Call<'_, '_>,
    args: &[String],
    wording: fn(&str, &str) -> String,
) -> Result<i32, Stop> {
    match call.run(args)? {
        Ok(code) => Ok(code),
        Err(error) => {
            let (code, why) = match error {
                ExecError::NotFound => (127, Errno::Enoent.to_string()),
                ExecError::Errno(errno @ Errno::Enoent) => (127, errno.to_string()),
                ExecError::Errno(errno) => (126, errno.to_string()),
                ExecError::Format => (126, "Exec format error".to_string()),
            };
            let name = args.first().map_or("", String::as_str);
            call.fail(code, wording(name, &why))
        }
    }
}

fn cannot_execute(name: &str, why: &str) -> String {
    format!("can't execute '{name}': {why}")
}

/// Runs the command behind its own options.
fn wrapper(call: &mut Call<'_, '_>) -> Exit {
    let mut args = std::mem::take(&mut call.args);
    while args.first().is_some_and(|arg| arg.starts_with('-')) {
        let option = args.remove(0);
        // `nice -n 5`, `ionice -c 2`
        if option.len() == 2 && matches!(&*option, "-n" | "-c") && !args.is_empty() {
            args.remove(0);
        }
    }
    match args.is_empty() {
        true => Ok(0),
        false => start(call, &args, cannot_execute),
    }
}

fn timeout(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "+s:k:t:",
            long: &["signal=", "kill-after=", "preserve-status", "foreground"],
        },
    )?;
    let mut args = opts.operands.clone();
    if !opts.has(&["t"]) && !args.is_empty() {
        args.remove(0);
    }
    match args.is_empty() {
        true => call.fail(1, "missing operand"),
        false => start(call, &args, cannot_execute),
    }
}

fn xargs(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "+0rtpxn:s:P:I:E:e:d:L:a:",
            long: &[
                "null",
                "no-run-if-empty",
                "verbose",
                "max-args=",
                "max-chars=",
                "max-procs=",
                "delimiter=",
                "replace=",
                "max-lines=",
                "arg-file=",
            ],
        },
    )?;
    let bytes = match opts.value(&["a", "arg-file"]) {
        None => call.stdin()?,
        Some(path) => match call.slurp(path)? {
            Ok(bytes) => bytes,
            Err(errno) => return call.fail(1, format_args!("can't open '{path}': {errno}")),
        },
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let replace = opts.value(&["I", "replace"]).map(str::to_string);
    let delimiter = match opts.has(&["0", "null"]) {
        true => Some("\0".to_string()),
        false => opts.value(&["d", "delimiter"]).map(|text| match text {
            "\\n" => "\n".to_string(),
            "\\0" => "\0".to_string(),
            text => text.to_string(),
        }),
    };
    let items: Vec<String> = match &delimiter {
        Some(delimiter) => {
            let text = text.strip_suffix(delimiter.as_str()).unwrap_or(&text);
            match text.is_empty() {
                true => Vec::new(),
                false => text.split(delimiter.as_str()).map(String::from).collect(),
            }
        }
        None => match words(&text, replace.is_some()) {
            Ok(items) => items,
            Err(message) => return call.fail(1, message),
        },
    };
    let command = match opts.operands.is_empty() {
        true => vec!["echo".to_string()],
        false => opts.operands.clone(),
    };
    let number = |names: &[&str]| {
        opts.value(names)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let most = number(&["n", "max-args"]).or(number(&["L", "max-lines"]));
    let most = most.filter(|most| *most > 0).unwrap_or(usize::MAX);
    // busybox's own limit on the length of a command line.
    let room = number(&["s", "max-chars"]).unwrap_or(128 << 10);
    let mut runs: Vec<Vec<String>> = Vec::new();
    if let Some(mark) = &replace {
        let fill = |item: &String| command.iter().map(|arg| arg.replace(mark, item)).collect();
        runs.extend(items.iter().map(fill));
    } else {
        let mut run = command.clone();
        let mut used = run.iter().map(|arg| arg.len() + 1).sum::<usize>();
        for item in items {
            let full = run.len() - command.len() >= most || used + item.len() + 1 > room;
            if full && run.len() > command.len() {
                runs.push(std::mem::replace(&mut run, command.clone()));
                used = command.iter().map(|arg| arg.len() + 1).sum();
            }
            used += item.len() + 1;
            run.push(item);
        }
        let skip_empty = opts.has(&["r", "no-run-if-empty"]) && runs.is_empty();
        if run.len() > command.len() || (runs.is_empty() && !skip_empty) {
            runs.push(run);
        }
    }
    let mut worst = 0;
    for run in runs {
        if opts.has(&["t", "verbose"]) {
            call.err(run.join(" ") + "\n")?;
        }
        let code = start_quietly(call, &run)?;
        match code {
            0 => {}
            126 | 127 => return Ok(code),
            255 => return call.fail(124, format_args!("{}: exited with status 255", run[0])),
            128.. => return Ok(125),
            _ => worst = 123,
        }
    }
    Ok(worst)
}

/// Runs a command that reads nothing from standard input.
fn start_quietly(call: &mut Call<'_, '_>, args: &[String]) -> Result<i32, Stop> {
    let saved = call.proc.fds.get(0).cloned();
    call.proc.fds.set(0, Some(super::super::Open::Null.fd()));
    let result = start(call, args, |name, why| format!("{name}: {why}"));
    call.proc.fds.set(0, saved);
    result
}

/// The words of `text`: blanks separate them, unless quoted or escaped; with `whole`, lines do.
fn words(text: &str, whole: bool) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.extend(word.take()),
            c if c.is_whitespace() && (!whole || word.is_none()) => out.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(chars.next()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(end) if end == c => break,
                        Some('\n') | None => {
                            let kind = if c == '"' { "double" } else { "single" };
                            return Err(format!("unmatched {kind} quote"));
                        }
                        Some(inner) => word.push(inner),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    Ok(out)
}

fn env(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "+iu:0S:C:",
            long: &[
                "ignore-environment",
                "unset=",
                "null",
                "split-string=",
                "chdir=",
            ],
        },
    )?;
    let mut operands = opts.operands.clone();
    if let Some(text) = opts.value(&["S", "split-string"]) {
        let mut split: Vec<String> = text.split_whitespace().map(String::from).collect();
        split.append(&mut operands);
        operands = split;
    }
    let mut env = call.proc.env.clone();
    if opts.has(&["i", "ignore-environment"]) || operands.first().is_some_and(|arg| arg == "-") {
        env = super::super::Env::default();
        if operands.first().is_some_and(|arg| arg == "-") {
            operands.remove(0);
        }
    }
    for name in opts.values(&["u", "unset"]) {
        env.remove(name);
    }
    while let Some((name, value)) = operands.first().and_then(|arg| arg.split_once('=')) {
        env.set(name, value);
        operands.remove(0);
    }
    if operands.is_empty() {
        let end = if opts.has(&["0", "null"]) { '\0' } else { '\n' };
        let all: String = env.iter().map(|(n, v)| format!("{n}={v}{end}")).collect();
        call.out(all)?;
        return Ok(0);
    }
    call.proc.env = env;
    start(call, &operands, cannot_execute)
}

fn printenv(call: &mut Call<'_, '_>) -> Exit {
    if call.args.is_empty() {
        return env(call);
    }
    let mut code = 0;
    for name in std::mem::take(&mut call.args) {
        match call.proc.env.get(&name) {
            Some(value) => {
                let line = format!("{value}\n");
                call.out(line)?;
            }
            None => code = 1,
        }
    }
    Ok(code)
}

fn id(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "ugGnr",
            long: &["user", "group", "groups", "name", "real"],
        },
    )?;
    let vfs = &*call.kernel.vfs;
    let cred = &call.proc.fs.cred;
    let (uid, gid, mut all) = match opts.operands.first() {
        None => (cred.uid, cred.gid, cred.groups.clone()),
        Some(name) => {
            let found =
                users::user(vfs, name).or_else(|| users::user_by_id(vfs, name.parse().ok()?));
            let Some(user) = found else {
                let message = match call.flavour() {
                    super::super::Flavour::Busybox => format!("unknown user {name}"),
                    super::super::Flavour::Gnu => format!("'{name}': no such user"),
                };
                return call.fail(1, message);
            };
            let member = |group: &users::Group| group.members.contains(&user.name);
            let groups = users::groups(vfs).into_iter();
            let groups = groups.filter(member).map(|group| group.gid).collect();
            (user.uid, user.gid, groups)
        }
    };
    all.retain(|group| *group != gid);
    all.insert(0, gid);
    let user_name = users::user_by_id(vfs, uid).map(|user| user.name);
    let group_name = |gid: u32| users::group_by_id(vfs, gid).map(|group| group.name);
    let by_name = opts.has(&["n", "name"]);
    let shown = |number: u32, name: Option<String>| match name.filter(|_| by_name) {
        Some(name) => name,
        None => number.to_string(),
    };
    let line = if opts.has(&["u", "user"]) {
        shown(uid, user_name)
    } else if opts.has(&["g", "group"]) {
        shown(gid, group_name(gid))
    } else if opts.has(&["G", "groups"]) {
        let all: Vec<String> = all
            .iter()
            .map(|gid| shown(*gid, group_name(*gid)))
            .collect();
        all.join(" ")
    } else {
        let with = |number: u32, name: Option<String>| match name {
            Some(name) => format!("{number}({name})"),
            None => number.to_string(),
        };
        let mut line = format!(
            "uid={} gid={}",
            with(uid, user_name),
            with(gid, group_name(gid))
        );
        let all: Vec<String> = all.iter().map(|gid| with(*gid, group_name(*gid))).collect();
        // A container's processes have their primary group among the supplementary ones, too.
        line += &format!(" groups={}", all.join(","));
        line
    };
    call.out(line + "\n")?;
    Ok(0)
}

fn whoami(call: &mut Call<'_, '_>) -> Exit {
    let uid = call.proc.fs.cred.uid;
    match users::user_by_id(call.kernel.vfs, uid) {
        Some(user) => {
            call.out(user.name + "\n")?;
            Ok(0)
        }
        None => call.fail(1, format_args!("unknown uid {uid}")),
    }
}

fn groups(call: &mut Call<'_, '_>) -> Exit {
    call.args.insert(0, "-Gn".into());
    id(call)
}

fn uname(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "amnrspvio",
            long: &[
                "all",
                "kernel-name",
                "nodename",
                "kernel-release",
                "kernel-version",
                "machine",
                "processor",
                "hardware-platform",
                "operating-system",
            ],
        },
    )?;
    let all = opts.has(&["a", "all"]);
    let parts = [
        (["s", "kernel-name"], "Linux".to_string()),
        (["n", "nodename"], call.kernel.hostname.clone()),
        (["r", "kernel-release"], "6.1.0".to_string()),
        (["v", "kernel-version"], "#1 SMP".to_string()),
        (["m", "machine"], MACHINE.to_string()),
        (["o", "operating-system"], "GNU/Linux".to_string()),
    ];
    let mut shown: Vec<String> = Vec::new();
    for (names, value) in parts {
        if all || opts.has(&names) {
            shown.push(value);
        }
    }
    if opts.has(&["p", "processor", "i", "hardware-platform"]) {
        shown.push("unknown".into());
    }
    if shown.is_empty() {
        shown.push("Linux".into());
    }
    call.out(shown.join(" ") + "\n")?;
    Ok(0)
}

fn hostname(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "sidfI",
            long: &[],
        },
    )?;
    if !opts.operands.is_empty() {
        // A container without the right to do so.
        return call.fail(1, format_args!("sethostname: {}", Errno::Eperm));
    }
    let line = format!("{}\n", call.kernel.hostname);
    call.out(line)?;
    Ok(0)
}

fn nproc(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "",
            long: &["all", "ignore="],
        },
    )?;
    let ignored = opts.value(&["ignore"]).and_then(|text| text.parse().ok());
    let left = 2usize.saturating_sub(ignored.unwrap_or(0)).max(1);
    call.out(format!("{left}\n"))?;
    Ok(0)
}

fn which(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "as",
            long: &["all"],
        },
    )?;
    let mut code = 0;
    let mut out = String::new();
    for name in &opts.operands {
        match call.kernel.find(call.proc, name) {
            Ok(image) => out += &format!("{}\n", image.path),
            // A script without an interpreter line is found, too.
            Err(ExecError::Format) => out += &format!("{name}\n"),
            Err(_) => code = 1,
        }
    }
    call.out(out)?;
    Ok(code)
}

fn kill(call: &mut Call<'_, '_>) -> Exit {
    let mut signal = 15;
    let mut args = std::mem::take(&mut call.args);
    if let Some(first) = args.first().cloned()
        && let Some(text) = first.strip_prefix('-')
    {
        args.remove(0);
        let text = match text {
            "s" if !args.is_empty() => args.remove(0),
            text => text.to_string(),
        };
        match super::super::shell::signal_number(&text) {
            Some(number) => signal = number,
            None => return call.fail(1, format_args!("bad signal name '{text}'")),
        }
    }
    let mut code = 0;
    for text in args {
        match text.parse::<u32>() {
            // Only the shells that wait for this process run at all.
            Ok(pid) if pid == 1 || pid < call.proc.pid => {
                if signal != 0 {
                    call.kernel.signals.push((pid, signal));
                }
            }
            Ok(pid) => {
                code = call.fail(1, format_args!("can't kill pid {pid}: No such process"))?;
            }
            Err(_) => code = call.fail(1, format_args!("invalid number '{text}'"))?,
        }
    }
    Ok(code)
}
