//! The solver: looks steps up, runs what is missing, in slices.
//!
//! Source: BuildKit `solver/edge` and `solver/jobs`. A vertex is asked for its keys first by how its
//! inputs were made; where that leads nowhere, by the content of the inputs that it looks at, which
//! must be there for that; and only then it runs. BuildKit does this for all vertices at once; here
//! the goals are on a stack, and each call of [`Builder::step`] does a bounded part of the work.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cache::{Cache, InputKey, KeyId, Record, SeenContent};
use super::command::{self, Ran};
use super::content::{checksum, select};
use super::error::{BuildError, ErrorKind};
use super::execute::{self, Done, Failure};
use super::explain::{Explainer, Known, Verdict};
use super::key::{Frames, Part};
use super::op::Op;
use super::options::Options;
use super::plan::Plan;
use super::report::{Report, Status, Step};
use super::snapshot::Snapshot;
use crate::context::SendError;
use crate::fs::{Clock, Fs};
use crate::image::{Digest, Image};
use crate::run::{Fidelity, Host, Interrupt, Limits, Outcome};

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
    fetched: Option<(Done, Digest)>,
    status: Option<Status>,
    ran: bool,
    start: u64,
    nanos: u64,
    partial: Option<Arc<Snapshot>>,
    outcome: Option<Outcome>,
    frames: Option<Frames>,
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
}

/// A build under way.
pub struct Builder {
    job: Job,
    /// The cache as it was before the build: what misses are explained from.
    before: Cache,
    build: u32,
    edges: Vec<Edge>,
    goals: Vec<Goal>,
    begun: bool,
    error: Option<BuildError>,
    over: bool,
}

impl Builder {
    /// A build that has not begun.
    pub fn new(mut job: Job) -> Builder {
        let before = job.cache.clone();
        let build = job.cache.begin_build();
        let edges = job.plan.vertices.iter().map(|vertex| Edge {
            inputs: vertex.inputs.iter().map(|_| Input::default()).collect(),
            ..Edge::default()
        });
        Builder {
            edges: edges.collect(),
            goals: job.plan.target.map(Goal::Result).into_iter().collect(),
            before,
            build,
            begun: false,
            error: None,
            over: false,
            job,
        }
    }

    /// Does a part of the work: at most one step runs.
    pub fn step(&mut self, host: &mut dyn Host) -> Progress {
        if self.over {
            return Progress::Done;
        }
        let outcome = if self.begun {
            self.work(host)
        } else {
            self.begin(host)
        };
        match outcome {
            Ok(()) => {}
            Err(Stop::Interrupt(Interrupt::Needs(parts))) => return Progress::Needs(parts),
            Err(Stop::Interrupt(Interrupt::Cancelled)) => return Progress::Cancelled,
            Err(Stop::Failed(vertex, failure)) => self.fail(vertex, failure),
        }
        self.over |= self.begun && self.goals.is_empty();
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

    /// The graph.
    pub(super) fn plan(&self) -> &Arc<Plan> {
        &self.job.plan
    }

    /// The cache as it was before the build.
    pub(super) fn earlier(&self) -> &Cache {
        &self.before
    }

    /// The record that was found for a vertex.
    pub(super) fn record(&self, at: usize) -> Option<&Arc<Record>> {
        self.edges[at].record.as_ref()
    }

    /// Looks at everything that can be known before anything runs; gives the vertex at which the
    /// build would fail there.
    pub(super) fn look_ahead(&mut self, host: &mut dyn Host) -> Option<usize> {
        match self.begin(host) {
            Err(Stop::Failed(at, _)) => Some(at),
            _ => None,
        }
    }

    /// Follows an input as far as that goes without running anything: by its keys, then by the
    /// content of its files, if the cache has them. Says whether it leads anywhere.
    pub(super) fn look_into(&mut self, at: usize, number: usize, input: usize) -> bool {
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
    pub(super) fn join_all(&mut self, at: usize) {
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
        for (at, vertex) in plan.vertices.iter().enumerate() {
            for (number, input) in vertex.inputs.iter().enumerate() {
                if matches!(plan.vertices[*input].op, Op::Context) {
                    self.content(at, number, &context)?;
                }
            }
        }
        Ok(())
    }

    fn work(&mut self, host: &mut dyn Host) -> Result<(), Stop> {
        while let Some(goal) = self.goals.last().copied() {
            let next = match goal {
                Goal::Keys(at) => self.keys(at)?,
                Goal::Result(at) => self.result(at, host)?,
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

    /// The keys of `at` by how its inputs were made. Its inputs come before it.
    fn fast(&mut self, at: usize, host: &mut dyn Host) -> Result<(), Stop> {
        if self.edges[at].fast {
            return Ok(());
        }
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        if vertex.inputs.is_empty() {
            let roots = match &vertex.op {
                Op::Context => Vec::new(),
                Op::Http(op) => {
                    let clock = self.job.clock;
                    let fetched = execute::download(op, host, clock, self.job.options.epoch)
                        .map_err(|failure| Stop::Failed(at, failure))?;
                    let mut frames = Frames::new();
                    frames.push(Part::Parent, "", vertex.key);
                    frames.push(Part::Content, "", fetched.1);
                    self.edges[at].fetched = Some(fetched);
                    vec![frames.digest()]
                }
                Op::Image(image) => {
                    // An image is known by its manifest, and by its layers whatever its config.
                    let chain = image.image.image.chain_ids().last().copied();
                    std::iter::once(vertex.key).chain(chain).collect()
                }
                _ => vec![vertex.key],
            };
            let edge = &mut self.edges[at];
            edge.result_keys = roots.into_iter().map(KeyId::Root).collect();
            if !matches!(vertex.op, Op::Context) {
                // Nothing more has to be known of it; whether its files are needed is seen later.
                edge.status = Some(Status::Done);
            }
            if !vertex.ignore_cache {
                let known = edge.result_keys.iter().copied();
                edge.keys = known.filter(|key| self.job.cache.has_root(*key)).collect();
                edge.record = edge
                    .keys
                    .iter()
                    .find_map(|key| self.job.cache.newest(*key).cloned());
            }
            edge.slow = true;
        } else {
            for number in 0..vertex.inputs.len() {
                self.match_input(at, number);
            }
            self.join(at);
        }
        self.edges[at].fast = true;
        Ok(())
    }

    /// Follows the keys that are known of an input.
    fn match_input(&mut self, at: usize, number: usize) {
        let plan = &self.job.plan;
        let vertex = &plan.vertices[at];
        if vertex.ignore_cache {
            return;
        }
        let selector = vertex.rules[number].selector;
        let from: Vec<InputKey> = self.edges[vertex.inputs[number]]
            .keys
            .iter()
            .map(|key| InputKey {
                key: *key,
                selector,
            })
            .collect();
        let found = self
            .job
            .cache
            .follow_and_join(&from, number as u32, vertex.key);
        self.edges[at].inputs[number].matches.extend(found);
    }

    /// The keys that all inputs lead to, and the newest record of one of them.
    fn join(&mut self, at: usize) {
        let edge = &mut self.edges[at];
        let mut common: Option<BTreeSet<KeyId>> = None;
        for input in &edge.inputs {
            common = Some(match common {
                None => input.matches.clone(),
                Some(common) => common.intersection(&input.matches).copied().collect(),
            });
        }
        for key in common.unwrap_or_default() {
            if !edge.keys.contains(&key) {
                edge.keys.push(key);
            }
        }
        let cache = &self.job.cache;
        edge.record = edge
            .keys
            .iter()
            .filter_map(|key| cache.newest(*key))
            .max_by_key(|record| record.id)
            .cloned();
    }

    /// Looks at the content of an input whose files are there.
    fn content(&mut self, at: usize, number: usize, files: &Fs) -> Result<(), Stop> {
        if self.edges[at].inputs[number].content.is_some() {
            return Ok(());
        }
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        let Some(selectors) = &vertex.rules[number].content else {
            return Ok(());
        };
        let digest = checksum(files, selectors).map_err(|error| {
            let message = format!(
                "failed to compute cache key: failed to calculate checksum of ref <ref>: {error}"
            );
            Stop::Failed(at, Failure::new(message).kind(ErrorKind::Missing))
        })?;
        self.edges[at].inputs[number].content = Some(digest);
        if vertex.ignore_cache {
            return Ok(());
        }
        let by_content = InputKey {
            key: KeyId::Content(digest),
            selector: None,
        };
        let found = self
            .job
            .cache
            .follow(&[by_content], number as u32, vertex.key);
        self.edges[at].inputs[number].matches.extend(found);
        // From now on the way the input was made leads to the same.
        let input = &self.edges[vertex.inputs[number]];
        let selector = vertex.rules[number].selector;
        let mut from: Vec<InputKey> = input
            .result_keys
            .iter()
            .filter(|_| input.result.is_some())
            .map(|key| InputKey {
                key: *key,
                selector,
            })
            .collect();
        from.push(by_content);
        self.job
            .cache
            .follow_and_join(&from, number as u32, vertex.key);
        Ok(())
    }

    /// Works towards all keys of `at` that can be found without running it.
    fn keys(&mut self, at: usize) -> Result<Next, Stop> {
        let edge = &self.edges[at];
        if edge.slow || !edge.keys.is_empty() || edge.result.is_some() {
            return Ok(Next::Met);
        }
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        if !vertex.ignore_cache {
            // First the inputs that lead nowhere, then those that lead elsewhere than the others.
            for even_if_matched in [false, true] {
                for (number, input) in vertex.inputs.iter().enumerate() {
                    if let Some(next) = self.look_up(at, number, *input, even_if_matched)? {
                        return Ok(next);
                    }
                    if self.edges[at].inputs[number].matches.is_empty() {
                        // Nothing can be found any more.
                        self.edges[at].slow = true;
                        return Ok(Next::Met);
                    }
                }
                self.join(at);
                if !self.edges[at].keys.is_empty() {
                    break;
                }
            }
        }
        self.edges[at].slow = true;
        Ok(Next::Met)
    }

    /// Finds out what an input leads to: by its own keys, then by its content.
    fn look_up(
        &mut self,
        at: usize,
        number: usize,
        input: usize,
        even_if_matched: bool,
    ) -> Result<Option<Next>, Stop> {
        let by_content = self.job.plan.vertices[at].rules[number].content.is_some();
        let matched = !self.edges[at].inputs[number].matches.is_empty();
        if matched && !(even_if_matched && by_content) {
            return Ok(None);
        }
        if !self.edges[input].slow && self.edges[input].keys.is_empty() {
            return Ok(Some(Next::First(Goal::Keys(input))));
        }
        self.match_input(at, number);
        let matched = !self.edges[at].inputs[number].matches.is_empty();
        if by_content
            && self.edges[at].inputs[number].content.is_none()
            && (!matched || even_if_matched)
        {
            let Some(result) = self.edges[input].result.clone() else {
                return Ok(Some(Next::First(Goal::Result(input))));
            };
            self.content(at, number, &result.fs)?;
        }
        Ok(None)
    }

    /// Works towards the result of `at`.
    fn result(&mut self, at: usize, host: &mut dyn Host) -> Result<Next, Stop> {
        if self.edges[at].result.is_some() {
            return Ok(Next::Met);
        }
        if !self.edges[at].slow && self.edges[at].keys.is_empty() {
            return Ok(Next::First(Goal::Keys(at)));
        }
        if self.load(at) {
            return Ok(Next::Met);
        }
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        for input in &vertex.inputs {
            if self.edges[*input].result.is_none() {
                return Ok(Next::First(Goal::Result(*input)));
            }
        }
        for (number, input) in vertex.inputs.iter().enumerate() {
            if let Some(result) = self.edges[*input].result.clone() {
                self.match_input(at, number);
                self.content(at, number, &result.fs)?;
            }
        }
        self.join(at);
        if self.load(at) {
            return Ok(Next::Met);
        }
        self.execute(at, host)
    }

    /// Takes the result from the cache, if it is there.
    fn load(&mut self, at: usize) -> bool {
        let Some(record) = self.edges[at].record.clone() else {
            return false;
        };
        let start = self.ready(at);
        let edge = &mut self.edges[at];
        edge.result = Some(record.result.clone());
        if !matches!(record.key, KeyId::Root(_)) {
            edge.result_keys = vec![record.key];
        }
        edge.start = start;
        edge.status = Some(Status::Cached);
        self.start(at);
        true
    }

    /// When all inputs of `at` that ran or were looked at are there.
    fn ready(&self, at: usize) -> u64 {
        let inputs = self.job.plan.vertices[at].inputs.iter();
        inputs
            .map(|input| &self.edges[*input])
            .filter(|edge| edge.result.is_some())
            .map(|edge| edge.start + edge.nanos)
            .max()
            .unwrap_or(0)
    }

    /// What begins shows that its inputs are there: those that were only looked up are cached.
    fn start(&mut self, at: usize) {
        let plan = self.job.plan.clone();
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            for input in &plan.vertices[at].inputs {
                let edge = &mut self.edges[*input];
                if edge.status.is_none() {
                    edge.status = Some(Status::Cached);
                    open.push(*input);
                }
            }
        }
    }

    fn execute(&mut self, at: usize, host: &mut dyn Host) -> Result<Next, Stop> {
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        let inputs: Vec<Arc<Snapshot>> = vertex
            .inputs
            .iter()
            .filter_map(|input| self.edges[*input].result.clone())
            .collect();
        self.edges[at].start = self.ready(at);
        let clamp = self.job.options.epoch;
        let clock = &mut self.job.clock;
        let machine = host.machine();
        let done = match &vertex.op {
            Op::Context => match &self.job.context {
                Ok(files) => Done {
                    result: Snapshot {
                        fs: files.clone(),
                        ..Snapshot::default()
                    },
                    nanos: 0,
                },
                Err(error) => {
                    let failure = Failure::new(error.to_string()).kind(ErrorKind::Missing);
                    return Err(Stop::Failed(at, failure));
                }
            },
            Op::Image(image) => Done {
                result: Snapshot::of_image(&image.image.image),
                nanos: image.image.pull_nanos(machine),
            },
            Op::Http(_) => match self.edges[at].fetched.take() {
                Some((done, _)) => done,
                None => return Err(Stop::Failed(at, Failure::new("nothing was fetched"))),
            },
            Op::File(op) => execute::files(op, &inputs, clock, clamp, machine)
                .map_err(|failure| Stop::Failed(at, failure))?,
            Op::Merge => execute::merge(&inputs).map_err(|failure| Stop::Failed(at, failure))?,
            Op::Run(op) => {
                let mut around = command::Surroundings {
                    cache: &mut self.job.cache,
                    secrets: &self.job.options.secrets,
                    limits: &self.job.limits,
                    clamp,
                };
                match command::run(op, &inputs, clock, &mut around, host) {
                    Err(interrupt) => return Err(Stop::Interrupt(interrupt)),
                    Ok(Ran::Done(done, outcome)) => {
                        self.edges[at].outcome = Some(*outcome);
                        done
                    }
                    Ok(Ran::Failed(failure, kept)) => {
                        if let Some((done, outcome)) = kept {
                            let edge = &mut self.edges[at];
                            edge.nanos = done.nanos;
                            edge.partial = Some(Arc::new(done.result));
                            edge.outcome = Some(*outcome);
                        }
                        return Err(Stop::Failed(at, failure));
                    }
                }
            }
        };
        self.start(at);
        self.keep(at, done);
        Ok(Next::Ran)
    }

    /// Keeps a result, in the cache too.
    fn keep(&mut self, at: usize, done: Done) {
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        let result = Arc::new(done.result);
        let edge = &mut self.edges[at];
        edge.result = Some(result.clone());
        edge.nanos = done.nanos;
        edge.ran = true;
        if matches!(vertex.op, Op::Context) {
            return;
        }
        edge.status = Some(Status::Done);
        let keys = if vertex.inputs.is_empty() {
            edge.result_keys.clone()
        } else {
            let inputs: Vec<Vec<InputKey>> = (0..vertex.inputs.len())
                .map(|number| self.input_keys(at, number))
                .collect();
            vec![self.job.cache.key_for(vertex.key, &inputs)]
        };
        let frames = self.full_frames(at);
        let contents = self.contents(at);
        let build = self.build;
        self.job.cache.save(&keys, |id| Record {
            id,
            key: keys[0],
            op: vertex.key,
            digest: frames.digest(),
            frames: frames.list().to_vec(),
            contents,
            name: vertex.name.clone(),
            instruction: vertex.text.clone(),
            stage: vertex.stage.clone(),
            number: vertex.number.map(|(number, _)| number),
            build,
            result,
            nanos: done.nanos,
        });
        let edge = &mut self.edges[at];
        edge.result_keys.clone_from(&keys);
        edge.frames = Some(frames);
        if !vertex.ignore_cache {
            for key in keys {
                if !edge.keys.contains(&key) {
                    edge.keys.push(key);
                }
            }
        }
    }

    /// All keys that an input is known by once its result is there.
    fn input_keys(&self, at: usize, number: usize) -> Vec<InputKey> {
        let vertex = &self.job.plan.vertices[at];
        let selector = vertex.rules[number].selector;
        let mut keys: Vec<InputKey> = self.edges[vertex.inputs[number]]
            .result_keys
            .iter()
            .map(|key| InputKey {
                key: *key,
                selector,
            })
            .collect();
        keys.extend(
            self.edges[at].inputs[number]
                .content
                .map(|digest| InputKey {
                    key: KeyId::Content(digest),
                    selector: None,
                }),
        );
        keys
    }

    /// The readable key of `at`: its own frames, then those of its inputs.
    pub(super) fn full_frames(&self, at: usize) -> Frames {
        let plan = &self.job.plan;
        let vertex = &plan.vertices[at];
        let mut frames = Frames::from_list(vertex.frames.clone());
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
    fn files_of(&self, at: usize) -> Option<&Fs> {
        let edge = &self.edges[at];
        match (&edge.result, &edge.record) {
            (Some(result), _) => Some(&result.fs),
            (None, Some(record)) => Some(&record.result.fs),
            (None, None) if matches!(self.job.plan.vertices[at].op, Op::Context) => {
                self.job.context.as_ref().ok()
            }
            (None, None) => None,
        }
    }

    /// The digest of the readable key of a vertex whose result is there.
    fn readable_key(&self, at: usize) -> Digest {
        let edge = &self.edges[at];
        match (&edge.frames, &edge.record) {
            (Some(frames), _) => frames.digest(),
            (None, Some(record)) => record.digest,
            (None, None) => self.job.plan.vertices[at].key,
        }
    }

    pub(super) fn contents(&self, at: usize) -> Vec<SeenContent> {
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

    fn fail(&mut self, at: usize, failure: Failure) {
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        if failure.kind == ErrorKind::Missing {
            self.touch_inputs(at);
        }
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
        self.over = true;
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

    /// The outcome, the cache with what the build added, and the clock. An unfinished build has
    /// failed without an error.
    pub fn finish(self) -> (Report, Cache, Clock) {
        let image = if self.error.is_none() && self.over {
            Some(self.image())
        } else {
            None
        };
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
            nanos,
        };
        (report, self.job.cache, self.job.clock)
    }

    fn target_layers(&self) -> Vec<Arc<super::snapshot::BuiltLayer>> {
        let target = self.job.plan.target.map(|target| &self.edges[target]);
        let result = target.and_then(|edge| edge.result.as_ref());
        result
            .map(|result| result.layers.clone())
            .unwrap_or_default()
    }

    fn image(&self) -> Image {
        let config = self.job.plan.config.clone();
        let target = self.job.plan.target.map(|target| &self.edges[target]);
        let Some(result) = target.and_then(|edge| edge.result.as_ref()) else {
            return Image::from_parts(config, Vec::new(), Vec::new());
        };
        let layers = result.layers.iter().map(|layer| layer.layer().clone());
        Image::from_parts(config, layers.collect(), result.trees.clone())
    }
}

fn is_modelled(outcome: &Outcome) -> bool {
    outcome
        .commands
        .iter()
        .any(|command| command.fidelity != Fidelity::Executed)
}
