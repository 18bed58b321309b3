//! Columns and characters: cut, paste, tr, fold, expand, unexpand.

use super::super::{Call, Exit, Program};
use super::input;
use super::opts::{Grammar, parse};

pub(super) const TABLE: &[Program] = &[
    Program::executed("cut", cut),
    Program::executed("paste", paste),
    Program::executed("tr", tr),
    Program::executed("fold", fold),
    Program::executed("expand", expand),
    Program::executed("unexpand", unexpand),
];

/// `1,3-5,7-` as ranges counted from 0, ends not included.
fn ranges(text: &str) -> Option<Vec<(usize, usize)>> {
    let mut found = Vec::new();
    for part in text.split([',', ' ']) {
        let (from, to) = match part.split_once('-') {
            Some((from, to)) => (from, to),
            None => (part, part),
        };
        if from.is_empty() && to.is_empty() {
            return None;
        }
        let from = if from.is_empty() {
            1
        } else {
            from.parse::<usize>().ok()?
        };
        let to = if to.is_empty() {
            usize::MAX
        } else {
            to.parse().ok()?
        };
        if from == 0 || to < from {
            return None;
        }
        found.push((from - 1, to));
    }
    crate::order::sort(&mut found);
    Some(found)
}

fn cut(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "b:c:f:d:sn",
            long: &[
                "bytes=",
                "characters=",
                "fields=",
                "delimiter=",
                "only-delimited",
                "complement",
                "output-delimiter=",
            ],
        },
    )?;
    let kinds: [(&[&str], bool); 3] = [
        (&["b", "bytes"], false),
        (&["c", "characters"], false),
        (&["f", "fields"], true),
    ];
    let mut given = kinds.iter().filter(|(names, _)| opts.has(names));
    let Some((names, by_field)) = given.next().copied() else {
        return call.fail(1, "expected a list of bytes, characters, or fields");
    };
    if given.next().is_some() {
        return call.fail(1, "only one type of list may be specified");
    }
    let list = opts.value(names).unwrap_or_default();
    let Some(mut ranges) = ranges(list) else {
        return call.fail(1, format_args!("invalid range '{list}'"));
    };
    if opts.has(&["complement"]) {
        ranges = complement(&ranges);
    }
    let delimiter = opts.value(&["d", "delimiter"]).unwrap_or("\t").to_string();
    if by_field && delimiter.len() > 1 && call.flavour() == super::Flavour::Gnu {
        return call.fail(1, "the delimiter must be a single character");
    }
    let delimiter = delimiter.bytes().next().unwrap_or(0);
    let between = match opts.value(&["output-delimiter"]) {
        Some(text) => text.as_bytes().to_vec(),
        None if by_field => vec![delimiter],
        None => Vec::new(),
    };
    let mut code = 0;
    for path in input::or_stdin(&opts.operands) {
        let Some(bytes) = input::slurp(call, &path)? else {
            code = 1;
            continue;
        };
        let mut out = Vec::new();
        for line in input::lines(&bytes) {
            if by_field && !line.contains(&delimiter) {
                if !opts.has(&["s", "only-delimited"]) {
                    out.extend_from_slice(line);
                    out.push(b'\n');
                }
                continue;
            }
            let parts: Vec<&[u8]> = match by_field {
                true => line.split(|b| *b == delimiter).collect(),
                false => line.chunks(1).collect(),
            };
            out.extend(select(&parts, &ranges).join(&between[..]));
            out.push(b'\n');
        }
        call.out(out)?;
    }
    Ok(code)
}

fn complement(ranges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    for (from, to) in ranges {
        if *from > at {
            found.push((at, *from));
        }
        at = at.max(*to);
    }
    found.push((at, usize::MAX));
    found
}

/// The parts in the ranges, each once and in order.
fn select<'a>(parts: &[&'a [u8]], ranges: &[(usize, usize)]) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    let mut at = 0;
    for (from, to) in ranges {
        let from = (*from).max(at);
        let to = (*to).min(parts.len());
        if from < to {
            found.extend_from_slice(&parts[from..to]);
        }
        at = at.max(to);
    }
    found
}

fn paste(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "d:s",
            long: &["delimiters=", "serial"],
        },
    )?;
    let mut delimiters = Vec::new();
    let mut chars = opts.value(&["d", "delimiters"]).unwrap_or("\t").chars();
    while let Some(c) = chars.next() {
        let text = match c {
            '\\' => match chars.next() {
                Some('n') => "\n".to_string(),
                Some('t') => "\t".to_string(),
                Some('0') => String::new(),
                Some(other) => other.to_string(),
                None => "\\".to_string(),
            },
            c => c.to_string(),
        };
        delimiters.push(text);
    }
    if delimiters.is_empty() {
        delimiters.push(String::new());
    }
    let paths = input::or_stdin(&opts.operands);
    let dashes = paths.iter().filter(|path| *path == "-").count();
    let mut files: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut dash_at = 0;
    let stdin = match dashes {
        0 => Vec::new(),
        _ => call.stdin()?,
    };
    for path in &paths {
        let rows = if path == "-" {
            // Each of several `-` takes its turn with the lines.
            let turn = dash_at;
            dash_at += 1;
            let lines = input::lines(&stdin).enumerate();
            let mine = lines.filter(|(n, _)| opts.has(&["s"]) || n % dashes == turn);
            mine.map(|(_, line)| line.to_vec()).collect()
        } else {
            match input::slurp(call, path)? {
                Some(bytes) => input::lines(&bytes).map(<[u8]>::to_vec).collect(),
                None => return Ok(1),
            }
        };
        files.push(rows);
    }
    let glue = |row: &[&[u8]]| {
        let mut out = Vec::new();
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(delimiters[(at - 1) % delimiters.len()].as_bytes());
            }
            out.extend_from_slice(cell);
        }
        out.push(b'\n');
        out
    };
    let mut out = Vec::new();
    if opts.has(&["s", "serial"]) {
        for rows in &files {
            let row: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
            out.extend(glue(&row));
        }
    } else {
        let height = files.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..height {
            let cells = files.iter().map(|rows| rows.get(at).map(Vec::as_slice));
            let row: Vec<&[u8]> = match call.flavour() {
                // busybox leaves files out that have ended, delimiters and all.
                super::Flavour::Busybox => cells.flatten().collect(),
                super::Flavour::Gnu => cells.map(Option::unwrap_or_default).collect(),
            };
            out.extend(glue(&row));
        }
    }
    call.out(out)?;
    Ok(0)
}

/// The bytes that a set of `tr` names, in order.
fn set(text: &str) -> Vec<u8> {
    let mut items: Vec<(u8, bool)> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' || at + 1 == bytes.len() {
            items.push((bytes[at], false));
            at += 1;
            continue;
        }
        at += 1;
        let octal = bytes[at..]
            .iter()
            .take(3)
            .take_while(|b| (b'0'..b'8').contains(b))
            .count();
        let byte = if octal > 0 {
            let digits = &bytes[at..at + octal];
            at += octal - 1;
            digits.iter().fold(0_u8, |value, digit| {
                value.wrapping_mul(8).wrapping_add(digit - b'0')
            })
        } else {
            match bytes[at] {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'a' => 7,
                b'b' => 8,
                b'f' => 12,
                b'v' => 11,
                other => other,
            }
        };
        items.push((byte, true));
        at += 1;
    }
    let mut out = Vec::new();
    let mut at = 0;
    let plain = |at: usize, byte: u8| items.get(at) == Some(&(byte, false));
    while at < items.len() {
        if plain(at, b'[')
            && let Some((members, len)) = class(&items[at..])
        {
            out.extend(members);
            at += len;
        } else if plain(at + 1, b'-') && at + 2 < items.len() && items[at].0 <= items[at + 2].0 {
            out.extend(items[at].0..=items[at + 2].0);
            at += 3;
        } else {
            out.push(items[at].0);
            at += 1;
        }
    }
    out
}

/// `[:alpha:]` or `[=a=]` at the start of `items`: its members and its length.
fn class(items: &[(u8, bool)]) -> Option<(Vec<u8>, usize)> {
    let sign = items.get(1).filter(|(c, _)| matches!(c, b':' | b'='))?.0;
    let end = items[2..]
        .windows(2)
        .position(|pair| pair[0].0 == sign && pair[1].0 == b']')?;
    let name: String = items[2..2 + end]
        .iter()
        .map(|(c, _)| char::from(*c))
        .collect();
    let len = 2 + end + 2;
    if sign == b'=' {
        return (name.len() == 1).then(|| (name.into_bytes(), len));
    }
    let belongs = super::regex::class(&name)?;
    let members = (0..=127_u8).filter(|c| belongs(char::from(*c))).collect();
    Some((members, len))
}

fn tr(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "+cCdst",
            long: &["complement", "delete", "squeeze-repeats", "truncate-set1"],
        },
    )?;
    let delete = opts.has(&["d", "delete"]);
    let squeeze = opts.has(&["s", "squeeze-repeats"]);
    let Some(first) = opts.operands.first() else {
        return call.fail(1, "missing operand");
    };
    if opts.operands.len() < 2 && !delete && !squeeze {
        return call.fail(1, format_args!("missing operand after '{first}'"));
    }
    let mut from = set(first);
    if opts.has(&["c", "C", "complement"]) {
        from = (0..=255).filter(|c| !from.contains(c)).collect();
    }
    let to = opts.operands.get(1).map(|text| set(text));
    let mut map: [u8; 256] = std::array::from_fn(|at| at as u8);
    if let Some(to) = to.as_ref().filter(|_| !delete) {
        for (at, byte) in from.iter().enumerate() {
            if let Some(target) = to.get(at).or(to.last()) {
                map[usize::from(*byte)] = *target;
            }
        }
    }
    let mut gone = [false; 256];
    let mut once = [false; 256];
    if delete {
        from.iter().for_each(|c| gone[usize::from(*c)] = true);
    }
    if squeeze {
        let which = to.as_ref().unwrap_or(&from);
        which.iter().for_each(|c| once[usize::from(*c)] = true);
    }
    let mut last = None;
    let fd = input::open(call, "-")?.unwrap_or_else(|| super::super::Open::Null.fd());
    input::pump(call, &fd, |bytes| {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if gone[usize::from(*byte)] {
                continue;
            }
            let byte = map[usize::from(*byte)];
            if once[usize::from(byte)] && last == Some(byte) {
                continue;
            }
            last = Some(byte);
            out.push(byte);
        }
        out
    })?;
    Ok(0)
}

fn fold(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "bsw:",
            long: &["bytes", "spaces", "width="],
        },
    )?;
    let width = opts
        .value(&["w", "width"])
        .map_or(Some(80), |n| n.parse().ok());
    let Some(width) = width.filter(|width: &usize| *width > 0) else {
        let text = opts.value(&["w", "width"]).unwrap_or_default();
        return call.fail(1, format_args!("invalid number '{text}'"));
    };
    let (bytes, code) = input::join(call, &opts.operands)?;
    let mut out = Vec::new();
    let mut line: Vec<u8> = Vec::new();
    let mut column = 0;
    let advance = |column: usize, byte: u8| match byte {
        _ if opts.has(&["b", "bytes"]) => column + 1,
        b'\t' => (column / 8 + 1) * 8,
        8 => column.saturating_sub(1),
        b'\r' => 0,
        _ => column + 1,
    };
    for byte in bytes {
        if byte == b'\n' {
            out.append(&mut line);
            out.push(b'\n');
            column = 0;
            continue;
        }
        if advance(column, byte) > width && !line.is_empty() {
            let space = line.iter().rposition(|b| matches!(b, b' ' | b'\t'));
            let rest = match space {
                Some(at) if opts.has(&["s", "spaces"]) => line.split_off(at + 1),
                _ => Vec::new(),
            };
            out.append(&mut line);
            out.push(b'\n');
            column = rest.iter().fold(0, |column, byte| advance(column, *byte));
            line = rest;
        }
        column = advance(column, byte);
        line.push(byte);
    }
    out.append(&mut line);
    call.out(out)?;
    Ok(code)
}

fn expand(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "it:",
            long: &["initial", "tabs="],
        },
    )?;
    let width = opts.value(&["t", "tabs"]).and_then(|n| n.parse().ok());
    let width = width.unwrap_or(8_usize).clamp(1, 1000);
    let (bytes, code) = input::join(call, &opts.operands)?;
    let mut out = Vec::new();
    let mut column = 0;
    let mut leading = true;
    for byte in bytes {
        leading = if byte == b'\n' {
            true
        } else {
            leading && matches!(byte, b' ' | b'\t')
        };
        match byte {
            b'\n' => {
                column = 0;
                out.push(byte);
            }
            b'\t' if leading || !opts.has(&["i", "initial"]) => {
                let next = (column / width + 1) * width;
                out.resize(out.len() + next - column, b' ');
                column = next;
            }
            _ => {
                column += 1;
                out.push(byte);
            }
        }
    }
    call.out(out)?;
    Ok(code)
}

fn unexpand(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "aft:",
            long: &["all", "first-only", "tabs="],
        },
    )?;
    let width = opts.value(&["t", "tabs"]).and_then(|n| n.parse().ok());
    let width = width.unwrap_or(8_usize).clamp(1, 1000);
    let all = opts.has(&["a", "all", "t", "tabs"]) && !opts.has(&["f", "first-only"]);
    let (bytes, code) = input::join(call, &opts.operands)?;
    let mut out = Vec::new();
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let (mut column, mut blanks, mut leading) = (0, 0, true);
        for byte in line {
            if (leading || all) && matches!(byte, b' ' | b'\t') {
                let next = if *byte == b'\t' {
                    (column / width + 1) * width
                } else {
                    column + 1
                };
                blanks += next - column;
                column = next;
                if column % width == 0 && (blanks > 1 || *byte == b'\t') {
                    out.push(b'\t');
                    blanks = 0;
                }
                continue;
            }
            leading = false;
            out.resize(out.len() + blanks, b' ');
            blanks = 0;
            out.push(*byte);
            column += 1;
        }
        out.resize(out.len() + blanks, b' ');
    }
    call.out(out)?;
    Ok(code)
}
