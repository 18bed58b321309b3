//! Everything that the steps of the last build printed, in order.

use layerwise::view::StepStatus;
use yew::prelude::*;

use super::why::log_line;
use crate::format;
use crate::store::Handle;

/// The log.
pub fn log_view(app: &Handle) -> Html {
    let Some(build) = app
        .model
        .state
        .as_ref()
        .and_then(|state| state.build.as_ref())
    else {
        return html! { <p class="empty">{ "No log yet. Build to see it." }</p> };
    };
    let chosen = app.model.step();
    let steps = build.steps.iter().enumerate().map(|(index, step)| {
        let number = index + 1;
        let end = match step.status {
            StepStatus::Done => format!("#{number} DONE {:.1}s\n", step.seconds),
            StepStatus::Cached => format!("#{number} CACHED\n"),
            StepStatus::Failed => {
                format!("#{number} ERROR after {}\n", format::seconds(step.seconds))
            }
            StepStatus::Skipped => format!("#{number} not reached\n"),
        };
        html! {
            <span class={classes!("log-step", (chosen == Some(index)).then_some("is-picked"))}>
                <b>{ format!("#{number} {}\n", step.name) }</b>
                { for step.log.iter().map(log_line) }
                <span class="log-end">{ end }</span>
            </span>
        }
    });
    html! {
        <pre class="log scroll" tabindex="0" role="region" aria-label={format!("Log of build {}", build.summary.number)}>
            { for steps }
            if let Some(error) = &build.error {
                <span class="log-error">{ error.message.clone() }</span>
            }
        </pre>
    }
}
