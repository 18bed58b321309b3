//! The bar under the editor: what the next build costs, and why; and one thing to do about it.

use layerwise::view::{MatrixCell, MatrixRow, Prediction, State, Suggestion};
use yew::prelude::*;

use super::icon::{Icon, icon};
use crate::format;
use crate::store::{Dock, Handle, Job, Model, Orders, Pane, Reorder, Store};

/// The bar.
pub fn verdict_bar(app: &Handle) -> Html {
    let Some(state) = app.model.state.clone() else {
        return html! {};
    };
    let model = &app.model;
    let content = if let Some(error) = &state.prediction.error {
        broken(error, &app.store)
    } else if let (None, Some(error)) = (
        &state.prediction.first_miss,
        &state.build.as_ref().and_then(|build| build.error.clone()),
    ) {
        broken(&error.message, &app.store)
    } else if let Some(reorder) = model.reorder.as_ref().filter(|_| state.build.is_some()) {
        reordered(reorder, model, &state, &app.store)
    } else {
        plain(model, &state, &app.store)
    };
    html! { <div class="verdict" role="group" aria-label="The next build">{ content }</div> }
}

/// The seconds of a rebuild now, beside those with nothing changed.
fn figure(prediction: &Prediction) -> Html {
    let seconds = prediction.seconds.map(format::seconds);
    html! {
        <div class="figure">
            if prediction.cached == prediction.steps && prediction.steps > 0 {
                <span class="now is-hit">{ format::seconds(0.0) }</span>
            } else {
                <s>{ format::seconds(0.0) }</s>
                <span class="arrow" aria-hidden="true">{ "→" }</span>
                if let Some(seconds) = seconds {
                    <span class="now">{ seconds }</span>
                } else {
                    <span class="now is-pending" title="The seconds are being found out">{ "… s" }</span>
                }
            }
        </div>
    }
}

fn main_button(label: impl Into<AttrValue>, act: impl Fn() + 'static) -> Html {
    html! {
        <button type="button" class="button is-main" onclick={move |_| act()}>{ label.into() }</button>
    }
}

fn button(label: impl Into<AttrValue>, act: impl Fn() + 'static) -> Html {
    html! {
        <button type="button" class="button" onclick={move |_| act()}>{ label.into() }</button>
    }
}

fn build_button(store: &Store, main: bool) -> Html {
    let store = store.clone();
    let act = move || store.build();
    if main {
        main_button("Build", act)
    } else {
        button("Build", act)
    }
}

/// It cannot be built.
fn broken(error: &str, store: &Store) -> Html {
    let store = store.clone();
    html! {
        <>
            <span class="figure is-failed">{ icon(Icon::Cross) }</span>
            <p><b>{ "It does not build. " }</b>{ error }</p>
            <div class="verdict-buttons">
                { main_button("Show the problem", move || store.show(Pane::Dock(Dock::Problems))) }
            </div>
        </>
    }
}

/// The verdict on the present order.
fn plain(model: &Model, state: &State, store: &Store) -> Html {
    let prediction = &state.prediction;
    let Some(build) = &state.build else {
        return html! {
            <>
                <p><b>{ "Nothing is built yet." }</b>{ " Build it to see its steps and layers." }</p>
                <div class="verdict-buttons">{ build_button(store, true) }</div>
            </>
        };
    };
    let cached = format!(
        "{} of {} steps cached.",
        prediction.cached, prediction.steps
    );
    let Some(miss) = &prediction.first_miss else {
        let try_first = state.try_first.clone().map(|first| {
            let store = store.clone();
            main_button(first.label, move || store.edit(first.edit.clone()))
        });
        return html! {
            <>
                { figure(prediction) }
                <p>
                    <b>{ cached }</b>
                    { format!(" Build {} took {}; ", build.summary.number, format::seconds(build.summary.seconds)) }
                    if try_first.is_some() {
                        { "what does a small edit cost now?" }
                    } else {
                        { "nothing has changed since. Edit a file or an instruction to see what that costs." }
                    }
                </p>
                <div class="verdict-buttons">{ for try_first }</div>
            </>
        };
    };
    let best = model
        .suggestions
        .as_ref()
        .map(|suggestions| suggestions.first());
    let buttons = match best {
        Some(Some(best)) => {
            let (apply, best) = (store.clone(), best.clone());
            html! {
                <>
                    { build_button(store, false) }
                    { main_button("Apply it", move || apply.apply_order(best.title.clone(), best.dockerfile.clone())) }
                </>
            }
        }
        Some(None) => build_button(store, true),
        None => {
            let suggest = store.clone();
            html! {
                <>
                    { build_button(store, false) }
                    { main_button("Suggest an order", move || suggest.suggest()) }
                </>
            }
        }
    };
    html! {
        <>
            { figure(prediction) }
            <p>
                <b>{ cached }</b>
                { format!(" First miss: step {} ", miss.number) }
                <code>{ miss.text.clone() }</code>
                { ", because " }<b class="cause">{ miss.because.clone() }</b>{ "." }
                { for best.map(|best| match best {
                    Some(best) => suggested(best),
                    None => html! { <>{ " No better order was found that gives the same image." }</> },
                }) }
            </p>
            <div class="verdict-buttons">{ buttons }</div>
        </>
    }
}

/// The best suggestion in a sentence.
fn suggested(best: &Suggestion) -> Html {
    html! {
        <span class="suggested">
            { format!(" {}: ", best.title) }
            <b>{ format!("{} → {}", format::seconds(best.before.seconds), format::seconds(best.after.seconds)) }</b>
            { format!(" for {}", best.edit) }
        </span>
    }
}

/// Two orders side by side.
fn reordered(reorder: &Reorder, model: &Model, state: &State, store: &Store) -> Html {
    let undo = store.clone();
    let buttons = html! {
        <>
            { button("Undo", move || undo.undo()) }
            { build_button(store, true) }
        </>
    };
    let proof = reorder.proof.as_ref().and_then(|orders| {
        let row = edit_row(orders, state)?;
        Some((orders, row, row.cells.get(1)?, row.cells.first()?))
    });
    let Some((orders, row, before, after)) = proof else {
        let waiting = model.is_running(Job::Matrix) || reorder.proof.is_none();
        return html! {
            <>
                { figure(&state.prediction) }
                <p>
                    <b>{ reorder.what.clone() }</b>
                    { if waiting { ". Both orders are being built, to set them side by side." } else { "." } }
                </p>
                <div class="verdict-buttons">{ buttons }</div>
            </>
        };
    };
    html! {
        <>
            <div class="pair">
                { side("before", before) }
                <span class="arrow" aria-hidden="true">{ "→" }</span>
                { side("after", after) }
            </div>
            <p>
                <b>{ format!("{}.", reorder.what) }</b>
                { if is_made(row, state) { " For this edit; ".to_owned() } else { format!(" For {}; ", row.edit) } }
                { sameness(orders) }
            </p>
            <div class="verdict-buttons">{ buttons }</div>
        </>
    }
}

fn side(word: &'static str, cell: &MatrixCell) -> Html {
    let class = if word == "before" {
        "is-built"
    } else {
        "is-hit"
    };
    html! {
        <span class={classes!("side", class)}>
            <small>{ word }</small>
            <span class="now">{ if cell.failed { "fails".to_owned() } else { format::seconds(cell.seconds) } }</span>
            <small>{ format!("{} of {} run", cell.ran, cell.steps) }</small>
        </span>
    }
}

/// Whether the two orders give the same, in words.
pub fn sameness(orders: &Orders) -> Html {
    let (icon_of, class, words) = match (orders.matrix.same_files, orders.matrix.same_config) {
        (Some(true), Some(true)) => (Icon::Tick, "is-hit", "same final image, verified."),
        (Some(true), _) => (
            Icon::Warning,
            "is-built",
            "same files, but another configuration.",
        ),
        (Some(false), _) => (
            Icon::Warning,
            "is-built",
            "the final files are not the same.",
        ),
        (None, _) => (Icon::Info, "is-base", "not compared file by file."),
    };
    html! { <span class={classes!("verdict-word", class)}>{ icon(icon_of) }{ words }</span> }
}

/// Whether an edit is one that the user has made since the last build.
fn is_made(row: &MatrixRow, state: &State) -> bool {
    let mut changed = state.context.changed.iter();
    changed.any(|path| row.edit.contains(path.as_str()))
}

/// The row of the edit that the user has made, or else of the one that tells most.
fn edit_row<'a>(orders: &'a Orders, state: &State) -> Option<&'a MatrixRow> {
    let rows = &orders.matrix.rows;
    let tried = state
        .try_first
        .as_ref()
        .map(|first| first.label.to_lowercase());
    rows.iter()
        .find(|row| is_made(row, state))
        .or_else(|| {
            rows.iter()
                .find(|row| tried.as_ref() == Some(&row.edit.to_lowercase()))
        })
        .or_else(|| rows.first())
}
