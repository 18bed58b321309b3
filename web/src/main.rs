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

fn main() {
    yew::Renderer::<app::App>::new().render();
}
