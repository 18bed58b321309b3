//! Orders against edits, and two builds step by step.

use layerwise::view::{ComparedSide, Comparison, MatrixCell, MatrixRow, Suggestion};
use yew::prelude::*;

use super::icon::{Icon, icon};
use super::status::Verdict;
use super::verdict::sameness;
use crate::format;
use crate::store::{Against, Job, Orders, Store, use_app};

/// The view.
#[component]
pub fn CompareView() -> Html {
    let app = use_app();
    let (model, store) = (&app.model, &app.store);
    // What edits cost is worth knowing as soon as this is looked at. After a change of the order it
    // is found out anyway.
    let revision = model.state.as_ref().map(|state| state.revision);
    let built = model
        .state
        .as_ref()
        .is_some_and(|state| state.build.is_some());
    let missing = built && model.orders.is_none() && model.reorder.is_none();
    let best = model
        .suggestions
        .as_ref()
        .and_then(|suggestions| suggestions.first())
        .map(|best| best.dockerfile.clone());
    use_effect_with((revision, missing, best), {
        let store = store.clone();
        move |(_, missing, best)| {
            let against = match best {
                Some(_) => Against::Suggestion,
                None => Against::Nothing,
            };
            if *missing {
                store.compare_orders(best.clone(), against);
            }
        }
    });
    let is_suggesting = model.is_running(Job::Suggest);
    let suggest = {
        let store = store.clone();
        move |_| store.suggest()
    };
    let suggestions = model.suggestions.as_ref().map(|suggestions| {
        if suggestions.is_empty() {
            html! { <p class="empty">{ "No better order was found: every other one costs more, or gives another image." }</p> }
        } else {
            html! { <ul class="suggestions">{ for suggestions.iter().map(|each| suggestion_item(each, store)) }</ul> }
        }
    });
    html! {
        <div class="split">
            <div class="scroll" tabindex="0" role="region" aria-label="Edits and orders">
                if let Some(orders) = &model.orders {
                    { matrix(orders) }
                } else if built {
                    <p class="empty">{ "What edits cost is being found out, by building." }</p>
                } else {
                    <p class="empty">{ "Build first: what edits cost is found out from there." }</p>
                }
            </div>
            <div class="scroll aside" tabindex="0" role="region" aria-label="Suggestions and builds">
                if let Some(comparison) = &model.comparison {
                    { builds(comparison) }
                }
                if let Some(suggestions) = suggestions {
                    <h3>{ "Suggested orders" }</h3>
                    { suggestions }
                } else {
                    <h3>{ "A better order" }</h3>
                    <p class="aside-text">
                        { "Other orders of these instructions are built and timed; only those that give the same final files and configuration are shown." }
                    </p>
                    <button type="button" class="button" aria-disabled={is_suggesting.then_some("true")} onclick={suggest}>
                        { "Suggest an order" }
                    </button>
                }
            </div>
        </div>
    }
}

/// The matrix: rows are edits, columns orders.
fn matrix(orders: &Orders) -> Html {
    let two = orders.against != Against::Nothing && orders.matrix.orders.len() > 1;
    // Time runs from left to right: an order before stands before this one.
    let columns: &[(usize, &str)] = match orders.against {
        _ if !two => &[(0, "this order")],
        Against::Before => &[(1, "order before"), (0, "this order")],
        _ => &[(0, "this order"), (1, "suggested order")],
    };
    let cell = |row: &MatrixRow, column: usize| {
        let Some(cell) = row.cells.get(column) else {
            return html! { <td></td> };
        };
        let least = row
            .cells
            .iter()
            .map(|cell| cell.seconds)
            .fold(f64::INFINITY, f64::min);
        let (class, mark) = if cell.failed {
            ("is-failed", Some(Icon::Cross))
        } else if cell.ran == 0
            || (two
                && cell.seconds < least * 1.05
                && row
                    .cells
                    .iter()
                    .any(|other| other.seconds > cell.seconds * 1.5))
        {
            ("is-hit", Some(Icon::Tick))
        } else {
            ("is-built", None)
        };
        html! {
            <td class={classes!("number", "cell", class)}>
                { for mark.map(icon) }
                { if cell.failed { "fails".to_owned() } else { format::seconds(cell.seconds) } }
            </td>
        }
    };
    let ran = |row: &MatrixRow| {
        let counts: Vec<_> = columns
            .iter()
            .filter_map(|(column, _)| row.cells.get(*column))
            .map(|cell: &MatrixCell| cell.ran.to_string())
            .collect();
        counts.join(" → ")
    };
    html! {
        <>
            <table class="table matrix">
                <caption class="unseen">{ "What a rebuild costs after an edit" }</caption>
                <thead>
                    <tr>
                        <th scope="col">{ "After this edit, a rebuild takes" }</th>
                        { for columns.iter().map(|(_, name)| html! { <th scope="col" class="number">{ *name }</th> }) }
                        <th scope="col" class="number">{ "steps run" }</th>
                    </tr>
                </thead>
                <tbody>
                    { for orders.matrix.rows.iter().map(|row| html! {
                        <tr>
                            <th scope="row" class="mono">{ row.edit.clone() }</th>
                            { for columns.iter().map(|(column, _)| cell(row, *column)) }
                            <td class="number">{ ran(row) }</td>
                        </tr>
                    }) }
                </tbody>
            </table>
            if two {
                <p class="below-table">{ "Both orders: " }{ sameness(orders) }</p>
            }
        </>
    }
}

/// A suggestion, to be applied by a click.
fn suggestion_item(suggestion: &Suggestion, store: &Store) -> Html {
    let apply = {
        let (store, suggestion) = (store.clone(), suggestion.clone());
        move |_| store.apply_order(suggestion.title.clone(), suggestion.dockerfile.clone())
    };
    let proof = match (suggestion.same_files, suggestion.same_config) {
        (true, true) => "same final files and configuration, verified",
        (true, false) => "same final files; the configuration differs",
        (false, _) => "the final files differ",
    };
    html! {
        <li class="suggestion">
            <p><b>{ suggestion.title.clone() }</b></p>
            <p class="aside-text">{ suggestion.reason.clone() }</p>
            <p>
                <span class="mono">{ suggestion.edit.clone() }</span>{ ": " }
                <s>{ format::seconds(suggestion.before.seconds) }</s>{ " → " }
                <b>{ format::seconds(suggestion.after.seconds) }</b>
                { " · " }{ proof }
            </p>
            <button type="button" class="button" onclick={apply}>{ "Apply" }</button>
        </li>
    }
}

/// Two builds, aligned.
fn builds(comparison: &Comparison) -> Html {
    let side = |side: &Option<ComparedSide>| match side {
        Some(side) => html! {
            <td class="compared">{ Verdict::from(side.status).show() }<span class="number">{ format::seconds(side.seconds) }</span></td>
        },
        None => html! { <td class="compared">{ "not there" }</td> },
    };
    let (before, after) = (&comparison.before, &comparison.after);
    let image = if comparison.same_image {
        "the same image, digest and all"
    } else if comparison.same_files && comparison.same_config {
        "the same final files and configuration in other layers"
    } else if comparison.same_files {
        "the same final files; the configuration differs"
    } else {
        "other final files"
    };
    html! {
        <>
            <h3>{ format!("Build {} and build {}", before.number, after.number) }</h3>
            <p class="aside-text">{ format!("{} → {}: {image}; {} shared.", format::seconds(before.seconds), format::seconds(after.seconds), format::count(comparison.shared_layers, "layer")) }</p>
            <table class="table compared-table">
                <caption class="unseen">{ "Steps of both builds" }</caption>
                <thead>
                    <tr>
                        <th scope="col">{ "Step" }</th>
                        <th scope="col">{ format!("build {}", before.number) }</th>
                        <th scope="col">{ format!("build {}", after.number) }</th>
                    </tr>
                </thead>
                <tbody>
                    { for comparison.rows.iter().map(|row| html! {
                        <tr>
                            <th scope="row" class="mono">
                                { row.text.clone() }
                                if row.moved { <span class="moved">{ "moved" }</span> }
                            </th>
                            { side(&row.before) }
                            { side(&row.after) }
                        </tr>
                    }) }
                </tbody>
            </table>
        </>
    }
}
