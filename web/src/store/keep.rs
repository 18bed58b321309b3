//! What this browser keeps over a reload.

use js_sys::{JSON, Object};
use wasm_bindgen::{JsCast, JsValue};

use crate::client::{Session, set};
use crate::dom;

const SESSION: &str = "layerwise.session";

impl Session {
    /// The session with another text of the Dockerfile.
    pub fn with_dockerfile(&self, text: &str) -> Session {
        self.with("dockerfile", &text.into())
    }

    /// The session without what the last build saw: the next build then finds no cache.
    pub fn without_built(&self) -> Session {
        self.with("built", &JsValue::UNDEFINED)
    }

    fn with(&self, name: &str, value: &JsValue) -> Session {
        let copy = Object::assign(&Object::new(), self.0.unchecked_ref());
        set(&copy, name, value);
        Session(copy.into())
    }

    /// As a text.
    fn to_text(&self) -> Option<String> {
        JSON::stringify(&self.0).ok().map(String::from)
    }
}

/// The session that was kept, if there is one that can be read.
pub fn load() -> Option<Session> {
    let value = JSON::parse(&dom::load(SESSION)?).ok()?;
    value.is_object().then_some(Session(value))
}

/// Keeps a session.
///
/// # Errors
///
/// The browser has no room for it: the size in bytes.
pub fn save(session: &Session) -> Result<(), usize> {
    let text = session.to_text().ok_or(0_usize)?;
    if dom::store(SESSION, &text) {
        return Ok(());
    }
    let text = session.without_built().to_text().ok_or(0_usize)?;
    if dom::store(SESSION, &text) {
        Ok(())
    } else {
        Err(text.len())
    }
}

/// Forgets the session.
pub fn forget() {
    dom::forget(SESSION);
}
