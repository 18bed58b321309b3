//! Everything that the user can do, and what comes of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use layerwise::view::{ArchiveFormat, Edit, Request, Saved, State, TreeRef, UploadedFile};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::words::{build_sentence, failed, prediction_sentence, refused};
use super::work::{Queue, Work};
use super::{
    Action, Against, Chosen, Current, Dock, Example, ImageTree, Notice, Orders, Pane, Reorder, keep,
};
use crate::client::{self, Answer, Client, Fault, Question, Session};
use crate::{dom, format};

/// How long typing rests before the seconds of the next build are found out, in milliseconds.
const FORECAST_AFTER: i32 = 350;
/// How long the session rests before it is saved.
const SAVE_AFTER: i32 = 600;
/// How long a cancelled job has to end by itself before its worker is ended.
const CANCEL_WITHIN: i32 = 2_000;
/// How often the engine is started again when it stops and stops.
const MOST_CRASHES: u32 = 3;
/// Where the examples are.
const PLAYS: &str = "plays";

/// What the user can do.
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Rc<Inner>,
}

impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
    }
}

pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) dispatch: UseReducerDispatcher<Current>,
    pub(super) queue: RefCell<Queue>,
    /// Whether the queue is being worked off.
    pub(super) busy: Cell<bool>,
    /// What is being worked on is to end.
    pub(super) cancel: Cell<bool>,
    /// Whether that is what the user did not ask for.
    pub(super) quiet: Cell<bool>,
    /// An instruction is being moved.
    pub(super) moving: Cell<bool>,
    /// Counts works, so that a late timer knows that its work is over.
    pub(super) serial: Cell<u64>,
    /// Crashes since the last work that went well.
    pub(super) crashes: Cell<u32>,
    /// The last state.
    pub(super) state: RefCell<Option<Rc<State>>>,
    /// The last session that was saved.
    pub(super) saved: RefCell<Option<Session>>,
    /// Directories that were asked for.
    pub(super) asked: RefCell<BTreeSet<(TreeRef, String)>>,
    /// Counts images, so that a late answer about an older one is not taken for the present one's.
    pub(super) image: Cell<u64>,
    /// The file of the context that is open.
    pub(super) open: RefCell<Option<String>>,
    /// The Dockerfile before the order was changed.
    pub(super) order_before: RefCell<Option<String>>,
}

impl Store {
    /// A store over a new engine.
    pub fn new(dispatch: UseReducerDispatcher<Current>) -> Store {
        let progress = dispatch.clone();
        Store {
            inner: Rc::new(Inner {
                client: Client::new(move |value| progress.dispatch(Action::Progress(value))),
                dispatch,
                queue: RefCell::default(),
                busy: Cell::new(false),
                cancel: Cell::new(false),
                quiet: Cell::new(false),
                moving: Cell::new(false),
                serial: Cell::new(0),
                crashes: Cell::new(0),
                state: RefCell::default(),
                saved: RefCell::default(),
                asked: RefCell::default(),
                image: Cell::new(0),
                open: RefCell::default(),
                order_before: RefCell::default(),
            }),
        }
    }

    pub(super) fn dispatch(&self, action: Action) {
        self.inner.dispatch.dispatch(action);
    }

    /// Opens what this browser kept, or else the first example.
    pub fn start(&self) {
        let store = self.clone();
        spawn_local(async move {
            let kept = keep::load();
            if let Some(saved) = &kept {
                *store.inner.saved.borrow_mut() = Some(saved.clone());
                store.push(Work::OpenSaved(saved.clone()));
            }
            let index = dom::fetch_text(&format!("{PLAYS}/index.json")).await;
            let examples = index.and_then(|text| {
                js_sys::JSON::parse(&text)
                    .map_err(Into::into)
                    .and_then(client::decode::<Vec<Example>>)
                    .map_err(|error| format!("the list of examples: {error}"))
            });
            match examples {
                Ok(examples) => {
                    let first = examples.first().cloned();
                    store.dispatch(Action::Examples(examples.into()));
                    if let (Some(first), None) = (first, kept) {
                        store.open_example(first.file);
                    }
                }
                Err(message) => {
                    if kept.is_none() {
                        store.open_empty();
                    }
                    store.tell(Notice {
                        bad: true,
                        message: format!("The examples are missing: {message}."),
                        help: Some("Reloading the page may help.".into()),
                    });
                }
            }
        });
    }

    /// Opens an example.
    pub fn open_example(&self, file: String) {
        let store = self.clone();
        spawn_local(async move {
            match dom::fetch_text(&format!("{PLAYS}/{file}")).await {
                Ok(source) => store.push(Work::OpenPlay(source)),
                Err(message) => store.tell(Notice {
                    bad: true,
                    message: format!("The example was not opened: {message}."),
                    help: Some("What you had is still here.".into()),
                }),
            }
        });
    }

    /// Opens a session with next to nothing in it.
    pub fn open_empty(&self) {
        let empty = Saved {
            version: Saved::VERSION,
            title: "Untitled".into(),
            dockerfile: "FROM alpine\n".into(),
            ..Saved::default()
        };
        match client::encode(&empty) {
            Ok(saved) => self.push(Work::OpenSaved(Session(saved))),
            Err(error) => self.tell(failed(error.to_string())),
        }
    }

    /// The user changed the Dockerfile's text.
    pub fn type_dockerfile(&self, text: String) {
        *self.inner.order_before.borrow_mut() = None;
        self.dispatch(Action::Typed(text.as_str().into()));
        self.push(Work::Edit(Edit::Dockerfile { text }));
    }

    /// The user changed a file's text.
    pub fn type_file(&self, path: String, text: String) {
        self.dispatch(Action::TypedFile(path.clone(), text.as_str().into()));
        self.push(Work::Edit(Edit::Write {
            path,
            bytes: text.into_bytes(),
            mode: None,
        }));
    }

    /// Changes the workspace.
    pub fn edit(&self, edit: Edit) {
        self.push(Work::Edit(edit));
    }

    /// Puts an instruction at another place.
    pub fn move_instruction(&self, from: usize, to: usize) {
        // The places are those of the text as it is: a move on its way changes them.
        if !self.inner.moving.get() && !self.inner.queue.borrow().has_move() {
            self.push(Work::Edit(Edit::Move { from, to }));
        }
    }

    /// Takes another order over, and sets it beside the present one.
    pub fn apply_order(&self, what: String, text: String) {
        self.push(Work::Order(what, text));
    }

    /// Takes files from the user's machine.
    pub fn upload(&self, files: Result<Vec<UploadedFile>, String>) {
        match files {
            Ok(files) if files.is_empty() => {}
            Ok(files) => self.push(Work::Edit(Edit::Upload { files })),
            Err(message) => self.tell(Notice {
                bad: true,
                message: format!("Nothing was uploaded: {message}."),
                help: Some("Choose the files again.".into()),
            }),
        }
    }

    /// Takes the last step back.
    pub fn undo(&self) {
        self.push(Work::Undo);
    }

    /// Takes the last undo back.
    pub fn redo(&self) {
        self.push(Work::Redo);
    }

    /// Builds.
    pub fn build(&self) {
        self.push(Work::Build);
    }

    /// Looks for better orders, and shows them.
    pub fn suggest(&self) {
        self.push(Work::Suggest);
    }

    /// Compares what edits cost in the present order and in another.
    pub fn compare_orders(&self, other: Option<String>, against: Against) {
        self.push(Work::Matrix(other, against));
    }

    /// Saves a build's image on the user's machine.
    pub fn export(&self, build: u32, format: ArchiveFormat) {
        self.push(Work::Export(build, format));
    }

    /// Ends what the user waits for, as if it had not begun.
    pub fn cancel(&self) {
        self.inner.cancel.set(true);
        self.dispatch(Action::Ending);
        let (store, serial) = (self.clone(), self.inner.serial.get());
        spawn_local(async move {
            dom::sleep(CANCEL_WITHIN).await;
            if store.inner.busy.get() && store.inner.serial.get() == serial {
                let reason = "it was cancelled and did not end by itself";
                store.inner.client.restart(reason);
            }
        });
    }

    /// Chooses an instruction, a step or a layer.
    pub fn choose(&self, chosen: Chosen) {
        self.dispatch(Action::Choose(chosen));
    }

    /// Shows a pane or a tab of the dock.
    pub fn show(&self, pane: Pane) {
        self.dispatch(Action::Pane(pane));
    }

    /// Shows another tree of the image.
    pub fn image_tree(&self, tree: ImageTree) {
        self.dispatch(Action::ImageTree(tree));
    }

    /// Tells the user something.
    pub fn tell(&self, notice: Notice) {
        self.dispatch(Action::Notice(Some(notice)));
    }

    /// Tells it no more.
    pub fn hush(&self) {
        self.dispatch(Action::Notice(None));
    }

    /// Forgets what this browser kept, and begins with the first example.
    pub fn start_over(&self) {
        keep::forget();
        *self.inner.saved.borrow_mut() = None;
        self.inner.crashes.set(0);
        self.inner.queue.borrow_mut().clear();
        self.inner.client.restart("it was started over");
        self.start();
    }

    pub(super) fn push(&self, work: Work) {
        if self.inner.quiet.get() && !work.is_quiet() && !matches!(work, Work::Save) {
            self.inner.cancel.set(true);
        }
        self.inner.queue.borrow_mut().push(work);
        if !self.inner.busy.replace(true) {
            let store = self.clone();
            spawn_local(async move { store.work_off().await });
        }
    }

    /// Does what waits, until nothing does.
    pub(super) async fn work_off(&self) {
        loop {
            let next = self.inner.queue.borrow_mut().pop();
            let Some(work) = next else { break };
            self.perform(work).await;
        }
        self.inner.busy.set(false);
    }

    async fn perform(&self, work: Work) {
        self.inner.serial.set(self.inner.serial.get() + 1);
        self.inner.cancel.set(false);
        self.inner.quiet.set(work.is_quiet());
        let moving = matches!(work, Work::Edit(Edit::Move { .. }));
        self.inner.moving.set(moving);
        if let Some(job) = work.job() {
            self.dispatch(Action::Begun(job));
        }
        let result = self.converse(work.question()).await;
        self.inner.quiet.set(false);
        self.inner.moving.set(false);
        if work.job().is_some() {
            self.dispatch(Action::Over);
        }
        match result {
            Ok(reply) => {
                self.inner.crashes.set(0);
                self.take(work, reply);
            }
            // What this browser kept is no session: as if it had kept nothing.
            Err(Fault::Failed(_))
                if matches!(work, Work::OpenSaved(_))
                    && self.inner.state.borrow().is_none()
                    && self.inner.saved.borrow().is_some() =>
            {
                self.start_over();
            }
            Err(Fault::Failed(message)) => self.tell(failed(message)),
            Err(Fault::Crashed(reason)) => self.recover(Some(work), reason).await,
        }
    }

    /// Asks, and goes on asking until there is a result.
    async fn converse(&self, question: Question) -> Result<Answer, Fault> {
        let mut reply = self.inner.client.ask(&question).await?;
        while let Answer::Progress(progress) = reply {
            self.dispatch(Action::Progress(progress));
            let next = if self.inner.cancel.get() {
                Request::Cancel
            } else {
                Request::Continue
            };
            reply = self.inner.client.ask(&next.into()).await?;
        }
        Ok(reply)
    }

    fn take(&self, work: Work, reply: Answer) {
        match reply {
            Answer::State(state) => self.settle(Some(&work), (*state).into()),
            Answer::Prediction(prediction) => self.dispatch(Action::Prediction(prediction)),
            Answer::Saved(saved) => self.keep(saved),
            Answer::Matrix(matrix) => {
                let against = match work {
                    Work::Matrix(_, against) => against,
                    _ => Against::Nothing,
                };
                self.dispatch(Action::Orders(Rc::new(Orders { matrix, against })));
            }
            Answer::Suggestions(suggestions) => {
                self.dispatch(Action::Suggestions(suggestions.into()));
                self.show_wide(Dock::Compare);
            }
            Answer::Archive(archive) => {
                if let Err(message) = dom::download(&archive.name, &archive.bytes) {
                    self.tell(failed(message));
                }
            }
            Answer::Refused(refusal) => {
                self.tell(refused(refusal));
                // There has to be something to work on.
                if self.inner.state.borrow().is_none() {
                    match work {
                        Work::OpenSaved(_) => self.start_over(),
                        _ => self.open_empty(),
                    }
                }
            }
            Answer::Needs(names) => {
                self.tell(failed(format!("the catalog lacks {}", names.join(", "))))
            }
            _ => {}
        }
    }

    /// Shows a tab of the dock, without leaving the pane of a narrow screen.
    fn show_wide(&self, dock: Dock) {
        if dom::matches_media("(min-width: 1000px)") {
            self.show(Pane::Dock(dock));
        }
    }

    /// Takes a state over.
    fn settle(&self, work: Option<&Work>, state: Rc<State>) {
        let old = self.inner.state.replace(Some(state.clone()));
        let image = |state: &State| {
            let build = state.build.as_ref()?;
            Some((build.summary.number, build.summary.digest.clone()))
        };
        if old.as_deref().map(image) != Some(image(&state)) {
            self.inner.image.set(self.inner.image.get() + 1);
            self.inner
                .asked
                .borrow_mut()
                .retain(|(tree, _)| *tree == TreeRef::Context);
        }
        let opened = matches!(work, Some(Work::OpenPlay(_) | Work::OpenSaved(_)));
        let is_back = self.inner.order_before.borrow().as_ref() == Some(&state.dockerfile);
        if opened || is_back || matches!(work, Some(Work::Build)) {
            *self.inner.order_before.borrow_mut() = None;
        }
        if opened {
            self.inner.asked.borrow_mut().clear();
            *self.inner.open.borrow_mut() = None;
        }
        let (typing, typing_files) = {
            let queue = self.inner.queue.borrow();
            (queue.has_dockerfile(), queue.files())
        };
        self.dispatch(Action::State {
            state: state.clone(),
            opened,
            typing,
            typing_files,
        });
        let edit = match work {
            Some(Work::Edit(edit)) => Some(edit),
            _ => None,
        };
        if !edit.is_some_and(leaves_files_alone) {
            self.refresh_files();
        }
        match work {
            Some(Work::Build) => self.dispatch(Action::Say(build_sentence(&state))),
            Some(Work::Edit(Edit::Move { from, to })) => {
                let moved = state
                    .instructions
                    .get(*to)
                    .map_or("instruction", |moved| moved.text.as_str());
                let way = if to > from { "down" } else { "up" };
                self.dispatch(Action::Choose(Chosen::Instruction(*to)));
                if let (Some(old), false) = (&old, is_back) {
                    self.reordered(old.dockerfile.clone(), format!("{moved} moved {way}"));
                }
                self.dispatch(Action::Say(prediction_sentence(&state)));
            }
            Some(Work::Order(what, _)) => {
                if let (Some(old), false) = (&old, is_back) {
                    self.reordered(old.dockerfile.clone(), what.clone());
                }
                self.dispatch(Action::Say(prediction_sentence(&state)));
            }
            Some(Work::Edit(Edit::Dockerfile { .. } | Edit::Write { .. }) | Work::OpenSaved(_)) => {
            }
            Some(work) if work.is_quiet() => {}
            Some(_) => self.dispatch(Action::Say(prediction_sentence(&state))),
            None => {}
        }
        self.later(&state);
    }

    /// What is found out and kept once the user rests.
    fn later(&self, state: &State) {
        let prediction = &state.prediction;
        let revision = state.revision;
        if prediction.seconds.is_none() && prediction.error.is_none() && prediction.steps > 0 {
            self.after_rest(FORECAST_AFTER, revision, Work::Forecast);
        }
        let before = self.inner.order_before.borrow().clone();
        if let Some(before) = before {
            let work = Work::Matrix(Some(before), Against::Before);
            self.after_rest(FORECAST_AFTER, revision, work);
        }
        self.after_rest(SAVE_AFTER, revision, Work::Save);
    }

    fn after_rest(&self, milliseconds: i32, revision: u64, work: Work) {
        let store = self.clone();
        spawn_local(async move {
            dom::sleep(milliseconds).await;
            let now = store.inner.state.borrow().as_ref().map(|now| now.revision);
            if now == Some(revision) {
                store.push(work);
            }
        });
    }

    /// Sets the order beside the one before; what both cost is found out once the user rests.
    fn reordered(&self, before: String, what: String) {
        // Of several moves in a row, the order before the first is what matters.
        let before = self
            .inner
            .order_before
            .borrow_mut()
            .get_or_insert(before)
            .clone();
        self.dispatch(Action::Reordered(Reorder {
            before: before.as_str().into(),
            what,
            proof: None,
        }));
    }

    fn keep(&self, saved: Session) {
        if let Err(size) = keep::save(&saved) {
            self.tell(Notice {
                bad: true,
                message: format!(
                    "This session has {}, more than the browser keeps over a reload.",
                    format::bytes(size as u64)
                ),
                help: Some("It lasts as long as this page is open. Smaller files help.".into()),
            });
        }
        *self.inner.saved.borrow_mut() = Some(saved);
    }

    /// Starts the engine again after it was lost in `work`, with the session as it was saved last.
    pub(super) async fn recover(&self, work: Option<Work>, reason: String) {
        let mut reason = reason;
        loop {
            let crashes = self.inner.crashes.get() + 1;
            self.inner.crashes.set(crashes);
            let saved = self.inner.saved.borrow().clone();
            let (Some(mut saved), true) = (saved, crashes <= MOST_CRASHES) else {
                self.inner.queue.borrow_mut().clear();
                self.dispatch(Action::Broken(Notice {
                    bad: true,
                    message: format!("The engine does not run: {reason}."),
                    help: Some("Reload the page, or start over with the first example.".into()),
                }));
                return;
            };
            // The last text that the engine took is newer than what was saved, it may be.
            if let Some(state) = &*self.inner.state.borrow() {
                saved = saved.with_dockerfile(&state.dockerfile);
            }
            if crashes > 1 {
                saved = saved.without_built();
            }
            self.inner.client.restart(&reason);
            match self.converse(Question::Open(saved)).await {
                Ok(Answer::State(state)) => {
                    let cancelled = self.inner.cancel.replace(false);
                    // What was typed is typed again, once.
                    if let (1, Some(Work::Edit(edit))) = (crashes, &work) {
                        let again = Work::Edit(edit.clone());
                        self.inner.queue.borrow_mut().push_front(again);
                    }
                    self.settle(None, (*state).into());
                    self.tell(Notice {
                        bad: !cancelled,
                        message: if cancelled {
                            "The build was ended from outside, and the engine started again.".into()
                        } else {
                            format!("The engine stopped ({reason}) and was started again.")
                        },
                        help: Some(
                            "Your Dockerfile and files are as they were; earlier builds are gone."
                                .into(),
                        ),
                    });
                    return;
                }
                Ok(Answer::Refused(refusal)) => reason = refusal.message,
                Ok(_) => reason = "it gave no session".into(),
                Err(Fault::Failed(message) | Fault::Crashed(message)) => reason = message,
            }
        }
    }
}

/// Whether an edit changes nothing of what the tree of files shows.
fn leaves_files_alone(edit: &Edit) -> bool {
    matches!(
        edit,
        Edit::Dockerfile { .. } | Edit::Move { .. } | Edit::Options { .. }
    )
}
