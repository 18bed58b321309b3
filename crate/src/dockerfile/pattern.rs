//! The patterns of `${x#p}`, `${x%p}` and `${x/p/r}`: `*` and `?`, no brackets.
//!
//! Source: BuildKit `frontend/dockerfile/shell`, which turns them into regular expressions; so `?`
//! and `*` do not match a newline, and `$1` in a replacement of all is a (missing) group.

use regex_lite::Regex;

/// `value` without the shortest (or, if `greedy`, the longest) prefix that matches.
pub(super) fn trim_prefix(pattern: &str, value: &str, greedy: bool) -> Result<String, String> {
    let regex = compile(pattern, greedy, true)
        .map_err(|e| format!("invalid pattern ({pattern}) in substitution: {e}"))?;
    Ok(value[regex.find(value).map_or(0, |m| m.end())..].to_owned())
}

/// `value` without the shortest (or, if `greedy`, the longest) suffix that matches.
pub(super) fn trim_suffix(pattern: &str, value: &str, greedy: bool) -> Result<String, String> {
    let reversed: String = value.chars().rev().collect();
    let rest = trim_prefix(&reverse(pattern), &reversed, greedy)?;
    Ok(rest.chars().rev().collect())
}

/// `value` with the first match (or all) replaced; `None` if that is longer than `limit`.
pub(super) fn replace(
    pattern: &str,
    value: &str,
    replacement: &str,
    all: bool,
    limit: usize,
) -> Option<Result<String, String>> {
    let regex = match compile(pattern, true, false) {
        Ok(regex) => regex,
        Err(e) => {
            return Some(Err(format!(
                "invalid pattern ({pattern}) in substitution: {e}"
            )));
        }
    };
    let mut out = String::new();
    let mut at = 0;
    for found in regex
        .find_iter(value)
        .take(if all { usize::MAX } else { 1 })
    {
        out.push_str(&value[at..found.start()]);
        if all {
            out.push_str(&fill_template(replacement, found.as_str()));
        } else {
            out.push_str(replacement);
        }
        at = found.end();
        if out.len() > limit {
            return None;
        }
    }
    out.push_str(&value[at..]);
    Some(Ok(out))
}

fn compile(pattern: &str, greedy: bool, anchored: bool) -> Result<Regex, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    if anchored {
        out.push('^');
    }
    let mut chars = pattern
        .strip_prefix('\u{FEFF}')
        .unwrap_or(pattern)
        .chars()
        .peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => out.push_str(if greedy { ".*" } else { ".*?" }),
            '?' => out.push('.'),
            '\\' => {
                // The escape of `}` and `/` belongs to the `${}` around the pattern.
                if matches!(chars.peek(), Some('}' | '/')) {
                    continue;
                }
                match chars.next() {
                    Some(c @ ('*' | '?' | '\\')) => {
                        out.push('\\');
                        out.push(c);
                    }
                    other => {
                        return Err(format!(
                            "invalid escape '\\{}'",
                            other.unwrap_or('\u{FFFD}')
                        ));
                    }
                }
            }
            '[' | ']' | '{' | '}' | '.' | '+' | '(' | ')' | '|' | '^' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    Regex::new(&out).map_err(|e| e.to_string())
}

/// Reverses a pattern, keeping each escape in front of what it escapes.
fn reverse(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let mut units: Vec<&[char]> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let len = if chars[at] == '\\' && at + 1 < chars.len() {
            2
        } else {
            1
        };
        units.push(&chars[at..at + len]);
        at += len;
    }
    units.into_iter().rev().flatten().collect()
}

/// Go's `Regexp.Expand` for an expression without groups.
fn fill_template(template: &str, matched: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let braced = rest.strip_prefix('{');
        let body = braced.unwrap_or(rest);
        let end = body
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(body.len());
        let (name, after) = body.split_at(end);
        let after = if braced.is_some() {
            after.strip_prefix('}')
        } else {
            Some(after)
        };
        match after {
            Some(after) if !name.is_empty() => {
                if name == "0" {
                    out.push_str(matched);
                }
                rest = after;
            }
            _ => out.push('$'),
        }
    }
    out.push_str(rest);
    out
}
