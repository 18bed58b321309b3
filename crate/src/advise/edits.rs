//! The kinds of edit that people make.

use std::collections::BTreeMap;

use crate::dockerfile;
use crate::dockerfile::instruction::{Command, parse_stages};
use crate::engine::changes::changed_paths;
use crate::engine::{DOCKERFILE, Desk, Edit};
use crate::fs::Fs;

/// A kind of edit, with an instance of it.
#[derive(Clone, Debug, PartialEq)]
pub struct KindOfEdit {
    /// What is edited: `edit src/app.js`.
    pub label: String,
    /// The instance.
    pub edit: Edit,
}

/// Files that say what a program depends on.
const MANIFESTS: &[&str] = &[
    "package.json",
    "requirements.txt",
    "pyproject.toml",
    "go.mod",
    "Cargo.toml",
    "pom.xml",
    "build.gradle",
    "composer.json",
    "Gemfile",
];

/// Files that are written by tools or that a program is not made of.
const NO_SOURCE: &[&str] = &[
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "go.sum",
    "Cargo.lock",
    "composer.lock",
    "Gemfile.lock",
    ".dockerignore",
    DOCKERFILE,
];

/// The edits to try in this workspace: a source file, the list of dependencies, a build argument.
/// A source file that was edited since the last build comes before others.
pub fn typical_edits(desk: &Desk) -> Vec<KindOfEdit> {
    let files = desk.workspace.files();
    let ignore = desk
        .workspace
        .context()
        .ignore(DOCKERFILE)
        .unwrap_or_default();
    let paths: Vec<String> = files
        .walk(Fs::ROOT)
        .filter(|entry| entry.inode.file().is_some())
        .map(|entry| entry.path)
        .filter(|path| !ignore.verdict(path).ignored)
        .collect();
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_string();
    let is_source = |path: &&String| {
        let name = name(path);
        !MANIFESTS.contains(&name.as_str())
            && !NO_SOURCE.contains(&name.as_str())
            && !name.ends_with(".dockerignore")
            && !name.ends_with(".md")
    };
    let edited = desk
        .last_build()
        .map(|last| changed_paths(last.workspace.files(), files))
        .unwrap_or_default();
    let source = edited
        .iter()
        .filter(|path| paths.contains(path))
        .find(is_source)
        .or_else(|| paths.iter().filter(is_source).max_by_key(|path| rank(path)));
    let manifest = paths
        .iter()
        .find(|path| MANIFESTS.contains(&name(path).as_str()));
    let nudge = |path: &String| KindOfEdit {
        label: format!("edit {path}"),
        edit: Edit::Nudge { path: path.clone() },
    };
    let mut edits: Vec<KindOfEdit> = source.into_iter().chain(manifest).map(nudge).collect();
    edits.extend(build_arg(desk));
    edits
}

/// Code in a source directory is what is edited most.
fn rank(path: &str) -> (bool, bool, std::cmp::Reverse<usize>) {
    let code = [
        "js", "mjs", "ts", "tsx", "jsx", "py", "go", "rs", "java", "kt", "c", "cc", "cpp", "cs",
        "rb", "php", "sh", "html", "css",
    ];
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let in_source = ["src/", "app/", "lib/", "cmd/"]
        .iter()
        .any(|dir| path.contains(dir));
    (
        code.contains(&extension),
        in_source,
        std::cmp::Reverse(path.len()),
    )
}

/// Another value for the first ARG that a stage declares.
fn build_arg(desk: &Desk) -> Option<KindOfEdit> {
    let text = desk.workspace.dockerfile()?;
    let file = parse_stages(&dockerfile::parse(&text).ast);
    let mut args = file.stages.iter().flat_map(|stage| &stage.instructions);
    let key = args.find_map(|instruction| match &instruction.command {
        Command::Arg(pairs) => pairs.first().map(|pair| pair.key.clone()),
        _ => None,
    })?;
    let mut options = desk.workspace.options().clone();
    let old: &mut BTreeMap<String, String> = &mut options.build_args;
    let value = old
        .get(&key)
        .map_or_else(|| "1".to_string(), |old| format!("{old}1"));
    old.insert(key.clone(), value);
    Some(KindOfEdit {
        label: format!("set --build-arg {key}"),
        edit: Edit::Options { options },
    })
}
