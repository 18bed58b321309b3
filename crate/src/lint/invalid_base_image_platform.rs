//! InvalidBaseImagePlatform: the base image is for the platform of the stage.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::golang::quote;
use crate::dockerfile::platform::Platform;
use crate::dockerfile::span::{Lines, Span};

use super::Rule;
use super::report::finding;

pub(super) const RULE: Rule = Rule {
    name: "InvalidBaseImagePlatform",
    about: "A base image for another platform may not run.",
    url: None,
    experimental: false,
};

/// `image` is the name as it is written, with its variables replaced.
pub(super) fn check(
    image: &str,
    wanted: &Platform,
    actual: &Platform,
    lines: Lines,
    span: Span,
) -> Option<Diagnostic> {
    let same = wanted.os == actual.os && wanted.architecture == actual.architecture;
    (!same).then(|| {
        let message = format!(
            "Base image {image} was pulled with platform {}, expected {} for current build",
            quote(&actual.normalized().to_string()),
            quote(&wanted.normalized().to_string())
        );
        finding(&RULE, message, lines, span)
    })
}
