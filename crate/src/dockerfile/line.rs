//! Logical lines: continuation lines joined, with a way back to the source bytes.

use super::span::Span;

/// A joined line.
#[derive(Clone, Debug, Default)]
pub(super) struct LogicalLine {
    pub(super) text: String,
    /// Where each piece starts: offset in `text`, offset in the source.
    pieces: Vec<(usize, usize)>,
}

impl LogicalLine {
    /// Appends a piece of a source line that starts at the given source offset.
    pub(super) fn push(&mut self, piece: &str, source: usize) {
        self.pieces.push((self.text.len(), source));
        self.text.push_str(piece);
    }

    /// The source offset of a byte of the line.
    fn source(&self, offset: usize) -> usize {
        let piece = self.pieces.partition_point(|(start, _)| *start <= offset);
        match piece.checked_sub(1).and_then(|i| self.pieces.get(i)) {
            Some((start, source)) => source + (offset - start),
            None => 0,
        }
    }

    /// The source bytes of a part of the line.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let from = self.source(start);
        if end <= start {
            return Span::new(from, from);
        }
        // The last byte's place plus one: the end of a piece, not the start of the next.
        Span::new(from, self.source(end - 1) + 1)
    }

    /// The source bytes of a slice of the line's own text.
    pub(super) fn span_of(&self, part: &str) -> Span {
        let start = self.offset_of(part);
        self.span(start, start + part.len())
    }

    /// Where a slice of the line's own text starts in it.
    pub(super) fn offset_of(&self, part: &str) -> usize {
        part.as_ptr() as usize - self.text.as_ptr() as usize
    }
}

/// The blanks that separate words of an instruction: `[\t\v\f\r ]`, not all of Unicode's.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\x0b' | '\x0c' | '\r' | ' ')
}

/// Splits at the first run of blanks.
pub(super) fn split_once_blank(text: &str) -> Option<(&str, &str)> {
    let at = text.find(is_blank)?;
    Some((&text[..at], text[at..].trim_start_matches(is_blank)))
}

/// Splits at every run of blanks. A text that starts with blanks has an empty first part.
pub(super) fn split_blanks(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((part, after)) = split_once_blank(rest) {
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}
