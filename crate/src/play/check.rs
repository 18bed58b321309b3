//! Acting a play out and checking what is expected.

use std::fmt;

use crate::engine::{DOCKERFILE, Workspace};
use crate::view::{
    BuildOptions, BuildView, ChangeKind, Edit, PredictedInstruction, PredictedStatus, Prediction,
    Reply, Request, Row, State, StepStatus, StepView, Suggestion, TreeRef,
};

use super::act::{Act, Doing, Flag, Place};
use super::expect::{Expect, Range, StepRef, What};
use super::parse::Play;

/// Who acts a play out: a session, or whatever answers requests as one does.
pub trait Actor {
    /// Answers a request. What the reply needs of the catalog has been supplied.
    ///
    /// # Errors
    /// A part of the catalog cannot be had.
    fn ask(&mut self, request: Request) -> Result<Reply, String>;
}

/// Something that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line in the play, from 1.
    pub line: u32,
    /// What was expected or done, as written.
    pub text: String,
    /// What was seen.
    pub seen: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}\n    {}", self.line, self.text, self.seen)
    }
}

/// The options with some flags set.
pub fn with_flags(options: &BuildOptions, flags: &[Flag]) -> BuildOptions {
    let mut options = options.clone();
    flags.iter().for_each(|flag| flag.set(&mut options));
    options
}

/// The edit that an act is in this workspace; none for what is no edit.
///
/// # Errors
/// The act names something that is not there.
pub fn edit_of(doing: &Doing, workspace: &Workspace) -> Result<Option<Edit>, String> {
    let text = |path: &str| {
        workspace
            .files()
            .find(path)
            .and_then(|(_, inode)| inode.file())
            .map(|content| content.bytes().to_vec())
            .ok_or_else(|| format!("there is no file {path}"))
    };
    let write = |path: &str, bytes: Vec<u8>| Edit::Write {
        path: path.to_string(),
        bytes,
        mode: None,
    };
    Ok(match doing {
        Doing::Edit(edit) => Some(edit.clone()),
        Doing::Options(flags) => Some(Edit::Options {
            options: with_flags(&BuildOptions::default(), flags),
        }),
        Doing::Move { what, place, other } => {
            let dockerfile = workspace.dockerfile().unwrap_or_default();
            Some(move_of(&dockerfile, what, *place, other)?)
        }
        Doing::Append { path, text: more } => {
            let mut bytes = text(path)?;
            bytes.extend_from_slice(more.as_bytes());
            Some(write(path, bytes))
        }
        Doing::Replace { path, old, new } => {
            let whole = String::from_utf8_lossy(&text(path)?).into_owned();
            if !whole.contains(old.as_str()) {
                return Err(format!("{path} has no `{old}`"));
            }
            let replaced = whole.replacen(old.as_str(), new, 1);
            Some(match path.as_str() {
                DOCKERFILE => Edit::Dockerfile { text: replaced },
                path => write(path, replaced.into_bytes()),
            })
        }
        _ => None,
    })
}

fn move_of(dockerfile: &str, what: &str, place: Place, other: &str) -> Result<Edit, String> {
    let parsed = crate::dockerfile::parse(dockerfile);
    let find = |text: &str| {
        let mut lines = parsed
            .ast
            .nodes
            .iter()
            .map(crate::engine::changes::one_line);
        lines
            .position(|line| line.starts_with(text))
            .ok_or_else(|| format!("no instruction begins with `{text}`"))
    };
    let (from, other) = (find(what)?, find(other)?);
    let to = match place {
        Place::Below if from < other => other,
        Place::Below => other + 1,
        Place::Above if from < other => other - 1,
        Place::Above => other,
    };
    Ok(Edit::Move { from, to })
}

/// Acts a play out from the beginning and checks every expectation.
pub fn act_out(play: &Play, actor: &mut dyn Actor) -> Vec<Failure> {
    let mut stage = Stage {
        actor,
        state: State::default(),
        failures: Vec::new(),
    };
    stage.run(play);
    stage.failures
}

/// What an act brought about.
enum Scene {
    State,
    Refused(String),
    Prediction(Prediction),
    Suggestions(Vec<Suggestion>),
}

struct Stage<'a> {
    actor: &'a mut dyn Actor,
    state: State,
    failures: Vec<Failure>,
}

impl Stage<'_> {
    fn run(&mut self, play: &Play) {
        for edit in &play.setup {
            if let Err(seen) = self.edit(edit.clone()) {
                self.fail(1, "the workspace of the play", seen);
                return;
            }
        }
        for act in &play.acts {
            match self.act(act) {
                Ok(scene) => {
                    let refusal_expected = act
                        .expects
                        .iter()
                        .any(|expect| matches!(expect.what, What::Refused(_)));
                    if let (Scene::Refused(message), false) = (&scene, refusal_expected) {
                        self.fail(act.line, &act.text, format!("it was refused: {message}"));
                        return;
                    }
                    for expect in &act.expects {
                        if let Err(seen) = self.check(expect, &scene) {
                            self.fail(expect.line, &expect.text, seen);
                        }
                    }
                }
                Err(seen) => {
                    self.fail(act.line, &act.text, seen);
                    return;
                }
            }
        }
    }

    fn fail(&mut self, line: u32, text: &str, seen: String) {
        self.failures.push(Failure {
            line,
            text: text.to_string(),
            seen,
        });
    }

    fn ask(&mut self, request: Request) -> Result<Reply, String> {
        let mut reply = self.actor.ask(request)?;
        while let Reply::Progress(_) = reply {
            reply = self.actor.ask(Request::Continue)?;
        }
        if let Reply::State(state) = &reply {
            self.state = (**state).clone();
        }
        Ok(reply)
    }

    fn edit(&mut self, edit: Edit) -> Result<(), String> {
        match self.ask(Request::Edit { edit })? {
            Reply::Refused(refusal) => Err(refusal.to_string()),
            _ => Ok(()),
        }
    }

    fn act(&mut self, act: &Act) -> Result<Scene, String> {
        let reply = match &act.doing {
            Doing::Pause => return Ok(Scene::State),
            Doing::Undo => self.ask(Request::Undo)?,
            Doing::Redo => self.ask(Request::Redo)?,
            Doing::Predict => self.ask(Request::Forecast)?,
            Doing::Suggest => self.ask(Request::Suggest)?,
            Doing::Build(flags) if flags.is_empty() => self.ask(Request::Build)?,
            Doing::Build(flags) => {
                let options = self.state.options.clone();
                let own = with_flags(&options, flags);
                self.edit(Edit::Options { options: own })?;
                let reply = self.ask(Request::Build)?;
                self.edit(Edit::Options { options })?;
                reply
            }
            Doing::Edit(edit) => self.ask(Request::Edit { edit: edit.clone() })?,
            Doing::Options(flags) => {
                let options = with_flags(&BuildOptions::default(), flags);
                self.ask(Request::Edit {
                    edit: Edit::Options { options },
                })?
            }
            Doing::Move { what, place, other } => {
                let edit = move_of(&self.state.dockerfile, what, *place, other)?;
                self.ask(Request::Edit { edit })?
            }
            doing @ (Doing::Append { path, .. } | Doing::Replace { path, .. }) => {
                let mut workspace = Workspace::new(crate::fs::Time::EPOCH);
                let tree = TreeRef::Context;
                let request = Request::Read {
                    tree,
                    path: path.clone(),
                };
                let Reply::File(file) = self.ask(request)? else {
                    return Err(format!("there is no file {path}"));
                };
                let text = file.text.ok_or_else(|| format!("{path} is no text"))?;
                let seed = Edit::Write {
                    path: path.clone(),
                    bytes: text.into_bytes(),
                    mode: None,
                };
                workspace
                    .apply(&seed, &mut Default::default())
                    .map_err(|refusal| refusal.to_string())?;
                let edit = edit_of(doing, &workspace)?.ok_or("it is no edit")?;
                self.ask(Request::Edit { edit })?
            }
        };
        Ok(match reply {
            Reply::Prediction(prediction) => Scene::Prediction(prediction),
            Reply::Suggestions(found) => Scene::Suggestions(found),
            Reply::Refused(refusal) => Scene::Refused(refusal.to_string()),
            _ => Scene::State,
        })
    }

    fn check(&mut self, expect: &Expect, scene: &Scene) -> Result<(), String> {
        match (&expect.what, scene) {
            (What::Refused(text), Scene::Refused(message)) => contains(message, text),
            (What::Refused(_), _) => Err("it was not refused".into()),
            (What::Offers(text), Scene::Suggestions(found)) => {
                let titles: Vec<&str> = found.iter().map(|s| s.title.as_str()).collect();
                match titles.iter().any(|title| title.contains(text.as_str())) {
                    true => Ok(()),
                    false => Err(format!("offered is: {}", or_nothing(&titles.join("; ")))),
                }
            }
            (What::OffersNothing, Scene::Suggestions(found)) => match found.first() {
                None => Ok(()),
                Some(first) => Err(format!("offered is: {}", first.title)),
            },
            (What::Warning(rule), _) => {
                let rules: Vec<&str> = self.rules();
                match rules.contains(&rule.as_str()) {
                    true => Ok(()),
                    false => Err(format!("warnings: {}", or_nothing(&rules.join(", ")))),
                }
            }
            (What::NoWarnings, _) => match self.rules().first() {
                None => Ok(()),
                Some(rule) => Err(format!("there is a warning: {rule}")),
            },
            (What::Sends(count), _) => match self.state.context.sent {
                sent if sent == *count => Ok(()),
                sent => Err(format!("{sent} files are sent")),
            },
            (what, Scene::Prediction(prediction)) => predicted(what, prediction, &self.state),
            (what, _) => {
                let Some(build) = self.state.build.clone() else {
                    return Err("there is no build".into());
                };
                self.built(what, &build)
            }
        }
    }

    fn rules(&self) -> Vec<&str> {
        let rules = self
            .state
            .diagnostics
            .iter()
            .filter_map(|d| d.rule.as_deref());
        rules.collect()
    }

    fn built(&mut self, what: &What, build: &BuildView) -> Result<(), String> {
        match what {
            What::Done => match &build.error {
                None => Ok(()),
                Some(error) => Err(format!("it failed: {}", error.message)),
            },
            What::Fails => match &build.error {
                Some(_) => Ok(()),
                None => Err("it came to its end".into()),
            },
            What::Error(text) => contains(message(build)?, text),
            What::ErrorLine(line) => {
                let lines = build.error.as_ref().and_then(|error| error.lines);
                match lines {
                    Some([first, last]) if (first..=last).contains(line) => Ok(()),
                    Some([first, last]) => Err(format!("it points at lines {first} to {last}")),
                    None => Err("it points at no line".into()),
                }
            }
            What::Help(text) => {
                let help = build.error.as_ref().and_then(|error| error.help.as_deref());
                contains(help.ok_or("there is no help")?, text)
            }
            What::Hit(steps) => each(steps, build, |step| status(step, StepStatus::Cached)),
            What::Skipped(steps) => each(steps, build, |step| status(step, StepStatus::Skipped)),
            What::Failed(step) => status(find(build, step)?, StepStatus::Failed),
            What::Miss(steps, why) => each(steps, build, |step| {
                if step.status == StepStatus::Failed {
                    return Ok(());
                }
                status(step, StepStatus::Done)?;
                match why {
                    Some(text) => contains(&step.why.because, text),
                    None => Ok(()),
                }
            }),
            What::Hits(count) => same_count(build.summary.cached, *count, build),
            What::Misses(count) => {
                let ran = |step: &&StepView| step.status == StepStatus::Done;
                same_count(build.steps.iter().filter(ran).count() as u32, *count, build)
            }
            What::Takes(range, None) => within(*range, build.summary.seconds, "s"),
            What::Takes(range, Some(step)) => within(*range, find(build, step)?.seconds, "s"),
            What::Size(range) => within(*range, image(build)?.size as f64, "bytes"),
            What::Hidden(range) => within(*range, image(build)?.hidden_bytes as f64, "bytes"),
            What::LayerSize(step, range) => {
                let bytes = find(build, step)?.bytes.ok_or("the step has no layer")?;
                within(*range, bytes as f64, "bytes")
            }
            What::LayerEmpty(step) => {
                let rows = self.rows(layer_of(build, step)?, "")?;
                match rows.first() {
                    None => Ok(()),
                    Some(row) => Err(format!("it lists {}", row.path)),
                }
            }
            What::Layer(step, kind, path) => self.layer(build, step, *kind, path),
            What::Has(path) => match self.final_row(build, path)? {
                Some(_) => Ok(()),
                None => Err("the image has no such path".into()),
            },
            What::Lacks(path) => match self.final_row(build, path)? {
                None => Ok(()),
                Some(_) => Err("the image has that path".into()),
            },
            What::Log(step, text) => {
                let log: Vec<&str> = find(build, step)?
                    .log
                    .iter()
                    .map(|l| l.text.as_str())
                    .collect();
                contains(&log.join("\n"), text)
            }
            What::Digest(digest) => match &image(build)?.digest {
                seen if seen == digest => Ok(()),
                seen => Err(format!("the digest is {seen}")),
            },
            What::SameImage(other) => match self.compare(*other, build)?.same_image {
                true => Ok(()),
                false => Err("it is another image".into()),
            },
            What::OtherImage(other) => match self.compare(*other, build)?.same_image {
                false => Ok(()),
                true => Err("it is the same image".into()),
            },
            What::SameFiles(other) => match self.compare(*other, build)?.same_files {
                true => Ok(()),
                false => Err("the files differ".into()),
            },
            _ => Err("this cannot be expected of such an act".into()),
        }
    }

    fn compare(
        &mut self,
        other: u32,
        build: &BuildView,
    ) -> Result<crate::view::Comparison, String> {
        let request = Request::Compare {
            before: other,
            after: build.summary.number,
        };
        match self.ask(request)? {
            Reply::Comparison(comparison) => Ok(comparison),
            Reply::Refused(refusal) => Err(refusal.to_string()),
            _ => Err("there is no comparison".into()),
        }
    }

    fn rows(&mut self, tree: TreeRef, dir: &str) -> Result<Vec<Row>, String> {
        let request = Request::List {
            tree,
            dir: dir.to_string(),
        };
        match self.ask(request)? {
            Reply::Rows(rows) => Ok(rows),
            _ => Ok(Vec::new()),
        }
    }

    fn row(&mut self, tree: TreeRef, path: &str) -> Result<Option<Row>, String> {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let rows = self.rows(tree, dir)?;
        Ok(rows.into_iter().find(|row| row.path == path))
    }

    fn final_row(&mut self, build: &BuildView, path: &str) -> Result<Option<Row>, String> {
        let image = image(build)?;
        let Some(layer) = image.layers.len().checked_sub(1) else {
            return Ok(None);
        };
        let tree = TreeRef::Merged {
            build: build.summary.number,
            layer: layer as u32,
        };
        self.row(tree, path)
    }

    fn layer(
        &mut self,
        build: &BuildView,
        step: &StepRef,
        kind: Option<ChangeKind>,
        path: &str,
    ) -> Result<(), String> {
        let row = self.row(layer_of(build, step)?, path)?;
        match (row.and_then(|row| row.change), kind) {
            (None, None) => Ok(()),
            (Some(seen), Some(kind)) if seen == kind => Ok(()),
            (Some(seen), _) => Err(format!("the layer lists it as {seen:?}").to_lowercase()),
            (None, Some(_)) => Err("the layer does not list it".into()),
        }
    }
}

fn predicted(what: &What, prediction: &Prediction, state: &State) -> Result<(), String> {
    let all = |steps: &[StepRef], check: &dyn Fn(&PredictedInstruction) -> Result<(), String>| {
        steps.iter().try_for_each(|step| {
            let found = prediction
                .instructions
                .iter()
                .enumerate()
                .find(|(at, view)| match step {
                    StepRef::Number(number) => view.number == Some(*number),
                    StepRef::Text(text) => state
                        .instructions
                        .get(*at)
                        .is_some_and(|instruction| instruction.text.starts_with(text.as_str())),
                });
            let (_, view) = found.ok_or_else(|| format!("there is no {step}"))?;
            check(view).map_err(|seen| format!("{step}: {seen}"))
        })
    };
    let is = |view: &PredictedInstruction, status: PredictedStatus| match view.status {
        seen if seen == status => Ok(()),
        seen => Err(format!("predicted is {seen:?} ({})", view.note).to_lowercase()),
    };
    match what {
        What::Hit(steps) => all(steps, &|view| is(view, PredictedStatus::Hit)),
        What::Skipped(steps) => all(steps, &|view| is(view, PredictedStatus::Skipped)),
        What::Miss(steps, why) => all(steps, &|view| {
            is(view, PredictedStatus::Miss)?;
            why.as_ref()
                .map_or(Ok(()), |text| contains(&view.note, text))
        }),
        What::Hits(count) if prediction.cached == *count => Ok(()),
        What::Hits(_) => Err(format!("{} steps would hit", prediction.cached)),
        What::Takes(range, None) => match prediction.seconds {
            Some(seconds) => within(*range, seconds, "s"),
            None => Err("the seconds are not known".into()),
        },
        What::Fails if prediction.error.is_some() => Ok(()),
        What::Fails => Err("no error is predicted".into()),
        What::Done => prediction.error.clone().map_or(Ok(()), Err),
        What::Error(text) => contains(
            prediction.error.as_deref().ok_or("no error is predicted")?,
            text,
        ),
        _ => Err("this cannot be expected of a prediction".into()),
    }
}

fn contains(seen: &str, text: &str) -> Result<(), String> {
    match seen.contains(text) {
        true => Ok(()),
        false => Err(format!("seen: {}", or_nothing(seen))),
    }
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

fn within(range: Range, value: f64, unit: &str) -> Result<(), String> {
    match range.has(value) {
        true => Ok(()),
        false if unit == "s" => Err(format!("seen: {value:.2} s")),
        false => Err(format!("seen: {value} {unit}")),
    }
}

fn message(build: &BuildView) -> Result<&str, String> {
    let error = build.error.as_ref().ok_or("it came to its end")?;
    Ok(&error.message)
}

fn image(build: &BuildView) -> Result<&crate::view::ImageView, String> {
    build.image.as_ref().ok_or_else(|| match &build.error {
        Some(error) => format!("there is no image: {}", error.message),
        None => "there is no image".into(),
    })
}

fn find<'b>(build: &'b BuildView, step: &StepRef) -> Result<&'b StepView, String> {
    let fits = |view: &&StepView| match step {
        StepRef::Number(number) => view.number == Some(*number),
        StepRef::Text(text) => {
            let bare = view.name.split_once("] ").map_or("", |(_, bare)| bare);
            view.name.starts_with(text.as_str()) || bare.starts_with(text.as_str())
        }
    };
    build.steps.iter().find(fits).ok_or_else(|| {
        let names: Vec<&str> = build.steps.iter().map(|step| step.name.as_str()).collect();
        match &build.error {
            Some(error) if names.is_empty() => format!("there are no steps: {}", error.message),
            _ => format!("there is no {step}; there are {}", names.join("; ")),
        }
    })
}

fn each(
    steps: &[StepRef],
    build: &BuildView,
    check: impl Fn(&StepView) -> Result<(), String>,
) -> Result<(), String> {
    steps.iter().try_for_each(|step| {
        let view = find(build, step)?;
        check(view).map_err(|seen| format!("{}: {seen}", view.name))
    })
}

fn status(step: &StepView, wanted: StepStatus) -> Result<(), String> {
    match step.status {
        seen if seen == wanted => Ok(()),
        seen => Err(format!("it was {seen:?}; {}", step.why.headline).to_lowercase()),
    }
}

fn same_count(seen: u32, wanted: u32, build: &BuildView) -> Result<(), String> {
    if seen == wanted {
        return Ok(());
    }
    let steps: Vec<String> = build
        .steps
        .iter()
        .map(|step| format!("{} {:?}", step.name, step.status).to_lowercase())
        .collect();
    Err(format!("seen: {seen} ({})", steps.join("; ")))
}

fn layer_of(build: &BuildView, step: &StepRef) -> Result<TreeRef, String> {
    let view = find(build, step)?;
    let layer = view.layer.ok_or("the step has no layer in the image")?;
    Ok(TreeRef::Layer {
        build: build.summary.number,
        layer: layer as u32,
    })
}
