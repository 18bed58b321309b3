//! Better orders, each verified by building it.

use std::collections::VecDeque;

use crate::engine::{Build, Desk, Edit};
use crate::view::{Progress, Suggestion};
use crate::world::World;

use super::chain::{Chain, Step};
use super::matrix::cell;
use super::rewrite::{Candidate, candidates};
use super::{KindOfEdit, same_config, same_files, typical_edits};

/// Less is not worth a change, in seconds.
const MIN_SECONDS: f64 = 0.1;
/// Less is not worth a change, in bytes of the image.
const MIN_BYTES: u64 = 100_000;
/// So many suggestions are given.
const MAX_SUGGESTIONS: usize = 5;

/// Builds the present order and every candidate, each again after a typical edit.
#[derive(Debug)]
pub struct SuggestTask {
    start: Desk,
    edit: Option<KindOfEdit>,
    present: Option<Desk>,
    rest: VecDeque<Candidate>,
    total: usize,
    chain: Option<Chain>,
    found: Vec<(f64, u64, Suggestion)>,
}

impl SuggestTask {
    /// Looks for better orders of the desk's Dockerfile.
    pub fn new(desk: &Desk) -> SuggestTask {
        let text = desk.workspace.dockerfile().unwrap_or_default();
        let rest: VecDeque<Candidate> = candidates(&text, desk.workspace.files()).into();
        SuggestTask {
            start: desk.clone(),
            edit: typical_edits(desk).into_iter().next(),
            present: None,
            total: rest.len() + 1,
            rest,
            chain: None,
            found: Vec::new(),
        }
    }

    /// Does a part of the work.
    pub fn turn(&mut self, world: &World) -> Step<Vec<Suggestion>> {
        let doing = match (&self.present, self.rest.front()) {
            (None, _) => "the present order".to_string(),
            (Some(_), Some(candidate)) => candidate.title.clone(),
            (Some(_), None) => return Step::Over(self.ranked()),
        };
        let chain = match &mut self.chain {
            Some(chain) => chain,
            None => {
                let mut rounds = vec![match (&self.present, self.rest.front()) {
                    (Some(_), Some(candidate)) => vec![Edit::Dockerfile {
                        text: candidate.text.clone(),
                    }],
                    _ => Vec::new(),
                }];
                rounds.extend(self.edit.iter().map(|edit| vec![edit.edit.clone()]));
                self.chain.insert(Chain::new(&self.start, rounds))
            }
        };
        match chain.turn(world) {
            Ok(Step::More(_)) => {}
            Ok(Step::Needs(parts)) => return Step::Needs(parts),
            Ok(Step::Over(desk)) => {
                self.chain = None;
                if self.present.is_none() {
                    self.present = Some(desk);
                } else if let Some(candidate) = self.rest.pop_front() {
                    self.verify(candidate, &desk);
                }
            }
            Err(_) => {
                self.chain = None;
                if self.present.is_none() {
                    self.present = Some(self.start.clone());
                    self.rest.clear();
                } else {
                    self.rest.pop_front();
                }
            }
        }
        Step::More(Progress {
            doing,
            done: (self.total - 1 - self.rest.len()) as u32 + u32::from(self.present.is_some()),
            total: self.total as u32 + 1,
        })
    }

    /// The first build of a chain's rounds and the rebuild after the edit.
    fn rounds<'d>(&self, desk: &'d Desk) -> Option<(&'d Build, Option<&'d Build>)> {
        let first = self.start.next_number();
        let build = desk.build(first).ok()?;
        let again = desk.build(first + 1).ok().map(|build| &**build);
        Some((build, again))
    }

    fn verify(&mut self, candidate: Candidate, desk: &Desk) {
        let Some(present) = self.present.as_ref() else {
            return;
        };
        let (Some((a, a_again)), Some((b, b_again))) = (self.rounds(present), self.rounds(desk))
        else {
            return;
        };
        let (Some(old), Some(new)) = (&a.report.image, &b.report.image) else {
            return;
        };
        let same = same_files(a, b) && same_config(old, new);
        let again_same = match (a_again, b_again) {
            (Some(a), Some(b)) => same_files(a, b),
            _ => true,
        };
        if !same || !again_same {
            return;
        }
        let cells = (cell(a_again.unwrap_or(a)), cell(b_again.unwrap_or(b)));
        let saved = cells.0.seconds - cells.1.seconds;
        let smaller = old.size().saturating_sub(new.size());
        let larger = new.size().saturating_sub(old.size());
        let pays = saved >= MIN_SECONDS || (smaller >= MIN_BYTES && saved > -MIN_SECONDS);
        if !pays || larger > MIN_BYTES {
            return;
        }
        let reason = match smaller {
            MIN_BYTES.. => format!(
                "{} The image has {} less.",
                candidate.reason,
                crate::engine::in_words(smaller)
            ),
            _ => candidate.reason,
        };
        self.found.push((
            saved,
            smaller,
            Suggestion {
                title: candidate.title,
                reason,
                dockerfile: candidate.text,
                edit: self
                    .edit
                    .as_ref()
                    .map(|edit| edit.label.clone())
                    .unwrap_or_default(),
                before: cells.0,
                after: cells.1,
                same_files: true,
                same_config: true,
            },
        ));
    }

    /// The best first: by seconds saved, then by bytes.
    fn ranked(&mut self) -> Vec<Suggestion> {
        let mut found = std::mem::take(&mut self.found);
        crate::order::sort_by(&mut found, |(a, x, _), (b, y, _)| {
            let rough = |seconds: &f64| (seconds * 10.0).round() as i64;
            rough(b).cmp(&rough(a)).then(y.cmp(x))
        });
        found
            .into_iter()
            .map(|(_, _, suggestion)| suggestion)
            .take(MAX_SUGGESTIONS)
            .collect()
    }
}
