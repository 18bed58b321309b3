//! Trees that are browsed: the context, layers, images, steps.

use crate::context::Ignore;
use crate::engine::changes::changed_paths;
use crate::engine::{DOCKERFILE, Desk, Refusal};
use crate::fs::Fs;
use crate::view::stack::{Stack, dir_rows, missing, text_of};
use crate::view::tree::{fits, hex, row};
use crate::view::{FileView, Ignored, Row, TreeRef};

/// The most rows that a search gives.
const MAX_FOUND: usize = 10_000;

/// The desk's trees.
pub struct Trees<'a> {
    desk: &'a Desk,
    ignore: Ignore,
    changed: Vec<String>,
}

enum Tree<'a> {
    Context(&'a Fs),
    Layer(Stack, usize),
    Merged(Stack, usize),
}

impl<'a> Trees<'a> {
    /// Those of `desk`.
    pub fn of(desk: &'a Desk) -> Trees<'a> {
        let last = desk.last_build();
        Trees {
            desk,
            ignore: desk
                .workspace
                .context()
                .ignore(DOCKERFILE)
                .unwrap_or_default(),
            changed: last.map_or_else(Vec::new, |last| {
                changed_paths(last.workspace.files(), desk.workspace.files())
            }),
        }
    }

    fn tree(&self, tree: TreeRef) -> Result<Tree<'a>, Refusal> {
        let image = |build: u32| {
            let build = self.desk.build(build)?;
            let image = build.report.image.as_ref();
            image.map(Stack::of_image).ok_or_else(|| {
                Refusal::new(format!("Build {} made no image.", build.number))
                    .help("Look at the tree of one of its steps.")
            })
        };
        let in_range = |stack: Stack, layer: u32| match (layer as usize) < stack.layers.len() {
            true => Ok((stack, layer as usize)),
            false => Err(Refusal::new(format!("There is no layer {layer}."))),
        };
        match tree {
            TreeRef::Context => Ok(Tree::Context(self.desk.workspace.files())),
            TreeRef::Layer { build, layer } => {
                let (stack, layer) = in_range(image(build)?, layer)?;
                Ok(Tree::Layer(stack, layer))
            }
            TreeRef::Merged { build, layer } => {
                let (stack, layer) = in_range(image(build)?, layer)?;
                Ok(Tree::Merged(stack, layer))
            }
            TreeRef::Step { build, step } => {
                let build = self.desk.build(build)?;
                let step = build.report.steps.get(step as usize);
                let result = step.and_then(|step| step.result.as_ref()).ok_or_else(|| {
                    Refusal::new("That step left no files in this build.")
                        .help("It was cached and its files were not needed, or it was not reached.")
                })?;
                let mut stack = Stack::of_snapshot(result);
                if stack.trees.is_empty() {
                    stack.trees.push(result.fs.clone());
                    stack.layers.push([].into());
                }
                let top = stack.trees.len() - 1;
                Ok(Tree::Merged(stack, top))
            }
        }
    }

    /// One directory.
    ///
    /// # Errors
    /// No such tree or directory.
    pub fn list(&self, tree: TreeRef, dir: &str) -> Result<Vec<Row>, Refusal> {
        let dir = dir.trim_matches('/');
        match self.tree(tree)? {
            Tree::Context(fs) => {
                let mut rows = dir_rows(fs, dir)?;
                rows.iter_mut().for_each(|row| self.mark(row));
                Ok(rows)
            }
            Tree::Layer(stack, layer) => Ok(stack.layer_rows(layer, dir)),
            Tree::Merged(stack, layer) => stack.merged_rows(layer, dir),
        }
    }

    /// The rows whose path fits.
    ///
    /// # Errors
    /// No such tree.
    pub fn find(&self, tree: TreeRef, pattern: &str, limit: usize) -> Result<Vec<Row>, Refusal> {
        let limit = limit.min(MAX_FOUND);
        let ok = |path: &str| fits(pattern, path);
        Ok(match self.tree(tree)? {
            Tree::Context(fs) => fs
                .walk(Fs::ROOT)
                .filter(|entry| ok(&entry.path))
                .take(limit)
                .map(|entry| {
                    let mut row = row(fs, entry.path.clone(), entry.ino);
                    self.mark(&mut row);
                    row
                })
                .collect(),
            Tree::Layer(stack, layer) => stack.find(layer, false, ok, limit),
            Tree::Merged(stack, layer) => stack.find(layer, true, ok, limit),
        })
    }

    /// A file.
    ///
    /// # Errors
    /// No such tree or file.
    pub fn read(&self, tree: TreeRef, path: &str) -> Result<FileView, Refusal> {
        let path = path.trim_matches('/');
        match self.tree(tree)? {
            Tree::Context(fs) => {
                let (ino, inode) = fs.find(path).ok_or_else(|| missing(path))?;
                let mut row = row(fs, path.to_string(), ino);
                self.mark(&mut row);
                Ok(FileView {
                    row,
                    text: text_of(inode),
                    sha256: inode.file().map(|content| hex(&content.sha256())),
                    versions: Vec::new(),
                })
            }
            Tree::Layer(stack, layer) => stack.layer_file(layer, path),
            Tree::Merged(stack, layer) => stack.merged_file(layer, path),
        }
    }

    /// What concerns the context alone.
    fn mark(&self, row: &mut Row) {
        let lines = self.ignore.trail(&row.path);
        if !lines.is_empty() {
            let text = self.desk.workspace.files().read_text(&self.ignore.file);
            let written = |line: u32| {
                let lines = text.as_deref().map(str::lines);
                lines.and_then(|mut lines| lines.nth(line.saturating_sub(1) as usize))
            };
            let rules = lines.into_iter().map(|line| Ignored {
                file: self.ignore.file.clone(),
                line,
                pattern: written(line).unwrap_or_default().trim().to_string(),
            });
            row.rules = rules.collect();
            if self.ignore.verdict(&row.path).ignored {
                row.ignored = row.rules.last().cloned();
            }
        }
        let inside = format!("{}/", row.path);
        row.edited = self
            .changed
            .iter()
            .any(|path| *path == row.path || path.starts_with(&inside));
    }
}
