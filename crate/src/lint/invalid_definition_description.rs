//! InvalidDefinitionDescription: a comment in front of a stage or ARG describes it.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::node::Node;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = Rule {
    experimental: true,
    ..rule!(
        "InvalidDefinitionDescription",
        "invalid-definition-description",
        "A comment right before a named stage or an ARG starts with its name."
    )
};

/// `names` are the stage's name, or those of the ARG.
pub(super) fn check(node: &Node, kind: &str, names: &[&str]) -> Option<Diagnostic> {
    let comment = node.comments.last()?;
    let first = comment.split(' ').next().unwrap_or_default();
    if names.is_empty() || names.contains(&first) {
        return None;
    }
    let example = if let [only] = names {
        only
    } else {
        "<arg_key>"
    };
    let message =
        format!("Comment for {kind} should follow the format: `# {example} <description>`");
    Some(
        finding(&RULE, message, node.lines, node.span)
            .help("If the comment is about something else, put an empty line after it."),
    )
}
