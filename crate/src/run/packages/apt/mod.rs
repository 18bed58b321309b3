//! apt: package lists, dependencies, installing and removing.
//!
//! Figures are those of Debian 12 (see the [module](super) for the durations). The logs that apt
//! and dpkg keep have their sizes but no times in them: with times, no two builds would agree.

mod remove;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Call, Exit, Stop, cost};
use super::dpkg::{self, Deb, Installed};
use super::files::{Failed, Files, stand_in};
use super::out_during;
use super::table::{Table, human, is_slip, part};
use crate::fs::{Content, Errno};
use remove::remove;
use sources::{Source, sources};

const LISTS: &str = "/var/lib/apt/lists";
const ARCHIVES: &str = "/var/cache/apt/archives";
const AUTO: &str = "/var/lib/apt/extended_states";
/// Its presence makes apt drop packages as soon as they are unpacked, as Debian's images have it.
const DOCKER_CLEAN: &str = "/etc/apt/apt.conf.d/docker-clean";
/// Exit code of every error of apt.
const ERROR: i32 = 100;

#[derive(Default)]
struct Options {
    yes: bool,
    quiet: u32,
    recommends: Option<bool>,
    purge: bool,
    autoremove: bool,
    simulate: bool,
    download_only: bool,
}

/// `apt-get` and `apt`.
pub(super) fn main(call: &mut Call<'_, '_>) -> Exit {
    if call.name == "apt" {
        call.err(
            "\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n",
        )?;
    }
    let args = std::mem::take(&mut call.args);
    let mut options = Options::default();
    let mut words = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--yes" | "--assume-yes" | "--force-yes" => options.yes = true,
            "--no-install-recommends" => options.recommends = Some(false),
            "--install-recommends" => options.recommends = Some(true),
            "--purge" => options.purge = true,
            "--auto-remove" | "--autoremove" => options.autoremove = true,
            "--quiet" => options.quiet += 1,
            "--simulate" | "--dry-run" => options.simulate = true,
            "--download-only" => options.download_only = true,
            "-o" | "-c" | "-t" | "--option" | "--target-release" => {
                let value = rest.next().map_or("", String::as_str);
                configure(&mut options, value);
            }
            long if long.starts_with("--") => {}
            short if short.starts_with('-') => match short.strip_prefix("-o") {
                Some(value) => configure(&mut options, value),
                None => {
                    for letter in short.bytes().skip(1) {
                        match letter {
                            b'y' => options.yes = true,
                            b'q' => options.quiet += 1,
                            b's' => options.simulate = true,
                            b'd' => options.download_only = true,
                            _ => {}
                        }
                    }
                }
            },
            word => words.push(word.to_owned()),
        }
    }
    configure_from_files(call, &mut options);
    let command = if words.is_empty() {
        String::new()
    } else {
        words.remove(0)
    };
    match command.as_str() {
        "update" => update(call, &options),
        "install" => install(call, &options, &words),
        "remove" | "purge" => {
            options.purge |= command == "purge";
            remove(call, &options, &words)
        }
        "autoremove" | "autopurge" => {
            options.autoremove = true;
            remove(call, &options, &words)
        }
        "upgrade" | "dist-upgrade" | "full-upgrade" => upgrade(call, &options),
        "clean" | "autoclean" | "distclean" | "dist-clean" => clean(call),
        "check" => Ok(0),
        "" => {
            call.out("apt 2.6.1 (amd64)\nUsage: apt-get [options] command\n")?;
            Ok(0)
        }
        "build-dep" | "source" | "download" | "changelog" | "list" | "search" | "show"
        | "policy" => {
            call.kernel.mark(super::super::Fidelity::NotSimulated);
            Ok(0)
        }
        other => {
            call.err(format!("E: Invalid operation {other}\n"))?;
            Ok(ERROR)
        }
    }
}

fn configure(options: &mut Options, setting: &str) {
    let off = ["false", "0", "no"];
    if let Some((key, value)) = setting.split_once('=') {
        let value = value.trim_matches('"');
        match key.trim().to_lowercase().as_str() {
            "apt::install-recommends" => options.recommends = Some(!off.contains(&value)),
            "apt::get::assume-yes" => options.yes |= !off.contains(&value),
            _ => {}
        }
    }
}

/// What the files of `/etc/apt/apt.conf.d` set; the command line goes before.
fn configure_from_files(call: &mut Call<'_, '_>, options: &mut Options) {
    let files = Files::of(call);
    let dir = "/etc/apt/apt.conf.d";
    let mut set = Options::default();
    for name in files.names(dir) {
        let text = files.text(&format!("{dir}/{name}")).unwrap_or_default();
        for statement in text.split(';') {
            if let Some((key, value)) = statement.trim().split_once(char::is_whitespace) {
                configure(&mut set, &format!("{key}={}", value.trim()));
            }
        }
    }
    options.yes |= set.yes;
    options.recommends = options.recommends.or(set.recommends);
}

/// Fails as apt does without the rights that it needs.
fn refused(call: &mut Call<'_, '_>, failed: &Failed, lock: &str) -> Exit {
    let number = match failed.errno {
        Errno::Eacces => 13,
        Errno::Erofs => 30,
        Errno::Enoent => 2,
        _ => 5,
    };
    let Failed { errno, .. } = failed;
    call.err(format!(
        "E: Could not open lock file {lock} - open ({number}: {errno})\n"
    ))?;
    if lock.ends_with("lists/lock") {
        call.err(format!("E: Unable to lock directory {LISTS}/\n"))?;
    } else {
        call.err(format!(
            "E: Unable to acquire the dpkg frontend lock ({lock}), are you root?\n"
        ))?;
    }
    Ok(ERROR)
}

fn update(call: &mut Call<'_, '_>, options: &Options) -> Exit {
    let lock = format!("{LISTS}/lock");
    let mut files = Files::of(call);
    if let Err(failed) = files.put(&lock, Content::default(), 0o640) {
        return refused(call, &failed, &lock);
    }
    let sources = sources(&files);
    let mut lines = Vec::new();
    let mut download = 0;
    let mut wrote = files.dir(&format!("{LISTS}/partial"));
    let mut seen = BTreeSet::new();
    for source in &sources {
        let Source {
            url,
            suite,
            component,
            release,
            packages,
        } = source;
        let stem = source.stem();
        let path = format!("{LISTS}/{stem}_InRelease");
        let known = files.exists(&path);
        if seen.insert(stem.clone()) {
            let what = format!("{url} {suite} InRelease");
            if known {
                lines.push(format!("Hit:# {what}"));
            } else {
                download += release;
                lines.push(format!("Get:# {what} [{}]", human(*release)));
                wrote = wrote.and_then(|()| files.put(&path, stand_in(&what, *release), 0o644));
            }
        }
        let path = format!("{LISTS}/{stem}_{component}_binary-amd64_Packages.lz4");
        if !files.exists(&path) {
            let what = format!("{url} {suite}/{component} amd64 Packages");
            // The list travels better compressed than it is kept.
            let travels = packages * 47 / 100;
            download += travels;
            lines.push(format!("Get:# {what} [{}]", human(travels)));
            wrote = wrote.and_then(|()| files.put(&path, stand_in(&what, *packages), 0o644));
        }
    }
    if let Err(failed) = wrote {
        return refused(call, &failed, &lock);
    }
    let machine = call.kernel.host.machine();
    let seconds = if download > 0 {
        0.8 + download as f64 / machine.network + 1.4 * machine.cpu
    } else {
        0.8
    };
    let mut text = String::new();
    if options.quiet < 2 {
        for (number, line) in lines.iter().enumerate() {
            let number = format!(":{}", number + 1);
            text += &format!("{}\n", line.replacen(":#", &number, 1));
        }
        if download > 0 {
            text += &fetched(download, seconds);
        }
        text += "Reading package lists...\n";
    }
    out_during(call, &text, seconds)?;
    Ok(0)
}

fn fetched(bytes: u64, seconds: f64) -> String {
    let rate = human((bytes as f64 / seconds) as u64);
    format!(
        "Fetched {} in {:.0}s ({rate}/s)\n",
        human(bytes),
        seconds.ceil()
    )
}

/// What to install: in the order of apt's work, dependencies first.
struct Plan<'a> {
    new: Vec<Deb<'a>>,
    asked: BTreeSet<&'a str>,
    estimated: Vec<&'a str>,
}

fn install(call: &mut Call<'_, '_>, options: &Options, words: &[String]) -> Exit {
    if options.quiet < 2 {
        call.out(
            "Reading package lists...\nBuilding dependency tree...\nReading state information...\n",
        )?;
    }
    let mut files = Files::of(call);
    let lock = "/var/lib/dpkg/lock-frontend";
    if let Err(failed) = files.put(lock, Content::default(), 0o640) {
        return refused(call, &failed, lock);
    }
    let installed = dpkg::installed(&files);
    let have = crate::order::set(installed.iter().map(|p| p.name.as_str()));
    let has_lists = files
        .names(LISTS)
        .iter()
        .any(|name| name.contains("_Packages"));
    let vendors = vendors(&files);
    let common = part(call, "apt/common.tsv")?;
    let mut table = Table::of(&common);
    let names: Vec<&str> = words.iter().map(|word| bare(word)).collect();
    let wanting = |table: &Table<'_>| {
        has_lists
            && !(names
                .iter()
                .all(|name| have.contains(name) || table.get(name).is_some())
                && closure(table, &names, options, &have)
                    .iter()
                    .all(|deb| table.get(deb.name).is_some()))
    };
    // The rest of the tables is large and seldom needed.
    let (rest, virtuals);
    let mut virtual_table = Table::default();
    if wanting(&table) {
        rest = part(call, "apt/rest.tsv")?;
        virtuals = part(call, "apt/virtual.tsv")?;
        table.add(&rest);
        virtual_table.add(&virtuals);
    }
    let mut names = Vec::new();
    let mut complaints = Vec::new();
    let mut estimated = Vec::new();
    for word in words {
        let name = bare(word);
        if have.contains(name) && !word.contains('=') {
            names.push(name);
            continue;
        }
        if !has_lists {
            complaints.push(format!("E: Unable to locate package {name}"));
            continue;
        }
        if let Some(row) = virtual_table.get(name)
            && table.get(name).is_none()
        {
            match row.col(2).strip_prefix("selects ") {
                Some(selected) => names.push(selected),
                None => {
                    let providers: String =
                        row.words(1).map(|name| format!("  {name}\n")).collect();
                    call.out(format!(
                        "Package {name} is a virtual package provided by:\n{providers}\
                         You should explicitly select one to install.\n\n"
                    ))?;
                    complaints.push(format!("E: Package '{name}' has no installation candidate"));
                }
            }
            continue;
        }
        match table.get(name) {
            Some(row) => {
                let wanted = word.split_once('=').map(|(_, version)| version);
                if let Some(version) = wanted
                    && !super::matches_version(version, row.col(1))
                {
                    complaints.push(format!("E: Version '{version}' for '{name}' was not found"));
                } else {
                    names.push(name);
                }
            }
            None if !vendors && (is_gone(name) || is_slip(name, table.names())) => {
                complaints.push(format!("E: Unable to locate package {name}"));
            }
            None => {
                estimated.push(name);
                names.push(name);
            }
        }
    }
    if !complaints.is_empty() {
        call.err(complaints.join("\n") + "\n")?;
        return Ok(ERROR);
    }
    for name in &names {
        if let Some(package) = installed.iter().find(|package| package.name == *name)
            && options.quiet < 2
        {
            let version = &package.version;
            call.out(format!(
                "{name} is already the newest version ({version}).\n"
            ))?;
        }
    }
    let plan = Plan {
        new: closure(&table, &names, options, &have),
        asked: crate::order::set(names.iter().copied()),
        estimated,
    };
    carry_out(call, options, &plan, &installed)
}

/// The name without version, release and architecture.
fn bare(word: &str) -> &str {
    let end = word.find(['=', '/', ':']).unwrap_or(word.len());
    &word[..end]
}

/// Whether other repositories than the distribution's are set up: they may hold anything.
fn vendors(files: &Files<'_>) -> bool {
    sources(files)
        .iter()
        .any(|source| !source.suite.contains("bookworm"))
}

/// Names that people still ask for and that Debian 12 has no package of.
fn is_gone(name: &str) -> bool {
    let begins = |start: &str| name.starts_with(start);
    let major = |start: &str, kept: &str| begins(start) && !begins(kept);
    [
        "python-",
        "python2",
        "openjdk-8",
        "openjdk-11",
        "oracle-java",
        "mysql-",
        "docker-ce",
        "mongodb",
    ]
    .iter()
    .any(|start| begins(start) && !begins("python-is-") && !begins("python-dev-is"))
        || [
            "python",
            "nodejs-legacy",
            "libssl1.0-dev",
            "netcat",
            "python-pip",
        ]
        .contains(&name)
        || major("php5", "-")
        || major("php7", "-")
        || major("php8.", "php8.2")
}

fn closure<'a>(
    table: &Table<'a>,
    names: &[&'a str],
    options: &Options,
    have: &BTreeSet<&str>,
) -> Vec<Deb<'a>> {
    let recommends = options.recommends.unwrap_or(true);
    let mut new = BTreeMap::new();
    let mut todo: Vec<&str> = names.to_vec();
    while let Some(name) = todo.pop() {
        if have.contains(name) || new.contains_key(name) {
            continue;
        }
        let deb = Deb::of(table, name);
        todo.extend(deb.depends());
        if recommends {
            // A recommendation that cannot be met is passed over.
            todo.extend(deb.recommends().filter(|name| table.get(name).is_some()));
        }
        new.insert(name, deb);
    }
    new.into_values().collect()
}

fn carry_out(
    call: &mut Call<'_, '_>,
    options: &Options,
    plan: &Plan<'_>,
    installed: &[Installed],
) -> Exit {
    let quiet = options.quiet >= 2;
    let files = Files::of(call);
    let archive = |deb: &Deb<'_>| {
        let version = deb.version().replace(':', "%3a");
        format!("{ARCHIVES}/{}_{version}_amd64.deb", deb.name)
    };
    let missing: Vec<bool> = plan
        .new
        .iter()
        .map(|deb| !files.exists(&archive(deb)))
        .collect();
    let keep = !files.exists(DOCKER_CLEAN);
    let urls: Vec<String> = sources(&files)
        .first()
        .map(|source| format!("{} {}/{}", source.url, source.suite, source.component))
        .into_iter()
        .collect();
    let url = urls.first().map_or("", String::as_str);
    let debs = || plan.new.iter();
    let additional: Vec<&str> = debs()
        .map(|deb| deb.name)
        .filter(|name| !plan.asked.contains(name))
        .collect();
    let download: u64 = debs()
        .zip(&missing)
        .filter(|(_, missing)| **missing)
        .map(|(deb, _)| deb.download())
        .sum();
    if !quiet {
        if !additional.is_empty() {
            let list = listed(additional.iter().copied());
            call.out(format!(
                "The following additional packages will be installed:\n{list}"
            ))?;
        }
        if !plan.new.is_empty() {
            let list = listed(debs().map(|deb| deb.name));
            call.out(format!(
                "The following NEW packages will be installed:\n{list}"
            ))?;
        }
        let count = plan.new.len();
        call.out(format!(
            "0 upgraded, {count} newly installed, 0 to remove and 0 not upgraded.\n"
        ))?;
    }
    if plan.new.is_empty() {
        return Ok(0);
    }
    let declared: u64 = debs().map(Deb::declared).sum();
    if !quiet {
        call.out(format!(
            "Need to get {} of archives.\nAfter this operation, {} of additional disk space will be used.\n",
            human(download),
            human(declared)
        ))?;
    }
    if options.simulate {
        return Ok(0);
    }
    if !options.yes && !additional.is_empty() && !agrees(call)? {
        return Ok(1);
    }
    for name in &plan.estimated {
        call.err(format!(
            "layerwise: the catalog has no package {name}; its size is an estimate\n"
        ))?;
    }
    let machine = call.kernel.host.machine();
    let fetching = download as f64 / machine.network;
    let mut text = String::new();
    if !quiet {
        let fetched = debs().zip(&missing).filter(|(_, missing)| **missing);
        for (number, (deb, _)) in fetched.enumerate() {
            text += &format!(
                "Get:{} {url} amd64 {} amd64 {} [{}]\n",
                number + 1,
                deb.name,
                deb.version(),
                human(deb.download())
            );
        }
        if download > 0 {
            text += &self::fetched(download, fetching.max(0.01));
        }
    }
    out_during(call, &text, fetching)?;
    if options.download_only {
        return Ok(0);
    }
    let wrote = write(call, plan, installed, |deb| keep.then(|| archive(deb)));
    let bytes = match wrote {
        Ok(bytes) => bytes,
        Err(failed) => {
            let Failed { path, errno, .. } = failed;
            call.err(format!("dpkg: error: cannot write {path}: {errno}\n"))?;
            call.err("E: Sub-process /usr/bin/dpkg returned an error code (2)\n")?;
            return Ok(ERROR);
        }
    };
    let mut text = String::new();
    for deb in debs() {
        let (name, version) = (deb.name, deb.version());
        text += &format!(
            "Selecting previously unselected package {name}.\nUnpacking {name} ({version}) ...\n"
        );
    }
    for deb in debs() {
        text += &format!("Setting up {} ({}) ...\n", deb.name, deb.version());
    }
    let seconds = 1.5
        + machine.cpu * (0.12 * plan.new.len() as f64 + bytes as f64 / 80e6)
        + debs().map(|deb| trigger(deb.name)).sum::<f64>() * machine.cpu;
    out_during(call, &text, seconds)?;
    Ok(0)
}

/// Asks, and takes the answer from standard input; an end without one is a no.
fn agrees(call: &mut Call<'_, '_>) -> Result<bool, Stop> {
    call.out("Do you want to continue? [Y/n] ")?;
    let input = call.stdin()?;
    let yes = matches!(input.first(), Some(b'y' | b'Y' | b'\n'));
    call.out(if yes { "\n" } else { "Abort.\n" })?;
    Ok(yes)
}

/// Names in lines of at most 80 columns, as apt breaks them.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut line = String::from(" ");
    for name in names {
        if line.len() + 1 + name.len() > 79 {
            text += &format!("{line}\n");
            line = String::from(" ");
        }
        line += &format!(" {name}");
    }
    text + &line + "\n"
}

/// Seconds of the work after unpacking that some packages ask for.
fn trigger(name: &str) -> f64 {
    match name {
        "python3" => 3.0,
        "ca-certificates" => 3.5,
        "ca-certificates-java" => 6.0,
        "libgdk-pixbuf-2.0-0" | "shared-mime-info" => 1.5,
        "fontconfig" => 1.0,
        "man-db" => 2.0,
        _ => 0.0,
    }
}

/// Unpacks, compiles Python modules, and rewrites apt's and dpkg's own files. Gives the bytes
/// written.
fn write(
    call: &mut Call<'_, '_>,
    plan: &Plan<'_>,
    installed: &[Installed],
    keep: impl Fn(&Deb<'_>) -> Option<String>,
) -> Result<u64, Failed> {
    let mut files = Files::of(call);
    for deb in &plan.new {
        deb.unpack(&mut files)?;
        if let Some(path) = keep(deb) {
            files.put(&path, stand_in(deb.name, deb.download()), 0o644)?;
        }
        let pyc = compiled(deb);
        if let Some((dir, count, bytes)) = pyc {
            let prefix = format!("{dir}/__pycache__/{}-", deb.name);
            files.put_many((&prefix, ".cpython-311.pyc"), deb.name, count, bytes)?;
        }
    }
    let mut all = installed.to_vec();
    all.extend(plan.new.iter().map(Deb::entry));
    crate::order::sort_by(&mut all, |a, b| a.name.cmp(&b.name));
    dpkg::write_status(&mut files, &all)?;
    let mut auto = files.text(AUTO).unwrap_or_default();
    for deb in plan.new.iter().filter(|deb| !plan.asked.contains(deb.name)) {
        auto += &format!(
            "Package: {}\nArchitecture: amd64\nAuto-Installed: 1\n\n",
            deb.name
        );
    }
    files.put(AUTO, Content::new(auto), 0o644)?;
    let count = plan.new.len() as u64;
    let side = [
        ("/var/cache/debconf/templates.dat", 760_000),
        ("/var/cache/debconf/templates.dat-old", 760_000),
        ("/var/cache/debconf/config.dat", 3_000),
        ("/var/log/dpkg.log", 2_700 * count),
        ("/var/log/apt/history.log", 800 + 40 * count),
        ("/var/log/apt/term.log", 300 * count),
        ("/etc/ld.so.cache", 6_000),
        ("/var/cache/ldconfig/aux-cache", 6_000),
    ];
    for (path, size) in side {
        let size = if path.starts_with("/var/log") {
            size + files.size(path)
        } else {
            size
        };
        files.put(path, stand_in(path, size), 0o644)?;
    }
    Ok(files.bytes)
}

/// The compiled modules of a package of Python modules: where, how many, and their bytes.
fn compiled(deb: &Deb<'_>) -> Option<(&'static str, u64, u64)> {
    let name = deb.name;
    match name {
        "python3" => return Some(("/usr/lib/python3.11", 550, 11_675_110)),
        "python3-minimal" | "python3-dev" | "python3-venv" => return None,
        _ => {}
    }
    name.starts_with("python3-").then(|| {
        let bytes = deb.declared();
        (
            "/usr/lib/python3/dist-packages",
            (bytes >> 14).max(1),
            bytes,
        )
    })
}

/// Base images are up to date with the lists: an upgrade finds nothing.
fn upgrade(call: &mut Call<'_, '_>, options: &Options) -> Exit {
    if options.quiet < 2 {
        call.out(
            "Reading package lists...\nBuilding dependency tree...\nReading state information...\n\
             Calculating upgrade...\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n",
        )?;
    }
    let machine = call.kernel.host.machine();
    call.kernel.spend(cost::seconds(0.6 * machine.cpu));
    Ok(0)
}

fn clean(call: &mut Call<'_, '_>) -> Exit {
    let mut files = Files::of(call);
    let mut done = Ok(());
    for name in files.names(ARCHIVES) {
        if name.ends_with(".deb") {
            done = done.and_then(|()| files.remove(&format!("{ARCHIVES}/{name}")));
        }
    }
    if let Err(failed) = done {
        return refused(call, &failed, "/var/cache/apt/archives/lock");
    }
    call.kernel.spend(cost::seconds(0.05));
    Ok(0)
}
