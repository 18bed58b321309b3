//! The tables of the catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::super::{Call, Stop};

/// A part of the catalog as it came; empty where the host has no such part.
pub(super) fn part(call: &mut Call<'_, '_>, name: &str) -> Result<Arc<[u8]>, Stop> {
    Ok(call
        .kernel
        .part(name)?
        .unwrap_or_else(|| Arc::from(&[][..])))
}

/// Rows by the name in their first column. Several rows of a name keep their order.
#[derive(Default)]
pub(super) struct Table<'a> {
    rows: BTreeMap<&'a str, Vec<Row<'a>>>,
}

/// A row: its columns, tab-separated.
#[derive(Clone, Copy)]
pub(super) struct Row<'a>(&'a str);

impl<'a> Table<'a> {
    /// Adds the rows of a part; lines that begin with `#` are headings.
    pub fn add(&mut self, part: &'a [u8]) {
        let text = std::str::from_utf8(part).unwrap_or_default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split('\t').next().unwrap_or_default();
            self.rows.entry(name).or_default().push(Row(line));
        }
    }

    /// The table of one part.
    pub fn of(part: &'a [u8]) -> Table<'a> {
        let mut table = Table::default();
        table.add(part);
        table
    }

    /// The first row of `name`.
    pub fn get(&self, name: &str) -> Option<Row<'a>> {
        self.rows.get(name)?.first().copied()
    }

    /// All rows of `name`.
    pub fn all(&self, name: &str) -> &[Row<'a>] {
        self.rows.get(name).map_or(&[], Vec::as_slice)
    }

    /// All names, in byte order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.rows.keys().copied()
    }
}

impl<'a> Row<'a> {
    /// A column; empty where the row ends before it.
    pub fn col(self, index: usize) -> &'a str {
        self.0.split('\t').nth(index).unwrap_or_default()
    }

    /// A column as a number; what is none counts as 0, `~12` as 12.
    pub fn number(self, index: usize) -> u64 {
        let column = self.col(index).trim_start_matches('~');
        column.parse().unwrap_or(0)
    }

    /// The words of a column.
    pub fn words(self, index: usize) -> impl Iterator<Item = &'a str> {
        self.col(index).split_whitespace()
    }
}

/// A number between `from` and `to` that depends on `what` alone: an estimate for a package that
/// the catalog lacks. Small ones are more frequent than large ones, as in life.
pub(super) fn estimate(what: &str, from: u64, to: u64) -> u64 {
    let digest: [u8; 32] = Sha256::digest(what.as_bytes()).into();
    let part = |at: usize| u64::from(digest[at]) * u64::from(digest[at + 1]) + 1;
    // The product of four bytes over 2^32 leans towards zero.
    let lean = part(0) * part(2);
    from + ((u128::from(to - from) * u128::from(lean)) >> 32) as u64
}

/// A size as apt and npm show it: 1000 bytes are 1 kB, one decimal below 100.
pub(super) fn human(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if size < 100.0 && unit != "B" {
            return format!("{size:.1} {unit}");
        }
        if size < 10_000.0 {
            return format!("{size:.0} {unit}");
        }
        size /= 1000.0;
    }
    format!("{size:.1} TB")
}

/// Of the names that are there, one that differs from `name` by one edit: `name` is then taken
/// for a slip rather than for a package that the catalog lacks.
pub(super) fn is_slip<'a>(name: &str, mut names: impl Iterator<Item = &'a str>) -> bool {
    name.len() > 3 && names.any(|other| one_edit(name.as_bytes(), other.as_bytes()))
}

fn one_edit(a: &[u8], b: &[u8]) -> bool {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same..], &b[same..]);
    // Digits are versions, not slips.
    let letter = |text: &[u8]| text.first().is_some_and(u8::is_ascii_alphabetic);
    match a.len().abs_diff(b.len()) {
        0 if a.is_empty() => false,
        0 => {
            let swapped = a.len() > 1 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
            letter(a) && letter(b) && (a[1..] == b[1..] || swapped)
        }
        1 if a.len() > b.len() => letter(a) && a[1..] == *b,
        1 => letter(b) && *a == b[1..],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_name() {
        let table = Table::of(b"#name\tsize\nb\t2\na\t~1\tx y\na\t3\n");
        let row = table.get("a").expect("a is there");
        assert_eq!((row.number(1), row.col(2), row.col(9)), (1, "x y", ""));
        assert_eq!(row.words(2).collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(table.all("a").len(), 2);
        assert!(table.get("#name").is_none());
    }

    #[test]
    fn estimates_depend_on_the_name_alone() {
        assert_eq!(estimate("x", 10, 1000), estimate("x", 10, 1000));
        let all: Vec<u64> = (0..100)
            .map(|n| estimate(&n.to_string(), 10, 1000))
            .collect();
        assert!(all.iter().all(|size| (10..1000).contains(size)));
        assert!(all.iter().filter(|size| **size < 505).count() > 60);
    }

    #[test]
    fn sizes() {
        let all = [0, 999, 9_420_220, 34_299_000, 105_371_176].map(human);
        assert_eq!(all, ["0 B", "999 B", "9420 kB", "34.3 MB", "105 MB"]);
    }

    #[test]
    fn slips() {
        let names = ["curl", "python3", "libssl-dev"];
        let slip = |name| is_slip(name, names.into_iter());
        assert!(slip("crul") && slip("curll") && slip("libsl-dev"));
        assert!(!slip("python2") && !slip("curl") && !slip("wget"));
    }
}
