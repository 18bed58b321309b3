//! The table that a terminal shows, as it stands when the build is over.

use super::{Printed, Shown, Trace, Transfer, bytes};

/// The terminal's columns.
const WIDTH: usize = 100;
/// Below this many columns for its name a row is not shown.
const NARROWEST: usize = 12;

/// A row.
struct Row {
    name: String,
    status: String,
    seconds: f64,
}

/// The whole table.
pub(super) fn print(trace: &Trace) -> Printed {
    let mut out = Printed::default();
    let (done, all) = (trace.begun().count(), trace.vertices.len());
    let head = format!(
        "[+] Building {:.1}s ({done}/{all}) {}",
        trace.nanos as f64 / 1e9,
        if done == all { "FINISHED" } else { "" },
    );
    out.line(None, aligned(&head, "docker:default", WIDTH - 1));
    for shown in trace.begun() {
        for row in rows(shown) {
            if let Some(line) = row.line() {
                out.line(shown.step, line);
            }
        }
    }
    out
}

fn rows(shown: &Shown) -> Vec<Row> {
    let name = shown.name.replace('\t', " ");
    let mark = match (&shown.error, shown.cached) {
        (Some(_), _) => "ERROR ",
        (None, true) => "CACHED ",
        (None, false) => "",
    };
    let seconds = shown.nanos as f64 / 1e9;
    let own = Row {
        name: format!("{mark}{name}"),
        status: String::new(),
        seconds,
    };
    let transfers = shown.transfers.iter().map(|transfer| Row {
        name: format!("=> {}", transfer.id),
        status: amount(transfer),
        seconds: transfer.nanos as f64 / 1e9,
    });
    let warnings = shown.warnings.iter().map(|text| Row {
        name: format!("WARN: {text}"),
        status: String::new(),
        seconds,
    });
    std::iter::once(own)
        .chain(transfers)
        .chain(warnings)
        .collect()
}

fn amount(transfer: &Transfer) -> String {
    match (transfer.bytes, transfer.total) {
        (Some(some), Some(all)) => format!("{} / {}", bytes(some), bytes(all)),
        (Some(some), None) => bytes(some),
        _ => String::new(),
    }
}

impl Row {
    fn line(&self) -> Option<String> {
        const LEAD: &str = " => ";
        let seconds = if self.seconds < 0.05 {
            0.0
        } else {
            self.seconds
        };
        // The line end counts as a column.
        let timer = format!(" {seconds:3.1}s\n");
        let mut left = WIDTH.checked_sub(LEAD.len() + timer.len() + 1)?;
        let has_status = !self.status.is_empty() && left + self.status.len() > 20;
        if has_status {
            left = left.checked_sub(self.status.len() + 1)?;
        }
        if left < NARROWEST {
            return None;
        }
        let mut line = format!("{LEAD}{}", cut(&self.name, left));
        if has_status {
            line += &format!(" {}", self.status);
        }
        Some(aligned(&line, &timer, WIDTH).trim_end().to_string())
    }
}

/// At most so many bytes of a text, whole characters.
fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Two texts at the two ends of a line.
fn aligned(left: &str, right: &str, width: usize) -> String {
    let room = width.saturating_sub(right.len() + 1);
    format!("{left:room$} {right}")
}
