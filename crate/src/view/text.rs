//! The Dockerfile as the page shows it: instructions and diagnostics.

use crate::dockerfile::diagnostic::{Diagnostic, Fix, Severity};
use crate::dockerfile::edit::Block;
use crate::dockerfile::instruction::Dockerfile;
use crate::dockerfile::node::{Ast, Node};
use crate::dockerfile::span::{LineIndex, Lines, Span};
use crate::engine::changes::one_line;

use super::{DiagnosticView, FixView, InstructionView, SeverityView};

/// The instructions of a parsed text.
pub fn instructions(ast: &Ast, blocks: &[Block], file: &Dockerfile) -> Vec<InstructionView> {
    let mut stage = None;
    let stages: Vec<Option<usize>> = ast
        .nodes
        .iter()
        .map(|node| {
            if is_from(node) {
                stage = Some(stage.map_or(0, |stage| stage + 1));
            }
            stage
        })
        .collect();
    // Neighbours change places if they belong to the same stage and neither opens it.
    let fits = |a: Option<usize>, b: Option<usize>| match (a, b) {
        (Some(a), Some(b)) => match (ast.nodes.get(a), ast.nodes.get(b)) {
            (Some(x), Some(y)) => stages[a] == stages[b] && !is_from(x) && !is_from(y),
            _ => false,
        },
        _ => false,
    };
    ast.nodes
        .iter()
        .zip(blocks)
        .enumerate()
        .map(|(at, (node, block))| InstructionView {
            keyword: node.name.text.to_uppercase(),
            text: one_line(node),
            lines: [node.lines.first, node.lines.last],
            block: [block.lines.first, block.lines.last],
            stage: stages[at].map(|stage| stage_name(file, stage)),
            can_move: [
                fits(at.checked_sub(1), Some(at)),
                fits(Some(at), Some(at + 1)),
            ],
        })
        .collect()
}

fn is_from(node: &Node) -> bool {
    node.name.text.eq_ignore_ascii_case("FROM")
}

/// The stage's name, or its number.
fn stage_name(file: &Dockerfile, stage: usize) -> String {
    match file.stages.get(stage) {
        Some(stage) if !stage.name.is_empty() => stage.name.clone(),
        _ => stage.to_string(),
    }
}

/// The diagnostics in order of place.
pub fn diagnostics<'a>(
    text: &str,
    all: impl IntoIterator<Item = &'a Diagnostic>,
) -> Vec<DiagnosticView> {
    let units = Utf16::new(text);
    let index = LineIndex::new(text);
    let mut views: Vec<DiagnosticView> = all
        .into_iter()
        .map(|diagnostic| view(diagnostic, &units, &index))
        .collect();
    crate::order::sort_by_key(&mut views, |view| (view.from, view.to));
    views
}

/// What is good to know, in order of place.
pub fn notes(text: &str, all: &[Diagnostic]) -> Vec<DiagnosticView> {
    let mut views = diagnostics(text, all);
    for view in &mut views {
        view.severity = SeverityView::Info;
        view.rule = None;
    }
    views
}

fn view(diagnostic: &Diagnostic, units: &Utf16<'_>, index: &LineIndex) -> DiagnosticView {
    let lines = diagnostic.lines.iter().copied().reduce(|a, b| Lines {
        first: a.first.min(b.first),
        last: a.last.max(b.last),
    });
    let span = diagnostic
        .span
        .or_else(|| lines.map(|lines| index.span_of(lines)))
        .unwrap_or(Span::new(0, 0));
    let lines = lines.unwrap_or_else(|| {
        Lines::new(
            index.line_of(span.start),
            index.line_of(span.end.max(1) - 1),
        )
    });
    let error = diagnostic.severity == Severity::Error;
    DiagnosticView {
        severity: if error {
            SeverityView::Error
        } else {
            SeverityView::Warning
        },
        rule: (!error).then(|| diagnostic.code.to_string()),
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        lines: [lines.first.max(1), lines.last.max(1)],
        from: units.of(span.start),
        to: units.of(span.end),
        fixes: diagnostic
            .fixes
            .iter()
            .filter_map(|fix| fix_view(fix, units))
            .collect(),
    }
}

/// The edits of a fix as one: from the first to the last, with what stands between.
fn fix_view(fix: &Fix, units: &Utf16<'_>) -> Option<FixView> {
    let (first, last) = (fix.edits.first()?, fix.edits.last()?);
    let span = Span::new(first.span.start, last.span.end);
    let mut insert = String::new();
    let mut at = span.start;
    for edit in &fix.edits {
        insert.push_str(units.text.get(at..edit.span.start)?);
        insert.push_str(&edit.replacement);
        at = edit.span.end;
    }
    Some(FixView {
        title: fix.title.clone(),
        from: units.of(span.start),
        to: units.of(span.end),
        insert,
    })
}

/// Byte offsets to UTF-16 code units.
struct Utf16<'a> {
    text: &'a str,
    /// At each 1024th byte (the next character's start): the units before it.
    marks: Vec<(usize, u32)>,
}

impl<'a> Utf16<'a> {
    const STEP: usize = 1024;

    fn new(text: &'a str) -> Utf16<'a> {
        let mut marks = vec![(0, 0)];
        let mut units = 0;
        for (at, letter) in text.char_indices() {
            if at >= marks.len() * Utf16::STEP {
                marks.push((at, units));
            }
            units += letter.len_utf16() as u32;
        }
        Utf16 { text, marks }
    }

    fn of(&self, offset: usize) -> u32 {
        let offset = offset.min(self.text.len());
        let at = self.marks.partition_point(|(at, _)| *at <= offset) - 1;
        let (start, units) = self.marks[at];
        let between = self.text.get(start..offset).unwrap_or_default();
        units + between.chars().map(|c| c.len_utf16() as u32).sum::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_utf16_units() {
        let text = format!("# {}\nFROM a", "é🐳".repeat(700));
        let units = Utf16::new(&text);
        for (at, _) in text.char_indices() {
            assert_eq!(units.of(at) as usize, text[..at].encode_utf16().count());
        }
    }
}
