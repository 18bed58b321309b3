//! JSON as Go's `encoding/json` writes it.

use serde::Serialize;

/// Compact.
pub(super) fn to_vec(value: &impl Serialize) -> Vec<u8> {
    escape(serde_json::to_string(value))
}

/// Indented by two spaces, without a newline at the end.
pub(super) fn to_vec_indented(value: &impl Serialize) -> Vec<u8> {
    escape(serde_json::to_string_pretty(value))
}

/// These characters occur in strings only, so they are found without parsing.
fn escape(json: serde_json::Result<String>) -> Vec<u8> {
    let json = json.expect("what is written here has text keys and no failing serialisers");
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            _ => out.push(c),
        }
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes() {
        let json = super::to_vec(&"<a> && \u{2028}\u{1f}\u{8}\u{7f}\té\"\\/");
        assert_eq!(
            String::from_utf8(json).as_deref(),
            Ok("\"\\u003ca\\u003e \\u0026\\u0026 \\u2028\\u001f\\b\u{7f}\\té\\\"\\\\/\"")
        );
    }
}
