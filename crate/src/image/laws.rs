//! Laws of layers and images.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::fs::{Change, Fs, Inode, Kind, Meta, Reason, Time, apply, diff};

/// A tree below a directory; names are those that headers hold badly, too.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(Kind, Meta),
    /// A further name of the first file.
    Again,
    Dir(Meta, BTreeMap<String, Tree>),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec!["a", "b", "a+", "ab", ".x"]).prop_map(String::from),
        1 => Just("é".to_string()),
        1 => (90..256usize).prop_map(|len| "n".repeat(len)),
        1 => (45..80usize).prop_map(|len| "ü".repeat(len)),
    ]
}

fn meta() -> impl Strategy<Value = Meta> {
    let mode = prop::sample::select(vec![0o644, 0o755, 0o4755, 0o1777, 0]);
    let id = || prop::sample::select(vec![0, 1000, 2_097_152, u32::MAX]);
    let seconds = prop::sample::select(vec![-1, 0, 7, 1_700_000_000, 8_589_934_592]);
    let xattrs = prop::option::weighted(
        0.1,
        prop::collection::btree_map(
            "user\\.[a-c]",
            prop::collection::vec(any::<u8>(), 0..4),
            1..3,
        ),
    );
    (mode, id(), id(), seconds, xattrs).prop_map(|(mode, uid, gid, seconds, xattrs)| Meta {
        mode,
        uid,
        gid,
        mtime: Time::from_secs(seconds),
        xattrs: xattrs.map(Arc::new),
    })
}

fn leaf() -> impl Strategy<Value = Tree> {
    let bytes = prop::collection::vec(any::<u8>(), 0..3).prop_flat_map(|bytes| {
        prop::sample::select(vec![0, 1, 511, 512, 513]).prop_map(move |n| bytes.repeat(n))
    });
    let kind = prop_oneof![
        6 => bytes.prop_map(|bytes| Kind::File(crate::fs::Content::new(bytes))),
        2 => name().prop_map(|target| Kind::Symlink(format!("../{target}").into())),
        1 => Just(Kind::Fifo),
        1 => (0..3u32, 0..300_000u32).prop_map(|(major, minor)| Kind::CharDevice(major, minor)),
        1 => (0..3u32, 0..3u32).prop_map(|(major, minor)| Kind::BlockDevice(major, minor)),
    ];
    prop_oneof![
        6 => (kind, meta()).prop_map(|(kind, meta)| Tree::Leaf(kind, meta)),
        1 => Just(Tree::Again),
    ]
}

fn tree() -> impl Strategy<Value = BTreeMap<String, Tree>> {
    let inner = leaf().prop_recursive(3, 24, 4, |inner| {
        (meta(), prop::collection::btree_map(name(), inner, 0..4))
            .prop_map(|(meta, entries)| Tree::Dir(meta, entries))
    });
    prop::collection::btree_map(name(), inner, 0..5)
}

/// The entries of a layer that makes the tree, in tar order.
fn changes_of(tree: &BTreeMap<String, Tree>) -> Vec<Change> {
    fn put(
        dir: &str,
        tree: &BTreeMap<String, Tree>,
        first: &mut Option<(String, Arc<Inode>)>,
        out: &mut Vec<Change>,
    ) {
        for (name, node) in tree {
            let path = format!("{dir}{name}");
            let (inode, hard_link) = match node {
                Tree::Leaf(kind, meta) => {
                    let inode = Arc::new(Inode::new(kind.clone(), meta.clone()));
                    if first.is_none() && inode.file().is_some() {
                        *first = Some((path.clone(), inode.clone()));
                    }
                    (inode, None)
                }
                Tree::Again => match first.as_ref() {
                    Some((path, inode)) => (inode.clone(), Some(path.clone())),
                    None => continue,
                },
                Tree::Dir(meta, _) => (Arc::new(Inode::new(Kind::empty_dir(), meta.clone())), None),
            };
            let reason = Reason::Added;
            out.push(Change::Put {
                path: path.clone(),
                inode,
                hard_link,
                reason,
            });
            if let Tree::Dir(_, entries) = node {
                put(&format!("{path}/"), entries, first, out);
            }
        }
    }
    let mut out = Vec::new();
    put("", tree, &mut None, &mut out);
    out
}

/// A layer that was built: the second tree over the first, with names of the first taken away.
fn upper(lower: &Fs, tree: &BTreeMap<String, Tree>, gone: &[prop::sample::Index]) -> Fs {
    let paths: Vec<(String, Arc<Inode>)> = lower
        .walk(Fs::ROOT)
        .map(|entry| (entry.path, entry.inode.clone()))
        .collect();
    let mut changes: Vec<Change> = Vec::new();
    if !paths.is_empty() {
        for index in gone {
            let (path, was) = index.get(&paths).clone();
            changes.push(Change::Whiteout { path, was });
        }
    }
    let without = apply(lower, &changes).unwrap();
    apply(&without, &changes_of(tree)).unwrap()
}

fn tree_of(fs: &Fs) -> Vec<String> {
    let mut first: BTreeMap<_, String> = BTreeMap::new();
    fs.walk(Fs::ROOT)
        .map(|entry| {
            let again = first.entry(entry.ino).or_insert_with(|| entry.path.clone());
            let kind = match &entry.inode.kind {
                Kind::Dir(_) => "directory".into(),
                other => format!("{other:?}"),
            };
            format!("{} {again} {kind} {:?}", entry.path, entry.inode.meta)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_tar_unpacked_compared_and_packed_again_is_the_same(tree in tree()) {
        let tar = Layer::from_changes(changes_of(&tree), None).tar().unwrap();
        let layer = Layer::read(&tar, &Fs::empty()).unwrap();
        prop_assert_eq!(layer.tar().unwrap(), &tar[..], "as it was read");
        let fs = apply(&Fs::empty(), &layer.changes).unwrap();
        let again = Layer::from_changes(diff(&Fs::empty(), &fs), None);
        prop_assert_eq!(again.diff_id, layer.diff_id);
        prop_assert_eq!(again.tar().unwrap(), tar);
    }

    #[test]
    fn a_built_layer_read_from_its_tar_makes_the_same_tree(
        below in tree(),
        above in tree(),
        gone in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let lower = apply(&Fs::empty(), &changes_of(&below)).unwrap();
        let upper = upper(&lower, &above, &gone);
        let built = Layer::from_changes(diff(&lower, &upper), None);
        let read = Layer::read(&built.tar().unwrap(), &lower).unwrap();
        prop_assert_eq!(read.diff_id, built.diff_id);
        prop_assert_eq!(read.content_size, built.content_size);
        let trees = [&built, &read].map(|layer| apply(&lower, &layer.changes).unwrap());
        prop_assert_eq!(tree_of(&trees[0]), tree_of(&trees[1]));

        let base = Layer::from_changes(diff(&Fs::empty(), &lower), None);
        let image = Image::from_parts(ImageConfig::default(), vec![base, built], vec![lower, upper]);
        prop_assert_eq!(validate(&image), []);
    }

    #[test]
    fn a_clamp_sets_times_back_and_nothing_else(tree in tree()) {
        let changes = changes_of(&tree);
        let clamped = Layer::from_changes(changes.clone(), Some(Time::EPOCH));
        prop_assert_eq!(clamped.rewritten, Some(0));
        let read = |layer: &Layer| read_tar(&layer.tar().unwrap()).unwrap();
        let whole = Layer::from_changes(changes, None);
        for (entry, was) in read(&clamped).iter().zip(read(&whole)) {
            prop_assert_eq!(&entry.path, &was.path);
            if let (TarNode::Inode(now), TarNode::Inode(was)) = (&entry.node, &was.node) {
                prop_assert_eq!(now.meta.mtime, was.meta.mtime.min(Time::EPOCH));
                prop_assert!(now.meta.same_but_time(&was.meta));
            }
        }
    }
}
