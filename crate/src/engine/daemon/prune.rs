//! Taking away what nobody needs.

use std::collections::BTreeMap;

use super::{Daemon, Removed};
use crate::image::Digest;

/// What a prune took away.
#[derive(Clone, Debug, Default)]
pub struct Pruned {
    /// IDs of containers, names of volumes.
    pub names: Vec<String>,
    /// Of images.
    pub images: Vec<Removed>,
    /// Bytes that are free now.
    pub reclaimed: u64,
}

impl Daemon {
    /// `docker image prune`: images without a name and without children; with `all` those that no
    /// container uses. `labels` are filters, all of which must hold: `KEY` or `KEY=VALUE`, with
    /// `!` in front where it must not.
    pub fn prune_images(&mut self, all: bool, labels: &[String]) -> Pruned {
        let mut sizes: Vec<(Digest, u64)> = Vec::new();
        for image in self.images.values() {
            let chain = image.image.chain_ids();
            let layers = image
                .image
                .layers
                .iter()
                .map(crate::image::layer_stored_size);
            sizes.extend(chain.into_iter().zip(layers));
        }
        let mut pruned = Pruned::default();
        for image in self.all_images() {
            let id = image.id();
            let names = self.names_of(id);
            let wanted = match names.is_empty() {
                true => self.children_of(id).next().is_none(),
                false => all,
            };
            let config = &image.image.config.config;
            let fits = labels.iter().all(|filter| holds(filter, &config.labels));
            if !wanted || !fits || !self.images.contains_key(&id) {
                continue;
            }
            let targets = match names.is_empty() {
                true => vec![id.hex()],
                false => names.iter().map(|name| name.familiar()).collect(),
            };
            for target in targets {
                // What is in use stays without a word.
                if let Ok(removed) = self.remove_image(&target, false) {
                    pruned.images.extend(removed);
                }
            }
        }
        for removed in &pruned.images {
            let Removed::Deleted(id) = removed else {
                continue;
            };
            let size = sizes.iter().find(|(chain, _)| chain == id);
            pruned.reclaimed += size.map_or(0, |(_, size)| *size);
        }
        pruned
    }

    /// `docker container prune`: what does not run.
    pub fn prune_containers(&mut self) -> Pruned {
        let now = self.clock.now();
        let mut pruned = Pruned::default();
        for container in self.containers() {
            if !container.is_running(now) {
                pruned.names.push(container.id.clone());
                pruned.reclaimed += container.size();
            }
        }
        for id in &pruned.names {
            self.drop_container(id, false);
        }
        pruned
    }

    /// `docker volume prune`: what no container mounts, named or not.
    pub fn prune_volumes(&mut self) -> Pruned {
        let mut pruned = Pruned::default();
        for volume in self.volumes.values() {
            if self.users_of(&volume.name).is_empty() {
                pruned.names.push(volume.name.clone());
                pruned.reclaimed += volume.size();
            }
        }
        for name in &pruned.names {
            self.volumes.remove(name);
        }
        pruned
    }
}

fn holds(filter: &str, labels: &BTreeMap<String, String>) -> bool {
    let (not, filter) = match filter.strip_prefix('!') {
        Some(filter) => (true, filter),
        None => (false, filter),
    };
    let found = match filter.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|known| known == value),
        None => labels.contains_key(filter),
    };
    found != not
}
