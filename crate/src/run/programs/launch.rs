//! Programs that run programs: env, xargs, timeout, nice, nohup, time, setsid, su and its kin.

use super::super::{Call, ExecError, Exit, Flavour, Program, Stop, users};
use super::input;
use super::opts::{Grammar, parse};
use crate::fs::{Cred, Vfs};

pub(super) const TABLE: &[Program] = &[
    Program::executed("env", env),
    Program::executed("printenv", printenv),
    Program::executed("xargs", xargs),
    Program::executed("timeout", timeout),
    Program::executed("nohup", |call| plain(call, "+", &[])),
    Program::executed("nice", |call| plain(call, "+n:", &["adjustment="])),
    Program::executed("ionice", |call| plain(call, "+c:n:t", &["class="])),
    Program::executed("setsid", |call| plain(call, "+cfw", &[])),
    Program::executed("stdbuf", |call| {
        plain(call, "+i:o:e:", &["input=", "output=", "error="])
    }),
    Program::executed("time", time),
    Program::executed("su", su),
    Program::executed("gosu", gosu),
    Program::executed("su-exec", gosu),
];

/// Why a program cannot be started, as the system words it.
pub(in crate::run) fn why(error: ExecError) -> String {
    match error {
        ExecError::NotFound => "No such file or directory".to_string(),
        ExecError::Errno(errno) => errno.to_string(),
        ExecError::Format => "Exec format error".to_string(),
    }
}

/// The exit code for a program that cannot be started.
fn code(error: ExecError) -> i32 {
    match error {
        ExecError::NotFound | ExecError::Errno(crate::fs::Errno::Enoent) => 127,
        _ => 126,
    }
}

/// Runs `args` in the place of this program.
fn become_other(call: &mut Call<'_, '_>, args: &[String]) -> Exit {
    match call.run(args)? {
        Ok(code) => Ok(code),
        Err(error) => cannot_run(call, &args[0], error),
    }
}

fn cannot_run(call: &mut Call<'_, '_>, name: &str, error: ExecError) -> Exit {
    let text = match (call.flavour(), call.name.as_str()) {
        (Flavour::Busybox, "gosu" | "su-exec") => format!("{name}: {}", why(error)),
        (Flavour::Busybox, _) => format!("can't execute '{name}': {}", why(error)),
        (Flavour::Gnu, "timeout") => format!("failed to run command ‘{name}’: {}", why(error)),
        (Flavour::Gnu, _) => format!("‘{name}’: {}", why(error)),
    };
    call.fail(code(error), text)
}

fn plain(call: &mut Call<'_, '_>, short: &str, long: &[&str]) -> Exit {
    let opts = parse(call, Grammar { short, long })?;
    match opts.operands.is_empty() {
        true if call.name == "nice" => {
            call.out("0\n")?;
            Ok(0)
        }
        true => call.fail(1, "missing operand"),
        false => become_other(call, &opts.operands),
    }
}

fn env(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "+iu:0C:S:",
            long: &[
                "ignore-environment",
                "unset=",
                "null",
                "chdir=",
                "split-string=",
            ],
        },
    )?;
    let mut operands = opts.operands.clone();
    if let Some(text) = opts.value(&["S", "split-string"]) {
        let words = text.split_whitespace().map(String::from);
        operands = words.chain(operands).collect();
    }
    let mut clear = opts.has(&["i", "ignore-environment"]);
    if operands.first().is_some_and(|word| word == "-") {
        operands.remove(0);
        clear = true;
    }
    let mut env = match clear {
        true => super::super::Env::default(),
        false => call.proc.env.clone(),
    };
    opts.values(&["u", "unset"])
        .for_each(|name| env.remove(name));
    while let Some((name, value)) = operands.first().and_then(|word| word.split_once('=')) {
        env.set(name, value);
        operands.remove(0);
    }
    if operands.is_empty() {
        let end = if opts.has(&["0", "null"]) { '\0' } else { '\n' };
        let text: String = env.iter().map(|(n, v)| format!("{n}={v}{end}")).collect();
        call.out(text)?;
        return Ok(0);
    }
    if let Some(dir) = opts.value(&["C", "chdir"]) {
        call.proc.fs.cwd = crate::fs::join(&call.proc.fs.cwd, dir);
    }
    call.proc.env = env;
    become_other(call, &operands)
}

fn printenv(call: &mut Call<'_, '_>) -> Exit {
    let names = call.args.clone();
    if names.is_empty() {
        let env: String = call
            .proc
            .env
            .iter()
            .map(|(n, v)| format!("{n}={v}\n"))
            .collect();
        call.out(env)?;
        return Ok(0);
    }
    let mut code = 0;
    for name in names {
        match call.proc.env.get(&name).map(String::from) {
            Some(value) => call.out(format!("{value}\n"))?,
            None => code = 1,
        }
    }
    Ok(code)
}

/// The words of an input, with quotes and backslashes as xargs reads them, and whether each is
/// the last of its line.
fn words(text: &str) -> Result<Vec<(String, bool)>, &'static str> {
    let mut found: Vec<(String, bool)> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(next) if next == c => break,
                        Some('\n') | None if c == '"' => return Err("unmatched double quote"),
                        Some('\n') | None => return Err("unmatched single quote"),
                        Some(next) => word.push(next),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() => {
                found.extend(word.take().map(|word| (word, false)));
                if c == '\n'
                    && let Some(last) = found.last_mut()
                {
                    last.1 = true;
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word.map(|word| (word, true)));
    Ok(found)
}

fn xargs(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "+0rtpxn:s:I:L:P:a:d:E:e:i:",
            long: &[
                "null",
                "no-run-if-empty",
                "verbose",
                "max-args=",
                "replace=",
                "max-lines=",
                "max-procs=",
                "delimiter=",
                "arg-file=",
            ],
        },
    )?;
    let path = opts.value(&["a", "arg-file"]).unwrap_or("-").to_string();
    let Some(bytes) = input::slurp(call, &path)? else {
        return Ok(1);
    };
    let text = input::decode(&bytes);
    let replace = opts.value(&["I", "replace", "i"]).map(String::from);
    let delimiter = match opts.value(&["d", "delimiter"]) {
        Some("\\n") => Some('\n'),
        Some("\\0") => Some('\0'),
        Some("\\t") => Some('\t'),
        Some(text) => text.chars().next(),
        None if opts.has(&["0", "null"]) => Some('\0'),
        None => None,
    };
    let items = match (delimiter, &replace) {
        (Some(end), _) => {
            let text = text.strip_suffix(end).unwrap_or(&text);
            let items = text.split(end).map(|item| (item.to_string(), true));
            items
                .take(if text.is_empty() { 0 } else { usize::MAX })
                .collect()
        }
        (None, Some(_)) => {
            let lines = text.lines().map(|line| line.trim_start());
            let lines = lines.filter(|line| !line.is_empty());
            lines.map(|line| (line.to_string(), true)).collect()
        }
        (None, None) => match words(&text) {
            Ok(items) => items,
            Err(message) => return call.fail(1, message),
        },
    };
    let command = match opts.operands.is_empty() {
        true => vec!["echo".to_string()],
        false => opts.operands.clone(),
    };
    let number = |names: &[&str]| opts.value(names).and_then(|n| n.parse::<usize>().ok());
    let mut batches: Vec<Vec<String>> = Vec::new();
    if let Some(mark) = &replace {
        for (item, _) in &items {
            batches.push(
                command
                    .iter()
                    .map(|word| word.replace(mark.as_str(), item))
                    .collect(),
            );
        }
    } else {
        // As much as fits into one command line (busybox: 32 KiB less the environment).
        const MOST_BYTES: usize = 32 << 10;
        let most = number(&["n", "max-args"]).unwrap_or(usize::MAX).max(1);
        let most_lines = number(&["L", "max-lines"]).unwrap_or(usize::MAX).max(1);
        let most_bytes = number(&["s"]).unwrap_or(MOST_BYTES);
        let (mut args, mut bytes, mut lines) = (Vec::new(), 0, 0);
        for (item, ends_line) in items {
            if !args.is_empty()
                && (args.len() >= most || lines >= most_lines || bytes + item.len() > most_bytes)
            {
                batches.push(
                    command
                        .iter()
                        .cloned()
                        .chain(std::mem::take(&mut args))
                        .collect(),
                );
                (bytes, lines) = (0, 0);
            }
            bytes += item.len() + 1;
            lines += usize::from(ends_line);
            args.push(item);
        }
        let always = batches.is_empty() && !opts.has(&["r", "no-run-if-empty"]);
        if !args.is_empty() || always {
            batches.push(command.iter().cloned().chain(args).collect());
        }
    }
    // What is started reads nothing.
    call.proc.fds.set(0, Some(super::super::Open::Null.fd()));
    let mut result = 0;
    for args in batches {
        if opts.has(&["t", "verbose"]) {
            call.err(format!("{}\n", args.join(" ")))?;
        }
        match call.run(&args)? {
            Ok(0) => {}
            Ok(255) => {
                let text = match call.flavour() {
                    Flavour::Busybox => format!("{}: exited with status 255; aborting", args[0]),
                    Flavour::Gnu => format!("{}: exited with status 255; aborting", args[0]),
                };
                return call.fail(124, text);
            }
            Ok(code) if code > 128 => {
                return call.fail(
                    125,
                    format_args!("{}: terminated by signal {}", args[0], code - 128),
                );
            }
            Ok(_) => result = 123,
            Err(error) => {
                let text = match call.flavour() {
                    Flavour::Busybox => format!("{}: {}", args[0], why(error)),
                    Flavour::Gnu => format!("{}: {}", args[0], why(error)),
                };
                return call.fail(code(error), text);
            }
        }
    }
    Ok(result)
}

fn timeout(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "+s:k:t:v",
            long: &["signal=", "kill-after=", "preserve-status", "foreground"],
        },
    )?;
    let mut operands = opts.operands.clone();
    if operands.len() < 2 {
        return call.fail(
            if call.flavour() == Flavour::Gnu {
                125
            } else {
                1
            },
            "missing operand",
        );
    }
    let spec = operands.remove(0);
    let (digits, unit) = match spec.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(digits) => (digits, spec.chars().next_back()),
        None => (spec.as_str(), None),
    };
    let Ok(limit) = digits.parse::<f64>() else {
        let text = match call.flavour() {
            Flavour::Busybox => format!("invalid number '{spec}'"),
            Flavour::Gnu => format!("invalid time interval ‘{spec}’"),
        };
        return call.fail(
            if call.flavour() == Flavour::Gnu {
                125
            } else {
                1
            },
            text,
        );
    };
    let unit = match unit {
        Some('m') => 60.0,
        Some('h') => 3600.0,
        Some('d') => 86_400.0,
        _ => 1.0,
    };
    let before = call.kernel.elapsed();
    let code = become_other(call, &operands)?;
    // What it did after its time is done; but it ends as if it had been stopped in time.
    let limit = super::super::cost::seconds(limit * unit);
    if limit > 0 && call.kernel.elapsed() - before > limit {
        return match call.flavour() {
            Flavour::Busybox => Err(Stop::Killed(15)),
            Flavour::Gnu => Ok(124),
        };
    }
    Ok(code)
}

fn time(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "+vpao:f:",
            long: &[],
        },
    )?;
    if opts.operands.is_empty() {
        return call.fail(1, "missing operand");
    }
    let before = call.kernel.elapsed();
    let code = become_other(call, &opts.operands)?;
    let seconds = (call.kernel.elapsed() - before) as f64 / 1e9;
    let text = match opts.has(&["p"]) {
        true => format!("real {seconds:.2}\nuser 0.00\nsys 0.00\n"),
        false => {
            let (minutes, seconds) = ((seconds / 60.0).floor(), seconds % 60.0);
            format!("real\t{minutes}m {seconds:.2}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n")
        }
    };
    call.err(text)?;
    Ok(code)
}

/// The groups that list `name` as a member.
pub(in crate::run) fn member_of(vfs: &Vfs, name: &str) -> Vec<u32> {
    let groups = users::groups(vfs).into_iter();
    let mine = groups.filter(|group| group.members.iter().any(|member| member == name));
    mine.map(|group| group.gid).collect()
}

fn su(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "c:lmps:",
            long: &["command=", "login", "preserve-environment", "shell="],
        },
    )?;
    let mut operands = opts.operands.clone();
    let login = opts.has(&["l", "login"]) || operands.first().is_some_and(|word| word == "-");
    if operands.first().is_some_and(|word| word == "-") {
        operands.remove(0);
    }
    let name = if operands.is_empty() {
        "root".to_string()
    } else {
        operands.remove(0)
    };
    let Some(user) = users::user(call.kernel.vfs, &name) else {
        let text = match call.flavour() {
            Flavour::Busybox => format!("unknown user {name}"),
            Flavour::Gnu => format!(
                "user {name} does not exist or the user entry does not contain all the required fields"
            ),
        };
        return call.fail(1, text);
    };
    if call.proc.fs.cred.uid != 0 {
        let text = match call.flavour() {
            Flavour::Busybox => "must be suid to work properly",
            Flavour::Gnu => "Authentication failure",
        };
        return call.fail(1, text);
    }
    let own_shell = match user.shell.as_str() {
        "" => "/bin/sh",
        shell => shell,
    };
    let shell = opts.value(&["s", "shell"]).unwrap_or(own_shell).to_string();
    let base = shell.rsplit('/').next().unwrap_or_default().to_string();
    let preserve = opts.has(&["m", "p", "preserve-environment"]);
    let mut args = vec![shell.clone()];
    if login {
        args.extend((base != "false" && base != "nologin").then(|| "-l".to_string()));
    }
    if let Some(command) = opts.value(&["c", "command"]) {
        args.extend(["-c".to_string(), command.to_string()]);
    }
    args.extend(operands);
    let mut groups = member_of(call.kernel.vfs, &user.name);
    groups.push(user.gid);
    let mut cwd = call.proc.fs.cwd.clone();
    if login {
        if call.kernel.vfs.is_dir(&call.proc.fs, &user.home) {
            cwd = user.home.clone();
        } else if call.flavour() == Flavour::Busybox {
            call.complain(format_args!("can't change directory to '{}'", user.home))?;
            cwd = "/".into();
        } else {
            let text = "No such file or directory";
            call.complain(format_args!(
                "warning: cannot change directory to {}: {text}",
                user.home
            ))?;
        }
    }
    let ended = call.run_with(&args, |proc| {
        proc.fs.cred = Cred {
            uid: user.uid,
            gid: user.gid,
            groups,
        };
        if login {
            let old = std::mem::take(&mut proc.env);
            if let Some(term) = old.get("TERM") {
                proc.env.set("TERM", term);
            }
            let path = match user.uid {
                0 => "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                _ => "/usr/local/bin:/usr/bin:/bin",
            };
            proc.env.set("PATH", path);
            proc.fs.cwd = cwd;
        }
        if login || !preserve {
            proc.env.set("HOME", &user.home);
            proc.env.set("SHELL", &shell);
            if login || user.uid != 0 {
                proc.env.set("USER", &user.name);
                proc.env.set("LOGNAME", &user.name);
            }
        }
    })?;
    match ended {
        Ok(code) => Ok(code),
        Err(error) => cannot_run(call, &shell, error),
    }
}

fn gosu(call: &mut Call<'_, '_>) -> Exit {
    if call.args.len() < 2 {
        let line = format!("Usage: {} user-spec command [args]\n", call.name);
        call.err(line)?;
        return Ok(1);
    }
    let spec = call.args.remove(0);
    let (name, group) = match spec.split_once(':') {
        Some((name, group)) => (name.to_string(), Some(group.to_string())),
        None => (spec.clone(), None),
    };
    let user = users::user(call.kernel.vfs, &name)
        .or_else(|| users::user_by_id(call.kernel.vfs, name.parse().ok()?));
    let uid = match (&user, name.parse()) {
        (Some(user), _) => user.uid,
        (None, Ok(uid)) => uid,
        (None, Err(_)) => {
            let text = format!("unable to find user {name}: no matching entries in passwd file");
            return call.fail(1, text);
        }
    };
    let gid = match &group {
        None => user.as_ref().map_or(0, |user| user.gid),
        Some(group) => super::owner::group(call, group)?,
    };
    let groups = match (&user, &group) {
        (Some(user), None) => member_of(call.kernel.vfs, &user.name),
        _ => Vec::new(),
    };
    if call.proc.fs.cred.uid != 0 && call.proc.fs.cred.uid != uid {
        return call.fail(1, "operation not permitted");
    }
    let home = user.map_or("/".to_string(), |user| user.home);
    let args = std::mem::take(&mut call.args);
    let ended = call.run_with(&args, |proc| {
        proc.fs.cred = Cred { uid, gid, groups };
        proc.env.set("HOME", &home);
    })?;
    match ended {
        Ok(code) => Ok(code),
        Err(error) => {
            cannot_run(call, &args[0], error)?;
            Err(Stop::Exit(1))
        }
    }
}
