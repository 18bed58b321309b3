//! What this browser keeps over a reload.

use layerwise::view::Saved;

use crate::dom;

const SESSION: &str = "layerwise.session";

/// The session that was kept, if there is one that can be read.
pub fn load() -> Option<Saved> {
    serde_json::from_str(&dom::load(SESSION)?).ok()
}

/// Keeps a session.
///
/// # Errors
///
/// The browser has no room for it: the size in bytes.
pub fn save(saved: &Saved) -> Result<(), usize> {
    let text = serde_json::to_string(saved).map_err(|_| 0_usize)?;
    if dom::store(SESSION, &text) {
        return Ok(());
    }
    // What the last build saw can be done without: the next build then finds no cache.
    let smaller = Saved {
        built: None,
        ..saved.clone()
    };
    let text = serde_json::to_string(&smaller).map_err(|_| 0_usize)?;
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
