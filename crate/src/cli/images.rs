//! Images: `images`, `history`, `tag`, `rmi`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::table::Table;
use super::{Command, Done, Flags, Job, Wrong, refused, template, units};
use crate::build::classic::Stored;
use crate::context::glob;
use crate::dockerfile::reference::Reference;
use crate::engine::daemon::{Daemon, HistoryRow, Removed};
use crate::fs::Time;
use crate::image::Digest;

pub(super) const COMMANDS: &[Command] = &[
    IMAGES,
    IMAGE_LS,
    HISTORY,
    IMAGE_HISTORY,
    TAG,
    IMAGE_TAG,
    RMI,
    IMAGE_RM,
];

const IMAGES: Command = Command {
    words: &["images"],
    usage: "[OPTIONS] [REPOSITORY[:TAG]]",
    flags: &[
        (Some('a'), "all", false),
        (Some('q'), "quiet", false),
        (Some('f'), "filter", true),
        (None, "digests", false),
        (None, "no-trunc", false),
        (None, "format", true),
    ],
    rest_is_literal: false,
    run: images,
};
const IMAGE_LS: Command = Command {
    words: &["image", "ls"],
    ..IMAGES
};
const HISTORY: Command = Command {
    words: &["history"],
    usage: "[OPTIONS] IMAGE",
    flags: &[
        (Some('q'), "quiet", false),
        (Some('H'), "human", false),
        (None, "no-trunc", false),
        (None, "format", true),
    ],
    rest_is_literal: false,
    run: history,
};
const IMAGE_HISTORY: Command = Command {
    words: &["image", "history"],
    ..HISTORY
};
const TAG: Command = Command {
    words: &["tag"],
    usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    flags: &[],
    rest_is_literal: false,
    run: tag,
};
const IMAGE_TAG: Command = Command {
    words: &["image", "tag"],
    ..TAG
};
const RMI: Command = Command {
    words: &["rmi"],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    flags: &[(Some('f'), "force", false), (None, "no-prune", false)],
    rest_is_literal: false,
    run: rmi,
};
const IMAGE_RM: Command = Command {
    words: &["image", "rm"],
    ..RMI
};

pub(super) const NONE: &str = "<none>";

/// A line of `docker images`: an image under one of its names.
struct Listed {
    image: Arc<Stored>,
    repository: String,
    tag: String,
    digest: String,
}

fn images(job: &mut Job<'_>, flags: &Flags) -> Done {
    let rows = list(job, flags)?;
    let now = job.now();
    let whole = flags.on("no-trunc");
    let id = |image: &Stored| match whole {
        true => image.id().to_string(),
        false => image.id().short(),
    };
    if flags.on("quiet") {
        rows.iter().for_each(|row| job.line(id(&row.image)));
        return Ok(());
    }
    if let Some(format) = flags.value("format").filter(|format| *format != "table") {
        for row in &rows {
            let fields = fields(row, &id(&row.image), now);
            let text = template::fill(format, &fields).map_err(refused)?;
            job.line(text);
        }
        return Ok(());
    }
    let digests = flags.on("digests");
    let mut columns = vec!["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"];
    if digests {
        columns.insert(2, "DIGEST");
    }
    let mut table = Table::new(&columns);
    for row in &rows {
        let mut cells = vec![
            row.repository.clone(),
            row.tag.clone(),
            id(&row.image),
            units::ago(now, row.image.created),
            units::size(row.image.size()),
        ];
        if digests {
            cells.insert(2, row.digest.clone());
        }
        table.row(cells);
    }
    job.out += &table.text();
    Ok(())
}

fn fields(row: &Listed, id: &str, now: Time) -> Value {
    json!({
        "ID": id,
        "Repository": row.repository,
        "Tag": row.tag,
        "Digest": row.digest,
        "CreatedSince": units::ago(now, row.image.created),
        "CreatedAt": row.image.created.rfc3339(),
        "Size": units::size(row.image.size()),
    })
}

fn list(job: &Job<'_>, flags: &Flags) -> Result<Vec<Listed>, Wrong> {
    let daemon = &job.desktop.daemon;
    let filters = Filters::read(job, flags)?;
    let mut rows = Vec::new();
    for image in daemon.all_images() {
        let id = image.id();
        if !filters.times(&image) || !filters.labels(&image) {
            continue;
        }
        let all = daemon.names_of(id);
        let names: Vec<&Reference> = all.iter().filter(|name| filters.names(name)).collect();
        if all.is_empty() {
            let top = daemon.children_of(id).next().is_none();
            if (top || flags.on("all")) && filters.dangling != Some(false) && filters.nameless() {
                rows.push(Listed {
                    image,
                    repository: NONE.into(),
                    tag: NONE.into(),
                    digest: NONE.into(),
                });
            }
            continue;
        }
        if filters.dangling == Some(true) {
            continue;
        }
        let tagged = names.iter().filter(|name| name.tag.is_some());
        let mut repositories = Vec::new();
        for name in tagged {
            repositories.push(name.familiar_name());
            rows.push(listed(&image, name, &all));
        }
        // A name by digest shows where its repository has no tag.
        for name in names.iter().filter(|name| name.tag.is_none()) {
            if !repositories.contains(&name.familiar_name()) {
                rows.push(listed(&image, name, &all));
            }
        }
    }
    Ok(rows)
}

fn listed(image: &Arc<Stored>, name: &Reference, all: &[Reference]) -> Listed {
    let repository = name.familiar_name();
    let of_repository = |other: &&Reference| other.familiar_name() == repository;
    let digest = all
        .iter()
        .filter(of_repository)
        .find_map(|n| n.digest.clone());
    Listed {
        image: image.clone(),
        tag: name.tag.clone().unwrap_or_else(|| NONE.into()),
        digest: digest.unwrap_or_else(|| NONE.into()),
        repository,
    }
}

/// Repository and tag of each name of an image.
pub(super) fn names(daemon: &Daemon, id: Digest) -> Vec<(String, String)> {
    let names = daemon.names_of(id);
    let tagged = names.iter().filter_map(|name| {
        let tag = name.tag.clone()?;
        Some((name.familiar_name(), tag))
    });
    tagged.collect()
}

#[derive(Default)]
struct Filters {
    patterns: Vec<String>,
    dangling: Option<bool>,
    before: Option<Time>,
    since: Option<Time>,
    labels: Vec<String>,
}

impl Filters {
    fn read(job: &Job<'_>, flags: &Flags) -> Result<Filters, Wrong> {
        let mut filters = Filters::default();
        let created = |name: &str| {
            let image = job.desktop.daemon.find_image(name).map_err(refused)?;
            Ok::<_, Wrong>(Some(image.created))
        };
        filters.patterns.extend(flags.args.first().cloned());
        for filter in flags.values("filter") {
            let (key, value) = filter.split_once('=').unwrap_or((filter, ""));
            match key {
                "reference" => filters.patterns.push(value.into()),
                "dangling" => filters.dangling = Some(matches!(value, "true" | "1")),
                "before" => filters.before = created(value)?,
                "since" => filters.since = created(value)?,
                "label" => filters.labels.push(value.into()),
                _ => return Err(refused(format!("Invalid filter '{key}'"))),
            }
        }
        Ok(filters)
    }

    fn times(&self, image: &Stored) -> bool {
        self.before.is_none_or(|time| image.created < time)
            && self.since.is_none_or(|time| image.created > time)
    }

    fn labels(&self, image: &Stored) -> bool {
        let labels = &image.image.config.config.labels;
        self.labels
            .iter()
            .all(|wanted| match wanted.split_once('=') {
                Some((key, value)) => labels.get(key).is_some_and(|known| known == value),
                None => labels.contains_key(wanted),
            })
    }

    fn nameless(&self) -> bool {
        self.patterns.is_empty()
    }

    fn names(&self, name: &Reference) -> bool {
        let (full, bare) = (name.familiar(), name.familiar_name());
        let matches =
            |pattern: &String| glob(pattern, &full) == Ok(true) || glob(pattern, &bare) == Ok(true);
        self.patterns.is_empty() || self.patterns.iter().any(matches)
    }
}

fn history(job: &mut Job<'_>, flags: &Flags) -> Done {
    let daemon = &job.desktop.daemon;
    let image = daemon.find_image(flags.only(&HISTORY)?).map_err(refused)?;
    let rows = daemon.history(&image);
    let whole = flags.on("no-trunc");
    let now = job.now();
    let id = |row: &HistoryRow| match (row.id, whole) {
        (None, _) => "<missing>".to_string(),
        (Some(id), true) => id.to_string(),
        (Some(id), false) => id.short(),
    };
    if flags.on("quiet") {
        rows.iter().for_each(|row| job.line(id(row)));
        return Ok(());
    }
    let cells = |row: &HistoryRow| {
        let created = row.created.filter(|time| *time > Time::EPOCH);
        let step = row.created_by.replace('\t', " ");
        [
            id(row),
            created.map_or("N/A".into(), |time| units::ago(now, time)),
            if whole {
                step
            } else {
                units::ellipsis(&step, 45)
            },
            match flags.off("human") {
                true => row.size.to_string(),
                false => units::size(row.size),
            },
            row.comment.clone(),
        ]
    };
    let columns = ["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"];
    if let Some(format) = flags.value("format").filter(|format| *format != "table") {
        for row in &rows {
            let [id, created, step, size, comment] = cells(row);
            let fields = json!({
                "ID": id, "CreatedSince": created, "CreatedBy": step, "Size": size,
                "Comment": comment,
            });
            let text = template::fill(format, &fields).map_err(refused)?;
            job.line(text);
        }
        return Ok(());
    }
    let mut table = Table::new(&columns);
    rows.iter().for_each(|row| table.row(cells(row)));
    job.out += &table.text();
    Ok(())
}

fn tag(job: &mut Job<'_>, flags: &Flags) -> Done {
    let (image, name) = flags.two(&TAG)?;
    let reference = Reference::parse(name).map_err(|why| {
        let what = format!("{name:?} is not a valid repository/tag");
        Wrong::Status(format!("Error parsing reference: {what}: {why}\n"), 1)
    })?;
    job.desktop.daemon.tag(image, &reference).map_err(refused)
}

fn rmi(job: &mut Job<'_>, flags: &Flags) -> Done {
    flags.first(&RMI)?;
    let force = flags.on("force");
    job.each(&flags.args, |job, name| {
        for removed in job.desktop.daemon.remove_image(name, force)? {
            match removed {
                Removed::Untagged(name) => job.line(format!("Untagged: {name}")),
                Removed::Deleted(id) => job.line(format!("Deleted: {id}")),
            }
        }
        Ok(())
    })
}
