//! The files of the chosen layer: what it changes, or all that is there after it.

use layerwise::view::{ChangeKind, NodeKind, Row, TreeRef};
use yew::prelude::*;

use super::strata::short_name;
use super::tree::Tree;
use crate::format;
use crate::store::{ImageTree, use_app};

/// The tree below the stack.
#[component]
pub fn LayerFiles() -> Html {
    let app = use_app();
    let picked = use_state(|| None::<String>);
    let (model, store) = (&app.model, &app.store);
    let build = model.state.as_ref().and_then(|state| state.build.clone());
    let (Some(build), Some(layer)) = (build, model.layer()) else {
        return html! {};
    };
    let Some(view) = build
        .image
        .as_ref()
        .and_then(|image| image.layers.get(layer))
    else {
        return html! {};
    };
    let number = build.summary.number;
    let tree = match model.image_tree {
        ImageTree::Layer => TreeRef::Layer {
            build: number,
            layer: layer as u32,
        },
        ImageTree::Merged => TreeRef::Merged {
            build: number,
            layer: layer as u32,
        },
    };
    let switch = |to: ImageTree, label: &'static str| {
        let store = store.clone();
        html! {
            <button
                type="button"
                aria-pressed={if model.image_tree == to { "true" } else { "false" }}
                onclick={move |_| store.image_tree(to)}
            >
                { label }
            </button>
        }
    };
    let names: Vec<String> = build
        .image
        .iter()
        .flat_map(|image| &image.layers)
        .map(|layer| short_name(&layer.created_by))
        .collect();
    let trail = match model.image_tree {
        ImageTree::Layer => Callback::from(|row: Row| {
            html! { <>{ if row.change == Some(ChangeKind::Deleted) { "deleted".to_owned() } else { format::size(row.size, row.modelled) } }</> }
        }),
        ImageTree::Merged => Callback::from(move |row: Row| provenance(&row, &names)),
    };
    let lead = (model.image_tree == ImageTree::Layer).then(|| {
        Callback::from(|row: Row| {
            let (letter, word) = match row.change {
                Some(ChangeKind::Added) => ("A", "added"),
                Some(ChangeKind::Changed) => ("M", "changed"),
                Some(ChangeKind::Deleted) => ("D", "deleted"),
                Some(ChangeKind::Parent) | None => ("·", "unchanged"),
            };
            html! { <span class={classes!("letter", format!("letter-{word}"))} title={word} aria-label={word} role="img">{ letter }</span> }
        })
    });
    let on_open = {
        let store = store.clone();
        Callback::from(move |row: Row| {
            if matches!(
                row.node,
                NodeKind::File | NodeKind::HardLink | NodeKind::Symlink
            ) {
                store.peek(Some((tree, row.path)));
            }
        })
    };
    let [added, changed, deleted] = view.counts;
    let title = match model.image_tree {
        ImageTree::Layer => format!("Files of layer {}", layer + 1),
        ImageTree::Merged => format!("All files after layer {}", layer + 1),
    };
    html! {
        <div class="layer-files">
            <div class="head">
                <h3>{ title.clone() }</h3>
                <span class="grow" />
                <div class="switch" role="group" aria-label="Which files">
                    { switch(ImageTree::Layer, "this layer") }
                    { switch(ImageTree::Merged, "merged") }
                </div>
            </div>
            if model.image_tree == ImageTree::Layer {
                <p class="counts">
                    { format!("{added} added · {changed} changed · {deleted} deleted · {} as a tar", format::size(view.tar_size, view.modelled)) }
                    if view.hidden_bytes > 0 {
                        { format!(" · {} hidden by layers above", format::bytes(view.hidden_bytes)) }
                    }
                </p>
            }
            <Tree
                key={format!("{tree:?}")}
                {tree}
                id="image"
                label={title}
                picked={(*picked).clone()}
                on_pick={let picked = picked.clone(); Callback::from(move |row: Row| picked.set(Some(row.path)))}
                {on_open}
                class={Callback::from(|row: Row| classes!((row.change == Some(ChangeKind::Deleted)).then_some("is-deleted")))}
                {lead}
                {trail}
                empty="This layer changes no file."
            />
        </div>
    }
}

/// Which layer a file comes from, and what it hides.
fn provenance(row: &Row, names: &[String]) -> Html {
    let from = row.layer.map(|layer| {
        let title = names.get(layer as usize).cloned();
        html! { <span class="from" {title}>{ format!("layer {}", layer + 1) }</span> }
    });
    html! {
        <>
            if !row.hides.is_empty() {
                <span class="hides">{ format!("hides {}", row.hides.iter().map(|layer| (layer + 1).to_string()).collect::<Vec<_>>().join(", ")) }</span>
            }
            { for from }
            <span class="bytes">{ format::size(row.size, row.modelled) }</span>
        </>
    }
}
