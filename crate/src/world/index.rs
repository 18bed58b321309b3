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
        let (pattern, target) = self
            .aliases
            .iter()
            .find(|(pattern, _)| matches(pattern.as_bytes(), familiar.as_bytes()))?;
        // A name in a namespace may well exist without being listed, but a slip does not.
        if pattern.starts_with("*/") && !self.nearest(familiar).is_empty() {
            return None;
        }
        Some(Found {
            part: self.images.get(target)?,
            stands_for: Some(target),
        })
    }

    /// Images, by `name:tag`, that are spelled much like `familiar`, the nearest first: those of
    /// the nearest names with the same tag, or the nearest one that they have. For a name that is
    /// listed, those of the nearest tags.
    pub fn nearest(&self, familiar: &str) -> Vec<String> {
        let (name, tag) = familiar.rsplit_once(':').unwrap_or((familiar, ""));
        let listed = self
            .images
            .keys()
            .filter_map(|image| image.rsplit_once(':'));
        let tags = |name: &str| {
            let tags = listed.clone().filter(|(other, _)| *other == name);
            tags.map(|(_, tag)| tag).collect::<Vec<&str>>()
        };
        if listed.clone().any(|(other, _)| other == name) {
            let tags = by_spelling(tag, tags(name)).into_iter();
            return tags.map(|tag| format!("{name}:{tag}")).collect();
        }
        let mut names: Vec<&str> = listed.clone().map(|(name, _)| name).collect();
        names.dedup();
        let mut nearest = Vec::new();
        for name in by_spelling(name, names) {
            let same = format!("{name}:{tag}");
            if self.find(&same).is_some() {
                nearest.push(same);
            } else if let Some(tag) = by_spelling(tag, tags(name)).first() {
                nearest.push(format!("{name}:{tag}"));
            } else {
                nearest.push(name.to_owned());
            }
        }
        nearest
    }

    /// Every listed `name:tag`, in byte order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.images.keys().map(String::as_str)
    }
}

/// The words that are spelled much like `word`, the nearest first.
fn by_spelling<'a>(word: &str, mut words: Vec<&'a str>) -> Vec<&'a str> {
    let mut nearest = Vec::new();
    while let Some(found) = suggest::nearest(word, words.iter().copied(), true) {
        words.retain(|other| {
            let same = *other == found;
            if same {
                nearest.push(*other);
            }
            !same
        });
    }
    nearest
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
    fn near_names() {
        let index: Index = serde_json::from_str(
            r#"{"images": {"node:20": "", "node:20-alpine": "", "mode:1": "", "o/code:2.5": ""},
                "aliases": [["node:1*", "node:20"]]}"#,
        )
        .expect("an index");
        assert_eq!(index.nearest("ndoe:20-alpine"), ["node:20-alpine"]);
        assert_eq!(index.nearest("nods:18"), ["node:18", "mode:1"]);
        assert_eq!(index.nearest("node:20-alpin"), ["node:20-alpine"]);
        assert_eq!(index.nearest("o/cod:2.6"), ["o/code:2.5"]);
        assert_eq!(index.nearest("o/cod:latest"), ["o/code"]);
        assert!(index.nearest("quite-another:1").is_empty());
    }

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
