//! Filters that pass lines on: cat, head, tail, tac, rev, nl, wc, tee, yes.

use super::super::io::Access;
use super::super::{Call, Exit, Program};
use super::input::{Wording, chomp, lines, read};
use super::number;
use super::opts::{Grammar, parse};

pub(super) const TABLE: &[Program] = &[
    Program::executed("cat", cat),
    Program::executed("head", head),
    Program::executed("tail", tail),
    Program::executed("tac", tac),
    Program::executed("rev", rev),
    Program::executed("nl", nl),
    Program::executed("wc", wc),
    Program::executed("tee", tee),
    Program::executed("yes", yes),
];

fn cat(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "nbvteAusET",
            long: &[
                "number",
                "number-nonblank",
                "show-all",
                "show-ends",
                "show-tabs",
                "show-nonprinting",
                "squeeze-blank",
            ],
        },
    )?;
    let numbers = opts.has(&["n", "number"]);
    let filled = opts.has(&["b", "number-nonblank"]);
    let ends = opts.has(&["e", "E", "A", "show-ends", "show-all"]);
    let tabs = opts.has(&["t", "T", "A", "show-tabs", "show-all"]);
    let marks = opts.has(&["v", "e", "t", "A", "show-nonprinting", "show-all"]);
    let squeeze = opts.has(&["s", "squeeze-blank"]);
    let operands = match opts.operands.is_empty() {
        true => vec!["-".to_string()],
        false => opts.operands.clone(),
    };
    let mut code = 0;
    let (mut number, mut blank) = (0, false);
    // One file after the other: what the first prints is there before the second is missed.
    for path in operands {
        let (inputs, failed) = read(call, &[path], Wording::CannotOpen)?;
        code |= i32::from(failed);
        for (_, bytes) in inputs {
            if !(numbers || filled || ends || tabs || marks || squeeze) {
                call.out(bytes)?;
                continue;
            }
            let mut out = Vec::with_capacity(bytes.len() * 2);
            for line in lines(&bytes) {
                let is_blank = chomp(line).is_empty();
                if squeeze && is_blank && blank {
                    continue;
                }
                blank = is_blank;
                if (numbers && !filled) || (filled && !is_blank) {
                    number += 1;
                    out.extend_from_slice(format!("{number:6}\t").as_bytes());
                }
                for byte in chomp(line) {
                    visible(*byte, marks, tabs, &mut out);
                }
                if line.ends_with(b"\n") {
                    if ends {
                        out.push(b'$');
                    }
                    out.push(b'\n');
                }
            }
            call.out(out)?;
        }
    }
    Ok(code)
}

fn visible(byte: u8, marks: bool, tabs: bool, out: &mut Vec<u8>) {
    if byte == b'\t' {
        match tabs {
            true => out.extend_from_slice(b"^I"),
            false => out.push(byte),
        }
        return;
    }
    if !marks {
        out.push(byte);
        return;
    }
    let low = byte & 0x7f;
    if byte >= 0x80 {
        out.extend_from_slice(b"M-");
    }
    match low {
        0..0x20 => out.extend_from_slice(&[b'^', low + 64]),
        0x7f => out.extend_from_slice(b"^?"),
        _ => out.push(low),
    }
}

/// `-5` for `-n 5`, as head and tail still take it.
fn modernise(call: &mut Call<'_, '_>) {
    if let Some(first) = call.args.first_mut()
        && let Some(digits) = first.strip_prefix(['-', '+'])
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
    {
        let sign = if first.starts_with('+') { "+" } else { "" };
        *first = format!("-n{sign}{digits}");
    }
}

fn head(call: &mut Call<'_, '_>) -> Exit {
    modernise(call);
    let opts = parse(
        call,
        Grammar {
            short: "n:c:qv",
            long: &["lines=", "bytes=", "quiet", "silent", "verbose"],
        },
    )?;
    let by_bytes = opts.has(&["c", "bytes"]);
    let text = opts
        .value(&["n", "lines", "c", "bytes"])
        .unwrap_or("10")
        .to_string();
    let (all_but, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.as_str()),
    };
    let Some(count) = number::bytes(digits) else {
        return call.fail(1, format_args!("invalid number '{text}'"));
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let operands = match opts.operands.is_empty() {
        true => vec!["-".to_string()],
        false => opts.operands.clone(),
    };
    let titles =
        (operands.len() > 1 || opts.has(&["v", "verbose"])) && !opts.has(&["q", "quiet", "silent"]);
    let mut code = 0;
    for (n, path) in operands.iter().enumerate() {
        let fd = match path.as_str() {
            "-" => call.proc.fds.get(0).cloned(),
            path => match call.open(path, Access::READ) {
                Ok(fd) => Some(fd),
                Err(errno) => {
                    code = call.fail(1, format_args!("{path}: {errno}"))?;
                    None
                }
            },
        };
        let Some(fd) = fd else { continue };
        if titles {
            let gap = if n > 0 { "\n" } else { "" };
            let name = if path == "-" { "standard input" } else { path };
            call.out(format!("{gap}==> {name} <==\n"))?;
        }
        // Not to the end: what comes may be endless.
        if !all_but && by_bytes {
            let bytes = call.kernel.read(&fd, count)?;
            call.out(bytes)?;
            continue;
        }
        if !all_but {
            for _ in 0..count {
                let line = call.kernel.read_line(&fd)?;
                if line.is_empty() {
                    break;
                }
                call.out(line)?;
            }
            continue;
        }
        let bytes = call.kernel.read_all(&fd)?;
        let all: Vec<&[u8]> = lines(&bytes).collect();
        let out = match by_bytes {
            true => bytes[..bytes.len().saturating_sub(count)].to_vec(),
            false => all[..all.len().saturating_sub(count)].concat(),
        };
        call.out(out)?;
    }
    Ok(code)
}

fn tail(call: &mut Call<'_, '_>) -> Exit {
    modernise(call);
    let opts = parse(
        call,
        Grammar {
            short: "n:c:qvfFs:",
            long: &["lines=", "bytes=", "quiet", "silent", "verbose", "follow"],
        },
    )?;
    let by_bytes = opts.has(&["c", "bytes"]);
    let text = opts
        .value(&["n", "lines", "c", "bytes"])
        .unwrap_or("10")
        .to_string();
    let (from_start, digits) = match text.strip_prefix('+') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('-').unwrap_or(&text)),
    };
    let Some(count) = number::bytes(digits) else {
        return call.fail(1, format_args!("invalid number '{text}'"));
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let (inputs, failed) = read(call, &opts.operands, Wording::CannotOpen)?;
    let titles = (opts.operands.len() > 1 || opts.has(&["v", "verbose"]))
        && !opts.has(&["q", "quiet", "silent"]);
    for (n, (path, bytes)) in inputs.into_iter().enumerate() {
        if titles {
            let gap = if n > 0 { "\n" } else { "" };
            let name = if path == "-" { "standard input" } else { &path };
            call.out(format!("{gap}==> {name} <==\n"))?;
        }
        let all: Vec<&[u8]> = match by_bytes {
            true => bytes.chunks(1).collect(),
            false => lines(&bytes).collect(),
        };
        let start = match from_start {
            true => count.saturating_sub(1).min(all.len()),
            false => all.len().saturating_sub(count),
        };
        call.out(all[start..].concat())?;
    }
    Ok(i32::from(failed))
}

fn tac(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "",
            long: &[],
        },
    )?;
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    for (_, bytes) in inputs {
        let reversed: Vec<&[u8]> = lines(&bytes).rev().collect();
        call.out(reversed.concat())?;
    }
    Ok(i32::from(failed))
}

fn rev(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "",
            long: &[],
        },
    )?;
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    for (_, bytes) in inputs {
        let mut out = String::new();
        for line in lines(&bytes) {
            out.extend(String::from_utf8_lossy(chomp(line)).chars().rev());
            if line.ends_with(b"\n") {
                out.push('\n');
            }
        }
        call.out(out)?;
    }
    Ok(i32::from(failed))
}

fn nl(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "b:i:s:v:w:pl:n:",
            long: &[
                "body-numbering=",
                "number-width=",
                "number-separator=",
                "starting-line-number=",
            ],
        },
    )?;
    let all = opts.value(&["b", "body-numbering"]) == Some("a");
    let value = |names: &[&str], default: usize| {
        let value = opts.value(names).and_then(|text| text.parse().ok());
        value.unwrap_or(default)
    };
    let width = value(&["w", "number-width"], 6).min(100);
    let separator = opts.value(&["s", "number-separator"]).unwrap_or("\t");
    let mut number = value(&["v", "starting-line-number"], 1);
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    let mut out = Vec::new();
    for (_, bytes) in inputs {
        for line in lines(&bytes) {
            if all || !chomp(line).is_empty() {
                out.extend_from_slice(format!("{number:width$}{separator}").as_bytes());
                number += value(&["i"], 1);
            } else {
                out.resize(out.len() + width + separator.len(), b' ');
            }
            out.extend_from_slice(chomp(line));
            out.push(b'\n');
        }
    }
    call.out(out)?;
    Ok(i32::from(failed))
}

fn wc(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "clmwL",
            long: &["bytes", "lines", "chars", "words", "max-line-length"],
        },
    )?;
    let shown: Vec<usize> = [
        ["l", "lines"],
        ["w", "words"],
        ["m", "chars"],
        ["c", "bytes"],
        ["L", "max-line-length"],
    ]
    .iter()
    .enumerate()
    .filter(|(_, names)| opts.has(&names[..]))
    .map(|(at, _)| at)
    .collect();
    let shown = if shown.is_empty() {
        vec![0, 1, 3]
    } else {
        shown
    };
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    let several = opts.operands.len() > 1;
    let mut total = [0; 5];
    let mut rows: Vec<([usize; 5], String)> = Vec::new();
    for (path, bytes) in inputs {
        let text = String::from_utf8_lossy(&bytes);
        let counts = [
            bytes.iter().filter(|b| **b == b'\n').count(),
            text.split_whitespace().count(),
            text.chars().count(),
            bytes.len(),
            text.lines()
                .map(|line| line.chars().count())
                .max()
                .unwrap_or(0),
        ];
        for (at, count) in counts.iter().enumerate() {
            total[at] = match at {
                4 => total[at].max(*count),
                _ => total[at] + count,
            };
        }
        let named = !opts.operands.is_empty();
        rows.push((counts, if named { path } else { String::new() }));
    }
    if several {
        rows.push((total, "total".into()));
    }
    // busybox aligns to nine columns where more than one figure is shown, GNU to the widest.
    let width = match call.flavour() {
        super::super::Flavour::Busybox => 9,
        super::super::Flavour::Gnu if opts.operands.is_empty() => 7,
        super::super::Flavour::Gnu => {
            let widest = total.iter().max().copied().unwrap_or(0);
            widest.to_string().len()
        }
    };
    let mut out = String::new();
    for (counts, name) in rows {
        let figures: Vec<String> = shown
            .iter()
            .map(|at| match shown.len() {
                1 if !several => counts[*at].to_string(),
                _ => format!("{:>width$}", counts[*at]),
            })
            .collect();
        out += &figures.join(" ");
        if !name.is_empty() {
            out += &format!(" {name}");
        }
        out.push('\n');
    }
    call.out(out)?;
    Ok(i32::from(failed))
}

fn tee(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "ai",
            long: &["append", "ignore-interrupts"],
        },
    )?;
    let access = match opts.has(&["a", "append"]) {
        true => Access::APPEND,
        false => Access::WRITE,
    };
    let mut code = 0;
    let mut files = Vec::new();
    for path in &opts.operands {
        match call.open(path, access) {
            Ok(fd) => files.push(fd),
            Err(errno) => code = call.fail(1, format_args!("{path}: {errno}"))?,
        }
    }
    let bytes = call.stdin()?;
    call.out(&bytes)?;
    for fd in files {
        if let Err(super::super::io::WriteError::Stop(stop)) = call.kernel.write(&fd, &bytes) {
            return Err(stop);
        }
    }
    Ok(code)
}

fn yes(call: &mut Call<'_, '_>) -> Exit {
    let line = match call.args.is_empty() {
        true => "y".to_string(),
        false => call.args.join(" "),
    };
    let line = format!("{line}\n");
    Err(call.kernel.write_endlessly(call.proc, line.as_bytes()))
}
