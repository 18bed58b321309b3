//! Building: instructions to operations, cache keys, execution, and the explanation of each key.
//!
//! In this room: everything that decides whether a step hits the cache, and what it does if it
//! does not. Not in this room: the language of the Dockerfile, what commands do, how layers become
//! bytes, and who keeps caches and images between builds.
//!
//! - [`plan`](plan::plan) turns a Dockerfile into a graph of operations ([`op`]) with names.
//! - [`key`] is the written encoding of what enters a key; [`content`] the digests of files that do.
//! - [`cache`] is the graph of keys and the results they lead to; a clone costs O(1).
//! - [`solve::Builder`] looks steps up and runs what is missing, in slices; [`report`] is what it
//!   says at the end.
//! - [`remote`] is the cache that one machine exports and another imports.
//! - [`predict`](predict::predict) makes the same lookups without running anything.
//! - [`classic`] is the builder that Docker had before BuildKit, over the same executor.
//! - [`explain`] compares a key with the nearest earlier one.
//!
//! # How a step is found
//!
//! A step's key has a part of its own (the command, the environment, the flags: its
//! [frames](key::Frame)) and a part for each input. An input enters in one of two ways. What a
//! step is laid on (the filesystem that RUN changes, that COPY copies onto) enters by *how it was
//! made*: by its own key. What a step only reads (sources of COPY, bind mounts) enters by *content*
//! as well. Take
//!
//! ```dockerfile
//! FROM base AS build
//! COPY main.c .
//! RUN cc main.c -o app
//! FROM base
//! COPY --from=build app .
//! RUN ./app --check
//! ```
//!
//! and change a comment in `main.c`. The first COPY reads other bytes and misses; the first RUN is
//! laid on another filesystem and misses. The second COPY is first looked up by how `app` was made,
//! which nobody has seen; so `build` is run, and if `app` has the same bytes as before, the content
//! leads to the old key. From then on the new way of making `app` leads there too. The last RUN is
//! laid on a COPY that was found, and is found itself.

pub mod cache;
mod chmod;
pub mod classic;
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
pub(crate) mod process;
mod remedy;
pub mod remote;
pub mod report;
pub mod snapshot;
pub mod solve;
mod unpack;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
