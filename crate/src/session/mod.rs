//! A session: requests in, replies out.
//!
//! In this room: which request does what, and what is kept between them. Not in this room: how
//! anything is built, compared or worded.

use crate::dockerfile;
use crate::dockerfile::instruction::parse_stages;
use crate::engine::{DOCKERFILE, Edit, History, Refusal, Saved, Typing, Workspace, blocks};
use crate::fs::{Fs, Kind, Time};
use crate::view::{
    ContextSummary, FileView, Prediction, Reply, Request, Row, State, TreeRef, text, tree,
};

/// What one page works with.
#[derive(Debug)]
pub struct Session {
    desk: Desk,
    history: History<Desk>,
    revision: u64,
}

/// What undo and redo go through. A clone costs O(1).
#[derive(Clone, Debug)]
struct Desk {
    workspace: Workspace,
    title: String,
    about: String,
}

/// When a session begins: 2026-01-05, a Monday, in the morning.
const BEGIN: Time = Time::from_secs(1_767_603_600);

impl Default for Session {
    fn default() -> Session {
        Session::new()
    }
}

impl Session {
    /// A session with an empty workspace.
    pub fn new() -> Session {
        Session {
            desk: Desk {
                workspace: Workspace::new(BEGIN),
                title: String::new(),
                about: String::new(),
            },
            history: History::default(),
            revision: 0,
        }
    }

    /// Takes a part of the catalog that [`Reply::Needs`] named.
    ///
    /// # Errors
    /// The bytes are not that part.
    pub fn supply(&mut self, name: &str, _bytes: &[u8]) -> Result<(), Refusal> {
        Err(Refusal::new(format!("The catalog has no part {name}.")))
    }

    /// Answers a request. A refused request changes nothing.
    pub fn handle(&mut self, request: Request) -> Reply {
        self.answer(request).unwrap_or_else(Reply::Refused)
    }

    fn answer(&mut self, request: Request) -> Result<Reply, Refusal> {
        match request {
            Request::OpenSaved { saved } => {
                let desk = Desk {
                    workspace: saved.workspace(BEGIN)?,
                    title: saved.title,
                    about: saved.about,
                };
                self.history = History::default();
                self.arrive(desk);
            }
            Request::Save => {
                let desk = &self.desk;
                let saved = Saved::of(&desk.workspace, &desk.title, &desk.about);
                return Ok(Reply::Saved(saved));
            }
            Request::Refresh => {}
            Request::Edit { edit } => self.edit(&edit)?,
            Request::Undo => match self.history.undo(self.desk.clone()) {
                Ok(desk) => self.arrive(desk),
                Err(_) => return Err(Refusal::new("There is nothing to undo.")),
            },
            Request::Redo => match self.history.redo(self.desk.clone()) {
                Ok(desk) => self.arrive(desk),
                Err(_) => return Err(Refusal::new("There is nothing to redo.")),
            },
            Request::List { tree, dir } => return self.list(tree, &dir).map(Reply::Rows),
            Request::Read { tree, path } => {
                return self
                    .read(tree, &path)
                    .map(|file| Reply::File(Box::new(file)));
            }
            _ => {
                return Err(Refusal::new("There is no build yet.").help("Build first."));
            }
        }
        Ok(Reply::State(Box::new(self.state())))
    }

    fn arrive(&mut self, desk: Desk) {
        self.desk = desk;
        self.revision += 1;
    }

    fn edit(&mut self, edit: &Edit) -> Result<(), Refusal> {
        let mut desk = self.desk.clone();
        desk.workspace.apply(edit)?;
        let typing = match edit {
            Edit::Dockerfile { text } => {
                let old = self.desk.workspace.dockerfile().unwrap_or_default();
                Typing::between(DOCKERFILE, old.as_bytes(), text.as_bytes())
            }
            Edit::Write { path, bytes, .. } => {
                let old = self.desk.workspace.files().find(path);
                old.and_then(|(_, inode)| inode.file())
                    .and_then(|old| Typing::between(path, old.bytes(), bytes))
            }
            _ => None,
        };
        self.history
            .record(self.desk.clone(), label(edit, &self.desk.workspace), typing);
        self.arrive(desk);
        Ok(())
    }

    fn state(&self) -> State {
        let text = self.desk.workspace.dockerfile().unwrap_or_default();
        let parsed = dockerfile::parse(&text);
        let file = parse_stages(&parsed.ast);
        let blocks = blocks::blocks(&text, &parsed.ast);
        let files = self.desk.workspace.files();
        State {
            revision: self.revision,
            title: self.desk.title.clone(),
            about: self.desk.about.clone(),
            try_first: None,
            undo: self.history.undo_label().map(String::from),
            redo: self.history.redo_label().map(String::from),
            instructions: text::instructions(&parsed.ast, &blocks, &file),
            diagnostics: text::diagnostics(&text, parsed.errors.iter().chain(&file.errors)),
            options: self.desk.workspace.options().clone(),
            context: summary(files),
            prediction: Prediction {
                revision: self.revision,
                ..Prediction::default()
            },
            build: None,
            history: Vec::new(),
            dockerfile: text.into_owned(),
        }
    }

    fn fs(&self, tree: TreeRef) -> Result<&Fs, Refusal> {
        match tree {
            TreeRef::Context => Ok(self.desk.workspace.files()),
            _ => Err(Refusal::new("There is no such build.")),
        }
    }

    fn list(&self, tree: TreeRef, dir: &str) -> Result<Vec<Row>, Refusal> {
        let fs = self.fs(tree)?;
        let (_, inode) = fs
            .find(dir)
            .ok_or_else(|| Refusal::new(format!("There is no {dir} here.")))?;
        let entries = inode
            .dir()
            .ok_or_else(|| Refusal::new(format!("{dir} is no directory.")))?;
        let path = |name: &str| match dir {
            "" => name.to_string(),
            dir => format!("{dir}/{name}"),
        };
        Ok(entries
            .iter()
            .map(|(name, ino)| tree::row(fs, path(name), *ino))
            .collect())
    }

    fn read(&self, tree: TreeRef, path: &str) -> Result<FileView, Refusal> {
        let fs = self.fs(tree)?;
        let (ino, inode) = fs
            .find(path)
            .ok_or_else(|| Refusal::new(format!("There is no {path} here.")))?;
        let content = inode.file();
        Ok(FileView {
            row: tree::row(fs, path.to_string(), ino),
            text: content
                .filter(|content| content.bytes().len() <= FileView::MAX_TEXT)
                .and_then(|content| String::from_utf8(content.bytes().to_vec()).ok()),
            sha256: content.map(|content| hex(&content.sha256())),
            versions: Vec::new(),
        })
    }
}

fn summary(files: &Fs) -> ContextSummary {
    let mut summary = ContextSummary::default();
    for entry in files.walk(Fs::ROOT) {
        if matches!(entry.inode.kind, Kind::File(_) | Kind::Symlink(_)) {
            summary.files += 1;
            summary.sent += 1;
            summary.sent_bytes += entry.inode.size();
        }
    }
    summary
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an edit is called where it can be undone.
fn label(edit: &Edit, before: &Workspace) -> String {
    match edit {
        Edit::Dockerfile { .. } => "edit Dockerfile".into(),
        Edit::Move { from, .. } => {
            let text = before.dockerfile().unwrap_or_default();
            let parsed = dockerfile::parse(&text);
            match parsed.ast.nodes.get(*from) {
                Some(node) => format!("move {}", text::one_line(node)),
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
    }
}
