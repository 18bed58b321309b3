//! Expectations: what shall be seen after an act.

use std::fmt;

use crate::view::ChangeKind;

use super::act::nearest;
use super::words::{bytes, seconds};

/// One expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// Its line in the play, from 1.
    pub line: u32,
    /// As written.
    pub text: String,
    /// What is expected.
    pub what: What,
}

/// What is expected. Texts are contained in what is seen, they need not be all of it.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The build comes to its end.
    Done,
    /// The build fails.
    Fails,
    /// The act is refused, with a message that has the text.
    Refused(String),
    /// The build fails with this text in its message.
    Error(String),
    /// The error points at this line of the Dockerfile.
    ErrorLine(u32),
    /// What would help has this text.
    Help(String),
    /// The cache answers these steps.
    Hit(Vec<StepRef>),
    /// These steps run; the reason has the text.
    Miss(Vec<StepRef>, Option<String>),
    /// These steps are not reached.
    Skipped(Vec<StepRef>),
    /// This step fails.
    Failed(StepRef),
    /// So many steps hit.
    Hits(u32),
    /// So many steps run.
    Misses(u32),
    /// The build, or a step of it, takes so long.
    Takes(Range, Option<StepRef>),
    /// The image is so large.
    Size(Range),
    /// So many bytes are in the image that no file of it needs.
    Hidden(Range),
    /// The layer of a step is so large.
    LayerSize(StepRef, Range),
    /// The layer of a step lists the path so; `None`: not at all.
    Layer(StepRef, Option<ChangeKind>, String),
    /// The layer of a step lists nothing.
    LayerEmpty(StepRef),
    /// The image has the path.
    Has(String),
    /// The image has not got the path.
    Lacks(String),
    /// The log of a step has the text.
    Log(StepRef, String),
    /// The build check warns.
    Warning(String),
    /// No build check warns.
    NoWarnings,
    /// The image is the same as that of the build with this number.
    SameImage(u32),
    /// The image is another.
    OtherImage(u32),
    /// The final trees are the same, file by file.
    SameFiles(u32),
    /// The image's manifest has this digest.
    Digest(String),
    /// So many files of the context are sent.
    Sends(u32),
    /// A better order with this text in its title is offered.
    Offers(String),
    /// No better order is offered.
    OffersNothing,
}

/// A step, as a play names it.
#[derive(Clone, Debug, PartialEq)]
pub enum StepRef {
    /// The number in `[3/6]`.
    Number(u32),
    /// The beginning of its name or of its instruction.
    Text(String),
}

/// From the least to the most; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least.
    pub from: f64,
    /// The most.
    pub to: f64,
}

impl Range {
    /// Whether the value is in it.
    pub fn has(self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }

    /// `30..50`, `..2`, `30..`, or a single value.
    fn parse(text: &str, read: fn(&str) -> Option<f64>) -> Option<Range> {
        let Some((from, to)) = text.split_once("..") else {
            let value = read(text)?;
            return Some(Range {
                from: value,
                to: value,
            });
        };
        let end = |text: &str, open: f64| match text.trim() {
            "" => Some(open),
            text => read(text),
        };
        Some(Range {
            from: end(from, 0.0)?,
            to: end(to, f64::INFINITY)?,
        })
    }
}

impl fmt::Display for StepRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepRef::Number(number) => write!(f, "step {number}"),
            StepRef::Text(text) => write!(f, "`{text}`"),
        }
    }
}

impl StepRef {
    fn parse(text: &str) -> StepRef {
        let text = text.trim();
        match text.parse() {
            Ok(number) => StepRef::Number(number),
            Err(_) => StepRef::Text(text.to_string()),
        }
    }

    /// Several, with a comma and a blank between them. A comma within an instruction is not
    /// followed by what a step begins with: a number, a bracket or a word in capitals.
    fn parse_all(text: &str) -> Vec<StepRef> {
        let mut parts: Vec<String> = Vec::new();
        for part in text.split(", ") {
            let begins = part.starts_with(|c: char| c.is_ascii_digit() || c == '[')
                || part.split(' ').next().is_some_and(|word| {
                    !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase())
                });
            match parts.last_mut() {
                Some(last) if !begins => {
                    last.push_str(", ");
                    last.push_str(part);
                }
                _ => parts.push(part.to_string()),
            }
        }
        parts.iter().map(|part| StepRef::parse(part)).collect()
    }
}

const VERBS: &[&str] = &[
    "done", "fails", "refused", "error", "help", "hit", "miss", "skipped", "failed", "hits",
    "misses", "takes", "size", "hidden", "layer", "image", "log", "warning", "no", "same", "other",
    "digest", "sends", "offers",
];

/// Reads the line of an expectation.
///
/// # Errors
/// What is wrong with it, and what is right.
pub fn parse(line: &str) -> Result<What, String> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let text = || match rest {
        "" => Err(format!("something must stand behind `{verb}`")),
        rest => Ok(rest.to_string()),
    };
    let number = |text: &str| {
        text.parse::<u32>()
            .map_err(|_| format!("`{text}` is no number"))
    };
    let steps = || text().map(|text| StepRef::parse_all(&text));
    let size = |text: &str| {
        Range::parse(text, bytes).ok_or_else(|| format!("`{text}` is no size, such as 60MB..80MB"))
    };
    let build = |text: &str| number(text.strip_prefix("build ").unwrap_or(text));
    match verb {
        "done" if rest.is_empty() => Ok(What::Done),
        "fails" if rest.is_empty() => Ok(What::Fails),
        "refused" => Ok(What::Refused(rest.to_string())),
        "error" => match rest.strip_prefix("on line ") {
            Some(line) => number(line).map(What::ErrorLine),
            None => text().map(What::Error),
        },
        "help" => text().map(What::Help),
        "hit" => steps().map(What::Hit),
        "skipped" => steps().map(What::Skipped),
        "failed" => text().map(|text| What::Failed(StepRef::parse(&text))),
        "miss" => match rest.split_once(" because ") {
            Some((steps, why)) => Ok(What::Miss(
                StepRef::parse_all(steps),
                Some(why.trim().to_string()),
            )),
            None => steps().map(|steps| What::Miss(steps, None)),
        },
        "hits" => number(rest).map(What::Hits),
        "misses" => number(rest).map(What::Misses),
        "takes" => {
            let (range, step) = rest.split_once(' ').unwrap_or((rest, ""));
            let range = Range::parse(range, seconds)
                .ok_or_else(|| format!("`{range}` are no seconds, such as 30..50"))?;
            Ok(What::Takes(
                range,
                (!step.is_empty()).then(|| StepRef::parse(step)),
            ))
        }
        "size" => size(rest).map(What::Size),
        "hidden" => size(rest).map(What::Hidden),
        "layer" => parse_layer(rest),
        "image" => match rest.split_once(' ') {
            Some(("has", path)) => Ok(What::Has(path.trim_matches('/').to_string())),
            Some(("lacks", path)) => Ok(What::Lacks(path.trim_matches('/').to_string())),
            _ => Err("write image has PATH, or image lacks PATH".into()),
        },
        "log" => match rest.split_once(" has ") {
            Some((step, text)) => Ok(What::Log(StepRef::parse(step), text.to_string())),
            None => Err("write log STEP has TEXT".into()),
        },
        "warning" => text().map(What::Warning),
        "no" if rest == "warnings" => Ok(What::NoWarnings),
        "same" => match rest.split_once(" as ") {
            Some(("image", which)) => build(which).map(What::SameImage),
            Some(("files", which)) => build(which).map(What::SameFiles),
            _ => Err("write same image as build 1, or same files as build 1".into()),
        },
        "other" => match rest.split_once(" than ") {
            Some(("image", which)) => build(which).map(What::OtherImage),
            _ => Err("write other image than build 1".into()),
        },
        "digest" => text().map(What::Digest),
        "sends" => {
            number(rest.trim_end_matches(" files").trim_end_matches(" file")).map(What::Sends)
        }
        "offers" if rest == "nothing" => Ok(What::OffersNothing),
        "offers" => text().map(What::Offers),
        _ => Err(format!(
            "there is no expectation `{verb}`; {}",
            nearest(verb, VERBS)
        )),
    }
}

fn parse_layer(rest: &str) -> Result<What, String> {
    if let Some(step) = rest.strip_suffix(" is empty") {
        return Ok(What::LayerEmpty(StepRef::parse(step)));
    }
    let kinds = [
        (" adds ", Some(ChangeKind::Added)),
        (" changes ", Some(ChangeKind::Changed)),
        (" deletes ", Some(ChangeKind::Deleted)),
        (" lacks ", None),
    ];
    for (verb, kind) in kinds {
        if let Some((step, path)) = rest.rsplit_once(verb) {
            let path = path.trim().trim_matches('/').to_string();
            return Ok(What::Layer(StepRef::parse(step), kind, path));
        }
    }
    if let Some((step, range)) = rest.rsplit_once(' ')
        && let Some(range) = Range::parse(range, bytes)
    {
        return Ok(What::LayerSize(StepRef::parse(step), range));
    }
    Err("write layer STEP adds PATH (or changes, deletes, lacks), layer STEP is empty, or layer STEP 1MB..2MB".into())
}
