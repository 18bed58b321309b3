//! Images by name and ID.

use std::sync::Arc;

use super::Daemon;
use crate::build::classic::Stored;
use crate::dockerfile::reference::Reference;
use crate::fs::Time;
use crate::image::{Digest, layer_stored_size};

/// One line of an image's history, the newest first.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    /// The image that the step made, where it is here.
    pub id: Option<Digest>,
    /// When; none where nobody says.
    pub created: Option<Time>,
    /// The step.
    pub created_by: String,
    /// What its layer weighs, in bytes.
    pub size: u64,
    /// What else is said of it.
    pub comment: String,
}

impl Daemon {
    /// Takes an image in under its ID, and gives that.
    pub(super) fn keep(&mut self, image: Stored, parent: Option<Digest>) -> Digest {
        let id = image.id();
        self.images.entry(id).or_insert_with(|| Arc::new(image));
        if let Some(parent) = parent {
            self.parents.insert(id, parent);
        }
        id
    }

    /// Takes an image in that was made elsewhere: it has no parent here.
    pub fn load(&mut self, image: crate::image::Image, name: Option<&Reference>) -> Digest {
        let created = image.config.created.as_deref();
        let stored = Stored {
            created: created.and_then(Time::parse_rfc3339).unwrap_or(Time::EPOCH),
            container: Default::default(),
            comment: String::new(),
            image,
        };
        let id = self.keep(stored, None);
        if let Some(name) = name {
            self.names.insert(name.clone().tagged(), id);
        }
        id
    }

    /// The image that a name, an ID or the beginning of one leads to.
    ///
    /// # Errors
    /// There is none: the engine's text.
    pub fn find_image(&self, name: &str) -> Result<Arc<Stored>, String> {
        self.look_up(name)
            .and_then(|id| self.images.get(&id).cloned())
            .ok_or_else(|| no_such_image(name))
    }

    /// The ID that a name, an ID or the beginning of one leads to.
    pub(super) fn look_up(&self, name: &str) -> Option<Digest> {
        if let Some(id) = self.by_id(name.strip_prefix("sha256:").unwrap_or(name), 64) {
            return Some(id);
        }
        let reference = Reference::parse(name).ok().map(Reference::tagged);
        if let Some(id) = reference.and_then(|reference| self.names.get(&reference)) {
            return Some(*id);
        }
        self.by_id(name, 1)
    }

    /// Whether the text is an ID of the image, or the beginning of it, rather than a name.
    pub(super) fn is_id_of(&self, id: Digest, text: &str) -> bool {
        let text = text.strip_prefix("sha256:").unwrap_or(text);
        !text.is_empty() && id.hex().starts_with(text)
    }

    fn by_id(&self, text: &str, shortest: usize) -> Option<Digest> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() < shortest || !text.bytes().all(hex) {
            return None;
        }
        let mut found = self.images.keys().filter(|id| id.hex().starts_with(text));
        let first = found.next().copied()?;
        found.next().is_none().then_some(first)
    }

    /// The image of that ID.
    pub fn image_by_id(&self, id: Digest) -> Option<&Arc<Stored>> {
        self.images.get(&id)
    }

    /// All images, the newest first.
    pub fn all_images(&self) -> Vec<Arc<Stored>> {
        let mut images: Vec<Arc<Stored>> = self.images.values().cloned().collect();
        crate::order::sort_by(&mut images, |a, b| b.created.cmp(&a.created));
        images
    }

    /// The names of an image, in order.
    pub fn names_of(&self, id: Digest) -> Vec<Reference> {
        let named = self.names.iter().filter(|(_, named)| **named == id);
        named.map(|(name, _)| name.clone()).collect()
    }

    /// The image that an image was built on here.
    pub fn parent_of(&self, id: Digest) -> Option<Digest> {
        self.parents.get(&id).copied()
    }

    /// The images that were built on an image here.
    pub fn children_of(&self, id: Digest) -> impl Iterator<Item = Digest> + '_ {
        let children = self
            .parents
            .iter()
            .filter(move |(_, parent)| **parent == id);
        children.map(|(child, _)| *child)
    }

    /// Gives an image a name, which another may have had until now.
    ///
    /// # Errors
    /// There is no such image.
    pub fn tag(&mut self, image: &str, name: &Reference) -> Result<(), String> {
        let id = self.find_image(image)?.id();
        self.name(id, name);
        Ok(())
    }

    /// Gives the image of an ID a name.
    pub fn name(&mut self, id: Digest, name: &Reference) {
        self.names.insert(name.clone().tagged(), id);
    }

    /// The history of an image, the newest step first.
    pub fn history(&self, image: &Stored) -> Vec<HistoryRow> {
        let mut layers = image.image.layers.iter();
        let mut rows: Vec<HistoryRow> = Vec::new();
        for step in &image.image.config.history {
            let layer = if step.empty_layer {
                None
            } else {
                layers.next()
            };
            rows.push(HistoryRow {
                id: None,
                created: step.created.as_deref().and_then(Time::parse_rfc3339),
                created_by: step.created_by.clone(),
                size: layer.map_or(0, layer_stored_size),
                comment: step.comment.clone(),
            });
        }
        rows.reverse();
        let mut id = Some(image.id());
        for row in &mut rows {
            row.id = id.filter(|id| self.images.contains_key(id));
            id = row.id.and_then(|id| self.parent_of(id));
        }
        rows
    }
}

/// What the engine says of a name that leads nowhere.
pub(super) fn no_such_image(name: &str) -> String {
    let full = match Reference::parse(name) {
        Ok(reference) if !name.contains('@') => reference.tagged().familiar(),
        _ => name.to_string(),
    };
    format!("No such image: {full}")
}
