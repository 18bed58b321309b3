//! `--format`: Go templates, as far as they name fields.

use serde_json::Value;

/// The text of a template with its fields filled in: `{{.Name}}`, `{{.Some.Field}}`,
/// `{{json .Field}}`, `{{len .Field}}`.
///
/// # Errors
/// What it asks for is not there, or is no field.
pub(super) fn fill(template: &str, value: &Value) -> Result<String, String> {
    let template = template.replace("\\n", "\n").replace("\\t", "\t");
    let mut out = String::new();
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = after
            .split_once("}}")
            .ok_or_else(|| "template parsing error: unclosed action".to_string())?;
        out += before;
        let action = action.trim();
        let (function, path) = action.split_once(' ').unwrap_or(("", action));
        let found = field(value, path.trim())?;
        out += &match (function, found) {
            ("", value) => plain(value),
            ("json", value) => value.to_string(),
            ("len", Value::Array(items)) => items.len().to_string(),
            ("len", Value::Object(fields)) => fields.len().to_string(),
            ("len", Value::String(text)) => text.len().to_string(),
            ("len", Value::Null) => "0".into(),
            (function, _) => {
                return Err(format!(
                    "template parsing error: {function} is not simulated"
                ));
            }
        };
        rest = after;
    }
    Ok(out + rest)
}

fn field<'a>(value: &'a Value, path: &str) -> Result<&'a Value, String> {
    let Some(path) = path.strip_prefix('.') else {
        return Err(format!("template parsing error: {path:?} is not simulated"));
    };
    path.split('.')
        .filter(|name| !name.is_empty())
        .try_fold(value, |value, name| {
            let missing =
                || format!("template: :1:2: executing \"\" at <.{path}>: no entry {name}");
            value.get(name).ok_or_else(missing)
        })
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<no value>".into(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let items: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{k}:{}", plain(v)))
                .collect();
            format!("map[{}]", items.join(" "))
        }
        other => other.to_string(),
    }
}
