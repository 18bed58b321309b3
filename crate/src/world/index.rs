//! The index of images: which names there are, and which part describes each.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::dockerfile::suggest;

/// `index.json` of the catalog.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Index {
    /// Part by `name:tag`.
    images: BTreeMap<String, String>,
    /// Patterns of `name:tag` and the listed image that stands for what they match; the first
    /// counts.
    aliases: Vec<(String, String)>,
}

/// Where an image is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// The part, without folder and ending.
    pub part: &'a str,
    /// The listed image that stands for the one asked for, where that is not listed itself.
    pub stands_for: Option<&'a str>,
}

impl Index {
    /// The image called `familiar` (`node:20`).
    pub fn find(&self, familiar: &str) -> Option<Found<'_>> {
        if let Some(part) = self.images.get(familiar) {
            return Some(Found {
                part,
                stands_for: None,
            });
        }
        let (_, target) = self
            .aliases
            .iter()
            .find(|(pattern, _)| matches(pattern.as_bytes(), familiar.as_bytes()))?;
        Some(Found {
            part: self.images.get(target)?,
            stands_for: Some(target),
        })
    }

    /// Names of images that are spelled much like `name`, the nearest first.
    pub fn nearest(&self, name: &str) -> Vec<String> {
        let mut names: Vec<&str> = self
            .images
            .keys()
            .filter_map(|image| image.rsplit_once(':'))
            .map(|(name, _)| name)
            .collect();
        names.dedup();
        let mut nearest = Vec::new();
        while let Some(word) = suggest::nearest(name, names.iter().copied(), false) {
            names.retain(|other| *other != word);
            nearest.push(word);
        }
        nearest
    }

    /// Every listed `name:tag`, in byte order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.images.keys().map(String::as_str)
    }
}

/// Whether `text` matches the glob `pattern`: `*`, and ranges of bytes in brackets.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|at| matches(rest, &text[at..])),
        Some((b'[', rest)) => {
            let Some(end) = rest.iter().position(|b| *b == b']') else {
                return false;
            };
            let in_set = |byte: u8| match &rest[..end] {
                [from, b'-', to] => (*from..=*to).contains(&byte),
                set => set.contains(&byte),
            };
            text.split_first()
                .is_some_and(|(byte, text)| in_set(*byte) && matches(&rest[end + 1..], text))
        }
        Some((byte, rest)) => text
            .split_first()
            .is_some_and(|(first, text)| first == byte && matches(rest, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        let matches = |pattern: &str, text: &str| matches(pattern.as_bytes(), text.as_bytes());
        assert!(matches("node:*alpine*", "node:14-alpine"));
        assert!(!matches("node:*alpine*", "node:14"));
        assert!(matches("golang:1.2[0-2]*", "golang:1.21-bookworm"));
        assert!(!matches("golang:1.2[0-2]*", "golang:1.25"));
        assert!(!matches("a[", "a["));
    }
}
