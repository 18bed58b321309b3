//! The daemon: what outlives a single build.
//!
//! In this room: the [`Workspace`] and how it is [edited](Edit), undo, limits. Not in this room:
//! how anything is shown.

mod base64;
pub mod blocks;
pub(crate) mod bytes;
mod edit;
mod history;
pub mod limits;
mod nudge;
mod refusal;
mod saved;
mod workspace;

pub use edit::{BuildOptions, Edit, UploadedFile};
pub use history::{History, Typing};
pub use refusal::Refusal;
pub use saved::{Saved, SavedFile, SavedNode};
pub use workspace::{DOCKERFILE, Workspace};
