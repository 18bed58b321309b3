//! node, and the tools of its world: compilers and bundlers write, checkers only look.

use super::super::{Call, Exit, Fidelity, Stop, cost};
use super::files::{Failed, Files, stand_in};
use super::sources::{Sources, sources};
use crate::fs::{Errno, join};

/// What source files are called.
const CODE: [&str; 8] = [
    ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte",
];

/// What a bundler takes in besides the code: never a Dockerfile, a licence or a manual.
const BUNDLED: [&str; 28] = [
    ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte", ".css", ".scss", ".sass",
    ".less", ".html", ".json", ".mdx", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif",
    ".ico", ".woff", ".woff2", ".ttf", ".env", ".wasm",
];

/// `node`: its version; what a script does is not known.
pub(super) fn node(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.clone();
    match args.first().map(String::as_str) {
        Some("-v" | "--version") => {
            let version = call.proc.env.get("NODE_VERSION").unwrap_or("20.19.2");
            call.out(format!("v{version}\n"))?;
            Ok(0)
        }
        Some(script) if !script.starts_with('-') => {
            let path = join(&call.proc.fs.cwd, script);
            let files = Files::of(call);
            let there = ["", ".js", "/index.js"]
                .iter()
                .any(|end| files.exists(&format!("{path}{end}")));
            if !there {
                call.err(format!(
                    "Error: Cannot find module '{path}'\n  code: 'MODULE_NOT_FOUND',\n  requireStack: []\n"
                ))?;
                return Ok(1);
            }
            call.kernel.mark(Fidelity::NotSimulated);
            Ok(0)
        }
        _ => {
            call.kernel.mark(Fidelity::NotSimulated);
            Ok(0)
        }
    }
}

/// What a tool's output is made of.
struct Output {
    /// Paths below the output folder and their sizes.
    files: Vec<(String, u64)>,
}

fn write(
    call: &mut Call<'_, '_>,
    dir: &str,
    input: &Sources,
    output: Output,
    seconds: f64,
) -> Exit {
    let machine = call.kernel.host.machine();
    call.kernel.spend(cost::seconds(machine.cpu * seconds));
    let tool = call.name.clone();
    let mut files = Files::of(call);
    let mut put = || {
        for (path, size) in &output.files {
            let what = format!("{path}, made by {tool} of {}", &input.digest[..16]);
            files.put(&format!("{dir}/{path}"), stand_in(&what, *size), 0o644)?;
        }
        Ok(())
    };
    match put() {
        Ok(()) => Ok(0),
        Err(Failed { path, errno, .. }) => {
            let code = if errno == Errno::Eacces {
                "EACCES"
            } else {
                "EIO"
            };
            let errno = errno.to_string().to_lowercase();
            call.err(format!("Error: {code}: {errno}, mkdir '{path}'\n"))?;
            Ok(1)
        }
    }
}

fn option(call: &Call<'_, '_>, names: &[&str]) -> Option<String> {
    let mut rest = call.args.iter();
    while let Some(arg) = rest.next() {
        for name in names {
            if arg == name {
                return rest.next().cloned();
            }
            if let Some(value) = arg
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('='))
            {
                return Some(value.to_owned());
            }
        }
    }
    None
}

/// A value of `compilerOptions` in `tsconfig.json`, comments or not.
fn tsconfig(text: &str, key: &str) -> Option<String> {
    let bare: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let (_, rest) = bare.split_once(&format!("\"{key}\""))?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start();
    let quoted = value
        .strip_prefix('"')
        .and_then(|rest| rest.split('"').next());
    let word = value.split([',', '}', '\n']).next().unwrap_or_default();
    Some(quoted.unwrap_or(word.trim()).to_owned())
}

/// `tsc`: each module becomes JavaScript in `outDir`.
pub(super) fn tsc(call: &mut Call<'_, '_>) -> Exit {
    let config = option(call, &["-p", "--project"]).unwrap_or_else(|| "tsconfig.json".to_owned());
    let Some(text) = Files::of(call).text(&config) else {
        call.out(format!(
            "error TS5058: The specified path does not exist: '{config}'.\n"
        ))?;
        return Ok(1);
    };
    let input = sources(call, ".", &[".ts", ".tsx"]);
    let no_emit = call.args.iter().any(|arg| arg == "--noEmit")
        || tsconfig(&text, "noEmit").as_deref() == Some("true");
    let mut output = Output { files: Vec::new() };
    if !no_emit {
        for (path, size) in &input.files {
            let Some((stem, _)) = path.rsplit_once(".ts") else {
                continue;
            };
            if !path.ends_with(".d.ts") {
                let stem = stem.strip_prefix("src/").unwrap_or(stem);
                output
                    .files
                    .push((format!("{stem}.js"), size * 9 / 10 + 60));
            }
        }
    }
    let dir = option(call, &["--outDir"])
        .or_else(|| tsconfig(&text, "outDir"))
        .unwrap_or_else(|| ".".to_owned());
    write(call, &dir, &input, output, 4.0)
}

/// The bundle of a web application: a page, scripts and styles named after their content.
fn bundle(input: &Sources, folder: &str, base: u64) -> Output {
    let hash = &input.digest[..8];
    Output {
        files: vec![
            ("index.html".to_owned(), 460),
            (
                format!("{folder}/index-{hash}.js"),
                base + input.bytes * 6 / 10,
            ),
            (
                format!("{folder}/index-{hash}.css"),
                1_400 + input.bytes / 10,
            ),
        ],
    }
}

/// `vite`, `webpack`, `react-scripts` and their like: `build` writes a bundle; to serve is nothing
/// that a build can wait for.
pub(super) fn bundler(call: &mut Call<'_, '_>) -> Exit {
    let tool = call.name.clone();
    let builds =
        call.args.iter().any(|arg| arg == "build") || tool == "webpack" || tool == "rollup";
    if !builds {
        call.kernel.mark(Fidelity::NotSimulated);
        return Ok(0);
    }
    let input = sources(call, ".", &BUNDLED);
    let (dir, folder, base, seconds) = match tool.as_str() {
        "react-scripts" => ("build", "static/js", 145_000, 12.0),
        "vue-cli-service" => ("dist", "js", 95_000, 9.0),
        "ng" => ("dist", "browser", 220_000, 20.0),
        "webpack" | "rollup" | "parcel" => ("dist", "assets", 60_000, 6.0),
        _ => ("dist", "assets", 143_000, 3.0 + 0.002 * 600.0),
    };
    let output = bundle(&input, folder, base);
    let dir = option(
        call,
        &["--outDir", "--dest", "-o", "--output-path", "--dist-dir"],
    )
    .unwrap_or_else(|| dir.to_owned());
    let shown: String = output
        .files
        .iter()
        .map(|(path, size)| format!("{dir}/{path}  {:.2} kB\n", *size as f64 / 1000.0))
        .collect();
    let modules = input
        .files
        .iter()
        .filter(|(path, _)| CODE.iter().any(|end| path.ends_with(end)));
    let count = modules.count();
    call.out(format!(
        "{tool}: building for production...\n{count} modules transformed.\n{shown}"
    ))?;
    write(call, &dir, &input, output, seconds)
}

/// `next`: `build` writes `.next`.
pub(super) fn next(call: &mut Call<'_, '_>) -> Exit {
    if call.args.first().is_none_or(|arg| arg != "build") {
        call.kernel.mark(Fidelity::NotSimulated);
        return Ok(0);
    }
    let input = sources(call, ".", &BUNDLED);
    let config: String = ["next.config.js", "next.config.mjs", "next.config.ts"]
        .iter()
        .filter_map(|name| Files::of(call).text(name))
        .collect();
    let hash = &input.digest[..16];
    let mut files = vec![
        ("BUILD_ID".to_owned(), 21),
        ("build-manifest.json".to_owned(), 1_200),
        ("routes-manifest.json".to_owned(), 900),
        ("server/pages-manifest.json".to_owned(), 400),
        ("server/app/page.js".to_owned(), 20_000 + input.bytes),
        (format!("static/{hash}/_buildManifest.js"), 600),
        (format!("static/chunks/main-{hash}.js"), 130_000),
        (
            format!("static/chunks/app-{hash}.js"),
            60_000 + input.bytes / 2,
        ),
        (
            "cache/webpack/client-production/0.pack".to_owned(),
            42_000_000,
        ),
        (
            "cache/webpack/server-production/0.pack".to_owned(),
            38_000_000,
        ),
    ];
    if config.contains("standalone") {
        files.push(("standalone/server.js".to_owned(), 6_000));
        files.push((
            "standalone/node_modules/next/unlisted".to_owned(),
            38_000_000,
        ));
    }
    call.out("Creating an optimized production build ...\nCompiled successfully\n")?;
    write(call, ".next", &input, Output { files }, 18.0)
}

/// `nest build` and `esbuild`: JavaScript in `dist`.
pub(super) fn compiler(call: &mut Call<'_, '_>) -> Exit {
    if call.name == "nest" && call.args.first().is_none_or(|arg| arg != "build") {
        call.kernel.mark(Fidelity::NotSimulated);
        return Ok(0);
    }
    let input = sources(call, ".", &CODE);
    let mut files = Vec::new();
    for (path, size) in &input.files {
        if let Some((stem, _)) = path.strip_prefix("src/").unwrap_or(path).rsplit_once('.')
            && path.starts_with("src/")
        {
            files.push((format!("{stem}.js"), size * 9 / 10 + 60));
        }
    }
    let dir = option(call, &["--outdir", "--out-dir", "-d"]).unwrap_or_else(|| "dist".to_owned());
    write(call, &dir, &input, Output { files }, 5.0)
}

/// Checkers and testers: they take their time, find nothing, and write nothing.
pub(super) fn checker(call: &mut Call<'_, '_>) -> Exit {
    let input = sources(call, ".", &CODE);
    let machine = call.kernel.host.machine();
    let seconds = 1.5 + 0.03 * input.files.len() as f64;
    call.kernel.spend(cost::seconds(machine.cpu * seconds));
    Ok(0)
}

/// `cross-env NAME=value … command`: the command with these variables.
pub(super) fn cross_env(call: &mut Call<'_, '_>) -> Exit {
    let is_pair = |arg: &String| arg.contains('=') && !arg.starts_with('-');
    let pairs: Vec<String> = call
        .args
        .iter()
        .take_while(|arg| is_pair(arg))
        .cloned()
        .collect();
    let command: Vec<String> = call.args.iter().skip(pairs.len()).cloned().collect();
    if command.is_empty() {
        return Ok(0);
    }
    let ran = call.run_with(&command, |child| {
        for (name, value) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
            child.env.set(name, value);
        }
    })?;
    ended(call, &command, ran.ok())
}

/// `rimraf PATH …`: `rm -rf`.
pub(super) fn rimraf(call: &mut Call<'_, '_>) -> Exit {
    let args: Vec<String> = call
        .args
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .cloned()
        .collect();
    let mut files = Files::of(call);
    let removed: Result<(), Failed> = args.iter().try_for_each(|path| files.remove(path));
    match removed {
        Ok(()) => Ok(0),
        Err(Failed { path, errno, .. }) => {
            call.err(format!("[Error: {errno}, unlink '{path}']\n"))?;
            Ok(1)
        }
    }
}

fn ended(call: &mut Call<'_, '_>, command: &[String], code: Option<i32>) -> Result<i32, Stop> {
    match code {
        Some(code) => Ok(code),
        None => {
            let name = command.first().map_or("", String::as_str);
            call.err(format!("{name}: not found\n"))?;
            Ok(127)
        }
    }
}
