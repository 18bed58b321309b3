//! The Dockerfile language: text to directives, nodes and typed instructions with source spans.
//!
//! In this room: the parser, heredocs, variable expansion, the printer. Not in this room: files, images,
//! or anything that an instruction does.

pub mod diagnostic;
pub mod directive;
pub mod expand;
pub mod golang;
pub mod instruction;
mod json;
pub mod limits;
mod line;
pub mod node;
mod parser;
mod pattern;
pub mod span;
pub mod suggest;
mod words;

pub use parser::{heredoc_word, parse};
