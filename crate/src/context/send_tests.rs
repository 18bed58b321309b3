use proptest::prelude::*;

use super::*;
use crate::fs::{Content, Fs, Time, node_digest};

fn listing(fs: &Fs) -> Vec<String> {
    fs.walk(Fs::ROOT)
        .map(|entry| match entry.inode.is_dir() {
            true => format!("{}/", entry.path),
            false => entry.path,
        })
        .collect()
}

fn context(files: &[&str]) -> Context {
    let mut context = Context::new(Time::EPOCH);
    for path in files {
        context.write(path, *path).unwrap();
    }
    context
}

fn send(context: &Context, ignore: &str, paths: &[&str]) -> Vec<String> {
    let ignore = Ignore::parse(".dockerignore", ignore).unwrap();
    let sent = Sender::default().send(context.fs(), ignore.matcher(), paths);
    listing(&sent.unwrap())
}

#[test]
fn directories_stay_for_what_is_taken_back() {
    let context = context(&["a", "b.md", "src/c", "src/d.md", "src/deep/e.md", "n/x/y"]);
    let all: [&str; 0] = [];
    let cases: [(&str, &[&str]); 5] = [
        (
            "*\n!src\n",
            &["src/", "src/c", "src/d.md", "src/deep/", "src/deep/e.md"],
        ),
        ("*\n!src/**/e.md\n", &["src/", "src/deep/", "src/deep/e.md"]),
        ("**\n!src/c\n", &["src/", "src/c"]),
        (
            "**/*.md\n!src/d.md\n",
            &[
                "a",
                "n/",
                "n/x/",
                "n/x/y",
                "src/",
                "src/c",
                "src/d.md",
                "src/deep/",
            ],
        ),
        ("src/**\n*.md\n", &["a", "n/", "n/x/", "n/x/y", "src/"]),
    ];
    for (ignore, expected) in cases {
        assert_eq!(send(&context, ignore, &all), expected, "{ignore}");
    }
}

#[test]
fn only_what_a_build_asks_for_is_sent() {
    let mut context = context(&["a/1", "a/2", "b/1", "c/d/1"]);
    for (path, target) in [("link", "b"), ("c/up", "../a/2"), ("loop", "loop")] {
        let (path, target) = (path.to_string(), target.to_string());
        context.edit(&Edit::Symlink { path, target }).unwrap();
    }
    assert_eq!(send(&context, "", &["a/1"]), ["a/", "a/1"]);
    assert_eq!(send(&context, "", &["/link/1"]), ["b/", "b/1", "link"]);
    assert_eq!(send(&context, "", &["c/u*"]), ["a/", "a/2", "c/", "c/up"]);
    assert_eq!(send(&context, "", &["[ab]/1"]), ["a/", "a/1", "b/", "b/1"]);
    // A pattern on the way that matches a link asks for all that it matches.
    assert_eq!(send(&context, "", &["[bl]*/1"]).len(), 4);
    assert_eq!(send(&context, "", &["loop", "none"]), ["loop"]);
    assert_eq!(send(&context, "a\n", &["a", "b"]), ["b/", "b/1"]);
    assert_eq!(send(&context, "", &["a", "."]).len(), 11);
    let sent = Sender::default().send(context.fs(), &Patterns::default(), &["a["]);
    assert_eq!(
        sent.unwrap_err().to_string(),
        "invalid includepatterns: [a[]: syntax error in pattern"
    );
}

/// What is sent by its definition: every path is asked about, and directories stay for what is
/// in them.
fn by_definition(fs: &Fs, ignore: &Patterns) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut above: Vec<(String, ParentMatches)> = Vec::new();
    let mut sent: Vec<String> = Vec::new();
    for entry in fs.walk(Fs::ROOT) {
        while above
            .last()
            .is_some_and(|(dir, _)| !entry.path.starts_with(&format!("{dir}/")))
        {
            above.pop();
        }
        let parent = above.last().map(|(_, matches)| matches);
        let (answer, matches) = ignore.matches_below(&entry.path, parent);
        if !answer.matched {
            sent.push(entry.path.clone());
        }
        above.push((entry.path, matches));
    }
    for entry in fs.walk(Fs::ROOT) {
        let dir = format!("{}/", entry.path);
        if sent
            .iter()
            .any(|path| *path == entry.path || path.starts_with(&dir))
        {
            out.push(if entry.inode.is_dir() {
                dir
            } else {
                entry.path
            });
        }
    }
    out
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "ab", "a.md", "c"]).prop_map(String::from)
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|parts| parts.join("/"))
}

fn pattern() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => name(),
        1 => prop::sample::select(vec!["*", "**", "?", "a*", "*.md", "[ab]", "\\a"])
            .prop_map(String::from),
    ];
    (any::<bool>(), prop::collection::vec(part, 1..4))
        .prop_map(|(not, parts)| format!("{}{}", if not { "!" } else { "" }, parts.join("/")))
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (path(), "[xy]").prop_map(|(path, text)| Edit::Write {
            path,
            content: Content::new(text),
            mode: None,
        }),
        2 => path().prop_map(|path| Edit::Delete { path }),
        1 => path().prop_map(|path| Edit::Mkdir { path, mode: None }),
        1 => (path(), path()).prop_map(|(from, to)| Edit::Rename { from, to }),
        1 => path().prop_map(|path| Edit::Chmod { path, mode: 0o700 }),
        1 => (path(), path()).prop_map(|(path, target)| Edit::Symlink { path, target }),
    ]
}

proptest! {
    /// Sending again costs what changed, and gives what sending for the first time gives.
    #[test]
    fn what_is_remembered_changes_nothing(
        edits in prop::collection::vec(edit(), 1..40),
        patterns in prop::collection::vec(pattern(), 1..5),
        paths in prop::collection::vec(path(), 0..3),
    ) {
        let ignore = Patterns::new(&patterns).unwrap();
        let mut context = Context::new(Time::EPOCH);
        let mut sender = Sender::default();
        for edit in &edits {
            // Some cannot be done, and then nothing has changed.
            let _ = context.edit(edit);
            let again = sender.send(context.fs(), &ignore, &paths).unwrap();
            let first = Sender::default().send(context.fs(), &ignore, &paths).unwrap();
            prop_assert_eq!(listing(&again), listing(&first));
            prop_assert_eq!(node_digest(&again, Fs::ROOT), node_digest(&first, Fs::ROOT));
        }
    }

    /// Directories that are passed over hold nothing that is sent.
    #[test]
    fn nothing_is_passed_over(
        edits in prop::collection::vec(edit(), 1..40),
        patterns in prop::collection::vec(pattern(), 1..5),
    ) {
        let ignore = Patterns::new(&patterns).unwrap();
        let mut context = Context::new(Time::EPOCH);
        for edit in &edits {
            let _ = context.edit(edit);
        }
        let paths: [&str; 0] = [];
        let sent = Sender::default().send(context.fs(), &ignore, &paths).unwrap();
        prop_assert_eq!(listing(&sent), by_definition(context.fs(), &ignore));
    }

    /// No text is too odd to be an ignore file or a list of patterns.
    #[test]
    fn any_text_is_read(text in "[ -~\\n\\\\*?!\\[\\]^é\u{feff}]{0,60}", path in "[a-c/.*\\\\]{0,12}") {
        if let Ok(ignore) = Ignore::parse(".dockerignore", &text) {
            let verdict = ignore.verdict(&path);
            prop_assert!(verdict.line.is_some() || !verdict.ignored);
        }
        let _ = glob(&text, &path);
    }
}
