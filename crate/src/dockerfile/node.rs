//! The syntax tree: one node for each instruction, before it is given a meaning.

use super::diagnostic::Diagnostic;
use super::directive::Directive;
use super::span::{Lines, Span};

/// A text with the bytes it comes from.
///
/// The text may differ from the bytes: continuation lines are joined, and flags lose their quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The text.
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

/// A here-document that belongs to an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The delimiter without quotes.
    pub name: String,
    /// Whether variables are expanded in it: no part of the delimiter was quoted.
    pub expand: bool,
    /// Whether leading tabs are dropped: `<<-`.
    pub chomp: bool,
    /// The file descriptor in front of `<<`, 0 if none is written.
    pub fd: u64,
    /// The lines between the instruction and the delimiter, as they are written.
    pub content: String,
    /// Where the content is written.
    pub span: Span,
}

impl Heredoc {
    /// The content with the leading tabs of each line dropped.
    pub fn chomped(content: &str) -> String {
        content
            .split_inclusive('\n')
            .map(|l| l.trim_start_matches('\t'))
            .collect()
    }
}

/// An instruction as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The instruction word, in the case it is written in.
    pub name: Word,
    /// The flags in front of the arguments, `--name=value`, without quotes and escapes.
    pub flags: Vec<Word>,
    /// The arguments. ENV and LABEL have three for each pair: key, value and `=` or nothing.
    pub args: Vec<Word>,
    /// Whether the arguments were a JSON array.
    pub json: bool,
    /// The here-documents, in order.
    pub heredocs: Vec<Heredoc>,
    /// The instruction inside ONBUILD.
    pub child: Option<Box<Node>>,
    /// The joined line.
    pub original: String,
    /// The text of the comment lines in front, without `#`; an empty comment starts the list anew.
    pub comments: Vec<String>,
    /// The lines of the instruction with its here-documents.
    pub lines: Lines,
    /// The bytes from the instruction word to the end of its last line, line end excluded.
    pub span: Span,
}

impl Node {
    /// The arguments as BuildKit hands them to an instruction: those of ONBUILD are the word and
    /// the arguments of the instruction inside.
    pub fn flat_args(&self) -> Vec<Word> {
        match &self.child {
            Some(child) => {
                let mut args = vec![child.name.clone()];
                args.extend(child.flat_args());
                args
            }
            None => self.args.clone(),
        }
    }
}

/// A parsed Dockerfile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ast {
    /// The directives at the top.
    pub directives: Vec<Directive>,
    /// The escape character in force.
    pub escape: char,
    /// The instructions that could be parsed, in order.
    pub nodes: Vec<Node>,
    /// The lines on which an instruction ended that had an empty continuation line, with the bytes
    /// of the empty lines.
    pub empty_continuations: Vec<EmptyContinuation>,
}

/// An instruction with blank lines among its continuation lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmptyContinuation {
    /// The last line of the instruction (without here-documents): where BuildKit reports it.
    pub line: Lines,
    /// The blank lines, line ends included.
    pub blanks: Vec<Span>,
}

/// The result of parsing: what could be read, and all that is wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The tree.
    pub ast: Ast,
    /// The errors in order of position. BuildKit stops at the first one; the parser goes on so
    /// that an editor can show them all.
    pub errors: Vec<Diagnostic>,
}

impl Parsed {
    /// The error with which BuildKit gives up, if there is one.
    pub fn error(&self) -> Option<&Diagnostic> {
        self.errors.first()
    }
}
