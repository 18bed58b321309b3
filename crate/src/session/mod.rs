//! A session: requests in, replies out.
//!
//! In this room: which request does what, and what is kept between them. Not in this room: how
//! anything is built, compared or worded.

mod forecast;
mod label;
mod open;
mod reading;
mod served;
mod task;
mod texts;
mod trees;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::advise::{MatrixTask, SuggestTask, compare};
use crate::build::predict::predict;
use crate::context::Sender;
use crate::engine::changes::changed_paths;
use crate::engine::{
    Build, DOCKERFILE, Desk, Edit, History, Refusal, Saved, Tally, Typing, WorldHost, sent,
};
use crate::view::{
    Archive, ArchiveFormat, BuildView, ContextSummary, Prediction, Reply, Request, State, TryFirst,
    made,
};
use crate::world::World;

pub use served::Served;

use reading::Reading;
use task::{Outcome, Task};
use trees::Trees;

/// What one page works with.
#[derive(Debug)]
pub struct Session {
    world: World,
    desk: Desk,
    history: History<Desk>,
    try_first: Option<TryFirst>,
    revision: u64,
    task: Option<Task>,
    memo: Memo,
}

/// What need not be worked out again.
#[derive(Debug, Default)]
struct Memo {
    /// How many parts of the catalog were supplied.
    supplied: usize,
    /// Parts that were asked for: those that did not come are not asked for by an edit again.
    asked: BTreeSet<String>,
    reading: Option<Arc<Reading>>,
    tally: Tally,
    sent_tally: Tally,
    sender: Sender,
    /// The same of all that the ignore file leaves in, asked for or not.
    kept_tally: Tally,
    kept_sender: Sender,
    /// The last build that was shown, as it was shown.
    shown: Option<(Arc<Build>, BuildView)>,
    /// What a real build in a fork has shown of the present revision.
    forecast: Option<(u64, Prediction)>,
}

impl Default for Session {
    fn default() -> Session {
        Session::new()
    }
}

impl Session {
    /// A session with an empty workspace.
    pub fn new() -> Session {
        Session {
            world: World::new(),
            desk: Desk::new(World::START),
            history: History::default(),
            try_first: None,
            revision: 0,
            task: None,
            memo: Memo::default(),
        }
    }

    /// Takes a part of the catalog that [`Reply::Needs`] named.
    ///
    /// # Errors
    /// The bytes are not that part.
    pub fn supply(&mut self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        self.world
            .supply(name, bytes)
            .map_err(|error| Refusal::new(error.to_string()))?;
        self.memo.supplied += 1;
        Ok(())
    }

    /// Whether a longer work is under way, which goes on with [`Request::Continue`].
    pub fn is_busy(&self) -> bool {
        self.task.is_some()
    }

    /// Answers a request. A refused request changes nothing.
    ///
    /// Whatever is not [`Request::Continue`] or a look at something ends a longer work that is
    /// under way, as [`Request::Cancel`] would.
    pub fn handle(&mut self, request: Request) -> Reply {
        self.answer(request).unwrap_or_else(Reply::Refused)
    }

    fn answer(&mut self, request: Request) -> Result<Reply, Refusal> {
        match request {
            Request::OpenPlay { source } => self.open_play(&source),
            Request::OpenSaved { saved } => self.open_saved(saved),
            Request::Save => Ok(Reply::Saved(self.save())),
            Request::Refresh => Ok(self.state()),
            Request::Edit { edit } => self.edit(&edit),
            Request::Undo => {
                let desk = self.history.undo(self.desk.clone());
                self.arrive(desk.map_err(|_| Refusal::new("There is nothing to undo."))?);
                Ok(self.state())
            }
            Request::Redo => {
                let desk = self.history.redo(self.desk.clone());
                self.arrive(desk.map_err(|_| Refusal::new("There is nothing to redo."))?);
                Ok(self.state())
            }
            Request::Build => self.begin(|building| Task::Build(Box::new(building))),
            Request::Forecast => match &self.memo.forecast {
                Some((revision, known)) if *revision == self.revision => {
                    Ok(Reply::Prediction(known.clone()))
                }
                _ => self.begin(|building| Task::Forecast(Box::new(building))),
            },
            Request::Matrix { other } => {
                self.task = Some(Task::Matrix(Box::new(MatrixTask::new(&self.desk, other))));
                self.turn()
            }
            Request::Suggest => {
                self.task = Some(Task::Suggest(Box::new(SuggestTask::new(&self.desk))));
                self.turn()
            }
            Request::Continue => self.turn(),
            Request::Cancel => {
                self.task = None;
                Ok(self.state())
            }
            Request::List { tree, dir } => Trees::of(&self.desk).list(tree, &dir).map(Reply::Rows),
            Request::Find {
                tree,
                pattern,
                limit,
            } => Trees::of(&self.desk)
                .find(tree, &pattern, limit)
                .map(Reply::Rows),
            Request::Read { tree, path } => Trees::of(&self.desk)
                .read(tree, &path)
                .map(|file| Reply::File(Box::new(file))),
            Request::ShowBuild { build } => {
                let build = self.find_build(build)?;
                Ok(Reply::Build(Box::new(self.build_view(&build))))
            }
            Request::Restore { build } => self.restore(build),
            Request::Text { build, text } => self.text(build, text),
            Request::Compare { before, after } => {
                let (before, after) = (self.find_build(before)?, self.find_build(after)?);
                Ok(Reply::Comparison(compare(&before, &after)))
            }
            Request::Export { build, format } => self.export(build, format).map(Reply::Archive),
        }
    }

    fn find_build(&self, number: u32) -> Result<Arc<Build>, Refusal> {
        self.desk.build(number).cloned()
    }

    /// Makes `desk` the present one; what was under way belonged to the one before.
    fn arrive(&mut self, desk: Desk) {
        self.desk = desk;
        self.revision += 1;
        self.task = None;
    }

    /// The parts that would tell more of `desk` and were not asked for yet.
    fn asks(&mut self, desk: &Desk) -> Option<Reply> {
        let reading = Reading::of(
            &desk.workspace,
            &self.world,
            self.memo.supplied,
            self.memo.reading.as_ref(),
        );
        self.memo.reading = Some(reading.clone());
        let new: Vec<String> = reading
            .needs
            .iter()
            .filter(|part| self.memo.asked.insert((*part).clone()))
            .cloned()
            .collect();
        (!new.is_empty()).then_some(Reply::Needs(new))
    }

    fn edit(&mut self, edit: &Edit) -> Result<Reply, Refusal> {
        let mut desk = self.desk.clone();
        desk.apply(edit, &mut self.memo.tally)?;
        if let Some(needs) = self.asks(&desk) {
            return Ok(needs);
        }
        let label = label::of(edit, &self.desk.workspace);
        let before = std::mem::replace(&mut self.desk, desk);
        self.history
            .record(before.clone(), label, typing(edit, &before));
        self.arrive(self.desk.clone());
        Ok(self.state())
    }

    /// Puts the workspace of a build in the place of the present one. Time does not go back.
    fn restore(&mut self, number: u32) -> Result<Reply, Refusal> {
        let mut desk = self.desk.clone();
        let now = desk.workspace.now();
        desk.workspace = self.find_build(number)?.workspace.clone();
        desk.workspace.advance_to(now);
        if let Some(needs) = self.asks(&desk) {
            return Ok(needs);
        }
        let before = self.desk.clone();
        self.history
            .record(before, format!("go back to build {number}"), None);
        self.arrive(desk);
        Ok(self.state())
    }

    fn begin(
        &mut self,
        task: impl FnOnce(crate::engine::Building) -> Task,
    ) -> Result<Reply, Refusal> {
        match self.desk.clone().begin(&self.world) {
            Err(parts) => Ok(Reply::Needs(parts)),
            Ok(building) => {
                self.task = Some(task(building));
                self.turn()
            }
        }
    }

    fn turn(&mut self) -> Result<Reply, Refusal> {
        let task = self.task.take().ok_or_else(|| {
            Refusal::new("Nothing is under way that could go on.").help("Begin with a build.")
        })?;
        let (rest, outcome) = task.turn(&self.world);
        self.task = rest;
        Ok(match outcome {
            Outcome::Progress(progress) => Reply::Progress(progress),
            Outcome::Needs(parts) => Reply::Needs(parts),
            Outcome::Built(desk) => {
                let number = desk.last_build().map_or(0, |build| build.number);
                let before = self.desk.clone();
                self.history.record(before, format!("build {number}"), None);
                self.arrive(*desk);
                self.state()
            }
            Outcome::Forecast(build) => {
                let prediction = forecast::of_build(self.predict(), &build);
                self.memo.forecast = Some((self.revision, prediction.clone()));
                Reply::Prediction(prediction)
            }
            Outcome::Matrix(matrix) => Reply::Matrix(matrix),
            Outcome::Suggestions(found) => Reply::Suggestions(found),
        })
    }

    fn reading(&mut self) -> Arc<Reading> {
        let reading = Reading::of(
            &self.desk.workspace,
            &self.world,
            self.memo.supplied,
            self.memo.reading.as_ref(),
        );
        self.memo.reading = Some(reading.clone());
        reading
    }

    fn state(&mut self) -> Reply {
        let reading = self.reading();
        let prediction = match &self.memo.forecast {
            Some((revision, known)) if *revision == self.revision => known.clone(),
            _ => self.predict(),
        };
        let last = self.desk.last_build().cloned();
        let state = State {
            revision: self.revision,
            title: self.desk.title.to_string(),
            about: self.desk.about.to_string(),
            try_first: self.try_first.clone(),
            dockerfile: reading.text.to_string(),
            undo: self.history.undo_label().map(String::from),
            redo: self.history.redo_label().map(String::from),
            instructions: reading.instructions.clone(),
            stages: reading.stages.clone(),
            diagnostics: reading.diagnostics.clone(),
            options: self.desk.workspace.options().clone(),
            context: self.context(&reading),
            prediction,
            build: last.map(|build| self.build_view(&build)),
            history: self
                .desk
                .builds
                .iter()
                .map(|build| made::summary(build))
                .collect(),
        };
        Reply::State(Box::new(state))
    }

    fn context(&mut self, reading: &Reading) -> ContextSummary {
        let workspace = &self.desk.workspace;
        let ignore = reading.ignore.clone().unwrap_or_default();
        let plan = reading.plan.as_ref().ok().map(|plan| &**plan);
        let all = self.memo.tally.sum(workspace.files());
        let asked = sent(workspace, plan, &ignore, &mut self.memo.sender).unwrap_or_default();
        let asked = self.memo.sent_tally.sum(&asked);
        let kept = sent(workspace, None, &ignore, &mut self.memo.kept_sender);
        let kept = self.memo.kept_tally.sum(&kept.unwrap_or_default());
        ContextSummary {
            files: all.files as u32,
            bytes: all.bytes,
            kept: kept.files as u32,
            kept_bytes: kept.bytes,
            sent: asked.files as u32,
            sent_bytes: asked.bytes,
            changed: self.desk.last_build().map_or_else(Vec::new, |last| {
                changed_paths(last.workspace.files(), workspace.files())
            }),
            ignore_file: (!ignore.file.is_empty()).then(|| ignore.file.clone()),
        }
    }

    /// What the next build would do, as far as the keys tell.
    fn predict(&mut self) -> Prediction {
        let reading = self.reading();
        let (Ok(plan), Ok(ignore)) = (&reading.plan, &reading.ignore) else {
            let mut prediction = forecast::of_error(&reading, self.revision);
            if let Err(error) = &reading.ignore {
                prediction.error.get_or_insert_with(|| error.to_string());
            }
            return prediction;
        };
        let job = self.desk.job(plan.clone(), ignore, &mut self.memo.sender);
        let predicted = predict(job, &mut WorldHost(&self.world));
        forecast::of_keys(&predicted, plan, &reading.instructions, self.revision)
    }

    fn build_view(&mut self, build: &Arc<Build>) -> BuildView {
        let known = match &self.memo.shown {
            Some((shown, view)) if Arc::ptr_eq(shown, build) => Some(view.clone()),
            _ => None,
        };
        let mut view = known.unwrap_or_else(|| {
            let earlier: Vec<Arc<Build>> = self
                .desk
                .builds
                .iter()
                .take_while(|earlier| earlier.number < build.number)
                .cloned()
                .collect();
            let view = made::build(build, &earlier);
            self.memo.shown = Some((build.clone(), view.clone()));
            view
        });
        view.current = self.desk.workspace.dockerfile().as_deref() == Some(&view.dockerfile);
        view
    }

    fn save(&self) -> Saved {
        let desk = &self.desk;
        let mut saved = Saved::of(&desk.workspace, &desk.title, &desk.about);
        saved.built = desk
            .last_build()
            .filter(|last| !last.workspace.same_as(&desk.workspace))
            .map(|last| Box::new(Saved::of(&last.workspace, &desk.title, &desk.about)));
        saved
    }

    fn export(&self, build: u32, format: ArchiveFormat) -> Result<Archive, Refusal> {
        let build = self.find_build(build)?;
        let image = build.report.image.as_ref().ok_or_else(|| {
            Refusal::new(format!("Build {} made no image.", build.number))
                .help("Export a build that came to its end.")
        })?;
        open::archive(image, format, build.number)
    }
}

/// The text change that an edit is, if it could be a keystroke.
fn typing(edit: &Edit, before: &Desk) -> Option<Typing> {
    let (path, new) = match edit {
        Edit::Dockerfile { text } => (DOCKERFILE, text.as_bytes()),
        Edit::Write { path, bytes, .. } => (path.as_str(), bytes.as_slice()),
        _ => return None,
    };
    let (_, inode) = before.workspace.files().find(path)?;
    Typing::between(path, inode.file()?.bytes(), new)
}
