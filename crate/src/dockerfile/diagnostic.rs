//! What is wrong with a text, as values.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::span::{Lines, Span};

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The build stops here.
    Error,
    /// The build goes on.
    Warning,
}

/// A replacement of a part of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextEdit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What comes in its place.
    pub replacement: String,
}

/// A way out that can be applied mechanically.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What the fix does, as a button would say it.
    pub title: String,
    /// The edits, in order of position, not overlapping.
    pub edits: Vec<TextEdit>,
}

impl Fix {
    /// A fix of one edit.
    pub fn replace(title: impl Into<String>, span: Span, replacement: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            edits: vec![TextEdit {
                span,
                replacement: replacement.into(),
            }],
        }
    }

    /// The text with the edits applied. Edits that do not fit the text are left out.
    pub fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for edit in &self.edits {
            if edit.span.start < at || text.get(edit.span.start..edit.span.end).is_none() {
                continue;
            }
            out.push_str(&text[at..edit.span.start]);
            out.push_str(&edit.replacement);
            at = edit.span.end;
        }
        out.push_str(&text[at..]);
        out
    }
}

/// Something wrong, with its place and, where there is one, a way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name: a kebab-case code for errors, the rule's name for build checks.
    pub code: Cow<'static, str>,
    /// The message, in BuildKit's words where BuildKit has a message.
    pub message: String,
    /// The bytes at fault; `None` if the whole text is.
    pub span: Option<Span>,
    /// The lines BuildKit points at, in its order; empty where it points at none.
    pub lines: Vec<Lines>,
    /// What to do about it.
    pub help: Option<String>,
    /// Mechanical ways out.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: Cow::Borrowed(code),
            message: message.into(),
            span: None,
            lines: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }

    /// A warning of a build check.
    pub fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(rule, message)
        }
    }

    /// With the place `lines`, added after those it has.
    pub fn at_lines(mut self, lines: Lines) -> Self {
        self.lines.push(lines);
        self
    }

    /// With the bytes at fault.
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// With a way out in words.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With a mechanical way out.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// The single line numbers pointed at: every line of every place, sorted, each once, line 0
    /// left out. This is what BuildKit marks in its printed source excerpt.
    pub fn line_numbers(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self
            .lines
            .iter()
            .flat_map(|l| l.first..=l.last)
            .filter(|l| *l > 0)
            .collect();
        crate::order::sort(&mut all);
        all.dedup();
        all
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
