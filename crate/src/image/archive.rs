//! Images as single files: an OCI image layout in a tar, and what `docker save` writes.

use std::io;

use serde_json::json;

use super::{Descriptor, Digest, Image, Index, media_type};

/// The format of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An OCI image layout: `oci-layout`, `index.json` and `blobs/` (OCI image specification,
    /// "Image Layout").
    Oci,
    /// The same with the `manifest.json` that `docker load` reads.
    Docker,
}

/// Writes an image as a tar. Blobs come in the order config, layers, manifest; every time is the
/// epoch, so that the same image gives the same bytes. `name` is what the image is called where
/// it is loaded.
///
/// # Errors
/// A layer whose bytes are not held (see [`Layer::write_tar`](super::Layer::write_tar)).
pub fn write_archive(image: &Image, format: Format, name: &str) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let manifest = image.manifest().to_json_bytes();
    let mut descriptor = Descriptor::of(media_type::MANIFEST, &manifest);
    let full = format!("docker.io/library/{name}:latest");
    descriptor.annotations = crate::order::map([
        ("io.containerd.image.name".to_string(), full),
        (
            "org.opencontainers.image.ref.name".to_string(),
            "latest".to_string(),
        ),
    ]);
    let index = Index::new(vec![descriptor]).to_json_bytes();
    let layers: Vec<String> = image
        .layers
        .iter()
        .map(|layer| blob_path(&layer.diff_id))
        .collect();

    dir(&mut tar, "blobs/")?;
    dir(&mut tar, "blobs/sha256/")?;
    file(&mut tar, &blob_path(&image.id()), &image.config_json)?;
    let mut written: Vec<&String> = Vec::new();
    for (layer, path) in image.layers.iter().zip(&layers) {
        if !written.contains(&path) {
            file(&mut tar, path, &layer.tar()?)?;
            written.push(path);
        }
    }
    file(&mut tar, &blob_path(&Digest::of(&manifest)), &manifest)?;
    file(&mut tar, "index.json", &index)?;
    if format == Format::Docker {
        let list = json!([{
            "Config": blob_path(&image.id()),
            "RepoTags": [format!("{name}:latest")],
            "Layers": layers,
        }]);
        file(&mut tar, "manifest.json", list.to_string().as_bytes())?;
    }
    let layout = br#"{"imageLayoutVersion":"1.0.0"}"#;
    file(&mut tar, "oci-layout", layout)?;
    tar.into_inner()
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}", digest.to_string().replacen(':', "/", 1))
}

fn file(tar: &mut tar::Builder<Vec<u8>>, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = header(tar::EntryType::Regular, 0o644);
    header.set_size(bytes.len() as u64);
    tar.append_data(&mut header, path, bytes)
}

fn dir(tar: &mut tar::Builder<Vec<u8>>, path: &str) -> io::Result<()> {
    let mut header = header(tar::EntryType::Directory, 0o755);
    header.set_size(0);
    tar.append_data(&mut header, path, io::empty())
}

fn header(kind: tar::EntryType, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
