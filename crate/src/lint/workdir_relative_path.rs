//! WorkdirRelativePath: the first WORKDIR is absolute.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::golang::quote;
use crate::dockerfile::instruction::Instruction;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "WorkdirRelativePath",
    "workdir-relative-path",
    "A relative WORKDIR with none before it hangs on the working directory of the base image."
);

pub(super) fn check(instruction: &Instruction, path: &str) -> Diagnostic {
    let message = format!(
        "Relative workdir {} can have unexpected results if the base image changes",
        quote(path)
    );
    let found = finding(&RULE, message, instruction.lines, instruction.span);
    match instruction.args.as_slice() {
        [word] if word.text == path && !path.starts_with('.') => {
            let text = format!("/{path}");
            found.fix(Fix::replace(format!("Write {text}"), word.span, text))
        }
        _ => found.help("Start the path with /."),
    }
}
