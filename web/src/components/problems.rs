//! Errors and warnings of the Dockerfile, and why the last build failed.

use layerwise::view::{DiagnosticView, SeverityView};
use yew::prelude::*;

use super::editor_pane::fixed;
use super::icon::{Icon, icon};
use crate::store::Handle;

/// The list.
pub fn problems_view(app: &Handle) -> Html {
    let Some(state) = app.model.state.clone() else {
        return html! {};
    };
    let failed = state.build.as_ref().and_then(|build| build.error.clone());
    if state.diagnostics.is_empty() && failed.is_none() && state.prediction.error.is_none() {
        return html! { <p class="empty">{ "No problems: no build check has anything to say." }</p> };
    }
    let line_button = |lines: [u32; 2]| {
        let store = app.store.clone();
        html! {
            <button type="button" class="row-button" onclick={move |_| store.go_to(lines[0])}>
                { format!("line {}", lines[0]) }
            </button>
        }
    };
    let message = failed.as_ref().map(|error| error.message.clone());
    let failed = failed.map(|error| {
        html! {
            <li class="problem is-failed">
                { icon(Icon::Cross) }
                <div>
                    <p><b>{ "The last build failed. " }</b>{ error.message.clone() }</p>
                    { for error.help.map(|help| html! { <p class="help">{ help }</p> }) }
                </div>
                { for error.lines.map(line_button) }
            </li>
        }
    });
    // What the diagnostics or the last build say is not said twice.
    let error = state
        .prediction
        .error
        .clone()
        .filter(|error| !state.diagnostics.iter().any(|each| each.message == *error))
        .filter(|error| message.as_ref() != Some(error))
        .map(|error| {
            html! {
                <li class="problem is-failed">
                    { icon(Icon::Cross) }
                    <div><p><b>{ "It cannot be built. " }</b>{ error }</p></div>
                </li>
            }
        });
    let problems = state.diagnostics.iter().enumerate().map(|(number, problem)| {
        let (icon_of, class, word) = match problem.severity {
            SeverityView::Error => (Icon::Cross, "is-failed", "Error"),
            SeverityView::Warning => (Icon::Warning, "is-built", "Warning"),
            SeverityView::Info => (Icon::Info, "is-base", "Note"),
        };
        let fixes = problem.fixes.iter().enumerate().map(|(fix, view)| {
            let (store, state) = (app.store.clone(), state.clone());
            let apply = move |_| {
                if let Some(text) = fixed(&state, &format!("{number}.{fix}")) {
                    store.type_dockerfile(text);
                }
            };
            html! { <button type="button" class="button" onclick={apply}>{ view.title.clone() }</button> }
        });
        html! {
            <li class={classes!("problem", class)} key={number}>
                { icon(icon_of) }
                <div>
                    <p><b>{ title(problem, word) }</b>{ " " }{ problem.message.clone() }</p>
                    { for problem.help.iter().map(|help| html! { <p class="help">{ help.clone() }</p> }) }
                    <div class="fixes">{ for fixes }</div>
                </div>
                { line_button(problem.lines) }
            </li>
        }
    });
    html! {
        <ul class="problems scroll" tabindex="0" aria-label="Problems">
            { for error }
            { for failed }
            { for problems }
        </ul>
    }
}

fn title(problem: &DiagnosticView, word: &str) -> String {
    match &problem.rule {
        Some(rule) => format!("{word}, {rule}."),
        None => format!("{word}."),
    }
}
