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
        self.epoch.map(rfc3339)
    }
}

/// A time as RFC 3339 writes it, in UTC, without fractions.
pub fn rfc3339(time: Time) -> String {
    let secs = time.secs();
    let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    // Days since 0000-03-01 in eras of 400 years (the proleptic Gregorian calendar).
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(rfc3339(Time::EPOCH), "1970-01-01T00:00:00Z");
        assert_eq!(
            rfc3339(Time::from_secs(951_782_400)),
            "2000-02-29T00:00:00Z"
        );
        assert_eq!(
            rfc3339(Time::from_secs(1_767_225_599)),
            "2025-12-31T23:59:59Z"
        );
    }
}
