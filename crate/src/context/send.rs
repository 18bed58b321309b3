//! What of the context is sent to the builder (fsutil's filter).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::glob::{glob, has_wildcards};
use super::pattern::{ParentMatches, PatternError, Patterns, clean};
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
    /// Whether it is sent for itself.
    wanted: bool,
    /// All its directories that were looked into.
    dirs: BTreeMap<Name, Arc<Sent>>,
    include: Option<ParentMatches>,
    exclude: Option<ParentMatches>,
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
        let top = self.filter.dir(
            context,
            Place {
                path: "",
                ino: Fs::ROOT,
                above: None,
            },
            self.last.as_ref(),
        );
        let mut changed = Vec::new();
        top.changed(&mut changed);
        self.last = Some(top);
        Ok(context.with_dirs(changed))
    }
}

struct Place<'a> {
    path: &'a str,
    ino: Ino,
    above: Option<(&'a Option<ParentMatches>, &'a Option<ParentMatches>)>,
}

impl Filter {
    /// What of a directory is sent, given what was sent of the directory at the same path before.
    fn dir(&self, fs: &Fs, place: Place<'_>, before: Option<&Arc<Sent>>) -> Arc<Sent> {
        let source = fs.inode(place.ino);
        if let Some(before) = before
            && before.ino == place.ino
            && Arc::ptr_eq(&before.source, source)
        {
            return before.clone();
        }
        let root = place.path.is_empty();
        let (wanted, include, exclude) = match before {
            // Patterns look at names only.
            Some(before) => (
                before.wanted,
                before.include.clone(),
                before.exclude.clone(),
            ),
            None if root => (true, None, None),
            None => self.wants(&place),
        };
        let mut sent = Sent {
            ino: place.ino,
            source: source.clone(),
            inode: source.clone(),
            present: wanted,
            wanted,
            dirs: BTreeMap::new(),
            include,
            exclude,
        };
        let entries = source.dir().map(|dir| dir.as_ref());
        let Some(entries) = entries.filter(|_| wanted || self.worth_a_look(&place, &sent)) else {
            return Arc::new(sent);
        };
        let known = before.map(|before| (before.source.dir(), before.inode.dir()));
        let mut kept = BTreeMap::new();
        let mut same = true;
        for (name, &ino) in entries {
            let mut path = String::with_capacity(place.path.len() + 1 + name.len());
            if !root {
                path.push_str(place.path);
                path.push('/');
            }
            path.push_str(name);
            let place = Place {
                path: &path,
                ino,
                above: (!root).then_some((&sent.include, &sent.exclude)),
            };
            if fs.inode(ino).is_dir() {
                let before = before.and_then(|before| before.dirs.get(name));
                let below = self.dir(fs, place, before);
                same &= below.present && Arc::ptr_eq(&below.source, &below.inode);
                if below.present {
                    kept.insert(name.clone(), ino);
                }
                sent.dirs.insert(name.clone(), below);
                continue;
            }
            let was = match &known {
                Some((Some(source), Some(inode))) if !self.was_dir(before, name) => {
                    source.contains_key(name).then(|| inode.contains_key(name))
                }
                _ => None,
            };
            if was.unwrap_or_else(|| self.wants(&place).0) {
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

    fn was_dir(&self, before: Option<&Arc<Sent>>, name: &Name) -> bool {
        before.is_some_and(|before| before.dirs.contains_key(name))
    }

    fn wants(&self, place: &Place<'_>) -> (bool, Option<ParentMatches>, Option<ParentMatches>) {
        let ask = |patterns: &Option<Patterns>, above: Option<&Option<ParentMatches>>| {
            patterns
                .as_ref()
                .map(|patterns| patterns.matches_below(place.path, above.and_then(Option::as_ref)))
        };
        let include = ask(&self.include, place.above.map(|above| above.0));
        let exclude = ask(&self.exclude, place.above.map(|above| above.1));
        let wanted = include.as_ref().is_none_or(|(answer, _)| answer.matched)
            && !exclude.as_ref().is_some_and(|(answer, _)| answer.matched);
        (
            wanted,
            include.map(|(_, matches)| matches),
            exclude.map(|(_, matches)| matches),
        )
    }

    /// Whether anything below a directory that is not sent for itself may be sent.
    fn worth_a_look(&self, place: &Place<'_>, sent: &Sent) -> bool {
        let (_, include, exclude) = (sent.wanted, &sent.include, &sent.exclude);
        let _ = (include, exclude);
        let above = place.above;
        let answer = |patterns: &Patterns, above: Option<&Option<ParentMatches>>| {
            patterns
                .matches_below(place.path, above.and_then(Option::as_ref))
                .0
                .matched
        };
        if let Some(include) = &self.include
            && !answer(include, above.map(|above| above.0))
            && !include.may_match_below(place.path, false)
        {
            return false;
        }
        if let Some(exclude) = &self.exclude
            && answer(exclude, above.map(|above| above.1))
            && !exclude.may_match_below(place.path, true)
        {
            return false;
        }
        true
    }
}

impl Sent {
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
