//! The build context: the user's files, what `.dockerignore` leaves of them, and what of that a
//! build is sent.
//!
//! In this room: files as a build sees them, and the patterns that name them. Not in this room:
//! what a build does with them, nor the digests of what COPY and ADD take, which are
//! [`build`](crate::build)'s.
//!
//! - [`Context`] holds the files; an [`Edit`] changes them.
//! - [`Ignore`] is a parsed `.dockerignore` and says for each path which line decided.
//! - [`Patterns`] are the lines of an ignore file, matched as Docker matches them; [`glob`] is the
//!   wildcards of COPY and ADD (Go's `path.Match`).
//! - [`Sender`] gives the files that a build is sent, at the cost of what changed.

mod edit;
mod glob;
mod ignore;
mod pattern;
mod send;

#[cfg(test)]
mod send_tests;

pub use edit::{Context, Edit, EditError};
pub use glob::{BadPattern, glob, has_wildcards};
pub use ignore::{Ignore, IgnoreError, Verdict};
pub use pattern::{Match, ParentMatches, PatternError, Patterns};
pub use send::{SendError, Sender};
