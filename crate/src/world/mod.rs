//! What is outside a build: base images, package repositories, the network, the clock and how
//! fast the machine is.
//!
//! In this room: names of images and what they lead to, the catalog, what addresses serve. Not in
//! this room: what a package manager makes of its tables, which is [`run`](crate::run)'s.
//!
//! # Parts
//!
//! The catalog is not linked in. It comes in parts, by name (`index.json`, `images/node-20.json`,
//! `layers/alpine-3.20.tsv`, `apt/common.tsv` …), and a [`World`] holds those that the caller has
//! [supplied](World::supply). A lookup that lacks some answers with [`Missing::Needs`]; the caller
//! gets them from wherever they are, supplies them, and asks again. Which parts a lookup names
//! depends on nothing but the question and the parts that are there.
//!
//! # What is modelled
//!
//! A base image has the configuration, the layers, the sizes and the well-known files of the image
//! it is named after, but the bytes of most files are short stand-ins. The digests are those of
//! the stand-in bytes: real, and not those of a registry. A tag that the catalog does not list is
//! stood for by the nearest one that it does ([`BaseImage::name`] tells which). The configuration
//! of other platforms differs in the platform alone.

mod base;
mod index;
mod listing;
mod network;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use rpds::RedBlackTreeMapSync;

use crate::dockerfile::reference::{DEFAULT_TAG, Reference};
use crate::fs::{Content, Time};
use crate::image::{Image, Layer, Platform};
use crate::run::{Machine, Part, Response};

pub use base::{BaseImage, Transfer};
use base::{Description, assemble};
use index::Index;
pub use listing::ListingError;
pub use network::download;

/// The part that all image names are looked up in.
pub const INDEX: &str = "index.json";

/// The parts that package managers read.
const TABLES: [&str; 6] = [
    "apt/common.tsv",
    "apt/rest.tsv",
    "apt/virtual.tsv",
    "apk.tsv",
    "npm.tsv",
    "pip.tsv",
];

/// Everything outside a build. A clone costs O(1) and shares everything, the images that were put
/// together included.
#[derive(Clone, Debug)]
pub struct World {
    /// When a build begins.
    pub clock: Time,
    /// What durations are modelled on.
    pub machine: Machine,
    parts: RedBlackTreeMapSync<String, Arc<Supplied>>,
    published: RedBlackTreeMapSync<String, Arc<BaseImage>>,
    served: RedBlackTreeMapSync<String, Content>,
}

#[derive(Debug)]
struct Supplied {
    bytes: Arc<[u8]>,
    meaning: Meaning,
}

/// What a part was read as when it was supplied.
#[derive(Debug)]
enum Meaning {
    Index(Index),
    Image(Box<Description>, OnceLock<Arc<BaseImage>>),
    Layer(Layer),
    Table,
}

/// Why an image is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Parts of the catalog, by name, must be supplied first.
    Needs(Vec<String>),
    /// Nothing has this name.
    NotFound {
        /// The name.
        reference: Box<Reference>,
        /// Familiar names, with tags, that are spelled much like it, the nearest first.
        nearest: Vec<String>,
    },
    /// The image is not there for this platform.
    NoPlatform {
        /// The image.
        reference: Box<Reference>,
        /// The platform.
        platform: Platform,
    },
    /// The catalog's parts do not fit together.
    Broken {
        /// The part.
        part: String,
        /// What is wrong.
        why: String,
    },
}

/// As BuildKit words it, but for what concerns the catalog.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Needs(parts) => write!(f, "not loaded yet: {}", parts.join(", ")),
            Missing::NotFound { reference, .. } => write!(
                f,
                "failed to resolve source metadata for {reference}: {reference}: not found"
            ),
            Missing::NoPlatform {
                reference,
                platform,
            } => {
                let Platform {
                    architecture,
                    os,
                    variant,
                } = platform;
                write!(
                    f,
                    "failed to resolve source metadata for {reference}: no match for platform in \
                     manifest: {os}/{architecture}"
                )?;
                variant
                    .iter()
                    .try_for_each(|variant| write!(f, "/{variant}"))
            }
            Missing::Broken { part, why } => write!(f, "catalog part {part}: {why}"),
        }
    }
}

impl std::error::Error for Missing {}

/// Why a part was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartError {
    /// The part.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "catalog part {}: {}", self.name, self.why)
    }
}

impl std::error::Error for PartError {}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

impl World {
    /// Where the clock of a new world stands: 24 November 2026, noon (UTC), when the catalog was
    /// made.
    pub const START: Time = Time::from_secs(1_795_521_600);

    /// A world of which no part is supplied.
    pub fn new() -> World {
        World {
            clock: World::START,
            machine: Machine::default(),
            parts: RedBlackTreeMapSync::new_sync(),
            published: RedBlackTreeMapSync::new_sync(),
            served: RedBlackTreeMapSync::new_sync(),
        }
    }

    /// Takes a part of the catalog. A part that is there already is replaced.
    ///
    /// # Errors
    /// The bytes are no such part. The world is then as before.
    pub fn supply(&mut self, name: &str, bytes: impl Into<Arc<[u8]>>) -> Result<(), PartError> {
        let bytes = bytes.into();
        let fail = |why: String| PartError {
            name: name.to_owned(),
            why,
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| fail(error.to_string()))?;
        let meaning = if name == INDEX {
            Meaning::Index(serde_json::from_str(text).map_err(|error| fail(error.to_string()))?)
        } else if name.starts_with("images/") {
            let image = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
            Meaning::Image(Box::new(image), OnceLock::new())
        } else if let Some(id) = layer_id(name) {
            Meaning::Layer(listing::layer(id, text).map_err(|error| fail(error.to_string()))?)
        } else if TABLES.contains(&name) {
            Meaning::Table
        } else {
            return Err(fail("there is no such part".into()));
        };
        self.parts
            .insert_mut(name.to_owned(), Arc::new(Supplied { bytes, meaning }));
        Ok(())
    }

    /// The part `name`, for a run's [`Host`](crate::run::Host).
    pub fn part(&self, name: &str) -> Part {
        match self.parts.get(name) {
            Some(part) => Part::Loaded(part.bytes.clone()),
            None if name == INDEX || TABLES.contains(&name) => Part::NotLoaded,
            None => Part::Unknown,
        }
    }

    /// The image that `reference` names on `platform`.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn image(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Arc<BaseImage>, Missing> {
        let name = listed_name(reference);
        if let Some(image) = self.published.get(&name) {
            return Ok(image.clone());
        }
        let Meaning::Index(index) = &self.supplied(INDEX)?.meaning else {
            return Err(broken(INDEX, "it is no index"));
        };
        let Some(found) = index.find(&name) else {
            return Err(Missing::NotFound {
                reference: Box::new(reference.clone().tagged()),
                nearest: index.nearest(&name),
            });
        };
        if platform.os != "linux" {
            return Err(Missing::NoPlatform {
                reference: Box::new(reference.clone().tagged()),
                platform: platform.clone(),
            });
        }
        let part = format!("images/{}.json", found.part);
        let Meaning::Image(description, made) = &self.supplied(&part)?.meaning else {
            return Err(broken(&part, "it is no image"));
        };
        let image = match made.get() {
            Some(image) => image.clone(),
            None => {
                let layers = self.layers(description)?;
                let image = assemble(description, layers).map_err(|why| broken(&part, &why))?;
                made.get_or_init(|| Arc::new(image)).clone()
            }
        };
        Ok(image.for_platform(platform))
    }

    fn layers(&self, description: &Description) -> Result<Vec<Layer>, Missing> {
        let names = description.layer_ids().map(|id| format!("layers/{id}.tsv"));
        let mut needs = Vec::new();
        let mut layers = Vec::new();
        for name in names {
            match self.parts.get(&name).map(|part| &part.meaning) {
                Some(Meaning::Layer(layer)) => layers.push(layer.clone()),
                _ if needs.contains(&name) => {}
                _ => needs.push(name),
            }
        }
        if needs.is_empty() {
            Ok(layers)
        } else {
            Err(Missing::Needs(needs))
        }
    }

    fn supplied(&self, name: &str) -> Result<&Supplied, Missing> {
        self.parts
            .get(name)
            .map(Arc::as_ref)
            .ok_or_else(|| Missing::Needs(vec![name.to_owned()]))
    }

    /// Puts an image into the registry under `reference`, over what had that name.
    pub fn publish(&mut self, reference: &Reference, image: Image) {
        let name = listed_name(reference);
        let image = BaseImage::given(name.clone(), image);
        self.published.insert_mut(name, Arc::new(image));
    }

    /// The listed image, by `name:tag`, that stands for what `reference` names, where the catalog
    /// does not list that itself.
    pub fn stand_in(&self, reference: &Reference) -> Option<&str> {
        let name = listed_name(reference);
        let index = self.parts.get(INDEX).map(|part| &part.meaning);
        match index {
            Some(Meaning::Index(index)) if !self.published.contains_key(&name) => {
                index.find(&name)?.stands_for
            }
            _ => None,
        }
    }

    /// Every name and tag that the catalog lists and every published one, in byte order.
    ///
    /// # Errors
    /// [`Missing::Needs`] the index.
    pub fn image_names(&self) -> Result<Vec<String>, Missing> {
        let Meaning::Index(index) = &self.supplied(INDEX)?.meaning else {
            return Err(broken(INDEX, "it is no index"));
        };
        let published = self.published.keys().map(String::as_str);
        let mut names: Vec<String> = index.names().chain(published).map(str::to_owned).collect();
        crate::order::sort(&mut names);
        names.dedup();
        Ok(names)
    }

    /// Lets `url` serve `content`.
    pub fn serve(&mut self, url: &str, content: Content) {
        self.served.insert_mut(url.to_owned(), content);
    }

    /// What a GET request for `url` answers, for a run's [`Host`](crate::run::Host): what the
    /// address [serves](World::serve), or else a [stand-in](download). A host under `.invalid` does
    /// not resolve.
    pub fn fetch(&self, url: &str) -> Option<Response> {
        let body = match self.served.get(url) {
            Some(content) => content.clone(),
            None if network::host(url)?.ends_with(".invalid") => return None,
            None => download(url),
        };
        Some(Response { status: 200, body })
    }
}

/// What an image is listed under: its familiar name and its tag, `latest` where it has none.
fn listed_name(reference: &Reference) -> String {
    let tag = reference.tag.as_deref().unwrap_or(DEFAULT_TAG);
    format!("{}:{tag}", reference.familiar_name())
}

fn layer_id(part: &str) -> Option<&str> {
    part.strip_prefix("layers/")?.strip_suffix(".tsv")
}

fn broken(part: &str, why: &str) -> Missing {
    Missing::Broken {
        part: part.to_owned(),
        why: why.to_owned(),
    }
}
