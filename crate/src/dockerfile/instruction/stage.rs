//! Stages: what follows a FROM.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::golang::quote;
use crate::dockerfile::node::{Ast, Node, Word};
use crate::dockerfile::span::{Lines, Span};

use super::convert::doc_comment;
use super::flags::{FlagKind, Flags};
use super::{Command, Instruction, parse_instruction};

/// A stage: a FROM and the instructions up to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name in lower case; empty if it has none.
    pub name: String,
    /// The base as it is written: an image, a stage, `scratch`, maybe with variables.
    pub base: String,
    /// `--platform` as it is written; empty if not given.
    pub platform: String,
    /// The word FROM as it is written.
    pub keyword: String,
    /// The comment line `# name text` in front, its text.
    pub doc: String,
    /// The comment lines in front.
    pub comments: Vec<String>,
    /// The joined line of the FROM, trimmed.
    pub code: String,
    /// The lines of the FROM.
    pub lines: Lines,
    /// The bytes of the FROM.
    pub span: Span,
    /// The bytes of the word FROM.
    pub name_span: Span,
    /// The flags of the FROM as they are written.
    pub flags: Vec<Word>,
    /// The words of the FROM as they are written: base, AS, name.
    pub args: Vec<Word>,
    /// Its instructions.
    pub instructions: Vec<Instruction>,
}

/// A Dockerfile with its meaning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dockerfile {
    /// The ARGs before the first FROM.
    pub meta_args: Vec<Instruction>,
    /// The stages.
    pub stages: Vec<Stage>,
    /// What is wrong with single instructions, in order. BuildKit stops at the first one; the
    /// instructions at fault are left out above.
    pub errors: Vec<Diagnostic>,
}

impl Dockerfile {
    /// The error with which BuildKit gives up, if there is one.
    pub fn error(&self) -> Option<&Diagnostic> {
        self.errors.first()
    }

    /// The number of the stage with that name, in any case of letters; of equals the last.
    pub fn stage_named(&self, name: &str) -> Option<usize> {
        let name = name.to_lowercase();
        self.stages
            .iter()
            .rposition(|stage| !stage.name.is_empty() && stage.name == name)
    }
}

/// Gives a tree its meaning: ARGs, then stages.
pub fn parse_stages(ast: &Ast) -> Dockerfile {
    let mut file = Dockerfile::default();
    for node in &ast.nodes {
        let prefixed = |mut error: Diagnostic| {
            error.message = format!(
                "dockerfile parse error on line {}: {}",
                node.lines.first, error.message
            );
            place(error, node)
        };
        if node.name.text.eq_ignore_ascii_case("from") {
            match stage(node) {
                Ok(stage) => file.stages.push(stage),
                Err(error) => file.errors.push(prefixed(error)),
            }
            continue;
        }
        match parse_instruction(node) {
            Ok(instruction) => match file.stages.last_mut() {
                Some(stage) => stage.instructions.push(instruction),
                None if matches!(instruction.command, Command::Arg(_)) => {
                    file.meta_args.push(instruction);
                }
                None => file.errors.push(place(
                    Diagnostic::error("no-stage", "no build stage in current context")
                        .help("Put a FROM in front; only ARG may come before it."),
                    node,
                )),
            },
            Err(error) => file.errors.push(prefixed(error)),
        }
    }
    file
}

fn place(error: Diagnostic, node: &Node) -> Diagnostic {
    let span = error.span.unwrap_or(node.span);
    error.at_lines(node.lines).at(span)
}

fn stage(node: &Node) -> Result<Stage, Diagnostic> {
    let name = match node.args.as_slice() {
        [_, keyword, name] if keyword.text.eq_ignore_ascii_case("as") => {
            let lower = name.text.to_lowercase();
            if !is_stage_name(&lower) {
                return Err(Diagnostic::error(
                    "invalid-stage-name",
                    format!(
                        "invalid name for build stage: {}, name can't start with a number or \
                         contain symbols",
                        quote(&name.text)
                    ),
                )
                .at(name.span)
                .help("A name has letters, digits and - _ . and starts with a letter."));
            }
            lower
        }
        [_] => String::new(),
        _ => {
            return Err(Diagnostic::error(
                "wrong-arguments",
                "FROM requires either one or three arguments",
            )
            .help("Write FROM image or FROM image AS name."));
        }
    };
    let flags = Flags::parse(&node.flags, &[("platform", FlagKind::Text)])?;
    Ok(Stage {
        base: node
            .args
            .first()
            .map(|w| w.text.clone())
            .unwrap_or_default(),
        platform: flags.text("platform"),
        keyword: node.name.text.clone(),
        doc: doc_comment(&node.comments, &name),
        name,
        comments: node.comments.clone(),
        code: node.original.trim().to_owned(),
        lines: node.lines,
        span: node.span,
        name_span: node.name.span,
        flags: node.flags.clone(),
        args: node.args.clone(),
        instructions: Vec::new(),
    })
}

fn is_stage_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
}
