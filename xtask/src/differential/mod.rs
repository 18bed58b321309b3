//! `cargo xtask differential --buildkit ADDR`: generated scenarios in the engine and in a real
//! BuildKit.
//!
//! The daemon is pruned before each case, so it must do nothing else. Its configuration makes the
//! small registry that this command runs the mirror of the default one:
//!
//! ```toml
//! [registry."docker.io"]
//!   mirrors = ["127.0.0.1:5037"]
//! [registry."127.0.0.1:5037"]
//!   http = true
//! ```
//!
//! Files of a context get the owner of this process, so it must be root; the base image's busybox
//! must be on this machine (see `BUSYBOX`). A case depends on the seed
//! and its number alone.
//!
//! Where a real build comes out one way or another, for what runs at the same time, it is asked
//! again: the engine is right if it agrees with one of the answers. How far the other steps were when
//! one failed is a matter of milliseconds: such differences, and what they lead to in the statuses of
//! later builds, are counted apart.

mod archives;
mod case;
mod daemon;
mod grammar;
mod oci;
mod registry;

use std::fs;
use std::path::{Path, PathBuf};

use layerwise::image::Image;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::Serialize;
use serde_json::Value;

use crate::args::Args;
use crate::conformance::base::Base;
use crate::conformance::scenario::{Expected, Scenario};
use crate::conformance::{act, compare};
use crate::scenarios::{EXPECTED, SCENARIO, read};
use crate::{Failure, Outcome, process};

use daemon::{Daemon, Noise};
use grammar::Grammar;

/// How often a real build that differs is asked again.
const AGAIN: usize = 3;

/// The most attempts at making a case smaller.
const ATTEMPTS: usize = 150;

/// The port of the registry, unless another is given.
const PORT: u16 = 5037;

/// The command.
pub fn run(mut args: Args) -> Outcome {
    let address = args
        .option("--buildkit")?
        .ok_or("which daemon? give --buildkit ADDR")?;
    let cases = number(&mut args, "--cases")?.unwrap_or(100);
    let seed = number(&mut args, "--seed")?.unwrap_or(0);
    let first = number(&mut args, "--first")?.unwrap_or(0);
    let most = number(&mut args, "--differences")?.unwrap_or(1);
    let port = number(&mut args, "--port")?.map_or(Ok(PORT), u16::try_from);
    let save = PathBuf::from(
        args.option("--save")?
            .unwrap_or("target/differential".into()),
    );
    let keep = args.option("--keep")?.map(PathBuf::from);
    let whole = args.flag("--no-shrink");
    let buildctl = args.option("--buildctl")?.unwrap_or("buildctl".into());
    let restart = args.option("--restart")?;
    args.none_left()?;

    let recorded = process::root().join("tests/conformance/base.json");
    let base: Base = read(&recorded)?;
    let port = port.map_err(|error| format!("--port: {error}"))?;
    registry::serve(&base.name, &base.as_built()?, port)?;
    let image = base.image()?;
    let fuzzer = Fuzzer {
        daemon: Daemon {
            buildctl: buildctl.into(),
            address,
            restart,
            base: image.layers.iter().map(|layer| layer.diff_id).collect(),
            work: std::env::temp_dir().join(format!("differential-{}", std::process::id())),
            noise: Noise::new(),
        },
        name: base.name,
        image,
    };
    let scenarios = case::scenarios(&Grammar::new());
    let (mut builds, mut varying, mut progress, mut differing) = (0, 0, 0, 0);
    let mut done = 0;
    for number in first..first + cases {
        let mut tree = scenarios
            .new_tree(&mut runner(seed, number))
            .map_err(|why| why.to_string())?;
        let scenario = tree.current();
        let mut found = fuzzer.check(&scenario)?;
        done += 1;
        builds += scenario.steps.len();
        varying += usize::from(found.varies);
        progress += usize::from(found.progress);
        if let Some(dir) = &keep {
            write(
                &dir.join(format!("{seed}-{number:05}")),
                &scenario,
                &found.expected,
            )?;
        }
        if found.differences.is_empty() {
            continue;
        }
        differing += 1;
        println!("✗ case {number} of seed {seed}");
        let mut smallest = scenario;
        if !whole {
            fuzzer.shrink(&mut *tree, &mut smallest, &mut found)?;
        }
        for difference in &found.differences {
            println!("    {}", difference.replace('\n', "\n    "));
        }
        let folder = save.join("generated").join(format!("{seed}-{number:05}"));
        write(&folder, &smallest, &found.expected)?;
        fs::copy(&recorded, save.join("base.json"))?;
        println!("    → {}", folder.display());
        if differing == most {
            break;
        }
    }
    let _ = fs::remove_dir_all(&fuzzer.daemon.work);
    println!(
        "differential: {done} cases of seed {seed} from {first}, {builds} builds, {differing} \
         differences; {progress} differ in how far steps were when one failed, {varying} vary"
    );
    if differing == 0 {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn number(args: &mut Args, name: &str) -> Result<Option<u64>, Failure> {
    let text = args.option(name)?;
    let number = text.map(|text| {
        text.parse()
            .map_err(|_| format!("{name}: {text} is no number"))
    });
    Ok(number.transpose()?)
}

/// Where the choices of a case come from.
fn runner(seed: u64, number: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

struct Fuzzer {
    daemon: Daemon,
    /// The base image's name.
    name: String,
    image: Image,
}

/// What came of a scenario.
struct Found {
    /// What the real build did.
    expected: Expected,
    /// What the engine did otherwise.
    differences: Vec<String>,
    /// Whether the real build comes out in several ways.
    varies: bool,
    /// Whether the engine has other steps done when one fails.
    progress: bool,
}

impl Fuzzer {
    fn check(&self, scenario: &Scenario) -> Result<Found, Failure> {
        let observed = act::act(scenario, &self.name, &self.image);
        let compare = |expected: &Expected| match observed.clone() {
            Ok(mut observed) => {
                let progress = settle(&expected.builds, &mut observed);
                (compare::compare(&expected.builds, &observed), progress)
            }
            Err(why) => (vec![why], false),
        };
        let expected = self.daemon.act(scenario)?;
        let (differences, progress) = compare(&expected);
        let mut found = Found {
            expected,
            differences,
            varies: false,
            progress,
        };
        for _ in 0..AGAIN {
            if found.differences.is_empty() {
                break;
            }
            let expected = self.daemon.act(scenario)?;
            found.varies |= expected.builds != found.expected.builds;
            let (differences, progress) = compare(&expected);
            if differences.is_empty() {
                found = Found {
                    expected,
                    differences,
                    progress,
                    ..found
                };
            }
        }
        Ok(found)
    }

    /// Makes the scenario smaller while it still differs in the same way every time.
    fn shrink(
        &self,
        tree: &mut dyn ValueTree<Value = Scenario>,
        smallest: &mut Scenario,
        found: &mut Found,
    ) -> Outcome {
        let mut going = tree.simplify();
        for _ in 0..ATTEMPTS {
            if !going {
                break;
            }
            let scenario = tree.current();
            let smaller = self.check(&scenario)?;
            going = if smaller.differences.is_empty() || smaller.varies && !found.varies {
                tree.complicate()
            } else {
                (*smallest, *found) = (scenario, smaller);
                tree.simplify()
            };
        }
        Ok(())
    }
}

/// Takes the recorded statuses of steps, from the first build on that fails with other steps done;
/// says whether there is one.
fn settle(expected: &[Value], observed: &mut [Value]) -> bool {
    let names = |build: &Value| -> Vec<Value> {
        let steps = build["steps"].as_array().into_iter().flatten();
        steps.map(|step| step["name"].clone()).collect()
    };
    let mut settled = false;
    for (expected, observed) in expected.iter().zip(observed) {
        let failed = expected["ok"] == false && observed["ok"] == false;
        let differs = expected["steps"] != observed["steps"];
        if differs && (failed || settled) && names(expected) == names(observed) {
            observed["steps"] = expected["steps"].clone();
            settled = true;
        }
    }
    settled
}

fn write(folder: &Path, scenario: &Scenario, expected: &Expected) -> Outcome {
    fn json(file: &Path, value: &impl Serialize) -> Outcome {
        let mut text = Vec::new();
        let indent = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let mut writer = serde_json::Serializer::with_formatter(&mut text, indent);
        let written = value.serialize(&mut writer);
        written.map_err(|error| error.to_string())?;
        text.push(b'\n');
        Ok(fs::write(file, text)?)
    }
    fs::create_dir_all(folder)?;
    json(&folder.join(SCENARIO), scenario)?;
    json(&folder.join(EXPECTED), expected)
}
