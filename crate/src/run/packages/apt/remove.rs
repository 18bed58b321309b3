//! Removing packages.

use super::super::super::{Call, Exit};
use super::super::dpkg::{self, Installed};
use super::super::files::{Failed, Files};
use super::super::out_during;
use super::{AUTO, ERROR, Options, agrees, bare, listed, refused};
use crate::fs::Content;

/// Removes packages, what needs them, and with `--auto-remove` what only they needed.
pub(super) fn remove(call: &mut Call<'_, '_>, options: &Options, words: &[String]) -> Exit {
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
    let auto_text = files.text(AUTO).unwrap_or_default();
    let has = |name: &str| installed.iter().any(|package| package.name == name);
    let names: Vec<&str> = words.iter().map(|word| bare(word)).collect();
    let mut gone = crate::order::set(names.iter().copied().filter(|name| has(name)));
    // What needs what goes, goes too.
    while let Some(package) = installed.iter().find(|package| {
        !gone.contains(package.name.as_str())
            && package
                .depends
                .iter()
                .any(|need| gone.contains(need.as_str()))
    }) {
        gone.insert(&package.name);
    }
    if options.autoremove {
        let auto = auto_text.lines();
        let auto = crate::order::set(auto.filter_map(|line| line.strip_prefix("Package: ")));
        // What was not asked for and is needed by nothing that stays goes.
        while let Some(package) = installed.iter().find(|package| {
            let name = package.name.as_str();
            let needed = |other: &Installed| {
                !gone.contains(other.name.as_str()) && other.depends.iter().any(|need| need == name)
            };
            auto.contains(name) && !gone.contains(name) && !installed.iter().any(needed)
        }) {
            gone.insert(&package.name);
        }
    }
    for name in names.iter().filter(|name| !has(name)) {
        call.out(format!(
            "Package '{name}' is not installed, so not removed\n"
        ))?;
    }
    if options.quiet < 2 {
        if !gone.is_empty() {
            let list = listed(gone.iter().copied());
            call.out(format!("The following packages will be REMOVED:\n{list}"))?;
        }
        let count = gone.len();
        call.out(format!(
            "0 upgraded, 0 newly installed, {count} to remove and 0 not upgraded.\n"
        ))?;
    }
    if gone.is_empty() {
        return Ok(0);
    }
    if !options.yes && !agrees(call)? {
        return Ok(1);
    }
    let mut files = Files::of(call);
    let removed = gone
        .iter()
        .try_for_each(|name| dpkg::remove(&mut files, name));
    let stays: Vec<Installed> = installed
        .iter()
        .filter(|package| !gone.contains(package.name.as_str()))
        .cloned()
        .collect();
    let auto: String = auto_text
        .split_inclusive("\n\n")
        .filter(|entry| {
            let name = entry
                .lines()
                .find_map(|line| line.strip_prefix("Package: "));
            name.is_some_and(|name| !gone.contains(name))
        })
        .collect();
    let wrote = removed
        .and_then(|()| dpkg::write_status(&mut files, &stays))
        .and_then(|()| files.put(AUTO, Content::new(auto), 0o644));
    if let Err(Failed { path, errno, .. }) = wrote {
        call.err(format!("dpkg: error: cannot change {path}: {errno}\n"))?;
        return Ok(ERROR);
    }
    let lines: String = gone
        .iter()
        .map(|name| format!("Removing {name} ...\n"))
        .collect();
    let machine = call.kernel.host.machine();
    let seconds = 1.0 + machine.cpu * 0.08 * gone.len() as f64;
    out_during(call, &lines, seconds)?;
    Ok(0)
}
