//! Package managers, modelled: what they write, what they say, and how long they take.
//!
//! # The model
//!
//! Names, versions, dependencies, sizes and counts of files come from the catalog's tables; state
//! lives in files where the real program keeps it (`/var/lib/dpkg/status`, `package-lock.json` …),
//! so layers, mounts and copies treat it as everything else. Content is stand-ins with nominal
//! sizes. A package that the catalog lacks gets a size that depends on its name alone, and the log
//! says so on a line that begins with `layerwise:`.
//!
//! # Durations
//!
//! In seconds; *network* and *cpu* are the host's [`Machine`](super::Machine).
//!
//! | command | duration |
//! |---|---|
//! | `apt-get update` | 0.8 + bytes / network + 1.4 cpu |
//! | `apt-get install` | 1.5 + bytes / network + cpu (0.12 packages + written / 80 MB) + triggers |
//! | `apk add` | 0.4 + index and bytes / network + 0.015 cpu packages + written / 150 MB + 0.2 |
//! | `npm ci` | 2.5 + bytes / network + cpu (0.028 packages + 0.0004 files) + install scripts |
//! | `npm install` | the same, and 0.04 and 25 KB more a package that no lock file names |
//! | `pip install` | 0.6 + bytes / network + cpu (0.12 packages + installed / 25 MB + Python / 4 MB) |
//! | `go mod download` | 0.3 + bytes / network + 0.05 modules |
//! | `go build` | cpu (0.5 + 18 for the standard library, once + what the build cache lacks) |
//! | `tsc`, `vite build`, `next build` | 4, 4.2, 18 cpu |
//! | `curl`, `wget` | 0.2 + bytes / network |
//!
//! yarn takes 0.9 and pnpm 0.5 of npm's time.
//!
//! What a cache mount or an earlier command left in a package manager's cache is not downloaded
//! again.

mod apk;
mod apt;
mod builders;
mod debian;
mod download;
mod dpkg;
mod files;
mod git;
mod go;
mod java;
mod makefile;
mod node;
mod npm;
mod php;
mod pip;
mod python;
mod rpm;
mod ruby;
mod rust;
mod sources;
mod table;
mod tool;
mod tools;

use super::{Call, Program, Stop, cost};

const TABLE: &[Program] = &[
    Program::modelled("apk", apk::main),
    Program::modelled("apt", apt::main),
    Program::modelled("apt-get", apt::main),
    Program::modelled("curl", download::curl),
    Program::modelled("dpkg", dpkg::main),
    Program::modelled("go", go::main),
    Program::modelled("gpg", download::gpg),
    Program::modelled("gpg2", download::gpg),
    Program::modelled("node", node::node),
    Program::modelled("npm", npm::npm),
    Program::modelled("npx", npm::npx),
    Program::modelled("pip", pip::pip),
    Program::modelled("pip2", pip::pip),
    Program::modelled("pip3", pip::pip),
    Program::modelled("pnpm", npm::pnpm),
    Program::modelled("python", pip::python_main),
    Program::modelled("python2", pip::python_main),
    Program::modelled("python2.7", pip::python_main),
    Program::modelled("python3", pip::python_main),
    Program::modelled("virtualenv", pip::virtualenv),
    Program::modelled("wget", download::wget),
    Program::modelled("yarn", npm::yarn),
    // The tools of a JavaScript project.
    Program::modelled("cross-env", node::cross_env),
    Program::modelled("esbuild", node::compiler),
    Program::modelled("eslint", node::checker),
    Program::modelled("jest", node::checker),
    Program::modelled("mocha", node::checker),
    Program::modelled("nest", node::compiler),
    Program::modelled("next", node::next),
    Program::modelled("ng", node::bundler),
    Program::modelled("parcel", node::bundler),
    Program::modelled("prettier", node::checker),
    Program::modelled("react-scripts", node::bundler),
    Program::modelled("rimraf", node::rimraf),
    Program::modelled("rollup", node::bundler),
    Program::modelled("tsc", node::tsc),
    Program::modelled("vite", node::bundler),
    Program::modelled("vitest", node::checker),
    Program::modelled("vue-cli-service", node::bundler),
    Program::modelled("webpack", node::bundler),
];

/// The program called `name`, if a package manager is called so.
pub fn find(name: &str) -> Option<&'static Program> {
    // `python3.12` is a `python3`, `pip3.12` a `pip3`.
    let name = name.split_once("3.").map_or(name, |(stem, minor)| {
        let versioned = minor.bytes().all(|b| b.is_ascii_digit());
        match stem {
            "python" if versioned => "python3",
            "pip" if versioned => "pip3",
            _ => name,
        }
    });
    let tables = [
        TABLE,
        builders::TABLE,
        debian::TABLE,
        git::TABLE,
        java::TABLE,
        php::TABLE,
        python::TABLE,
        rpm::TABLE,
        ruby::TABLE,
        rust::TABLE,
        tools::TABLE,
    ];
    tables
        .into_iter()
        .flatten()
        .find(|program| program.name == name)
}

/// Prints `text` while so many seconds pass, each line at the end of its share of them.
fn out_during(call: &mut Call<'_, '_>, text: &str, seconds: f64) -> Result<(), Stop> {
    let mut left = cost::seconds(seconds);
    let mut lines = text.split_inclusive('\n').count() as u64;
    for line in text.split_inclusive('\n') {
        let share = left / lines;
        (left, lines) = (left - share, lines - 1);
        call.kernel.spend(share);
        call.out(line)?;
    }
    call.kernel.spend(left);
    Ok(())
}

/// Whether `version` is `wanted`, which may end in `*`.
fn matches_version(wanted: &str, version: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => version.starts_with(start),
        None => version == wanted,
    }
}
