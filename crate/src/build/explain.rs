//! Why a step hit or missed: its key against the nearest earlier one.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::cache::{Cache, Record, SeenContent};
use super::content::{Selector, taken};
use super::key::{Frame, Frames, Part};
use super::op::{Op, RunMountKind};
use super::plan::{Plan, Vertex};
use crate::fs::{Fs, Ino, Inode, Kind};
use crate::image::Digest;

/// So many changed files are listed for a step.
pub const MAX_FILES: usize = 200;
/// Among so many of the newest records the nearest one is looked for.
const MAX_CANDIDATES: usize = 512;

/// What the cache said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It had the result.
    Hit,
    /// It did not.
    Miss,
    /// It cannot be said before an input has run.
    Depends,
    /// It was not asked.
    #[default]
    NotAsked,
}

/// Why a step hit or missed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// What the cache said.
    pub verdict: Verdict,
    /// The causes of a miss, the decisive one first.
    pub causes: Vec<Cause>,
    /// The key: the digest of the frames.
    pub key: Option<Digest>,
    /// The parts of the key, beside those of the nearest earlier one.
    pub frames: Vec<ComparedFrame>,
    /// The build that the record which was hit, or the nearest one, comes from; 0 if it was imported.
    pub earlier: Option<u32>,
    /// What one might think is in the key and is not.
    pub not_in_key: Vec<NotInKey>,
}

/// A part of a key beside the same part of the nearest earlier key.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparedFrame {
    /// What kind of thing it is.
    pub part: Part,
    /// Which one.
    pub name: String,
    /// Its value; `None` where only the earlier key has it.
    pub value: Option<String>,
    /// Its value in the earlier key, where it is another; `None` also where that has none.
    pub before: Option<String>,
    /// Whether the two differ.
    pub differs: bool,
}

/// A cause of a miss.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Cause {
    /// Nothing like it was built before.
    NeverBuilt,
    /// The cache was not to be used.
    NoCacheRequested,
    /// A step below missed.
    ParentMissed {
        /// The position of the vertex that it began with.
        first: usize,
        /// That step as it is shown.
        step: String,
    },
    /// Files that it uses changed.
    ContentChanged {
        /// The files, at most [`MAX_FILES`].
        files: Vec<FileChange>,
    },
    /// The command is another.
    CommandChanged {
        /// As it was.
        old: String,
        /// As it is.
        new: String,
    },
    /// A variable is another.
    VariableChanged {
        /// Its name.
        name: String,
        /// Its value before, if it was set.
        old: Option<String>,
        /// Its value, if it is set.
        new: Option<String>,
    },
    /// The same variables come in another order.
    VariablesReordered,
    /// The base image is another.
    BaseChanged {
        /// Its name.
        name: String,
        /// The digest of its manifest before.
        old: String,
        /// The digest of its manifest.
        new: String,
    },
    /// Another part of the key differs: working directory, user, a mount, a flag, the destination.
    OptionChanged {
        /// What kind of thing it is.
        part: Part,
        /// Which one.
        name: String,
        /// As it was, if it was there.
        old: Option<String>,
        /// As it is, if it is there.
        new: Option<String>,
    },
    /// The step below is another than it was.
    ParentChanged {
        /// The instruction below before.
        old: String,
        /// The instruction below.
        new: String,
    },
    /// Its key is known, but the cache has no result: it is gone, or was not exported.
    ResultGone,
}

/// A file whose change made a key differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileChange {
    /// The path, without a slash in front.
    pub path: String,
    /// What it was: a digest, a mode, a link's target; `None` if it is new.
    pub old: Option<String>,
    /// What it is; `None` if it is gone.
    pub new: Option<String>,
}

/// Something that a key does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotInKey {
    /// When files were changed.
    FileTimes,
    /// ENV, ARG and USER, for COPY and ADD.
    Environment,
    /// What the command downloads.
    Network,
    /// The date.
    Clock,
    /// The values of secrets.
    SecretValues,
    /// What is in cache mounts.
    CacheMounts,
    /// Labels, ports, CMD and other metadata.
    Metadata,
    /// Comments, blank lines, line wraps, the case of the instruction word.
    Layout,
    /// Proxy variables that are not declared.
    Proxies,
}

impl fmt::Display for NotInKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotInKey::FileTimes => "the times of the files",
            NotInKey::Environment => "ENV, ARG and USER",
            NotInKey::Network => "what the command downloads",
            NotInKey::Clock => "the date",
            NotInKey::SecretValues => "the values of secrets",
            NotInKey::CacheMounts => "what is in cache mounts",
            NotInKey::Metadata => "LABEL, EXPOSE, CMD and other metadata",
            NotInKey::Layout => "comments, blank lines and line wraps",
            NotInKey::Proxies => "proxy variables that are not declared",
        })
    }
}

/// In few words, to follow "because".
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NeverBuilt => f.write_str("it was never built"),
            Cause::NoCacheRequested => f.write_str("the cache was turned off"),
            Cause::ParentMissed { step, .. } => write!(f, "{step} missed"),
            Cause::ContentChanged { files } => match files.as_slice() {
                [] => f.write_str("the files that it uses changed"),
                [only] => write!(f, "{} {}", only.path, only.what()),
                [first, rest @ ..] => {
                    write!(f, "{} and {} more changed", first.path, rest.len())
                }
            },
            Cause::CommandChanged { .. } => f.write_str("the command changed"),
            Cause::VariableChanged { name, old, new } => match (old, new) {
                (None, _) => write!(f, "the variable {name} is new"),
                (_, None) => write!(f, "the variable {name} is gone"),
                _ => write!(f, "the variable {name} changed"),
            },
            Cause::VariablesReordered => f.write_str("the variables come in another order"),
            Cause::BaseChanged { name, .. } => write!(f, "the base image {name} changed"),
            Cause::OptionChanged { part, name, .. } => {
                let what = match part {
                    Part::WorkingDirectory => "the working directory",
                    Part::User => "the user",
                    Part::Network => "the network mode",
                    Part::Security => "the security mode",
                    Part::Platform => "the platform",
                    Part::Mount => "a mount",
                    Part::Source => "the name of the source",
                    Part::Inline => "the inline file",
                    _ => return write!(f, "its {name} changed"),
                };
                write!(f, "{what} changed")
            }
            Cause::ParentChanged { .. } => f.write_str("the step below is another"),
            Cause::ResultGone => f.write_str("the cache knows its key, but has no result"),
        }
    }
}

impl FileChange {
    fn what(&self) -> &'static str {
        match (&self.old, &self.new) {
            (None, _) => "is new",
            (_, None) => "is gone",
            _ => "changed",
        }
    }
}

/// Explains the vertices of a plan, which must be asked for in order.
pub(super) struct Explainer<'a> {
    plan: &'a Plan,
    cache: &'a Cache,
    /// For each vertex asked for: the vertex with which its miss began.
    first: Vec<Option<usize>>,
}

/// What is known of a vertex that is to be explained.
pub(super) struct Known<'a> {
    /// What the cache said.
    pub verdict: Verdict,
    /// The readable key.
    pub frames: Frames,
    /// The files whose content is in the key.
    pub contents: &'a [SeenContent],
    /// The record that was hit.
    pub hit: Option<&'a Arc<Record>>,
    /// Whether the cache knew the key, be there a result or not.
    pub known: bool,
}

impl<'a> Explainer<'a> {
    pub fn new(plan: &'a Plan, cache: &'a Cache) -> Explainer<'a> {
        Explainer {
            plan,
            cache,
            first: Vec::new(),
        }
    }

    pub fn explain(&mut self, at: usize, known: Known<'_>) -> Why {
        let vertex = &self.plan.vertices[at];
        let mut why = Why {
            verdict: known.verdict,
            not_in_key: not_in_key(&vertex.op),
            ..Why::default()
        };
        let mut first = None;
        match known.verdict {
            Verdict::Hit => {
                if let Some(record) = known.hit {
                    why.key = Some(record.digest);
                    why.earlier = Some(record.build);
                    why.frames = compare(&record.frames, &record.frames);
                }
            }
            Verdict::Miss | Verdict::Depends => {
                // An input that counts by content does not pass its miss on.
                let missed = vertex.inputs.iter().zip(&vertex.rules);
                let parent = missed
                    .filter(|(_, rule)| rule.content.is_none())
                    .find_map(|(input, _)| self.first.get(*input).copied().flatten());
                let nearest = self.nearest(vertex, &known.frames);
                why.key = Some(known.frames.digest());
                why.earlier = nearest.map(|record| record.build);
                why.frames = match nearest {
                    Some(record) => compare(&record.frames, known.frames.list()),
                    None => compare(known.frames.list(), known.frames.list()),
                };
                why.causes = self.causes(vertex, &known, nearest, parent, &why.frames);
                // What is laid on a step with a known key is looked up by it, whether it ran or not.
                let gone = known.known && !vertex.ignore_cache;
                if known.verdict == Verdict::Miss && !gone {
                    first = Some(match parent {
                        Some(parent) if !vertex.ignore_cache => parent,
                        _ => at,
                    });
                }
            }
            Verdict::NotAsked => {}
        }
        debug_assert_eq!(self.first.len(), at, "vertices are explained in order");
        self.first.push(first);
        why
    }

    fn causes(
        &self,
        vertex: &Vertex,
        known: &Known<'_>,
        nearest: Option<&Arc<Record>>,
        parent: Option<usize>,
        frames: &[ComparedFrame],
    ) -> Vec<Cause> {
        if vertex.ignore_cache {
            return vec![Cause::NoCacheRequested];
        }
        if known.known {
            return vec![Cause::ResultGone];
        }
        let mut causes = Vec::new();
        if let Some(parent) = parent {
            causes.push(Cause::ParentMissed {
                first: parent,
                step: self.plan.vertices[parent].name.clone(),
            });
        }
        let Some(record) = nearest else {
            if causes.is_empty() {
                causes.push(Cause::NeverBuilt);
            }
            return causes;
        };
        causes.extend(own_causes(vertex, known, record, frames));
        if parent.is_some() {
            // A miss below explains that the step below is another one.
            causes.retain(|cause| !matches!(cause, Cause::ParentChanged { .. }));
        }
        if causes.is_empty() {
            causes.push(Cause::ResultGone);
        }
        causes
    }

    /// The earlier record that tells most: of the same operation, else of one on the same step
    /// below, else of the same step by number.
    fn nearest(&self, vertex: &Vertex, frames: &Frames) -> Option<&'a Arc<Record>> {
        if let Some(record) = self.cache.newest_of(vertex.key) {
            return Some(record);
        }
        let kind = vertex.text.split(' ').next().unwrap_or_default();
        let parent = |list: &[Frame]| {
            let frame = list.iter().find(|frame| frame.part == Part::Parent);
            frame.map(|frame| frame.value.clone())
        };
        let below = parent(frames.list());
        let number = vertex.number.map(|(number, _)| number);
        let newest = self.cache.records().rev().take(MAX_CANDIDATES);
        let alike: Vec<&Arc<Record>> = newest
            .filter(|record| {
                record.instruction.split(' ').next() == Some(kind) && record.stage == vertex.stage
            })
            .collect();
        let on_same = |record: &&&Arc<Record>| below.is_some() && parent(&record.frames) == below;
        let same_number = |record: &&&Arc<Record>| record.number == number;
        let distance = |record: &&&Arc<Record>| {
            let frames = compare(&record.frames, frames.list());
            frames.iter().filter(|frame| frame.differs).count()
        };
        let found = alike.iter().filter(on_same).min_by_key(distance);
        found.or_else(|| alike.iter().find(same_number)).copied()
    }
}

/// What differs in a key that is not the doing of a step below.
fn own_causes(
    vertex: &Vertex,
    known: &Known<'_>,
    record: &Record,
    frames: &[ComparedFrame],
) -> Vec<Cause> {
    let mut causes = Vec::new();
    let differing = || frames.iter().filter(|frame| frame.differs);
    if let (Op::Image(image), Some(frame)) = (
        &vertex.op,
        differing().find(|frame| frame.part == Part::Image),
    ) {
        causes.push(Cause::BaseChanged {
            name: image.name.clone(),
            old: frame.before.clone().unwrap_or_default(),
            new: frame.value.clone().unwrap_or_default(),
        });
    }
    let command = |list: &[Frame]| {
        let words: Vec<&str> = list
            .iter()
            .filter(|frame| frame.part == Part::Argument)
            .map(|frame| frame.value.as_str())
            .collect();
        words.join(" ")
    };
    let (old, new) = (command(&record.frames), command(known.frames.list()));
    if old != new {
        causes.push(Cause::CommandChanged { old, new });
    }
    let mut reordered = true;
    for frame in differing() {
        let (old, new) = (frame.before.clone(), frame.value.clone());
        let name = frame.name.clone();
        match frame.part {
            Part::Argument | Part::Image | Part::Operation => {}
            Part::Variable => causes.push(Cause::VariableChanged { name, old, new }),
            Part::Content => continue,
            Part::Parent => causes.push(Cause::ParentChanged {
                old: before_name(&record.frames),
                new: name,
            }),
            part => causes.push(Cause::OptionChanged {
                part,
                name,
                old,
                new,
            }),
        }
        reordered = false;
    }
    if differing().any(|frame| frame.part == Part::Content) {
        let files = match &vertex.op {
            Op::Http(_) => differing()
                .filter(|frame| frame.part == Part::Content)
                .map(|frame| FileChange {
                    path: frame.name.clone(),
                    old: frame.before.clone(),
                    new: frame.value.clone(),
                })
                .collect(),
            _ => changed_files(&record.contents, known.contents),
        };
        // What the step itself uses comes before what is below it.
        causes.insert(0, Cause::ContentChanged { files });
    } else if reordered && causes.is_empty() && record.op != vertex.key {
        causes.push(Cause::VariablesReordered);
    }
    causes
}

fn before_name(frames: &[Frame]) -> String {
    let frame = frames.iter().find(|frame| frame.part == Part::Parent);
    frame.map(|frame| frame.name.clone()).unwrap_or_default()
}

/// Two keys side by side. Frames belong together by part, name and how many of both came before;
/// of a parent the name does not count.
fn compare(old: &[Frame], new: &[Frame]) -> Vec<ComparedFrame> {
    let mut left: Vec<Option<&Frame>> = old.iter().map(Some).collect();
    let same =
        |a: &Frame, b: &Frame| a.part == b.part && (a.name == b.name || a.part == Part::Parent);
    let mut out = Vec::with_capacity(new.len());
    for frame in new {
        let found = left
            .iter_mut()
            .find(|other| other.is_some_and(|other| same(other, frame)))
            .and_then(Option::take);
        let differs = found.is_none_or(|found| found.value != frame.value);
        out.push(ComparedFrame {
            part: frame.part,
            name: frame.name.clone(),
            value: Some(frame.value.clone()),
            before: found.filter(|_| differs).map(|found| found.value.clone()),
            differs,
        });
    }
    out.extend(left.into_iter().flatten().map(|gone| ComparedFrame {
        part: gone.part,
        name: gone.name.clone(),
        value: None,
        before: Some(gone.value.clone()),
        differs: true,
    }));
    out
}

/// What of the contents differs, file by file.
fn changed_files(old: &[SeenContent], new: &[SeenContent]) -> Vec<FileChange> {
    let mut out = Vec::new();
    for new in new {
        let Some(old) = old.iter().find(|old| old.input == new.input) else {
            continue;
        };
        if new.selectors.is_empty() {
            compare_nodes(
                (&old.fs, Some(Fs::ROOT)),
                (&new.fs, Some(Fs::ROOT)),
                "",
                &mut out,
            );
        }
        for selector in &new.selectors {
            if selector.is_filtered() {
                compare_taken(&old.fs, &new.fs, selector, &mut out);
            } else {
                let find = |fs: &Fs| fs.follow(&selector.path).ok().map(|(_, ino)| ino);
                let path = selector.path.trim_start_matches('/');
                compare_nodes(
                    (&old.fs, find(&old.fs)),
                    (&new.fs, find(&new.fs)),
                    path,
                    &mut out,
                );
            }
        }
    }
    out.truncate(MAX_FILES);
    out
}

fn compare_taken(old: &Fs, new: &Fs, selector: &Selector, out: &mut Vec<FileChange>) {
    let list = |fs: &Fs| taken(fs, selector).unwrap_or_default();
    let (before, after) = (list(old), list(new));
    let find = |list: &[(String, Digest)], path: &str| {
        list.iter()
            .find(|(p, _)| p == path)
            .map(|(_, digest)| *digest)
    };
    let mut paths: Vec<&String> = before.iter().chain(&after).map(|(path, _)| path).collect();
    crate::order::sort(&mut paths);
    paths.dedup();
    for path in paths {
        let (a, b) = (find(&before, path), find(&after, path));
        if a == b || out.len() >= MAX_FILES {
            continue;
        }
        let node = |fs: &Fs, there: Option<Digest>| {
            let (_, ino) = fs.follow(path).ok().filter(|_| there.is_some())?;
            Some(fs.inode(ino).clone())
        };
        let (a, b) = (node(old, a), node(new, b));
        push_change(
            path.trim_start_matches('/'),
            a.as_deref(),
            b.as_deref(),
            out,
        );
    }
}

fn compare_nodes(
    (old, a): (&Fs, Option<Ino>),
    (new, b): (&Fs, Option<Ino>),
    path: &str,
    out: &mut Vec<FileChange>,
) {
    if out.len() >= MAX_FILES {
        return;
    }
    if let (Some(a), Some(b)) = (a, b)
        && crate::fs::node_digest(old, a) == crate::fs::node_digest(new, b)
    {
        return;
    }
    let (x, y) = (a.map(|a| old.inode(a)), b.map(|b| new.inode(b)));
    let entries = |inode: Option<&Arc<Inode>>| inode.and_then(|inode| inode.dir().cloned());
    let (below_x, below_y) = (entries(x), entries(y));
    if below_x.is_none() && below_y.is_none() {
        push_change(path, x.map(|x| &**x), y.map(|y| &**y), out);
        return;
    }
    if let (Some(x), Some(y)) = (x, y)
        && (x.is_dir() != y.is_dir() || !x.meta.same_but_time(&y.meta))
    {
        push_change(path, Some(x), Some(y), out);
    }
    let names = |dir: &Option<crate::fs::Dir>| {
        dir.iter()
            .flat_map(|dir| dir.keys().cloned())
            .collect::<Vec<_>>()
    };
    let mut all = names(&below_x);
    all.extend(names(&below_y));
    crate::order::sort(&mut all);
    all.dedup();
    if all.is_empty() {
        push_change(path, x.map(|x| &**x), y.map(|y| &**y), out);
    }
    for name in all {
        let child = |dir: &Option<crate::fs::Dir>| dir.as_ref()?.get(&name).copied();
        let (left, right) = (child(&below_x), child(&below_y));
        // What both share needs neither a name nor a digest.
        if let (Some(left), Some(right)) = (left, right)
            && Arc::ptr_eq(old.inode(left), new.inode(right))
        {
            continue;
        }
        let path = if path.is_empty() {
            name.to_string()
        } else {
            format!("{path}/{name}")
        };
        compare_nodes((old, left), (new, right), &path, out);
    }
}

fn push_change(path: &str, old: Option<&Inode>, new: Option<&Inode>, out: &mut Vec<FileChange>) {
    let same_kind = match (old, new) {
        (Some(a), Some(b)) => content(a) == content(b),
        _ => false,
    };
    let describe = |inode: &Inode| {
        if same_kind {
            access(inode)
        } else {
            content(inode)
        }
    };
    let change = FileChange {
        path: path.to_string(),
        old: old.map(describe),
        new: new.map(describe),
    };
    if change.old != change.new && !out.contains(&change) {
        out.push(change);
    }
}

fn content(inode: &Inode) -> String {
    match &inode.kind {
        Kind::File(content) => Digest(content.sha256()).to_string(),
        Kind::Dir(_) => "directory".into(),
        Kind::Symlink(target) => format!("→ {target}"),
        Kind::CharDevice(major, minor) | Kind::BlockDevice(major, minor) => {
            format!("device {major}:{minor}")
        }
        Kind::Fifo => "pipe".into(),
        Kind::Socket => "socket".into(),
    }
}

fn access(inode: &Inode) -> String {
    let meta = &inode.meta;
    format!("mode {:04o}, owner {}:{}", meta.mode, meta.uid, meta.gid)
}

fn not_in_key(op: &Op) -> Vec<NotInKey> {
    match op {
        Op::Run(run) => {
            let mut out = vec![NotInKey::Network, NotInKey::Clock, NotInKey::Metadata];
            let secret = |kind: &RunMountKind| matches!(kind, RunMountKind::Secret(_));
            if !run.secret_env.is_empty() || run.mounts.iter().any(|m| secret(&m.kind)) {
                out.push(NotInKey::SecretValues);
            }
            let cache = |kind: &RunMountKind| matches!(kind, RunMountKind::Cache { .. });
            if run.mounts.iter().any(|mount| cache(&mount.kind)) {
                out.push(NotInKey::CacheMounts);
            }
            if !run.proxy.is_empty() {
                out.push(NotInKey::Proxies);
            }
            out.push(NotInKey::Layout);
            out
        }
        Op::File(_) | Op::Http(_) => vec![
            NotInKey::FileTimes,
            NotInKey::Environment,
            NotInKey::Metadata,
            NotInKey::Layout,
        ],
        Op::Image(_) | Op::Context | Op::Merge => Vec::new(),
    }
}
