//! NoEmptyContinuation: no blank lines inside an instruction.

use crate::dockerfile::diagnostic::{Diagnostic, Fix, TextEdit};
use crate::dockerfile::node::EmptyContinuation;
use crate::dockerfile::span::Span;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "NoEmptyContinuation",
    "no-empty-continuation",
    "A blank line inside a continued instruction is deprecated and will be refused one day."
);

pub(super) fn check(found: &EmptyContinuation) -> Diagnostic {
    let blanks = found.blanks.iter().copied();
    let span = blanks.clone().reduce(Span::join).unwrap_or_default();
    let edits = blanks
        .map(|span| TextEdit {
            span,
            replacement: String::new(),
        })
        .collect();
    finding(
        &RULE,
        "Empty continuation line".to_owned(),
        found.line,
        span,
    )
    .fix(Fix {
        title: "Remove the blank lines".to_owned(),
        edits,
    })
}
