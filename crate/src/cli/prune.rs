//! `docker … prune`.

use super::{Command, Done, Flags, Job, units};
use crate::engine::daemon::{Pruned, Removed};

const FORCE: super::flags::Flag = (Some('f'), "force", false);
const ALL: super::flags::Flag = (Some('a'), "all", false);

pub(super) const COMMANDS: &[Command] = &[
    Command {
        words: &["image", "prune"],
        usage: "[OPTIONS]",
        flags: &[FORCE, ALL, (None, "filter", true)],
        rest_is_literal: false,
        run: images,
    },
    Command {
        words: &["container", "prune"],
        usage: "[OPTIONS]",
        flags: &[FORCE, (None, "filter", true)],
        rest_is_literal: false,
        run: containers,
    },
    Command {
        words: &["volume", "prune"],
        usage: "[OPTIONS]",
        flags: &[FORCE, ALL, (None, "filter", true)],
        rest_is_literal: false,
        run: volumes,
    },
    Command {
        words: &["system", "prune"],
        usage: "[OPTIONS]",
        flags: &[FORCE, ALL, (None, "volumes", false), (None, "filter", true)],
        rest_is_literal: false,
        run: system,
    },
];

fn images(job: &mut Job<'_>, flags: &Flags) -> Done {
    let (all, labels) = (flags.on("all"), labels(flags));
    let pruned = job.desktop.daemon.prune_images(all, &labels);
    print_images(job, &pruned);
    sum(job, pruned.reclaimed);
    Ok(())
}

/// The filters by label, `label!=` as one with `!` in front.
fn labels(flags: &Flags) -> Vec<String> {
    let filter = |text: &str| {
        let plain = text.strip_prefix("label=").map(String::from);
        plain.or_else(|| Some(format!("!{}", text.strip_prefix("label!=")?)))
    };
    flags.values("filter").filter_map(filter).collect()
}

fn print_images(job: &mut Job<'_>, pruned: &Pruned) {
    if pruned.images.is_empty() {
        return;
    }
    job.line("Deleted Images:");
    for removed in &pruned.images {
        match removed {
            Removed::Untagged(name) => job.line(format!("untagged: {name}")),
            Removed::Deleted(id) => job.line(format!("deleted: {id}")),
        }
    }
    job.line("");
}

fn containers(job: &mut Job<'_>, _: &Flags) -> Done {
    let pruned = job.desktop.daemon.prune_containers();
    print_names(job, "Containers", &pruned);
    sum(job, pruned.reclaimed);
    Ok(())
}

fn volumes(job: &mut Job<'_>, _: &Flags) -> Done {
    let pruned = job.desktop.daemon.prune_volumes();
    print_names(job, "Volumes", &pruned);
    sum(job, pruned.reclaimed);
    Ok(())
}

fn system(job: &mut Job<'_>, flags: &Flags) -> Done {
    let containers = job.desktop.daemon.prune_containers();
    print_names(job, "Containers", &containers);
    let mut reclaimed = containers.reclaimed;
    if flags.on("volumes") {
        let volumes = job.desktop.daemon.prune_volumes();
        print_names(job, "Volumes", &volumes);
        reclaimed += volumes.reclaimed;
    }
    let (all, labels) = (flags.on("all"), labels(flags));
    let images = job.desktop.daemon.prune_images(all, &labels);
    print_images(job, &images);
    sum(job, reclaimed + images.reclaimed);
    Ok(())
}

fn print_names(job: &mut Job<'_>, what: &str, pruned: &Pruned) {
    if pruned.names.is_empty() {
        return;
    }
    job.line(format!("Deleted {what}:"));
    pruned.names.iter().for_each(|name| job.line(name));
    job.line("");
}

fn sum(job: &mut Job<'_>, bytes: u64) {
    job.line(format!("Total reclaimed space: {}", units::total(bytes)));
}
