//! A session as the page uses it: requests in, replies out.

use layerwise::engine::limits;
use layerwise::image::{Digest, TarNode, read_tar};
use layerwise::play::Actor;
use layerwise::session::{Served, Session};
use layerwise::view::{
    ArchiveFormat, Edit, PredictedStatus, Reply, Request, Row, Saved, SeverityView, State,
    StepStatus, TreeRef,
};
use proptest::prelude::*;

type Load = fn(&str) -> Result<Vec<u8>, String>;

fn session() -> Served<Load> {
    Served::new(|part| {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../public/catalog");
        std::fs::read(top.join(part)).map_err(|error| format!("{part}: {error}"))
    })
}

fn ask(session: &mut Served<Load>, request: Request) -> Reply {
    let mut reply = session.ask(request).expect("the catalog is there");
    while let Reply::Progress(_) = reply {
        reply = session
            .ask(Request::Continue)
            .expect("the catalog is there");
    }
    reply
}

fn state(session: &mut Served<Load>, request: Request) -> State {
    match ask(session, request) {
        Reply::State(state) => *state,
        other => panic!("a state was expected, not {other:?}"),
    }
}

fn edit(session: &mut Served<Load>, edit: Edit) -> State {
    state(session, Request::Edit { edit })
}

fn write(path: &str, text: &str) -> Edit {
    Edit::Write {
        path: path.into(),
        bytes: text.as_bytes().to_vec(),
        mode: None,
    }
}

fn dockerfile(text: &str) -> Edit {
    Edit::Dockerfile { text: text.into() }
}

fn rows(session: &mut Served<Load>, tree: TreeRef, dir: &str) -> Vec<Row> {
    let request = Request::List {
        tree,
        dir: dir.into(),
    };
    match ask(session, request) {
        Reply::Rows(rows) => rows,
        other => panic!("rows were expected, not {other:?}"),
    }
}

const TWO_LAYERS: &str =
    "FROM busybox\nCOPY a /data/a\nCOPY b /data/b\nRUN [\"rm\", \"/data/a/one\"]\n";

fn two_layers() -> Served<Load> {
    let mut session = session();
    edit(&mut session, write("a/one", "1111"));
    edit(&mut session, write("a/two", "22"));
    edit(&mut session, write("b/three", "333"));
    edit(&mut session, dockerfile(TWO_LAYERS));
    session
}

#[test]
fn typing_is_one_step_of_undo_and_a_build_is_another() {
    let mut session = session();
    edit(&mut session, dockerfile("FROM scratch\nCOPY a /\n"));
    edit(&mut session, write("a", ""));
    for end in 1..="hello".len() {
        edit(&mut session, write("a", &"hello"[..end]));
    }
    let built = state(&mut session, Request::Build);
    assert_eq!(built.undo.as_deref(), Some("build 1"));
    let edited = state(&mut session, Request::Undo);
    assert_eq!(edited.history.len(), 0);
    assert_eq!(edited.undo.as_deref(), Some("edit a"));
    let empty = state(&mut session, Request::Undo);
    assert_eq!(empty.context.sent_bytes, 0);
    assert_eq!(empty.redo.as_deref(), Some("edit a"));
}

#[test]
fn an_image_that_the_catalog_does_not_list_is_said_to_have_a_stand_in() {
    let mut session = session();
    let listed = edit(&mut session, dockerfile("FROM busybox\nRUN true\n"));
    assert_eq!(listed.diagnostics, []);
    let text = "FROM busybox\nRUN true\nFROM nobody/nothing:never\nRUN true\n";
    let unlisted = edit(&mut session, dockerfile(text));
    let [note] = unlisted.diagnostics.as_slice() else {
        panic!("one note was expected: {:?}", unlisted.diagnostics);
    };
    assert_eq!((note.severity, note.lines), (SeverityView::Info, [3, 3]));
    assert!(
        note.message
            .starts_with("nobody/nothing:never is not in the catalog: ")
    );
}

#[test]
fn a_build_goes_on_turn_by_turn_and_can_be_cancelled() {
    let mut session = two_layers();
    let before = state(&mut session, Request::Refresh);
    let reply = session.ask(Request::Build).expect("the catalog is there");
    assert!(matches!(reply, Reply::Progress(_)), "{reply:?}");
    let after = state(&mut session, Request::Cancel);
    assert_eq!(before, after);
    assert!(matches!(
        ask(&mut session, Request::Continue),
        Reply::Refused(_)
    ));
    let built = state(&mut session, Request::Build);
    assert!(built.build.is_some_and(|build| build.summary.ok));
}

#[test]
fn a_forecast_gives_the_seconds_of_the_real_build() {
    let mut session = two_layers();
    state(&mut session, Request::Build);
    let edited = edit(&mut session, write("b/three", "3333"));
    assert_eq!(edited.prediction.seconds, None);
    let miss = edited.prediction.first_miss.expect("a miss");
    assert_eq!((miss.number, miss.because.as_str()), (3, "b/three changed"));
    let Reply::Prediction(forecast) = ask(&mut session, Request::Forecast) else {
        panic!("a prediction was expected");
    };
    let built = state(&mut session, Request::Build);
    let build = built.build.expect("a build");
    assert_eq!(forecast.seconds, Some(build.summary.seconds));
    assert_eq!(forecast.cached, build.summary.cached);
    assert_eq!(build.summary.after, "b/three changed");
    // Nothing is left to do.
    assert_eq!(built.prediction.seconds, Some(0.0));
    let again = state(&mut session, Request::Build).build.expect("a build");
    assert_eq!(again.summary.seconds, 0.0);
}

#[test]
fn layers_and_merged_trees_can_be_browsed() {
    let mut session = two_layers();
    let built = state(&mut session, Request::Build);
    let image = built.build.and_then(|build| build.image).expect("an image");
    let top = image.layers.len() as u32 - 1;
    let layer = |layer| TreeRef::Layer { build: 1, layer };

    let copied = rows(&mut session, layer(top - 2), "");
    assert_eq!(copied.len(), 1);
    assert_eq!((copied[0].path.as_str(), copied[0].size), ("data", 6));
    let gone = rows(&mut session, layer(top), "data/a");
    insta::assert_debug_snapshot!(
        gone.iter().map(|row| (&row.path, row.change, &row.hides, row.size)).collect::<Vec<_>>(),
        @r#"
    [
        (
            "data/a/one",
            Some(
                Deleted,
            ),
            [
                1,
            ],
            4,
        ),
    ]
    "#
    );
    assert_eq!(image.hidden_bytes, 4);
    assert_eq!(image.layers[top as usize - 2].hidden_bytes, 4);

    let merged = TreeRef::Merged {
        build: 1,
        layer: top,
    };
    let names: Vec<(String, Option<u32>)> = rows(&mut session, merged, "data/a")
        .into_iter()
        .map(|row| (row.name, row.layer))
        .collect();
    assert_eq!(names, [("two".to_string(), Some(top - 2))]);

    // Deleted, but still in the image.
    let request = Request::Read {
        tree: layer(top - 2),
        path: "data/a/one".into(),
    };
    let Reply::File(file) = ask(&mut session, request) else {
        panic!("a file was expected");
    };
    assert_eq!(file.text.as_deref(), Some("1111"));
    assert_eq!(file.versions.len(), 2);
}

#[test]
fn the_tree_of_a_step_can_be_browsed_also_where_the_build_failed() {
    let mut session = two_layers();
    edit(
        &mut session,
        dockerfile(&TWO_LAYERS.replace("/data/a/one", "/nothing")),
    );
    let built = state(&mut session, Request::Build);
    let build = built.build.expect("a build");
    assert_eq!(build.steps[3].status, StepStatus::Failed);
    let step = TreeRef::Step { build: 1, step: 2 };
    let names: Vec<String> = rows(&mut session, step, "data")
        .into_iter()
        .map(|row| row.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn what_is_too_large_is_refused_and_nothing_is_lost() {
    let mut session = two_layers();
    let before = state(&mut session, Request::Refresh);
    let huge = "x".repeat(100 << 20);
    let refused = [
        dockerfile(&huge),
        Edit::Write {
            path: "huge".into(),
            bytes: huge.into_bytes(),
            mode: None,
        },
        write(&"d/".repeat(limits::MAX_PATH_BYTES), "x"),
        Edit::Advance { days: u32::MAX },
        Edit::Chmod {
            path: "a/one".into(),
            mode: 0o777_777,
        },
        Edit::Move { from: 9, to: 0 },
    ];
    for edit in refused {
        let reply = ask(&mut session, Request::Edit { edit });
        let Reply::Refused(refusal) = reply else {
            panic!("a refusal was expected");
        };
        assert!(!refusal.message.is_empty());
    }
    assert_eq!(state(&mut session, Request::Refresh), before);
}

#[test]
fn old_builds_are_dropped_and_say_so() {
    let mut session = session();
    edit(&mut session, dockerfile("FROM scratch\nCOPY a /\n"));
    let builds = limits::MAX_BUILDS as u32 + 2;
    for number in 1..=builds {
        edit(&mut session, write("a", &number.to_string()));
        state(&mut session, Request::Build);
    }
    let last = state(&mut session, Request::Refresh);
    let numbers: Vec<u32> = last.history.iter().map(|build| build.number).collect();
    assert_eq!(numbers, (3..=builds).collect::<Vec<_>>());
    assert_eq!(last.build.map(|build| build.summary.number), Some(builds));
    let shown = ask(&mut session, Request::ShowBuild { build: 3 });
    assert!(matches!(shown, Reply::Build(build) if build.summary.number == 3));
    let Reply::Refused(refusal) = ask(&mut session, Request::ShowBuild { build: 2 }) else {
        panic!("a refusal was expected");
    };
    insta::assert_snapshot!(refusal, @"Build 2 is not kept any more. The last 200 builds are.");
    // What the dropped build left in the cache is still there.
    edit(&mut session, write("a", "1"));
    let again = state(&mut session, Request::Build);
    let build = again.build.expect("it was built");
    assert_eq!(
        (build.summary.number, build.summary.cached),
        (builds + 1, 1)
    );
}

#[test]
fn parts_that_do_not_come_are_not_asked_for_again_while_typing() {
    let mut session = Session::new();
    let request = || Request::Edit {
        edit: dockerfile("FROM busybox\n"),
    };
    assert!(matches!(session.handle(request()), Reply::Needs(_)));
    let Reply::State(state) = session.handle(request()) else {
        panic!("a state was expected");
    };
    assert_eq!(state.dockerfile, "FROM busybox\n");
    assert!(
        state
            .prediction
            .error
            .is_some_and(|error| error.contains("not loaded"))
    );
    assert_eq!(
        state.prediction.instructions[0].status,
        PredictedStatus::Unknown
    );
    // A build asks whenever it needs.
    assert!(matches!(session.handle(Request::Build), Reply::Needs(_)));
}

#[test]
fn every_blob_of_an_archive_has_the_digest_that_it_is_named_by() {
    let mut session = two_layers();
    let built = state(&mut session, Request::Build);
    let image = built.build.and_then(|build| build.image).expect("an image");
    for format in [ArchiveFormat::Oci, ArchiveFormat::Docker] {
        let reply = ask(&mut session, Request::Export { build: 1, format });
        let Reply::Archive(archive) = reply else {
            panic!("an archive was expected, not {reply:?}");
        };
        let entries = read_tar(&archive.bytes).expect("a tar");
        let mut blobs = Vec::new();
        for entry in entries {
            let TarNode::Inode(inode) = &entry.node else {
                panic!("a file was expected");
            };
            if let (Some(hex), Some(content)) =
                (entry.path.strip_prefix("blobs/sha256/"), inode.file())
            {
                assert_eq!(
                    Digest::of(content.bytes()).to_string(),
                    format!("sha256:{hex}")
                );
                blobs.push(format!("sha256:{hex}"));
            }
        }
        for layer in &image.layers {
            assert!(blobs.contains(&layer.diff_id));
        }
        assert!(blobs.contains(&image.digest) && blobs.contains(&image.config_digest));
    }
}

#[test]
fn a_matrix_has_a_cell_for_each_edit_and_order() {
    let mut session = session();
    edit(&mut session, write("src/app.js", "run()\n"));
    edit(&mut session, write("package.json", "{}\n"));
    let bad = "FROM busybox\nCOPY package.json /\nCOPY . /app\nRUN [\"sleep\", \"10\"]\n";
    let good = "FROM busybox\nCOPY package.json /\nRUN [\"sleep\", \"10\"]\nCOPY . /app\n";
    edit(&mut session, dockerfile(bad));
    state(&mut session, Request::Build);
    let request = Request::Matrix {
        other: Some(good.into()),
    };
    let Reply::Matrix(matrix) = ask(&mut session, request) else {
        panic!("a matrix was expected");
    };
    let labels: Vec<&str> = matrix.rows.iter().map(|row| row.edit.as_str()).collect();
    assert_eq!(labels, ["edit src/app.js", "edit package.json"]);
    let seconds = |row: usize, order: usize| matrix.rows[row].cells[order].seconds;
    assert!(seconds(0, 0) >= 10.0 && seconds(0, 1) < 1.0);
    assert!(seconds(1, 0) >= 10.0 && seconds(1, 1) >= 10.0);
    let Reply::Suggestions(found) = ask(&mut session, Request::Suggest) else {
        panic!("suggestions were expected");
    };
    assert!(
        found[0].title.starts_with("Move COPY . /app below RUN"),
        "{found:?}"
    );
    assert_eq!(found[0].dockerfile, good);
}

/// One random thing to do.
#[derive(Clone, Debug)]
enum Deed {
    Edit(Box<Edit>),
    Build,
    Undo,
    Redo,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let path = prop::sample::select(vec!["a", "b", "d/c", "d", "Dockerfile"]);
    let text = prop::sample::select(vec![
        "FROM scratch\nCOPY . /\n",
        "FROM scratch\nCOPY a /x\nCOPY b /y\n",
        "FROM scratch\nCOPY",
        "one",
        "",
    ]);
    let owned = |path: &'static str| path.to_string();
    let edit = prop_oneof![
        (path.clone(), text.clone()).prop_map(|(path, text)| write(path, text)),
        text.prop_map(dockerfile),
        path.clone()
            .prop_map(move |path| Edit::Nudge { path: owned(path) }),
        path.clone()
            .prop_map(move |path| Edit::Delete { path: owned(path) }),
        path.clone()
            .prop_map(move |path| Edit::Touch { path: owned(path) }),
        (path.clone(), 0u32..0o1000).prop_map(move |(path, mode)| Edit::Chmod {
            path: owned(path),
            mode
        }),
        (path.clone(), path).prop_map(move |(from, to)| Edit::Rename {
            from: owned(from),
            to: owned(to)
        }),
        (0usize..3, 0usize..3).prop_map(|(from, to)| Edit::Move { from, to }),
        Just(Edit::ClearCache),
        Just(Edit::Advance { days: 1 }),
    ];
    let deed = prop_oneof![
        6 => edit.prop_map(|edit| Deed::Edit(Box::new(edit))),
        2 => Just(Deed::Build),
        2 => Just(Deed::Undo),
        1 => Just(Deed::Redo),
    ];
    prop::collection::vec(deed, 1..20)
}

fn request(deed: &Deed) -> Request {
    match deed {
        Deed::Edit(edit) => Request::Edit {
            edit: Edit::clone(edit),
        },
        Deed::Build => Request::Build,
        Deed::Undo => Request::Undo,
        Deed::Redo => Request::Redo,
    }
}

/// The state without what tells where in the history it is.
fn bare(state: State) -> State {
    let mut state = state;
    state.revision = 0;
    state.prediction.revision = 0;
    state.redo = None;
    state.undo = None;
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn undo_takes_back_whatever_was_done(deeds in deeds()) {
        let mut session = session();
        for deed in &deeds {
            let before = state(&mut session, Request::Refresh);
            let after = match ask(&mut session, request(deed)) {
                Reply::State(after) => *after,
                Reply::Refused(_) => {
                    prop_assert_eq!(state(&mut session, Request::Refresh), before);
                    continue;
                }
                other => panic!("{other:?}"),
            };
            match deed {
                // Several keystrokes are one step: there an undo goes further back.
                Deed::Edit(edit)
                    if matches!(**edit, Edit::Dockerfile { .. } | Edit::Write { .. }) => {}
                Deed::Undo => {
                    let again = state(&mut session, Request::Redo);
                    prop_assert_eq!(bare(again), bare(before));
                    let back = state(&mut session, Request::Undo);
                    prop_assert_eq!(bare(back), bare(after));
                }
                _ => {
                    let back = state(&mut session, Request::Undo);
                    prop_assert_eq!(bare(back), bare(before));
                    let again = state(&mut session, Request::Redo);
                    prop_assert_eq!(bare(again), bare(after));
                }
            }
        }
    }

    #[test]
    fn what_is_saved_opens_as_it_was(deeds in deeds()) {
        let mut first = session();
        for deed in &deeds {
            ask(&mut first, request(deed));
        }
        let save = |session: &mut Served<Load>| -> Saved {
            match ask(session, Request::Save) {
                Reply::Saved(saved) => saved,
                other => panic!("{other:?}"),
            }
        };
        let saved = save(&mut first);
        let old = state(&mut first, Request::Refresh);
        let mut second = session();
        let request = Request::OpenSaved { saved: saved.clone() };
        let new = state(&mut second, request);
        prop_assert_eq!(&new.dockerfile, &old.dockerfile);
        prop_assert_eq!(&new.options, &old.options);
        prop_assert_eq!(new.context.sent_bytes, old.context.sent_bytes);
        prop_assert_eq!(new.context.files, old.context.files);
        let mut again = save(&mut second);
        again.built = saved.built.clone();
        prop_assert_eq!(again, saved);
    }
}
