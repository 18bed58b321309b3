//! Filters that change lines: tr, cut, paste, fold, expand, unexpand.

use super::super::{Call, Exit, Flavour, Program};
use super::input::{Wording, chomp, lines, read};
use super::opts::{Grammar, parse};
use super::regex::class;

pub(super) const TABLE: &[Program] = &[
    Program::executed("tr", tr),
    Program::executed("cut", cut),
    Program::executed("paste", paste),
    Program::executed("fold", fold),
    Program::executed("expand", expand),
    Program::executed("unexpand", unexpand),
];

fn tr(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "+cCdst",
            long: &["complement", "delete", "squeeze-repeats", "truncate-set1"],
        },
    )?;
    let complement = opts.has(&["c", "C", "complement"]);
    let delete = opts.has(&["d", "delete"]);
    let squeeze = opts.has(&["s", "squeeze-repeats"]);
    let Some(first) = opts.operands.first() else {
        return call.fail(1, "missing operand");
    };
    let second = opts.operands.get(1);
    if second.is_none() && !delete && !squeeze {
        return call.fail(1, format_args!("missing operand after '{first}'"));
    }
    let mut from = set(first, None);
    if complement {
        from = (0..=255).filter(|b| !from.contains(b)).collect();
    }
    let to = second.map(|second| set(second, Some(from.len())));
    let mut member = [false; 256];
    from.iter().for_each(|b| member[usize::from(*b)] = true);
    let mut map: [u8; 256] = std::array::from_fn(|at| at as u8);
    let mut squeezed = member;
    if let Some(to) = to.filter(|to| !to.is_empty()) {
        let last = to[to.len() - 1];
        if !delete {
            for (at, b) in from.iter().enumerate() {
                map[usize::from(*b)] = to.get(at).copied().unwrap_or(last);
            }
        }
        squeezed = [false; 256];
        to.iter().for_each(|b| squeezed[usize::from(*b)] = true);
    }
    let bytes = call.stdin()?;
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if delete && member[usize::from(byte)] {
            continue;
        }
        let byte = map[usize::from(byte)];
        if squeeze && squeezed[usize::from(byte)] && out.last() == Some(&byte) {
            continue;
        }
        out.push(byte);
    }
    call.out(out)?;
    Ok(0)
}

/// The bytes of a set: ranges, classes, escapes, `[x*]` filling up to `len`.
fn set(text: &str, len: Option<usize>) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'[' {
            let rest = &text[at..];
            if let Some(name) = rest.strip_prefix("[:").and_then(|r| r.split_once(":]"))
                && let Some(test) = class(name.0)
            {
                out.extend((0..=127u8).filter(|b| test(char::from(*b))));
                at += name.0.len() + 4;
                continue;
            }
            if let Some((c, _)) = rest.strip_prefix("[=").and_then(|r| r.split_once("=]")) {
                out.extend_from_slice(c.as_bytes());
                at += c.len() + 4;
                continue;
            }
            if let (Some(b'*'), Some(end)) = (bytes.get(at + 2), rest.find(']')) {
                let count = text[at + 3..at + end].parse::<usize>().unwrap_or(0);
                let fill = len.map_or(0, |len| len.saturating_sub(out.len()));
                let count = if count == 0 { fill } else { count.min(1 << 16) };
                out.resize(out.len() + count, bytes[at + 1]);
                at += end + 1;
                continue;
            }
        }
        let (low, used) = escaped(&bytes[at..]);
        at += used;
        if bytes.get(at) == Some(&b'-') && at + 1 < bytes.len() {
            let (high, used) = escaped(&bytes[at + 1..]);
            out.extend(low..=high);
            at += 1 + used;
        } else {
            out.push(low);
        }
    }
    out
}

/// One byte of a set, and how many bytes of text it takes.
fn escaped(bytes: &[u8]) -> (u8, usize) {
    let [b'\\', next, ..] = bytes else {
        return (bytes[0], 1);
    };
    let digits = bytes[1..].iter().take(3);
    let digits = digits.take_while(|b| (b'0'..=b'7').contains(b)).count();
    if digits > 0 {
        let value = bytes[1..=digits]
            .iter()
            .fold(0u32, |value, b| value * 8 + u32::from(b - b'0'));
        return (value as u8, 1 + digits);
    }
    let byte = match next {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        other => *other,
    };
    (byte, 2)
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
                "output-delimiter=",
                "complement",
            ],
        },
    )?;
    let kinds = ["b", "bytes", "c", "characters", "f", "fields"];
    let Some(list) = opts.value(&kinds) else {
        return call.fail(1, "expected a list of bytes, characters, or fields");
    };
    let Some(ranges) = ranges(list) else {
        return call.fail(1, format_args!("invalid range {list}"));
    };
    let by_field = opts.has(&["f", "fields"]);
    let delimiter = opts.value(&["d", "delimiter"]).unwrap_or("\t").to_string();
    if delimiter.chars().count() > 1 && call.flavour() == Flavour::Gnu {
        return call.fail(1, "the delimiter must be a single character");
    }
    let joiner = opts.value(&["output-delimiter"]);
    let joiner = joiner.unwrap_or(&delimiter).to_string();
    let only = opts.has(&["s", "only-delimited"]);
    let inverted = opts.has(&["complement"]);
    let wanted = |n: usize| ranges.iter().any(|(a, b)| (*a..=*b).contains(&n)) != inverted;
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    let by_byte = opts.has(&["b", "bytes"]);
    for (_, bytes) in inputs {
        let mut out = Vec::new();
        for line in lines(&bytes) {
            let line = chomp(line);
            if by_byte {
                let kept = line.iter().enumerate().filter(|(n, _)| wanted(n + 1));
                out.extend(kept.map(|(_, b)| *b));
                out.push(b'\n');
                continue;
            }
            let text = String::from_utf8_lossy(line);
            let picked: String = if !by_field {
                let kept = text.chars().enumerate().filter(|(n, _)| wanted(n + 1));
                kept.map(|(_, c)| c).collect()
            } else if !text.contains(&delimiter) {
                if only {
                    continue;
                }
                text.into_owned()
            } else {
                let fields = text.split(delimiter.as_str()).enumerate();
                let kept: Vec<&str> = fields
                    .filter(|(n, _)| wanted(n + 1))
                    .map(|(_, field)| field)
                    .collect();
                kept.join(&joiner)
            };
            out.extend_from_slice(picked.as_bytes());
            out.push(b'\n');
        }
        call.out(out)?;
    }
    Ok(i32::from(failed))
}

/// `1,3-5,7-`
fn ranges(list: &str) -> Option<Vec<(usize, usize)>> {
    let one = |part: &str| {
        let (low, high) = match part.split_once('-') {
            Some((low, high)) => (low, high),
            None => (part, part),
        };
        let low = if low.is_empty() { 1 } else { low.parse().ok()? };
        let high = match high {
            "" => usize::MAX,
            high => high.parse().ok()?,
        };
        (low > 0 && low <= high && part != "-").then_some((low, high))
    };
    list.split([',', ' ']).map(one).collect()
}

fn paste(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "d:s",
            long: &["delimiters=", "serial"],
        },
    )?;
    let delimiters = opts.value(&["d", "delimiters"]).unwrap_or("\t");
    let delimiters = delimiters
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\0", "\u{0}");
    let delimiters: Vec<char> = delimiters.chars().collect();
    let delimiter = |n: usize| match delimiters.is_empty() {
        true => '\0',
        false => delimiters[n % delimiters.len()],
    };
    let join = |parts: &[String]| {
        let mut out = String::new();
        for (n, part) in parts.iter().enumerate() {
            if n > 0 && delimiter(n - 1) != '\0' {
                out.push(delimiter(n - 1));
            }
            out += part;
        }
        out + "\n"
    };
    // `paste - -` takes lines in turn from one standard input.
    let dashes = opts.operands.iter().filter(|path| *path == "-").count();
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    let mut columns: Vec<Vec<String>> = inputs
        .iter()
        .map(|(_, bytes)| {
            String::from_utf8_lossy(bytes)
                .lines()
                .map(String::from)
                .collect()
        })
        .collect();
    if dashes > 1 {
        let at: Vec<usize> = (0..inputs.len()).filter(|n| inputs[*n].0 == "-").collect();
        let all = std::mem::take(&mut columns[at[0]]);
        for (n, line) in all.into_iter().enumerate() {
            columns[at[n % at.len()]].push(line);
        }
    }
    let mut out = String::new();
    if opts.has(&["s", "serial"]) {
        columns.iter().for_each(|column| out += &join(column));
    } else {
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..rows {
            let cells = columns.iter().map(|column| column.get(row).cloned());
            // busybox drops a file that has ended, GNU leaves its cell empty.
            let cells: Vec<String> = match call.flavour() {
                Flavour::Busybox => cells.flatten().collect(),
                Flavour::Gnu => cells.map(Option::unwrap_or_default).collect(),
            };
            out += &join(&cells);
        }
    }
    call.out(out)?;
    Ok(i32::from(failed))
}

fn fold(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "bsw:",
            long: &["bytes", "spaces", "width="],
        },
    )?;
    let width = opts.value(&["w", "width"]).unwrap_or("80").to_string();
    let Some(width) = width.parse::<usize>().ok().filter(|width| *width > 0) else {
        return call.fail(1, format_args!("invalid number '{width}'"));
    };
    let spaces = opts.has(&["s", "spaces"]);
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    for (_, bytes) in inputs {
        let mut out = String::new();
        for line in lines(&bytes) {
            let text = String::from_utf8_lossy(chomp(line));
            let chars: Vec<char> = text.chars().collect();
            let mut at = 0;
            while chars.len() - at > width {
                let mut end = at + width;
                if spaces && let Some(blank) = chars[at..end].iter().rposition(|c| *c == ' ') {
                    end = at + blank + 1;
                }
                out.extend(&chars[at..end]);
                out.push('\n');
                at = end;
            }
            out.extend(&chars[at..]);
            if line.ends_with(b"\n") {
                out.push('\n');
            }
        }
        call.out(out)?;
    }
    Ok(i32::from(failed))
}

fn tab_width(text: Option<&str>) -> usize {
    let width = text.and_then(|text| text.parse().ok());
    width.filter(|width| (1..1000).contains(width)).unwrap_or(8)
}

fn expand(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "it:",
            long: &["initial", "tabs="],
        },
    )?;
    let width = tab_width(opts.value(&["t", "tabs"]));
    let initial = opts.has(&["i", "initial"]);
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    for (_, bytes) in inputs {
        let mut out = String::new();
        let (mut column, mut leading) = (0, true);
        for c in String::from_utf8_lossy(&bytes).chars() {
            leading &= c == ' ' || c == '\t';
            match c {
                '\t' if leading || !initial => {
                    let blanks = width - column % width;
                    out.extend(std::iter::repeat_n(' ', blanks));
                    column += blanks;
                }
                '\n' => {
                    out.push(c);
                    (column, leading) = (0, true);
                }
                c => {
                    out.push(c);
                    column += 1;
                }
            }
        }
        call.out(out)?;
    }
    Ok(i32::from(failed))
}

fn unexpand(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "aft:",
            long: &["all", "first-only", "tabs="],
        },
    )?;
    let width = tab_width(opts.value(&["t", "tabs"]));
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    for (_, bytes) in inputs {
        let mut out = String::new();
        for line in String::from_utf8_lossy(&bytes).split_inclusive('\n') {
            let rest = line.trim_start_matches(' ');
            let blanks = line.len() - rest.len();
            out.extend(std::iter::repeat_n('\t', blanks / width));
            out.extend(std::iter::repeat_n(' ', blanks % width));
            out += rest;
        }
        call.out(out)?;
    }
    Ok(i32::from(failed))
}
