//! The Dockerfile as it is understood: parsed, checked, planned. Made once for a text.

use std::sync::Arc;

use crate::build::error::BuildError;
use crate::build::op::Op;
use crate::build::plan::{Images, NoImage, Plan, base_config};
use crate::context::{Ignore, IgnoreError};
use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::edit::blocks;
use crate::dockerfile::expand::Lexer;
use crate::dockerfile::globals::Request;
use crate::dockerfile::instruction::parse_stages;
use crate::dockerfile::platform::Platform;
use crate::dockerfile::reference::Reference;
use crate::dockerfile::scope::BaseConfig;
use crate::engine::{BuildOptions, DOCKERFILE, Unready, Workspace, plan_of, planned};
use crate::lint;
use crate::view::stages::stages;
use crate::view::{DiagnosticView, InstructionView, SeverityView, StageView, text};
use crate::world::World;

/// What a Dockerfile says, given options, an ignore file and a world.
#[derive(Clone, Debug)]
pub struct Reading {
    key: Key,
    /// Its text.
    pub text: Arc<str>,
    /// The instructions.
    pub instructions: Vec<InstructionView>,
    /// The stages as a graph.
    pub stages: Vec<StageView>,
    /// Errors and warnings in order of place.
    pub diagnostics: Vec<DiagnosticView>,
    /// The graph, or why there is none.
    pub plan: Result<Arc<Plan>, BuildError>,
    /// The ignore file that counts.
    pub ignore: Result<Ignore, IgnoreError>,
    /// Parts of the catalog that would tell more.
    pub needs: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    text: Option<String>,
    options: BuildOptions,
    ignore: Result<Ignore, IgnoreError>,
    /// Grows with each part that is supplied.
    supplied: usize,
}

impl Reading {
    /// Reads the workspace's Dockerfile, or gives back what was `known` where that still holds.
    /// `supplied` counts the parts of the catalog that the world has.
    pub fn of(
        workspace: &Workspace,
        world: &World,
        supplied: usize,
        known: Option<&Arc<Reading>>,
    ) -> Arc<Reading> {
        let key = Key {
            text: workspace.dockerfile().map(|text| text.into_owned()),
            options: workspace.options().clone(),
            ignore: workspace.context().ignore(DOCKERFILE),
            supplied,
        };
        match known {
            Some(known) if known.key == key => known.clone(),
            _ => Arc::new(Reading::new(workspace, world, key)),
        }
    }

    fn new(workspace: &Workspace, world: &World, key: Key) -> Reading {
        let text: Arc<str> = key.text.as_deref().unwrap_or_default().into();
        let parsed = crate::dockerfile::parse(&text);
        let file = parse_stages(&parsed.ast);
        let (plan, needs) = match plan_of(workspace, world) {
            Ok(plan) => (Ok(plan), Vec::new()),
            Err(Unready::Fails(error)) => (Err(error), Vec::new()),
            Err(Unready::Needs(parts)) => (Err(not_loaded(&parts)), parts),
        };
        let report = check(&text, workspace, world, key.ignore.as_ref().ok());
        let errors = report.error.iter().chain(&report.more_errors);
        let all = errors.chain(report.distinct());
        let mut diagnostics = text::diagnostics(&text, all);
        if let (Err(error), true) = (&plan, needs.is_empty())
            && key.text.is_some()
            && !diagnostics
                .iter()
                .any(|view| view.severity == SeverityView::Error)
        {
            diagnostics.extend(text::diagnostics(&text, [&as_diagnostic(error)]));
            crate::order::sort_by_key(&mut diagnostics, |view| (view.from, view.to));
        }
        if let Ok(plan) = &plan {
            let notes = stand_ins(plan, world);
            if !notes.is_empty() {
                diagnostics.extend(text::notes(&text, &notes));
                crate::order::sort_by_key(&mut diagnostics, |view| (view.from, view.to));
            }
        }
        let instructions = text::instructions(&parsed.ast, &blocks(&text), &file);
        Reading {
            stages: stages(
                &file,
                Lexer::new(parsed.ast.escape),
                &asked(workspace),
                &instructions,
            ),
            instructions,
            diagnostics,
            plan,
            ignore: key.ignore.clone(),
            needs,
            text,
            key,
        }
    }

    /// Why the workspace cannot be built at all.
    pub fn error(&self) -> Option<&BuildError> {
        self.plan.as_ref().err()
    }
}

fn not_loaded(parts: &[String]) -> BuildError {
    BuildError {
        message: format!("not loaded yet: {}", parts.join(", ")),
        lines: Vec::new(),
        help: Some("Try again when there is a connection.".into()),
        kind: crate::build::error::ErrorKind::Image,
    }
}

/// Says of each base image that the catalog does not list what stands for it.
fn stand_ins(plan: &Plan, world: &World) -> Vec<Diagnostic> {
    let mut notes: Vec<Diagnostic> = Vec::new();
    for vertex in &plan.vertices {
        let Op::Image(image) = &vertex.op else {
            continue;
        };
        let Some(listed) = Reference::parse(&image.name)
            .ok()
            .and_then(|name| world.stand_in(&name).map(str::to_owned))
        else {
            continue;
        };
        let mut note = Diagnostic::warning(
            "stand-in",
            format!(
                "{} is not in the catalog: {listed} stands in for it",
                image.name
            ),
        );
        note.lines = vertex.lines.clone();
        note.help = Some(
            "The files, sizes and digests of this base are the stand-in's. Name a listed image to \
             see a real one's."
                .into(),
        );
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

fn as_diagnostic(error: &BuildError) -> Diagnostic {
    let mut diagnostic = Diagnostic::error("build", error.message.clone());
    diagnostic.lines = error.lines.clone();
    diagnostic.help = error.help.clone();
    diagnostic
}

/// What of the options concerns the language.
fn asked(workspace: &Workspace) -> Request {
    let options = planned(workspace.options()).unwrap_or_default();
    Request {
        build_args: options.build_args,
        target: options.target,
        build_platform: Platform::linux_amd64(),
        target_platform: options.platform,
    }
}

pub(super) fn check(
    text: &str,
    workspace: &Workspace,
    world: &World,
    ignore: Option<&Ignore>,
) -> lint::Report {
    let outside = Outside {
        world,
        ignore: ignore
            .filter(|ignore| !ignore.patterns.is_empty())
            .map(IgnoreFile),
    };
    lint::diagnose(
        text,
        &lint::Options {
            request: asked(workspace),
            all_stages: true,
            outside: &outside,
        },
    )
}

struct Outside<'a> {
    world: &'a World,
    ignore: Option<IgnoreFile<'a>>,
}

struct IgnoreFile<'a>(&'a Ignore);

impl lint::Outside for Outside<'_> {
    fn image(&self, name: &Reference, platform: &Platform) -> Result<BaseConfig, String> {
        match self.world.clone().resolve(name, platform) {
            Ok(image) => Ok(base_config(&image.image.config)),
            // It will be known soon; until then nothing is said of it.
            Err(NoImage::Needs(_)) => Ok(BaseConfig {
                platform: platform.clone(),
                ..BaseConfig::default()
            }),
            Err(NoImage::Absent { message, .. }) => Err(message),
        }
    }

    fn ignored(&self) -> Option<&dyn lint::Ignored> {
        self.ignore
            .as_ref()
            .map(|ignore| ignore as &dyn lint::Ignored)
    }
}

impl lint::Ignored for IgnoreFile<'_> {
    fn has_exceptions(&self) -> bool {
        self.0.matcher().has_exclusions()
    }

    fn ignores_all(&self) -> bool {
        let all = ["*", "**", "**/*"];
        let mut patterns = self.0.patterns.iter();
        patterns.any(|pattern| all.contains(&pattern.as_str()))
    }

    fn ignores(&self, path: &str) -> bool {
        self.0.matcher().matches(path).matched
    }
}
