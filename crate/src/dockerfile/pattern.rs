//! The patterns of `${x#p}`, `${x%p}` and `${x/p/r}`: `*` and `?`, no brackets.
//!
//! Source: BuildKit `frontend/dockerfile/shell`, which turns them into regular expressions; so `?`
//! and `*` do not match a newline, and `$1` in a replacement of all is a (missing) group.

/// `value` without the shortest (or, if `greedy`, the longest) prefix that matches.
pub(super) fn trim_prefix(pattern: &str, value: &str, greedy: bool) -> Result<String, String> {
    let units =
        units(pattern).map_err(|e| format!("invalid pattern ({pattern}) in substitution: {e}"))?;
    let end = ends(&units, value, greedy)[0].unwrap_or(0);
    Ok(value[end..].to_owned())
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
    let units = match units(pattern) {
        Ok(units) => units,
        Err(e) => {
            return Some(Err(format!(
                "invalid pattern ({pattern}) in substitution: {e}"
            )));
        }
    };
    let mut out = String::new();
    let mut at = 0;
    for (start, end) in matches(&units, value)
        .into_iter()
        .take(if all { usize::MAX } else { 1 })
    {
        out.push_str(&value[at..start]);
        if all {
            out.push_str(&fill_template(replacement, &value[start..end]));
        } else {
            out.push_str(replacement);
        }
        at = end;
        if out.len() > limit {
            return None;
        }
    }
    out.push_str(&value[at..]);
    Some(Ok(out))
}

/// What a pattern consists of.
#[derive(Clone, Copy)]
enum Unit {
    /// This character.
    One(char),
    /// `?`: any character but a newline.
    Any,
    /// `*`: any number of them.
    Many,
}

fn units(pattern: &str) -> Result<Vec<Unit>, String> {
    let mut out = Vec::new();
    let mut chars = pattern
        .strip_prefix('\u{FEFF}')
        .unwrap_or(pattern)
        .chars()
        .peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Unit::Many,
            '?' => Unit::Any,
            '\\' => {
                // The escape of `}` and `/` belongs to the `${}` around the pattern.
                if matches!(chars.peek(), Some('}' | '/')) {
                    continue;
                }
                match chars.next() {
                    Some(c @ ('*' | '?' | '\\')) => Unit::One(c),
                    other => {
                        return Err(format!(
                            "invalid escape '\\{}'",
                            other.unwrap_or('\u{FFFD}')
                        ));
                    }
                }
            }
            c => Unit::One(c),
        });
    }
    Ok(out)
}

/// For each place in `value`, from 0 to its length in bytes: where a match that starts there ends.
///
/// Of several matches it is the one that a backtracking matcher finds first: the earlier a `*`, the
/// more it takes if `greedy`, the less if not. Found from the last unit to the first.
fn ends(units: &[Unit], value: &str, greedy: bool) -> Vec<Option<usize>> {
    let mut rest: Vec<Option<usize>> = (0..=value.len()).map(Some).collect();
    for unit in units.iter().rev() {
        let mut ends = vec![None; value.len() + 1];
        if let Unit::Many = unit {
            ends[value.len()] = rest[value.len()];
        }
        for (at, c) in value.char_indices().rev() {
            let next = at + c.len_utf8();
            ends[at] = match unit {
                Unit::One(one) => rest[next].filter(|_| c == *one),
                Unit::Any => rest[next].filter(|_| c != '\n'),
                Unit::Many => {
                    let more = ends[next].filter(|_| c != '\n');
                    if greedy {
                        more.or(rest[at])
                    } else {
                        rest[at].or(more)
                    }
                }
            };
        }
        rest = ends;
    }
    rest
}

/// The matches from left to right, none in another; an empty one does not follow another at once.
fn matches(units: &[Unit], value: &str) -> Vec<(usize, usize)> {
    let ends = ends(units, value, true);
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    let places = value.char_indices().map(|(at, _)| at);
    for start in places.chain([value.len()]) {
        let Some(end) = ends[start].filter(|_| start >= from) else {
            continue;
        };
        let follows = found.last().is_some_and(|(_, last)| *last == end);
        if end > start || !follows {
            found.push((start, end));
            from = end;
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// The regular expression that a pattern without escapes stands for.
    fn regex(pattern: &str, greedy: bool) -> String {
        let part = |c| match c {
            '*' if greedy => ".*".to_string(),
            '*' => ".*?".to_string(),
            '?' => ".".to_string(),
            c => regex_lite::escape(&String::from(c)),
        };
        pattern.chars().map(part).collect()
    }

    proptest! {
        #[test]
        fn matches_as_the_regular_expression_does(
            pattern in "[ab.é*?\n]{0,6}",
            value in "[ab.é\n]{0,12}",
            greedy: bool,
        ) {
            let anchored = format!("^{}", regex(&pattern, greedy));
            let prefix = regex_lite::Regex::new(&anchored).unwrap();
            prop_assert_eq!(
                super::trim_prefix(&pattern, &value, greedy).unwrap(),
                prefix.replace(&value, "").into_owned()
            );

            let anywhere = regex_lite::Regex::new(&regex(&pattern, true)).unwrap();
            prop_assert_eq!(
                super::replace(&pattern, &value, "<$0>", true, usize::MAX),
                Some(Ok(anywhere.replace_all(&value, "<$0>").into_owned()))
            );
            prop_assert_eq!(
                super::replace(&pattern, &value, "<>", false, usize::MAX),
                Some(Ok(anywhere.replace(&value, "<>").into_owned()))
            );
        }
    }
}
