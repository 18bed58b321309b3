//! What a build says of itself when it is over.

use std::sync::Arc;

use serde::Serialize;

use super::error::BuildError;
use super::explain::Why;
use super::remote::Exported;
use super::snapshot::Snapshot;
use crate::dockerfile::span::Lines;
use crate::image::{Image, Index, Manifest, Platform};
use crate::run::{CommandReport, LogLine};

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It ran, or nothing had to be done for it.
    Done,
    /// The cache answered.
    Cached,
    /// It failed.
    Failed,
    /// The build ended before.
    Skipped,
}

/// A step of a build: a vertex that users see.
#[derive(Clone, Debug)]
pub struct Step {
    /// The position of its vertex in [`Plan::vertices`](super::plan::Plan::vertices).
    pub vertex: usize,
    /// As it is shown: `[build 2/5] COPY go.mod ./`.
    pub name: String,
    /// The instruction in it.
    pub text: String,
    /// The name of its stage, where it is shown.
    pub stage: String,
    /// The number and the total in its name.
    pub number: Option<(u32, u32)>,
    /// The lines of the instructions that it stands for.
    pub lines: Vec<Lines>,
    /// The positions of those instructions in
    /// [`Plan::instructions`](super::plan::Plan::instructions).
    pub instructions: Vec<usize>,
    /// What became of it.
    pub status: Status,
    /// Simulated nanoseconds from the start of the build to its own.
    pub start: u64,
    /// Simulated nanoseconds that it took.
    pub nanos: u64,
    /// What it took when it last ran, where the cache answered.
    pub saved: Option<u64>,
    /// Whether its files or times are modelled rather than executed.
    pub modelled: bool,
    /// The position of its layer in the image, if it made one that is in it.
    pub layer: Option<usize>,
    /// The files that it left, also where it failed half-way; none if they were not needed.
    pub result: Option<Arc<Snapshot>>,
    /// What it printed.
    pub log: Vec<LogLine>,
    /// The commands that it executed.
    pub commands: Vec<CommandReport>,
    /// Its key, and why it hit or missed.
    pub why: Why,
}

/// The outcome of a build.
#[derive(Clone, Debug)]
pub struct Report {
    /// The number of the build, counted by its cache from 1.
    pub build: u32,
    /// The steps in order of definition: inputs before users.
    pub steps: Vec<Step>,
    /// The image, if the build succeeded.
    pub image: Option<Image>,
    /// The images for all platforms, where more than one was asked for.
    pub platforms: Vec<(Platform, Image)>,
    /// Why it failed.
    pub error: Option<BuildError>,
    /// The exported caches, one for each of [`Options::cache_to`](super::options::Options::cache_to).
    pub caches: Vec<Exported>,
    /// Simulated nanoseconds from start to end, independent steps at the same time.
    pub nanos: u64,
}

impl Report {
    /// Whether the build came to its end.
    pub fn ok(&self) -> bool {
        self.error.is_none()
    }

    /// The index of the images, where more than one platform was asked for.
    pub fn index(&self) -> Option<Index> {
        let of = |(platform, image): &(Platform, Image)| (platform.clone(), image.manifest());
        let manifests: Vec<(Platform, Manifest)> = self.platforms.iter().map(of).collect();
        let each = manifests
            .iter()
            .map(|(platform, manifest)| (platform.clone(), manifest));
        (!manifests.is_empty()).then(|| Index::of_platforms(each))
    }

    /// How many steps the cache answered.
    pub fn cached(&self) -> usize {
        let cached = |step: &&Step| step.status == Status::Cached;
        self.steps.iter().filter(cached).count()
    }
}
