//! One generated case: a context, a Dockerfile, and a few builds with edits between them.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::archives;
use super::grammar::Grammar;
use crate::conformance::scenario::{
    BuildOptions, RecordedEdit, Scenario, ScenarioStep, encode_base64,
};

/// The files that a context may have.
const FILES: [&str; 12] = [
    "a.txt",
    "b.log",
    "src/a.txt",
    "src/b.js",
    "src/lib/c.js",
    "src/lib/d.txt",
    "docs/x.md",
    "run.sh",
    ".env",
    "data/1",
    "data/2",
    "data/sub/3",
];

/// The base image.
const BASE: &str = "busybox:1.36";

/// What stands for a reference to an earlier stage.
const STAGE: &str = "STAGE";

#[derive(Clone, Debug)]
struct Stage {
    from: String,
    named: bool,
    instructions: Vec<String>,
}

/// What is done between two builds.
#[derive(Clone, Debug)]
enum Change {
    Write(Index, String),
    Chmod(Index, String),
    Touch(Index, i64),
    Delete(Index),
    Rename(Index, String),
    Add(String, String),
    Revert,
    DropLine(Index),
    SwapLines(Index, Index),
    InsertLine(Index, String),
    ReplaceLine(Index, String),
}

/// What the builds of a case are asked for.
#[derive(Clone, Debug)]
struct Request {
    a1: Option<String>,
    v1: bool,
    proxy: bool,
    label: bool,
    secret: Option<String>,
    target: Option<Index>,
    no_cache: bool,
    no_cache_filter: Option<Index>,
}

/// Where the Dockerfile is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Usual,
    Elsewhere,
    /// With a `.dockerignore` of its own.
    ElsewhereWithIgnore,
}

/// All scenarios.
pub fn scenarios(grammar: &Grammar) -> BoxedStrategy<Scenario> {
    let first = request(grammar, false);
    let later = (vec(change(grammar), 0..3), request(grammar, true));
    let text = |rule| grammar.text(rule);
    let stage = (
        text("from"),
        prop::bool::weighted(0.7),
        vec(text("instruction"), 1..7),
    );
    let stage = stage.prop_map(|(from, named, instructions)| Stage {
        from,
        named,
        instructions,
    });
    let dockerfile = (vec(text("global"), 0..2), vec(stage, 1..4));
    let place = prop_oneof![
        20 => Just(Place::Usual),
        1 => Just(Place::Elsewhere),
        1 => Just(Place::ElsewhereWithIgnore),
    ];
    let ignore = weighted(0.25, text("ignore"));
    (
        vec(later, 0..3),
        dockerfile,
        ignore,
        context(grammar),
        first,
        place,
    )
        .prop_map(|(later, dockerfile, ignore, context, first, place)| {
            let mut author = Author::new(dockerfile.0, dockerfile.1, place);
            let mut edits = context;
            for edit in &edits {
                if let RecordedEdit::Write { path, mode, .. } = edit {
                    let mode = mode.clone().unwrap_or_else(|| "644".into());
                    author.files.insert(path.clone(), (edit.clone(), mode));
                }
            }
            edits.extend(ignore.map(|text| write(&author.ignore_path(), &format!("{text}\n"))));
            edits.push(author.dockerfile());
            let build = author.request(&first);
            let mut steps = vec![step(edits, build)];
            for (changes, request) in later {
                let mut edits = Vec::new();
                for change in changes {
                    author.change(change, &mut edits);
                }
                let text = author.dockerfile();
                if author.changed {
                    edits.push(text);
                    author.changed = false;
                }
                let build = author.request(&request);
                steps.push(step(edits, build));
            }
            Scenario {
                title: "generated".into(),
                steps,
            }
        })
        .boxed()
}

fn context(grammar: &Grammar) -> impl Strategy<Value = Vec<RecordedEdit>> + use<> {
    let mut files = Vec::new();
    for path in FILES {
        let file = (
            grammar.text("filemode"),
            weighted(0.3, grammar.text("text")),
        );
        let file = file.prop_map(move |(mode, text)| RecordedEdit::Write {
            path: path.into(),
            text: Some(text.unwrap_or_else(|| format!("{path}\n"))),
            base64: None,
            mode: Some(mode),
        });
        files.push(weighted(0.93, file).boxed());
    }
    let targets = ["../a.txt", "lib", "nope", "/src/lib", "../../.."];
    let link = |path: &'static str, chance, targets: &'static [&'static str]| {
        let link = select(targets).prop_map(move |target| RecordedEdit::Symlink {
            path: path.into(),
            target: target.into(),
        });
        weighted(chance, link).boxed()
    };
    files.push(link("src/ln", 0.25, Box::leak(Box::new(targets))));
    files.push(link("dirlink", 0.2, &["src", "src/lib", "data/sub"]));
    let modes = select(&["755", "700", "2755", "1777"][..]);
    let empty = modes.prop_map(|mode| RecordedEdit::Mkdir {
        path: "empty".into(),
        mode: Some(mode.into()),
    });
    files.push(weighted(0.2, empty).boxed());
    for (path, chance) in archives::NAMES {
        let archive = (0u8..=255).no_shrink().prop_map(|traits| {
            let bytes = archives::archive(path, traits);
            RecordedEdit::Write {
                path: path.into(),
                text: None,
                base64: Some(encode_base64(&bytes)),
                mode: None,
            }
        });
        files.push(weighted(chance, archive).boxed());
    }
    files.prop_map(|files| files.into_iter().flatten().collect())
}

fn request(grammar: &Grammar, later: bool) -> impl Strategy<Value = Request> + use<> {
    let index = || any::<Index>().no_shrink();
    let value = select(&["ba", "one", "other"][..]).prop_map(str::to_owned);
    let late = |chance| if later { chance } else { 0.01 };
    (
        (weighted(0.2, value), prop::bool::weighted(0.05)),
        (prop::bool::weighted(0.03), prop::bool::weighted(0.04)),
        weighted(0.4, grammar.text("secretvalue")),
        weighted(0.08, index()),
        prop::bool::weighted(late(0.1)),
        weighted(late(0.07), index()),
    )
        .prop_map(
            |((a1, v1), (proxy, label), secret, target, no_cache, no_cache_filter)| Request {
                a1,
                v1,
                proxy,
                label,
                secret,
                target,
                no_cache,
                no_cache_filter,
            },
        )
}

fn change(grammar: &Grammar) -> BoxedStrategy<Change> {
    let index = || any::<Index>().no_shrink();
    let text = |rule| grammar.text(rule);
    prop_oneof![
        4 => (index(), text("text")).prop_map(|(at, text)| Change::Write(at, text)),
        3 => (index(), text("filemode")).prop_map(|(at, mode)| Change::Chmod(at, mode)),
        2 => (index(), 1_000_000_000..1_000_000_009i64).prop_map(|(at, to)| Change::Touch(at, to)),
        2 => index().prop_map(Change::Delete),
        2 => (index(), text("newfile")).prop_map(|(at, to)| Change::Rename(at, to)),
        2 => (text("newfile"), text("text")).prop_map(|(path, text)| Change::Add(path, text)),
        3 => Just(Change::Revert),
        3 => index().prop_map(Change::DropLine),
        3 => (index(), index()).prop_map(|(a, b)| Change::SwapLines(a, b)),
        3 => (index(), text("instruction")).prop_map(|(at, text)| Change::InsertLine(at, text)),
        3 => (index(), text("instruction")).prop_map(|(at, text)| Change::ReplaceLine(at, text)),
    ]
    .boxed()
}

/// Keeps the state of the context while the edits are written down.
struct Author {
    place: Place,
    /// The instructions of the Dockerfile; a FROM has the name of its stage with it.
    lines: Vec<String>,
    first: Vec<String>,
    changed: bool,
    /// The plain files: how each was written at first, and its mode then.
    files: BTreeMap<String, (RecordedEdit, String)>,
}

impl Author {
    fn new(globals: Vec<String>, stages: Vec<Stage>, place: Place) -> Author {
        let mut lines = globals;
        for (at, stage) in stages.into_iter().enumerate() {
            let name = if stage.named {
                format!(" AS s{at}")
            } else {
                String::new()
            };
            lines.push(format!("FROM {}{name}", stage.from));
            lines.extend(stage.instructions);
        }
        Author {
            place,
            first: lines.clone(),
            lines,
            changed: false,
            files: BTreeMap::new(),
        }
    }

    fn dockerfile_path(&self) -> &'static str {
        match self.place {
            Place::Usual => "Dockerfile",
            Place::Elsewhere | Place::ElsewhereWithIgnore => "build/x.Dockerfile",
        }
    }

    fn ignore_path(&self) -> String {
        match self.place {
            Place::ElsewhereWithIgnore => format!("{}.dockerignore", self.dockerfile_path()),
            Place::Usual | Place::Elsewhere => ".dockerignore".into(),
        }
    }

    /// The Dockerfile, with references to stages put in.
    fn dockerfile(&self) -> RecordedEdit {
        let (mut text, mut stages) = (String::new(), Vec::new());
        for line in &self.lines {
            let from = line.strip_prefix("FROM ");
            // Which stage it is depends on the line alone, so that an edit elsewhere changes little.
            let mut known: Vec<String> = stages.clone();
            match from {
                // Only a name can be built upon.
                Some(_) => known.retain(|stage| stage.starts_with('s')),
                None => drop(known.pop()),
            }
            let stage = match known.len() {
                0 => BASE,
                many => &known[line.len() % many],
            };
            text += &line.replace(STAGE, stage);
            text.push('\n');
            if let Some(from) = from {
                let name = from.split_once(" AS ").map(|(_, name)| name.to_owned());
                stages.push(name.unwrap_or_else(|| stages.len().to_string()));
            }
        }
        write(self.dockerfile_path(), &text)
    }

    fn stage_names(&self) -> Vec<&str> {
        let froms = self.lines.iter().filter(|line| line.starts_with("FROM "));
        froms
            .filter_map(|line| Some(line.split_once(" AS ")?.1))
            .collect()
    }

    fn request(&self, request: &Request) -> BuildOptions {
        let mut options = BuildOptions::default();
        let mut arg = |name: &str, value: Option<&str>| {
            let value = value.map(str::to_owned);
            options.build_args.extend(value.map(|v| (name.into(), v)));
        };
        arg("A1", request.a1.as_deref());
        arg("V1", request.v1.then_some("from the command line"));
        arg("HTTP_PROXY", request.proxy.then_some("http://proxy"));
        if request.label {
            options.labels.insert("l".into(), "v".into());
        }
        if let Some(secret) = &request.secret {
            options.secrets.insert("s1".into(), secret.clone());
        }
        let mut names = self.stage_names();
        if let Some(at) = request.no_cache_filter.filter(|_| !names.is_empty()) {
            options.no_cache_filter = vec![at.get(&names).to_string()];
        }
        names.extend(["0", "1", "nope"]);
        if let Some(at) = request.target {
            options.target = at.get(&names).to_string();
        }
        options.no_cache = request.no_cache;
        if !matches!(self.place, Place::Usual) {
            options.dockerfile = Some(self.dockerfile_path().into());
        }
        options
    }

    fn change(&mut self, change: Change, edits: &mut Vec<RecordedEdit>) {
        let paths: Vec<String> = self.files.keys().cloned().collect();
        let file = |at: Index| (!paths.is_empty()).then(|| at.get(&paths).clone());
        // A line that is no FROM and stands below one.
        let first = self.lines.iter().position(|line| line.starts_with("FROM "));
        let inside: Vec<usize> = (first.unwrap_or(0) + 1..self.lines.len())
            .filter(|at| !self.lines[*at].starts_with("FROM "))
            .collect();
        let line = |at: Index| (!inside.is_empty()).then(|| *at.get(&inside));
        self.changed |= matches!(
            change,
            Change::DropLine(_)
                | Change::SwapLines(..)
                | Change::InsertLine(..)
                | Change::ReplaceLine(..)
        );
        match change {
            Change::Write(at, text) => edits.extend(file(at).map(|path| write(&path, &text))),
            Change::Chmod(at, mode) => {
                edits.extend(file(at).map(|path| RecordedEdit::Chmod { path, mode }));
            }
            Change::Touch(at, mtime) => {
                edits.extend(file(at).map(|path| RecordedEdit::Touch { path, mtime }));
            }
            Change::Delete(at) => {
                if let Some(path) = file(at) {
                    self.files.remove(&path);
                    edits.push(RecordedEdit::Delete { path });
                }
            }
            Change::Rename(at, to) => {
                if let Some(from) = file(at).filter(|_| !self.files.contains_key(&to)) {
                    if let Some(mut file) = self.files.remove(&from) {
                        if let RecordedEdit::Write { path, .. } = &mut file.0 {
                            path.clone_from(&to);
                        }
                        self.files.insert(to.clone(), file);
                    }
                    edits.push(RecordedEdit::Rename { from, to });
                }
            }
            Change::Add(path, text) => {
                let edit = write(&path, &text);
                let entry = self.files.entry(path);
                entry.or_insert((edit.clone(), "644".into()));
                edits.push(edit);
            }
            Change::Revert => {
                for (path, (edit, mode)) in &self.files {
                    let (path, mode) = (path.clone(), mode.clone());
                    edits.push(edit.clone());
                    edits.push(RecordedEdit::Chmod { path, mode });
                }
                self.changed |= self.lines != self.first;
                self.lines.clone_from(&self.first);
            }
            Change::DropLine(at) => {
                if let Some(at) = line(at) {
                    self.lines.remove(at);
                }
            }
            Change::SwapLines(a, b) => {
                if let (Some(a), Some(b)) = (line(a), line(b)) {
                    self.lines.swap(a, b);
                }
            }
            Change::InsertLine(at, text) => {
                if let Some(at) = line(at) {
                    self.lines.insert(at, text);
                }
            }
            Change::ReplaceLine(at, text) => {
                if let Some(at) = line(at) {
                    self.lines[at] = text;
                }
            }
        }
    }
}

fn step(edits: Vec<RecordedEdit>, build: BuildOptions) -> ScenarioStep {
    ScenarioStep {
        edits,
        build,
        fresh: false,
    }
}

fn write(path: &str, text: &str) -> RecordedEdit {
    RecordedEdit::Write {
        path: path.into(),
        text: Some(text.into()),
        base64: None,
        mode: None,
    }
}
