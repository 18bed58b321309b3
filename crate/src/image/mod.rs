//! OCI images: layer tars, digests, configs, manifests and archives.
//!
//! In this room: bytes. A layer's tar is written byte for byte as BuildKit writes it (Go's
//! `archive/tar`), a config and a manifest as Go's `encoding/json` writes them, so that every
//! [`Digest`] is the digest that a real build has. Not in this room: how a build comes to its
//! layers, and where images are kept.
//!
//! - [`Layer`] holds the [`Change`](crate::fs::Change)s of a layer and the digest of its tar.
//! - [`read_tar`] reads what others wrote and takes nothing on trust; [`changes`] makes a layer of it.
//! - [`upper`](fn@upper) is what overlay2 keeps of a layer, which Docker's own builder makes layers of.
//! - [`Image`] holds a config and layers, and the tree after each.
//! - [`write_archive`] writes an image as one file: an OCI image layout, or what `docker load` reads.
//! - [`waste`](fn@waste) counts the bytes that are in an image for nothing.
//! - [`validate`] recomputes everything that an image says of itself.
//!
//! # What a layer cannot carry
//!
//! Unpacking the layers gives the tree that the build had, but for: the root's own mode, owner and
//! time; the time of a directory of which nothing else changed; sockets; times below a second, and
//! all that are [set back](Layer::rewritten); that an unlisted file is a hard link of a listed one.
//! As in a real build, a file that was changed without a change of size and time is not listed.

mod archive;
mod archive_read;
mod compression;
mod config;
mod digest;
mod docker_archive;
mod docker_config;
mod go_json;
#[allow(clippy::module_inception)]
mod image;
mod layer;
mod manifest;
mod tar_read;
mod tar_write;
mod upper;
mod waste;

#[cfg(test)]
mod archive_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tar_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod validate_tests;

pub use archive::{Format, write_archive};
pub use archive_read::{ArchiveError, Loaded, read_archive};
pub use compression::{Compression, compression, decompress};
pub use config::{Healthcheck, History, ImageConfig, RootFs, RunConfig};
pub use digest::{Digest, DigestError, Hasher};
pub use docker_archive::write_docker_archive;
pub use docker_config::DockerConfig;
pub use image::{Image, ImageError, Problem, validate};
pub use layer::{Layer, chain_ids, changes};
pub use manifest::{Descriptor, Index, Manifest, Platform, media_type};
pub use tar_read::{
    MAX_ENTRIES, MAX_EXTENDED, MAX_UNPACKED, TarEntry, TarError, TarNode, read_tar,
};
pub use tar_write::write_layer;
pub use upper::{Upper, layer_stored_size, stored_size, upper};
pub use waste::{Waste, WasteLayer, WastedPath, waste};
