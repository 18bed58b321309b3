//! Vertices as they are defined, and their merging into a graph.

use std::collections::BTreeMap;

use super::{MAX_VERTICES, Vertex, key_of};
use crate::build::error::{BuildError, ConvertError, ErrorKind};
use crate::build::key::{Frames, Part};
use crate::build::op::Op;
use crate::dockerfile::span::Lines;
use crate::image::Digest;

/// A vertex as an instruction defines it. Two drafts with the same definition become one vertex.
pub(super) struct Draft {
    pub op: Op,
    /// Other drafts.
    pub inputs: Vec<usize>,
    pub name: String,
    pub text: String,
    pub stage: String,
    pub number: Option<(u32, u32)>,
    pub lines: Option<Lines>,
    pub ignore_cache: bool,
    pub internal: bool,
}

impl Draft {
    pub fn of(op: Op, inputs: Vec<usize>) -> Draft {
        Draft {
            op,
            inputs,
            name: String::new(),
            text: String::new(),
            stage: String::new(),
            number: None,
            lines: None,
            ignore_cache: false,
            internal: false,
        }
    }

    /// A vertex that is not shown among the steps.
    pub fn internal(op: Op, inputs: Vec<usize>, what: &str) -> Draft {
        Draft {
            name: format!("[internal] {what}"),
            text: what.to_string(),
            internal: true,
            ..Draft::of(op, inputs)
        }
    }
}

/// All drafts of a build.
pub(super) struct Drafts {
    list: Vec<Draft>,
    context: Option<usize>,
}

impl Drafts {
    pub fn new() -> Drafts {
        Drafts {
            list: Vec::new(),
            context: None,
        }
    }

    pub fn add(&mut self, draft: Draft) -> usize {
        self.list.push(draft);
        self.list.len() - 1
    }

    /// The build context.
    pub fn context(&mut self) -> usize {
        if let Some(context) = self.context {
            return context;
        }
        let draft = Draft::internal(Op::Context, Vec::new(), "load build context");
        let context = self.add(draft);
        self.context = Some(context);
        context
    }

    /// The graph of what `targets` need: inputs first, depth first. Drafts of one definition are
    /// merged; the last that is come upon gives the name. Also gives the vertex of each draft.
    pub fn link(
        self,
        targets: impl DoubleEndedIterator<Item = usize>,
    ) -> Result<(Vec<Vertex>, Vec<Option<usize>>), BuildError> {
        let mut vertices: Vec<Vertex> = Vec::new();
        let mut by_definition: BTreeMap<Digest, usize> = BTreeMap::new();
        let mut definitions: Vec<Digest> = Vec::new();
        let mut places: Vec<Option<usize>> = vec![None; self.list.len()];
        // A draft, and how many of its inputs have been gone into.
        let mut path: Vec<(usize, usize)> = targets.rev().map(|target| (target, 0)).collect();
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let draft = &self.list[at];
            if places[at].is_some() {
                path.pop();
                continue;
            }
            if let Some(&input) = draft.inputs.get(*next) {
                *next += 1;
                path.push((input, 0));
                continue;
            }
            path.pop();
            // Inputs that have become one vertex are one input.
            let mut inputs: Vec<usize> = Vec::new();
            let mut moved: Vec<usize> = Vec::new();
            for place in draft.inputs.iter().filter_map(|input| places[*input]) {
                let position = inputs.iter().position(|known| *known == place);
                moved.push(position.unwrap_or(inputs.len()));
                if position.is_none() {
                    inputs.push(place);
                }
            }
            let op = moved_inputs(&draft.op, &moved);
            let mut frames = Frames::new();
            op.write_definition(&mut frames);
            for input in &inputs {
                frames.push(Part::Parent, "", definitions[*input]);
            }
            let definition = frames.digest();
            if let Some(&place) = by_definition.get(&definition) {
                let vertex = &mut vertices[place];
                vertex.name.clone_from(&draft.name);
                vertex.text.clone_from(&draft.text);
                vertex.stage.clone_from(&draft.stage);
                vertex.number = draft.number;
                vertex.ignore_cache |= draft.ignore_cache;
                vertex.internal = draft.internal;
                vertex
                    .lines
                    .extend(draft.lines.filter(|l| !vertex.lines.contains(l)));
                places[at] = Some(place);
                continue;
            }
            if vertices.len() >= MAX_VERTICES {
                let message = format!("the build has more than {MAX_VERTICES} steps");
                return Err(BuildError {
                    kind: ErrorKind::Limit,
                    ..ConvertError::new(message).nowhere()
                });
            }
            let (frames, key) = key_of(&op);
            places[at] = Some(vertices.len());
            by_definition.insert(definition, vertices.len());
            definitions.push(definition);
            vertices.push(Vertex {
                rules: op.input_rules(inputs.len()),
                op,
                inputs,
                frames,
                key,
                name: draft.name.clone(),
                text: draft.text.clone(),
                stage: draft.stage.clone(),
                number: draft.number,
                lines: draft.lines.into_iter().collect(),
                instructions: Vec::new(),
                ignore_cache: draft.ignore_cache,
                internal: draft.internal,
            });
        }
        Ok((vertices, places))
    }
}

/// The operation with each input number replaced.
fn moved_inputs(op: &Op, moved: &[usize]) -> Op {
    let at = |input: &mut Option<usize>| *input = input.and_then(|i| moved.get(i).copied());
    let mut op = op.clone();
    match &mut op {
        Op::Run(run) => run.mounts.iter_mut().for_each(|mount| at(&mut mount.input)),
        Op::File(file) => {
            at(&mut file.base);
            for action in &mut file.actions {
                if let crate::build::op::FileAction::Copy(copy) = action {
                    at(&mut copy.input);
                }
            }
        }
        _ => {}
    }
    op
}

impl Drafts {
    /// Marks a draft as one that must run.
    pub fn ignore_cache(&mut self, draft: usize) {
        self.list[draft].ignore_cache = true;
    }
}
