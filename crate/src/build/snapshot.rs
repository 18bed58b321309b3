//! What a step leaves behind: a tree and the layers that make it.

use std::sync::{Arc, OnceLock};

use crate::fs::{Change, Fs, Time, apply, diff};
use crate::image::{Image, Layer};

/// A filesystem with the layers that it is made of. A clone shares everything.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The tree.
    pub fs: Fs,
    /// The layers, the lowest first.
    pub layers: Vec<Arc<BuiltLayer>>,
    /// The tree after each layer.
    pub trees: Vec<Fs>,
}

/// One layer of a snapshot. Its tar is written and hashed when somebody first asks: layers of
/// stages that do not reach the image never are.
#[derive(Debug)]
pub struct BuiltLayer {
    /// The tree below.
    pub lower: Fs,
    /// The tree with the layer.
    pub upper: Fs,
    /// Later times are set back to this when the tar is written.
    clamp: Option<Time>,
    layer: OnceLock<Layer>,
}

impl BuiltLayer {
    /// What leads from `lower` to `upper`, later times set back to `clamp`.
    pub fn between(lower: Fs, upper: Fs, clamp: Option<Time>) -> BuiltLayer {
        BuiltLayer {
            lower,
            upper,
            clamp,
            layer: OnceLock::new(),
        }
    }

    /// The layer with its digest.
    pub fn layer(&self) -> &Layer {
        self.layer
            .get_or_init(|| Layer::from_changes(diff(&self.lower, &self.upper), self.clamp))
    }

    /// What the layer changes, without its digest.
    pub fn changes(&self) -> Vec<Change> {
        match self.layer.get() {
            Some(layer) => layer.changes.to_vec(),
            None => diff(&self.lower, &self.upper),
        }
    }

    /// The layer, if somebody has asked for it before.
    pub fn known(&self) -> Option<&Layer> {
        self.layer.get()
    }
}

impl Snapshot {
    /// An image's tree and layers.
    pub fn of_image(image: &Image) -> Snapshot {
        let mut lower = Fs::empty();
        let mut layers = Vec::with_capacity(image.layers.len());
        for (layer, fs) in image.layers.iter().zip(&image.snapshots) {
            layers.push(Arc::new(BuiltLayer {
                lower: std::mem::replace(&mut lower, fs.clone()),
                upper: fs.clone(),
                clamp: None,
                layer: OnceLock::from(layer.clone()),
            }));
        }
        Snapshot {
            fs: lower,
            layers,
            trees: image.snapshots.clone(),
        }
    }

    /// This with one more layer on top, which leads to `fs`.
    pub fn with_layer(&self, fs: Fs, clamp: Option<Time>) -> Snapshot {
        let layer = BuiltLayer::between(self.fs.clone(), fs.clone(), clamp);
        let mut next = self.clone();
        next.layers.push(Arc::new(layer));
        next.trees.push(fs.clone());
        next.fs = fs;
        next
    }

    /// This with the layers of another snapshot, which know nothing of it, on top
    /// (BuildKit: merge).
    ///
    /// # Errors
    /// As [`apply`].
    pub fn merged_with(&self, other: &Snapshot) -> crate::fs::Result<Snapshot> {
        let mut merged = self.clone();
        for layer in &other.layers {
            let changes: &[Change] = &layer.layer().changes;
            merged.fs = apply(&merged.fs, changes)?;
            merged.layers.push(layer.clone());
            merged.trees.push(merged.fs.clone());
        }
        Ok(merged)
    }
}
