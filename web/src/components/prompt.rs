//! A small dialog that asks for one or two words.

use web_sys::{HtmlDialogElement, HtmlInputElement};
use yew::prelude::*;

/// What is asked.
#[derive(Clone, PartialEq)]
pub struct Question {
    /// The title: `Rename src/app.js`.
    pub title: AttrValue,
    /// The fields: label and first value.
    pub fields: Vec<(AttrValue, AttrValue)>,
    /// What the button says: `Rename`.
    pub action: AttrValue,
    /// What is done with the answers, none of them empty.
    pub on_answer: Callback<Vec<String>>,
}

/// See [`Question`].
#[derive(Properties, PartialEq)]
pub struct PromptProps {
    /// What is asked.
    pub question: Question,
    /// The dialog is over.
    pub on_close: Callback<()>,
}

/// The dialog.
#[component]
pub fn Prompt(props: &PromptProps) -> Html {
    let dialog = use_node_ref();
    let answers = use_state(|| {
        let fields = props.question.fields.iter();
        fields
            .map(|(_, value)| value.to_string())
            .collect::<Vec<_>>()
    });
    use_effect_with((), {
        let dialog = dialog.clone();
        move |()| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                let _ = dialog.show_modal();
            }
        }
    });
    let complete = answers.iter().all(|answer| !answer.trim().is_empty());
    let onsubmit = {
        let (answers, on_answer, on_close) = (
            answers.clone(),
            props.question.on_answer.clone(),
            props.on_close.clone(),
        );
        move |event: SubmitEvent| {
            event.prevent_default();
            if complete {
                let trimmed = answers.iter().map(|answer| answer.trim().to_owned());
                on_answer.emit(trimmed.collect());
                on_close.emit(());
            }
        }
    };
    let onclose = props.on_close.reform(|_: Event| ());
    let cancel = props.on_close.reform(|_: MouseEvent| ());
    let fields = props
        .question
        .fields
        .iter()
        .enumerate()
        .map(|(index, (label, _))| {
            let all = answers.clone();
            let oninput = move |event: InputEvent| {
                let mut now = (*all).clone();
                now[index] = event.target_unchecked_into::<HtmlInputElement>().value();
                all.set(now);
            };
            html! {
                <label class="field">
                    <span>{ label.clone() }</span>
                    <input
                        type="text"
                        autocomplete="off"
                        spellcheck="false"
                        autofocus={index == 0}
                        value={answers[index].clone()}
                        {oninput}
                    />
                </label>
            }
        });
    html! {
        <dialog ref={dialog} class="dialog" aria-labelledby="prompt-title" {onclose}>
            <form {onsubmit}>
                <h2 id="prompt-title">{ props.question.title.clone() }</h2>
                { for fields }
                <div class="dialog-buttons">
                    <button type="button" class="button" onclick={cancel}>{ "Cancel" }</button>
                    <button type="submit" class="button is-main" aria-disabled={(!complete).then_some("true")}>
                        { props.question.action.clone() }
                    </button>
                </div>
            </form>
        </dialog>
    }
}
