//! Making images of containers.

use super::Daemon;
use crate::build::classic::{Commit, Stored, change_config};
use crate::image::{Digest, Healthcheck, RunConfig};

impl Daemon {
    /// Makes an image of a container as it is.
    ///
    /// # Errors
    /// There is no such container, or its image is gone.
    pub(super) fn commit_container(&mut self, id: &str, commit: Commit) -> Result<Digest, String> {
        let container = self.find_container(id)?;
        let (image, id, entries) = (container.image, container.id.clone(), container.upper());
        let below = match image {
            Some(image) => Some(self.images.get(&image).cloned().ok_or_else(|| {
                format!("failed to get digest {image}: no such file or directory")
            })?),
            None => None,
        };
        let now = self.clock.tick();
        let made = Stored::child(below.as_deref(), &entries, commit, &id, now)?;
        Ok(self.keep(made, image))
    }

    /// `docker commit`: an image of a container, with changes to its configuration.
    ///
    /// # Errors
    /// There is no such container; a change that cannot be made.
    pub fn commit_changed(
        &mut self,
        name: &str,
        changes: &[String],
        author: &str,
        comment: &str,
    ) -> Result<Digest, String> {
        let container = self.find_container(name)?;
        let (id, old) = (container.id.clone(), container.config.clone());
        let mut config = change_config(&old, changes)?;
        merge(&mut config, &old);
        let commit = Commit {
            author: author.into(),
            comment: comment.into(),
            config,
            container: old,
        };
        self.commit_container(&id, commit)
    }
}

/// Takes over from an image's configuration what one for a container leaves open.
pub(super) fn merge(config: &mut RunConfig, image: &RunConfig) {
    let open = |text: &mut String, of_image: &String| {
        if text.is_empty() {
            text.clone_from(of_image);
        }
    };
    open(&mut config.user, &image.user);
    open(&mut config.working_dir, &image.working_dir);
    open(&mut config.stop_signal, &image.stop_signal);
    config
        .exposed_ports
        .extend(image.exposed_ports.iter().cloned());
    config.volumes.extend(image.volumes.iter().cloned());
    for (key, value) in &image.labels {
        config
            .labels
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
    let key = |pair: &str| pair.split('=').next().map(String::from);
    for pair in &image.env {
        if !config.env.iter().any(|own| key(own) == key(pair)) {
            config.env.push(pair.clone());
        }
    }
    if config.entrypoint.is_empty() {
        if config.cmd.is_empty() {
            config.cmd.clone_from(&image.cmd);
            config.args_escaped |= image.args_escaped;
        }
        config.entrypoint.clone_from(&image.entrypoint);
    }
    let Some(of_image) = &image.healthcheck else {
        return;
    };
    let check = config.healthcheck.get_or_insert_with(Healthcheck::default);
    if check.test.is_empty() {
        check.test.clone_from(&of_image.test);
    }
    for (own, theirs) in [
        (&mut check.interval, of_image.interval),
        (&mut check.timeout, of_image.timeout),
        (&mut check.start_period, of_image.start_period),
        (&mut check.retries, of_image.retries),
    ] {
        if *own == 0 {
            *own = theirs;
        }
    }
}
