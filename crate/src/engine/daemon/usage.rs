//! What takes up space.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Daemon;
use crate::build::classic::Stored;
use crate::image::{Digest, layer_stored_size};

/// An image and the space that it takes up.
#[derive(Clone, Debug)]
pub struct ImageUsage {
    /// The image.
    pub image: Arc<Stored>,
    /// Bytes of all its layers.
    pub size: u64,
    /// Bytes of the layers that another image has as well.
    pub shared: u64,
    /// How many containers were made from it.
    pub containers: usize,
}

/// What takes up space.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// The images that `docker images` lists, the newest first.
    pub images: Vec<ImageUsage>,
    /// Bytes of all layers, each once.
    pub layers: u64,
}

impl Usage {
    /// Bytes that would be free without the images that no container uses.
    pub fn reclaimable(&self) -> u64 {
        let used = self.images.iter().filter(|image| image.containers > 0);
        let used: u64 = used.map(|image| image.size - image.shared).sum();
        self.layers.saturating_sub(used)
    }
}

impl Daemon {
    /// What the images take up.
    pub fn image_usage(&self) -> Usage {
        let listed = |image: &Arc<Stored>| {
            let id = image.id();
            !self.names_of(id).is_empty() || self.children_of(id).next().is_none()
        };
        let layers = |image: &Stored| -> Vec<(Digest, u64)> {
            let sizes = image.image.layers.iter().map(layer_stored_size);
            image.image.chain_ids().into_iter().zip(sizes).collect()
        };
        let mut all: BTreeMap<Digest, u64> = BTreeMap::new();
        let mut users: BTreeMap<Digest, usize> = BTreeMap::new();
        let mut images = self.all_images();
        for image in &images {
            all.extend(layers(image));
        }
        images.retain(listed);
        for image in &images {
            for (layer, _) in layers(image) {
                *users.entry(layer).or_default() += 1;
            }
        }
        let usage = |image: Arc<Stored>| {
            let layers = layers(&image);
            let shared = layers
                .iter()
                .filter(|(layer, _)| users.get(layer) > Some(&1));
            let using = |container: &&super::Container| container.image == Some(image.id());
            ImageUsage {
                size: layers.iter().map(|(_, size)| size).sum(),
                shared: shared.map(|(_, size)| size).sum(),
                containers: self.containers.values().filter(using).count(),
                image,
            }
        };
        Usage {
            images: images.into_iter().map(usage).collect(),
            layers: all.values().sum(),
        }
    }
}
