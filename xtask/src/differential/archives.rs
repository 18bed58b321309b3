//! Archives for ADD.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

/// The archives that a context may have, and how often.
pub const NAMES: [(&str, f64); 5] = [
    ("t.tar", 0.8),
    ("t.tgz", 0.7),
    ("t2.tar", 0.6),
    ("t.txz", 0.6),
    ("fake.tar", 0.6),
];

/// The bytes of the archive called `name`; each bit of `traits` is something about it.
pub fn archive(name: &str, traits: u8) -> Vec<u8> {
    let has = |bit: u8| traits & 1 << bit != 0;
    if name == "fake.tar" {
        return b"no archive\n".repeat(1 + usize::from(traits % 3));
    }
    let prefix = if has(0) { "./" } else { "" };
    let mut tar = Builder::new(Vec::new());
    let mut add = |path: &str, kind, mode, text: &str, link: &str| {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(if has(1) { 7 } else { 0 });
        header.set_gid(if has(1) { 8 } else { 0 });
        header.set_mtime(1_500_000_000);
        header.set_size(text.len() as u64);
        let path = format!("{prefix}{path}");
        let done = match link {
            "" => tar.append_data(&mut header, path, text.as_bytes()),
            link => tar.append_link(&mut header, path, link),
        };
        done.expect("an archive in memory takes every entry");
    };
    if has(2) {
        let mode = if has(3) { 0o2750 } else { 0o755 };
        add("d", EntryType::Directory, mode, "", "");
    }
    add("d/f", EntryType::Regular, 0o640, "in the archive\n", "");
    if has(4) {
        add("d/s", EntryType::Symlink, 0o777, "", "../f0");
    }
    if has(5) {
        add("d/h", EntryType::Link, 0o640, "", &format!("{prefix}d/f"));
    }
    if has(6) {
        add("f0", EntryType::Regular, 0o4755, "f0 of the archive", "");
    }
    if has(7) {
        add("empty", EntryType::Directory, 0o700, "", "");
        add("d/e", EntryType::Regular, 0o600, "", "");
    }
    let bytes = tar.into_inner().unwrap_or_default();
    let mut out = Vec::new();
    let packed = match name.rsplit('.').next() {
        Some("tgz") => GzEncoder::new(&mut out, Compression::default()).write_all(&bytes),
        Some("txz") => lzma_rs::xz_compress(&mut &bytes[..], &mut out),
        _ => out.write_all(&bytes),
    };
    packed.expect("memory takes everything");
    out
}
