//! Undo and redo: one line of states, whatever led from one to the next.

use super::limits::MAX_UNDO;

/// The states before the present one and those that an undo left, each with what lies between.
#[derive(Clone, Debug)]
pub struct History<T> {
    past: Vec<(T, String)>,
    future: Vec<(T, String)>,
    /// The text edit that the last step is, while it may go on.
    typing: Option<Typing>,
}

/// One change of one text, small enough to be part of a longer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    path: String,
    /// The bytes of the new text that are not in the old one.
    start: usize,
    end: usize,
}

impl Typing {
    /// The change from `old` to `new`, if it could be a keystroke: at most one line end comes in or
    /// goes, and the rest is within a line.
    pub fn between(path: &str, old: &[u8], new: &[u8]) -> Option<Typing> {
        let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let rest = old.len().min(new.len()) - start;
        let same_end = old
            .iter()
            .rev()
            .zip(new.iter().rev())
            .take(rest)
            .take_while(|(a, b)| a == b)
            .count();
        let (gone, come) = (
            &old[start..old.len() - same_end],
            &new[start..new.len() - same_end],
        );
        let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        (lines(gone) + lines(come) <= 1 && gone.len().max(come.len()) <= Typing::MAX_BYTES).then(
            || Typing {
                path: path.to_string(),
                start,
                end: start + come.len(),
            },
        )
    }

    /// The longest change that counts as typed: completions are longer than keys.
    const MAX_BYTES: usize = 80;

    /// Whether `next` goes on where this change ended.
    fn goes_on(&self, next: &Typing) -> bool {
        self.path == next.path && next.start <= self.end && self.start <= next.end
    }
}

impl<T> Default for History<T> {
    fn default() -> History<T> {
        History {
            past: Vec::new(),
            future: Vec::new(),
            typing: None,
        }
    }
}

impl<T> History<T> {
    /// Notes that `before` is left behind by what `label` names. A text change that goes on with
    /// the last one is part of the same step.
    pub fn record(&mut self, before: T, label: String, typing: Option<Typing>) {
        self.future.clear();
        let part = match (&self.typing, &typing) {
            (Some(last), Some(next)) => last.goes_on(next),
            _ => false,
        };
        self.typing = typing;
        if part {
            return;
        }
        if self.past.len() == MAX_UNDO {
            self.past.remove(0);
        }
        self.past.push((before, label));
    }

    /// The state before the last step; `present` can be had back with [`redo`](History::redo).
    pub fn undo(&mut self, present: T) -> Result<T, T> {
        swap(&mut self.past, &mut self.future, &mut self.typing, present)
    }

    /// The state before the last undo.
    pub fn redo(&mut self, present: T) -> Result<T, T> {
        swap(&mut self.future, &mut self.past, &mut self.typing, present)
    }

    /// What an undo would take back.
    pub fn undo_label(&self) -> Option<&str> {
        self.past.last().map(|(_, label)| label.as_str())
    }

    /// What a redo would bring back.
    pub fn redo_label(&self) -> Option<&str> {
        self.future.last().map(|(_, label)| label.as_str())
    }
}

fn swap<T>(
    from: &mut Vec<(T, String)>,
    to: &mut Vec<(T, String)>,
    typing: &mut Option<Typing>,
    present: T,
) -> Result<T, T> {
    *typing = None;
    match from.pop() {
        Some((state, label)) => {
            to.push((present, label));
            Ok(state)
        }
        None => Err(present),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_into(history: &mut History<String>, now: &mut String, next: &str) {
        let typing = Typing::between("f", now.as_bytes(), next.as_bytes());
        let before = std::mem::replace(now, next.to_string());
        history.record(before, "edit".into(), typing);
    }

    #[test]
    fn typing_in_one_go_is_one_step() {
        let (mut history, mut now) = (History::default(), String::from("RUN \n"));
        for text in ["RUN a\n", "RUN ab\n", "RUN abc\n", "RUN ab\n", "RUN abx\n"] {
            type_into(&mut history, &mut now, text);
        }
        // Elsewhere: another step.
        type_into(&mut history, &mut now, "# RUN abx\n");
        now = history.undo(now).expect("two steps");
        assert_eq!(now, "RUN abx\n");
        now = history.undo(now).expect("one step");
        assert_eq!(now, "RUN \n");
        assert_eq!(history.undo(now), Err("RUN \n".to_string()));
    }

    #[test]
    fn a_paste_is_a_step_of_its_own() {
        let (mut history, mut now) = (History::default(), String::new());
        type_into(&mut history, &mut now, "a");
        type_into(&mut history, &mut now, "a\nb\nc\n");
        now = history.undo(now).expect("the paste");
        assert_eq!(now, "a");
        now = history.redo(now).expect("again");
        assert_eq!(now, "a\nb\nc\n");
    }
}
