//! What can be done to a workspace.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fields::{Place, need, unknown};

/// A change of the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(
    tag = "op",
    try_from = "EditFields",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Edit {
    /// The Dockerfile's whole text.
    Dockerfile {
        /// The new text.
        text: String,
    },
    /// Moves an instruction with its comments and continuation lines.
    Move {
        /// Its index.
        from: usize,
        /// The index that it has afterwards.
        to: usize,
    },
    /// Makes or replaces a file; missing directories are made.
    Write {
        /// Path in the context.
        path: String,
        /// Its content.
        #[serde(with = "super::bytes")]
        #[cfg_attr(feature = "js", tsify(type = "Uint8Array"))]
        bytes: Vec<u8>,
        /// Permission bits; a new file has 0644, an old one keeps its own.
        mode: Option<u32>,
    },
    /// Changes a file a little (a line is added, as an edit of a learner would), to see what a
    /// change of it does.
    Nudge {
        /// Path in the context.
        path: String,
    },
    /// Makes several files at once: an upload.
    Upload {
        /// The files.
        files: Vec<UploadedFile>,
    },
    /// Makes a directory.
    Mkdir {
        /// Path in the context.
        path: String,
    },
    /// Makes a symbolic link.
    Symlink {
        /// Path in the context.
        path: String,
        /// What it points to.
        target: String,
    },
    /// Takes a file away, or a directory with everything in it.
    Delete {
        /// Path in the context.
        path: String,
    },
    /// Gives a file or directory another path.
    Rename {
        /// Path in the context.
        from: String,
        /// New path.
        to: String,
    },
    /// Sets permission bits.
    Chmod {
        /// Path in the context.
        path: String,
        /// The bits (`0o755`).
        mode: u32,
    },
    /// Sets the modification time to the present.
    Touch {
        /// Path in the context.
        path: String,
    },
    /// How it is built.
    Options {
        /// The new options.
        options: BuildOptions,
    },
    /// Lets simulated time pass: tags move, package indexes grow old.
    Advance {
        /// Days.
        days: u32,
    },
    /// Empties the build cache.
    ClearCache,
    /// Goes on at a machine with a build cache of its own.
    Machine {
        /// Its name; the first one has none.
        name: String,
    },
}

/// The fields of all edits.
#[derive(Deserialize)]
struct EditFields {
    op: String,
    text: Option<String>,
    from: Option<Place>,
    to: Option<Place>,
    path: Option<String>,
    #[serde(default, deserialize_with = "super::bytes::optional")]
    bytes: Option<Vec<u8>>,
    mode: Option<u32>,
    files: Option<Vec<UploadedFile>>,
    target: Option<String>,
    options: Option<BuildOptions>,
    days: Option<u32>,
    name: Option<String>,
}

impl TryFrom<EditFields> for Edit {
    type Error = String;

    fn try_from(fields: EditFields) -> Result<Edit, String> {
        let path = need(fields.path, "path");
        Ok(match fields.op.as_str() {
            "dockerfile" => Edit::Dockerfile {
                text: need(fields.text, "text")?,
            },
            "move" => Edit::Move {
                from: need(fields.from.and_then(Place::index), "from")?,
                to: need(fields.to.and_then(Place::index), "to")?,
            },
            "write" => Edit::Write {
                path: path?,
                bytes: need(fields.bytes, "bytes")?,
                mode: fields.mode,
            },
            "nudge" => Edit::Nudge { path: path? },
            "upload" => Edit::Upload {
                files: need(fields.files, "files")?,
            },
            "mkdir" => Edit::Mkdir { path: path? },
            "symlink" => Edit::Symlink {
                path: path?,
                target: need(fields.target, "target")?,
            },
            "delete" => Edit::Delete { path: path? },
            "rename" => Edit::Rename {
                from: need(fields.from.and_then(Place::path), "from")?,
                to: need(fields.to.and_then(Place::path), "to")?,
            },
            "chmod" => Edit::Chmod {
                path: path?,
                mode: need(fields.mode, "mode")?,
            },
            "touch" => Edit::Touch { path: path? },
            "options" => Edit::Options {
                options: need(fields.options, "options")?,
            },
            "advance" => Edit::Advance {
                days: need(fields.days, "days")?,
            },
            "clearCache" => Edit::ClearCache,
            "machine" => Edit::Machine {
                name: need(fields.name, "name")?,
            },
            op => return unknown(op),
        })
    }
}

/// A file that comes from the user's machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct UploadedFile {
    /// Path in the context.
    pub path: String,
    /// Its content.
    #[serde(with = "super::bytes")]
    #[cfg_attr(feature = "js", tsify(type = "Uint8Array"))]
    pub bytes: Vec<u8>,
}

/// The options of a build, as `docker buildx build` has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify), tsify(hashmap_as_object))]
#[serde(rename_all = "camelCase", default)]
pub struct BuildOptions {
    /// `--target`
    pub target: Option<String>,
    /// `--build-arg`
    pub build_args: BTreeMap<String, String>,
    /// `--secret`: id to text.
    pub secrets: BTreeMap<String, String>,
    /// `--label`
    pub labels: BTreeMap<String, String>,
    /// `--no-cache`
    pub no_cache: bool,
    /// `--no-cache-filter`
    pub no_cache_filter: Vec<String>,
    /// `--platform`, several with commas between; empty for linux/amd64.
    pub platform: Option<String>,
    /// `--tag`: the name of the image.
    pub tag: Option<String>,
    /// `--cache-to`, as `type=registry,ref=app:cache,mode=max`.
    pub cache_to: Vec<String>,
    /// `--cache-from`, as `type=registry,ref=app:cache`.
    pub cache_from: Vec<String>,
}
