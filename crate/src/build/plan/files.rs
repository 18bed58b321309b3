//! ADD and COPY.
//!
//! Source: BuildKit `dockerfile2llb/convert_copy.go`.

use super::dispatch::Stage;
use super::graph::Draft;
use super::mounts::input;
use super::{Finished, text};
use crate::build::error::ConvertError;
use crate::build::glob;
use crate::build::op::{CopyAction, FileAction, FileOp, HttpOp, Op};
use crate::build::owner::OwnerSpec;
use crate::dockerfile::chmod::Chmod;
use crate::dockerfile::golang::clean_path;
use crate::dockerfile::instruction::{Add, Copy, Instruction, Transfer};
use crate::dockerfile::source::Source;

/// What ADD and COPY have in common.
struct Job<'a> {
    instruction: &'a Instruction,
    transfer: &'a Transfer,
    /// The files that paths are taken from: a draft, or nothing for an empty filesystem.
    from: Option<usize>,
    parents: bool,
    unpack: Option<bool>,
    add: bool,
    checksum: &'a str,
}

impl Stage<'_, '_> {
    pub(super) fn add(&mut self, instruction: &Instruction, add: &Add) -> Result<(), ConvertError> {
        let local =
            |source: &&String| !source.starts_with("http://") && !source.starts_with("https://");
        let paths = add.transfer.sources.iter().filter(local);
        self.context_paths
            .extend(paths.map(|path| clean_path(&format!("/{path}"))));
        let from = Some(self.drafts.context());
        self.transfer(&Job {
            instruction,
            transfer: &add.transfer,
            from,
            parents: false,
            unpack: add.unpack,
            add: true,
            checksum: &add.checksum,
        })
    }

    pub(super) fn copy(
        &mut self,
        instruction: &Instruction,
        copy: &Copy,
        source: Option<&Finished>,
    ) -> Result<(), ConvertError> {
        let from = match source {
            Some(finished) => finished.root,
            None => {
                let paths = copy.transfer.sources.iter();
                self.context_paths
                    .extend(paths.map(|path| clean_path(&format!("/{path}"))));
                Some(self.drafts.context())
            }
        };
        self.transfer(&Job {
            instruction,
            transfer: &copy.transfer,
            from,
            parents: copy.parents,
            unpack: Some(false),
            add: false,
            checksum: "",
        })
    }

    fn transfer(&mut self, job: &Job<'_>) -> Result<(), ConvertError> {
        let transfer = job.transfer;
        let chmod = match transfer.chmod.as_str() {
            "" => None,
            text => Some(Chmod::parse(text)?),
        };
        let shown = text::upper(&text::with_variables(
            &self.planner.lexer,
            &job.instruction.code,
            &self.scope.env,
        ));
        self.next_prefix();
        let template = CopyAction {
            input: None,
            source: String::new(),
            dest: dest_path(&self.scope.working_dir, &transfer.dest),
            owner: (!transfer.chown.is_empty()).then(|| OwnerSpec::parse(&transfer.chown)),
            chmod,
            plain: true,
            unpack: job.unpack.unwrap_or(job.add),
            include: Vec::new(),
            exclude: transfer.exclude.clone(),
            required: Vec::new(),
        };
        let mut history = String::from(if job.add { "ADD" } else { "COPY" });
        if job.parents {
            history.push_str(" --parents");
        }
        for (flag, value) in [("chown", &transfer.chown), ("chmod", &transfer.chmod)] {
            if !value.is_empty() {
                history.push_str(&format!(" --{flag}={value}"));
            }
        }
        // Links are laid over an empty filesystem.
        let link = transfer.link && transfer.chmod.is_empty();
        let base = if link { None } else { self.root };
        let mut inputs: Vec<usize> = Vec::new();
        let base_input = base.map(|root| input(&mut inputs, root));
        let mut actions = Vec::new();
        for source in &transfer.sources {
            history.push_str(&format!(" {source}"));
            let mut action = template.clone();
            match Source::of(source)? {
                Source::Git(_) => {
                    return Err(ConvertError::new(format!(
                        "adding the Git repository {source} is not simulated"
                    ))
                    .help("Put the files into the build context and ADD them from there."));
                }
                Source::Url => {
                    let file = self.download(source, job, &shown);
                    action.input = Some(input(&mut inputs, file.0));
                    action.source = format!("/{}", file.1);
                    action.plain = false;
                    action.unpack = job.unpack.unwrap_or(false);
                }
                Source::Path => {
                    action.input = job.from.map(|from| input(&mut inputs, from));
                    set_source(&mut action, source, job.parents);
                }
            }
            actions.push(FileAction::Copy(Box::new(action)));
        }
        for content in &transfer.contents {
            history.push_str(&format!(" <<{}", content.path));
            let file = self.inline_file(&content.path, 0o644, &content.data);
            actions.push(FileAction::Copy(Box::new(CopyAction {
                input: Some(input(&mut inputs, file)),
                source: clean_path(&format!("/{}", content.path)),
                plain: false,
                unpack: false,
                ..template.clone()
            })));
        }
        history.push_str(&format!(" {} # buildkit", transfer.dest));
        let op = Op::File(FileOp {
            base: base_input,
            actions,
        });
        let lines = job.instruction.lines;
        let copied = self.step(op, inputs, shown.clone(), lines);
        self.mark(copied);
        self.root = Some(match self.root.filter(|_| link) {
            Some(below) => {
                let inputs = vec![below, copied];
                let merged = self.step(Op::Merge, inputs, format!("LINK {shown}"), lines);
                self.mark(merged);
                merged
            }
            None => copied,
        });
        self.history(history, true);
        Ok(())
    }

    /// A file that stands in the Dockerfile.
    pub(super) fn inline_file(&mut self, name: &str, mode: u32, data: &str) -> usize {
        let op = Op::File(FileOp {
            base: None,
            actions: vec![FileAction::Mkfile {
                path: clean_path(&format!("/{name}")),
                mode,
                data: data.into(),
            }],
        });
        self.drafts
            .add(Draft::internal(op, Vec::new(), "preparing inline document"))
    }

    /// A file from the network, and its name.
    fn download(&mut self, url: &str, job: &Job<'_>, shown: &str) -> (usize, String) {
        let after = url.split_once("://").map_or("", |(_, rest)| rest);
        let path = after.split(['?', '#']).next().unwrap_or_default();
        let path = path.split_once('/').map_or("", |(_, path)| path);
        let name = match crate::fs::base_name(path) {
            "" | "." => "__unnamed__".to_string(),
            name => name.to_string(),
        };
        let op = Op::Http(HttpOp {
            url: url.to_string(),
            filename: name.clone(),
            checksum: job.checksum.to_string(),
        });
        let lines = job.instruction.lines;
        (self.step(op, Vec::new(), shown.to_string(), lines), name)
    }
}

/// The path of a source, and with `--parents` the patterns below it.
fn set_source(action: &mut CopyAction, source: &str, parents: bool) {
    let mut from = source;
    if parents {
        let pattern;
        (from, pattern) = match source.split_once("/./") {
            Some((from, pattern)) => (from, pattern),
            None => ("/", source),
        };
        let pattern = if pattern.starts_with('/') {
            pattern.to_string()
        } else {
            clean_path(&format!("/{pattern}"))
        };
        if !glob::is_pattern(from) && !glob::is_pattern(&pattern) {
            action.required = vec![clean_path(&format!("/{from}/{pattern}"))];
        }
        action.include = vec![pattern.strip_prefix('/').unwrap_or(&pattern).to_string()];
    }
    action.source = clean_path(&format!("/{from}"));
}

/// A destination seen from the working directory; what says that it is a directory is kept.
fn dest_path(dir: &str, dest: &str) -> String {
    let absolute = if dest.starts_with('/') {
        clean_path(dest)
    } else {
        clean_path(&format!("/{dir}/{dest}"))
    };
    let names_dir = dest.is_empty() || dest == "." || dest.ends_with('/');
    if names_dir && absolute != "/" {
        format!("{absolute}/")
    } else if dest.ends_with("/.") {
        format!("{}/.", absolute.trim_end_matches('/'))
    } else {
        absolute
    }
}
