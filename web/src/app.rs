//! The whole page: the store, the panes, the keys that work everywhere.

use wasm_bindgen::prelude::*;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use crate::components::{
    FilesPane, Help, dock, editor_pane, header, image_pane, notice_bar, pane_bar, start,
};
use crate::dom;
use crate::store::{Current, Handle, Pane, Store};

/// The whole page.
#[component]
pub fn App() -> Html {
    let current = use_reducer(Current::default);
    let store = {
        let dispatcher = current.dispatcher();
        (*use_memo((), move |()| Store::new(dispatcher))).clone()
    };
    {
        let store = store.clone();
        use_effect_with((), move |()| store.start());
    }
    let help = use_state(|| false);
    {
        let (store, help) = (store.clone(), help.clone());
        use_effect_with((), move |()| listen_to_keys(store, help));
    }
    let toggle_help = {
        let help = help.clone();
        Callback::from(move |()| help.set(!*help))
    };

    let app = Handle {
        model: current.0.clone(),
        store,
    };
    let model = &app.model;
    let pane = match model.pane {
        Pane::Files => "files",
        Pane::Dockerfile => "dockerfile",
        Pane::Image => "image",
        Pane::Dock(_) => "dock",
    };
    let content = if model.state.is_some() && model.broken.is_none() {
        html! {
            <>
                { pane_bar(&app) }
                <main class="work">
                    <div class="panes">
                        <FilesPane />
                        { editor_pane(&app) }
                        { image_pane(&app) }
                    </div>
                    { dock(&app) }
                </main>
            </>
        }
    } else {
        start(&app)
    };
    let said = model.said.clone();
    html! {
        <ContextProvider<Handle> context={app.clone()}>
            <div class={classes!("app", format!("show-{pane}"))}>
                { header(&app, &toggle_help) }
                { notice_bar(&app) }
                { content }
                <p role="status" class="unseen">{ said }</p>
                if *help {
                    <Help on_close={toggle_help} />
                }
            </div>
        </ContextProvider<Handle>>
    }
}

/// The keys that work everywhere; the editor has handled its own by then.
fn listen_to_keys(store: Store, help: UseStateHandle<bool>) -> impl FnOnce() {
    let listener = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
        if event.default_prevented() {
            return;
        }
        let modifier = event.ctrl_key() || event.meta_key();
        let typing = dom::takes_text(event.target());
        // With Shift or Caps Lock, browsers report a letter in either case.
        let key = event.key();
        let key = if key.len() == 1 {
            key.to_lowercase()
        } else {
            key
        };
        match (key.as_str(), modifier, event.shift_key()) {
            ("Enter", true, _) => store.build(),
            ("z", true, false) if !typing => store.undo(),
            ("z", true, true) if !typing => store.redo(),
            ("y", true, false) if !typing => store.redo(),
            ("?", false, _) if !typing => help.set(true),
            _ => return,
        }
        event.prevent_default();
    });
    let target = dom::document();
    let _ = target.add_event_listener_with_callback("keydown", listener.as_ref().unchecked_ref());
    move || {
        let callback = listener.as_ref().unchecked_ref();
        let _ = target.remove_event_listener_with_callback("keydown", callback);
    }
}
