//! Local archives that ADD unpacks.
//!
//! Source: BuildKit `solver/llbsolver/file` (`unpack`) and moby's `go-archive`. What counts as an
//! archive is decided by its bytes, never by its name.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use super::copy::{Owner, change, host_error, join, make_dirs, place, root_path_in};
use crate::fs::{Content, Fs, Ino, Kind, Meta, Overlay, Time, base_name, parent};
use crate::image::{MAX_UNPACKED, TarEntry, TarNode, read_tar};

/// The length of a tar header.
const BLOCK: usize = 512;

/// The entries of an archive: plain tar, gzip, bzip2 or xz; `None` for anything else.
///
/// # Errors
/// An archive that cannot be read to its end, or one compressed in a way that is known but not
/// supported here.
pub(super) fn archive(content: &Content) -> Result<Option<Vec<TarEntry>>, String> {
    let bytes = content.bytes();
    let unpacked;
    let tar = match compression(bytes) {
        None => bytes,
        Some(compression) => {
            let Some(plain) = decompress(compression, bytes)? else {
                return Ok(None);
            };
            unpacked = plain;
            &unpacked
        }
    };
    if !is_header(tar) {
        return Ok(None);
    }
    read_tar(tar).map(Some).map_err(|error| error.to_string())
}

#[derive(Clone, Copy)]
enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

fn compression(bytes: &[u8]) -> Option<Compression> {
    let magics: [(&[u8], Compression); 4] = [
        (&[0x1f, 0x8b, 0x08], Compression::Gzip),
        (b"BZh", Compression::Bzip2),
        (&[0xfd, b'7', b'z', b'X', b'Z', 0], Compression::Xz),
        (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
    ];
    magics
        .into_iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map(|(_, compression)| compression)
}

/// The plain bytes; `None` for what is not compressed in the way that it begins with.
fn decompress(compression: Compression, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut plain = Vec::new();
    let done = match compression {
        Compression::Gzip => MultiGzDecoder::new(bytes)
            .take(MAX_UNPACKED + 1)
            .read_to_end(&mut plain)
            .is_ok(),
        Compression::Bzip2 => bzip2_rs::DecoderReader::new(bytes)
            .take(MAX_UNPACKED + 1)
            .read_to_end(&mut plain)
            .is_ok(),
        Compression::Xz => {
            let mut limited = Limited(&mut plain);
            lzma_rs::xz_decompress(&mut &*bytes, &mut limited).is_ok()
        }
        Compression::Zstd => {
            return Err("archives compressed with zstd cannot be unpacked here".into());
        }
    };
    if plain.len() as u64 > MAX_UNPACKED {
        return Err(format!(
            "the archive is larger than {MAX_UNPACKED} bytes when unpacked"
        ));
    }
    Ok(done.then_some(plain))
}

/// Takes bytes until there are too many.
struct Limited<'a>(&'a mut Vec<u8>);

impl std::io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() as u64 > MAX_UNPACKED {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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
