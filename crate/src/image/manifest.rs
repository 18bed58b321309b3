//! Manifests and indexes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, Layer, go_json};

/// The media types of the blobs written here.
pub mod media_type {
    /// An image manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An index of manifests, one a platform.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An image config.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// An uncompressed layer.
    pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
}

/// What a manifest says of a layer whose times a build has set back: the time, in seconds.
pub(super) const REWRITTEN: &str = "buildkit/rewritten-timestamp";

/// Names a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The platform of the image, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

impl Descriptor {
    /// Of a blob.
    pub fn of(media_type: &str, blob: &[u8]) -> Descriptor {
        Descriptor {
            media_type: media_type.into(),
            digest: Digest::of(blob),
            size: blob.len() as u64,
            annotations: BTreeMap::new(),
            platform: None,
        }
    }
}

/// A platform that an image runs on, by Go's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// CPU architecture (`arm64`).
    pub architecture: String,
    /// Operating system (`linux`).
    pub os: String,
    /// Variant of the architecture (`v7`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// The manifest of an image for one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// [`media_type::MANIFEST`].
    pub media_type: String,
    /// The config blob.
    pub config: Descriptor,
    /// The layers, the lowest first; null in the JSON where there is none.
    pub layers: Option<Vec<Descriptor>>,
}

impl Manifest {
    /// Of an image with this config blob and these layers, uncompressed.
    pub fn new(config: &[u8], layers: &[Layer]) -> Manifest {
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| Descriptor {
                media_type: media_type::LAYER.into(),
                digest: layer.diff_id,
                size: layer.size,
                annotations: crate::order::map(
                    layer
                        .rewritten
                        .map(|time| (REWRITTEN.to_string(), time.to_string())),
                ),
                platform: None,
            })
            .collect();
        Manifest {
            schema_version: 2,
            media_type: media_type::MANIFEST.into(),
            config: Descriptor::of(media_type::CONFIG, config),
            layers: (!layers.is_empty()).then_some(layers),
        }
    }

    /// The bytes of the manifest.
    pub fn to_json_bytes(&self) -> Vec<u8> {
        go_json::to_vec_indented(self)
    }
}

/// An index: the manifests of one image for several platforms, or all images of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// [`media_type::INDEX`].
    #[serde(default)]
    pub media_type: String,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
}

impl Index {
    /// Of these manifests.
    pub fn new(manifests: Vec<Descriptor>) -> Index {
        Index {
            schema_version: 2,
            media_type: media_type::INDEX.into(),
            manifests,
        }
    }

    /// Of the manifests of a multi-platform image.
    pub fn of_platforms<'a>(
        manifests: impl IntoIterator<Item = (Platform, &'a Manifest)>,
    ) -> Index {
        let descriptor = |(platform, manifest): (Platform, &Manifest)| Descriptor {
            platform: Some(platform),
            ..Descriptor::of(media_type::MANIFEST, &manifest.to_json_bytes())
        };
        Index::new(manifests.into_iter().map(descriptor).collect())
    }

    /// The bytes of an image's index.
    pub fn to_json_bytes(&self) -> Vec<u8> {
        go_json::to_vec_indented(self)
    }
}
