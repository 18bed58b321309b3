//! Cache keys in plain words.

use crate::build::explain::{Cause, ComparedFrame, Verdict, Why};
use crate::build::key::Part;

use super::{FileChangeView, FrameView, WhyView};

/// Why the cache answered.
pub const NOTHING_CHANGED: &str = "nothing in its key changed";

/// What is known of the build that a key belongs to.
pub struct Around<'a> {
    /// The step's text: `COPY . .`.
    pub text: &'a str,
    /// The index of the step that a vertex is, where it is one that is shown.
    pub step_of: &'a dyn Fn(usize) -> Option<usize>,
    /// Whether the build is over; otherwise it is a prediction.
    pub over: bool,
}

/// Why a step hit or missed.
pub fn why(why: &Why, around: &Around<'_>) -> WhyView {
    let because = because(why, around.over);
    let text = around.text;
    let headline = match (why.verdict, around.over) {
        (Verdict::Hit, over) => {
            let was = if over { "was" } else { "will be" };
            let why = match why.earlier {
                Some(0) | None => because.clone(),
                Some(build) => {
                    format!("build {build} made it, and every part of its key is the same")
                }
            };
            format!("{text} {was} cached: {why}")
        }
        (Verdict::Miss, true) => format!("{text} missed because {because}"),
        (Verdict::Miss, false) => format!("{text} will miss because {because}"),
        (Verdict::Depends, _) => {
            format!("{text} will be looked up by content once what it copies from has run")
        }
        (Verdict::NotAsked, _) => format!("The cache was not asked for {text}"),
    };
    WhyView {
        headline,
        because,
        earlier: why.earlier,
        first_cause: why.causes.iter().find_map(|cause| match cause {
            Cause::ParentMissed { first, .. } => (around.step_of)(*first),
            _ => None,
        }),
        frames: why.frames.iter().map(frame).collect(),
        files: why
            .causes
            .iter()
            .flat_map(|cause| match cause {
                Cause::ContentChanged { files } => files.as_slice(),
                _ => &[],
            })
            .map(|file| FileChangeView {
                path: file.path.clone(),
                before: file.old.clone(),
                after: file.new.clone(),
            })
            .collect(),
        not_in_key: why.not_in_key.iter().map(ToString::to_string).collect(),
    }
}

/// The cause in few words, to follow "because" after a miss.
pub fn because(why: &Why, over: bool) -> String {
    match why.verdict {
        Verdict::Hit if why.earlier == Some(0) => "the imported cache has it".to_string(),
        Verdict::Hit => NOTHING_CHANGED.to_string(),
        Verdict::Depends => "a stage that it copies from runs first".to_string(),
        Verdict::NotAsked => String::new(),
        Verdict::Miss => match why.causes.first() {
            // A step below that ran is no reason where nothing of the kind was there before.
            Some(Cause::ParentMissed { .. }) if why.earlier.is_none() => {
                Cause::NeverBuilt.to_string()
            }
            Some(Cause::ParentMissed { step, .. }) => {
                let again = if over { "ran again" } else { "will run again" };
                format!("{} {again}", step_name(step))
            }
            Some(cause) => cause.to_string(),
            None => "nothing like it is in the cache".to_string(),
        },
    }
}

/// `[3/6] COPY . .` as `step 3 (COPY . .)`; `[build 2/4] RUN x` as `step build 2 (RUN x)`.
fn step_name(name: &str) -> String {
    let parts = name
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
        .and_then(|(place, text)| Some((place.rsplit_once('/')?.0, text)));
    match parts {
        Some((place, text)) => format!("step {place} ({text})"),
        None => name.to_string(),
    }
}

fn frame(frame: &ComparedFrame) -> FrameView {
    let part = match frame.part {
        Part::Operation => "operation",
        Part::Argument => "command",
        Part::Variable => "environment",
        Part::WorkingDirectory => "working directory",
        Part::User => "user",
        Part::Network => "network",
        Part::Security => "security",
        Part::Platform => "platform",
        Part::Mount => "mount",
        Part::Option => "option",
        Part::Source => "source",
        Part::Image => "image",
        Part::Inline => "inline file",
        Part::Parent => "parent",
        Part::Content => "content",
    };
    let named = |value: &str| match frame.part {
        Part::Variable => format!("{}={value}", frame.name),
        Part::Mount | Part::Option if !frame.name.is_empty() => format!("{} {value}", frame.name),
        Part::Parent if !frame.name.is_empty() => format!("{} {value}", frame.name),
        _ => value.to_string(),
    };
    FrameView {
        name: part.to_string(),
        value: frame.value.as_deref().map(named).unwrap_or_default(),
        before: match (&frame.before, frame.differs) {
            (Some(before), _) => Some(named(before)),
            (None, true) => Some(String::new()),
            (None, false) => None,
        },
    }
}
