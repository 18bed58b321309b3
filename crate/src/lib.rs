//! Layerwise: Docker image layers, built in memory.
//!
//! The engine parses Dockerfiles, plans them as BuildKit does, looks every step up in a build
//! cache by structured keys, executes what missed over an in-memory overlay filesystem, and turns
//! the result into OCI layers whose SHA-256 digests are real. It knows no browser, no clock, no
//! network and no randomness: whatever comes from outside is handed in by the caller.
//!
//! The modules are floors of a house; an import never runs upward:
//!
//! | floor | modules |
//! |---|---|
//! | top | [`lint`], [`view`], [`cli`]; on them [`advise`], [`play`]; on all of them [`session`], then `js` |
//! | 4 | [`engine`] |
//! | 3 | [`build`] |
//! | 2 | [`run`], [`world`] |
//! | 1 | [`context`], [`image`] |
//! | ground | [`dockerfile`], [`fs`]; `base64` and `order` serve every floor |

pub mod advise;
mod base64;
pub mod build;
pub mod cli;
pub mod context;
pub mod dockerfile;
pub mod engine;
pub mod fs;
pub mod image;
#[cfg(feature = "js")]
pub mod js;
pub mod lint;
mod order;
pub mod play;
pub mod run;
pub mod session;
pub mod view;
pub mod world;
