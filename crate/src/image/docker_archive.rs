//! What `docker save` of Docker's own engine writes: a folder a layer, with the metadata of the time
//! before images were named by their content.
//!
//! Source: moby 20.10 `image/tarexport` and `image/v1`.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Map, Value, json};

use super::{Digest, Image};
use crate::fs::Time;

/// The version of the format of a layer's folder.
const VERSION: &str = "1.0";
/// The fields of a config that the topmost layer's metadata repeat.
const REPEATED: [&str; 9] = [
    "comment",
    "created",
    "container",
    "docker_version",
    "author",
    "config",
    "architecture",
    "variant",
    "os",
];

/// Writes images, each with its names (`app:latest`), as one tar. A layer that several have is
/// there once; where it is the top of one, its folder there links to it.
///
/// # Errors
/// A layer whose bytes are not held (see [`Layer::write_tar`](super::Layer::write_tar)).
pub fn write_docker_archive(images: &[(&Image, Vec<String>)]) -> io::Result<Vec<u8>> {
    let mut writer = Writer {
        tar: tar::Builder::new(Vec::new()),
        folders: BTreeMap::new(),
        written: BTreeMap::new(),
    };
    let (mut list, mut repositories) = (Vec::new(), BTreeMap::<String, Map<String, Value>>::new());
    for (image, names) in images {
        let layers = writer.image(image)?;
        for name in names {
            if let Some((repository, tag)) = name.rsplit_once(':')
                && let Some(top) = layers.last()
            {
                let tags = repositories.entry(repository.to_string()).or_default();
                tags.insert(tag.to_string(), json!(top));
            }
        }
        let paths = layers.iter().map(|id| format!("{id}/layer.tar"));
        list.push(json!({
            "Config": format!("{}.json", image.id().hex()),
            "RepoTags": (!names.is_empty()).then_some(names),
            "Layers": paths.collect::<Vec<String>>(),
        }));
    }
    let list = Value::Array(list).to_string();
    writer.file("manifest.json", list.as_bytes(), 0)?;
    if !repositories.is_empty() {
        let text = json!(repositories).to_string();
        writer.file("repositories", text.as_bytes(), 0)?;
    }
    writer.tar.into_inner()
}

struct Writer {
    tar: tar::Builder<Vec<u8>>,
    /// The folders that are there.
    folders: BTreeMap<String, ()>,
    /// The folder that holds each layer.
    written: BTreeMap<Digest, String>,
}

impl Writer {
    /// Writes an image's config and layers; gives the names of the folders, the lowest first.
    fn image(&mut self, image: &Image) -> io::Result<Vec<String>> {
        let config: Value = serde_json::from_slice(&image.config_json).unwrap_or_default();
        let created = image.config.created.as_deref();
        let created = created.and_then(Time::parse_rfc3339).unwrap_or(Time::EPOCH);
        let mut folders: Vec<String> = Vec::new();
        for (at, (layer, chain)) in image.layers.iter().zip(image.chain_ids()).enumerate() {
            let mut metadata = Map::new();
            if at + 1 == image.layers.len() {
                for key in REPEATED {
                    if let Some(value) = config.get(key) {
                        metadata.insert(key.into(), value.clone());
                    }
                }
            } else {
                metadata.insert("created".into(), json!(Time::EPOCH.rfc3339()));
                metadata.insert("os".into(), json!(image.config.os));
            }
            let container = match at + 1 == image.layers.len() {
                true => config.get("container_config").cloned(),
                false => None,
            };
            let container = container.unwrap_or_else(|| json!({}));
            metadata.insert("container_config".into(), container);
            if let Some(parent) = folders.last() {
                metadata.insert("parent".into(), json!(parent));
            }
            let named = format!("{chain} {}", Value::Object(metadata.clone()));
            let id = Digest::of(named.as_bytes()).hex();
            metadata.insert("id".into(), json!(id));
            self.layer(&id, layer, &Value::Object(metadata), created.secs())?;
            folders.push(id);
        }
        let name = format!("{}.json", image.id().hex());
        self.file(&name, &image.config_json, created.secs())?;
        Ok(folders)
    }

    fn layer(
        &mut self,
        id: &str,
        layer: &super::Layer,
        metadata: &Value,
        mtime: i64,
    ) -> io::Result<()> {
        if self.folders.insert(id.to_string(), ()).is_some() {
            return Ok(());
        }
        let mut header = header(tar::EntryType::Directory, 0o755, mtime);
        header.set_size(0);
        self.tar
            .append_data(&mut header, format!("{id}/"), io::empty())?;
        self.file(&format!("{id}/VERSION"), VERSION.as_bytes(), mtime)?;
        self.file(
            &format!("{id}/json"),
            metadata.to_string().as_bytes(),
            mtime,
        )?;
        let path = format!("{id}/layer.tar");
        match self.written.get(&layer.diff_id) {
            Some(first) => {
                let mut header = self::header(tar::EntryType::Symlink, 0o777, mtime);
                header.set_size(0);
                let target = format!("../{first}/layer.tar");
                self.tar.append_link(&mut header, path, target)
            }
            None => {
                self.written.insert(layer.diff_id, id.to_string());
                self.file(&path, &layer.tar()?, mtime)
            }
        }
    }

    fn file(&mut self, path: &str, bytes: &[u8], mtime: i64) -> io::Result<()> {
        let mut header = header(tar::EntryType::Regular, 0o644, mtime);
        header.set_size(bytes.len() as u64);
        self.tar.append_data(&mut header, path, bytes)
    }
}

fn header(kind: tar::EntryType, mode: u32, mtime: i64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(mtime).unwrap_or(0));
    header
}
