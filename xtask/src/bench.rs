//! `cargo xtask bench`: how fast the engine is, natively and in the browser.

use std::path::PathBuf;
use std::thread;

use crate::args::Args;
use crate::http::Server;
use crate::page::{self, Mode};
use crate::process::{cargo, output, root, say};
use crate::tools::{chromium, node_modules};
use crate::{Failure, Outcome};

/// What the other figures are set in proportion to.
const UNIT: &str = "sha256_1mib";

/// Runs the benchmarks and prints figures and ratios.
///
/// # Errors
///
/// Something does not build, or the browser cannot be started.
pub fn run_all(mut args: Args) -> Outcome {
    let native_only = args.flag("--native");
    args.none_left()?;
    say("benchmarks of the engine, natively (divan)");
    let printed =
        output(cargo().args(["bench", "--quiet", "-p", "layerwise", "--bench", "engine"]))?;
    println!("{printed}\n");
    let medians: Vec<(String, f64)> = printed.lines().filter_map(median).collect();
    let unit = medians
        .iter()
        .find(|(name, _)| name == UNIT)
        .map(|(_, nanos)| *nanos);
    if let Some(unit) = unit {
        println!("medians, and as multiples of hashing 1 MiB ({UNIT}):");
        for (name, nanos) in &medians {
            println!(
                "  {name:<32} {:>12} {:>10.2} ×",
                shown(*nanos),
                nanos / unit
            );
        }
        println!();
    }
    if native_only {
        return Ok(());
    }
    in_browser(unit)
}

fn in_browser(unit: Option<f64>) -> Outcome {
    page::build(Mode::Release)?;
    node_modules()?;
    let browser = chromium()?.unwrap_or_else(|| PathBuf::from("-"));
    let server = Server::bind(0, "/", page::dist())
        .map_err(|error| Failure::Because(format!("cannot serve the page: {error}")))?;
    let address = server.address();
    thread::spawn(move || server.run());
    say("the same in a worker of the page, in Chromium");
    let script = root().join("tests/bench/browser.mjs");
    let mut node = std::process::Command::new("node");
    node.current_dir(root())
        .arg(script)
        .arg(address)
        .arg(browser);
    let printed = output(&mut node)?;
    let medians: serde_json::Value =
        serde_json::from_str(printed.lines().last().unwrap_or("{}"))
            .map_err(|error| format!("the browser's answer cannot be read: {error}"))?;
    println!("medians in the browser, a request and its reply through the worker:");
    for (name, about) in [
        (
            "predict",
            "an edit of one of 10,000 files, 30 steps predicted anew",
        ),
        (
            "keystroke",
            "a key in the Dockerfile, parsed, checked and predicted",
        ),
        ("rebuild", "an edit and the whole rebuild"),
    ] {
        let millis = medians[name].as_f64().unwrap_or(f64::NAN);
        let ratio = unit.map_or(f64::NAN, |unit| millis * 1e6 / unit);
        println!("  {about:<56} {millis:>8.2} ms {ratio:>10.2} ×");
    }
    Ok(())
}

/// The name and the median, in nanoseconds, of a line of Divan's table:
/// `├─ name  fastest │ slowest │ median │ mean │ …`.
fn median(line: &str) -> Option<(String, f64)> {
    let mut columns = line.split('│').map(str::trim);
    let name = columns.next()?.trim_start_matches(['├', '╰', '─', ' ']);
    let name = name.split_whitespace().next()?.to_string();
    let mut words = columns.nth(1)?.split_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let unit = match words.next()? {
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some((name, number * unit))
}

fn shown(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_read_from_the_table() {
        let line = "├─ parse_300_lines   1.2 ms │ 3 ms │ 1.5 ms │ 1.6 ms │ 100 │ 100";
        assert_eq!(median(line), Some(("parse_300_lines".to_string(), 1.5e6)));
        assert_eq!(median("engine   fastest │ slowest │ median │ mean"), None);
    }
}
