//! Reading the images that a real build writes.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use layerwise::image::Digest;
use serde_json::{Map, Value, json};
use tar::{Archive, Entry, EntryType};

/// The blobs of an OCI layout, by path.
struct Layout(BTreeMap<String, Vec<u8>>);

impl Layout {
    fn read(file: &Path) -> Result<Layout, String> {
        let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
        let mut files = BTreeMap::new();
        let mut archive = Archive::new(&bytes[..]);
        for entry in archive.entries().map_err(|error| error.to_string())? {
            let mut entry = entry.map_err(|error| error.to_string())?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mut content = Vec::new();
            entry
                .read_to_end(&mut content)
                .map_err(|error| error.to_string())?;
            files.insert(path, content);
        }
        Ok(Layout(files))
    }

    fn blob(&self, digest: &Value) -> Result<&[u8], String> {
        let digest = digest.as_str().unwrap_or_default();
        let path = format!("blobs/{}", digest.replace(':', "/"));
        let blob = self.0.get(&path);
        blob.map(Vec::as_slice)
            .ok_or_else(|| format!("{path} is not in the image"))
    }
}

/// Adds the image in `file` to what is written down of a build. The layers whose diff IDs are in
/// `base` are only named.
///
/// # Errors
/// It is no image in OCI layout with uncompressed layers.
pub fn describe(file: &Path, base: &[Digest], into: &mut Value) -> Result<(), String> {
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).map_err(|e| e.to_string());
    let layout = Layout::read(file)?;
    let index = layout.0.get("index.json").ok_or("no index.json")?;
    let manifest_digest = json(index)?["manifests"][0]["digest"].clone();
    let manifest = json(layout.blob(&manifest_digest)?)?;
    let config_digest = manifest["config"]["digest"].clone();
    let config = json(layout.blob(&config_digest)?)?;
    let mut layers = Vec::new();
    for layer in manifest["layers"].as_array().into_iter().flatten() {
        let mut out = json!({"diffId": layer["digest"], "size": layer["size"]});
        let known = base.iter().any(|b| layer["digest"] == b.to_string());
        if known {
            out["fromBase"] = json!(true);
        } else {
            out["entries"] = entries(layout.blob(&layer["digest"])?)?;
        }
        layers.push(out);
    }
    into["manifestDigest"] = manifest_digest;
    into["configDigest"] = config_digest;
    into["config"] = config;
    into["layers"] = layers.into();
    Ok(())
}

fn entries(tar: &[u8]) -> Result<Value, String> {
    let mut archive = Archive::new(tar);
    let entries = archive.entries().map_err(|error| error.to_string())?;
    let entries = entries.map(|item| {
        let item = item.map_err(|error| error.to_string());
        item.and_then(|item| entry(item).map_err(|error| error.to_string()))
    });
    entries.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn entry<R: Read>(mut entry: Entry<'_, R>) -> std::io::Result<Value> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut out = Map::new();
    let header = entry.header().clone();
    let (kind, end) = match header.entry_type() {
        EntryType::Directory => ("dir", "/"),
        EntryType::Symlink => ("symlink", ""),
        EntryType::Link => ("hardlink", ""),
        EntryType::Char => ("char", ""),
        EntryType::Block => ("block", ""),
        EntryType::Fifo => ("fifo", ""),
        _ => ("file", ""),
    };
    let path = text(&entry.path_bytes());
    let path = format!("{}{end}", path.trim_end_matches('/'));
    out.insert("path".into(), path.into());
    out.insert("type".into(), kind.into());
    let mode = header.mode()? & 0o7777;
    out.insert("mode".into(), format!("{mode:04o}").into());
    out.insert("uid".into(), header.uid()?.into());
    out.insert("gid".into(), header.gid()?.into());
    out.insert("size".into(), entry.size().into());
    let link = entry.link_name_bytes();
    let link = link.map(|link| text(&link)).unwrap_or_default();
    out.insert("linkname".into(), link.into());
    if header.mtime()? != 0 {
        out.insert("mtime".into(), header.mtime()?.into());
    }
    if matches!(kind, "char" | "block") {
        let dev = [header.device_major()?, header.device_minor()?];
        out.insert("dev".into(), json!(dev));
    }
    if let Some(records) = entry.pax_extensions()? {
        let mut pax = BTreeMap::new();
        for record in records {
            let record = record?;
            pax.insert(text(record.key_bytes()), text(record.value_bytes()));
        }
        out.insert("pax".into(), json!(pax));
    }
    if kind == "file" && entry.size() > 0 {
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        out.insert("sha256".into(), Digest::of(&content).hex().into());
    }
    Ok(Value::Object(out))
}
