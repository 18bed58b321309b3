//! A workspace with its build cache and its builds: all that an undo takes back.

use std::sync::Arc;

use rpds::{RedBlackTreeMapSync, VectorSync};

use crate::build::cache::Cache;
use crate::build::error::{BuildError, ErrorKind};
use crate::build::plan::{Plan, PlanError, plan};
use crate::build::remote::Exported;
use crate::build::report::Report;
use crate::build::solve::{Builder, Job, Progress};
use crate::context::{Ignore, SendError, Sender};
use crate::fs::{Clock, Fs, Time};
use crate::run::{Host, Limits, Machine, Part, Response};
use crate::world::World;

use super::changes::describe;
use super::limits::MAX_BUILDS;
use super::workspace::{DOCKERFILE, planned};
use super::{Edit, Refusal, Tally, Workspace, caches};

/// A workspace, its cache and its builds. A clone costs O(1) and shares everything.
#[derive(Clone, Debug)]
pub struct Desk {
    /// What is built.
    pub workspace: Workspace,
    /// The build cache of the present machine.
    pub cache: Cache,
    /// The present machine; the first one has no name.
    pub machine: Arc<str>,
    /// The build caches of the other machines, by name.
    pub machines: RedBlackTreeMapSync<Arc<str>, Cache>,
    /// Caches that were exported, by place: see [`caches`].
    pub exported: RedBlackTreeMapSync<String, Exported>,
    /// The last [`MAX_BUILDS`] builds, the oldest first; their numbers have no gaps.
    pub builds: VectorSync<Arc<Build>>,
    /// What the session was opened from.
    pub title: Arc<str>,
    /// What can be seen in it.
    pub about: Arc<str>,
}

/// A build that is over.
#[derive(Debug)]
pub struct Build {
    /// Its number, from 1.
    pub number: u32,
    /// What was built.
    pub workspace: Workspace,
    /// The graph; none where there could be none.
    pub plan: Option<Arc<Plan>>,
    /// What came of it.
    pub report: Report,
    /// What led to it, in few words.
    pub after: String,
}

/// Why there is no plan to build by.
#[derive(Clone, Debug, PartialEq)]
pub enum Unready {
    /// Parts of the catalog that must be supplied first.
    Needs(Vec<String>),
    /// The build fails before it begins.
    Fails(BuildError),
}

impl Desk {
    /// An empty desk at `now`.
    pub fn new(now: Time) -> Desk {
        Desk {
            workspace: Workspace::new(now),
            cache: Cache::new(),
            machine: "".into(),
            machines: RedBlackTreeMapSync::new_sync(),
            exported: RedBlackTreeMapSync::new_sync(),
            builds: VectorSync::new_sync(),
            title: "".into(),
            about: "".into(),
        }
    }

    /// Makes a change. On a refusal nothing has changed.
    ///
    /// # Errors
    /// As [`Workspace::apply`].
    pub fn apply(&mut self, edit: &Edit, tally: &mut Tally) -> Result<(), Refusal> {
        self.workspace.apply(edit, tally)?;
        match edit {
            Edit::ClearCache => self.cache.clear(),
            Edit::Machine { name } => self.go_to(name),
            _ => {}
        }
        Ok(())
    }

    /// Puts the build cache of another machine in the place of the present one's.
    fn go_to(&mut self, name: &str) {
        let name: Arc<str> = name.into();
        if name != self.machine {
            let there = self.machines.get(&name).cloned().unwrap_or_default();
            let here = std::mem::replace(&mut self.cache, there);
            let before = std::mem::replace(&mut self.machine, name);
            self.machines.insert_mut(before, here);
        }
    }

    /// The exported caches that a build imports: what is not there is passed over.
    fn imports(&self) -> Vec<Exported> {
        let places = caches::from(self.workspace.options()).unwrap_or_default();
        let found = places.iter().filter_map(|place| self.exported.get(place));
        found.cloned().collect()
    }

    /// Keeps the caches that a build exported. An image replaces the one of its name, with the cache
    /// in it.
    fn keep_exported(&mut self, report: &Report) {
        if !report.ok() {
            return;
        }
        let options = self.workspace.options().clone();
        if let Some(image) = caches::image(&options) {
            self.exported.remove_mut(&image);
        }
        let to = caches::to(&options).unwrap_or_default();
        for ((place, _), exported) in to.into_iter().zip(&report.caches) {
            self.exported.insert_mut(place, exported.clone());
        }
    }

    /// The last build.
    pub fn last_build(&self) -> Option<&Arc<Build>> {
        self.builds.last()
    }

    /// The build of that number.
    ///
    /// # Errors
    /// There was none, or it is not kept any more.
    pub fn build(&self, number: u32) -> Result<&Arc<Build>, Refusal> {
        let first = self.builds.first().map_or(1, |build| build.number);
        if (1..first).contains(&number) {
            return Err(
                Refusal::new(format!("Build {number} is not kept any more."))
                    .help(format!("The last {MAX_BUILDS} builds are.")),
            );
        }
        let at = number.checked_sub(first).map(|at| at as usize);
        at.and_then(|at| self.builds.get(at)).ok_or_else(|| {
            Refusal::new(format!("There is no build {number}."))
                .help("Look at the history for the builds that there are.")
        })
    }

    /// The number of the next build, counted from 1.
    pub fn next_number(&self) -> u32 {
        self.last_build().map_or(1, |last| last.number + 1)
    }

    /// What a build of `plan` works on. `sender` makes it cheap; any will do.
    pub fn job(&self, plan: Arc<Plan>, ignore: &Ignore, sender: &mut Sender) -> Job {
        Job {
            context: sent(&self.workspace, Some(&plan), ignore, sender),
            options: planned(self.workspace.options()).unwrap_or_default(),
            plan,
            cache: self.cache.clone(),
            imports: self.imports(),
            clock: Clock::at(self.workspace.now()),
            limits: Limits::default(),
        }
    }

    /// A build of the workspace that has not begun.
    ///
    /// # Errors
    /// Parts of the catalog that must be supplied first.
    pub fn begin(self, world: &World) -> Result<Building, Vec<String>> {
        let after = match self.last_build() {
            Some(last) => describe(&last.workspace, &self.workspace),
            None => "the first build".to_string(),
        };
        let ignore = self.workspace.context().ignore(DOCKERFILE);
        let planned = plan_of(&self.workspace, world);
        let state = match (planned, ignore) {
            (Err(Unready::Needs(parts)), _) => return Err(parts),
            (Err(Unready::Fails(error)), _) => State::Failed(error),
            (Ok(_), Err(error)) => State::Failed(BuildError {
                message: error.to_string(),
                lines: Vec::new(),
                help: Some(format!(
                    "Look at line {} of {}.",
                    error.line(),
                    error.file()
                )),
                kind: ErrorKind::Dockerfile,
            }),
            (Ok(plan), Ok(ignore)) => {
                let job = self.job(plan.clone(), &ignore, &mut Sender::default());
                State::Builder(plan, Box::new(Builder::new(job)))
            }
        };
        Ok(Building {
            desk: self,
            after,
            state,
        })
    }
}

/// The graph of the workspace's Dockerfile.
///
/// # Errors
/// [`Unready`].
pub fn plan_of(workspace: &Workspace, world: &World) -> Result<Arc<Plan>, Unready> {
    let Some(text) = workspace.dockerfile() else {
        return Err(Unready::Fails(BuildError {
            message: "failed to read dockerfile: open Dockerfile: no such file or directory".into(),
            lines: Vec::new(),
            help: Some("Make a file called Dockerfile at the top of the context.".into()),
            kind: ErrorKind::Missing,
        }));
    };
    let options = planned(workspace.options()).map_err(|refusal| {
        Unready::Fails(BuildError {
            message: refusal.message,
            lines: Vec::new(),
            help: refusal.help,
            kind: ErrorKind::Dockerfile,
        })
    })?;
    match plan(&text, &options, &mut world.clone()) {
        Ok(plan) => Ok(Arc::new(plan)),
        Err(PlanError::Needs(parts)) => Err(Unready::Needs(parts)),
        Err(PlanError::Failed(error)) => Err(Unready::Fails(error)),
    }
}

/// What of the context a build of `plan` is sent; without a plan all that is not ignored.
///
/// # Errors
/// As [`Sender::send`].
pub fn sent(
    workspace: &Workspace,
    plan: Option<&Plan>,
    ignore: &Ignore,
    sender: &mut Sender,
) -> Result<Fs, SendError> {
    let paths = plan.and_then(|plan| plan.context_paths.as_deref());
    match paths {
        // Nothing is asked for, so nothing is sent: an empty list would stand for everything.
        Some([]) => Ok(Fs::empty()),
        paths => sender.send(
            workspace.files(),
            ignore.matcher(),
            paths.unwrap_or_default(),
        ),
    }
}

/// A build under way, over a fork of its desk.
pub struct Building {
    desk: Desk,
    after: String,
    state: State,
}

enum State {
    Failed(BuildError),
    Builder(Arc<Plan>, Box<Builder>),
}

/// What a turn of a build brings.
pub enum Turn {
    /// There is more to do.
    More {
        /// The step that comes next.
        doing: String,
        /// Steps that are over.
        done: u32,
        /// Steps in all.
        total: u32,
    },
    /// Parts of the catalog that must be supplied first.
    Needs(Vec<String>),
    /// The build is over: [`Building::finish`] tells.
    Over,
}

impl std::fmt::Debug for Building {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Building({})", self.after)
    }
}

impl Building {
    /// Does a part of the work: at most one step runs.
    pub fn turn(&mut self, world: &World) -> Turn {
        let State::Builder(_, builder) = &mut self.state else {
            return Turn::Over;
        };
        match builder.step(&mut WorldHost(world)) {
            Progress::More { doing, done, total } => Turn::More {
                doing,
                done: done as u32,
                total: total as u32,
            },
            Progress::Needs(parts) => Turn::Needs(parts),
            Progress::Cancelled | Progress::Done => Turn::Over,
        }
    }

    /// Works to the end.
    ///
    /// # Errors
    /// Parts of the catalog that must be supplied first; it can then go on.
    pub fn run(&mut self, world: &World) -> Result<(), Vec<String>> {
        loop {
            match self.turn(world) {
                Turn::More { .. } => {}
                Turn::Needs(parts) => return Err(parts),
                Turn::Over => return Ok(()),
            }
        }
    }

    /// The desk with the build on it.
    pub fn finish(self) -> Desk {
        let mut desk = self.desk;
        let workspace = desk.workspace.clone();
        let (plan, report) = match self.state {
            State::Failed(error) => {
                let report = Report {
                    build: 0,
                    steps: Vec::new(),
                    image: None,
                    platforms: Vec::new(),
                    error: Some(error),
                    caches: Vec::new(),
                    nanos: 0,
                };
                (None, report)
            }
            State::Builder(plan, builder) => {
                let (report, cache, clock) = builder.finish();
                desk.cache = cache;
                desk.keep_exported(&report);
                desk.workspace.advance_to(clock.now());
                (Some(plan), report)
            }
        };
        let number = desk.next_number();
        desk.builds.push_back_mut(Arc::new(Build {
            number,
            workspace,
            plan,
            report,
            after: self.after,
        }));
        let surplus = desk.builds.len().saturating_sub(MAX_BUILDS);
        if surplus > 0 {
            desk.builds = desk.builds.iter().skip(surplus).cloned().collect();
        }
        desk
    }
}

/// The world as runs reach it.
#[derive(Clone, Copy, Debug)]
pub struct WorldHost<'a>(pub &'a World);

impl Host for WorldHost<'_> {
    fn machine(&self) -> Machine {
        self.0.machine
    }

    fn part(&mut self, name: &str) -> Part {
        self.0.part(name)
    }

    fn fetch(&mut self, url: &str) -> Option<Response> {
        self.0.fetch(url)
    }
}
