//! The store: what the page shows, and everything that the user can do.
//!
//! Requests that change something go to the engine one after the other, in the order in which they
//! were made; what the user did not ask for gives way. Reading goes beside them.

mod actions;
mod keep;
mod link;
mod model;
mod reading;
mod words;
mod work;

pub use actions::Store;
pub use link::Chosen;
pub use model::{
    Action, Against, Current, Dock, Example, ImageTree, Job, Model, Notice, Orders, Pane, Reorder,
};

use std::rc::Rc;

use yew::prelude::*;

/// The model as a component sees it, with the store to act on it.
#[derive(Clone)]
pub struct Handle {
    /// What to show.
    pub model: Rc<Model>,
    /// What to do.
    pub store: Store,
}

impl PartialEq for Handle {
    /// Every action makes another model: whether it is the same one says it all.
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.model, &other.model) && self.store == other.store
    }
}

/// The model and the store.
///
/// # Panics
///
/// There is none: everything is inside of the app, which provides them.
#[hook]
pub fn use_app() -> Handle {
    use_context::<Handle>().expect("the app provides the store")
}

/// The store alone.
#[hook]
pub fn use_store() -> Store {
    use_app().store
}
