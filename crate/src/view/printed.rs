//! A build as text: what the real tools print, and reports to take along.

use serde::{Deserialize, Serialize};

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum Text {
    /// `docker build --progress=plain`.
    Plain,
    /// `docker build` in a terminal, when it is over.
    Tty,
    /// `docker history` of the image.
    History,
    /// `docker history --no-trunc` of it.
    HistoryWhole,
    /// `docker history` of what the classic builder makes of the same workspace.
    Classic,
    /// `docker history --no-trunc` of that.
    ClassicWhole,
    /// `docker inspect` of the image.
    Inspect,
    /// The image's config, byte for byte.
    Config,
    /// Its manifest, byte for byte.
    Manifest,
    /// The build as JSON, as `docs/report.md` describes it.
    Json,
    /// The build as Markdown.
    Markdown,
}

/// A text with the steps that its lines speak of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct TextView {
    /// A file name to save it under.
    pub name: String,
    /// The text.
    pub text: String,
    /// The SHA-256 of its bytes, where it is a blob of the image.
    pub digest: Option<String>,
    /// Runs of lines that belong together, from the top; all lines are in one of them.
    pub runs: Vec<TextRun>,
}

/// Lines that speak of the same step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct TextRun {
    /// How many lines.
    pub lines: u32,
    /// The step's index.
    pub step: Option<usize>,
}

impl TextView {
    /// A text of which no line speaks of a step.
    pub fn plain(name: impl Into<String>, text: String) -> TextView {
        let lines = text.lines().count() as u32;
        TextView {
            name: name.into(),
            runs: vec![TextRun { lines, step: None }],
            text,
            digest: None,
        }
    }

    /// A text with the step of each line.
    pub fn of_steps(name: impl Into<String>, text: String, steps: &[Option<usize>]) -> TextView {
        let mut runs: Vec<TextRun> = Vec::new();
        for step in steps {
            match runs.last_mut() {
                Some(run) if run.step == *step => run.lines += 1,
                _ => runs.push(TextRun {
                    lines: 1,
                    step: *step,
                }),
            }
        }
        TextView {
            name: name.into(),
            text,
            digest: None,
            runs,
        }
    }
}
