//! Bytes: dd, od, hexdump, cmp.

use super::super::io::{Access, WriteError};
use super::super::{Call, Exit, Flavour, Program, Stop};
use super::opts::{Grammar, parse};
use super::{input, number};
use crate::fs::{Content, Flags};

pub(super) const TABLE: &[Program] = &[
    Program::executed("dd", dd),
    Program::executed("od", od),
    Program::executed("hexdump", hexdump),
    Program::executed("cmp", cmp),
];

/// What `dd` holds of an endless input, in bytes; what is above is a stand-in.
const MAX_HELD: u64 = 16 << 20;

fn dd(call: &mut Call<'_, '_>) -> Exit {
    let (mut from, mut to) = (None, None);
    let (mut in_size, mut out_size) = (512, 512);
    let (mut count, mut skip, mut seek) = (None, 0, 0);
    let (mut truncates, mut appends, mut quiet) = (true, false, false);
    for arg in call.args.clone() {
        let Some((name, value)) = arg.split_once('=') else {
            return call.fail(1, format_args!("unrecognized operand '{arg}'"));
        };
        let size = || {
            let product = value.split('x').try_fold(1_u64, |product, factor| {
                product.checked_mul(number::bytes(factor)?)
            });
            product.ok_or(())
        };
        let words = |wanted: &str| value.split(',').any(|word| word == wanted);
        let parsed = match name {
            "bs" => size().map(|size| (in_size, out_size) = (size, size)),
            "ibs" => size().map(|size| in_size = size),
            "obs" => size().map(|size| out_size = size),
            "count" => size().map(|size| count = Some(size)),
            "skip" | "iseek" => size().map(|size| skip = size),
            "seek" | "oseek" => size().map(|size| seek = size),
            "if" => {
                from = Some(value.to_string());
                Ok(())
            }
            "of" => {
                to = Some(value.to_string());
                Ok(())
            }
            "status" => {
                quiet = value == "none";
                Ok(())
            }
            "conv" => {
                truncates &= !words("notrunc");
                Ok(())
            }
            "oflag" => {
                appends = words("append");
                Ok(())
            }
            "iflag" | "cbs" => Ok(()),
            _ => return call.fail(1, format_args!("unrecognized operand '{arg}'")),
        };
        if parsed.is_err() || in_size == 0 || out_size == 0 {
            return call.fail(1, format_args!("invalid number '{value}'"));
        }
    }
    let source = match &from {
        None => input::open(call, "-")?,
        Some(path) => match call.open(path, Access::READ) {
            Ok(fd) => Some(fd),
            Err(errno) => return cannot_open(call, path, errno),
        },
    };
    let Some(source) = source else {
        return Ok(1);
    };
    let access = Access {
        append: appends,
        flags: Flags {
            truncate: truncates && seek == 0 && !appends,
            ..Access::WRITE.flags
        },
        ..Access::WRITE
    };
    let target = match &to {
        None => call.proc.fds.get(1).cloned(),
        Some(path) => match call.open(path, access) {
            Ok(fd) => Some(fd),
            Err(errno) => return cannot_open(call, path, errno),
        },
    };
    let Some(target) = target else {
        return Ok(1);
    };
    let total = count.map(|count| in_size.saturating_mul(count));
    let at = seek.saturating_mul(out_size);
    if let super::super::Open::File { handle, offset, .. } = &mut *target.borrow_mut()
        && at > 0
    {
        // What is in front stays or is zeros; with truncation, what is behind goes.
        let old = call
            .kernel
            .vfs
            .inode(*handle)
            .file()
            .cloned()
            .unwrap_or_default();
        let Ok(start) = usize::try_from(at.min(MAX_HELD)) else {
            return Ok(1);
        };
        let mut bytes = old.bytes().to_vec();
        let len = if truncates {
            start
        } else {
            bytes.len().max(start)
        };
        bytes.resize(len, 0);
        let content = match truncates && at > MAX_HELD {
            true => Content::stand_in(bytes, at),
            false => Content::new(bytes),
        };
        let _ = call.kernel.vfs.write_handle(*handle, content);
        *offset = start;
    }
    let skipped = usize::try_from(skip.saturating_mul(in_size)).unwrap_or(usize::MAX);
    call.kernel.read(&source, skipped.min(MAX_HELD as usize))?;
    let endless = matches!(
        &*source.borrow(),
        super::super::Open::Zero | super::super::Open::Full | super::super::Open::Random(_)
    );
    let bytes = match total {
        None => call.kernel.read_all(&source)?,
        Some(total) => {
            let most = if endless { total.min(MAX_HELD) } else { total };
            call.kernel
                .read(&source, usize::try_from(most).unwrap_or(usize::MAX))?
        }
    };
    // More zeros than are held: their number is what counts.
    let nominal = total.filter(|total| endless && *total > MAX_HELD);
    let len = nominal.unwrap_or(bytes.len() as u64);
    let file = match &*target.borrow() {
        super::super::Open::File { handle, .. } => Some(*handle),
        _ => None,
    };
    match (nominal, file) {
        (Some(size), Some(handle)) => {
            let spent = super::super::cost::disk(call.kernel.host.machine(), size);
            call.kernel.spend(spent);
            let content = Content::stand_in(Vec::new(), at + size);
            if let Err(errno) = call.kernel.vfs.write_handle(handle, content) {
                return call.fail(1, format_args!("error writing: {errno}"));
            }
        }
        _ => match call.kernel.write(&target, &bytes) {
            Ok(()) => {}
            Err(WriteError::Stop(stop)) => return Err(stop),
            Err(WriteError::Errno(errno)) => {
                let shown = to.as_deref().unwrap_or("standard output");
                let text = match call.flavour() {
                    Flavour::Busybox => format!("error writing '{shown}': {errno}"),
                    Flavour::Gnu => format!("error writing '{shown}': {errno}"),
                };
                return call.fail(1, text);
            }
        },
    }
    if !quiet {
        let records = |size: u64| format!("{}+{}", len / size, u64::from(len % size > 0));
        call.err(format!(
            "{} records in\n{} records out\n",
            records(in_size),
            records(out_size)
        ))?;
        if call.flavour() == Flavour::Gnu {
            call.err(format!("{len} bytes copied, 0.001 s, {len} B/s\n"))?;
        }
    }
    Ok(0)
}

fn cannot_open(call: &mut Call<'_, '_>, path: &str, errno: crate::fs::Errno) -> Exit {
    let text = match call.flavour() {
        Flavour::Busybox => format!("can't open '{path}': {errno}"),
        Flavour::Gnu => format!("failed to open '{path}': {errno}"),
    };
    call.fail(1, text)
}

/// The inputs together, cut to the part that `-j` (`-s`) and `-N` (`-n`) name.
fn part(
    call: &mut Call<'_, '_>,
    operands: &[String],
    skip: Option<&str>,
    most: Option<&str>,
) -> Result<(Vec<u8>, usize, i32), Stop> {
    let read = |text: Option<&str>| {
        let text = text?;
        let hex = text
            .strip_prefix("0x")
            .map(|digits| u64::from_str_radix(digits, 16).ok());
        hex.unwrap_or_else(|| number::bytes(text))
    };
    let skip = read(skip).unwrap_or(0) as usize;
    let most = read(most).map_or(usize::MAX, |most| most as usize);
    let single = operands.len() <= 1;
    let (bytes, code) = match operands.first() {
        first if single && skip == 0 && most < usize::MAX => {
            let path = first.map_or("-", String::as_str).to_string();
            match input::open(call, &path)? {
                Some(fd) => (call.kernel.read(&fd, most)?, 0),
                None => (Vec::new(), 1),
            }
        }
        _ => input::join(call, operands)?,
    };
    let start = skip.min(bytes.len());
    let end = start.saturating_add(most).min(bytes.len());
    Ok((bytes[start..end].to_vec(), start, code))
}

fn od(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "abcdefhilovxsA:j:N:t:w:",
            long: &[
                "address-radix=",
                "skip-bytes=",
                "read-bytes=",
                "format=",
                "output-duplicates",
                "width=",
            ],
        },
    )?;
    let (bytes, start, code) = part(
        call,
        &opts.operands,
        opts.value(&["j", "skip-bytes"]),
        opts.value(&["N", "read-bytes"]),
    )?;
    let short = opts.last(&["a", "b", "c", "d", "o", "x", "h"]);
    let format = opts
        .value(&["t", "format"])
        .map(String::from)
        .unwrap_or_else(|| {
            match short {
                Some("b") => "o1",
                Some("c") => "c",
                Some("a") => "a",
                Some("d") => "u2",
                Some("x" | "h") => "x2",
                _ => "o2",
            }
            .to_string()
        });
    let format = format.trim_end_matches('z');
    let (kind, size) = format.split_at(format.len().min(1));
    let size = match size {
        "C" => 1,
        "S" => 2,
        "I" => 4,
        "L" => 8,
        size => size
            .parse::<usize>()
            .unwrap_or(if matches!(kind, "a" | "c") { 1 } else { 4 }),
    };
    if ![1, 2, 4, 8].contains(&size) || !matches!(kind, "a" | "c" | "d" | "o" | "u" | "x") {
        return call.fail(1, format_args!("invalid type string '{format}'"));
    }
    let row = opts
        .value(&["w", "width"])
        .and_then(|n| n.parse().ok())
        .unwrap_or(16_usize)
        .max(1);
    let address = |at: usize| match opts.value(&["A", "address-radix"]) {
        Some("n") => String::new(),
        Some("x") => format!("{at:06x}"),
        Some("d") => format!("{at:07}"),
        _ => format!("{at:07o}"),
    };
    let mut out = String::new();
    let mut last: Option<&[u8]> = None;
    let mut starred = false;
    let all = opts.has(&["v", "output-duplicates"]);
    for (n, chunk) in bytes.chunks(row).enumerate() {
        if !all && last == Some(chunk) && chunk.len() == row {
            if !std::mem::replace(&mut starred, true) {
                out += "*\n";
            }
            continue;
        }
        (last, starred) = (Some(chunk), false);
        out += &address(start + n * row);
        for unit in chunk.chunks(size) {
            out += &unit_text(unit, kind, size);
        }
        out.push('\n');
    }
    let end = address(start + bytes.len());
    if !end.is_empty() {
        out += &end;
        out.push('\n');
    }
    call.out(out)?;
    Ok(code)
}

fn unit_text(unit: &[u8], kind: &str, size: usize) -> String {
    let value = unit
        .iter()
        .rev()
        .fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    let bits = 8 * size as u32;
    match kind {
        "c" | "a" => {
            const NAMES: [&str; 33] = [
                "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt",
                "ff", "cr", "so", "si", "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb",
                "can", "em", "sub", "esc", "fs", "gs", "rs", "us", "sp",
            ];
            let byte = unit[0];
            let text = match (kind, byte) {
                ("a", 127) => "del".to_string(),
                ("a", byte) if byte < 33 => NAMES[usize::from(byte)].to_string(),
                (_, 0) => "\\0".to_string(),
                (_, 7) => "\\a".to_string(),
                (_, 8) => "\\b".to_string(),
                (_, 9) => "\\t".to_string(),
                (_, 10) => "\\n".to_string(),
                (_, 11) => "\\v".to_string(),
                (_, 12) => "\\f".to_string(),
                (_, 13) => "\\r".to_string(),
                (_, b' '..=b'~') => char::from(byte).to_string(),
                _ => format!("{byte:03o}"),
            };
            format!("{text:>4}")
        }
        "x" => format!(" {value:0width$x}", width = 2 * size),
        "o" => format!(" {value:0width$o}", width = bits.div_ceil(3) as usize),
        "u" => {
            let width = [0, 3, 5, 0, 10, 0, 0, 0, 20][size];
            format!(" {value:width$}")
        }
        _ => {
            let shift = 64 - bits;
            let signed = ((value << shift) as i64) >> shift;
            let width = [0, 4, 6, 0, 11, 0, 0, 0, 20][size];
            format!(" {signed:width$}")
        }
    }
}

fn hexdump(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "bcCdoxve:n:s:",
            long: &[],
        },
    )?;
    let (bytes, start, code) = part(call, &opts.operands, opts.value(&["s"]), opts.value(&["n"]))?;
    let canonical = opts.has(&["C"]);
    if let Some(format) = opts.value(&["e"]) {
        // The one format that is common: each byte in hexadecimal digits.
        if !format.contains("%02x") {
            call.kernel.mark(super::super::Fidelity::NotSimulated);
            return Ok(0);
        }
        let out: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        call.out(out)?;
        return Ok(code);
    }
    let mut out = String::new();
    let mut last: Option<&[u8]> = None;
    let mut starred = false;
    for (n, chunk) in bytes.chunks(16).enumerate() {
        if !opts.has(&["v"]) && last == Some(chunk) && chunk.len() == 16 {
            if !std::mem::replace(&mut starred, true) {
                out += "*\n";
            }
            continue;
        }
        (last, starred) = (Some(chunk), false);
        let at = start + 16 * n;
        if canonical {
            let mut hex = String::new();
            for (column, byte) in chunk.iter().enumerate() {
                hex += if column == 8 { "  " } else { " " };
                hex += &format!("{byte:02x}");
            }
            let text: String = chunk
                .iter()
                .map(|byte| {
                    if (b' '..=b'~').contains(byte) {
                        char::from(*byte)
                    } else {
                        '.'
                    }
                })
                .collect();
            out += &format!("{at:08x} {hex:<49}  |{text}|\n");
        } else {
            let mut line = format!("{at:07x}");
            for pair in chunk.chunks(2) {
                line += &unit_text(pair, "x", 2);
            }
            let width = 7 + 5 * 8;
            out += &format!("{line:<width$}\n");
        }
    }
    if !bytes.is_empty() {
        let end = start + bytes.len();
        out += &if canonical {
            format!("{end:08x}\n")
        } else {
            format!("{end:07x}\n")
        };
    }
    call.out(out)?;
    Ok(code)
}

fn cmp(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "sln:b",
            long: &["silent", "quiet", "verbose", "bytes="],
        },
    )?;
    let (left_name, right_name) = match &opts.operands[..] {
        [left] => (left.clone(), "-".to_string()),
        [left, right, ..] => (left.clone(), right.clone()),
        [] => return call.fail(2, "missing operand"),
    };
    let Some(left) = input::slurp(call, &left_name)? else {
        return Ok(2);
    };
    let Some(right) = input::slurp(call, &right_name)? else {
        return Ok(2);
    };
    let most = opts.value(&["n", "bytes"]).and_then(number::bytes);
    let most = most.map_or(usize::MAX, |most| most as usize);
    let (left, right) = (
        &left[..left.len().min(most)],
        &right[..right.len().min(most)],
    );
    let silent = opts.has(&["s", "silent", "quiet"]);
    let mut different = left
        .iter()
        .zip(right)
        .enumerate()
        .filter(|(_, (a, b))| a != b);
    if opts.has(&["l", "verbose"]) && !silent {
        let lines: String = different
            .map(|(at, (a, b))| format!("{} {a:>3o} {b:>3o}\n", at + 1))
            .collect();
        let same = lines.is_empty() && left.len() == right.len();
        call.out(lines)?;
        return Ok(i32::from(!same));
    }
    if let Some((at, _)) = different.next() {
        if !silent {
            let line = left[..at].iter().filter(|b| **b == b'\n').count() + 1;
            let unit = if call.flavour() == Flavour::Gnu {
                "byte"
            } else {
                "char"
            };
            call.out(format!(
                "{left_name} {right_name} differ: {unit} {}, line {line}\n",
                at + 1
            ))?;
        }
        return Ok(1);
    }
    if left.len() == right.len() {
        return Ok(0);
    }
    let shorter = if left.len() < right.len() {
        &left_name
    } else {
        &right_name
    };
    if !silent {
        let text = format!("EOF on {shorter}");
        call.complain(text)?;
    }
    Ok(1)
}
