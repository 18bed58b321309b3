//! SecretsUsedInArgOrEnv: secrets are not put in ARG or ENV.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::golang::quote;
use crate::dockerfile::instruction::Instruction;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "SecretsUsedInArgOrEnv",
    "secrets-used-in-arg-or-env",
    "ARG and ENV end up in the image, where anybody who has it can read them."
);

/// Words that speak of a secret.
const SECRET: [&str; 10] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "password",
    "pword",
    "passwd",
    "secret",
    "token",
];
/// Words that say it is none after all.
const HARMLESS: [&str; 3] = ["public", "file", "version"];

pub(super) fn check(instruction: &Instruction, kind: &str, name: &str) -> Option<Diagnostic> {
    let name_lower = name.to_lowercase();
    let has = |words: &[&str]| name_lower.split('_').any(|part| words.contains(&part));
    (has(&SECRET) && !has(&HARMLESS)).then(|| {
        let message = format!(
            "Do not use ARG or ENV instructions for sensitive data ({kind} {})",
            quote(name)
        );
        let word = instruction.args.iter().find(|w| w.text.starts_with(name));
        let span = word.map_or(instruction.span, |word| word.span);
        finding(&RULE, message, instruction.lines, span)
            .help("Give it to the RUN that needs it: RUN --mount=type=secret,id=….")
    })
}
