//! Operations: what the vertices of a build graph do.
//!
//! Source: BuildKit `solver/pb` and the key rules of `solver/llbsolver/ops`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::content::Selector;
use super::glob;
use super::key::{Frames, Keyed, Part};
use super::owner::{Account, OwnerSpec};
use crate::dockerfile::chmod::Chmod;
use crate::dockerfile::golang::clean_path;
use crate::dockerfile::instruction::CacheSharing;
use crate::dockerfile::platform::Platform;
use crate::fs::base_name;
use crate::image::Digest;
use crate::world::BaseImage;

/// An operation.
#[derive(Clone, Debug)]
pub enum Op {
    /// A base image.
    Image(ImageOp),
    /// The build context.
    Context,
    /// A file from the network.
    Http(HttpOp),
    /// A command.
    Run(RunOp),
    /// Changes of files.
    File(FileOp),
    /// The layers of all inputs, one on the other.
    Merge,
}

/// A base image.
#[derive(Clone, Debug)]
pub struct ImageOp {
    /// Its name as people write it, with the tag.
    pub name: String,
    /// The image.
    pub image: Arc<BaseImage>,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The platform it is for.
    pub platform: Platform,
}

/// A file from the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOp {
    /// The address.
    pub url: String,
    /// The name it gets.
    pub filename: String,
    /// What its digest must be; empty for anything.
    pub checksum: String,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOp {
    /// The arguments.
    pub args: Vec<String>,
    /// The environment, in order.
    pub env: Vec<(String, String)>,
    /// The working directory.
    pub cwd: String,
    /// The user as written; empty for the default.
    pub user: String,
    /// `none` or `host`; empty for the default.
    pub network: String,
    /// Whether `--security=insecure` is given.
    pub insecure: bool,
    /// The platform it runs on.
    pub platform: Platform,
    /// What is mounted: the root first, then by target, then secrets and agents as written.
    pub mounts: Vec<RunMount>,
    /// Variables that come from secrets.
    pub secret_env: Vec<SecretEnv>,
    /// Proxy variables, which are in no key.
    pub proxy: Vec<(String, String)>,
}

/// A mount of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMount {
    /// Where it is seen.
    pub target: String,
    /// The position of the input that it shows; `None` for an empty directory.
    pub input: Option<usize>,
    /// The path of the input that it shows; empty for all of it.
    pub source: String,
    /// Whether it cannot be written.
    pub read_only: bool,
    /// What it is.
    pub kind: RunMountKind,
}

/// What a mount is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunMountKind {
    /// The filesystem that the command changes.
    Root,
    /// Files of an input. Changes are dropped.
    Bind,
    /// A directory that outlives the build.
    Cache {
        /// Its name, with the namespace in front.
        id: String,
        /// Who may use it at the same time.
        sharing: CacheSharing,
    },
    /// A temporary filesystem.
    Tmpfs {
        /// Its size in bytes, 0 for no limit.
        size: i64,
    },
    /// A secret.
    Secret(SecretMount),
    /// The socket of an SSH agent.
    Ssh {
        /// The agent's name.
        id: String,
        /// Whether the build goes on without it.
        optional: bool,
        /// Owner and permissions.
        access: (u32, u32, u32),
    },
}

/// A secret that is seen as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretMount {
    /// Its name.
    pub id: String,
    /// Whether the build goes on without it.
    pub optional: bool,
    /// User, group and permissions.
    pub access: (u32, u32, u32),
}

/// A secret that is seen as a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEnv {
    /// Its name.
    pub id: String,
    /// The variable.
    pub name: String,
    /// Whether the build goes on without it.
    pub optional: bool,
}

/// Changes of files, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOp {
    /// The position of the input that is changed; `None` for an empty filesystem.
    pub base: Option<usize>,
    /// The changes.
    pub actions: Vec<FileAction>,
}

/// One change of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAction {
    /// ADD and COPY.
    Copy(Box<CopyAction>),
    /// Makes a directory with its parents.
    Mkdir {
        /// Its path.
        path: String,
        /// Its permissions.
        mode: u32,
        /// Its owner, if it is not root.
        owner: Option<OwnerSpec>,
        /// Its time in nanoseconds since the epoch, if it is not the present.
        time: Option<i64>,
    },
    /// Makes a file.
    Mkfile {
        /// Its path.
        path: String,
        /// Its permissions.
        mode: u32,
        /// Its content.
        data: Arc<str>,
    },
}

/// What ADD and COPY do with one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyAction {
    /// The position of the input that is copied from; `None` for an empty filesystem.
    pub input: Option<usize>,
    /// The source, absolute.
    pub source: String,
    /// The destination, absolute.
    pub dest: String,
    /// The owner, if it is not the source's.
    pub owner: Option<OwnerSpec>,
    /// The mode, if it is not the source's.
    pub chmod: Option<Chmod>,
    /// Whether this is a source as people write them: it may be a pattern, links are followed, a
    /// directory stands for its content.
    pub plain: bool,
    /// Whether archives are unpacked.
    pub unpack: bool,
    /// What is taken below the source.
    pub include: Vec<String>,
    /// What is left out below the source.
    pub exclude: Vec<String>,
    /// Paths of which at least one entry must be taken.
    pub required: Vec<String>,
}

/// How one input enters a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputRule {
    /// The digest of the paths that are looked at, where it is not the whole.
    pub selector: Option<Digest>,
    /// What of the content counts; `None` if the input counts by how it was made.
    pub content: Option<Vec<Selector>>,
}

impl Op {
    /// How each of `count` inputs enters the key.
    pub fn input_rules(&self, count: usize) -> Vec<InputRule> {
        match self {
            Op::Run(run) => run.input_rules(count),
            Op::File(file) => file.input_rules(count),
            _ => vec![InputRule::default(); count],
        }
    }

    /// The frames that tell this operation from every other in a graph, beyond those of its key:
    /// what BuildKit's definition has and the key leaves out.
    pub fn write_definition(&self, frames: &mut Frames) {
        self.write_key(frames);
        match self {
            Op::Run(run) => {
                for mount in &run.mounts {
                    frames.push(Part::Mount, "source", &mount.source);
                    if let RunMountKind::Cache { id, sharing } = &mount.kind {
                        frames.push(Part::Mount, "id", id);
                        frames.push(Part::Mount, "sharing", sharing.name());
                    }
                }
                for (name, value) in &run.proxy {
                    frames.push(Part::Variable, name, value);
                }
            }
            Op::File(file) => {
                for action in &file.actions {
                    if let FileAction::Copy(copy) = action {
                        frames.push(Part::Source, "path", &copy.source);
                    }
                }
            }
            Op::Http(http) => frames.push(Part::Source, "url", &http.url),
            Op::Image(image) => frames.push(Part::Image, "name", &image.name),
            Op::Context | Op::Merge => {}
        }
    }
}

impl Keyed for Op {
    fn write_key(&self, frames: &mut Frames) {
        match self {
            Op::Image(image) => {
                frames.push(Part::Operation, "", "image");
                frames.push(Part::Image, "", image.digest);
                frames.push(Part::Platform, "", &image.platform);
            }
            Op::Context => frames.push(Part::Operation, "", "context"),
            Op::Http(http) => {
                frames.push(Part::Operation, "", "download");
                frames.push(Part::Source, "name", &http.filename);
                if !http.checksum.is_empty() {
                    frames.push(Part::Option, "checksum", &http.checksum);
                }
            }
            Op::Run(run) => run.write_key(frames),
            Op::File(file) => file.write_key(frames),
            Op::Merge => frames.push(Part::Operation, "", "link"),
        }
    }
}

impl Keyed for RunOp {
    fn write_key(&self, frames: &mut Frames) {
        frames.push(Part::Operation, "", "run");
        for (at, arg) in self.args.iter().enumerate() {
            frames.push(Part::Argument, at.to_string(), arg);
        }
        for (name, value) in &self.env {
            frames.push(Part::Variable, name, value);
        }
        frames.push(Part::WorkingDirectory, "", &self.cwd);
        if !self.user.is_empty() {
            frames.push(Part::User, "", &self.user);
        }
        if !self.network.is_empty() {
            frames.push(Part::Network, "", &self.network);
        }
        frames.flag(Part::Security, "insecure", self.insecure);
        frames.push(Part::Platform, "", &self.platform);
        for mount in &self.mounts {
            mount.write_key(frames);
        }
        for secret in &self.secret_env {
            frames.push(Part::Mount, format!("secret {}", secret.id), &secret.name);
            frames.flag(Part::Mount, "required", !secret.optional);
        }
    }
}

impl Keyed for RunMount {
    fn write_key(&self, frames: &mut Frames) {
        let target = &self.target;
        let kind = match &self.kind {
            // The root is there in every command.
            RunMountKind::Root => return,
            RunMountKind::Bind => "bind",
            RunMountKind::Cache { .. } => "cache",
            RunMountKind::Tmpfs { .. } => "tmpfs",
            RunMountKind::Secret(_) => "secret",
            RunMountKind::Ssh { .. } => "ssh",
        };
        frames.push(Part::Mount, target, kind);
        frames.flag(Part::Mount, format!("{target} read-only"), self.read_only);
        if let Some(input) = self.input {
            frames.push(Part::Mount, format!("{target} input"), input);
        }
        let mut access = |id: &str, optional: bool, (uid, gid, mode): (u32, u32, u32)| {
            frames.push(Part::Mount, format!("{target} id"), id);
            frames.flag(Part::Mount, format!("{target} required"), !optional);
            frames.push(
                Part::Mount,
                format!("{target} access"),
                format!("{uid}:{gid} {mode:04o}"),
            );
        };
        match &self.kind {
            RunMountKind::Cache { id, sharing } => {
                // A cache with a name of its own is known by its target alone.
                let default = id.split_once('/').is_some_and(|(_, id)| id == target);
                if default && *sharing == CacheSharing::Shared {
                    frames.push(Part::Mount, format!("{target} id"), id);
                }
            }
            RunMountKind::Tmpfs { size } => {
                if *size != 0 {
                    frames.push(Part::Mount, format!("{target} size"), size);
                }
            }
            RunMountKind::Secret(secret) => access(&secret.id, secret.optional, secret.access),
            RunMountKind::Ssh {
                id,
                optional,
                access: rights,
            } => access(id, *optional, *rights),
            RunMountKind::Root | RunMountKind::Bind => {}
        }
    }
}

impl RunOp {
    fn input_rules(&self, count: usize) -> Vec<InputRule> {
        let mut paths: Vec<Vec<String>> = vec![Vec::new(); count];
        let mut by_content = vec![false; count];
        for mount in &self.mounts {
            let Some(input) = mount.input.filter(|input| *input < count) else {
                continue;
            };
            paths[input].push(clean_path(&format!("/{}", mount.source)));
            // The last mount of an input decides, as in BuildKit.
            by_content[input] = mount.kind != RunMountKind::Root;
        }
        paths
            .into_iter()
            .zip(by_content)
            .map(|(paths, by_content)| InputRule {
                selector: (paths != ["/"]).then(|| Digest::of(paths.join("\0").as_bytes())),
                content: by_content.then(|| {
                    if paths.iter().any(|path| path == "/") {
                        return Vec::new();
                    }
                    outermost(paths).into_iter().map(Selector::path).collect()
                }),
            })
            .collect()
    }
}

/// The paths that lie in no other of them, sorted, each once.
fn outermost(mut paths: Vec<String>) -> Vec<String> {
    crate::order::sort(&mut paths);
    paths.dedup();
    let all = paths.clone();
    paths.retain(|path| {
        !all.iter().any(|other| {
            path != other && path.starts_with(&format!("{}/", other.trim_end_matches('/')))
        })
    });
    paths
}

impl Keyed for FileOp {
    fn write_key(&self, frames: &mut Frames) {
        for action in &self.actions {
            match action {
                FileAction::Copy(copy) => {
                    frames.push(Part::Operation, "", "copy");
                    copy.write_key(frames);
                    // Nothing is said where it is the usual: onto the first input, from the second.
                    if self.base != Some(0) || copy.input != Some(1) {
                        let inputs = format!("{:?} {:?}", self.base, copy.input);
                        frames.push(Part::Option, "inputs", inputs);
                    }
                }
                FileAction::Mkdir {
                    path,
                    mode,
                    owner,
                    time,
                } => {
                    frames.push(Part::Operation, "", "make directory");
                    frames.push(Part::Option, "path", path);
                    frames.push(Part::Option, "mode", format!("{mode:04o}"));
                    if let Some(owner) = owner {
                        owner.write_key(frames);
                    }
                    if let Some(time) = time {
                        frames.push(Part::Option, "time", time);
                    }
                    if self.base.is_none() {
                        frames.push(Part::Option, "inputs", "None");
                    }
                }
                FileAction::Mkfile { path, mode, data } => {
                    frames.push(Part::Operation, "", "make file");
                    frames.push(Part::Option, "path", path);
                    frames.push(Part::Option, "mode", format!("{mode:04o}"));
                    frames.push(Part::Inline, path, data);
                }
            }
        }
    }
}

impl Keyed for CopyAction {
    fn write_key(&self, frames: &mut Frames) {
        let name = base_name(&self.source);
        frames.push(Part::Source, "", if name.is_empty() { "/" } else { name });
        frames.push(Part::Option, "destination", &self.dest);
        if let Some(owner) = &self.owner {
            owner.write_key(frames);
        }
        match &self.chmod {
            Some(Chmod::Octal(mode)) => frames.push(Part::Option, "chmod", format!("{mode:04o}")),
            Some(Chmod::Symbolic(text)) => frames.push(Part::Option, "chmod", text),
            None => {}
        }
        frames.flag(Part::Option, "inline", !self.plain);
        frames.flag(Part::Option, "unpack", self.unpack);
        for (name, list) in [
            ("include", &self.include),
            ("exclude", &self.exclude),
            ("required", &self.required),
        ] {
            for item in list {
                frames.push(Part::Option, name, item);
            }
        }
    }
}

impl Keyed for OwnerSpec {
    fn write_key(&self, frames: &mut Frames) {
        let text = |account: &Account| match account {
            Account::Id(id) => format!("#{id}"),
            Account::Name(name) if name.is_empty() => "#0".into(),
            Account::Name(name) => name.clone(),
        };
        frames.push(Part::Option, "user", text(&self.user));
        if let Some(group) = &self.group {
            frames.push(Part::Option, "group", text(group));
        }
    }
}

impl FileOp {
    fn input_rules(&self, count: usize) -> Vec<InputRule> {
        let mut selectors: BTreeMap<usize, Vec<Selector>> = BTreeMap::new();
        for action in &self.actions {
            if let FileAction::Copy(copy) = action
                && let Some(input) = copy.input
            {
                selectors.entry(input).or_default().push(Selector {
                    path: copy.source.clone(),
                    wildcard: copy.plain && glob::is_pattern(&copy.source),
                    follow_links: copy.plain,
                    include: copy.include.clone(),
                    exclude: copy.exclude.clone(),
                    required: copy.required.clone(),
                });
            }
        }
        (0..count)
            .map(|input| match selectors.remove(&input) {
                // What is copied from itself is known by how it was made.
                Some(list) if self.base != Some(input) => {
                    let mut paths: Vec<&str> = list.iter().map(|s| s.path.as_str()).collect();
                    crate::order::sort(&mut paths);
                    InputRule {
                        selector: Some(Digest::of(paths.join("\0").as_bytes())),
                        content: Some(distinct(list)),
                    }
                }
                _ => InputRule::default(),
            })
            .collect()
    }
}

/// The selectors in order of their paths, without plain paths that lie in others.
fn distinct(list: Vec<Selector>) -> Vec<Selector> {
    let (filtered, plain): (Vec<_>, Vec<_>) = list.into_iter().partition(Selector::is_filtered);
    let mut out: Vec<Selector> = Vec::new();
    for follow_links in [false, true] {
        let paths = plain.iter().filter(|s| s.follow_links == follow_links);
        let paths = outermost(paths.map(|s| s.path.clone()).collect());
        out.extend(paths.into_iter().map(|path| Selector {
            path,
            follow_links,
            ..Selector::default()
        }));
    }
    out.extend(filtered);
    crate::order::sort_by(&mut out, |a, b| a.path.cmp(&b.path));
    out
}

/// The variables of proxies that a command gets without having declared them.
/// (BuildKit: `proxyEnvFromBuildArgs`, `proxyEnvList`.)
pub(super) fn proxy_env(build_args: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "FTP_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
    ] {
        let values = build_args
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        if let Some((_, value)) = values.max_by_key(|(key, _)| *key)
            && !value.is_empty()
        {
            out.push((name.to_string(), value.clone()));
            out.push((name.to_lowercase(), value.clone()));
        }
    }
    out
}
