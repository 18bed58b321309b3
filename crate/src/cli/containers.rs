//! Containers: `run`, `create`, `start`, `exec`, `ps`, `diff`, `commit`, `kill`, `stop`, `rm`, `logs`.

use serde_json::json;

use super::build::wrong;
use super::table::Table;
use super::{Command, Done, Flags, Job, Outside, Wrong, refused, template, units};
use crate::build::classic::{Engine, Failure};
use crate::dockerfile::golang::quote;
use crate::dockerfile::reference::Reference;
use crate::engine::daemon::{Asked, Bind, BindKind, Building, Container, Kind, State, Status};
use crate::image::{Digest, RunConfig};
use crate::run::Stream;

const CREATE_FLAGS: &[super::flags::Flag] = &[
    (None, "name", true),
    (None, "rm", false),
    (Some('d'), "detach", false),
    (Some('e'), "env", true),
    (Some('v'), "volume", true),
    (Some('w'), "workdir", true),
    (Some('u'), "user", true),
    (Some('l'), "label", true),
    (None, "entrypoint", true),
    (None, "network", true),
    (Some('i'), "interactive", false),
    (Some('t'), "tty", false),
    (None, "read-only", false),
    (None, "tmpfs", true),
    (None, "mount", true),
    (Some('h'), "hostname", true),
];

pub(super) const COMMANDS: &[Command] = &[
    RUN,
    Command {
        words: &["container", "run"],
        ..RUN
    },
    CREATE,
    Command {
        words: &["container", "create"],
        ..CREATE
    },
    START,
    EXEC,
    PS,
    Command {
        words: &["container", "ls"],
        ..PS
    },
    DIFF,
    COMMIT,
    KILL,
    Command {
        words: &["stop"],
        flags: &[(Some('t'), "time", true)],
        run: stop,
        ..KILL
    },
    RM,
    Command {
        words: &["container", "rm"],
        ..RM
    },
    LOGS,
    WAIT,
    RENAME,
];

const RUN: Command = Command {
    words: &["run"],
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    flags: CREATE_FLAGS,
    rest_is_literal: true,
    run,
};
const CREATE: Command = Command {
    words: &["create"],
    run: create,
    ..RUN
};
const START: Command = Command {
    words: &["start"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    flags: &[(Some('a'), "attach", false)],
    rest_is_literal: false,
    run: start,
};
const EXEC: Command = Command {
    words: &["exec"],
    usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
    flags: &[(Some('i'), "interactive", false), (Some('t'), "tty", false)],
    rest_is_literal: true,
    run: exec,
};
const PS: Command = Command {
    words: &["ps"],
    usage: "[OPTIONS]",
    flags: &[
        (Some('a'), "all", false),
        (Some('q'), "quiet", false),
        (Some('s'), "size", false),
        (None, "no-trunc", false),
        (Some('f'), "filter", true),
        (None, "format", true),
    ],
    rest_is_literal: false,
    run: ps,
};
const DIFF: Command = Command {
    words: &["diff"],
    usage: "CONTAINER",
    flags: &[],
    rest_is_literal: false,
    run: diff,
};
const COMMIT: Command = Command {
    words: &["commit"],
    usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    flags: &[
        (Some('c'), "change", true),
        (Some('m'), "message", true),
        (Some('a'), "author", true),
        (Some('p'), "pause", false),
    ],
    rest_is_literal: false,
    run: commit,
};
const KILL: Command = Command {
    words: &["kill"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    flags: &[(Some('s'), "signal", true)],
    rest_is_literal: false,
    run: kill,
};
const RM: Command = Command {
    words: &["rm"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    flags: &[(Some('f'), "force", false), (Some('v'), "volumes", false)],
    rest_is_literal: false,
    run: rm,
};
const LOGS: Command = Command {
    words: &["logs"],
    usage: "[OPTIONS] CONTAINER",
    flags: &[],
    rest_is_literal: false,
    run: logs,
};

const WAIT: Command = Command {
    words: &["wait"],
    usage: "CONTAINER [CONTAINER...]",
    flags: &[],
    rest_is_literal: false,
    run: wait,
};
const RENAME: Command = Command {
    words: &["rename"],
    usage: "CONTAINER NEW_NAME",
    flags: &[],
    rest_is_literal: false,
    run: rename,
};

/// Makes a container as the flags of `run` and `create` say.
fn make(job: &mut Job<'_>, flags: &Flags, command: &Command) -> Result<String, Wrong> {
    let failed = |why: String| {
        let name = command.words.join(" ");
        Wrong::Status(
            format!(
                "docker: Error response from daemon: {why}\n\nRun 'docker {name} --help' for more \
                 information\n"
            ),
            125,
        )
    };
    let name = flags.first(command)?;
    let desktop = &mut *job.desktop;
    let mut building = Building {
        daemon: &mut desktop.daemon,
        world: &desktop.world,
    };
    let image = match building.image(name, false) {
        Ok(image) => image.id(),
        Err(Failure::Interrupted(interrupt)) => return Err(Wrong::Interrupted(interrupt)),
        Err(Failure::Refused(why) | Failure::Failed { message: why, .. }) => {
            let full = Reference::parse(name).map(|name| name.tagged().familiar());
            let full = full.unwrap_or_else(|_| name.to_string());
            job.err += &format!("Unable to find image '{full}' locally\n");
            return Err(failed(why));
        }
    };
    let text = |flag: &str| flags.value(flag).unwrap_or_default().to_string();
    let mut config = RunConfig {
        user: text("user"),
        working_dir: text("workdir"),
        env: flags.values("env").map(String::from).collect(),
        cmd: flags.args[1..].to_vec(),
        ..RunConfig::default()
    };
    if let Some(entrypoint) = flags.value("entrypoint") {
        config.entrypoint = vec![entrypoint.into()];
    }
    for label in flags.values("label") {
        let (key, value) = label.split_once('=').unwrap_or((label, ""));
        config.labels.insert(key.into(), value.into());
    }
    let mut binds = Vec::new();
    for volume in flags.values("volume") {
        let parts: Vec<&str> = volume.split(':').collect();
        let (name, target, mode) = match parts[..] {
            [target] => (None, target, ""),
            [name, target] => (Some(name.to_string()), target, ""),
            [name, target, mode] => (Some(name.to_string()), target, mode),
            _ => return Err(failed(format!("invalid volume specification: '{volume}'"))),
        };
        binds.push(Bind {
            kind: BindKind::Volume(name),
            target: target.into(),
            read_only: mode == "ro",
        });
    }
    for tmpfs in flags.values("tmpfs") {
        binds.push(Bind {
            kind: BindKind::Tmpfs,
            target: tmpfs.split(':').next().unwrap_or(tmpfs).into(),
            read_only: false,
        });
    }
    for mount in flags.values("mount") {
        binds.push(mount_flag(mount).map_err(failed)?);
    }
    let asked = Asked {
        name: flags.value("name").map(String::from),
        image_name: name.to_string(),
        config,
        binds,
    };
    desktop.daemon.create(Some(image), asked).map_err(failed)
}

/// Reads `type=volume,source=NAME,target=PATH,readonly`.
fn mount_flag(text: &str) -> Result<Bind, String> {
    let (mut kind, mut source, mut target, mut read_only) = ("volume", None, None, false);
    for field in text.split(',') {
        let (key, value) = field.split_once('=').unwrap_or((field, "true"));
        match key {
            "type" => kind = value,
            "source" | "src" => source = Some(value.to_string()),
            "target" | "dst" | "destination" => target = Some(value.to_string()),
            "readonly" | "ro" => read_only = value != "false",
            _ => return Err(format!("unexpected key '{key}' in '{field}'")),
        }
    }
    let kind = match kind {
        "volume" => BindKind::Volume(source),
        "tmpfs" => BindKind::Tmpfs,
        other => return Err(format!("mounts of type {other} are not simulated")),
    };
    let target = target.ok_or("invalid mount config: field Target must not be empty")?;
    Ok(Bind {
        kind,
        target,
        read_only,
    })
}

fn create(job: &mut Job<'_>, flags: &Flags) -> Done {
    let id = make(job, flags, &CREATE)?;
    job.line(id);
    Ok(())
}

fn run(job: &mut Job<'_>, flags: &Flags) -> Done {
    let id = make(job, flags, &RUN)?;
    let desktop = &mut *job.desktop;
    let mut outside = Outside::of(&desktop.world);
    let detached = flags.on("detach");
    let started = match detached {
        true => desktop.daemon.start(&id, &mut outside).map(|_| 0),
        false => desktop.daemon.run_to_end(&id, &mut outside),
    };
    let (out, err) = (outside.out, outside.err);
    let code = match started {
        Ok(code) => code,
        Err(Failure::Failed { message, .. }) => {
            let code = match &message {
                text if text.contains("executable file not found") => 127,
                text if text.contains("no such file or directory") => 127,
                text if text.contains("permission denied") => 126,
                text if text.contains("is a directory") => 126,
                _ => 125,
            };
            return Err(Wrong::Status(
                format!(
                    "docker: Error response from daemon: {message}\n\nRun 'docker run --help' for \
                     more information\n"
                ),
                code,
            ));
        }
        Err(failure) => return Err(wrong(failure)),
    };
    if detached {
        job.line(id);
        return Ok(());
    }
    job.out += &out;
    job.err += &err;
    if flags.on("rm") {
        let _ = job.desktop.daemon.remove_container(&id, true, true);
    }
    exit(code)
}

/// The exit status of a process is that of the command.
fn exit(code: i32) -> Done {
    match code {
        0 => Ok(()),
        code => Err(Wrong::Status(String::new(), code)),
    }
}

fn start(job: &mut Job<'_>, flags: &Flags) -> Done {
    flags.first(&START)?;
    for name in &flags.args {
        let desktop = &mut *job.desktop;
        let id = desktop
            .daemon
            .find_container(name)
            .map_err(refused)?
            .id
            .clone();
        let mut outside = Outside::of(&desktop.world);
        desktop.daemon.start(&id, &mut outside).map_err(wrong)?;
        match flags.on("attach") {
            true => job.out += &outside.out,
            false => job.line(name),
        }
    }
    Ok(())
}

fn exec(job: &mut Job<'_>, flags: &Flags) -> Done {
    let name = flags.first(&EXEC)?;
    let desktop = &mut *job.desktop;
    let container = desktop.daemon.find_container(name).map_err(refused)?;
    let id = container.id.clone();
    if !container.is_running(desktop.daemon.clock.now()) {
        return Err(refused(format!("Container {id} is not running")));
    }
    let mut outside = Outside::of(&desktop.world);
    let ran = desktop
        .daemon
        .process(&id, flags.args[1..].to_vec(), &mut outside);
    let (out, err) = (outside.out, outside.err);
    job.out += &out;
    job.err += &err;
    let (code, _) = ran.map_err(wrong)?;
    exit(code)
}

/// The image of a container as `docker ps` names it: its name, as long as that leads to it.
pub(super) fn image_of(job: &Job<'_>, container: &Container) -> String {
    let id = container.image.map_or(String::new(), |id| id.short());
    match job.desktop.daemon.find_image(&container.image_name) {
        Ok(image)
            if Some(image.id()) == container.image
                && !container.image_name.starts_with("sha256:") =>
        {
            container.image_name.clone()
        }
        _ => id,
    }
}

pub(super) fn command_of(container: &Container, whole: bool) -> String {
    let command = container.command();
    let shown = |(at, word): (usize, &String)| match at > 0 && word.contains(' ') {
        true => format!("'{word}'"),
        false => word.clone(),
    };
    let words: Vec<String> = command.iter().enumerate().map(shown).collect();
    let text = words.join(" ");
    // Quotes as Go's `%q` sets them, but characters that can be seen stay as they are.
    quote(&if whole {
        text
    } else {
        units::ellipsis(&text, 20)
    })
}

pub(super) fn status_of(job: &Job<'_>, container: &Container) -> String {
    let now = job.now();
    match container.status(now) {
        Status::Created => "Created".into(),
        Status::Running(since) => {
            let nanos = now.0.saturating_sub(since.0);
            format!("Up {}", units::duration(nanos))
        }
        Status::Exited { at, code } => format!("Exited ({code}) {}", units::ago(now, at)),
    }
}

fn ps(job: &mut Job<'_>, flags: &Flags) -> Done {
    let whole = flags.on("no-trunc");
    let now = job.now();
    let mut containers = job.desktop.daemon.containers();
    let asks_status = |filter: &str| filter.starts_with("status=") || filter.starts_with("exited=");
    if !flags.on("all") && !flags.values("filter").any(asks_status) {
        containers.retain(|container| container.is_running(now));
    }
    for filter in flags.values("filter") {
        let (key, value) = filter.split_once('=').unwrap_or((filter, ""));
        let known = ["name", "id", "status", "exited", "ancestor", "volume"];
        if !known.contains(&key) {
            return Err(refused(format!("Invalid filter '{key}'")));
        }
        let ancestor = job
            .desktop
            .daemon
            .find_image(value)
            .ok()
            .map(|image| image.id());
        containers.retain(|container| match key {
            "name" => container.name.contains(value),
            "id" => container.id.starts_with(value),
            "ancestor" => ancestor.is_some() && container.image == ancestor,
            "volume" => container
                .mounts
                .iter()
                .any(|m| m.volume == value || m.target == value),
            _ => match container.status(now) {
                Status::Created => value == "created",
                Status::Running(_) => value == "running",
                Status::Exited { code, .. } => value == "exited" || value == code.to_string(),
            },
        });
    }
    let row = |container: &&Container| {
        let id = container
            .id
            .get(..12)
            .filter(|_| !whole)
            .unwrap_or(&container.id);
        let size = format!(
            "{} (virtual {})",
            units::size(container.size()),
            units::size(container.size() + container.image_size)
        );
        [
            id.to_string(),
            image_of(job, container),
            command_of(container, whole),
            units::ago(now, container.created),
            status_of(job, container),
            String::new(),
            container.name.clone(),
            size,
        ]
    };
    let rows: Vec<[String; 8]> = containers.iter().map(row).collect();
    if flags.on("quiet") {
        rows.into_iter().for_each(|[id, ..]| job.line(id));
        return Ok(());
    }
    if let Some(format) = flags.value("format") {
        for [id, image, command, created, status, ports, names, size] in rows {
            let fields = json!({
                "ID": id, "Image": image, "Command": command, "RunningFor": created,
                "Status": status, "Ports": ports, "Names": names, "Size": size,
            });
            let text = template::fill(format, &fields).map_err(refused)?;
            job.line(text);
        }
        return Ok(());
    }
    let columns = [
        "CONTAINER ID",
        "IMAGE",
        "COMMAND",
        "CREATED",
        "STATUS",
        "PORTS",
        "NAMES",
        "SIZE",
    ];
    let shown = if flags.on("size") { 8 } else { 7 };
    let mut table = Table::new(&columns[..shown]);
    for row in rows {
        table.row(row.into_iter().take(shown));
    }
    job.out += &table.text();
    Ok(())
}

fn diff(job: &mut Job<'_>, flags: &Flags) -> Done {
    let name = flags.only(&DIFF)?;
    let container = job.desktop.daemon.find_container(name).map_err(refused)?;
    for change in container.diff() {
        let letter = match change.kind {
            Kind::Added => 'A',
            Kind::Changed => 'C',
            Kind::Deleted => 'D',
        };
        job.line(format!("{letter} {}", change.path));
    }
    Ok(())
}

fn commit(job: &mut Job<'_>, flags: &Flags) -> Done {
    let name = flags.first(&COMMIT)?;
    let tag = flags
        .args
        .get(1)
        .map(|tag| Reference::parse(tag))
        .transpose();
    let tag = tag.map_err(|why| Wrong::Status(format!("{why}\n"), 1))?;
    let changes: Vec<String> = flags.values("change").map(String::from).collect();
    let text = |flag: &str| flags.value(flag).unwrap_or_default();
    let daemon = &mut job.desktop.daemon;
    let id: Digest = daemon
        .commit_changed(name, &changes, text("author"), text("message"))
        .map_err(refused)?;
    if let Some(tag) = tag {
        daemon.name(id, &tag);
    }
    job.line(id);
    Ok(())
}

fn kill(job: &mut Job<'_>, flags: &Flags) -> Done {
    flags.first(&KILL)?;
    job.each(&flags.args, |job, name| {
        job.desktop.daemon.kill(name)?;
        job.line(name);
        Ok(())
    })
}

/// The first process of a container heeds no signal that it does not handle, so the engine waits
/// and then kills it.
fn stop(job: &mut Job<'_>, flags: &Flags) -> Done {
    const GRACE: i64 = 10;
    flags.first(&KILL)?;
    let seconds = flags.value("time").and_then(|time| time.parse().ok());
    let nanos = seconds.unwrap_or(GRACE).saturating_mul(1_000_000_000);
    job.each(&flags.args, |job, name| {
        let daemon = &mut job.desktop.daemon;
        if daemon.find_container(name)?.is_running(daemon.clock.now()) {
            daemon.clock.advance(nanos);
        }
        if daemon.find_container(name)?.is_running(daemon.clock.now()) {
            daemon.kill(name)?;
        }
        job.line(name);
        Ok(())
    })
}

fn rm(job: &mut Job<'_>, flags: &Flags) -> Done {
    flags.first(&RM)?;
    let (force, volumes) = (flags.on("force"), flags.on("volumes"));
    job.each(&flags.args, |job, name| {
        job.desktop.daemon.remove_container(name, force, volumes)?;
        job.line(name);
        Ok(())
    })
}

fn logs(job: &mut Job<'_>, flags: &Flags) -> Done {
    let name = flags.only(&LOGS)?;
    let container = job.desktop.daemon.find_container(name).map_err(refused)?;
    if container.state == State::Created {
        return Ok(());
    }
    for line in container.log.clone() {
        match line.stream {
            Stream::Stdout => job.line(line.text),
            Stream::Stderr => job.err += &format!("{}\n", line.text),
        }
    }
    Ok(())
}

fn wait(job: &mut Job<'_>, flags: &Flags) -> Done {
    flags.first(&WAIT)?;
    job.each(&flags.args, |job, name| {
        let daemon = &mut job.desktop.daemon;
        let state = daemon.find_container(name)?.state;
        let code = match state {
            State::Created => 0,
            State::Started { until, code, .. } => {
                daemon
                    .clock
                    .advance(until.0.saturating_sub(daemon.clock.now().0));
                code
            }
        };
        job.line(code);
        Ok(())
    })
}

fn rename(job: &mut Job<'_>, flags: &Flags) -> Done {
    let (container, name) = flags.two(&RENAME)?;
    let daemon = &mut job.desktop.daemon;
    daemon.rename_container(container, name).map_err(refused)
}
