//! Two builds side by side.

use std::collections::BTreeSet;

use crate::build::report::Step;
use crate::engine::Build;
use crate::fs::{Fs, Ino, Kind, node_digest};
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
        crate::order::set(image.layers.iter().map(|layer| layer.diff_id))
    };
    Comparison {
        before: summary(before),
        after: summary(after),
        rows,
        same_image: images.is_some_and(|(a, b)| a.manifest_digest() == b.manifest_digest()),
        same_files: same_files(before, after),
        same_config: images.is_some_and(|(a, b)| same_config(a, b)),
        shared_layers: images.map_or(0, |(a, b)| {
            layers(a).intersection(&layers(b)).count() as u32
        }),
    }
}

/// Whether the final trees are the same, file by file, whatever their times. A copy of the
/// Dockerfile itself in the image may differ as the two Dockerfiles do.
pub fn same_files(a: &Build, b: &Build) -> bool {
    let (Some(x), Some(y)) = (&a.report.image, &b.report.image) else {
        return false;
    };
    let text = |build: &Build| {
        build
            .workspace
            .dockerfile()
            .unwrap_or_default()
            .into_owned()
    };
    let texts = (text(a), text(b));
    same_nodes((&x.fs(), Fs::ROOT), (&y.fs(), Fs::ROOT), &texts)
}

fn same_nodes(a: (&Fs, Ino), b: (&Fs, Ino), texts: &(String, String)) -> bool {
    if node_digest(a.0, a.1) == node_digest(b.0, b.1) {
        return true;
    }
    let (x, y) = (a.0.inode(a.1), b.0.inode(b.1));
    if !x.meta.same_but_time(&y.meta) {
        return false;
    }
    match (&x.kind, &y.kind) {
        (Kind::File(x), Kind::File(y)) => {
            x.bytes() == texts.0.as_bytes() && y.bytes() == texts.1.as_bytes()
        }
        (Kind::Dir(x), Kind::Dir(y)) => {
            x.len() == y.len()
                && x.iter()
                    .zip(y.iter())
                    .all(|((name, left), (other, right))| {
                        name == other && same_nodes((a.0, *left), (b.0, *right), texts)
                    })
        }
        _ => false,
    }
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
