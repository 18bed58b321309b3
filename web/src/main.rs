//! The page: a Yew app over the engine in its worker.
//!
//! The page decides nothing that the engine could decide: it shows the last
//! [`State`](layerwise::view::State), and turns what the user does into
//! [`Request`](layerwise::view::Request)s.
//!
//! ```text
//! components ─call→ store::Store ─requests→ client ─→ worker
//!      ↑                │                    │
//!      └── store::Model ←──────── actions ───┘
//! ```

mod app;
mod client;
mod components;
mod dom;
mod editor;
mod format;
mod store;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Instantiates the rest of the app: a function that the start script puts on `globalThis`.
    #[wasm_bindgen(js_name = layerwiseRest)]
    fn rest();
}

/// Loads the rest of the app at once.
///
/// What is shown when the page opens is in the app's first module; the views that `cold.txt` lists
/// are in a second one, which is loaded by the first call into it: it calls `layerwiseRest`, which
/// must instantiate the second module with the first one's exports as its imports from `main`.
#[wasm_bindgen]
pub fn preload() {
    rest();
}

/// Shows the page. Not before `layerwiseRest` is there.
#[wasm_bindgen]
pub fn run() {
    yew::Renderer::<app::App>::new().render();
}

/// The page is shown by [`run`], once the start script has said where the rest of the app is.
fn main() {}
