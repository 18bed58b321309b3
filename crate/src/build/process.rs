//! A process in a container: what every builder and every engine runs commands with.

use crate::dockerfile::scope::DEFAULT_PATH;
use crate::fs::{Clock, Cred, Fs, Overlay, Time, Vfs};
use crate::run::container::{Container, Mount, MountError, Remains};
use crate::run::{self, Host, Interrupt, Outcome, Spec, users};

/// Runs a process over `overlay` with `mounts`, and gives what is left of both.
///
/// # Errors
/// [`Interrupt`]: nothing has happened then. Inside, a mount that cannot be made.
pub(crate) fn execute(
    overlay: Overlay,
    mounts: Vec<Mount>,
    spec: &Spec,
    host: &mut dyn Host,
) -> Result<Result<(Remains, Outcome), MountError>, Interrupt> {
    let mut container = match Container::new(overlay, mounts, &spec.hostname) {
        Ok(container) => container,
        Err(error) => return Ok(Err(error)),
    };
    let outcome = run::execute(&mut container.vfs, spec, host)?;
    Ok(Ok((container.finish(), outcome)))
}

/// Adds the variables that a process has whatever is asked for (runc: HOME).
pub(crate) fn add_defaults(env: &mut Vec<(String, String)>, base: &Fs, cred: &Cred) {
    let vfs = Vfs::new(Overlay::over(base, Clock::at(Time::EPOCH)));
    let home = users::user_by_id(&vfs, cred.uid).map_or("/".into(), |user| user.home);
    for (name, value) in [("PATH", DEFAULT_PATH.to_string()), ("HOME", home)] {
        if !env.iter().any(|(known, _)| known == name) {
            env.push((name.to_string(), value));
        }
    }
}

/// Who a command runs as: `user`, `user:group`, by name or number.
/// (BuildKit: `oci.GetUser`; moby: `user.GetExecUser`.)
pub(crate) fn credentials(fs: &Fs, spec: &str) -> Result<Cred, String> {
    let vfs = Vfs::new(Overlay::over(fs, Clock::at(Time::EPOCH)));
    let (name, group) = match spec.split_once(':') {
        Some((name, group)) => (name, group),
        None => (spec, ""),
    };
    let number = |text: &str| text.parse::<u32>().ok();
    let quick = |text: &str| {
        if text == "root" {
            Some(0)
        } else {
            number(text)
        }
    };
    if let (Some(uid), Some(gid)) = (quick(name), quick(group))
        && !group.is_empty()
    {
        return Ok(Cred {
            uid,
            gid,
            groups: Vec::new(),
        });
    }
    let name = if spec.is_empty() { "0" } else { name };
    let entry = match number(name) {
        Some(uid) => users::user_by_id(&vfs, uid),
        None if name.is_empty() => users::user_by_id(&vfs, 0),
        None => users::user(&vfs, name),
    };
    let mut cred = match (&entry, number(name)) {
        (Some(user), _) => Cred {
            uid: user.uid,
            gid: user.gid,
            groups: Vec::new(),
        },
        (None, Some(uid)) => Cred {
            uid,
            gid: 0,
            groups: Vec::new(),
        },
        (None, None) if name.is_empty() => Cred::ROOT,
        (None, None) => {
            return Err(format!(
                "unable to find user {name}: no matching entries in passwd file"
            ));
        }
    };
    if group.is_empty() {
        if let Some(user) = entry {
            let member = |g: &users::Group| g.members.contains(&user.name);
            cred.groups = users::groups(&vfs)
                .into_iter()
                .filter(member)
                .map(|g| g.gid)
                .collect();
        }
    } else {
        let found = match number(group) {
            Some(gid) => users::group_by_id(&vfs, gid),
            None => users::group(&vfs, group),
        };
        cred.gid = match (found, number(group)) {
            (Some(found), _) => found.gid,
            (None, Some(gid)) => gid,
            (None, None) => {
                return Err(format!(
                    "unable to find group {group}: no matching entries in group file"
                ));
            }
        };
    }
    Ok(cred)
}

/// The real path of `path`, links followed.
///
/// # Errors
/// A link leads to itself.
pub(crate) fn real_path(fs: &Fs, path: &str) -> Result<String, String> {
    super::copy::root_path(fs, path)
}

/// Makes a directory of root's with its parents, where it is missing.
///
/// # Errors
/// Something is in its way.
pub(crate) fn make_directory(overlay: &mut Overlay, path: &str) -> Result<(), String> {
    super::copy::mkdir(overlay, path, 0o755, Some((0, 0)), None)
}
