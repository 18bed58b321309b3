//! The filesystem: inodes, snapshots, the overlay's copy-up and whiteouts, and the diff of two snapshots.
//!
//! In this room: what Linux and overlayfs do to names and inodes. Not in this room: tar, digests of
//! layers, Dockerfiles, programs.
