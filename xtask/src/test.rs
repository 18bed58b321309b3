//! `test`: everything that must hold before a change lands.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::http::Server;
use crate::page::{self, Mode};
use crate::process::{cargo, root, run as must, say};
use crate::tools::{self, WASM_TARGET};
use crate::{Failure, Outcome, build, replies};

/// One part of the tests.
struct Part {
    /// The word that selects it with `--only`.
    group: &'static str,
    /// What it shows.
    name: &'static str,
    /// Runs it.
    run: fn() -> Outcome,
}

/// Every part, the quick ones first.
const PARTS: &[Part] = &[
    Part {
        group: "native",
        name: "format",
        run: format,
    },
    Part {
        group: "native",
        name: "native tests",
        run: native,
    },
    Part {
        group: "native",
        name: "lints",
        run: lints,
    },
    Part {
        group: "native",
        name: "documentation",
        run: documentation,
    },
    Part {
        group: "conformance",
        name: "conformance",
        run: conformance,
    },
    Part {
        group: "conformance",
        name: "docker goldens",
        run: docker_goldens,
    },
    Part {
        group: "plays",
        name: "plays",
        run: plays,
    },
    Part {
        group: "wasm",
        name: "page build",
        run: page_build,
    },
    Part {
        group: "wasm",
        name: "engine in wasm",
        run: wasm,
    },
    Part {
        group: "browser",
        name: "types",
        run: types,
    },
    Part {
        group: "browser",
        name: "browser tests",
        run: browser,
    },
];

/// The tests that act out the recorded builds.
const CONFORMANCE: &str = "conformance::tests";
/// The tests that act out the recorded docker commands.
const DOCKER_GOLDENS: &str = "docker_goldens::tests";

/// Runs all parts, or those of one group, and says what each took. A part that fails does not keep
/// the others from running.
///
/// # Errors
///
/// A part has failed.
pub fn run(mut args: Args) -> Outcome {
    let only = args.option("--only")?;
    args.none_left()?;
    let chosen: Vec<_> = PARTS
        .iter()
        .filter(|part| only.as_deref().is_none_or(|only| only == part.group))
        .collect();
    if chosen.is_empty() {
        let mut groups: Vec<_> = PARTS.iter().map(|part| part.group).collect();
        groups.dedup();
        return Err(format!("--only takes one of: {}", groups.join(", ")).into());
    }

    let mut results = Vec::new();
    for part in chosen {
        println!("\n━━ {} ━━", part.name);
        let start = Instant::now();
        let outcome = (part.run)();
        if let Err(Failure::Because(message)) = &outcome {
            eprintln!("✗ {}: {message}", part.name);
        }
        results.push((part.name, outcome.is_ok(), start.elapsed()));
    }

    println!("\n━━ summary ━━");
    for (name, passed, time) in &results {
        println!(
            "{} {name:<18} {:>6.1} s",
            if *passed { "✓" } else { "✗" },
            time.as_secs_f64()
        );
    }
    let total: Duration = results.iter().map(|(_, _, time)| *time).sum();
    let failed = results.iter().filter(|(_, passed, _)| !passed).count();
    println!(
        "{} parts passed, {failed} failed, {:.0} s",
        results.len() - failed,
        total.as_secs_f64()
    );
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn format() -> Outcome {
    must(cargo().args(["fmt", "--all", "--check"]))
}

fn native() -> Outcome {
    must(cargo().args([
        "test",
        "--locked",
        "--",
        "--skip",
        CONFORMANCE,
        "--skip",
        DOCKER_GOLDENS,
    ]))
}

fn lints() -> Outcome {
    tools::wasm_target()?;
    must(cargo().args([
        "clippy",
        "--locked",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    must(cargo().args([
        "clippy",
        "--locked",
        "--package",
        "layerwise-bindgen",
        "--",
        "-D",
        "warnings",
    ]))?;
    must(wasm_crates("clippy").args(["--", "-D", "warnings"]))
}

fn documentation() -> Outcome {
    tools::wasm_target()?;
    let deny = ("RUSTDOCFLAGS", "-D warnings");
    must(
        cargo()
            .args(["doc", "--locked", "--no-deps"])
            .env(deny.0, deny.1),
    )?;
    must(wasm_crates("doc").arg("--no-deps").env(deny.0, deny.1))
}

/// A cargo command that looks at what is compiled to wasm.
fn wasm_crates(command: &str) -> Command {
    let mut cargo = cargo();
    cargo.args([
        command,
        "--locked",
        "--target",
        WASM_TARGET,
        "--features",
        "layerwise/js",
    ]);
    cargo.args(["--package", "layerwise", "--package", "layerwise-web"]);
    cargo
}

/// Runs another command of the dispatcher, in a process of its own.
fn xtask(words: &[&str]) -> Outcome {
    must(
        Command::new(std::env::current_exe()?)
            .args(words)
            .current_dir(root()),
    )
}

fn conformance() -> Outcome {
    recorded(CONFORMANCE)
}

fn docker_goldens() -> Outcome {
    recorded(DOCKER_GOLDENS)
}

fn recorded(tests: &str) -> Outcome {
    must(cargo().args([
        "test",
        "--locked",
        "--package",
        "xtask",
        tests,
        "--",
        "--nocapture",
    ]))
}

fn plays() -> Outcome {
    let mut files = Vec::new();
    let mut folders = vec![root().join("tests/plays"), root().join("public/plays")];
    folders.retain(|folder| folder.is_dir());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                files.push(path.to_string_lossy().into_owned());
            }
        }
    }
    files.sort();
    let mut words = vec!["play", "check"];
    words.extend(files.iter().map(String::as_str));
    xtask(&words)
}

fn page_build() -> Outcome {
    page::build(Mode::Release)?;
    build::weigh()
}

fn wasm() -> Outcome {
    tools::node_modules()?;
    page::build(Mode::Release)?;
    let file = |path: &str| root().join(path);
    replies::write(
        &file("tests/wasm/scripts.json"),
        &file("target/wasm/replies.json"),
    )?;
    must(
        Command::new("node")
            .args(["--test", "tests/wasm/"])
            .current_dir(root()),
    )
}

fn types() -> Outcome {
    tools::node_modules()?;
    page::build(Mode::Release)?;
    must(&mut tools::npm_program("tsc", &["--noEmit"]))?;
    must(&mut tools::npm_program(
        "tsc",
        &["--noEmit", "--project", "tests/browser"],
    ))
}

fn browser() -> Outcome {
    tools::node_modules()?;
    page::build(Mode::Release)?;
    let chromium = tools::chromium()?;
    // Under a path, as on many a static host: an absolute address would break.
    let server = Server::bind(0, "some/where", page::dist())?;
    say(&format!("serving dist/ at {}", server.address()));
    let mut playwright = tools::npm_program("playwright", &["test", "--config", "tests/browser"]);
    playwright.env("LAYERWISE_URL", server.address());
    if let Some(chromium) = chromium {
        playwright.env("LAYERWISE_CHROMIUM", chromium);
    }
    thread::spawn(move || server.run());
    must(&mut playwright)
}
