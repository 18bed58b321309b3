//! RedundantTargetPlatform: the target platform needs no flag.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::expand::{Expansion, Variables};
use crate::dockerfile::globals::Globals;
use crate::dockerfile::instruction::Stage;
use crate::dockerfile::span::Span;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "RedundantTargetPlatform",
    "redundant-target-platform",
    "A stage is built for the target platform anyway."
);

pub(super) fn check(
    source: &str,
    stage: &Stage,
    platform: &Expansion,
    globals: &Globals,
) -> Option<Diagnostic> {
    const TARGET: &str = "TARGETPLATFORM";
    let only_target = platform.matched.len() == 1
        && platform.matched.contains(TARGET)
        && platform.unmatched.is_empty();
    let target = globals.env.get(TARGET).unwrap_or_default();
    (only_target && platform.text == target).then(|| {
        let message = format!(
            "Setting platform to predefined {} in FROM is redundant as this is the default behavior",
            stage.platform
        );
        let flag = stage.flags.first().map_or(stage.span, |flag| flag.span);
        let rest = source.get(flag.end..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let whole = Span::new(flag.start, flag.end + blanks);
        finding(&RULE, message, stage.lines, flag).fix(Fix::replace("Remove the flag", whole, ""))
    })
}
