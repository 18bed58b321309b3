//! An image: config, layers, and the trees that they make.

use std::fmt;
use std::sync::Arc;

use super::{Digest, ImageConfig, Layer, Manifest, chain_ids};
use crate::fs::{Errno, Fs, Ino, Kind, apply, header_digest, node_digest};

/// An image for one platform. A clone shares everything.
#[derive(Clone, Debug)]
pub struct Image {
    /// The config.
    pub config: ImageConfig,
    /// The config blob: the bytes that the image's ID is the digest of. For an image that was read,
    /// as it was read.
    pub config_json: Arc<[u8]>,
    /// The layers, the lowest first.
    pub layers: Vec<Layer>,
    /// The tree after each layer.
    pub snapshots: Vec<Fs>,
}

/// Why layers make no image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// The config is no config.
    Config(String),
    /// The config lists other layers than there are.
    Layers {
        /// The layers that the config lists.
        listed: Vec<Digest>,
        /// The layers that there are.
        found: Vec<Digest>,
    },
    /// A layer cannot be laid over those below it.
    Apply {
        /// The layer.
        diff_id: Digest,
        /// Why.
        errno: Errno,
    },
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageError::Config(why) => write!(f, "the image config cannot be read: {why}"),
            ImageError::Layers { listed, found } => write!(
                f,
                "the image config lists {} layers that are not the {} found",
                listed.len(),
                found.len()
            ),
            ImageError::Apply { diff_id, errno } => {
                write!(f, "layer {diff_id} cannot be unpacked: {errno}")
            }
        }
    }
}

impl std::error::Error for ImageError {}

impl Image {
    /// An image of these layers. The config's list of layers is set to them.
    ///
    /// # Errors
    /// [`ImageError::Apply`].
    pub fn new(config: ImageConfig, layers: Vec<Layer>) -> Result<Image, ImageError> {
        let snapshots = fold(&layers)?;
        Ok(Image::from_parts(config, layers, snapshots))
    }

    /// An image whose trees are known, as a build knows them: one snapshot a layer. The config's
    /// list of layers is set to them.
    pub fn from_parts(mut config: ImageConfig, layers: Vec<Layer>, snapshots: Vec<Fs>) -> Image {
        config.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
        Image {
            config_json: config.to_json_bytes().into(),
            config,
            layers,
            snapshots,
        }
    }

    /// An image with a config blob from elsewhere, which is kept byte for byte.
    ///
    /// # Errors
    /// All of [`ImageError`].
    pub fn with_config_json(json: &[u8], layers: Vec<Layer>) -> Result<Image, ImageError> {
        let config: ImageConfig =
            serde_json::from_slice(json).map_err(|error| ImageError::Config(error.to_string()))?;
        let found: Vec<Digest> = layers.iter().map(|layer| layer.diff_id).collect();
        if config.rootfs.diff_ids != found {
            let listed = config.rootfs.diff_ids;
            return Err(ImageError::Layers { listed, found });
        }
        Ok(Image {
            snapshots: fold(&layers)?,
            config,
            config_json: json.into(),
            layers,
        })
    }

    /// The image's tree: that after its last layer.
    pub fn fs(&self) -> Fs {
        self.snapshots.last().cloned().unwrap_or_default()
    }

    /// The image's ID: the digest of its config.
    pub fn id(&self) -> Digest {
        Digest::of(&self.config_json)
    }

    /// The manifest that names the config and the layers.
    pub fn manifest(&self) -> Manifest {
        Manifest::new(&self.config_json, &self.layers)
    }

    /// The digest of the manifest: what a reference by digest names.
    pub fn manifest_digest(&self) -> Digest {
        Digest::of(&self.manifest().to_json_bytes())
    }

    /// The chain ID of each layer.
    pub fn chain_ids(&self) -> Vec<Digest> {
        chain_ids(self.layers.iter().map(|layer| layer.diff_id))
    }

    /// The sum of the layers' [content sizes](Layer::content_size), in bytes.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.content_size).sum()
    }
}

fn fold(layers: &[Layer]) -> Result<Vec<Fs>, ImageError> {
    let mut snapshots: Vec<Fs> = Vec::with_capacity(layers.len());
    for layer in layers {
        let empty = Fs::empty();
        let below = snapshots.last().unwrap_or(&empty);
        let next = apply(below, &layer.changes).map_err(|errno| ImageError::Apply {
            diff_id: layer.diff_id,
            errno,
        })?;
        snapshots.push(next);
    }
    Ok(snapshots)
}

/// Something about an image that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The config blob does not say what the config says.
    ConfigJson,
    /// A layer's bytes have another digest or length than the layer says.
    Layer {
        /// Position, from 0.
        index: usize,
        /// As recorded.
        recorded: (Digest, u64),
        /// As computed.
        computed: (Digest, u64),
    },
    /// A layer's files weigh other than the layer says, or are modelled where it says they are not.
    LayerSummary {
        /// Position, from 0.
        index: usize,
    },
    /// The tar that a layer keeps as it was read holds other changes than the layer says.
    Changes {
        /// Position, from 0.
        index: usize,
    },
    /// The config lists other layers than the image has.
    LayerList,
    /// There is not one snapshot a layer.
    SnapshotCount {
        /// Layers.
        layers: usize,
        /// Snapshots.
        snapshots: usize,
    },
    /// The history speaks of another number of layers. (An empty history says nothing.)
    History {
        /// Items that made a layer.
        history: usize,
        /// Layers.
        layers: usize,
    },
    /// A layer cannot be laid over those below it.
    Apply {
        /// Position, from 0.
        index: usize,
        /// Why.
        errno: Errno,
    },
    /// The tree after a layer is not that of the layers up to it.
    Tree {
        /// Position, from 0.
        index: usize,
        /// The first path that differs, without a slash in front.
        path: String,
    },
}

/// Recomputes everything that an image claims of itself, and lists what does not hold.
pub fn validate(image: &Image) -> Vec<Problem> {
    let mut problems = Vec::new();
    let parsed: Option<ImageConfig> = serde_json::from_slice(&image.config_json).ok();
    if parsed.as_ref() != Some(&image.config) {
        problems.push(Problem::ConfigJson);
    }
    let ids = image.layers.iter().map(|layer| &layer.diff_id);
    if !ids.eq(&image.config.rootfs.diff_ids) {
        problems.push(Problem::LayerList);
    }
    let history = &image.config.history;
    let made = history.iter().filter(|item| !item.empty_layer).count();
    if !history.is_empty() && made != image.layers.len() {
        problems.push(Problem::History {
            history: made,
            layers: image.layers.len(),
        });
    }
    if image.snapshots.len() != image.layers.len() {
        problems.push(Problem::SnapshotCount {
            layers: image.layers.len(),
            snapshots: image.snapshots.len(),
        });
    }
    let mut below = Fs::empty();
    for (index, layer) in image.layers.iter().enumerate() {
        validate_layer(index, layer, &below, &mut problems);
        match apply(&below, &layer.changes) {
            Ok(tree) => below = tree,
            Err(errno) => {
                problems.push(Problem::Apply { index, errno });
                break;
            }
        }
        if let Some(snapshot) = image.snapshots.get(index)
            && let Some(path) = first_difference(&below, snapshot)
        {
            problems.push(Problem::Tree { index, path });
        }
    }
    problems
}

fn validate_layer(index: usize, layer: &Layer, below: &Fs, problems: &mut Vec<Problem>) {
    let fresh = if layer.declared {
        Layer::declared(layer.diff_id, layer.size, layer.changes.clone())
    } else {
        let clamp = layer.rewritten.map(crate::fs::Time::from_secs);
        Layer::from_changes(layer.changes.clone(), clamp)
    };
    let recorded = (layer.diff_id, layer.size);
    let computed = match &layer.verbatim {
        Some(tar) => (Digest::of(tar), tar.len() as u64),
        None => (fresh.diff_id, fresh.size),
    };
    if recorded != computed {
        problems.push(Problem::Layer {
            index,
            recorded,
            computed,
        });
    }
    if let Some(tar) = &layer.verbatim
        && Layer::read(tar, below).map(|read| written(&read)) != Ok(written(layer))
    {
        problems.push(Problem::Changes { index });
    }
    if (layer.content_size, layer.modelled) != (fresh.content_size, fresh.modelled) {
        problems.push(Problem::LayerSummary { index });
    }
}

/// The digest of a layer's changes as they are written here, whatever tar it keeps.
fn written(layer: &Layer) -> Digest {
    Layer::from_changes(layer.changes.clone(), None).diff_id
}

/// The first path in walk order at which the tree of the layers differs from a snapshot in
/// anything but times and link structure. Sockets and the root's own metadata do not count: no
/// layer holds them.
fn first_difference(layers: &Fs, snapshot: &Fs) -> Option<String> {
    fn compare(a: (&Fs, Ino), b: (&Fs, Ino), path: &str) -> Option<String> {
        if node_digest(a.0, a.1) == node_digest(b.0, b.1) {
            return None;
        }
        let (from_layers, there) = (a.0.inode(a.1), b.0.inode(b.1));
        if matches!(there.kind, Kind::Socket) {
            return None;
        }
        let (Some(x), Some(y)) = (from_layers.dir(), there.dir()) else {
            return Some(path.to_string());
        };
        let is_root = path.is_empty();
        if !is_root && header_digest(from_layers) != header_digest(there) {
            return Some(path.to_string());
        }
        let names = crate::order::set(x.keys().chain(y.keys()));
        names.into_iter().find_map(|name| {
            let path = if is_root {
                name.to_string()
            } else {
                format!("{path}/{name}")
            };
            match (x.get(name), y.get(name)) {
                (Some(x), Some(y)) => compare((a.0, *x), (b.0, *y), &path),
                (None, Some(y)) if matches!(b.0.inode(*y).kind, Kind::Socket) => None,
                _ => Some(path),
            }
        })
    }
    compare((layers, Fs::ROOT), (snapshot, Fs::ROOT), "")
}
