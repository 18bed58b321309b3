//! Which packages go where below `node_modules`.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use super::super::table::{Row, Table, estimate};
use super::semver::{Version, satisfies};

/// A package in its place.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// Below the project: `node_modules/a/node_modules/b`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Only development needs it.
    pub dev: bool,
    /// It runs a script when it is installed.
    pub script: bool,
}

/// What the catalog knows of a package, or an estimate.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub tarball: u64,
    pub unpacked: u64,
    pub files: u64,
    /// Programs: name and path in the package.
    pub bin: Vec<(String, String)>,
    pub estimated: bool,
}

/// The row of exactly this version.
fn exact<'a>(table: &Table<'a>, name: &str, version: &str) -> Option<Row<'a>> {
    let rows = table.all(name).iter().copied();
    rows.into_iter().find(|row| row.col(1) == version)
}

/// Sizes of a package. Of a version that the catalog lacks it takes those of another one.
pub(super) fn facts(table: &Table<'_>, name: &str, version: &str) -> Facts {
    let row = exact(table, name, version).or_else(|| table.all(name).last().copied());
    match row {
        Some(row) => Facts {
            tarball: row.number(2),
            unpacked: row.number(3),
            files: row.number(4),
            bin: row
                .words(6)
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, path)| (name.to_owned(), path.to_owned()))
                .collect(),
            estimated: false,
        },
        None => {
            let unpacked = estimate(name, 6_000, 1_200_000);
            Facts {
                tarball: unpacked / 4,
                unpacked,
                files: 4 + unpacked / 12_000,
                bin: Vec::new(),
                estimated: true,
            }
        }
    }
}

/// The version that a range of `name` leads to.
pub(super) fn choose(table: &Table<'_>, name: &str, range: &str) -> String {
    let mut found: Vec<(Version, &str)> = table
        .all(name)
        .iter()
        .map(|row| row.col(1))
        .filter(|version| satisfies(version, range))
        .filter_map(|version| Some((Version::parse(version)?, version)))
        .collect();
    crate::order::sort(&mut found);
    if let Some((_, version)) = found.last() {
        return (*version).to_owned();
    }
    // The lowest version that the range names.
    let digits = range.trim_start_matches(|c: char| !c.is_ascii_digit());
    let word = digits.split([' ', '|', ',']).next().unwrap_or_default();
    let mut numbers: Vec<&str> = word
        .split('.')
        .take_while(|part| part.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    numbers.truncate(3);
    while numbers.len() < 3 {
        numbers.push(if numbers.is_empty() { "1" } else { "0" });
    }
    numbers.join(".")
}

/// Places the packages of `wanted` (name, range, development only) and all that they need, each as
/// far up as no other version stands in its way.
pub(super) fn resolve(table: &Table<'_>, wanted: &[(String, String, bool)]) -> Vec<Placed> {
    let mut placed: BTreeMap<String, Placed> = BTreeMap::new();
    let mut queue: VecDeque<(String, String, String, bool)> = wanted
        .iter()
        .map(|(name, range, dev)| {
            (
                String::new(),
                name.clone(),
                choose(table, name, range),
                *dev,
            )
        })
        .collect();
    while let Some((parent, name, version, dev)) = queue.pop_front() {
        // From the place of who needs it upwards: the first package of this name is what it gets.
        let mut at = parent.as_str();
        let mut free = None;
        let got = loop {
            let path = join(at, &name);
            match placed.get_mut(&path) {
                Some(there) => break Some(there),
                None => free = Some(path),
            }
            if at.is_empty() {
                break None;
            }
            at = at.rfind("/node_modules/").map_or("", |end| &at[..end]);
        };
        if let Some(there) = got {
            if there.version == version {
                if there.dev && !dev {
                    there.dev = false;
                    let path = there.path.clone();
                    push_needs(table, &path, &name, &version, dev, &mut queue);
                }
                continue;
            }
            if free.is_none() {
                continue;
            }
        }
        let Some(path) = free else { continue };
        let script = exact(table, &name, &version).is_some_and(|row| row.col(7).contains('i'));
        push_needs(table, &path, &name, &version, dev, &mut queue);
        placed.insert(
            path.clone(),
            Placed {
                path,
                name,
                version,
                dev,
                script,
            },
        );
    }
    placed.into_values().collect()
}

fn push_needs(
    table: &Table<'_>,
    path: &str,
    name: &str,
    version: &str,
    dev: bool,
    queue: &mut VecDeque<(String, String, String, bool)>,
) {
    let Some(row) = exact(table, name, version) else {
        return;
    };
    for need in row.words(5) {
        if let Some((name, version)) = need.rsplit_once('@') {
            queue.push_back((path.to_owned(), name.to_owned(), version.to_owned(), dev));
        }
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() {
        format!("node_modules/{name}")
    } else {
        format!("{at}/node_modules/{name}")
    }
}

/// The packages of a lock file (versions 1 to 3) for `linux`, `x64` and this C library.
pub(super) fn locked(lock: &Value, libc: &str) -> Vec<Placed> {
    let mut all = Vec::new();
    if let Some(packages) = lock["packages"].as_object() {
        for (path, package) in packages {
            let Some((_, name)) = path.rsplit_once("node_modules/") else {
                continue;
            };
            if package["link"] != true && fits(package, libc) {
                all.push(placed(path, name, package));
            }
        }
    } else {
        nested("", &lock["dependencies"], &mut all);
    }
    crate::order::sort_by(&mut all, |a, b| a.path.cmp(&b.path));
    all
}

fn placed(path: &str, name: &str, package: &Value) -> Placed {
    Placed {
        path: path.to_owned(),
        name: package["name"].as_str().unwrap_or(name).to_owned(),
        version: package["version"].as_str().unwrap_or("0.0.0").to_owned(),
        dev: package["dev"] == true || package["devOptional"] == true,
        script: package["hasInstallScript"] == true,
    }
}

/// Version 1: packages in packages.
fn nested(at: &str, dependencies: &Value, all: &mut Vec<Placed>) {
    for (name, package) in dependencies.as_object().into_iter().flatten() {
        let path = join(at, name);
        all.push(placed(&path, name, package));
        nested(&path, &package["dependencies"], all);
    }
}

/// Whether a package is for this platform: `["linux"]`, `["!win32"]`.
fn fits(package: &Value, libc: &str) -> bool {
    [("os", "linux"), ("cpu", "x64"), ("libc", libc)]
        .iter()
        .all(|(key, ours)| {
            let Some(list) = package[*key].as_array() else {
                return true;
            };
            let names = crate::order::set(list.iter().filter_map(Value::as_str));
            if names.iter().any(|name| name.starts_with('!')) {
                !names.contains(format!("!{ours}").as_str())
            } else {
                names.contains(ours)
            }
        })
}

/// The lock file (version 3) of a project with these packages.
pub(super) fn lock(project: &Value, packages: &[Placed]) -> Value {
    let mut all = Map::new();
    let mut root = Map::new();
    for key in ["name", "version", "dependencies", "devDependencies"] {
        if !project[key].is_null() {
            root.insert(key.to_owned(), project[key].clone());
        }
    }
    all.insert(String::new(), Value::Object(root));
    for package in packages {
        let mut entry = Map::new();
        entry.insert("version".into(), json!(package.version));
        if package.dev {
            entry.insert("dev".into(), json!(true));
        }
        if package.script {
            entry.insert("hasInstallScript".into(), json!(true));
        }
        all.insert(package.path.clone(), Value::Object(entry));
    }
    json!({
        "name": project["name"],
        "version": project["version"],
        "lockfileVersion": 3,
        "requires": true,
        "packages": all,
    })
}
