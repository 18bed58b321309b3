//! The keys, and what the signs mean.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

use crate::dom;

/// See the module.
#[derive(Properties, PartialEq)]
pub struct HelpProps {
    /// It is put away.
    pub on_close: Callback<()>,
}

/// The dialog.
#[component]
pub fn Help(props: &HelpProps) -> Html {
    let dialog = use_node_ref();
    use_effect_with((), {
        let dialog = dialog.clone();
        move |()| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                let _ = dialog.show_modal();
            }
        }
    });
    let command = if dom::is_mac() { "⌘" } else { "Ctrl" };
    let keys = [
        (format!("{command} Enter"), "Build"),
        (format!("{command} Z"), "Undo, whatever it was"),
        (format!("{command} Shift Z"), "Redo"),
        (
            "Alt ↑, Alt ↓".to_owned(),
            "Move the instruction at the cursor",
        ),
        (
            "Drag, Escape".to_owned(),
            "Move an instruction by its handle; let it be",
        ),
        (
            "Tab".to_owned(),
            "To the next control; the editor does not hold it",
        ),
        (
            format!("{command} ], {command} ["),
            "Indent and unindent in the editor",
        ),
        (
            "↑ ↓ ← →, Enter".to_owned(),
            "Walk through a tree; open a file",
        ),
        ("F2, Delete".to_owned(), "Rename or delete the chosen file"),
        ("?".to_owned(), "This list, outside of a text"),
    ];
    let rows = keys.into_iter().map(|(keys, what)| {
        html! { <tr><td><kbd>{ keys }</kbd></td><td>{ what }</td></tr> }
    });
    html! {
        <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onclose={props.on_close.reform(|_: Event| ())}>
            <h2 id="help-title">{ "Keys" }</h2>
            <table class="keys">
                <tbody>{ for rows }</tbody>
            </table>
            <div class="dialog-buttons">
                <button type="button" class="button is-main" onclick={props.on_close.reform(|_: MouseEvent| ())}>
                    { "Close" }
                </button>
            </div>
        </dialog>
    }
}
