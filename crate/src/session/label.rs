//! What an edit is called where it can be undone.

use crate::dockerfile;
use crate::engine::changes::one_line;
use crate::engine::{Edit, Workspace};

/// In few words: `edit src/app.js`. `before` is the workspace that it is made in.
pub fn of(edit: &Edit, before: &Workspace) -> String {
    match edit {
        Edit::Dockerfile { .. } => "edit Dockerfile".into(),
        Edit::Move { from, .. } => {
            let text = before.dockerfile().unwrap_or_default();
            let parsed = dockerfile::parse(&text);
            match parsed.ast.nodes.get(*from) {
                Some(node) => format!("move {}", one_line(node)),
                None => "move".into(),
            }
        }
        Edit::Write { path, .. } if before.files().find(path).is_none() => format!("new {path}"),
        Edit::Write { path, .. } | Edit::Nudge { path } => format!("edit {path}"),
        Edit::Upload { files } => match files.as_slice() {
            [file] => format!("upload {}", file.path),
            files => format!("upload {} files", files.len()),
        },
        Edit::Mkdir { path } | Edit::Symlink { path, .. } => format!("new {path}"),
        Edit::Delete { path } => format!("delete {path}"),
        Edit::Rename { from, to } => format!("rename {from} to {to}"),
        Edit::Chmod { path, mode } => format!("chmod {mode:o} {path}"),
        Edit::Touch { path } => format!("touch {path}"),
        Edit::Options { .. } => "change of options".into(),
        Edit::Advance { days: 1 } => "advance a day".into(),
        Edit::Advance { days } => format!("advance {days} days"),
        Edit::ClearCache => "clear the cache".into(),
        Edit::Machine { name } if name.is_empty() => "go back to the first machine".into(),
        Edit::Machine { name } => format!("go to machine {name}"),
    }
}
