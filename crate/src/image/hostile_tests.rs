//! Archives that nobody writes by accident.

use tar::{EntryType, Header};

use super::*;
use crate::fs::{Errno, Fs, MAX_PATH, Overlay, apply, diff};

/// An archive, written by hand: no name is too bad for it.
#[derive(Default)]
struct Raw(Vec<u8>);

impl Raw {
    fn entry(self, kind: EntryType, name: &str, link: &str, data: &[u8]) -> Raw {
        self.sized(kind, name, link, data, data.len() as u64)
    }

    /// With a size that need not be true.
    fn sized(mut self, kind: EntryType, name: &str, link: &str, data: &[u8], size: u64) -> Raw {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str) -> Raw {
        self.entry(EntryType::Regular, name, "", b"x")
    }

    fn dir(self, name: &str) -> Raw {
        self.entry(EntryType::Directory, name, "", b"")
    }

    fn symlink(self, name: &str, target: &str) -> Raw {
        self.entry(EntryType::Symlink, name, target, b"")
    }

    fn hard_link(self, name: &str, first: &str) -> Raw {
        self.entry(EntryType::Link, name, first, b"")
    }

    /// A PAX header for what follows.
    fn pax(self, key: &str, value: &str) -> Raw {
        let rest = key.len() + value.len() + 3;
        let mut len = rest + rest.to_string().len();
        len = rest + len.to_string().len();
        let record = format!("{len} {key}={value}\n");
        self.entry(EntryType::XHeader, "pax", "", record.as_bytes())
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }

    /// What becomes of it as a layer over `lower`.
    fn over(self, lower: &Fs) -> String {
        match Layer::read(&self.end(), lower) {
            Err(error) => format!("! {error}"),
            Ok(layer) => match apply(lower, &layer.changes) {
                Err(errno) => format!("! not unpacked: {errno}"),
                Ok(fs) => paths(&fs),
            },
        }
    }

    fn unpacked(self) -> String {
        self.over(&Fs::empty())
    }
}

fn paths(fs: &Fs) -> String {
    let paths: Vec<String> = fs.walk(Fs::ROOT).map(|entry| entry.path).collect();
    paths.join(" ")
}

fn raw() -> Raw {
    Raw::default()
}

/// `/d/{a,b,sub/c}`, `/etc/passwd` and `/link`, which leads to `/etc`.
fn lower() -> Fs {
    let tar = raw()
        .dir("d/")
        .file("d/a")
        .file("d/b")
        .dir("d/sub/")
        .file("d/sub/c")
        .dir("etc/")
        .file("etc/passwd")
        .symlink("link", "/etc")
        .end();
    let layer = Layer::read(&tar, &Fs::empty()).unwrap();
    apply(&Fs::empty(), &layer.changes).unwrap()
}

#[test]
fn no_path_leads_out() {
    insta::assert_snapshot!(
        [
            raw().file("../x").unpacked(),
            raw().file("a/../../x").unpacked(),
            raw().pax("path", "/../x").file("ok").unpacked(),
            raw().file("/etc/x").unpacked(),
            raw().file("./a/.//b/../c").unpacked(),
            raw().dir("./").unpacked(),
            raw().dir("/").unpacked(),
            raw().file("x").hard_link("y", "../x").unpacked(),
            raw().symlink("y", "../../x").unpacked(),
        ]
        .join("\n"),
        @"
        ! archive entry `../x`: its path leads out of the archive
        ! archive entry `a/../../x`: its path leads out of the archive
        ! archive entry `/../x`: its path leads out of the archive
        etc etc/x
        a a/c


        ! archive entry `y`: its hard link leads out of the archive
        y
        "
    );
}

#[test]
fn nothing_is_written_through_a_link() {
    let lower = lower();
    insta::assert_snapshot!(
        [
            raw().symlink("l", "/etc").file("l/x").unpacked(),
            raw().file("link/x").over(&lower),
            raw().file("etc/passwd/x").over(&lower),
            raw().hard_link("x", "link/passwd").over(&lower),
            raw().file("link").over(&lower),
        ]
        .join("\n"),
        @"
        ! not unpacked: Not a directory
        ! not unpacked: Not a directory
        ! not unpacked: Not a directory
        ! archive entry `x`: hard link to `link/passwd`, which is no file
        d d/a d/b d/sub d/sub/c etc etc/passwd link
        "
    );
}

#[test]
fn hard_links_lead_to_files_that_are_there() {
    insta::assert_snapshot!(
        [
            raw().hard_link("y", "x").unpacked(),
            raw().hard_link("y", "").unpacked(),
            raw().hard_link("y", "y").unpacked(),
            raw().dir("x/").hard_link("y", "x").unpacked(),
            raw().hard_link("y", "x").file("x").unpacked(),
            raw().file("x").hard_link("x", "x").unpacked(),
            raw().hard_link("y", "d/a").over(&lower()),
            raw().file(".wh.d").hard_link("y", "d/a").over(&lower()),
        ]
        .join("\n"),
        @"
        ! archive entry `y`: hard link to `x`, which is no file
        ! archive entry `y`: its hard link leads out of the archive
        ! archive entry `y`: hard link to `y`, which is no file
        ! archive entry `y`: hard link to `x`, which is no file
        ! archive entry `y`: hard link to `x`, which is no file
        ! not unpacked: No such file or directory
        d d/a d/b d/sub d/sub/c etc etc/passwd link y
        ! not unpacked: No such file or directory
        "
    );
}

#[test]
fn whiteouts_hide_names_and_nothing_else() {
    let lower = lower();
    insta::assert_snapshot!(
        [
            raw().file("d/.wh.a").over(&lower),
            raw().file(".wh.d").over(&lower),
            raw().file(".wh.nothing").over(&lower),
            raw().file("nowhere/.wh.x").over(&lower),
            raw().file("d/.wh.").over(&lower),
            raw().file("d/.wh..").over(&lower),
            raw().file("d/.wh...").over(&lower),
            raw().file(".wh..wh.aufs").over(&lower),
            raw().file("d/.wh..wh..opq").over(&lower),
            raw().file("d/new").file("d/.wh..wh..opq").over(&lower),
            raw().file("d/.wh..wh..opq").file("d/sub/new").over(&lower),
            raw().file("d/.wh..wh..opq").file("d/b").over(&lower),
            raw().file(".wh..wh..opq").file("d/b").over(&lower),
            raw().file(".wh.d").file("d").over(&lower),
        ]
        .join("\n"),
        @"
        d d/b d/sub d/sub/c etc etc/passwd link
        etc etc/passwd link
        d d/a d/b d/sub d/sub/c etc etc/passwd link
        d d/a d/b d/sub d/sub/c etc etc/passwd link
        ! archive entry `d/.wh.`: it hides no name
        ! archive entry `d/.wh..`: it hides no name
        ! archive entry `d/.wh...`: it hides no name
        d d/a d/b d/sub d/sub/c etc etc/passwd link
        d etc etc/passwd link
        d d/new etc etc/passwd link
        d d/sub d/sub/new etc etc/passwd link
        d d/b etc etc/passwd link
        d d/b
        d etc etc/passwd link
        "
    );
}

#[test]
fn sizes_are_believed_only_where_the_bytes_are_there() {
    let regular = EntryType::Regular;
    let deep = "d/".repeat(MAX_PATH / 2) + "f";
    insta::assert_snapshot!(
        [
            raw().sized(regular, "x", "", b"x", 8 << 30).unpacked(),
            raw().sized(regular, "x", "", b"x", u64::MAX).unpacked(),
            raw().sized(EntryType::XHeader, "x", "", b"", 1 << 30).unpacked(),
            raw().pax("size", "99999999999999").file("x").unpacked(),
            raw().pax("size", "-1").file("x").unpacked(),
            raw().pax("uid", "4294967296").file("x").unpacked(),
            raw().pax("mtime", "99999999999999999999").file("x").unpacked(),
            raw().pax("GNU.sparse.size", "1").file("x").unpacked(),
            raw().pax("path", &deep).file("x").unpacked(),
            raw().pax("path", &"n".repeat(Overlay::MAX_NAME + 1)).file("x").unpacked(),
            raw().pax("path", "a\0b").file("x").unpacked(),
            raw().pax("linkpath", "a\0b").symlink("x", "y").unpacked(),
            raw().entry(EntryType::new(b'?'), "x", "", b"").unpacked(),
        ]
        .join("\n"),
        @r"
        ! the archive cannot be read: it is cut off
        ! the archive cannot be read: size overflow
        ! the archive has too many bytes in an extended header; the limit is 1048576
        ! archive entry `x`: its two sizes differ
        ! the archive cannot be read: an extended header does not parse
        ! archive entry `x`: its user is too large
        ! the archive cannot be read: an extended header does not parse
        ! the archive cannot be read: sparse files are not supported
        ! the archive has too many bytes in a path; the limit is 4096
        ! not unpacked: File name too long
        ! archive entry `a\0b`: its name holds a NUL byte
        ! archive entry `x`: its link target holds a NUL byte
        ! archive entry `x`: its type `?` is not supported
        "
    );
}

#[test]
fn a_path_as_deep_as_they_go_is_compared_and_read_back() {
    let deep = "d/".repeat(MAX_PATH / 2 - 1) + "f";
    let tar = raw().pax("path", &deep).file("x").end();
    let layer = Layer::read(&tar, &Fs::empty()).unwrap();
    let fs = apply(&Fs::empty(), &layer.changes).unwrap();
    assert!(fs.find(&deep).is_some());
    let image = Image::new(ImageConfig::default(), vec![layer]).unwrap();
    assert_eq!(validate(&image), []);
    assert_eq!(diff(&Fs::empty(), &fs).len(), MAX_PATH / 2);
    let mut overlay = Overlay::over(&fs, crate::fs::Clock::at(crate::fs::Time::EPOCH));
    overlay.remove_all(Fs::ROOT, "d").unwrap();
    assert_eq!(overlay.commit().count(), 1);
}

#[test]
fn bytes_that_are_no_archive() {
    let tar = raw().file("a").file("b").end();
    let cut = |at: usize| read_tar(&tar[..at]).map(|entries| entries.len());
    assert_eq!(cut(tar.len()), Ok(2));
    // Ends without the two empty blocks are usual.
    assert_eq!(cut(2048), Ok(2));
    assert!(cut(1024 + 511).is_err() && cut(1024 + 512).is_err() && cut(100).is_err());
    assert_eq!(read_tar(b"").map(|entries| entries.len()), Ok(0));
    assert!(read_tar(&[0x1f, 0x8b, 8, 0]).is_err());
    assert!(read_tar(&[b'x'; 2048]).is_err());
    let mut wrong_sum = tar.clone();
    wrong_sum[0] = b'z';
    assert!(read_tar(&wrong_sum).is_err());
    let mut latin = raw().file("a");
    latin.0[0] = 0xe9;
    let mut header = Header::from_byte_slice(&latin.0[..512]).clone();
    header.set_cksum();
    latin.0[..512].copy_from_slice(header.as_bytes());
    assert_eq!(
        latin.unpacked(),
        "! archive entry `\u{fffd}`: its name is not UTF-8"
    );
}

#[test]
fn a_layer_that_cannot_be_unpacked_makes_no_image() {
    let tar = raw().symlink("l", "/etc").file("l/x").end();
    let layer = Layer::read(&tar, &Fs::empty()).unwrap();
    let diff_id = layer.diff_id;
    assert_eq!(
        Image::new(ImageConfig::default(), vec![layer]).err(),
        Some(ImageError::Apply {
            diff_id,
            errno: Errno::Enotdir
        })
    );
}
