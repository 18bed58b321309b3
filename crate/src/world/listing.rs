//! Listings: the files of one layer of a base image.
//!
//! One line a path, in byte order, tab-separated: path, type (`f`, `d`, `l`, or `h` for a hard
//! link), mode in octal, `uid:gid`, size, and the target of a link or the text of a file as a JSON
//! string. Left out where they are as usual: the modes 644, 755 and 777, root as the owner, the
//! size of a text that is its own, and empty columns at the end. A directory comes before what is
//! in it.

use std::fmt;

use crate::fs::{Clock, Content, Fs, Ino, Kind, Meta, Overlay, Time, base_name, diff, parent};
use crate::image::Layer;

/// What a listing gets wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for ListingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// The layer that `text` lists. Files without a text become stand-ins whose bytes depend on
/// `id`, path and size alone; programs begin as binaries do and name the program (see
/// [`run`](crate::run)).
pub(super) fn layer(id: &str, text: &str) -> Result<Layer, ListingError> {
    let empty = Fs::empty();
    let mut overlay = Overlay::over(&empty, Clock::at(Time::EPOCH));
    let mut dirs = Vec::new();
    let mut near: Option<(&str, Ino)> = None;
    for (at, line) in text.lines().enumerate() {
        let fail = |why: String| ListingError { line: at + 1, why };
        let row = Row::read(line).map_err(|why| fail(why.to_owned()))?;
        // Neighbours follow each other.
        let above = row.path.rsplit_once('/').map_or("", |(above, _)| above);
        let dir = match near {
            Some((path, ino)) if path == above => ino,
            _ => overlay
                .fs()
                .find(above)
                .map(|(ino, _)| ino)
                .ok_or_else(|| fail(format!("{} comes before its directory", row.path)))?,
        };
        near = Some((above, dir));
        let name = base_name(row.path);
        if row.kind == "h" {
            let first = overlay
                .fs()
                .find(&parent(row.last))
                .map(|(ino, _)| (ino, base_name(row.last)))
                .ok_or_else(|| fail(format!("{} is not there", row.last)))?;
            overlay
                .link(first, dir, name)
                .map_err(|errno| fail(format!("{}: {errno}", row.path)))?;
            continue;
        }
        let kind = row.kind(id).map_err(|why| fail(why.to_owned()))?;
        let is_dir = matches!(kind, Kind::Dir(_));
        let meta = Meta {
            uid: row.owner.0,
            gid: row.owner.1,
            ..Meta::root(row.mode, Time::EPOCH)
        };
        let ino = overlay
            .create(dir, name, kind, meta)
            .map_err(|errno| fail(format!("{}: {errno}", row.path)))?;
        if is_dir {
            dirs.push(ino);
        }
    }
    for dir in dirs {
        overlay.restore_time(dir, Time::EPOCH);
    }
    Ok(Layer::from_changes(diff(&empty, &overlay.commit()), None))
}

struct Row<'a> {
    path: &'a str,
    kind: &'a str,
    mode: u32,
    owner: (u32, u32),
    size: Option<u64>,
    last: &'a str,
}

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Result<Row<'a>, &'static str> {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap_or_default();
        let (path, kind, mode, owner, size, last) =
            (next(), next(), next(), next(), next(), next());
        let usual = match kind {
            "f" => 0o644,
            "d" => 0o755,
            "l" => 0o777,
            "h" => 0,
            _ => return Err("the type is none of f, d, l, h"),
        };
        let mode = match mode {
            "" => usual,
            mode => u32::from_str_radix(mode, 8).map_err(|_| "the mode is no octal number")?,
        };
        let owner = match owner.split_once(':') {
            None => (0, 0),
            Some((uid, gid)) => match (uid.parse(), gid.parse()) {
                (Ok(uid), Ok(gid)) => (uid, gid),
                _ => return Err("the owner is no pair of numbers"),
            },
        };
        let size = match size {
            "" => None,
            size => Some(size.parse().map_err(|_| "the size is no number")?),
        };
        Ok(Row {
            path,
            kind,
            mode: mode & 0o7777,
            owner,
            size,
            last,
        })
    }

    fn kind(&self, id: &str) -> Result<Kind, &'static str> {
        Ok(match self.kind {
            "d" => Kind::empty_dir(),
            "l" => Kind::Symlink(self.last.into()),
            _ if !self.last.is_empty() => {
                let text: String =
                    serde_json::from_str(self.last).map_err(|_| "the text is no JSON string")?;
                Kind::File(match self.size {
                    Some(size) => Content::stand_in(text, size),
                    None => Content::new(text),
                })
            }
            _ => Kind::File(match self.size.unwrap_or(0) {
                0 => Content::default(),
                size => Content::stand_in(self.stand_in(id, size), size),
            }),
        })
    }

    /// The bytes in place of a file that is not held.
    fn stand_in(&self, id: &str, size: u64) -> String {
        let what = format!("stand-in for {}: {size} bytes of layer {id}\n", self.path);
        if self.mode & 0o111 == 0 {
            return what;
        }
        // All of busybox is one file, and its first name need not be its own.
        let program = match base_name(self.path) {
            _ if id.starts_with("busybox") => "busybox",
            name => name,
        };
        format!("\x7fELFprogram {program}\n{what}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Change;

    const LISTING: &str = "\
/bin\td
/bin/sh\tf\t755\t\t1000
/bin/ash\th\t\t\t\t/bin/sh
/etc\td
/etc/passwd\tf\t\t\t\t\"root:x:0:0\\n\"
/etc/shadow\tf\t640\t0:42\t500\t\"root:*\\n\"
/lib\tl\t\t\t\tusr/lib
/tmp\td\t1777
";

    #[test]
    fn a_listing_is_a_layer() {
        let layer = layer("base", LISTING).expect("it is sound");
        assert_eq!(layer.content_size, 1000 + 11 + 500);
        assert!(layer.modelled);
        let lines: Vec<String> = layer
            .changes
            .iter()
            .map(|change| match change {
                Change::Put {
                    path,
                    inode,
                    hard_link,
                    ..
                } => format!(
                    "{path} {:o} {}:{} {} {}{:?}",
                    inode.meta.mode,
                    inode.meta.uid,
                    inode.meta.gid,
                    inode.size(),
                    inode.link_target().unwrap_or(""),
                    hard_link
                ),
                Change::Whiteout { path, .. } => format!("-{path}"),
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        bin 755 0:0 0 None
        bin/ash 755 0:0 1000 None
        bin/sh 755 0:0 1000 Some("bin/ash")
        etc 755 0:0 0 None
        etc/passwd 644 0:0 11 None
        etc/shadow 640 0:42 500 None
        lib 777 0:0 7 usr/libNone
        tmp 1777 0:0 0 None
        "#);
        let again = super::layer("base", LISTING).expect("it is sound");
        assert_eq!(layer.diff_id, again.diff_id);
        let other = super::layer("other", LISTING).expect("it is sound");
        assert_ne!(layer.diff_id, other.diff_id);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let why = |text: &str| layer("x", text).map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(
            why("/a/b\tf"),
            Err("line 1: /a/b comes before its directory".into())
        );
        assert_eq!(
            why("/a\td\n/b\tx"),
            Err("line 2: the type is none of f, d, l, h".into())
        );
        assert_eq!(
            why("/a\tf\t9"),
            Err("line 1: the mode is no octal number".into())
        );
        assert_eq!(
            why("/a\tf\t\t\t\tx"),
            Err("line 1: the text is no JSON string".into())
        );
        assert_eq!(why("/a\td\n/a\td"), Err("line 2: /a: File exists".into()));
    }
}
