//! JSONArgsRecommended: CMD and ENTRYPOINT in exec form.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::instruction::Instruction;
use crate::dockerfile::span::Span;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "JSONArgsRecommended",
    "json-args-recommended",
    "In shell form a shell is process 1, and signals such as that of docker stop end there."
);

/// For a CMD or ENTRYPOINT known to be in shell form without a SHELL in force.
pub(super) fn check(instruction: &Instruction) -> Diagnostic {
    let message = format!(
        "JSON arguments recommended for {} to prevent unintended behavior related to OS signals",
        instruction.name
    );
    let found = finding(&RULE, message, instruction.lines, instruction.span);
    match exec_form(instruction) {
        Some((span, text)) => found.fix(Fix::replace(format!("Write {text}"), span, text)),
        None => found.help("Write the program and its arguments as a JSON array of strings."),
    }
}

/// The exec form of a command that needs no shell: plain words only.
fn exec_form(instruction: &Instruction) -> Option<(Span, String)> {
    let [command] = instruction.args.as_slice() else {
        return None;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || " ./_-:,+@%".contains(c);
    if command.text.is_empty() || !command.text.chars().all(plain) {
        return None;
    }
    let words: Vec<String> = command
        .text
        .split_whitespace()
        .map(|word| format!("\"{word}\""))
        .collect();
    Some((command.span, format!("[{}]", words.join(", "))))
}
