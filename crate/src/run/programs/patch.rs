//! patch: applies unified diffs.

use super::super::{Call, Exit, Fidelity, Flavour, Program, Stop};
use super::opts::{Grammar, Opts, parse};
use crate::fs::{Content, Errno, Follow, join, parent};

pub(super) const TABLE: &[Program] = &[Program::executed("patch", patch)];

/// How many lines of context may differ at either end of a hunk.
const FUZZ: usize = 2;

/// What a diff says of one file.
#[derive(Default)]
struct FileDiff {
    /// Its first two lines as they are written.
    head: String,
    old: String,
    new: String,
    hunks: Vec<Hunk>,
}

/// Where it begins in the old file (from 1), and its lines with their marks.
struct Hunk {
    /// `@@ -1,3 +1,4 @@`
    head: String,
    start: usize,
    lines: Vec<(char, String)>,
    /// The last line of the old and of the new text has no newline.
    open: (bool, bool),
}

fn patch(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "p:i:d:RNsEfltubF:o:r:V:z:g:cT",
            long: &[
                "strip=",
                "input=",
                "directory=",
                "reverse",
                "forward",
                "quiet",
                "silent",
                "remove-empty-files",
                "force",
                "batch",
                "dry-run",
                "fuzz=",
                "backup",
                "no-backup-if-mismatch",
                "ignore-whitespace",
                "output=",
                "reject-file=",
                "verbose",
                "unified",
                "binary",
            ],
        },
    )?;
    let input = match (opts.value(&["i", "input"]), opts.operands.get(1)) {
        (Some(path), _) => path.to_owned(),
        (None, Some(path)) => path.clone(),
        (None, None) => "-".to_owned(),
    };
    let bytes = match call.slurp(&input)? {
        Ok(bytes) => bytes,
        Err(errno) => {
            let text = match call.flavour() {
                Flavour::Busybox => format!("can't open '{input}': {errno}"),
                Flavour::Gnu => format!("**** Can't open patch file {input} : {errno}"),
            };
            return call.fail(2, text);
        }
    };
    if let Some(dir) = opts.value(&["d", "directory"]) {
        let dir = join(&call.proc.fs.cwd, dir);
        if !call.kernel.vfs.is_dir(&call.proc.fs, &dir) {
            let text = format!("**** Can't change to directory {dir} : {}", Errno::Enoent);
            return call.fail(2, text);
        }
        call.proc.fs.cwd = dir;
    }
    let text = super::input::decode(&bytes);
    // What stands for a patch of which only the address is known changes nothing that could be told.
    if super::super::stand_in::declared(text.trim_start_matches("#!/bin/sh\n# ").as_bytes())
        .is_some()
    {
        call.kernel.mark(Fidelity::NotSimulated);
        return Ok(0);
    }
    let diffs = read(&text);
    if diffs.is_empty() && !text.trim().is_empty() && call.flavour() == Flavour::Gnu {
        return call.fail(2, "**** Only garbage was found in the patch input.");
    }
    let mut code = 0;
    for mut diff in diffs {
        call.kernel.round()?;
        if opts.has(&["R", "reverse"]) {
            reverse(&mut diff);
        }
        code = code.max(one(call, &opts, &diff)?);
    }
    Ok(code)
}

fn read(text: &str) -> Vec<FileDiff> {
    let mut diffs: Vec<FileDiff> = Vec::new();
    let mut lines = text
        .split_inclusive('\n')
        .map(|line| line.strip_suffix('\n').unwrap_or(line))
        .peekable();
    let name = |line: &str| {
        line.split('\t')
            .next()
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    };
    while let Some(line) = lines.next() {
        if let Some(old) = line.strip_prefix("--- ")
            && let Some(new) = lines.peek().and_then(|next| next.strip_prefix("+++ "))
        {
            diffs.push(FileDiff {
                head: format!("--- {old}\n+++ {new}\n"),
                old: name(old),
                new: name(new),
                hunks: Vec::new(),
            });
            lines.next();
            continue;
        }
        let Some((diff, (old, new))) = diffs.last_mut().zip(header(line)) else {
            continue;
        };
        let (mut left, mut right) = (old.1, new.1);
        let mut hunk = Hunk {
            head: line.to_owned(),
            start: old.0,
            lines: Vec::new(),
            open: (false, false),
        };
        while left + right > 0 || lines.peek().is_some_and(|next| next.starts_with('\\')) {
            let Some(next) = lines.next() else { break };
            let mark = next.chars().next().unwrap_or(' ');
            let rest = next.get(mark.len_utf8()..).unwrap_or_default().to_owned();
            match mark {
                '-' => left = left.saturating_sub(1),
                '+' => right = right.saturating_sub(1),
                '\\' => {
                    match hunk.lines.last().map(|(mark, _)| *mark) {
                        Some('-') => hunk.open.0 = true,
                        Some('+') => hunk.open.1 = true,
                        _ => hunk.open = (true, true),
                    }
                    continue;
                }
                _ => {
                    left = left.saturating_sub(1);
                    right = right.saturating_sub(1);
                }
            }
            hunk.lines.push((
                if mark == '-' || mark == '+' {
                    mark
                } else {
                    ' '
                },
                rest,
            ));
        }
        diff.hunks.push(hunk);
    }
    diffs
}

/// The two ranges of `@@ -1,3 +1,4 @@`.
fn header(line: &str) -> Option<((usize, usize), (usize, usize))> {
    let mut words = line.strip_prefix("@@ ")?.split(' ');
    let mut range = |mark: char| {
        let text = words.next()?.strip_prefix(mark)?;
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    Some((range('-')?, range('+')?))
}

fn reverse(diff: &mut FileDiff) {
    std::mem::swap(&mut diff.old, &mut diff.new);
    for hunk in &mut diff.hunks {
        hunk.open = (hunk.open.1, hunk.open.0);
        for (mark, _) in &mut hunk.lines {
            *mark = match *mark {
                '-' => '+',
                '+' => '-',
                other => other,
            };
        }
        // Removed lines stand in front of added ones.
        let mut at = 0;
        while at < hunk.lines.len() {
            let end = hunk.lines[at..]
                .iter()
                .position(|(mark, _)| *mark == ' ')
                .map_or(hunk.lines.len(), |n| at + n);
            let (out, into): (Vec<_>, Vec<_>) = hunk
                .lines
                .drain(at..end)
                .partition(|(mark, _)| *mark == '-');
            hunk.lines.splice(at..at, out.into_iter().chain(into));
            at = end + 1;
        }
    }
}

fn one(call: &mut Call<'_, '_>, opts: &Opts, diff: &FileDiff) -> Exit {
    let strip: Option<usize> = opts.value(&["p", "strip"]).and_then(|n| n.parse().ok());
    let cut = |path: &str| -> String {
        match strip {
            Some(strip) => path
                .splitn(strip + 1, '/')
                .nth(strip)
                .unwrap_or_default()
                .to_owned(),
            None => crate::fs::base_name(path).to_owned(),
        }
    };
    let (old, new) = (cut(&diff.old), cut(&diff.new));
    let creates = diff.old == "/dev/null" || diff.hunks.first().is_some_and(|hunk| hunk.start == 0);
    let removes = diff.new == "/dev/null";
    let path = match opts.operands.first() {
        Some(path) => path.clone(),
        None if removes => old,
        None if creates => new,
        None => [&old, &new]
            .into_iter()
            .find(|path| call.kernel.vfs.exists(&call.proc.fs, path))
            .unwrap_or(&new)
            .clone(),
    };
    let quiet = opts.has(&["s", "quiet", "silent"]);
    let process = call.proc.fs.clone();
    let content = match call.kernel.vfs.read(&process, &path) {
        Ok(content) => content,
        Err(Errno::Enoent) if creates => Content::default(),
        Err(errno) => {
            let text = match call.flavour() {
                Flavour::Busybox => format!("can't open '{path}': {errno}"),
                Flavour::Gnu => {
                    let hunks = diff.hunks.len();
                    format!(
                        "can't find file to patch at input line\n{hunks} out of {hunks} hunks ignored"
                    )
                }
            };
            return call.fail(1, text);
        }
    };
    if !quiet {
        let what = match creates && call.flavour() == Flavour::Busybox {
            true => "creating",
            false => "patching file",
        };
        call.out(format!("{what} {path}\n"))?;
    }
    if content.is_stand_in() {
        // Its lines are not known, so whether the diff fits is not either.
        call.kernel.mark(Fidelity::Modelled);
        return Ok(0);
    }
    let text = super::input::decode(content.bytes());
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut ended = text.is_empty() || text.ends_with('\n');
    // How far lines have moved: because of earlier hunks, and on top of that.
    let (mut grown, mut shift) = (0_i64, 0_i64);
    let mut rejects = String::new();
    let mut rejected = 0;
    let mut exact = true;
    for (number, hunk) in diff.hunks.iter().enumerate() {
        let wanted = (hunk.start as i64 - 1 + grown + shift).max(0) as usize;
        match place(&lines, hunk, wanted) {
            Some((at, skip)) => {
                shift = at as i64 - skip.0 as i64 - (hunk.start as i64 - 1) - grown;
                exact &= shift == 0 && skip == (0, 0);
                if shift != 0 && !creates && call.flavour() == Flavour::Gnu && !quiet {
                    let plural = if shift.abs() == 1 { "" } else { "s" };
                    let (number, line) = (number + 1, at - skip.0 + 1);
                    call.out(format!(
                        "Hunk #{number} succeeded at {line} (offset {shift} line{plural}).\n"
                    ))?;
                }
                let used = &hunk.lines[skip.0..hunk.lines.len() - skip.1];
                let old = used.iter().filter(|(mark, _)| *mark != '+').count();
                let touches_end = at + old == lines.len();
                let fresh: Vec<String> = used
                    .iter()
                    .filter(|(mark, _)| *mark != '-')
                    .map(|(_, line)| line.clone())
                    .collect();
                grown += fresh.len() as i64 - old as i64;
                lines.splice(at..at + old, fresh);
                if touches_end && skip.1 == 0 {
                    ended = !hunk.open.1;
                }
            }
            None => {
                rejected += 1;
                let (number, start) = (number + 1, hunk.start);
                let marked = |(mark, line): &(char, String)| format!("{mark}{line}\n");
                let text: String = hunk.lines.iter().map(marked).collect();
                // busybox shows the hunk and leaves the file as it was.
                if call.flavour() == Flavour::Busybox {
                    call.err(format!("Hunk {number} FAILED {start}/{start}.\n{text}"))?;
                    return Ok(1);
                }
                call.out(format!("Hunk #{number} FAILED at {start}.\n"))?;
                rejects += &format!("{}\n{text}", hunk.head);
            }
        }
    }
    let dry = opts.has(&["dry-run"]);
    if rejected > 0 {
        let all = diff.hunks.len();
        let plural = if all == 1 { "" } else { "s" };
        call.out(format!(
            "{rejected} out of {all} hunk{plural} FAILED -- saving rejects to file {path}.rej\n"
        ))?;
    }
    if dry {
        return Ok(i32::from(rejected > 0));
    }
    let gnu = call.flavour() == Flavour::Gnu;
    let backs_up =
        gnu && !creates && (!exact || rejected > 0) && !opts.has(&["no-backup-if-mismatch"]);
    if backs_up || opts.has(&["b", "backup"]) {
        store(call, &format!("{path}.orig"), text, false)?;
    }
    if rejected > 0 {
        let text = format!("{}{rejects}", diff.head);
        store(call, &format!("{path}.rej"), text, false)?;
    }
    if rejected < diff.hunks.len() {
        let mut text = lines.join("\n");
        if ended && !lines.is_empty() {
            text.push('\n');
        }
        store(call, &path, text, removes)?;
    }
    Ok(i32::from(rejected > 0))
}

/// Writes beside the file and renames, as patch does: the inode is a new one.
fn store(call: &mut Call<'_, '_>, path: &str, text: String, removes: bool) -> Result<(), Stop> {
    let process = call.proc.fs.clone();
    let vfs = &mut *call.kernel.vfs;
    let done = (|| {
        if removes && text.is_empty() {
            return vfs.unlink(&process, path);
        }
        let there = vfs.stat(&process, path, Follow::Yes).ok();
        let mode = there.map_or(0o644, |handle| vfs.inode(handle).meta.mode);
        if there.is_none() {
            let mut missing = Vec::new();
            let mut dir = parent(&join(&process.cwd, path));
            while !dir.is_empty() && dir != "/" && !vfs.exists(&process, &dir) {
                missing.push(dir.clone());
                dir = parent(&dir);
            }
            for dir in missing.iter().rev() {
                vfs.mkdir(&process, dir, 0o777)?;
            }
        }
        let beside = format!("{path}.orig.tmp");
        vfs.write(&process, &beside, Content::new(text))?;
        vfs.chmod(&process, &beside, mode)?;
        vfs.rename(&process, &beside, path)
    })();
    match done {
        Ok(()) => Ok(()),
        Err(errno) => {
            call.complain(format_args!("**** Can't create file {path} : {errno}"))?;
            Err(Stop::Exit(2))
        }
    }
}

/// Where a hunk fits best, and how many of its lines are left out at either end.
fn place(lines: &[String], hunk: &Hunk, wanted: usize) -> Option<(usize, (usize, usize))> {
    let old: Vec<&String> = hunk
        .lines
        .iter()
        .filter(|(mark, _)| *mark != '+')
        .map(|(_, line)| line)
        .collect();
    if old.is_empty() {
        return Some((wanted.min(lines.len()), (0, 0)));
    }
    let context = |backwards: bool| {
        let is_context = |entry: &&(char, String)| entry.0 == ' ';
        match backwards {
            true => hunk.lines.iter().rev().take_while(is_context).count(),
            false => hunk.lines.iter().take_while(is_context).count(),
        }
    };
    let (front, back) = (context(false), context(true));
    for fuzz in 0..=FUZZ {
        let skip = (fuzz.min(front), fuzz.min(back));
        if fuzz > 0 && fuzz > front && fuzz > back {
            break;
        }
        let part = old.get(skip.0..old.len().checked_sub(skip.1)?)?;
        let wanted = wanted + skip.0;
        let last = lines.len().checked_sub(part.len());
        let fits = |at: usize| {
            lines[at..at + part.len()]
                .iter()
                .zip(part)
                .all(|(a, b)| a == *b)
        };
        let Some(last) = last else { continue };
        let reach = last.max(wanted);
        for distance in 0..=reach {
            for at in [wanted.checked_sub(distance), Some(wanted + distance)] {
                if let Some(at) = at.filter(|at| *at <= last && fits(*at)) {
                    return Some((at, skip));
                }
            }
        }
    }
    None
}
