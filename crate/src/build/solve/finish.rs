//! The end of a build: its report and its image.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Builder;
use crate::base64;
use crate::build::cache::{Cache, Record, RecordId, Way};
use crate::build::explain::{Explainer, Known, Verdict};
use crate::build::key::Frames;
use crate::build::op::Op;
use crate::build::plan::PlannedImage;
use crate::build::remote::{Exported, Held, Mode, is_below};
use crate::build::report::{Report, Status, Step};
use crate::build::snapshot::BuiltLayer;
use crate::fs::Clock;
use crate::image::{History, Image, ImageConfig, Platform};
use crate::run::{Fidelity, Outcome};

impl Builder {
    /// The outcome, the cache with what the build added, and the clock. An unfinished build has
    /// failed without an error.
    pub fn finish(mut self) -> (Report, Cache, Clock) {
        let succeeded = self.error.is_none() && self.over;
        let caches = if succeeded { self.export() } else { Vec::new() };
        let mut platforms = Vec::new();
        if succeeded {
            let images = self.job.plan.images.iter();
            platforms.extend(images.map(|image| (oci(&image.platform), self.image(image))));
        }
        let image = platforms.first().map(|(_, image)| image.clone());
        if self.job.options.more_platforms.is_empty() {
            platforms.clear();
        }
        self.forget_imports();
        let mut steps = Vec::new();
        let mut explainer = Explainer::new(&self.job.plan, &self.before);
        let nanos = self
            .edges
            .iter()
            .map(|edge| edge.start + edge.nanos)
            .max()
            .unwrap_or(0);
        let layers = self.target_layers();
        for (at, vertex) in self.job.plan.vertices.iter().enumerate() {
            let edge = &self.edges[at];
            let missed = edge.ran || edge.status == Some(Status::Failed);
            let contents = if missed {
                self.contents(at)
            } else {
                Vec::new()
            };
            let verdict = match (&edge.record, missed) {
                (_, true) => Verdict::Miss,
                (Some(_), false) => Verdict::Hit,
                (None, false) => Verdict::NotAsked,
            };
            let frames = match &edge.frames {
                Some(frames) => frames.clone(),
                None if missed => self.full_frames(at),
                None => Frames::from_list(vertex.frames.clone()),
            };
            let why = explainer.explain(
                at,
                Known {
                    verdict,
                    frames,
                    contents: &contents,
                    hit: edge.record.as_ref(),
                    known: self.knew(at),
                },
            );
            if vertex.internal {
                continue;
            }
            let made = edge.result.as_ref().and_then(|result| result.layers.last());
            let layer = made
                .filter(|_| !matches!(vertex.op, Op::Image(_)))
                .and_then(|made| layers.iter().position(|layer| Arc::ptr_eq(layer, made)));
            let outcome = edge.outcome.clone();
            steps.push(Step {
                vertex: at,
                name: vertex.name.clone(),
                text: vertex.text.clone(),
                stage: vertex.stage.clone(),
                number: vertex.number,
                lines: vertex.lines.clone(),
                instructions: vertex.instructions.clone(),
                status: edge.status.unwrap_or(Status::Skipped),
                start: edge.start,
                nanos: edge.nanos,
                saved: edge
                    .record
                    .as_ref()
                    .filter(|_| !edge.ran)
                    .map(|record| record.nanos),
                modelled: outcome.as_ref().is_some_and(is_modelled),
                layer,
                result: edge.result.clone().or(edge.partial.clone()),
                log: outcome.as_ref().map(|o| o.log.clone()).unwrap_or_default(),
                commands: outcome.map(|o| o.commands).unwrap_or_default(),
                why,
            });
        }
        let report = Report {
            build: self.build,
            steps,
            image,
            error: self.error,
            caches,
            platforms,
            nanos,
        };
        (report, self.job.cache, self.job.clock)
    }

    /// The layers of the first platform's image.
    fn target_layers(&self) -> Vec<Arc<BuiltLayer>> {
        let target = self.job.plan.images.first().and_then(|image| image.target);
        let result = target.and_then(|target| self.edges[target].result.as_ref());
        result
            .map(|result| result.layers.clone())
            .unwrap_or_default()
    }

    /// The caches that are asked for.
    fn export(&mut self) -> Vec<Exported> {
        let targets: Vec<usize> = self.job.plan.targets().collect();
        for target in &targets {
            if let Some(result) = &self.edges[*target].result {
                self.job.cache.note_exported(result.clone());
            }
        }
        let modes = self.job.options.cache_to.iter();
        modes.map(|mode| self.export_of(&targets, *mode)).collect()
    }

    fn export_of(&self, targets: &[usize], mode: Mode) -> Exported {
        let vertices = &self.job.plan.vertices;
        let mut order = targets.to_vec();
        let mut next = 0;
        while let Some(at) = order.get(next) {
            next += 1;
            for input in &vertices[*at].inputs {
                if !order.contains(input) {
                    order.push(*input);
                }
            }
        }
        let held = order.iter().map(|at| Held {
            keys: self.known_keys(*at).to_vec(),
            record: self.held(*at).filter(|_| !vertices[*at].inputs.is_empty()),
            target: targets.contains(at),
        });
        let held: Vec<Held> = held.collect();
        self.job.cache.export(&held, mode)
    }

    /// The record of a vertex that was made or found.
    fn held(&self, at: usize) -> Option<Arc<Record>> {
        let edge = &self.edges[at];
        let saved = edge.saved.and_then(|id| self.job.cache.record(id));
        saved.or(edge.record.as_ref()).cloned()
    }

    /// Of what was imported, keeps what was loaded, and the ways by which it was found.
    fn forget_imports(&mut self) {
        let Some(local) = self.local.take() else {
            return;
        };
        let plan = self.job.plan.clone();
        let mut ways: BTreeSet<Way> = BTreeSet::new();
        let mut kept: BTreeSet<RecordId> = BTreeSet::new();
        for top in 0..self.edges.len() {
            let Some(result) = self.edges[top].result.clone() else {
                continue;
            };
            let mut below = vec![top];
            let mut seen = BTreeSet::new();
            while let Some(at) = below.pop() {
                if !seen.insert(at) {
                    continue;
                }
                let vertex = &plan.vertices[at];
                let record = self
                    .held(at)
                    .filter(|record| is_below(&record.result, &result));
                kept.extend(record.map(|record| record.id));
                for (number, input) in vertex.inputs.iter().enumerate() {
                    below.push(*input);
                    for from in self.input_keys(at, number) {
                        let to = self.known_keys(at).iter();
                        ways.extend(to.map(|to| (from, number as u32, vertex.key, *to)));
                    }
                }
            }
        }
        for id in self.imported.iter().filter(|id| !kept.contains(id)) {
            self.job.cache.remove(*id);
        }
        self.job.cache.forget_keys(&local, &ways);
    }

    fn image(&self, planned: &PlannedImage) -> Image {
        let mut config = planned.config.clone();
        config.inline_cache = None;
        let result = planned.target.and_then(|target| {
            let result = self.edges[target].result.as_ref()?;
            Some((target, result))
        });
        let Some((target, result)) = result else {
            account_for_layers(&mut config, 0);
            return Image::from_parts(config, Vec::new(), Vec::new());
        };
        account_for_layers(&mut config, result.layers.len());
        if self.job.options.cache_to.contains(&Mode::Inline) {
            let cache = self.export_of(&[target], Mode::Inline);
            if cache.keys() > 0 {
                let created = self.job.options.created().unwrap_or_default();
                config.inline_cache = Some(base64::encode(&cache.inline(&result.layers, &created)));
            }
        }
        let layers = result.layers.iter().map(|layer| layer.layer().clone());
        Image::from_parts(config, layers.collect(), result.trees.clone())
    }
}

/// Makes the history speak of as many layers as there are: that of a base image may be missing.
/// (BuildKit: `normalizeLayersAndHistory`.)
fn account_for_layers(config: &mut ImageConfig, layers: usize) {
    let created = config.created.clone();
    let with_layer = config.history.iter_mut().filter(|item| !item.empty_layer);
    let told = with_layer
        .skip(layers)
        .map(|item| item.empty_layer = true)
        .count();
    let told = if told > 0 {
        layers
    } else {
        config
            .history
            .iter()
            .filter(|item| !item.empty_layer)
            .count()
    };
    for _ in told..layers {
        config.history.push(History {
            created: created.clone(),
            created_by: "created by buildkit".into(),
            author: String::new(),
            comment: "buildkit.exporter.image.v0".into(),
            empty_layer: false,
        });
    }
}

/// The platform as an index names it.
fn oci(platform: &crate::dockerfile::platform::Platform) -> Platform {
    let platform = platform.normalized();
    Platform {
        variant: (!platform.variant.is_empty()).then_some(platform.variant),
        architecture: platform.architecture,
        os: platform.os,
    }
}

fn is_modelled(outcome: &Outcome) -> bool {
    outcome
        .commands
        .iter()
        .any(|command| command.fidelity != Fidelity::Executed)
}
