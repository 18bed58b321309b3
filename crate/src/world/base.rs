//! Base images.

use std::sync::Arc;

use serde::Deserialize;

use crate::image::{History, Image, ImageConfig, Layer, Platform, RunConfig};
use crate::run::Machine;

/// An image that builds start from.
#[derive(Clone, Debug)]
pub struct BaseImage {
    /// The name and tag it was described under: another than asked for where it stands for an
    /// image that the catalog does not list.
    pub name: String,
    /// The image.
    pub image: Image,
    /// What each layer weighs on its way, the lowest first. Empty for a
    /// [published](super::World::publish) image.
    pub transfers: Vec<Transfer>,
    /// What is approximate about it.
    pub note: Option<String>,
}

/// What one layer weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Bytes of the files, unpacked.
    pub bytes: u64,
    /// Bytes of the compressed blob.
    pub compressed: u64,
    /// Whether the bytes are an estimate rather than measured.
    pub estimated: bool,
}

impl Transfer {
    /// Bytes a second that decompressing and unpacking a layer gets through.
    const UNPACK: f64 = 120e6;

    /// The modelled nanoseconds that pulling the layer takes on `machine`.
    pub fn nanos(&self, machine: Machine) -> u64 {
        let seconds = self.compressed as f64 / machine.network
            + machine.cpu * self.bytes as f64 / Transfer::UNPACK;
        crate::run::cost::seconds(seconds)
    }
}

impl BaseImage {
    /// An image from elsewhere.
    pub(super) fn given(name: String, image: Image) -> BaseImage {
        BaseImage {
            name,
            image,
            transfers: Vec::new(),
            note: None,
        }
    }

    /// The modelled nanoseconds that pulling all layers takes on `machine`.
    pub fn pull_nanos(&self, machine: Machine) -> u64 {
        self.transfers
            .iter()
            .map(|layer| layer.nanos(machine))
            .sum()
    }

    /// The same image for `platform`.
    pub(super) fn for_platform(self: &Arc<BaseImage>, platform: &Platform) -> Arc<BaseImage> {
        let config = &self.image.config;
        if (&config.architecture, &config.variant) == (&platform.architecture, &platform.variant) {
            return self.clone();
        }
        let config = ImageConfig {
            architecture: platform.architecture.clone(),
            variant: platform.variant.clone(),
            ..config.clone()
        };
        let Image {
            layers, snapshots, ..
        } = self.image.clone();
        Arc::new(BaseImage {
            image: Image::from_parts(config, layers, snapshots),
            ..BaseImage::clone(self)
        })
    }
}

/// An image as the catalog describes it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Description {
    name: String,
    tags: Vec<String>,
    os: String,
    arch: String,
    layers: Vec<Step>,
    config: RunConfig,
    #[serde(default)]
    note: Option<String>,
}

/// An item of its history; one without an id made no layer.
#[derive(Clone, Debug, Deserialize)]
struct Step {
    created_by: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    compressed: Option<u64>,
    #[serde(default)]
    estimated: bool,
}

impl Description {
    /// The ids of the layers, the lowest first.
    pub fn layer_ids(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|step| step.id.as_deref())
    }
}

/// Puts an image together from its layers, which come in the order of their ids.
pub(super) fn assemble(image: &Description, layers: Vec<Layer>) -> Result<BaseImage, String> {
    let history = image.layers.iter().map(|step| History {
        created_by: step.created_by.clone(),
        empty_layer: step.id.is_none(),
        ..History::default()
    });
    let config = ImageConfig {
        config: image.config.clone(),
        history: history.collect(),
        ..ImageConfig::scratch(&image.os, &image.arch, None)
    };
    let with_id = image.layers.iter().filter(|step| step.id.is_some());
    let transfers = with_id.map(|step| Transfer {
        bytes: step.bytes,
        compressed: step.compressed.unwrap_or(step.bytes),
        estimated: step.estimated,
    });
    let tag = image.tags.first().map_or("latest", String::as_str);
    Ok(BaseImage {
        name: format!("{}:{tag}", image.name),
        transfers: transfers.collect(),
        note: image.note.clone(),
        image: Image::new(config, layers).map_err(|error| error.to_string())?,
    })
}
