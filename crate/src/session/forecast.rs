//! What the next build would do, as the page shows it.

use std::sync::Arc;

use crate::build::content::Selector;
use crate::build::explain::Verdict;
use crate::build::op::Op;
use crate::build::plan::{Plan, PlannedInstruction, Role};
use crate::build::predict::{self, Predicted};
use crate::engine::Build;
use crate::view::made::seconds;
use crate::view::why::{Around, because, why};
use crate::view::{
    FirstMiss, InstructionView, PredictedInstruction, PredictedStatus, Prediction, StepStatus,
};

use super::reading::Reading;

/// The prediction of a workspace that cannot be built.
pub fn of_error(reading: &Reading, revision: u64) -> Prediction {
    Prediction {
        revision,
        instructions: reading.instructions.iter().map(|_| unknown()).collect(),
        error: reading.error().map(|error| error.message.clone()),
        ..Prediction::default()
    }
}

fn unknown() -> PredictedInstruction {
    PredictedInstruction {
        status: PredictedStatus::Unknown,
        note: String::new(),
        seconds: None,
        number: None,
        why: None,
        reads: Vec::new(),
    }
}

/// The prediction that the keys allow.
pub fn of_keys(
    prediction: &predict::Prediction,
    plan: &Plan,
    instructions: &[InstructionView],
    revision: u64,
) -> Prediction {
    // An instruction's place in the plan is its place in the text.
    let views: Vec<PredictedInstruction> = prediction
        .instructions
        .iter()
        .enumerate()
        .map(|(at, predicted)| instruction(at, predicted, plan, instructions))
        .collect();
    let all_hit = prediction.cached == prediction.steps;
    let first_miss = first_miss(&views, instructions);
    Prediction {
        revision,
        instructions: views,
        cached: prediction.cached as u32,
        steps: prediction.steps as u32,
        seconds: all_hit.then_some(0.0),
        first_miss,
        error: None,
    }
}

fn instruction(
    at: usize,
    predicted: &Predicted,
    plan: &Plan,
    instructions: &[InstructionView],
) -> PredictedInstruction {
    let text = instructions.get(at).map_or("", |view| &view.text);
    let number = predicted.number.map(|(number, _)| number);
    let reason = predicted.why.as_ref();
    PredictedInstruction {
        status: match predicted.status {
            predict::PredictedStatus::Hit => PredictedStatus::Hit,
            predict::PredictedStatus::Miss | predict::PredictedStatus::Fails => {
                PredictedStatus::Miss
            }
            predict::PredictedStatus::Depends => PredictedStatus::Depends,
            predict::PredictedStatus::Config => PredictedStatus::Config,
            predict::PredictedStatus::Unneeded => PredictedStatus::Skipped,
        },
        note: match (predicted.status, reason) {
            (predict::PredictedStatus::Fails, _) => "a source is missing".into(),
            (_, Some(why)) if why.verdict != Verdict::Hit => because(why, false),
            _ => String::new(),
        },
        seconds: predicted
            .saved
            .filter(|_| predicted.status != predict::PredictedStatus::Hit)
            .map(seconds),
        number,
        why: reason.map(|reason| {
            let around = Around {
                text,
                step_of: &|vertex| shown_index(plan, vertex),
                over: false,
            };
            why(reason, &around)
        }),
        reads: plan
            .instructions
            .get(at)
            .map(|planned| reads(planned, plan))
            .unwrap_or_default(),
    }
}

/// What an instruction reads of the context.
fn reads(planned: &PlannedInstruction, plan: &Plan) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let Role::Steps(steps) = &planned.role else {
        return out;
    };
    for vertex in steps.iter().filter_map(|step| plan.vertices.get(*step)) {
        let inputs = vertex.inputs.iter().zip(&vertex.rules);
        let of_context = inputs.filter(|(input, _)| {
            let input = plan.vertices.get(**input);
            input.is_some_and(|input| matches!(input.op, Op::Context))
        });
        for (_, rule) in of_context {
            match rule.content.as_deref() {
                None | Some([]) => out.push(".".to_string()),
                Some(selectors) => selectors
                    .iter()
                    .for_each(|selector| add(selector, &mut out)),
            }
        }
    }
    out.dedup();
    out
}

fn add(selector: &Selector, out: &mut Vec<String>) {
    let path = selector.path.trim_matches('/');
    let join = |below: &str| match (path, below.trim_matches('/')) {
        ("", "") => ".".to_string(),
        (path, "") => path.to_string(),
        ("", below) => below.to_string(),
        (path, below) => format!("{path}/{below}"),
    };
    match selector.include.as_slice() {
        [] => out.push(join("")),
        include => out.extend(include.iter().map(|below| join(below))),
    }
    out.extend(
        selector
            .exclude
            .iter()
            .map(|below| format!("!{}", join(below))),
    );
}

/// The index of a vertex among those that are shown as steps.
fn shown_index(plan: &Plan, vertex: usize) -> Option<usize> {
    let before = plan.vertices.get(..vertex)?;
    let shown = before.iter().filter(|vertex| !vertex.internal).count();
    (!plan.vertices.get(vertex)?.internal).then_some(shown)
}

fn first_miss(
    views: &[PredictedInstruction],
    instructions: &[InstructionView],
) -> Option<FirstMiss> {
    let at = views
        .iter()
        .position(|view| view.status == PredictedStatus::Miss)?;
    Some(FirstMiss {
        instruction: at,
        number: views[at].number.unwrap_or_default(),
        text: instructions
            .get(at)
            .map(|view| view.text.clone())
            .unwrap_or_default(),
        because: views[at].note.clone(),
    })
}

/// The prediction with what a real build in a fork has shown.
pub fn of_build(keys: Prediction, build: &Arc<Build>) -> Prediction {
    let report = &build.report;
    let mut prediction = keys;
    prediction.seconds = Some(seconds(report.nanos));
    prediction.error = report.error.as_ref().map(|error| error.message.clone());
    prediction.cached = report.cached() as u32;
    prediction.steps = report.steps.len() as u32;
    for step in &report.steps {
        for at in &step.instructions {
            let Some(view) = prediction.instructions.get_mut(*at) else {
                continue;
            };
            let status = crate::view::made::status(step.status);
            view.seconds = Some(seconds(step.nanos));
            view.status = match status {
                StepStatus::Cached => PredictedStatus::Hit,
                StepStatus::Skipped => PredictedStatus::Unknown,
                // A FROM that nothing had to be done for stays what the keys say.
                _ if view.status == PredictedStatus::Hit && step.nanos == 0 => PredictedStatus::Hit,
                _ => PredictedStatus::Miss,
            };
        }
    }
    prediction
}
