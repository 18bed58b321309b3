//! What the runners of recorded scenarios share: finding them, telling how they went.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use layerwise::image::Image;
use serde_json::json;

use crate::args::Args;
use crate::conformance::base::Base;
use crate::{Failure, Outcome};

/// The file of a scenario.
pub const SCENARIO: &str = "scenario.json";
/// What the real thing did with it.
pub const EXPECTED: &str = "expected.json";

/// How a scenario went.
pub struct Verdict {
    /// Its path below the folder that was asked for.
    pub name: String,
    /// What it is about.
    pub category: String,
    /// What differs; empty if nothing does.
    pub differences: Vec<String>,
}

impl Verdict {
    fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// A command that checks the scenarios of a folder and prints what differs.
///
/// # Errors
/// A scenario failed, or could not be read.
pub fn run(
    mut args: Args,
    name: &str,
    check: fn(&Path, &str) -> Result<Vec<Verdict>, Failure>,
) -> Outcome {
    let json = args.flag("--json");
    let filter = args.option("--filter")?.unwrap_or_default();
    let [dir] = &args.rest()?[..] else {
        return Err(format!("which folder? cargo xtask {name} DIR").into());
    };
    let verdicts = check(Path::new(dir), &filter)?;
    let passed = verdicts.iter().filter(|v| v.passed()).count();
    if json {
        let list: Vec<_> = verdicts
            .iter()
            .map(|v| json!({"name": v.name, "category": v.category, "differences": v.differences}))
            .collect();
        println!("{}", json!({"passed": passed, "scenarios": list}));
    } else {
        for verdict in verdicts.iter().filter(|v| !v.passed()) {
            println!("✗ {}", verdict.name);
            for difference in &verdict.differences {
                println!("    {}", difference.replace('\n', "\n    "));
            }
        }
        print_summary(name, &verdicts, passed);
    }
    if passed == verdicts.len() {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn print_summary(name: &str, verdicts: &[Verdict], passed: usize) {
    let mut categories: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for verdict in verdicts {
        let (good, all) = categories.entry(&verdict.category).or_default();
        *good += usize::from(verdict.passed());
        *all += 1;
    }
    for (category, (good, all)) in categories {
        println!("{category}: {good} of {all}");
    }
    let all = verdicts.len();
    let percent = passed as f64 * 100.0 / all.max(1) as f64;
    println!("{name}: {passed} of {all} scenarios ({percent:.1}%)");
}

/// A folder with a scenario.
pub struct Found {
    /// Where it is.
    pub folder: PathBuf,
    /// Its path below the folder that was asked for.
    pub name: String,
}

/// The scenarios below `dir` whose path contains `filter`, in order.
///
/// # Errors
/// A folder that cannot be read; no scenario at all.
pub fn find(dir: &Path, filter: &str) -> Result<Vec<Found>, Failure> {
    let mut folders = Vec::new();
    walk(dir, &mut folders)?;
    folders.sort();
    let found: Vec<Found> = folders
        .into_iter()
        .map(|folder| {
            let name = folder.strip_prefix(dir).unwrap_or(&folder);
            let name = name.to_string_lossy().into_owned();
            Found { folder, name }
        })
        .filter(|found| found.name.contains(filter))
        .collect();
    if found.is_empty() {
        return Err(format!("no scenario in {}", dir.display()).into());
    }
    Ok(found)
}

fn walk(dir: &Path, out: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if dir.join(SCENARIO).is_file() {
        out.push(dir.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(dir)
        .map_err(|error| format!("cannot read {}: {error}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, out)?;
        }
    }
    Ok(())
}

/// The base images of scenarios, each read once.
#[derive(Default)]
pub struct Bases(BTreeMap<PathBuf, (String, Image)>);

impl Bases {
    /// Name and image that the `base.json` in the folder, or in the nearest one above it, describes.
    ///
    /// # Errors
    /// There is none, or it does not fit together.
    pub fn of(&mut self, folder: &Path) -> Result<&(String, Image), Failure> {
        let folder = std::path::absolute(folder)?;
        let file = folder
            .ancestors()
            .map(|dir| dir.join("base.json"))
            .find(|file| file.is_file())
            .ok_or_else(|| format!("no base.json in {} or above", folder.display()))?;
        match self.0.entry(file) {
            std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::btree_map::Entry::Vacant(free) => {
                let base: Base = read(free.key())?;
                let image = base.image()?;
                Ok(free.insert((base.name, image)))
            }
        }
    }
}

/// A file of JSON.
///
/// # Errors
/// It cannot be read.
pub fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("cannot read {}: {error}", file.display()).into())
}

/// Checks the scenarios of a folder against a list of those that fail, which can only shrink: a
/// scenario in it that passes is an error too.
#[cfg(test)]
pub fn check_known(
    dir: &Path,
    list: &str,
    check: fn(&Path, &str) -> Result<Vec<Verdict>, Failure>,
) {
    use std::collections::BTreeSet;

    let known: BTreeSet<&str> = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let verdicts = check(dir, "").expect("the scenarios can be read");
    let failing = verdicts.iter().filter(|v| !v.passed());
    let failing: BTreeSet<&str> = failing.map(|v| v.name.as_str()).collect();
    let new: Vec<_> = failing.difference(&known).collect();
    let passing: Vec<_> = known.difference(&failing).collect();
    assert!(new.is_empty(), "these fail: {new:#?}");
    assert!(
        passing.is_empty(),
        "these pass; take them off the list: {passing:#?}"
    );
}
