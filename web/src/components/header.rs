//! The top of the page: what is open, and what can be done with all of it.

use layerwise::view::ArchiveFormat;
use yew::prelude::*;

use super::icon::{Icon, IconButton};
use super::menu::{Item, Menu};
use super::options::Options;
use super::theme::ThemeSwitch;
use crate::dom;
use crate::store::{Handle, Job, Store};

/// The header; `on_help` is called when the list of keys is asked for.
pub fn header(app: &Handle, on_help: &Callback<()>) -> Html {
    let (model, store) = (&app.model, &app.store);
    let state = model.state.as_deref();

    let examples = model.examples.iter().map(|example| {
        let (store, file) = (store.clone(), example.file.clone());
        Item {
            label: example.title.clone().into(),
            hint: (!example.about.is_empty()).then(|| example.about.clone().into()),
            on_pick: Callback::from(move |()| store.open_example(file.clone())),
        }
    });
    let empty = {
        let store = store.clone();
        Item {
            label: "Nothing".into(),
            hint: Some("An empty workspace, for your own Dockerfile and files".into()),
            on_pick: Callback::from(move |()| store.open_empty()),
        }
    };
    let items: Vec<_> = examples.chain([empty]).collect();
    let title = state.map_or("", |state| state.title.as_str()).to_owned();

    let undo = state.and_then(|state| state.undo.clone());
    let redo = state.and_then(|state| state.redo.clone());
    let named = |word: &str, what: &Option<String>| match what {
        Some(what) => format!("{word} {what}"),
        None => format!("Nothing to {}", word.to_lowercase()),
    };

    let button = |icon: Icon, word: &str, what: &Option<String>, act: fn(&Store)| {
        let store = store.clone();
        IconButton::new(icon, named(word, what), move |()| act(&store)).enabled(what.is_some())
    };
    let undo_button = button(Icon::Undo, "Undo", &undo, Store::undo).keys("Control+Z");
    let redo_button = button(Icon::Redo, "Redo", &redo, Store::redo).keys("Control+Shift+Z");

    html! {
        <header class="top">
            <h1 class="brand">
                <svg viewBox="0 0 22 22" aria-hidden="true">
                    <path class="brand-top" d="M11 2 20 7 11 12 2 7z" />
                    <path d="m2 11 9 5 9-5M2 15l9 5 9-5" />
                </svg>
                <span>{ "Layerwise" }</span>
            </h1>
            if state.is_some() {
                <Menu
                    class="pill"
                    {items}
                    button={html! { <><span class="pill-word">{ "Example" }</span><b>{ title }</b></> }}
                />
                <div class="top-history">
                    { undo_button.show() }
                    { redo_button.show() }
                </div>
            }
            <span class="grow" />
            if state.is_some() {
                <Options />
                { export(app) }
            }
            <ThemeSwitch />
            <button
                type="button"
                class="icon-button"
                aria-label="Keys"
                title="Keys"
                aria-keyshortcuts="?"
                onclick={on_help.reform(|_| ())}
            >
                { "?" }
            </button>
            if state.is_some() {
                { build_button(app) }
            }
        </header>
    }
}

/// The image of the last build, to the user's machine.
fn export(app: &Handle) -> Html {
    let build = app
        .model
        .state
        .as_ref()
        .and_then(|state| state.build.as_ref())
        .filter(|build| build.image.is_some())
        .map(|build| build.summary.number);
    let Some(build) = build else {
        return html! {};
    };
    let item = |label: &'static str, hint: &'static str, format: ArchiveFormat| {
        let store = app.store.clone();
        Item {
            label: label.into(),
            hint: Some(hint.into()),
            on_pick: Callback::from(move |()| store.export(build, format)),
        }
    };
    let items = vec![
        item(
            "OCI layout",
            "A tar that skopeo, podman and containerd read",
            ArchiveFormat::Oci,
        ),
        item(
            "Docker archive",
            "A tar for docker load",
            ArchiveFormat::Docker,
        ),
    ];
    html! {
        <Menu class="button" {items} to_left=true button={html! { "Export" }} />
    }
}

/// Build, or what is under way and the way out of it.
fn build_button(app: &Handle) -> Html {
    let store = app.store.clone();
    let Some(running) = app.model.waiting() else {
        let keys = if dom::is_mac() { "⌘↵" } else { "Ctrl ↵" };
        return html! {
            <button type="button" class="button is-main build" aria-keyshortcuts="Control+Enter" onclick={move |_| store.build()}>
                { "Build" }<span class="keys-hint" aria-hidden="true">{ keys }</span>
            </button>
        };
    };
    let what = match running.job {
        Job::Build => "Building",
        Job::Suggest => "Trying orders",
        Job::Export => "Exporting",
        _ => "Opening",
    };
    let progress = &running.progress;
    let doing = if running.ending {
        "Ending".to_owned()
    } else if progress.doing.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {}", progress.doing)
    };
    html! {
        <div class="progress" title={doing.clone()}>
            <label>
                <span class="progress-words">{ doing }</span>
                if progress.total > 0 {
                    <progress max={progress.total.to_string()} value={progress.done.to_string()} />
                } else {
                    <progress />
                }
            </label>
            <button type="button" class="button" aria-disabled={running.ending.then_some("true")} onclick={move |_| store.cancel()}>
                { "Cancel" }
            </button>
        </div>
    }
}
