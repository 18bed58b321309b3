//! Builds and orders side by side.

use serde::{Deserialize, Serialize};

use super::{BuildSummary, StepStatus};

/// Two builds, aligned step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The one.
    pub before: BuildSummary,
    /// The other.
    pub after: BuildSummary,
    /// The steps of both.
    pub rows: Vec<ComparedStep>,
    /// Whether the two images have the same digest.
    pub same_image: bool,
    /// Whether the trees of the two images are the same, whatever their layers.
    pub same_files: bool,
    /// Whether config and environment are the same but for history and layers.
    pub same_config: bool,
    /// Layers that both images have.
    pub shared_layers: u32,
}

/// A step in two builds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct ComparedStep {
    /// The instruction.
    pub text: String,
    /// In the one build.
    pub before: Option<ComparedSide>,
    /// In the other.
    pub after: Option<ComparedSide>,
    /// Whether it stands at another place in the two.
    pub moved: bool,
}

/// A step in one of two builds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct ComparedSide {
    /// The step's index.
    pub step: usize,
    /// What became of it.
    pub status: StepStatus,
    /// How long it took.
    pub seconds: f64,
    /// Bytes of its layer.
    pub bytes: Option<u64>,
}

/// What each kind of edit costs in each order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Matrix {
    /// The orders: names of the columns.
    pub orders: Vec<String>,
    /// The kinds of edit.
    pub rows: Vec<MatrixRow>,
    /// Whether the final trees of both orders are the same, file by file; none where there is no
    /// other order.
    pub same_files: Option<bool>,
    /// Whether both configs are the same but for history and layers.
    pub same_config: Option<bool>,
}

/// One kind of edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct MatrixRow {
    /// What is edited: `edit src/app.js`.
    pub edit: String,
    /// One cell an order.
    pub cells: Vec<MatrixCell>,
}

/// A rebuild after an edit, in an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct MatrixCell {
    /// How long the rebuild takes.
    pub seconds: f64,
    /// Steps that run in it.
    pub ran: u32,
    /// Steps in all.
    pub steps: u32,
    /// Whether it failed.
    pub failed: bool,
}

/// Another order, built and found to give the same image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// What it does: `Copy package*.json before RUN npm ci`.
    pub title: String,
    /// Why it helps.
    pub reason: String,
    /// The whole Dockerfile.
    pub dockerfile: String,
    /// The edit that the seconds speak of.
    pub edit: String,
    /// A rebuild after it, as the Dockerfile is.
    pub before: MatrixCell,
    /// A rebuild after it, as suggested.
    pub after: MatrixCell,
    /// Whether the final tree is the same, file by file.
    pub same_files: bool,
    /// Whether the config is the same but for history and layers.
    pub same_config: bool,
}
