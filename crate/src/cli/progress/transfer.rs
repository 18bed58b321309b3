//! What goes over the wire when files are sent: the bytes that the progress counts.
//!
//! Source: fsutil. Each entry is announced by a packet with its path, mode, size and time; then the
//! content of what the receiver does not have comes in packets of data; at the end each side says so.

use crate::fs::{Fs, Inode, Kind};

/// What is sent where there is nothing to send: that it is over.
pub(super) const NOTHING: u64 = 2;
/// The most data in a packet.
const PACKET: u64 = 32 * 1024;

/// A single file.
pub(super) fn file(path: &str, size: u64) -> u64 {
    announced(path, 0o644, size, 0) + data(size) + NOTHING
}

/// A tree; of the files only those that are not in the tree before as they are.
pub(super) fn context(files: Option<&Fs>, before: Option<&Fs>) -> u64 {
    let Some(files) = files else {
        return NOTHING;
    };
    let mut bytes = NOTHING;
    for entry in files.walk(Fs::ROOT) {
        let inode = entry.inode;
        let link = inode.link_target().map_or(0, str::len) as u64;
        let size = inode.file().map_or(0, |content| content.size());
        bytes += announced(&entry.path, mode(inode), size, link);
        let known = before.and_then(|before| before.find(&entry.path));
        let same = known.is_some_and(|(_, known)| is_same(known, inode));
        if let (Some(content), false) = (inode.file(), same) {
            bytes += data(content.size());
        }
    }
    bytes
}

fn is_same(a: &Inode, b: &Inode) -> bool {
    match (a.file(), b.file()) {
        (Some(x), Some(y)) => x.sha256() == y.sha256() && a.meta == b.meta,
        _ => false,
    }
}

/// The mode with the type, as Go has it.
fn mode(inode: &Inode) -> u64 {
    let kind = match inode.kind {
        Kind::Dir(_) => 1 << 31,
        Kind::Symlink(_) => 1 << 27,
        _ => 0,
    };
    kind | u64::from(inode.meta.mode)
}

/// A packet that announces an entry.
fn announced(path: &str, mode: u64, size: u64, link: u64) -> u64 {
    const TIME: u64 = 10;
    let text = |length: u64| match length {
        0 => 0,
        length => 1 + varint(length) + length,
    };
    let number = |value: u64| match value {
        0 => 0,
        value => 1 + varint(value),
    };
    let stat = text(path.len() as u64) + number(mode) + number(size) + TIME + text(link);
    text(stat)
}

/// The packets with a file's content, and the empty one at its end.
fn data(size: u64) -> u64 {
    const HEAD: u64 = 2;
    let packets = size.div_ceil(PACKET);
    let last = size - packets.saturating_sub(1) * PACKET;
    let full = packets.saturating_sub(1) * (HEAD + 1 + varint(PACKET) + PACKET);
    let rest = match last {
        0 => 0,
        last => HEAD + 1 + varint(last) + last,
    };
    full + rest + HEAD
}

/// How many bytes a number takes.
fn varint(value: u64) -> u64 {
    u64::from((64 - value.max(1).leading_zeros()).div_ceil(7))
}
