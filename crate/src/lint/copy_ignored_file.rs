//! CopyIgnoredFile: what is copied is not left out of the build context.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::golang::{clean_path, quote};
use crate::dockerfile::instruction::{Command, Instruction};

use super::report::finding;
use super::{Ignored, Rule, rule};

pub(super) const RULE: Rule = rule!(
    "CopyIgnoredFile",
    "copy-ignored-file",
    "A path that the ignore file leaves out cannot be copied."
);

/// Quiet if a pattern takes paths in again: what such a file amounts to depends on what is there.
pub(super) fn check(
    instruction: &Instruction,
    source: &str,
    ignored: &dyn Ignored,
) -> Option<Diagnostic> {
    if ignored.has_exceptions() {
        return None;
    }
    let path = clean_path(source);
    if matches!(path.as_str(), "." | "/") && !ignored.ignores_all() {
        return None;
    }
    let verb = if matches!(instruction.command, Command::Add(_)) {
        "Add"
    } else {
        "Copy"
    };
    ignored.ignores(&path).then(|| {
        let message = format!(
            "Attempting to {verb} file {} that is excluded by .dockerignore",
            quote(&path)
        );
        let word = instruction.args.iter().find(|word| word.text == source);
        let span = word.map_or(instruction.span, |word| word.span);
        finding(&RULE, message, instruction.lines, span)
            .help("Take the pattern out of .dockerignore, or the path out of the instruction.")
    })
}
