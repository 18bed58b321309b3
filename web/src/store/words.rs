//! What the user is told, in sentences.

use layerwise::view::{Refusal, State, StepStatus};

use super::Notice;
use crate::format;

/// A request that was refused.
pub fn refused(refusal: Refusal) -> Notice {
    Notice {
        bad: true,
        message: refusal.message,
        help: refusal.help,
    }
}

/// A request that failed.
pub fn failed(message: String) -> Notice {
    Notice {
        bad: true,
        message: format!("That did not work: {message}."),
        help: Some("Your work is unchanged. Try it again.".into()),
    }
}

/// One sentence on the last build, to be read out.
pub fn build_sentence(state: &State) -> String {
    let Some(build) = &state.build else {
        return "Nothing was built.".into();
    };
    let summary = &build.summary;
    if let Some(error) = &build.error {
        return format!("Build {} failed. {}", summary.number, error.message);
    }
    let first_miss = build
        .steps
        .iter()
        .find(|step| step.status == StepStatus::Done)
        .map(|step| format!(" First miss: {}, because {}.", step.name, step.why.because));
    format!(
        "Build {}: {} of {} steps cached, {}.{}",
        summary.number,
        summary.cached,
        summary.steps,
        format::seconds(summary.seconds),
        first_miss.unwrap_or_default()
    )
}

/// One sentence on the next build, to be read out.
pub fn prediction_sentence(state: &State) -> String {
    let prediction = &state.prediction;
    if let Some(error) = &prediction.error {
        return format!("The next build fails. {error}");
    }
    let first_miss = prediction.first_miss.as_ref().map(|miss| {
        format!(
            " First miss: step {} {}, because {}.",
            miss.number, miss.text, miss.because
        )
    });
    format!(
        "Next build: {} of {} steps cached.{}",
        prediction.cached,
        prediction.steps,
        first_miss.unwrap_or_default()
    )
}
