//! npm, and yarn and pnpm in its image.

mod scripts;
mod semver;
mod tree;
mod write;

use serde_json::{Map, Value, json};

use super::super::{Call, Exit, Fidelity, Stop, cost};
use super::files::{Failed, Files};
use super::table::{Table, part};
use crate::fs::Content;
use scripts::{bin_path, script, shell};
use tree::Placed;
use write::Write;

/// What a package's entry weighs in `node_modules/.package-lock.json` and in a lock file.
const LOCK_ENTRY: u64 = 395;

/// Whose rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Npm,
    Yarn,
    Pnpm,
}

impl Manager {
    fn name(self) -> &'static str {
        match self {
            Manager::Npm => "npm",
            Manager::Yarn => "yarn",
            Manager::Pnpm => "pnpm",
        }
    }

    /// Time relative to npm's.
    fn factor(self) -> f64 {
        match self {
            Manager::Npm => 1.0,
            Manager::Yarn => 0.9,
            Manager::Pnpm => 0.5,
        }
    }

    fn cache(self, home: &str) -> String {
        match self {
            Manager::Npm => format!("{home}/.npm/_cacache"),
            Manager::Yarn => "/usr/local/share/.cache/yarn/v6".to_owned(),
            Manager::Pnpm => format!("{home}/.local/share/pnpm/store/v3"),
        }
    }
}

#[derive(Default)]
struct Options {
    production: Option<bool>,
    global: bool,
    dev: bool,
    no_save: bool,
    frozen: bool,
    ignore_scripts: bool,
    prefix: Option<String>,
    cache: Option<String>,
    silent: bool,
    if_present: bool,
}

/// `npm`.
pub(super) fn npm(call: &mut Call<'_, '_>) -> Exit {
    main(call, Manager::Npm)
}

/// `yarn`, its first generation.
pub(super) fn yarn(call: &mut Call<'_, '_>) -> Exit {
    main(call, Manager::Yarn)
}

/// `pnpm`.
pub(super) fn pnpm(call: &mut Call<'_, '_>) -> Exit {
    main(call, Manager::Pnpm)
}

/// `npx`: runs a program of the project, or one that it would fetch.
pub(super) fn npx(call: &mut Call<'_, '_>) -> Exit {
    let args: Vec<String> = call
        .args
        .iter()
        .skip_while(|arg| arg.starts_with('-'))
        .cloned()
        .collect();
    match args.first() {
        None => Ok(0),
        Some(_) => {
            let path = bin_path(call);
            match call.run_with(&args, |child| child.env.set("PATH", &path))? {
                Ok(code) => Ok(code),
                Err(_) => {
                    call.kernel.mark(Fidelity::NotSimulated);
                    Ok(0)
                }
            }
        }
    }
}

fn main(call: &mut Call<'_, '_>, manager: Manager) -> Exit {
    let args = std::mem::take(&mut call.args);
    let mut options = Options::default();
    let mut words: Vec<String> = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--" => {
                words.push("--".into());
                words.extend(rest.by_ref().cloned());
            }
            "--omit=dev" | "--only=production" | "--only=prod" | "--production" | "--prod"
            | "--production=true" | "-P" => options.production = Some(true),
            "--include=dev" | "--production=false" | "--dev" => options.production = Some(false),
            "--omit" | "--only" => {
                let value = rest.next().map_or("", String::as_str);
                options.production = Some(matches!(value, "dev" | "production" | "prod"));
            }
            "-g" | "--global" | "--location=global" => options.global = true,
            "-D" | "--save-dev" => options.dev = true,
            "--no-save" => options.no_save = true,
            "--frozen-lockfile" | "--immutable" => options.frozen = true,
            "--ignore-scripts" => options.ignore_scripts = true,
            "--prefix" | "--cwd" | "-C" | "--dir" => options.prefix = rest.next().cloned(),
            "--cache" | "--cache-folder" | "--store-dir" => options.cache = rest.next().cloned(),
            "-s" | "--silent" | "--quiet" => options.silent = true,
            "--if-present" => options.if_present = true,
            "-v" | "--version" => words.insert(0, "--version".into()),
            flag if flag.starts_with('-') => {
                if let Some(value) = flag.strip_prefix("--cache=") {
                    options.cache = Some(value.to_owned());
                } else if let Some(value) = flag.strip_prefix("--prefix=") {
                    options.prefix = Some(value.to_owned());
                }
            }
            word => words.push(word.to_owned()),
        }
    }
    if manager == Manager::Yarn && words.first().is_some_and(|word| word == "global") {
        words.remove(0);
        options.global = true;
    }
    let command = if words.is_empty() {
        match manager {
            Manager::Yarn => "install".to_owned(),
            _ => String::new(),
        }
    } else {
        words.remove(0)
    };
    match command.as_str() {
        "ci" | "clean-install" => install(
            call,
            manager,
            &Options {
                frozen: true,
                ..options
            },
        ),
        "install" | "i" | "add" if !words.is_empty() => add(call, manager, &options, &words),
        "install" | "i" => install(call, manager, &options),
        "run" | "run-script" => script(call, manager, &options, &words),
        "test" | "t" | "start" | "stop" | "restart" => {
            words.insert(
                0,
                if command == "t" {
                    "test".into()
                } else {
                    command
                },
            );
            script(call, manager, &options, &words)
        }
        "exec" | "dlx" => {
            call.args = words.into_iter().filter(|word| word != "--").collect();
            npx(call)
        }
        "cache" => cache(call, manager, &options, &words),
        "config" | "set" => config(call, &words),
        "prune" => install(
            call,
            manager,
            &Options {
                frozen: true,
                ..options
            },
        ),
        "--version" => {
            let version = match manager {
                Manager::Npm => "10.9.2",
                Manager::Yarn => "1.22.22",
                Manager::Pnpm => "9.15.0",
            };
            call.out(format!("{version}\n"))?;
            Ok(0)
        }
        "init" => {
            let mut files = Files::of(call);
            let text = "{\n  \"name\": \"app\",\n  \"version\": \"1.0.0\"\n}\n";
            match files.put("package.json", Content::from(text), 0o644) {
                Ok(()) => Ok(0),
                Err(failed) => denied(call, &failed),
            }
        }
        "" => {
            call.out(format!("{} <command>\n", manager.name()))?;
            Ok(1)
        }
        other if manager != Manager::Npm => {
            words.insert(0, other.to_owned());
            script(call, manager, &options, &words)
        }
        "audit" | "fund" | "ls" | "list" | "outdated" | "version" | "pkg" | "root" | "bin"
        | "rebuild" | "link" | "update" | "uninstall" | "remove" | "rm" | "dedupe" | "login" => {
            call.kernel.mark(Fidelity::NotSimulated);
            Ok(0)
        }
        other => {
            call.err(format!("Unknown command: \"{other}\"\n\nTo see a list of supported npm commands, run:\n  npm help\n"))?;
            Ok(1)
        }
    }
}

/// The project's folder.
fn project_dir(call: &Call<'_, '_>, options: &Options) -> String {
    let cwd = &call.proc.fs.cwd;
    let prefix = options.prefix.as_deref().unwrap_or(".");
    crate::fs::join(cwd, prefix)
}

fn home(call: &Call<'_, '_>) -> String {
    call.proc.env.get("HOME").unwrap_or("/root").to_owned()
}

fn cache_dir(call: &mut Call<'_, '_>, manager: Manager, options: &Options) -> String {
    let home = home(call);
    if let Some(dir) = &options.cache {
        return format!("{dir}/_cacache");
    }
    if manager == Manager::Npm {
        let from_env = call.proc.env.get("npm_config_cache").map(str::to_owned);
        let from_file = || {
            let text = Files::of(call).text(&format!("{home}/.npmrc"))?;
            let line = text.lines().find_map(|line| line.strip_prefix("cache="))?;
            Some(line.trim().to_owned())
        };
        if let Some(dir) = from_env.or_else(from_file) {
            return format!("{dir}/_cacache");
        }
    }
    manager.cache(&home)
}

/// The manifest of the project; the inner error is npm's exit code, the message is out.
fn manifest(call: &mut Call<'_, '_>, dir: &str) -> Result<Result<Value, i32>, Stop> {
    let path = format!("{dir}/package.json");
    let Some(text) = Files::of(call).text(&path) else {
        call.err(format!(
            "npm error code ENOENT\nnpm error syscall open\nnpm error path {path}\nnpm error errno -2\n\
             npm error enoent Could not read package.json: Error: ENOENT: no such file or directory, open '{path}'\n\
             npm error enoent This is related to npm not being able to find a file.\nnpm error enoent\n"
        ))?;
        return Ok(Err(254));
    };
    match serde_json::from_str(&text) {
        Ok(value) => Ok(Ok(value)),
        Err(error) => {
            call.err(format!(
                "npm error code EJSONPARSE\nnpm error path {path}\nnpm error JSON.parse {error}\n\
                 npm error JSON.parse Failed to parse JSON data.\n\
                 npm error JSON.parse Note: package.json must be actual JSON, not just JavaScript.\n"
            ))?;
            Ok(Err(1))
        }
    }
}

fn denied(call: &mut Call<'_, '_>, failed: &Failed) -> Exit {
    let Failed {
        call: name,
        path,
        errno,
    } = failed;
    let (code, number) = match errno {
        crate::fs::Errno::Erofs => ("EROFS", 30),
        crate::fs::Errno::Enospc => ("ENOSPC", 28),
        _ => ("EACCES", 13),
    };
    let what = errno.to_string().to_lowercase();
    call.err(format!(
        "npm error code {code}\nnpm error syscall {name}\nnpm error path {path}\nnpm error errno -{number}\n\
         npm error Error: {code}: {what}, {name} '{path}'\n"
    ))?;
    // The shell sees the negative number of the error.
    Ok(256 - number)
}

/// Names and ranges of a section of the manifest.
fn section<'a>(project: &'a Value, key: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let section = project[key].as_object();
    section
        .into_iter()
        .flatten()
        .filter_map(|(name, range)| Some((name.as_str(), range.as_str()?)))
}

fn is_production(call: &Call<'_, '_>, options: &Options) -> bool {
    let env = call.proc.env.get("NODE_ENV") == Some("production");
    options.production.unwrap_or(env)
}

fn install(call: &mut Call<'_, '_>, manager: Manager, options: &Options) -> Exit {
    let dir = project_dir(call, options);
    let files = Files::of(call);
    let lock_names: &[&str] = match manager {
        Manager::Npm => &["npm-shrinkwrap.json", "package-lock.json"],
        Manager::Yarn => &["yarn.lock"],
        Manager::Pnpm => &["pnpm-lock.yaml"],
    };
    let lock_path = lock_names
        .iter()
        .map(|name| format!("{dir}/{name}"))
        .find(|path| files.exists(path));
    if options.frozen && lock_path.is_none() {
        return no_lock(call, manager);
    }
    let project = match manifest(call, &dir)? {
        Ok(project) => project,
        Err(code) => return Ok(code),
    };
    let bytes = part(call, "npm.tsv")?;
    let table = Table::of(&bytes);
    let files = Files::of(call);
    let libc = if files.exists("/etc/alpine-release") {
        "musl"
    } else {
        "glibc"
    };
    let lock: Value = match (&lock_path, manager) {
        (Some(path), Manager::Npm) => {
            serde_json::from_str(&files.text(path).unwrap_or_default()).unwrap_or_default()
        }
        _ => Value::Null,
    };
    let mut packages = if lock.is_null() {
        let mut wanted = Vec::new();
        for (key, dev) in [
            ("dependencies", false),
            ("optionalDependencies", false),
            ("devDependencies", true),
        ] {
            for (name, range) in section(&project, key) {
                wanted.push((name.to_owned(), range.to_owned(), dev));
            }
        }
        tree::resolve(&table, &wanted)
    } else {
        let packages = tree::locked(&lock, libc);
        if options.frozen {
            let missing = out_of_sync(&project, &packages);
            if !missing.is_empty() {
                call.err(format!(
                    "npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` before continuing.\nnpm error\n{missing}npm error\n"
                ))?;
                return Ok(1);
            }
        }
        packages
    };
    let all = packages.clone();
    if is_production(call, options) {
        packages.retain(|package| !package.dev);
    }
    let save = lock.is_null() && manager == Manager::Npm && !options.no_save;
    let write = Write {
        manager,
        root: dir.clone(),
        clean: options.frozen,
        unlocked: lock_path.is_none(),
        scripts: !options.ignore_scripts,
        cache: cache_dir(call, manager, options),
        own: Vec::new(),
    };
    let seconds = match write.carry_out(call, &table, &packages)? {
        Ok(seconds) => seconds,
        Err(failed) => return denied(call, &failed),
    };
    if save {
        let lock = tree::lock(&project, &all);
        let mut files = Files::of(call);
        let text = format!("{lock:#}\n");
        let size = LOCK_ENTRY * all.len() as u64;
        let path = format!("{dir}/package-lock.json");
        if let Err(failed) = files.put(&path, Content::stand_in(text, size), 0o644) {
            return denied(call, &failed);
        }
    }
    report(call, manager, packages.len(), seconds)?;
    if options.ignore_scripts {
        return Ok(0);
    }
    for hook in ["preinstall", "install", "postinstall", "prepare"] {
        if let Some(command) = project["scripts"][hook].as_str() {
            let code = shell(call, &dir, hook, command)?;
            if code != 0 {
                return Ok(code);
            }
        }
    }
    Ok(0)
}

/// What the manifest asks for and the lock file lacks, a line each.
fn out_of_sync(project: &Value, packages: &[Placed]) -> String {
    let mut text = String::new();
    for key in ["dependencies", "devDependencies"] {
        for (name, range) in section(project, key) {
            let path = format!("node_modules/{name}");
            match packages.iter().find(|package| package.path == path) {
                None => text += &format!("npm error Missing: {name}@{range} from lock file\n"),
                Some(package) if !semver::satisfies(&package.version, range) => {
                    let version = &package.version;
                    text += &format!(
                        "npm error Invalid: lock file's {name}@{version} does not satisfy {name}@{range}\n"
                    );
                }
                Some(_) => {}
            }
        }
    }
    text
}

fn no_lock(call: &mut Call<'_, '_>, manager: Manager) -> Exit {
    call.err(match manager {
        Manager::Npm => {
            "npm error code EUSAGE\n\
             npm error\n\
             npm error The `npm ci` command can only install with an existing package-lock.json or\n\
             npm error npm-shrinkwrap.json with lockfileVersion >= 1. Run an install with npm@5 or\n\
             npm error later to generate a package-lock.json file, then try again.\n\
             npm error\n\
             npm error Clean install a project\n\
             npm error\n\
             npm error Usage:\n\
             npm error npm ci\n\
             npm error\n\
             npm error aliases: clean-install, ic, install-clean, isntall-clean\n\
             npm error\n\
             npm error Run \"npm help ci\" for more info\n"
        }
        Manager::Yarn => {
            "error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.\n"
        }
        Manager::Pnpm => {
            " ERR_PNPM_NO_LOCKFILE  Cannot install with \"frozen-lockfile\" because pnpm-lock.yaml is absent\n"
        }
    })?;
    Ok(1)
}

fn report(
    call: &mut Call<'_, '_>,
    manager: Manager,
    count: usize,
    seconds: f64,
) -> Result<(), Stop> {
    let seconds = seconds.ceil();
    call.out(match manager {
        Manager::Npm => format!(
            "\nadded {count} packages, and audited {} packages in {seconds:.0}s\n\nfound 0 vulnerabilities\n",
            count + 1
        ),
        Manager::Yarn => format!("yarn install v1.22.22\n[4/4] Building fresh packages...\nDone in {seconds:.2}s.\n"),
        Manager::Pnpm => format!("Packages: +{count}\nDone in {seconds:.1}s\n"),
    })
}

/// Packages given by name.
fn add(call: &mut Call<'_, '_>, manager: Manager, options: &Options, words: &[String]) -> Exit {
    let bytes = part(call, "npm.tsv")?;
    let table = Table::of(&bytes);
    let mut wanted = Vec::new();
    for word in words.iter().filter(|word| *word != "--") {
        let at = word.char_indices().skip(1).find(|(_, c)| *c == '@');
        let (name, range) = match at {
            Some((at, _)) => (&word[..at], &word[at + 1..]),
            None => (word.as_str(), "latest"),
        };
        wanted.push((name.to_owned(), range.to_owned(), options.dev));
    }
    let packages = tree::resolve(&table, &wanted);
    let dir = if options.global {
        "/usr/local/lib".to_owned()
    } else {
        project_dir(call, options)
    };
    let write = Write {
        manager,
        root: dir.clone(),
        clean: false,
        unlocked: true,
        scripts: !options.ignore_scripts,
        cache: cache_dir(call, manager, options),
        own: if options.global {
            wanted.iter().map(|(name, ..)| name.clone()).collect()
        } else {
            Vec::new()
        },
    };
    let seconds = match write.carry_out(call, &table, &packages)? {
        Ok(seconds) => seconds,
        Err(failed) => return denied(call, &failed),
    };
    if !options.global && !options.no_save {
        let mut files = Files::of(call);
        let path = format!("{dir}/package.json");
        let text = files.text(&path).unwrap_or_else(|| "{}".to_owned());
        let mut project: Value = serde_json::from_str(&text).unwrap_or_else(|_| json!({}));
        let key = if options.dev {
            "devDependencies"
        } else {
            "dependencies"
        };
        if let Some(project) = project.as_object_mut() {
            let section = project
                .entry(key)
                .or_insert_with(|| Value::Object(Map::new()));
            for (name, ..) in &wanted {
                let path = format!("node_modules/{name}");
                let version = packages.iter().find(|package| package.path == path);
                if let (Some(section), Some(package)) = (section.as_object_mut(), version) {
                    section.insert(name.clone(), json!(format!("^{}", package.version)));
                }
            }
        }
        let lock_path = format!("{dir}/package-lock.json");
        let old: Value =
            serde_json::from_str(&files.text(&lock_path).unwrap_or_default()).unwrap_or_default();
        let mut all = tree::locked(&old, "");
        let new = crate::order::set(packages.iter().map(|package| package.path.as_str()));
        all.retain(|package| !new.contains(package.path.as_str()));
        all.extend(packages.iter().cloned());
        crate::order::sort_by(&mut all, |a, b| a.path.cmp(&b.path));
        let lock = format!("{:#}\n", tree::lock(&project, &all));
        let size = LOCK_ENTRY * all.len() as u64;
        let wrote = files
            .put(&path, Content::new(format!("{project:#}\n")), 0o644)
            .and_then(|()| match manager {
                Manager::Npm => files.put(&lock_path, Content::stand_in(lock, size), 0o644),
                _ => Ok(()),
            });
        if let Err(failed) = wrote {
            return denied(call, &failed);
        }
    }
    report(call, manager, packages.len(), seconds)?;
    Ok(0)
}

fn cache(call: &mut Call<'_, '_>, manager: Manager, options: &Options, words: &[String]) -> Exit {
    if words.first().is_none_or(|word| word != "clean") {
        return Ok(0);
    }
    let dir = cache_dir(call, manager, options);
    let mut files = Files::of(call);
    for name in files.names(&dir) {
        if let Err(failed) = files.remove(&format!("{dir}/{name}")) {
            return denied(call, &failed);
        }
    }
    files.remove_empty(&dir);
    if manager == Manager::Npm {
        call.err("npm warn using --force Recommended protections disabled.\n")?;
    }
    call.kernel.spend(cost::seconds(0.5));
    Ok(0)
}

/// `npm config set KEY VALUE`, `npm config set KEY=VALUE`: a line of the user's `.npmrc`.
fn config(call: &mut Call<'_, '_>, words: &[String]) -> Exit {
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "set")
        .collect();
    let (key, value) = match words.as_slice() {
        [pair] => match pair.split_once('=') {
            Some(pair) => pair,
            None => return Ok(0),
        },
        [key, value, ..] => (*key, *value),
        [] => return Ok(0),
    };
    let path = format!("{}/.npmrc", home(call));
    let mut files = Files::of(call);
    let old = files.text(&path).unwrap_or_default();
    let mut text: String = old
        .lines()
        .filter(|line| !line.starts_with(&format!("{key}=")))
        .map(|line| format!("{line}\n"))
        .collect();
    text += &format!("{key}={value}\n");
    match files.put(&path, Content::new(text), 0o600) {
        Ok(()) => Ok(0),
        Err(failed) => denied(call, &failed),
    }
}
