//! The files below `/etc`, and how they are replaced.

use super::super::super::{Call, Flavour};
use crate::fs::{Content, Errno, Flags, Follow, Process};

pub(super) const PASSWD: &str = "/etc/passwd";
pub(super) const GROUP: &str = "/etc/group";
pub(super) const SHADOW: &str = "/etc/shadow";
pub(super) const GSHADOW: &str = "/etc/gshadow";
pub(super) const SUBUID: &str = "/etc/subuid";
pub(super) const SUBGID: &str = "/etc/subgid";

/// The lines of a file; nothing where there is none.
pub(super) fn lines(call: &Call<'_, '_>, path: &str) -> Option<Vec<String>> {
    let content = call.kernel.vfs.read(&call.proc.fs, path).ok()?;
    let text = String::from_utf8_lossy(content.bytes()).into_owned();
    Some(text.lines().map(String::from).collect())
}

/// Changes a file line by line: it is written anew beside and renamed, with the mode and owner it
/// had, and what it was stays with a `-` behind its name. A file that is missing stays so, and so
/// does one that `change` leaves as it is.
///
/// # Errors
/// Those of the filesystem.
pub(super) fn change(
    call: &mut Call<'_, '_>,
    path: &str,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<(), Errno> {
    let Some(mut lines) = lines(call, path) else {
        return Ok(());
    };
    let old = lines.clone();
    change(&mut lines);
    if lines == old && call.flavour() == Flavour::Gnu {
        return Ok(());
    }
    let process = Process {
        umask: 0,
        ..call.proc.fs.clone()
    };
    let gnu = call.flavour() == Flavour::Gnu;
    let vfs = &mut *call.kernel.vfs;
    let path = vfs.resolve(&process, path, Follow::Yes)?.path;
    let handle = vfs.stat(&process, &path, Follow::Yes)?;
    let inode = vfs.inode(handle).clone();
    let backup = format!("{path}-");
    let _ = vfs.unlink(&process, &backup);
    let owner = (Some(inode.meta.uid), Some(inode.meta.gid));
    let flags = Flags {
        create: true,
        truncate: true,
        exclusive: true,
    };
    if gnu {
        // shadow keeps a copy, busybox the file itself.
        let content = inode.file().cloned().unwrap_or_default();
        let copy = vfs.open(&process, &backup, flags, inode.meta.mode & 0o777)?;
        vfs.write_handle(copy, content)?;
        vfs.chown(&process, &backup, owner, Follow::No)?;
        vfs.set_mtime(&process, &backup, inode.meta.mtime, Follow::No)?;
    } else {
        vfs.link(&process, &path, &backup)?;
    }
    let new = format!("{path}+");
    let _ = vfs.unlink(&process, &new);
    let target = vfs.open(&process, &new, flags, inode.meta.mode & 0o777)?;
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if !text.is_empty() {
        vfs.write_handle(target, Content::new(text))?;
    }
    vfs.chown(&process, &new, owner, Follow::No)?;
    vfs.rename(&process, &new, &path)
}

/// The line that begins with `name:`.
pub(super) fn find<'a>(lines: &'a mut [String], name: &str) -> Option<&'a mut String> {
    lines.iter_mut().find(|line| is_of(line, name))
}

/// Whether a line is that of `name`.
pub(super) fn is_of(line: &str, name: &str) -> bool {
    line.strip_prefix(name)
        .is_some_and(|rest| rest.starts_with(':'))
}

/// Replaces the field `at` of a line.
pub(super) fn set_field(line: &mut String, at: usize, value: &str) {
    let mut fields: Vec<&str> = line.split(':').collect();
    if at < fields.len() {
        fields[at] = value;
        *line = fields.join(":");
    }
}

/// Adds a member at the end of a group's line, if it is none yet.
pub(super) fn add_member(line: &mut String, name: &str) {
    let members = line.rsplit(':').next().unwrap_or_default();
    if members.split(',').any(|member| member == name) {
        return;
    }
    if !members.is_empty() {
        line.push(',');
    }
    line.push_str(name);
}

/// Takes a member off a group's line.
pub(super) fn remove_member(line: &mut String, name: &str) {
    let Some((start, members)) = line.rsplit_once(':') else {
        return;
    };
    let left: Vec<&str> = members
        .split(',')
        .filter(|member| *member != name)
        .collect();
    *line = format!("{start}:{}", left.join(","));
}

/// Whether a program may change the files: only root may.
pub(super) fn is_root(call: &Call<'_, '_>) -> bool {
    call.proc.fs.cred.uid == 0
}

/// The file that shadow's programs lock the others with; it stays.
pub(super) fn lock(call: &mut Call<'_, '_>) {
    let process = Process {
        umask: 0,
        ..call.proc.fs.clone()
    };
    let flags = Flags {
        create: true,
        truncate: false,
        exclusive: true,
    };
    let _ = call
        .kernel
        .vfs
        .open(&process, "/etc/.pwd.lock", flags, 0o600);
}
