//! Laws of layer tars, and archives that nobody honest writes.

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write as _;
use tar::{Builder, EntryType, Header};

use super::*;
use crate::fs::{
    Change, Clock, Content, Follow, Fs, Kind, Overlay, Process, Time, Vfs, apply, diff, node_digest,
};

/// Something that is done to files; what cannot be done is not.
#[derive(Clone, Debug)]
enum Deed {
    Write(String, Vec<u8>),
    Mkdir(String),
    Remove(String),
    Rename(String, String),
    Link(String, String),
    Symlink(String, String),
    Chmod(String, u32),
    Chown(String, u32),
    Fifo(String),
    Device(String, u32),
}

fn perform(vfs: &mut Vfs, deed: &Deed) {
    let root = Process::root();
    // Failing is a deed, too: what is left of it must be sound.
    let _ = match deed {
        Deed::Write(path, bytes) => vfs
            .write(&root, path, Content::new(bytes.clone()))
            .map(|_| ()),
        Deed::Mkdir(path) => vfs.mkdir(&root, path, 0o755).map(|_| ()),
        Deed::Remove(path) => vfs.unlink(&root, path).or_else(|_| vfs.rmdir(&root, path)),
        Deed::Rename(from, to) => vfs.rename(&root, from, to),
        Deed::Link(from, to) => vfs.link(&root, from, to),
        Deed::Symlink(target, path) => vfs.symlink(&root, target, path).map(|_| ()),
        Deed::Chmod(path, mode) => vfs.chmod(&root, path, *mode),
        Deed::Chown(path, owner) => {
            vfs.chown(&root, path, (Some(*owner), Some(*owner)), Follow::No)
        }
        Deed::Fifo(path) => vfs.make(&root, path, Kind::Fifo, 0o600).map(|_| ()),
        Deed::Device(path, n) => vfs
            .make(&root, path, Kind::CharDevice(*n, n / 2), 0o600)
            .map(|_| ()),
    };
}

fn path() -> impl Strategy<Value = String> {
    let long = "n".repeat(60);
    let name = prop::sample::select(vec!["a".to_string(), "b".into(), "é\n".into(), long]);
    prop::collection::vec(name, 1..5).prop_map(|parts| format!("/{}", parts.join("/")))
}

fn deed() -> impl Strategy<Value = Deed> {
    let bytes = prop::collection::vec(any::<u8>(), 0..600);
    prop_oneof![
        5 => (path(), bytes).prop_map(|(path, bytes)| Deed::Write(path, bytes)),
        5 => path().prop_map(Deed::Mkdir),
        3 => path().prop_map(Deed::Remove),
        2 => (path(), path()).prop_map(|(from, to)| Deed::Rename(from, to)),
        2 => (path(), path()).prop_map(|(from, to)| Deed::Link(from, to)),
        2 => (path(), path()).prop_map(|(target, path)| Deed::Symlink(target, path)),
        1 => (path(), 0u32..0o10000).prop_map(|(path, mode)| Deed::Chmod(path, mode)),
        1 => (path(), 0u32..4_000_000).prop_map(|(path, owner)| Deed::Chown(path, owner)),
        1 => path().prop_map(Deed::Fifo),
        1 => (path(), 0u32..300).prop_map(|(path, n)| Deed::Device(path, n)),
    ]
}

/// `lower` with a layer of deeds on top.
fn layer_over(lower: &Fs, deeds: &[Deed]) -> Fs {
    // No two layers are written at one time: a file changed without a change of its time and
    // size is not seen to be changed.
    let now = Time(1_500 + 1_000_000 * i64::from(lower.layer()));
    let mut vfs = Vfs::new(Overlay::over(lower, Clock::at(now)));
    deeds.iter().for_each(|deed| perform(&mut vfs, deed));
    vfs.into_root().commit()
}

fn deeds() -> impl Strategy<Value = (Vec<Deed>, Vec<Deed>)> {
    let some = || prop::collection::vec(deed(), 0..30);
    (some(), some())
}

fn paths(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| match change {
            Change::Whiteout { path, .. } => format!("-{path}"),
            Change::Put {
                path, hard_link, ..
            } => format!("{path} {hard_link:?}"),
        })
        .collect()
}

proptest! {
    #[test]
    fn a_layer_is_read_as_it_was_written((below, above) in deeds()) {
        let lower = layer_over(&Fs::empty(), &below);
        let upper = layer_over(&lower, &above);
        let written = Layer::from_changes(diff(&lower, &upper), Some(Time::EPOCH));
        let tar = written.tar().unwrap();
        prop_assert_eq!(Digest::of(&tar), written.diff_id);
        prop_assert_eq!(tar.len() as u64, written.size);

        let read = changes(read_tar(&tar).unwrap(), &lower).unwrap();
        prop_assert_eq!(paths(&read), paths(&written.changes));
        let again = Layer::from_changes(read.clone(), Some(Time::EPOCH));
        prop_assert_eq!(again.diff_id, written.diff_id);
        prop_assert_eq!(again.content_size, written.content_size);

        // Unpacking gives the same tree but for the times, which the tar does not hold; comparing
        // that tree with the one below gives the same layer.
        let unpacked = apply(&lower, &read).unwrap();
        prop_assert_eq!(node_digest(&unpacked, Fs::ROOT), node_digest(&upper, Fs::ROOT));
        let repacked = Layer::from_changes(diff(&lower, &unpacked), Some(Time::EPOCH));
        prop_assert_eq!(paths(&repacked.changes), paths(&written.changes));
        prop_assert_eq!(repacked.diff_id, written.diff_id);
    }

    #[test]
    fn damaged_archives_are_refused_or_read(
        (below, _) in deeds(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let fs = layer_over(&Fs::empty(), &below);
        let mut tar = Layer::from_changes(diff(&Fs::empty(), &fs), None).tar().unwrap();
        for (at, byte) in damage {
            let at = at.index(tar.len());
            tar[at] = byte;
        }
        tar.truncate(cut.index(tar.len() + 1));
        if let Ok(entries) = read_tar(&tar) {
            for entry in &entries {
                prop_assert!(!entry.path.is_empty());
                prop_assert!(entry.path.split('/').all(|part| !["", ".", ".."].contains(&part)));
            }
            if let Ok(changes) = changes(entries, &Fs::empty()) {
                let _ = apply(&Fs::empty(), &changes);
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read_tar(&bytes);
        let gzip = [&[0x1f, 0x8b, 8], bytes.as_slice()].concat();
        let _ = read_tar(&gzip);
    }
}

/// A tar of entries with these types, names and link targets, as they are.
fn tar(entries: &[(EntryType, &str, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (kind, name, link) in entries {
        let mut header = Header::new_ustar();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        header.set_cksum();
        tar.append(&header, std::io::empty()).unwrap();
    }
    tar.into_inner().unwrap()
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn compressed_and_cut_off() {
    let plain = tar(&[(FILE, "a", "")]);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&plain).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(read_tar(&gzip).unwrap().len(), 1);
    assert!(matches!(
        read_tar(&gzip[..gzip.len() - 9]),
        Err(TarError::Malformed(_))
    ));
    assert!(matches!(
        read_tar(&plain[..300]),
        Err(TarError::Malformed(_))
    ));
    assert_eq!(
        read_tar(&[0x28, 0xb5, 0x2f, 0xfd]).unwrap_err().to_string(),
        "the archive cannot be read: archives compressed with zstd cannot be unpacked here"
    );
    assert_eq!(read_tar(&tar(&[(FILE, "BZh91", "")])).unwrap().len(), 1);
    // A header that promises more than there is.
    let mut header = Header::new_ustar();
    header.set_path("big").unwrap();
    header.set_size(1 << 40);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    assert_eq!(
        read_tar(header.as_bytes()).unwrap_err().to_string(),
        "the archive cannot be read: it is cut off"
    );
}
