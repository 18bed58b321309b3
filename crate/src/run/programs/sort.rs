//! Order: sort, uniq, comm, seq.

use std::cmp::Ordering;

use super::super::io::Access;
use super::super::{Call, Exit, Flavour, Program, Stop};
use super::input::{Wording, chomp, lines, read};
use super::opts::{Grammar, parse};

pub(super) const TABLE: &[Program] = &[
    Program::executed("sort", sort),
    Program::executed("uniq", uniq),
    Program::executed("comm", comm),
    Program::executed("seq", seq),
];

/// How two lines, or two keys in them, are compared.
#[derive(Clone, Debug, Default)]
struct Key {
    /// First and last field and character, from 1; a last one of 0 is the end.
    from: (usize, usize),
    to: (usize, usize),
    numeric: bool,
    human: bool,
    version: bool,
    month: bool,
    fold: bool,
    blanks: bool,
    dictionary: bool,
    reverse: bool,
}

impl Key {
    fn set(&mut self, letter: char) -> bool {
        match letter {
            'n' | 'g' => self.numeric = true,
            'h' => self.human = true,
            'V' => self.version = true,
            'M' => self.month = true,
            'f' => self.fold = true,
            'b' => self.blanks = true,
            'd' | 'i' => self.dictionary = true,
            'r' => self.reverse = true,
            _ => return false,
        }
        true
    }

    fn is_plain(&self) -> bool {
        !(self.numeric
            || self.human
            || self.version
            || self.month
            || self.fold
            || self.blanks
            || self.dictionary
            || self.reverse)
    }

    /// `2.3n,4`
    fn parse(text: &str) -> Option<Key> {
        let mut key = Key::default();
        let (from, to) = match text.split_once(',') {
            Some((from, to)) => (from, Some(to)),
            None => (text, None),
        };
        let mut position = |text: &str| {
            let end = text
                .find(|c: char| c.is_ascii_alphabetic())
                .unwrap_or(text.len());
            if !text[end..].chars().all(|letter| key.set(letter)) {
                return None;
            }
            let (field, character) = match text[..end].split_once('.') {
                Some((field, character)) => (field, character.parse().ok()?),
                None => (&text[..end], 0),
            };
            Some((field.parse::<usize>().ok()?, character))
        };
        let start = position(from)?;
        let end = match to {
            Some(to) => position(to)?,
            None => (0, 0),
        };
        key.from = (start.0.max(1), start.1.max(1));
        key.to = end;
        Some(key)
    }

    /// The part of the line that is compared.
    fn part<'a>(&self, line: &'a [u8], separator: Option<u8>) -> &'a [u8] {
        if self.from.0 == 0 {
            return line;
        }
        let fields = fields(line, separator);
        let Some((start, end)) = fields.get(self.from.0 - 1).copied() else {
            return &[];
        };
        let mut start = start;
        if self.blanks {
            start += leading_blanks(&line[start..end]);
        }
        let start = (start + self.from.1 - 1).min(line.len());
        let stop = match self.to {
            (0, _) => line.len(),
            (field, 0) => fields.get(field - 1).map_or(line.len(), |(_, end)| *end),
            (field, character) => fields
                .get(field - 1)
                .map_or(line.len(), |(start, _)| (start + character).min(line.len())),
        };
        &line[start.min(stop)..stop]
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let order = if self.numeric {
            number(a).total_cmp(&number(b))
        } else if self.human {
            human(a).total_cmp(&human(b))
        } else if self.version {
            version(a, b)
        } else if self.month {
            month(a).cmp(&month(b))
        } else {
            let clean = |text: &[u8]| -> Vec<u8> {
                let skip = if self.blanks { leading_blanks(text) } else { 0 };
                let kept = text[skip..].iter().filter(|b| {
                    !self.dictionary || b.is_ascii_alphanumeric() || b.is_ascii_whitespace()
                });
                kept.map(|b| match self.fold {
                    true => b.to_ascii_uppercase(),
                    false => *b,
                })
                .collect()
            };
            match self.fold || self.blanks || self.dictionary {
                true => clean(a).cmp(&clean(b)),
                false => a.cmp(b),
            }
        };
        if self.reverse { order.reverse() } else { order }
    }
}

fn leading_blanks(text: &[u8]) -> usize {
    text.iter()
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count()
}

/// Start and end of each field. Without a separator, the blanks in front belong to a field.
fn fields(line: &[u8], separator: Option<u8>) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut start = 0;
    loop {
        let end = match separator {
            Some(separator) => line[start..].iter().position(|b| *b == separator),
            None => {
                let blanks = leading_blanks(&line[start..]);
                let rest = &line[start + blanks..];
                let word = rest.iter().position(|b| matches!(b, b' ' | b'\t'));
                word.map(|word| word + blanks)
            }
        };
        match end {
            Some(len) => {
                out.push((start, start + len));
                start += len + usize::from(separator.is_some());
            }
            None => {
                out.push((start, line.len()));
                return out;
            }
        }
    }
}

fn number(text: &[u8]) -> f64 {
    let text = &text[leading_blanks(text)..];
    let mut dot = false;
    let len = text
        .iter()
        .enumerate()
        .take_while(|(at, b)| match b {
            b'-' => *at == 0,
            b'.' => !std::mem::replace(&mut dot, true),
            b => b.is_ascii_digit(),
        })
        .count();
    let number = std::str::from_utf8(&text[..len]).unwrap_or("");
    number.parse().unwrap_or(0.0)
}

fn human(text: &[u8]) -> f64 {
    let trimmed = String::from_utf8_lossy(text).trim().to_string();
    let unit = trimmed.chars().find(|c| c.is_ascii_alphabetic());
    let power = unit.and_then(|unit| "KMGTPE".find(unit.to_ascii_uppercase()));
    number(text) * 1024f64.powi(power.map_or(0, |power| power as i32 + 1))
}

fn month(text: &[u8]) -> usize {
    let text = String::from_utf8_lossy(text).trim().to_ascii_uppercase();
    let months = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ];
    let at = months.iter().position(|month| text.starts_with(month));
    at.map_or(0, |at| at + 1)
}

/// Digits by their number, the rest by its bytes.
fn version(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let split = |text: &[u8], digits: bool| {
            text.iter()
                .take_while(|b| b.is_ascii_digit() == digits)
                .count()
        };
        let (text_a, text_b) = (split(a, false), split(b, false));
        let order = a[..text_a].cmp(&b[..text_b]);
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[text_a..], &b[text_b..]);
        let (digits_a, digits_b) = (split(a, true), split(b, true));
        let order = number(&a[..digits_a]).total_cmp(&number(&b[..digits_b]));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[digits_a..], &b[digits_b..]);
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
    }
}

fn sort(call: &mut Call<'_, '_>) -> Exit {
    let grammar = Grammar {
        short: "ngMuhVrfbdizsco:k:t:T:S:m",
        long: &[
            "numeric-sort",
            "reverse",
            "unique",
            "stable",
            "zero-terminated",
            "output=",
            "key=",
            "field-separator=",
            "ignore-case",
            "version-sort",
            "human-numeric-sort",
            "check",
        ],
    };
    let opts = match parse(call, grammar) {
        Err(Stop::Exit(_)) => return Ok(2),
        other => other?,
    };
    let mut global = Key::default();
    for (names, letter) in [
        (["n", "numeric-sort"], 'n'),
        (["g", "g"], 'g'),
        (["h", "human-numeric-sort"], 'h'),
        (["V", "version-sort"], 'V'),
        (["M", "M"], 'M'),
        (["f", "ignore-case"], 'f'),
        (["b", "b"], 'b'),
        (["d", "i"], 'd'),
        (["r", "reverse"], 'r'),
    ] {
        if opts.has(&names) {
            global.set(letter);
        }
    }
    let mut keys = Vec::new();
    for text in opts.values(&["k", "key"]) {
        let Some(key) = Key::parse(text) else {
            let message = format!("bad field specification '{text}'");
            return call.fail(2, message);
        };
        keys.push(match key.is_plain() {
            true => Key {
                from: key.from,
                to: key.to,
                ..global.clone()
            },
            false => key,
        });
    }
    if keys.is_empty() {
        keys.push(global.clone());
    }
    let separator = opts.value(&["t", "field-separator"]);
    let separator = separator.and_then(|text| match text {
        "\\0" => Some(0),
        text => text.bytes().next(),
    });
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    if failed {
        return Ok(2);
    }
    let end = if opts.has(&["z", "zero-terminated"]) {
        0
    } else {
        b'\n'
    };
    let mut rows: Vec<&[u8]> = Vec::new();
    for (_, bytes) in &inputs {
        let bytes = bytes.strip_suffix(&[end]).unwrap_or(bytes);
        if !bytes.is_empty() || inputs.iter().any(|(_, b)| b == &[end]) {
            rows.extend(bytes.split(|b| *b == end));
        }
    }
    let by_keys = |a: &[u8], b: &[u8]| {
        keys.iter()
            .map(|key| key.compare(key.part(a, separator), key.part(b, separator)))
            .find(|order| *order != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    };
    let unique = opts.has(&["u", "unique"]);
    let stable = unique || opts.has(&["s", "stable"]);
    let full = |a: &&[u8], b: &&[u8]| {
        let order = by_keys(a, b);
        if order != Ordering::Equal || stable {
            return order;
        }
        // Of equal keys, the whole lines decide.
        match global.reverse {
            true => b.cmp(a),
            false => a.cmp(b),
        }
    };
    if opts.has(&["c", "check"]) {
        let sorted = rows
            .windows(2)
            .all(|pair| full(&pair[0], &pair[1]) != Ordering::Greater);
        return match sorted {
            true => Ok(0),
            false => call.fail(1, "Check line failed"),
        };
    }
    rows.sort_by(full);
    if unique {
        rows.dedup_by(|a, b| by_keys(a, b) == Ordering::Equal);
    }
    let mut out = Vec::new();
    for row in rows {
        out.extend_from_slice(row);
        out.push(end);
    }
    match opts.value(&["o", "output"]) {
        None => call.out(out)?,
        Some(path) => match call.open(path, Access::WRITE) {
            Ok(fd) => {
                let done = call.kernel.write(&fd, &out);
                if let Err(super::super::io::WriteError::Stop(stop)) = done {
                    return Err(stop);
                }
            }
            Err(errno) => {
                let message = format!("can't open '{path}': {errno}");
                return call.fail(2, message);
            }
        },
    }
    Ok(0)
}

fn uniq(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "cduif:s:w:z",
            long: &[
                "count",
                "repeated",
                "unique",
                "ignore-case",
                "skip-fields=",
                "skip-chars=",
                "check-chars=",
            ],
        },
    )?;
    let value = |names: &[&str], default: usize| {
        let value = opts.value(names).and_then(|text| text.parse().ok());
        value.unwrap_or(default)
    };
    let skip_fields = value(&["f", "skip-fields"], 0);
    let skip = value(&["s", "skip-chars"], 0);
    let width = value(&["w", "check-chars"], usize::MAX);
    let fold = opts.has(&["i", "ignore-case"]);
    let key = |line: &[u8]| -> Vec<u8> {
        let mut line = line;
        for _ in 0..skip_fields {
            line = &line[leading_blanks(line)..];
            let word = line
                .iter()
                .take_while(|b| !matches!(b, b' ' | b'\t'))
                .count();
            line = &line[word..];
        }
        let line = &line[skip.min(line.len())..];
        let line = &line[..width.min(line.len())];
        match fold {
            true => line.to_ascii_lowercase(),
            false => line.to_vec(),
        }
    };
    let input = opts.operands.first().cloned();
    let input: Vec<String> = input.into_iter().collect();
    let (inputs, failed) = read(call, &input, Wording::CannotOpen)?;
    if failed {
        return Ok(1);
    }
    let mut groups: Vec<(&[u8], usize)> = Vec::new();
    for (_, bytes) in &inputs {
        for line in lines(bytes) {
            let line = chomp(line);
            match groups.last_mut() {
                Some((first, count)) if key(first) == key(line) => *count += 1,
                _ => groups.push((line, 1)),
            }
        }
    }
    let mut out = Vec::new();
    for (line, count) in groups {
        let shown = match (opts.has(&["d", "repeated"]), opts.has(&["u", "unique"])) {
            (true, false) => count > 1,
            (false, true) => count == 1,
            (true, true) => false,
            (false, false) => true,
        };
        if !shown {
            continue;
        }
        if opts.has(&["c", "count"]) {
            out.extend_from_slice(format!("{count:7} ").as_bytes());
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    match opts.operands.get(1).filter(|path| *path != "-") {
        None => call.out(out)?,
        Some(path) => match call.open(path, Access::WRITE) {
            Ok(fd) => {
                let done = call.kernel.write(&fd, &out);
                if let Err(super::super::io::WriteError::Stop(stop)) = done {
                    return Err(stop);
                }
            }
            Err(errno) => return call.fail(1, format_args!("can't open '{path}': {errno}")),
        },
    }
    Ok(0)
}

fn comm(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "123",
            long: &["check-order", "nocheck-order"],
        },
    )?;
    if opts.operands.len() != 2 {
        return call.fail(1, "missing operand");
    }
    let (inputs, failed) = read(call, &opts.operands, Wording::Plain)?;
    if failed {
        return Ok(1);
    }
    let a: Vec<&[u8]> = lines(&inputs[0].1).map(chomp).collect();
    let b: Vec<&[u8]> = lines(&inputs[1].1).map(chomp).collect();
    let shown = [!opts.has(&["1"]), !opts.has(&["2"]), !opts.has(&["3"])];
    let mut out = Vec::new();
    let (mut at, mut bt) = (0, 0);
    while at < a.len() || bt < b.len() {
        let order = match (a.get(at), b.get(bt)) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        let (column, line) = match order {
            Ordering::Less => (0, a[at]),
            Ordering::Greater => (1, b[bt]),
            Ordering::Equal => (2, a[at]),
        };
        at += usize::from(order != Ordering::Greater);
        bt += usize::from(order != Ordering::Less);
        if shown[column] {
            let tabs = shown[..column].iter().filter(|shown| **shown).count();
            out.resize(out.len() + tabs, b'\t');
            out.extend_from_slice(line);
            out.push(b'\n');
        }
    }
    call.out(out)?;
    Ok(0)
}

fn seq(call: &mut Call<'_, '_>) -> Exit {
    let mut equal_width = false;
    let mut separator = "\n".to_string();
    let mut format = None;
    let mut numbers = Vec::new();
    let mut args = std::mem::take(&mut call.args).into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-w" | "--equal-width" => equal_width = true,
            "-s" => separator = args.next().unwrap_or_default(),
            "-f" => format = args.next(),
            _ if arg.starts_with("-s") => separator = arg[2..].to_string(),
            _ if arg.starts_with("-w") && arg.len() > 2 => {
                equal_width = true;
                separator = arg[2..].trim_start_matches('s').to_string();
            }
            _ => numbers.push(arg),
        }
    }
    let parsed: Option<Vec<f64>> = numbers
        .iter()
        .map(|text| text.parse::<f64>().ok().filter(|n| n.is_finite()))
        .collect();
    let (first, step, last) = match parsed.as_deref() {
        Some([last]) => (1.0, 1.0, *last),
        Some([first, last]) => (*first, 1.0, *last),
        Some([first, step, last]) => (*first, *step, *last),
        _ => return call.fail(1, "invalid argument"),
    };
    if step == 0.0 && call.flavour() == Flavour::Gnu {
        return call.fail(1, "invalid Zero increment value: '0'");
    }
    let digits = |text: &String| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let decimals = numbers.iter().map(digits).max().unwrap_or(0);
    let width = match equal_width {
        true => [first, last]
            .map(|n| format!("{n:.decimals$}").len())
            .into_iter()
            .max(),
        false => None,
    };
    let width = width.unwrap_or(0);
    let mut out = String::new();
    let mut count = 0u64;
    loop {
        let value = first + step * count as f64;
        if (step >= 0.0 && value > last) || (step <= 0.0 && value < last && step != 0.0) {
            break;
        }
        call.kernel.round()?;
        if count > 0 {
            out += &separator;
        }
        out += &match &format {
            Some(format) => {
                let printed = super::print::printf(format, &[value.to_string()]);
                String::from_utf8_lossy(&printed.out).into_owned()
            }
            None => format!("{value:0width$.decimals$}"),
        };
        count += 1;
        if out.len() > 1 << 16 {
            call.out(std::mem::take(&mut out))?;
        }
    }
    if count > 0 {
        out.push('\n');
    }
    call.out(out)?;
    Ok(0)
}
