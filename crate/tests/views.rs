//! What the page shows of a build beside its layers: time, stages, text, the ignore file.

use layerwise::play::Actor;
use layerwise::session::Served;
use layerwise::view::{
    Edit, InstructionView, Reply, Request, Row, StageView, State, Text, TextView, TreeRef,
};

type Load = fn(&str) -> Result<Vec<u8>, String>;

fn session(files: &[(&str, &str)]) -> Served<Load> {
    let mut session: Served<Load> = Served::new(|part| {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../public/catalog");
        std::fs::read(top.join(part)).map_err(|error| format!("{part}: {error}"))
    });
    for (path, text) in files {
        edit(&mut session, path, text);
    }
    session
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

fn edit(session: &mut Served<Load>, path: &str, text: &str) -> State {
    let edit = match path {
        "Dockerfile" => Edit::Dockerfile { text: text.into() },
        path => Edit::Write {
            path: path.into(),
            bytes: text.into(),
            mode: None,
        },
    };
    state(session, Request::Edit { edit })
}

fn text(session: &mut Served<Load>, build: u32, text: Text) -> TextView {
    match ask(session, Request::Text { build, text }) {
        Reply::Text(view) => view,
        other => panic!("a text was expected, not {other:?}"),
    }
}

fn printed(session: &mut Served<Load>, build: u32, which: Text) -> String {
    text(session, build, which).text
}

const STAGES: &str = "\
FROM alpine:3.20 AS build
RUN sleep 3 && echo compiled
RUN sleep 2 && echo a > /a
FROM alpine:3.20 AS docs
RUN sleep 4 && echo b > /b
FROM alpine:3.20 AS unused
RUN echo never
FROM alpine:3.20
COPY --from=build /a /
COPY --from=docs /b /
COPY app /app
";

fn stages() -> Served<Load> {
    session(&[("app", "1\n"), ("Dockerfile", STAGES)])
}

#[test]
fn stages_run_beside_each_other() {
    let mut session = stages();
    let built = state(&mut session, Request::Build);
    let build = built.build.expect("a build");
    let names = |steps: &[usize]| -> Vec<String> {
        let name = |at: &usize| build.steps[*at].name.clone();
        steps.iter().map(name).collect()
    };
    let lanes: Vec<(String, Vec<String>)> = build
        .timeline
        .lanes
        .iter()
        .map(|lane| (lane.stage.clone(), names(&lane.steps)))
        .collect();
    insta::assert_debug_snapshot!(lanes);
    // docs, which takes 4 s, is done before build, which takes 5.
    let critical = names(&build.timeline.critical);
    assert!(
        critical.iter().any(|name| name.starts_with("[build 2/")),
        "{critical:?}"
    );
    assert!(
        !critical.iter().any(|name| name.starts_with("[docs 2")),
        "{critical:?}"
    );
    let sum: f64 = build
        .timeline
        .critical
        .iter()
        .map(|at| build.steps[*at].seconds)
        .sum();
    assert!((sum - build.summary.seconds).abs() < 1e-6, "{sum}");
    assert_eq!(build.timeline.uncached, build.summary.seconds);

    edit(&mut session, "app", "2\n");
    let again = state(&mut session, Request::Build).build.expect("a build");
    assert!(again.summary.seconds < 1.0);
    assert!(again.timeline.uncached > 5.0, "{}", again.timeline.uncached);
}

#[test]
fn stages_are_laid_out() {
    let mut session = stages();
    let seen = |state: &State| -> Vec<String> {
        let line = |stage: &StageView| {
            let links = stage.links.iter();
            let links: Vec<String> = links
                .map(|link| {
                    let InstructionView { text, .. } = &state.instructions[link.instruction];
                    format!("{} by {text}", state.stages[link.from].name)
                })
                .collect();
            format!(
                "{} from {:?} at {},{}{}{}: {}",
                stage.name,
                stage.base.as_deref().unwrap_or(""),
                stage.column,
                stage.top,
                if stage.needed { "" } else { ", not needed" },
                if stage.target { ", target" } else { "" },
                links.join("; ")
            )
        };
        state.stages.iter().map(line).collect()
    };
    insta::assert_debug_snapshot!(seen(&state(&mut session, Request::Refresh)));
    let other = "FROM scratch AS a\nCOPY --from=busybox /bin/sh /\nFROM a\nRUN --mount=from=0,target=/x true\n";
    insta::assert_debug_snapshot!(seen(&edit(&mut session, "Dockerfile", other)));
    assert!(
        edit(&mut session, "Dockerfile", "FROM a AS")
            .stages
            .is_empty()
    );
}

#[test]
fn progress_is_printed_as_the_client_prints_it() {
    let mut session = stages();
    state(&mut session, Request::Build);
    insta::assert_snapshot!(printed(&mut session, 1, Text::Plain));
    insta::assert_snapshot!(printed(&mut session, 1, Text::Tty));
    edit(&mut session, "app", "2\n");
    state(&mut session, Request::Build);
    let plain = text(&mut session, 2, Text::Plain);
    insta::assert_snapshot!(plain.text);
    // Every line belongs to a run, and those of a step say its number.
    let lines: Vec<&str> = plain.text.lines().collect();
    assert_eq!(
        plain.runs.iter().map(|run| run.lines).sum::<u32>() as usize,
        lines.len()
    );
}

#[test]
fn failures_are_printed_at_their_place() {
    let mut session = session(&[(
        "Dockerfile",
        "from alpine:3.20\nWORKDIR /x\nRUN echo hello && \\\n    cat /missing\nCMD [\"sh\"]\n",
    )]);
    state(&mut session, Request::Build);
    insta::assert_snapshot!(printed(&mut session, 1, Text::Plain));
    insta::assert_snapshot!(printed(&mut session, 1, Text::Tty));
    edit(&mut session, "Dockerfile", "FROM alpine:3.20\nRNU x\n");
    state(&mut session, Request::Build);
    insta::assert_snapshot!(printed(&mut session, 2, Text::Plain));
    edit(&mut session, "Dockerfile", "FROM nosuch/image:1\nRUN x\n");
    state(&mut session, Request::Build);
    insta::assert_snapshot!(printed(&mut session, 3, Text::Plain));
}

#[test]
fn history_and_inspect_are_those_of_the_client() {
    let mut session = session(&[
        ("app", "1\n"),
        (
            "Dockerfile",
            "FROM busybox:1.36\nENV A=1\nCOPY app /app\nRUN echo x > /x\nCMD [\"sh\"]\n",
        ),
    ]);
    state(&mut session, Request::Build);
    insta::assert_snapshot!(printed(&mut session, 1, Text::History));
    insta::assert_snapshot!(printed(&mut session, 1, Text::Classic));
    let whole = printed(&mut session, 1, Text::HistoryWhole);
    assert!(whole.contains("sha256:") && !whole.contains('…'), "{whole}");
    let config = text(&mut session, 1, Text::Config);
    let image = state(&mut session, Request::Refresh)
        .build
        .and_then(|build| build.image);
    let image = image.expect("an image");
    assert_eq!(config.digest.as_deref(), Some(image.config_digest.as_str()));
    let manifest = text(&mut session, 1, Text::Manifest);
    assert_eq!(manifest.digest.as_deref(), Some(image.digest.as_str()));
    let inspect = printed(&mut session, 1, Text::Inspect);
    let inspect: serde_json::Value = serde_json::from_str(&inspect).expect("JSON");
    assert_eq!(inspect[0]["Id"], image.config_digest);
}

#[test]
fn reports() {
    let mut session = stages();
    state(&mut session, Request::Build);
    edit(&mut session, "app", "2|`\n");
    state(&mut session, Request::Build);
    insta::assert_snapshot!(printed(&mut session, 2, Text::Markdown));
    let json: serde_json::Value =
        serde_json::from_str(&printed(&mut session, 2, Text::Json)).expect("JSON");
    assert_eq!((&json["version"], &json["build"]), (&1.into(), &2.into()));
    let last = json["steps"]
        .as_array()
        .and_then(|steps| steps.last())
        .expect("steps");
    assert_eq!(last["why"]["because"], "app changed");
    assert_eq!(last["why"]["files"][0]["path"], "app");
}

#[test]
fn a_workspace_goes_back_to_a_build_and_forth() {
    let mut session = stages();
    state(&mut session, Request::Build);
    edit(&mut session, "app", "2\n");
    edit(&mut session, "Dockerfile", "FROM alpine:3.20\n");
    state(&mut session, Request::Build);
    let back = state(&mut session, Request::Restore { build: 1 });
    assert_eq!(back.dockerfile, STAGES);
    assert_eq!(back.undo.as_deref(), Some("go back to build 1"));
    // The builds stay, and all of it is in the cache.
    assert_eq!(
        (back.history.len(), back.prediction.cached),
        (2, back.prediction.steps)
    );
    let forth = state(&mut session, Request::Undo);
    assert_eq!(forth.dockerfile, "FROM alpine:3.20\n");
    assert!(matches!(
        ask(&mut session, Request::Restore { build: 9 }),
        Reply::Refused(_)
    ));
}

#[test]
fn each_file_knows_its_lines_of_the_ignore_file() {
    let mut session = session(&[
        ("README.md", "a"),
        ("notes.md", "b"),
        ("src/app.js", "c"),
        ("node_modules/x/y.js", "d"),
        ("package.json", "e"),
        (".dockerignore", "node_modules\n*.md\n!README.md\n"),
        (
            "Dockerfile",
            "FROM busybox\nCOPY package*.json ./\nCOPY src src\nRUN true\n",
        ),
    ]);
    let Reply::Rows(rows) = ask(
        &mut session,
        Request::List {
            tree: TreeRef::Context,
            dir: String::new(),
        },
    ) else {
        panic!("rows were expected");
    };
    let seen: Vec<String> = rows
        .iter()
        .map(
            |Row {
                 path,
                 rules,
                 ignored,
                 ..
             }| {
                let rules: Vec<String> = rules
                    .iter()
                    .map(|r| format!("{} {}", r.line, r.pattern))
                    .collect();
                format!(
                    "{path}: {}{}",
                    rules.join(", "),
                    if ignored.is_some() { ", left out" } else { "" }
                )
            },
        )
        .collect();
    insta::assert_debug_snapshot!(seen);
    let now = state(&mut session, Request::Refresh);
    assert_eq!(
        (now.context.files, now.context.kept, now.context.sent),
        (7, 5, 2)
    );
    let readers = |path: &str| -> Vec<usize> {
        let all = now.prediction.instructions.iter().enumerate();
        all.filter(|(_, view)| view.reads(path))
            .map(|(at, _)| at)
            .collect()
    };
    assert_eq!(readers("package.json"), [1]);
    assert_eq!(readers("src/app.js"), [2]);
    assert_eq!(readers("src"), [2]);
    assert_eq!(readers("README.md"), [0_usize; 0]);
}
