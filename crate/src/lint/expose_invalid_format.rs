//! ExposeInvalidFormat: EXPOSE names ports of the container, not of the host.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::instruction::Instruction;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "ExposeInvalidFormat",
    "expose-invalid-format",
    "Addresses and host ports are a matter of docker run; EXPOSE drops them."
);

pub(super) fn check(instruction: &Instruction, port: &str) -> Diagnostic {
    let message = format!(
        "EXPOSE instruction should not define an IP address or host-port mapping, found '{port}'"
    );
    let found = finding(&RULE, message, instruction.lines, instruction.span);
    let word = instruction.args.iter().find(|word| word.text == port);
    match (word, port.rsplit_once(':')) {
        (Some(word), Some((_, own))) => {
            found
                .at(word.span)
                .fix(Fix::replace(format!("Write {own}"), word.span, own))
        }
        _ => found,
    }
}
