//! `docker inspect`.

use serde_json::{Value, json};

use super::{Command, Done, Flags, Job, Wrong, refused, template};
use crate::build::classic::Stored;
use crate::engine::daemon::{Container, Daemon, Status};

pub(super) const COMMANDS: &[Command] = &[INSPECT, IMAGE_INSPECT, CONTAINER_INSPECT];

const INSPECT: Command = Command {
    words: &["inspect"],
    usage: "[OPTIONS] NAME|ID [NAME|ID...]",
    flags: &[
        (Some('f'), "format", true),
        (Some('s'), "size", false),
        (None, "type", true),
    ],
    rest_is_literal: false,
    run: inspect,
};
const IMAGE_INSPECT: Command = Command {
    words: &["image", "inspect"],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    run: inspect_images,
    ..INSPECT
};
const CONTAINER_INSPECT: Command = Command {
    words: &["container", "inspect"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    run: inspect_containers,
    ..INSPECT
};

fn inspect(job: &mut Job<'_>, flags: &Flags) -> Done {
    let only = flags.value("type").unwrap_or_default().to_string();
    show(job, flags, &INSPECT, |daemon, name| {
        let container = daemon.find_container(name).ok().filter(|_| only != "image");
        if let Some(found) = container {
            return Ok(container_json(daemon, found));
        }
        match daemon.find_image(name) {
            Ok(image) if only != "container" => Ok(image_json(daemon, &image)),
            _ if only.is_empty() => Err(format!("Error: No such object: {name}")),
            _ => Err(format!("Error: No such {only}: {name}")),
        }
    })
}

fn inspect_images(job: &mut Job<'_>, flags: &Flags) -> Done {
    show(job, flags, &IMAGE_INSPECT, |daemon, name| {
        let image = daemon.find_image(name);
        let image = image.map_err(|why| format!("Error response from daemon: {why}"))?;
        Ok(image_json(daemon, &image))
    })
}

fn inspect_containers(job: &mut Job<'_>, flags: &Flags) -> Done {
    show(job, flags, &CONTAINER_INSPECT, |daemon, name| {
        let container = daemon.find_container(name);
        let container = container.map_err(|why| format!("Error response from daemon: {why}"))?;
        Ok(container_json(daemon, container))
    })
}

/// Prints what is found of each name, and ends with 1 if something is not.
fn show(
    job: &mut Job<'_>,
    flags: &Flags,
    command: &Command,
    find: impl Fn(&Daemon, &str) -> Result<Value, String>,
) -> Done {
    flags.first(command)?;
    let (mut found, mut missing) = (Vec::new(), String::new());
    for name in &flags.args {
        match find(&job.desktop.daemon, name) {
            Ok(value) => found.push(value),
            Err(why) => missing += &format!("{why}\n"),
        }
    }
    match flags.value("format") {
        Some(format) => {
            for value in &found {
                let text = template::fill(format, value).map_err(refused)?;
                job.line(text);
            }
        }
        None => {
            let text = serde_json::to_string_pretty(&Value::Array(found)).unwrap_or_default();
            job.line(text.replace("  ", "    "));
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Wrong::Status(missing, 1))
    }
}

fn image_json(daemon: &Daemon, image: &Stored) -> Value {
    let names = daemon.names_of(image.id());
    let tags: Vec<String> = names
        .iter()
        .filter(|name| name.tag.is_some())
        .map(|name| name.familiar())
        .collect();
    let digests: Vec<String> = names
        .iter()
        .filter(|name| name.digest.is_some())
        .map(|name| name.familiar())
        .collect();
    let config: Value = serde_json::from_slice(&image.image.config_json).unwrap_or(Value::Null);
    let parent = daemon.parent_of(image.id());
    json!({
        "Id": image.id(),
        "RepoTags": tags,
        "RepoDigests": digests,
        "Parent": parent.map_or(String::new(), |parent| parent.to_string()),
        "Comment": image.comment,
        "Created": image.created.rfc3339_nanos(),
        "Container": config["container"].as_str().unwrap_or_default(),
        "ContainerConfig": config["container_config"],
        "DockerVersion": config["docker_version"].as_str().unwrap_or_default(),
        "Author": image.image.config.author.clone().unwrap_or_default(),
        "Config": config["config"],
        "Architecture": image.image.config.architecture,
        "Os": image.image.config.os,
        "Size": image.size(),
        "VirtualSize": image.size(),
        "RootFS": {"Type": "layers", "Layers": image.image.config.rootfs.diff_ids},
    })
}

fn container_json(daemon: &Daemon, container: &Container) -> Value {
    let (status, code) = match container.status(daemon.clock.now()) {
        Status::Created => ("created", 0),
        Status::Running(_) => ("running", 0),
        Status::Exited { code, .. } => ("exited", code),
    };
    let command = container.command();
    let (path, args) = command
        .split_first()
        .map_or(("", &[][..]), |(a, b)| (a.as_str(), b));
    json!({
        "Id": container.id,
        "Created": container.created.rfc3339_nanos(),
        "Path": path,
        "Args": args,
        "State": {"Status": status, "Running": status == "running", "ExitCode": code},
        "Image": container.image.map_or(String::new(), |id| id.to_string()),
        "Name": format!("/{}", container.name),
        "Config": container.config,
        "Mounts": container.mounts.iter().map(|mount| json!({
            "Type": "volume", "Name": mount.volume, "Destination": mount.target,
            "RW": !mount.read_only,
        })).collect::<Vec<Value>>(),
    })
}
