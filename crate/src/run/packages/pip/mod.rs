//! pip, and the Python that it belongs to.

mod requirement;
mod venv;

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Call, Exit, Fidelity, Stop, cost};
use super::files::{Failed, Files, stand_in};
use super::out_during;
use super::table::{Row, Table, estimate, human, is_slip, part};
use crate::fs::{Content, base_name, join, parent};
use requirement::Requirement;
pub(super) use venv::{python_main, virtualenv};

/// What a compiled module weighs relative to its source, in percent.
const PYC_PERCENT: u64 = 125;
/// At most so many files of one package are written; their sizes add up all the same.
const MAX_FILES: u64 = 2000;

#[derive(Default)]
struct Options {
    requirements: Vec<String>,
    projects: Vec<String>,
    no_cache: bool,
    no_deps: bool,
    no_compile: bool,
    upgrade: bool,
    quiet: bool,
    user: bool,
    break_system: bool,
    target: Option<String>,
    prefix: Option<String>,
}

/// An interpreter and where its packages are.
struct Python {
    /// `/usr/local`, or the folder of a virtual environment.
    prefix: String,
    /// `3.12`
    version: String,
    /// Debian's own keeps packages in a folder of another name.
    packages: &'static str,
    /// The distribution manages it: pip keeps its hands off.
    managed: bool,
}

impl Python {
    fn site(&self) -> String {
        format!(
            "{}/lib/python{}/{}",
            self.prefix, self.version, self.packages
        )
    }
}

/// The interpreter beside the program at `path`, or the one that is found first.
fn python(call: &mut Call<'_, '_>, path: &str) -> Option<Python> {
    let cwd = call.proc.fs.cwd.clone();
    let mut dirs = vec![parent(&join(&cwd, path))];
    let search = call.proc.env.get("PATH").unwrap_or("/bin:/usr/bin");
    dirs.extend(search.split(':').map(str::to_owned));
    let found = dirs.into_iter().find_map(|dir| {
        let (vfs, process) = (&*call.kernel.vfs, &call.proc.fs);
        let name = ["python3", "python"]
            .into_iter()
            .find(|name| vfs.exists(process, &format!("{dir}/{name}")))?;
        let spot = vfs.resolve(process, &format!("{dir}/{name}"), crate::fs::Follow::Yes);
        let real = spot.ok()?.path;
        let minor = |name: &str| {
            let version = name.strip_prefix("python")?;
            let (major, minor) = version.split_once('.')?;
            let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
            (number(major) && number(minor)).then(|| version.to_owned())
        };
        // The name tells the version; a file that is just `python3` has a neighbour whose does.
        let neighbours = vfs.read_dir(process, &parent(&real)).unwrap_or_default();
        let version =
            minor(base_name(&real)).or_else(|| neighbours.iter().find_map(|name| minor(name)))?;
        Some((parent(&dir), version))
    })?;
    let (prefix, version) = found;
    let files = Files::of(call);
    let venv = files.exists(&format!("{prefix}/pyvenv.cfg"));
    let debian = prefix == "/usr" && files.exists("/var/lib/dpkg/status");
    let alpine = prefix == "/usr" && files.exists("/etc/alpine-release");
    Some(Python {
        managed: !venv && (debian || alpine),
        packages: if debian {
            "dist-packages"
        } else {
            "site-packages"
        },
        prefix: if debian {
            "/usr/local".to_owned()
        } else {
            prefix
        },
        version,
    })
}

/// `pip`.
pub(super) fn pip(call: &mut Call<'_, '_>) -> Exit {
    let path = call.image.path.clone();
    main(call, &path)
}

fn main(call: &mut Call<'_, '_>, path: &str) -> Exit {
    let args = std::mem::take(&mut call.args);
    let mut options = Options::default();
    let mut words = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-r" | "--requirement" => options.requirements.extend(rest.next().cloned()),
            "-e" | "--editable" => options.projects.extend(rest.next().cloned()),
            "--no-cache-dir" => options.no_cache = true,
            "--no-deps" => options.no_deps = true,
            "--no-compile" => options.no_compile = true,
            "-U" | "--upgrade" => options.upgrade = true,
            "-q" | "--quiet" | "-qq" => options.quiet = true,
            "--user" => options.user = true,
            "--break-system-packages" => options.break_system = true,
            "-t" | "--target" => options.target = rest.next().cloned(),
            "--prefix" | "--root" => options.prefix = rest.next().cloned(),
            "-c" | "--constraint" | "-i" | "--index-url" | "--extra-index-url" | "-f"
            | "--find-links" | "--trusted-host" | "--timeout" | "--retries" | "--cache-dir"
            | "--platform" | "--only-binary" | "--no-binary" | "-w" | "--wheel-dir"
            | "--format" | "--progress-bar" => {
                rest.next();
            }
            "-V" | "--version" => words.insert(0, "--version".to_owned()),
            flag if flag.starts_with('-') && flag.len() > 1 => {
                if let Some(file) = flag
                    .strip_prefix("--requirement=")
                    .or(flag.strip_prefix("-r"))
                {
                    options.requirements.push(file.to_owned());
                } else if let Some(dir) = flag.strip_prefix("--target=") {
                    options.target = Some(dir.to_owned());
                } else if let Some(dir) = flag.strip_prefix("--prefix=") {
                    options.prefix = Some(dir.to_owned());
                }
            }
            word => words.push(word.to_owned()),
        }
    }
    let on = |name: &str| {
        call.proc
            .env
            .get(name)
            .is_some_and(|value| !matches!(value, "" | "0" | "off" | "false"))
    };
    options.no_cache |= on("PIP_NO_CACHE_DIR");
    options.break_system |= on("PIP_BREAK_SYSTEM_PACKAGES");
    let Some(python) = python(call, path) else {
        call.err("pip: no Python interpreter is found beside it or on PATH\n")?;
        return Ok(127);
    };
    let command = if words.is_empty() {
        String::new()
    } else {
        words.remove(0)
    };
    match command.as_str() {
        "install" => install(call, &python, &mut options, &words),
        "uninstall" => uninstall(call, &python, &words),
        "list" | "freeze" => {
            let files = Files::of(call);
            let names = files.names(&python.site());
            for name in names
                .iter()
                .filter_map(|name| name.strip_suffix(".dist-info"))
            {
                if let Some((name, version)) = name.rsplit_once('-') {
                    call.out(format!("{}=={version}\n", requirement::normal(name)))?;
                }
            }
            Ok(0)
        }
        "cache" => {
            let dir = cache_dir(call);
            let mut files = Files::of(call);
            match files.remove(&dir) {
                Ok(()) => Ok(0),
                Err(failed) => denied(call, &failed),
            }
        }
        "--version" => {
            let (site, version) = (python.site(), &python.version);
            call.out(format!("pip 24.3.1 from {site}/pip (python {version})\n"))?;
            Ok(0)
        }
        "wheel" | "download" | "show" | "check" | "config" | "debug" | "hash" | "search" => {
            call.kernel.mark(Fidelity::NotSimulated);
            Ok(0)
        }
        "" => Ok(0),
        other => {
            call.err(format!("ERROR: unknown command \"{other}\"\n"))?;
            Ok(1)
        }
    }
}

fn cache_dir(call: &Call<'_, '_>) -> String {
    let home = call.proc.env.get("HOME").unwrap_or("/root");
    let dir = call.proc.env.get("PIP_CACHE_DIR");
    dir.map_or_else(|| format!("{home}/.cache/pip"), str::to_owned)
}

fn denied(call: &mut Call<'_, '_>, failed: &Failed) -> Exit {
    let Failed { path, errno, .. } = failed;
    let number = if *errno == crate::fs::Errno::Erofs {
        30
    } else {
        13
    };
    call.err(format!(
        "ERROR: Could not install packages due to an OSError: [Errno {number}] {errno}: '{path}'\n\
         Consider using the `--user` option or check the permissions.\n\n"
    ))?;
    Ok(1)
}

/// A package to be installed.
struct Wheel<'a> {
    name: String,
    version: String,
    row: Option<Row<'a>>,
    estimated: bool,
}

impl Wheel<'_> {
    fn number(&self, column: usize) -> u64 {
        if let Some(row) = self.row {
            return row.number(column);
        }
        let installed = estimate(&self.name, 15_000, 6_000_000);
        match column {
            2 => installed / 4,
            3 => installed,
            4 => 6 + installed / 12_000,
            _ => installed * 7 / 10,
        }
    }

    fn kind(&self) -> &str {
        self.row.map_or("any", |row| row.col(9))
    }

    /// The name of files and folders: hyphens are underscores.
    fn stem(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// What requirements files, projects and words ask for; the inner error is the exit code.
fn requirements(
    call: &mut Call<'_, '_>,
    options: &mut Options,
    words: &[String],
) -> Result<Result<Vec<Requirement>, i32>, Stop> {
    let mut wanted = Vec::new();
    for word in words {
        if word.starts_with('.') || word.starts_with('/') {
            options.projects.push(word.clone());
        } else if let Some(found) = Requirement::parse(word) {
            wanted.push(found);
        }
    }
    let mut todo = options.requirements.clone();
    let mut seen = BTreeSet::new();
    while let Some(path) = todo.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let Some(text) = Files::of(call).text(&path) else {
            call.err(format!(
                "ERROR: Could not open requirements file: [Errno 2] No such file or directory: '{path}'\n"
            ))?;
            return Ok(Err(1));
        };
        // Lines that end in a backslash go on.
        let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
        for line in text.lines().map(str::trim) {
            if let Some(other) = line
                .strip_prefix("-r ")
                .or_else(|| line.strip_prefix("--requirement "))
            {
                todo.push(join(&parent(&join(&call.proc.fs.cwd, &path)), other.trim()));
            } else if let Some(project) = line.strip_prefix("-e ") {
                options.projects.push(project.trim().to_owned());
            } else if line.starts_with('.') {
                options.projects.push(line.to_owned());
            } else if !line.starts_with(['-', '#']) {
                wanted.extend(Requirement::parse(line));
            }
        }
    }
    for project in options.projects.clone() {
        let dir = project.split('[').next().unwrap_or_default();
        let files = Files::of(call);
        let toml = files.text(&format!("{dir}/pyproject.toml"));
        let is_project = toml.is_some() || files.exists(&format!("{dir}/setup.py"));
        if dir.contains("://") || dir.starts_with("git+") {
            call.kernel.mark(Fidelity::NotSimulated);
        } else if !is_project {
            call.err(format!(
                "ERROR: {project} is not a valid editable requirement. Neither 'setup.py' nor 'pyproject.toml' found.\n"
            ))?;
            return Ok(Err(1));
        }
        wanted.extend(dependencies(&toml.unwrap_or_default()));
    }
    Ok(Ok(wanted))
}

/// The strings of `dependencies = [...]` in a `pyproject.toml`.
fn dependencies(toml: &str) -> Vec<Requirement> {
    let Some((_, list)) = toml.split_once("\ndependencies") else {
        return Vec::new();
    };
    let list = list.split_once('[').map_or("", |(_, list)| list);
    let mut found = Vec::new();
    for line in list.lines() {
        found.extend(
            line.split(['"', '\''])
                .skip(1)
                .step_by(2)
                .filter_map(Requirement::parse),
        );
        // Brackets inside strings belong to extras.
        if line.trim_end().ends_with(']') && !line.trim_end().ends_with("\"]\"") {
            break;
        }
    }
    found
}

fn resolve<'a>(
    table: &Table<'a>,
    wanted: &[Requirement],
    with_dependencies: bool,
) -> BTreeMap<String, Wheel<'a>> {
    let mut found: BTreeMap<String, Wheel<'a>> = BTreeMap::new();
    let mut todo: Vec<Requirement> = wanted.iter().rev().cloned().collect();
    while let Some(want) = todo.pop() {
        let Requirement { name, extras, .. } = &want;
        for extra in extras {
            let row = table.get(&format!("{name}[{extra}]"));
            todo.extend(
                row.into_iter()
                    .flat_map(|row| row.words(6))
                    .filter_map(Requirement::parse),
            );
        }
        if found.contains_key(name) {
            continue;
        }
        let rows = table.all(name);
        let fits = rows.iter().rfind(|row| want.allows(row.col(1)));
        let row = fits.or(rows.last()).copied();
        let version = match (want.pinned(), fits) {
            (Some(version), _) => version.to_owned(),
            (None, Some(row)) => row.col(1).to_owned(),
            (None, None) => want
                .floor()
                .or_else(|| row.map(|row| row.col(1).to_owned()))
                .unwrap_or_else(|| "1.0.0".to_owned()),
        };
        if with_dependencies {
            let needs = row.into_iter().flat_map(|row| row.words(6));
            todo.extend(needs.filter_map(Requirement::parse));
        }
        let wheel = Wheel {
            name: name.clone(),
            version,
            row,
            estimated: row.is_none(),
        };
        found.insert(name.clone(), wheel);
    }
    found
}

const MANAGED: &str = "\
error: externally-managed-environment

× This environment is externally managed
╰─> To install Python packages system-wide, try apt install
    python3-xyz, where xyz is the package you are trying to
    install.

note: If you believe this is a mistake, please contact your Python installation or OS distribution provider. You can override this, at the risk of breaking your Python installation or OS, by passing --break-system-packages.
hint: See PEP 668 for the detailed specification.
";

fn install(
    call: &mut Call<'_, '_>,
    python: &Python,
    options: &mut Options,
    words: &[String],
) -> Exit {
    if python.managed
        && !options.break_system
        && options.target.is_none()
        && options.prefix.is_none()
    {
        call.err(MANAGED)?;
        return Ok(1);
    }
    let wanted = match requirements(call, options, words)? {
        Ok(wanted) => wanted,
        Err(code) => return Ok(code),
    };
    if wanted.is_empty() && options.projects.is_empty() && options.requirements.is_empty() {
        call.err(
            "ERROR: You must give at least one requirement to install (see \"pip help install\")\n",
        )?;
        return Ok(1);
    }
    let bytes = part(call, "pip.tsv")?;
    let table = Table::of(&bytes);
    if let Some(slip) = wanted
        .iter()
        .find(|want| table.get(&want.name).is_none() && is_slip(&want.name, table.names()))
    {
        let name = &slip.name;
        call.err(format!(
            "ERROR: Could not find a version that satisfies the requirement {name} (from versions: none)\n\
             ERROR: No matching distribution found for {name}\n"
        ))?;
        return Ok(1);
    }
    let wheels = resolve(&table, &wanted, !options.no_deps);
    let (site, scripts) = place(call, python, options)?;
    let files = Files::of(call);
    let names = files.names(&site);
    let installed = names
        .iter()
        .filter_map(|name| name.strip_suffix(".dist-info")?.rsplit_once('-'))
        .map(|(name, version)| (requirement::normal(name), version.to_owned()));
    let installed = crate::order::map(installed);
    let mut new = Vec::new();
    let mut lines = String::new();
    for wheel in wheels.values() {
        let there = installed.get(&wheel.name);
        let asked = wanted
            .iter()
            .any(|want| want.name == wheel.name && want.pinned().is_some());
        match there {
            Some(version) if *version == wheel.version || !(options.upgrade || asked) => {
                let name = &wheel.name;
                lines += &format!("Requirement already satisfied: {name} in {site} ({version})\n");
            }
            _ => new.push(wheel),
        }
    }
    let cache = cache_dir(call);
    let files = Files::of(call);
    let mut download = 0;
    for wheel in &new {
        let Wheel { name, version, .. } = wheel;
        let file = format!("{}-{version}-py3-none-any.whl", wheel.stem());
        let size = human(wheel.number(2));
        lines += &format!("Collecting {name}=={version}\n");
        if !options.no_cache && files.exists(&cached(&cache, wheel)) {
            lines += &format!("  Using cached {file} ({size})\n");
        } else {
            download += wheel.number(2);
            lines += &format!("  Downloading {file} ({size})\n");
        }
    }
    if options.quiet {
        lines.clear();
    }
    let machine = call.kernel.host.machine();
    out_during(call, &lines, download as f64 / machine.network)?;
    for wheel in new.iter().filter(|wheel| wheel.estimated) {
        let name = &wheel.name;
        call.err(format!(
            "layerwise: the catalog has no package {name}; its size is an estimate\n"
        ))?;
    }
    let mut builds = 0.0;
    for wheel in new.iter().filter(|wheel| wheel.kind() == "sdist") {
        builds += 12.0;
        if let Some(code) = cannot_build(call, &wheel.name)? {
            call.kernel.spend(cost::seconds(2.0 * machine.cpu));
            return Ok(code);
        }
    }
    let mut files = Files::of(call);
    let mut wrote = Ok(());
    for wheel in &new {
        wrote = wrote.and_then(|()| {
            if let Some(version) = installed.get(&wheel.name) {
                remove(&mut files, &site, &wheel.name, version)?;
            }
            if !options.no_cache {
                let path = cached(&cache, wheel);
                files.put(&path, stand_in(&wheel.name, wheel.number(2)), 0o644)?;
            }
            unpack(
                &mut files,
                wheel,
                &site,
                &scripts,
                python,
                options.no_compile,
            )
        });
    }
    if let Err(failed) = wrote {
        return denied(call, &failed);
    }
    let sum = |column: usize| new.iter().map(|wheel| wheel.number(column)).sum::<u64>() as f64;
    let seconds = 0.6
        + machine.cpu * (0.12 * new.len() as f64 + sum(3) / 25e6 + builds)
        + if options.no_compile {
            0.0
        } else {
            machine.cpu * sum(5) / 4e6
        };
    call.kernel.spend(cost::seconds(seconds));
    if !options.quiet && !new.is_empty() {
        let names: Vec<&str> = new.iter().map(|wheel| wheel.name.as_str()).collect();
        let versions: Vec<String> = new
            .iter()
            .map(|wheel| format!("{}-{}", wheel.name, wheel.version))
            .collect();
        call.out(format!(
            "Installing collected packages: {}\nSuccessfully installed {}\n",
            names.join(", "),
            versions.join(" ")
        ))?;
    }
    if call.proc.fs.cred.uid == 0 && options.target.is_none() && python.prefix == "/usr/local" {
        call.err(
            "WARNING: Running pip as the 'root' user can result in broken permissions and conflicting behaviour with the system package manager. It is recommended to use a virtual environment instead.\n",
        )?;
    }
    Ok(0)
}

/// The folders of packages and of programs.
fn place(
    call: &mut Call<'_, '_>,
    python: &Python,
    options: &Options,
) -> Result<(String, String), Stop> {
    let cwd = call.proc.fs.cwd.clone();
    if let Some(dir) = &options.target {
        let dir = join(&cwd, dir);
        return Ok((dir.clone(), format!("{dir}/bin")));
    }
    let version = &python.version;
    let under = |prefix: &str| {
        (
            format!("{prefix}/lib/python{version}/site-packages"),
            format!("{prefix}/bin"),
        )
    };
    if let Some(prefix) = &options.prefix {
        return Ok(under(&join(&cwd, prefix)));
    }
    let site = python.site();
    let mut nearest = site.clone();
    while !call.kernel.vfs.exists(&call.proc.fs, &nearest) && nearest != "/" {
        nearest = parent(&nearest);
    }
    let handle = call
        .kernel
        .vfs
        .stat(&call.proc.fs, &nearest, crate::fs::Follow::Yes);
    let writable = handle.is_ok_and(|handle| {
        let meta = &call.kernel.vfs.inode(handle).meta;
        call.proc.fs.cred.may(meta, 2, true)
    });
    if options.user || !writable {
        if !options.user {
            call.out(
                "Defaulting to user installation because normal site-packages is not writeable\n",
            )?;
        }
        let home = call.proc.env.get("HOME").unwrap_or("/root");
        return Ok(under(&format!("{home}/.local")));
    }
    Ok((site, format!("{}/bin", python.prefix)))
}

/// What a package from source says that lacks a compiler or a library, and its exit code.
fn cannot_build(call: &mut Call<'_, '_>, name: &str) -> Result<Option<i32>, Stop> {
    let has = |call: &Call<'_, '_>, program: &str| call.kernel.find(call.proc, program).is_ok();
    let why = if name == "psycopg2" && !has(call, "pg_config") {
        "Error: pg_config executable not found."
    } else if !has(call, "gcc") && !has(call, "cc") {
        "error: command 'gcc' failed: No such file or directory"
    } else {
        return Ok(None);
    };
    call.err(format!(
        "  error: subprocess-exited-with-error\n\n  × Building wheel for {name} did not run successfully.\n  \
         │ exit code: 1\n  ╰─> {why}\n\n  note: This error originates from a subprocess, and is likely not a problem with pip.\n\
         ERROR: Failed to build {name}\n"
    ))?;
    Ok(Some(1))
}

fn cached(cache: &str, wheel: &Wheel<'_>) -> String {
    let Wheel { name, version, .. } = wheel;
    format!("{cache}/http-v2/{}/{name}-{version}.body", &name[..1])
}

/// Writes a package's files: modules and what they compile to, what pip notes about it, programs.
fn unpack(
    files: &mut Files<'_>,
    wheel: &Wheel<'_>,
    site: &str,
    scripts: &str,
    python: &Python,
    no_compile: bool,
) -> Result<(), Failed> {
    let Wheel { name, version, .. } = wheel;
    let what = format!("{name} {version}");
    let top = wheel
        .row
        .and_then(|row| row.words(8).next().map(str::to_owned));
    let top = top.unwrap_or_else(|| wheel.stem());
    let info = format!("{site}/{}-{version}.dist-info", wheel.stem());
    let before = files.bytes;
    let count = wheel.number(4).min(MAX_FILES);
    files.put(
        &format!("{info}/METADATA"),
        Content::new(format!(
            "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )),
        0o644,
    )?;
    files.put(
        &format!("{info}/top_level.txt"),
        Content::new(format!("{top}\n")),
        0o644,
    )?;
    let whole = wheel.number(3);
    let sources = wheel.number(5).min(whole);
    let modules = (count.saturating_sub(4) * sources.max(1) / whole.max(1)).max(1);
    let dir = format!("{site}/{top}");
    files.put_many((&format!("{dir}/module_"), ".py"), &what, modules, sources)?;
    let rest = whole.saturating_sub(files.bytes - before);
    let others = count.saturating_sub(modules + 4).max(1);
    files.put_many((&format!("{dir}/data/"), ""), &what, others, rest)?;
    if !no_compile {
        let tag = python.version.replace('.', "");
        let suffix = format!(".cpython-{tag}.pyc");
        let bytes = sources * PYC_PERCENT / 100;
        files.put_many(
            (&format!("{dir}/__pycache__/module_"), &suffix),
            &what,
            modules,
            bytes,
        )?;
    }
    files.put(&format!("{info}/INSTALLER"), Content::from("pip\n"), 0o644)?;
    files.put(
        &format!("{info}/RECORD"),
        stand_in(&what, 80 * count),
        0o644,
    )?;
    for script in wheel.row.into_iter().flat_map(|row| row.words(7)) {
        let path = format!("{scripts}/{script}");
        files.put(&path, super::files::program(&path, &what, 220), 0o755)?;
    }
    Ok(())
}

fn remove(files: &mut Files<'_>, site: &str, name: &str, version: &str) -> Result<(), Failed> {
    let stem = name.replace('-', "_");
    let info = format!("{site}/{stem}-{version}.dist-info");
    let top = files.text(&format!("{info}/top_level.txt")).unwrap_or(stem);
    files.remove(&format!("{site}/{}", top.trim()))?;
    files.remove(&info)
}

fn uninstall(call: &mut Call<'_, '_>, python: &Python, words: &[String]) -> Exit {
    let site = python.site();
    for word in words {
        let name = requirement::normal(word);
        let mut files = Files::of(call);
        let version = files.names(&site).iter().find_map(|entry| {
            let (found, version) = entry.strip_suffix(".dist-info")?.rsplit_once('-')?;
            (requirement::normal(found) == name).then(|| version.to_owned())
        });
        let Some(version) = version else {
            call.err(format!(
                "WARNING: Skipping {name} as it is not installed.\n"
            ))?;
            continue;
        };
        if let Err(failed) = remove(&mut files, &site, &name, &version) {
            return denied(call, &failed);
        }
        call.out(format!("Successfully uninstalled {name}-{version}\n"))?;
    }
    Ok(0)
}
