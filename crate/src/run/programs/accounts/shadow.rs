//! The programs of the shadow suite: useradd, usermod, userdel, groupadd, groupmod, groupdel,
//! gpasswd, chsh.

use super::super::super::{Call, Exit, Stop, users};
use super::super::opts::{Grammar, Opts, parse};
use super::super::remove;
use super::database::{self, GROUP, GSHADOW, PASSWD, SHADOW, SUBGID, SUBUID};
use super::{busybox, today};
use crate::fs::Vfs;

/// `login.defs` of Debian: the numbers of accounts.
const FIRST: u32 = 1000;
const LAST: u32 = 60_000;
const FIRST_SYSTEM: u32 = 100;
const LAST_SYSTEM: u32 = 999;

fn begin(call: &mut Call<'_, '_>) -> Result<(), Stop> {
    if !database::is_root(call) {
        call.complain("Permission denied.")?;
        call.complain("cannot lock /etc/passwd; try again later.")?;
        return Err(Stop::Exit(1));
    }
    database::lock(call);
    Ok(())
}

/// The number for a new account: the highest free one of the system's, or the one after the
/// highest that is taken.
fn next(system: bool, taken: impl Fn(u32) -> bool) -> Option<u32> {
    if system {
        return (FIRST_SYSTEM..=LAST_SYSTEM).rev().find(|id| !taken(*id));
    }
    let highest = (FIRST..=LAST).rev().find(|id| taken(*id));
    match highest {
        None => Some(FIRST),
        Some(LAST) => (FIRST..=LAST).find(|id| !taken(*id)),
        Some(highest) => Some(highest + 1),
    }
}

fn next_gid(vfs: &Vfs, system: bool, preferred: Option<u32>) -> Option<u32> {
    let groups = users::groups(vfs);
    let taken = |gid: u32| groups.iter().any(|group| group.gid == gid);
    preferred
        .filter(|gid| !taken(*gid))
        .or_else(|| next(system, taken))
}

fn is_valid(name: &str) -> bool {
    let first = name
        .bytes()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == b'_');
    let bare = name.strip_suffix('$').unwrap_or(name);
    first
        && name.len() <= 32
        && bare
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'))
}

/// A group by name or number.
fn group_id(vfs: &Vfs, name: &str) -> Option<u32> {
    let by_name = users::group(vfs, name).map(|group| group.gid);
    by_name.or_else(|| users::group_by_id(vfs, name.parse().ok()?).map(|group| group.gid))
}

fn add_group_lines(call: &mut Call<'_, '_>, name: &str, gid: u32) {
    let _ = database::change(call, GROUP, |lines| lines.push(format!("{name}:x:{gid}:")));
    let _ = database::change(call, GSHADOW, |lines| lines.push(format!("{name}:!::")));
}

/// Adds a user to groups (or takes it off) in both files.
fn each_group(call: &mut Call<'_, '_>, edit: impl Fn(&str, &mut String)) {
    for path in [GROUP, GSHADOW] {
        let _ = database::change(call, path, |lines| {
            for line in lines {
                let name = line.split(':').next().unwrap_or_default().to_string();
                edit(&name, line);
            }
        });
    }
}

fn number(
    call: &mut Call<'_, '_>,
    opts: &Opts,
    names: &[&str],
    what: &str,
) -> Result<Option<u32>, Stop> {
    let Some(text) = opts.value(names) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => {
            call.complain(format_args!("invalid {what} '{text}'"))?;
            Err(Stop::Exit(3))
        }
    }
}

/// The names of `-G`, all of which must exist.
fn group_list(call: &mut Call<'_, '_>, opts: &Opts) -> Result<Vec<String>, Stop> {
    let mut found = Vec::new();
    for name in opts.value(&["G", "groups"]).unwrap_or_default().split(',') {
        if name.is_empty() {
            continue;
        }
        let vfs = &*call.kernel.vfs;
        let gid = group_id(vfs, name);
        match gid.and_then(|gid| users::group_by_id(vfs, gid)) {
            Some(group) => found.push(group.name),
            None => {
                call.complain(format_args!("group '{name}' does not exist"))?;
                return Err(Stop::Exit(6));
            }
        }
    }
    Ok(found)
}

pub(super) fn groupadd(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "fg:rK:op:U:R:P:",
            long: &[
                "force",
                "gid=",
                "system",
                "non-unique",
                "key=",
                "password=",
                "users=",
            ],
        },
    )?;
    let [name] = &opts.operands[..] else {
        call.err("Usage: groupadd [options] GROUP\n")?;
        return Ok(2);
    };
    let wanted = number(call, &opts, &["g", "gid"], "group ID")?;
    if !is_valid(name) {
        return call.fail(3, format_args!("'{name}' is not a valid group name"));
    }
    let force = opts.has(&["f", "force"]);
    if users::group(call.kernel.vfs, name).is_some() {
        return match force {
            true => Ok(0),
            false => call.fail(9, format_args!("group '{name}' already exists")),
        };
    }
    let system = opts.has(&["r", "system"]);
    let taken = wanted.is_some_and(|gid| users::group_by_id(call.kernel.vfs, gid).is_some());
    let gid = match wanted {
        Some(gid) if taken && !opts.has(&["o", "non-unique"]) => match force {
            true => next_gid(call.kernel.vfs, system, None),
            false => return call.fail(4, format_args!("GID '{gid}' already exists")),
        },
        Some(gid) => Some(gid),
        None => next_gid(call.kernel.vfs, system, None),
    };
    let Some(gid) = gid else {
        return call.fail(4, "Can't get unique GID (no more available GIDs)");
    };
    begin(call)?;
    add_group_lines(call, name, gid);
    Ok(0)
}

pub(super) fn groupmod(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "g:n:op:",
            long: &["gid=", "new-name=", "non-unique", "password="],
        },
    )?;
    let Some(name) = opts.operands.first().cloned() else {
        call.err("Usage: groupmod [options] GROUP\n")?;
        return Ok(2);
    };
    let Some(group) = users::group(call.kernel.vfs, &name) else {
        return call.fail(6, format_args!("group '{name}' does not exist"));
    };
    let gid = number(call, &opts, &["g", "gid"], "group ID")?;
    if let Some(gid) = gid.filter(|gid| *gid != group.gid)
        && users::group_by_id(call.kernel.vfs, gid).is_some()
        && !opts.has(&["o", "non-unique"])
    {
        return call.fail(4, format_args!("GID '{gid}' already exists"));
    }
    let new_name = opts.value(&["n", "new-name"]).map(String::from);
    if let Some(new) = new_name.as_ref().filter(|new| **new != name)
        && users::group(call.kernel.vfs, new).is_some()
    {
        return call.fail(9, format_args!("group '{new}' already exists"));
    }
    begin(call)?;
    for path in [GROUP, GSHADOW] {
        let _ = database::change(call, path, |lines| {
            if let Some(line) = database::find(lines, &name) {
                if let (Some(gid), GROUP) = (gid, path) {
                    database::set_field(line, 2, &gid.to_string());
                }
                if let Some(new) = &new_name {
                    database::set_field(line, 0, new);
                }
            }
        });
    }
    if let Some(gid) = gid {
        // Whose primary group it is goes with it.
        let _ = database::change(call, PASSWD, |lines| {
            for line in lines {
                if line.split(':').nth(3) == Some(&group.gid.to_string()) {
                    database::set_field(line, 3, &gid.to_string());
                }
            }
        });
    }
    Ok(0)
}

pub(super) fn groupdel(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "f",
            long: &["force"],
        },
    )?;
    let Some(name) = opts.operands.first().cloned() else {
        call.err("Usage: groupdel [options] GROUP\n")?;
        return Ok(2);
    };
    let Some(group) = users::group(call.kernel.vfs, &name) else {
        return call.fail(6, format_args!("group '{name}' does not exist"));
    };
    let all = users::users(call.kernel.vfs);
    if let Some(user) = all.into_iter().find(|user| user.gid == group.gid)
        && !opts.has(&["f", "force"])
    {
        return call.fail(
            8,
            format_args!("cannot remove the primary group of user '{}'", user.name),
        );
    }
    begin(call)?;
    for path in [GROUP, GSHADOW] {
        let _ = database::change(call, path, |lines| {
            lines.retain(|line| !database::is_of(line, &name))
        });
    }
    Ok(0)
}

pub(super) fn useradd(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "b:c:d:De:f:g:G:hk:K:lmMNop:rR:P:s:u:UZ:F",
            long: &[
                "badname",
                "base-dir=",
                "comment=",
                "home-dir=",
                "home=",
                "defaults",
                "expiredate=",
                "inactive=",
                "gid=",
                "groups=",
                "skel=",
                "key=",
                "no-log-init",
                "create-home",
                "no-create-home",
                "no-user-group",
                "non-unique",
                "password=",
                "system",
                "shell=",
                "uid=",
                "user-group",
            ],
        },
    )?;
    let [name] = &opts.operands[..] else {
        call.err("Usage: useradd [options] LOGIN\n")?;
        return Ok(2);
    };
    let wanted = number(call, &opts, &["u", "uid"], "user ID")?;
    let system = opts.has(&["r", "system"]);
    let mut gid = None;
    if let Some(group) = opts.value(&["g", "gid"]) {
        gid = group_id(call.kernel.vfs, group);
        if gid.is_none() {
            return call.fail(6, format_args!("group '{group}' does not exist"));
        }
    }
    let groups = group_list(call, &opts)?;
    if !is_valid(name) && !opts.has(&["badname"]) {
        return call.fail(
            3,
            format_args!("invalid user name '{name}': use --badname to ignore"),
        );
    }
    if users::user(call.kernel.vfs, name).is_some() {
        return call.fail(9, format_args!("user '{name}' already exists"));
    }
    let own_group = gid.is_none() && !opts.has(&["N", "no-user-group"]);
    if own_group && users::group(call.kernel.vfs, name).is_some() {
        let text =
            format!("group {name} exists - if you want to add this user to that group, use -g.");
        return call.fail(9, text);
    }
    let all = users::users(call.kernel.vfs);
    let taken = |uid: u32| all.iter().any(|user| user.uid == uid);
    let uid = match wanted {
        Some(uid) if taken(uid) && !opts.has(&["o", "non-unique"]) => {
            return call.fail(4, format_args!("UID {uid} is not unique"));
        }
        Some(uid) => uid,
        None => match next(system, taken) {
            Some(uid) => uid,
            None => return call.fail(4, "Can't get unique UID (no more available UIDs)"),
        },
    };
    begin(call)?;
    let (low, high) = if system {
        (0, LAST_SYSTEM)
    } else {
        (FIRST, LAST)
    };
    if system && uid > high {
        call.err(format!(
            "useradd warning: {name}'s uid {uid} is greater than SYS_UID_MAX {high}\n"
        ))?;
    } else if !system && !(low..=high).contains(&uid) && uid != 0 {
        call.err(format!(
            "useradd warning: {name}'s uid {uid} outside of the UID_MIN {low} and UID_MAX {high} range.\n"
        ))?;
    }
    let own_gid = match gid {
        Some(gid) => gid,
        None if own_group => match next_gid(call.kernel.vfs, system, Some(uid)) {
            Some(gid) => gid,
            None => return call.fail(4, "can't create group"),
        },
        // `GROUP` of /etc/default/useradd.
        None => 100,
    };
    let base = opts.value(&["b", "base-dir"]).unwrap_or("/home");
    let home = opts.value(&["d", "home-dir", "home"]);
    let home = home.map_or(format!("{base}/{name}"), String::from);
    let shell = opts.value(&["s", "shell"]).unwrap_or("/bin/sh");
    let comment = opts.value(&["c", "comment"]).unwrap_or_default();
    let line = format!("{name}:x:{uid}:{own_gid}:{comment}:{home}:{shell}");
    let _ = database::change(call, PASSWD, |lines| lines.push(line));
    let ages = if system { "::::::" } else { ":0:99999:7:::" };
    let password = opts.value(&["p", "password"]).unwrap_or("!");
    let line = format!("{name}:{password}:{}{ages}", today(call));
    let _ = database::change(call, SHADOW, |lines| lines.push(line));
    if own_group {
        for path in [GROUP, GSHADOW] {
            let _ = database::change(call, path, |lines| {
                lines.push(match path {
                    GROUP => format!("{name}:x:{own_gid}:"),
                    _ => format!("{name}:!::"),
                });
                for line in lines {
                    let group = line.split(':').next().unwrap_or_default();
                    if groups.iter().any(|name| name == group) {
                        database::add_member(line, name);
                    }
                }
            });
        }
    } else if !groups.is_empty() {
        each_group(call, |group, line| {
            if groups.iter().any(|name| name == group) {
                database::add_member(line, name);
            }
        });
    }
    if !system {
        for path in [SUBUID, SUBGID] {
            subordinate(call, path, name);
        }
    }
    if opts.has(&["m", "create-home"]) && !opts.has(&["M", "no-create-home"]) {
        if call.kernel.vfs.exists(&call.proc.fs, &home) {
            call.complain(format_args!(
                "warning: the home directory {home} already exists."
            ))?;
            call.complain("Not copying any file from skel directory into it.")?;
        } else {
            let skeleton = opts
                .value(&["k", "skel"])
                .unwrap_or("/etc/skel")
                .to_string();
            let parent = crate::fs::parent(&home);
            let _ = super::super::create::make_dir(call, &parent, None, true);
            busybox::make_home(call, &home, &skeleton, (uid, own_gid), 0o755)?;
        }
    }
    Ok(0)
}

/// Gives a user 65536 subordinate numbers behind those of the others.
pub(super) fn subordinate(call: &mut Call<'_, '_>, path: &str, name: &str) {
    const COUNT: u64 = 65_536;
    let _ = database::change(call, path, |lines| {
        let ends = lines.iter().filter_map(|line| {
            let mut fields = line.split(':').skip(1);
            let (start, count) = (fields.next()?, fields.next()?);
            Some(start.parse::<u64>().ok()? + count.parse::<u64>().ok()?)
        });
        let start = ends.max().unwrap_or(100_000).max(100_000);
        lines.push(format!("{name}:{start}:{COUNT}"));
    });
}

pub(super) fn usermod(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "aG:c:d:e:f:g:hl:Lmop:rR:s:u:Uv:V:w:W:Z:",
            long: &[
                "append",
                "groups=",
                "comment=",
                "home=",
                "expiredate=",
                "inactive=",
                "gid=",
                "login=",
                "lock",
                "move-home",
                "non-unique",
                "password=",
                "remove",
                "shell=",
                "uid=",
                "unlock",
                "add-subuids=",
                "add-subgids=",
            ],
        },
    )?;
    let Some(name) = opts.operands.last().cloned() else {
        call.err("Usage: usermod [options] LOGIN\n")?;
        return Ok(2);
    };
    let Some(user) = users::user(call.kernel.vfs, &name) else {
        return call.fail(6, format_args!("user '{name}' does not exist"));
    };
    let uid = number(call, &opts, &["u", "uid"], "user ID")?;
    let mut gid = None;
    if let Some(group) = opts.value(&["g", "gid"]) {
        gid = group_id(call.kernel.vfs, group);
        if gid.is_none() {
            return call.fail(6, format_args!("group '{group}' does not exist"));
        }
    }
    let groups = group_list(call, &opts)?;
    if let Some(uid) = uid.filter(|uid| *uid != user.uid)
        && users::user_by_id(call.kernel.vfs, uid).is_some()
        && !opts.has(&["o", "non-unique"])
    {
        return call.fail(4, format_args!("UID '{uid}' already exists"));
    }
    let login = opts.value(&["l", "login"]).map(String::from);
    if let Some(login) = login.as_ref().filter(|login| **login != name)
        && users::user(call.kernel.vfs, login).is_some()
    {
        return call.fail(9, format_args!("user '{login}' already exists"));
    }
    begin(call)?;
    let home = opts.value(&["d", "home"]).map(String::from);
    let _ = database::change(call, PASSWD, |lines| {
        let Some(line) = database::find(lines, &name) else {
            return;
        };
        let numbers = [(2, uid), (3, gid)];
        for (at, number) in numbers {
            if let Some(number) = number {
                database::set_field(line, at, &number.to_string());
            }
        }
        let texts = [
            (4, opts.value(&["c", "comment"])),
            (5, home.as_deref()),
            (6, opts.value(&["s", "shell"])),
            (0, login.as_deref()),
        ];
        for (at, text) in texts {
            if let Some(text) = text {
                database::set_field(line, at, text);
            }
        }
    });
    let _ = database::change(call, SHADOW, |lines| {
        let Some(line) = database::find(lines, &name) else {
            return;
        };
        let old = line.split(':').nth(1).unwrap_or_default().to_string();
        let password = match opts.value(&["p", "password"]) {
            Some(new) => new.to_string(),
            None if opts.has(&["L", "lock"]) && !old.starts_with('!') => format!("!{old}"),
            None if opts.has(&["U", "unlock"]) => old.strip_prefix('!').unwrap_or(&old).to_string(),
            None => old,
        };
        database::set_field(line, 1, &password);
        if let Some(login) = &login {
            database::set_field(line, 0, login);
        }
    });
    if opts.has(&["G", "groups"]) {
        let keeps = opts.has(&["a", "append"]);
        let removes = opts.has(&["r", "remove"]);
        each_group(call, |group, line| {
            let listed = groups.iter().any(|name| name == group);
            match (listed, removes, keeps) {
                (true, true, _) => database::remove_member(line, &name),
                (true, false, _) => database::add_member(line, &name),
                (false, false, false) => database::remove_member(line, &name),
                _ => {}
            }
        });
    }
    if let Some(login) = &login {
        each_group(call, |_, line| {
            let (_, members) = line.rsplit_once(':').unwrap_or_default();
            if members.split(',').any(|member| member == name) {
                database::remove_member(line, &name);
                database::add_member(line, login);
            }
        });
    }
    if let Some(new) = home.filter(|_| opts.has(&["m", "move-home"])) {
        let vfs = &mut *call.kernel.vfs;
        if vfs.is_dir(&call.proc.fs, &user.home) && !vfs.exists(&call.proc.fs, &new) {
            let args = ["mv".to_string(), user.home.clone(), new];
            let _ = call.run(&args)?;
        }
    }
    if let Some(uid) = uid.filter(|uid| *uid != user.uid) {
        // What the user owns at home goes with the number.
        give(call, &user.home, user.uid, uid)?;
    }
    Ok(0)
}

fn give(call: &mut Call<'_, '_>, path: &str, from: u32, to: u32) -> Result<(), Stop> {
    call.kernel.round()?;
    let process = call.proc.fs.clone();
    let Ok(handle) = call.kernel.vfs.stat(&process, path, crate::fs::Follow::No) else {
        return Ok(());
    };
    let inode = call.kernel.vfs.inode(handle).clone();
    if inode.meta.uid == from {
        let owner = (Some(to), None);
        let _ = call
            .kernel
            .vfs
            .chown(&process, path, owner, crate::fs::Follow::No);
    }
    for name in inode.dir().into_iter().flat_map(|dir| dir.keys()) {
        give(call, &format!("{path}/{name}"), from, to)?;
    }
    Ok(())
}

pub(super) fn userdel(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "frRZ",
            long: &["force", "remove"],
        },
    )?;
    let Some(name) = opts.operands.first().cloned() else {
        call.err("Usage: userdel [options] LOGIN\n")?;
        return Ok(2);
    };
    let Some(user) = users::user(call.kernel.vfs, &name) else {
        return call.fail(6, format_args!("user '{name}' does not exist"));
    };
    begin(call)?;
    for path in [PASSWD, SHADOW, SUBUID, SUBGID] {
        let _ = database::change(call, path, |lines| {
            lines.retain(|line| !database::is_of(line, &name))
        });
    }
    each_group(call, |_, line| database::remove_member(line, &name));
    // The group of the same name goes too, unless others are in it.
    if let Some(group) = users::group(call.kernel.vfs, &name) {
        let others = users::users(call.kernel.vfs);
        if group.members.is_empty() && others.iter().all(|other| other.gid != group.gid) {
            for path in [GROUP, GSHADOW] {
                let _ = database::change(call, path, |lines| {
                    lines.retain(|line| !database::is_of(line, &name));
                });
            }
        }
    }
    if opts.has(&["r", "remove"]) {
        let mail = format!("/var/mail/{name}");
        match call.kernel.vfs.exists(&call.proc.fs, &mail) {
            true => {
                let _ = call.kernel.vfs.unlink(&call.proc.fs, &mail);
            }
            false => call.complain(format_args!("{name} mail spool ({mail}) not found"))?,
        }
        if call.kernel.vfs.is_dir(&call.proc.fs, &user.home) {
            let options = remove::Options {
                recursive: true,
                ..remove::Options::default()
            };
            remove::remove(call, &user.home, options)?;
        } else {
            call.complain(format_args!(
                "{name} home directory ({}) not found",
                user.home
            ))?;
        }
    }
    Ok(0)
}

pub(super) fn gpasswd(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "a:d:rRM:A:",
            long: &["add=", "delete="],
        },
    )?;
    let Some(group) = opts.operands.first().cloned() else {
        call.err("Usage: gpasswd [option] GROUP\n")?;
        return Ok(2);
    };
    if users::group(call.kernel.vfs, &group).is_none() {
        return call.fail(
            3,
            format_args!("group '{group}' does not exist in /etc/group"),
        );
    }
    let add = opts.value(&["a", "add"]).map(String::from);
    let delete = opts.value(&["d", "delete"]).map(String::from);
    if let Some(name) = add.as_ref().or(delete.as_ref())
        && users::user(call.kernel.vfs, name).is_none()
    {
        return call.fail(3, format_args!("user '{name}' does not exist"));
    }
    begin(call)?;
    each_group(call, |name, line| {
        if name == group {
            if let Some(user) = &add {
                database::add_member(line, user);
            }
            if let Some(user) = &delete {
                database::remove_member(line, user);
            }
        }
    });
    if let Some(name) = add {
        call.out(format!("Adding user {name} to group {group}\n"))?;
    }
    if let Some(name) = delete {
        call.out(format!("Removing user {name} from group {group}\n"))?;
    }
    Ok(0)
}

pub(super) fn chsh(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "s:R:",
            long: &["shell="],
        },
    )?;
    let name = opts
        .operands
        .first()
        .map_or("root", String::as_str)
        .to_string();
    if users::user(call.kernel.vfs, &name).is_none() {
        return call.fail(1, format_args!("user '{name}' does not exist"));
    }
    let Some(shell) = opts.value(&["s", "shell"]).map(String::from) else {
        return call.fail(1, "missing shell");
    };
    let _ = database::change(call, PASSWD, |lines| {
        if let Some(line) = database::find(lines, &name) {
            database::set_field(line, 6, &shell);
        }
    });
    Ok(0)
}
