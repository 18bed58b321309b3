//! The JavaScript API: what the page's worker, embeds and the npm package run.

use wasm_bindgen::prelude::*;

/// The version of the engine.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// An engine with its state: what one worker holds.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Session {}

#[wasm_bindgen]
impl Session {
    /// An empty session.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Session {
        Session::default()
    }

    /// Answers one request.
    ///
    /// # Errors
    ///
    /// The request is not one that the engine knows.
    pub fn handle(&mut self, request: &JsValue) -> Result<JsValue, JsError> {
        Err(JsError::new(&format!("unknown request: {request:?}")))
    }

    /// Hands over a part of the catalog that a response asked for.
    pub fn supply(&mut self, name: &str, bytes: &[u8]) {
        let _ = (name, bytes);
    }
}
