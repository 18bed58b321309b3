//! Lists of patterns as `.dockerignore`, `--exclude` and `--parents` have them
//! (moby/patternmatcher).

use std::fmt;

use super::glob::{BadPattern, glob};

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// The pattern is a bare `!`.
    BareExclusion,
    /// The pattern does not parse.
    Syntax {
        /// The pattern.
        pattern: String,
    },
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PatternError::BareExclusion => f.write_str("illegal exclusion pattern: \"!\""),
            PatternError::Syntax { .. } => BadPattern.fmt(f),
        }
    }
}

impl std::error::Error for PatternError {}

/// A list of patterns. The last one that matches a path or one of the directories above it
/// decides; one that begins with `!` takes the match back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns {
    list: Vec<Pattern>,
}

/// Which patterns a directory matched: what its entries need to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParentMatches(Vec<bool>);

impl ParentMatches {
    /// Whether the pattern of that index is one of them.
    pub fn has(&self, index: usize) -> bool {
        self.0.get(index) == Some(&true)
    }
}

/// The answer for one path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Whether the list as a whole matches.
    pub matched: bool,
    /// The index of the pattern that decided, if any did.
    pub decided: Option<usize>,
}

impl Patterns {
    /// Patterns as they stand in a file or a flag: trimmed and cleaned here, empty ones left out.
    ///
    /// # Errors
    /// The first pattern that cannot be used.
    pub fn new<T: AsRef<str>>(
        patterns: impl IntoIterator<Item = T>,
    ) -> Result<Patterns, PatternError> {
        let list = patterns
            .into_iter()
            .filter(|text| !text.as_ref().trim().is_empty())
            .map(|text| Pattern::new(text.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Patterns { list })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether any pattern begins with `!`.
    pub fn has_exclusions(&self) -> bool {
        self.list.iter().any(|pattern| pattern.exclusion)
    }

    /// Whether the list matches `path` (without a slash in front) or a directory above it.
    pub fn matches(&self, path: &str) -> Match {
        let mut result = Match::default();
        for (index, pattern) in self.list.iter().enumerate() {
            if pattern.exclusion == result.matched && pattern.matches_or_parent(path) {
                result.matched = !pattern.exclusion;
                result.decided = Some(index);
            }
        }
        result
    }

    /// The same, going down a tree: `parent` is what the directory above gave, none at the top.
    ///
    /// This is not always what [`matches`](Patterns::matches) answers: a pattern that was not
    /// asked for a directory is not asked about that directory again below it.
    pub fn matches_below(
        &self,
        path: &str,
        parent: Option<&ParentMatches>,
    ) -> (Match, ParentMatches) {
        let mut result = Match::default();
        let mut matches = vec![false; self.list.len()];
        for (index, pattern) in self.list.iter().enumerate() {
            let mut matched = parent.is_some_and(|parent| parent.0.get(index) == Some(&true));
            if !matched {
                if pattern.exclusion != result.matched {
                    continue;
                }
                matched = match parent {
                    Some(_) => pattern.matches(path),
                    None => pattern.matches_or_parent(path),
                };
            }
            matches[index] = matched;
            if matched {
                // Once more the same answer: the earlier pattern has decided.
                if result.matched == pattern.exclusion {
                    result.decided = Some(index);
                }
                result.matched = !pattern.exclusion;
            }
        }
        (result, ParentMatches(matches))
    }

    /// Whether a pattern that begins with `!` (`exclusion`), or one that does not, may match
    /// something below directory `path`. Errs on the side of yes.
    pub fn may_match_below(&self, path: &str, exclusion: bool) -> bool {
        let wanted = || self.list.iter().filter(|p| p.exclusion == exclusion);
        let special = |pattern: &Pattern| {
            pattern
                .without_glob()
                .contains(['*', '[', ']', '?', '^', '\\'])
        };
        // One pattern with wildcards, and no directory is passed over.
        wanted().any(special)
            || wanted().any(|pattern| {
                format!("{}/", pattern.without_glob()).starts_with(&format!("{path}/"))
            })
    }
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    text: String,
    exclusion: bool,
    how: How,
}

/// How a pattern is matched. Patterns without special characters, and the commonest with `**`,
/// are plain text comparisons, which treat the rest of the text literally.
#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    /// The path is the text.
    Exact,
    /// The path begins with this.
    Prefix(String),
    /// The path ends with this (or is this without its slash in front).
    Suffix(String),
    /// The path matches piece by piece.
    Pieces {
        pieces: Vec<Piece>,
        /// Literal text that every match begins with: a quick no.
        head: String,
        /// Literal text that every match ends with.
        tail: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Char(char),
    /// `?`
    NotSlash,
    /// `*`
    Star,
    /// `**/`, or `**` in front of more: nothing, or anything up to and with a slash.
    Dirs,
    /// `**` at the end.
    Rest,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `^`, which matches at the start only.
    Start,
}

impl Pattern {
    fn new(text: &str) -> Result<Pattern, PatternError> {
        let mut text = clean(text.trim());
        let exclusion = text.starts_with('!');
        if exclusion {
            text.remove(0);
            if text.is_empty() {
                return Err(PatternError::BareExclusion);
            }
        }
        let how = glob(&text, ".").and_then(|_| compile(&text));
        match how {
            Ok(how) => Ok(Pattern {
                text,
                exclusion,
                how,
            }),
            Err(BadPattern) => Err(PatternError::Syntax { pattern: text }),
        }
    }

    fn without_glob(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }

    fn matches_or_parent(&self, path: &str) -> bool {
        self.matches(path)
            || path
                .match_indices('/')
                .any(|(slash, _)| self.matches(&path[..slash]))
    }

    fn matches(&self, path: &str) -> bool {
        match &self.how {
            How::Exact => path == self.text,
            How::Prefix(prefix) => path.starts_with(prefix),
            How::Suffix(suffix) => path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path),
            How::Pieces { pieces, head, tail } => {
                path.starts_with(head) && path.ends_with(tail) && run(pieces, path)
            }
        }
    }
}

fn compile(text: &str) -> Result<How, BadPattern> {
    enum Type {
        Exact,
        Prefix,
        Suffix,
        Pieces,
    }
    let mut kind = Type::Exact;
    let mut pieces = Vec::new();
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                if chars.peek().is_none() {
                    pieces.push(Piece::Rest);
                    kind = match kind {
                        Type::Exact => Type::Prefix,
                        _ => Type::Pieces,
                    };
                } else {
                    pieces.push(Piece::Dirs);
                    kind = Type::Pieces;
                }
                if first {
                    kind = Type::Suffix;
                }
            }
            '*' => {
                pieces.push(Piece::Star);
                kind = Type::Pieces;
            }
            '?' => {
                pieces.push(Piece::NotSlash);
                kind = Type::Pieces;
            }
            '\\' => {
                let escaped = chars.next().ok_or(BadPattern)?;
                pieces.push(escape(escaped)?);
                kind = Type::Pieces;
            }
            '[' => {
                pieces.push(class(&mut chars)?);
                kind = Type::Pieces;
            }
            ']' => {
                pieces.push(Piece::Char(']'));
                kind = Type::Pieces;
            }
            '^' => pieces.push(Piece::Start),
            c => pieces.push(Piece::Char(c)),
        }
        first = false;
    }
    let literal = |piece: &Piece| match piece {
        Piece::Char(c) => Some(*c),
        _ => None,
    };
    Ok(match kind {
        Type::Exact => How::Exact,
        Type::Prefix => How::Prefix(text[..text.len() - 2].into()),
        Type::Suffix => How::Suffix(text[2..].into()),
        Type::Pieces => {
            let mut tail: Vec<char> = pieces.iter().rev().map_while(literal).collect();
            tail.reverse();
            How::Pieces {
                head: pieces.iter().map_while(literal).collect(),
                tail: tail.into_iter().collect(),
                pieces,
            }
        }
    })
}

const DIGITS: &[(char, char)] = &[('0', '9')];
const SPACES: &[(char, char)] = &[('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')];
const WORDS: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

/// A backslash and a character. Patterns are run as regular expressions by the real matcher, so a
/// letter is not itself but what it is there.
fn escape(c: char) -> Result<Piece, BadPattern> {
    let class = |ranges: &[(char, char)], negated| {
        Ok(Piece::Class {
            negated,
            ranges: ranges.to_vec(),
        })
    };
    match c {
        'd' => class(DIGITS, false),
        'D' => class(DIGITS, true),
        's' => class(SPACES, false),
        'S' => class(SPACES, true),
        'w' => class(WORDS, false),
        'W' => class(WORDS, true),
        'A' => Ok(Piece::Start),
        _ => control(c).map(Piece::Char),
    }
}

fn control(c: char) -> Result<char, BadPattern> {
    match c {
        'a' => Ok('\u{7}'),
        'f' => Ok('\u{c}'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'v' => Ok('\u{b}'),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
        _ => Err(BadPattern),
    }
}

/// The rest of a class. `glob` has seen it before and refused most of what is odd.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Piece, BadPattern> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges: Vec<(char, char)> = Vec::new();
    loop {
        let low = match chars.next().ok_or(BadPattern)? {
            ']' if !ranges.is_empty() => break,
            '\\' => match chars.next().ok_or(BadPattern)? {
                'd' => {
                    ranges.extend(DIGITS);
                    continue;
                }
                's' => {
                    ranges.extend(SPACES);
                    continue;
                }
                'w' => {
                    ranges.extend(WORDS);
                    continue;
                }
                c => control(c)?,
            },
            c => c,
        };
        let high = match chars.next_if_eq(&'-') {
            None => low,
            Some(_) => match chars.next().ok_or(BadPattern)? {
                '\\' => control(chars.next().ok_or(BadPattern)?)?,
                c => c,
            },
        };
        if low > high {
            return Err(BadPattern);
        }
        ranges.push((low, high));
    }
    Ok(Piece::Class { negated, ranges })
}

/// Runs all ways to match at once, so that no pattern takes longer than its length times that of
/// the path.
fn run(pieces: &[Piece], path: &str) -> bool {
    let end = pieces.len();
    // `at[i]`: everything before piece `i` has matched. `within[i]`: piece `i` is `Dirs` and has
    // begun to take characters.
    let mut at = vec![false; end + 1];
    let mut within = vec![false; end + 1];
    let enter = |at: &mut Vec<bool>, mut i: usize, start: bool| {
        loop {
            if std::mem::replace(&mut at[i], true) {
                return;
            }
            match pieces.get(i) {
                Some(Piece::Star | Piece::Dirs | Piece::Rest) => i += 1,
                Some(Piece::Start) if start => i += 1,
                _ => return,
            }
        }
    };
    enter(&mut at, 0, true);
    for c in path.chars() {
        let mut next = vec![false; end + 1];
        let mut next_within = vec![false; end + 1];
        for (i, piece) in pieces.iter().enumerate() {
            if !at[i] && !within[i] {
                continue;
            }
            match piece {
                Piece::Char(want) if *want == c => enter(&mut next, i + 1, false),
                Piece::NotSlash if c != '/' => enter(&mut next, i + 1, false),
                Piece::Star if c != '/' => enter(&mut next, i, false),
                Piece::Rest if c != '\n' => enter(&mut next, i, false),
                Piece::Dirs => {
                    next_within[i] = c != '\n';
                    if c == '/' {
                        enter(&mut next, i + 1, false);
                    }
                }
                Piece::Class { negated, ranges }
                    if ranges.iter().any(|(low, high)| *low <= c && c <= *high) != *negated =>
                {
                    enter(&mut next, i + 1, false);
                }
                _ => {}
            }
        }
        at = next;
        within = next_within;
    }
    at[end]
}

/// The path as Go's `filepath.Clean` makes it: without `.`, repeated and trailing slashes; `..`
/// takes the component before it away, stays at the front of a relative path, and vanishes at
/// the front of an absolute one. Nothing becomes `.`.
pub(super) fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if absolute => {}
                _ => parts.push(".."),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}
