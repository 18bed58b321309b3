//! The session as the page shows it.

use serde::{Deserialize, Serialize};

use super::{BuildOptions, BuildSummary, BuildView, Edit, StageView, WhyView};

use super::tree::fits;

/// Everything that the page shows by itself; trees are asked for directory by directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Grows with every change; trees asked for under an older one may be stale.
    pub revision: u64,
    /// What the session was opened from.
    pub title: String,
    /// One or two sentences on what can be seen here, from the play.
    pub about: String,
    /// An edit that the play suggests to try first.
    pub try_first: Option<TryFirst>,
    /// The Dockerfile's text.
    pub dockerfile: String,
    /// Whether there is something to undo, and what.
    pub undo: Option<String>,
    /// Whether there is something to redo, and what.
    pub redo: Option<String>,
    /// The instructions, in order.
    pub instructions: Vec<InstructionView>,
    /// The stages as a graph.
    pub stages: Vec<StageView>,
    /// Errors and warnings of the Dockerfile, in order of place.
    pub diagnostics: Vec<DiagnosticView>,
    /// How it is built.
    pub options: BuildOptions,
    /// The context in figures.
    pub context: ContextSummary,
    /// What the next build would do.
    pub prediction: Prediction,
    /// The last build, if there was one.
    pub build: Option<BuildView>,
    /// All builds of the session, the oldest first.
    pub history: Vec<BuildSummary>,
}

/// An edit that the play suggests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct TryFirst {
    /// What the button says: `Edit src/app.js`.
    pub label: String,
    /// The edit.
    pub edit: Edit,
}

/// One instruction of the Dockerfile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct InstructionView {
    /// The word in capitals.
    pub keyword: String,
    /// The whole instruction on one line.
    pub text: String,
    /// First and last line of the instruction proper.
    pub lines: [u32; 2],
    /// First and last line of what moves with it: its comments too.
    pub block: [u32; 2],
    /// The stage's name or number; none before the first FROM.
    pub stage: Option<String>,
    /// Whether it can be moved up and down.
    pub can_move: [bool; 2],
}

/// An error or a warning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct DiagnosticView {
    /// How bad it is.
    pub severity: SeverityView,
    /// The rule's name, for a build check.
    pub rule: Option<String>,
    /// What is the matter.
    pub message: String,
    /// What would help.
    pub help: Option<String>,
    /// First and last line.
    pub lines: [u32; 2],
    /// First UTF-16 offset in the Dockerfile.
    pub from: u32,
    /// The offset behind the last.
    pub to: u32,
    /// What can be applied by a click.
    pub fixes: Vec<FixView>,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum SeverityView {
    /// The build fails.
    Error,
    /// The build goes on.
    Warning,
    /// Good to know.
    Info,
}

/// A change of the text that solves a diagnostic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct FixView {
    /// What it does.
    pub title: String,
    /// First UTF-16 offset.
    pub from: u32,
    /// The offset behind the last.
    pub to: u32,
    /// What stands there afterwards.
    pub insert: String,
}

/// The context in figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct ContextSummary {
    /// Files and links in the workspace.
    pub files: u32,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, what the ignore file leaves in.
    pub kept: u32,
    /// The bytes of those left in.
    pub kept_bytes: u64,
    /// Of these, what is sent to the builder: what instructions ask for.
    pub sent: u32,
    /// The bytes of those sent.
    pub sent_bytes: u64,
    /// Paths that changed since the last build.
    pub changed: Vec<String>,
    /// The ignore file that counts, if there is one.
    pub ignore_file: Option<String>,
}

/// What the next build would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct Prediction {
    /// The revision that it speaks of.
    pub revision: u64,
    /// One item an instruction, in order.
    pub instructions: Vec<PredictedInstruction>,
    /// Steps that the cache would answer.
    pub cached: u32,
    /// Steps in all.
    pub steps: u32,
    /// The duration of the next build; known after a forecast or where everything hits.
    pub seconds: Option<f64>,
    /// The first miss in words.
    pub first_miss: Option<FirstMiss>,
    /// Why it cannot be built at all.
    pub error: Option<String>,
}

/// The first step that would run, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct FirstMiss {
    /// The instruction's index.
    pub instruction: usize,
    /// The step's number as shown: 3 of `[3/6]`.
    pub number: u32,
    /// The instruction on one line.
    pub text: String,
    /// The cause, to follow "because": `src/app.js changed`.
    pub because: String,
}

/// What the next build would do with an instruction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct PredictedInstruction {
    /// The verdict.
    pub status: PredictedStatus,
    /// The reason in few words: `src/app.js changed`, `step 3 missed`.
    pub note: String,
    /// How long it would take, where that is known.
    pub seconds: Option<f64>,
    /// The step that it belongs to, as shown: 3 of `[3/6]`.
    pub number: Option<u32>,
    /// Its cache key against the nearest earlier build's, where it is known.
    pub why: Option<WhyView>,
    /// What it reads of the context: paths and patterns, `.` for everything; those with `!` in
    /// front are left out.
    pub reads: Vec<String>,
}

impl PredictedInstruction {
    /// Whether it reads what is at `path` of the context.
    pub fn reads(&self, path: &str) -> bool {
        let covers = |pattern: &str| {
            let mut parts = path.split('/');
            let mut wanted = pattern.split('/').filter(|part| *part != ".");
            wanted.all(|wanted| parts.next().is_some_and(|part| matches(wanted, part)))
        };
        let named = self
            .reads
            .iter()
            .filter(|pattern| !pattern.starts_with('!'));
        let mut left_out = self
            .reads
            .iter()
            .filter_map(|pattern| pattern.strip_prefix('!'));
        named.into_iter().any(|pattern| covers(pattern)) && !left_out.any(covers)
    }
}

/// Whether a part of a path fits a part of a pattern.
fn matches(pattern: &str, part: &str) -> bool {
    match pattern.contains(['*', '?']) {
        true => fits(pattern, part),
        false => pattern == part,
    }
}

/// A verdict of the prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum PredictedStatus {
    /// The cache answers.
    Hit,
    /// It runs.
    Miss,
    /// It is looked up again by content once a stage that it copies from has run.
    Depends,
    /// It changes the config only: no step, no layer.
    Config,
    /// Nothing needs its stage.
    Skipped,
    /// Nothing can be said: there is an error here or above.
    #[default]
    Unknown,
}
