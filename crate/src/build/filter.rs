//! Include and exclude patterns: the walk of `COPY --parents` and `--exclude`.

use crate::context::{ParentMatches, Patterns};

/// What of a tree is taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    include: Option<Patterns>,
    exclude: Option<Patterns>,
}

/// What is known of a directory, which the verdict on what is in it depends on.
#[derive(Clone, Debug, Default)]
pub(super) struct Above {
    include: Option<ParentMatches>,
    exclude: Option<ParentMatches>,
}

/// The verdict on a path.
pub(super) struct Verdict {
    /// Whether it is taken.
    pub taken: bool,
    /// Whether an exclude pattern names it.
    pub excluded: bool,
    /// For what is in it.
    pub above: Above,
}

impl Filter {
    /// A filter of these patterns; no patterns take everything.
    ///
    /// # Errors
    /// A pattern that is not well formed, in BuildKit's words.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Filter, String> {
        let matcher = |what: &str, patterns: &[String]| {
            if patterns.is_empty() {
                return Ok(None);
            }
            Patterns::new(patterns).map(Some).map_err(|error| {
                format!("invalid {what}patterns: [{}]: {error}", patterns.join(" "))
            })
        };
        Ok(Filter {
            include: matcher("include", include)?,
            exclude: matcher("exclude", exclude)?,
        })
    }

    /// The verdict on `path`, which lies in the directory that `above` speaks of.
    pub fn verdict(&self, path: &str, above: &Above) -> Verdict {
        let mut verdict = Verdict {
            taken: true,
            excluded: false,
            above: Above::default(),
        };
        if let Some(include) = &self.include {
            let (found, below) = include.matches_below(path, above.include.as_ref());
            verdict.taken = found.matched;
            verdict.above.include = Some(below);
        }
        if let Some(exclude) = &self.exclude {
            let (found, below) = exclude.matches_below(path, above.exclude.as_ref());
            verdict.excluded = found.matched;
            verdict.taken &= !found.matched;
            verdict.above.exclude = Some(below);
        }
        verdict
    }

    /// Whether nothing below an excluded directory can be taken.
    pub fn prunes(&self) -> bool {
        self.exclude.as_ref().is_none_or(|m| !m.has_exclusions())
    }

    /// Whether an include pattern could still take something below what is not taken.
    pub fn has_include(&self) -> bool {
        self.include.is_some()
    }
}
