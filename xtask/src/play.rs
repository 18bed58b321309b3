//! `play`: acts plays out and checks what they expect.

use std::path::Path;

use layerwise::play;
use layerwise::session::Served;

use crate::args::Args;
use crate::process::root;
use crate::{Failure, Outcome};

/// `play check FILE…`
pub fn run(args: Args) -> Outcome {
    let words = args.rest()?;
    let files = match words.split_first() {
        Some((verb, files)) if verb == "check" && !files.is_empty() => files,
        _ => return Err("write `play check FILE…`".into()),
    };
    let mut failed = 0;
    for file in files {
        let problems = check(Path::new(file))?;
        if problems.is_empty() {
            println!("✓ {file}");
            continue;
        }
        failed += 1;
        println!("✗ {file}");
        for problem in problems {
            println!("  {}", problem.replace('\n', "\n  "));
        }
    }
    println!("plays: {} of {} hold", files.len() - failed, files.len());
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

/// What is wrong with the play in a file, each with its line.
fn check(file: &Path) -> Result<Vec<String>, Failure> {
    let source = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let play = match play::parse(&source) {
        Ok(play) => play,
        Err(problems) => return Ok(problems.iter().map(ToString::to_string).collect()),
    };
    let catalog = root().join("public/catalog");
    let mut session = Served::new(|part: &str| {
        std::fs::read(catalog.join(part)).map_err(|error| format!("catalog part {part}: {error}"))
    });
    let failures = play::act_out(&play, &mut session);
    Ok(failures.iter().map(ToString::to_string).collect())
}
