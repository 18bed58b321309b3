//! The bottom of the page: one view at a time of the build, or of several.

use web_sys::KeyboardEvent;
use yew::prelude::*;

use super::compare::CompareView;
use super::history::HistoryView;
use super::log::log_view;
use super::problems::problems_view;
use super::steps::steps_view;
use crate::dom;
use crate::store::{self, Handle, Pane};

/// The dock.
pub fn dock(app: &Handle) -> Html {
    let shown = app.model.dock;
    let problems = app
        .model
        .state
        .as_ref()
        .map_or(0, |state| state.diagnostics.len());
    let all = store::Dock::ALL;
    let at = all.iter().position(|dock| *dock == shown).unwrap_or(0);
    let onkeydown = {
        let store = app.store.clone();
        move |event: KeyboardEvent| {
            let to = match event.key().as_str() {
                "ArrowRight" => (at + 1) % all.len(),
                "ArrowLeft" => (at + all.len() - 1) % all.len(),
                "Home" => 0,
                "End" => all.len() - 1,
                _ => return,
            };
            event.prevent_default();
            store.show(Pane::Dock(all[to]));
            dom::focus(&id(all[to]));
        }
    };
    let tabs = all.map(|dock| {
        let store = app.store.clone();
        let is_shown = dock == shown;
        html! {
            <button
                type="button"
                role="tab"
                id={id(dock)}
                aria-selected={if is_shown { "true" } else { "false" }}
                aria-controls={is_shown.then_some("dock-view")}
                tabindex={if is_shown { "0" } else { "-1" }}
                onclick={move |_| store.show(Pane::Dock(dock))}
            >
                { dock.name() }
                if dock == store::Dock::Problems && problems > 0 {
                    <span class="badge">{ problems }</span>
                }
            </button>
        }
    });
    html! {
        <section class="dock" aria-label="Build">
            <h2 class="unseen">{ "The build" }</h2>
            <div class="dock-tabs" role="tablist" aria-label="Views of the build" {onkeydown}>{ for tabs }</div>
            <div class="dock-view" id="dock-view" key={shown.name()} role="tabpanel" aria-labelledby={id(shown)}>
                { match shown {
                    store::Dock::Steps => steps_view(app),
                    store::Dock::Compare => html! { <CompareView /> },
                    store::Dock::Log => log_view(app),
                    store::Dock::History => html! { <HistoryView /> },
                    store::Dock::Problems => problems_view(app),
                } }
            </div>
        </section>
    }
}

fn id(dock: store::Dock) -> String {
    format!("dock-{}", dock.name().to_lowercase())
}
