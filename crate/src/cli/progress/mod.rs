//! What `docker build` prints while BuildKit works: plain lines, or the table of a terminal.
//!
//! Source: BuildKit `util/progress/progressui` and `solver/errdefs`, buildx `commands/build`. The
//! client is told of vertices: when they begin and end, what they print, what they transfer. Here
//! that is put together from the report of a build; then it is written as the client writes it.

mod plain;
mod transfer;
mod tty;

use crate::build::error::ErrorKind;
use crate::build::op::{ImageOp, Op};
use crate::build::report::{Status, Step};
use crate::dockerfile::reference::Reference;
use crate::dockerfile::span::Lines;
use crate::engine::{Build, DOCKERFILE};
use crate::fs::Fs;
use crate::run::Machine;

/// What the client knows beside the build itself.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What of the context was sent.
    pub sent: Option<Fs>,
    /// What was sent to the same builder before: what is still the same is not sent again.
    pub sent_before: Option<Fs>,
    /// The ignore file: its name and size in bytes.
    pub ignore: Option<(String, u64)>,
    /// The findings of the build checks: `Rule: message (line 1)`.
    pub warnings: Vec<String>,
    /// How fast images arrive.
    pub machine: Machine,
}

/// A text with the steps that its lines speak of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// The text; every line ends with a line end.
    pub text: String,
    /// For each line the position of its step in the report.
    pub steps: Vec<Option<usize>>,
}

impl Printed {
    fn line(&mut self, step: Option<usize>, text: impl AsRef<str>) {
        for line in text.as_ref().split('\n') {
            self.text.push_str(line);
            self.text.push('\n');
            self.steps.push(step);
        }
    }
}

/// A build as `--progress=plain` prints it.
pub fn plain(build: &Build, told: &Told) -> Printed {
    let trace = Trace::of(build, told);
    let mut out = plain::print(&trace);
    trace.error_logs(&mut out, plain::LOGS_OF_ERROR);
    ending(build, told, &mut out);
    out
}

/// A build as a terminal shows it when it is over.
pub fn tty(build: &Build, told: &Told) -> Printed {
    let trace = Trace::of(build, told);
    let mut out = tty::print(&trace);
    trace.error_logs(&mut out, usize::MAX);
    ending(build, told, &mut out);
    out
}

/// What the client is told of a vertex.
#[derive(Debug, Default)]
struct Shown {
    name: String,
    /// Nanoseconds from the start of the build; none for what did not begin.
    start: Option<u64>,
    nanos: u64,
    cached: bool,
    error: Option<String>,
    transfers: Vec<Transfer>,
    warnings: Vec<String>,
    /// Nanoseconds from the start of the vertex, and the line.
    log: Vec<(u64, String)>,
    step: Option<usize>,
}

/// Something that a vertex does beside its own work.
#[derive(Debug, Default)]
struct Transfer {
    id: String,
    bytes: Option<u64>,
    total: Option<u64>,
    /// Nanoseconds from the start of the vertex.
    start: u64,
    nanos: u64,
}

impl Transfer {
    fn of(id: impl Into<String>, bytes: Option<u64>) -> Transfer {
        Transfer {
            id: id.into(),
            bytes,
            ..Transfer::default()
        }
    }
}

impl Shown {
    fn internal(what: impl std::fmt::Display, transfers: Vec<Transfer>) -> Shown {
        Shown {
            name: format!("[internal] {what}"),
            start: Some(0),
            transfers,
            ..Shown::default()
        }
    }

    fn end(&self) -> Option<u64> {
        Some(self.start? + self.nanos)
    }
}

/// All vertices, those that began first, in the order in which they did.
#[derive(Debug, Default)]
struct Trace {
    vertices: Vec<Shown>,
    nanos: u64,
}

impl Trace {
    fn of(build: &Build, told: &Told) -> Trace {
        let report = &build.report;
        let mut vertices = Vec::new();
        let dockerfile = build.workspace.dockerfile().unwrap_or_default();
        let size = transfer::file(DOCKERFILE, dockerfile.len() as u64);
        let mut definition = Shown::internal(
            format!("load build definition from {DOCKERFILE}"),
            vec![Transfer::of("transferring dockerfile:", Some(size))],
        );
        definition.warnings = told.warnings.clone();
        vertices.push(definition);
        let planned = build.plan.as_ref();
        for (name, error) in bases(build) {
            vertices.push(Shown {
                error,
                ..Shown::internal(format!("load metadata for {name}"), Vec::new())
            });
        }
        if planned.is_some() {
            let bytes = match &told.ignore {
                Some((name, size)) => transfer::file(name, *size),
                None => transfer::NOTHING,
            };
            vertices.push(Shown::internal(
                "load .dockerignore",
                vec![Transfer::of("transferring context:", Some(bytes))],
            ));
        }
        let mut later: Vec<Shown> = Vec::new();
        for (at, vertex) in planned
            .iter()
            .flat_map(|plan| plan.vertices.iter().enumerate())
        {
            if matches!(vertex.op, Op::Context) {
                let bytes = transfer::context(told.sent.as_ref(), told.sent_before.as_ref());
                let sending = Transfer::of("transferring context:", Some(bytes));
                later.push(Shown::internal("load build context", vec![sending]));
            }
            let step = report.steps.iter().position(|step| step.vertex == at);
            let Some((index, step)) = step.and_then(|at| Some((at, report.steps.get(at)?))) else {
                continue;
            };
            let failed = step.status == Status::Failed;
            later.push(Shown {
                name: match &vertex.op {
                    Op::Image(image) => from(&step.name, image),
                    _ => step.name.clone(),
                },
                start: (step.status != Status::Skipped).then_some(step.start),
                nanos: step.nanos,
                cached: step.status == Status::Cached,
                error: report
                    .error
                    .as_ref()
                    .filter(|_| failed)
                    .map(|error| error.message.clone()),
                transfers: match &vertex.op {
                    Op::Image(image) => pulled(image, step, told.machine),
                    _ => Vec::new(),
                },
                log: step
                    .log
                    .iter()
                    .map(|line| (line.nanos, line.text.clone()))
                    .collect(),
                step: Some(index),
                ..Shown::default()
            });
        }
        crate::order::sort_by_key(&mut later, |shown| shown.start.unwrap_or(u64::MAX));
        vertices.extend(later);
        if let Some(image) = &report.image {
            let mut exports = vec![
                Transfer::of("exporting layers", None),
                Transfer::of(format!("writing image {}", image.id()), None),
            ];
            if let Some(tag) = &build.workspace.options().tag
                && let Ok(name) = Reference::parse(tag)
            {
                exports.push(Transfer::of(format!("naming to {}", name.tagged()), None));
            }
            vertices.push(Shown {
                name: "exporting to image".into(),
                start: Some(report.nanos),
                transfers: exports,
                ..Shown::default()
            });
        }
        Trace {
            vertices,
            nanos: report.nanos,
        }
    }

    /// The vertices that began.
    fn begun(&self) -> impl Iterator<Item = &Shown> {
        self.vertices.iter().filter(|shown| shown.start.is_some())
    }

    /// What failed, with the end of what it printed.
    fn error_logs(&self, out: &mut Printed, most: usize) {
        for shown in self.begun().filter(|shown| shown.error.is_some()) {
            out.line(shown.step, "------");
            out.line(shown.step, format!(" > {}:", shown.name));
            let skipped = shown.log.len().saturating_sub(most);
            for (nanos, text) in &shown.log[skipped..] {
                out.line(shown.step, log_line(*nanos, text));
            }
            out.line(shown.step, "------");
        }
    }
}

/// The name of an image with its registry.
fn full_name(name: &str) -> String {
    Reference::parse(name).map_or_else(|_| name.to_string(), |name| name.tagged().to_string())
}

/// The name of a FROM step: with the digest that was found.
fn from(name: &str, image: &ImageOp) -> String {
    let place = name.split_once("FROM ").map_or("", |(place, _)| place);
    let full = full_name(&image.name);
    let full = full.split('@').next().unwrap_or(&full);
    format!("{place}FROM {full}@{}", image.digest)
}

/// The images whose description is asked for, and what was said of one that cannot be had.
fn bases(build: &Build) -> Vec<(String, Option<String>)> {
    let mut names: Vec<(String, Option<String>)> = Vec::new();
    for vertex in build.plan.iter().flat_map(|plan| &plan.vertices) {
        if let Op::Image(image) = &vertex.op {
            let name = full_name(&image.name);
            if !names.iter().any(|(known, _)| *known == name) {
                names.push((name, None));
            }
        }
    }
    let failed = build.report.error.as_ref();
    let failed = failed.filter(|error| error.kind == ErrorKind::Image && build.plan.is_none());
    if let Some(error) = failed
        && let Some((_, rest)) = error.message.split_once("source metadata for ")
        && let Some((name, why)) = rest.split_once(": ")
    {
        names.push((name.to_string(), Some(why.to_string())));
    }
    names
}

/// The blobs of an image that was pulled: one after the other, as its duration is modelled.
fn pulled(op: &ImageOp, step: &Step, machine: Machine) -> Vec<Transfer> {
    let mut out = vec![Transfer::of(
        from("FROM ", op).replacen("FROM", "resolve", 1),
        None,
    )];
    if step.status != Status::Done || step.nanos <= 1 {
        return out;
    }
    let mut start = 0;
    let layers = op.image.image.layers.iter();
    for (layer, blob) in layers.zip(&op.image.transfers) {
        let nanos = blob.nanos(machine);
        out.push(Transfer {
            id: layer.diff_id.to_string(),
            bytes: Some(blob.compressed),
            total: Some(blob.compressed),
            start,
            nanos,
        });
        start += nanos;
    }
    out
}

/// A line that a step printed: more digits the younger it is.
fn log_line(nanos: u64, text: &str) -> String {
    let seconds = nanos as f64 / 1e9;
    let digits = match seconds {
        ..10.0 => 3,
        ..100.0 => 2,
        _ => 1,
    };
    format!("{seconds:.digits$} {text}")
}

/// Bytes with two digits behind the point, from a kilobyte on.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = "B";
    for larger in UNITS {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    match unit {
        "B" => format!("{count}B"),
        unit => format!("{value:.2}{unit}"),
    }
}

/// What comes behind the progress: findings, and the error at its place in the Dockerfile.
fn ending(build: &Build, told: &Told, out: &mut Printed) {
    let found = told.warnings.len();
    if found > 0 {
        let noun = if found == 1 { "warning" } else { "warnings" };
        out.line(
            None,
            format!("\n {found} {noun} found (use docker --debug to expand):"),
        );
        for warning in &told.warnings {
            out.line(None, format!(" - {warning}"));
        }
    }
    let Some(error) = &build.report.error else {
        return;
    };
    let failed = |step: &Step| step.status == Status::Failed;
    let step = build.report.steps.iter().position(failed);
    let text = build.workspace.dockerfile().unwrap_or_default();
    if let Some(excerpt) = excerpt(DOCKERFILE, &text, &error.lines) {
        out.line(step, excerpt);
    }
    out.line(
        step,
        format!("ERROR: failed to build: failed to solve: {}", error.message),
    );
}

/// The lines around an error, those that it points at marked.
pub fn excerpt(file: &str, text: &str, marked: &[Lines]) -> Option<String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let first = marked.iter().map(|lines| lines.first).min()? as usize;
    let last = marked
        .iter()
        .map(|lines| lines.last.max(lines.first))
        .max()? as usize;
    if first < 1 || first > lines.len() {
        return None;
    }
    let (mut start, mut end) = (first, last.min(lines.len()));
    // So many lines more, on both sides where there are any.
    let wanted = if start == end { 4 } else { 2 };
    let mut more = 0;
    while more < wanted {
        if start > 1 {
            start -= 1;
            more += 1;
        }
        if end != lines.len() {
            end += 1;
            more += 1;
        }
        more += 1;
    }
    let rule = "-".repeat(20);
    let mut out = format!("{file}:{first}\n{rule}\n");
    for number in start..=end {
        let is_marked = marked.iter().any(|lines| {
            (lines.first as usize..=lines.last.max(lines.first) as usize).contains(&number)
        });
        let mark = if is_marked { ">>>" } else { "   " };
        out += &format!(" {number:>3} | {mark} {}\n", lines[number - 1]);
    }
    out += &rule;
    Some(out)
}
