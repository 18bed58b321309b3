//! Caches between machines: where a build's cache goes, and where one comes from.
//!
//! The values are those of `docker buildx build --cache-to` and `--cache-from`.

use crate::build::remote::Mode;
use crate::dockerfile::reference::{DEFAULT_TAG, Reference};

use super::{BuildOptions, Refusal};

/// Attributes that say how bytes are stored: they make no difference here.
const STORAGE: [&str; 9] = [
    "compression",
    "compression-level",
    "force-compression",
    "ignore-error",
    "image-manifest",
    "oci-mediatypes",
    "tag",
    "tar",
    "digest",
];

/// Where the build's caches go, with what is in them.
///
/// # Errors
/// A value that cannot be read; an inline cache without an image to be in.
pub fn to(options: &BuildOptions) -> Result<Vec<(String, Mode)>, Refusal> {
    let read = |spec: &String| {
        let (kind, mut place, mode) = attributes("--cache-to", spec, "dest")?;
        let mode = match (kind.as_str(), mode.as_str()) {
            ("inline", "" | "min") => {
                place = image(options).ok_or_else(|| {
                    Refusal::new("The inline cache has no image to travel in.")
                        .help("Give the image a name: --tag app:cache.")
                })?;
                Mode::Inline
            }
            ("inline", _) => {
                return Err(Refusal::new("An inline cache is always mode=min.")
                    .help("Use type=registry with mode=max."));
            }
            (_, "" | "min") => Mode::Min,
            (_, "max") => Mode::Max,
            (_, mode) => {
                return Err(Refusal::new(format!("There is no mode={mode}."))
                    .help("The modes are min and max."));
            }
        };
        Ok((place, mode))
    };
    options.cache_to.iter().map(read).collect()
}

/// Where caches come from.
///
/// # Errors
/// A value that cannot be read.
pub fn from(options: &BuildOptions) -> Result<Vec<String>, Refusal> {
    let read = |spec: &String| Ok(attributes("--cache-from", spec, "src")?.1);
    options.cache_from.iter().map(read).collect()
}

/// The place of the image that the build makes, if it has a name.
pub fn image(options: &BuildOptions) -> Option<String> {
    options.tag.as_deref().and_then(|tag| in_registry(tag).ok())
}

fn in_registry(name: &str) -> Result<String, String> {
    let mut name = Reference::parse(name)?;
    if name.tag.is_none() && name.digest.is_none() {
        name.tag = Some(DEFAULT_TAG.into());
    }
    Ok(format!("registry {name}"))
}

/// The type, the place and the mode in `type=…,ref=…,mode=…`, or in a bare image name.
fn attributes(flag: &str, spec: &str, path: &str) -> Result<(String, String, String), Refusal> {
    let help = format!("Write {flag} type=registry,ref=app:cache or type=local,{path}=DIR.");
    let wrong = |message: String| Refusal::new(message).help(help.clone());
    let [mut kind, mut name, mut dir, mut mode] = [const { String::new() }; 4];
    if spec.contains('=') {
        for part in spec.split(',') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.trim().to_lowercase().as_str() {
                "type" => kind = value.into(),
                "mode" => mode = value.into(),
                "ref" => name = value.into(),
                key if key == path => dir = value.into(),
                key if STORAGE.contains(&key) => {}
                key => return Err(wrong(format!("{flag} has no attribute {key}."))),
            }
        }
    } else {
        (kind, name) = ("registry".into(), spec.into());
    }
    let place = match kind.as_str() {
        "inline" => String::new(),
        "registry" if !name.is_empty() => {
            in_registry(&name).map_err(|why| wrong(format!("{name}: {why}.")))?
        }
        "local" if !dir.is_empty() => format!("local {dir}"),
        "registry" | "local" => return Err(wrong(format!("{flag} {spec} says no place."))),
        kind => {
            return Err(wrong(format!(
                "{flag} knows inline, local and registry here, not `{kind}`."
            )));
        }
    };
    Ok((kind, place, mode))
}
