//! Reading the source form.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::programs;
use crate::Failure;

/// The folder of the source form.
pub struct Source {
    dir: PathBuf,
}

/// A row of a table.
pub struct Row(Vec<String>);

impl Row {
    /// The column, empty where the row ends before it.
    pub fn col(&self, index: usize) -> &str {
        self.0.get(index).map_or("", String::as_str)
    }

    /// The column as a number; what is not one counts as 0 (`~12` is an approximate 12).
    pub fn number(&self, index: usize) -> u64 {
        self.col(index).trim_start_matches('~').parse().unwrap_or(0)
    }

    /// The column's words.
    pub fn words(&self, index: usize) -> impl Iterator<Item = &str> {
        self.col(index).split_whitespace()
    }

    /// Adds `items` to the list in a column whose items stand between semicolons.
    pub fn extend(&mut self, index: usize, items: &str) {
        if items.is_empty() {
            return;
        }
        if self.0.len() <= index {
            self.0.resize(index + 1, String::new());
        }
        let column = &mut self.0[index];
        if !column.is_empty() {
            column.push(';');
        }
        column.push_str(items);
    }

    /// All columns, tab-separated.
    pub fn line(&self) -> String {
        self.0.join("\t")
    }
}

/// What is known beyond the source form: further images, paths that layers hold, and rules for
/// names that no image is listed under.
fn more() -> Result<Value, Failure> {
    serde_json::from_str(include_str!("more.json"))
        .map_err(|error| Failure::Because(format!("more.json: {error}")))
}

impl Source {
    /// The source form in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Source {
        Source { dir: dir.into() }
    }

    fn read(&self, name: &str) -> Result<String, Failure> {
        let path = self.dir.join(name);
        fs::read_to_string(&path)
            .map_err(|error| Failure::Because(format!("{}: {error}", path.display())))
    }

    /// The rows of a table, without its heading.
    pub fn table(&self, name: &str) -> Result<Vec<Row>, Failure> {
        let text = self.read(name)?;
        Ok(text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(|line| Row(line.split('\t').map(str::to_owned).collect()))
            .collect())
    }

    /// The table of Debian packages, each with the files that only we know of.
    pub fn apt(&self) -> Result<Vec<Row>, Failure> {
        let mut rows = self.table("apt.tsv")?;
        for row in &mut rows {
            let more = programs::more_of_apt(row.col(0));
            row.extend(8, &more);
        }
        Ok(rows)
    }

    /// A JSON file.
    pub fn json(&self, name: &str) -> Result<Value, Failure> {
        serde_json::from_str(&self.read(name)?)
            .map_err(|error| Failure::Because(format!("{name}: {error}")))
    }

    /// All images, by file name without its ending, in byte order.
    pub fn images(&self) -> Result<Vec<(String, Value)>, Failure> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.dir.join("images"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if let Some(stem) = name.strip_suffix(".json")
                && stem != "aliases"
            {
                names.push(stem.to_owned());
            }
        }
        names.sort();
        let more = more()?;
        let mut images: Vec<(String, Value)> = Vec::new();
        for name in names {
            let image = self.json(&format!("images/{name}.json"))?;
            images.push((name, image));
        }
        for (name, image) in more["images"].as_object().into_iter().flatten() {
            images.push((name.clone(), image.clone()));
        }
        let layers = images
            .iter_mut()
            .filter_map(|(_, image)| image["layers"].as_array_mut())
            .flatten();
        for layer in layers {
            let Some(paths) = layer["id"]
                .as_str()
                .and_then(|id| more["paths"][id].as_array())
            else {
                continue;
            };
            let known = layer["paths"].as_array().cloned().unwrap_or_default();
            let is_new = |path: &&Value| !known.iter().any(|known| known[0] == path[0]);
            let new: Vec<Value> = paths.iter().filter(is_new).cloned().collect();
            layer["paths"] = Value::Array(known.into_iter().chain(new).collect());
        }
        Ok(images)
    }

    /// The rules that map other tags to listed images, the first of which counts.
    pub fn aliases(&self) -> Result<Vec<Value>, Failure> {
        let rules = self.json("images/aliases.json")?["rules"].take();
        let more = more()?["aliases"].take();
        let lists = [rules, more].into_iter().filter_map(|list| match list {
            Value::Array(rules) => Some(rules),
            _ => None,
        });
        Ok(lists.flatten().collect())
    }
}
