//! The solver: looks steps up, runs what is missing, in slices.
//!
//! Source: BuildKit `solver/edge` and `solver/jobs`. A vertex is asked for its keys first by how its
//! inputs were made; where that leads nowhere, by the content of the inputs that it looks at, which
//! must be there for that; and only then it runs. BuildKit does this for all vertices at once; here
//! the goals are on a stack, and each call of [`Builder::step`] does a bounded part of the work.

mod ahead;
mod fail;
mod finish;
mod frames;
mod lookup;
mod results;
pub(super) mod transfer;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cache::{Cache, KeyId, Record, RecordId};
use super::error::{BuildError, ErrorKind};
use super::execute::{Done, Failure};
use super::key::Frames;
use super::op::Op;
use super::options::Options;
use super::plan::Plan;
use super::remote::Exported;
use super::report::Status;
use super::snapshot::Snapshot;
use crate::context::SendError;
use crate::fs::{Clock, Fs};
use crate::image::Digest;
use crate::run::{Host, Interrupt, Limits, Outcome};

/// What a build works on.
#[derive(Clone, Debug)]
pub struct Job {
    /// The graph.
    pub plan: Arc<Plan>,
    /// The options that it was planned with.
    pub options: Options,
    /// The files of the context that are sent (see [`crate::context::Sender`]), for
    /// [`Plan::context_paths`].
    pub context: Result<Fs, SendError>,
    /// The cache, which the build adds to.
    pub cache: Cache,
    /// Exported caches, which count for this build: `--cache-from`.
    pub imports: Vec<Exported>,
    /// When the build begins. Files get times from here on.
    pub clock: Clock,
    /// How much one RUN may do.
    pub limits: Limits,
}

/// How far a build is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    More {
        /// The step that comes next, as it is shown.
        doing: String,
        /// Steps that are over.
        done: usize,
        /// Steps in all.
        total: usize,
    },
    /// Parts of the catalog, by name, that must be supplied first; then [`Builder::step`] goes on.
    Needs(Vec<String>),
    /// The host wanted the build to end.
    Cancelled,
    /// The build is over: [`Builder::finish`] tells.
    Done,
}

/// What is known of a vertex.
#[derive(Default)]
struct Edge {
    /// Keys of inputs looked at by how they were made.
    fast: bool,
    /// All keys that can be found without running this vertex are found.
    slow: bool,
    keys: Vec<KeyId>,
    record: Option<Arc<Record>>,
    inputs: Vec<Input>,
    result: Option<Arc<Snapshot>>,
    /// The keys of the result.
    result_keys: Vec<KeyId>,
    /// A file from the network, which is fetched to know its key.
    fetched: Option<Done>,
    /// The digest of that file.
    downloaded: Option<Digest>,
    status: Option<Status>,
    ran: bool,
    saved: Option<RecordId>,
    start: u64,
    nanos: u64,
    partial: Option<Arc<Snapshot>>,
    outcome: Option<Outcome>,
    frames: Option<Frames>,
    /// The input that lacks what this vertex takes from it.
    missing: Option<usize>,
}

/// What is known of an input of a vertex.
#[derive(Default)]
struct Input {
    /// The keys of the vertex that this input leads to.
    matches: BTreeSet<KeyId>,
    content: Option<Digest>,
}

#[derive(Clone, Copy)]
enum Goal {
    /// Find all keys without running the vertex itself.
    Keys(usize),
    /// Have its result.
    Result(usize),
    /// Look at the content of one of its inputs, which is there.
    Look(usize, usize),
}

enum Next {
    /// The goal is met.
    Met,
    /// This comes first.
    First(Goal),
    /// Something ran; the goal is looked at again.
    Ran,
}

/// Why work stops.
enum Stop {
    Failed(usize, Failure),
    Interrupt(Interrupt),
    /// The build has failed before this would be done.
    Late,
}

/// A build under way.
pub struct Builder {
    job: Job,
    /// The cache as it was before the build: what misses are explained from.
    before: Cache,
    /// The same without what was imported, where something was.
    local: Option<Cache>,
    /// The records that were imported.
    imported: Vec<RecordId>,
    build: u32,
    edges: Vec<Edge>,
    goals: Vec<Goal>,
    begun: bool,
    error: Option<BuildError>,
    /// The vertex that failed, and when.
    failed: Option<(usize, u64)>,
    /// What else was under way when it failed.
    branches: Vec<Goal>,
    over: bool,
    /// The context as its content counts.
    seen: Fs,
}

impl Builder {
    /// A build that has not begun.
    pub fn new(mut job: Job) -> Builder {
        let local = (!job.imports.is_empty()).then(|| job.cache.clone());
        let mut imported = Vec::new();
        for exported in &job.imports {
            imported.extend(job.cache.import(exported));
        }
        let before = job.cache.clone();
        let build = job.cache.begin_build();
        let edges = job.plan.vertices.iter().map(|vertex| Edge {
            inputs: vertex.inputs.iter().map(|_| Input::default()).collect(),
            ..Edge::default()
        });
        Builder {
            edges: edges.collect(),
            goals: job.plan.targets().rev().map(Goal::Result).collect(),
            before,
            local,
            imported,
            build,
            begun: false,
            error: None,
            failed: None,
            branches: Vec::new(),
            over: false,
            seen: Fs::empty(),
            job,
        }
    }

    /// Does a part of the work: at most one step runs.
    pub fn step(&mut self, host: &mut dyn Host) -> Progress {
        if self.over {
            return Progress::Done;
        }
        let early = !self.begun;
        let mut outcome = if early {
            self.begin(host)
        } else {
            self.work(host)
        };
        if let Err(Stop::Failed(vertex, failure)) = outcome {
            outcome = self.fail(vertex, failure, early, host);
        }
        match outcome {
            Ok(()) | Err(Stop::Failed(..)) => {}
            Err(Stop::Interrupt(Interrupt::Needs(parts))) => return Progress::Needs(parts),
            Err(Stop::Interrupt(Interrupt::Cancelled)) => return Progress::Cancelled,
            Err(Stop::Late) => self.goals.clear(),
        }
        if self.goals.is_empty() {
            self.goals.extend(self.branches.pop());
        }
        self.over = self.goals.is_empty() && (self.begun || self.failed.is_some());
        if self.over {
            return Progress::Done;
        }
        let shown = || {
            self.job
                .plan
                .vertices
                .iter()
                .zip(&self.edges)
                .filter(|(v, _)| !v.internal)
        };
        let over = |edge: &Edge| edge.result.is_some() || edge.status.is_some();
        Progress::More {
            doing: shown()
                .find(|(_, edge)| !over(edge))
                .map(|(vertex, _)| vertex.name.clone())
                .unwrap_or_default(),
            done: shown().filter(|(_, edge)| over(edge)).count(),
            total: shown().count(),
        }
    }

    /// Works to the end, for callers that need not be able to stop.
    ///
    /// # Errors
    /// The parts of the catalog that are missing; the builder can go on once they are there.
    pub fn run(&mut self, host: &mut dyn Host) -> Result<(), Vec<String>> {
        loop {
            match self.step(host) {
                Progress::More { .. } => {}
                Progress::Needs(parts) => return Err(parts),
                Progress::Cancelled | Progress::Done => return Ok(()),
            }
        }
    }

    /// Looks at everything that can be known before anything runs: keys by definition, and the
    /// content of the context. A missing source is found here, as BuildKit finds it while images are
    /// still being pulled.
    fn begin(&mut self, host: &mut dyn Host) -> Result<(), Stop> {
        for at in 0..self.edges.len() {
            self.fast(at, host)?;
        }
        self.begun = true;
        let plan = self.job.plan.clone();
        let context = match self.job.context.clone() {
            Ok(context) => context,
            Err(error) => {
                let used = |op: &Op| matches!(op, Op::Context);
                let at = plan.vertices.iter().position(|vertex| used(&vertex.op));
                let failure = Failure::new(error.to_string()).kind(ErrorKind::Missing);
                return at.map_or(Ok(()), |at| Err(Stop::Failed(at, failure)));
            }
        };
        if plan
            .vertices
            .iter()
            .any(|vertex| matches!(vertex.op, Op::Context))
        {
            self.job.cache.take_context(&context);
            self.seen = self.job.cache.seen_context();
        }
        // Where several steps lack something, the one nearest to the target has asked first.
        let mut missing: Option<(usize, Stop)> = None;
        for (at, distance) in self.distances().into_iter().enumerate() {
            let vertex = &plan.vertices[at];
            for (number, input) in vertex.inputs.iter().enumerate() {
                if matches!(plan.vertices[*input].op, Op::Context) {
                    let seen = self.seen.clone();
                    if let Err(stop) = self.content(at, number, &seen)
                        && missing
                            .as_ref()
                            .is_none_or(|(nearest, _)| distance < *nearest)
                    {
                        missing = Some((distance, stop));
                    }
                }
            }
        }
        missing.map_or(Ok(()), |(_, stop)| Err(stop))
    }

    /// How many steps each vertex is away from the target.
    fn distances(&self) -> Vec<usize> {
        let vertices = &self.job.plan.vertices;
        let mut distances = vec![usize::MAX; vertices.len()];
        for at in (0..vertices.len()).rev() {
            if self.job.plan.targets().any(|target| target == at) {
                distances[at] = 0;
            }
            let next = distances[at].saturating_add(1);
            for input in &vertices[at].inputs {
                distances[*input] = distances[*input].min(next);
            }
        }
        distances
    }

    fn work(&mut self, host: &mut dyn Host) -> Result<(), Stop> {
        while let Some(goal) = self.goals.last().copied() {
            let next = match goal {
                Goal::Keys(at) => self.keys(at)?,
                Goal::Result(at) => self.result(at, host)?,
                Goal::Look(at, number) => {
                    let input = self.job.plan.vertices[at].inputs[number];
                    if let Some(result) = self.edges[input].result.clone() {
                        self.content(at, number, &result.fs)?;
                    }
                    Next::Met
                }
            };
            match next {
                Next::Met => {
                    self.goals.pop();
                }
                Next::First(goal) => self.goals.push(goal),
                Next::Ran => return Ok(()),
            }
        }
        Ok(())
    }
}
