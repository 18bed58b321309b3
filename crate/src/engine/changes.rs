//! What lies between two workspaces.

use std::sync::Arc;

use crate::dockerfile;
use crate::dockerfile::node::Node;
use crate::fs::{Fs, Ino, node_digest};

use super::Workspace;
use super::workspace::DOCKERFILE;

/// At most so many paths are listed.
const MAX_PATHS: usize = 200;

/// The paths of files whose content, mode or type differs, in byte order, at most 200. Of two
/// stages of one context what is shared is not looked into.
pub fn changed_paths(old: &Fs, new: &Fs) -> Vec<String> {
    let mut out = Vec::new();
    compare((old, Some(Fs::ROOT)), (new, Some(Fs::ROOT)), "", &mut out);
    out
}

fn compare(old: (&Fs, Option<Ino>), new: (&Fs, Option<Ino>), path: &str, out: &mut Vec<String>) {
    if out.len() >= MAX_PATHS {
        return;
    }
    let inode = |(fs, ino): (&Fs, Option<Ino>)| ino.map(|ino| fs.inode(ino).clone());
    let (a, b) = (inode(old), inode(new));
    if let (Some(a), Some(b), Some(old_ino), Some(new_ino)) = (&a, &b, old.1, new.1)
        && (Arc::ptr_eq(a, b) || node_digest(old.0, old_ino) == node_digest(new.0, new_ino))
    {
        return;
    }
    let dir = |inode: Option<Arc<crate::fs::Inode>>| inode.and_then(|inode| inode.dir().cloned());
    let is_file =
        |inode: &Option<Arc<crate::fs::Inode>>| inode.as_ref().is_some_and(|inode| !inode.is_dir());
    let file = is_file(&a) || is_file(&b);
    let (x, y) = (dir(a), dir(b));
    let empty = |dir: &Option<crate::fs::Dir>| dir.as_ref().is_none_or(|dir| dir.is_empty());
    if !path.is_empty() && (file || (empty(&x) && empty(&y))) {
        out.push(path.to_string());
    }
    let mut names: Vec<_> = x
        .iter()
        .chain(&y)
        .flat_map(|dir| dir.keys().cloned())
        .collect();
    crate::order::sort(&mut names);
    names.dedup();
    for name in names {
        let child = |dir: &Option<crate::fs::Dir>| dir.as_ref()?.get(&name).copied();
        let (left, right) = (child(&x), child(&y));
        if let (Some(left), Some(right)) = (left, right)
            && Arc::ptr_eq(old.0.inode(left), new.0.inode(right))
        {
            continue;
        }
        let path = match path {
            "" => name.to_string(),
            path => format!("{path}/{name}"),
        };
        compare((old.0, left), (new.0, right), &path, out);
    }
}

/// In few words what leads from one workspace to the other: `src/app.js changed`,
/// `COPY . . moved below RUN npm ci`.
pub fn describe(old: &Workspace, new: &Workspace) -> String {
    let mut parts = Vec::new();
    let (before, after) = (old.dockerfile(), new.dockerfile());
    if before != after {
        parts.push(match (before, after) {
            (Some(before), Some(after)) => text_change(&before, &after),
            (None, _) => "a Dockerfile was made".to_string(),
            (_, None) => "the Dockerfile was deleted".to_string(),
        });
    }
    let (a, b) = (old.files(), new.files());
    let paths: Vec<String> = changed_paths(a, b)
        .into_iter()
        .filter(|path| path != DOCKERFILE)
        .collect();
    let what = |path: &str| match (a.find(path), b.find(path)) {
        (None, _) => format!("{path} is new"),
        (_, None) => format!("{path} is gone"),
        _ => format!("{path} changed"),
    };
    match paths.as_slice() {
        [] => {}
        [one] => parts.push(what(one)),
        [first, rest @ ..] => parts.push(format!("{first} and {} more changed", rest.len())),
    }
    if old.options() != new.options() {
        parts.push("other options".to_string());
    }
    const DAY: i64 = 86_400;
    match (new.now().secs() - old.now().secs()) / DAY {
        ..=0 => {}
        1 => parts.push("a day passed".to_string()),
        days => parts.push(format!("{days} days passed")),
    }
    if parts.is_empty() {
        let same = old.same_as(new);
        return if same {
            "nothing changed"
        } else {
            "only times changed"
        }
        .to_string();
    }
    parts.join(", ")
}

fn text_change(before: &str, after: &str) -> String {
    let (a, b) = (dockerfile::parse(before), dockerfile::parse(after));
    let (a, b) = (&a.ast.nodes, &b.ast.nodes);
    let word = |node: &Node| one_line(node);
    let (old, new): (Vec<String>, Vec<String>) =
        (a.iter().map(word).collect(), b.iter().map(word).collect());
    if old == new {
        return "the layout of the Dockerfile changed".to_string();
    }
    if let Some((from, to)) = single_move(&old, &new) {
        return match to.checked_sub(1).map(|above| &new[above]) {
            Some(above) if to > from => format!("{} moved below {}", short(&new[to]), short(above)),
            _ => match new.get(to + 1) {
                Some(below) => format!("{} moved above {}", short(&new[to]), short(below)),
                None => format!("{} moved", short(&new[to])),
            },
        };
    }
    let gone: Vec<&String> = old.iter().filter(|line| !new.contains(line)).collect();
    let come: Vec<&String> = new.iter().filter(|line| !old.contains(line)).collect();
    match (gone.as_slice(), come.as_slice()) {
        ([], [one]) => format!("{} was added", short(one)),
        ([one], []) => format!("{} was removed", short(one)),
        ([_], [one]) => format!("{} changed", short(one)),
        _ => "the Dockerfile changed".to_string(),
    }
}

/// The old and the new index, if one item alone changed its place.
fn single_move(old: &[String], new: &[String]) -> Option<(usize, usize)> {
    if old.len() != new.len() {
        return None;
    }
    let first = old.iter().zip(new).position(|(a, b)| a != b)?;
    let last = old.iter().zip(new).rposition(|(a, b)| a != b)?;
    let try_move = |from: usize, to: usize| {
        let mut items = old.to_vec();
        let item = items.remove(from);
        items.insert(to, item);
        (items == new).then_some((from, to))
    };
    // A swap of neighbours reads as the upper one moving down.
    try_move(first, last).or_else(|| try_move(last, first))
}

/// At most 40 characters.
fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    }
}

/// The instruction with its keyword in capitals and single blanks between the parts.
pub fn one_line(node: &Node) -> String {
    let original = node.original.trim();
    let rest = original.get(node.name.text.len()..).unwrap_or_default();
    let words: Vec<&str> = rest.split_whitespace().collect();
    format!("{} {}", node.name.text.to_uppercase(), words.join(" "))
        .trim_end()
        .to_string()
}
