//! The Dockerfile language: text to directives, nodes and typed instructions with source spans.
//!
//! In this room: the parser, heredocs, variable expansion, the printer. Not in this room: files, images,
//! or anything that an instruction does.

pub mod chmod;
pub mod diagnostic;
pub mod directive;
pub mod env;
pub mod expand;
pub mod globals;
pub mod golang;
pub mod graph;
pub mod instruction;
mod json;
pub mod limits;
mod line;
pub mod node;
mod parser;
mod pattern;
pub mod platform;
pub mod port;
pub mod reference;
pub mod resolve;
pub mod scope;
pub mod signal;
pub mod source;
pub mod span;
pub mod suggest;
mod words;

pub use parser::{heredoc_word, parse};
