//! A build that is over, as the page shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::build::report::{Report, Status, Step};
use crate::engine::Build;
use crate::image::{Digest, Image};
use crate::run;

use super::stack::Stack;
use super::timeline::timeline;
use super::why::{Around, why};
use super::{
    BuildSummary, BuildView, CommandView, ErrorView, Fidelity, ImageView, LayerOrigin, LayerView,
    LogLine, StepStatus, StepView,
};

/// Simulated nanoseconds as seconds.
pub fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// A build, shortly.
pub fn summary(build: &Build) -> BuildSummary {
    let report = &build.report;
    BuildSummary {
        number: build.number,
        ok: report.ok(),
        cached: report.cached() as u32,
        steps: report.steps.len() as u32,
        seconds: seconds(report.nanos),
        after: build.after.clone(),
        digest: report
            .image
            .as_ref()
            .map(|image| image.manifest_digest().to_string()),
    }
}

/// A build in full; `earlier` are the builds before it.
pub fn build(build: &Build, earlier: &[Arc<Build>]) -> BuildView {
    let report = &build.report;
    BuildView {
        summary: summary(build),
        error: report.error.as_ref().map(|error| ErrorView {
            message: error.message.clone(),
            lines: error
                .lines
                .iter()
                .map(|lines| [lines.first, lines.last])
                .reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])]),
            help: error.help.clone(),
        }),
        steps: steps(report),
        timeline: timeline(report, build.plan.as_deref()),
        image: report
            .image
            .as_ref()
            .map(|image| image_view(image, report, earlier)),
        dockerfile: build
            .workspace
            .dockerfile()
            .unwrap_or_default()
            .into_owned(),
        current: false,
    }
}

fn steps(report: &Report) -> Vec<StepView> {
    let steps = report.steps.iter().enumerate();
    let index = crate::order::map(steps.map(|(at, step)| (step.vertex, at)));
    let step_of = |vertex: usize| index.get(&vertex).copied();
    report
        .steps
        .iter()
        .map(|step| {
            let around = Around {
                text: &step.text,
                step_of: &step_of,
                over: true,
            };
            step_view(step, report.image.as_ref(), why(&step.why, &around))
        })
        .collect()
}

fn step_view(step: &Step, image: Option<&Image>, why: super::WhyView) -> StepView {
    let lines = step
        .lines
        .iter()
        .map(|lines| [lines.first, lines.last])
        .next()
        .unwrap_or_default();
    StepView {
        name: step.name.clone(),
        number: step.number.map(|(number, _)| number),
        instruction: step.instructions.first().copied(),
        lines,
        stage: step.stage.clone(),
        status: status(step.status),
        start: seconds(step.start),
        seconds: seconds(step.nanos),
        saved: step.saved.map(seconds),
        modelled: step.modelled,
        layer: step.layer,
        bytes: step
            .layer
            .and_then(|layer| image?.layers.get(layer))
            .map(|layer| layer.content_size),
        why,
        log: step
            .log
            .iter()
            .map(|line| LogLine {
                at: seconds(line.nanos),
                stderr: line.stream == run::Stream::Stderr,
                text: line.text.clone(),
            })
            .collect(),
        commands: step
            .commands
            .iter()
            .map(|command| CommandView {
                text: command.args.join(" "),
                seconds: seconds(command.nanos),
                fidelity: match command.fidelity {
                    run::Fidelity::Executed => Fidelity::Executed,
                    run::Fidelity::Modelled => Fidelity::Modelled,
                    run::Fidelity::NotSimulated => Fidelity::NotSimulated,
                },
            })
            .collect(),
    }
}

/// What became of a step.
pub fn status(status: Status) -> StepStatus {
    match status {
        Status::Done => StepStatus::Done,
        Status::Cached => StepStatus::Cached,
        Status::Failed => StepStatus::Failed,
        Status::Skipped => StepStatus::Skipped,
    }
}

fn image_view(image: &Image, report: &Report, earlier: &[Arc<Build>]) -> ImageView {
    let hidden = Stack::of_image(image).hidden_bytes();
    let created_by: Vec<&str> = image
        .config
        .history
        .iter()
        .filter(|entry| !entry.empty_layer)
        .map(|entry| entry.created_by.as_str())
        .collect();
    let holders = holders(earlier);
    let layers: Vec<LayerView> = image
        .layers
        .iter()
        .enumerate()
        .map(|(at, layer)| {
            let step = report.steps.iter().position(|step| step.layer == Some(at));
            let mut counts = [0; 3];
            for change in layer.changes.iter() {
                use crate::fs::{Change, Reason};
                match change {
                    Change::Put { reason, .. } => match reason {
                        Reason::Added => counts[0] += 1,
                        Reason::Changed => counts[1] += 1,
                        Reason::Parent => {}
                    },
                    Change::Whiteout { .. } => counts[2] += 1,
                }
            }
            LayerView {
                diff_id: layer.diff_id.to_string(),
                created_by: created_by
                    .get(at)
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                size: layer.content_size,
                tar_size: layer.size,
                modelled: layer.modelled,
                origin: match step.map(|step| report.steps[step].status) {
                    None => LayerOrigin::Base,
                    Some(Status::Cached) => LayerOrigin::Cached,
                    Some(_) => LayerOrigin::Built,
                },
                step,
                counts,
                hidden_bytes: hidden.get(at).copied().unwrap_or(0),
                shared_with: holders.get(&layer.diff_id).cloned().unwrap_or_default(),
            }
        })
        .collect();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ImageView {
        digest: image.manifest_digest().to_string(),
        config_digest: image.id().to_string(),
        config: pretty(&image.config_json),
        manifest: text(&image.manifest().to_json_bytes()),
        size: image.size(),
        hidden_bytes: hidden.iter().sum(),
        layers,
    }
}

/// JSON with two spaces a level.
fn pretty(json: &[u8]) -> String {
    serde_json::from_slice::<serde_json::Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| String::from_utf8_lossy(json).into_owned())
}

/// Which builds' images hold each layer.
fn holders(builds: &[Arc<Build>]) -> BTreeMap<Digest, Vec<u32>> {
    let mut holders: BTreeMap<Digest, Vec<u32>> = BTreeMap::new();
    for build in builds {
        for layer in build.report.image.iter().flat_map(|image| &image.layers) {
            let numbers = holders.entry(layer.diff_id).or_default();
            if numbers.last() != Some(&build.number) {
                numbers.push(build.number);
            }
        }
    }
    holders
}
