//! The image config as Docker's own engine writes it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::config::{Healthcheck, History, ImageConfig, RootFs, RunConfig};
use super::{Digest, go_json};

/// The version that the engine says it is.
const DOCKER_VERSION: &str = "20.10.24";

/// The parts of a config that Docker's engine writes: the keys in order of their names, with the
/// container that the image was made of.
#[derive(Clone, Copy, Debug)]
pub struct DockerConfig<'a> {
    /// What BuildKit would write as well.
    pub image: &'a ImageConfig,
    /// The message of a commit.
    pub comment: &'a str,
    /// The ID of the container; empty where there was none.
    pub container: &'a str,
    /// The configuration of the container.
    pub container_config: &'a RunConfig,
    /// The image that the container was made of.
    pub parent: Option<Digest>,
}

#[derive(Serialize)]
struct Written<'a> {
    architecture: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: &'a str,
    config: Container<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    container: &'a str,
    container_config: Container<'a>,
    created: Option<&'a str>,
    docker_version: &'a str,
    history: &'a [History],
    os: &'a str,
    rootfs: &'a RootFs,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Container<'a> {
    hostname: &'a str,
    domainname: &'a str,
    user: &'a str,
    attach_stdin: bool,
    attach_stdout: bool,
    attach_stderr: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposed_ports: Option<BTreeMap<&'a str, Nothing>>,
    tty: bool,
    open_stdin: bool,
    stdin_once: bool,
    env: Option<&'a [String]>,
    cmd: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthcheck: Option<&'a Healthcheck>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    args_escaped: bool,
    image: String,
    volumes: Option<BTreeMap<&'a str, Nothing>>,
    working_dir: &'a str,
    entrypoint: Option<&'a [String]>,
    on_build: Option<&'a [String]>,
    labels: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    stop_signal: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    shell: &'a [String],
}

#[derive(Serialize)]
struct Nothing {}

impl DockerConfig<'_> {
    /// The bytes of the config blob.
    pub fn to_json_bytes(&self) -> Vec<u8> {
        let image = self.parent.map_or(String::new(), |id| id.to_string());
        let hostname = self.container.get(..12).unwrap_or_default();
        go_json::to_vec(&Written {
            architecture: &self.image.architecture,
            author: self.image.author.as_deref(),
            comment: self.comment,
            config: container(&self.image.config, "", image.clone()),
            container: self.container,
            container_config: container(self.container_config, hostname, image),
            created: self.image.created.as_deref(),
            docker_version: DOCKER_VERSION,
            history: &self.image.history,
            os: &self.image.os,
            rootfs: &self.image.rootfs,
            variant: self.image.variant.as_deref(),
        })
    }
}

fn container<'a>(config: &'a RunConfig, hostname: &'a str, image: String) -> Container<'a> {
    let list = |list: &'a [String]| (!list.is_empty()).then_some(list);
    let set = |set: &'a std::collections::BTreeSet<String>| {
        (!set.is_empty())
            .then(|| crate::order::map(set.iter().map(|key| (key.as_str(), Nothing {}))))
    };
    Container {
        hostname,
        domainname: "",
        user: &config.user,
        attach_stdin: false,
        attach_stdout: false,
        attach_stderr: false,
        exposed_ports: set(&config.exposed_ports),
        tty: false,
        open_stdin: false,
        stdin_once: false,
        env: list(&config.env),
        cmd: list(&config.cmd),
        healthcheck: config.healthcheck.as_ref(),
        args_escaped: config.args_escaped,
        image,
        volumes: set(&config.volumes),
        working_dir: &config.working_dir,
        entrypoint: list(&config.entrypoint),
        on_build: list(&config.on_build),
        labels: (!config.labels.is_empty()).then_some(&config.labels),
        stop_signal: &config.stop_signal,
        shell: &config.shell,
    }
}
