//! Text to nodes.
//!
//! Source: BuildKit `frontend/dockerfile/parser`. BuildKit stops at the first error; this parser
//! gives the same first error and goes on with the next instruction.

use super::diagnostic::Diagnostic;
use super::directive::{BOM, Directive, DirectiveBlock, DirectiveKind, DirectiveLine};
use super::expand::{Lexer, NoVariables};
use super::limits::{MAX_LINE_BYTES, MAX_SOURCE_BYTES};
use super::line::LogicalLine;
use super::node::{Ast, EmptyContinuation, Heredoc, Node, Parsed};
use super::span::{Lines, Span};
use super::words::node_of_line;

/// Parses a Dockerfile.
pub fn parse(text: &str) -> Parsed {
    parse_with(text, true)
}

/// Parses a Dockerfile as parsers did before there were here-documents.
pub fn parse_without_heredocs(text: &str) -> Parsed {
    parse_with(text, false)
}

fn parse_with(text: &str, heredocs: bool) -> Parsed {
    let mut parsed = Parsed {
        ast: Ast {
            escape: '\\',
            ..Ast::default()
        },
        errors: Vec::new(),
    };
    if text.len() > MAX_SOURCE_BYTES {
        parsed.errors.push(
            Diagnostic::error(
                "text-too-long",
                format!(
                    "the Dockerfile has {} bytes; the limit is {MAX_SOURCE_BYTES} bytes",
                    text.len()
                ),
            )
            .help("Keep data in files of the build context and COPY them."),
        );
        return parsed;
    }
    let mut parser = Parser {
        lines: SourceLines {
            text,
            offset: 0,
            count: 0,
            too_long: None,
        },
        parsed,
        directives: DirectiveBlock::new("#"),
        comments: Vec::new(),
        started: false,
        heredocs,
    };
    parser.run();
    parser.parsed
}

struct Parser<'a> {
    lines: SourceLines<'a>,
    parsed: Parsed,
    directives: DirectiveBlock,
    comments: Vec<String>,
    /// Whether any instruction was met, even a broken one.
    started: bool,
    /// Whether `<<` announces a here-document.
    heredocs: bool,
}

/// A source line with its place.
#[derive(Clone, Copy)]
struct SourceLine<'a> {
    /// With its line end.
    raw: &'a str,
    offset: usize,
}

struct SourceLines<'a> {
    text: &'a str,
    offset: usize,
    count: usize,
    too_long: Option<Span>,
}

impl<'a> SourceLines<'a> {
    /// The next line; `None` at the end or at a line that is too long, where BuildKit stops
    /// reading.
    fn next(&mut self) -> Option<SourceLine<'a>> {
        let rest = &self.text[self.offset..];
        if rest.is_empty() || self.too_long.is_some() {
            return None;
        }
        let len = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let raw = &rest[..len];
        let offset = self.offset;
        if raw.strip_suffix('\n').unwrap_or(raw).len() > MAX_LINE_BYTES {
            self.too_long = Some(Span::new(offset, offset + len));
            return None;
        }
        self.offset += len;
        self.count += 1;
        Some(SourceLine { raw, offset })
    }
}

impl SourceLine<'_> {
    fn end(&self) -> usize {
        self.offset + trim_line_end(self.raw).len()
    }
}

impl Parser<'_> {
    fn run(&mut self) {
        while let Some(line) = self.lines.next() {
            self.instruction(line);
        }
        if !self.started {
            self.parsed.errors.push(
                Diagnostic::error("no-instructions", "file with no instructions")
                    .at_lines(Lines::one(self.lines.count))
                    .help("A Dockerfile starts with FROM."),
            );
        }
        if let Some(span) = self.lines.too_long {
            let message =
                format!("dockerfile line greater than max allowed size of {MAX_LINE_BYTES}");
            self.parsed.errors.push(
                Diagnostic::error("line-too-long", message)
                    .at_lines(Lines::one(self.lines.count))
                    .at(span)
                    .help("Break the line, or keep the data in a file of the build context."),
            );
        }
    }

    /// Reads what starts on this line: a blank line, a comment, or an instruction to its end.
    fn instruction(&mut self, first: SourceLine<'_>) {
        let number = self.lines.count;
        let raw = match first.raw.strip_prefix(BOM) {
            Some(rest) if number == 1 => SourceLine {
                raw: rest,
                offset: first.offset + BOM.len_utf8(),
            },
            _ => first,
        };
        let is_directive = !self.directives.is_done() && self.directive(raw, number - 1);
        if is_comment(raw.raw) {
            if !is_directive {
                self.comment(raw.raw);
            }
            return;
        }
        let content = trim_line_end(raw.raw).trim_start();
        let (piece, mut open) = self.continued(content);
        if !open && piece.is_empty() {
            return;
        }
        self.started = true;
        let piece_at = raw.offset + (content.as_ptr() as usize - raw.raw.as_ptr() as usize);
        let mut line = LogicalLine::default();
        line.push(piece, piece_at);
        let mut end = raw.end();
        let mut blanks = Vec::new();
        while open {
            let Some(next) = self.lines.next() else { break };
            end = next.end();
            if is_comment(next.raw) {
                continue;
            }
            let content = trim_line_end(next.raw);
            if content.trim_start().is_empty() {
                blanks.push(Span::new(next.offset, next.offset + next.raw.len()));
                continue;
            }
            let (piece, more) = self.continued(content);
            open = more;
            line.push(piece, next.offset);
        }
        if !blanks.is_empty() {
            let line = Lines::one(self.lines.count);
            self.parsed
                .ast
                .empty_continuations
                .push(EmptyContinuation { line, blanks });
        }
        let outcome = self.finish(&line, &mut end);
        let lines = Lines::new(number, self.lines.count);
        let span = Span::new(piece_at, end);
        match outcome {
            Ok(mut node) => {
                node.original = line.text;
                node.lines = lines;
                node.span = span;
                node.comments = std::mem::take(&mut self.comments);
                self.parsed.ast.nodes.push(node);
            }
            Err(error) => {
                self.comments.clear();
                let span = error.span.unwrap_or(span);
                self.parsed.errors.push(error.at_lines(lines).at(span));
            }
        }
    }

    fn finish(&mut self, line: &LogicalLine, end: &mut usize) -> Result<Node, Diagnostic> {
        let mut node = node_of_line(line, self.parsed.ast.escape)?;
        if !self.heredocs || !may_have_heredocs(&node) || !line.text.contains("<<") {
            return Ok(node);
        }
        for mut heredoc in heredocs_of(&line.text)? {
            let start = self.lines.offset;
            let closed = loop {
                let Some(next) = self.lines.next() else {
                    break None;
                };
                *end = next.end();
                let content = trim_line_end(next.raw);
                let content = if heredoc.chomp {
                    content.trim_start_matches('\t')
                } else {
                    content
                };
                if content == heredoc.name {
                    break Some(next.offset);
                }
            };
            let Some(stop) = closed else {
                return Err(
                    Diagnostic::error("unterminated-heredoc", "unterminated heredoc")
                        .help(format!("Add a line with only {} to end it.", heredoc.name)),
                );
            };
            heredoc.content = self.lines.text[start..stop].to_owned();
            heredoc.span = Span::new(start, stop);
            node.heredocs.push(heredoc);
        }
        Ok(node)
    }

    fn comment(&mut self, raw: &str) {
        // BuildKit drops the first byte of the line, also where blanks come before the `#`.
        let mut rest = raw.chars();
        rest.next();
        match rest.as_str().trim() {
            "" => self.comments.clear(),
            text => self.comments.push(text.to_owned()),
        }
    }

    /// Whether the line is a directive. `before` is the number of the line before, which BuildKit
    /// names in errors.
    fn directive(&mut self, line: SourceLine<'_>, before: usize) -> bool {
        let content = trim_line_end(line.raw).trim_start();
        let kind_value = match self.directives.line(content) {
            DirectiveLine::Other => return false,
            DirectiveLine::Found(kind, value) => Ok((kind, value)),
            DirectiveLine::Repeated(kind) => Err(kind),
        };
        let error = match kind_value {
            Ok((DirectiveKind::Escape, value)) if value != "`" && value != "\\" => {
                Diagnostic::error(
                    "invalid-escape",
                    format!("invalid escape token '{value}' does not match ` or \\"),
                )
            }
            Ok((kind, value)) => {
                if kind == DirectiveKind::Escape {
                    self.parsed.ast.escape = if value == "`" { '`' } else { '\\' };
                }
                let start = line.offset + (value.as_ptr() as usize - line.raw.as_ptr() as usize);
                self.parsed.ast.directives.push(Directive {
                    kind,
                    value: value.to_owned(),
                    lines: Lines::one(before + 1),
                    span: Span::new(start, start + value.len()),
                });
                return true;
            }
            Err(kind) => Diagnostic::error(
                "repeated-directive",
                format!("only one {} parser directive can be used", kind.name()),
            ),
        };
        let span = Span::new(line.offset, line.end());
        self.parsed
            .errors
            .push(error.at_lines(Lines::one(before)).at(span));
        false
    }

    /// The line without its continuation character, and whether it had one: an escape character
    /// as the last non-blank, not preceded by another.
    fn continued<'t>(&self, line: &'t str) -> (&'t str, bool) {
        let escape = self.parsed.ast.escape;
        match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
            Some(rest) if !rest.ends_with(escape) => (rest, true),
            _ => (line, false),
        }
    }
}

fn trim_line_end(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// Whether the instruction can take here-documents: ADD, COPY and RUN in shell form, also inside
/// ONBUILD.
fn may_have_heredocs(node: &Node) -> bool {
    let node = match &node.child {
        Some(child) if node.name.text.eq_ignore_ascii_case("onbuild") => child,
        _ => node,
    };
    matches!(
        node.name.text.to_lowercase().as_str(),
        "add" | "copy" | "run"
    ) && !node.json
}

/// The here-documents a line announces; none if its quotes do not close.
fn heredocs_of(line: &str) -> Result<Vec<Heredoc>, Diagnostic> {
    let lexer = Lexer {
        raw_quotes: true,
        raw_escapes: true,
        skip_unset: true,
        ..Lexer::new('\\')
    };
    let words = lexer.expand(line, &NoVariables).words;
    let mut heredocs = Vec::new();
    for word in words {
        let heredoc =
            heredoc_word(&word).map_err(|error| Diagnostic::error("invalid-heredoc", error))?;
        heredocs.extend(heredoc);
    }
    Ok(heredocs)
}

/// The here-document that a word announces: `<<NAME`, `<<-NAME`, `3<<"NAME"`.
///
/// # Errors
///
/// If the quotes of the name do not close.
pub fn heredoc_word(word: &str) -> Result<Option<Heredoc>, String> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let Some(rest) = word[digits..].strip_prefix("<<") else {
        return Ok(None);
    };
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let name = rest.trim_start_matches([' ', '\t', '\n', '\x0c', '\r']);
    if name.is_empty() || name.contains('<') {
        return Ok(None);
    }
    let lexer = Lexer {
        skip_unset: true,
        ..Lexer::new('\\')
    };
    let plain = lexer.expand(name, &NoVariables);
    if let Some(error) = plain.error {
        return Err(error);
    }
    let [plain] = plain.words.as_slice() else {
        return Ok(None);
    };
    let raw = Lexer {
        raw_quotes: true,
        ..lexer
    }
    .expand(name, &NoVariables);
    if let Some(error) = raw.error {
        return Err(error);
    }
    let [raw] = raw.words.as_slice() else {
        return Err(format!(
            "internal lexing of heredoc produced inconsistent results: {name}"
        ));
    };
    // A quote that the name keeps is escaped; one that it loses quotes a part of it.
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    Ok(Some(Heredoc {
        name: plain.clone(),
        expand: quotes(plain) == quotes(raw),
        chomp,
        fd: if digits == 0 {
            0
        } else {
            word[..digits].parse().unwrap_or(u64::MAX)
        },
        content: String::new(),
        span: Span::default(),
    }))
}
