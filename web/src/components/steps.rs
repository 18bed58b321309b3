//! The steps of the last build, and beside them why the chosen one hit or missed.

use yew::prelude::*;

use super::status::Verdict;
use super::why::why;
use crate::format;
use crate::store::{Chosen, Handle};

/// The table and its explanation.
pub fn steps_view(app: &Handle) -> Html {
    let model = &app.model;
    let Some(build) = model.state.as_ref().and_then(|state| state.build.as_ref()) else {
        return html! { <p class="empty">{ "No steps yet. Build to see them." }</p> };
    };
    let chosen = model.step();
    let rows = build.steps.iter().enumerate().map(|(index, step)| {
        let store = app.store.clone();
        let choose = Callback::from(move |_: MouseEvent| store.choose(Chosen::Step(index)));
        let is_chosen = chosen == Some(index);
        html! {
            <tr
                key={index}
                class={classes!(is_chosen.then_some("is-picked"))}
                data-step={index.to_string()}
                onclick={choose.clone()}
            >
                <td>{ Verdict::from(step.status).show() }</td>
                <td class="step-name">
                    <button type="button" class="row-button mono" aria-pressed={if is_chosen { "true" } else { "false" }} onclick={choose}>
                        { step.name.clone() }
                    </button>
                </td>
                <td class="number">
                    { if step.modelled && step.seconds > 0.0 { "≈ " } else { "" } }
                    { format::seconds(step.seconds) }
                </td>
                <td class="number">{ step.saved.map(format::seconds) }</td>
                <td class="number">{ step.bytes.map(|bytes| format::size(bytes, step.modelled)) }</td>
            </tr>
        }
    });
    let summary = &build.summary;
    html! {
        <div class="split">
            <div class="scroll" tabindex="0" role="region" aria-label="Steps of the build">
                <table class="table steps">
                    <caption class="unseen">{ format!("Steps of build {}", summary.number) }</caption>
                    <thead>
                        <tr>
                            <th scope="col">{ "Status" }</th>
                            <th scope="col">{ format!("Build {}: {} of {} cached", summary.number, summary.cached, summary.steps) }</th>
                            <th scope="col" class="number">{ "Seconds" }</th>
                            <th scope="col" class="number">{ "Saved" }</th>
                            <th scope="col" class="number">{ "Layer" }</th>
                        </tr>
                    </thead>
                    <tbody>{ for rows }</tbody>
                    <tfoot>
                        <tr>
                            <td></td>
                            <td>{ if summary.after.is_empty() { "In all".to_owned() } else { format!("In all, after: {}", summary.after) } }</td>
                            <td class="number">{ format::seconds(summary.seconds) }</td>
                            <td></td>
                            <td class="number">{ build.image.as_ref().map(|image| format::size(image.size, image.layers.iter().any(|layer| layer.modelled))) }</td>
                        </tr>
                    </tfoot>
                </table>
            </div>
            <div class="scroll aside" tabindex="0" role="region" aria-label="Why">
                { why(app) }
            </div>
        </div>
    }
}
