//! The recorded against the observed, in words.

use serde_json::Value;

/// The first difference of each step.
pub fn steps(expected: &Value, observed: &[Value]) -> Vec<String> {
    let expected = expected.as_array().map_or(&[][..], Vec::as_slice);
    let mut out = Vec::new();
    for (at, wanted) in expected.iter().enumerate() {
        let Some(got) = observed.get(at) else {
            out.push(format!("step {}: it was not reached", at + 1));
            break;
        };
        let what = wanted["run"].as_str().or(wanted["look"].as_str());
        let what = what.unwrap_or_default();
        let difference = ["stdout", "tables", "result", "stderr", "exit"]
            .into_iter()
            .find_map(|part| difference(part, &wanted[part], &got[part]));
        out.extend(difference.map(|text| format!("step {} ({what}): {text}", at + 1)));
    }
    out
}

/// The first difference inside a value, with its place. Numbers whose key ends in `~` may differ by
/// two percent, or 256.
fn difference(place: &str, expected: &Value, observed: &Value) -> Option<String> {
    if expected == observed {
        return None;
    }
    let inner = match (expected, observed) {
        (Value::Object(a), Value::Object(b)) => a
            .keys()
            .chain(b.keys().filter(|key| !a.contains_key(*key)))
            .find_map(|key| difference(&format!("{place}.{key}"), &expected[key], &observed[key])),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            let mut found =
                pairs.filter_map(|(at, (a, b))| difference(&format!("{place}[{at}]"), a, b));
            found.next()
        }
        // Reading a number may change its last digit.
        (Value::Number(a), Value::Number(b))
            if a.is_f64() && (a.as_f64()? - b.as_f64()?).abs() < 1e-12 =>
        {
            return None;
        }
        (Value::Number(a), Value::Number(b)) if place.ends_with('~') => {
            let (a, b) = (a.as_f64()?, b.as_f64()?);
            if (a - b).abs() <= (a / 50.0).max(256.0) {
                return None;
            }
            None
        }
        _ => None,
    };
    // An object that is equal but for numbers that may differ has no difference inside.
    match (inner, expected, observed) {
        (None, Value::Object(_), Value::Object(_)) => None,
        (inner, ..) => Some(
            inner.unwrap_or_else(|| format!("{place}\n- {}\n+ {}", text(expected), text(observed))),
        ),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            let items: Vec<String> = items.iter().map(text).collect();
            items.join("\n    ")
        }
        other => other.to_string(),
    }
}
