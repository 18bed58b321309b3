//! `docker volume`.

use super::table::Table;
use super::{Command, Done, Flags, Job};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        words: &["volume", "create"],
        usage: "[OPTIONS] [VOLUME]",
        flags: &[(Some('d'), "driver", true), (None, "label", true)],
        rest_is_literal: false,
        run: create,
    },
    Command {
        words: &["volume", "ls"],
        usage: "[OPTIONS]",
        flags: &[(Some('q'), "quiet", false), (Some('f'), "filter", true)],
        rest_is_literal: false,
        run: list,
    },
    Command {
        words: &["volume", "rm"],
        usage: "[OPTIONS] VOLUME [VOLUME...]",
        flags: &[(Some('f'), "force", false)],
        rest_is_literal: false,
        run: remove,
    },
];

fn create(job: &mut Job<'_>, flags: &Flags) -> Done {
    let name = flags.args.first().map(String::as_str);
    let name = job.desktop.daemon.create_volume(name);
    job.line(name);
    Ok(())
}

fn list(job: &mut Job<'_>, flags: &Flags) -> Done {
    let names: Vec<String> = job
        .desktop
        .daemon
        .volumes()
        .map(|v| v.name.clone())
        .collect();
    if flags.on("quiet") {
        names.into_iter().for_each(|name| job.line(name));
        return Ok(());
    }
    let mut table = Table::new(&["DRIVER", "VOLUME NAME"]);
    names
        .into_iter()
        .for_each(|name| table.row(["local".to_string(), name]));
    job.out += &table.text();
    Ok(())
}

fn remove(job: &mut Job<'_>, flags: &Flags) -> Done {
    job.each(&flags.args, |job, name| {
        job.desktop.daemon.remove_volume(name)?;
        job.line(name);
        Ok(())
    })
}
