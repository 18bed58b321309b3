//! Places in a source text.

use serde::{Deserialize, Serialize};

/// A half-open range of byte offsets into the source text.
///
/// Offsets always fall on character boundaries.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The range `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The text the span covers, empty if it does not fit `text`.
    pub fn slice(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// The smallest span that covers both.
    pub fn join(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// An inclusive range of 1-based line numbers.
///
/// Line 0 stands for "before the first line": BuildKit counts that way when the very first line is
/// at fault in a directive.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Lines {
    /// The first line.
    pub first: u32,
    /// The last line, never before `first`.
    pub last: u32,
}

impl Lines {
    /// The lines from `first` to `last`; `last` is raised to `first` if it lies before.
    pub fn new(first: usize, last: usize) -> Self {
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        let last = u32::try_from(last).unwrap_or(u32::MAX);
        Self {
            first,
            last: last.max(first),
        }
    }

    /// A single line.
    pub fn one(line: usize) -> Self {
        Self::new(line, line)
    }

    /// Whether `line` is one of them.
    pub fn contains(self, line: u32) -> bool {
        (self.first..=self.last).contains(&line)
    }
}

/// Where each line of a text begins.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
    len: usize,
}

impl LineIndex {
    /// Indexes a text. Lines end after `\n`.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, b)| *b == b'\n')
                .map(|(i, _)| i + 1),
        );
        Self {
            starts,
            len: text.len(),
        }
    }

    /// The number of lines; a text that ends in `\n` has an empty last line.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The 1-based line that holds the byte at `offset`.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|s| *s <= offset)
    }

    /// The bytes of the given lines with their line ends. Numbers out of range are cut to fit.
    pub fn span_of(&self, lines: Lines) -> Span {
        let first = (lines.first as usize).clamp(1, self.starts.len());
        let start = self.starts[first - 1];
        let end = self
            .starts
            .get(lines.last as usize)
            .copied()
            .unwrap_or(self.len);
        Span::new(start, end.max(start))
    }
}
