//! What is seen while there is no session: that it is coming, or why it is not.

use yew::prelude::*;

use crate::store::Handle;

/// See the module.
pub fn start(app: &Handle) -> Html {
    let store = app.store.clone();
    html! {
        <main class="start">
            if let Some(notice) = &app.model.broken {
                <h2>{ "The engine does not run" }</h2>
                <p>{ notice.message.clone() }</p>
                <p>{ notice.help.clone() }</p>
                <button type="button" class="button is-main" onclick={move |_| store.start_over()}>
                    { "Start over" }
                </button>
            } else if app.model.notice.is_none() {
                <p class="start-loading">{ "Loading the engine and building the first example" }</p>
            }
        </main>
    }
}
