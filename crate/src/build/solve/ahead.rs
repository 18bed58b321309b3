//! What a prediction needs of the solver.

use std::sync::Arc;

use super::{Builder, Stop};
use crate::build::cache::{Cache, Record};
use crate::build::plan::Plan;
use crate::run::Host;

impl Builder {
    /// The graph.
    pub(in crate::build) fn plan(&self) -> &Arc<Plan> {
        &self.job.plan
    }

    /// The cache as it was before the build.
    pub(in crate::build) fn earlier(&self) -> &Cache {
        &self.before
    }

    /// The record that was found for a vertex.
    pub(in crate::build) fn record(&self, at: usize) -> Option<&Arc<Record>> {
        self.edges[at].record.as_ref()
    }

    /// Whether the cache knew a key of a vertex when the build began.
    pub(in crate::build) fn knew(&self, at: usize) -> bool {
        let mut keys = self.edges[at].keys.iter();
        keys.any(|key| self.before.knows(*key))
    }

    /// Looks at everything that can be known before anything runs; gives the vertex at which the
    /// build would fail there.
    pub(in crate::build) fn look_ahead(&mut self, host: &mut dyn Host) -> Option<usize> {
        match self.begin(host) {
            Err(Stop::Failed(at, _)) => Some(at),
            _ => None,
        }
    }

    /// Follows an input as far as that goes without running anything: by its keys, then by the
    /// content of its files, if the cache has them. Says whether it leads anywhere.
    pub(in crate::build) fn look_into(&mut self, at: usize, number: usize, input: usize) -> bool {
        self.match_input(at, number);
        if self.edges[at].inputs[number].matches.is_empty()
            && self.job.plan.vertices[at].rules[number].content.is_some()
            && let Some(record) = self.edges[input].record.clone()
        {
            // A missing source has no digest, and leads nowhere.
            let _ = self.content(at, number, &record.result.fs);
        }
        !self.edges[at].inputs[number].matches.is_empty()
    }

    /// The keys that all inputs lead to.
    pub(in crate::build) fn join_all(&mut self, at: usize) {
        if self.edges[at].inputs.is_empty() {
            return;
        }
        self.join(at);
        if self.edges[at].keys.is_empty() {
            // Inputs that lead to different keys are looked at by content too.
            let plan = self.job.plan.clone();
            for (number, input) in plan.vertices[at].inputs.iter().enumerate() {
                if let Some(record) = self.edges[*input].record.clone() {
                    let _ = self.content(at, number, &record.result.fs);
                }
            }
            self.join(at);
        }
    }
}
