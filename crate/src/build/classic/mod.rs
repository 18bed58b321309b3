//! The classic builder: what `docker build` was before BuildKit.
//!
//! In this room: how it reads a Dockerfile, which instruction makes which image, and what it says
//! while it does. Not in this room: where images and containers are kept, which is the [`Engine`]'s.
//!
//! Every instruction is a step of its own that makes an image: a child of the image before it.
//! A step is found again among the children of its parent image, by the configuration of the
//! container that would be made: its command (`/bin/sh -c …`, or `/bin/sh -c #(nop) …` with the
//! instruction as a comment), environment, user, ports, volumes and labels. For ADD and COPY the
//! command holds a [digest of what is copied](source). So there is no graph and no content key
//! beyond that digest: after the first step that is not found, all that follow run.
//!
//! Source: moby 20.10 `builder/dockerfile`, `builder/remotecontext`, `pkg/tarsum`.

mod args;
mod copy;
mod dispatch;
mod language;
pub mod source;
mod state;
mod stored;
mod wording;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fs::{Clock, Overlay};
use crate::image::{Digest, RunConfig};
use crate::run::{Host, Interrupt};

pub use dispatch::build;
pub use state::change_config;
pub use stored::{Commit, Stored};

/// How a build is asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the Dockerfile is called below the context's root.
    pub dockerfile: String,
    /// `--target`: the name of a stage; empty for the last.
    pub target: String,
    /// `--build-arg`; without a value where the caller's environment has none of that name.
    pub build_args: BTreeMap<String, Option<String>>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// `--no-cache`.
    pub no_cache: bool,
    /// `--cache-from`.
    pub cache_from: Vec<String>,
    /// `--rm=false`: containers of steps that went well are kept.
    pub keep_containers: bool,
    /// `--force-rm`: containers of steps that failed are removed, too.
    pub force_remove: bool,
}

/// Why a build, or what the engine does for it, came to no good end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The request as a whole was refused: no step was begun.
    Refused(String),
    /// A step failed.
    Failed {
        /// Why.
        message: String,
        /// The exit status of `docker build`: that of the command, for RUN.
        code: i32,
    },
    /// It has to be begun anew, or was to end.
    Interrupted(Interrupt),
}

impl Failure {
    /// A failed step.
    pub fn step(message: impl Into<String>) -> Failure {
        Failure::Failed {
            message: message.into(),
            code: 1,
        }
    }

    /// With words in front, as Go's `errors.Wrap` puts them.
    pub fn wrapped(self, what: &str) -> Failure {
        match self {
            Failure::Refused(message) => Failure::Refused(format!("{what}: {message}")),
            Failure::Failed { message, code } => Failure::Failed {
                message: format!("{what}: {message}"),
                code,
            },
            other => other,
        }
    }
}

impl From<Interrupt> for Failure {
    fn from(interrupt: Interrupt) -> Failure {
        Failure::Interrupted(interrupt)
    }
}

/// What the builder needs of the engine that it works for. `None` for an image is `scratch`.
pub trait Engine {
    /// The image of that name or ID; where it is not here and may be fetched, it is.
    ///
    /// # Errors
    /// There is none.
    fn image(&mut self, name: &str, local_only: bool) -> Result<Arc<Stored>, Failure>;

    /// The image of an ID that this engine gave out.
    ///
    /// # Errors
    /// It is gone.
    fn stored(&self, id: Digest) -> Result<Arc<Stored>, Failure>;

    /// The newest child of an image that was made by a container of this configuration; with
    /// `sources` (`--cache-from`) only what these images are made of counts, by their history.
    ///
    /// # Errors
    /// The parent is gone.
    fn cached(
        &mut self,
        parent: Option<Digest>,
        config: &RunConfig,
        sources: &mut Vec<Digest>,
    ) -> Result<Option<Digest>, Failure>;

    /// Makes a container and gives its ID. `config` becomes what the container has: what it leaves
    /// open is taken from the image.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    fn create(&mut self, config: &mut RunConfig, image: Option<Digest>) -> Result<String, Failure>;

    /// Makes the working directory of a container.
    ///
    /// # Errors
    /// It cannot be made.
    fn make_workdir(&mut self, container: &str) -> Result<(), Failure>;

    /// Runs a container to its end and gives its exit status. What it writes goes to `host`.
    ///
    /// # Errors
    /// It cannot be started.
    fn run(&mut self, container: &str, host: &mut dyn Host) -> Result<i32, Failure>;

    /// Makes an image of a container: a child of the image that it was made from.
    ///
    /// # Errors
    /// The container is gone.
    fn commit(&mut self, container: &str, commit: Commit) -> Result<Digest, Failure>;

    /// Makes a child of an image, of an overlay over its files.
    ///
    /// # Errors
    /// The files make no layer.
    fn commit_files(
        &mut self,
        parent: Option<Digest>,
        overlay: &Overlay,
        commit: Commit,
    ) -> Result<Digest, Failure>;

    /// Removes a container with its anonymous volumes.
    fn remove(&mut self, container: &str);

    /// The clock.
    fn clock(&mut self) -> &mut Clock;
}
