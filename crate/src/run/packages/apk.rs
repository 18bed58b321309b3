//! apk: Alpine's packages.
//!
//! The database lists each package's files, so that what was installed can be removed again.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Call, Exit};
use super::files::{Failed, Files, program, stand_in};
use super::out_during;
use super::table::{Row, Table, estimate, is_slip, part};
use crate::fs::{Content, parent};

const INSTALLED: &str = "/lib/apk/db/installed";
const WORLD: &str = "/etc/apk/world";
const CACHE: &str = "/var/cache/apk";
/// Bytes of the indexes of both repositories.
const INDEX_BYTES: u64 = 2_300_000;

#[derive(Default)]
struct Options {
    no_cache: bool,
    update: bool,
    quiet: bool,
    simulate: bool,
    virtual_name: Option<String>,
}

/// A package of the database.
#[derive(Clone, Debug, Default)]
struct Package {
    name: String,
    version: String,
    bytes: u64,
    depends: Vec<String>,
    paths: Vec<String>,
    /// Fields that are only passed on.
    other: Vec<String>,
}

/// `apk`.
pub(super) fn main(call: &mut Call<'_, '_>) -> Exit {
    let args = std::mem::take(&mut call.args);
    let mut options = Options::default();
    let mut words = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--no-cache" => options.no_cache = true,
            "-U" | "--update-cache" | "--update" => options.update = true,
            "-q" | "--quiet" => options.quiet = true,
            "-s" | "--simulate" => options.simulate = true,
            "-t" | "--virtual" => options.virtual_name = rest.next().cloned(),
            "-X" | "--repository" | "-p" | "--root" | "--cache-dir" => {
                rest.next();
            }
            long => {
                if let Some(name) = long.strip_prefix("--virtual=") {
                    options.virtual_name = Some(name.to_owned());
                } else if !long.starts_with('-') {
                    words.push(long.to_owned());
                }
            }
        }
    }
    let command = if words.is_empty() {
        String::new()
    } else {
        words.remove(0)
    };
    match command.as_str() {
        "add" => add(call, &options, &words),
        "del" => del(call, &options, &words),
        "update" => {
            if let Err(failed) = fetch_index(call, true)? {
                return refused(call, &failed);
            }
            let count = 24_000;
            call.out(format!("OK: {count} distinct packages available\n"))?;
            Ok(0)
        }
        "upgrade" => {
            if options.update
                && !options.no_cache
                && let Err(failed) = fetch_index(call, true)?
            {
                return refused(call, &failed);
            }
            let all = database(&Files::of(call));
            call.out(summary(&all))?;
            Ok(0)
        }
        "cache" => {
            let mut files = Files::of(call);
            for name in files.names(CACHE) {
                if let Err(failed) = files.remove(&format!("{CACHE}/{name}")) {
                    return refused(call, &failed);
                }
            }
            Ok(0)
        }
        "info" => info(call, &words),
        "" => {
            call.out("apk-tools 2.14.4, compiled for x86_64.\n")?;
            Ok(1)
        }
        "search" | "fetch" | "policy" | "fix" | "version" | "verify" | "audit" | "stats" => {
            call.kernel.mark(super::super::Fidelity::NotSimulated);
            Ok(0)
        }
        other => {
            call.err(format!(
                "ERROR: '{other}' is not an apk command. See 'apk --help'.\n"
            ))?;
            Ok(1)
        }
    }
}

fn refused(call: &mut Call<'_, '_>, failed: &Failed) -> Exit {
    let errno = failed.errno;
    call.err(format!(
        "ERROR: Unable to lock database: {errno}\nERROR: Failed to open apk database: {errno}\n"
    ))?;
    Ok(99)
}

fn index_path(repository: &str) -> String {
    format!(
        "{CACHE}/APKINDEX.{:08x}.tar.gz",
        estimate(repository, 0, 1 << 32)
    )
}

fn repositories(files: &Files<'_>) -> Vec<String> {
    let text = files.text("/etc/apk/repositories").unwrap_or_default();
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        // A repository with a tag: `@edge URL`.
        .filter_map(|line| line.split_whitespace().last())
        .map(str::to_owned)
        .collect()
}

/// Fetches the indexes, and keeps them if `keep`.
fn fetch_index(
    call: &mut Call<'_, '_>,
    keep: bool,
) -> Result<Result<(), Failed>, super::super::Stop> {
    let mut files = Files::of(call);
    let repositories = repositories(&files);
    if keep {
        let each = INDEX_BYTES / repositories.len().max(1) as u64;
        for repository in &repositories {
            let content = stand_in(&format!("the index of {repository}"), each);
            if let Err(failed) = files.put(&index_path(repository), content, 0o644) {
                return Ok(Err(failed));
            }
        }
    }
    let lines: String = repositories
        .iter()
        .map(|repository| format!("fetch {repository}/x86_64/APKINDEX.tar.gz\n"))
        .collect();
    let machine = call.kernel.host.machine();
    out_during(call, &lines, INDEX_BYTES as f64 / machine.network)?;
    Ok(Ok(()))
}

fn database(files: &Files<'_>) -> Vec<Package> {
    let text = files.text(INSTALLED).unwrap_or_default();
    let mut all = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut package = Package::default();
        let mut dir = "";
        for line in paragraph.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            match key {
                "P" => package.name = value.to_owned(),
                "V" => package.version = value.to_owned(),
                "I" => package.bytes = value.parse().unwrap_or(0),
                "D" => package.depends = value.split(' ').map(str::to_owned).collect(),
                "F" => dir = value,
                "R" => package.paths.push(format!("/{dir}/{value}")),
                _ => package.other.push(line.to_owned()),
            }
        }
        if !package.name.is_empty() {
            all.push(package);
        }
    }
    all
}

impl Package {
    fn paragraph(&self) -> String {
        let mut text = format!(
            "P:{}\nV:{}\nI:{}\n{}",
            self.name,
            self.version,
            self.bytes,
            self.other
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>()
        );
        if !self.depends.is_empty() {
            text += &format!("D:{}\n", self.depends.join(" "));
        }
        for path in &self.paths {
            let (dir, name) = path[1..].rsplit_once('/').unwrap_or(("", &path[1..]));
            text += &format!("F:{dir}\nR:{name}\n");
        }
        text + "\n"
    }
}

fn write_database(files: &mut Files<'_>, all: &[Package]) -> Result<(), Failed> {
    let text: String = all.iter().map(Package::paragraph).collect();
    files.put(INSTALLED, Content::new(text), 0o644)?;
    for (path, size) in [
        ("/lib/apk/db/scripts.tar", 14_000),
        ("/lib/apk/db/triggers", 100),
    ] {
        files.put(path, stand_in(path, size), 0o644)?;
    }
    files.put("/lib/apk/db/lock", Content::default(), 0o600)
}

fn summary(all: &[Package]) -> String {
    let bytes: u64 = all.iter().map(|package| package.bytes).sum();
    let count = all
        .iter()
        .filter(|package| !package.version.is_empty())
        .count();
    format!("OK: {} MiB in {count} packages\n", bytes >> 20)
}

/// The name of a package in a request: without version, tag and the mark of a conflict.
fn bare(word: &str) -> &str {
    let end = word.find(['=', '<', '>', '~', '@']).unwrap_or(word.len());
    &word[..end]
}

fn add(call: &mut Call<'_, '_>, options: &Options, words: &[String]) -> Exit {
    let mut files = Files::of(call);
    if let Err(failed) = files.put("/lib/apk/db/lock", Content::default(), 0o600) {
        return refused(call, &failed);
    }
    let cached = repositories(&files)
        .iter()
        .all(|repository| files.exists(&index_path(repository)));
    if options.no_cache || options.update {
        if let Err(failed) = fetch_index(call, !options.no_cache)? {
            return refused(call, &failed);
        }
    } else if !cached {
        for repository in repositories(&Files::of(call)) {
            call.err(format!(
                "WARNING: opening from cache {repository}: No such file or directory\n"
            ))?;
        }
    }
    let has_index = options.no_cache || options.update || cached;
    let bytes = part(call, "apk.tsv")?;
    let table = Table::of(&bytes);
    let mut all = database(&Files::of(call));
    let known = crate::order::set(all.iter().map(|package| package.name.clone()));
    let names: Vec<&str> = words.iter().map(|word| bare(word)).collect();
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !known.contains(*name))
        .filter(|name| !has_index || table.get(name).is_none() && is_slip(name, table.names()))
        .collect();
    if !missing.is_empty() {
        call.err("ERROR: unable to select packages:\n")?;
        for name in &missing {
            let from = options.virtual_name.as_deref().map_or_else(
                || format!("world[{name}]"),
                |group| format!("{group}-0[{name}]"),
            );
            call.err(format!(
                "  {name} (no such package):\n    required by: {from}\n"
            ))?;
        }
        return Ok(missing.len().min(99) as i32);
    }
    let new = closure(&table, &names, &known);
    if options.simulate {
        call.out(summary(&all))?;
        return Ok(0);
    }
    for name in new.keys().filter(|name| table.get(name).is_none()) {
        call.err(format!(
            "layerwise: the catalog has no package {name}; its size is an estimate\n"
        ))?;
    }
    let download: u64 = new.iter().map(|(name, row)| download(name, *row)).sum();
    let total = new.len() + usize::from(options.virtual_name.is_some());
    let mut number = 0;
    let mut progress = |name: &str, version: &str| {
        number += 1;
        format!("({number}/{total}) Installing {name} ({version})\n")
    };
    let mut lines = String::new();
    let mut files = Files::of(call);
    for (name, row) in &new {
        match unpack(&mut files, name, *row) {
            Ok(package) => {
                lines += &progress(name, &package.version);
                all.push(package);
            }
            Err(failed) => return refused(call, &failed),
        }
    }
    if let Some(group) = &options.virtual_name {
        lines += &progress(group, "20260101.000000");
        all.retain(|package| package.name != *group);
        all.push(Package {
            name: group.clone(),
            version: "20260101.000000".into(),
            depends: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Package::default()
        });
    }
    let world = files.text(WORLD).unwrap_or_default();
    let mut world = crate::order::set(world.lines().map(str::to_owned));
    match &options.virtual_name {
        Some(group) => {
            world.insert(group.clone());
        }
        None => world.extend(words.iter().cloned()),
    }
    crate::order::sort_by(&mut all, |a, b| a.name.cmp(&b.name));
    let world: String = world.iter().map(|name| format!("{name}\n")).collect();
    let wrote = files
        .put(WORLD, Content::new(world), 0o644)
        .and_then(|()| write_database(&mut files, &all));
    let written = files.bytes;
    if let Err(failed) = wrote {
        return refused(call, &failed);
    }
    if !new.is_empty() {
        lines += "Executing busybox-1.36.1-r29.trigger\n";
    }
    lines += &summary(&all);
    if options.quiet {
        lines.clear();
    }
    let machine = call.kernel.host.machine();
    let seconds = 0.4
        + download as f64 / machine.network
        + machine.cpu * 0.015 * new.len() as f64
        + written as f64 / 150e6
        + if new.is_empty() { 0.0 } else { 0.2 };
    out_during(call, &lines, seconds)?;
    Ok(0)
}

fn closure<'a>(
    table: &Table<'a>,
    names: &[&'a str],
    known: &BTreeSet<String>,
) -> BTreeMap<&'a str, Option<Row<'a>>> {
    let mut new = BTreeMap::new();
    let mut todo: Vec<&str> = names.to_vec();
    while let Some(name) = todo.pop() {
        if known.contains(name) || new.contains_key(name) {
            continue;
        }
        let row = table.get(name);
        todo.extend(row.into_iter().flat_map(|row| row.words(4)));
        new.insert(name, row);
    }
    new
}

fn download(name: &str, row: Option<Row<'_>>) -> u64 {
    row.map_or_else(|| weight(name) * 2 / 5, |row| row.number(2))
}

fn weight(name: &str) -> u64 {
    estimate(name, 50_000, 8_000_000)
}

/// Writes the package's files: its programs, and one file for all that is not known of it.
fn unpack(files: &mut Files<'_>, name: &str, row: Option<Row<'_>>) -> Result<Package, Failed> {
    let usual = format!("/usr/bin/{name}");
    let programs: Vec<&str> = match row {
        Some(row) => row.words(7).collect(),
        None => vec![&usual],
    };
    let whole = row.map_or_else(|| weight(name), |row| row.number(3) << 10);
    let version = row.map_or("1.0-r0", |row| row.col(1));
    let what = format!("{name} {version}");
    let each = whole / 2 / programs.len().max(1) as u64;
    let mut paths = Vec::new();
    for path in &programs {
        files.dir(&parent(path))?;
        files.put(path, program(path, &what, each), 0o755)?;
        paths.push((*path).to_owned());
    }
    let rest = whole - each * programs.len() as u64;
    if rest > 0 {
        let path = format!("/usr/share/{name}/unlisted");
        files.put(&path, stand_in(&what, rest), 0o644)?;
        paths.push(path);
    }
    Ok(Package {
        name: name.to_owned(),
        version: version.to_owned(),
        bytes: whole,
        depends: row
            .into_iter()
            .flat_map(|row| row.words(4))
            .map(str::to_owned)
            .collect(),
        paths,
        other: Vec::new(),
    })
}

fn del(call: &mut Call<'_, '_>, options: &Options, words: &[String]) -> Exit {
    let mut files = Files::of(call);
    if let Err(failed) = files.put("/lib/apk/db/lock", Content::default(), 0o600) {
        return refused(call, &failed);
    }
    let all = database(&files);
    let mut world: Vec<String> = files
        .text(WORLD)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    world.retain(|entry| !words.iter().any(|word| bare(entry) == bare(word)));
    // What the world and the base need stays; the base is what the image lists no files of.
    let mut stays: BTreeSet<&str> = BTreeSet::new();
    let based = |package: &&Package| package.paths.is_empty() && !package.name.starts_with('.');
    let mut todo: Vec<&str> = world.iter().map(|entry| bare(entry)).collect();
    todo.extend(
        all.iter()
            .filter(based)
            .map(|package| package.name.as_str()),
    );
    while let Some(name) = todo.pop() {
        if let Some(package) = all.iter().find(|package| package.name == name)
            && !words.iter().any(|word| bare(word) == name)
            && stays.insert(name)
        {
            todo.extend(package.depends.iter().map(String::as_str));
        }
    }
    let gone: Vec<&Package> = all
        .iter()
        .filter(|package| !stays.contains(package.name.as_str()))
        .collect();
    let mut lines = String::new();
    let mut removed = Ok(());
    for (number, package) in gone.iter().enumerate() {
        for path in &package.paths {
            removed = removed.and_then(|()| files.remove(path));
            files.remove_empty(&parent(path));
        }
        let (number, total) = (number + 1, gone.len());
        let Package { name, version, .. } = package;
        lines += &format!("({number}/{total}) Purging {name} ({version})\n");
    }
    let left: Vec<Package> = all
        .iter()
        .filter(|package| stays.contains(package.name.as_str()))
        .cloned()
        .collect();
    let world: String = world.iter().map(|name| format!("{name}\n")).collect();
    let wrote = removed
        .and_then(|()| files.put(WORLD, Content::new(world), 0o644))
        .and_then(|()| write_database(&mut files, &left));
    if let Err(failed) = wrote {
        return refused(call, &failed);
    }
    lines += &summary(&left);
    if options.quiet {
        lines.clear();
    }
    let machine = call.kernel.host.machine();
    let seconds = 0.2 + machine.cpu * 0.01 * gone.len() as f64;
    out_during(call, &lines, seconds)?;
    Ok(0)
}

fn info(call: &mut Call<'_, '_>, words: &[String]) -> Exit {
    let all = database(&Files::of(call));
    for package in &all {
        if words.is_empty() || words.contains(&package.name) {
            call.out(format!("{}\n", package.name))?;
        }
    }
    let found = |word: &String| all.iter().any(|package| package.name == *word);
    Ok(i32::from(!words.iter().all(found)))
}
