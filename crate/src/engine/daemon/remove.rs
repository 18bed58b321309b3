//! Removing images: names first, then the image, its layers, and the nameless images below it.
//!
//! Source: moby `daemon/images` (`ImageDelete`).

use super::Daemon;
use crate::dockerfile::reference::Reference;
use crate::image::{Digest, chain_ids};

/// What was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// A name.
    Untagged(String),
    /// An image by its ID, or a layer by its chain ID.
    Deleted(Digest),
}

/// What keeps an image from being removed.
struct Conflict {
    /// Not even force helps.
    hard: bool,
    message: String,
    /// It is a container.
    used: bool,
}

/// Which conflicts count.
#[derive(Clone, Copy)]
struct Heed {
    /// Containers that do not run.
    stopped: bool,
    /// Names.
    names: bool,
}

impl Daemon {
    /// Removes an image by name or ID.
    ///
    /// # Errors
    /// There is none, or something is in the way: the engine's text.
    pub fn remove_image(&mut self, name: &str, force: bool) -> Result<Vec<Removed>, String> {
        let id = self.find_image(name)?.id();
        let mut removed = Vec::new();
        let mut quiet = false;
        if self.is_id_of(id, name) && !self.names.contains_key(&parsed(name)) {
            if single_repository(&self.names_of(id)) {
                let heed = Heed {
                    stopped: !force,
                    names: false,
                };
                if let Some(conflict) = self.conflict(id, heed) {
                    return Err(refusal(id, &conflict));
                }
                self.untag_all(id, &mut removed);
            }
        } else {
            if !force && single_repository(&self.names_of(id)) {
                let mut using = self.containers.values().filter(|c| c.image == Some(id));
                if let Some(container) = using.next() {
                    let short = container.id.get(..12).unwrap_or_default();
                    return Err(format!(
                        "conflict: unable to remove repository reference \"{name}\" (must force) \
                         - container {short} is using its referenced image {}",
                        id.short()
                    ));
                }
            }
            let reference = parsed(name);
            self.names.remove(&reference);
            removed.push(Removed::Untagged(reference.familiar()));
            if reference.digest.is_none() {
                self.untag_digests(id, &reference, &mut removed);
            }
            if !self.names_of(id).is_empty() {
                return Ok(removed);
            }
            quiet = true;
        }
        match self.delete(id, force, quiet, &mut removed) {
            Ok(()) => Ok(removed),
            Err(why) => Err(why),
        }
    }

    /// Names by digest go with the last tag of their repository.
    fn untag_digests(&mut self, id: Digest, gone: &Reference, removed: &mut Vec<Removed>) {
        let same = |name: &&Reference| (&name.domain, &name.path) == (&gone.domain, &gone.path);
        let names = self.names_of(id);
        let left: Vec<&Reference> = names.iter().filter(same).collect();
        if left.iter().all(|name| name.digest.is_some()) {
            for name in left {
                self.names.remove(name);
                removed.push(Removed::Untagged(name.familiar()));
            }
        }
    }

    fn untag_all(&mut self, id: Digest, removed: &mut Vec<Removed>) {
        for name in self.names_of(id) {
            self.names.remove(&name);
            removed.push(Removed::Untagged(name.familiar()));
        }
    }

    fn delete(
        &mut self,
        id: Digest,
        force: bool,
        quiet: bool,
        removed: &mut Vec<Removed>,
    ) -> Result<(), String> {
        let heed = Heed {
            stopped: !force,
            names: !force,
        };
        if let Some(conflict) = self.conflict(id, heed) {
            let dangling = self.names_of(id).is_empty() && self.children_of(id).next().is_none();
            if quiet && (!dangling || conflict.used) {
                return Ok(());
            }
            return Err(refusal(id, &conflict));
        }
        let parent = self.parents.remove(&id);
        self.untag_all(id, removed);
        let Some(image) = self.images.remove(&id) else {
            return Ok(());
        };
        removed.push(Removed::Deleted(id));
        for layer in image.image.chain_ids().iter().rev() {
            if self.layer_users(*layer) > 0 {
                break;
            }
            removed.push(Removed::Deleted(*layer));
        }
        match parent {
            Some(parent) => self.delete(parent, false, true, removed),
            None => Ok(()),
        }
    }

    /// How many images and containers need the layer of a chain ID.
    pub(super) fn layer_users(&self, chain: Digest) -> usize {
        let images = self.images.values().filter(|image| {
            let ids = image.image.layers.iter().map(|layer| layer.diff_id);
            chain_ids(ids).contains(&chain)
        });
        let containers = self
            .containers
            .values()
            .filter(|c| c.chain.contains(&chain));
        images.count() + containers.count()
    }

    /// Whether a layer or a container was laid on the layer of a chain ID.
    pub fn lies_below(&self, chain: Digest) -> bool {
        let above = |chains: &[Digest]| chains.contains(&chain) && chains.last() != Some(&chain);
        let images = || self.images.values().map(|image| image.image.chain_ids());
        images().any(|chains| above(&chains))
            || self.containers.values().any(|c| c.chain.contains(&chain))
    }

    fn conflict(&self, id: Digest, heed: Heed) -> Option<Conflict> {
        let using = |running: bool| {
            let now = self.clock.now();
            let users = self.containers.values().filter(|c| c.image == Some(id));
            let mut users = users.filter(|c| c.is_running(now) == running);
            users.next().map(|c| c.id.get(..12).unwrap_or_default())
        };
        let conflict = |hard, message: String, used| {
            Some(Conflict {
                hard,
                message,
                used,
            })
        };
        if self.children_of(id).next().is_some() {
            return conflict(true, "image has dependent child images".into(), false);
        }
        if let Some(container) = using(true) {
            let message = format!("image is being used by running container {container}");
            return conflict(true, message, true);
        }
        if heed.names && !self.names_of(id).is_empty() {
            let message = "image is referenced in multiple repositories";
            return conflict(false, message.into(), false);
        }
        if heed.stopped
            && let Some(container) = using(false)
        {
            let message = format!("image is being used by stopped container {container}");
            return conflict(false, message, true);
        }
        None
    }
}

fn parsed(name: &str) -> Reference {
    Reference::parse(name).map_or_else(
        |_| Reference {
            domain: String::new(),
            path: name.to_string(),
            tag: None,
            digest: None,
        },
        Reference::tagged,
    )
}

/// At most one tag, and nothing of another repository.
fn single_repository(names: &[Reference]) -> bool {
    let tags = names.iter().filter(|name| name.digest.is_none()).count();
    let place = |name: &Reference| (name.domain.clone(), name.path.clone());
    tags <= 1
        && names
            .windows(2)
            .all(|pair| place(&pair[0]) == place(&pair[1]))
}

fn refusal(id: Digest, conflict: &Conflict) -> String {
    let force = if conflict.hard {
        "cannot be forced"
    } else {
        "must be forced"
    };
    let message = &conflict.message;
    format!(
        "conflict: unable to delete {} ({force}) - {message}",
        id.short()
    )
}
