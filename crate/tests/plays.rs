//! Every play of the project holds: the behaviour tests and the examples.

use std::path::{Path, PathBuf};

use layerwise::play;
use layerwise::session::Served;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn plays(dir: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(top().join(dir)).expect(dir);
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are no plays in {dir}");
    files
}

/// Everything that does not hold in the plays of a directory.
fn failures(dir: &str) -> String {
    let mut out = String::new();
    for file in plays(dir) {
        let source = std::fs::read_to_string(&file).expect("a play");
        let name = file.file_name().unwrap_or_default().display();
        let play = match play::parse(&source) {
            Ok(play) => play,
            Err(problems) => {
                for problem in problems {
                    out += &format!("{name}: {problem}\n");
                }
                continue;
            }
        };
        let mut session = Served::new(|part: &str| {
            let path = top().join("public/catalog").join(part);
            std::fs::read(&path).map_err(|error| format!("{part}: {error}"))
        });
        for failure in play::act_out(&play, &mut session) {
            out += &format!("{name}: {failure}\n");
        }
    }
    out
}

#[test]
fn the_engine_behaves() {
    assert_eq!(failures("tests/plays"), "");
}

#[test]
fn the_examples_hold() {
    assert_eq!(failures("public/plays"), "");
}

#[test]
fn the_index_names_the_examples_as_they_call_themselves() {
    let index = std::fs::read(top().join("public/plays/index.json")).expect("the index");
    let index: Vec<serde_json::Value> = serde_json::from_slice(&index).expect("a list");
    let mut named = Vec::new();
    for entry in &index {
        let file = entry["file"].as_str().expect("a file");
        let source = std::fs::read_to_string(top().join("public/plays").join(file)).expect(file);
        let play = play::parse(&source).expect(file);
        assert_eq!(entry["title"], play.title.as_str());
        assert_eq!(entry["about"], play.about.as_str());
        assert!(play.try_first.is_some(), "{file} has nothing to try first");
        named.push(top().join("public/plays").join(file));
    }
    named.sort();
    assert_eq!(named, plays("public/plays"));
}
