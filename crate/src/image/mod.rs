//! OCI images: layer tars, digests, configs, manifests and archives.
//!
//! In this room: bytes. A layer's tar is written byte for byte as BuildKit writes it (Go's
//! `archive/tar`), a config and a manifest as Go's `encoding/json` writes them, so that every
//! [`Digest`] is the digest that a real build has. Not in this room: how a build comes to its
//! layers, and where images are kept.
//!
//! - [`Layer`] holds the [`Change`](crate::fs::Change)s of a layer and the digest of its tar.
//! - [`Image`] holds a config and layers, and the tree after each.
//! - [`validate`] recomputes everything that an image says of itself.

mod archive;
mod archive_read;
mod compression;
mod config;
mod digest;
mod go_json;
#[allow(clippy::module_inception)]
mod image;
mod layer;
mod manifest;
mod tar_read;
mod tar_write;

#[cfg(test)]
mod archive_tests;
#[cfg(test)]
mod tar_tests;
#[cfg(test)]
mod tests;

pub use archive::{Format, write_archive};
pub use archive_read::{ArchiveError, Loaded, read_archive};
pub use compression::{Compression, compression, decompress};
pub use config::{Healthcheck, History, ImageConfig, RootFs, RunConfig};
pub use digest::{Digest, DigestError, Hasher};
pub use image::{Image, ImageError, Problem, validate};
pub use layer::{Layer, chain_ids, changes};
pub use manifest::{Descriptor, Index, Manifest, Platform, media_type};
pub use tar_read::{
    MAX_ENTRIES, MAX_EXTENDED, MAX_UNPACKED, TarEntry, TarError, TarNode, read_tar,
};
pub use tar_write::write_layer;
