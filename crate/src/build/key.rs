//! Cache keys that can be read.
//!
//! A key is the digest of a list of [`Frame`]s. What enters a key does so through [`Keyed`], which
//! writes frames; the list is kept beside the digest, so "why did this miss" is a comparison of two
//! lists and never a second implementation of the rules.
//!
//! The encoding, which a change of must raise [`VERSION`]: the version byte, then for each frame
//! in order its part's tag byte, its name and its value, each of the two as a 32-bit big-endian
//! length followed by that many bytes.

use serde::Serialize;

use crate::image::{Digest, Hasher};

/// The version of the encoding; the first byte of what is hashed.
pub const VERSION: u8 = 1;

/// What kind of thing a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Part {
    /// The kind of operation.
    Operation = 1,
    /// An argument of the command.
    Argument = 2,
    /// A variable of the environment.
    Variable = 3,
    /// The working directory.
    WorkingDirectory = 4,
    /// The user as written.
    User = 5,
    /// The network mode, where it is not the default.
    Network = 6,
    /// The security mode, where it is not the default.
    Security = 7,
    /// The platform the command runs on.
    Platform = 8,
    /// A mount's target or one of its options.
    Mount = 9,
    /// An option of a copy: destination, owner, mode, patterns.
    Option = 10,
    /// The base name of a source as written.
    Source = 11,
    /// The base image.
    Image = 12,
    /// Text that stands in the Dockerfile itself: a heredoc.
    Inline = 13,
    /// The key of the step below.
    Parent = 14,
    /// The content of the files used, by their digest.
    Content = 15,
}

/// One named part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// What kind of thing it is.
    pub part: Part,
    /// Which one: a variable's name, an option's name, a path.
    pub name: String,
    /// Its value, as a person reads it and as it is hashed.
    pub value: String,
}

/// Takes frames down in order.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    list: Vec<Frame>,
}

/// What can be part of a key.
pub trait Keyed {
    /// Writes the frames that tell this value from every other of its type.
    fn write_key(&self, frames: &mut Frames);
}

impl Frames {
    /// No frames yet.
    pub fn new() -> Frames {
        Frames::default()
    }

    /// The frames of one value.
    pub fn of(value: &impl Keyed) -> Frames {
        let mut frames = Frames::new();
        value.write_key(&mut frames);
        frames
    }

    /// These frames, to be added to.
    pub fn from_list(list: Vec<Frame>) -> Frames {
        Frames { list }
    }

    /// Adds a frame.
    pub fn push(&mut self, part: Part, name: impl Into<String>, value: impl ToString) {
        self.list.push(Frame {
            part,
            name: name.into(),
            value: value.to_string(),
        });
    }

    /// Adds a frame that says "yes"; nothing is added for "no".
    pub fn flag(&mut self, part: Part, name: impl Into<String>, set: bool) {
        if set {
            self.push(part, name, "true");
        }
    }

    /// The frames in order.
    pub fn list(&self) -> &[Frame] {
        &self.list
    }

    /// The frames in order, for keeping.
    pub fn into_list(self) -> Vec<Frame> {
        self.list
    }

    /// The key: the digest of the frames in the written encoding.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(&[VERSION]);
        for frame in &self.list {
            hasher.update(&[frame.part as u8]);
            for text in [&frame.name, &frame.value] {
                let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
                hasher.update(&len.to_be_bytes());
                hasher.update(text.as_bytes());
            }
        }
        hasher.finish().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(list: &[(Part, &str, &str)]) -> Frames {
        let mut frames = Frames::new();
        for (part, name, value) in list {
            frames.push(*part, *name, value);
        }
        frames
    }

    #[test]
    fn the_encoding_is_fixed() {
        let key = frames(&[
            (Part::Operation, "", "run"),
            (Part::Argument, "0", "/bin/sh"),
            (Part::Variable, "PATH", "/bin"),
        ]);
        insta::assert_snapshot!(
            key.digest(),
            @"sha256:322960ff0050fc16ef285562ee7f6e6b87c834a4202ffd00aa4cc462a9810cb1"
        );
    }

    #[test]
    fn boundaries_and_order_count() {
        let keys = [
            frames(&[(Part::Variable, "AB", "C")]),
            frames(&[(Part::Variable, "A", "BC")]),
            frames(&[(Part::Variable, "A", ""), (Part::Variable, "BC", "")]),
            frames(&[(Part::Variable, "BC", ""), (Part::Variable, "A", "")]),
            frames(&[(Part::Argument, "AB", "C")]),
        ];
        let digests: std::collections::BTreeSet<_> = keys.iter().map(Frames::digest).collect();
        assert_eq!(digests.len(), keys.len());
    }
}
