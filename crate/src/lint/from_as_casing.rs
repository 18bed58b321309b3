//! FromAsCasing: AS is written in the case of FROM.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::node::Node;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "FromAsCasing",
    "from-as-casing",
    "FROM and AS of one instruction share their case."
);

pub(super) fn check(from: &Node) -> Option<Diagnostic> {
    let [_, keyword, _, ..] = from.args.as_slice() else {
        return None;
    };
    let name = &from.name.text;
    // A FROM in mixed case is for another rule.
    let wanted = if *name == name.to_lowercase() {
        keyword.text.to_lowercase()
    } else if *name == name.to_uppercase() {
        keyword.text.to_uppercase()
    } else {
        return None;
    };
    (keyword.text != wanted).then(|| {
        let message = format!(
            "'{}' and '{name}' keywords' casing do not match",
            keyword.text
        );
        finding(&RULE, message, from.lines, keyword.span).fix(Fix::replace(
            format!("Write {wanted}"),
            keyword.span,
            wanted,
        ))
    })
}
