//! What the page shows: one value, changed by actions only.

use std::collections::BTreeMap;
use std::rc::Rc;

use layerwise::view::{
    Comparison, FileView, Matrix, Prediction, Progress, Row, State, Suggestion, TreeRef,
};
use serde::Deserialize;
use yew::prelude::*;

use super::link::{Chosen, Links};

/// An example that can be opened, from the index of plays.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Example {
    /// The play's file, beside the index.
    pub file: String,
    /// Its title.
    pub title: String,
    /// What it shows, in a sentence.
    #[serde(default)]
    pub about: String,
}

/// Something long that the engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// A play or a saved session is opened.
    Open,
    /// The workspace is built.
    Build,
    /// Exact seconds of the next build are found out.
    Forecast,
    /// Orders are compared.
    Matrix,
    /// Better orders are looked for.
    Suggest,
    /// An archive is written.
    Export,
}

impl Job {
    /// Whether the user did not ask for it: it gives way to everything else, silently.
    pub fn is_quiet(self) -> bool {
        matches!(self, Job::Forecast | Job::Matrix)
    }
}

/// A job that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// Which.
    pub job: Job,
    /// How far it is.
    pub progress: Progress,
    /// Whether it has been asked to end.
    pub ending: bool,
}

/// Something to tell the user beside what the views show.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Whether it is bad news.
    pub bad: bool,
    /// What happened.
    pub message: String,
    /// What helps.
    pub help: Option<String>,
}

/// What the present order is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The order before the last change of it.
    Before,
    /// The first suggestion.
    Suggestion,
    /// Nothing.
    Nothing,
}

/// What edits cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Orders {
    /// Column 0 is the present order, column 1 the other.
    pub matrix: Matrix,
    /// Which other.
    pub against: Against,
}

/// A change of the order, beside the order before.
#[derive(Clone, Debug, PartialEq)]
pub struct Reorder {
    /// The Dockerfile before.
    pub before: Rc<str>,
    /// What was done.
    pub what: String,
    /// What both orders cost, once it is known.
    pub proof: Option<Rc<Orders>>,
}

/// The panes of a narrow screen, in reading order; on a wide one the last are the dock's tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The build context.
    Files,
    /// The editor.
    Dockerfile,
    /// Layers and their files.
    Image,
    /// A tab of the dock.
    Dock(Dock),
}

/// The tabs of the dock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dock {
    /// The steps of the last build, and why.
    Steps,
    /// Edits and orders; two builds.
    Compare,
    /// What the steps printed.
    Log,
    /// All builds.
    History,
    /// Errors and warnings.
    Problems,
}

impl Dock {
    /// All of them, in order.
    pub const ALL: [Dock; 5] = [
        Dock::Steps,
        Dock::Compare,
        Dock::Log,
        Dock::History,
        Dock::Problems,
    ];

    /// What the tab says.
    pub fn name(self) -> &'static str {
        match self {
            Dock::Steps => "Steps",
            Dock::Compare => "Compare",
            Dock::Log => "Log",
            Dock::History => "History",
            Dock::Problems => "Problems",
        }
    }
}

/// Which tree the image pane shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageTree {
    /// What the chosen layer changes.
    Layer,
    /// The files as they stand after it.
    Merged,
}

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct Model {
    /// The session, once there is one.
    pub state: Option<Rc<State>>,
    /// How steps, layers and instructions belong together in it.
    pub links: Rc<Links>,
    /// Why there is no session and will be none by itself.
    pub broken: Option<Notice>,
    /// What the engine is busy with.
    pub running: Option<Running>,
    /// The Dockerfile as typed, while the engine has an older one.
    pub typed: Option<Rc<str>>,
    /// Files as typed, while the engine has older ones.
    pub typed_files: BTreeMap<String, Rc<str>>,
    /// Directories of trees, as far as they were asked for.
    pub branches: BTreeMap<(TreeRef, String), Rc<[Row]>>,
    /// Files that are shown.
    pub files: BTreeMap<(TreeRef, String), Rc<FileView>>,
    /// The chosen instruction, step or layer.
    pub chosen: Option<Chosen>,
    /// Files of the context that are open in the editor.
    pub tabs: Vec<String>,
    /// The one of them that is shown; none for the Dockerfile.
    pub tab: Option<String>,
    /// A line for the editor to go to; the second number counts the requests.
    pub go_to: Option<(u32, u32)>,
    /// The pane of a narrow screen.
    pub pane: Pane,
    /// The tab of the dock.
    pub dock: Dock,
    /// The image pane's tree.
    pub image_tree: ImageTree,
    /// The image's file that is looked into.
    pub peek: Option<(TreeRef, String)>,
    /// Edits and orders.
    pub orders: Option<Rc<Orders>>,
    /// Better orders of the Dockerfile as it is.
    pub suggestions: Option<Rc<[Suggestion]>>,
    /// Two builds side by side.
    pub comparison: Option<Rc<Comparison>>,
    /// The last change of the order.
    pub reorder: Option<Reorder>,
    /// What is to be told.
    pub notice: Option<Notice>,
    /// What assistive technology is told.
    pub said: AttrValue,
    /// The examples.
    pub examples: Rc<[Example]>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            state: None,
            links: Rc::default(),
            broken: None,
            running: None,
            typed: None,
            typed_files: BTreeMap::new(),
            branches: BTreeMap::new(),
            files: BTreeMap::new(),
            chosen: None,
            tabs: Vec::new(),
            tab: None,
            go_to: None,
            pane: Pane::Dockerfile,
            dock: Dock::Steps,
            image_tree: ImageTree::Layer,
            peek: None,
            orders: None,
            suggestions: None,
            comparison: None,
            reorder: None,
            notice: None,
            said: AttrValue::default(),
            examples: Rc::new([]),
        }
    }
}

/// A change of the model.
pub enum Action {
    /// The engine's state; whether what was typed since is on its way still.
    State {
        /// The state.
        state: Rc<State>,
        /// Whether the session is another one.
        opened: bool,
        /// Whether a newer text of the Dockerfile waits to be sent.
        typing: bool,
        /// Files of which a newer text waits to be sent.
        typing_files: Vec<String>,
    },
    /// There is no session and will be none by itself.
    Broken(Notice),
    /// A job has begun.
    Begun(Job),
    /// A job has come on.
    Progress(Progress),
    /// A job has been asked to end.
    Ending,
    /// A job is over.
    Over,
    /// A better prediction of the same state.
    Prediction(Prediction),
    /// The user changed the Dockerfile's text.
    Typed(Rc<str>),
    /// The user changed a file's text.
    TypedFile(String, Rc<str>),
    /// A directory.
    Branch(TreeRef, String, Rc<[Row]>),
    /// A file.
    File(TreeRef, String, Rc<FileView>),
    /// Edits and orders.
    Orders(Rc<Orders>),
    /// Better orders.
    Suggestions(Rc<[Suggestion]>),
    /// Two builds.
    Comparison(Rc<Comparison>),
    /// The order was changed.
    Reordered(Reorder),
    /// An instruction, a step or a layer was chosen.
    Choose(Chosen),
    /// A file is opened in the editor.
    Open(String),
    /// A file is closed in the editor.
    Close(String),
    /// The editor shows the Dockerfile, or an open file.
    Tab(Option<String>),
    /// The editor goes to a line of the Dockerfile.
    GoTo(u32),
    /// A pane or a dock's tab is shown.
    Pane(Pane),
    /// The image pane shows another tree.
    ImageTree(ImageTree),
    /// A file of the image is looked into, or no more.
    Peek(Option<(TreeRef, String)>),
    /// Something is to be told, or no more.
    Notice(Option<Notice>),
    /// Something is to be said to assistive technology.
    Say(String),
    /// The examples are known.
    Examples(Rc<[Example]>),
}

/// The model of the moment.
#[derive(Clone, Debug, Default)]
pub struct Current(pub Rc<Model>);

impl Reducible for Current {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut model = Model::clone(&self.0);
        model.apply(action);
        Rc::new(Current(Rc::new(model)))
    }
}

impl Model {
    fn apply(&mut self, action: Action) {
        match action {
            Action::State {
                state,
                opened,
                typing,
                typing_files,
            } => {
                if !typing {
                    self.typed = None;
                }
                self.settle_files(&typing_files);
                self.take_state(state, opened);
            }
            Action::Broken(notice) => self.broken = Some(notice),
            Action::Begun(job) => {
                self.running = Some(Running {
                    job,
                    progress: Progress::default(),
                    ending: false,
                });
            }
            Action::Progress(progress) => {
                if let Some(running) = &mut self.running {
                    running.progress = progress;
                }
            }
            Action::Ending => {
                if let Some(running) = &mut self.running {
                    running.ending = true;
                }
            }
            Action::Over => self.running = None,
            Action::Prediction(prediction) => {
                if let Some(state) = &mut self.state
                    && state.revision == prediction.revision
                {
                    Rc::make_mut(state).prediction = prediction;
                }
            }
            Action::Typed(text) => {
                self.typed = Some(text);
                self.reorder = None;
            }
            Action::TypedFile(path, text) => {
                self.typed_files.insert(path, text);
            }
            Action::Branch(tree, dir, rows) => {
                self.branches.insert((tree, dir), rows);
            }
            Action::File(tree, path, file) => {
                self.files.insert((tree, path), file);
            }
            Action::Orders(orders) => {
                if let (Some(reorder), Against::Before) = (&mut self.reorder, orders.against) {
                    reorder.proof = Some(orders.clone());
                }
                self.orders = Some(orders);
            }
            Action::Suggestions(suggestions) => {
                self.suggestions = Some(suggestions);
                self.orders = None;
            }
            Action::Comparison(comparison) => self.comparison = Some(comparison),
            Action::Reordered(reorder) => self.reorder = Some(reorder),
            Action::Choose(chosen) => {
                self.chosen = Some(chosen);
                self.peek = None;
            }
            Action::Open(path) => {
                if !self.tabs.contains(&path) {
                    self.tabs.push(path.clone());
                }
                self.tab = Some(path);
                self.pane = Pane::Dockerfile;
            }
            Action::Close(path) => {
                self.tabs.retain(|open| *open != path);
                if self.tab.as_ref() == Some(&path) {
                    self.tab = None;
                }
            }
            Action::Tab(tab) => {
                self.tab = tab;
                self.go_to = None;
            }
            Action::GoTo(line) => {
                let count = self.go_to.map_or(0, |(_, count)| count);
                self.go_to = Some((line, count + 1));
                self.tab = None;
                self.pane = Pane::Dockerfile;
            }
            Action::Pane(pane) => {
                self.pane = pane;
                if let Pane::Dock(dock) = pane {
                    self.dock = dock;
                }
            }
            Action::ImageTree(tree) => {
                self.image_tree = tree;
                self.peek = None;
            }
            Action::Peek(peek) => self.peek = peek,
            Action::Notice(notice) => self.notice = notice,
            Action::Say(text) => self.said = text.into(),
            Action::Examples(examples) => self.examples = examples,
        }
    }

    /// What was typed into files and is with the engine now is what they hold.
    fn settle_files(&mut self, typing: &[String]) {
        let files = &mut self.files;
        self.typed_files.retain(|path, text| {
            let waits = typing.contains(path);
            if let (false, Some(file)) = (waits, files.get_mut(&(TreeRef::Context, path.clone()))) {
                Rc::make_mut(file).text = Some(text.to_string());
            }
            waits
        });
    }

    /// Takes the engine's state over, and lets go of what does not belong to it any more.
    fn take_state(&mut self, state: Rc<State>, opened: bool) {
        self.broken = None;
        if opened {
            *self = Self {
                examples: self.examples.clone(),
                running: self.running.clone(),
                notice: self.notice.clone(),
                said: self.said.clone(),
                pane: self.pane,
                dock: self.dock,
                ..Self::default()
            };
        }
        if let Some(old) = &self.state {
            if old.dockerfile != state.dockerfile || old.options != state.options {
                self.suggestions = None;
                self.orders = None;
            }
            let image = |state: &State| {
                let build = state.build.as_ref()?;
                Some((build.summary.number, build.summary.digest.clone()))
            };
            if image(old) != image(&state) {
                self.branches
                    .retain(|(tree, _), _| *tree == TreeRef::Context);
                self.files.retain(|(tree, _), _| *tree == TreeRef::Context);
                self.peek = None;
                self.comparison = None;
                self.reorder = None;
                if matches!(self.chosen, Some(Chosen::Step(_) | Chosen::Layer(_))) {
                    self.chosen = None;
                }
            }
            if let Some(Chosen::Instruction(index)) = self.chosen {
                self.chosen = Links::follow(old, &state, index).map(Chosen::Instruction);
            }
        }
        if self
            .reorder
            .as_ref()
            .is_some_and(|reorder| *reorder.before == *state.dockerfile)
        {
            self.reorder = None;
        }
        self.links = Rc::new(Links::of(&state));
        self.state = Some(state);
    }

    /// The Dockerfile's text as the editor has to show it.
    pub fn dockerfile(&self) -> &str {
        self.typed.as_deref().unwrap_or_else(|| {
            self.state
                .as_ref()
                .map_or("", |state| state.dockerfile.as_str())
        })
    }

    /// The chosen instruction.
    pub fn instruction(&self) -> Option<usize> {
        self.links.instruction(self.chosen?)
    }

    /// The chosen step of the last build.
    pub fn step(&self) -> Option<usize> {
        self.links.step(self.chosen?)
    }

    /// The chosen layer of the last build's image; the uppermost if none is.
    pub fn layer(&self) -> Option<usize> {
        let layers = self
            .state
            .as_ref()?
            .build
            .as_ref()?
            .image
            .as_ref()?
            .layers
            .len();
        self.chosen
            .and_then(|chosen| self.links.layer(chosen))
            .or(layers.checked_sub(1))
    }

    /// The job that the user waits for.
    pub fn waiting(&self) -> Option<&Running> {
        self.running
            .as_ref()
            .filter(|running| !running.job.is_quiet())
    }

    /// Whether a job of a kind runs.
    pub fn is_running(&self, job: Job) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| running.job == job)
    }
}
