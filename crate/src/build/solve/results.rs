//! Results: from the cache, or by running the vertex.

use std::sync::Arc;

use super::{Builder, Goal, Next, Stop};
use crate::build::cache::{InputKey, KeyId, Record};
use crate::build::command::{self, Ran};
use crate::build::error::ErrorKind;
use crate::build::execute::{self, Done, Failure};
use crate::build::op::Op;
use crate::build::report::Status;
use crate::build::snapshot::Snapshot;
use crate::run::Host;

impl Builder {
    /// Works towards the result of `at`.
    pub(super) fn result(&mut self, at: usize, host: &mut dyn Host) -> Result<Next, Stop> {
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
    pub(super) fn load(&mut self, at: usize) -> bool {
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
    pub(super) fn ready(&self, at: usize) -> u64 {
        let inputs = self.job.plan.vertices[at].inputs.iter();
        inputs
            .map(|input| &self.edges[*input])
            .filter(|edge| edge.result.is_some())
            .map(|edge| edge.start + edge.nanos)
            .max()
            .unwrap_or(0)
    }

    /// What begins shows that its inputs are there: those that were only looked up are cached.
    pub(super) fn start(&mut self, at: usize) {
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

    pub(super) fn execute(&mut self, at: usize, host: &mut dyn Host) -> Result<Next, Stop> {
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        let inputs: Vec<Arc<Snapshot>> = vertex
            .inputs
            .iter()
            .filter_map(|input| self.edges[*input].result.clone())
            .collect();
        let start = self.ready(at);
        // What has failed by then ends the build.
        let limit = self.failed.map_or(u64::MAX, |(_, when)| when);
        if start >= limit {
            return Err(Stop::Late);
        }
        self.edges[at].start = start;
        if !matches!(vertex.op, Op::Merge) {
            self.unpack(&vertex.inputs);
        }
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
                nanos: image.image.pull_nanos(machine).max(1),
            },
            Op::Http(_) => match self.edges[at].fetched.take() {
                Some(done) => done,
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
        // Files are copied to the end, whatever fails meanwhile.
        if matches!(vertex.op, Op::Run(_)) && start.saturating_add(done.nanos) > limit {
            return Err(Stop::Late);
        }
        self.start(at);
        self.keep(at, done);
        Ok(Next::Ran)
    }

    /// Notes that the files of images are there, and not only known of.
    pub(super) fn unpack(&mut self, inputs: &[usize]) {
        let plan = self.job.plan.clone();
        for input in inputs {
            let input = &plan.vertices[*input];
            match &input.op {
                Op::Image(_) => self.job.cache.unpack(input.key),
                Op::Merge => self.unpack(&input.inputs),
                _ => {}
            }
        }
    }

    /// Keeps a result, in the cache too.
    pub(super) fn keep(&mut self, at: usize, done: Done) {
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
        let record = self.job.cache.save(&keys, |id| Record {
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
        edge.saved = Some(record.id);
        edge.frames = Some(frames);
        if !vertex.ignore_cache {
            for key in keys {
                if !edge.keys.contains(&key) {
                    edge.keys.push(key);
                }
            }
        }
    }

    /// All keys of a vertex: those of its result, where that is there.
    pub(super) fn known_keys(&self, at: usize) -> &[KeyId] {
        let edge = &self.edges[at];
        match edge.result_keys.is_empty() {
            true => &edge.keys,
            false => &edge.result_keys,
        }
    }

    /// All keys that an input is known by.
    pub(super) fn input_keys(&self, at: usize, number: usize) -> Vec<InputKey> {
        let vertex = &self.job.plan.vertices[at];
        let selector = vertex.rules[number].selector;
        let mut keys: Vec<InputKey> = self
            .known_keys(vertex.inputs[number])
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
}
