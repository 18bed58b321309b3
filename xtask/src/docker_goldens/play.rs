//! Acting a scenario out, and writing down what is observed in the form of the recordings.

use layerwise::cli::{Answer, Desktop, split_words};
use layerwise::dockerfile::reference::Reference;
use layerwise::fs::{Content, Time};
use layerwise::image::Image;
use serde_json::{Value, json};

use super::names::Names;
use super::{edit, look, tables};

/// When a scenario begins: a time like that of a recording.
const START: Time = Time::from_secs(1_785_000_000);
/// Between two commands, in nanoseconds: of a scenario in which the order of what is made counts,
/// and of others.
const PACE: (i64, i64) = (1_100_000_000, 100_000_000);
/// The working directory, which the recordings do not name.
const DIR: &str = "/the/scenario/folder";

/// Acts a scenario out; gives one item a step, in the form of `expected.json`.
///
/// # Errors
/// A step that cannot be done.
pub fn play(scenario: &Value, (base_name, base): &(String, Image)) -> Result<Vec<Value>, String> {
    if let Some(driver) = scenario["driver"].as_str() {
        return Err(format!("the storage driver {driver} is not simulated"));
    }
    let mut desktop = Desktop::new(START, DIR);
    // There are no other images than those of the scenario.
    desktop
        .world
        .supply("index.json", br#"{"images":{},"aliases":[]}"#.as_slice())
        .map_err(|error| error.to_string())?;
    if scenario["base"].as_bool() != Some(false) {
        let name = Reference::parse(base_name)?;
        desktop.daemon.load(base.clone(), Some(&name));
    }
    let mut known = vec![(base.id().hex(), "base".to_string())];
    for (at, layer) in base.layers.iter().enumerate() {
        known.push((layer.diff_id.hex(), format!("base.layer{at}")));
    }
    for (at, chain) in base.chain_ids().iter().enumerate().skip(1) {
        known.push((chain.hex(), format!("base.chain{at}")));
    }
    let mut names = Names::new(known, vec![(DIR.into(), "<work>".into())]);
    edit::edit(&mut desktop.files, &scenario["files"])?;
    let pace = match scenario["paced"].as_bool() {
        Some(true) => PACE.0,
        _ => PACE.1,
    };
    let mut out = Vec::new();
    for step in scenario["steps"].as_array().into_iter().flatten() {
        if !step["edit"].is_null() {
            edit::edit(&mut desktop.files, &step["edit"])?;
            out.push(json!({}));
        } else if let Some(seconds) = step["sleep"].as_f64() {
            desktop.daemon.clock.advance((seconds * 1e9) as i64);
            out.push(json!({}));
        } else if !step["look"].is_null() {
            let result = look::look(step, &mut desktop, base, &mut names);
            let result = result.unwrap_or_else(|why| json!(why));
            out.push(json!({"result": result}));
        } else {
            desktop.daemon.clock.advance(pace);
            out.push(command(step, &mut desktop, &mut names)?);
        }
    }
    Ok(out)
}

fn command(step: &Value, desktop: &mut Desktop, names: &mut Names) -> Result<Value, String> {
    let line = step["run"].as_str().unwrap_or_default();
    let words = split_words(line)?;
    let stdin = step["stdin"].as_str().and_then(|path| {
        let files = desktop.files.fs();
        let (_, ino) = files.follow(path).ok()?;
        Some(files.inode(ino).file()?.bytes().to_vec())
    });
    let mut answer = desktop
        .run(&words, &stdin.unwrap_or_default())
        .map_err(|interrupt| format!("{line}: {interrupt:?}"))?;
    if let Some(path) = step["stdout_to"].as_str() {
        let bytes = std::mem::take(&mut answer.stdout);
        desktop
            .files
            .write(path, Content::new(bytes))
            .map_err(|error| error.to_string())?;
    }
    Ok(observed(&words, &answer, names))
}

fn observed(words: &[String], answer: &Answer, names: &mut Names) -> Value {
    let mut out = json!({"exit": answer.code});
    let lines = clean_lines(&String::from_utf8_lossy(&answer.stdout));
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let verb = match word(1) {
        group @ ("image" | "system" | "volume" | "container") => format!("{group} {}", word(2)),
        verb => verb.to_string(),
    };
    let plain = words.iter().any(|word| {
        ["-q", "-aq", "-qa", "--quiet"].contains(&word.as_str()) || word.starts_with("--format")
    });
    let tabular = [
        "images",
        "ps",
        "history",
        "system df",
        "volume ls",
        "image ls",
    ];
    if words.iter().take(3).any(|word| word == "prune") {
        out["stdout"] = json!(tables::pruned(&lines, names));
    } else if verb == "diff" {
        let mut lines: Vec<String> = lines.iter().map(|line| names.text(line)).collect();
        lines.sort_by_key(|line| (line.get(2..).map(String::from), line.clone()));
        out["stdout"] = json!(lines);
    } else if tabular.contains(&verb.as_str()) && !plain && answer.code == 0 {
        let all = words.iter().any(|word| word == "-a") && verb.starts_with("image");
        out["tables"] = tables::tables(&lines, names, all);
    } else {
        out["stdout"] = lines.iter().map(|line| json!(names.text(line))).collect();
    }
    let mut errors = clean_lines(&answer.stderr);
    if errors
        .first()
        .is_some_and(|line| line.starts_with("DEPRECATED: The legacy builder"))
    {
        errors.drain(..3);
    }
    if !errors.is_empty() {
        out["stderr"] = errors.iter().map(|line| json!(names.text(line))).collect();
    }
    out
}

fn clean_lines(text: &str) -> Vec<String> {
    let text = text.replace("\x1b[0m\x1b[91m", "");
    let mut lines: Vec<String> = text.split('\n').map(String::from).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}
