//! What is to be asked of the engine, in order.

use std::collections::VecDeque;

use layerwise::view::{ArchiveFormat, Edit, Request};

use super::{Against, Job};
use crate::client::{Question, Session};

/// A request that goes in order.
#[derive(Clone, Debug)]
pub enum Work {
    /// Opens a play.
    OpenPlay(String),
    /// Opens a saved session.
    OpenSaved(Session),
    /// Changes the workspace.
    Edit(Edit),
    /// Takes another order over: what it does, and the whole Dockerfile.
    Order(String, String),
    /// Takes a step back.
    Undo,
    /// Takes an undo back.
    Redo,
    /// Builds.
    Build,
    /// Finds out the seconds of the next build.
    Forecast,
    /// Compares orders, the present one with another.
    Matrix(Option<String>, Against),
    /// Looks for better orders.
    Suggest,
    /// Writes a build's image as an archive.
    Export(u32, ArchiveFormat),
    /// Saves the session.
    Save,
}

impl Work {
    /// What the engine is asked.
    pub fn question(&self) -> Question {
        let request = match self.clone() {
            Work::OpenSaved(session) => return Question::Open(session),
            Work::OpenPlay(source) => Request::OpenPlay { source },
            Work::Edit(edit) => Request::Edit { edit },
            Work::Order(_, text) => Request::Edit {
                edit: Edit::Dockerfile { text },
            },
            Work::Undo => Request::Undo,
            Work::Redo => Request::Redo,
            Work::Build => Request::Build,
            Work::Forecast => Request::Forecast,
            Work::Matrix(other, _) => Request::Matrix { other },
            Work::Suggest => Request::Suggest,
            Work::Export(build, format) => Request::Export { build, format },
            Work::Save => Request::Save,
        };
        request.into()
    }

    /// What the user sees of it while it runs; nothing of what is done at once.
    pub fn job(&self) -> Option<Job> {
        match self {
            Work::OpenPlay(_) | Work::OpenSaved(_) => Some(Job::Open),
            Work::Build => Some(Job::Build),
            Work::Forecast => Some(Job::Forecast),
            Work::Matrix(..) => Some(Job::Matrix),
            Work::Suggest => Some(Job::Suggest),
            Work::Export(..) => Some(Job::Export),
            Work::Edit(_) | Work::Order(..) | Work::Undo | Work::Redo | Work::Save => None,
        }
    }

    /// Whether the user did not ask for it.
    pub fn is_quiet(&self) -> bool {
        self.job().is_some_and(Job::is_quiet)
    }

    /// Whether `later` makes it needless.
    fn is_outdone_by(&self, later: &Work) -> bool {
        match (self, later) {
            (Work::Edit(Edit::Dockerfile { .. }), Work::Edit(Edit::Dockerfile { .. })) => true,
            (
                Work::Edit(Edit::Write { path: earlier, .. }),
                Work::Edit(Edit::Write { path: later, .. }),
            ) => earlier == later,
            _ => false,
        }
    }
}

/// Work that waits.
#[derive(Debug, Default)]
pub struct Queue {
    works: VecDeque<Work>,
}

impl Queue {
    /// Puts work at the end.
    pub fn push(&mut self, work: Work) {
        // What nobody asked for is of no use once something changes, and once is enough.
        match work {
            Work::Save => self.works.retain(|work| !matches!(work, Work::Save)),
            Work::Forecast => self.works.retain(|work| !matches!(work, Work::Forecast)),
            Work::Matrix(..) => self.works.retain(|work| !matches!(work, Work::Matrix(..))),
            Work::Export(..) => {}
            _ => self.works.retain(|work| !work.is_quiet()),
        }
        if self
            .works
            .back()
            .is_some_and(|last| last.is_outdone_by(&work))
        {
            self.works.pop_back();
        }
        self.works.push_back(work);
    }

    /// Puts work at the beginning.
    pub fn push_front(&mut self, work: Work) {
        self.works.push_front(work);
    }

    /// Takes what is next.
    pub fn pop(&mut self) -> Option<Work> {
        self.works.pop_front()
    }

    /// Whether an instruction waits to be moved.
    pub fn has_move(&self) -> bool {
        self.works
            .iter()
            .any(|work| matches!(work, Work::Edit(Edit::Move { .. })))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.works.clear();
    }

    /// Whether a new text of the Dockerfile waits.
    pub fn has_dockerfile(&self) -> bool {
        self.works
            .iter()
            .any(|work| matches!(work, Work::Edit(Edit::Dockerfile { .. })))
    }

    /// The files of which a new text waits.
    pub fn files(&self) -> Vec<String> {
        self.works
            .iter()
            .filter_map(|work| match work {
                Work::Edit(Edit::Write { path, .. }) => Some(path.clone()),
                _ => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Work {
        Work::Edit(Edit::Dockerfile { text: text.into() })
    }

    fn names(mut queue: Queue) -> Vec<String> {
        std::iter::from_fn(|| queue.pop())
            .map(|work| format!("{:?}", work.question()))
            .collect()
    }

    #[test]
    fn the_last_text_of_a_file_is_enough() {
        let mut queue = Queue::default();
        queue.push(typed("F"));
        queue.push(typed("FR"));
        assert!(queue.has_dockerfile());
        queue.push(Work::Edit(Edit::Write {
            path: "a".into(),
            bytes: vec![1],
            mode: None,
        }));
        queue.push(Work::Edit(Edit::Write {
            path: "a".into(),
            bytes: vec![2],
            mode: None,
        }));
        assert_eq!(queue.files(), ["a"]);
        let names = names(queue);
        assert_eq!(names.len(), 2);
        assert!(names[0].contains("\"FR\"") && names[1].contains("[2]"));
    }

    #[test]
    fn a_move_between_two_texts_keeps_both() {
        let mut queue = Queue::default();
        queue.push(typed("F"));
        queue.push(Work::Edit(Edit::Move { from: 1, to: 2 }));
        queue.push(typed("FR"));
        assert_eq!(names(queue).len(), 3);
    }

    #[test]
    fn what_nobody_asked_for_gives_way() {
        let mut queue = Queue::default();
        queue.push(Work::Forecast);
        queue.push(Work::Matrix(None, Against::Nothing));
        queue.push(Work::Save);
        queue.push(Work::Save);
        queue.push(Work::Build);
        assert_eq!(names(queue), ["Request(Save)", "Request(Build)"]);
    }
}
