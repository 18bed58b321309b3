//! Failure: what had been done by then, and what had not.
//!
//! BuildKit works on independent steps at the same time. Here they run one after the other, so when
//! one fails, what ran before but would have ended later is taken back, and what would have ended
//! before is still done.

use super::{Builder, Edge, Goal, Stop};
use crate::build::error::ErrorKind;
use crate::build::execute::{Done, Failure};
use crate::build::op::Op;
use crate::build::plan::Vertex;
use crate::build::report::Status;
use crate::build::snapshot::Snapshot;
use crate::run::Host;

impl Builder {
    /// Ends the build, unless something else fails before. `early` says that nothing has run yet.
    pub(super) fn fail(
        &mut self,
        at: usize,
        failure: Failure,
        early: bool,
        host: &mut dyn Host,
    ) -> Result<(), Stop> {
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        self.goals.clear();
        // What is missing is seen as soon as its input is there; everything else takes a moment.
        let missing = failure.kind == ErrorKind::Missing;
        let when = match self.edges[at].missing.filter(|_| missing) {
            Some(input) => self.edges[input].start + self.edges[input].nanos,
            None => self.ready(at) + self.edges[at].nanos.max(u64::from(!missing)),
        };
        if let Some((earlier, limit)) = self.failed {
            self.edges[if when < limit { earlier } else { at }].take_back();
            if when >= limit {
                return Ok(());
            }
        }
        let mut waiting = Vec::new();
        if missing && early && !vertex.internal {
            waiting = self.under_way(host)?;
        } else if missing {
            self.touch_inputs(at);
        }
        if !early {
            self.cut(at, when);
        }
        if !vertex.internal {
            self.edges[at].status = Some(Status::Failed);
            self.start(at);
        }
        // What waits for the files of an image is told that the build is over, one after the other,
        // and by that shows that its inputs are there. For the step that failed this is the last
        // that is heard of it.
        for waiting in &waiting {
            let status = &mut self.edges[*waiting].status;
            if *waiting == at || status.is_none() {
                *status = Some(Status::Skipped);
            }
            self.start(*waiting);
        }
        for edge in &mut self.edges {
            edge.status = edge.status.filter(|status| *status != Status::Skipped);
        }
        for (number, edge) in self.edges.iter_mut().enumerate() {
            if edge.status.is_none() && edge.result.is_some() {
                edge.status = Some(Status::Done);
            }
            if early && number != at && edge.missing.is_some() {
                edge.status = Some(Status::Failed);
            }
        }
        let shown = |(vertex, edge): (&Vertex, &mut Edge), status: Option<Status>| {
            !vertex.internal && edge.status == status
        };
        let failed = plan.vertices.iter().zip(&mut self.edges);
        if !{ failed }.any(|item| shown(item, Some(Status::Failed))) {
            // Nobody is told of the failure itself any more: it is the first step that is open.
            let open = plan.vertices.iter().zip(0..);
            let mut open = open.filter(|(vertex, _)| !vertex.internal);
            if let Some((_, open)) = open.find(|(_, at)| self.edges[*at].status.is_none()) {
                self.edges[open].status = Some(Status::Failed);
            }
        }
        self.error = Some(failure.at(&vertex.lines));
        self.failed = Some((at, when));
        self.branches = match early {
            true => Vec::new(),
            false => self.other_branches(at),
        };
        Ok(())
    }

    /// What has been done by the time at which the context turns out to lack something: images are
    /// being pulled, results loaded, and files made that need neither. Gives the vertices that wait
    /// for the files of an image.
    fn under_way(&mut self, host: &mut dyn Host) -> Result<Vec<usize>, Stop> {
        let plan = self.job.plan.clone();
        let count = plan.vertices.len();
        let mut wanted = vec![false; count];
        plan.targets().for_each(|target| wanted[target] = true);
        for at in (0..count).rev() {
            let edge = &self.edges[at];
            if !wanted[at] || edge.record.is_some() {
                continue;
            }
            let inputs = plan.vertices[at].inputs.iter().zip(&edge.inputs);
            let hopeless = edge.inputs.iter().zip(&plan.vertices[at].rules);
            let hopeless =
                { hopeless }.any(|(i, rule)| i.matches.is_empty() && rule.content.is_none());
            for (input, known) in inputs {
                wanted[*input] |= hopeless || known.matches.is_empty();
            }
        }
        let (mut lazy, mut waiting) = (vec![false; count], Vec::new());
        for (at, vertex) in plan
            .vertices
            .iter()
            .enumerate()
            .filter(|(at, _)| wanted[*at])
        {
            let known = self.load(at);
            match &vertex.op {
                Op::Context => {}
                Op::Image(image) => {
                    lazy[at] = !self.job.cache.is_unpacked(vertex.key);
                    if !known {
                        let result = Snapshot::of_image(&image.image.image);
                        self.keep(at, Done { result, nanos: 0 });
                        self.edges[at].status = None;
                    }
                }
                _ if known => {}
                Op::Run(_) | Op::Http(_) if vertex.inputs.is_empty() => {
                    self.edges[at].status = None
                }
                Op::Merge => {
                    lazy[at] = vertex.inputs.iter().any(|input| lazy[*input]);
                    self.make(at, host)?;
                }
                _ if vertex.inputs.iter().any(|input| lazy[*input]) => waiting.push(at),
                Op::File(_) => self.make(at, host)?,
                Op::Run(_) | Op::Http(_) => {}
            }
        }
        Ok(waiting)
    }

    /// Makes `at`, if all its inputs are there.
    fn make(&mut self, at: usize, host: &mut dyn Host) -> Result<(), Stop> {
        let plan = self.job.plan.clone();
        let mut inputs = plan.vertices[at].inputs.iter();
        if inputs.all(|input| self.edges[*input].result.is_some()) {
            match self.execute(at, host) {
                Ok(_) | Err(Stop::Failed(..) | Stop::Late) => {}
                Err(interrupt) => return Err(interrupt),
            }
        }
        Ok(())
    }

    /// Takes back what would have ended after the moment `when`. Files that are being copied by then
    /// are copied to the end.
    fn cut(&mut self, failed: usize, when: u64) {
        let plan = self.job.plan.clone();
        for (at, edge) in self.edges.iter_mut().enumerate() {
            let late = match plan.vertices[at].op {
                Op::Run(_) => edge.start + edge.nanos.max(1) > when,
                _ => edge.start >= when,
            };
            if at != failed && edge.ran && late {
                if let Some(record) = edge.saved {
                    self.job.cache.remove(record);
                }
                edge.take_back();
            }
        }
    }

    /// The results that were asked for at the same time as that of `at`.
    fn other_branches(&self, at: usize) -> Vec<Goal> {
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
            for (number, (input, _)) in others.filter(|(number, _)| wanted(*number)) {
                out.extend([Goal::Result(*input), Goal::Look(user, number)]);
            }
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
