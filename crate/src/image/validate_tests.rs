//! Every claim of an image is looked at: one that does not hold is found.

use std::sync::Arc;

use super::*;
use crate::fs::{Clock, Content, Errno, Fs, Kind, Meta, Overlay, Process, Time, Vfs, diff};

fn built(lower: &Fs, script: impl FnOnce(&mut Vfs, &Process)) -> (Layer, Fs) {
    let mut vfs = Vfs::new(Overlay::over(lower, Clock::at(Time(1_500))));
    script(&mut vfs, &Process::root());
    let fs = vfs.into_root().commit();
    (Layer::from_changes(diff(lower, &fs), Some(Time::EPOCH)), fs)
}

fn image() -> Image {
    let (one, below) = built(&Fs::empty(), |vfs, p| {
        vfs.mkdir(p, "/d", 0o755).unwrap();
        vfs.write(p, "/d/f", "one".into()).unwrap();
        vfs.write(p, "/d/g", Content::stand_in("x", 9_000)).unwrap();
    });
    let (two, fs) = built(&below, |vfs, p| {
        vfs.write(p, "/d/f", "two".into()).unwrap();
        vfs.unlink(p, "/d/g").unwrap();
        // What no layer holds is no fault of the image.
        vfs.make(p, "/d/socket", Kind::Socket, 0o644).unwrap();
        vfs.chmod(p, "/", 0o700).unwrap();
    });
    let config = ImageConfig {
        history: [false, true, false]
            .map(|empty_layer| History {
                empty_layer,
                ..History::default()
            })
            .into(),
        ..ImageConfig::scratch("linux", "amd64", None)
    };
    Image::from_parts(config, vec![one, two], vec![below, fs])
}

fn problems(change: impl FnOnce(&mut Image)) -> Vec<Problem> {
    let mut image = image();
    change(&mut image);
    validate(&image)
}

/// The config blob written anew, so that it alone is not what is found.
fn sealed(image: &mut Image) {
    image.config_json = image.config.to_json_bytes().into();
}

#[test]
fn a_sound_image_has_no_problem() {
    assert_eq!(problems(|_| {}), []);
    let image = image();
    let read = Image::with_config_json(&image.config_json, image.layers.clone()).unwrap();
    assert_eq!(validate(&read), []);
    assert_eq!((read.id(), read.manifest()), (image.id(), image.manifest()));
    assert_eq!(
        validate(&Image::new(ImageConfig::default(), vec![]).unwrap()),
        []
    );
}

#[test]
fn digests_and_sizes() {
    let computed = (image().layers[1].diff_id, image().layers[1].size);
    let other = Digest::of(b"other");
    assert_eq!(
        problems(|image| {
            image.layers[1].diff_id = other;
            image.config.rootfs.diff_ids[1] = other;
            sealed(image);
        }),
        [Problem::Layer {
            index: 1,
            recorded: (other, computed.1),
            computed
        }]
    );
    assert_eq!(
        problems(|image| image.layers[1].size += 1),
        [Problem::Layer {
            index: 1,
            recorded: (computed.0, computed.1 + 1),
            computed
        }]
    );
    // Other times in the tar.
    assert!(matches!(
        problems(|image| image.layers[1].rewritten = Some(-1))[..],
        [Problem::Layer { index: 1, .. }]
    ));
    for change in [
        (|layer: &mut Layer| layer.content_size += 1) as fn(&mut Layer),
        |layer| layer.modelled = false,
    ] {
        assert_eq!(
            problems(|image| change(&mut image.layers[0])),
            [Problem::LayerSummary { index: 0 }]
        );
    }
}

#[test]
fn a_tar_that_is_kept_as_it_was_read() {
    let tar = [&image().layers[0].tar().unwrap()[..], &[0; 512]].concat();
    let mut image = Image::new(
        ImageConfig::default(),
        vec![Layer::read(&tar, &Fs::empty()).unwrap()],
    )
    .unwrap();
    assert!(image.layers[0].verbatim.is_some());
    assert_eq!(validate(&image), []);
    let layer = &mut image.layers[0];
    layer.changes = layer.changes[..2].into();
    let fresh = Layer::from_changes(layer.changes.clone(), None);
    layer.content_size = fresh.content_size;
    layer.modelled = fresh.modelled;
    image.snapshots = Image::new(ImageConfig::default(), vec![fresh])
        .unwrap()
        .snapshots;
    assert_eq!(validate(&image), [Problem::Changes { index: 0 }]);
}

#[test]
fn the_config() {
    assert_eq!(
        problems(|image| image.config.os = "plan9".into()),
        [Problem::ConfigJson]
    );
    assert_eq!(
        problems(|image| image.config_json = Arc::from(*b"no config")),
        [Problem::ConfigJson]
    );
    assert_eq!(
        problems(|image| {
            image.config.rootfs.diff_ids.swap(0, 1);
            sealed(image);
        }),
        [Problem::LayerList]
    );
    assert_eq!(
        problems(|image| {
            image.config.history[1].empty_layer = false;
            sealed(image);
        }),
        [Problem::History {
            history: 3,
            layers: 2
        }]
    );
    assert_eq!(
        problems(|image| {
            image.config.history.clear();
            sealed(image);
        }),
        []
    );
}

#[test]
fn the_trees() {
    assert_eq!(
        problems(|image| drop(image.snapshots.pop())),
        [Problem::SnapshotCount {
            layers: 2,
            snapshots: 1
        }]
    );
    let tree = |index, path: &str| Problem::Tree {
        index,
        path: path.into(),
    };
    let after = |script: fn(&mut Vfs, &Process)| {
        problems(|image| image.snapshots[1] = built(&image.snapshots[1], script).1)
    };
    assert_eq!(
        after(|vfs, p| {
            vfs.write(p, "/d/f", "six".into()).unwrap();
        }),
        [tree(1, "d/f")]
    );
    assert_eq!(
        after(|vfs, p| {
            vfs.write(p, "/d/new", "".into()).unwrap();
        }),
        [tree(1, "d/new")]
    );
    assert_eq!(
        after(|vfs, p| vfs.unlink(p, "/d/f").unwrap()),
        [tree(1, "d/f")]
    );
    assert_eq!(
        after(|vfs, p| vfs.chmod(p, "/d", 0o700).unwrap()),
        [tree(1, "d")]
    );
    assert_eq!(
        problems(|image| image.snapshots.swap(0, 1)),
        [tree(0, "d/f"), tree(1, "d/f")]
    );
}

#[test]
fn layers_that_do_not_lie_on_each_other() {
    let problems = problems(|image| {
        let changes = diff(
            &Fs::empty(),
            &built(&Fs::empty(), |vfs, p| {
                vfs.write(p, "/d", "a file".into()).unwrap();
            })
            .1,
        );
        let layer = Layer::from_changes(changes, Some(Time::EPOCH));
        let inside = image.layers[1].clone();
        let config = ImageConfig::default();
        let only: Arc<[_]> = inside.changes.iter().skip(1).cloned().collect();
        let inside = Layer::from_changes(only, Some(Time::EPOCH));
        let snapshots = image.snapshots.clone();
        *image = Image::from_parts(config, vec![layer, inside], snapshots);
    });
    assert_eq!(
        problems,
        [
            Problem::Tree {
                index: 0,
                path: "d".into()
            },
            Problem::Apply {
                index: 1,
                errno: Errno::Enotdir
            }
        ]
    );
    // A layer whose bytes are not held is taken at its word, its files are not.
    let declared = Layer::declared(
        Digest::of(b"elsewhere"),
        5,
        [crate::fs::Change::Put {
            path: "f".into(),
            inode: Arc::new(crate::fs::Inode::new(
                Kind::File("abc".into()),
                Meta::root(0o644, Time::EPOCH),
            )),
            hard_link: None,
            reason: crate::fs::Reason::Added,
        }],
    );
    let mut image = Image::new(ImageConfig::default(), vec![declared]).unwrap();
    assert_eq!(validate(&image), []);
    assert!(image.layers[0].tar().is_err());
    image.layers[0].content_size = 4;
    assert_eq!(validate(&image), [Problem::LayerSummary { index: 0 }]);
}

#[test]
fn chain_ids_name_a_layer_with_all_below_it() {
    let image = image();
    let ids = image.chain_ids();
    let [a, b] = [0, 1].map(|at: usize| image.layers[at].diff_id);
    assert_eq!(ids, [a, Digest::of(format!("{a} {b}").as_bytes())]);
}
