//! On a narrow screen, the panes one at a time, in reading order.

use yew::prelude::*;

use crate::store::{Dock, Handle, Pane};

/// The bar; a wide screen hides it.
pub fn pane_bar(app: &Handle) -> Html {
    let panes = [
        (Pane::Files, "Files"),
        (Pane::Dockerfile, "Dockerfile"),
        (Pane::Image, "Image"),
    ]
    .into_iter()
    .chain(Dock::ALL.map(|dock| (Pane::Dock(dock), dock.name())));
    let buttons = panes.map(|(pane, name)| {
        let store = app.store.clone();
        html! {
            <button
                type="button"
                aria-current={(app.model.pane == pane).then_some("true")}
                onclick={move |_| store.show(pane)}
            >
                { name }
            </button>
        }
    });
    html! {
        <nav class="pane-bar" aria-label="Panes">{ for buttons }</nav>
    }
}
