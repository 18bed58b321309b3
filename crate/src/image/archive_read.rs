//! Reading image archives: what `docker save` writes (also in its form of before 2024) and tars of
//! OCI image layouts.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::manifest::REWRITTEN;
use super::{
    Descriptor, Digest, Image, ImageError, Index, Layer, Manifest, TarError, TarNode, media_type,
    read_tar,
};
use crate::fs::{Content, Fs, Kind, apply, join, parent};

/// The most indexes that stand in one another.
const MAX_NESTING: usize = 4;

/// An image that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the archive calls it (`app:latest`), perhaps nothing.
    pub names: Vec<String>,
    /// The image.
    pub image: Image,
}

/// Why an archive gives no images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveError {
    /// It is no archive that can be read, or a layer in it is not.
    Tar {
        /// The file in it; empty for the archive itself.
        path: String,
        /// Why.
        error: TarError,
    },
    /// It holds neither an OCI image layout nor what `docker save` writes.
    NoImages,
    /// A file that it speaks of is missing.
    Missing(String),
    /// A file in it does not parse.
    Json {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// A blob is not what it is named after.
    Digest {
        /// The digest that names it.
        named: Digest,
        /// The digest that it has.
        found: Digest,
    },
    /// A config and layers make no image.
    Image(ImageError),
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArchiveError::Tar { path, error } if path.is_empty() => error.fmt(f),
            ArchiveError::Tar { path, error } => write!(f, "{path}: {error}"),
            ArchiveError::NoImages => f.write_str(
                "the archive holds no image: it has neither `index.json` nor `manifest.json`",
            ),
            ArchiveError::Missing(path) => write!(f, "`{path}` is missing in the archive"),
            ArchiveError::Json { path, why } => write!(f, "{path}: {why}"),
            ArchiveError::Digest { named, found } => {
                write!(f, "blob {named} has another digest: {found}")
            }
            ArchiveError::Image(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ArchiveError {}

/// Reads all images of an archive, in its order. Every digest that the archive names is checked;
/// what is not an image (an attestation) is passed over.
///
/// # Errors
/// What [`ArchiveError`] says; then nothing is read.
pub fn read_archive(bytes: &[u8]) -> Result<Vec<Loaded>, ArchiveError> {
    let files = Files::read(bytes)?;
    // The index comes first: it leads to the manifests, which the other list does not.
    if files.holds("index.json") {
        let index: Index = files.json("index.json")?;
        let mut out = Vec::new();
        files.index(&index, MAX_NESTING, &mut out)?;
        Ok(out)
    } else if files.holds("manifest.json") {
        files.saved()
    } else {
        Err(ArchiveError::NoImages)
    }
}

/// An item of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// The regular files of an archive. (A layer may be a symbolic link to another image's.)
struct Files {
    files: BTreeMap<String, Content>,
    links: BTreeMap<String, String>,
}

impl Files {
    fn read(bytes: &[u8]) -> Result<Files, ArchiveError> {
        let entries = read_tar(bytes).map_err(|error| ArchiveError::Tar {
            path: String::new(),
            error,
        })?;
        let mut files = BTreeMap::new();
        let mut links = BTreeMap::new();
        for entry in entries {
            match entry.node {
                TarNode::Inode(inode) => match &inode.kind {
                    Kind::File(content) => {
                        files.insert(entry.path, content.clone());
                    }
                    Kind::Symlink(target) => {
                        let target = join(&parent(&entry.path), target);
                        links.insert(entry.path, target[1..].to_string());
                    }
                    _ => {}
                },
                TarNode::HardLink(first) => {
                    links.insert(entry.path, first);
                }
            }
        }
        Ok(Files { files, links })
    }

    fn holds(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The bytes of a file; one link is followed.
    fn bytes(&self, path: &str) -> Result<&[u8], ArchiveError> {
        let real = self.links.get(path).map_or(path, String::as_str);
        self.files
            .get(real)
            .map(Content::bytes)
            .ok_or_else(|| ArchiveError::Missing(path.to_string()))
    }

    fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ArchiveError> {
        parse(path, self.bytes(path)?)
    }

    fn blob(&self, named: Digest) -> Result<&[u8], ArchiveError> {
        let bytes = self.bytes(&format!("blobs/sha256/{}", named.hex()))?;
        let found = Digest::of(bytes);
        if found == named {
            Ok(bytes)
        } else {
            Err(ArchiveError::Digest { named, found })
        }
    }

    fn index(
        &self,
        index: &Index,
        nesting: usize,
        out: &mut Vec<Loaded>,
    ) -> Result<(), ArchiveError> {
        for descriptor in &index.manifests {
            let path = descriptor.digest.to_string();
            let attests = descriptor
                .annotations
                .contains_key("vnd.docker.reference.type");
            if attests {
                continue;
            }
            let blob = self.blob(descriptor.digest)?;
            if is_index(&descriptor.media_type) {
                if nesting == 0 {
                    let why = format!("indexes stand in one another more than {MAX_NESTING} deep");
                    return Err(ArchiveError::Json { path, why });
                }
                let from = out.len();
                self.index(&parse(&path, blob)?, nesting - 1, out)?;
                for loaded in &mut out[from..] {
                    loaded.names.extend(name(descriptor));
                }
            } else {
                let manifest: Manifest = parse(&path, blob)?;
                out.push(Loaded {
                    names: name(descriptor).into_iter().collect(),
                    image: self.image(&manifest)?,
                });
            }
        }
        Ok(())
    }

    fn image(&self, manifest: &Manifest) -> Result<Image, ArchiveError> {
        let config = self.blob(manifest.config.digest)?;
        let mut stack = Stack::default();
        for descriptor in manifest.layers.iter().flatten() {
            let blob = self.blob(descriptor.digest)?;
            let layer = stack.push(&descriptor.digest.to_string(), blob)?;
            layer.rewritten = descriptor
                .annotations
                .get(REWRITTEN)
                .and_then(|time| time.parse().ok());
        }
        Image::with_config_json(config, stack.layers).map_err(ArchiveError::Image)
    }

    fn saved(&self) -> Result<Vec<Loaded>, ArchiveError> {
        let list: Vec<Saved> = self.json("manifest.json")?;
        let mut out = Vec::with_capacity(list.len());
        for saved in list {
            let config = self.bytes(&saved.config)?;
            let mut stack = Stack::default();
            for path in saved.layers.unwrap_or_default() {
                stack.push(&path, self.bytes(&path)?)?;
            }
            out.push(Loaded {
                names: saved.repo_tags.unwrap_or_default(),
                image: Image::with_config_json(config, stack.layers)
                    .map_err(ArchiveError::Image)?,
            });
        }
        Ok(out)
    }
}

/// Layers and the tree that they make so far.
#[derive(Default)]
struct Stack {
    layers: Vec<Layer>,
    fs: Fs,
}

impl Stack {
    fn push(&mut self, path: &str, bytes: &[u8]) -> Result<&mut Layer, ArchiveError> {
        let layer = Layer::read(bytes, &self.fs).map_err(|error| ArchiveError::Tar {
            path: path.to_string(),
            error,
        })?;
        self.fs = apply(&self.fs, &layer.changes).map_err(|errno| {
            let diff_id = layer.diff_id;
            ArchiveError::Image(ImageError::Apply { diff_id, errno })
        })?;
        self.layers.push(layer);
        Ok(self
            .layers
            .last_mut()
            .expect("a layer has just been put there"))
    }
}

fn is_index(kind: &str) -> bool {
    const DOCKER: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    kind == media_type::INDEX || kind == DOCKER
}

/// What an index calls an image: the whole name where containerd has written it down, without
/// what stands for Docker's own registry.
fn name(descriptor: &Descriptor) -> Option<String> {
    let name = descriptor.annotations.get("io.containerd.image.name")?;
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    Some(name.strip_prefix("library/").unwrap_or(name).to_string())
}

fn parse<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, ArchiveError> {
    serde_json::from_slice(bytes).map_err(|error| ArchiveError::Json {
        path: path.to_string(),
        why: error.to_string(),
    })
}
