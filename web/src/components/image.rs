//! The right of the page: the image's layers, and the files of the chosen one.

use yew::prelude::*;

use super::digest::Digest;
use super::layer_files::LayerFiles;
use super::peek::Peek;
use super::strata::Strata;
use crate::format;
use crate::store::Handle;

/// The pane.
pub fn image_pane(app: &Handle) -> Html {
    let build = app
        .model
        .state
        .as_ref()
        .and_then(|state| state.build.as_ref());
    let image = build.and_then(|build| build.image.as_ref());
    let head = image.map(|image| {
        let modelled = image.layers.iter().any(|layer| layer.modelled);
        let count = format::count(image.layers.len() as u64, "layer");
        html! {
            <>
                <span class="head-note">{ format!("{count} · {}", format::size(image.size, modelled)) }</span>
                <Digest digest={image.digest.clone()} of="image" />
            </>
        }
    });
    html! {
        <section class="pane image" aria-label="Image">
            <div class="head">
                <h2>{ "Image" }</h2>
                <span class="grow" />
                { for head }
            </div>
            if image.is_some() {
                <Strata />
                if app.model.peek.is_some() {
                    <Peek />
                } else {
                    <LayerFiles />
                }
            } else {
                <p class="empty">
                    if let Some(build) = build {
                        { format!("Build {} made no image. Its steps say why.", build.summary.number) }
                    } else {
                        { "No image yet. Build to make one." }
                    }
                </p>
            }
        </section>
    }
}
