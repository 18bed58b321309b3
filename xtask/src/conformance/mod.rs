//! `cargo xtask conformance DIR [--filter S] [--json]`: the engine against recorded real builds.

pub mod act;
pub mod base;
pub mod compare;
pub mod scenario;

use std::path::Path;

use crate::args::Args;
use crate::scenarios::{Bases, EXPECTED, SCENARIO, Verdict, find, read};
use crate::{Failure, Outcome, scenarios};

use scenario::{Expected, Scenario};

/// The command.
///
/// # Errors
/// A scenario failed.
pub fn run(args: Args) -> Outcome {
    scenarios::run(args, "conformance", check)
}

/// Runs every scenario below `dir` whose path contains `filter`.
///
/// # Errors
/// A file that cannot be read; no scenario at all.
pub fn check(dir: &Path, filter: &str) -> Result<Vec<Verdict>, Failure> {
    let mut bases = Bases::default();
    let mut verdicts = Vec::new();
    for found in find(dir, filter)? {
        let (base_name, image) = bases.of(&found.folder)?;
        let scenario: Scenario = read(&found.folder.join(SCENARIO))?;
        let expected: Expected = read(&found.folder.join(EXPECTED))?;
        let differences = match act::act(&scenario, base_name, image) {
            Ok(builds) => compare::compare(&expected.builds, &builds),
            Err(why) => vec![why],
        };
        verdicts.push(Verdict {
            category: act::category(&found.folder),
            name: found.name,
            differences,
        });
    }
    Ok(verdicts)
}

#[cfg(test)]
mod tests {
    use super::base::Base;
    use crate::scenarios;

    /// Every recorded build comes out as recorded. Where the binary of the base image is not on this
    /// machine, the scenarios that are listed as needing its bytes, and only those, do not.
    #[test]
    fn the_recorded_builds() {
        let dir = crate::process::root().join("tests/conformance");
        let base: Base =
            scenarios::read(&dir.join("base.json")).expect("the base image can be read");
        let list = match base.binary() {
            Some(_) => String::new(),
            None => std::fs::read_to_string(dir.join("needs-busybox.txt")).unwrap_or_default(),
        };
        scenarios::check_known(&dir, &list, super::check);
    }
}
