//! A file of the image, with all its versions through the layers.

use layerwise::view::{ChangeKind, Version};
use yew::prelude::*;

use super::icon::{Icon, icon};
use crate::format;
use crate::store::use_app;

/// The file.
#[component]
pub fn Peek() -> Html {
    let app = use_app();
    let chosen = use_state(|| None::<u32>);
    let Some(key) = app.model.peek.clone() else {
        return html! {};
    };
    let back = {
        let store = app.store.clone();
        move |_| store.peek(None)
    };
    let head = html! {
        <div class="head">
            <button type="button" class="button back" onclick={back}>{ "Back to the tree" }</button>
            <h3 class="peek-path" title={key.1.clone()}>{ format!("/{}", key.1) }</h3>
        </div>
    };
    let Some(file) = app.model.files.get(&key).cloned() else {
        return html! { <div class="peek">{ head }<p class="empty">{ "Loading" }</p></div> };
    };
    let deleted = file
        .versions
        .last()
        .is_some_and(|last| last.change == ChangeKind::Deleted);
    let held = |version: &&Version| version.change != ChangeKind::Deleted;
    let current = chosen
        .and_then(|layer| file.versions.iter().find(|version| version.layer == layer))
        .or_else(|| file.versions.iter().rev().find(held));
    let versions = file.versions.iter().rev().map(|version| {
        let (letter, word) = match version.change {
            ChangeKind::Deleted => ("D", "deleted"),
            ChangeKind::Changed => ("M", "changed"),
            ChangeKind::Added | ChangeKind::Parent => ("A", "added"),
        };
        let layer = version.layer;
        let is_shown = current.is_some_and(|current| current.layer == layer);
        let (choose, is_deleted) = (chosen.clone(), version.change == ChangeKind::Deleted);
        html! {
            <li>
                <button
                    type="button"
                    aria-pressed={if is_shown { "true" } else { "false" }}
                    aria-disabled={is_deleted.then_some("true")}
                    onclick={move |_| if !is_deleted { choose.set(Some(layer)) }}
                >
                    <span class={classes!("letter", format!("letter-{word}"))} aria-hidden="true">{ letter }</span>
                    { format!("{word} in layer {}", layer + 1) }
                    if !is_deleted {
                        <span class="bytes">{ format::bytes(version.size) }</span>
                    }
                </button>
            </li>
        }
    });
    let is_top = current.map(|version| version.layer)
        == file
            .versions
            .iter()
            .rev()
            .find(held)
            .map(|version| version.layer);
    let text = match current {
        Some(version) => version
            .text
            .clone()
            .or_else(|| file.text.clone().filter(|_| is_top)),
        None => file.text.clone(),
    };
    let sha256 = current
        .and_then(|version| version.sha256.clone())
        .or_else(|| file.sha256.clone());
    html! {
        <div class="peek">
            { head }
            if deleted {
                <p class="still-there">{ icon(Icon::Warning) }{ "Deleted, but still in the image: whoever has it can read the layer below." }</p>
            }
            <ol class="versions" reversed=true aria-label="Versions, the uppermost layer's first">{ for versions }</ol>
            <p class="counts">
                { format!("{} · {}:{}", format::mode(file.row.mode), file.row.owner[0], file.row.owner[1]) }
                if let Some(target) = &file.row.target { { format!(" · → {target}") } }
                if let Some(sha256) = sha256 { { " · sha256 " }<span class="mono">{ format::short(&sha256).to_owned() }</span> }
                if file.row.modelled { { " · a stand-in: the size is modelled" } }
            </p>
            if let Some(text) = text {
                <pre class="peek-text" tabindex="0" aria-label={format!("Content of {}", key.1)}>{ text }</pre>
            } else {
                <p class="empty">{ "No text to show." }</p>
            }
        </div>
    }
}
