//! Comparing builds, orders and edits, and better orders.
//!
//! In this room: two builds side by side, what each kind of edit costs in each order, and other
//! orders that give the same image. All figures come from real builds in forks, and nothing is
//! suggested that was not built and found to give the same files and the same config. Not in this
//! room: how a build is done.

mod chain;
mod compare;
mod edits;
mod matrix;
mod rewrite;
mod suggest;

pub use chain::Step;
pub use compare::{compare, same_config, same_files};
pub use edits::{KindOfEdit, typical_edits};
pub use matrix::MatrixTask;
pub use rewrite::{Candidate, candidates};
pub use suggest::SuggestTask;
