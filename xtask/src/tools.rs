//! The tools that the page's build needs beside Rust and Node, and how they are set up.
//!
//! What is built from source goes into a cache of the user's, once for all checkouts:
//! `$LAYERWISE_TOOLS`, or `layerwise-tools` in the system's cache folder.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fingerprint::Fingerprint;
use crate::process::{cargo, output, root, run, say};
use crate::{Failure, Outcome};

/// The target that the page and the engine's module are compiled for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The bundler. 0.22 needs a newer Rust than the workspace does.
const TRUNK: &str = "0.21.14";

/// Everything that the page's build runs.
pub struct Tools {
    /// `PATH` with the tools' folders in front.
    path: OsString,
}

impl Tools {
    /// Finds the tools, and sets up what is missing.
    ///
    /// # Errors
    ///
    /// Node is missing or too old, or something could not be downloaded or built.
    pub fn set_up() -> Result<Self, Failure> {
        node_modules()?;
        wasm_target()?;
        let folders = [root().join("node_modules/.bin"), bindgen()?, trunk()?];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&path)))
            .map_err(|error| format!("a tool's folder cannot stand in PATH: {error}"))?;
        Ok(Self { path })
    }

    /// A command that finds the tools.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.resolve(program));
        command.current_dir(root()).env("PATH", &self.path);
        command
    }

    /// The program's file: `Command` itself would look in the PATH of this process.
    fn resolve(&self, program: &str) -> PathBuf {
        let names: &[&str] = if cfg!(windows) {
            &["exe", "cmd"]
        } else {
            &[""]
        };
        std::env::split_paths(&self.path)
            .flat_map(|dir| {
                names
                    .iter()
                    .map(move |ext| dir.join(program).with_extension(ext))
            })
            .find(|file| file.is_file())
            .unwrap_or_else(|| program.into())
    }
}

/// Installs the npm packages of the lock file, unless they are there.
///
/// # Errors
///
/// Node is missing or too old, or npm fails.
pub fn node_modules() -> Outcome {
    let version = output(Command::new("node").arg("--version"))
        .map_err(|_| "Node is not installed: version 20 or newer is needed, with npm")?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|n| n.parse().ok());
    if major.is_none_or(|major: u32| major < 20) {
        return Err(format!("Node {version} is too old: version 20 or newer is needed").into());
    }
    let lock = Fingerprint::of([root().join("package-lock.json")])?;
    let stamp = root().join("node_modules/.layerwise");
    if lock.is_at(&stamp) {
        return Ok(());
    }
    say("installing the npm packages of package-lock.json (npm ci)");
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(Command::new(npm)
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(root()))?;
    lock.write_to(&stamp)
}

/// Adds the standard library for wasm, unless it is there.
///
/// # Errors
///
/// It is missing, and rustup is missing or fails.
pub fn wasm_target() -> Outcome {
    let libdir =
        output(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]))?;
    if Path::new(&libdir).is_dir() {
        return Ok(());
    }
    say(&format!(
        "adding the Rust target {WASM_TARGET} (rustup target add)"
    ));
    run(Command::new("rustup")
        .args(["target", "add", WASM_TARGET])
        .current_dir(root()))
    .map_err(|_| {
        Failure::Because(format!(
            "Rust's standard library for {WASM_TARGET} is missing, and rustup did not add it: \
                 install it the way this Rust was installed"
        ))
    })
}

/// The folder of Trunk.
fn trunk() -> Result<PathBuf, Failure> {
    let wanted = format!("trunk {TRUNK}");
    if let Some(dir) = on_path("trunk", &wanted) {
        return Ok(dir);
    }
    installed("trunk", &format!("trunk-{TRUNK}"), &wanted, |install| {
        // Trunk only moves files about: optimising it would cost most of the time, and the network
        // features, which the build does not use, most of the rest.
        install.args([
            "trunk",
            "--version",
            TRUNK,
            "--locked",
            "--no-default-features",
        ]);
        optimise(install, "0");
    })
}

/// The folder of our `wasm-bindgen` and `wasm-split`.
fn bindgen() -> Result<PathBuf, Failure> {
    let source = root().join("xtask/bindgen");
    let inputs = [source.join("src"), source.join("Cargo.toml")];
    let name = format!("wasm-bindgen-{}", Fingerprint::of(inputs)?.short());
    installed("wasm-bindgen", &name, "wasm-bindgen", |install| {
        install.arg("--path").arg(&source).arg("--locked");
        optimise(install, "1");
    })
}

/// Sets how much a tool is optimised, whatever its own profile says.
fn optimise(install: &mut Command, level: &str) {
    install
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
}

/// The folder of a tool in the cache; `install` completes the `cargo install` that puts it there.
fn installed(
    program: &str,
    name: &str,
    wanted: &str,
    install: impl FnOnce(&mut Command),
) -> Result<PathBuf, Failure> {
    let home = cache()?.join(name);
    let bin = home.join("bin");
    if version(&bin.join(program)).is_some_and(|version| version.starts_with(wanted)) {
        return Ok(bin);
    }
    say(&format!(
        "building {program} into {} (once; a few minutes)",
        home.parent().unwrap_or(&home).display()
    ));
    // Another checkout may be doing the same: each builds beside, and the rename decides.
    let beside = home.with_file_name(format!(".{name}.{}", std::process::id()));
    let mut command = cargo();
    command.args(["install", "--quiet", "--root"]).arg(&beside);
    command.env("CARGO_TARGET_DIR", beside.join("target"));
    install(&mut command);
    let done = run(&mut command);
    let _ = fs::remove_dir_all(beside.join("target"));
    if done.is_ok() {
        let _ = fs::remove_dir_all(&home);
        let _ = fs::rename(&beside, &home);
    }
    let _ = fs::remove_dir_all(&beside);
    done.map(|()| bin)
}

/// The folder of a program on PATH, if it is the wanted version.
fn on_path(program: &str, wanted: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .find(|dir| version(&dir.join(program)).is_some_and(|version| version == wanted))
}

/// What a program answers to `--version`; nothing if it is not there.
fn version(program: &Path) -> Option<String> {
    output(Command::new(program).arg("--version")).ok()
}

/// The tools' cache.
fn cache() -> Result<PathBuf, Failure> {
    let var = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(dir) = var("LAYERWISE_TOOLS") {
        return Ok(dir);
    }
    let system = if cfg!(windows) {
        var("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        var("HOME").map(|home| home.join("Library/Caches"))
    } else {
        var("XDG_CACHE_HOME").or_else(|| var("HOME").map(|home| home.join(".cache")))
    };
    let system = system.ok_or("no cache folder is known: set LAYERWISE_TOOLS to one")?;
    Ok(system.join("layerwise-tools"))
}

/// A program of the npm packages.
pub fn npm_program(name: &str, words: &[&str]) -> Command {
    let file = if cfg!(windows) {
        format!("{name}.cmd")
    } else {
        name.to_owned()
    };
    let mut command = Command::new(root().join("node_modules/.bin").join(file));
    command.args(words).current_dir(root());
    command
}

/// A Chromium for the browser tests: the system's, or the one that Playwright downloads.
///
/// # Errors
///
/// There is none, and Playwright cannot install its own.
pub fn chromium() -> Result<Option<PathBuf>, Failure> {
    if let Some(given) = std::env::var_os("LAYERWISE_CHROMIUM") {
        return Ok(Some(given.into()));
    }
    let system = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ];
    if let Some(found) = system.iter().map(Path::new).find(|file| file.is_file()) {
        return Ok(Some(found.to_owned()));
    }
    say("installing Chromium for the browser tests (playwright install)");
    run(&mut npm_program(
        "playwright",
        &["install", "--only-shell", "chromium"],
    ))?;
    Ok(None)
}
