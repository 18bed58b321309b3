//! Sorted lines: sort, uniq, comm, join, shuf.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::super::io::Access;
use super::super::{Call, Exit, Program, Stop};
use super::input;
use super::opts::{Grammar, Opts, parse};

pub(super) const TABLE: &[Program] = &[
    Program::executed("sort", sort),
    Program::executed("uniq", uniq),
    Program::executed("comm", comm),
    Program::executed("join", join),
];

/// How two keys are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Order {
    numeric: bool,
    general: bool,
    human: bool,
    month: bool,
    version: bool,
    fold: bool,
    dictionary: bool,
    blanks: bool,
    reverse: bool,
}

impl Order {
    fn set(&mut self, letter: char) -> bool {
        match letter {
            'n' => self.numeric = true,
            'g' => self.general = true,
            'h' => self.human = true,
            'M' => self.month = true,
            'V' => self.version = true,
            'f' => self.fold = true,
            'd' => self.dictionary = true,
            'b' => self.blanks = true,
            'r' => self.reverse = true,
            'i' => {}
            _ => return false,
        }
        true
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        if self.numeric || self.general {
            let (a, b) = (number(a).0, number(b).0);
            return a.partial_cmp(&b).unwrap_or(Ordering::Equal);
        }
        if self.human {
            let key = |text: &[u8]| {
                let (value, rest) = number(text);
                let unit = rest.first().and_then(|c| {
                    let units = b"KMGTPE";
                    units.iter().position(|u| *u == c.to_ascii_uppercase())
                });
                (unit.map_or(0, |unit| unit + 1), value)
            };
            let (a, b) = (key(a), key(b));
            return a.partial_cmp(&b).unwrap_or(Ordering::Equal);
        }
        if self.month {
            return month(a).cmp(&month(b));
        }
        if self.version {
            return version(a, b);
        }
        let key = |text: &[u8]| -> Vec<u8> {
            let start = match self.blanks {
                true => text.iter().take_while(|b| b.is_ascii_whitespace()).count(),
                false => 0,
            };
            let kept = text[start..].iter().filter(|b| {
                !self.dictionary || b.is_ascii_alphanumeric() || b.is_ascii_whitespace()
            });
            kept.map(|b| {
                if self.fold {
                    b.to_ascii_uppercase()
                } else {
                    *b
                }
            })
            .collect()
        };
        key(a).cmp(&key(b))
    }
}

/// The number at the start of a text (0 where there is none), and what follows it.
fn number(text: &[u8]) -> (f64, &[u8]) {
    let start = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let text = &text[start..];
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let mut seen_point = false;
    let digits = text[sign..]
        .iter()
        .take_while(|b| {
            b.is_ascii_digit() || (**b == b'.' && !std::mem::replace(&mut seen_point, true))
        })
        .count();
    let (number, rest) = text.split_at(sign + digits);
    let value = std::str::from_utf8(number)
        .ok()
        .and_then(|n| n.parse().ok());
    (value.unwrap_or(0.0), rest)
}

fn month(text: &[u8]) -> usize {
    const NAMES: &str = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    let text = String::from_utf8_lossy(text)
        .trim_start()
        .to_ascii_uppercase();
    let name: String = text.chars().take(3).collect();
    match name.len() {
        3 => NAMES
            .find(&name)
            .filter(|at| at % 3 == 0)
            .map_or(0, |at| at / 3 + 1),
        _ => 0,
    }
}

/// As `strverscmp`, but for leading zeros: runs of digits compare by value.
fn version(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let run = |text: &[u8]| text.iter().take_while(|c| c.is_ascii_digit()).count();
        match (run(a), run(b)) {
            (0, _) | (_, 0) => match (a.split_first(), b.split_first()) {
                (Some((x, more_a)), Some((y, more_b))) if x == y => (a, b) = (more_a, more_b),
                (x, y) => return x.map(|x| x.0).cmp(&y.map(|y| y.0)),
            },
            (n, m) => {
                let value = |text: &'_ [u8]| -> Vec<u8> {
                    let zeros = text.iter().take_while(|c| **c == b'0').count();
                    text[zeros..].to_vec()
                };
                let (x, y) = (value(&a[..n]), value(&b[..m]));
                let order = x.len().cmp(&y.len()).then(x.cmp(&y));
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (&a[n..], &b[m..]);
            }
        }
    }
}

/// `-k FROM[.CHAR][FLAGS][,TO[.CHAR][FLAGS]]`
#[derive(Clone, Copy, Debug)]
struct Key {
    from: (usize, usize),
    to: Option<(usize, usize)>,
    order: Option<Order>,
}

impl Key {
    fn parse(spec: &str) -> Option<Key> {
        let (from, to) = match spec.split_once(',') {
            Some((from, to)) => (from, Some(to)),
            None => (spec, None),
        };
        let mut order = Order::default();
        let mut has_order = false;
        let mut place = |text: &str| {
            let letters = text
                .find(|c: char| c.is_ascii_alphabetic())
                .unwrap_or(text.len());
            for letter in text[letters..].chars() {
                has_order = true;
                if !order.set(letter) {
                    return None;
                }
            }
            let (field, at) = match text[..letters].split_once('.') {
                Some((field, at)) => (field, at.parse::<usize>().ok()?),
                None => (&text[..letters], 0),
            };
            Some((field.parse::<usize>().ok()?, at))
        };
        let from = place(from).filter(|(field, _)| *field > 0)?;
        let to = match to {
            Some(to) => Some(place(to)?),
            None => None,
        };
        Some(Key {
            from,
            to,
            order: has_order.then_some(order),
        })
    }

    /// The part of a line that is compared.
    fn of<'a>(&self, line: &'a [u8], separator: Option<u8>) -> &'a [u8] {
        let fields = fields(line, separator);
        let skip = |(start, end): (usize, usize)| match separator {
            // Without a separator a field begins with the blanks in front of it.
            None => {
                start
                    + line[start..end]
                        .iter()
                        .take_while(|b| b.is_ascii_whitespace())
                        .count()
            }
            Some(_) => start,
        };
        let start = match fields.get(self.from.0 - 1) {
            Some(field) if self.from.1 > 1 => (skip(*field) + self.from.1 - 1).min(line.len()),
            Some(field) => field.0,
            None => line.len(),
        };
        let end = match self.to {
            None | Some((0, _)) => line.len(),
            Some((field, at)) => match fields.get(field - 1) {
                Some(field) if at > 0 => (skip(*field) + at).min(field.1),
                Some(field) => field.1,
                None => line.len(),
            },
        };
        &line[start..end.max(start)]
    }
}

fn fields(line: &[u8], separator: Option<u8>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    match separator {
        Some(separator) => {
            for (at, byte) in line.iter().enumerate() {
                if *byte == separator {
                    found.push((start, at));
                    start = at + 1;
                }
            }
            found.push((start, line.len()));
        }
        None => {
            while start < line.len() {
                let blank = line[start..]
                    .iter()
                    .take_while(|b| b.is_ascii_whitespace())
                    .count();
                let word = line[start + blank..]
                    .iter()
                    .take_while(|b| !b.is_ascii_whitespace())
                    .count();
                found.push((start, start + blank + word));
                start += blank + word;
            }
        }
    }
    found
}

fn sort(call: &mut Call<'_, '_>) -> Exit {
    let opts = match parse(
        call,
        Grammar {
            short: "ngMucszbrdfimS:T:o:k:t:hVC",
            long: &[
                "numeric-sort",
                "reverse",
                "unique",
                "stable",
                "check",
                "zero-terminated",
                "key=",
                "field-separator=",
                "output=",
                "version-sort",
                "human-numeric-sort",
                "ignore-case",
            ],
        },
    ) {
        Err(Stop::Exit(_)) => return Ok(2),
        other => other?,
    };
    let mut order = Order::default();
    for (letter, long) in [
        ('n', "numeric-sort"),
        ('g', "g"),
        ('h', "human-numeric-sort"),
        ('M', "M"),
        ('V', "version-sort"),
        ('f', "ignore-case"),
        ('d', "d"),
        ('b', "b"),
        ('r', "reverse"),
    ] {
        if opts.has(&[letter.encode_utf8(&mut [0; 4]), long]) {
            order.set(letter);
        }
    }
    let separator = opts
        .value(&["t", "field-separator"])
        .and_then(|t| t.bytes().next());
    let mut keys = Vec::new();
    for spec in opts.values(&["k", "key"]) {
        match Key::parse(spec) {
            Some(key) => keys.push(key),
            None => return call.fail(2, format_args!("bad field specification '{spec}'")),
        }
    }
    let end = if opts.has(&["z", "zero-terminated"]) {
        0
    } else {
        b'\n'
    };
    let mut all = Vec::new();
    for path in input::or_stdin(&opts.operands) {
        match input::slurp(call, &path)? {
            Some(bytes) => {
                all.extend_from_slice(&bytes);
                if !bytes.is_empty() && !bytes.ends_with(&[end]) {
                    all.push(end);
                }
            }
            None => {
                return Ok(2);
            }
        }
    }
    let mut lines: Vec<&[u8]> = all.split_inclusive(|b| *b == end).collect();
    let unique = opts.has(&["u", "unique"]);
    let by_keys = |a: &[u8], b: &[u8]| {
        let (a, b) = (&a[..a.len() - 1], &b[..b.len() - 1]);
        if keys.is_empty() {
            let found = order.compare(a, b);
            return if order.reverse {
                found.reverse()
            } else {
                found
            };
        }
        keys.iter().fold(Ordering::Equal, |found, key| {
            found.then_with(|| {
                let order = key.order.unwrap_or(order);
                let found = order.compare(key.of(a, separator), key.of(b, separator));
                if order.reverse {
                    found.reverse()
                } else {
                    found
                }
            })
        })
    };
    let stable = unique || opts.has(&["s", "stable"]);
    let compare = |a: &[u8], b: &[u8]| {
        by_keys(a, b).then_with(|| match (stable, order.reverse) {
            (true, _) => Ordering::Equal,
            (false, true) => b.cmp(a),
            (false, false) => a.cmp(b),
        })
    };
    if opts.has(&["c", "C", "check"]) {
        let wrong = lines.windows(2).position(|pair| {
            let found = compare(pair[0], pair[1]);
            found == Ordering::Greater || (unique && found == Ordering::Equal)
        });
        return match wrong {
            Some(at) if !opts.has(&["C"]) => {
                let line = String::from_utf8_lossy(lines[at + 1]);
                let path = opts.operands.first().map_or("-", String::as_str);
                let text = match call.flavour() {
                    super::Flavour::Busybox => format!("Check line {}\n", at + 1),
                    super::Flavour::Gnu => format!("sort: {path}:{}: disorder: {line}", at + 2),
                };
                call.err(text)?;
                Ok(1)
            }
            Some(_) => Ok(1),
            None => Ok(0),
        };
    }
    crate::order::sort_by(&mut lines, |a, b| compare(a, b));
    if unique {
        lines.dedup_by(|b, a| by_keys(a, b) == Ordering::Equal);
    }
    let out = lines.concat();
    match opts.value(&["o", "output"]) {
        None => call.out(out)?,
        Some(path) => {
            let written = match call.open(path, Access::WRITE) {
                Ok(fd) => input::write(call, &fd, &out)?,
                Err(errno) => Err(errno),
            };
            if let Err(errno) = written {
                return call.fail(2, format_args!("can't open '{path}': {errno}"));
            }
        }
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
            ],
        },
    )?;
    let number = |names: &[&str]| opts.value(names).and_then(|n| n.parse::<usize>().ok());
    let skip_fields = number(&["f", "skip-fields"]).unwrap_or(0);
    let skip_chars = number(&["s", "skip-chars"]).unwrap_or(0);
    let width = number(&["w"]).unwrap_or(usize::MAX);
    let fold = opts.has(&["i", "ignore-case"]);
    let path = opts.operands.first().map_or("-", String::as_str);
    let Some(bytes) = input::slurp(call, path)? else {
        return Ok(1);
    };
    let key = |line: &[u8]| -> Vec<u8> {
        let mut rest = line;
        for _ in 0..skip_fields {
            let blank = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
            let word = rest[blank..]
                .iter()
                .take_while(|b| !b.is_ascii_whitespace())
                .count();
            rest = &rest[blank + word..];
        }
        let rest = &rest[skip_chars.min(rest.len())..];
        let rest = &rest[..width.min(rest.len())];
        if fold {
            rest.to_ascii_lowercase()
        } else {
            rest.to_vec()
        }
    };
    let mut groups: Vec<(&[u8], usize)> = Vec::new();
    for line in input::lines(&bytes) {
        match groups.last_mut() {
            Some((first, count)) if key(first) == key(line) => *count += 1,
            _ => groups.push((line, 1)),
        }
    }
    let mut out = Vec::new();
    for (line, count) in groups {
        let wanted = (!opts.has(&["d", "repeated"]) || count > 1)
            && (!opts.has(&["u", "unique"]) || count == 1);
        if wanted {
            if opts.has(&["c", "count"]) {
                out.extend_from_slice(format!("{count:7} ").as_bytes());
            }
            out.extend_from_slice(line);
            out.push(b'\n');
        }
    }
    match opts.operands.get(1) {
        None => call.out(out)?,
        Some(path) => {
            let written = match call.open(path, Access::WRITE) {
                Ok(fd) => input::write(call, &fd, &out)?,
                Err(errno) => Err(errno),
            };
            if let Err(errno) = written {
                return call.fail(1, format_args!("can't open '{path}': {errno}"));
            }
        }
    }
    Ok(0)
}

/// Two files of a program that compares them.
fn pair(call: &mut Call<'_, '_>, opts: &Opts) -> Result<(Vec<u8>, Vec<u8>), Stop> {
    let [left, right] = &opts.operands[..] else {
        call.complain("two files are needed")?;
        return Err(Stop::Exit(1));
    };
    let left = input::slurp(call, left)?.ok_or(Stop::Exit(1))?;
    let right = input::slurp(call, right)?.ok_or(Stop::Exit(1))?;
    Ok((left, right))
}

fn comm(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "123",
            long: &[],
        },
    )?;
    let (left, right) = pair(call, &opts)?;
    let mut out = Vec::new();
    let mut put = |column: usize, line: &[u8]| {
        if opts.has(&[["1", "2", "3"][column]]) {
            return;
        }
        let before = ["1", "2", "3"][..column].iter().filter(|c| !opts.has(&[c]));
        out.extend(before.map(|_| b'\t'));
        out.extend_from_slice(line);
        out.push(b'\n');
    };
    let mut left = input::lines(&left).peekable();
    let mut right = input::lines(&right).peekable();
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        match order {
            Ordering::Less => put(0, left.next().unwrap_or_default()),
            Ordering::Greater => put(1, right.next().unwrap_or_default()),
            Ordering::Equal => {
                right.next();
                put(2, left.next().unwrap_or_default());
            }
        }
    }
    call.out(out)?;
    Ok(0)
}

fn join(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "t:1:2:j:a:v:",
            long: &[],
        },
    )?;
    let (left, right) = pair(call, &opts)?;
    let separator = opts.value(&["t"]).and_then(|t| t.bytes().next());
    let field = |names: &[&str]| {
        let number = opts.value(names).and_then(|n| n.parse::<usize>().ok());
        number.unwrap_or(1).max(1) - 1
    };
    let places = [field(&["1", "j"]), field(&["2", "j"])];
    let split = |line: &[u8]| -> Vec<Vec<u8>> {
        match separator {
            Some(c) => line.split(|b| *b == c).map(<[u8]>::to_vec).collect(),
            None => line
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .map(<[u8]>::to_vec)
                .collect(),
        }
    };
    let between = [separator.unwrap_or(b' ')];
    let mut by_key: BTreeMap<Vec<u8>, Vec<Vec<Vec<u8>>>> = BTreeMap::new();
    for line in input::lines(&right) {
        let mut words = split(line);
        if places[1] < words.len() {
            by_key
                .entry(words.remove(places[1]))
                .or_default()
                .push(words);
        }
    }
    let lone = |n: &str| opts.values(&["a", "v"]).any(|file| file == n);
    let only_lone = opts.has(&["v"]);
    let mut used = std::collections::BTreeSet::new();
    let mut rows = Vec::new();
    for line in input::lines(&left) {
        let mut words = split(line);
        if places[0] >= words.len() {
            continue;
        }
        let key = words.remove(places[0]);
        match by_key.get(&key) {
            Some(others) => {
                used.insert(key.clone());
                for other in others.iter().filter(|_| !only_lone) {
                    call.kernel.round()?;
                    let row: Vec<&[u8]> = std::iter::once(&key)
                        .chain(&words)
                        .chain(other)
                        .map(Vec::as_slice)
                        .collect();
                    rows.push((key.clone(), row.join(&between[..])));
                }
            }
            None if lone("1") => {
                let row: Vec<Vec<u8>> = std::iter::once(key.clone()).chain(words).collect();
                rows.push((key, row.join(&between[..])));
            }
            None => {}
        }
    }
    if lone("2") {
        for (key, others) in by_key.iter().filter(|(key, _)| !used.contains(*key)) {
            for other in others {
                let row: Vec<&[u8]> = std::iter::once(key)
                    .chain(other)
                    .map(Vec::as_slice)
                    .collect();
                rows.push((key.clone(), row.join(&between[..])));
            }
        }
        crate::order::sort_by(&mut rows, |a, b| a.0.cmp(&b.0));
    }
    let out: Vec<u8> = rows
        .into_iter()
        .flat_map(|(_, row)| [row, b"\n".to_vec()].concat())
        .collect();
    call.out(out)?;
    Ok(0)
}
