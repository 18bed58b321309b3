//! `--chown` and USER for file operations.
//!
//! Source: BuildKit `client/llb` (`WithUser`) and `solver/llbsolver/ops` (`readUser`).

use super::copy::Owner;
use crate::fs::Fs;

/// A user or a group as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// By number. `root` is number 0.
    Id(u32),
    /// By name, looked up in the filesystem that is copied into.
    Name(String),
}

/// An owner as it is written: `user`, `user:group` or `:group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerSpec {
    /// The user.
    pub user: Account,
    /// The group; without one, a user by number gives the group of that number, a user by name its
    /// primary group.
    pub group: Option<Account>,
}

impl OwnerSpec {
    /// Reads an owner.
    pub fn parse(text: &str) -> OwnerSpec {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        OwnerSpec {
            user: account(user),
            group: group.map(account),
        }
    }

    /// Whether the filesystem is looked at.
    pub fn needs_files(&self) -> bool {
        let named = |account: &Account| matches!(account, Account::Name(name) if !name.is_empty());
        named(&self.user) || self.group.as_ref().is_some_and(named)
    }

    /// The numbers. Names that the filesystem does not know are 0, as is an empty name.
    ///
    /// # Errors
    /// BuildKit's text: a list of users that is no file.
    pub fn resolve(&self, fs: &Fs) -> Result<Owner, String> {
        let (mut uid, mut gid) = (0, 0);
        match &self.user {
            Account::Id(id) => (uid, gid) = (*id, *id),
            Account::Name(name) if name.is_empty() => {}
            Account::Name(name) => {
                if let Some(fields) = lookup(fs, "/etc/passwd", name)? {
                    uid = number(fields.get(2));
                    gid = number(fields.get(3));
                }
            }
        }
        match &self.group {
            Some(Account::Id(id)) => gid = *id,
            Some(Account::Name(name)) if !name.is_empty() => {
                if let Some(fields) = lookup(fs, "/etc/group", name)? {
                    gid = number(fields.get(2));
                }
            }
            _ => {}
        }
        // The system call takes -1 for "leave it as it is", and what is made belongs to root.
        let kept = |id: u32| if id == u32::MAX { 0 } else { id };
        Ok((kept(uid), kept(gid)))
    }
}

fn account(text: &str) -> Account {
    if text == "root" {
        return Account::Id(0);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text.parse::<i32>() {
        Ok(id) if !digits.is_empty() => Account::Id(id as u32),
        _ => Account::Name(text.to_string()),
    }
}

fn number(field: Option<&String>) -> u32 {
    field.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The fields of the first line about `name` in a list such as `/etc/passwd`.
fn lookup(fs: &Fs, path: &str, name: &str) -> Result<Option<Vec<String>>, String> {
    let Ok((real, ino)) = fs.follow(path) else {
        return Ok(None);
    };
    let Some(content) = fs.inode(ino).file() else {
        return Err(format!("<root>{real} is not a regular file"));
    };
    let text = String::from_utf8_lossy(content.bytes());
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(':').map(str::to_string).collect::<Vec<_>>())
        .find(|fields| fields.first().is_some_and(|first| first == name)))
}
