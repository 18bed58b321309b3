//! The image config: what `docker inspect` shows and whose digest is the image's ID.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Digest, go_json};

/// An image config as BuildKit writes it: the keys in the order of the fields. Keys that BuildKit
/// does not know (a base image's `container_config`) are dropped, as it drops them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// CPU architecture, by Go's name (`amd64`).
    pub architecture: String,
    /// Who made the image (`MAINTAINER`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// How containers are run.
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: RunConfig,
    /// When the image was made (RFC 3339): null where it has no history.
    #[serde(default)]
    pub created: Option<String>,
    /// One item an instruction. Written as null where there is none.
    #[serde(
        default,
        serialize_with = "empty_is_null",
        deserialize_with = "null_is_default"
    )]
    pub history: Vec<History>,
    /// The build cache that travels in the image, in base64 (`type=inline`).
    #[serde(
        rename = "moby.buildkit.cache.v0",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub inline_cache: Option<String>,
    /// Operating system, by Go's name (`linux`).
    pub os: String,
    /// Features of the operating system that are needed.
    #[serde(
        rename = "os.features",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub os_features: Vec<String>,
    /// Version of the operating system that is needed.
    #[serde(
        rename = "os.version",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub os_version: Option<String>,
    /// The layers.
    pub rootfs: RootFs,
    /// Variant of the architecture (`v8`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// The layers of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The layers' diffIDs, the lowest first. Written as null where there is none.
    #[serde(
        default,
        serialize_with = "empty_is_null",
        deserialize_with = "null_is_default"
    )]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> RootFs {
        RootFs {
            kind: "layers".into(),
            diff_ids: Vec::new(),
        }
    }
}

/// One instruction in an image's history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The instruction.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    /// Who.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// Of the builder.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Whether the instruction made no layer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub empty_layer: bool,
}

/// How containers of an image are run. What is empty is left out of the JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RunConfig {
    /// `USER`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// `EXPOSE`: ports with protocol (`80/tcp`).
    #[serde(skip_serializing_if = "BTreeSet::is_empty", with = "set")]
    pub exposed_ports: BTreeSet<String>,
    /// `ENV`: `NAME=value`, in order of first definition.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub env: Vec<String>,
    /// `ENTRYPOINT`.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub entrypoint: Vec<String>,
    /// `CMD`.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub cmd: Vec<String>,
    /// `VOLUME`: absolute paths.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", with = "set")]
    pub volumes: BTreeSet<String>,
    /// `WORKDIR`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// `LABEL`.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub labels: BTreeMap<String, String>,
    /// `STOPSIGNAL`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    /// Set by `CMD` and `ENTRYPOINT`; it means nothing on Linux.
    #[serde(skip_serializing_if = "is_false")]
    pub args_escaped: bool,
    /// `HEALTHCHECK`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// `ONBUILD`: instructions for images built on this one.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub on_build: Vec<String>,
    /// `SHELL`.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub shell: Vec<String>,
}

/// How a container's health is checked. Durations are in nanoseconds; zero is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// `NONE`, or `CMD` or `CMD-SHELL` and the command.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub test: Vec<String>,
    /// Time between checks.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// Time after which a check has failed.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// Time that the container has to start.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// Time between checks while it starts.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// Failures in a row until it is unhealthy.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: i64,
}

impl ImageConfig {
    /// The config of an image that is built from nothing.
    pub fn scratch(os: &str, architecture: &str, variant: Option<&str>) -> ImageConfig {
        ImageConfig {
            architecture: architecture.into(),
            os: os.into(),
            variant: variant.map(Into::into),
            ..ImageConfig::default()
        }
    }

    /// The bytes of the config blob.
    pub fn to_json_bytes(&self) -> Vec<u8> {
        go_json::to_vec(self)
    }

    /// The digest of the config blob: the image's ID.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_json_bytes())
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

fn empty_is_null<T: Serialize, S: Serializer>(
    list: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if list.is_empty() {
        serializer.serialize_none()
    } else {
        serializer.collect_seq(list)
    }
}

fn null_is_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A set, written as an object with empty values.
mod set {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Nothing {}

    pub fn serialize<S: Serializer>(
        set: &BTreeSet<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(set.len()))?;
        for key in set {
            map.serialize_entry(key, &Nothing {})?;
        }
        map.end()
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<String>, D::Error> {
        let map: Option<BTreeMap<String, Nothing>> = Option::deserialize(deserializer)?;
        Ok(crate::order::set(map.unwrap_or_default().into_keys()))
    }
}
