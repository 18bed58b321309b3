//! Reading what the client prints, as the recordings hold it.

use serde_json::{Value, json};

use super::names::Names;

const HEADS: [&str; 7] = [
    "REPOSITORY",
    "CONTAINER ID",
    "IMAGE  ",
    "TYPE",
    "DRIVER",
    "VOLUME NAME",
    "CACHE ID",
];

/// A table of cells.
#[derive(Default)]
struct Table {
    title: Option<String>,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// The tables in a text. Column widths depend on IDs and times, so cells are kept.
pub fn tables(lines: &[String], names: &mut Names, sorted: bool) -> Value {
    let mut tables: Vec<Table> = Vec::new();
    let mut starts: Option<Vec<usize>> = None;
    let mut title: Option<String> = None;
    for line in lines {
        let first = line.split("  ").next().unwrap_or_default();
        if HEADS.iter().any(|head| line.starts_with(head)) && first.to_uppercase() == first {
            let columns = columns(line);
            starts = Some(columns.iter().map(|(at, _)| *at).collect());
            tables.push(Table {
                title: title.take(),
                columns: columns.into_iter().map(|(_, name)| name).collect(),
                rows: Vec::new(),
            });
        } else if line.trim().is_empty() {
            starts = None;
        } else if let (Some(starts), Some(table)) = (&starts, tables.last_mut()) {
            table.rows.push(cells(line, starts, names));
        } else {
            title = Some(names.text(line));
        }
    }
    if title.is_some() {
        tables.push(Table {
            title,
            ..Table::default()
        });
    }
    for table in &mut tables {
        table.order(sorted);
    }
    tables.into_iter().map(Table::json).collect()
}

/// The words of a heading, single blanks inside, each with its place.
fn columns(line: &str) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    let mut end = 0;
    let chars: Vec<char> = line.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        if *c == ' ' {
            continue;
        }
        match out.last_mut() {
            Some((_, name)) if at == end => name.push(*c),
            Some((_, name)) if at == end + 1 => {
                name.push(' ');
                name.push(*c);
            }
            _ => out.push((at, c.to_string())),
        }
        end = at + 1;
    }
    out
}

fn cells(line: &str, starts: &[usize], names: &mut Names) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    let mut out = Vec::new();
    for (start, end) in starts.iter().zip(ends) {
        let cell = chars.iter().take(end).skip(*start);
        out.push(names.text(cell.collect::<String>().trim()));
    }
    out
}

impl Table {
    /// Rows in the order in which they are compared: the engine has none for some.
    fn order(&mut self, sorted: bool) {
        let first = self.columns.first().map_or("", String::as_str);
        if first == "DRIVER" || first == "VOLUME NAME" {
            self.rows.sort();
        }
        if first == "REPOSITORY"
            && let Some(at) = self.columns.iter().position(|name| name == "IMAGE ID")
        {
            for same in self.rows.chunk_by_mut(|a, b| a[at] == b[at]) {
                same.sort();
            }
        }
        if sorted {
            self.rows.sort_by_key(|row| natural(row));
        }
    }

    fn json(self) -> Value {
        let mut out = json!({});
        if !self.columns.is_empty() {
            out = json!({"columns": self.columns, "rows": self.rows});
        }
        if let Some(title) = self.title {
            out["title"] = json!(title);
        }
        out
    }
}

/// Cells by which rows are sorted: the base first, IDs by their numbers.
fn natural(row: &[String]) -> Vec<(bool, u64, String)> {
    let key = |cell: &String| {
        let number = cell
            .strip_prefix("<id")
            .and_then(|rest| rest.strip_suffix('>'));
        let number = number.and_then(|digits| digits.parse().ok());
        (
            !cell.starts_with("<base"),
            number.unwrap_or(0),
            cell.clone(),
        )
    };
    row.iter().map(key).collect()
}

/// What a prune printed: the engine walks a map there, so lines are sorted, known IDs first, and
/// new ones are not told apart.
pub fn pruned(lines: &[String], names: &mut Names) -> Vec<String> {
    let mut out = Vec::new();
    let mut block: Vec<String> = Vec::new();
    let flush = |block: &mut Vec<String>, out: &mut Vec<String>, names: &mut Names| {
        let (mut known, mut fresh) = (Vec::new(), Vec::new());
        for line in block.drain(..) {
            match ids(&line).into_iter().find(|id| !names.known(id)) {
                Some(id) => fresh.push(line.replace(&id, "<new*>")),
                None => known.push(names.text(&line)),
            }
        }
        known.sort();
        fresh.sort();
        out.append(&mut known);
        out.append(&mut fresh);
    };
    for line in lines {
        if line.ends_with(':') || line.starts_with("Total") || line.trim().is_empty() {
            flush(&mut block, &mut out, names);
            out.push(line.clone());
        } else {
            block.push(line.clone());
        }
    }
    flush(&mut block, &mut out, names);
    out
}

fn ids(line: &str) -> Vec<String> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let runs = line.split(|c| !hex(c)).filter(|run| run.len() == 64);
    runs.map(String::from).collect()
}
