//! Stages as a graph: what each starts from and copies from, and which a target needs.
//!
//! Source: BuildKit `dockerfile2llb` (`buildDispatchStates`, `buildStageDependencyGraph`,
//! `resolveStages`).

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Diagnostic;
use super::expand::{Expansion, Lexer, NoVariables};
use super::globals::{Globals, Request};
use super::golang::quote;
use super::instruction::{Command, Dockerfile, Instruction, parse_instruction};
use super::limits::MAX_STAGES;
use super::parser::parse;
use super::platform::Platform;
use super::reference::Reference;
use super::span::{Lines, Span};
use super::suggest::with_nearest;

/// The base without anything.
pub const SCRATCH: &str = "scratch";

/// How the variables of a FROM came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromUse {
    /// The number of the stage.
    pub stage: usize,
    /// Its base.
    pub base: Expansion,
    /// Its platform, if one is written and the base was fine.
    pub platform: Option<Expansion>,
}

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// Another node of the graph.
    Node(usize),
    /// An image, by its expanded name as it is written.
    Image(String),
}

/// An instruction with the nodes it takes files from.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The instruction, not expanded.
    pub instruction: Instruction,
    /// For COPY --from its source; for RUN one for each mount (a node on scratch where the mount
    /// has no `from`).
    pub sources: Vec<usize>,
    /// Whether it comes from an ONBUILD of the base.
    pub onbuild: bool,
}

/// A stage, or an image that only files are taken from.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphNode {
    /// The number of the stage in the file; `None` for an image.
    pub stage: Option<usize>,
    /// The name in messages and progress: the stage's, or `stage-N`; empty if there is only one
    /// stage and nothing else.
    pub label: String,
    /// What it starts from.
    pub base: Base,
    /// Its platform, if it has its own.
    pub platform: Option<Platform>,
    /// Where it is defined: the FROM, or the COPY that names the image; nothing for a mount.
    pub lines: Option<Lines>,
    /// The bytes of that.
    pub span: Option<Span>,
    /// What is done in it.
    pub instructions: Vec<Planned>,
    /// The nodes it takes files from with the lines of the last instruction that does, in order
    /// of first use.
    pub sources: Vec<(usize, Lines)>,
    onbuild_done: bool,
    image_onbuild_done: bool,
}

/// The graph of a Dockerfile.
#[derive(Clone, Debug)]
pub struct Graph<'a> {
    file: &'a Dockerfile,
    lexer: Lexer,
    /// The stages in order, then the images that files are taken from, in order of use.
    pub nodes: Vec<GraphNode>,
    by_name: BTreeMap<String, usize>,
}

impl<'a> Graph<'a> {
    /// Takes in the stages. `see` is told how the variables of each FROM came out, also of one
    /// that then fails.
    ///
    /// # Errors
    ///
    /// BuildKit's: a base that is blank, a platform that cannot be read, a failing expansion.
    pub fn new(
        file: &'a Dockerfile,
        lexer: Lexer,
        globals: &Globals,
        see: &mut dyn FnMut(&FromUse),
    ) -> Result<Self, Diagnostic> {
        if file.stages.is_empty() {
            return Err(no_stages());
        }
        if file.stages.len() > MAX_STAGES {
            let message = format!("the Dockerfile has more than {MAX_STAGES} stages");
            return Err(Diagnostic::error("too-many-stages", message));
        }
        let mut graph = Self {
            file,
            lexer,
            nodes: Vec::new(),
            by_name: BTreeMap::new(),
        };
        for number in 0..file.stages.len() {
            graph.add_stage(number, globals, see)?;
        }
        Ok(graph)
    }

    fn add_stage(
        &mut self,
        number: usize,
        globals: &Globals,
        see: &mut dyn FnMut(&FromUse),
    ) -> Result<(), Diagnostic> {
        let stage = &self.file.stages[number];
        let fail = |code, message: String| {
            Diagnostic::error(code, message)
                .at_lines(stage.lines)
                .at(stage.span)
        };
        let base = self.lexer.expand(&stage.base, &globals.env);
        let mut from = FromUse {
            stage: number,
            base,
            platform: None,
        };
        let problem = match &from.base.error {
            Some(error) => Some(fail("expansion", error.clone())),
            None if from.base.text.is_empty() => Some(
                fail(
                    "blank-base",
                    format!("base name ({}) should not be blank", stage.base),
                )
                .help("Give the variable a default before the first FROM: ARG NAME=value."),
            ),
            None => None,
        };
        if let Some(problem) = problem {
            see(&from);
            return Err(problem);
        }
        let mut platform = None;
        if !stage.platform.is_empty() {
            let expansion = self.lexer.expand(&stage.platform, &globals.env);
            platform = Some(read_platform(&stage.platform, &expansion, globals));
            from.platform = Some(expansion);
        }
        see(&from);
        let platform = match platform {
            Some(Err(message)) => return Err(fail("invalid-platform", message)),
            Some(Ok(platform)) => Some(platform),
            None => None,
        };
        let label = if stage.name.is_empty() {
            format!("stage-{number}")
        } else {
            stage.name.clone()
        };
        self.add_node(GraphNode {
            stage: Some(number),
            label,
            base: self.base_of(from.base.text),
            platform,
            lines: Some(stage.lines),
            span: Some(stage.span),
            instructions: Vec::new(),
            sources: Vec::new(),
            onbuild_done: false,
            image_onbuild_done: false,
        });
        Ok(())
    }

    /// A name that is exactly that of a stage before (which is in lower case) is the stage.
    fn base_of(&self, name: String) -> Base {
        match self.by_name.get(&name) {
            Some(node) => Base::Node(*node),
            None if name == SCRATCH => Base::Scratch,
            None => Base::Image(name),
        }
    }

    fn add_node(&mut self, node: GraphNode) -> usize {
        let number = self.nodes.len();
        if let Some(stage) = node.stage {
            let name = &self.file.stages[stage].name;
            if !name.is_empty() {
                self.by_name.insert(name.clone(), number);
            }
        }
        self.nodes.push(node);
        number
    }

    fn add_image(&mut self, name: &str, place: Option<(Lines, Span)>) -> usize {
        self.add_node(GraphNode {
            stage: None,
            label: String::new(),
            base: self.base_of(name.to_owned()),
            platform: None,
            lines: place.map(|(lines, _)| lines),
            span: place.map(|(_, span)| span),
            instructions: Vec::new(),
            sources: Vec::new(),
            onbuild_done: false,
            image_onbuild_done: false,
        })
    }

    /// The stage of that name in any case of letters; of equals the last.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_lowercase()).copied()
    }

    /// The node that is built: the target, or the last stage. To be asked before [`Graph::link`].
    ///
    /// # Errors
    ///
    /// If there is no stage of that name.
    pub fn target(&self, request: &Request) -> Result<usize, Diagnostic> {
        if request.target.is_empty() {
            return self.nodes.len().checked_sub(1).ok_or_else(no_stages);
        }
        self.named(&request.target).ok_or_else(|| {
            let target = &request.target;
            let message = format!("target stage {} could not be found", quote(target));
            Diagnostic::error(
                "unknown-target",
                with_nearest(message, target, self.labels(), true),
            )
        })
    }

    fn labels(&self) -> impl Iterator<Item = &str> {
        self.nodes
            .iter()
            .map(|node| node.label.as_str())
            .filter(|label| !label.is_empty())
    }

    /// Finds where the instructions take files from, adding nodes for images.
    ///
    /// # Errors
    ///
    /// A `--from` with variables or with a number out of range; a circle.
    pub fn link(&mut self) -> Result<(), Diagnostic> {
        for number in 0..self.file.stages.len() {
            for instruction in &self.file.stages[number].instructions {
                let planned = self.plan(instruction.clone(), false)?;
                self.append(number, planned);
            }
        }
        self.refuse_circles()?;
        if let [only] = self.nodes.as_mut_slice() {
            only.label.clear();
        }
        Ok(())
    }

    fn append(&mut self, node: usize, planned: Planned) {
        self.note_sources(node, &planned);
        self.nodes[node].instructions.push(planned);
    }

    fn note_sources(&mut self, node: usize, planned: &Planned) {
        let lines = planned.instruction.lines;
        let sources = &mut self.nodes[node].sources;
        for source in &planned.sources {
            match sources.iter_mut().find(|(known, _)| known == source) {
                Some((_, place)) => *place = lines,
                None => sources.push((*source, lines)),
            }
        }
    }

    fn plan(&mut self, instruction: Instruction, onbuild: bool) -> Result<Planned, Diagnostic> {
        let place = Some((instruction.lines, instruction.span));
        let mut sources = Vec::new();
        match &instruction.command {
            Command::Copy(copy) if !copy.from.is_empty() => {
                sources.push(self.copy_source(&copy.from, place)?);
            }
            Command::Run(run) => {
                for mount in &run.mounts {
                    let from = if mount.from.is_empty() {
                        SCRATCH
                    } else {
                        mount.from.as_str()
                    };
                    sources.push(match self.named(from) {
                        Some(node) => node,
                        None => self.add_image(from, None),
                    });
                }
            }
            _ => {}
        }
        Ok(Planned {
            instruction,
            sources,
            onbuild,
        })
    }

    fn copy_source(
        &mut self,
        from: &str,
        place: Option<(Lines, Span)>,
    ) -> Result<usize, Diagnostic> {
        let at = |mut error: Diagnostic| {
            error.span = place.map(|(_, span)| span);
            error
        };
        let plain = self.lexer.expand(from, &NoVariables).into_text();
        let plain = plain.map_err(|error| at(Diagnostic::error("expansion", error)))?;
        if plain != from {
            return Err(at(Diagnostic::error(
                "from-variable",
                "variable expansion is not supported for --from, define a new stage with FROM \
                 using ARG from global scope as a workaround",
            )));
        }
        if let Ok(index) = from.parse::<i64>() {
            return usize::try_from(index)
                .ok()
                .filter(|i| *i < self.nodes.len())
                .ok_or_else(|| {
                    at(Diagnostic::error(
                        "invalid-stage-index",
                        format!("invalid stage index {index}"),
                    ))
                });
        }
        Ok(match self.named(from) {
            Some(node) => node,
            None => self.add_image(from, place),
        })
    }

    fn refuse_circles(&self) -> Result<(), Diagnostic> {
        let mut visited = vec![false; self.nodes.len()];
        let mut on_path = vec![false; self.nodes.len()];
        for start in 0..self.nodes.len() {
            // Depth first with an own stack: the node, its next source, and the lines that led here.
            let mut path: Vec<(usize, usize, Option<Lines>)> = Vec::new();
            if !visited[start] {
                visited[start] = true;
                on_path[start] = true;
                path.push((start, 0, None));
            }
            while let Some((node, next, _)) = path.last_mut() {
                let Some(&(source, lines)) = self.nodes[*node].sources.get(*next) else {
                    on_path[*node] = false;
                    path.pop();
                    continue;
                };
                *next += 1;
                if on_path[source] {
                    let label = &self.nodes[start].label;
                    let mut error = Diagnostic::error(
                        "circular-dependency",
                        format!("circular dependency detected on stage: {label}"),
                    )
                    .help("A stage can only take files from stages before it.");
                    error.span = self.nodes[start].span;
                    error.lines = path.iter().filter_map(|(_, _, lines)| *lines).collect();
                    error.lines.push(lines);
                    return Err(error);
                }
                if !visited[source] {
                    visited[source] = true;
                    on_path[source] = true;
                    path.push((source, 0, Some(lines)));
                }
            }
        }
        Ok(())
    }

    /// The nodes that `target` needs, itself included.
    pub fn reachable(&self, target: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = vec![target];
        while let Some(number) = open.pop() {
            let Some(node) = self.nodes.get(number) else {
                continue;
            };
            if !found.insert(number) {
                continue;
            }
            if let Base::Node(base) = node.base {
                open.push(base);
            }
            open.extend(node.sources.iter().map(|(source, _)| *source));
        }
        found
    }

    /// Puts the ONBUILD instructions of its base in front of a node's own: those of the stage it
    /// starts from, or `image`, those of the image's config. Each kind is taken once, so the
    /// call may be repeated. Says whether the node now takes files from more nodes.
    ///
    /// # Errors
    ///
    /// If a trigger cannot be read, at the lines of the FROM.
    pub fn trigger_onbuild(&mut self, node: usize, image: &[String]) -> Result<bool, Diagnostic> {
        let mut triggers = Vec::new();
        let this = &mut self.nodes[node];
        if !std::mem::replace(&mut this.image_onbuild_done, true) {
            triggers.extend_from_slice(image);
        }
        if !std::mem::replace(&mut this.onbuild_done, true)
            && let Base::Node(base) = this.base
        {
            let kept = self.nodes[base].instructions.iter();
            triggers.extend(
                kept.filter_map(|planned| match &planned.instruction.command {
                    Command::Onbuild(expression) => Some(expression.clone()),
                    _ => None,
                }),
            );
        }
        let mut added = Vec::new();
        for trigger in triggers {
            let (lines, span) = (self.nodes[node].lines, self.nodes[node].span);
            let planned = self.plan_trigger(&trigger, node).map_err(|mut error| {
                error.lines = lines.into_iter().collect();
                error.span = span;
                error
            })?;
            self.note_sources(node, &planned);
            added.push(planned);
        }
        let more = added.iter().any(|planned| !planned.sources.is_empty());
        self.nodes[node].instructions.splice(0..0, added);
        Ok(more)
    }

    fn plan_trigger(&mut self, trigger: &str, node: usize) -> Result<Planned, Diagnostic> {
        let parsed = parse(trigger);
        if let Some(error) = parsed.error() {
            return Err(error.clone());
        }
        let [instruction] = parsed.ast.nodes.as_slice() else {
            return Err(Diagnostic::error(
                "onbuild-trigger",
                "onbuild trigger should be a single expression",
            ));
        };
        let mut instruction = parse_instruction(instruction)?;
        // What an ONBUILD does is shown at the FROM that sets it off.
        instruction.lines = self.nodes[node].lines.unwrap_or_default();
        instruction.span = self.nodes[node].span.unwrap_or_default();
        self.plan(instruction, true)
    }

    /// The full name of the image a node starts from; `None` if it starts from another node or
    /// from nothing.
    ///
    /// # Errors
    ///
    /// If the name is no image name.
    pub fn image_of(&self, node: usize) -> Result<Option<Reference>, Diagnostic> {
        let node = &self.nodes[node];
        let Base::Image(name) = &node.base else {
            return Ok(None);
        };
        Reference::parse(name)
            .map(|reference| Some(reference.tagged()))
            .map_err(|error| {
                let message = format!("failed to parse stage name {}: {error}", quote(name));
                let mut error = Diagnostic::error("invalid-image-name", message);
                error.lines = node.lines.into_iter().collect();
                error.span = node.span;
                error
            })
    }

    /// The error for an image that cannot be had, with a guess at what was meant: a stage or one of
    /// the most common images.
    pub fn missing_image(&self, node: usize, why: &str) -> Diagnostic {
        let this = &self.nodes[node];
        let Base::Image(name) = &this.base else {
            return Diagnostic::error("missing-image", why.to_owned());
        };
        let common: Vec<String> = [
            "alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora",
        ]
        .into_iter()
        .flat_map(|repo| [repo.to_owned(), format!("{repo}:latest")])
        .collect();
        let options = self.labels().chain(common.iter().map(String::as_str));
        let message = with_nearest(format!("{name}: {why}"), name, options, true);
        let mut error = Diagnostic::error("missing-image", message);
        error.lines = this.lines.into_iter().collect();
        error.span = this.span;
        error
    }
}

/// The error for a file without FROM.
pub fn no_stages() -> Diagnostic {
    Diagnostic::error("no-stages", "dockerfile contains no stages to build").help("Add a FROM.")
}

fn read_platform(
    written: &str,
    expansion: &Expansion,
    globals: &Globals,
) -> Result<Platform, String> {
    if let Some(error) = &expansion.error {
        return Err(format!(
            "failed to process arguments for platform : {error}"
        ));
    }
    let guess = |message: String| {
        for name in &expansion.unmatched {
            let better = with_nearest(message.clone(), name, globals.env.names(), true);
            if better != message {
                return better;
            }
        }
        message
    };
    if expansion.text.is_empty() {
        return Err(guess(format!(
            "empty platform value from expression {written}"
        )));
    }
    Platform::parse(&expansion.text)
        .map_err(|error| format!("failed to parse platform {written}: {}", guess(error)))
}
