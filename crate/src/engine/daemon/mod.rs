//! The simulated Docker engine: its images, containers and volumes.
//!
//! In this room: what the engine keeps, what it refuses, and in whose way something is. Not in this
//! room: command lines and how answers are laid out ([`cli`](crate::cli)), and how a Dockerfile is
//! built ([`build::classic`](crate::build::classic)).
//!
//! Source: moby 20.10 `daemon`, `daemon/images`, `image`, `layer`.

mod archive;
mod build;
mod cache;
mod commit;
mod containers;
mod diff;
mod images;
mod process;
mod prune;
mod remove;
mod usage;
mod volumes;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::build::classic::Stored;
use crate::dockerfile::reference::Reference;
use crate::fs::{Clock, Time};
use crate::image::Digest;

pub use archive::LoadedImage;
pub use build::Building;
pub use containers::{Asked, Bind, BindKind, Container, Mounted, State, Status};
pub use diff::{Change, Kind};
pub use images::HistoryRow;
pub use prune::Pruned;
pub use remove::Removed;
pub use usage::{ImageUsage, Usage};
pub use volumes::Volume;

/// The engine. A clone shares what is large.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// The engine's time.
    pub clock: Clock,
    images: BTreeMap<Digest, Arc<Stored>>,
    /// The image that each was built on, where it was built here.
    parents: BTreeMap<Digest, Digest>,
    names: BTreeMap<Reference, Digest>,
    containers: BTreeMap<String, Container>,
    volumes: BTreeMap<String, Volume>,
    /// How many containers and volumes there were: their IDs come of it.
    made: u64,
}

impl Daemon {
    /// An engine with nothing in it.
    pub fn new(now: Time) -> Daemon {
        Daemon {
            clock: Clock::at(now),
            images: BTreeMap::new(),
            parents: BTreeMap::new(),
            names: BTreeMap::new(),
            containers: BTreeMap::new(),
            volumes: BTreeMap::new(),
            made: 0,
        }
    }

    /// An ID that no container or volume had before: 64 hexadecimal digits.
    fn new_id(&mut self) -> String {
        self.made += 1;
        Digest::of(format!("container {}", self.made).as_bytes()).hex()
    }
}
