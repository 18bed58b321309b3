//! Edits of whole instructions: which lines belong to one, moving one.

use std::fmt;

use super::directive::DirectiveKind;
use super::instruction::KEYWORDS;
use super::node::{Ast, Node};
use super::parser::parse;
use super::span::{LineIndex, Lines, Span};

/// An instruction with the comment lines right above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its bytes, from the start of the first comment line to the end of the last line, without
    /// the line end.
    pub span: Span,
    /// Its lines.
    pub lines: Lines,
    /// The first line of the instruction itself.
    pub instruction: u32,
}

/// The blocks of a text, one for each instruction that can be parsed, in order.
///
/// A comment belongs to an instruction if no blank line is between them; directives at the top
/// belong to none.
pub fn blocks(text: &str) -> Vec<Block> {
    blocks_of(text, &parse(text).ast)
}

/// The number of the block that holds a line.
pub fn block_at(blocks: &[Block], line: u32) -> Option<usize> {
    blocks.iter().position(|block| block.lines.contains(line))
}

fn blocks_of(text: &str, ast: &Ast) -> Vec<Block> {
    let index = LineIndex::new(text);
    let mut floor = ast
        .directives
        .iter()
        .map(|d| d.lines.last)
        .max()
        .unwrap_or_default();
    let mut blocks = Vec::with_capacity(ast.nodes.len());
    for node in &ast.nodes {
        let is_comment = |line: u32| {
            index
                .span_of(Lines {
                    first: line,
                    last: line,
                })
                .slice(text)
                .trim_start()
                .starts_with('#')
        };
        let mut first = node.lines.first;
        while first > floor + 1 && is_comment(first - 1) {
            first -= 1;
        }
        floor = node.lines.last;
        let lines = Lines {
            first,
            last: node.lines.last,
        };
        let whole = index.span_of(lines);
        let body = whole.slice(text).trim_end_matches(['\n', '\r']);
        let mut start = whole.start;
        if start == 0 && text.starts_with(super::directive::BOM) {
            start = super::directive::BOM.len_utf8();
        }
        let span = Span::new(start, whole.start + body.len());
        blocks.push(Block {
            span,
            lines,
            instruction: node.lines.first,
        });
    }
    blocks
}

/// A text in which an instruction was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The new text.
    pub text: String,
    /// Where the instruction is now.
    pub block: Block,
}

/// Why an instruction is not moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no instruction of that number, or no such place.
    NoSuchInstruction,
    /// It is there already.
    AlreadyThere,
    /// The text has an error that leaves open where instructions begin and end.
    Broken(String),
    /// A FROM begins a stage; moved alone it would hand instructions to another one.
    MovesFrom,
    /// Only ARG may stand before the first FROM.
    BeforeFirstFrom,
    /// A directive or another instruction would come out different.
    ChangesOthers,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInstruction => f.write_str("There is no instruction there."),
            Self::AlreadyThere => f.write_str("The instruction is there already."),
            Self::Broken(error) => {
                write!(
                    f,
                    "The Dockerfile has to be mended before instructions can move: {error}"
                )
            }
            Self::MovesFrom => f.write_str(
                "A FROM begins a stage and stays in front of it; move the instructions instead.",
            ),
            Self::BeforeFirstFrom => f.write_str("Only ARG may stand before the first FROM."),
            Self::ChangesOthers => {
                f.write_str("In that place the text would be read in another way.")
            }
        }
    }
}

/// Moves the instruction number `from` (from 0) with its comments so that it becomes number `to`.
///
/// Blank lines and loose comments between instructions stay where they are; the instructions in
/// between move up or down by one place.
///
/// # Errors
///
/// See [`Refusal`].
pub fn move_instruction(text: &str, from: usize, to: usize) -> Result<Moved, Refusal> {
    let parsed = parse(text);
    if let Some(error) = parsed.error() {
        return Err(Refusal::Broken(error.message.clone()));
    }
    let nodes = &parsed.ast.nodes;
    let (Some(node), true) = (nodes.get(from), to < nodes.len()) else {
        return Err(Refusal::NoSuchInstruction);
    };
    if from == to {
        return Err(Refusal::AlreadyThere);
    }
    if is(node, "FROM") {
        return Err(Refusal::MovesFrom);
    }
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    let moved = order.remove(from);
    order.insert(to, moved);
    let before_from = order
        .iter()
        .take_while(|n| !is(&nodes[**n], "FROM"))
        .any(|n| *n == from);
    let has_from = nodes.iter().any(|node| is(node, "FROM"));
    if has_from && before_from && !is(node, "ARG") {
        return Err(Refusal::BeforeFirstFrom);
    }

    let blocks = blocks_of(text, &parsed.ast);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (slot, source) in blocks.iter().zip(&order) {
        out.push_str(&text[at..slot.span.start]);
        out.push_str(blocks[*source].span.slice(text));
        at = slot.span.end;
    }
    out.push_str(&text[at..]);

    let again = parse(&out);
    let same = again.errors.is_empty()
        && again.ast.escape == parsed.ast.escape
        && directives(&again.ast) == directives(&parsed.ast)
        && again.ast.nodes.len() == nodes.len()
        && again
            .ast
            .nodes
            .iter()
            .zip(&order)
            .all(|(new, old)| says_the_same(new, &nodes[*old]));
    if !same {
        return Err(Refusal::ChangesOthers);
    }
    let block = blocks_of(&out, &again.ast)[to];
    Ok(Moved { text: out, block })
}

fn is(node: &Node, keyword: &str) -> bool {
    debug_assert!(KEYWORDS.contains(&keyword));
    node.name.text.eq_ignore_ascii_case(keyword)
}

fn directives(ast: &Ast) -> Vec<(DirectiveKind, &str)> {
    ast.directives
        .iter()
        .map(|d| (d.kind, d.value.as_str()))
        .collect()
}

/// Loose comments stay behind, so comments may differ; nothing else.
fn says_the_same(new: &Node, old: &Node) -> bool {
    let mut new = new.clone();
    new.comments.clone_from(&old.comments);
    new.same_meaning(old) && new.original == old.original
}
