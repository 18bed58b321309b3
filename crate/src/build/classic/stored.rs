//! An image in the store of an engine.

use crate::fs::{Fs, Time};
use crate::image::{
    Digest, DockerConfig, History, Image, ImageConfig, Layer, RunConfig, Upper, layer_stored_size,
};

/// An image with what the engine knows of its making.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The image.
    pub image: Image,
    /// The configuration of the container that it was made of: what its cache is asked for.
    pub container: RunConfig,
    /// The message of `docker commit` or `docker import`.
    pub comment: String,
    /// When it was made.
    pub created: Time,
}

/// What a new image is to say of itself.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// `MAINTAINER`, or `--author`.
    pub author: String,
    /// `--message`.
    pub comment: String,
    /// How containers of it are run.
    pub config: RunConfig,
    /// The configuration of the container that it is made of.
    pub container: RunConfig,
}

impl Stored {
    /// The image's ID.
    pub fn id(&self) -> Digest {
        self.image.id()
    }

    /// What its files weigh where they are stored, in bytes.
    pub fn size(&self) -> u64 {
        self.image.layers.iter().map(layer_stored_size).sum()
    }

    /// The files of an image, or of `scratch`.
    pub fn files(image: Option<&Stored>) -> Fs {
        image.map_or_else(Fs::empty, |image| image.image.fs())
    }

    /// A child of an image (or of `scratch`), with what is in an upper directory over its files.
    /// Nothing in it makes no layer.
    ///
    /// # Errors
    /// The upper directory makes no layer.
    pub fn child(
        parent: Option<&Stored>,
        upper: &[Upper],
        commit: Commit,
        container_id: &str,
        now: Time,
    ) -> Result<Stored, String> {
        let mut image = match parent {
            Some(parent) => parent.image.clone(),
            None => Image::from_parts(
                ImageConfig::scratch("linux", "amd64", None),
                Vec::new(),
                Vec::new(),
            ),
        };
        let created = now.rfc3339_nanos();
        if !upper.is_empty() {
            let below = image.fs();
            let layer = Layer::of_upper(upper, &below).map_err(|error| error.to_string())?;
            let fs = crate::fs::apply(&below, &layer.changes).map_err(|e| e.to_string())?;
            image.config.rootfs.diff_ids.push(layer.diff_id);
            image.layers.push(layer);
            image.snapshots.push(fs);
        }
        image.config.history.push(History {
            created: Some(created.clone()),
            created_by: commit.container.cmd.join(" "),
            author: commit.author.clone(),
            comment: commit.comment.clone(),
            empty_layer: upper.is_empty(),
        });
        image.config.created = Some(created);
        image.config.author = Some(commit.author).filter(|author| !author.is_empty());
        image.config.config = commit.config;
        image.config_json = DockerConfig {
            image: &image.config,
            comment: &commit.comment,
            container: container_id,
            container_config: &commit.container,
            parent: parent.map(Stored::id),
        }
        .to_json_bytes()
        .into();
        Ok(Stored {
            image,
            container: commit.container,
            comment: commit.comment,
            created: now,
        })
    }
}
