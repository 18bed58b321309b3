//! Laws that hold after any deeds over any number of layers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Something that a process does. What fails, fails.
#[derive(Clone, Debug)]
enum Deed {
    Mkdir(String),
    Write(String, String),
    Append(String, String),
    Link(String, String),
    Symlink(String, String),
    Make(String, Kind),
    Rename(String, String),
    Unlink(String),
    Rmdir(String),
    RemoveAll(String),
    Chmod(String, u32),
    Chown(String, u32, u32),
    SetTime(String, i64),
    SetXattr(String),
}

impl Deed {
    fn act(&self, vfs: &mut Vfs) -> Result<()> {
        let p = &Process::root();
        match self {
            Deed::Mkdir(path) => vfs.mkdir(p, path, 0o755).map(drop),
            Deed::Write(path, text) => vfs.write(p, path, text.as_str().into()).map(drop),
            Deed::Append(path, text) => {
                let handle = vfs.open(p, path, Flags::default(), 0)?;
                vfs.append_handle(handle, text.as_bytes())
            }
            Deed::Link(from, to) => vfs.link(p, from, to),
            Deed::Symlink(target, path) => vfs.symlink(p, target, path).map(drop),
            Deed::Make(path, kind) => vfs.make(p, path, kind.clone(), 0o644).map(drop),
            Deed::Rename(from, to) => vfs.rename(p, from, to),
            Deed::Unlink(path) => vfs.unlink(p, path),
            Deed::Rmdir(path) => vfs.rmdir(p, path),
            Deed::RemoveAll(path) => {
                let spot = vfs.resolve(p, path, Follow::No)?;
                spot.handle()?;
                if spot.is_mount_root() {
                    return Err(Errno::Ebusy);
                }
                vfs.overlay_mut(spot.mount).remove_all(spot.dir, &spot.name)
            }
            Deed::Chmod(path, mode) => vfs.chmod(p, path, *mode),
            Deed::Chown(path, uid, gid) => vfs.chown(p, path, (Some(*uid), Some(*gid)), Follow::No),
            Deed::SetTime(path, seconds) => {
                vfs.set_mtime(p, path, Time::from_secs(*seconds), Follow::No)
            }
            Deed::SetXattr(path) => {
                let spot = vfs.resolve(p, path, Follow::No)?;
                let handle = vfs.upper(&spot)?;
                let xattrs = BTreeMap::from([("user.a".to_string(), b"b".to_vec())]);
                vfs.overlay_mut(handle.mount)
                    .set_meta(handle.ino, |meta| meta.xattrs = Some(xattrs.into()));
                Ok(())
            }
        }
    }
}

fn path() -> impl Strategy<Value = String> {
    // Few names, so that deeds meet each other.
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "a+"]), 1..4)
        .prop_map(|parts| format!("/{}", parts.join("/")))
}

fn deed() -> impl Strategy<Value = Deed> {
    let text = || prop::sample::select(vec!["", "x", "y", "xy"]).prop_map(String::from);
    let target =
        || prop::sample::select(vec!["a", "../b", "/a/b", ".", "loop"]).prop_map(String::from);
    let kind = prop::sample::select(vec![
        Kind::Fifo,
        Kind::CharDevice(1, 3),
        Kind::BlockDevice(8, 0),
    ]);
    prop_oneof![
        4 => path().prop_map(Deed::Mkdir),
        4 => (path(), text()).prop_map(|(p, t)| Deed::Write(p, t)),
        2 => (path(), text()).prop_map(|(p, t)| Deed::Append(p, t)),
        4 => (path(), path()).prop_map(|(p, q)| Deed::Link(p, q)),
        1 => (target(), path()).prop_map(|(t, p)| Deed::Symlink(t, p)),
        1 => (path(), kind).prop_map(|(p, k)| Deed::Make(p, k)),
        3 => (path(), path()).prop_map(|(p, q)| Deed::Rename(p, q)),
        2 => path().prop_map(Deed::Unlink),
        1 => path().prop_map(Deed::Rmdir),
        1 => path().prop_map(Deed::RemoveAll),
        2 => (path(), prop::sample::select(vec![0o644, 0o755, 0o1777])).prop_map(|(p, m)| Deed::Chmod(p, m)),
        1 => (path(), 0..2u32, 0..2u32).prop_map(|(p, u, g)| Deed::Chown(p, u, g)),
        1 => (path(), 1..3i64).prop_map(|(p, t)| Deed::SetTime(p, t)),
        1 => path().prop_map(Deed::SetXattr),
    ]
}

fn layers() -> impl Strategy<Value = Vec<Vec<Deed>>> {
    prop::collection::vec(prop::collection::vec(deed(), 0..14), 1..5)
}

/// The snapshots after each layer, the empty one first.
fn play(layers: &[Vec<Deed>], mut each: impl FnMut(&Deed, &Fs, Result<()>, &Fs)) -> Vec<Fs> {
    let mut snapshots = vec![Fs::empty()];
    let mut clock = Clock::at(Time(1_500));
    for deeds in layers {
        let mut vfs = Vfs::new(Overlay::over(snapshots.last().unwrap(), clock));
        for deed in deeds {
            let before = vfs.overlay(MountId::ROOT).snapshot();
            let outcome = deed.act(&mut vfs);
            each(deed, &before, outcome, vfs.root_fs());
        }
        let overlay = vfs.into_root();
        clock = overlay.clock;
        snapshots.push(overlay.commit());
    }
    snapshots
}

/// All that a process can tell of a node but its number: type and content, permissions and owner,
/// attributes, time.
type Seen = (String, u32, (u32, u32), String, Time);

fn seen(inode: &Inode) -> Seen {
    let kind = match &inode.kind {
        Kind::Dir(_) => "directory".to_string(),
        other => format!("{other:?}"),
    };
    let meta = &inode.meta;
    let xattrs = format!("{:?}", meta.xattrs);
    (kind, meta.mode, (meta.uid, meta.gid), xattrs, meta.mtime)
}

fn tree(fs: &Fs) -> BTreeMap<String, (Ino, Seen)> {
    let below = fs
        .walk(Fs::ROOT)
        .map(|entry| (entry.path.clone(), (entry.ino, seen(entry.inode))));
    std::iter::once((String::new(), (Fs::ROOT, seen(fs.inode(Fs::ROOT)))))
        .chain(below)
        .collect()
}

/// The same tree, put together anew: nothing is shared with it, and nothing is remembered.
fn rebuilt(fs: &Fs) -> Fs {
    let mut overlay = Overlay::over(&Fs::empty(), Clock::at(Time::EPOCH));
    let mut made = BTreeMap::from([(Fs::ROOT, (Fs::ROOT, String::new()))]);
    let mut dirs = vec![(Fs::ROOT, fs.inode(Fs::ROOT).meta.clone())];
    for entry in fs.walk(Fs::ROOT) {
        let (dir, _) = overlay.fs().find(&parent(&entry.path)).unwrap();
        let name = base_name(&entry.path);
        if let Some((_, first)) = made.get(&entry.ino) {
            let (first_dir, _) = overlay.fs().find(&parent(first)).unwrap();
            overlay
                .link((first_dir, base_name(first)), dir, name)
                .unwrap();
            continue;
        }
        let kind = match &entry.inode.kind {
            Kind::Dir(_) => Kind::empty_dir(),
            other => other.clone(),
        };
        let meta = entry.inode.meta.clone();
        let ino = overlay.create(dir, name, kind, meta.clone()).unwrap();
        made.insert(entry.ino, (ino, entry.path.clone()));
        if entry.inode.is_dir() {
            dirs.push((ino, meta));
        }
    }
    for (ino, meta) in dirs {
        overlay.set_meta(ino, |now| *now = meta);
    }
    overlay.commit()
}

/// What must hold of every filesystem.
fn check(fs: &Fs) {
    let mut parents: BTreeMap<Ino, Vec<Ino>> = BTreeMap::new();
    let mut dirs = vec![Fs::ROOT];
    while let Some(dir) = dirs.pop() {
        for (name, ino) in fs.inode(dir).dir().expect("a directory").iter() {
            let inode = fs
                .get(*ino)
                .unwrap_or_else(|| panic!("{name} leads nowhere"));
            parents.entry(*ino).or_default().push(dir);
            if inode.is_dir() {
                dirs.push(*ino);
            }
        }
    }
    for (ino, parents) in &mut parents {
        let inode = fs.inode(*ino);
        assert_eq!(
            inode.nlink(),
            parents.len(),
            "names of {}",
            fs.path_of(*ino)
        );
        assert!(!inode.is_dir() || parents.len() == 1);
        let mut recorded = inode.more_parents.clone();
        recorded.push(inode.parent);
        recorded.sort();
        parents.sort();
        assert_eq!(recorded, *parents, "parents of {}", fs.path_of(*ino));
        assert!(inode.born <= inode.layer && inode.layer <= fs.layer);
        assert_eq!(fs.find(&fs.path_of(*ino)).map(|(ino, _)| ino), Some(*ino));
    }
    assert_eq!(fs.count(), parents.len() + 1);
    assert_eq!(
        node_digest(fs, Fs::ROOT),
        node_digest(&rebuilt(fs), Fs::ROOT)
    );
}

fn shown(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| match change {
            Change::Put {
                path,
                inode,
                hard_link,
                reason,
            } => format!("{path} {:?} {hard_link:?} {reason:?}", seen(inode)),
            Change::Whiteout { path, was } => format!("-{path} {:?}", seen(was)),
        })
        .collect()
}

/// Lays `diff(lower, upper)` over `lower` and checks that it gives `upper` but for what a layer
/// cannot carry:
///
/// - the root, and the time of a directory of which nothing else changed;
/// - that an unlisted file shares its inode with a listed one.
fn check_diff(lower: &Fs, upper: &Fs) {
    let changes = diff(lower, upper);
    assert_eq!(
        shown(&changes),
        shown(&diff(&rebuilt(lower), &rebuilt(upper))),
        "what is shared hides no change"
    );
    let mut listed = BTreeSet::new();
    for change in &changes {
        if let Change::Put {
            path, hard_link, ..
        } = change
        {
            let above = parent(path);
            let above = above.trim_start_matches('/');
            assert!(above.is_empty() || listed.contains(above), "{path}");
            assert!(
                hard_link
                    .as_ref()
                    .is_none_or(|first| listed.contains(first.as_str()))
            );
            assert!(listed.insert(path.as_str()), "{path} is listed once");
        }
    }
    let result = apply(lower, &changes).unwrap();
    check(&result);
    let (below, above, result) = (tree(lower), tree(upper), tree(&result));
    assert!(above.keys().eq(result.keys()));
    let mut shares: BTreeMap<(bool, Ino), BTreeSet<Ino>> = BTreeMap::new();
    for (path, (ino, now)) in &result {
        if path.is_empty() {
            assert_eq!(now, &below[path].1, "the root stays as it was");
            continue;
        }
        let (upper_ino, wanted) = &above[path];
        let is_listed = listed.contains(path.as_str());
        if is_listed {
            assert_eq!(now, wanted, "{path}");
        } else {
            let (_, old) = &below[path];
            assert_eq!(now, old, "{path}");
            let only_its_time = wanted.0 == "directory"
                && (&old.0, old.1, old.2, &old.3) == (&wanted.0, wanted.1, wanted.2, &wanted.3);
            assert!(
                old == wanted || only_its_time,
                "{path} changed but is not listed"
            );
        }
        let origin = if is_listed { *upper_ino } else { below[path].0 };
        shares.entry((is_listed, origin)).or_default().insert(*ino);
    }
    let inodes: BTreeSet<Ino> = result.values().map(|(ino, _)| *ino).collect();
    assert!(
        shares.values().all(|inos| inos.len() == 1),
        "hard links are kept"
    );
    assert_eq!(shares.len() + 1, inodes.len(), "and none is made");
    assert!(diff(upper, upper).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_invariants_hold_after_every_deed(layers in layers()) {
        play(&layers, |_, _, _, fs| check(fs)).iter().for_each(check);
    }

    #[test]
    fn what_fails_changes_nothing(layers in layers()) {
        play(&layers, |deed, before, outcome, after| {
            if outcome.is_err() {
                assert_eq!(tree(before), tree(after), "{deed:?}");
            }
        });
    }

    #[test]
    fn a_layer_carries_what_changed(layers in layers()) {
        let snapshots = play(&layers, |_, _, _, _| {});
        for pair in snapshots.windows(2) {
            check_diff(&pair[0], &pair[1]);
        }
        // Over several layers, too.
        for (at, upper) in snapshots.iter().enumerate().skip(2) {
            for lower in &snapshots[..at - 1] {
                check_diff(lower, upper);
            }
        }
    }

    #[test]
    fn forks_and_snapshots_do_not_see_each_other(layers in layers(), left in prop::collection::vec(deed(), 0..14), right in prop::collection::vec(deed(), 0..14)) {
        let base = play(&layers, |_, _, _, _| {}).pop().unwrap();
        let before = (tree(&base), node_digest(&base, Fs::ROOT));
        let alone = |deeds: &[Deed]| {
            let mut vfs = Vfs::new(Overlay::over(&base, Clock::at(Time(9_000_000_500))));
            for deed in deeds {
                let _ = deed.act(&mut vfs);
            }
            tree(vfs.root_fs())
        };
        let (only_left, only_right) = (alone(&left), alone(&right));
        let mut one = Vfs::new(Overlay::over(&base, Clock::at(Time(9_000_000_500))));
        let mut other = one.clone();
        let mut deeds = (left.iter(), right.iter());
        loop {
            match (deeds.0.next(), deeds.1.next()) {
                (None, None) => break,
                (l, r) => {
                    let _ = l.map(|deed| deed.act(&mut one));
                    let _ = r.map(|deed| deed.act(&mut other));
                }
            }
        }
        prop_assert_eq!(tree(one.root_fs()), only_left);
        prop_assert_eq!(tree(other.root_fs()), only_right);
        prop_assert_eq!((tree(&base), node_digest(&base, Fs::ROOT)), before);
    }
}
