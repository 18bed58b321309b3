//! What the classic builder asks of the engine.

use std::sync::Arc;

use super::containers::Asked;
use super::{Daemon, images};
use crate::build::classic::{Commit, Engine, Failure, Stored};
use crate::dockerfile::reference::Reference;
use crate::fs::{Clock, Overlay};
use crate::image::{Digest, Platform, RunConfig, upper};
use crate::run::{Host, Interrupt};
use crate::world::{Missing, World};

/// An engine at work on a build, with the world that it fetches images from.
#[derive(Debug)]
pub struct Building<'a> {
    /// The engine.
    pub daemon: &'a mut Daemon,
    /// Where images come from.
    pub world: &'a World,
}

impl Engine for Building<'_> {
    fn image(&mut self, name: &str, local_only: bool) -> Result<Arc<Stored>, Failure> {
        if let Ok(image) = self.daemon.find_image(name) {
            return Ok(image);
        }
        let missing = || Failure::step(images::no_such_image(name));
        let reference = Reference::parse(name).map_err(Failure::step)?.tagged();
        if local_only {
            return Err(missing());
        }
        let platform = Platform {
            architecture: "amd64".into(),
            os: "linux".into(),
            variant: None,
        };
        match self.world.image(&reference, &platform) {
            Ok(base) => {
                let id = self.daemon.load(base.image.clone(), Some(&reference));
                self.daemon.stored_image(id)
            }
            Err(Missing::Needs(parts)) => Err(Interrupt::Needs(parts).into()),
            Err(_) => {
                let repository = reference.familiar_name();
                Err(Failure::step(format!(
                    "pull access denied for {repository}, repository does not exist or may \
                     require 'docker login': denied: requested access to the resource is denied"
                )))
            }
        }
    }

    fn stored(&self, id: Digest) -> Result<Arc<Stored>, Failure> {
        self.daemon.stored_image(id)
    }

    fn cached(
        &mut self,
        parent: Option<Digest>,
        config: &RunConfig,
        sources: &mut Vec<Digest>,
    ) -> Result<Option<Digest>, Failure> {
        if sources.is_empty() {
            return Ok(self.daemon.cached_child(parent, config));
        }
        self.daemon.cached_in_history(parent, config, sources)
    }

    fn create(&mut self, config: &mut RunConfig, image: Option<Digest>) -> Result<String, Failure> {
        let asked = Asked {
            image_name: image.map_or(String::new(), |id| id.to_string()),
            config: config.clone(),
            ..Asked::default()
        };
        let id = self.daemon.create(image, asked).map_err(Failure::step)?;
        if let Some(container) = self.daemon.container(&id) {
            config.clone_from(&container.config);
        }
        Ok(id)
    }

    fn make_workdir(&mut self, container: &str) -> Result<(), Failure> {
        self.daemon.make_workdir(container).map_err(Failure::step)
    }

    fn run(&mut self, container: &str, host: &mut dyn Host) -> Result<i32, Failure> {
        self.daemon.run_to_end(container, host)
    }

    fn commit(&mut self, container: &str, commit: Commit) -> Result<Digest, Failure> {
        self.daemon
            .commit_container(container, commit)
            .map_err(Failure::step)
    }

    fn commit_files(
        &mut self,
        parent: Option<Digest>,
        overlay: &Overlay,
        commit: Commit,
    ) -> Result<Digest, Failure> {
        let below = match parent {
            Some(id) => Some(self.daemon.stored_image(id)?),
            None => None,
        };
        let entries = upper(overlay);
        let now = self.daemon.clock.tick();
        let image =
            Stored::child(below.as_deref(), &entries, commit, "", now).map_err(Failure::step)?;
        Ok(self.daemon.keep(image, parent))
    }

    fn remove(&mut self, container: &str) {
        self.daemon.drop_container(container, true);
    }

    fn clock(&mut self) -> &mut Clock {
        &mut self.daemon.clock
    }
}
