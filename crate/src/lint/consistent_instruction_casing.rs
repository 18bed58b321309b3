//! ConsistentInstructionCasing: all instruction words in capitals, or all in lower case.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::instruction::Dockerfile;
use crate::dockerfile::span::{Lines, Span};

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "ConsistentInstructionCasing",
    "consistent-instruction-casing",
    "Instruction words follow the case that most of them have."
);

/// Words before the first FROM neither count nor are looked at. Capitals win a draw.
pub(super) fn check(file: &Dockerfile) -> Vec<Diagnostic> {
    let words = || {
        file.stages.iter().flat_map(|stage| {
            let own = stage
                .instructions
                .iter()
                .map(|i| (i.name.as_str(), i.lines, i.name_span));
            std::iter::once((stage.keyword.as_str(), stage.lines, stage.name_span)).chain(own)
        })
    };
    let lower = words()
        .filter(|(word, ..)| *word == word.to_lowercase())
        .count();
    let upper = words()
        .filter(|(word, ..)| *word == word.to_uppercase() && *word != word.to_lowercase())
        .count();
    words()
        .filter_map(|(word, lines, span)| judge(word, lines, span, lower > upper))
        .collect()
}

fn judge(word: &str, lines: Lines, span: Span, in_lower: bool) -> Option<Diagnostic> {
    let (wanted, name) = if in_lower {
        (word.to_lowercase(), "lowercase")
    } else {
        (word.to_uppercase(), "uppercase")
    };
    (word != wanted).then(|| {
        let message =
            format!("Command '{word}' should match the case of the command majority ({name})");
        finding(&RULE, message, lines, span).fix(Fix::replace(
            format!("Write {wanted}"),
            span,
            wanted,
        ))
    })
}
