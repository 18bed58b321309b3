//! MultipleInstructionsDisallowed: one CMD, ENTRYPOINT and HEALTHCHECK for each stage.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::instruction::Instruction;
use crate::dockerfile::scope::Place;
use crate::dockerfile::span::LineIndex;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "MultipleInstructionsDisallowed",
    "multiple-instructions-disallowed",
    "Of several CMD, ENTRYPOINT or HEALTHCHECK in a stage only the last one counts."
);

/// `void` is the earlier instruction, which no longer counts.
pub(super) fn check(index: &LineIndex, instruction: &Instruction, void: Place) -> Diagnostic {
    let name = &instruction.name;
    let message = format!(
        "Multiple {name} instructions should not be used in the same stage because only the last \
         one will be used"
    );
    finding(&RULE, message, void.lines, void.span).fix(Fix::replace(
        format!("Remove this {name}"),
        index.span_of(void.lines),
        "",
    ))
}
