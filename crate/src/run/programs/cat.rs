//! Passing files on: cat, tee, tac, rev, nl; and yes.

use super::super::io::Access;
use super::super::{Call, Exit, Program};
use super::input;
use super::opts::{Grammar, parse};

pub(super) const TABLE: &[Program] = &[
    Program::executed("cat", cat),
    Program::executed("tee", tee),
    Program::executed("tac", tac),
    Program::executed("rev", rev),
    Program::executed("nl", nl),
    Program::executed("yes", yes),
];

fn cat(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "nbvteAETsu",
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
    let number = opts.has(&["n", "number", "b", "number-nonblank"]);
    let nonblank = opts.has(&["b", "number-nonblank"]);
    let ends = opts.has(&["e", "A", "E", "show-all", "show-ends"]);
    let tabs = opts.has(&["t", "A", "T", "show-all", "show-tabs"]);
    let marks = opts.has(&["v", "e", "t", "A", "show-all", "show-nonprinting"]);
    let mut line = 0;
    let mut at_start = true;
    let mut filter = |bytes: &[u8]| {
        if !(number || ends || tabs || marks) {
            return bytes.to_vec();
        }
        let mut out = Vec::new();
        for &byte in bytes {
            if at_start && number && !(nonblank && byte == b'\n') {
                line += 1;
                out.extend_from_slice(format!("{line:6}\t").as_bytes());
            }
            at_start = byte == b'\n';
            match byte {
                b'\n' if ends => out.extend_from_slice(b"$\n"),
                b'\n' => out.push(byte),
                b'\t' if !tabs => out.push(byte),
                _ if marks || (tabs && byte == b'\t') => visible(byte, &mut out),
                _ => out.push(byte),
            }
        }
        out
    };
    let mut code = 0;
    for path in input::or_stdin(&opts.operands) {
        match input::open(call, &path)? {
            Some(fd) => input::pump(call, &fd, &mut filter)?,
            None => code = 1,
        }
    }
    Ok(code)
}

/// Control characters as `^X`, bytes from 128 on as `M-`.
fn visible(mut byte: u8, out: &mut Vec<u8>) {
    if byte >= 128 {
        out.extend_from_slice(b"M-");
        byte -= 128;
    }
    match byte {
        0..32 => out.extend([b'^', byte + 64]),
        127 => out.extend_from_slice(b"^?"),
        _ => out.push(byte),
    }
}

fn tee(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "aip",
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
        if path == "-" {
            files.extend(call.proc.fds.get(1).cloned());
            continue;
        }
        match call.open(path, access) {
            Ok(fd) => files.push(fd),
            Err(errno) => code = call.fail(1, format_args!("{path}: {errno}"))?,
        }
    }
    let bytes = call.stdin()?;
    for fd in files {
        if let Err(errno) = input::write(call, &fd, &bytes)? {
            code = call.fail(1, format_args!("write error: {errno}"))?;
        }
    }
    call.out(bytes)?;
    Ok(code)
}

fn tac(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "",
            long: &[],
        },
    )?;
    let mut code = 0;
    for path in input::or_stdin(&opts.operands) {
        let Some(bytes) = input::slurp(call, &path)? else {
            code = 1;
            continue;
        };
        let pieces: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').rev().collect();
        call.out(pieces.concat())?;
    }
    Ok(code)
}

fn rev(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "",
            long: &[],
        },
    )?;
    let mut code = 0;
    for path in input::or_stdin(&opts.operands) {
        let Some(bytes) = input::slurp(call, &path)? else {
            code = 1;
            continue;
        };
        let mut out = Vec::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            let (text, end) = match line.strip_suffix(b"\n") {
                Some(text) => (text, &b"\n"[..]),
                None => (line, &b""[..]),
            };
            let turned: String = input::decode(text).chars().rev().collect();
            out.extend(input::encode(&turned));
            out.extend_from_slice(end);
        }
        call.out(out)?;
    }
    Ok(code)
}

fn nl(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "b:i:s:v:w:n:",
            long: &[
                "body-numbering=",
                "line-increment=",
                "number-separator=",
                "starting-line-number=",
                "number-width=",
                "number-format=",
            ],
        },
    )?;
    let number = |names: &[&str], default: i64| {
        opts.value(names)
            .and_then(|n| n.parse().ok())
            .unwrap_or(default)
    };
    let style = opts.value(&["b", "body-numbering"]).unwrap_or("t");
    let step = number(&["i", "line-increment"], 1);
    let width = number(&["w", "number-width"], 6).clamp(1, 1000) as usize;
    let between = opts.value(&["s", "number-separator"]).unwrap_or("\t");
    let mut next = number(&["v", "starting-line-number"], 1);
    let (bytes, code) = input::join(call, &opts.operands)?;
    let mut out = Vec::new();
    for line in input::lines(&bytes) {
        let numbered = match style {
            "a" => true,
            "n" => false,
            _ => !line.is_empty(),
        };
        if numbered {
            let shown = match opts.value(&["n", "number-format"]) {
                Some("ln") => format!("{next:<width$}"),
                Some("rz") => format!("{next:0width$}"),
                _ => format!("{next:width$}"),
            };
            out.extend_from_slice(format!("{shown}{between}").as_bytes());
            next = next.saturating_add(step);
        } else {
            out.resize(out.len() + width + between.len(), b' ');
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    call.out(out)?;
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
