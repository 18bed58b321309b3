//! Shell patterns (`fnmatch`).

/// Whether all of `text` matches `pattern`: `*`, `?`, `[a-z]`, `[!a-z]`, `[[:alpha:]]`, and `\`
/// in front of a character that stands for itself. A slash is a character like any other.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    matches_chars(&pattern, &text)
}

/// [`matches`] on characters.
pub(super) fn matches_chars(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on if what follows the last `*` does not fit: it takes one character more.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            retry = Some((p + 1, t));
            p += 1;
            continue;
        }
        if t == text.len() {
            return pattern[p..].iter().all(|c| *c == '*');
        }
        if let Some(next) = pattern.get(p).and_then(|_| one(pattern, p, text[t])) {
            p = next;
            t += 1;
            continue;
        }
        match retry {
            Some((after, at)) => {
                p = after;
                t = at + 1;
                retry = Some((after, at + 1));
            }
            None => return false,
        }
    }
}

/// Matches the pattern's element at `p` with `c`, and gives where the next element is.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match pattern[p] {
        '?' => Some(p + 1),
        '\\' if p + 1 < pattern.len() => (pattern[p + 1] == c).then_some(p + 2),
        '[' => match bracket(&pattern[p..], c) {
            Some((true, len)) => Some(p + len),
            Some((false, _)) => None,
            None => (c == '[').then_some(p + 1),
        },
        other => (other == c).then_some(p + 1),
    }
}

/// Whether `c` is in the bracket expression at the start of `pattern`, and its length; nothing
/// where there is no closing bracket.
fn bracket(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let mut at = 1;
    let negated = matches!(pattern.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let start = at;
    let mut found = false;
    loop {
        let mut low = *pattern.get(at)?;
        match low {
            ']' if at > start => return Some((found != negated, at + 1)),
            '[' if pattern.get(at + 1) == Some(&':') => {
                let end = (at + 2..pattern.len().saturating_sub(1))
                    .find(|e| pattern[*e] == ':' && pattern[*e + 1] == ']');
                if let Some(end) = end {
                    let class: String = pattern[at + 2..end].iter().collect();
                    found |= in_class(&class, c);
                    at = end + 2;
                    continue;
                }
                at += 1;
            }
            '\\' => {
                low = *pattern.get(at + 1)?;
                at += 2;
            }
            _ => at += 1,
        }
        let range = pattern.get(at) == Some(&'-') && pattern.get(at + 1).is_some_and(|e| *e != ']');
        if range {
            let mut high = pattern[at + 1];
            at += 2;
            if high == '\\' {
                high = *pattern.get(at)?;
                at += 1;
            }
            found |= (low..=high).contains(&c);
        } else {
            found |= low == c;
        }
    }
}

/// Whether `c` is in the POSIX character class `name` (of the C locale).
pub(super) fn in_class(name: &str, c: char) -> bool {
    match name {
        "alnum" => c.is_ascii_alphanumeric(),
        "alpha" => c.is_ascii_alphabetic(),
        "blank" => c == ' ' || c == '\t',
        "cntrl" => c.is_ascii_control(),
        "digit" => c.is_ascii_digit(),
        "graph" => c.is_ascii_graphic(),
        "lower" => c.is_ascii_lowercase(),
        "print" => c.is_ascii_graphic() || c == ' ',
        "punct" => c.is_ascii_punctuation(),
        "space" => c.is_ascii_whitespace() || c == '\x0b',
        "upper" => c.is_ascii_uppercase(),
        "xdigit" => c.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "", false),
            ("[!a-c]", "d", true),
            ("[!a-c]", "b", false),
            ("[]x]", "]", true),
            ("[a", "[a", true),
            ("[[:digit:]_]*", "4x", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("[\\]]", "]", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
