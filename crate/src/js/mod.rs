//! The JavaScript API: what the page's worker, embeds and the npm package run.
//!
//! Types are declared in TypeScript by derivation from the view's Rust types.

use wasm_bindgen::prelude::*;

use serde::Serialize;

#[wasm_bindgen]
extern "C" {
    /// Instantiates the rest of the engine: a function that whoever loads the module puts on
    /// `globalThis` before, see [`preload`].
    #[wasm_bindgen(js_name = layerwiseRest)]
    fn rest();
}

/// Loads the rest of the engine at once.
///
/// What runs when the page opens is in the engine's first module; the rest is in a second one, and is
/// loaded by the first call into it. That calls `globalThis.layerwiseRest()`, which must
/// instantiate the second module with the first one's exports as its imports from `main`, and
/// return when that is done. To load it beforehand is only a matter of time.
///
/// Where `layerwiseRest` throws, so does the call; it is then to be treated like a trap.
#[wasm_bindgen]
pub fn preload() {
    rest();
}

/// The version of the engine.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// A session: what one worker holds.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Session(crate::session::Session);

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
    /// The value is no request.
    #[wasm_bindgen(unchecked_return_type = "Reply")]
    pub fn handle(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Request")] request: JsValue,
    ) -> Result<JsValue, JsError> {
        let request = serde_wasm_bindgen::from_value(request)?;
        let reply = self.0.handle(request);
        let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
        Ok(reply.serialize(&serializer)?)
    }

    /// Hands over a part of the catalog that [`Reply::Needs`](crate::view::Reply::Needs) named.
    ///
    /// # Errors
    /// The bytes are not that part.
    pub fn supply(&mut self, name: &str, bytes: &[u8]) -> Result<(), JsError> {
        self.0
            .supply(name, bytes)
            .map_err(|refusal| JsError::new(&refusal.to_string()))
    }
}
