//! `docker system df`.

use super::containers::{command_of, image_of, status_of};
use super::images::{NONE, names};
use super::table::Table;
use super::{Command, Done, Flags, Job, units};
use crate::engine::daemon::Container;

pub(super) const COMMANDS: &[Command] = &[Command {
    words: &["system", "df"],
    usage: "[OPTIONS]",
    flags: &[(Some('v'), "verbose", false), (None, "format", true)],
    rest_is_literal: false,
    run: usage,
}];

fn usage(job: &mut Job<'_>, flags: &Flags) -> Done {
    match flags.on("verbose") {
        true => details(job),
        false => summary(job),
    }
    Ok(())
}

/// A line of the summary. The percentage is cut, not rounded.
fn line(what: &str, total: usize, active: usize, size: u64, free: u64) -> [String; 5] {
    let percent = match size {
        0 => String::new(),
        size => format!(" ({}%)", free * 100 / size),
    };
    [
        what.to_string(),
        total.to_string(),
        active.to_string(),
        units::total(size),
        format!("{}{percent}", units::total(free)),
    ]
}

fn summary(job: &mut Job<'_>) {
    let daemon = &job.desktop.daemon;
    let now = job.now();
    let images = daemon.image_usage();
    let active = images.images.iter().filter(|image| image.containers > 0);
    let (count, active) = (images.images.len(), active.count());
    let mut table = Table::new(&["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]);
    table.row(line(
        "Images",
        count,
        active,
        images.layers,
        images.reclaimable(),
    ));

    let containers = daemon.containers();
    let size = |all: &mut dyn Iterator<Item = &&Container>| -> u64 {
        all.map(|container| container.size()).sum()
    };
    let running = containers.iter().filter(|c| c.is_running(now)).count();
    let whole = size(&mut containers.iter());
    let free = size(&mut containers.iter().filter(|c| !c.is_running(now)));
    table.row(line("Containers", containers.len(), running, whole, free));

    let (mut count, mut used, mut whole, mut free) = (0, 0, 0, 0);
    for volume in daemon.volumes() {
        let size = volume.size();
        (count, whole) = (count + 1, whole + size);
        match daemon.users_of(&volume.name).is_empty() {
            true => free += size,
            false => used += 1,
        }
    }
    table.row(line("Local Volumes", count, used, whole, free));
    table.row(line("Build Cache", 0, 0, 0, 0));
    job.out += &table.text();
}

fn details(job: &mut Job<'_>) {
    let daemon = &job.desktop.daemon;
    let now = job.now();
    let mut out = "Images space usage:\n\n".to_string();
    let mut table = Table::new(&[
        "REPOSITORY",
        "TAG",
        "IMAGE ID",
        "CREATED",
        "SIZE",
        "SHARED SIZE",
        "UNIQUE SIZE",
        "CONTAINERS",
    ]);
    for usage in daemon.image_usage().images {
        let image = &usage.image;
        let mut names = names(daemon, image.id());
        if names.is_empty() {
            names.push((NONE.into(), NONE.into()));
        }
        for (repository, tag) in names {
            table.row([
                repository,
                tag,
                image.id().short(),
                units::ago(now, image.created),
                units::size(usage.size),
                units::total(usage.shared),
                units::total(usage.size - usage.shared),
                usage.containers.to_string(),
            ]);
        }
    }
    out += &table.text();
    out += "\nContainers space usage:\n\n";
    let mut table = Table::new(&[
        "CONTAINER ID",
        "IMAGE",
        "COMMAND",
        "LOCAL VOLUMES",
        "SIZE",
        "CREATED",
        "STATUS",
        "NAMES",
    ]);
    for container in daemon.containers() {
        table.row([
            container.id.get(..12).unwrap_or_default().to_string(),
            image_of(job, container),
            command_of(container, false),
            container.mounts.len().to_string(),
            units::size(container.size()),
            units::ago(now, container.created),
            status_of(job, container),
            container.name.clone(),
        ]);
    }
    out += &table.text();
    out += "\nLocal Volumes space usage:\n\n";
    let mut table = Table::new(&["VOLUME NAME", "LINKS", "SIZE"]);
    for volume in daemon.volumes() {
        let links = daemon.users_of(&volume.name).len();
        let size = units::total(volume.size());
        table.row([volume.name.clone(), links.to_string(), size]);
    }
    out += &table.text();
    out += "\nBuild cache usage: 0B\n\n";
    let columns = [
        "CACHE ID",
        "CACHE TYPE",
        "SIZE",
        "CREATED",
        "LAST USED",
        "USAGE",
        "SHARED",
    ];
    out += &Table::new(&columns).text();
    job.out += &out;
}
