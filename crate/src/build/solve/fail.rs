//! Failure: what had been done by then, and what had not.
//!
//! BuildKit works on independent steps at the same time. Here they run one after the other, so when
//! one fails, what ran before but would have ended later is taken back, and what would have ended
//! before is still done.

use super::{Builder, Edge};
use crate::build::error::ErrorKind;
use crate::build::execute::{Done, Failure};
use crate::build::op::Op;
use crate::build::report::Status;
use crate::build::snapshot::Snapshot;

impl Builder {
    pub(super) fn fail(&mut self, at: usize, failure: Failure) {
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        self.goals.clear();
        let when = self.ready(at) + self.edges[at].nanos;
        if let Some((earlier, limit)) = self.failed {
            self.edges[if when < limit { earlier } else { at }].take_back();
            if when >= limit {
                return;
            }
        }
        if failure.kind == ErrorKind::Missing {
            self.touch_inputs(at);
        }
        self.cut(at, when);
        if vertex.internal {
            // The first step that is still open is the one that waited for it.
            let open = plan.vertices.iter().zip(&mut self.edges);
            let mut shown = open.filter(|(vertex, edge)| !vertex.internal && edge.status.is_none());
            if let Some((_, edge)) = shown.next() {
                edge.status = Some(Status::Failed);
            }
        } else {
            self.edges[at].status = Some(Status::Failed);
            self.start(at);
        }
        self.error = Some(failure.at(&vertex.lines));
        self.failed = Some((at, when));
        self.branches = if when > 0 {
            self.other_branches(at)
        } else {
            Vec::new()
        };
    }

    /// Takes back what would have ended after the moment `when`.
    fn cut(&mut self, failed: usize, when: u64) {
        for (at, edge) in self.edges.iter_mut().enumerate() {
            if at != failed && edge.ran && edge.start + edge.nanos > when {
                if let Some(record) = edge.saved {
                    self.job.cache.remove(record);
                }
                edge.take_back();
            }
        }
    }

    /// The results that were asked for at the same time as that of `at`.
    fn other_branches(&self, at: usize) -> Vec<usize> {
        let mut waiting = crate::order::set([at]);
        let mut out = Vec::new();
        for (user, vertex) in self.job.plan.vertices.iter().enumerate() {
            let waits = |input: &usize| waiting.contains(input);
            if !vertex.inputs.iter().any(waits) {
                continue;
            }
            let inputs = || vertex.inputs.iter().zip(&vertex.rules).enumerate();
            // What can match no more has all its inputs made.
            let hopeless =
                inputs().any(|(_, (input, rule))| waits(input) && rule.content.is_none());
            let wanted =
                |number: usize| hopeless || self.edges[user].inputs[number].matches.is_empty();
            let others = inputs().filter(|(_, (input, _))| !waits(input));
            out.extend(
                others
                    .filter(|(number, _)| wanted(*number))
                    .map(|(_, (input, _))| *input),
            );
            waiting.insert(user);
        }
        // The last is taken first.
        out.reverse();
        out
    }

    /// BuildKit pulls images and loads results at the same time as it looks at content: what of
    /// the inputs of `at` it had begun with when the content turned out to be missing.
    fn touch_inputs(&mut self, at: usize) {
        let plan = self.job.plan.clone();
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            let vertex = &plan.vertices[at];
            for (number, input) in vertex.inputs.iter().enumerate() {
                let wanted = vertex.rules[number].content.is_none()
                    && self.edges[at].inputs[number].matches.is_empty()
                    && self.edges[*input].result.is_none();
                if !wanted {
                    continue;
                }
                if let Op::Image(image) = &plan.vertices[*input].op {
                    // The pull goes on to its end, and is kept.
                    if !self.load(*input) {
                        let result = Snapshot::of_image(&image.image.image);
                        self.keep(*input, Done { result, nanos: 0 });
                    }
                    self.edges[*input].status = Some(Status::Cached);
                } else if self.edges[*input].record.is_none() {
                    open.push(*input);
                }
            }
        }
    }
}

impl Edge {
    /// As if it had not run.
    fn take_back(&mut self) {
        self.status = None;
        self.result = None;
        self.partial = None;
        self.outcome = None;
        self.ran = false;
        (self.start, self.nanos) = (0, 0);
    }
}
