//! Brace expansion: `{a,b}` and `{1..5}`.

/// So many words come out of one.
const MAX_WORDS: usize = 10_000;

/// The words that `text` stands for, if there is anything to expand. Quoted braces and those of
/// `${...}` stay.
pub(super) fn expand(text: &str) -> Option<Vec<String>> {
    if !text.contains('{') {
        return None;
    }
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    expand_into(&chars, &mut out, 0)?;
    Some(out)
}

fn expand_into(text: &[char], out: &mut Vec<String>, depth: usize) -> Option<()> {
    if out.len() > MAX_WORDS || depth > 50 {
        return None;
    }
    let mut from = 0;
    while let Some(open) = find(text, from, &['{']) {
        let Some((close, parts)) = group(text, open) else {
            from = open + 1;
            continue;
        };
        for part in parts {
            let mut word = text[..open].to_vec();
            word.extend(part);
            word.extend(&text[close + 1..]);
            if expand_into(&word, out, depth + 1).is_none() {
                out.push(word.iter().collect());
            }
        }
        return Some(());
    }
    if depth == 0 {
        return None;
    }
    out.push(text.iter().collect());
    Some(())
}

/// The next of `wanted` from `at` on that is neither quoted nor inside `${...}` or `$(...)`.
fn find(text: &[char], mut at: usize, wanted: &[char]) -> Option<usize> {
    while let Some(c) = text.get(at) {
        match c {
            '\\' => at += 1,
            '\'' | '"' => at += 1 + text[at + 1..].iter().position(|d| d == c)?,
            '`' => at += 1 + text[at + 1..].iter().position(|d| d == c)?,
            '$' if matches!(text.get(at + 1), Some('{' | '(')) => {
                let (open, close) = match text[at + 1] {
                    '{' => ('{', '}'),
                    _ => ('(', ')'),
                };
                let mut depth = 0;
                loop {
                    at += 1;
                    match *text.get(at)? {
                        c if c == open => depth += 1,
                        c if c == close => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            c if wanted.contains(c) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The closing brace of the group at `open` and its alternatives.
fn group(text: &[char], open: usize) -> Option<(usize, Vec<Vec<char>>)> {
    let mut commas = Vec::new();
    let mut depth = 0;
    let mut at = open + 1;
    let close = loop {
        at = find(text, at, &['{', '}', ','])?;
        match text[at] {
            '{' => depth += 1,
            '}' if depth == 0 => break at,
            '}' => depth -= 1,
            _ if depth == 0 => commas.push(at),
            _ => {}
        }
        at += 1;
    };
    if commas.is_empty() {
        let inner: String = text[open + 1..close].iter().collect();
        return Some((close, sequence(&inner)?));
    }
    let mut parts = Vec::new();
    let mut from = open + 1;
    for comma in commas.into_iter().chain([close]) {
        parts.push(text[from..comma].to_vec());
        from = comma + 1;
    }
    Some((close, parts))
}

fn sequence(inner: &str) -> Option<Vec<Vec<char>>> {
    let mut parts = inner.split("..");
    let (from, to) = (parts.next()?, parts.next()?);
    let step: i64 = parts.next().map_or(Some(1), |step| step.parse().ok())?;
    let step = step.unsigned_abs().max(1) as usize;
    let single = |text: &str| {
        let mut chars = text.chars();
        let c = chars.next().filter(char::is_ascii_alphabetic)?;
        chars.next().is_none().then_some(i64::from(u32::from(c)))
    };
    let (low, high, letters) = match (from.parse::<i64>(), to.parse::<i64>()) {
        (Ok(low), Ok(high)) => (low, high, false),
        _ => (single(from)?, single(to)?, true),
    };
    if parts.next().is_some() || low.abs_diff(high) as usize / step > MAX_WORDS {
        return None;
    }
    let padded = |text: &str| text.trim_start_matches('-').starts_with('0') && text.len() > 1;
    let width = match padded(from) || padded(to) {
        true => from.len().max(to.len()),
        false => 0,
    };
    let word = |n: i64| -> Vec<char> {
        match letters {
            true => u32::try_from(n)
                .ok()
                .and_then(char::from_u32)
                .into_iter()
                .collect(),
            false => format!("{n:0width$}").chars().collect(),
        }
    };
    Some(match low <= high {
        true => (low..=high).step_by(step).map(word).collect(),
        false => (high..=low).rev().step_by(step).map(word).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn braces() {
        for (text, words) in [
            ("a{b,c}d", "abd acd"),
            ("{1..3}", "1 2 3"),
            ("{3..1}", "3 2 1"),
            ("{08..10}", "08 09 10"),
            ("{a..c}", "a b c"),
            ("/x/{a,b/{c,d}}", "/x/a /x/b/c /x/b/d"),
            ("{a,b}{1,2}", "a1 a2 b1 b2"),
            ("{,x}", " x"),
        ] {
            assert_eq!(expand(text).unwrap_or_default().join(" "), words, "{text}");
        }
        for text in ["{}", "{a}", "'{a,b}'", "${a,b}", "a{b", "{a..}"] {
            assert_eq!(expand(text), None, "{text}");
        }
    }
}
