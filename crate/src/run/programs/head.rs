//! The ends of files, and their sizes: head, tail, wc, split.

use super::super::io::Access;
use super::super::{Call, Exit, Fd, Flavour, Program, Stop};
use super::opts::{Grammar, parse};
use super::{input, number};

pub(super) const TABLE: &[Program] = &[
    Program::executed("head", head),
    Program::executed("tail", tail),
    Program::executed("wc", wc),
    Program::executed("split", split),
];

/// `-5` in front of all else is `-n 5`.
fn old_form(call: &mut Call<'_, '_>) {
    let old = call.args.first().and_then(|arg| {
        let digits = arg.strip_prefix(['-', '+'])?;
        let plain = digits.starts_with(|c: char| c.is_ascii_digit());
        plain.then(|| arg.trim_start_matches('-').to_string())
    });
    if let Some(count) = old {
        call.args[0] = count;
        call.args.insert(0, "-n".into());
    }
}

fn head(call: &mut Call<'_, '_>) -> Exit {
    old_form(call);
    let opts = parse(
        call,
        Grammar {
            short: "n:c:qvz",
            long: &["lines=", "bytes=", "quiet", "silent", "verbose"],
        },
    )?;
    let unit = opts.last(&["n", "lines", "c", "bytes"]).unwrap_or("n");
    let by_bytes = matches!(unit, "c" | "bytes");
    let text = opts.value(&["n", "lines", "c", "bytes"]).unwrap_or("10");
    let all_but = text.starts_with('-');
    let Some(count) = number::bytes(text.trim_start_matches(['-', '+'])) else {
        return call.fail(1, format_args!("invalid number '{text}'"));
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let paths = input::or_stdin(&opts.operands);
    let titled =
        (paths.len() > 1 || opts.has(&["v", "verbose"])) && !opts.has(&["q", "quiet", "silent"]);
    let mut code = 0;
    let mut first = true;
    for path in paths {
        let Some(fd) = input::open(call, &path)? else {
            code = 1;
            first = false;
            continue;
        };
        if titled {
            title(call, &path, first)?;
        }
        first = false;
        if all_but {
            let bytes = call.kernel.read_all(&fd)?;
            let end = match by_bytes {
                true => bytes.len().saturating_sub(count),
                false => last_lines(&bytes, count),
            };
            call.out(&bytes[..end])?;
        } else if by_bytes {
            let bytes = call.kernel.read(&fd, count)?;
            call.out(bytes)?;
        } else {
            let mut out = Vec::new();
            for _ in 0..count {
                let line = call.kernel.read_line(&fd)?;
                if line.is_empty() {
                    break;
                }
                out.extend(line);
            }
            call.out(out)?;
        }
    }
    Ok(code)
}

fn title(call: &mut Call<'_, '_>, path: &str, first: bool) -> Result<(), Stop> {
    let gap = if first { "" } else { "\n" };
    let name = if path == "-" { "standard input" } else { path };
    call.out(format!("{gap}==> {name} <==\n"))
}

/// Where the last `count` lines begin.
fn last_lines(bytes: &[u8], count: usize) -> usize {
    if count == 0 {
        return bytes.len();
    }
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let mut ends = body.iter().enumerate().rev().filter(|(_, b)| **b == b'\n');
    ends.nth(count - 1).map_or(0, |(at, _)| at + 1)
}

fn tail(call: &mut Call<'_, '_>) -> Exit {
    old_form(call);
    let opts = parse(
        call,
        Grammar {
            short: "n:c:qvfFs:",
            long: &[
                "lines=", "bytes=", "quiet", "silent", "verbose", "follow", "retry",
            ],
        },
    )?;
    let unit = opts.last(&["n", "lines", "c", "bytes"]).unwrap_or("n");
    let by_bytes = matches!(unit, "c" | "bytes");
    let text = opts.value(&["n", "lines", "c", "bytes"]).unwrap_or("10");
    let from_start = text.starts_with('+');
    let Some(count) = number::bytes(text.trim_start_matches(['-', '+'])) else {
        return call.fail(1, format_args!("invalid number '{text}'"));
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let paths = input::or_stdin(&opts.operands);
    let titled =
        (paths.len() > 1 || opts.has(&["v", "verbose"])) && !opts.has(&["q", "quiet", "silent"]);
    let mut code = 0;
    let mut first = true;
    for path in paths {
        let Some(bytes) = slurp_one(call, &path)? else {
            code = 1;
            continue;
        };
        if titled {
            title(call, &path, first)?;
        }
        first = false;
        let start = match (from_start, by_bytes) {
            (true, true) => count.saturating_sub(1).min(bytes.len()),
            (true, false) => {
                let mut ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n');
                match count {
                    0 | 1 => 0,
                    _ => ends.nth(count - 2).map_or(bytes.len(), |(at, _)| at + 1),
                }
            }
            (false, true) => bytes.len().saturating_sub(count),
            (false, false) => last_lines(&bytes, count),
        };
        call.out(&bytes[start..])?;
    }
    if first && call.flavour() == Flavour::Busybox {
        return call.fail(1, "no files");
    }
    if opts.has(&["f", "F", "follow"]) && code == 0 {
        // It would wait for ever.
        return Err(call.kernel.limit(super::super::Limit::Endless, 0));
    }
    Ok(code)
}

fn slurp_one(call: &mut Call<'_, '_>, path: &str) -> Result<Option<Vec<u8>>, Stop> {
    let fd: Option<Fd> = input::open(call, path)?;
    fd.map(|fd| call.kernel.read_all(&fd)).transpose()
}

fn wc(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "lwcmL",
            long: &["lines", "words", "bytes", "chars", "max-line-length"],
        },
    )?;
    let mut shown = [
        opts.has(&["l", "lines"]),
        opts.has(&["w", "words"]),
        opts.has(&["m", "chars"]),
        opts.has(&["c", "bytes"]),
        opts.has(&["L", "max-line-length"]),
    ];
    if shown == [false; 5] {
        shown = [true, true, false, true, false];
    }
    let paths = input::or_stdin(&opts.operands);
    let mut rows: Vec<([u64; 5], String)> = Vec::new();
    let mut total = [0; 5];
    let mut code = 0;
    for path in &paths {
        let bytes = match call.slurp(path)? {
            Ok(bytes) => bytes,
            Err(errno) => {
                input::cannot_open(call, path, errno)?;
                code = 1;
                if errno == crate::fs::Errno::Eisdir {
                    rows.push(([0; 5], path.clone()));
                }
                continue;
            }
        };
        let counts = count(&bytes, size_of_file(call, path));
        for at in 0..4 {
            total[at] += counts[at];
        }
        total[4] = counts[4].max(total[4]);
        let name = match path.as_str() {
            "-" if opts.operands.is_empty() => String::new(),
            path => path.to_string(),
        };
        rows.push((counts, name));
    }
    if paths.len() > 1 {
        rows.push((total, "total".into()));
    }
    let many = shown.iter().filter(|shown| **shown).count() > 1;
    let width = match call.flavour() {
        _ if !many && paths.len() == 1 => 0,
        Flavour::Busybox => 9,
        Flavour::Gnu if opts.operands.is_empty() => 7,
        Flavour::Gnu => total[3].to_string().len(),
    };
    let mut out = String::new();
    for (counts, name) in rows {
        let numbers: Vec<String> = (0..5)
            .filter(|at| shown[*at])
            .map(|at| format!("{:width$}", counts[at]))
            .collect();
        let gap = if name.is_empty() { "" } else { " " };
        out += &format!("{}{gap}{name}\n", numbers.join(" "));
    }
    call.out(out)?;
    Ok(code)
}

/// What `stat` says of a file, which for a stand-in is more than there is to read.
fn size_of_file(call: &Call<'_, '_>, path: &str) -> Option<u64> {
    let handle = call
        .kernel
        .vfs
        .stat(&call.proc.fs, path, crate::fs::Follow::Yes);
    let inode = call.kernel.vfs.inode(handle.ok()?);
    let content = inode.file()?;
    content.is_stand_in().then(|| content.size())
}

/// Lines, words, characters, bytes, and the longest line.
fn count(bytes: &[u8], size: Option<u64>) -> [u64; 5] {
    let lines = bytes.iter().filter(|b| **b == b'\n').count();
    let words = bytes
        .split(|b| b.is_ascii_whitespace() || *b == 11)
        .filter(|word| !word.is_empty())
        .count();
    let widest = bytes.split(|b| *b == b'\n').map(columns).max();
    let size = size.unwrap_or(bytes.len() as u64);
    let numbers = [lines, words].map(|n| n as u64);
    [numbers[0], numbers[1], size, size, widest.unwrap_or(0)]
}

/// The columns that a line takes, with tabs.
fn columns(line: &[u8]) -> u64 {
    line.iter().fold(0, |column, byte| match byte {
        b'\t' => (column | 7) + 1,
        b' '..=b'~' => column + 1,
        _ => column,
    })
}

fn split(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "l:b:a:d",
            long: &["lines=", "bytes=", "suffix-length=", "numeric-suffixes"],
        },
    )?;
    let count = |names: &[&str]| match opts.value(names) {
        None => Ok(None),
        Some(text) => match number::bytes(text) {
            Some(count) if count > 0 => Ok(Some(usize::try_from(count).unwrap_or(usize::MAX))),
            _ => Err(format!("invalid number '{text}'")),
        },
    };
    let sizes = count(&["b", "bytes"]).and_then(|by| Ok((by, count(&["l", "lines"])?)));
    let (by_bytes, by_lines) = match sizes {
        Ok(sizes) => sizes,
        Err(message) => return call.fail(1, message),
    };
    let letters = opts
        .value(&["a", "suffix-length"])
        .and_then(|n| n.parse().ok());
    let letters: usize = letters.unwrap_or(2).clamp(1, 32);
    let path = opts.operands.first().map_or("-", String::as_str);
    let prefix = opts.operands.get(1).map_or("x", String::as_str).to_string();
    let Some(bytes) = input::slurp(call, path)? else {
        return Ok(1);
    };
    let pieces: Vec<&[u8]> = match by_bytes {
        Some(size) => bytes.chunks(size).collect(),
        None => {
            let all: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
            let mut at = 0;
            all.chunks(by_lines.unwrap_or(1000))
                .map(|lines| {
                    let len: usize = lines.iter().map(|line| line.len()).sum();
                    at += len;
                    &bytes[at - len..at]
                })
                .collect()
        }
    };
    let base = if opts.has(&["d", "numeric-suffixes"]) {
        10
    } else {
        26
    };
    for (n, piece) in pieces.into_iter().enumerate() {
        call.kernel.round()?;
        let mut suffix = String::new();
        let mut rest = n;
        for _ in 0..letters {
            let digit = (rest % base) as u8;
            let zero = if base == 10 { b'0' } else { b'a' };
            suffix.insert(0, char::from(zero + digit));
            rest /= base;
        }
        if rest > 0 {
            return call.fail(1, "suffixes exhausted");
        }
        let path = format!("{prefix}{suffix}");
        let written = match call.open(&path, Access::WRITE) {
            Ok(fd) => input::write(call, &fd, piece)?,
            Err(errno) => Err(errno),
        };
        if let Err(errno) = written {
            return call.fail(1, format_args!("can't open '{path}': {errno}"));
        }
    }
    Ok(0)
}
