//! The base image that the recorded builds start from.

use std::path::PathBuf;

use layerwise::fs::{Clock, Content, Fs, Ino, Kind, Meta, Overlay, Time, diff};
use layerwise::image::{Digest, Image, ImageConfig, Layer};
use serde::Deserialize;

/// Where the base image's binary may be, if the variable `BUSYBOX` does not say so.
const PLACES: [&str; 2] = ["/bin/busybox", "/usr/bin/busybox"];

/// `base.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Base {
    /// Name and tag.
    pub name: String,
    /// The digest of the manifest, which the image must come to.
    manifest_digest: Digest,
    config: ImageConfig,
    layers: Vec<BaseLayer>,
}

#[derive(Deserialize)]
struct BaseLayer {
    diff_id: Digest,
    size: u64,
    entries: Vec<BaseEntry>,
}

#[derive(Deserialize)]
struct BaseEntry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    mode: String,
    uid: u32,
    gid: u32,
    size: u64,
    linkname: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    sha256: Option<String>,
}

impl Base {
    /// The image as others build on it; with all its bytes, if the binary is on this machine.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn image(&self) -> Result<Image, String> {
        let (image, as_built) = self.read(self.binary().as_deref())?;
        let (digest, wanted) = (as_built.manifest_digest(), self.manifest_digest);
        if digest == wanted {
            Ok(image)
        } else {
            Err(format!("the base image comes to {digest}, not to {wanted}"))
        }
    }

    /// The image as it was built, with all its bytes: what a registry serves.
    ///
    /// # Errors
    /// The binary is not on this machine.
    pub fn as_built(&self) -> Result<Image, String> {
        let binary = self.binary().ok_or_else(|| {
            let places = PLACES.join(" or ");
            format!("the busybox of the recorded base image is not in {places}; set BUSYBOX")
        })?;
        Ok(self.read(Some(&binary))?.1)
    }

    /// The bytes of the binary, which is too large to be recorded: a file of this machine with the
    /// recorded digest.
    pub fn binary(&self) -> Option<Vec<u8>> {
        let mut entries = self.layers.iter().flat_map(|layer| &layer.entries);
        let wanted = entries.find_map(|entry| entry.sha256.clone())?;
        let given = std::env::var_os("BUSYBOX").map(PathBuf::from);
        let places = given.into_iter().chain(PLACES.map(PathBuf::from));
        places
            .filter_map(|place| std::fs::read(place).ok())
            .find(|bytes| Digest::of(bytes).hex() == wanted)
    }

    /// The image as others build on it, and as it was built itself.
    fn read(&self, binary: Option<&[u8]>) -> Result<(Image, Image), String> {
        let mut below = Fs::empty();
        let mut layers = Vec::new();
        for layer in &self.layers {
            let mut overlay = Overlay::over(&below, Clock::at(Time::EPOCH));
            for entry in &layer.entries {
                add(&mut overlay, entry, binary).map_err(|why| format!("{}: {why}", entry.path))?;
            }
            let above = overlay.commit();
            let changes = diff(&below, &above);
            layers.push(match binary {
                None => Layer::declared(layer.diff_id, layer.size, changes),
                Some(_) => Layer::from_changes(changes, None),
            });
            below = above;
        }
        let image = Image::new(self.config.clone(), layers).map_err(|e| e.to_string())?;
        // The image itself came out of a build that set times back, and its manifest says so; what
        // is built on it does not repeat that.
        let mut as_built = image.clone();
        for layer in &mut as_built.layers {
            layer.rewritten = Some(0);
        }
        Ok((image, as_built))
    }
}

fn add(overlay: &mut Overlay, entry: &BaseEntry, binary: Option<&[u8]>) -> Result<(), String> {
    let path = entry.path.trim_end_matches('/');
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    let dir: Ino = overlay.fs().find(dir).ok_or("its directory is missing")?.0;
    let kind = match entry.kind.as_str() {
        "dir" => Kind::empty_dir(),
        "symlink" => Kind::Symlink(entry.linkname.as_str().into()),
        "file" => Kind::File(content(entry, binary)?),
        other => return Err(format!("unexpected type {other}")),
    };
    let mode = u32::from_str_radix(&entry.mode, 8).map_err(|e| e.to_string())?;
    let meta = Meta {
        uid: entry.uid,
        gid: entry.gid,
        ..Meta::root(mode, Time::EPOCH)
    };
    overlay
        .create(dir, name, kind, meta)
        .map(drop)
        .map_err(|e| e.to_string())
}

/// A file whose bytes are not recorded is an executable that stands for them.
fn content(entry: &BaseEntry, binary: Option<&[u8]>) -> Result<Content, String> {
    let Some(sha256) = &entry.sha256 else {
        return Ok(Content::new(entry.text.clone().unwrap_or_default()));
    };
    if let Some(binary) = binary {
        return Ok(Content::new(binary));
    }
    let digest: Digest = format!("sha256:{sha256}")
        .parse()
        .map_err(|e| format!("{e}"))?;
    Ok(Content::declared(
        "\x7fELFprogram busybox\n",
        entry.size,
        digest.0,
    ))
}
