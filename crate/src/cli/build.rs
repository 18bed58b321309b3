//! `docker build`.

use super::{Command, Done, Flags, Job, Outside, Wrong, flags, units};
use crate::build::classic::{self, Failure, Options, source};
use crate::context::{Context, Ignore, Patterns};
use crate::dockerfile::golang::{clean_path, join_path};
use crate::dockerfile::reference::Reference;
use crate::engine::daemon::Building;
use crate::fs::{Content, Fs, Ino};

pub(super) const COMMANDS: &[Command] = &[BUILD, IMAGE_BUILD];

const BUILD: Command = Command {
    words: &["build"],
    usage: "[OPTIONS] PATH | URL | -",
    flags: &[
        (Some('t'), "tag", true),
        (Some('f'), "file", true),
        (Some('q'), "quiet", false),
        (None, "build-arg", true),
        (None, "label", true),
        (None, "target", true),
        (None, "no-cache", false),
        (None, "cache-from", true),
        (None, "rm", false),
        (None, "force-rm", false),
        (None, "pull", false),
        (None, "network", true),
        (None, "platform", true),
        (None, "progress", true),
        (None, "iidfile", true),
        (None, "compress", false),
        (Some('m'), "memory", true),
        (None, "shm-size", true),
        (None, "add-host", true),
        (None, "ulimit", true),
    ],
    rest_is_literal: false,
    run: build,
};
const IMAGE_BUILD: Command = Command {
    words: &["image", "build"],
    ..BUILD
};

/// What the client says before anything else.
pub(super) const NOTICE: &str = "\
DEPRECATED: The legacy builder is deprecated and will be removed in a future release.
            Install the buildx component to build images with BuildKit:
            https://docs.docker.com/go/buildx/

";

fn build(job: &mut Job<'_>, flags: &Flags) -> Done {
    job.err += NOTICE;
    let mut tags = Vec::new();
    for tag in flags.values("tag") {
        tags.push(Reference::parse(tag).map_err(|why| {
            let what = format!("invalid argument \"{tag}\" for \"-t, --tag\" flag: {why}");
            flags::wrong(&BUILD, &what)
        })?);
    }
    let path = flags.only(&BUILD)?;
    let (name, text, sent) = match path {
        "-" => from_stdin(job)?,
        path => Directory::find(job, path, flags.value("file"))?.send(job)?,
    };
    let quiet = flags.on("quiet");
    if !quiet {
        let size = units::total(sent.bytes);
        job.line(format!("Sending build context to Docker daemon {size:>8}"));
    }
    let options = options(flags, name);
    let mut out = String::new();
    let desktop = &mut *job.desktop;
    let mut building = Building {
        daemon: &mut desktop.daemon,
        world: &desktop.world,
    };
    let mut outside = Outside::of(&desktop.world);
    let built = classic::build(
        &options,
        &text,
        &sent,
        &mut building,
        &mut outside,
        &mut out,
    );
    if !quiet {
        job.out += &out;
    }
    let id = match built {
        Ok(Some(id)) => id,
        Ok(None) => return Ok(()),
        Err(failure) => return Err(wrong(failure)),
    };
    match quiet {
        true => job.line(id),
        false => job.line(format!("Successfully built {}", id.short())),
    }
    for tag in tags {
        job.desktop.daemon.name(id, &tag);
        if !quiet {
            job.line(format!("Successfully tagged {}", tag.tagged().familiar()));
        }
    }
    Ok(())
}

/// What the client makes of a failure.
pub(super) fn wrong(failure: Failure) -> Wrong {
    match failure {
        Failure::Refused(message) => super::refused(message),
        Failure::Failed { message, code } => Wrong::Status(format!("{message}\n"), code),
        Failure::Interrupted(interrupt) => Wrong::Interrupted(interrupt),
    }
}

fn options(flags: &Flags, dockerfile: String) -> Options {
    let pair = |text: &str| match text.split_once('=') {
        Some((name, value)) => (name.to_string(), Some(value.to_string())),
        None => (text.to_string(), None),
    };
    let labels = flags.values("label").map(pair);
    Options {
        dockerfile,
        target: flags.value("target").unwrap_or_default().into(),
        build_args: crate::order::map(flags.values("build-arg").map(pair)),
        labels: crate::order::map(labels.map(|(key, value)| (key, value.unwrap_or_default()))),
        no_cache: flags.on("no-cache"),
        cache_from: flags.values("cache-from").map(String::from).collect(),
        keep_containers: flags.off("rm"),
        force_remove: flags.on("force-rm"),
    }
}

/// The name of the Dockerfile, its text, and the files.
type Sent = (String, String, source::Sent);

/// A Dockerfile on standard input, without any other file.
fn from_stdin(job: &Job<'_>) -> Result<Sent, Wrong> {
    const NAME: &str = "Dockerfile";
    let fail = |why: String| Wrong::Status(format!("{why}\n"), 1);
    let mut files = Context::new(job.now());
    files
        .write(NAME, Content::new(job.stdin))
        .map_err(|error| fail(error.to_string()))?;
    let sent = source::send(files.fs(), Fs::ROOT, &Patterns::default(), job.now())
        .map_err(|errno| fail(errno.to_string()))?;
    let text = String::from_utf8_lossy(job.stdin).into_owned();
    Ok((NAME.into(), text, sent))
}

/// The directory that is built.
struct Directory {
    ino: Ino,
    path: String,
    /// Below the directory.
    dockerfile: String,
}

impl Directory {
    fn find(job: &Job<'_>, path: &str, file: Option<&str>) -> Result<Directory, Wrong> {
        let unready = |why: String| Wrong::Status(format!("unable to prepare context: {why}\n"), 1);
        let desktop = &*job.desktop;
        let files = desktop.files.fs();
        let inside = path.strip_prefix(&desktop.dir).unwrap_or(path);
        let real = clean_path(&format!("/{inside}"));
        let found = files.follow(&real).ok();
        let found = found.filter(|(_, ino)| files.inode(*ino).is_dir());
        let Some((real, ino)) = found else {
            return Err(unready(format!("path {path:?} not found")));
        };
        let dockerfile = match file {
            Some(file) => {
                let file = file.strip_prefix(&desktop.dir).unwrap_or(file);
                clean_path(&format!("/{file}"))
            }
            None => default_dockerfile(files, &real),
        };
        if files.follow(&dockerfile).is_err() {
            let shown = format!("{}{dockerfile}", desktop.dir);
            return Err(unready(format!(
                "unable to evaluate symlinks in Dockerfile path: lstat {shown}: no such file or \
                 directory"
            )));
        }
        let prefix = format!("{}/", real.trim_end_matches('/'));
        let Some(below) = dockerfile.strip_prefix(&prefix) else {
            let shown = file.unwrap_or(&dockerfile);
            return Err(unready(format!(
                "the Dockerfile ({shown}) must be within the build context"
            )));
        };
        Ok(Directory {
            ino,
            path: real.clone(),
            dockerfile: below.to_string(),
        })
    }

    /// The Dockerfile, and what `.dockerignore` leaves. The Dockerfile and the ignore file always
    /// go with it, and are taken away again once they are read.
    fn send(self, job: &Job<'_>) -> Result<Sent, Wrong> {
        let fail = |why: String| Wrong::Status(format!("{why}\n"), 1);
        let files = job.desktop.files.fs();
        let text = files.read_text(&join_path(&self.path, ".dockerignore"));
        let ignore = match &text {
            Some(text) => Ignore::parse(".dockerignore", text),
            None => Ok(Ignore::default()),
        };
        let ignore = ignore.map_err(|error| fail(error.to_string()))?;
        let mut patterns = ignore.patterns.clone();
        let read = [".dockerignore", self.dockerfile.as_str()];
        let hidden: Vec<&str> = read
            .into_iter()
            .filter(|path| ignore.matcher().matches(path).matched)
            .collect();
        patterns.extend(hidden.iter().map(|path| format!("!{path}")));
        let patterns = Patterns::new(&patterns).map_err(|error| fail(error.to_string()))?;
        let mut sent = source::send(files, self.ino, &patterns, job.now())
            .map_err(|errno| fail(format!("Error building docker context: {errno}")))?;
        let dockerfile = sent.fs.read_text(&self.dockerfile).unwrap_or_default();
        if text.is_some() {
            hidden.into_iter().for_each(|path| sent.forget(path));
        }
        Ok((self.dockerfile, dockerfile, sent))
    }
}

fn default_dockerfile(files: &Fs, dir: &str) -> String {
    let upper = join_path(dir, "Dockerfile");
    let lower = join_path(dir, "dockerfile");
    match files.follow(&upper).is_err() && files.follow(&lower).is_ok() {
        true => lower,
        false => upper,
    }
}
