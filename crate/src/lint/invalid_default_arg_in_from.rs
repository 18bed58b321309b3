//! InvalidDefaultArgInFrom: FROM makes sense without build arguments.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::expand::Lexer;
use crate::dockerfile::globals::Globals;
use crate::dockerfile::instruction::Dockerfile;
use crate::dockerfile::reference::Reference;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "InvalidDefaultArgInFrom",
    "invalid-default-arg-in-from",
    "The defaults of the ARGs before the first FROM make a valid image name."
);

/// `defaults` are the variables without any build argument.
pub(super) fn check(file: &Dockerfile, lexer: Lexer, defaults: &Globals) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for stage in &file.stages {
        let Ok(base) = lexer.expand(&stage.base, &defaults.env).into_text() else {
            break;
        };
        if Reference::parse(&base).is_err() {
            let message = format!(
                "Default value for ARG {} results in empty or invalid base image name",
                stage.base
            );
            let span = stage.args.first().map_or(stage.span, |base| base.span);
            found.push(finding(&RULE, message, stage.lines, span));
        }
    }
    found
}
