//! Debian's adduser, addgroup, deluser and delgroup, which call the programs of the shadow suite.

use super::super::super::{Call, Exit, Stop, users};
use super::super::opts::{Grammar, Opts, parse};
use super::super::remove;
use super::database::{self, GROUP, GSHADOW, PASSWD, SHADOW};
use super::{busybox, shadow, today};
use crate::fs::{Flags, Process};

/// `adduser.conf`: the numbers of accounts.
const FIRST_SYSTEM: u32 = 100;
const LAST_SYSTEM: u32 = 999;
const FIRST: u32 = 1000;
const LAST: u32 = 59_999;

const GRAMMAR: Grammar<'_> = Grammar {
    short: "c:hqv",
    long: &[
        "system",
        "group",
        "ingroup=",
        "gid=",
        "uid=",
        "home=",
        "shell=",
        "gecos=",
        "comment=",
        "no-create-home",
        "disabled-password",
        "disabled-login",
        "quiet",
        "debug",
        "force-badname",
        "allow-badname",
        "allow-bad-names",
        "allow-all-names",
        "add_extra_groups",
        "add-extra-groups",
        "conf=",
        "firstuid=",
        "lastuid=",
        "firstgid=",
        "lastgid=",
        "remove-home",
        "remove-all-files",
        "backup",
        "only-if-empty",
    ],
};

fn begin(call: &mut Call<'_, '_>) -> Result<(), Stop> {
    if !database::is_root(call) {
        call.complain("Only root may add a user or group to the system.")?;
        return Err(Stop::Exit(1));
    }
    // The file that it locks.
    let process = Process {
        umask: 0,
        ..call.proc.fs.clone()
    };
    let flags = Flags {
        create: true,
        truncate: true,
        exclusive: false,
    };
    let _ = call.kernel.vfs.open(&process, "/run/adduser", flags, 0o644);
    Ok(())
}

fn say(call: &mut Call<'_, '_>, opts: &Opts, text: String) -> Result<(), Stop> {
    match opts.has(&["quiet", "q"]) {
        true => Ok(()),
        false => call.out(text + "\n"),
    }
}

fn number(call: &mut Call<'_, '_>, opts: &Opts, name: &str) -> Result<Option<u32>, Stop> {
    let Some(text) = opts.value(&[name]) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => {
            let text = format!("Value \"{text}\" invalid for option {name} (number expected)\n");
            call.err(text)?;
            Err(Stop::Exit(1))
        }
    }
}

/// Whether `group` already has `user` as a member.
fn is_member(call: &Call<'_, '_>, user: &str, group: &str) -> bool {
    users::group(call.kernel.vfs, group)
        .is_some_and(|found| found.members.iter().any(|m| m == user))
}

fn edit_group(call: &mut Call<'_, '_>, group: &str, edit: impl Fn(&mut String)) {
    for path in [GROUP, GSHADOW] {
        let _ = database::change(call, path, |lines| {
            if let Some(line) = database::find(lines, group) {
                edit(line);
            }
        });
    }
}

fn join_group(call: &mut Call<'_, '_>, opts: &Opts, user: &str, group: &str) -> Exit {
    if users::user(call.kernel.vfs, user).is_none() {
        return call.fail(1, format_args!("The user `{user}' does not exist."));
    }
    if users::group(call.kernel.vfs, group).is_none() {
        return call.fail(1, format_args!("The group `{group}' does not exist."));
    }
    begin(call)?;
    if is_member(call, user, group) {
        say(
            call,
            opts,
            format!("The user `{user}' is already a member of `{group}'."),
        )?;
        return Ok(0);
    }
    say(
        call,
        opts,
        format!("Adding user `{user}' to group `{group}' ..."),
    )?;
    database::lock(call);
    edit_group(call, group, |line| database::add_member(line, user));
    say(call, opts, "Done.".to_string())?;
    Ok(0)
}

pub(super) fn addgroup(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(call, GRAMMAR)?;
    match &opts.operands[..] {
        [name] => add_group(call, &opts, name),
        [user, group] => join_group(call, &opts, user, group),
        _ => call.fail(1, "Only one or two names allowed."),
    }
}

fn add_group(call: &mut Call<'_, '_>, opts: &Opts, name: &str) -> Exit {
    let wanted = number(call, opts, "gid")?;
    let system = opts.has(&["system"]);
    if let Some(group) = users::group(call.kernel.vfs, name) {
        return match system {
            true if (FIRST_SYSTEM..=LAST_SYSTEM).contains(&group.gid) => {
                let text = format!("The group `{name}' already exists as a system group. Exiting.");
                call.fail(0, text)
            }
            true => {
                let text = format!(
                    "The group `{name}' already exists and is not a system group. Exiting."
                );
                call.fail(1, text)
            }
            false => call.fail(1, format_args!("The group `{name}' already exists.")),
        };
    }
    let vfs = &*call.kernel.vfs;
    let free = |gid: &u32| users::group_by_id(vfs, *gid).is_none();
    let gid = match wanted {
        Some(gid) if !free(&gid) => {
            return call.fail(1, format_args!("The GID `{gid}' is already in use."));
        }
        Some(gid) => Some(gid),
        None if system => (FIRST_SYSTEM..=LAST_SYSTEM).find(free),
        None => (FIRST..=LAST).find(free),
    };
    let Some(gid) = gid else {
        return call.fail(1, "No GID is available in the range.");
    };
    begin(call)?;
    say(call, opts, format!("Adding group `{name}' (GID {gid}) ..."))?;
    group_lines(call, name, gid);
    say(call, opts, "Done.".to_string())?;
    Ok(0)
}

fn group_lines(call: &mut Call<'_, '_>, name: &str, gid: u32) {
    database::lock(call);
    let _ = database::change(call, GROUP, |lines| lines.push(format!("{name}:x:{gid}:")));
    let _ = database::change(call, GSHADOW, |lines| lines.push(format!("{name}:!::")));
}

pub(super) fn adduser(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(call, GRAMMAR)?;
    let name = match &opts.operands[..] {
        [user, group] => return join_group(call, &opts, user, group),
        [name] => name.clone(),
        _ => return call.fail(1, "Only one or two names allowed."),
    };
    let system = opts.has(&["system"]);
    if opts.has(&["group"]) && !system {
        return add_group(call, &opts, &name);
    }
    let wanted = number(call, &opts, "uid")?;
    if let Some(user) = users::user(call.kernel.vfs, &name) {
        return match system {
            true if (FIRST_SYSTEM..=LAST_SYSTEM).contains(&user.uid) => call.fail(
                0,
                format_args!("The system user `{name}' already exists. Exiting."),
            ),
            true => {
                let text =
                    format!("The user `{name}' already exists, but is not a system user. Exiting.");
                call.fail(1, text)
            }
            false => call.fail(1, format_args!("The user `{name}' already exists.")),
        };
    }
    if let Some(uid) = wanted.filter(|uid| users::user_by_id(call.kernel.vfs, *uid).is_some()) {
        return call.fail(1, format_args!("The UID {uid} is already in use."));
    }
    let mut group = None;
    if let Some(text) = opts.value(&["ingroup", "gid"]) {
        let vfs = &*call.kernel.vfs;
        let by_id = || users::group_by_id(vfs, text.parse().ok()?);
        match users::group(vfs, text).or_else(by_id) {
            Some(found) => group = Some(found),
            None if opts.has(&["gid"]) => {
                return call.fail(1, format_args!("The GID {text} does not exist."));
            }
            None => return call.fail(1, format_args!("The group `{text}' does not exist.")),
        }
    }
    begin(call)?;
    match system {
        true => add_system(call, &opts, &name, wanted, group),
        false => add_ordinary(call, &opts, &name, wanted, group),
    }
}

fn add_system(
    call: &mut Call<'_, '_>,
    opts: &Opts,
    name: &str,
    wanted: Option<u32>,
    group: Option<users::Group>,
) -> Exit {
    let vfs = &*call.kernel.vfs;
    let free = |uid: &u32| users::user_by_id(vfs, *uid).is_none();
    let Some(uid) = wanted.or_else(|| (FIRST_SYSTEM..=LAST_SYSTEM).find(free)) else {
        return call.fail(1, "No UID is available in the range.");
    };
    let free_gid = (FIRST_SYSTEM..=LAST_SYSTEM).find(|gid| users::group_by_id(vfs, *gid).is_none());
    say(
        call,
        opts,
        format!("Adding system user `{name}' (UID {uid}) ..."),
    )?;
    let (gid, group_name) = match group {
        Some(group) => (group.gid, group.name),
        None if opts.has(&["group"]) => {
            let Some(gid) = free_gid else {
                return call.fail(1, "No GID is available in the range.");
            };
            say(
                call,
                opts,
                format!("Adding new group `{name}' (GID {gid}) ..."),
            )?;
            group_lines(call, name, gid);
            (gid, name.to_string())
        }
        None => (65_534, "nogroup".to_string()),
    };
    say(
        call,
        opts,
        format!("Adding new user `{name}' (UID {uid}) with group `{group_name}' ..."),
    )?;
    let home = opts.value(&["home"]).unwrap_or("/nonexistent").to_string();
    let shell = opts.value(&["shell"]).unwrap_or("/usr/sbin/nologin");
    let comment = opts.value(&["gecos", "comment"]).unwrap_or_default();
    let comment = if comment.is_empty() {
        String::new()
    } else {
        format!("{comment},,,")
    };
    let line = format!("{name}:x:{uid}:{gid}:{comment}:{home}:{shell}");
    user_lines(call, line, format!("{name}:!:{}::::::", today(call)));
    if home == "/nonexistent" {
        say(call, opts, format!("Not creating `{home}'."))?;
    } else if opts.has(&["no-create-home"]) {
        say(call, opts, format!("Not creating home directory `{home}'."))?;
    } else if call.kernel.vfs.exists(&call.proc.fs, &home) {
        let text =
            format!("The home directory `{home}' already exists.  Not touching this directory.");
        say(call, opts, text)?;
    } else {
        say(call, opts, format!("Creating home directory `{home}' ..."))?;
        let parent = crate::fs::parent(&home);
        let _ = super::super::create::make_dir(call, &parent, None, true);
        // A system user gets nothing of the skeleton.
        busybox::make_home(call, &home, "", (uid, gid), 0o755)?;
    }
    Ok(0)
}

fn user_lines(call: &mut Call<'_, '_>, passwd: String, shadow: String) {
    database::lock(call);
    let _ = database::change(call, PASSWD, |lines| lines.push(passwd));
    let _ = database::change(call, SHADOW, |lines| lines.push(shadow));
}

fn add_ordinary(
    call: &mut Call<'_, '_>,
    opts: &Opts,
    name: &str,
    wanted: Option<u32>,
    group: Option<users::Group>,
) -> Exit {
    let vfs = &*call.kernel.vfs;
    let free = |uid: &u32| {
        let group_free = group.is_some() || users::group_by_id(vfs, *uid).is_none();
        users::user_by_id(vfs, *uid).is_none() && group_free
    };
    let Some(uid) = wanted.or_else(|| (FIRST..=LAST).find(free)) else {
        return call.fail(1, "No UID is available in the range.");
    };
    say(call, opts, format!("Adding user `{name}' ..."))?;
    let (gid, group_name) = match group {
        Some(group) => (group.gid, group.name),
        None => {
            say(call, opts, format!("Adding new group `{name}' ({uid}) ..."))?;
            group_lines(call, name, uid);
            (uid, name.to_string())
        }
    };
    let text = format!("Adding new user `{name}' ({uid}) with group `{group_name} ({gid})' ...");
    say(call, opts, text)?;
    let home = opts
        .value(&["home"])
        .map_or(format!("/home/{name}"), String::from);
    let shell = opts.value(&["shell"]).unwrap_or("/bin/bash");
    let comment = opts.value(&["gecos", "comment"]).unwrap_or_default();
    let line = format!("{name}:x:{uid}:{gid}:{comment},,,:{home}:{shell}");
    user_lines(call, line, format!("{name}:!:{}:0:99999:7:::", today(call)));
    for path in [database::SUBUID, database::SUBGID] {
        shadow::subordinate(call, path, name);
    }
    if opts.has(&["no-create-home"]) {
        say(call, opts, format!("Not creating home directory `{home}'."))?;
    } else if call.kernel.vfs.exists(&call.proc.fs, &home) {
        let text =
            format!("The home directory `{home}' already exists.  Not touching this directory.");
        say(call, opts, text)?;
    } else {
        say(call, opts, format!("Creating home directory `{home}' ..."))?;
        say(call, opts, "Copying files from `/etc/skel' ...".to_string())?;
        let parent = crate::fs::parent(&home);
        let _ = super::super::create::make_dir(call, &parent, None, true);
        busybox::make_home(call, &home, "/etc/skel", (uid, gid), 0o700)?;
    }
    // `EXTRA_GROUPS` of Debian 12.
    if users::group(call.kernel.vfs, "users").is_some() && group_name != "users" {
        let text = format!("Adding new user `{name}' to supplemental / extra groups `users' ...");
        say(call, opts, text)?;
        say(
            call,
            opts,
            format!("Adding user `{name}' to group `users' ..."),
        )?;
        edit_group(call, "users", |line| database::add_member(line, name));
    }
    Ok(0)
}

pub(super) fn deluser(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(call, GRAMMAR)?;
    if opts.has(&["group"]) {
        return delgroup_with(call, &opts);
    }
    let name = match &opts.operands[..] {
        [user, group] => return leave_group(call, &opts, user, group),
        [name] => name.clone(),
        _ => return call.fail(1, "Only one or two names allowed."),
    };
    let Some(user) = users::user(call.kernel.vfs, &name) else {
        let code = if opts.has(&["system"]) { 0 } else { 2 };
        return call.fail(code, format_args!("The user `{name}' does not exist."));
    };
    begin(call)?;
    if opts.has(&["remove-home", "remove-all-files"]) {
        say(
            call,
            &opts,
            "Looking for files to backup/remove ...".to_string(),
        )?;
        if call.kernel.vfs.is_dir(&call.proc.fs, &user.home) {
            say(call, &opts, "Removing files ...".to_string())?;
            let options = remove::Options {
                recursive: true,
                ..remove::Options::default()
            };
            remove::remove(call, &user.home, options)?;
        }
    }
    if !call.kernel.vfs.exists(&call.proc.fs, "/usr/bin/crontab") {
        call.complain(
            "`/usr/bin/crontab' not executed. Skipping crontab removal. Package `cron' required.",
        )?;
    }
    say(call, &opts, format!("Removing user `{name}' ..."))?;
    call.args = vec![name];
    shadow::userdel(call)?;
    say(call, &opts, "Done.".to_string())?;
    Ok(0)
}

fn leave_group(call: &mut Call<'_, '_>, opts: &Opts, user: &str, group: &str) -> Exit {
    if users::user(call.kernel.vfs, user).is_none() {
        return call.fail(2, format_args!("The user `{user}' does not exist."));
    }
    if users::group(call.kernel.vfs, group).is_none() {
        return call.fail(3, format_args!("The group `{group}' does not exist."));
    }
    if !is_member(call, user, group) {
        return call.fail(
            6,
            format_args!("The user `{user}' is not a member of group `{group}'."),
        );
    }
    begin(call)?;
    say(
        call,
        opts,
        format!("Removing user `{user}' from group `{group}' ..."),
    )?;
    database::lock(call);
    edit_group(call, group, |line| database::remove_member(line, user));
    say(call, opts, "Done.".to_string())?;
    Ok(0)
}

pub(super) fn delgroup(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(call, GRAMMAR)?;
    delgroup_with(call, &opts)
}

fn delgroup_with(call: &mut Call<'_, '_>, opts: &Opts) -> Exit {
    let name = match &opts.operands[..] {
        [user, group] => return leave_group(call, opts, user, group),
        [name] => name.clone(),
        _ => return call.fail(1, "Only one or two names allowed."),
    };
    let Some(group) = users::group(call.kernel.vfs, &name) else {
        return call.fail(3, format_args!("The group `{name}' does not exist."));
    };
    let all = users::users(call.kernel.vfs);
    if let Some(user) = all.into_iter().find(|user| user.gid == group.gid) {
        return call.fail(
            7,
            format_args!("`{}' still has `{name}' as their primary group!", user.name),
        );
    }
    begin(call)?;
    say(call, opts, format!("Removing group `{name}' ..."))?;
    call.args = vec![name];
    shadow::groupdel(call)?;
    say(call, opts, "Done.".to_string())?;
    Ok(0)
}
