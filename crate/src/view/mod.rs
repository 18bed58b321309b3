//! The view model: plain serialisable data, the only thing that the page sees of the engine.
//!
//! The page sends [`Request`]s and gets [`Reply`]s; both cross the worker boundary as structured
//! clones. In this room: types without behaviour, and their making from what the engine knows.
//! Not in this room: decisions. Text offsets are UTF-16 code units, as editors in browsers count.
//! Sizes are bytes, durations seconds of simulated time. Lines are counted from 1, steps,
//! instructions and layers from 0.

mod build;
mod compare;
mod files;
pub(crate) mod made;
mod printed;
pub(crate) mod report;
mod request;
pub(crate) mod stack;
pub(crate) mod stages;
mod state;
pub(crate) mod text;
pub(crate) mod timeline;
pub(crate) mod tree;
pub(crate) mod why;

pub use build::*;
pub use compare::*;
pub use files::*;
pub use printed::*;
pub use stages::{StageLink, StageView};
pub use state::*;
pub use timeline::{LaneView, TimelineView};

pub use crate::engine::{BuildOptions, Edit, Refusal, Saved, SavedFile, SavedNode, UploadedFile};

use serde::{Deserialize, Serialize};

/// What the page asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(
    tag = "kind",
    try_from = "request::RequestFields",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Request {
    /// Starts a new session from a play: its title, Dockerfile, files and settings. Builds its
    /// acts up to the first pause. → [`Reply::State`]
    OpenPlay {
        /// The play's Markdown.
        source: String,
    },
    /// Starts a session from what [`Request::Save`] gave. → [`Reply::State`]
    OpenSaved {
        /// The saved session.
        saved: Saved,
    },
    /// The session in a form that outlives the worker. → [`Reply::Saved`]
    Save,
    /// The state again. → [`Reply::State`]
    Refresh,
    /// Changes the workspace; one step of the undo history (typing in one go counts as one).
    /// → [`Reply::State`]
    Edit {
        /// The change.
        edit: Edit,
    },
    /// Takes the last step back, whatever it was: edit, move, build. → [`Reply::State`]
    Undo,
    /// Takes the last undo back. → [`Reply::State`]
    Redo,
    /// Begins to build the workspace as it is. → [`Reply::Progress`], until the build is done
    Build,
    /// Goes on with what gave [`Reply::Progress`]. → [`Reply::Progress`] or the result
    Continue,
    /// Ends what gave [`Reply::Progress`], as if it had not begun. → [`Reply::State`]
    Cancel,
    /// What the next build would do, found out by doing it in a fork: the prediction with exact
    /// seconds. → [`Reply::Progress`], then [`Reply::Prediction`]
    Forecast,
    /// One directory of a tree. → [`Reply::Rows`]
    List {
        /// Which tree.
        tree: TreeRef,
        /// The directory's path without slashes around; empty for the root.
        dir: String,
    },
    /// All rows of a tree whose path contains the text, at most `limit`. → [`Reply::Rows`]
    Find {
        /// Which tree.
        tree: TreeRef,
        /// A substring of the path, or a glob where it has `*` or `?`.
        pattern: String,
        /// The most rows to give.
        limit: usize,
    },
    /// A file with its versions through the layers. → [`Reply::File`]
    Read {
        /// Which tree.
        tree: TreeRef,
        /// The path without a slash in front.
        path: String,
    },
    /// A build of the history in full. → [`Reply::Build`]
    ShowBuild {
        /// Its number.
        build: u32,
    },
    /// Puts the workspace back as it was when a build was made. Builds and cache stay; one step of
    /// the undo history. → [`Reply::State`]
    Restore {
        /// The build's number.
        build: u32,
    },
    /// A build as text. → [`Reply::Text`]
    Text {
        /// The build's number.
        build: u32,
        /// Which text.
        text: Text,
    },
    /// Two builds side by side. → [`Reply::Comparison`]
    Compare {
        /// A build's number.
        before: u32,
        /// Another's.
        after: u32,
    },
    /// What each kind of edit costs in the present order and in another, from real builds in
    /// forks. → [`Reply::Progress`], then [`Reply::Matrix`]
    Matrix {
        /// The Dockerfile of the other order, if there is one to compare.
        other: Option<String>,
    },
    /// Better orders, each verified by building it. → [`Reply::Progress`], then
    /// [`Reply::Suggestions`]
    Suggest,
    /// The image of a build as an archive. → [`Reply::Archive`]
    Export {
        /// The build's number.
        build: u32,
        /// The archive's format.
        format: ArchiveFormat,
    },
}

/// What the engine answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(tag = "kind", content = "value", rename_all = "camelCase")]
pub enum Reply {
    /// Everything that the page shows by itself.
    State(Box<State>),
    /// There is more to do: ask with [`Request::Continue`].
    Progress(Progress),
    /// Parts of the catalog that must be supplied first; then the same request again.
    Needs(Vec<String>),
    /// See [`Request::Save`].
    Saved(Saved),
    /// See [`Request::Forecast`].
    Prediction(Prediction),
    /// See [`Request::List`].
    Rows(Vec<Row>),
    /// See [`Request::Read`].
    File(Box<FileView>),
    /// See [`Request::ShowBuild`].
    Build(Box<BuildView>),
    /// See [`Request::Text`].
    Text(TextView),
    /// See [`Request::Compare`].
    Comparison(Comparison),
    /// See [`Request::Matrix`].
    Matrix(Matrix),
    /// See [`Request::Suggest`].
    Suggestions(Vec<Suggestion>),
    /// See [`Request::Export`].
    Archive(Archive),
    /// The request cannot be met; nothing has changed.
    Refused(Refusal),
}

/// How far something is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What is being done: `[3/6] RUN npm ci`.
    pub doing: String,
    /// Parts done.
    pub done: u32,
    /// Parts in all.
    pub total: u32,
}

/// The format of an exported image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum ArchiveFormat {
    /// An OCI image layout in a tar.
    Oci,
    /// What `docker save` writes.
    Docker,
}

/// An exported file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Archive {
    /// A file name to save it under.
    pub name: String,
    /// Its bytes.
    #[serde(with = "crate::engine::bytes")]
    #[cfg_attr(feature = "js", tsify(type = "Uint8Array"))]
    pub bytes: Vec<u8>,
}
