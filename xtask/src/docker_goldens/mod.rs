//! `cargo xtask docker-goldens DIR [--filter S] [--json]`: the simulated Docker engine and its
//! command line against what a real one was recorded to do.

mod compare;
mod edit;
mod look;
mod names;
mod play;
mod tables;

use std::path::Path;

use serde_json::Value;

use crate::args::Args;
use crate::scenarios::{Bases, EXPECTED, SCENARIO, Verdict, find, read};
use crate::{Failure, Outcome, scenarios};

/// The command.
///
/// # Errors
/// A scenario failed.
pub fn run(args: Args) -> Outcome {
    scenarios::run(args, "docker-goldens", check)
}

/// Runs every scenario below `dir` whose path contains `filter`.
///
/// # Errors
/// A file that cannot be read; no scenario at all.
pub fn check(dir: &Path, filter: &str) -> Result<Vec<Verdict>, Failure> {
    let mut bases = Bases::default();
    let mut verdicts = Vec::new();
    for found in find(dir, filter)? {
        let base = bases.of(&found.folder)?;
        let scenario: Value = read(&found.folder.join(SCENARIO))?;
        let expected: Value = read(&found.folder.join(EXPECTED))?;
        let differences = match play::play(&scenario, base) {
            Ok(steps) => compare::steps(&expected["steps"], &steps),
            Err(why) => vec![why],
        };
        verdicts.push(Verdict {
            category: scenario["category"]
                .as_str()
                .unwrap_or_default()
                .to_string(),
            name: found.name,
            differences,
        });
    }
    Ok(verdicts)
}

#[cfg(test)]
mod tests {
    use crate::conformance::base::Base;
    use crate::scenarios;

    /// Every recorded command answers as recorded. Where the binary of the base image is not on this
    /// machine, the scenarios that are listed as needing its bytes, and only those, do not.
    #[test]
    fn the_recorded_commands() {
        let dir = crate::process::root().join("tests/docker-goldens");
        let base: Base =
            scenarios::read(&dir.join("base.json")).expect("the base image can be read");
        let list = match base.binary() {
            Some(_) => String::new(),
            None => std::fs::read_to_string(dir.join("needs-busybox.txt")).unwrap_or_default(),
        };
        scenarios::check_known(&dir, &list, super::check);
    }
}
