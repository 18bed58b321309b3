//! MaintainerDeprecated: a label says who made an image.

use crate::dockerfile::diagnostic::{Diagnostic, Fix};
use crate::dockerfile::node::Node;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "MaintainerDeprecated",
    "maintainer-deprecated",
    "MAINTAINER is deprecated; the label org.opencontainers.image.authors takes its place."
);

pub(super) fn check(node: &Node) -> Diagnostic {
    let message = "Maintainer instruction is deprecated in favor of using label".to_owned();
    let found = finding(&RULE, message, node.lines, node.span);
    match node.args.as_slice() {
        [name] if !name.text.contains(['"', '\\', '$', '`']) => {
            let label = format!("LABEL org.opencontainers.image.authors=\"{}\"", name.text);
            found.fix(Fix::replace("Write a label", node.span, label))
        }
        _ => found.help("Write LABEL org.opencontainers.image.authors=\"…\"."),
    }
}
