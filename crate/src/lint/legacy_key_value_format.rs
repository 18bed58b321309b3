//! LegacyKeyValueFormat: `KEY=value`, not `KEY value`.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::instruction::Instruction;
use crate::dockerfile::span::Span;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "LegacyKeyValueFormat",
    "legacy-key-value-format",
    "ENV and LABEL with a blank instead of = take a single pair and are kept for old files only."
);

pub(super) fn check(instruction: &Instruction) -> Diagnostic {
    let name = &instruction.name;
    let message = format!(
        "\"{name} key=value\" should be used instead of legacy \"{name} key value\" format"
    );
    let found = finding(&RULE, message, instruction.lines, instruction.span);
    match instruction.args.as_slice() {
        [key, value, _] if !value.text.contains(['"', '\'', '\\', '`', '\n']) => {
            let quoted = if value.text.contains(char::is_whitespace) {
                format!("\"{}\"", value.text)
            } else {
                value.text.clone()
            };
            let pair = format!("{}={quoted}", key.text);
            let span = Span::join(key.span, value.span);
            found.fix(Fix::replace(format!("Write {pair}"), span, pair))
        }
        _ => found.help("Put = between key and value, and quotes around the value."),
    }
}
