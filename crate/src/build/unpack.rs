//! Local archives that ADD unpacks.
//!
//! Source: BuildKit `solver/llbsolver/file` (`unpack`) and moby's `go-archive`. What counts as an
//! archive is decided by its bytes, never by its name.

use super::copy::{Owner, change, host_error, join, make_dirs, place, root_path_in};
use crate::fs::{Content, Fs, Ino, Kind, Meta, Overlay, Time, base_name, parent};
use crate::image::{TarEntry, TarNode, compression, decompress, read_tar};

/// The length of a tar header.
const BLOCK: usize = 512;

/// The entries of an archive: plain tar, gzip, bzip2 or xz; `None` for anything else.
///
/// # Errors
/// An archive that cannot be read to its end, or one compressed in a way that is known but not
/// supported here.
pub(super) fn archive(content: &Content) -> Result<Option<Vec<TarEntry>>, String> {
    let bytes = content.bytes();
    let unpacked = match compression(bytes) {
        None => None,
        Some(compression) => match decompress(compression, bytes)? {
            None => return Ok(None),
            plain => plain,
        },
    };
    let tar = unpacked.as_deref().unwrap_or(bytes);
    if !is_header(tar) {
        return Ok(None);
    }
    read_tar(tar).map(Some).map_err(|error| error.to_string())
}

/// Whether the bytes begin with a tar header: its checksum is right.
fn is_header(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..BLOCK) else {
        return false;
    };
    let field = String::from_utf8_lossy(&header[148..156]);
    let field = field.trim_matches(|c: char| c == ' ' || c == '\0');
    let Ok(wanted) = u32::from_str_radix(field, 8) else {
        return false;
    };
    let sum: u32 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    sum == wanted
}

/// Unpacks entries into the directory at the real path `dest`. Links do not lead out of it.
///
/// # Errors
/// What cannot be made.
pub(super) fn unpack(
    overlay: &mut Overlay,
    dest: &str,
    entries: Vec<TarEntry>,
    owner: Option<Owner>,
) -> Result<(), String> {
    let root = overlay.fs().find(dest).map_or(Fs::ROOT, |(ino, _)| ino);
    let mut times: Vec<(String, Time)> = Vec::new();
    for entry in entries {
        let path = real(overlay.fs(), root, dest, &entry.path)?;
        make_dirs(overlay, &parent(&path), 0o755, None, None)?;
        let (dir, name) =
            place(overlay.fs(), &path).map_err(|errno| host_error("open", &path, errno))?;
        let made_dir = match &entry.node {
            TarNode::Inode(inode) => inode.is_dir(),
            TarNode::HardLink(_) => false,
        };
        let there = overlay.fs().child(dir, &name);
        let keep = there.is_some_and(|ino| overlay.fs().inode(ino).is_dir()) && made_dir;
        if there.is_some() && !keep {
            overlay
                .remove_all(dir, &name)
                .map_err(|errno| host_error("unlinkat", &path, errno))?;
        }
        match entry.node {
            TarNode::HardLink(first) => {
                let first = real(overlay.fs(), root, dest, &first)?;
                let (first_dir, first_name) = place(overlay.fs(), &first)
                    .map_err(|errno| host_error("link", &first, errno))?;
                overlay
                    .link((first_dir, &first_name), dir, &name)
                    .map_err(|errno| host_error("link", &path, errno))?;
            }
            TarNode::Inode(inode) => {
                let mut meta = inode.meta.clone();
                if let Some((uid, gid)) = owner {
                    (meta.uid, meta.gid) = (uid, gid);
                }
                if made_dir {
                    times.push((path.clone(), meta.mtime));
                }
                put(overlay, &path, (dir, &name), keep, &inode.kind, meta)?;
            }
        }
    }
    for (path, mtime) in times {
        // A later entry may have replaced the directory.
        let _ = change(overlay, &path, |meta| meta.mtime = mtime);
    }
    Ok(())
}

fn put(
    overlay: &mut Overlay,
    path: &str,
    (dir, name): (Ino, &str),
    keep: bool,
    kind: &Kind,
    meta: Meta,
) -> Result<(), String> {
    let outcome = if keep {
        change(overlay, path, |old| *old = meta)
    } else {
        let kind = match kind {
            Kind::Dir(_) => Kind::empty_dir(),
            other => other.clone(),
        };
        overlay.create(dir, name, kind, meta).map(drop)
    };
    outcome.map_err(|errno| host_error("open", path, errno))
}

/// The real path of an archive's path under `dest`; a link at its end is not followed.
fn real(fs: &Fs, root: Ino, dest: &str, path: &str) -> Result<String, String> {
    let dir = root_path_in(fs, root, &parent(path))?;
    let inside = join(&dir, base_name(path));
    Ok(if dest == "/" {
        inside
    } else {
        format!("{dest}{inside}")
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use std::io::Write as _;

    use super::*;
    use crate::fs::Clock;

    /// A directory `d` (0750, 3:4) with a file `f` and a hard link `h` to it, and `x/y/z` without
    /// its directories; compressed with bzip2.
    const BZIP2: &[u8] = &[
        0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x41, 0x6c, 0x36, 0x67, 0x00,
        0x00, 0x9d, 0xdb, 0x80, 0xd9, 0x90, 0x40, 0x00, 0xff, 0x80, 0x00, 0x0b, 0x65, 0x60, 0x1e,
        0x70, 0x08, 0x18, 0x20, 0x00, 0x92, 0x84, 0xa9, 0x34, 0xda, 0x26, 0x80, 0x19, 0x01, 0xa0,
        0x01, 0x22, 0x92, 0x3c, 0x51, 0x88, 0xd3, 0x20, 0xc9, 0xea, 0x0f, 0x53, 0xd4, 0xb5, 0x75,
        0xd9, 0xdf, 0xd3, 0x11, 0x44, 0xc1, 0x88, 0x94, 0xd2, 0x42, 0xe5, 0xa6, 0x45, 0x02, 0x66,
        0x63, 0xd3, 0x24, 0xee, 0x70, 0xce, 0x6c, 0xc5, 0x91, 0x0e, 0x22, 0x13, 0x00, 0x74, 0x61,
        0x40, 0xfb, 0x5f, 0x04, 0x42, 0xfe, 0x10, 0x42, 0x24, 0x1a, 0xc0, 0x04, 0x6d, 0xe4, 0xa6,
        0xf0, 0x50, 0xc0, 0x74, 0x9c, 0xf8, 0x44, 0x90, 0x88, 0x36, 0x71, 0x71, 0x99, 0xc8, 0xd7,
        0xbc, 0x45, 0x8b, 0x1b, 0x06, 0x31, 0x41, 0xd8, 0x47, 0xd4, 0xfb, 0xd2, 0xbb, 0xe5, 0x42,
        0xc1, 0x60, 0xb1, 0xdd, 0xc6, 0x43, 0xc0, 0x41, 0xfc, 0x5d, 0xc9, 0x14, 0xe1, 0x42, 0x41,
        0x05, 0xb0, 0xd9, 0x9c,
    ];

    fn tar() -> Vec<u8> {
        let mut plain = Vec::new();
        bzip2_rs::DecoderReader::new(BZIP2)
            .read_to_end(&mut plain)
            .expect("it is bzip2");
        plain
    }

    fn names(bytes: &[u8]) -> Option<Vec<String>> {
        let entries = archive(&Content::new(bytes)).expect("it can be read")?;
        Some(entries.into_iter().map(|entry| entry.path).collect())
    }

    #[test]
    fn an_archive_is_told_by_its_bytes() {
        let plain = tar();
        let expected = Some(["d", "d/f", "d/h", "x/y/z"].map(String::from).to_vec());
        assert_eq!(names(&plain), expected);
        assert_eq!(names(BZIP2), expected);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).expect("it is written to memory");
        assert_eq!(
            names(&gzip.finish().expect("it is written to memory")),
            expected
        );
        let mut xz = Vec::new();
        lzma_rs::xz_compress(&mut &*plain, &mut xz).expect("it is written to memory");
        assert_eq!(names(&xz), expected);
        for other in [
            &b"text"[..],
            b"",
            b"BZhello",
            &[0x1f, 0x8b, 0x08, 0],
            &[0; 2048],
        ] {
            assert_eq!(names(other), None, "{other:?}");
        }
        let zstd = archive(&Content::new([0x28, 0xb5, 0x2f, 0xfd]));
        assert!(zstd.is_err());
    }

    #[test]
    fn what_is_there_is_replaced_and_directories_are_merged() {
        let entries = || {
            archive(&Content::new(tar()))
                .ok()
                .flatten()
                .expect("it is an archive")
        };
        let mut overlay = Overlay::over(&Fs::empty(), Clock::at(Time::EPOCH));
        make_dirs(&mut overlay, "/t/d", 0o700, Some((9, 9)), None).expect("there is nothing");
        make_dirs(&mut overlay, "/t/x/y/z/deep", 0o700, None, None).expect("there is nothing");
        unpack(&mut overlay, "/t", entries(), None).expect("it fits");
        unpack(&mut overlay, "/u", entries(), Some((7, 8))).expect("it fits");
        let fs = overlay.commit();
        let meta = |path: &str| {
            let (_, inode) = fs.find(path).expect("it was unpacked");
            let meta = &inode.meta;
            (
                format!("{:o}", meta.mode),
                meta.uid,
                meta.gid,
                inode.nlink(),
            )
        };
        assert_eq!(meta("/t/d"), ("750".into(), 3, 4, 1));
        assert_eq!(meta("/t/d/f"), ("640".into(), 3, 4, 2));
        assert_eq!(meta("/t/x/y/z"), ("600".into(), 0, 0, 1));
        assert_eq!(meta("/t/x"), ("700".into(), 0, 0, 1));
        assert_eq!(meta("/u/d/h"), ("640".into(), 7, 8, 2));
        assert_eq!(meta("/u/x"), ("755".into(), 0, 0, 1));
        assert_eq!(meta("/u/x/y/z"), ("600".into(), 7, 8, 1));
    }
}
