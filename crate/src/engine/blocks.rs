//! Whole instructions as they move: with the comments right above them.
//!
//! A Dockerfile is gaps and blocks in turn. A move changes the order of the blocks and leaves the
//! gaps (blank lines, directives, comments that stand alone) where they are.

use std::ops::Range;

use crate::dockerfile;
use crate::dockerfile::node::{Ast, Node};
use crate::dockerfile::span::{LineIndex, Lines};

use super::Refusal;

/// An instruction and what moves with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The instruction's own lines.
    pub own: Lines,
    /// The lines that move: the comments right above it too.
    pub lines: Lines,
    /// The bytes of [`lines`](Block::lines), without the last line end.
    pub span: Range<usize>,
    /// The index of its FROM among the FROMs; none in front of the first.
    pub stage: Option<usize>,
    /// Whether it is a FROM.
    pub is_from: bool,
    /// Whether it is an ARG, the one thing that may stand in front of the first FROM.
    pub is_arg: bool,
}

/// The blocks of a parsed text, in order.
pub fn blocks(text: &str, ast: &Ast) -> Vec<Block> {
    let index = LineIndex::new(text);
    let line = |number: u32| index.span_of(Lines::one(number as usize)).slice(text);
    let directives = ast.directives.iter().map(|directive| directive.lines.last);
    let mut floor = directives.max().unwrap_or(0);
    let mut stage = None;
    ast.nodes
        .iter()
        .map(|node| {
            let own = node.lines;
            let mut first = own.first;
            while first > floor + 1 && line(first - 1).trim_start().starts_with('#') {
                first -= 1;
            }
            floor = own.last;
            let is_from = is_keyword(node, "FROM");
            if is_from {
                stage = Some(stage.map_or(0, |stage| stage + 1));
            }
            let lines = Lines {
                first,
                last: own.last,
            };
            let span = index.span_of(lines);
            let end = span.start + span.slice(text).trim_end_matches(['\n', '\r']).len();
            Block {
                own,
                lines,
                span: span.start..end,
                stage,
                is_from,
                is_arg: is_keyword(node, "ARG"),
            }
        })
        .collect()
}

fn is_keyword(node: &Node, keyword: &str) -> bool {
    node.name.text.eq_ignore_ascii_case(keyword)
}

/// Whether block `at` can change places with the one before and the one behind: both belong to
/// the same stage, and neither opens it.
pub fn can_move(blocks: &[Block], at: usize) -> [bool; 2] {
    let fits = |other: Option<usize>| {
        let (Some(block), Some(other)) = (blocks.get(at), other.and_then(|at| blocks.get(at)))
        else {
            return false;
        };
        !block.is_from && !other.is_from && block.stage == other.stage
    };
    [fits(at.checked_sub(1)), fits(Some(at + 1))]
}

/// The text with instruction `from` moved so that its index is `to`.
///
/// # Errors
/// An index out of range, a FROM, or a place outside of the instruction's stage.
pub fn move_block(text: &str, from: usize, to: usize) -> Result<String, Refusal> {
    let parsed = dockerfile::parse(text);
    let blocks = blocks(text, &parsed.ast);
    let (Some(block), Some(target)) = (blocks.get(from), blocks.get(to)) else {
        return Err(Refusal::new("There is no instruction with that number.")
            .help(format!("The Dockerfile has {} instructions.", blocks.len())));
    };
    if from == to {
        return Ok(text.to_string());
    }
    if block.is_from {
        return Err(
            Refusal::new("A FROM opens its stage and stays where it is.")
                .help("Move the instructions below it."),
        );
    }
    if block.stage != target.stage || target.is_from {
        return Err(Refusal::new("An instruction moves within its stage.")
            .help("Cut it and paste it to bring it into another stage."));
    }
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    let moved = order.remove(from);
    order.insert(to, moved);
    Ok(reorder(text, &blocks, &order))
}

/// The text with its blocks in another order; the gaps stay.
pub fn reorder(text: &str, blocks: &[Block], order: &[usize]) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut at = 0;
    for (place, which) in blocks.iter().zip(order) {
        out.push_str(&text[at..place.span.start]);
        out.push_str(&text[blocks[*which].span.clone()]);
        at = place.span.end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# syntax=docker/dockerfile:1
# about

FROM alpine

# the code
COPY . .
# install
# all of it
RUN a \\
    b
CMD [\"x\"]";

    #[test]
    fn comments_move_with_their_instruction_and_gaps_stay() {
        insta::assert_snapshot!(move_block(TEXT, 1, 2).expect("can be moved"), @r#"
        # syntax=docker/dockerfile:1
        # about

        FROM alpine

        # install
        # all of it
        RUN a \
            b
        # the code
        COPY . .
        CMD ["x"]
        "#);
        assert_eq!(
            move_block(&move_block(TEXT, 1, 3).expect("down"), 3, 1).as_deref(),
            Ok(TEXT)
        );
    }

    #[test]
    fn a_stage_keeps_its_instructions() {
        assert!(move_block(TEXT, 0, 1).is_err());
        assert!(move_block(TEXT, 1, 0).is_err());
        assert!(move_block(TEXT, 1, 9).is_err());
        let two = "FROM a\nRUN x\nFROM b\nRUN y\nRUN z\n";
        assert!(move_block(two, 1, 3).is_err());
        let parsed = dockerfile::parse(two);
        let blocks = blocks(two, &parsed.ast);
        assert_eq!(can_move(&blocks, 1), [false, false]);
        assert_eq!(can_move(&blocks, 3), [false, true]);
        assert_eq!(can_move(&blocks, 4), [true, false]);
    }
}
