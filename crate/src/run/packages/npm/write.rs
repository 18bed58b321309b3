//! Bringing packages into `node_modules`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::super::{Call, Stop, cost};
use super::super::files::{Failed, Files, program, stand_in};
use super::super::table::Table;
use super::tree::{self, Placed, facts};
use super::{LOCK_ENTRY, Manager};
use crate::fs::{Content, parent};

/// At most so many files of one package are written; their sizes add up all the same.
const MAX_FILES: u64 = 2000;

/// What a package's index entry weighs in the cache, in bytes.
const CACHE_INDEX: u64 = 1500;

/// Bringing packages into a `node_modules`.
pub(super) struct Write {
    pub manager: Manager,
    pub root: String,
    /// What is there goes first.
    pub clean: bool,
    /// No lock file names the versions: each package's versions are asked for.
    pub unlocked: bool,
    pub scripts: bool,
    pub cache: String,
    /// Packages whose programs go into the folder of programs beside the root's.
    pub own: Vec<String>,
}

impl Write {
    /// Writes all; gives the seconds that it takes, which have passed.
    pub fn carry_out(
        &self,
        call: &mut Call<'_, '_>,
        table: &Table<'_>,
        packages: &[Placed],
    ) -> Result<Result<f64, Failed>, Stop> {
        let mut estimated = Vec::new();
        let mut download = 0;
        let wrote = self.write(call, table, packages, &mut estimated, &mut download);
        let count = match wrote {
            Ok(count) => count,
            Err(failed) => return Ok(Err(failed)),
        };
        for name in estimated.iter().take(20) {
            call.err(format!(
                "layerwise: the catalog has no package {name}; its size is an estimate\n"
            ))?;
        }
        if estimated.len() > 20 {
            let more = estimated.len() - 20;
            call.err(format!("layerwise: and {more} more are estimates\n"))?;
        }
        let machine = call.kernel.host.machine();
        let number = packages.len() as f64;
        let scripts = packages
            .iter()
            .filter(|package| package.script && self.scripts);
        let mut seconds = 2.5
            + download as f64 / machine.network
            + machine.cpu * (0.028 * number + 0.0004 * count as f64)
            + machine.cpu * scripts.count() as f64;
        if self.unlocked {
            seconds += number * (0.04 + 25_000.0 / machine.network);
        }
        seconds *= self.manager.factor();
        call.kernel.spend(cost::seconds(seconds));
        Ok(Ok(seconds))
    }

    /// Gives the number of files.
    fn write(
        &self,
        call: &mut Call<'_, '_>,
        table: &Table<'_>,
        packages: &[Placed],
        estimated: &mut Vec<String>,
        download: &mut u64,
    ) -> Result<u64, Failed> {
        let mut files = Files::of(call);
        let modules = format!("{}/node_modules", self.root);
        if self.clean {
            for name in files.names(&modules) {
                files.remove(&format!("{modules}/{name}"))?;
            }
        }
        if packages.is_empty() {
            return Ok(0);
        }
        files.dir(&modules)?;
        let mut count = 0;
        for package in packages {
            let facts = facts(table, &package.name, &package.version);
            if facts.estimated {
                estimated.push(package.name.clone());
            }
            let path = format!("{}/{}", self.root, package.path);
            if !self.clean {
                let installed = files.text(&format!("{path}/package.json"));
                let version = format!("\"version\":\"{}\"", package.version);
                if installed.is_some_and(|text| text.contains(&version)) {
                    continue;
                }
                files.remove(&path)?;
            }
            *download += self.cached(&mut files, package, facts.tarball)?;
            unpack(&mut files, &path, package, &facts)?;
            count += facts.files;
            let top = package.path.rfind("node_modules/").unwrap_or(0);
            let at = format!("{}/{}", self.root, &package.path[..top]);
            for (name, target) in &facts.bin {
                let link = format!("{at}node_modules/.bin/{name}");
                let target = target.trim_start_matches("./");
                files.link(&link, &format!("../{}/{target}", package.name))?;
                if self.own.contains(&package.name) {
                    let link = format!("{}/bin/{name}", parent(&self.root));
                    let target = format!("../lib/node_modules/{}/{target}", package.name);
                    files.link(&link, &target)?;
                }
            }
        }
        if self.manager == Manager::Npm && self.own.is_empty() {
            let size = LOCK_ENTRY * packages.len() as u64;
            let what = format!("the lock file of {} packages", packages.len());
            let path = format!("{modules}/.package-lock.json");
            files.put(&path, stand_in(&what, size), 0o644)?;
        }
        Ok(count)
    }

    /// Puts a package into the cache; gives the bytes that had to be downloaded for that.
    fn cached(&self, files: &mut Files<'_>, package: &Placed, tarball: u64) -> Result<u64, Failed> {
        let what = format!("{}@{}", package.name, package.version);
        let digest: [u8; 32] = Sha256::digest(what.as_bytes()).into();
        let hex = crate::image::Digest(digest).hex();
        let (folder, name) = hex.split_at(2);
        let content = format!("{}/content-v2/sha512/{folder}/{name}", self.cache);
        if files.exists(&content) {
            return Ok(0);
        }
        files.put(&content, stand_in(&what, tarball), 0o644)?;
        let index = format!("{}/index-v5/{folder}/{name}", self.cache);
        files.put(&index, stand_in(&what, CACHE_INDEX), 0o644)?;
        Ok(tarball)
    }
}

/// Writes a package's files: its manifest, its programs, and stand-ins that share the rest.
fn unpack(
    files: &mut Files<'_>,
    path: &str,
    package: &Placed,
    facts: &tree::Facts,
) -> Result<(), Failed> {
    let Placed { name, version, .. } = package;
    let bin: Map<String, Value> = facts
        .bin
        .iter()
        .map(|(name, path)| (name.clone(), json!(path)))
        .collect();
    let mut manifest = json!({ "name": name, "version": version });
    if !bin.is_empty() {
        manifest["bin"] = Value::Object(bin);
    }
    let what = format!("{name}@{version}");
    let before = files.bytes;
    files.put(
        &format!("{path}/package.json"),
        Content::new(manifest.to_string()),
        0o644,
    )?;
    let mut left = facts.files.min(MAX_FILES).saturating_sub(1);
    let each = facts.unpacked / facts.files.max(1);
    let mut written = BTreeSet::new();
    for (command, target) in &facts.bin {
        let target = format!("{path}/{}", target.trim_start_matches("./"));
        if written.insert(target.clone()) {
            files.put(&target, program(command, &what, each.max(1)), 0o755)?;
            left = left.saturating_sub(1);
        }
    }
    let rest = facts.unpacked.saturating_sub(files.bytes - before);
    files.put_many((&format!("{path}/lib/"), ".js"), &what, left.max(1), rest)
}
