//! Work that takes more than one turn.

use std::sync::Arc;

use crate::advise::{MatrixTask, Step, SuggestTask};
use crate::engine::{Building, Desk, Turn};
use crate::view::{Matrix, Progress, Suggestion};
use crate::world::World;

/// What is under way.
#[derive(Debug)]
pub enum Task {
    /// A build of the workspace.
    Build(Box<Building>),
    /// A build in a fork, to know its seconds.
    Forecast(Box<Building>),
    /// See [`MatrixTask`].
    Matrix(Box<MatrixTask>),
    /// See [`SuggestTask`].
    Suggest(Box<SuggestTask>),
}

/// What a turn of a task brings.
#[derive(Debug)]
pub enum Outcome {
    /// There is more to do.
    Progress(Progress),
    /// Parts of the catalog must be supplied; then the task goes on.
    Needs(Vec<String>),
    /// The desk with the build.
    Built(Box<Desk>),
    /// The build in the fork.
    Forecast(Arc<crate::engine::Build>),
    /// The matrix.
    Matrix(Matrix),
    /// The suggestions.
    Suggestions(Vec<Suggestion>),
}

impl Task {
    /// Does a part of the work. Gives itself back unless it is over.
    pub fn turn(mut self, world: &World) -> (Option<Task>, Outcome) {
        let outcome = match &mut self {
            Task::Build(building) | Task::Forecast(building) => match building.turn(world) {
                Turn::More { doing, done, total } => {
                    Some(Outcome::Progress(Progress { doing, done, total }))
                }
                Turn::Needs(parts) => Some(Outcome::Needs(parts)),
                Turn::Over => None,
            },
            Task::Matrix(task) => match task.turn(world) {
                Step::More(progress) => Some(Outcome::Progress(progress)),
                Step::Needs(parts) => Some(Outcome::Needs(parts)),
                Step::Over(matrix) => return (None, Outcome::Matrix(matrix)),
            },
            Task::Suggest(task) => match task.turn(world) {
                Step::More(progress) => Some(Outcome::Progress(progress)),
                Step::Needs(parts) => Some(Outcome::Needs(parts)),
                Step::Over(found) => return (None, Outcome::Suggestions(found)),
            },
        };
        match (outcome, self) {
            (Some(outcome), task) => (Some(task), outcome),
            (None, Task::Forecast(building)) => {
                let desk = building.finish();
                match desk.last_build() {
                    Some(build) => (None, Outcome::Forecast(build.clone())),
                    None => (None, Outcome::Built(Box::new(desk))),
                }
            }
            (None, Task::Build(building)) => (None, Outcome::Built(Box::new(building.finish()))),
            (None, task) => (Some(task), Outcome::Progress(Progress::default())),
        }
    }
}
