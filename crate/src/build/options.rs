//! How a build is asked for.

use std::collections::BTreeMap;

use super::remote::Mode;
use crate::dockerfile::globals::Request;
use crate::dockerfile::platform::Platform;
use crate::fs::Time;

/// The build argument that times are taken from.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The options of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `--target`; empty for the last stage.
    pub target: String,
    /// `--build-arg`.
    pub build_args: BTreeMap<String, String>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// `--no-cache` and `--no-cache-filter`.
    pub no_cache: NoCache,
    /// `--secret`, by id.
    pub secrets: BTreeMap<String, Vec<u8>>,
    /// `--platform`.
    pub platform: Platform,
    /// More platforms that are built for at the same time: the images come in an index.
    pub more_platforms: Vec<Platform>,
    /// `SOURCE_DATE_EPOCH`: the time that image and history get, and that later file times are set
    /// back to.
    pub epoch: Option<Time>,
    /// `--cache-to`: what of the cache is exported.
    pub cache_to: Vec<Mode>,
}

impl Default for Options {
    /// linux/amd64, with all times at the epoch.
    fn default() -> Options {
        Options {
            target: String::new(),
            build_args: BTreeMap::new(),
            labels: BTreeMap::new(),
            no_cache: NoCache::Never,
            secrets: BTreeMap::new(),
            platform: Platform::linux_amd64(),
            more_platforms: Vec::new(),
            epoch: Some(Time::EPOCH),
            cache_to: Vec::new(),
        }
    }
}

/// Which stages are built without the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NoCache {
    /// None.
    #[default]
    Never,
    /// All.
    All,
    /// Those of these names, in any case of letters.
    Stages(Vec<String>),
}

impl NoCache {
    /// Whether the stage of that name (empty if it has none) is built without the cache.
    pub fn covers(&self, stage: &str) -> bool {
        match self {
            NoCache::Never => false,
            NoCache::All => true,
            NoCache::Stages(names) => names
                .iter()
                .any(|name| name.to_lowercase() == stage.to_lowercase()),
        }
    }
}

impl Options {
    /// What the language layer needs to know.
    pub(super) fn request(&self) -> Request {
        let mut build_args = self.build_args.clone();
        if let Some(epoch) = self.epoch {
            let value = epoch.secs().to_string();
            build_args.entry(EPOCH.into()).or_insert(value);
        }
        Request {
            build_args,
            target: self.target.clone(),
            build_platform: Platform::linux_amd64(),
            target_platform: self.platform.clone(),
        }
    }

    /// The time of image and history (RFC 3339).
    pub(super) fn created(&self) -> Option<String> {
        self.epoch.map(Time::rfc3339)
    }
}
