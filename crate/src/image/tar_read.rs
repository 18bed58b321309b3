//! Reading tar archives. What is read is hostile until it has been checked.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::sync::Arc;

use tar::{Archive, EntryType};

use super::tar_write::XATTR;
use super::{compression, decompress};
use crate::fs::{Content, Inode, Kind, MAX_PATH, Meta, Overlay, Time};

/// The most entries that an archive may have.
pub const MAX_ENTRIES: usize = Overlay::MAX_INODES;
/// The most bytes that an archive may have, uncompressed.
pub const MAX_UNPACKED: u64 = 512 << 20;
/// The most bytes that an entry's extended header may have.
pub const MAX_EXTENDED: u64 = 1 << 20;

/// Why an archive cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TarError {
    /// The bytes are no tar (or gzip) archive, or it is cut off.
    Malformed(String),
    /// An entry is not acceptable.
    Entry {
        /// Its name, as far as it is known.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// One of the limits above is exceeded.
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}

impl fmt::Display for TarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TarError::Malformed(why) => write!(f, "the archive cannot be read: {why}"),
            TarError::Entry { name, why } => write!(f, "archive entry `{name}`: {why}"),
            TarError::Limit { what, limit } => {
                write!(f, "the archive has too many {what}; the limit is {limit}")
            }
        }
    }
}

impl std::error::Error for TarError {}

/// An entry of an archive.
#[derive(Clone, Debug)]
pub struct TarEntry {
    /// The path without a slash in front or behind, free of `.` and `..`; never empty.
    pub path: String,
    /// What it is.
    pub node: TarNode,
}

/// What a [`TarEntry`] is.
#[derive(Clone, Debug)]
pub enum TarNode {
    /// A node of its own.
    Inode(Arc<Inode>),
    /// A further name of the node at this path (written as [`TarEntry::path`] is).
    HardLink(String),
}

/// Reads a tar archive, compressed or plain. Entries of the root itself and global headers are
/// passed over; whiteouts are ordinary files here (see [`changes`](super::changes)).
///
/// # Errors
/// What is malformed, leads out of the archive's root, is of an unknown type, has a name that is
/// not UTF-8, or exceeds a limit.
pub fn read_tar(bytes: &[u8]) -> Result<Vec<TarEntry>, TarError> {
    read_plain(&uncompressed(bytes)?)
}

/// The bytes themselves, or what they are the compressed form of.
pub(super) fn uncompressed(bytes: &[u8]) -> Result<Cow<'_, [u8]>, TarError> {
    let plain = match compression(bytes) {
        Some(kind) => decompress(kind, bytes).map_err(malformed)?,
        None => None,
    };
    // What only begins like a compressed file may be a tar with such a first name.
    Ok(plain.map_or(Cow::Borrowed(bytes), Cow::Owned))
}

pub(super) fn read_plain(bytes: &[u8]) -> Result<Vec<TarEntry>, TarError> {
    if bytes.len() as u64 > MAX_UNPACKED {
        return Err(TarError::Limit {
            what: "bytes",
            limit: MAX_UNPACKED,
        });
    }
    let mut out = Vec::new();
    let mut extended = Extended::default();
    let mut archive = Archive::new(bytes);
    // Raw: PAX records may hold any byte, also the newlines at which the crate would cut them.
    for entry in archive.entries().map_err(malformed)?.raw(true) {
        let mut entry = entry.map_err(malformed)?;
        let kind = entry.header().entry_type();
        let size = entry.size();
        if let EntryType::XHeader | EntryType::GNULongName | EntryType::GNULongLink = kind
            && size > MAX_EXTENDED
        {
            return Err(TarError::Limit {
                what: "bytes in an extended header",
                limit: MAX_EXTENDED,
            });
        }
        let position = entry.raw_file_position();
        if position
            .checked_add(size)
            .is_none_or(|end| end > bytes.len() as u64)
        {
            return Err(malformed("it is cut off"));
        }
        let mut data = || {
            let mut data = Vec::with_capacity(size as usize);
            entry.read_to_end(&mut data).map_err(malformed)?;
            Ok::<_, TarError>(data)
        };
        match kind {
            EntryType::XGlobalHeader => continue,
            EntryType::XHeader => {
                extended.take_pax(&data()?)?;
                continue;
            }
            EntryType::GNULongName => {
                extended.name = Some(until_nul(data()?));
                continue;
            }
            EntryType::GNULongLink => {
                extended.link = Some(until_nul(data()?));
                continue;
            }
            _ => {}
        }
        let content = match kind {
            EntryType::Regular | EntryType::Continuous => data()?,
            _ => Vec::new(),
        };
        let extended = std::mem::take(&mut extended);
        out.extend(read_entry(entry.header(), extended, content)?);
        if out.len() > MAX_ENTRIES {
            return Err(TarError::Limit {
                what: "entries",
                limit: MAX_ENTRIES as u64,
            });
        }
    }
    Ok(out)
}

/// What extended headers say of the entry that follows them.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    mtime: Option<Time>,
    xattrs: BTreeMap<String, Vec<u8>>,
}

impl Extended {
    fn take_pax(&mut self, mut data: &[u8]) -> Result<(), TarError> {
        let bad = || malformed("an extended header does not parse");
        while !data.is_empty() {
            let blank = data.iter().position(|byte| *byte == b' ').ok_or_else(bad)?;
            let len: usize = parse(&data[..blank]).ok_or_else(bad)?;
            if len < blank + 2 || len > data.len() || data[len - 1] != b'\n' {
                return Err(bad());
            }
            let record = &data[blank + 1..len - 1];
            data = &data[len..];
            let equals = record
                .iter()
                .position(|byte| *byte == b'=')
                .ok_or_else(bad)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(parse(value).ok_or_else(bad)?),
                b"uid" => self.uid = Some(parse(value).ok_or_else(bad)?),
                b"gid" => self.gid = Some(parse(value).ok_or_else(bad)?),
                b"mtime" => self.mtime = Some(parse_time(value).ok_or_else(bad)?),
                _ if key.starts_with(b"GNU.sparse.") => {
                    return Err(malformed("sparse files are not supported"));
                }
                _ => {
                    if let Some(name) = key.strip_prefix(XATTR.as_bytes()) {
                        let name = String::from_utf8(name.to_vec()).map_err(|_| bad())?;
                        self.xattrs.insert(name, value.to_vec());
                    }
                }
            }
        }
        Ok(())
    }
}

fn read_entry(
    header: &tar::Header,
    extended: Extended,
    content: Vec<u8>,
) -> Result<Option<TarEntry>, TarError> {
    let raw = extended
        .name
        .unwrap_or_else(|| header.path_bytes().into_owned());
    let shown = String::from_utf8_lossy(&raw).replace('\0', "\\0");
    let refuse = |why: &str| TarError::Entry {
        name: shown.clone(),
        why: why.to_string(),
    };
    let Ok(name) = std::str::from_utf8(&raw) else {
        return Err(refuse("its name is not UTF-8"));
    };
    if name.contains('\0') {
        return Err(refuse("its name holds a NUL byte"));
    }
    let path = inside(name).ok_or_else(|| refuse("its path leads out of the archive"))?;
    if path.is_empty() {
        return Ok(None);
    }
    if path.len() > MAX_PATH {
        return Err(TarError::Limit {
            what: "bytes in a path",
            limit: MAX_PATH as u64,
        });
    }
    let header_size = header.entry_size().map_err(malformed)?;
    if extended.size.is_some_and(|size| size != header_size) {
        return Err(refuse("its two sizes differ"));
    }
    let target = || {
        let raw = extended
            .link
            .clone()
            .or_else(|| header.link_name_bytes().map(|bytes| bytes.into_owned()))
            .unwrap_or_default();
        let target = String::from_utf8(raw).map_err(|_| refuse("its link target is not UTF-8"))?;
        if target.contains('\0') {
            return Err(refuse("its link target holds a NUL byte"));
        }
        Ok(target)
    };
    let device = || {
        let number = |part: std::io::Result<Option<u32>>| {
            part.ok()
                .flatten()
                .ok_or_else(|| refuse("its device number does not parse"))
        };
        Ok((
            number(header.device_major())?,
            number(header.device_minor())?,
        ))
    };
    let kind = match header.entry_type() {
        EntryType::Regular | EntryType::Continuous if name.ends_with('/') && content.is_empty() => {
            Kind::empty_dir()
        }
        EntryType::Regular | EntryType::Continuous => Kind::File(Content::new(content)),
        EntryType::Directory => Kind::empty_dir(),
        EntryType::Symlink => Kind::Symlink(target()?.into()),
        EntryType::Char => device().map(|(major, minor)| Kind::CharDevice(major, minor))?,
        EntryType::Block => device().map(|(major, minor)| Kind::BlockDevice(major, minor))?,
        EntryType::Fifo => Kind::Fifo,
        EntryType::Link => {
            let first = inside(&target()?)
                .filter(|first| !first.is_empty())
                .ok_or_else(|| refuse("its hard link leads out of the archive"))?;
            let node = TarNode::HardLink(first);
            return Ok(Some(TarEntry { path, node }));
        }
        other => {
            let byte = char::from(other.as_byte()).escape_default();
            return Err(refuse(&format!("its type `{byte}` is not supported")));
        }
    };
    let old = header.as_old();
    let number = |record: Option<u64>, bytes: &[u8], field: std::io::Result<u64>, what: &str| {
        record
            .or(if is_blank(bytes) { Some(0) } else { field.ok() })
            .ok_or_else(|| refuse(&format!("its {what} does not parse")))
    };
    let small = |record, bytes: &[u8], field, what: &str| {
        u32::try_from(number(record, bytes, field, what)?)
            .map_err(|_| refuse(&format!("its {what} is too large")))
    };
    let mtime = match extended.mtime {
        Some(mtime) => mtime,
        None => {
            let seconds = number(None, &old.mtime, header.mtime(), "time")?;
            Time::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
        }
    };
    let meta = Meta {
        mode: small(None, &old.mode, header.mode().map(u64::from), "mode")? & 0o7777,
        uid: small(extended.uid, &old.uid, header.uid(), "user")?,
        gid: small(extended.gid, &old.gid, header.gid(), "group")?,
        mtime,
        xattrs: Some(extended.xattrs)
            .filter(|xattrs| !xattrs.is_empty())
            .map(Arc::new),
    };
    let node = TarNode::Inode(Arc::new(Inode::new(kind, meta)));
    Ok(Some(TarEntry { path, node }))
}

/// The path without `.`, repeated slashes and a slash in front; none where `..` leads out of it.
fn inside(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A number field that a writer has left out stands for zero.
fn is_blank(field: &[u8]) -> bool {
    field.iter().all(|byte| matches!(byte, 0 | b' '))
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(
        bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len()),
    );
    bytes
}

fn parse<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Seconds with a fraction, perhaps negative.
fn parse_time(bytes: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanos: i64 = digits.parse().ok().filter(|nanos| *nanos >= 0)?;
    let nanos = if whole.starts_with('-') {
        -nanos
    } else {
        nanos
    };
    Some(Time(Time::from_secs(seconds).0.saturating_add(nanos)))
}

fn malformed(why: impl ToString) -> TarError {
    TarError::Malformed(why.to_string())
}
