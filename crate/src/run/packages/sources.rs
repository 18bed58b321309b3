//! What a project consists of: the input of compilers and bundlers.

use sha2::{Digest as _, Sha256};

use super::super::Call;
use crate::fs::{Follow, Fs, MountId};
use crate::image::Digest;

/// Folders that are not a project's own.
const FOREIGN: [&str; 9] = [
    "node_modules",
    ".git",
    "dist",
    "build",
    ".next",
    "coverage",
    "vendor",
    "target",
    "out",
];

/// The files of a project, of the kinds asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    /// Paths below the folder, in walk order, and sizes.
    pub files: Vec<(String, u64)>,
    /// The sum of the sizes.
    pub bytes: u64,
    /// A digest of paths and bytes: what is made of other sources is other bytes.
    pub digest: String,
}

/// The files below `dir` whose names end in one of `endings`, but those of
/// dependencies and of earlier outputs.
pub(super) fn sources(call: &Call<'_, '_>, dir: &str, endings: &[&str]) -> Sources {
    let vfs = &*call.kernel.vfs;
    let mut found = Sources {
        digest: "0".repeat(64),
        ..Sources::default()
    };
    let mut hasher = Sha256::new();
    let Ok(top) = vfs.stat(&call.proc.fs, dir, Follow::Yes) else {
        return found;
    };
    if top.mount != MountId::ROOT && !vfs.inode(top).is_dir() {
        return found;
    }
    let fs: &Fs = vfs.overlay(top.mount).fs();
    let mut walk = fs.walk(top.ino);
    while let Some(entry) = walk.next() {
        let name = crate::fs::base_name(&entry.path);
        if entry.inode.is_dir() && FOREIGN.contains(&name) {
            walk.skip_dir(&entry);
            continue;
        }
        let Some(content) = entry.inode.file() else {
            continue;
        };
        if !endings.iter().any(|end| name.ends_with(end)) {
            continue;
        }
        hasher.update(entry.path.as_bytes());
        hasher.update([0]);
        hasher.update(content.sha256());
        found.bytes += content.size();
        found.files.push((entry.path.clone(), content.size()));
    }
    found.digest = Digest(hasher.finalize().into()).hex();
    found
}
