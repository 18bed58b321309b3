//! Builds in a fork, one after the other, a turn at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::{Build, Building, Desk, Edit, Refusal, Tally, Turn};
use crate::view::Progress;
use crate::world::World;

/// What a turn of a longer work brings.
#[derive(Debug)]
pub enum Step<T> {
    /// There is more to do.
    More(Progress),
    /// Parts of the catalog must be supplied; then it goes on.
    Needs(Vec<String>),
    /// It is done.
    Over(T),
}

/// A fork in which edits are made and built.
#[derive(Debug)]
pub(super) struct Chain {
    desk: Desk,
    rest: VecDeque<Vec<Edit>>,
    building: Option<Building>,
}

impl Chain {
    /// From `desk` on: for each of `rounds`, its edits are made and the result is built.
    pub fn new(desk: &Desk, rounds: impl IntoIterator<Item = Vec<Edit>>) -> Chain {
        Chain {
            desk: desk.clone(),
            rest: rounds.into_iter().collect(),
            building: None,
        }
    }

    /// Does a part of the work.
    ///
    /// # Errors
    /// An edit that cannot be made.
    pub fn turn(&mut self, world: &World) -> Result<Step<Desk>, Refusal> {
        if let Some(building) = &mut self.building {
            match building.turn(world) {
                Turn::More { doing, .. } => {
                    return Ok(Step::More(Progress {
                        doing,
                        ..Progress::default()
                    }));
                }
                Turn::Needs(parts) => return Ok(Step::Needs(parts)),
                Turn::Over => {}
            }
            if let Some(building) = self.building.take() {
                self.desk = building.finish();
            }
        }
        let Some(edits) = self.rest.front() else {
            return Ok(Step::Over(self.desk.clone()));
        };
        let mut desk = self.desk.clone();
        let mut tally = Tally::default();
        for edit in edits {
            desk.apply(edit, &mut tally)?;
        }
        match desk.begin(world) {
            Err(parts) => Ok(Step::Needs(parts)),
            Ok(building) => {
                self.rest.pop_front();
                self.building = Some(building);
                Ok(Step::More(Progress::default()))
            }
        }
    }
}

/// The last build of a desk that has one.
pub(super) fn last(desk: &Desk) -> Option<Arc<Build>> {
    desk.last_build().cloned()
}
