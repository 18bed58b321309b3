//! `.dockerignore`.

use std::fmt;

use super::pattern::{Match, ParentMatches, PatternError, Patterns, clean};

/// The longest line, in bytes (Go's `bufio.Scanner`).
const MAX_LINE: usize = 64 * 1024;

/// Why an ignore file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IgnoreError {
    /// A line is too long.
    LineTooLong {
        /// Its number, from 1.
        line: u32,
        /// The name of the file.
        file: String,
    },
    /// A pattern cannot be used.
    Pattern {
        /// Its line, from 1.
        line: u32,
        /// The name of the file.
        file: String,
        /// What is wrong with it.
        error: PatternError,
    },
}

impl IgnoreError {
    /// The line, from 1.
    pub fn line(&self) -> u32 {
        match self {
            IgnoreError::LineTooLong { line, .. } | IgnoreError::Pattern { line, .. } => *line,
        }
    }

    /// The name of the file.
    pub fn file(&self) -> &str {
        match self {
            IgnoreError::LineTooLong { file, .. } | IgnoreError::Pattern { file, .. } => file,
        }
    }
}

/// As BuildKit words it: without the place.
impl fmt::Display for IgnoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IgnoreError::LineTooLong { file, .. } => {
                write!(f, "failed parsing {file}: bufio.Scanner: token too long")
            }
            IgnoreError::Pattern { error, .. } => error.fmt(f),
        }
    }
}

impl std::error::Error for IgnoreError {}

/// A parsed ignore file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignore {
    /// The name of the file that it was read from; empty where there was none.
    pub file: String,
    /// The patterns, as BuildKit puts them into the request for the context.
    pub patterns: Vec<String>,
    /// The line of each pattern, from 1.
    lines: Vec<u32>,
    matcher: Patterns,
}

/// What an ignore file says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the path is left out.
    pub ignored: bool,
    /// The line that decided, from 1; none where no line matched.
    pub line: Option<u32>,
}

impl Ignore {
    /// Reads the text of the ignore file named `file`.
    ///
    /// # Errors
    /// A line over 64 KiB, or a pattern that does not parse.
    pub fn parse(file: &str, text: &str) -> Result<Ignore, IgnoreError> {
        let mut patterns = Vec::new();
        let mut lines = Vec::new();
        for (line, text) in (1..).zip(text.split('\n')) {
            if text.len() >= MAX_LINE {
                let file = file.to_string();
                return Err(IgnoreError::LineTooLong { line, file });
            }
            let text = match line {
                1 => text.strip_prefix('\u{feff}').unwrap_or(text),
                _ => text,
            };
            if text.starts_with('#') {
                continue;
            }
            let text = text.trim();
            let (mark, text) = match text.strip_prefix('!') {
                Some(rest) => ("!", rest.trim()),
                None => ("", text),
            };
            if text.is_empty() && mark.is_empty() {
                continue;
            }
            let cleaned = match text {
                "" => String::new(),
                text => clean(text),
            };
            // An absolute pattern is one from the context's root.
            let relative = match cleaned.strip_prefix('/') {
                Some(rest) if !rest.is_empty() => rest,
                _ => &cleaned,
            };
            let pattern = format!("{mark}{relative}");
            if let Err(error) = Patterns::new([&pattern]) {
                let file = file.to_string();
                return Err(IgnoreError::Pattern { line, file, error });
            }
            patterns.push(pattern);
            lines.push(line);
        }
        let matcher =
            Patterns::new(&patterns).expect("each of the patterns has just been made by itself");
        Ok(Ignore {
            file: file.into(),
            patterns,
            lines,
            matcher,
        })
    }

    /// The patterns, ready to match.
    pub fn matcher(&self) -> &Patterns {
        &self.matcher
    }

    /// What it says of `path` (without a slash in front), as the sender of the context decides.
    pub fn verdict(&self, path: &str) -> Verdict {
        let (result, _) = self.walk(path);
        Verdict {
            ignored: result.matched,
            line: result.decided.map(|index| self.lines[index]),
        }
    }

    /// The lines, from 1, that made a difference to `path` or a directory above it, in order: a
    /// line that leaves out, one with `!` that takes it back, and so on. The last one decides.
    pub fn trail(&self, path: &str) -> Vec<u32> {
        let (_, matches) = self.walk(path);
        let lines = self.lines.iter().enumerate();
        lines
            .filter(|(index, _)| matches.has(*index))
            .map(|(_, line)| *line)
            .collect()
    }

    /// Asks for each directory on the way to `path`, and then for it.
    fn walk(&self, path: &str) -> (Match, ParentMatches) {
        let mut parents: Option<ParentMatches> = None;
        let mut result = Match::default();
        let ends = path.match_indices('/').map(|(slash, _)| slash);
        for end in ends.chain([path.len()]) {
            let (matched, below) = self.matcher.matches_below(&path[..end], parents.as_ref());
            (result, parents) = (matched, Some(below));
        }
        (result, parents.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(text: &str, paths: &[&str]) -> Vec<String> {
        let ignore = Ignore::parse(".dockerignore", text).unwrap();
        paths
            .iter()
            .map(|path| {
                let Verdict { ignored, line } = ignore.verdict(path);
                let mark = if ignored { '-' } else { '+' };
                match line {
                    Some(line) => format!("{mark}{path} ({line})"),
                    None => format!("{mark}{path}"),
                }
            })
            .collect()
    }

    #[test]
    fn lines() {
        let text = "\u{feff}# one\n\n  a.txt \r\n/b/\n #c\n!/b/../d\n! e \n/\n.\n";
        let ignore = Ignore::parse(".dockerignore", text).unwrap();
        assert_eq!(ignore.patterns, ["a.txt", "b", "#c", "!d", "!e", "/", "."]);
        assert_eq!(ignore.lines, [3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn the_last_line_decides() {
        insta::assert_debug_snapshot!(
            verdicts(
                "*\n!src\nsrc/*.log\n!src/keep.log\n**/tmp\n",
                &["a", "src", "src/a", "src/x.log", "src/keep.log", "src/d/x.log", "src/d/tmp/f"],
            ),
            @r#"
            [
                "-a (1)",
                "+src (2)",
                "+src/a (2)",
                "-src/x.log (3)",
                "+src/keep.log (4)",
                "+src/d/x.log (2)",
                "-src/d/tmp/f (5)",
            ]
            "#
        );
    }

    #[test]
    fn the_lines_that_made_a_difference() {
        let text = "# nothing\n*\n!src\n!docs\nsrc/*.log\n!src/keep.log\n";
        let ignore = Ignore::parse(".dockerignore", text).unwrap();
        assert_eq!(ignore.trail("src/keep.log"), [2, 3, 5, 6]);
        assert_eq!(ignore.trail("src/a"), [2, 3]);
        assert_eq!(ignore.trail("a"), [2]);
        let none = Ignore::parse(".dockerignore", "b\n!a\n").unwrap();
        // Nothing to take back: the line is not asked.
        assert_eq!(none.trail("a"), [0_u32; 0]);
    }

    #[test]
    fn wildcards() {
        insta::assert_debug_snapshot!(
            verdicts(
                "*.md\n*/*.txt\nbuild/**\n**/cache\ndocs/**/draft?.rst\nx[0-9]\n",
                &[
                    "a.md", "d/a.md", "a.txt", "d/a.txt", "d/e/a.txt", "build", "build/f",
                    "buildx", "cache", "d/cache/f", "mycache", "docs/draft1.rst",
                    "docs/a/b/draft2.rst", "docs/draft12.rst", "x1", "xa",
                ],
            ),
            @r#"
            [
                "-a.md (1)",
                "+d/a.md",
                "+a.txt",
                "-d/a.txt (2)",
                "+d/e/a.txt",
                "+build",
                "-build/f (3)",
                "+buildx",
                "-cache (4)",
                "-d/cache/f (4)",
                "+mycache",
                "-docs/draft1.rst (5)",
                "-docs/a/b/draft2.rst (5)",
                "+docs/draft12.rst",
                "-x1 (6)",
                "+xa",
            ]
            "#
        );
    }

    #[test]
    fn errors() {
        let error = |text: &str| {
            let error = Ignore::parse(".dockerignore", text).unwrap_err();
            format!("{}: {error}", error.line())
        };
        assert_eq!(error("a\n!\n"), "2: illegal exclusion pattern: \"!\"");
        assert_eq!(error("!/\n"), "1: illegal exclusion pattern: \"!\"");
        assert_eq!(error("a[\n"), "1: syntax error in pattern");
        assert_eq!(
            error(&"a".repeat(70_000)),
            "1: failed parsing .dockerignore: bufio.Scanner: token too long"
        );
    }
}
