//! A build in time: what ran beside what, what the build waited for, what the cache saved.

use serde::{Deserialize, Serialize};

use crate::build::plan::Plan;
use crate::build::report::{Report, Status};

use super::made::seconds;

/// A build in simulated time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct TimelineView {
    /// The steps by stage, in order of definition. A stage has several lanes where its steps ran
    /// at the same time.
    pub lanes: Vec<LaneView>,
    /// The steps that the build waited for, the first one first: the critical path.
    pub critical: Vec<usize>,
    /// How long the build would have taken had the cache answered nothing, as far as it is known
    /// how long each step takes.
    pub uncached: f64,
    /// Marks for an axis from 0 to the end.
    pub marks: Vec<f64>,
}

/// Steps one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct LaneView {
    /// The stage's name; empty where there is but one.
    pub stage: String,
    /// Indexes of steps.
    pub steps: Vec<usize>,
}

/// The timeline of a build. Without a plan there is none.
pub fn timeline(report: &Report, plan: Option<&Plan>) -> TimelineView {
    let Some(plan) = plan else {
        return TimelineView::default();
    };
    let mut step_of: Vec<Option<usize>> = vec![None; plan.vertices.len()];
    for (at, step) in report.steps.iter().enumerate() {
        if let Some(place) = step_of.get_mut(step.vertex) {
            *place = Some(at);
        }
    }
    TimelineView {
        lanes: lanes(report),
        critical: critical(report, plan, &step_of),
        uncached: seconds(uncached(report, plan, &step_of)),
        marks: marks(seconds(report.nanos)),
    }
}

fn lanes(report: &Report) -> Vec<LaneView> {
    // Of each lane, where its last bar ends.
    let mut lanes: Vec<(LaneView, u64)> = Vec::new();
    for (at, step) in report.steps.iter().enumerate() {
        let same = |lane: &LaneView| lane.stage == step.stage;
        let free = lanes
            .iter()
            .position(|(lane, end)| same(lane) && *end <= step.start);
        let free = free.unwrap_or_else(|| {
            let lane = LaneView {
                stage: step.stage.clone(),
                steps: Vec::new(),
            };
            // Lanes of one stage stand together.
            let after = lanes.iter().rposition(|(lane, _)| same(lane));
            let place = after.map_or(lanes.len(), |at| at + 1);
            lanes.insert(place, (lane, 0));
            place
        });
        let (lane, end) = &mut lanes[free];
        lane.steps.push(at);
        *end = (*end).max(step.start + step.nanos);
    }
    lanes.into_iter().map(|(lane, _)| lane).collect()
}

/// The steps with a duration from the end back to the start, each the one that the next waited for.
fn critical(report: &Report, plan: &Plan, step_of: &[Option<usize>]) -> Vec<usize> {
    let end = |at: usize| report.steps[at].start + report.steps[at].nanos;
    let began = |at: &usize| report.steps[*at].status != Status::Skipped;
    // The first of those that end at the same time.
    let latest = |steps: &mut dyn Iterator<Item = usize>| {
        steps.fold(None, |best: Option<usize>, at| match best {
            Some(best) if end(best) >= end(at) => Some(best),
            _ => Some(at),
        })
    };
    let mut path = Vec::new();
    let mut next = latest(&mut (0..report.steps.len()).filter(began));
    while let Some(at) = next.filter(|at| end(*at) > 0) {
        if report.steps[at].nanos > 0 {
            path.push(at);
        }
        let inputs = shown_inputs(plan, step_of, report.steps[at].vertex);
        next = latest(&mut inputs.into_iter().filter(began));
    }
    path.reverse();
    path
}

/// The steps that a vertex takes from, through vertices that are not shown.
fn shown_inputs(plan: &Plan, step_of: &[Option<usize>], vertex: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open = plan.vertices[vertex].inputs.clone();
    while let Some(input) = open.pop() {
        match step_of[input] {
            Some(step) if !found.contains(&step) => found.push(step),
            Some(_) => {}
            None => open.extend(&plan.vertices[input].inputs),
        }
    }
    found
}

/// The nanoseconds that the build takes if each step takes what it took when it last ran.
fn uncached(report: &Report, plan: &Plan, step_of: &[Option<usize>]) -> u64 {
    let mut ends: Vec<u64> = Vec::with_capacity(plan.vertices.len());
    for (at, vertex) in plan.vertices.iter().enumerate() {
        let own = step_of[at].map_or(0, |step| {
            let step = &report.steps[step];
            step.saved.unwrap_or(0).max(step.nanos)
        });
        let start = vertex.inputs.iter().map(|input| ends[*input]).max();
        ends.push(start.unwrap_or(0) + own);
    }
    ends.into_iter().max().unwrap_or(0)
}

/// At most so many marks beside that at zero.
const MOST_MARKS: f64 = 8.0;

fn marks(all: f64) -> Vec<f64> {
    if all <= 0.0 {
        return vec![0.0];
    }
    // The smallest of 1, 2, 5, 10, 20, … milliseconds that is not too small.
    let mut thousandths = 1_u64;
    while all * 1e3 / thousandths as f64 > MOST_MARKS {
        thousandths = match thousandths.to_string().as_bytes()[0] {
            b'2' => thousandths / 2 * 5,
            _ => thousandths * 2,
        };
    }
    let count = (all * 1e3 / thousandths as f64) as u64;
    (0..=count)
        .map(|at| (at * thousandths) as f64 / 1e3)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_few_round_marks() {
        assert_eq!(marks(0.0), [0.0]);
        assert_eq!(marks(1.5), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4]);
        assert_eq!(marks(41.3), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(marks(41.3).len(), 5);
        for tenths in 1..20_000_u32 {
            let all = f64::from(tenths) / 10.0;
            let marks = marks(all);
            assert!((2..=9).contains(&marks.len()), "{all}: {marks:?}");
        }
    }
}
