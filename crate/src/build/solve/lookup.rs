//! Finding keys and records: by how inputs were made, then by their content.

use std::collections::BTreeSet;

use super::{Builder, Goal, Next, Stop};
use crate::build::cache::{InputKey, KeyId};
use crate::build::content::checksum;
use crate::build::error::ErrorKind;
use crate::build::execute::{self, Failure};
use crate::build::key::{Frames, Part};
use crate::build::op::Op;
use crate::build::report::Status;
use crate::fs::Fs;
use crate::run::Host;

impl Builder {
    /// The keys of `at` by how its inputs were made. Its inputs come before it.
    pub(super) fn fast(&mut self, at: usize, host: &mut dyn Host) -> Result<(), Stop> {
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
                    let (fetched, digest) =
                        execute::download(op, host, clock, self.job.options.epoch)
                            .map_err(|failure| Stop::Failed(at, failure))?;
                    let mut frames = Frames::new();
                    frames.push(Part::Parent, "", vertex.key);
                    frames.push(Part::Content, "", digest);
                    self.edges[at].fetched = Some(fetched);
                    self.edges[at].downloaded = Some(digest);
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
    pub(super) fn match_input(&mut self, at: usize, number: usize) {
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
    pub(super) fn join(&mut self, at: usize) {
        let edge = &mut self.edges[at];
        let mut common: Option<BTreeSet<KeyId>> = None;
        for input in &edge.inputs {
            common = Some(match common {
                None => input.matches.clone(),
                Some(common) => crate::order::set(common.intersection(&input.matches).copied()),
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
    pub(super) fn content(&mut self, at: usize, number: usize, files: &Fs) -> Result<(), Stop> {
        if self.edges[at].inputs[number].content.is_some() {
            return Ok(());
        }
        let plan = self.job.plan.clone();
        let vertex = &plan.vertices[at];
        let Some(selectors) = &vertex.rules[number].content else {
            return Ok(());
        };
        self.unpack(&vertex.inputs[number..=number]);
        let digest = checksum(files, selectors).map_err(|error| {
            self.edges[at].missing = Some(vertex.inputs[number]);
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
    pub(super) fn keys(&mut self, at: usize) -> Result<Next, Stop> {
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
    pub(super) fn look_up(
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
}
