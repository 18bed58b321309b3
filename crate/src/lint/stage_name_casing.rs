//! StageNameCasing: stage names are written in lower case.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::node::Node;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "StageNameCasing",
    "stage-name-casing",
    "Stage names are case-insensitive; lower case keeps them readable next to instructions."
);

pub(super) fn check(from: &Node) -> Option<Diagnostic> {
    let [_, _, name] = from.args.as_slice() else {
        return None;
    };
    let lower = name.text.to_lowercase();
    (name.text != lower).then(|| {
        let message = format!("Stage name '{}' should be lowercase", name.text);
        finding(&RULE, message, from.lines, name.span).fix(Fix::replace(
            format!("Rename to {lower}"),
            name.span,
            lower,
        ))
    })
}
