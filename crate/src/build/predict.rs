//! What the next build would do, without doing it.
//!
//! The rules are the solver's: the same lookups are made, only that nothing runs. A step whose
//! inputs have to run first is known to miss if it counts them by how they were made; if it counts
//! them by content, it cannot be said.

use serde::Serialize;

use super::explain::{Explainer, Known, Verdict, Why};
use super::op::Op;
use super::plan::Role;
use super::solve::{Builder, Job};
use crate::run::Host;

/// What the next build would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prediction {
    /// One item for each of [`Plan::instructions`](super::plan::Plan::instructions).
    pub instructions: Vec<Predicted>,
    /// Steps that the cache would answer.
    pub cached: usize,
    /// Steps in all.
    pub steps: usize,
}

/// What the next build would do with an instruction.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicted {
    /// What becomes of it.
    pub status: PredictedStatus,
    /// The number and the total of its step.
    pub number: Option<(u32, u32)>,
    /// Simulated nanoseconds that its last run took, where the cache answers.
    pub saved: Option<u64>,
    /// Its key and why it hits or misses; `None` for what is no step.
    pub why: Option<Why>,
}

/// What becomes of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredictedStatus {
    /// The cache answers.
    Hit,
    /// It runs.
    Miss,
    /// It is looked up by content once what it takes files from has run.
    Depends,
    /// It changes the config only.
    Config,
    /// Nothing needs its stage.
    Unneeded,
    /// The source is missing: the build would fail here.
    Fails,
}

/// Predicts a build. `host` is asked for what ADD downloads, for nothing else.
pub fn predict(job: Job, host: &mut dyn Host) -> Prediction {
    let mut builder = Builder::new(job);
    let plan = builder.plan().clone();
    let failed = builder.look_ahead(host);
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(plan.vertices.len());
    for at in 0..plan.vertices.len() {
        let verdict = builder.verdict(at, &verdicts);
        verdicts.push(verdict);
    }
    let mut explainer = Explainer::new(&plan, builder.earlier());
    let whys: Vec<Why> = verdicts
        .iter()
        .enumerate()
        .map(|(at, verdict)| {
            let contents = builder.contents(at);
            let known = Known {
                verdict: *verdict,
                frames: builder.full_frames(at),
                contents: &contents,
                hit: builder.record(at),
                known: builder.knew(at),
            };
            explainer.explain(at, known)
        })
        .collect();
    let instructions = plan
        .instructions
        .iter()
        .map(|instruction| {
            let (status, step) = match &instruction.role {
                Role::Config => (PredictedStatus::Config, None),
                Role::Unneeded => (PredictedStatus::Unneeded, None),
                Role::Steps(steps) => {
                    let step = steps.last().copied();
                    let status = match step.map(|step| verdicts[step]) {
                        _ if steps.iter().any(|step| failed == Some(*step)) => {
                            PredictedStatus::Fails
                        }
                        Some(Verdict::Hit) => PredictedStatus::Hit,
                        Some(Verdict::Depends) => PredictedStatus::Depends,
                        _ => PredictedStatus::Miss,
                    };
                    (status, step)
                }
            };
            Predicted {
                status,
                number: step.and_then(|step| plan.vertices[step].number),
                saved: step
                    .and_then(|step| builder.record(step))
                    .map(|record| record.nanos),
                why: step.map(|step| whys[step].clone()),
            }
        })
        .collect();
    let shown = || {
        plan.vertices
            .iter()
            .zip(&verdicts)
            .filter(|(vertex, _)| !vertex.internal)
    };
    Prediction {
        instructions,
        cached: shown()
            .filter(|(_, verdict)| **verdict == Verdict::Hit)
            .count(),
        steps: shown().count(),
    }
}

impl Builder {
    /// The verdict on `at`, given those on all before it.
    fn verdict(&mut self, at: usize, verdicts: &[Verdict]) -> Verdict {
        let plan = self.plan().clone();
        let vertex = &plan.vertices[at];
        if matches!(vertex.op, Op::Context) {
            return Verdict::NotAsked;
        }
        if vertex.ignore_cache {
            return Verdict::Miss;
        }
        let mut waits = false;
        for (number, input) in vertex.inputs.iter().enumerate() {
            let by_content = vertex.rules[number].content.is_some();
            match self.look_into(at, number, *input) {
                true => {}
                false if by_content && verdicts[*input] != Verdict::NotAsked => {
                    // Its files are not there before it has run.
                    if verdicts[*input] == Verdict::Hit {
                        return Verdict::Miss;
                    }
                    waits = true;
                }
                false if verdicts[*input] == Verdict::Depends => waits = true,
                false => return Verdict::Miss,
            }
        }
        if waits {
            return Verdict::Depends;
        }
        self.join_all(at);
        match self.record(at) {
            Some(_) => Verdict::Hit,
            None => Verdict::Miss,
        }
    }
}
