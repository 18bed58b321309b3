//! `save`, `load`, `export`, `import`.

use super::copy::archive;
use super::{Command, Done, Flags, Job, Wrong, refused};
use crate::context::Edit;
use crate::dockerfile::reference::Reference;
use crate::fs::{Content, Fs, clean};

pub(super) const COMMANDS: &[Command] = &[
    SAVE,
    Command {
        words: &["image", "save"],
        ..SAVE
    },
    LOAD,
    Command {
        words: &["image", "load"],
        ..LOAD
    },
    EXPORT,
    Command {
        words: &["container", "export"],
        ..EXPORT
    },
    IMPORT,
    Command {
        words: &["image", "import"],
        ..IMPORT
    },
];

const SAVE: Command = Command {
    words: &["save"],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    flags: &[(Some('o'), "output", true)],
    rest_is_literal: false,
    run: save,
};
const LOAD: Command = Command {
    words: &["load"],
    usage: "[OPTIONS]",
    flags: &[(Some('i'), "input", true), (Some('q'), "quiet", false)],
    rest_is_literal: false,
    run: load,
};
const EXPORT: Command = Command {
    words: &["export"],
    usage: "[OPTIONS] CONTAINER",
    flags: &[(Some('o'), "output", true)],
    rest_is_literal: false,
    run: export,
};
const IMPORT: Command = Command {
    words: &["import"],
    usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    flags: &[
        (Some('c'), "change", true),
        (Some('m'), "message", true),
        (None, "platform", true),
    ],
    rest_is_literal: false,
    run: import,
};

/// Puts bytes into a file of the user's, or on standard output.
fn hand_over(job: &mut Job<'_>, path: Option<&str>, bytes: Vec<u8>) -> Done {
    let Some(path) = path else {
        job.raw = bytes;
        return Ok(());
    };
    let edit = Edit::Write {
        path: path.to_string(),
        content: Content::new(bytes),
        mode: Some(0o600),
    };
    let done = job.desktop.files.edit(&edit);
    done.map_err(|error| Wrong::Status(format!("{error}\n"), 1))
}

/// A file of the user's, or standard input.
fn given(job: &Job<'_>, path: Option<&str>) -> Result<Vec<u8>, Wrong> {
    let Some(path) = path.filter(|path| *path != "-") else {
        return Ok(job.stdin.to_vec());
    };
    let files = job.desktop.files.fs();
    let found = files.follow(&clean(path)).ok();
    let content = found.and_then(|(_, ino)| files.inode(ino).file());
    match content {
        Some(content) => Ok(content.bytes().to_vec()),
        None => Err(Wrong::Status(
            format!("open {path}: no such file or directory\n"),
            1,
        )),
    }
}

fn save(job: &mut Job<'_>, flags: &Flags) -> Done {
    flags.first(&SAVE)?;
    let bytes = job.desktop.daemon.save(&flags.args).map_err(refused)?;
    hand_over(job, flags.value("output"), bytes)
}

fn load(job: &mut Job<'_>, flags: &Flags) -> Done {
    let bytes = given(job, flags.value("input"))?;
    if flags.value("input").is_none() && bytes.is_empty() {
        return Err(Wrong::Status(
            "requested load from stdin, but stdin is empty\n".into(),
            1,
        ));
    }
    let loaded = job.desktop.daemon.load_archive(&bytes);
    let loaded = loaded.map_err(|why| Wrong::Status(format!("{why}\n"), 1))?;
    for image in loaded {
        if image.names.is_empty() {
            job.line(format!("Loaded image ID: {}", image.id));
        }
        for (name, before) in image.names {
            if let Some(before) = before.filter(|_| !flags.on("quiet")) {
                job.line(format!(
                    "The image {name} already exists, renaming the old one with ID {before} to \
                     empty string"
                ));
            }
            job.line(format!("Loaded image: {name}"));
        }
    }
    Ok(())
}

fn export(job: &mut Job<'_>, flags: &Flags) -> Done {
    let name = flags.only(&EXPORT)?;
    let container = job.desktop.daemon.find_container(name).map_err(refused)?;
    let fs = container.fs().clone();
    let bytes = archive(&fs, Fs::ROOT, "").map_err(refused)?;
    hand_over(job, flags.value("output"), bytes)
}

fn import(job: &mut Job<'_>, flags: &Flags) -> Done {
    let source = flags.first(&IMPORT)?;
    let bytes = given(job, Some(source))?;
    let tag = flags
        .args
        .get(1)
        .map(|tag| Reference::parse(tag))
        .transpose();
    let tag = tag.map_err(|why| Wrong::Status(format!("{why}\n"), 1))?;
    let changes: Vec<String> = flags.values("change").map(String::from).collect();
    // The client sends the file, so that the engine knows it as its standard input.
    let message = flags.value("message").unwrap_or("Imported from -");
    let daemon = &mut job.desktop.daemon;
    let id = daemon.import(&bytes, &changes, message).map_err(refused)?;
    if let Some(tag) = tag {
        daemon.name(id, &tag);
    }
    job.line(id);
    Ok(())
}
