//! `cargo xtask conformance DIR [--filter S] [--json]`: the engine against recorded real builds.

pub mod act;
pub mod base;
pub mod compare;
pub mod scenario;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use layerwise::image::Image;
use serde_json::json;

use crate::args::Args;
use crate::{Failure, Outcome};

use base::Base;
use scenario::{Expected, Scenario};

/// The file of a scenario.
pub const SCENARIO: &str = "scenario.json";
/// What a real build did with it.
pub const EXPECTED: &str = "expected.json";

/// How a scenario went.
pub struct Verdict {
    /// Its path below the folder that was asked for.
    pub name: String,
    /// The folder above it.
    pub category: String,
    /// What differs; empty if nothing does.
    pub differences: Vec<String>,
}

/// The command.
pub fn run(mut args: Args) -> Outcome {
    let json = args.flag("--json");
    let filter = args.option("--filter")?.unwrap_or_default();
    let [dir] = &args.rest()?[..] else {
        return Err("which folder? cargo xtask conformance DIR".into());
    };
    let verdicts = check(Path::new(dir), &filter)?;
    let passed = verdicts.iter().filter(|v| v.differences.is_empty()).count();
    if json {
        let list: Vec<_> = verdicts
            .iter()
            .map(|v| json!({"name": v.name, "category": v.category, "differences": v.differences}))
            .collect();
        println!("{}", json!({"passed": passed, "scenarios": list}));
    } else {
        for verdict in verdicts.iter().filter(|v| !v.differences.is_empty()) {
            println!("✗ {}", verdict.name);
            for difference in &verdict.differences {
                println!("    {}", difference.replace('\n', "\n    "));
            }
        }
        print_summary(&verdicts, passed);
    }
    if passed == verdicts.len() {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn print_summary(verdicts: &[Verdict], passed: usize) {
    let mut categories: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for verdict in verdicts {
        let (good, all) = categories.entry(&verdict.category).or_default();
        *good += usize::from(verdict.differences.is_empty());
        *all += 1;
    }
    for (category, (good, all)) in categories {
        println!("{category}: {good} of {all}");
    }
    let all = verdicts.len();
    let percent = passed as f64 * 100.0 / all.max(1) as f64;
    println!("conformance: {passed} of {all} scenarios ({percent:.1}%)");
}

/// Runs every scenario below `dir` whose path contains `filter`.
///
/// # Errors
/// A file that cannot be read; no scenario at all.
pub fn check(dir: &Path, filter: &str) -> Result<Vec<Verdict>, Failure> {
    let mut folders = Vec::new();
    find(dir, &mut folders)?;
    folders.sort();
    let mut bases: BTreeMap<PathBuf, (String, Image)> = BTreeMap::new();
    let mut verdicts = Vec::new();
    for folder in folders {
        let name = folder.strip_prefix(dir).unwrap_or(&folder);
        let name = name.to_string_lossy().into_owned();
        if !name.contains(filter) {
            continue;
        }
        let base = base_of(&folder)?;
        if !bases.contains_key(&base) {
            let read: Base = read(&base)?;
            let image = read.image()?;
            bases.insert(base.clone(), (read.name, image));
        }
        let (base_name, image) = &bases[&base];
        let scenario: Scenario = read(&folder.join(SCENARIO))?;
        let expected: Expected = read(&folder.join(EXPECTED))?;
        let differences = match act::act(&scenario, base_name, image) {
            Ok(builds) => compare::compare(&expected.builds, &builds),
            Err(why) => vec![why],
        };
        verdicts.push(Verdict {
            name,
            category: act::category(&folder),
            differences,
        });
    }
    if verdicts.is_empty() {
        return Err(format!("no scenario in {}", dir.display()).into());
    }
    Ok(verdicts)
}

fn find(dir: &Path, out: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if dir.join(SCENARIO).is_file() {
        out.push(dir.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(dir)
        .map_err(|error| format!("cannot read {}: {error}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, out)?;
        }
    }
    Ok(())
}

/// The `base.json` in the folder or in the nearest one above it.
fn base_of(folder: &Path) -> Result<PathBuf, Failure> {
    let folder = std::path::absolute(folder)?;
    folder
        .ancestors()
        .map(|dir| dir.join("base.json"))
        .find(|file| file.is_file())
        .ok_or_else(|| format!("no base.json in {} or above", folder.display()).into())
}

/// Reads a JSON file.
///
/// # Errors
/// It cannot be read, or is something else.
pub fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("cannot read {}: {error}", file.display()).into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every recorded build comes out as recorded. Where the binary of the base image is not on this
    /// machine, the scenarios that are listed as needing its bytes, and only those, do not.
    #[test]
    fn the_recorded_builds() {
        let dir = crate::process::root().join("tests/conformance");
        let base: Base = read(&dir.join("base.json")).expect("the base image can be read");
        let list = match base.binary() {
            Some(_) => String::new(),
            None => std::fs::read_to_string(dir.join("needs-busybox.txt")).unwrap_or_default(),
        };
        let known: BTreeSet<&str> = list
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let verdicts = check(&dir, "").expect("the scenarios can be read");
        let failing: BTreeSet<&str> = verdicts
            .iter()
            .filter(|v| !v.differences.is_empty())
            .map(|v| v.name.as_str())
            .collect();
        let new: Vec<_> = failing.difference(&known).collect();
        let passing: Vec<_> = known.difference(&failing).collect();
        assert!(new.is_empty(), "these fail: {new:#?}");
        assert!(
            passing.is_empty(),
            "these pass; take them off the list: {passing:#?}"
        );
    }
}
