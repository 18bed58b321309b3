//! All builds of the session; two of them can be set side by side.

use yew::prelude::*;

use super::digest::Digest;
use crate::format;
use crate::store::use_app;

/// The list.
#[component]
pub fn HistoryView() -> Html {
    let app = use_app();
    let Some(state) = app.model.state.clone() else {
        return html! {};
    };
    let count = state.history.len();
    let last = state.history.last().map_or(0, |build| build.number);
    let previous = count
        .checked_sub(2)
        .map_or(last, |index| state.history[index].number);
    let chosen = use_state(|| None::<(u32, u32)>);
    let (before, after) = chosen.unwrap_or((previous, last));
    if count == 0 {
        return html! { <p class="empty">{ "No build yet. Each build is kept here, to be compared with others." }</p> };
    }
    let rows = state.history.iter().rev().map(|build| {
        let number = build.number;
        let radio = |group: &'static str, is_before: bool| {
            let chosen = chosen.clone();
            let checked = number == if is_before { before } else { after };
            html! {
                <input
                    type="radio"
                    name={group}
                    aria-label={format!("Build {number} as {group}")}
                    {checked}
                    onchange={move |_| chosen.set(Some(if is_before { (number, after) } else { (before, number) }))}
                />
            }
        };
        html! {
            <tr key={number}>
                <td>{ radio("before", true) }</td>
                <td>{ radio("after", false) }</td>
                <td class="number">{ number }</td>
                <td>{ if build.after.is_empty() { "first build".to_owned() } else { build.after.clone() } }</td>
                <td>{ if build.ok { format!("{} of {} cached", build.cached, build.steps) } else { "failed".to_owned() } }</td>
                <td class="number">{ format::seconds(build.seconds) }</td>
                <td>{ for build.digest.iter().map(|digest| html! { <Digest digest={digest.clone()} of={format!("image of build {number}")} /> }) }</td>
            </tr>
        }
    });
    let compare = {
        let store = app.store.clone();
        move |_| store.compare_builds(before, after)
    };
    html! {
        <div class="scroll" tabindex="0" role="region" aria-label="Builds">
            <table class="table history">
                <caption class="unseen">{ "All builds, the last first" }</caption>
                <thead>
                    <tr>
                        <th scope="col">{ "before" }</th>
                        <th scope="col">{ "after" }</th>
                        <th scope="col" class="number">{ "Build" }</th>
                        <th scope="col">{ "What led to it" }</th>
                        <th scope="col">{ "Steps" }</th>
                        <th scope="col" class="number">{ "Seconds" }</th>
                        <th scope="col">{ "Image" }</th>
                    </tr>
                </thead>
                <tbody>{ for rows }</tbody>
            </table>
            if count > 1 {
                <p class="below-table">
                    <button type="button" class="button" onclick={compare}>{ format!("Compare builds {before} and {after}") }</button>
                </p>
            } else {
                <p class="below-table">{ "A second build can be compared with this one." }</p>
            }
        </div>
    }
}
