//! `--progress=plain`: lines of several vertices in one stream.
//!
//! One vertex at a time has the word; another gets it when that one is over, or has had it for long
//! compared with what it prints.

use super::{Printed, Shown, Trace, Transfer, bytes, log_line};

/// So many of its last lines are repeated of a vertex that failed.
pub(super) const LOGS_OF_ERROR: usize = 10;

const SECOND: u64 = 1_000_000_000;
/// The display is brought up to date this often.
const EVERY: u64 = SECOND / 10;
/// A vertex has the word for this long at least, the longer the more it prints.
const AT_LEAST: u64 = 5 * SECOND;
/// No vertex waits longer for the word.
const AT_MOST: u64 = 10 * SECOND;

/// Something that the client is told.
enum Event<'a> {
    Begun,
    Transfer(&'a Transfer),
    Log(u64, &'a str),
    Over,
}

/// A vertex as the printer knows it.
struct Known<'a> {
    shown: &'a Shown,
    number: Option<usize>,
    begun: bool,
    over: bool,
    updated: bool,
    /// Updates since it last had the word, and when the first of them was.
    count: u32,
    since: u64,
    lines: Vec<String>,
}

struct Mux<'a> {
    vertices: Vec<Known<'a>>,
    current: Option<usize>,
    numbers: usize,
    out: Printed,
}

/// The whole stream.
pub(super) fn print(trace: &Trace) -> Printed {
    let mut mux = Mux {
        vertices: trace.begun().map(Known::new).collect(),
        current: None,
        numbers: 0,
        out: Printed::default(),
    };
    let of = "#0 building with \"default\" instance using docker driver";
    mux.out.line(None, of);
    let mut events: Vec<(u64, usize, Event<'_>)> = Vec::new();
    for (at, shown) in trace.begun().enumerate() {
        let start = shown.start.unwrap_or_default();
        events.push((start, at, Event::Begun));
        for transfer in &shown.transfers {
            let end = start + transfer.start + transfer.nanos;
            events.push((end, at, Event::Transfer(transfer)));
        }
        for (nanos, text) in &shown.log {
            events.push((start + nanos, at, Event::Log(*nanos, text)));
        }
        events.push((start + shown.nanos, at, Event::Over));
    }
    // Events of one time stay in the order of their vertices.
    crate::order::sort_by_key(&mut events, |(time, at, _)| (*time, *at));
    let (mut shown_at, mut now) = (0, 0);
    for (time, at, event) in events {
        if time > shown_at + EVERY {
            mux.show(now);
            shown_at = time;
        }
        now = time;
        mux.vertices[at].take(&event, now);
    }
    mux.show(now);
    // Whatever is left has the word once more.
    while mux.vertices.iter().any(|known| known.updated) {
        mux.show(now);
    }
    mux.out
}

impl<'a> Known<'a> {
    fn new(shown: &'a Shown) -> Known<'a> {
        Known {
            shown,
            number: None,
            begun: false,
            over: false,
            updated: false,
            count: 0,
            since: 0,
            lines: Vec::new(),
        }
    }

    fn take(&mut self, event: &Event<'_>, now: u64) {
        if self.count == 0 {
            self.since = now;
        }
        self.count += 1;
        self.updated = true;
        match event {
            Event::Begun => {
                self.begun = true;
                let warnings = self.shown.warnings.iter();
                self.lines
                    .extend(warnings.map(|text| format!("WARN: {text}")));
            }
            Event::Transfer(transfer) => self.lines.push(transferred(transfer)),
            Event::Log(nanos, text) => self.lines.push(log_line(*nanos, text)),
            Event::Over => self.over = true,
        }
    }

    fn is_open(&self) -> bool {
        self.begun && !self.over
    }
}

fn transferred(transfer: &Transfer) -> String {
    let amount = match (transfer.bytes, transfer.total) {
        (Some(some), Some(all)) => format!(" {} / {}", bytes(some), bytes(all)),
        (Some(some), None) => format!(" {}", bytes(some)),
        _ => String::new(),
    };
    let seconds = transfer.nanos as f64 / 1e9;
    let time = match seconds > 0.01 {
        true => format!(" {seconds:.1}s"),
        false => String::new(),
    };
    format!("{}{amount}{time} done", transfer.id)
}

impl Mux<'_> {
    /// Gives a vertex the word.
    fn say(&mut self, at: usize) {
        if self.current != Some(at) {
            if let Some(before) = self.current {
                let known = &mut self.vertices[before];
                known.count = 0;
                let number = known.number.unwrap_or_default();
                self.out.line(known.shown.step, format!("#{number} ..."));
            }
            self.out.line(None, "");
        }
        let known = &mut self.vertices[at];
        let step = known.shown.step;
        let number = *known.number.get_or_insert_with(|| {
            self.numbers += 1;
            self.numbers
        });
        if self.current != Some(at) {
            self.out
                .line(step, format!("#{number} {}", known.shown.name));
        }
        for line in known.lines.drain(..) {
            self.out.line(step, format!("#{number} {line}"));
        }
        self.current = Some(at);
        if known.over {
            self.current = None;
            known.count = 0;
            let end = match (&known.shown.error, known.shown.cached) {
                (Some(error), _) => format!("ERROR: {error}"),
                (None, true) => "CACHED".to_string(),
                (None, false) => format!("DONE {:.1}s", known.shown.nanos as f64 / 1e9),
            };
            self.out.line(step, format!("#{number} {end}"));
        }
        known.updated = false;
    }

    /// Brings the display up to date.
    fn show(&mut self, now: u64) {
        let updated = |mux: &Self, over: bool| -> Vec<usize> {
            let all = mux.vertices.iter().enumerate();
            all.filter(|(_, known)| known.updated && known.over == over)
                .map(|(at, _)| at)
                .collect()
        };
        let mut completed = updated(self, true);
        let mut rest = updated(self, false);
        let current = self.current;
        // What is over comes first: that which has the word, then by when it ended.
        crate::order::sort_by_key(&mut completed, |at| {
            (current != Some(*at), self.vertices[*at].shown.end())
        });
        let current_is_over = current.is_some_and(|at| completed.contains(&at));
        completed.into_iter().for_each(|at| self.say(at));
        if rest.is_empty() {
            if current.is_some_and(|at| self.vertices[at].is_open()) {
                return;
            }
            if let Some(open) = self.vertices.iter().position(Known::is_open) {
                self.say(open);
            }
            return;
        }
        if let Some(at) = current {
            match rest.contains(&at) {
                true => self.say(at),
                false => rest.push(at),
            }
        }
        let speed = |mux: &Self, at: usize| {
            let known = &mux.vertices[at];
            let seconds = now.saturating_sub(known.since).max(1) as f64 / 1e9;
            f64::from(known.count) / seconds
        };
        let waits = |mux: &Self, at: usize| now.saturating_sub(mux.vertices[at].since);
        let too_long = |mux: &Self, at: usize| current != Some(at) && waits(mux, at) > AT_MOST;
        let mut next = rest[0];
        for at in rest.iter().copied() {
            if too_long(self, at) || speed(self, at) > speed(self, next) {
                next = at;
            }
        }
        let Some(current) = current.filter(|_| !current_is_over) else {
            self.say(next);
            return;
        };
        if let Some(waiting) = rest.iter().find(|at| too_long(self, **at)) {
            self.say(*waiting);
            return;
        }
        let all: f64 = rest.iter().map(|at| speed(self, *at)).sum();
        let share = speed(self, current) / all;
        if AT_LEAST as f64 / (1.0 - share) < waits(self, current) as f64 {
            self.say(next);
        }
    }
}
