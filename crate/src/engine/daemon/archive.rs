//! Images and containers as files: save, load, export, import.

use super::Daemon;
use crate::build::classic::{Stored, change_config};
use crate::dockerfile::reference::Reference;
use crate::fs::Fs;
use crate::image::{
    ArchiveError, Digest, DockerConfig, History, Image, ImageConfig, Layer, RunConfig,
    read_archive, write_docker_archive,
};

/// The length of a tar header.
const TAR_BLOCK: usize = 512;

/// An image that was loaded.
#[derive(Clone, Debug)]
pub struct LoadedImage {
    /// Its ID.
    pub id: Digest,
    /// Its names, each with the image that had it before.
    pub names: Vec<(String, Option<Digest>)>,
}

impl Daemon {
    /// Images as one archive. A repository without a tag brings all its tags, an ID no name.
    ///
    /// # Errors
    /// There is no such image; its bytes are not held.
    pub fn save(&self, names: &[String]) -> Result<Vec<u8>, String> {
        let mut images: Vec<(&Image, Vec<String>)> = Vec::new();
        for name in names {
            for (id, name) in self.named(name)? {
                let Some(image) = self.images.get(&id).map(|stored| &stored.image) else {
                    continue;
                };
                let at = match images.iter().position(|(known, _)| known.id() == id) {
                    Some(at) => at,
                    None => {
                        images.push((image, Vec::new()));
                        images.len() - 1
                    }
                };
                images[at].1.extend(name);
            }
        }
        for (_, names) in &mut images {
            crate::order::sort(names);
            names.dedup();
        }
        write_docker_archive(&images).map_err(|error| error.to_string())
    }

    /// The images that a name stands for in an archive, with the names that they have there.
    fn named(&self, name: &str) -> Result<Vec<(Digest, Option<String>)>, String> {
        let by_id = || {
            let id = self.look_up(name).filter(|id| self.is_id_of(*id, name));
            let id = id.ok_or_else(|| format!("No such image: {name}"))?;
            Ok(vec![(id, None)])
        };
        let Ok(reference) = Reference::parse(name) else {
            return by_id();
        };
        if reference.tag.is_some() || reference.digest.is_some() {
            let id = self
                .names
                .get(&reference)
                .ok_or("reference does not exist")?;
            return Ok(vec![(*id, Some(reference.familiar()))]);
        }
        let place = (&reference.domain, &reference.path);
        let tags = self
            .names
            .iter()
            .filter(|(name, _)| (&name.domain, &name.path) == place && name.tag.is_some());
        let tags: Vec<(Digest, Option<String>)> = tags
            .map(|(name, id)| (*id, Some(name.familiar())))
            .collect();
        match tags.is_empty() {
            true => by_id(),
            false => Ok(tags),
        }
    }

    /// Takes in the images of an archive.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load_archive(&mut self, bytes: &[u8]) -> Result<Vec<LoadedImage>, String> {
        // The engine unpacks in a process of its own and passes on what Go's reader says.
        let images = read_archive(bytes).map_err(|error| match error {
            ArchiveError::Tar { path, .. } if path.is_empty() => {
                let why = match bytes.len() < TAR_BLOCK {
                    true => "unexpected EOF",
                    false => "archive/tar: invalid tar header",
                };
                format!("Error processing tar file(exit status 1): {why}")
            }
            error => error.to_string(),
        })?;
        let mut out = Vec::new();
        for loaded in images {
            let id = self.load(loaded.image, None);
            let mut names = Vec::new();
            for name in loaded.names {
                let reference = Reference::parse(&name)?.tagged();
                let before = self.names.insert(reference.clone(), id);
                names.push((reference.familiar(), before.filter(|other| *other != id)));
            }
            out.push(LoadedImage { id, names });
        }
        Ok(out)
    }

    /// An image of one layer, of the files in a tar.
    ///
    /// # Errors
    /// The tar cannot be read; a change that cannot be made.
    pub fn import(
        &mut self,
        tar: &[u8],
        changes: &[String],
        message: &str,
    ) -> Result<Digest, String> {
        let config = change_config(&RunConfig::default(), changes)?;
        let layer = Layer::read(tar, &Fs::empty()).map_err(|error| error.to_string())?;
        let now = self.clock.tick();
        let created = Some(now.rfc3339_nanos());
        let config = ImageConfig {
            config,
            created: created.clone(),
            history: vec![History {
                created,
                comment: message.into(),
                ..History::default()
            }],
            ..ImageConfig::scratch("linux", "amd64", None)
        };
        let mut image = Image::new(config, vec![layer]).map_err(|error| error.to_string())?;
        image.config_json = DockerConfig {
            image: &image.config,
            comment: message,
            container: "",
            container_config: &RunConfig::default(),
            parent: None,
        }
        .to_json_bytes()
        .into();
        let stored = Stored {
            image,
            container: RunConfig::default(),
            comment: message.into(),
            created: now,
        };
        Ok(self.keep(stored, None))
    }
}
