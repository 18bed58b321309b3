//! Building: instructions to operations, cache keys, execution, and the explanation of each key.

pub mod cache;
mod chmod;
mod command;
pub mod content;
mod copy;
pub mod error;
mod execute;
pub mod explain;
mod filter;
mod glob;
pub mod key;
pub mod op;
pub mod options;
mod owner;
pub mod plan;
pub mod predict;
pub mod report;
pub mod snapshot;
pub mod solve;
mod unpack;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
