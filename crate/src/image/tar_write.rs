//! Layers as tar archives, byte for byte as Go's `archive/tar` writes them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tar::{Builder, EntryType, Header};

use super::upper::Upper;
use crate::fs::{Change, Inode, Kind, Time, base_name};

/// In front of the name of what a layer hides.
pub(super) const WHITEOUT: &str = ".wh.";
/// The name that hides everything below in its directory.
pub(super) const OPAQUE: &str = ".wh..wh..opq";
/// In front of an extended attribute's name in a PAX record.
pub(super) const XATTR: &str = "SCHILY.xattr.";

/// Longest `name` and `linkname` of a ustar header, in bytes.
const NAME: usize = 100;
/// Longest `prefix`.
const PREFIX: usize = 155;

/// Writes a layer. Times later than `clamp` become `clamp`; all are cut to whole seconds.
///
/// Stand-ins are written with the bytes that they hold, not with their nominal size.
///
/// # Errors
/// What `out` returns.
pub fn write_layer(changes: &[Change], clamp: Option<Time>, out: impl Write) -> io::Result<()> {
    let mut tar = Builder::new(out);
    for change in changes {
        match change {
            Change::Whiteout { path, .. } => {
                let name = base_name(path);
                let dir = &path[..path.len() - name.len()];
                Record::new(format!("{dir}{WHITEOUT}{name}")).append(&mut tar, &[])?;
            }
            Change::Put {
                path,
                inode,
                hard_link,
                ..
            } => put(&mut tar, path, inode, hard_link.as_deref(), clamp)?,
        }
    }
    tar.finish()
}

/// Writes an upper directory: whiteouts with mode 0600, opaque markers with mode 0755.
///
/// # Errors
/// What `out` returns.
pub(super) fn write_upper(entries: &[Upper], out: impl Write) -> io::Result<()> {
    let mut tar = Builder::new(out);
    for entry in entries {
        match entry {
            Upper::Whiteout { path, link, mtime } => {
                let name = base_name(path);
                let dir = &path[..path.len() - name.len()];
                let mut record = Record::new(format!("{dir}{WHITEOUT}{name}"));
                record.mode = 0o600;
                record.mtime = mtime.secs();
                record.link = link.clone().unwrap_or_default();
                record.append(&mut tar, &[])?;
            }
            Upper::Opaque { path } => {
                let mut record = Record::new(format!("{path}/{OPAQUE}"));
                record.mode = 0o755;
                record.append(&mut tar, &[])?;
            }
            Upper::Node {
                path,
                inode,
                hard_link,
            } => put(&mut tar, path, inode, hard_link.as_deref(), None)?,
        }
    }
    tar.finish()
}

fn put<W: Write>(
    tar: &mut Builder<W>,
    path: &str,
    inode: &Inode,
    hard_link: Option<&str>,
    clamp: Option<Time>,
) -> io::Result<()> {
    let meta = &inode.meta;
    let mut record = Record::new(path.to_string());
    record.mode = meta.mode & 0o7777;
    record.uid = meta.uid;
    record.gid = meta.gid;
    record.mtime = clamp
        .map_or(meta.mtime, |clamp| meta.mtime.min(clamp))
        .secs();
    let mut data: &[u8] = &[];
    match &inode.kind {
        Kind::File(content) => data = content.bytes(),
        Kind::Dir(_) => {
            record.kind = EntryType::Directory;
            record.name.push('/');
        }
        Kind::Symlink(target) => {
            record.kind = EntryType::Symlink;
            record.link = target.to_string();
        }
        Kind::CharDevice(major, minor) => {
            record.kind = EntryType::Char;
            record.device = (*major, *minor);
        }
        Kind::BlockDevice(major, minor) => {
            record.kind = EntryType::Block;
            record.device = (*major, *minor);
        }
        Kind::Fifo => record.kind = EntryType::Fifo,
        // No tar can hold one (the differ passes them over).
        Kind::Socket => return Ok(()),
    }
    if let Some(first) = hard_link {
        record.kind = EntryType::Link;
        record.link = first.to_string();
        data = &[];
    }
    for (name, value) in meta.xattrs.iter().flat_map(|xattrs| xattrs.iter()) {
        record.pax.insert(format!("{XATTR}{name}"), value.clone());
    }
    record.append(tar, data)
}

/// What goes into the headers of one entry.
struct Record {
    name: String,
    link: String,
    kind: EntryType,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: i64,
    device: (u32, u32),
    /// Records that only a PAX header can hold.
    pax: BTreeMap<String, Vec<u8>>,
}

impl Record {
    fn new(name: String) -> Record {
        Record {
            name,
            link: String::new(),
            kind: EntryType::Regular,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: 0,
            device: (0, 0),
            pax: BTreeMap::new(),
        }
    }

    fn append<W: Write>(mut self, tar: &mut Builder<W>, data: &[u8]) -> io::Result<()> {
        let split = split_name(&self.name);
        // A record for each value that its field cannot hold. One that could also be held by
        // `prefix` and `name` is still written once anything else needs a PAX header.
        let mut needed = !self.pax.is_empty();
        if !self.name.is_ascii() || self.name.len() > NAME {
            needed |= split.is_none();
            self.pax.insert("path".into(), self.name.clone().into());
        }
        if !self.link.is_ascii() || self.link.len() > NAME {
            needed = true;
            self.pax.insert("linkpath".into(), self.link.clone().into());
        }
        let mut number = |key: &str, value: i64, digits: u32| {
            if !(0..1 << (3 * digits)).contains(&value) {
                needed = true;
                self.pax.insert(key.into(), value.to_string().into());
            }
        };
        number("uid", i64::from(self.uid), 7);
        number("gid", i64::from(self.gid), 7);
        number("size", data.len() as i64, 11);
        number("mtime", self.mtime, 11);

        let mut header = Header::new_ustar();
        if needed {
            let records = pax_records(&self.pax);
            self.pax_header(&mut header, records.len());
            tar.append(&header, records.as_slice())?;
            header = Header::new_ustar();
        }
        let split = if needed { None } else { split };
        self.main_header(&mut header, data.len(), split);
        tar.append(&header, data)
    }

    fn pax_header(&self, header: &mut Header, size: usize) {
        let (dir, base) = match self.name.rfind('/') {
            Some(at) => (&self.name[..at], &self.name[at + 1..]),
            None => ("", self.name.as_str()),
        };
        let mut name = String::new();
        for part in [dir, "PaxHeaders.0", base] {
            if !part.is_empty() {
                if !name.is_empty() {
                    name.push('/');
                }
                name.push_str(part);
            }
        }
        let mut name = ascii(&name);
        name.truncate(NAME);
        let old = header.as_old_mut();
        text(&mut old.name, name.trim_end_matches('/').as_bytes());
        octal(&mut old.mode, 0);
        octal(&mut old.uid, 0);
        octal(&mut old.gid, 0);
        octal(&mut old.size, size as i64);
        octal(&mut old.mtime, 0);
        old.linkflag = [EntryType::XHeader.as_byte()];
        checksum(header);
    }

    fn main_header(&self, header: &mut Header, size: usize, split: Option<(&str, &str)>) {
        let (prefix, name) = split.unwrap_or(("", &self.name));
        let Some(ustar) = header.as_ustar_mut() else {
            return;
        };
        text(&mut ustar.name, ascii(name).as_bytes());
        octal(&mut ustar.mode, i64::from(self.mode));
        octal(&mut ustar.uid, i64::from(self.uid));
        octal(&mut ustar.gid, i64::from(self.gid));
        octal(&mut ustar.size, size as i64);
        octal(&mut ustar.mtime, self.mtime);
        ustar.typeflag = [self.kind.as_byte()];
        text(&mut ustar.linkname, ascii(&self.link).as_bytes());
        octal(&mut ustar.dev_major, i64::from(self.device.0));
        octal(&mut ustar.dev_minor, i64::from(self.device.1));
        text(&mut ustar.prefix, prefix.as_bytes());
        checksum(header);
    }
}

/// A name too long for its field, cut at a slash into prefix and name, if that is possible.
fn split_name(name: &str) -> Option<(&str, &str)> {
    if name.len() <= NAME || !name.is_ascii() {
        return None;
    }
    // The slash must leave a name, so a directory's own slash does not count.
    let end = if name.len() > PREFIX + 1 {
        PREFIX + 1
    } else if name.ends_with('/') {
        name.len() - 1
    } else {
        name.len()
    };
    let at = name[..end].rfind('/').filter(|at| *at > 0)?;
    let rest = &name[at + 1..];
    (!rest.is_empty() && rest.len() <= NAME).then_some((&name[..at], rest))
}

/// The text as a field that must be ASCII gets it: everything else left out.
fn ascii(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii() && *c != '\0')
        .collect()
}

/// A text field: cut to its length, NUL-ended where there is room.
fn text(field: &mut [u8], value: &[u8]) {
    let len = value.len().min(field.len());
    field[..len].copy_from_slice(&value[..len]);
    // Old readers take a file for a directory by its slash, so a cut name must not end in one.
    if value.len() > field.len() && field[len - 1] == b'/' {
        let end = value[..len]
            .iter()
            .rposition(|byte| *byte != b'/')
            .map_or(0, |at| at + 1);
        field[end] = 0;
    }
}

/// A number field: octal digits with zeros in front, NUL-ended; zero if it does not fit.
fn octal(field: &mut [u8], value: i64) {
    let digits = field.len() - 1;
    let fits = value >= 0 && value < 1 << (3 * digits);
    let mut rest = if fits { value } else { 0 };
    for byte in field[..digits].iter_mut().rev() {
        *byte = b'0' + (rest & 7) as u8;
        rest >>= 3;
    }
    field[digits] = 0;
}

/// Six digits, NUL, blank: unlike every other number.
fn checksum(header: &mut Header) {
    header.as_old_mut().cksum = [b' '; 8];
    let sum: i64 = header.as_bytes().iter().map(|byte| i64::from(*byte)).sum();
    octal(&mut header.as_old_mut().cksum[..7], sum);
}

fn pax_records(records: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in records {
        // The length counts its own digits.
        let rest = key.len() + value.len() + 3;
        let mut len = rest + rest.to_string().len();
        len = rest + len.to_string().len();
        out.extend_from_slice(format!("{len} {key}=").as_bytes());
        out.extend_from_slice(value);
        out.push(b'\n');
    }
    out
}
