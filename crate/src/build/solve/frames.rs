//! The readable key of a vertex, and the files that it is made from.

use super::Builder;
use crate::build::cache::SeenContent;
use crate::build::content::select;
use crate::build::key::{Frames, Part};
use crate::build::op::Op;
use crate::fs::Fs;
use crate::image::Digest;

impl Builder {
    /// The readable key of `at`: its own frames, then those of its inputs.
    pub(in crate::build) fn full_frames(&self, at: usize) -> Frames {
        let plan = &self.job.plan;
        let vertex = &plan.vertices[at];
        let mut frames = Frames::from_list(vertex.frames.clone());
        if let (Op::Http(http), Some(digest)) = (&vertex.op, self.edges[at].downloaded) {
            frames.push(Part::Content, &http.url, digest);
        }
        for (number, input) in vertex.inputs.iter().enumerate() {
            match (&vertex.rules[number].content, self.files_of(*input)) {
                (Some(selectors), Some(files)) => {
                    if selectors.is_empty() {
                        let digest = crate::fs::node_digest(files, Fs::ROOT);
                        frames.push(Part::Content, "/", Digest(digest.0));
                    }
                    for selector in selectors {
                        if let Ok(digest) = select(files, selector) {
                            frames.push(Part::Content, &selector.path, digest);
                        }
                    }
                }
                _ => {
                    let digest = self.readable_key(*input);
                    frames.push(Part::Parent, &plan.vertices[*input].text, digest);
                }
            }
        }
        frames
    }

    /// The files of a vertex, as far as they are known.
    pub(super) fn files_of(&self, at: usize) -> Option<&Fs> {
        let edge = &self.edges[at];
        if matches!(self.job.plan.vertices[at].op, Op::Context) {
            return self.job.context.is_ok().then_some(&self.seen);
        }
        match (&edge.result, &edge.record) {
            (Some(result), _) => Some(&result.fs),
            (None, Some(record)) => Some(&record.result.fs),
            (None, None) => None,
        }
    }

    /// The digest of the readable key of a vertex whose result is there.
    pub(super) fn readable_key(&self, at: usize) -> Digest {
        let edge = &self.edges[at];
        match (&edge.frames, &edge.record) {
            (Some(frames), _) => frames.digest(),
            (None, Some(record)) => record.digest,
            (None, None) => self.job.plan.vertices[at].key,
        }
    }

    pub(in crate::build) fn contents(&self, at: usize) -> Vec<SeenContent> {
        let vertex = &self.job.plan.vertices[at];
        let inputs = vertex.inputs.iter().enumerate();
        inputs
            .filter_map(|(number, input)| {
                Some(SeenContent {
                    input: number as u32,
                    selectors: vertex.rules[number].content.clone()?,
                    fs: self.files_of(*input)?.clone(),
                })
            })
            .collect()
    }
}
