//! Two builds side by side.

use std::collections::BTreeSet;

use crate::build::report::Step;
use crate::engine::Build;
use crate::fs::{Fs, node_digest};
use crate::image::{Digest, Image, ImageConfig};
use crate::view::made::{seconds, status, summary};
use crate::view::{ComparedSide, ComparedStep, Comparison};

/// Aligns two builds step by step: steps with the same text belong together, whatever their place.
pub fn compare(before: &Build, after: &Build) -> Comparison {
    let (a, b) = (&before.report, &after.report);
    let pairs = align(&a.steps, &b.steps);
    let rows = pairs
        .iter()
        .map(|(left, right)| {
            let text = left
                .map(|at| &a.steps[at].text)
                .or(right.map(|at| &b.steps[at].text));
            ComparedStep {
                text: text.cloned().unwrap_or_default(),
                before: left.map(|at| side(at, &a.steps[at], a.image.as_ref())),
                after: right.map(|at| side(at, &b.steps[at], b.image.as_ref())),
                moved: match (left, right) {
                    (Some(left), Some(right)) => crosses(&pairs, *left, *right),
                    _ => false,
                },
            }
        })
        .collect();
    let images = a.image.as_ref().zip(b.image.as_ref());
    let layers = |image: &Image| -> BTreeSet<Digest> {
        image.layers.iter().map(|layer| layer.diff_id).collect()
    };
    Comparison {
        before: summary(before),
        after: summary(after),
        rows,
        same_image: images.is_some_and(|(a, b)| a.manifest_digest() == b.manifest_digest()),
        same_files: images.is_some_and(|(a, b)| same_files(a, b)),
        same_config: images.is_some_and(|(a, b)| same_config(a, b)),
        shared_layers: images.map_or(0, |(a, b)| {
            layers(a).intersection(&layers(b)).count() as u32
        }),
    }
}

/// Whether the final trees are the same, file by file, whatever their times.
pub fn same_files(a: &Image, b: &Image) -> bool {
    let (a, b) = (a.fs(), b.fs());
    node_digest(&a, Fs::ROOT) == node_digest(&b, Fs::ROOT)
}

/// Whether the configs are the same but for history and layers.
pub fn same_config(a: &Image, b: &Image) -> bool {
    let plain = |image: &Image| ImageConfig {
        history: Vec::new(),
        rootfs: Default::default(),
        ..image.config.clone()
    };
    plain(a) == plain(b)
}

fn side(at: usize, step: &Step, image: Option<&Image>) -> ComparedSide {
    let layer = step.layer.and_then(|layer| image?.layers.get(layer));
    ComparedSide {
        step: at,
        status: status(step.status),
        seconds: seconds(step.nanos),
        bytes: layer.map(|layer| layer.content_size),
    }
}

/// Pairs of indexes in the order of the second build; what only the first has stands where it
/// stood, behind the step before it.
fn align(a: &[Step], b: &[Step]) -> Vec<(Option<usize>, Option<usize>)> {
    let mut left: Vec<Option<usize>> = (0..a.len()).map(Some).collect();
    let partner = |step: &Step, left: &mut Vec<Option<usize>>| {
        let at = left.iter().position(|at| {
            at.is_some_and(|at| a[at].text == step.text && a[at].stage == step.stage)
        })?;
        left[at].take()
    };
    let mut rows: Vec<(Option<usize>, Option<usize>)> = b
        .iter()
        .enumerate()
        .map(|(at, step)| (partner(step, &mut left), Some(at)))
        .collect();
    for gone in left.into_iter().flatten() {
        let behind = rows
            .iter()
            .rposition(|(left, _)| left.is_some_and(|left| left < gone));
        rows.insert(behind.map_or(0, |at| at + 1), (Some(gone), None));
    }
    rows
}

/// Whether another pair crosses this one: it stands before it in the one build and behind it in
/// the other.
fn crosses(pairs: &[(Option<usize>, Option<usize>)], left: usize, right: usize) -> bool {
    pairs.iter().any(|pair| match pair {
        (Some(a), Some(b)) => (*a < left) != (*b < right) && *a != left,
        _ => false,
    })
}
