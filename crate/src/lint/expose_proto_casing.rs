//! ExposeProtoCasing: protocols in lower case.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::instruction::Instruction;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "ExposeProtoCasing",
    "expose-proto-casing",
    "The protocol of a port is written in lower case."
);

pub(super) fn check(instruction: &Instruction, port: &str) -> Diagnostic {
    let message = format!("Defined protocol '{port}' in EXPOSE instruction should be lowercase");
    match instruction.args.iter().find(|word| word.text == port) {
        Some(word) => {
            let lower = port.to_lowercase();
            finding(&RULE, message, instruction.lines, word.span).fix(Fix::replace(
                format!("Write {lower}"),
                word.span,
                lower,
            ))
        }
        None => finding(&RULE, message, instruction.lines, instruction.span),
    }
}
