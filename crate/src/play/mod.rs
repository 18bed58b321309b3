//! Plays: one format for all that is acted out.
//!
//! A play is a Markdown file: prose, a Dockerfile, context files, then acts with what is expected
//! of them. The examples, the lessons and the engine's own behaviour tests are plays. The format is
//! described in `docs/plays.md`.
//!
//! In this room: reading plays, acting them out through the requests that the page sends too, and
//! checking what is expected. Not in this room: what the acts do.

mod act;
mod check;
mod expect;
mod fences;
mod parse;
mod words;

pub use act::{Act, Doing, Flag, Place};
pub use check::{Actor, Failure, act_out, edit_of, with_flags};
pub use expect::{Expect, Range, StepRef, What};
pub use parse::{Play, Problem, parse};
