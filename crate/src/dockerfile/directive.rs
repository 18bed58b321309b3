//! Parser directives: `# syntax=`, `# escape=`, `# check=` at the very top of the text.

use super::span::{Lines, Span};

/// The byte order mark, allowed before the first line.
pub(super) const BOM: char = '\u{FEFF}';

/// The directives BuildKit knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DirectiveKind {
    /// `# syntax=`: the frontend image.
    Syntax,
    /// `# escape=`: the escape character.
    Escape,
    /// `# check=`: options of the build checks.
    Check,
}

impl DirectiveKind {
    /// The name as it is written, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Escape => "escape",
            Self::Check => "check",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Syntax, Self::Escape, Self::Check]
            .into_iter()
            .find(|k| k.name().eq_ignore_ascii_case(name))
    }
}

/// A directive with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Which one.
    pub kind: DirectiveKind,
    /// Everything after the `=`, trimmed.
    pub value: String,
    /// Its line.
    pub lines: Lines,
    /// The bytes of the value.
    pub span: Span,
}

/// Recognises directives line by line; the first line that is none ends the block.
#[derive(Clone, Debug)]
pub(super) struct DirectiveBlock {
    prefix: &'static str,
    seen: Vec<DirectiveKind>,
    done: bool,
}

/// What a line is to the directive block.
pub(super) enum DirectiveLine<'a> {
    /// The kind and its value, a slice of the line.
    Found(DirectiveKind, &'a str),
    /// A second directive of the same kind.
    Repeated(DirectiveKind),
    /// Not a directive, or the block is over.
    Other,
}

impl DirectiveBlock {
    pub(super) fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            seen: Vec::new(),
            done: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    pub(super) fn line<'a>(&mut self, line: &'a str) -> DirectiveLine<'a> {
        if self.done {
            return DirectiveLine::Other;
        }
        let found = line
            .strip_prefix(self.prefix)
            .and_then(|rest| assignment(rest.trim_start()));
        let Some((kind, value)) =
            found.and_then(|(name, value)| Some((DirectiveKind::of(name)?, value)))
        else {
            self.done = true;
            return DirectiveLine::Other;
        };
        if self.seen.contains(&kind) {
            return DirectiveLine::Repeated(kind);
        }
        self.seen.push(kind);
        DirectiveLine::Found(kind, value)
    }
}

/// `name = value`, with a value of at least one character.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r');
    let name_len = text
        .find(|c: char| !c.is_ascii_alphanumeric())
        .filter(|n| *n > 0)
        .unwrap_or_default();
    let (name, rest) = text.split_at(name_len);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let after = rest.trim_start_matches(space).strip_prefix('=')?;
    let value = after.trim_start_matches(space);
    if value.is_empty() {
        // The expression BuildKit uses gives back one blank to have a value at all.
        return after
            .char_indices()
            .next_back()
            .map(|(at, _)| (name, &after[at..]));
    }
    Some((name, value.trim_end_matches(space)))
}

/// The first directive of `kind` at the top of `text`, as BuildKit looks for `check` and `syntax`
/// before it parses anything. A `#!` line before the block is skipped.
pub fn find_directive(kind: DirectiveKind, text: &str) -> Option<Directive> {
    let (body, line) = body_of(text);
    scan(kind, text, body, line, "#")
}

/// The frontend a text asks for, looked for in all the forms BuildKit knows: `# syntax=`,
/// `// syntax=`, or a JSON object with a `syntax` member. The value is cut at the first blank.
pub fn detect_syntax(text: &str) -> Option<String> {
    let (body, line) = body_of(text);
    let found = scan(DirectiveKind::Syntax, text, body, line, "#")
        .or_else(|| scan(DirectiveKind::Syntax, text, body, line, "//"));
    if let Some(directive) = found {
        return Some(first_word(&directive.value).to_owned());
    }
    let object: serde_json::Map<String, serde_json::Value> = body
        .trim_start()
        .starts_with('{')
        .then(|| serde_json::from_str(body).ok())
        .flatten()?;
    object
        .get("syntax")
        .and_then(|v| v.as_str())
        .map(str::to_owned)
}

/// The part of a directive's value that counts: up to the first blank.
pub fn first_word(value: &str) -> &str {
    value.split(' ').next().unwrap_or_default()
}

fn body_of(text: &str) -> (&str, usize) {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    match text.strip_prefix("#!") {
        Some(rest) => (rest.split_once('\n').map_or("", |(_, body)| body), 1),
        None => (text, 0),
    }
}

fn scan(
    kind: DirectiveKind,
    text: &str,
    body: &str,
    skipped: usize,
    prefix: &'static str,
) -> Option<Directive> {
    let mut block = DirectiveBlock::new(prefix);
    let mut offset = text.len() - body.len();
    for (index, raw) in body.split_inclusive('\n').enumerate() {
        let line = raw.strip_suffix('\n').unwrap_or(raw);
        let line = line.strip_suffix('\r').unwrap_or(line);
        match block.line(line) {
            DirectiveLine::Found(found, value) if found == kind => {
                let start = offset + (value.as_ptr() as usize - line.as_ptr() as usize);
                return Some(Directive {
                    kind,
                    value: value.to_owned(),
                    lines: Lines::one(skipped + index + 1),
                    span: Span::new(start, start + value.len()),
                });
            }
            DirectiveLine::Found(..) => {}
            DirectiveLine::Repeated(_) | DirectiveLine::Other => return None,
        }
        offset += raw.len();
    }
    None
}
