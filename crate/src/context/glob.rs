//! Shell patterns as Go's `path.Match` reads them: what the wildcards of COPY and ADD are.

use std::fmt;

/// The pattern does not parse: an open bracket, an empty class, a lone backslash at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPattern;

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("syntax error in pattern")
    }
}

impl std::error::Error for BadPattern {}

/// Whether any character in `text` is a wildcard (`*`, `?`, `[`) that no backslash escapes.
pub fn has_wildcards(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// Whether `pattern` matches all of `name`. `*` and `?` match no slash; `[a-z]` and `[^a-z]` are
/// classes; a backslash takes the next character literally.
///
/// # Errors
/// [`BadPattern`], also where the name is known not to match before the error is reached.
pub fn glob(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let pieces = parse(pattern)?;
    let name: Vec<char> = name.chars().collect();
    Ok(matches(&pieces, &name))
}

enum Piece {
    Star,
    Any,
    Char(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

fn parse(pattern: &str) -> Result<Vec<Piece>, BadPattern> {
    let mut pieces = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '*' => Piece::Star,
            '?' => Piece::Any,
            '\\' => Piece::Char(chars.next().ok_or(BadPattern)?),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                    let low = class_member(&mut chars)?;
                    let high = match chars.next_if_eq(&'-') {
                        Some(_) => class_member(&mut chars)?,
                        None => low,
                    };
                    ranges.push((low, high));
                }
                Piece::Class { negated, ranges }
            }
            c => Piece::Char(c),
        });
    }
    Ok(pieces)
}

fn class_member(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<char, BadPattern> {
    let c = match chars.next().ok_or(BadPattern)? {
        '-' | ']' => return Err(BadPattern),
        '\\' => chars.next().ok_or(BadPattern)?,
        c => c,
    };
    // A class cannot end with the pattern.
    chars.peek().map(|_| c).ok_or(BadPattern)
}

/// A star takes as little as possible; on a mismatch the last one takes more. An earlier one need
/// never be tried again: what it took was the least that lets the rest begin.
fn matches(pieces: &[Piece], name: &[char]) -> bool {
    let (mut piece, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match (pieces.get(piece), name.get(at)) {
            (None, None) => return true,
            (Some(Piece::Star), _) => {
                retry = Some((piece + 1, at));
                piece += 1;
                continue;
            }
            (Some(Piece::Any), Some(c)) => *c != '/',
            (Some(Piece::Char(want)), Some(c)) => want == c,
            (Some(Piece::Class { negated, ranges }), Some(c)) => {
                ranges.iter().any(|(low, high)| low <= c && c <= high) != *negated
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        if step {
            piece += 1;
            at += 1;
            continue;
        }
        match retry {
            Some((after, from)) if name.get(from).is_some_and(|c| *c != '/') => {
                retry = Some((after, from + 1));
                (piece, at) = (after, from + 1);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_documents_it() {
        // The cases of Go's own test table that tell implementations apart.
        for (pattern, name, expected) in [
            ("abc", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "a", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", Ok(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Ok(false)),
            ("ab[^b-d]", "abc", Ok(false)),
            ("ab[e-g]", "abc", Ok(false)),
            ("a\\*b", "a*b", Ok(true)),
            ("a\\*b", "ab", Ok(false)),
            ("a?b", "a☺b", Ok(true)),
            ("a[^a]b", "a☺b", Ok(true)),
            ("a???b", "a☺b", Ok(false)),
            ("[a-ζ]*", "α", Ok(true)),
            ("*[a-ζ]", "A", Ok(false)),
            ("a?b", "a/b", Ok(false)),
            ("[\\]a]", "]", Ok(true)),
            ("[x\\-]", "-", Ok(true)),
            ("[\\-x]", "a", Ok(false)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("[x-]", "x", Err(BadPattern)),
            ("[a-b-c]", "a", Err(BadPattern)),
            ("[", "a", Err(BadPattern)),
            ("[^", "a", Err(BadPattern)),
            ("a[", "a", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("\\", "a", Err(BadPattern)),
            ("*x", "xxx", Ok(true)),
        ] {
            assert_eq!(glob(pattern, name), expected, "{pattern} on {name}");
        }
    }
}
