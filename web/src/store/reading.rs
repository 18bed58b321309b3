//! Reading: trees, files and builds, beside what changes something.

use std::rc::Rc;

use layerwise::view::{Request, TreeRef};
use wasm_bindgen_futures::spawn_local;

use super::words::{failed, refused};
use super::{Action, Dock, Pane, Store};
use crate::client::{Answer, Fault};

impl Store {
    /// Sets two builds side by side.
    pub fn compare_builds(&self, before: u32, after: u32) {
        let store = self.clone();
        spawn_local(async move {
            match store.read(Request::Compare { before, after }).await {
                Some(Answer::Comparison(comparison)) => {
                    store.dispatch(Action::Comparison(comparison.into()));
                    store.show(Pane::Dock(Dock::Compare));
                }
                Some(Answer::Refused(refusal)) => store.tell(refused(refusal)),
                _ => {}
            }
        });
    }

    /// Asks for a directory of a tree, unless it is there or on its way.
    pub fn list(&self, tree: TreeRef, dir: &str) {
        if self.inner.asked.borrow_mut().insert((tree, dir.to_owned())) {
            self.list_again(tree, dir.to_owned());
        }
    }

    fn list_again(&self, tree: TreeRef, dir: String) {
        let (store, image) = (self.clone(), self.inner.image.get());
        spawn_local(async move {
            let request = Request::List {
                tree,
                dir: dir.clone(),
            };
            let reply = store.read(request).await;
            if store.is_past(tree, image) {
                return;
            }
            let rows = match reply {
                Some(Answer::Rows(rows)) => rows,
                _ => {
                    store.inner.asked.borrow_mut().remove(&(tree, dir.clone()));
                    Vec::new()
                }
            };
            store.dispatch(Action::Branch(tree, dir, rows.into()));
        });
    }

    /// Opens a file of the context in the editor.
    pub fn open(&self, path: String) {
        *self.inner.open.borrow_mut() = Some(path.clone());
        self.read_file(TreeRef::Context, path.clone());
        self.dispatch(Action::Open(path));
    }

    /// Opens a file of the context that is being made.
    pub fn open_new(&self, path: String) {
        *self.inner.open.borrow_mut() = Some(path.clone());
        self.dispatch(Action::Open(path));
    }

    /// Goes to a line of the Dockerfile.
    pub fn go_to(&self, line: u32) {
        *self.inner.open.borrow_mut() = None;
        self.dispatch(Action::GoTo(line));
    }

    /// Shows the Dockerfile, or an open file.
    pub fn tab(&self, tab: Option<String>) {
        (*self.inner.open.borrow_mut()).clone_from(&tab);
        if let Some(path) = &tab {
            self.read_file(TreeRef::Context, path.clone());
        }
        self.dispatch(Action::Tab(tab));
    }

    /// Closes a file.
    pub fn close(&self, path: String) {
        let mut open = self.inner.open.borrow_mut();
        if open.as_ref() == Some(&path) {
            *open = None;
        }
        self.dispatch(Action::Close(path));
    }

    /// Looks into a file of an image, or no more.
    pub fn peek(&self, file: Option<(TreeRef, String)>) {
        if let Some((tree, path)) = &file {
            self.read_file(*tree, path.clone());
        }
        self.dispatch(Action::Peek(file));
    }

    fn read_file(&self, tree: TreeRef, path: String) {
        let (store, image) = (self.clone(), self.inner.image.get());
        spawn_local(async move {
            let request = Request::Read {
                tree,
                path: path.clone(),
            };
            match store.read(request).await {
                // A late answer about an older image is of no use.
                Some(Answer::File(_)) if store.is_past(tree, image) => {}
                Some(Answer::File(file)) => {
                    store.dispatch(Action::File(tree, path, Rc::new(*file)));
                }
                // It is gone from the context: so is its tab.
                Some(Answer::Refused(_)) if tree == TreeRef::Context => store.close(path),
                Some(Answer::Refused(refusal)) => store.tell(refused(refusal)),
                _ => {}
            }
        });
    }

    /// Asks something that changes nothing.
    async fn read(&self, request: Request) -> Option<Answer> {
        match self.inner.client.ask(&request.into()).await {
            Ok(reply) => Some(reply),
            Err(Fault::Failed(message)) => {
                self.tell(failed(message));
                None
            }
            // With nothing under way, nobody else would notice.
            Err(Fault::Crashed(reason)) => {
                if !self.inner.busy.get() && self.inner.state.borrow().is_some() {
                    self.inner.busy.set(true);
                    self.recover(None, reason).await;
                    self.work_off().await;
                }
                None
            }
        }
    }

    /// Asks again for what is shown of the context.
    pub(super) fn refresh_files(&self) {
        let known = self.inner.asked.borrow().clone();
        for (tree, dir) in known {
            if tree == TreeRef::Context {
                self.list_again(tree, dir);
            }
        }
        let open = self.inner.open.borrow().clone();
        if let Some(path) = open {
            self.read_file(TreeRef::Context, path);
        }
    }

    /// Whether a tree is of an image that is not shown any more.
    fn is_past(&self, tree: TreeRef, image: u64) -> bool {
        tree != TreeRef::Context && self.inner.image.get() != image
    }
}
