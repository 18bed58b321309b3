//! Who calls.

use super::Meta;

/// Who a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cred {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

impl Cred {
    /// The superuser, whom no permission stops.
    pub const ROOT: Cred = Cred {
        uid: 0,
        gid: 0,
        groups: Vec::new(),
    };

    /// Whether the user is in `group`.
    pub fn in_group(&self, group: u32) -> bool {
        self.gid == group || self.groups.contains(&group)
    }

    /// Whether `meta` grants all of `want` (4 read, 2 write, 1 execute or search).
    pub fn may(&self, meta: &Meta, want: u32, is_dir: bool) -> bool {
        if self.uid == 0 {
            // Root reads and writes everything, and executes what anybody may execute.
            return want & 1 == 0 || is_dir || meta.mode & 0o111 != 0;
        }
        let shift = if self.uid == meta.uid {
            6
        } else if self.in_group(meta.gid) {
            3
        } else {
            0
        };
        (meta.mode >> shift) & want == want
    }
}

/// What the filesystem needs to know of the process that calls.
#[derive(Clone, Debug)]
pub struct Process {
    /// Who it is.
    pub cred: Cred,
    /// The working directory, absolute.
    pub cwd: String,
    /// Permission bits that new files do not get.
    pub umask: u32,
}

impl Process {
    /// Root at `/` with umask 022.
    pub fn root() -> Process {
        Process {
            cred: Cred::ROOT,
            cwd: "/".into(),
            umask: 0o022,
        }
    }
}
