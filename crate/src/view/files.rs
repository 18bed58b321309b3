//! Trees and files.

use serde::{Deserialize, Serialize};

/// A tree that can be browsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(
    tag = "of",
    try_from = "super::request::TreeFields",
    rename_all = "camelCase"
)]
pub enum TreeRef {
    /// The build context as it is now.
    Context,
    /// What one layer of a build's image adds, changes and deletes.
    Layer {
        /// The build's number.
        build: u32,
        /// The layer's index in the image.
        layer: u32,
    },
    /// The image's tree as it stands after a layer.
    Merged {
        /// The build's number.
        build: u32,
        /// The layer's index in the image.
        layer: u32,
    },
    /// The tree as it stands after a step, also of a build that failed.
    Step {
        /// The build's number.
        build: u32,
        /// The step's index.
        step: u32,
    },
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The path without a slash in front.
    pub path: String,
    /// Its last component.
    pub name: String,
    /// What it is.
    pub node: NodeKind,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: [u32; 2],
    /// Bytes; of a directory everything in it.
    pub size: u64,
    /// Whether the size is modelled, at least in part.
    pub modelled: bool,
    /// The target of a symbolic link; the first name of a hard link.
    pub target: Option<String>,
    /// Entries of a directory.
    pub entries: u32,
    /// In a layer: what happened to it.
    pub change: Option<ChangeKind>,
    /// In an image: the index of the layer that it comes from.
    pub layer: Option<u32>,
    /// In an image: indexes of lower layers that hold other versions of it.
    pub hides: Vec<u32>,
    /// In the context: why it is not sent.
    pub ignored: Option<Ignored>,
    /// In the context: the lines of the ignore file that name it, the one that decides last.
    pub rules: Vec<Ignored>,
    /// In the context: whether it changed since the last build.
    pub edited: bool,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum NodeKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A further name of a file.
    HardLink,
    /// A device, pipe or socket.
    Special,
}

/// What a layer does to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It was there and is another now.
    Changed,
    /// It was there and is no more: a whiteout.
    Deleted,
    /// A directory that is the same, listed because of what is in it.
    Parent,
}

/// A pattern of an ignore file: it keeps a file from being sent, or, with `!` in front, takes that
/// back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Ignored {
    /// The ignore file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// The pattern as written.
    pub pattern: String,
}

/// A file in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct FileView {
    /// The row.
    pub row: Row,
    /// The text, where it is UTF-8 and at most [`FileView::MAX_TEXT`] bytes.
    pub text: Option<String>,
    /// The SHA-256 of the bytes in hex.
    pub sha256: Option<String>,
    /// Every version of the path through the layers, the lowest first.
    pub versions: Vec<Version>,
}

impl FileView {
    /// The longest text that is given to be shown, in bytes.
    pub const MAX_TEXT: usize = 1 << 20;
}

/// A version of a path in one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The layer's index.
    pub layer: u32,
    /// What the layer does to it.
    pub change: ChangeKind,
    /// Bytes.
    pub size: u64,
    /// The SHA-256 of the bytes in hex, for a file.
    pub sha256: Option<String>,
    /// The text, for a small file that is text.
    pub text: Option<String>,
}
