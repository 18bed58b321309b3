//! grep, egrep, fgrep.

use super::super::{Call, Exit, Program, Stop};
use super::opts::{Grammar, Opts, parse};
use super::regex::{Regex, Syntax};
use crate::fs::Follow;

pub(super) const TABLE: &[Program] = &[
    Program::executed("grep", grep),
    Program::executed("egrep", grep),
    Program::executed("fgrep", grep),
];

struct Search {
    patterns: Vec<Regex>,
    opts: Opts,
    names: bool,
    most: u64,
    before: usize,
    after: usize,
}

fn grep(call: &mut Call<'_, '_>) -> Exit {
    let opts = match parse(
        call,
        Grammar {
            short: "EFGPivnclLoqshHwxrRe:f:m:A:B:C:aUIz",
            long: &[
                "extended-regexp",
                "fixed-strings",
                "basic-regexp",
                "ignore-case",
                "invert-match",
                "line-number",
                "count",
                "files-with-matches",
                "files-without-match",
                "only-matching",
                "quiet",
                "silent",
                "no-messages",
                "no-filename",
                "with-filename",
                "word-regexp",
                "line-regexp",
                "recursive",
                "regexp=",
                "file=",
                "max-count=",
                "color=",
                "color",
                "include=",
                "exclude=",
                "exclude-dir=",
                "after-context=",
                "before-context=",
                "context=",
                "text",
            ],
        },
    ) {
        Err(Stop::Exit(_)) => return Ok(2),
        other => other?,
    };
    let mut operands = opts.operands.clone();
    let mut texts: Vec<String> = opts.values(&["e", "regexp"]).map(String::from).collect();
    for path in opts.values(&["f", "file"]) {
        match call.slurp(path)? {
            Ok(bytes) => texts.extend(String::from_utf8_lossy(&bytes).lines().map(String::from)),
            Err(errno) => return call.fail(2, format_args!("{path}: {errno}")),
        }
    }
    if texts.is_empty() && !opts.has(&["f", "file"]) {
        if operands.is_empty() {
            return call.fail(2, "missing pattern");
        }
        texts.push(operands.remove(0));
    }
    let fixed = call.name == "fgrep" || opts.has(&["F", "fixed-strings"]);
    let extended = call.name == "egrep" || opts.has(&["E", "extended-regexp", "P"]);
    let syntax = if extended {
        Syntax::Extended
    } else {
        Syntax::Basic
    };
    let ignore_case = opts.has(&["i", "ignore-case"]);
    let mut patterns = Vec::new();
    for text in texts.iter().flat_map(|text| text.split('\n')) {
        patterns.push(match fixed {
            true => Regex::literal(text, ignore_case),
            false => match Regex::new(&perl(text, opts.has(&["P"])), syntax, ignore_case) {
                Ok(regex) => regex,
                Err(message) => {
                    return call.fail(2, format_args!("bad regex '{text}': {message}"));
                }
            },
        });
    }
    let recursive = opts.has(&["r", "R", "recursive"]);
    if operands.is_empty() {
        operands.push(if recursive { "." } else { "-" }.to_string());
    }
    let number = |names: &[&str]| {
        opts.value(names)
            .and_then(|n| n.parse::<usize>().ok())
            .unwrap_or(0)
    };
    let context = number(&["C", "context"]);
    let search = Search {
        patterns,
        names: (operands.len() > 1 || recursive || opts.has(&["H", "with-filename"]))
            && !opts.has(&["h", "no-filename"]),
        most: opts
            .value(&["m", "max-count"])
            .and_then(|n| n.parse().ok())
            .unwrap_or(u64::MAX),
        before: number(&["B", "before-context"]).max(context),
        after: number(&["A", "after-context"]).max(context),
        opts,
    };
    let (mut found, mut failed) = (false, false);
    for path in operands {
        let (one_found, one_failed) = file(call, &search, &path, recursive)?;
        found |= one_found;
        failed |= one_failed;
        if found && search.opts.has(&["q", "quiet", "silent"]) {
            return Ok(0);
        }
    }
    Ok(if failed { 2 } else { i32::from(!found) })
}

/// What Perl writes in another way.
fn perl(pattern: &str, is_perl: bool) -> String {
    match is_perl {
        true => pattern.replace("\\d", "[0-9]").replace("(?:", "("),
        false => pattern.to_string(),
    }
}

fn file(
    call: &mut Call<'_, '_>,
    search: &Search,
    path: &str,
    recursive: bool,
) -> Result<(bool, bool), Stop> {
    call.kernel.round()?;
    if recursive && path != "-" && call.kernel.vfs.is_dir(&call.proc.fs, path) {
        let Ok(names) = call.kernel.vfs.read_dir(&call.proc.fs, path) else {
            return Ok((false, true));
        };
        let mut result = (false, false);
        for name in names {
            let path = format!("{}/{name}", path.trim_end_matches('/'));
            let stat = call.kernel.vfs.stat(&call.proc.fs, &path, Follow::No);
            let Ok(handle) = stat else { continue };
            let inode = call.kernel.vfs.inode(handle);
            let is_dir = inode.is_dir();
            if !is_dir && inode.file().is_none() {
                continue;
            }
            let fits = |names: &[&str]| {
                search
                    .opts
                    .values(names)
                    .any(|glob| super::super::glob_matches(glob, &name))
            };
            let included = !search.opts.has(&["include"]) || fits(&["include"]);
            if (is_dir && fits(&["exclude-dir"])) || (!is_dir && (fits(&["exclude"]) || !included))
            {
                continue;
            }
            let (found, failed) = file(call, search, &path, true)?;
            result = (result.0 | found, result.1 | failed);
        }
        return Ok(result);
    }
    let bytes = match call.slurp(path)? {
        Ok(bytes) => bytes,
        Err(errno) => {
            if !search.opts.has(&["s", "no-messages"]) {
                call.complain(format_args!("{path}: {errno}"))?;
            }
            return Ok((false, true));
        }
    };
    lines(call, search, path, &bytes).map(|found| (found, false))
}

fn lines(call: &mut Call<'_, '_>, search: &Search, path: &str, bytes: &[u8]) -> Result<bool, Stop> {
    let opts = &search.opts;
    let shown = if path == "-" {
        "(standard input)"
    } else {
        path
    };
    let text = String::from_utf8_lossy(bytes);
    let silent = opts.has(&["q", "quiet", "silent", "c", "count"])
        || opts.has(&["l", "files-with-matches", "L", "files-without-match"]);
    let binary = bytes.contains(&0) && !opts.has(&["a", "text"]);
    let mut count = 0_u64;
    let mut out = String::new();
    let all: Vec<&str> = text.lines().collect();
    let mut printed = 0;
    let mut until = 0;
    for (at, line) in all.iter().enumerate() {
        let matches = matches(search, line);
        let selected = matches.is_empty() == opts.has(&["v", "invert-match"]);
        let prefix = |at: usize, sign: char| {
            let mut prefix = String::new();
            if search.names {
                prefix += &format!("{shown}{sign}");
            }
            if opts.has(&["n", "line-number"]) {
                prefix += &format!("{}{sign}", at + 1);
            }
            prefix
        };
        if selected {
            count += 1;
            if silent || binary {
                if !opts.has(&["c", "count"]) {
                    break;
                }
            } else if opts.has(&["o", "only-matching"]) {
                for (from, to) in matches {
                    if to > from {
                        out += &format!("{}{}\n", prefix(at, ':'), &line[from..to]);
                    }
                }
            } else {
                let start = at.saturating_sub(search.before).max(printed);
                if (search.before > 0 || search.after > 0) && start > printed && printed > 0 {
                    out += "--\n";
                }
                for (before, text) in all.iter().enumerate().take(at).skip(start) {
                    out += &format!("{}{text}\n", prefix(before, '-'));
                }
                out += &format!("{}{line}\n", prefix(at, ':'));
                printed = at + 1;
                until = at + 1 + search.after;
            }
            if count >= search.most {
                break;
            }
        } else if at < until && !silent && !opts.has(&["o", "only-matching"]) {
            out += &format!("{}{line}\n", prefix(at, '-'));
            printed = at + 1;
        }
    }
    if binary && count > 0 && !silent {
        out = format!("Binary file {shown} matches\n");
    }
    if opts.has(&["l", "files-with-matches"]) {
        out = if count > 0 {
            format!("{shown}\n")
        } else {
            String::new()
        };
    } else if opts.has(&["L", "files-without-match"]) {
        out = if count == 0 {
            format!("{shown}\n")
        } else {
            String::new()
        };
    } else if opts.has(&["c", "count"]) {
        let name = if search.names {
            format!("{shown}:")
        } else {
            String::new()
        };
        out = format!("{name}{count}\n");
    }
    if !opts.has(&["q", "quiet", "silent"]) {
        call.out(out)?;
    }
    Ok(count > 0)
}

/// The places of all matches in a line.
fn matches(search: &Search, line: &str) -> Vec<(usize, usize)> {
    let whole_word = search.opts.has(&["w", "word-regexp"]);
    let whole_line = search.opts.has(&["x", "line-regexp"]);
    let all = search.opts.has(&["o", "only-matching"]);
    let is_word = |c: char| c == '_' || c.is_alphanumeric();
    let mut found = Vec::new();
    let mut from = 0;
    while from <= line.len() {
        let next = search
            .patterns
            .iter()
            .filter_map(|regex| regex.find(line, from)?[0])
            .min_by_key(|(start, end)| (*start, usize::MAX - end));
        let Some((start, end)) = next else { break };
        let edges = !line[..start].chars().next_back().is_some_and(is_word)
            && !line[end..].chars().next().is_some_and(is_word);
        let fits = (!whole_word || edges) && (!whole_line || (start == 0 && end == line.len()));
        if fits {
            found.push((start, end));
            if !all {
                break;
            }
        }
        let step = line[start..].chars().next().map_or(1, char::len_utf8);
        from = if fits && end > start {
            end
        } else {
            start + step
        };
    }
    found
}
