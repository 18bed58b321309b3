//! The cache of the classic builder: children of an image, by the configuration that made them.
//!
//! Source: moby `image/cache`.

use std::sync::Arc;

use super::Daemon;
use crate::build::classic::{Commit, Failure, Stored};
use crate::image::{Digest, RunConfig};

impl Daemon {
    /// The newest child of `parent` whose container had the configuration `config`.
    pub(super) fn cached_child(
        &self,
        parent: Option<Digest>,
        config: &RunConfig,
    ) -> Option<Digest> {
        let mut found: Option<&Arc<Stored>> = None;
        for (id, image) in &self.images {
            if self.parent_of(*id) == parent
                && same_container(&image.container, config)
                && found.is_none_or(|older| older.created < image.created)
            {
                found = Some(image);
            }
        }
        found.map(|image| image.id())
    }

    /// The same, where `sources` say what may be found: their own ancestors, or else the step that
    /// follows `parent` in the history of one of them, which is then the only source left.
    pub(super) fn cached_in_history(
        &mut self,
        parent: Option<Digest>,
        config: &RunConfig,
        sources: &mut Vec<Digest>,
    ) -> Result<Option<Digest>, Failure> {
        let local = self.cached_child(parent, config);
        if let Some(local) = local
            && sources
                .iter()
                .any(|source| self.descends_from(*source, local))
        {
            return Ok(Some(local));
        }
        let below = match parent {
            Some(id) => Some(self.stored_image(id)?),
            None => None,
        };
        let steps = below
            .as_ref()
            .map_or(0, |image| image.image.config.history.len());
        for source in sources.clone() {
            let target = self.stored_image(source)?;
            let history = &target.image.config.history;
            if !begins_with(&target, below.as_deref())
                || history.get(steps).map(|step| &step.created_by) != Some(&config.cmd.join(" "))
            {
                continue;
            }
            if history.len() == steps + 1 {
                if let Some(parent) = parent {
                    self.parents.insert(source, parent);
                }
                return Ok(Some(source));
            }
            let restored = restored(below.as_deref(), &target, steps, config);
            *sources = vec![source];
            return Ok(Some(self.keep(restored, parent)));
        }
        Ok(None)
    }

    fn descends_from(&self, image: Digest, ancestor: Digest) -> bool {
        let mut at = Some(image);
        while let Some(id) = at {
            at = self.parent_of(id);
            if at == Some(ancestor) {
                return true;
            }
        }
        false
    }

    pub(super) fn stored_image(&self, id: Digest) -> Result<Arc<Stored>, Failure> {
        let gone = || Failure::step(format!("unable to find image {id}"));
        self.images.get(&id).cloned().ok_or_else(gone)
    }
}

/// What of two configurations counts: neither the working directory nor the shell, nor ONBUILD.
fn same_container(a: &RunConfig, b: &RunConfig) -> bool {
    a.user == b.user
        && a.cmd == b.cmd
        && a.env == b.env
        && a.labels == b.labels
        && a.exposed_ports == b.exposed_ports
        && a.entrypoint == b.entrypoint
        && a.volumes == b.volumes
}

/// Whether an image's history and layers are those of `parent` and more.
fn begins_with(image: &Stored, parent: Option<&Stored>) -> bool {
    let history = &image.image.config.history;
    let Some(parent) = parent else {
        return !history.is_empty();
    };
    let (below, layers) = (&parent.image.config, &image.image.config.rootfs.diff_ids);
    history.len() > below.history.len()
        && history.starts_with(&below.history)
        && layers.starts_with(&below.rootfs.diff_ids)
}

/// The image that the next step of a source's history must have made.
fn restored(parent: Option<&Stored>, source: &Stored, steps: usize, config: &RunConfig) -> Stored {
    let whole = &source.image;
    let made = |step: &&crate::image::History| !step.empty_layer;
    let layers = whole.config.history[..=steps].iter().filter(made).count();
    let mut image = whole.clone();
    image.layers.truncate(layers);
    image.snapshots.truncate(layers);
    image.config.rootfs.diff_ids.truncate(layers);
    image.config.history.truncate(steps + 1);
    image.config.config = config.clone();
    let commit = Commit::default();
    image.config_json = crate::image::DockerConfig {
        image: &image.config,
        comment: "",
        container: "",
        container_config: &commit.container,
        parent: parent.map(Stored::id),
    }
    .to_json_bytes()
    .into();
    Stored {
        image,
        container: config.clone(),
        comment: String::new(),
        created: source.created,
    }
}
