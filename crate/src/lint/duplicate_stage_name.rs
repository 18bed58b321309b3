//! DuplicateStageName: a name for each stage.

use std::collections::BTreeSet;

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::golang::quote;
use crate::dockerfile::instruction::Dockerfile;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "DuplicateStageName",
    "duplicate-stage-name",
    "Of two stages with one name, only the later can be reached by it."
);

pub(super) fn check(file: &Dockerfile) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let again = file
        .stages
        .iter()
        .filter(|s| !s.name.is_empty() && !seen.insert(&s.name));
    again
        .map(|stage| {
            let message = format!(
                "Duplicate stage name {}, stage names should be unique",
                quote(&stage.name)
            );
            let span = stage.args.last().map_or(stage.span, |name| name.span);
            finding(&RULE, message, stage.lines, span)
        })
        .collect()
}
