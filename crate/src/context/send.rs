//! What of the context is sent to the builder (fsutil's filter).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::glob::{glob, has_wildcards};
use super::pattern::{Match, ParentMatches, PatternError, Patterns, clean};
use crate::fs::{Fs, Ino, Inode, Name, base_name};

/// The paths that a build asks for do not parse as patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    /// The patterns asked for.
    pub patterns: Vec<String>,
    /// What is wrong with them.
    pub error: PatternError,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.patterns.join(" ");
        write!(f, "invalid includepatterns: [{list}]: {}", self.error)
    }
}

impl std::error::Error for SendError {}

/// Cuts a context down to what a build needs of it, and remembers how: the next call with the
/// same patterns costs what has changed in the files since.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    filter: Filter,
    last: Option<Arc<Sent>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    include: Option<Patterns>,
    exclude: Option<Patterns>,
}

/// A directory and what of it is sent.
#[derive(Debug)]
struct Sent {
    ino: Ino,
    source: Arc<Inode>,
    /// What is sent in its place: `source` itself, where all below it is sent.
    inode: Arc<Inode>,
    /// Whether it is sent: for itself, or for something in it.
    present: bool,
    /// All its directories.
    dirs: BTreeMap<Name, Arc<Sent>>,
    answers: Answers,
}

/// What the two lists of patterns say of a path.
#[derive(Clone, Debug, Default)]
struct Answers {
    include: Option<(Match, ParentMatches)>,
    exclude: Option<(Match, ParentMatches)>,
}

impl Answers {
    fn included(&self) -> bool {
        self.include
            .as_ref()
            .is_none_or(|(answer, _)| answer.matched)
    }

    fn excluded(&self) -> bool {
        self.exclude
            .as_ref()
            .is_some_and(|(answer, _)| answer.matched)
    }

    /// Whether the path is sent for itself.
    fn wanted(&self) -> bool {
        self.included() && !self.excluded()
    }
}

impl Sender {
    /// The files of `context` without those that `ignore` matches; of these, if there are `paths`,
    /// those that one of them leads to, following symbolic links. (BuildKit asks for the sources
    /// of the COPY and ADD instructions that it needs.) A directory is sent if it is not ignored
    /// itself or if anything in it is sent.
    ///
    /// The inodes keep their numbers; those that are not sent have no name.
    ///
    /// # Errors
    /// A path that does not parse as a pattern.
    pub fn send<T: AsRef<str>>(
        &mut self,
        context: &Fs,
        ignore: &Patterns,
        paths: &[T],
    ) -> Result<Fs, SendError> {
        let patterns = follow_links(context, paths);
        let include = match Patterns::new(&patterns) {
            Ok(include) => include,
            Err(error) => return Err(SendError { patterns, error }),
        };
        let filter = Filter {
            include: (!include.is_empty()).then_some(include),
            exclude: (!ignore.is_empty()).then(|| ignore.clone()),
        };
        if filter != self.filter {
            self.filter = filter;
            self.last = None;
        }
        if self.filter == Filter::default() {
            return Ok(context.clone());
        }
        let top = match &self.last {
            Some(last) if last.is_of(context, Fs::ROOT) => last.clone(),
            last => {
                let root = Answers::default();
                let filter = &self.filter;
                filter.dir(context, "", Fs::ROOT, root, last.as_ref())
            }
        };
        let mut changed = Vec::new();
        top.changed(&mut changed);
        self.last = Some(top);
        Ok(context.with_dirs(changed))
    }
}

impl Filter {
    /// What of the directory at `path` is sent, given the answers for it, and what was sent of the
    /// one at the same path before.
    fn dir(
        &self,
        fs: &Fs,
        path: &str,
        ino: Ino,
        answers: Answers,
        before: Option<&Arc<Sent>>,
    ) -> Arc<Sent> {
        let source = fs.inode(ino);
        let wanted = answers.wanted();
        let mut sent = Sent {
            ino,
            source: source.clone(),
            inode: source.clone(),
            present: wanted,
            dirs: BTreeMap::new(),
            answers,
        };
        let entries = source
            .dir()
            .filter(|_| wanted || self.worth_a_look(path, &sent.answers));
        let Some(entries) = entries else {
            return Arc::new(sent);
        };
        let mut kept = BTreeMap::new();
        let mut same = true;
        for (name, &ino) in entries.iter() {
            let path = match path {
                "" => name.to_string(),
                path => format!("{path}/{name}"),
            };
            // Patterns look at names only: what they answered for a name holds for whatever has
            // it now, a directory or a file.
            let present = if fs.inode(ino).is_dir() {
                let before = before.and_then(|before| before.dirs.get(name));
                let below = match before {
                    Some(before) if before.is_of(fs, ino) => before.clone(),
                    Some(before) => {
                        let answers = before.answers.clone();
                        self.dir(fs, &path, ino, answers, Some(before))
                    }
                    None => self.dir(fs, &path, ino, self.ask(&path, &sent), None),
                };
                same &= Arc::ptr_eq(&below.source, &below.inode);
                let present = below.present;
                sent.dirs.insert(name.clone(), below);
                present
            } else {
                match before.and_then(|before| before.file(name)) {
                    Some(present) => present,
                    None => self.ask(&path, &sent).wanted(),
                }
            };
            if present {
                kept.insert(name.clone(), ino);
            } else {
                same = false;
            }
        }
        sent.present |= !kept.is_empty();
        if !same {
            sent.inode = Arc::new(source.with_entries(kept));
        }
        Arc::new(sent)
    }

    /// The answers for a path in directory `above`.
    fn ask(&self, path: &str, above: &Sent) -> Answers {
        let ask = |patterns: &Option<Patterns>, above: &Option<(Match, ParentMatches)>| {
            let above = above.as_ref().map(|(_, matches)| matches);
            patterns
                .as_ref()
                .map(|patterns| patterns.matches_below(path, above))
        };
        Answers {
            include: ask(&self.include, &above.answers.include),
            exclude: ask(&self.exclude, &above.answers.exclude),
        }
    }

    /// Whether anything below a directory that is not sent for itself may be sent.
    fn worth_a_look(&self, path: &str, answers: &Answers) -> bool {
        let may = |patterns: &Option<Patterns>, exclusion| {
            patterns
                .as_ref()
                .is_none_or(|patterns| patterns.may_match_below(path, exclusion))
        };
        (answers.included() || may(&self.include, false))
            && (!answers.excluded() || may(&self.exclude, true))
    }
}

impl Sent {
    /// Whether it is what is now the directory `ino`, with everything below.
    fn is_of(&self, fs: &Fs, ino: Ino) -> bool {
        self.ino == ino && Arc::ptr_eq(&self.source, fs.inode(ino))
    }

    /// Whether the file `name` was sent, if there was a file of that name.
    fn file(&self, name: &Name) -> Option<bool> {
        let known = self.source.dir()?.contains_key(name) && !self.dirs.contains_key(name);
        known.then(|| self.inode.dir().is_some_and(|sent| sent.contains_key(name)))
    }

    /// The directories that are sent otherwise than they are.
    fn changed(&self, out: &mut Vec<(Ino, Arc<Inode>)>) {
        if Arc::ptr_eq(&self.source, &self.inode) {
            return;
        }
        out.push((self.ino, self.inode.clone()));
        for dir in self.dirs.values().filter(|dir| dir.present) {
            dir.changed(out);
        }
    }
}

/// The patterns for all that `paths` lead to: each path, and the targets of the symbolic links on
/// its way. Empty if that is everything.
fn follow_links<T: AsRef<str>>(fs: &Fs, paths: &[T]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for path in paths {
        follow(fs, clean(path.as_ref().trim_start_matches('/')), &mut found);
    }
    if found.contains(".") {
        return Vec::new();
    }
    let mut out: Vec<String> = Vec::new();
    for path in found {
        let covered = out.last().is_some_and(|last| {
            path.strip_prefix(last.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        });
        if !covered {
            out.push(path);
        }
    }
    out
}

fn follow(fs: &Fs, path: String, found: &mut BTreeSet<String>) {
    let mut at = String::new();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        if !at.is_empty() {
            at.push('/');
        }
        at.push_str(part);
        let targets = link_targets(fs, &at, true);
        if targets.is_empty() && parts.peek().is_some() {
            continue;
        }
        if !found.insert(at.clone()) {
            return;
        }
        let rest: Vec<&str> = parts.collect();
        for target in targets {
            let whole = clean(&format!("{target}/{}", rest.join("/")));
            follow(fs, clean(whole.trim_start_matches('/')), found);
        }
        return;
    }
}

/// Where the symbolic link at `path` leads (absolute), or all those that the last component
/// matches.
fn link_targets(fs: &Fs, path: &str, wildcards: bool) -> Vec<String> {
    let name = base_name(path);
    let dir = path[..path.len() - name.len()].trim_end_matches('/');
    if wildcards && has_wildcards(name) {
        let Some(entries) = fs.find(dir).and_then(|(_, inode)| inode.dir()) else {
            return Vec::new();
        };
        return entries
            .keys()
            .filter(|entry| glob(name, entry) == Ok(true))
            .flat_map(|entry| link_targets(fs, &format!("{dir}/{entry}"), false))
            .collect();
    }
    match fs.find(path).and_then(|(_, inode)| inode.link_target()) {
        None => Vec::new(),
        Some(target) if target.starts_with('/') => vec![clean(target)],
        Some(target) => vec![clean(&format!("/{dir}/{target}"))],
    }
}
