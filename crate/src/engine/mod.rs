//! The daemon: what outlives a single build.
//!
//! In this room: the [`Workspace`] and how it is [edited](Edit), the [`Desk`] with its builds,
//! undo, limits; and the simulated Docker
//! engine with its images and containers ([`daemon`]). Not in this room: how anything is shown.

pub(crate) mod bytes;
pub mod caches;
pub mod changes;
pub mod daemon;
mod desk;
mod edit;
pub(crate) mod fields;
mod history;
pub mod limits;
mod nudge;
mod refusal;
mod saved;
mod tally;
mod workspace;

pub use desk::{Build, Building, Desk, Turn, Unready, WorldHost, plan_of, sent};
pub use edit::{BuildOptions, Edit, UploadedFile};
pub use history::{History, Typing};
pub use refusal::Refusal;
pub use saved::{Saved, SavedFile, SavedNode};
pub use tally::{Sum, Tally};
pub use workspace::{DOCKERFILE, Workspace, bytes as in_words, planned};
