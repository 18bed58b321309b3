//! ReservedStageName: no stage is called `scratch` or `context`.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::golang::quote;
use crate::dockerfile::instruction::Dockerfile;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "ReservedStageName",
    "reserved-stage-name",
    "The names scratch and context have a meaning of their own."
);

pub(super) fn check(file: &Dockerfile) -> Vec<Diagnostic> {
    let reserved = file
        .stages
        .iter()
        .filter(|s| matches!(s.name.as_str(), "context" | "scratch"));
    reserved
        .map(|stage| {
            let message = format!(
                "Stage name should not use the same name as reserved stage {}",
                quote(&stage.name)
            );
            let span = stage.args.last().map_or(stage.span, |name| name.span);
            finding(&RULE, message, stage.lines, span)
        })
        .collect()
}
