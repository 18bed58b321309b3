//! busybox's adduser, addgroup, deluser and delgroup.

use super::super::super::{Call, Exit, Stop, users};
use super::super::opts::{Grammar, parse};
use super::super::{copy, remove};
use super::database::{self, GROUP, GSHADOW, PASSWD, SHADOW};
use super::{passwords, today};
use crate::fs::{Errno, Follow, Process};

/// The first and last numbers of system accounts, and the last of all (as Alpine and Debian
/// configure them).
const FIRST_SYSTEM: u32 = 100;
const LAST_SYSTEM: u32 = 999;
const LAST: u32 = 60_000;

fn root_only(call: &mut Call<'_, '_>) -> Result<(), Stop> {
    if database::is_root(call) {
        return Ok(());
    }
    call.complain("permission denied (are you root?)")?;
    Err(Stop::Exit(1))
}

fn usage(call: &mut Call<'_, '_>, text: &str) -> Exit {
    let line = format!(
        "BusyBox v1.35.0 multi-call binary.\n\nUsage: {} {text}\n",
        call.name
    );
    call.err(line)?;
    Ok(1)
}

fn check_name(call: &mut Call<'_, '_>, name: &str) -> Result<(), Stop> {
    let bad = name.bytes().enumerate().find(|(at, c)| {
        let last = at + 1 == name.len();
        let inner = *at > 0 && matches!(c, b'.' | b'-' | b'@');
        !(c.is_ascii_alphanumeric() || *c == b'_' || inner || (last && *at > 0 && *c == b'$'))
    });
    if let Some((at, c)) = bad {
        call.complain(format_args!(
            "illegal character with code {c} at position {at}"
        ))?;
        return Err(Stop::Exit(1));
    }
    if name.is_empty() || name.len() > 255 {
        call.complain("illegal name length")?;
        return Err(Stop::Exit(1));
    }
    Ok(())
}

fn failed(call: &mut Call<'_, '_>, path: &str, errno: Errno) -> Exit {
    call.fail(1, format_args!("{path}: {errno}"))
}

pub(super) fn addgroup(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "g:S",
            long: &["gid=", "system"],
        },
    )?;
    root_only(call)?;
    let gid = opts.value(&["g", "gid"]).map(String::from);
    match &opts.operands[..] {
        [name] => {
            let wanted = match &gid {
                None => None,
                Some(text) => match text.parse::<u32>() {
                    Ok(gid) if gid <= LAST => Some(gid),
                    _ => {
                        return call
                            .fail(1, format_args!("number {text} is not in 0..{LAST} range"));
                    }
                },
            };
            check_name(call, name)?;
            new_group(call, name, wanted, opts.has(&["S", "system"]))
        }
        [user, group] if gid.is_none() => join_group(call, user, group),
        _ => usage(call, "[-g GID] [-S] [USER] GROUP"),
    }
}

fn new_group(call: &mut Call<'_, '_>, name: &str, wanted: Option<u32>, system: bool) -> Exit {
    let vfs = &*call.kernel.vfs;
    if users::group(vfs, name).is_some() {
        return call.fail(1, format_args!("group '{name}' in use"));
    }
    let free = |gid: &u32| users::group_by_id(vfs, *gid).is_none();
    let gid = match wanted {
        Some(gid) if !free(&gid) => return call.fail(1, format_args!("gid '{gid}' in use")),
        Some(gid) => Some(gid),
        None if system => (FIRST_SYSTEM..=LAST_SYSTEM).find(free),
        None => (LAST_SYSTEM + 1..=LAST).find(free),
    };
    let Some(gid) = gid else {
        return call.fail(1, "no gids left");
    };
    if let Err(errno) =
        database::change(call, GROUP, |lines| lines.push(format!("{name}:x:{gid}:")))
    {
        return failed(call, GROUP, errno);
    }
    let _ = database::change(call, GSHADOW, |lines| lines.push(format!("{name}:!::")));
    Ok(0)
}

fn join_group(call: &mut Call<'_, '_>, user: &str, group: &str) -> Exit {
    if users::user(call.kernel.vfs, user).is_none() {
        return call.fail(1, format_args!("unknown user {user}"));
    }
    let Some(found) = users::group(call.kernel.vfs, group) else {
        return call.fail(1, format_args!("unknown group {group}"));
    };
    if found.members.iter().any(|member| member == user) {
        return Ok(0);
    }
    for path in [GROUP, GSHADOW] {
        let done = database::change(call, path, |lines| {
            if let Some(line) = database::find(lines, group) {
                database::add_member(line, user);
            }
        });
        if let (Err(errno), GROUP) = (done, path) {
            return failed(call, GROUP, errno);
        }
    }
    Ok(0)
}

pub(super) fn adduser(call: &mut Call<'_, '_>) -> Exit {
    let plain = call.args.iter().all(|arg| !arg.starts_with('-'));
    let opts = parse(
        call,
        Grammar {
            short: "h:g:s:G:DSHu:k:",
            long: &[
                "home=",
                "gecos=",
                "shell=",
                "ingroup=",
                "disabled-password",
                "empty-password",
                "system",
                "no-create-home",
                "uid=",
                "skel=",
            ],
        },
    )?;
    root_only(call)?;
    let name = match &opts.operands[..] {
        [user, group] if plain => {
            let (user, group) = (user.clone(), group.clone());
            call.name = "addgroup".into();
            return join_group(call, &user, &group);
        }
        [name] | [name, _] => name.clone(),
        _ => return usage(call, "[OPTIONS] USER [GROUP]"),
    };
    let wanted = match opts.value(&["u", "uid"]) {
        None => None,
        Some(text) => match text.parse::<u32>() {
            Ok(uid) if uid <= LAST => Some(uid),
            _ => return call.fail(1, format_args!("number {text} is not in 0..{LAST} range")),
        },
    };
    check_name(call, &name)?;
    let system = opts.has(&["S", "system"]);
    let group = opts.value(&["G", "ingroup"]).map(String::from);
    let group = group.or(system.then(|| "nogroup".to_string()));
    let vfs = &*call.kernel.vfs;
    let mut gid = None;
    if let Some(group) = &group {
        match users::group(vfs, group) {
            Some(group) => gid = Some(group.gid),
            None => return call.fail(1, format_args!("unknown group {group}")),
        }
    }
    if users::user(vfs, &name).is_some() {
        return call.fail(1, format_args!("user '{name}' in use"));
    }
    let free = |uid: &u32| {
        users::user_by_id(vfs, *uid).is_none()
            && (gid.is_some() || users::group_by_id(vfs, *uid).is_none())
    };
    let uid = match wanted {
        Some(uid) if !free(&uid) => return call.fail(1, format_args!("uid '{uid}' in use")),
        Some(uid) => Some(uid),
        None if system => (FIRST_SYSTEM..=LAST_SYSTEM).find(free),
        None => (LAST_SYSTEM + 1..=LAST).find(free),
    };
    let Some(uid) = uid else {
        return call.fail(1, "no uids left");
    };
    if gid.is_none() && users::group(vfs, &name).is_some() {
        return call.fail(1, format_args!("group '{name}' in use"));
    }
    let own_gid = gid.unwrap_or(uid);
    let shell = match opts.value(&["s", "shell"]) {
        Some(shell) => shell.to_string(),
        // Alpine's busybox is patched to say so.
        None if system && vfs.exists(&call.proc.fs, "/etc/alpine-release") => {
            "/sbin/nologin".into()
        }
        None if system => "/bin/false".into(),
        None => own_shell(call),
    };
    let home = opts
        .value(&["h", "home"])
        .map_or(format!("/home/{name}"), String::from);
    let gecos = opts.value(&["g", "gecos"]).unwrap_or("Linux User,,,");
    let line = format!("{name}:x:{uid}:{own_gid}:{gecos}:{home}:{shell}");
    if let Err(errno) = database::change(call, PASSWD, |lines| lines.push(line)) {
        return failed(call, PASSWD, errno);
    }
    let line = format!("{name}:!:{}:0:99999:7:::", today(call));
    let _ = database::change(call, SHADOW, |lines| lines.push(line));
    let adduser = std::mem::replace(&mut call.name, "addgroup".into());
    match &group {
        Some(group) => join_group(call, &name, group)?,
        None => new_group(call, &name, Some(own_gid), false)?,
    };
    call.name = adduser;
    if !opts.has(&["H", "no-create-home"]) {
        let skeleton = opts
            .value(&["k", "skel"])
            .unwrap_or("/etc/skel")
            .to_string();
        make_home(call, &home, &skeleton, (uid, own_gid), 0o2755)?;
    }
    if system || opts.has(&["D", "disabled-password", "empty-password"]) {
        return Ok(0);
    }
    // The password is asked for, and nobody answers.
    call.name = "passwd".into();
    passwords::ask(call, &name)
}

fn own_shell(call: &Call<'_, '_>) -> String {
    if let Some(shell) = call.proc.env.get("SHELL").filter(|shell| !shell.is_empty()) {
        return shell.to_string();
    }
    let user = users::user_by_id(call.kernel.vfs, call.proc.fs.cred.uid);
    match user {
        Some(user) if !user.shell.is_empty() => user.shell,
        _ => "/bin/sh".to_string(),
    }
}

/// Makes a home directory with what the skeleton has in it; one that is there gets owner and mode
/// alone.
pub(super) fn make_home(
    call: &mut Call<'_, '_>,
    home: &str,
    skeleton: &str,
    (uid, gid): (u32, u32),
    mode: u32,
) -> Result<(), Stop> {
    let open = Process {
        umask: 0,
        ..call.proc.fs.clone()
    };
    let bare = home.trim_end_matches('/').to_string();
    let made = call.kernel.vfs.mkdir(&open, &bare, 0o755);
    if made.is_ok() {
        let names = call
            .kernel
            .vfs
            .read_dir(&open, skeleton)
            .unwrap_or_default();
        let process = std::mem::replace(&mut call.proc.fs, open.clone());
        let options = copy::Options {
            recursive: true,
            ..copy::Options::default()
        };
        for name in names {
            let (from, to) = (format!("{skeleton}/{name}"), format!("{bare}/{name}"));
            copy::copy(call, &from, &to, &options, &mut copy::Links::default())?;
        }
        call.proc.fs = process;
        own(call, &bare, (uid, gid))?;
    }
    let vfs = &mut *call.kernel.vfs;
    let done = match made {
        Ok(_) | Err(Errno::Eexist) => vfs
            .chown(&open, &bare, (Some(uid), Some(gid)), Follow::Yes)
            .and_then(|()| vfs.chmod(&open, &bare, mode)),
        Err(errno) => Err(errno),
    };
    if let Err(errno) = done {
        call.complain(format_args!("{home}: {errno}"))?;
    }
    Ok(())
}

/// Gives a tree away.
fn own(call: &mut Call<'_, '_>, path: &str, owner: (u32, u32)) -> Result<(), Stop> {
    call.kernel.round()?;
    let process = call.proc.fs.clone();
    let new = (Some(owner.0), Some(owner.1));
    let _ = call.kernel.vfs.chown(&process, path, new, Follow::No);
    let is_dir = call
        .kernel
        .vfs
        .stat(&process, path, Follow::No)
        .is_ok_and(|handle| call.kernel.vfs.inode(handle).is_dir());
    if is_dir {
        for name in call.kernel.vfs.read_dir(&process, path).unwrap_or_default() {
            own(call, &format!("{path}/{name}"), owner)?;
        }
    }
    Ok(())
}

pub(super) fn deluser(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "",
            long: &["remove-home"],
        },
    )?;
    root_only(call)?;
    let [name] = &opts.operands[..] else {
        return usage(call, "[--remove-home] USER");
    };
    let Some(user) = users::user(call.kernel.vfs, name) else {
        return call.fail(1, format_args!("unknown user {name}"));
    };
    if opts.has(&["remove-home"]) && call.kernel.vfs.is_dir(&call.proc.fs, &user.home) {
        let options = remove::Options {
            recursive: true,
            ..remove::Options::default()
        };
        remove::remove(call, &user.home, options)?;
    }
    for path in [PASSWD, SHADOW] {
        let _ = database::change(call, path, |lines| {
            lines.retain(|line| !database::is_of(line, name))
        });
    }
    let _ = database::change(call, GROUP, |lines| {
        lines
            .iter_mut()
            .for_each(|line| database::remove_member(line, name));
    });
    match users::group(call.kernel.vfs, name) {
        Some(_) => remove_group(call, name),
        None => Ok(0),
    }
}

pub(super) fn delgroup(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "",
            long: &[],
        },
    )?;
    root_only(call)?;
    match &opts.operands[..] {
        [group] => match users::group(call.kernel.vfs, group) {
            Some(_) => remove_group(call, group),
            None => call.fail(1, format_args!("unknown group {group}")),
        },
        [user, group] => {
            let Some(found) = users::group(call.kernel.vfs, group) else {
                return call.fail(1, format_args!("unknown group {group}"));
            };
            let member = found.members.contains(user);
            for path in [GROUP, GSHADOW] {
                let _ = database::change(call, path, |lines| {
                    if let Some(line) = database::find(lines, group) {
                        database::remove_member(line, user);
                    }
                });
            }
            if !member {
                call.complain(format_args!("can't find {user} in {GROUP}"))?;
            }
            Ok(0)
        }
        _ => usage(call, "[USER] GROUP"),
    }
}

fn remove_group(call: &mut Call<'_, '_>, group: &str) -> Exit {
    let gid = users::group(call.kernel.vfs, group).map(|group| group.gid);
    let all = users::users(call.kernel.vfs);
    if let Some(user) = all.into_iter().find(|user| Some(user.gid) == gid) {
        let text = format!(
            "'{}' still has '{group}' as their primary group!",
            user.name
        );
        return call.fail(1, text);
    }
    for path in [GROUP, GSHADOW] {
        let _ = database::change(call, path, |lines| {
            lines.retain(|line| !database::is_of(line, group))
        });
    }
    Ok(0)
}
