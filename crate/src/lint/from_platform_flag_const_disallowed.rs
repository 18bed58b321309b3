//! FromPlatformFlagConstDisallowed: no fixed platform in FROM.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::expand::Expansion;
use crate::dockerfile::golang::quote;
use crate::dockerfile::instruction::Stage;
use crate::dockerfile::platform::Platform;

use super::report::finding;
use super::{Rule, rule};

pub(super) const RULE: Rule = rule!(
    "FromPlatformFlagConstDisallowed",
    "from-platform-flag-const-disallowed",
    "A fixed platform in FROM keeps the image from being built for others."
);

/// Quiet if the stage's name speaks of the platform.
pub(super) fn check(stage: &Stage, platform: &Expansion) -> Option<Diagnostic> {
    if !platform.matched.is_empty() || !platform.unmatched.is_empty() {
        return None;
    }
    let parsed = Platform::parse(&platform.text).ok()?;
    if stage.name.contains(&parsed.os) || stage.name.contains(&parsed.architecture) {
        return None;
    }
    let message = format!(
        "FROM --platform flag should not use constant value {}",
        quote(&platform.text)
    );
    let span = stage.flags.first().map_or(stage.span, |flag| flag.span);
    Some(
        finding(&RULE, message, stage.lines, span)
            .help("Use $BUILDPLATFORM or $TARGETPLATFORM, or name the stage after the platform."),
    )
}
