//! The recorded against the observed, in words.

use serde_json::Value;

/// The parts of a build, in the order in which a difference tells most.
const PARTS: [&str; 14] = [
    "ok",
    "error",
    "errorLine",
    "errorLines",
    "images",
    "indexDigest",
    "steps",
    "warnings",
    "layers",
    "config",
    "configDigest",
    "manifestDigest",
    "inline",
    "exported",
];

/// The first difference of each build.
pub fn compare(expected: &[Value], observed: &[Value]) -> Vec<String> {
    let mut out = Vec::new();
    if expected.len() != observed.len() {
        out.push(format!("{} builds, not {}", observed.len(), expected.len()));
    }
    for (at, (expected, observed)) in expected.iter().zip(observed).enumerate() {
        let part = PARTS
            .into_iter()
            .find_map(|part| difference(part, &expected[part], &observed[part]));
        let why = match (&expected["error"], &observed["error"]) {
            (Value::Null, Value::String(error)) => format!("\n  {error}"),
            _ => String::new(),
        };
        out.extend(part.map(|text| format!("build {}: {text}{why}", at + 1)));
    }
    out
}

/// The first difference inside a value, with its place.
fn difference(place: &str, expected: &Value, observed: &Value) -> Option<String> {
    if expected == observed {
        return None;
    }
    let inner = match (expected, observed) {
        (Value::Object(a), Value::Object(b)) => a
            .keys()
            .chain(b.keys().filter(|key| !a.contains_key(*key)))
            .find_map(|key| difference(&format!("{place}.{key}"), &expected[key], &observed[key])),
        (Value::Array(a), Value::Array(b)) => lists(place, a, b),
        _ => None,
    };
    Some(inner.unwrap_or_else(|| format!("{place}\n- {}\n+ {}", text(expected), text(observed))))
}

fn lists(place: &str, expected: &[Value], observed: &[Value]) -> Option<String> {
    let longest = expected.len().max(observed.len());
    let first = (0..longest).find(|at| expected.get(*at) != observed.get(*at))?;
    let (a, b) = (expected.get(first), observed.get(first));
    let short = place == "layers" || place.ends_with("entries");
    let names = |list: &[Value]| {
        let name = |item: &Value| match (&item["path"], &item["name"]) {
            (Value::String(path), _) => path.clone(),
            (_, Value::String(name)) => format!("{} {name}", item["status"]),
            _ => text(item),
        };
        list.iter().map(name).collect::<Vec<_>>().join("\n    ")
    };
    match (a, b) {
        (Some(a), Some(b)) if short && expected.len() == observed.len() => {
            // What a layer holds tells more than its digest.
            let entries = difference(
                &format!("{place}[{first}].entries"),
                &a["entries"],
                &b["entries"],
            );
            entries.or_else(|| difference(&format!("{place}[{first}]"), a, b))
        }
        (Some(a), Some(b)) if expected.len() == observed.len() => {
            difference(&format!("{place}[{first}]"), a, b)
        }
        _ => Some(format!(
            "{place}\n- {}\n+ {}",
            names(expected),
            names(observed)
        )),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
