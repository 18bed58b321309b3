//! Rust: cargo, rustc and rustup.

use super::super::{Call, Exit, Program};
use super::files::{Failed, Files, program, stand_in};
use super::sources::sources;
use super::table::estimate;
use super::tool::{self, Words, above, env, say, transfer, unknown, work, written};
use crate::fs::{Content, join};

pub(super) const TABLE: &[Program] = &[
    Program::modelled("cargo", cargo),
    Program::modelled("rustc", |call| {
        match call.args.first().map(String::as_str) {
            Some("--version" | "-V" | "-vV") => say(call, "rustc 1.97.1 (stand-in)"),
            _ => unknown(call),
        }
    }),
    Program::modelled("rustup", rustup),
    Program::modelled("rustup-init", init),
    Program::modelled("rustup.sh", init),
];

fn cargo_home(call: &Call<'_, '_>) -> String {
    match env(call, "CARGO_HOME") {
        home if home.is_empty() => format!("{}/.cargo", tool::home(call)),
        home => home,
    }
}

fn rustup_home(call: &Call<'_, '_>) -> String {
    match env(call, "RUSTUP_HOME") {
        home if home.is_empty() => format!("{}/.rustup", tool::home(call)),
        home => home,
    }
}

/// `rustup-init`: the proxies in cargo's folder and a toolchain in rustup's.
fn init(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "--profile",
            "--default-toolchain",
            "--default-host",
            "-c",
            "--component",
            "-t",
            "--target",
        ],
    );
    let bin = format!("{}/bin", cargo_home(call));
    let chain = words
        .value(&["--default-toolchain"])
        .unwrap_or("stable")
        .to_owned();
    let minimal = words.value(&["--profile"]) == Some("minimal");
    let mut files = Files::of(call);
    let mut wrote = Ok(());
    for name in [
        "cargo",
        "rustc",
        "rustdoc",
        "rustfmt",
        "rustup",
        "cargo-clippy",
        "cargo-fmt",
    ] {
        wrote = wrote.and_then(|()| {
            files.put(
                &format!("{bin}/{name}"),
                program(name, "rustup's proxy", 20_838_840),
                0o755,
            )
        });
    }
    let env_file = format!("export PATH=\"{bin}:$PATH\"\n");
    let path = bin.replace("/bin", "/env");
    wrote = wrote.and_then(|()| files.put(&path, Content::new(env_file), 0o644));
    let code = written(call, wrote)?;
    if code != 0 || chain == "none" {
        return Ok(code);
    }
    toolchain(call, &chain, minimal)
}

/// Installs a toolchain, where it is missing.
fn toolchain(call: &mut Call<'_, '_>, name: &str, minimal: bool) -> Exit {
    let dir = format!(
        "{}/toolchains/{name}-x86_64-unknown-linux-gnu",
        rustup_home(call)
    );
    let mut files = Files::of(call);
    if files.exists(&dir) {
        return Ok(0);
    }
    let (library, docs) = (360_000_000, if minimal { 0 } else { 600_000_000 });
    let wrote = files
        .put(
            &format!("{dir}/bin/cargo"),
            program("cargo", "cargo", 42_185_192),
            0o755,
        )
        .and_then(|()| {
            files.put(
                &format!("{dir}/bin/rustc"),
                program("rustc", "rustc", 700_000),
                0o755,
            )
        })
        .and_then(|()| {
            files.put(
                &format!("{dir}/lib/librustc_driver.so"),
                stand_in("rustc", 160_000_000),
                0o755,
            )
        })
        .and_then(|()| {
            files.put_many(
                (
                    &format!("{dir}/lib/rustlib/x86_64-unknown-linux-gnu/lib/lib"),
                    ".rlib",
                ),
                "the standard library",
                40,
                library,
            )
        })
        .and_then(|()| match docs {
            0 => Ok(()),
            docs => files.put_many(
                (&format!("{dir}/share/doc/rust/html/page_"), ".html"),
                "the documentation",
                2_000,
                docs,
            ),
        });
    transfer(call, if minimal { 90_000_000 } else { 250_000_000 });
    work(call, if minimal { 9.0 } else { 20.0 });
    call.err(format!(
        "info: installing toolchain '{name}-x86_64-unknown-linux-gnu'\n"
    ))?;
    written(call, wrote)
}

fn rustup(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "--profile",
            "-c",
            "--component",
            "--toolchain",
            "-t",
            "--target",
        ],
    );
    let minimal = words.value(&["--profile"]) == Some("minimal");
    match (words.word(0), words.word(1)) {
        ("toolchain", "install" | "add") | ("install" | "default" | "update" | "override", _) => {
            let name = words
                .words
                .iter()
                .skip(1)
                .find(|word| !["install", "add", "set"].contains(&word.as_str()));
            match name.cloned() {
                Some(name) => toolchain(call, &name, minimal),
                None => Ok(0),
            }
        }
        ("target", "add") | ("component", "add") => {
            let mut wrote = Ok(());
            for name in words.words.iter().skip(2) {
                let dir = format!(
                    "{}/toolchains/stable-x86_64-unknown-linux-gnu/lib/rustlib/{name}",
                    rustup_home(call)
                );
                transfer(call, 30_000_000);
                wrote = wrote.and_then(|()| {
                    Files::of(call).put_many(
                        (&format!("{dir}/lib"), ".rlib"),
                        name,
                        30,
                        120_000_000,
                    )
                });
            }
            written(call, wrote)
        }
        ("set" | "show" | "self" | "which" | "toolchain" | "target" | "component" | "", _) => Ok(0),
        _ => unknown(call),
    }
}

/// What a crate's archive weighs.
fn weight(name: &str) -> u64 {
    estimate(name, 8_000, 500_000)
}

/// Seconds that compiling a crate takes.
fn seconds(name: &str) -> f64 {
    match name {
        "syn" | "serde_derive" => 4.0,
        "tokio" => 9.0,
        "regex" => 6.0,
        _ => 1.2,
    }
}

/// The crates that a lock file or else a manifest names.
fn crates(manifest: &str, lock: Option<&str>) -> Vec<String> {
    if let Some(lock) = lock {
        let names = lock
            .lines()
            .filter_map(|line| line.strip_prefix("name = \""));
        let names: Vec<String> = names
            .map(|name| name.trim_end_matches('"').to_owned())
            .collect();
        if !names.is_empty() {
            return names;
        }
    }
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| inside) {
            names.push(name.trim().to_owned());
        }
    }
    names
}

fn cargo(call: &mut Call<'_, '_>) -> Exit {
    let args: Vec<String> = call
        .args
        .iter()
        .filter(|arg| !arg.starts_with('+'))
        .cloned()
        .collect();
    let words = Words::of(
        &args,
        &[
            "--bin",
            "-p",
            "--package",
            "--features",
            "-F",
            "--target",
            "--target-dir",
            "--manifest-path",
            "--root",
            "--version",
            "--profile",
            "--git",
            "--branch",
            "--tag",
            "--path",
            "-j",
            "--jobs",
            "--recipe-path",
            "--config",
        ],
    );
    let command = words.word(0).to_owned();
    match command.as_str() {
        "" => say(call, "cargo 1.97.1"),
        "install" => install(call, &words),
        "new" | "init" => {
            let dir = words.word(1).to_owned();
            let dir = if dir.is_empty() { ".".to_owned() } else { dir };
            let name = crate::fs::base_name(&join(&call.proc.fs.cwd, &dir)).to_owned();
            let (path, text) = match words.has(&["--lib"]) {
                true => (
                    "src/lib.rs",
                    "pub fn add(left: u64, right: u64) -> u64 {\n    left + right\n}\n",
                ),
                false => (
                    "src/main.rs",
                    "fn main() {\n    println!(\"Hello, world!\");\n}\n",
                ),
            };
            let mut files = Files::of(call);
            let wrote = files
                .put(&format!("{dir}/Cargo.toml"), Content::new(format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n")), 0o644)
                .and_then(|()| files.put(&format!("{dir}/{path}"), Content::new(text.to_owned()), 0o644));
            written(call, wrote)
        }
        "build" | "b" | "rustc" | "test" | "check" | "fetch" | "vendor" | "chef" | "auditable"
        | "generate-lockfile" | "clippy" | "run" | "update" | "doc" | "zigbuild" => {
            project(call, &command, &words)
        }
        "fmt" | "clean" | "version" | "login" | "search" => Ok(0),
        _ => unknown(call),
    }
}

/// `cargo install NAME`: a program in cargo's folder.
fn install(call: &mut Call<'_, '_>, words: &Words) -> Exit {
    let root = words
        .value(&["--root"])
        .map_or_else(|| cargo_home(call), str::to_owned);
    let mut names: Vec<String> = words
        .words
        .iter()
        .skip(1)
        .map(|word| word.split('@').next().unwrap_or(word).to_owned())
        .collect();
    if names.is_empty() || words.has(&["--path"]) {
        let dir = words.value(&["--path"]).unwrap_or(".").to_owned();
        let manifest = Files::of(call).text(&format!("{dir}/Cargo.toml"));
        let Some(manifest) = manifest else {
            call.err(format!(
                "error: `{dir}` does not contain a Cargo.toml file\n"
            ))?;
            return Ok(101);
        };
        names = vec![package_name(&manifest)];
    }
    let mut wrote = Ok(());
    for name in &names {
        let size = 3_000_000 + estimate(name, 0, 20_000_000);
        transfer(call, 6_000_000);
        work(call, 40.0);
        let path = format!("{root}/bin/{name}");
        let mut files = Files::of(call);
        wrote = wrote
            .and_then(|()| files.put(&path, program(&path, name, size), 0o755))
            .and_then(|()| {
                files.put(
                    &format!("{}/registry/cache/{name}.crate", root),
                    stand_in(name, 6_000_000),
                    0o644,
                )
            });
        call.err(format!(
            "   Installed package `{name}` (executable `{name}`)\n"
        ))?;
    }
    written(call, wrote)
}

fn package_name(manifest: &str) -> String {
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[package]";
        } else if let Some(rest) = line.strip_prefix("name").filter(|_| inside) {
            return rest
                .trim_start_matches([' ', '='])
                .trim_matches('"')
                .to_owned();
        }
    }
    "app".to_owned()
}

/// A command that works on the project of the working directory.
fn project(call: &mut Call<'_, '_>, command: &str, words: &Words) -> Exit {
    let cwd = call.proc.fs.cwd.clone();
    let dir = match words.value(&["--manifest-path"]) {
        Some(path) => Some(crate::fs::parent(&join(&cwd, path))),
        None => above(call, "Cargo.toml"),
    };
    let Some(dir) = dir.filter(|dir| Files::of(call).exists(&join(dir, "Cargo.toml"))) else {
        call.err(format!(
            "error: could not find `Cargo.toml` in `{cwd}` or any parent directory\n"
        ))?;
        return Ok(101);
    };
    let files = Files::of(call);
    let manifest = files.text(&join(&dir, "Cargo.toml")).unwrap_or_default();
    let lock = files.text(&join(&dir, "Cargo.lock"));
    if lock.is_none() && words.has(&["--locked", "--frozen"]) {
        call.err(format!("error: the lock file {dir}/Cargo.lock needs to be updated but --locked was passed to prevent this\n"))?;
        return Ok(101);
    }
    let own = package_name(&manifest);
    let names: Vec<String> = crates(&manifest, lock.as_deref())
        .into_iter()
        .filter(|name| *name != own)
        .collect();
    // `cargo chef`: the recipe is the manifests, cooking it builds the dependencies.
    if command == "chef" && words.word(1) == "prepare" {
        let path = words
            .value(&["--recipe-path"])
            .unwrap_or("recipe.json")
            .to_owned();
        let text = serde_json::json!({ "skeleton": names }).to_string();
        let wrote = Files::of(call).put(&path, Content::new(text), 0o644);
        return written(call, wrote);
    }
    let registry = format!("{}/registry", cargo_home(call));
    let target_dir = match (
        words.value(&["--target-dir"]),
        env(call, "CARGO_TARGET_DIR"),
    ) {
        (Some(dir), _) => join(&cwd, dir),
        (None, dir) if !dir.is_empty() => join(&cwd, &dir),
        _ => format!("{dir}/target"),
    };
    let profile = match (words.has(&["--release", "-r"]), words.value(&["--profile"])) {
        (_, Some(profile)) if profile != "dev" => profile.to_owned(),
        (true, _) => "release".to_owned(),
        _ => "debug".to_owned(),
    };
    let triple = words
        .value(&["--target"])
        .map(|triple| format!("{triple}/"))
        .unwrap_or_default();
    let out = format!("{target_dir}/{triple}{profile}");
    let input = sources(call, &dir, &[".rs"]);
    let compiles = !matches!(command, "fetch" | "vendor" | "generate-lockfile" | "update");
    let (mut bytes, mut time) = (0, 0.3);
    let mut files = Files::of(call);
    let mut put = || -> Result<(), Failed> {
        for name in &names {
            let cached = format!("{registry}/cache/index.crates.io/{name}.crate");
            if !files.exists(&cached) {
                bytes += weight(name);
                files.put(&cached, stand_in(name, weight(name)), 0o644)?;
                files.put_many(
                    (
                        &format!("{registry}/src/index.crates.io/{name}/file_"),
                        ".rs",
                    ),
                    name,
                    4 + weight(name) / 30_000,
                    weight(name) * 5,
                )?;
            }
            if command == "vendor" {
                files.put_many(
                    (&format!("{dir}/vendor/{name}/file_"), ".rs"),
                    name,
                    4 + weight(name) / 30_000,
                    weight(name) * 5,
                )?;
            }
            let built = format!("{out}/deps/lib{name}.rlib");
            if compiles && !files.exists(&built) {
                time += seconds(name);
                files.put(&built, stand_in(name, 3_700_000), 0o644)?;
            }
        }
        if lock.is_none() {
            let list: String = names
                .iter()
                .map(|name| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n\n"))
                .collect();
            files.put(
                &join(&dir, "Cargo.lock"),
                Content::new(format!(
                    "version = 4\n\n{list}[[package]]\nname = \"{own}\"\nversion = \"0.1.0\"\n"
                )),
                0o644,
            )?;
        }
        if compiles && command != "chef" {
            let fingerprint = format!("{out}/.fingerprint/{own}-{}", &input.digest[..16]);
            if !files.exists(&fingerprint) {
                time += 1.5 + input.bytes as f64 / 10_000.0;
                files.put(&fingerprint, stand_in(&input.digest, 2_000), 0o644)?;
            }
        }
        if matches!(
            command,
            "build" | "b" | "rustc" | "auditable" | "run" | "zigbuild"
        ) {
            let size = if profile == "debug" {
                4_000_000
            } else {
                445_000
            } + names.len() as u64 * 60_000
                + input.bytes * 2;
            let wanted: Vec<&str> = words
                .options
                .iter()
                .filter(|(name, _)| name == "--bin")
                .map(|(_, bin)| bin.as_str())
                .collect();
            let mut bins: Vec<String> = wanted.iter().map(|bin| (*bin).to_owned()).collect();
            if bins.is_empty() {
                let extra = input.files.iter().filter_map(|(path, _)| {
                    Some(
                        path.strip_prefix("src/bin/")?
                            .strip_suffix(".rs")?
                            .to_owned(),
                    )
                });
                bins = extra.collect();
                if input
                    .files
                    .iter()
                    .any(|(path, _)| path == "src/main.rs" || path.ends_with("main.rs"))
                    || bins.is_empty()
                {
                    bins.push(own.clone());
                }
            }
            for bin in bins {
                let text = format!(
                    "\x7fELFprogram {bin}\nbuilt of {}, {size} bytes\n",
                    input.digest
                );
                files.put(
                    &format!("{out}/{bin}"),
                    Content::stand_in(text, size),
                    0o755,
                )?;
            }
        }
        Ok(())
    };
    let wrote = put();
    if bytes > 0 {
        transfer(call, bytes);
        tool::estimated(call, "crates")?;
    }
    work(call, time);
    call.err(format!(
        "    Finished `{profile}` profile target(s) in {time:.2}s\n"
    ))?;
    written(call, wrote)
}
