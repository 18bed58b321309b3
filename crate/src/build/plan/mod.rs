//! The frontend: stages and instructions to a graph of operations.
//!
//! Source: BuildKit `frontend/dockerfile/dockerfile2llb`. The language itself (what is expanded, what
//! is refused) is in [`crate::dockerfile`]; here instructions become operations with names, and the
//! config of the image is gathered.

mod dispatch;
mod files;
mod graph;
mod mounts;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::error::{BuildError, ConvertError};
use super::key::{Frame, Frames, Keyed};
use super::op::{ImageOp, InputRule, Op};
use super::options::Options;
use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::expand::Lexer;
use crate::dockerfile::globals::Globals;
use crate::dockerfile::graph::{Base, Graph};
use crate::dockerfile::instruction::{Dockerfile, parse_stages};
use crate::dockerfile::platform::Platform;
use crate::dockerfile::reference::Reference;
use crate::dockerfile::resolve::{Resolved, resolve};
use crate::dockerfile::scope::{BaseConfig, Scope};
use crate::dockerfile::span::{Lines, Span};
use crate::image::{Digest, ImageConfig};
use crate::world::{BaseImage, Missing, World};

use dispatch::Stage;
use graph::{Draft, Drafts};

/// The most vertices that a build may have.
pub const MAX_VERTICES: usize = 10_000;

/// Where base images come from.
pub trait Images {
    /// The image of that name for a platform.
    ///
    /// # Errors
    /// [`NoImage`].
    fn resolve(
        &mut self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Arc<BaseImage>, NoImage>;
}

impl Images for World {
    fn resolve(
        &mut self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Arc<BaseImage>, NoImage> {
        let platform = crate::image::Platform {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: some(&platform.variant),
        };
        self.image(reference, &platform).map_err(|missing| {
            let message = missing.to_string();
            let help = match missing {
                Missing::Needs(parts) => return NoImage::Needs(parts),
                Missing::NotFound { nearest, .. } => Some(did_you_mean(&nearest)),
                Missing::NoPlatform { .. } | Missing::Broken { .. } => None,
            };
            NoImage::Absent { message, help }
        })
    }
}

/// The most names that a suggestion has.
const MAX_SUGGESTED: usize = 3;

fn did_you_mean(nearest: &[String]) -> String {
    match &nearest[..nearest.len().min(MAX_SUGGESTED)] {
        [] => "Start from an image that the catalog lists, such as alpine, debian or node.".into(),
        [only] => format!("Did you mean {only}?"),
        [more @ .., last] => format!("Did you mean {} or {last}?", more.join(", ")),
    }
}

/// Why an image cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoImage {
    /// These parts of the catalog must be supplied first; then the build can be begun again.
    Needs(Vec<String>),
    /// There is none.
    Absent {
        /// Why, in the words of a registry.
        message: String,
        /// What would help.
        help: Option<String>,
    },
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanError {
    /// The Dockerfile, the options or a base image is wrong.
    Failed(BuildError),
    /// See [`NoImage::Needs`].
    Needs(Vec<String>),
}

impl From<BuildError> for PlanError {
    fn from(error: BuildError) -> PlanError {
        PlanError::Failed(error)
    }
}

impl From<&Diagnostic> for PlanError {
    fn from(error: &Diagnostic) -> PlanError {
        PlanError::Failed(error.into())
    }
}

/// The graph of a build.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The vertices, each after all that it takes from, in the order in which they are shown.
    pub vertices: Vec<Vertex>,
    /// The images, the first platform's first.
    pub images: Vec<PlannedImage>,
    /// What became of each instruction of the file, FROM lines included, in order of the file.
    pub instructions: Vec<PlannedInstruction>,
    /// The names of the stages, in order of the file: as written in lower case, or `stage-N`.
    pub stages: Vec<String>,
    /// The paths of the context that steps look at; `None` where one looks at all of it.
    pub context_paths: Option<Vec<String>>,
}

/// An image that the build makes.
#[derive(Clone, Debug)]
pub struct PlannedImage {
    /// The platform that it is built for.
    pub platform: Platform,
    /// The vertex whose files are the image; `None` for an image without layers.
    pub target: Option<usize>,
    /// Its config, without its layers.
    pub config: ImageConfig,
}

impl Plan {
    /// The vertices whose files are the images.
    pub fn targets(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.images.iter().filter_map(|image| image.target)
    }
}

/// An operation in the graph.
#[derive(Clone, Debug)]
pub struct Vertex {
    /// What it does.
    pub op: Op,
    /// The positions of its inputs in [`Plan::vertices`].
    pub inputs: Vec<usize>,
    /// How each input enters its key.
    pub rules: Vec<InputRule>,
    /// The part of its key that does not come from inputs, to be read.
    pub frames: Vec<Frame>,
    /// The digest of those frames.
    pub key: Digest,
    /// As it is shown: `[build 2/5] COPY go.mod ./`.
    pub name: String,
    /// The instruction in it: `COPY go.mod ./`.
    pub text: String,
    /// The name of its stage; empty where it is not shown.
    pub stage: String,
    /// The number and the total in its name.
    pub number: Option<(u32, u32)>,
    /// The lines of the instructions that it stands for.
    pub lines: Vec<Lines>,
    /// The positions of those instructions in [`Plan::instructions`].
    pub instructions: Vec<usize>,
    /// Whether it must run whatever the cache holds.
    pub ignore_cache: bool,
    /// Whether it is not shown among the steps.
    pub internal: bool,
}

/// An instruction of the file, and what it is in the graph.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedInstruction {
    /// The position of its stage; `None` for an ARG before the first FROM.
    pub stage: Option<usize>,
    /// The instruction word in capitals.
    pub keyword: String,
    /// Its lines.
    pub lines: Lines,
    /// Its bytes.
    pub span: Span,
    /// What it is.
    pub role: Role,
}

/// What an instruction is in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "vertices")]
pub enum Role {
    /// It stands for these vertices; the last holds its files.
    Steps(Vec<usize>),
    /// It changes the config, the variables, or what comes later; no vertex.
    Config,
    /// Its stage is not needed.
    Unneeded,
}

/// Plans a build of the Dockerfile `text`.
///
/// # Errors
/// [`PlanError`], with the message and the lines that BuildKit gives.
pub fn plan(text: &str, options: &Options, images: &mut dyn Images) -> Result<Plan, PlanError> {
    if text.is_empty() {
        return Err((&Diagnostic::error("empty", "the Dockerfile cannot be empty")).into());
    }
    let parsed = crate::dockerfile::parse(text);
    if let Some(error) = parsed.error() {
        return Err(error.into());
    }
    let file = parse_stages(&parsed.ast);
    if let Some(error) = file.error() {
        return Err(error.into());
    }
    let lexer = Lexer::new(parsed.ast.escape);
    let mut drafts = Drafts::new();
    let mut parts = Vec::new();
    let platforms = std::iter::once(&options.platform).chain(&options.more_platforms);
    for platform in platforms {
        let planner = Planner {
            options: &Options {
                platform: platform.clone(),
                ..options.clone()
            },
            images,
            needs: Vec::new(),
            found: BTreeMap::new(),
            file: &file,
            lexer,
        };
        parts.push(planner.plan(&mut drafts)?);
    }
    let (mut vertices, places) = drafts.link(parts.iter().filter_map(|part: &Part| part.root))?;
    check_entitlements(&vertices)?;
    let mut context_paths = BTreeSet::new();
    let mut images = Vec::new();
    let mut instructions: Vec<PlannedInstruction> = Vec::new();
    // The first platform comes last: what an instruction comes to is shown of it.
    for part in parts.into_iter().rev() {
        images.insert(
            0,
            PlannedImage {
                platform: part.platform,
                target: part.root.and_then(|root| places[root]),
                config: part.config,
            },
        );
        context_paths.extend(part.context_paths);
        if instructions.is_empty() {
            instructions = part.instructions;
            continue;
        }
        for (known, own) in instructions.iter_mut().zip(part.instructions) {
            match (&mut known.role, own.role) {
                (Role::Steps(known), Role::Steps(own)) => known.extend(own),
                (Role::Unneeded, role) => known.role = role,
                _ => {}
            }
        }
    }
    for instruction in &mut instructions {
        if let Role::Steps(steps) = &mut instruction.role {
            *steps = steps.iter().filter_map(|draft| places[*draft]).collect();
            if steps.is_empty() {
                instruction.role = Role::Unneeded;
            }
        }
    }
    for (at, instruction) in instructions.iter().enumerate() {
        if let Role::Steps(steps) = &instruction.role {
            for step in steps {
                if vertices[*step].instructions.last() != Some(&at) {
                    vertices[*step].instructions.push(at);
                }
            }
        }
    }
    Ok(Plan {
        images,
        vertices,
        instructions,
        stages: stage_names(&file),
        context_paths: (!context_paths.contains("/")).then(|| {
            context_paths
                .iter()
                .map(|path| path.trim_start_matches('/').to_string())
                .collect()
        }),
    })
}

fn stage_names(file: &Dockerfile) -> Vec<String> {
    let stages = file.stages.iter().enumerate();
    stages
        .map(|(at, stage)| match stage.name.as_str() {
            "" => format!("stage-{at}"),
            name => name.to_string(),
        })
        .collect()
}

/// The plan for one platform, its steps still drafts.
struct Part {
    platform: Platform,
    root: Option<usize>,
    config: ImageConfig,
    instructions: Vec<PlannedInstruction>,
    context_paths: BTreeSet<String>,
}

struct Planner<'a> {
    options: &'a Options,
    images: &'a mut dyn Images,
    needs: Vec<String>,
    /// The images looked up, by full name and platform.
    found: BTreeMap<(String, Platform), Arc<BaseImage>>,
    file: &'a Dockerfile,
    lexer: Lexer,
}

/// What a node of the stage graph leaves for those on top of it.
#[derive(Clone)]
struct Finished {
    /// Its files; `None` for an empty filesystem.
    root: Option<usize>,
    scope: Scope,
    config: ImageConfig,
}

impl Planner<'_> {
    fn plan(mut self, drafts: &mut Drafts) -> Result<Part, PlanError> {
        let request = self.options.request();
        let globals = Globals::predefined(self.file, &request)
            .with_meta_args(self.file, self.lexer, &request.build_args)
            .map_err(|error| PlanError::from(&error))?;
        let mut graph = Graph::new(self.file, self.lexer, &globals, &mut |_| {})
            .map_err(|error| PlanError::from(&error))?;
        let target = graph
            .target(&request)
            .map_err(|error| PlanError::from(&error))?;
        graph.link().map_err(|error| PlanError::from(&error))?;
        let images = &mut *self.images;
        let (found, needs) = (&mut self.found, &mut self.needs);
        let mut advice = None;
        let resolved = resolve(
            &mut graph,
            target,
            false,
            &request,
            &mut |name, platform| match images.resolve(name, platform) {
                Ok(image) => {
                    let config = base_config(&image.image.config);
                    found.insert((name.to_string(), platform.clone()), image);
                    Ok(config)
                }
                Err(NoImage::Needs(parts)) => {
                    needs.extend(parts);
                    Err("its description is not loaded yet".into())
                }
                Err(NoImage::Absent { message, help }) => {
                    advice = help;
                    Err(message)
                }
            },
        );
        if !self.needs.is_empty() {
            return Err(PlanError::Needs(self.needs));
        }
        let resolved = resolved.map_err(|error| {
            let mut failed = BuildError::from(&error);
            if error.code == "missing-image" {
                failed.kind = super::error::ErrorKind::Image;
                failed.help = failed.help.or(advice);
            }
            PlanError::Failed(failed)
        })?;
        self.dispatch(&graph, &resolved, target, &globals, drafts)
    }

    fn dispatch(
        &mut self,
        graph: &Graph<'_>,
        resolved: &Resolved,
        target: usize,
        globals: &Globals,
        drafts: &mut Drafts,
    ) -> Result<Part, PlanError> {
        let mut finished: Vec<Option<Finished>> = vec![None; graph.nodes.len()];
        let mut context_paths: BTreeSet<String> = BTreeSet::new();
        let mut instructions = self.list_instructions();
        // An image that only files are taken from is ready before any stage is gone through.
        for (number, node) in graph.nodes.iter().enumerate() {
            if node.stage.is_none() && resolved.reachable.contains(&number) {
                finished[number] = Some(self.image_node(graph, resolved, number, drafts)?);
            }
        }
        for (number, node) in graph.nodes.iter().enumerate() {
            let Some(stage) = node.stage else { continue };
            if !resolved.reachable.contains(&number) {
                continue;
            }
            let first = self.first_instruction(stage);
            let mut stage = Stage::begin(self, graph, resolved, number, &finished, drafts)?;
            stage.role(&mut instructions, first);
            let mut own = 0;
            for planned in &node.instructions {
                let at = if planned.onbuild {
                    first
                } else {
                    own += 1;
                    first + own
                };
                stage.instruction(planned, &finished, globals, at, &mut instructions)?;
            }
            let (done, paths) = stage.finish();
            context_paths.extend(paths);
            finished[number] = Some(done);
        }
        let Some(done) = finished[target].take() else {
            return Err((&crate::dockerfile::graph::no_stages()).into());
        };
        Ok(Part {
            platform: self.options.platform.clone(),
            root: done.root,
            config: self.final_config(done.config),
            instructions,
            context_paths,
        })
    }

    /// Every instruction of the file, as one that nothing needs.
    fn list_instructions(&self) -> Vec<PlannedInstruction> {
        let mut out = Vec::new();
        for arg in &self.file.meta_args {
            out.push(PlannedInstruction {
                stage: None,
                keyword: arg.command.keyword().into(),
                lines: arg.lines,
                span: arg.span,
                role: Role::Config,
            });
        }
        for (at, stage) in self.file.stages.iter().enumerate() {
            out.push(PlannedInstruction {
                stage: Some(at),
                keyword: "FROM".into(),
                lines: stage.lines,
                span: stage.span,
                role: Role::Unneeded,
            });
            out.extend(stage.instructions.iter().map(|i| PlannedInstruction {
                stage: Some(at),
                keyword: i.command.keyword().into(),
                lines: i.lines,
                span: i.span,
                role: Role::Unneeded,
            }));
        }
        out
    }

    /// The position of a stage's FROM among all instructions.
    fn first_instruction(&self, stage: usize) -> usize {
        let before = self.file.stages.iter().take(stage);
        self.file.meta_args.len() + before.map(|s| 1 + s.instructions.len()).sum::<usize>()
    }

    /// The image that a node starts from, if it starts from one, and its familiar name.
    fn image_of(
        &self,
        graph: &Graph<'_>,
        resolved: &Resolved,
        node: usize,
    ) -> Result<Option<(String, Arc<BaseImage>)>, PlanError> {
        let reference = graph
            .image_of(node)
            .map_err(|error| PlanError::from(&error))?;
        let platform = &resolved.platforms[node];
        Ok(reference.and_then(|reference| {
            let image = self
                .found
                .get(&(reference.to_string(), platform.clone()))?
                .clone();
            Some((reference.familiar(), image))
        }))
    }

    /// An image, or nothing, that only files are taken from.
    fn image_node(
        &self,
        graph: &Graph<'_>,
        resolved: &Resolved,
        node: usize,
        drafts: &mut Drafts,
    ) -> Result<Finished, PlanError> {
        let platform = resolved.platforms[node].clone();
        let Some((name, image)) = self.image_of(graph, resolved, node)? else {
            return Ok(Finished {
                root: None,
                scope: Scope::on_scratch(platform.clone()),
                config: scratch_config(&platform),
            });
        };
        let text = format!("FROM {name}");
        let root = drafts.add(Draft {
            name: text.clone(),
            text,
            ..Draft::of(image_op(&name, &image, &platform), Vec::new())
        });
        Ok(Finished {
            root: (!image.image.layers.is_empty()).then_some(root),
            scope: Scope::on_image(&base_config(&image.image.config), platform),
            config: image.image.config.clone(),
        })
    }

    fn final_config(&self, mut config: ImageConfig) -> ImageConfig {
        let labels = self.options.labels.clone();
        config.config.labels.extend(labels);
        let target = &self.options.platform;
        let same = target.os == config.os && target.architecture == config.architecture;
        if !target.variant.is_empty() || !same {
            config.variant = some(&target.variant);
        }
        let full = Platform {
            os: target.os.clone(),
            architecture: target.architecture.clone(),
            variant: config.variant.clone().unwrap_or_default(),
            ..Platform::default()
        }
        .normalized();
        config.os = full.os;
        config.architecture = full.architecture;
        config.variant = some(&full.variant);
        text::finish_history(&mut config, self.options.created().as_deref());
        config
    }
}

/// Refuses what a builder must allow explicitly.
fn check_entitlements(vertices: &[Vertex]) -> Result<(), BuildError> {
    for vertex in vertices {
        let Op::Run(run) = &vertex.op else { continue };
        let what = if run.network == "host" {
            "network.host"
        } else if run.insecure {
            "security.insecure"
        } else {
            continue;
        };
        return Err(
            ConvertError::new(format!("failed to load LLB: {what} is not allowed"))
                .help("A builder must allow this explicitly (--allow); by default it does not.")
                .nowhere(),
        );
    }
    Ok(())
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_string())
}

/// What the language layer needs to know of an image's config.
pub fn base_config(config: &ImageConfig) -> BaseConfig {
    BaseConfig {
        env: config.config.env.clone(),
        working_dir: config.config.working_dir.clone(),
        user: config.config.user.clone(),
        shell: config.config.shell.clone(),
        onbuild: config.config.on_build.clone(),
        platform: Platform {
            os: config.os.clone(),
            architecture: config.architecture.clone(),
            variant: config.variant.clone().unwrap_or_default(),
            ..Platform::default()
        },
        has_layers: !config.rootfs.diff_ids.is_empty()
            || config.history.iter().any(|item| !item.empty_layer),
    }
}

/// The config of a stage on nothing. (BuildKit: `emptyImage`.)
fn scratch_config(platform: &Platform) -> ImageConfig {
    let mut config = ImageConfig::scratch(
        &platform.os,
        &platform.architecture,
        some(&platform.variant).as_deref(),
    );
    config.config.working_dir = "/".into();
    config
}

/// The frames of an operation and their digest.
fn key_of(op: &Op) -> (Vec<Frame>, Digest) {
    let mut frames = Frames::new();
    op.write_key(&mut frames);
    let digest = frames.digest();
    (frames.into_list(), digest)
}

/// The operation of a base image.
fn image_op(name: &str, image: &Arc<BaseImage>, platform: &Platform) -> Op {
    Op::Image(ImageOp {
        name: name.to_string(),
        image: image.clone(),
        digest: image.image.manifest_digest(),
        platform: platform.clone(),
    })
}

/// Whether a base is one of the kinds that FROM counts as a step.
fn counts_as_step(base: &Base) -> bool {
    matches!(base, Base::Image(_))
}
