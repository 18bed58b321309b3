//! Users and groups, as `/etc/passwd` and `/etc/group` list them.

use crate::fs::{Process, Vfs};

/// A line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A line of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Number.
    pub gid: u32,
    /// Names of the members that have it as a supplementary group.
    pub members: Vec<String>,
}

fn lines(vfs: &Vfs, path: &str) -> Vec<Vec<String>> {
    let Ok(content) = vfs.read(&Process::root(), path) else {
        return Vec::new();
    };
    String::from_utf8_lossy(content.bytes())
        .lines()
        .map(|line| line.split(':').map(String::from).collect())
        .collect()
}

/// The users of a filesystem, in order; lines that are none are passed over.
pub fn users(vfs: &Vfs) -> Vec<User> {
    let user = |fields: Vec<String>| {
        Some(User {
            name: fields.first()?.clone(),
            uid: fields.get(2)?.parse().ok()?,
            gid: fields.get(3)?.parse().ok()?,
            home: fields.get(5).cloned().unwrap_or_default(),
            shell: fields.get(6).cloned().unwrap_or_default(),
        })
    };
    lines(vfs, "/etc/passwd")
        .into_iter()
        .filter_map(user)
        .collect()
}

/// The groups of a filesystem, in order; lines that are none are passed over.
pub fn groups(vfs: &Vfs) -> Vec<Group> {
    let group = |fields: Vec<String>| {
        let members = fields.get(3).map_or("", String::as_str);
        Some(Group {
            name: fields.first()?.clone(),
            gid: fields.get(2)?.parse().ok()?,
            members: members
                .split(',')
                .filter(|name| !name.is_empty())
                .map(String::from)
                .collect(),
        })
    };
    lines(vfs, "/etc/group")
        .into_iter()
        .filter_map(group)
        .collect()
}

/// The user called `name`.
pub fn user(vfs: &Vfs, name: &str) -> Option<User> {
    users(vfs).into_iter().find(|user| user.name == name)
}

/// The user numbered `uid`.
pub fn user_by_id(vfs: &Vfs, uid: u32) -> Option<User> {
    users(vfs).into_iter().find(|user| user.uid == uid)
}

/// The group called `name`.
pub fn group(vfs: &Vfs, name: &str) -> Option<Group> {
    groups(vfs).into_iter().find(|group| group.name == name)
}

/// The group numbered `gid`.
pub fn group_by_id(vfs: &Vfs, gid: u32) -> Option<Group> {
    groups(vfs).into_iter().find(|group| group.gid == gid)
}
