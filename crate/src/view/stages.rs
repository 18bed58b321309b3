//! The stages of a Dockerfile as a graph, laid out.

use serde::{Deserialize, Serialize};

use crate::dockerfile::expand::Lexer;
use crate::dockerfile::globals::{Globals, Request};
use crate::dockerfile::graph::{Base, Graph, GraphNode, SCRATCH};
use crate::dockerfile::instruction::Dockerfile;

use super::InstructionView;

/// A stage, or an image that only files are taken from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct StageView {
    /// The stage's name or number; the image's name.
    pub name: String,
    /// The image that it starts from, where that is no stage.
    pub base: Option<String>,
    /// Its instructions: the index of its FROM, and that behind its last. None for an image.
    pub instructions: Option<[usize; 2]>,
    /// Whether the build needs it.
    pub needed: bool,
    /// Whether it is what is built.
    pub target: bool,
    /// Its column, from the left; what it takes from stands further left.
    pub column: u32,
    /// What stands above it in its column, in rows: a title is a row, and so is an instruction, and
    /// the room between two.
    pub top: u32,
    /// What it takes from others.
    pub links: Vec<StageLink>,
}

/// What a stage takes from another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct StageLink {
    /// The other's index.
    pub from: usize,
    /// The instruction that takes it: the FROM, or one that copies or mounts files.
    pub instruction: usize,
    /// Whether it starts from the other, rather than taking some of its files.
    pub base: bool,
}

/// The graph; nothing where the Dockerfile has an error that leaves none.
pub fn stages(
    file: &Dockerfile,
    lexer: Lexer,
    request: &Request,
    instructions: &[InstructionView],
) -> Vec<StageView> {
    laid_out(file, lexer, request, instructions).unwrap_or_default()
}

fn laid_out(
    file: &Dockerfile,
    lexer: Lexer,
    request: &Request,
    instructions: &[InstructionView],
) -> Option<Vec<StageView>> {
    let globals = Globals::predefined(file, request)
        .with_meta_args(file, lexer, &request.build_args)
        .ok()?;
    let mut graph = Graph::new(file, lexer, &globals, &mut |_| {}).ok()?;
    let target = graph.target(request).ok()?;
    graph.link().ok()?;
    let reachable = graph.reachable(target);
    // Where each stage begins among the instructions.
    let mut starts: Vec<usize> = (0..instructions.len())
        .filter(|at| instructions[*at].keyword == "FROM")
        .collect();
    starts.push(instructions.len());
    let mut views: Vec<StageView> = Vec::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        let bounds = node
            .stage
            .and_then(|stage| Some([*starts.get(stage)?, *starts.get(stage + 1)?]));
        views.push(StageView {
            name: match (node.stage, &node.base) {
                (None, Base::Image(name)) => name.clone(),
                (Some(stage), _) if file.stages[stage].name.is_empty() => stage.to_string(),
                _ => node.label.clone(),
            },
            base: match (node.stage, &node.base) {
                (None, _) | (_, Base::Node(_)) => None,
                (_, Base::Image(name)) => Some(name.clone()),
                (_, Base::Scratch) => Some(SCRATCH.to_string()),
            },
            instructions: bounds,
            needed: reachable.contains(&at),
            target: at == target,
            column: 0,
            top: 0,
            links: links(node, bounds, &graph, instructions),
        });
    }
    // A node on scratch that stands for a mount without a source is nothing to see.
    let shown: Vec<usize> = (0..views.len())
        .filter(|at| {
            let node = &graph.nodes[*at];
            node.stage.is_some() || matches!(node.base, Base::Image(_))
        })
        .collect();
    let place = |node: usize| shown.iter().position(|shown| *shown == node);
    let mut views: Vec<StageView> = shown
        .iter()
        .map(|at| {
            let mut view = views[*at].clone();
            view.links.retain_mut(|link| match place(link.from) {
                Some(from) => {
                    link.from = from;
                    true
                }
                None => false,
            });
            view
        })
        .collect();
    lay_out(&mut views);
    Some(views)
}

fn links(
    node: &GraphNode,
    bounds: Option<[usize; 2]>,
    graph: &Graph<'_>,
    instructions: &[InstructionView],
) -> Vec<StageLink> {
    let Some([first, end]) = bounds else {
        return Vec::new();
    };
    let mut links = Vec::new();
    if let Base::Node(from) = node.base {
        links.push(StageLink {
            from,
            instruction: first,
            base: true,
        });
    }
    for planned in &node.instructions {
        let line = planned.instruction.lines.first;
        let at = (first..end).find(|at| instructions[*at].lines[0] == line);
        for from in &planned.sources {
            let link = StageLink {
                from: *from,
                // What a base's ONBUILD does stands at the FROM.
                instruction: at.filter(|_| !planned.onbuild).unwrap_or(first),
                base: false,
            };
            if graph.nodes.get(*from).is_some() && !links.contains(&link) {
                links.push(link);
            }
        }
    }
    links
}

/// Gives each its column and its place in it.
fn lay_out(views: &mut [StageView]) {
    // What a stage takes from is a stage before it or an image: columns settle in as many rounds as
    // the longest way has links.
    for _ in 0..views.len() {
        let mut settled = true;
        for at in 0..views.len() {
            let links = views[at].links.iter();
            let column = links
                .filter_map(|link| Some(views.get(link.from)?.column + 1))
                .max()
                .unwrap_or(0);
            settled &= views[at].column == column;
            views[at].column = column;
        }
        if settled {
            break;
        }
    }
    let mut heights: Vec<u32> = Vec::new();
    for view in views {
        let column = view.column as usize;
        if heights.len() <= column {
            heights.resize(column + 1, 0);
        }
        view.top = heights[column];
        let rows = view.instructions.map_or(0, |[first, end]| end - first);
        heights[column] += rows as u32 + 2;
    }
}
