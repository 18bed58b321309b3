//! What each kind of edit costs in each order.

use crate::build::report::Status;
use crate::engine::{Build, Desk, Edit};
use crate::view::made::seconds;
use crate::view::{Matrix, MatrixCell, MatrixRow, Progress};
use crate::world::World;

use super::chain::{Chain, Step, last};
use super::{KindOfEdit, same_config, same_files, typical_edits};

/// Builds every order, then every edit in every order.
#[derive(Debug)]
pub struct MatrixTask {
    names: Vec<String>,
    edits: Vec<KindOfEdit>,
    /// A built desk for each order.
    warm: Vec<Desk>,
    /// By order, then by edit.
    cells: Vec<MatrixCell>,
    start: Desk,
    orders: Vec<String>,
    chain: Option<Chain>,
}

impl MatrixTask {
    /// The matrix of the desk's Dockerfile and, if there is one, of another.
    pub fn new(desk: &Desk, other: Option<String>) -> MatrixTask {
        let present = desk.workspace.dockerfile().unwrap_or_default().into_owned();
        let mut names = vec!["as it is".to_string()];
        let mut orders = vec![present];
        if let Some(other) = other {
            names.push("the other order".to_string());
            orders.push(other);
        }
        MatrixTask {
            edits: typical_edits(desk),
            warm: Vec::new(),
            cells: Vec::new(),
            start: desk.clone(),
            names,
            orders,
            chain: None,
        }
    }

    /// Does a part of the work.
    pub fn turn(&mut self, world: &World) -> Step<Matrix> {
        let total = self.orders.len() * (1 + self.edits.len());
        let done = self.warm.len() + self.cells.len();
        let Some(rounds) = self.next_rounds() else {
            return Step::Over(self.matrix());
        };
        let (desk, edits, doing) = rounds;
        let chain = self.chain.get_or_insert_with(|| Chain::new(&desk, [edits]));
        match chain.turn(world) {
            Ok(Step::More(_)) => {}
            Ok(Step::Needs(parts)) => return Step::Needs(parts),
            Ok(Step::Over(desk)) => {
                self.chain = None;
                self.take(Some(desk));
            }
            Err(_) => {
                self.chain = None;
                self.take(None);
            }
        }
        Step::More(Progress {
            doing,
            done: done as u32,
            total: total as u32,
        })
    }

    /// What is built next, and on what.
    fn next_rounds(&self) -> Option<(Desk, Vec<Edit>, String)> {
        let at = self.warm.len();
        if let Some(text) = self.orders.get(at) {
            let edit = Edit::Dockerfile { text: text.clone() };
            return Some((self.start.clone(), vec![edit], self.names[at].clone()));
        }
        let count = self.edits.len();
        let at = self.cells.len();
        let order = at.checked_div(count)?;
        let (warm, edit) = (self.warm.get(order)?, self.edits.get(at % count)?);
        let doing = format!("{}: {}", self.names[order], edit.label);
        Some((warm.clone(), vec![edit.edit.clone()], doing))
    }

    fn take(&mut self, desk: Option<Desk>) {
        if self.warm.len() < self.orders.len() {
            self.warm.push(desk.unwrap_or_else(|| self.start.clone()));
        } else {
            let build = desk.as_ref().and_then(last);
            self.cells.push(build.map_or(FAILED, |build| cell(&build)));
        }
    }

    fn matrix(&self) -> Matrix {
        let count = self.edits.len();
        let builds: Vec<_> = self.warm.iter().filter_map(last).collect();
        let both = match builds.as_slice() {
            [a, b] => Some((a, b)),
            _ => None,
        };
        let images = both.and_then(|(a, b)| a.report.image.as_ref().zip(b.report.image.as_ref()));
        Matrix {
            orders: self.names.clone(),
            rows: self
                .edits
                .iter()
                .enumerate()
                .map(|(at, edit)| MatrixRow {
                    edit: edit.label.clone(),
                    cells: (0..self.names.len())
                        .filter_map(|order| self.cells.get(order * count + at).cloned())
                        .collect(),
                })
                .collect(),
            same_files: both.map(|(a, b)| same_files(a, b)),
            same_config: images.map(|(a, b)| same_config(a, b)),
        }
    }
}

/// A rebuild that could not be begun.
const FAILED: MatrixCell = MatrixCell {
    seconds: 0.0,
    ran: 0,
    steps: 0,
    failed: true,
};

/// A rebuild in figures.
pub(super) fn cell(build: &Build) -> MatrixCell {
    let steps = &build.report.steps;
    // A FROM whose image is there already is done without running.
    let ran = |step: &&crate::build::report::Step| {
        step.status == Status::Failed || (step.status == Status::Done && step.nanos > 0)
    };
    MatrixCell {
        seconds: seconds(build.report.nanos),
        ran: steps.iter().filter(ran).count() as u32,
        steps: steps.len() as u32,
        failed: !build.report.ok(),
    }
}
