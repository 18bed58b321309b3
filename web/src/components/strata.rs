//! The layers as strata: the base at the bottom, higher the larger a layer is.

use layerwise::view::{BuildView, ImageView, LayerOrigin, LayerView};
use yew::prelude::*;

use super::digest::Digest;
use super::icon::{Icon, icon};
use super::status::Verdict;
use crate::format;
use crate::store::{Chosen, Handle, Model, use_app};

/// The stack.
#[component]
pub fn Strata() -> Html {
    let app = use_app();
    let model = &app.model;
    let base_open = use_state(|| false);
    let state = model.state.clone();
    let Some((build, image)) = state
        .as_ref()
        .and_then(|state| state.build.as_ref())
        .and_then(|build| Some((build, build.image.as_ref()?)))
    else {
        return html! {};
    };
    let base = base_layers(image);
    let bands = (base..image.layers.len()).rev().map(|index| {
        let layer = &image.layers[index];
        band(&app, index, layer, verdict(model, index, layer), false)
    });
    let lower = (0..base).rev().map(|index| {
        let verdict = Verdict::from(LayerOrigin::Base);
        band(&app, index, &image.layers[index], verdict, true)
    });
    let group = (base > 1).then(|| {
        let layers = &image.layers[..base];
        let size = layers.iter().map(|layer| layer.size).sum::<u64>();
        let modelled = layers.iter().any(|layer| layer.modelled);
        let open = *base_open;
        let toggle = {
            let base_open = base_open.clone();
            move |_| base_open.set(!open)
        };
        html! {
            <li class={classes!("band", "is-base", height(size))} key="base">
                <button type="button" class="band-main" aria-expanded={if open { "true" } else { "false" }} onclick={toggle}>
                    <span class="band-name">{ base_name(build, base) }</span>
                    <span class="band-size">{ format::size(size, modelled) }</span>
                </button>
                <span class="band-foot">
                    <span class={classes!("twist", open.then_some("is-open"))}>{ icon(Icon::Right) }</span>
                    { format::count(base as u64, "layer") }
                    <span class="grow" />
                    { shared(&layers[base - 1], true) }
                </span>
            </li>
        }
    });
    html! {
        <div class="strata">
            <ol class="stack" reversed=true aria-label="Layers, the uppermost first">
                { for bands }
                { for group }
                if base == 1 || *base_open {
                    { for lower }
                }
            </ol>
            <p class="legend">
                <span class="key is-hit"><span class="swatch is-hit" />{ "cached" }</span>
                <span class="key is-built"><span class="swatch is-built" />{ "built" }</span>
                <span class="key is-base"><span class="swatch is-base" />{ "base" }</span>
                <span>{ "≈ modelled size" }</span>
                if image.hidden_bytes > 0 {
                    <span>{ format!("{} hidden by layers above", format::bytes(image.hidden_bytes)) }</span>
                }
            </p>
        </div>
    }
}

/// A layer; `thin` is one of the base, listed below it.
fn band(app: &Handle, index: usize, layer: &LayerView, verdict: Verdict, thin: bool) -> Html {
    let store = app.store.clone();
    let picked = app.model.layer() == Some(index);
    let class = classes!(
        "band",
        verdict.class,
        if thin { "height-0" } else { height(layer.size) },
        picked.then_some("is-picked"),
        match layer.origin {
            LayerOrigin::Built => Some("was-built"),
            LayerOrigin::Cached => Some("was-cached"),
            LayerOrigin::Base => None,
        },
    );
    let created_by = short_name(&layer.created_by);
    html! {
        <li {class} key={format!("{index}{}", layer.diff_id)} data-layer={index.to_string()}>
            <button
                type="button"
                class="band-main"
                title={layer.created_by.clone()}
                aria-pressed={if picked { "true" } else { "false" }}
                onclick={move |_| store.choose(Chosen::Layer(index))}
            >
                <span class="band-name">{ created_by }</span>
                <span class="band-size">{ format::size(layer.size, layer.modelled) }</span>
            </button>
            <span class="band-foot">
                <Digest digest={layer.diff_id.clone()} of={format!("layer {}", index + 1)} />
                <span class="grow" />
                { shared(layer, false) }
                { verdict.show() }
            </span>
        </li>
    }
}

/// How many layers at the bottom come with the base image.
fn base_layers(image: &ImageView) -> usize {
    image
        .layers
        .iter()
        .take_while(|layer| layer.origin == LayerOrigin::Base)
        .count()
}

/// The FROM that the lowest layers come from.
fn base_name(build: &BuildView, base: usize) -> String {
    let above = build
        .image
        .as_ref()
        .and_then(|image| image.layers.get(base))
        .and_then(|layer| layer.step)
        .unwrap_or(build.steps.len());
    build.steps[..above.min(build.steps.len())]
        .iter()
        .rev()
        .find_map(|step| {
            let at = step.name.find("FROM ")?;
            let name = &step.name[at..];
            Some(
                name.split('@')
                    .next()
                    .unwrap_or(name)
                    .replace("docker.io/library/", ""),
            )
        })
        .unwrap_or_else(|| "Base image".to_owned())
}

/// What made a layer, without what every history line carries.
pub fn short_name(created_by: &str) -> String {
    let text = created_by.trim_end_matches("# buildkit").trim();
    text.strip_prefix("RUN /bin/sh -c ")
        .map_or_else(|| text.to_owned(), |command| format!("RUN {command}"))
}

/// What becomes of a layer in the next build, or else what became of it in the last.
fn verdict(model: &Model, index: usize, layer: &LayerView) -> Verdict {
    model
        .links
        .instruction(Chosen::Layer(index))
        .and_then(|instruction| {
            let state = model.state.as_ref()?;
            if state.context.changed.is_empty() && state.build.as_ref()?.current {
                // Nothing has changed: what is seen is the last build.
                return None;
            }
            Verdict::predicted(state.prediction.instructions.get(instruction)?.status)
        })
        .unwrap_or_else(|| layer.origin.into())
}

fn shared(layer: &LayerView, alone: bool) -> Html {
    let words = match layer.shared_with.as_slice() {
        [] => return html! {},
        [one] => format!("also in build {one}"),
        more => format!("also in {} builds", more.len()),
    };
    html! { <span class="shared">{ words }{ if alone { "" } else { " · " } }</span> }
}

/// The class of a band's height: a step for each power of ten above a kilobyte.
fn height(size: u64) -> &'static str {
    match size {
        0..1_000 => "height-1",
        1_000..10_000 => "height-2",
        10_000..100_000 => "height-3",
        100_000..1_000_000 => "height-4",
        1_000_000..10_000_000 => "height-5",
        10_000_000..100_000_000 => "height-6",
        _ => "height-7",
    }
}
