//! The Go toolchain: modules, and programs that are built of them.

use std::collections::BTreeSet;

use super::super::{Call, Exit, Fidelity, Stop, cost};
use super::files::{Failed, Files, stand_in};
use super::sources::sources;
use super::table::estimate;
use crate::fs::{Content, base_name, join, parent};

/// What the standard library leaves in the build cache the first time.
const STD_CACHE: u64 = 60_000_000;
/// What the smallest program weighs.
const BINARY: u64 = 2_000_000;

/// `go`.
pub(super) fn main(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.clone();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["version"] => {
            let version = call.proc.env.get("GOLANG_VERSION").unwrap_or("1.22.9");
            call.out(format!("go version go{version} linux/amd64\n"))?;
            Ok(0)
        }
        ["mod", "download", ..] => match module(call)? {
            Some(module) => fetch(call, &module),
            None => {
                call.err("go: no modules specified (see 'go help mod download')\n")?;
                Ok(1)
            }
        },
        ["mod", "init", name, ..] => {
            let text = format!("module {name}\n\ngo 1.22\n");
            match Files::of(call).put("go.mod", Content::new(text), 0o644) {
                Ok(()) => Ok(0),
                Err(failed) => denied(call, &failed),
            }
        }
        ["mod", "verify" | "tidy" | "vendor", ..] | ["get", ..] => match module(call)? {
            Some(module) => fetch(call, &module),
            None => no_module(call),
        },
        ["build", rest @ ..] => build(call, rest),
        ["install", rest @ ..] => install(call, rest),
        ["test" | "vet" | "generate" | "fmt", ..] => match module(call)? {
            Some(module) => {
                let code = fetch(call, &module)?;
                compile(call, &module)?;
                Ok(code)
            }
            None => no_module(call),
        },
        ["env", name] => {
            let value = call.proc.env.get(name).map(str::to_owned);
            let value = value.unwrap_or_else(|| match *name {
                "GOPATH" => gopath(call),
                "GOCACHE" => gocache(call),
                "GOOS" => "linux".to_owned(),
                "GOARCH" => "amd64".to_owned(),
                _ => String::new(),
            });
            call.out(format!("{value}\n"))?;
            Ok(0)
        }
        _ => {
            call.kernel.mark(Fidelity::NotSimulated);
            Ok(0)
        }
    }
}

fn gopath(call: &Call<'_, '_>) -> String {
    let home = call.proc.env.get("HOME").unwrap_or("/root");
    let path = call.proc.env.get("GOPATH");
    path.map_or_else(|| format!("{home}/go"), str::to_owned)
}

fn gocache(call: &Call<'_, '_>) -> String {
    let home = call.proc.env.get("HOME").unwrap_or("/root");
    let cache = call.proc.env.get("GOCACHE");
    cache.map_or_else(|| format!("{home}/.cache/go-build"), str::to_owned)
}

/// The module that the working directory is in.
struct Module {
    name: String,
    /// Modules that it needs, with versions: what `go.sum` lists, or else `go.mod`.
    needs: BTreeSet<(String, String)>,
}

fn module(call: &mut Call<'_, '_>) -> Result<Option<Module>, Stop> {
    let mut dir = call.proc.fs.cwd.clone();
    let files = Files::of(call);
    let text = loop {
        if let Some(text) = files.text(&join(&dir, "go.mod")) {
            break text;
        }
        if dir == "/" {
            return Ok(None);
        }
        dir = parent(&dir);
    };
    let name = text.lines().find_map(|line| line.strip_prefix("module "));
    let mut needs = BTreeSet::new();
    for line in files
        .text(&join(&dir, "go.sum"))
        .unwrap_or_default()
        .lines()
    {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next())
            && !version.ends_with("/go.mod")
        {
            needs.insert((name.to_owned(), version.to_owned()));
        }
    }
    if needs.is_empty() {
        for line in text
            .lines()
            .map(|line| line.trim().trim_start_matches("require "))
        {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(version)) = (words.next(), words.next())
                && version.starts_with('v')
                && name.contains('.')
            {
                needs.insert((name.to_owned(), version.to_owned()));
            }
        }
    }
    Ok(Some(Module {
        name: name.unwrap_or_default().trim().to_owned(),
        needs,
    }))
}

fn no_module(call: &mut Call<'_, '_>) -> Exit {
    call.err(
        "go: go.mod file not found in current directory or any parent directory; see 'go help modules'\n",
    )?;
    Ok(1)
}

fn denied(call: &mut Call<'_, '_>, failed: &Failed) -> Exit {
    let Failed { path, errno, .. } = failed;
    let errno = errno.to_string().to_lowercase();
    call.err(format!("go: mkdir {path}: {errno}\n"))?;
    Ok(1)
}

/// What a module's archive weighs: the catalog knows none.
fn archive(name: &str) -> u64 {
    estimate(name, 10_000, 2_000_000)
}

/// Downloads what the module cache lacks: the archive, and the files of it, which weigh three
/// times as much.
fn fetch(call: &mut Call<'_, '_>, module: &Module) -> Exit {
    let cache = format!("{}/pkg/mod", gopath(call));
    let mut files = Files::of(call);
    let mut download = 0;
    let mut count = 0;
    let mut lines = String::new();
    let mut wrote = Ok(());
    for (name, version) in &module.needs {
        // Capitals are written with a mark, so that names differ on every system.
        let escaped: String = name
            .chars()
            .flat_map(|c| {
                let mark = c.is_ascii_uppercase().then_some('!');
                mark.into_iter().chain([c.to_ascii_lowercase()])
            })
            .collect();
        let dir = format!("{cache}/{escaped}@{version}");
        if files.exists(&dir) {
            continue;
        }
        let bytes = archive(name);
        let what = format!("{name}@{version}");
        lines += &format!("go: downloading {name} {version}\n");
        wrote = wrote
            .and_then(|()| {
                let zip = format!("{cache}/cache/download/{escaped}/@v/{version}.zip");
                files.put(&zip, stand_in(&what, bytes), 0o644)
            })
            .and_then(|()| {
                let number = 3 + bytes / 20_000;
                files.put_many((&format!("{dir}/file_"), ".go"), &what, number, 3 * bytes)
            });
        download += bytes;
        count += 1;
    }
    if let Err(failed) = wrote {
        return denied(call, &failed);
    }
    call.err(lines)?;
    if count > 0 {
        let machine = call.kernel.host.machine();
        let seconds = 0.3 + download as f64 / machine.network + 0.05 * f64::from(count);
        call.kernel.spend(cost::seconds(seconds));
    }
    Ok(0)
}

/// Lets the time of compiling pass and leaves what is compiled in the build cache.
fn compile(call: &mut Call<'_, '_>, module: &Module) -> Result<Option<Failed>, Stop> {
    let cache = gocache(call);
    let input = sources(call, ".", &[".go"]);
    let mut files = Files::of(call);
    let mut seconds = 0.5;
    let mut put = || {
        let std = format!("{cache}/00/std");
        if !files.exists(&std) {
            seconds += 18.0;
            files.put(
                &std,
                stand_in("the standard library, compiled", STD_CACHE),
                0o644,
            )?;
        }
        for (name, version) in &module.needs {
            let what = format!("{name}@{version}");
            let path = format!("{cache}/01/{}", what.replace('/', "-"));
            if !files.exists(&path) {
                seconds += 0.35 * (1.0 + archive(name) as f64 / 200_000.0).min(12.0);
                files.put(&path, stand_in(&what, 2 * archive(name)), 0o644)?;
            }
        }
        let own = input.digest.get(..32).unwrap_or("none");
        let path = format!("{cache}/02/{own}");
        if !files.exists(&path) {
            seconds += 1.0 + 0.02 * input.files.len() as f64;
            files.put(&path, stand_in(&input.digest, 4 * input.bytes), 0o644)?;
        }
        Ok(())
    };
    let failed = put().err();
    let machine = call.kernel.host.machine();
    call.kernel.spend(cost::seconds(machine.cpu * seconds));
    Ok(failed)
}

fn build(call: &mut Call<'_, '_>, args: &[&str]) -> Exit {
    let Some(module) = module(call)? else {
        return no_module(call);
    };
    let input = sources(call, ".", &[".go"]);
    if input.files.is_empty() {
        let cwd = &call.proc.fs.cwd;
        let text = format!("no Go files in {cwd}\n");
        call.err(text)?;
        return Ok(1);
    }
    let code = fetch(call, &module)?;
    if code != 0 {
        return Ok(code);
    }
    let mut output = None;
    let mut packages = Vec::new();
    let mut flags = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match *arg {
            "-o" => output = rest.next().map(|path| (*path).to_owned()),
            "-ldflags" | "-gcflags" | "-tags" | "-mod" | "-p" | "-asmflags" => {
                flags.extend(rest.next().copied());
            }
            flag if flag.starts_with('-') => flags.push(flag),
            package => packages.push(package),
        }
    }
    if let Some(failed) = compile(call, &module)? {
        return denied(call, &failed);
    }
    let package = packages.first().map_or("", |package| base_name(package));
    let name = match package.trim_end_matches(".go") {
        "" | "." | "..." => base_name(&module.name),
        name => name,
    };
    let mut path = output.unwrap_or_else(|| name.to_owned());
    if path.ends_with('/') || call.kernel.vfs.is_dir(&call.proc.fs, &path) {
        path = format!("{}/{name}", path.trim_end_matches('/'));
    }
    let needs: u64 = module.needs.iter().map(|(name, _)| archive(name) / 4).sum();
    let whole = BINARY + input.bytes * 2 + needs;
    // Without symbols and debug information.
    let stripped = flags
        .iter()
        .any(|flag| flag.contains("-s") && flag.contains("-w"));
    let size = if stripped { whole * 7 / 10 } else { whole };
    let text = format!(
        "\x7fELFprogram {}\nbuilt of {}, {size} bytes\n",
        base_name(&path),
        input.digest
    );
    let mut files = Files::of(call);
    match files.put(&path, Content::stand_in(text, size), 0o755) {
        Ok(()) => Ok(0),
        Err(failed) => denied(call, &failed),
    }
}

/// `go install NAME@VERSION`, or the module itself: a program in `$GOPATH/bin`.
fn install(call: &mut Call<'_, '_>, args: &[&str]) -> Exit {
    let bin = format!("{}/bin", gopath(call));
    let package = args.iter().find(|arg| !arg.starts_with('-')).copied();
    let Some((name, version)) = package.and_then(|package| package.split_once('@')) else {
        let output = format!("{bin}/");
        return build(call, &["-o", &output]);
    };
    let module = Module {
        name: name.to_owned(),
        needs: crate::order::set([(name.to_owned(), version.to_owned())]),
    };
    let code = fetch(call, &module)?;
    if code != 0 {
        return Ok(code);
    }
    if let Some(failed) = compile(call, &module)? {
        return denied(call, &failed);
    }
    // `/v2` is a version, no name.
    let is_version = |part: &str| {
        part.strip_prefix('v')
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let program = name
        .rsplit('/')
        .find(|part| !is_version(part))
        .unwrap_or(name);
    let size = BINARY + archive(name) * 3;
    let path = format!("{bin}/{program}");
    let content = super::files::program(&path, &format!("{name}@{version}"), size);
    let mut files = Files::of(call);
    match files.put(&path, content, 0o755) {
        Ok(()) => Ok(0),
        Err(failed) => denied(call, &failed),
    }
}
