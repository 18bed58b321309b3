//! Building the page: the engine's module, the scripts, and the app, bundled into `dist/`.
//!
//! ```text
//! crate/ (feature js) ─cargo, wasm-bindgen, wasm-opt, wasm-split→ web/gen/engine/
//! web/gen/engine/, web/worker/, web/editor/ ─esbuild→ web/gen/assets/, web/gen/start.js
//! web/ (the Yew app), web/gen/, public/     ─trunk, wasm-opt, wasm-split→ dist/
//! ```
//!
//! The name of every script and module in `dist/` carries a hash of its content, and every address
//! is relative: any static host can serve the folder, under any path, and cache what it serves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fingerprint::Fingerprint;
use crate::process::{cargo, output, root, run, say};
use crate::tools::{Tools, WASM_TARGET};
use crate::{Failure, Outcome};

/// What wasm-opt may use: what Rust's wasm target emits.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// What decides the content of `dist/`, beside `web/` and the mode.
const INPUTS: [&str; 12] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "Trunk.toml",
    "crate/Cargo.toml",
    "crate/src",
    "package-lock.json",
    "public",
    "xtask/bindgen",
    "xtask/src/page.rs",
    "xtask/src/tools.rs",
    "tsconfig.json",
];

/// The JavaScript function that the engine and the app call for the rest of their code, as it stands
/// in the names of their imports (`crate/src/js`, `web/src/main.rs`).
const REST: &str = "__wbg_layerwiseRest";

/// How the page is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As it is published: small and fast.
    Release,
    /// As it is worked on: soon built.
    Dev,
}

impl Mode {
    /// The cargo profile.
    fn profile(self) -> &'static str {
        match self {
            Mode::Release => "wasm",
            Mode::Dev => "wasm-dev",
        }
    }

    /// What is published has panics without words; see `xtask/bindgen`.
    fn bindgen(self, mut command: Command) -> Command {
        if self == Mode::Release {
            command.env("WASM_TRAP_PANICS", "1");
        }
        command
    }
}

/// The folder of the built page.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// The folder of what is generated for Trunk.
fn generated() -> PathBuf {
    root().join("web/gen")
}

/// The files and folders that decide what `dist/` holds.
pub fn inputs() -> Vec<PathBuf> {
    let mut paths: Vec<_> = INPUTS.iter().map(|input| root().join(input)).collect();
    // All of `web` without `web/gen`, which is an output.
    let web = fs::read_dir(root().join("web"))
        .into_iter()
        .flatten()
        .flatten();
    paths.extend(
        web.map(|entry| entry.path())
            .filter(|path| *path != generated()),
    );
    paths.sort();
    paths
}

/// Builds the page into `dist/`, unless it is up to date.
///
/// # Errors
///
/// A tool cannot be set up, or the build fails.
pub fn build(mode: Mode) -> Outcome {
    let inputs = Fingerprint::of(inputs())?.and(mode.profile());
    let stamp = root().join("target/page.stamp");
    let outputs = [
        dist().join("index.html"),
        generated().join("engine/engine.js"),
    ];
    if inputs.is_at(&stamp) && outputs.iter().all(|file| file.is_file()) {
        say("dist/ is up to date");
        return Ok(());
    }
    let tools = Tools::set_up()?;
    run(cargo().args(["fetch", "--quiet", "--locked", "--target", WASM_TARGET]))?;
    engine(mode, &tools)?;
    scripts(mode, &tools)?;
    app(mode, &tools)?;
    inputs.write_to(&stamp)
}

/// Builds the engine's module into `web/gen/engine/`.
fn engine(mode: Mode, tools: &Tools) -> Outcome {
    say(&format!(
        "compiling the engine to wasm (profile {})",
        mode.profile()
    ));
    run(cargo()
        .env("RUSTFLAGS", rustflags()?)
        .args([
            "rustc",
            "--package",
            "layerwise",
            "--lib",
            "--features",
            "js",
        ])
        .args([
            "--crate-type",
            "cdylib",
            "--locked",
            "--profile",
            mode.profile(),
            "--target",
            WASM_TARGET,
        ]))?;
    let module = target_dir()
        .join(WASM_TARGET)
        .join(mode.profile())
        .join("layerwise.wasm");
    let inputs = Fingerprint::of([
        module.clone(),
        root().join("xtask/bindgen"),
        root().join("web/engine"),
        root().join("public"),
        root().join("package-lock.json"),
    ])?
    .and(mode.profile())
    .and(&WASM_FEATURES.concat());
    let out = generated().join("engine");
    let stamp = out.join("stamp");
    if inputs.is_at(&stamp) {
        return Ok(());
    }
    let _ = fs::remove_dir_all(&out);
    say("generating the engine's bindings (wasm-bindgen)");
    run(mode
        .bindgen(tools.command("wasm-bindgen"))
        .arg("--target=web")
        .arg("--out-name=engine")
        .arg(format!("--out-dir={}", out.display()))
        .arg(&module))?;
    if mode == Mode::Release {
        say("optimising the engine (wasm-opt)");
        run(tools
            .command("wasm-opt")
            .arg("-O2")
            .args(WASM_FEATURES)
            .arg(out.join("engine_bg.wasm"))
            .arg("-o")
            .arg(out.join("whole.wasm")))?;
        split_engine(&out, tools)?;
    }
    inputs.write_to(&stamp)
}

/// Parts the engine in what runs when the page opens and the rest. What runs is found out by opening
/// it: see `web/engine/ran.mjs`.
fn split_engine(out: &Path, tools: &Tools) -> Outcome {
    say("parting the engine in what runs when the page opens and the rest (wasm-split)");
    let option = |name: &str, file: &Path| format!("--{name}={}", file.display());
    let (whole, counting, ran) = (
        out.join("whole.wasm"),
        out.join("counting.wasm"),
        out.join("ran.txt"),
    );
    run(tools
        .command("wasm-split")
        .arg("count")
        .arg(&whole)
        .arg(option("out", &counting)))?;
    run(tools
        .command("node")
        .arg("web/engine/ran.mjs")
        .arg(out.join("engine.js"))
        .arg(&counting)
        .arg("public")
        .arg(&ran))?;
    run(tools
        .command("wasm-split")
        .arg("split")
        .arg(&whole)
        .arg(option("keep", &ran))
        .arg(format!("--load={REST}"))
        .arg(option("out", &out.join("engine_bg.wasm")))
        .arg(option("rest", &out.join("engine_rest.wasm"))))?;
    for file in [whole, counting, ran] {
        fs::remove_file(file)?;
    }
    Ok(())
}

/// What rustc is told when it compiles for the page: where this machine keeps its sources is
/// nobody's business.
fn rustflags() -> Result<String, Failure> {
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let folders = [
        (home.map(|home| home.join("registry/src")), "crates"),
        (
            Some(Path::new(&sysroot).join("lib/rustlib/src/rust/library")),
            "std",
        ),
        (Some(root().to_path_buf()), "."),
    ];
    for (folder, name) in folders {
        // Flags are parted by spaces.
        if let Some(folder) = folder.filter(|folder| !folder.to_string_lossy().contains(' ')) {
            flags += &format!(" --remap-path-prefix={}={name}", folder.display());
        }
    }
    Ok(flags)
}

/// Bundles the worker, the editor and the start module into `web/gen/`.
fn scripts(mode: Mode, tools: &Tools) -> Outcome {
    say("bundling the scripts (esbuild)");
    let assets = generated().join("assets");
    let _ = fs::remove_dir_all(&assets);
    fs::create_dir_all(&assets)?;

    // The name of a module that is copied to the assets, or nothing where there is none.
    let module = |file: &str, name: &str| -> Result<String, Failure> {
        let module = generated().join("engine").join(file);
        if !module.is_file() {
            return Ok(String::new());
        }
        let name = format!("{name}-{}.wasm", Fingerprint::of([module.clone()])?.short());
        fs::copy(module, assets.join(&name))?;
        Ok(format!("./{name}"))
    };
    let engine = module("engine_bg.wasm", "engine")?;
    let rest = module("engine_rest.wasm", "rest")?;

    let bundle = |entry: &str, options: &[String]| -> Result<String, Failure> {
        let meta = generated().join("meta.json");
        let mut esbuild = tools.command("esbuild");
        esbuild.args([
            entry,
            "--bundle",
            "--format=esm",
            "--target=es2022",
            "--log-level=warning",
        ]);
        esbuild.args(["--charset=utf8", "--outdir=web/gen/assets"]);
        esbuild
            .arg(format!("--metafile={}", meta.display()))
            .args(options);
        esbuild.arg(match mode {
            Mode::Release => "--minify",
            Mode::Dev => "--sourcemap=inline",
        });
        run(&mut esbuild)?;
        output_name(&meta)
    };
    let hashed = "--entry-names=[name]-[hash]".to_owned();
    let name = |constant: &str, file: &str| format!("--define:{constant}=\"{file}\"");

    let worker = bundle(
        "web/worker/worker.ts",
        &[
            hashed.clone(),
            format!(
                "--alias:layerwise-engine={}",
                generated().join("engine/engine.js").display()
            ),
            name("ENGINE_WASM", &engine),
            name("REST_WASM", &rest),
        ],
    )?;
    let editor = bundle("web/editor/editor.ts", &[hashed])?;
    // Trunk puts the hash into this one's name, since `index.html` refers to it.
    let start = bundle(
        "web/start.ts",
        &[
            name("WORKER", &format!("./assets/{worker}")),
            name("EDITOR", &format!("./assets/{editor}")),
        ],
    )?;
    fs::rename(assets.join(&start), generated().join(start))?;
    Ok(())
}

/// The name of the one file that esbuild has written.
fn output_name(meta: &Path) -> Result<String, Failure> {
    let meta: serde_json::Value = serde_json::from_str(&fs::read_to_string(meta)?)
        .map_err(|error| format!("esbuild's metafile: {error}"))?;
    let file = meta["outputs"]
        .as_object()
        .and_then(|outputs| outputs.keys().next());
    let name = file.and_then(|file| Path::new(file).file_name());
    Ok(name
        .ok_or("esbuild has written nothing")?
        .to_string_lossy()
        .into_owned())
}

/// Builds the app and bundles everything into `dist/`.
fn app(mode: Mode, tools: &Tools) -> Outcome {
    say(&format!(
        "building the page (trunk, profile {})",
        mode.profile()
    ));
    let mut trunk = mode.bindgen(tools.command("trunk"));
    // Names with type arguments, for `wasm-split`.
    trunk.env("RUSTFLAGS", rustflags()? + " -Csymbol-mangling-version=v0");
    trunk.args(["--quiet", "build", "--cargo-profile", mode.profile()]);
    // Trunk takes any value of NO_COLOR but "true" and "false" for a mistake.
    run(trunk.env_remove("NO_COLOR"))?;
    if mode == Mode::Release {
        split_app(tools)?;
    }
    Ok(())
}

/// Makes the app's module small, and parts it in what is shown when the page opens and the views
/// that `web/cold.txt` lists, whose module is loaded when one is first shown.
fn split_app(tools: &Tools) -> Outcome {
    say("optimising the app and parting it (wasm-opt, wasm-split)");
    let index = dist().join("index.html");
    let page = fs::read_to_string(&index)?;
    let name = page
        .split(['"', '/'])
        .find(|word| word.ends_with("_bg.wasm"))
        .ok_or("index.html names no module of the app")?
        .to_owned();
    let whole = dist().join(&name);
    let (named, main, rest) = (
        generated().join("app_named.wasm"),
        generated().join("app_main.wasm"),
        generated().join("app_rest.wasm"),
    );
    run(tools
        .command("wasm-opt")
        .args(["-Oz", "--debuginfo"])
        .args(WASM_FEATURES)
        .arg(&whole)
        .arg("-o")
        .arg(&named))?;
    let option = |name: &str, file: &Path| format!("--{name}={}", file.display());
    run(tools
        .command("wasm-split")
        .arg("split")
        .arg(&named)
        .arg("--cold=web/cold.txt")
        .arg(format!("--load={REST}"))
        .arg(option("out", &main))
        .arg(option("rest", &rest)))?;
    let hashed = |file: &Path, name: &str| -> Result<String, Failure> {
        let content = Fingerprint::of([file.to_path_buf()])?;
        let name = format!("{name}-{}.wasm", content.short());
        fs::rename(file, dist().join(&name))?;
        Ok(name)
    };
    let (main, rest) = (hashed(&main, "app")?, hashed(&rest, "app-rest")?);
    let page = page
        .replace(&name, &main)
        .replace("data-rest=\"\"", &format!("data-rest=\"./{rest}\""));
    fs::write(&index, page)?;
    fs::remove_file(whole)?;
    fs::remove_file(named)?;
    Ok(())
}

/// Where cargo puts what it builds.
fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A file of the built page with its sizes.
pub struct Built {
    /// The path under `dist/`.
    pub path: String,
    /// Bytes.
    pub raw: usize,
    /// Bytes after gzip at its best.
    pub gzip: usize,
}

/// Every file of the built page, by path.
///
/// # Errors
///
/// `dist/` cannot be read.
pub fn built() -> Result<Vec<Built>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![dist()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path)?;
            let name = path.strip_prefix(dist()).unwrap_or(&path).to_string_lossy();
            files.push(Built {
                path: name.replace('\\', "/"),
                raw: bytes.len(),
                gzip: gzip_size(&bytes)?,
            });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn gzip_size(bytes: &[u8]) -> Result<usize, Failure> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, bytes)?;
    Ok(encoder.finish()?.len())
}
