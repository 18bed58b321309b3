//! Which rules run: the `# check=` directive, and comments `# check=` in front of instructions.

use std::collections::BTreeSet;

use crate::dockerfile::directive::first_word;
use crate::dockerfile::golang::{parse_bool, quote};

use super::Rule;

/// The options of `# check=`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `skip=all`
    pub skip_all: bool,
    /// `skip=A,B`
    pub skip: BTreeSet<String>,
    /// `experimental=all`
    pub experimental_all: bool,
    /// `experimental=A,B`
    pub experimental: BTreeSet<String>,
    /// `error=true`: a warning fails the build.
    pub error: bool,
}

impl Config {
    /// Reads options: `skip=…`, `experimental=…`, `error=…`, separated by `;`.
    ///
    /// # Errors
    ///
    /// BuildKit's text for an option that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut config = Self::default();
        let text = text.trim();
        if text.is_empty() {
            return Ok(config);
        }
        // Of repeated options the last one counts.
        for part in text.splitn(3, ';') {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| format!("invalid check option {}", quote(part)))?;
            let value = value.trim();
            let names = || crate::order::set(value.split(',').map(|name| name.trim().to_owned()));
            match (key.trim(), value) {
                ("skip", "all") => config.skip_all = true,
                ("skip", _) => config.skip = names(),
                ("experimental", "all") => config.experimental_all = true,
                ("experimental", _) => config.experimental = names(),
                ("error", _) => {
                    config.error = parse_bool(value).ok_or_else(|| {
                        format!(
                            "failed to parse check option {}: strconv.ParseBool: parsing {}: \
                             invalid syntax",
                            quote(part),
                            quote(value)
                        )
                    })?;
                }
                (key, _) => return Err(format!("invalid check option {}", quote(key))),
            }
        }
        Ok(config)
    }

    /// The options in force for an instruction with these comment lines in front: the first
    /// comment that is a `check` directive adds to them, unless it cannot be read.
    pub fn with_comments(&self, comments: &[String]) -> Self {
        let mut merged = self.clone();
        let own = comments
            .iter()
            .find_map(|comment| check_of(comment))
            .map(Self::parse);
        if let Some(Ok(own)) = own {
            merged.skip_all |= own.skip_all;
            merged.experimental_all |= own.experimental_all;
            merged.skip.extend(own.skip);
            merged.experimental.extend(own.experimental);
        }
        merged
    }

    /// Whether a rule runs.
    pub fn runs(&self, rule: &Rule) -> bool {
        if rule.experimental {
            self.experimental_all || self.experimental.contains(rule.name)
        } else {
            !self.skip_all && !self.skip.contains(rule.name)
        }
    }
}

/// The options of a comment `check=…`.
fn check_of(comment: &str) -> Option<&str> {
    let (key, value) = comment.trim_start().split_once('=')?;
    let value = value.trim();
    (key.trim_end().eq_ignore_ascii_case("check") && !value.is_empty()).then(|| first_word(value))
}
