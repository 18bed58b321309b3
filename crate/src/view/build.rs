//! A build and its image.

use serde::{Deserialize, Serialize};

use super::TimelineView;

/// One build, shortly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct BuildSummary {
    /// Its number, from 1.
    pub number: u32,
    /// Whether it came to its end.
    pub ok: bool,
    /// Steps that the cache answered.
    pub cached: u32,
    /// Steps in all.
    pub steps: u32,
    /// How long it took.
    pub seconds: f64,
    /// What led to it: `src/app.js changed`, `COPY moved below RUN`.
    pub after: String,
    /// The manifest's digest, of a build that came to its end.
    pub digest: Option<String>,
}

/// One build in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct BuildView {
    /// Shortly.
    pub summary: BuildSummary,
    /// What went wrong.
    pub error: Option<ErrorView>,
    /// The steps in order of definition.
    pub steps: Vec<StepView>,
    /// The steps in time.
    pub timeline: TimelineView,
    /// The image, of a build that came to its end.
    pub image: Option<ImageView>,
    /// The Dockerfile that was built.
    pub dockerfile: String,
    /// Whether that is the Dockerfile of the workspace.
    pub current: bool,
}

/// Why a build failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct ErrorView {
    /// BuildKit's message.
    pub message: String,
    /// First and last line of the Dockerfile that it points at.
    pub lines: Option<[u32; 2]>,
    /// What would help.
    pub help: Option<String>,
}

/// A step: a vertex of the build that a user sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// The name: `[3/6] COPY . .`.
    pub name: String,
    /// The number in it.
    pub number: Option<u32>,
    /// The index of its instruction.
    pub instruction: Option<usize>,
    /// First and last line of it.
    pub lines: [u32; 2],
    /// The stage's name.
    pub stage: String,
    /// What became of it.
    pub status: StepStatus,
    /// When it began, from the start of the build.
    pub start: f64,
    /// How long it took.
    pub seconds: f64,
    /// How long it took when it last ran: what the cache saved.
    pub saved: Option<f64>,
    /// Whether seconds or files are modelled.
    pub modelled: bool,
    /// The index of its layer in the image.
    pub layer: Option<usize>,
    /// Bytes of its layer.
    pub bytes: Option<u64>,
    /// Why it hit or missed.
    pub why: WhyView,
    /// What it printed.
    pub log: Vec<LogLine>,
    /// The simple commands that ran, for a RUN.
    pub commands: Vec<CommandView>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum StepStatus {
    /// It ran.
    Done,
    /// The cache answered.
    Cached,
    /// It failed.
    Failed,
    /// It was not reached.
    Skipped,
}

/// Why a step hit or missed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct WhyView {
    /// One sentence.
    pub headline: String,
    /// The cause in few words, to follow "because".
    pub because: String,
    /// The build that made what was found, or whose key is the nearest.
    pub earlier: Option<u32>,
    /// The step that it began with, where this one missed because of another.
    pub first_cause: Option<usize>,
    /// The parts of the cache key.
    pub frames: Vec<FrameView>,
    /// Files whose content made the difference.
    pub files: Vec<FileChangeView>,
    /// What one might think is in the key and is not.
    pub not_in_key: Vec<String>,
}

/// A part of a cache key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct FrameView {
    /// What it is: `command`, `parent`, `content`, `environment`.
    pub name: String,
    /// Its value, for people.
    pub value: String,
    /// The value in the nearest earlier build, where it was another.
    pub before: Option<String>,
}

/// A file that made a key differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct FileChangeView {
    /// Its path.
    pub path: String,
    /// What it was: the SHA-256 of the bytes in hex, a mode, a link's target; none if it is new.
    pub before: Option<String>,
    /// What it is; none if it is gone.
    pub after: Option<String>,
}

/// A line that a step printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Seconds from the start of the step.
    pub at: f64,
    /// Whether it went to standard error.
    pub stderr: bool,
    /// Without the newline.
    pub text: String,
}

/// A simple command inside a RUN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct CommandView {
    /// As it ran, expanded.
    pub text: String,
    /// How long it took.
    pub seconds: f64,
    /// How real it was.
    pub fidelity: Fidelity,
}

/// How real an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum Fidelity {
    /// Done as the real program does it.
    Executed,
    /// Right names and sizes, from the catalog.
    Modelled,
    /// It had no effect.
    NotSimulated,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct ImageView {
    /// The manifest's digest.
    pub digest: String,
    /// The config's digest.
    pub config_digest: String,
    /// The config as JSON text, two spaces a level.
    pub config: String,
    /// The manifest as JSON text.
    pub manifest: String,
    /// The sum of the layers' sizes.
    pub size: u64,
    /// The layers, the lowest first.
    pub layers: Vec<LayerView>,
    /// Bytes in layers that no file of the final tree comes from: overwritten or deleted above.
    pub hidden_bytes: u64,
}

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct LayerView {
    /// `sha256:…` of the uncompressed tar.
    pub diff_id: String,
    /// What made it, as the history words it.
    pub created_by: String,
    /// The sum of the sizes of its files.
    pub size: u64,
    /// Bytes of its tar.
    pub tar_size: u64,
    /// Whether sizes in it are modelled.
    pub modelled: bool,
    /// Where it comes from.
    pub origin: LayerOrigin,
    /// The index of the step that made it.
    pub step: Option<usize>,
    /// Files, links and directories that it adds, changes, deletes.
    pub counts: [u32; 3],
    /// Its bytes that layers above overwrite or delete.
    pub hidden_bytes: u64,
    /// Numbers of earlier builds whose image holds the same layer.
    pub shared_with: Vec<u32>,
}

/// Where a layer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum LayerOrigin {
    /// The base image.
    Base,
    /// A step that the cache answered.
    Cached,
    /// A step that ran.
    Built,
}
