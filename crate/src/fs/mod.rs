//! The filesystem: inodes, snapshots, the overlay's copy-up and whiteouts, and the diff of two
//! snapshots.
//!
//! In this room: what Linux and overlayfs do to names and inodes. Not in this room: tar, digests
//! of layers, Dockerfiles, programs.
//!
//! - [`Fs`] is an immutable snapshot; cloning it is O(1).
//! - [`Overlay`] is the one thing that changes files: a lower snapshot and the changes on top. It
//!   works on inodes and names, and obeys overlayfs (copy-up, broken hard links, no rename of
//!   lower directories).
//! - [`Vfs`] is what a process sees: paths, symbolic links, permissions and mounts over overlays.
//! - [`diff`] compares two snapshots as BuildKit's overlay differ does and gives the [`Change`]s
//!   of a layer in tar order; [`apply`] is its inverse.

mod content;
mod cred;
mod diff;
mod digest;
mod errno;
mod inode;
mod lookup;
mod overlay;
mod path;
mod snapshot;
mod time;
mod vfs;

#[cfg(test)]
mod diff_tests;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod vfs_tests;

pub use content::Content;
pub use cred::{Cred, Process};
pub use diff::{Change, Reason, apply, diff};
pub use digest::{NodeDigest, header_digest, node_digest};
pub use errno::{Errno, Result};
pub use inode::{Dir, Ino, Inode, Kind, LayerIndex, Meta, Name};
pub use lookup::{Follow, MAX_PATH, Spot};
pub use overlay::{Event, Overlay};
pub use path::{base_name, clean, join, parent, split};
pub use snapshot::{Entry, Fs, Walk};
pub use time::{Clock, Time};
pub use vfs::{Flags, Handle, MountId, Vfs};
