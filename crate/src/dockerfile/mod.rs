//! The Dockerfile language: text to directives, nodes and typed instructions with source spans.
//!
//! | what | where |
//! |---|---|
//! | text to nodes, with every error | [`parse`], [`node`], [`directive`] |
//! | nodes to typed instructions and stages | [`instruction`] |
//! | quotes, escapes, variables | [`expand`] |
//! | stages as a graph, base images, what a stage knows | [`globals`], [`graph`], [`resolve`], [`scope`] |
//! | nodes to text, moving instructions | [`mod@print`], [`edit`] |
//!
//! BuildKit is the reference: what it refuses is refused here in the same words, and what it takes
//! means the same. Not in this room: files, images, or anything that an instruction does.

pub mod chmod;
pub mod diagnostic;
pub mod directive;
pub mod edit;
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
pub mod print;
pub mod reference;
pub mod resolve;
pub mod scope;
pub mod signal;
pub mod source;
pub mod span;
pub mod suggest;
#[cfg(test)]
mod tests;
mod words;

pub use parser::{heredoc_word, parse, parse_without_heredocs};
