//! diff: unified and normal output, of files and of directories.

use super::super::{Call, Exit, Flavour, Program, Stop};
use super::opts::{Grammar, Opts, parse};
use crate::fs::base_name;

pub(super) const TABLE: &[Program] = &[Program::executed("diff", diff)];

/// Lines of context unless `-U` says otherwise.
const CONTEXT: usize = 3;
/// The most lines of two files that are compared one by one, multiplied; larger ones differ as a
/// whole between their common beginning and end.
const MAX_CELLS: usize = 16 << 20;

fn diff(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "abBdiNqrsTtwuU:L:S:X:pex:",
            long: &[
                "brief",
                "new-file",
                "recursive",
                "unified",
                "unified=",
                "ignore-case",
                "ignore-all-space",
                "ignore-space-change",
                "ignore-blank-lines",
                "report-identical-files",
                "text",
                "label=",
                "exclude=",
                "strip-trailing-cr",
                "color=",
            ],
        },
    )?;
    let [left, right] = opts.operands.as_slice() else {
        return call.fail(2, "missing operand");
    };
    let (left, right) = (left.clone(), right.clone());
    let is_dir = |call: &Call<'_, '_>, path: &str| call.kernel.vfs.is_dir(&call.proc.fs, path);
    match (is_dir(call, &left), is_dir(call, &right)) {
        (true, true) => dirs(call, &opts, &left, &right),
        (true, false) => {
            let left = format!("{}/{}", left.trim_end_matches('/'), base_name(&right));
            files(call, &opts, &left, &right, "")
        }
        (false, true) => {
            let right = format!("{}/{}", right.trim_end_matches('/'), base_name(&left));
            files(call, &opts, &left, &right, "")
        }
        (false, false) => files(call, &opts, &left, &right, ""),
    }
}

fn dirs(call: &mut Call<'_, '_>, opts: &Opts, left: &str, right: &str) -> Exit {
    let list = |call: &Call<'_, '_>, dir: &str| -> Vec<String> {
        let names = call.kernel.vfs.read_dir(&call.proc.fs, dir);
        names
            .unwrap_or_default()
            .iter()
            .map(|name| name.to_string())
            .collect()
    };
    let (lefts, rights) = (list(call, left), list(call, right));
    let mut names: Vec<String> = lefts.iter().chain(&rights).cloned().collect();
    crate::order::sort(&mut names);
    names.dedup();
    let mut code = 0;
    for name in names {
        call.kernel.round()?;
        let excluded = opts
            .values(&["x", "exclude"])
            .any(|pattern| super::super::glob_matches(pattern, &name));
        if excluded {
            continue;
        }
        let (l, r) = (format!("{left}/{name}"), format!("{right}/{name}"));
        let (in_left, in_right) = (lefts.contains(&name), rights.contains(&name));
        let both = in_left && in_right;
        if !both && !opts.has(&["N", "new-file"]) {
            let dir = if in_left { left } else { right };
            call.out(format!("Only in {dir}: {name}\n"))?;
            code = code.max(1);
            continue;
        }
        let is_dir = |call: &Call<'_, '_>, path: &str| call.kernel.vfs.is_dir(&call.proc.fs, path);
        let found = if is_dir(call, &l) || is_dir(call, &r) {
            if !opts.has(&["r", "recursive"]) {
                call.out(format!("Common subdirectories: {l} and {r}\n"))?;
                continue;
            }
            dirs(call, opts, &l, &r)?
        } else {
            let title = match call.flavour() {
                Flavour::Gnu => format!("diff {}{l} {r}\n", flags(call)),
                Flavour::Busybox => String::new(),
            };
            files(call, opts, &l, &r, &title)?
        };
        code = code.max(found);
    }
    Ok(code)
}

/// The options as they were given, for the line in front of each pair.
fn flags(call: &Call<'_, '_>) -> String {
    let options = call
        .args
        .iter()
        .filter(|arg| arg.starts_with('-') && arg.len() > 1);
    options.map(|arg| format!("{arg} ")).collect()
}

fn files(call: &mut Call<'_, '_>, opts: &Opts, left: &str, right: &str, title: &str) -> Exit {
    let mut read = |path: &str| -> Result<Result<Vec<u8>, i32>, Stop> {
        match call.slurp(path)? {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(crate::fs::Errno::Enoent) if opts.has(&["N", "new-file"]) => Ok(Ok(Vec::new())),
            Err(errno) => {
                let text = match call.flavour() {
                    Flavour::Busybox => format!("can't stat '{path}': {errno}"),
                    Flavour::Gnu => format!("{path}: {errno}"),
                };
                call.fail(2, text).map(Err)
            }
        }
    };
    let (old, new) = match (read(left)?, read(right)?) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(code), _) | (_, Err(code)) => return Ok(code),
    };
    let (old, new) = (Lines::of(&old), Lines::of(&new));
    let edits = compare(&old, &new, opts);
    if edits.is_empty() {
        if opts.has(&["s", "report-identical-files"]) {
            call.out(format!("Files {left} and {right} are identical\n"))?;
        }
        return Ok(0);
    }
    if opts.has(&["q", "brief"]) {
        call.out(format!("Files {left} and {right} differ\n"))?;
        return Ok(1);
    }
    let unified = call.flavour() == Flavour::Busybox || opts.has(&["u", "U", "unified"]);
    let context = opts
        .value(&["U", "unified"])
        .and_then(|n| n.parse().ok())
        .unwrap_or(CONTEXT);
    let mut out = title.to_owned();
    if unified {
        let labels: Vec<&str> = opts.values(&["L", "label"]).collect();
        for (mark, path, label) in [("---", left, labels.first()), ("+++", right, labels.get(1))] {
            let time = match (label, call.flavour()) {
                (Some(_), _) | (_, Flavour::Busybox) => String::new(),
                (None, Flavour::Gnu) => stamp(call, path),
            };
            out += &format!("{mark} {}{time}\n", label.unwrap_or(&path));
        }
        out += &unified_text(&old, &new, &edits, context);
    } else {
        out += &normal_text(&old, &new, &edits);
    }
    call.out(out)?;
    Ok(1)
}

/// The modification time as GNU diff shows it.
fn stamp(call: &Call<'_, '_>, path: &str) -> String {
    let vfs = &*call.kernel.vfs;
    let time = match vfs.stat(&call.proc.fs, path, crate::fs::Follow::Yes) {
        Ok(handle) => vfs.inode(handle).meta.mtime,
        Err(_) => crate::fs::Time::EPOCH,
    };
    let text = super::date::format(time, "%Y-%m-%d %H:%M:%S");
    let nanos = time.0.rem_euclid(1_000_000_000);
    format!("\t{text}.{nanos:09} +0000")
}

/// The lines of a file, and whether the last one is ended.
struct Lines {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    fn of(bytes: &[u8]) -> Lines {
        let text = super::input::decode(bytes);
        Lines {
            ended: text.is_empty() || text.ends_with('\n'),
            lines: text.lines().map(str::to_owned).collect(),
        }
    }
}

/// Lines `old` that are replaced by lines `new`: half-open ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edit {
    old: (usize, usize),
    new: (usize, usize),
}

fn compare(old: &Lines, new: &Lines, opts: &Opts) -> Vec<Edit> {
    let key = |line: &String| -> String {
        let mut line = line.clone();
        if opts.has(&["w", "ignore-all-space"]) {
            line.retain(|c| !c.is_whitespace());
        } else if opts.has(&["b", "ignore-space-change"]) {
            line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if opts.has(&["i", "ignore-case"]) {
            line = line.to_lowercase();
        }
        line
    };
    let mut a: Vec<String> = old.lines.iter().map(key).collect();
    let mut b: Vec<String> = new.lines.iter().map(key).collect();
    // A last line without its newline is another line.
    for (lines, ended) in [(&mut a, old.ended), (&mut b, new.ended)] {
        if let Some(last) = lines.last_mut().filter(|_| !ended) {
            last.push('\n');
        }
    }
    let mut edits = longest(&a, &b);
    if opts.has(&["B", "ignore-blank-lines"]) {
        let blank = |lines: &[String]| lines.iter().all(String::is_empty);
        edits.retain(|edit| {
            !(blank(&a[edit.old.0..edit.old.1]) && blank(&b[edit.new.0..edit.new.1]))
        });
    }
    edits
}

/// What is not in the longest common subsequence.
fn longest(a: &[String], b: &[String]) -> Vec<Edit> {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a[head..]
        .iter()
        .rev()
        .zip(b[head..].iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let (mid_a, mid_b) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    let (n, m) = (mid_a.len(), mid_b.len());
    if n == 0 && m == 0 {
        return Vec::new();
    }
    if n == 0 || m == 0 || n.saturating_mul(m) > MAX_CELLS {
        return vec![Edit {
            old: (head, head + n),
            new: (head, head + m),
        }];
    }
    // lengths[i][j]: the longest common subsequence of mid_a[i..] and mid_b[j..].
    let mut lengths = vec![0_u32; (n + 1) * (m + 1)];
    let at = |i: usize, j: usize| i * (m + 1) + j;
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            lengths[at(i, j)] = if mid_a[i] == mid_b[j] {
                lengths[at(i + 1, j + 1)] + 1
            } else {
                lengths[at(i + 1, j)].max(lengths[at(i, j + 1)])
            };
        }
    }
    let mut edits: Vec<Edit> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < n || j < m {
        if i < n && j < m && mid_a[i] == mid_b[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let from = (i, j);
        while (i < n || j < m) && !(i < n && j < m && mid_a[i] == mid_b[j]) {
            if j == m || (i < n && lengths[at(i + 1, j)] >= lengths[at(i, j + 1)]) {
                i += 1;
            } else {
                j += 1;
            }
        }
        edits.push(Edit {
            old: (head + from.0, head + i),
            new: (head + from.1, head + j),
        });
    }
    edits
}

fn line(out: &mut String, mark: &str, lines: &Lines, at: usize) {
    *out += &format!("{mark}{}\n", lines.lines[at]);
    if at + 1 == lines.lines.len() && !lines.ended {
        *out += "\\ No newline at end of file\n";
    }
}

fn unified_text(old: &Lines, new: &Lines, edits: &[Edit], context: usize) -> String {
    let mut out = String::new();
    let mut rest = edits;
    while let Some(first) = rest.first() {
        let count = 1 + rest
            .windows(2)
            .take_while(|pair| pair[1].old.0 - pair[0].old.1 <= 2 * context)
            .count();
        let (hunk, later) = rest.split_at(count);
        rest = later;
        let last = hunk[count - 1];
        let before = context.min(first.old.0);
        let after = context.min(old.lines.len() - last.old.1);
        let (a0, a1) = (first.old.0 - before, last.old.1 + after);
        let (b0, b1) = (first.new.0 - before, last.new.1 + after);
        out += &format!("@@ -{} +{} @@\n", range(a0, a1), range(b0, b1));
        let mut at = a0;
        for edit in hunk {
            (at..edit.old.0).for_each(|n| line(&mut out, " ", old, n));
            (edit.old.0..edit.old.1).for_each(|n| line(&mut out, "-", old, n));
            (edit.new.0..edit.new.1).for_each(|n| line(&mut out, "+", new, n));
            at = edit.old.1;
        }
        (at..a1).for_each(|n| line(&mut out, " ", old, n));
    }
    out
}

/// `start,count` as unified output has it: lines from 1, an empty range stands behind its line.
fn range(from: usize, to: usize) -> String {
    match to - from {
        0 => format!("{from},0"),
        1 => format!("{}", from + 1),
        count => format!("{},{count}", from + 1),
    }
}

fn normal_text(old: &Lines, new: &Lines, edits: &[Edit]) -> String {
    let mut out = String::new();
    let range = |(from, to): (usize, usize)| match to - from {
        0 => from.to_string(),
        1 => to.to_string(),
        _ => format!("{},{to}", from + 1),
    };
    for edit in edits {
        let removes = edit.old.0 < edit.old.1;
        let adds = edit.new.0 < edit.new.1;
        let letter = match (removes, adds) {
            (true, true) => 'c',
            (true, false) => 'd',
            _ => 'a',
        };
        out += &format!("{}{letter}{}\n", range(edit.old), range(edit.new));
        (edit.old.0..edit.old.1).for_each(|n| line(&mut out, "< ", old, n));
        if removes && adds {
            out += "---\n";
        }
        (edit.new.0..edit.new.1).for_each(|n| line(&mut out, "> ", new, n));
    }
    out
}
