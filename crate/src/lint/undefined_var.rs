//! UndefinedVar: variables are set before they are used.

use crate::dockerfile::diagnostic::{Diagnostic, Fix, TextEdit};
use crate::dockerfile::instruction::Instruction;
use crate::dockerfile::span::Span;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "UndefinedVar",
    "undefined-var",
    "A variable that is not set by ARG, ENV or the base image is replaced by nothing."
);

pub(super) fn check(
    source: &str,
    instruction: &Instruction,
    name: &str,
    suggestion: Option<&str>,
) -> Diagnostic {
    let mut message = format!("Usage of undefined variable '${name}'");
    let near = suggestion.filter(|near| !near.is_empty());
    if let Some(near) = near {
        message.push_str(&format!(" (did you mean ${near}?)"));
    }
    let found = finding(&RULE, message, instruction.lines, instruction.span);
    match near.and_then(|near| rename(source, instruction.span, name, near)) {
        Some(fix) => found.fix(fix),
        None => found,
    }
}

/// Renames a variable wherever the bytes of `span` use it.
pub(super) fn rename(source: &str, span: Span, name: &str, to: &str) -> Option<Fix> {
    let text = span.slice(source);
    let mut edits = Vec::new();
    for (at, _) in text.match_indices('$') {
        let rest = &text[at + 1..];
        let name_at = at + 1 + usize::from(rest.starts_with('{'));
        let Some(after) = text[name_at..].strip_prefix(name) else {
            continue;
        };
        if after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let start = span.start + name_at;
        let span = Span::new(start, start + name.len());
        edits.push(TextEdit {
            span,
            replacement: to.to_owned(),
        });
    }
    (!edits.is_empty()).then(|| Fix {
        title: format!("Use ${to}"),
        edits,
    })
}
