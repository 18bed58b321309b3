//! A build as a report to take along: JSON for programs, Markdown for a pull request.
//!
//! The JSON is described in `docs/report.md`; a change that readers would notice raises
//! [`VERSION`].

use serde_json::{Value, json};

use crate::engine::in_words;

use super::why::NOTHING_CHANGED;
use super::{BuildView, FileChangeView, LayerOrigin, StepStatus, StepView, WhyView};

/// The version of the JSON's form.
pub const VERSION: u32 = 1;

/// The report as JSON, two spaces a level, with a line end.
pub fn json(build: &BuildView, title: &str) -> String {
    let summary = &build.summary;
    let count = |status| {
        build
            .steps
            .iter()
            .filter(|step| step.status == status)
            .count()
    };
    let value = json!({
        "format": "layerwise-build-report",
        "version": VERSION,
        "title": title,
        "build": summary.number,
        "after": summary.after,
        "ok": summary.ok,
        "error": build.error.as_ref().map(|error| json!({
            "message": error.message, "lines": error.lines, "help": error.help,
        })),
        "seconds": summary.seconds,
        "secondsWithoutCache": build.timeline.uncached,
        "counts": {
            "steps": summary.steps,
            "cached": summary.cached,
            "ran": count(StepStatus::Done),
            "failed": count(StepStatus::Failed),
            "notReached": count(StepStatus::Skipped),
        },
        "criticalPath": build.timeline.critical,
        "steps": build.steps.iter().map(step).collect::<Vec<_>>(),
        "image": build.image.as_ref().map(|image| json!({
            "digest": image.digest,
            "configDigest": image.config_digest,
            "bytes": image.size,
            "hiddenBytes": image.hidden_bytes,
            "layers": image.layers.iter().map(|layer| json!({
                "diffId": layer.diff_id,
                "createdBy": layer.created_by,
                "bytes": layer.size,
                "tarBytes": layer.tar_size,
                "hiddenBytes": layer.hidden_bytes,
                "modelled": layer.modelled,
                "origin": match layer.origin {
                    LayerOrigin::Base => "base",
                    LayerOrigin::Cached => "cached",
                    LayerOrigin::Built => "built",
                },
                "step": layer.step,
                "added": layer.counts[0],
                "changed": layer.counts[1],
                "deleted": layer.counts[2],
            })).collect::<Vec<_>>(),
        })),
    });
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

fn step(step: &StepView) -> Value {
    json!({
        "name": step.name,
        "stage": step.stage,
        "lines": step.lines,
        "status": word(step.status),
        "start": step.start,
        "seconds": step.seconds,
        "savedSeconds": step.saved,
        "modelled": step.modelled,
        "layer": step.layer,
        "bytes": step.bytes,
        "why": why(&step.why),
    })
}

fn why(why: &WhyView) -> Value {
    json!({
        "because": why.because,
        "comparedWithBuild": why.earlier,
        "firstCause": why.first_cause,
        "key": why.frames.iter().map(|frame| json!({
            "part": frame.name, "value": frame.value, "before": frame.before,
        })).collect::<Vec<_>>(),
        "files": why.files.iter().map(|file| json!({
            "path": file.path, "before": file.before, "after": file.after,
        })).collect::<Vec<_>>(),
    })
}

fn word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Done => "ran",
        StepStatus::Cached => "cached",
        StepStatus::Failed => "failed",
        StepStatus::Skipped => "not reached",
    }
}

/// The report as Markdown.
pub fn markdown(build: &BuildView, title: &str) -> String {
    let summary = &build.summary;
    let mut out = format!(
        "### Build {}{}: {} of {} steps cached, {}\n\n",
        summary.number,
        match title {
            "" => String::new(),
            title => format!(" of {}", escaped(title)),
        },
        summary.cached,
        summary.steps,
        seconds(summary.seconds)
    );
    let mut facts = vec![format!("After: {}.", summary.after)];
    let saved = build.timeline.uncached - summary.seconds;
    if saved >= 0.05 {
        facts.push(format!(
            "Without the cache it would have taken {}.",
            seconds(build.timeline.uncached)
        ));
    }
    out += &facts.join(" ");
    out += "\n\n| step | status | seconds | layer | why |\n|---|---|--:|--:|---|\n";
    for step in &build.steps {
        out += &row(step);
    }
    if let Some(error) = &build.error {
        out += &format!("\n**Failed:** {}\n", code(&error.message));
        if let Some(help) = &error.help {
            out += &format!("{help}\n");
        }
    }
    let mut misses = build
        .steps
        .iter()
        .filter(|step| step.status != StepStatus::Cached);
    let files: Vec<&FileChangeView> = misses
        .find(|step| !step.why.files.is_empty())
        .map(|step| step.why.files.iter().collect())
        .unwrap_or_default();
    if !files.is_empty() {
        out += "\n| changed file | before | after |\n|---|---|---|\n";
        for file in files.iter().take(MOST_FILES) {
            let side =
                |side: &Option<String>| side.as_deref().map_or("–".into(), |s| code(short(s)));
            out += &format!(
                "| {} | {} | {} |\n",
                code(&file.path),
                side(&file.before),
                side(&file.after)
            );
        }
        if files.len() > MOST_FILES {
            out += &format!("\nand {} more\n", files.len() - MOST_FILES);
        }
    }
    if let Some(image) = &build.image {
        out += &format!(
            "\nImage {}: {} in {} layers",
            code(&image.digest),
            in_words(image.size),
            image.layers.len()
        );
        if image.hidden_bytes > 0 {
            out += &format!(
                ", {} of it hidden by layers above",
                in_words(image.hidden_bytes)
            );
        }
        out += ".\n";
    }
    if build.steps.iter().any(|step| step.modelled) {
        out += "\n≈ modelled rather than executed\n";
    }
    out
}

/// So many changed files are listed.
const MOST_FILES: usize = 20;

fn row(step: &StepView) -> String {
    let about = if step.modelled { "≈ " } else { "" };
    let size = step.bytes.map(in_words).unwrap_or_default();
    format!(
        "| {} | {} | {about}{} | {size} | {} |\n",
        code(&step.name),
        word(step.status),
        seconds(step.seconds),
        match step.status {
            StepStatus::Cached | StepStatus::Skipped => String::new(),
            _ if step.why.because == NOTHING_CHANGED => String::new(),
            _ => escaped(&step.why.because),
        },
    )
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}

/// The beginning of a digest, anything else whole.
fn short(text: &str) -> &str {
    match text.strip_prefix("sha256:") {
        Some(hex) => hex.get(..12).unwrap_or(hex),
        None => text,
    }
}

/// A text as code, also in a cell.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|").replace(['\n', '\r'], " ");
    // As many backticks around as none of a row inside has.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    match text.contains('`') {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}

/// A text that is no markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if "\\`*_{}[]<>#|~".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out.replace(['\n', '\r'], " ")
}
