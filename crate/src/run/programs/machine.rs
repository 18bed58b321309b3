//! Questions about the machine, its users and its programs: id, whoami, groups, getent, uname,
//! hostname, nproc, which, tty and the like; and what has no effect on a filesystem.

use super::super::{Call, Exit, Flavour, Program, users};
use super::launch::member_of;
use super::opts::{Grammar, parse};

pub(super) const TABLE: &[Program] = &[
    Program::executed("id", id),
    Program::executed("whoami", whoami),
    Program::executed("logname", logname),
    Program::executed("groups", groups),
    Program::executed("getent", getent),
    Program::executed("uname", uname),
    Program::executed("arch", |call| say(call, MACHINE)),
    Program::executed("hostname", hostname),
    Program::executed("nproc", nproc),
    Program::executed("which", which),
    Program::executed("tty", |call| {
        call.out("not a tty\n")?;
        Ok(1)
    }),
    Program::executed("pwd", |call| {
        let cwd = call.proc.fs.cwd.clone();
        say(call, &cwd)
    }),
    Program::executed("clear", |call| {
        call.out("\x1b[H\x1b[J")?;
        Ok(0)
    }),
    Program::executed("sync", nothing),
    Program::executed("fsync", nothing),
    Program::executed("kill", kill),
    Program::executed("ldconfig", nothing),
];

/// The machine's architecture.
const MACHINE: &str = "x86_64";
/// The version of its system.
const RELEASE: &str = "6.1.0";

fn nothing(_: &mut Call<'_, '_>) -> Exit {
    Ok(0)
}

fn say(call: &mut Call<'_, '_>, text: &str) -> Exit {
    call.out(format!("{text}\n"))?;
    Ok(0)
}

fn id(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "ugGnrz",
            long: &["user", "group", "groups", "name", "real", "zero"],
        },
    )?;
    let vfs = &*call.kernel.vfs;
    let (uid, gid, mut others) = match opts.operands.first() {
        None => {
            let cred = &call.proc.fs.cred;
            (cred.uid, cred.gid, cred.groups.clone())
        }
        Some(name) => match users::user(vfs, name) {
            Some(user) => (user.uid, user.gid, member_of(vfs, &user.name)),
            None => {
                let text = match call.flavour() {
                    Flavour::Busybox => format!("unknown user {name}"),
                    Flavour::Gnu => format!("‘{name}’: no such user"),
                };
                return call.fail(1, text);
            }
        },
    };
    if opts.operands.is_empty() {
        // As the system keeps them.
        crate::order::sort(&mut others);
    }
    let own_first = call.flavour() == Flavour::Gnu || !others.contains(&gid);
    if own_first || !opts.operands.is_empty() {
        others.retain(|group| *group != gid);
        others.insert(0, gid);
    }
    let user_name = users::user_by_id(vfs, uid).map(|user| user.name);
    let group_name = |gid| users::group_by_id(vfs, gid).map(|group| group.name);
    let by_name = opts.has(&["n", "name"]);
    let shown = |number: u32, name: Option<String>| match name {
        Some(name) if by_name => name,
        _ => number.to_string(),
    };
    let text = if opts.has(&["u", "user"]) {
        if by_name && user_name.is_none() {
            let text = match call.flavour() {
                Flavour::Busybox => format!("unknown ID {uid}"),
                Flavour::Gnu => format!("cannot find name for user ID {uid}"),
            };
            let line = format!("{uid}\n");
            call.complain(text)?;
            call.out(line)?;
            return Ok(1);
        }
        shown(uid, user_name)
    } else if opts.has(&["g", "group"]) {
        shown(gid, group_name(gid))
    } else if opts.has(&["G", "groups"]) {
        let all: Vec<String> = others
            .iter()
            .map(|gid| shown(*gid, group_name(*gid)))
            .collect();
        all.join(" ")
    } else {
        let named = |number: u32, name: Option<String>| match name {
            Some(name) => format!("{number}({name})"),
            None => number.to_string(),
        };
        let all: Vec<String> = others
            .iter()
            .map(|gid| named(*gid, group_name(*gid)))
            .collect();
        format!(
            "uid={} gid={} groups={}",
            named(uid, user_name),
            named(gid, group_name(gid)),
            all.join(",")
        )
    };
    say(call, &text)
}

fn whoami(call: &mut Call<'_, '_>) -> Exit {
    let uid = call.proc.fs.cred.uid;
    match users::user_by_id(call.kernel.vfs, uid) {
        Some(user) => say(call, &user.name),
        None => {
            let text = match call.flavour() {
                Flavour::Busybox => format!("unknown uid {uid}"),
                Flavour::Gnu => format!("cannot find name for user ID {uid}"),
            };
            call.fail(1, text)
        }
    }
}

fn logname(call: &mut Call<'_, '_>) -> Exit {
    // Nobody has logged in.
    match call.flavour() {
        Flavour::Busybox => call.fail(1, "getlogin: No such device or address"),
        Flavour::Gnu => call.fail(1, "no login name"),
    }
}

fn groups(call: &mut Call<'_, '_>) -> Exit {
    let vfs = &*call.kernel.vfs;
    let (gid, mut all, title) = match call.args.first() {
        None => (
            call.proc.fs.cred.gid,
            call.proc.fs.cred.groups.clone(),
            None,
        ),
        Some(name) => match users::user(vfs, name) {
            Some(user) => (user.gid, member_of(vfs, name), Some(name.clone())),
            None => {
                let text = match call.flavour() {
                    Flavour::Busybox => format!("unknown user {name}"),
                    Flavour::Gnu => format!("‘{name}’: no such user"),
                };
                return call.fail(1, text);
            }
        },
    };
    all.retain(|group| *group != gid);
    all.insert(0, gid);
    let names: Vec<String> = all
        .iter()
        .map(|gid| users::group_by_id(vfs, *gid).map_or(gid.to_string(), |group| group.name))
        .collect();
    let title = match (title, call.flavour()) {
        (Some(name), Flavour::Gnu) => format!("{name} : "),
        _ => String::new(),
    };
    let line = title + &names.join(" ");
    say(call, &line)
}

fn getent(call: &mut Call<'_, '_>) -> Exit {
    let Some(base) = call.args.first().cloned() else {
        return call.fail(1, "wrong number of arguments");
    };
    let keys: Vec<String> = call.args[1..].to_vec();
    let path = match base.as_str() {
        "passwd" | "group" | "shadow" | "gshadow" | "services" | "protocols" | "hosts" => {
            format!("/etc/{base}")
        }
        "ahosts" | "ahostsv4" => "/etc/hosts".to_string(),
        _ => {
            let line = format!("Unknown database: {base}\n");
            call.err(line)?;
            return Ok(1);
        }
    };
    let text = match call.slurp(&path)? {
        Ok(bytes) => super::input::decode(&bytes),
        Err(_) => String::new(),
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    if keys.is_empty() {
        let all: String = lines.iter().map(|line| format!("{line}\n")).collect();
        call.out(all)?;
        return Ok(0);
    }
    let mut code = 0;
    for key in keys {
        let number = key.bytes().all(|b| b.is_ascii_digit());
        let found = lines.iter().find(|line| {
            let fields: Vec<&str> = match line.contains(':') && !path.ends_with("hosts") {
                true => line.split(':').collect(),
                false => line.split_whitespace().collect(),
            };
            match path.as_str() {
                "/etc/hosts" | "/etc/services" | "/etc/protocols" => fields.contains(&key.as_str()),
                _ if number => fields.get(2) == Some(&key.as_str()),
                _ => fields.first() == Some(&key.as_str()),
            }
        });
        match found {
            Some(line) => call.out(format!("{line}\n"))?,
            None => code = 2,
        }
    }
    Ok(code)
}

fn uname(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "snrvmpioa",
            long: &[
                "all",
                "machine",
                "kernel-name",
                "kernel-release",
                "nodename",
                "operating-system",
            ],
        },
    )?;
    let host = call.kernel.hostname.clone();
    let parts: [(&[&str], &str); 8] = [
        (&["s", "kernel-name"], "Linux"),
        (&["n", "nodename"], &host),
        (&["r", "kernel-release"], RELEASE),
        (&["v"], "#1 SMP PREEMPT_DYNAMIC"),
        (&["m", "machine"], MACHINE),
        (&["p"], "unknown"),
        (&["i"], "unknown"),
        (&["o", "operating-system"], "GNU/Linux"),
    ];
    let all = opts.has(&["a", "all"]);
    let any = all || parts.iter().any(|(names, _)| opts.has(names));
    let chosen: Vec<&str> = parts
        .iter()
        .filter(|(names, text)| match any {
            true => opts.has(names) || (all && *text != "unknown"),
            false => names[0] == "s",
        })
        .map(|(_, text)| *text)
        .collect();
    say(call, &chosen.join(" "))
}

fn hostname(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "fsidAIF:y",
            long: &["fqdn", "short", "ip-address"],
        },
    )?;
    if !opts.operands.is_empty() || opts.has(&["F"]) {
        let text = match call.flavour() {
            Flavour::Busybox => "sethostname: Operation not permitted",
            Flavour::Gnu => "you must be root to change the host name",
        };
        return call.fail(1, text);
    }
    let name = match () {
        () if opts.has(&["i", "I", "ip-address"]) => "127.0.0.1".to_string(),
        () if opts.has(&["d"]) => String::new(),
        () => call.kernel.hostname.clone(),
    };
    say(call, &name)
}

fn nproc(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "",
            long: &["all", "ignore="],
        },
    )?;
    // As many as /proc/cpuinfo shows.
    let all = 2_u32;
    let ignored = opts
        .value(&["ignore"])
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    say(call, &all.saturating_sub(ignored).max(1).to_string())
}

fn which(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "as",
            long: &["all"],
        },
    )?;
    let mut code = i32::from(opts.operands.is_empty());
    let dirs = call
        .proc
        .env
        .get("PATH")
        .unwrap_or("/sbin:/usr/sbin:/bin:/usr/bin")
        .to_string();
    for name in &opts.operands {
        let candidates: Vec<String> = match name.contains('/') {
            true => vec![name.clone()],
            false => dirs
                .split(':')
                .map(|dir| format!("{}/{name}", dir.trim_end_matches('/')))
                .collect(),
        };
        let mut found = false;
        for path in candidates {
            let executable = call
                .kernel
                .vfs
                .stat(&call.proc.fs, &path, crate::fs::Follow::Yes)
                .is_ok_and(|handle| {
                    let inode = call.kernel.vfs.inode(handle);
                    inode.file().is_some() && call.proc.fs.cred.may(&inode.meta, 1, false)
                });
            if executable {
                call.out(format!("{path}\n"))?;
                found = true;
                if !opts.has(&["a", "all"]) {
                    break;
                }
            }
        }
        if !found {
            code = 1;
        }
    }
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
