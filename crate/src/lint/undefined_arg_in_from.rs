//! UndefinedArgInFrom: FROM only uses ARGs that stand before the first FROM.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::expand::Expansion;
use crate::dockerfile::globals::Globals;
use crate::dockerfile::instruction::Stage;
use crate::dockerfile::suggest::nearest;

use super::report::finding;
use super::undefined_var::rename;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "UndefinedArgInFrom",
    "undefined-arg-in-from",
    "A variable that FROM uses is declared with ARG before the first FROM."
);

/// For the base or the platform of a FROM.
pub(super) fn check(
    source: &str,
    stage: &Stage,
    expansion: &Expansion,
    globals: &Globals,
) -> Vec<Diagnostic> {
    let known = globals.known_names();
    let unknown = expansion
        .unmatched
        .iter()
        .filter(|name| !known.contains(name.as_str()));
    unknown
        .map(|name| {
            let near = nearest(name, known.iter().copied(), true).filter(|n| !n.is_empty());
            let mut message = format!("FROM argument '{name}' is not declared");
            if let Some(near) = &near {
                message.push_str(&format!(" (did you mean {near}?)"));
            }
            let found = finding(&RULE, message, stage.lines, stage.span);
            match near.and_then(|near| rename(source, stage.span, name, &near)) {
                Some(fix) => found.fix(fix),
                None => found.help(format!("Add ARG {name} before the first FROM.")),
            }
        })
        .collect()
}
