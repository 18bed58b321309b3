//! Doing what a vertex says: files, merges, downloads. Commands are in [`super::command`].

use std::sync::Arc;

use super::chmod::ModeEdit;
use super::copy::{CopyJob, copy, host_error, mkdir};
use super::error::{BuildError, ErrorKind};
use super::filter::Filter;
use super::op::{CopyAction, FileAction, FileOp, HttpOp};
use super::owner::OwnerSpec;
use super::snapshot::Snapshot;
use crate::dockerfile::golang::quote;
use crate::fs::{Clock, Content, Fs, Kind, Meta, Overlay, Time};
use crate::image::Digest;
use crate::run::{Host, Machine, cost};

/// What running a vertex gives.
pub(super) struct Done {
    pub result: Snapshot,
    /// Simulated time.
    pub nanos: u64,
}

/// Why a vertex failed.
pub(super) struct Failure {
    pub message: String,
    pub help: Option<String>,
    pub kind: ErrorKind,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            help: None,
            kind: ErrorKind::Step,
        }
    }

    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    pub fn kind(mut self, kind: ErrorKind) -> Failure {
        self.kind = kind;
        self
    }

    /// At these lines.
    pub fn at(self, lines: &[crate::dockerfile::span::Lines]) -> BuildError {
        BuildError {
            message: self.message,
            lines: lines.to_vec(),
            help: self.help,
            kind: self.kind,
        }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::new(message)
    }
}

/// Seconds for each file that is copied, and bytes a second. (The cost model: `COPY / ADD local`.)
const COPY_FILE: f64 = 2e-5;
const COPY_RATE: f64 = 300e6;
/// What making a directory takes.
const MKDIR: u64 = 50_000_000;

/// Does the actions of a file operation.
///
/// # Errors
/// BuildKit's text.
pub(super) fn files(
    op: &FileOp,
    inputs: &[Arc<Snapshot>],
    clock: &mut Clock,
    clamp: Option<Time>,
    machine: Machine,
) -> Result<Done, Failure> {
    let nothing = Snapshot::default();
    let base = op.base.map_or(&nothing, |input| &*inputs[input]);
    let mut overlay = Overlay::over(&base.fs, *clock);
    let mut nanos = 0;
    for action in &op.actions {
        match action {
            FileAction::Copy(action) => {
                let source = action.input.map_or(&nothing, |input| &*inputs[input]);
                let owner = resolve_owner(action.owner.as_ref(), op.base.map(|_| &base.fs))?;
                copy_files(action, &source.fs, owner, &mut overlay)?;
            }
            FileAction::Mkdir {
                path,
                mode,
                owner,
                time,
            } => {
                let owner = resolve_owner(owner.as_ref(), op.base.map(|_| &base.fs))?;
                mkdir(&mut overlay, path, *mode, owner, time.map(Time))?;
                nanos += MKDIR;
            }
            FileAction::Mkfile { path, mode, data } => {
                let name = path.trim_start_matches('/');
                let meta = Meta::root(*mode, overlay.clock.tick());
                let kind = Kind::File(Content::new(data.as_bytes()));
                overlay
                    .create(Fs::ROOT, name, kind, meta)
                    .map_err(|errno| host_error("open", path, errno))?;
            }
        }
    }
    *clock = overlay.clock;
    let result = base.with_layer(overlay.commit(), clamp);
    if op.actions.iter().any(|a| matches!(a, FileAction::Copy(_))) {
        nanos += copy_nanos(&result, machine);
    }
    Ok(Done { result, nanos })
}

/// How long the files of the last layer took to copy.
fn copy_nanos(result: &Snapshot, machine: Machine) -> u64 {
    let Some(layer) = result.layers.last() else {
        return 0;
    };
    let changes = layer.changes();
    let bytes: u64 = changes
        .iter()
        .filter_map(|change| match change {
            crate::fs::Change::Put { inode, .. } => inode.file().map(Content::size),
            crate::fs::Change::Whiteout { .. } => None,
        })
        .sum();
    cost::seconds(machine.cpu * changes.len() as f64 * COPY_FILE + bytes as f64 / COPY_RATE)
}

fn copy_files(
    action: &CopyAction,
    source: &Fs,
    owner: Option<(u32, u32)>,
    overlay: &mut Overlay,
) -> Result<(), Failure> {
    let chmod = action.chmod.as_ref().map(ModeEdit::new);
    let filter = Filter::new(&action.include, &action.exclude)?;
    let job = CopyJob {
        source: &action.source,
        dest: &action.dest,
        wildcard: action.plain,
        follow_links: action.plain,
        contents_only: action.plain,
        unpack: action.unpack,
        owner,
        chmod: chmod.as_ref(),
        filter: &filter,
    };
    copy(source, overlay, &job)?;
    Ok(())
}

/// The numbers of an owner, looked up in the files that are copied onto.
fn resolve_owner(
    owner: Option<&OwnerSpec>,
    base: Option<&Fs>,
) -> Result<Option<(u32, u32)>, Failure> {
    let Some(owner) = owner else { return Ok(None) };
    match base {
        Some(base) => Ok(Some(owner.resolve(base)?)),
        None if owner.needs_files() => Err(Failure::new("invalid user index: -1").help(
            "There are no users and groups to look the name up in. Use numbers: --chown=1000:1000.",
        )),
        None => Ok(Some(owner.resolve(&Fs::empty())?)),
    }
}

/// Lays the layers of all inputs one on the other.
pub(super) fn merge(inputs: &[Arc<Snapshot>]) -> Result<Done, Failure> {
    let mut result = Snapshot::default();
    for input in inputs {
        result = if result.layers.is_empty() {
            Snapshot::clone(input)
        } else {
            result
                .merged_with(input)
                .map_err(|errno| Failure::new(errno.to_string().to_lowercase()))?
        };
    }
    Ok(Done { result, nanos: 0 })
}

/// Permissions of a downloaded file.
const DOWNLOADED: u32 = 0o600;

/// A file from the network, and what its key is made of: the digest of its bytes.
pub(super) fn download(
    op: &HttpOp,
    host: &mut dyn Host,
    clock: Clock,
    clamp: Option<Time>,
) -> Result<(Done, Digest), Failure> {
    let url = &op.url;
    let response = host.fetch(url).ok_or_else(|| {
        let name = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let name = name.split(['/', '?', '#']).next().unwrap_or(name);
        Failure::new(format!(
            "failed to load cache key: Get {}: dial tcp: lookup {name}: no such host",
            quote(url)
        ))
    })?;
    if !(200..400).contains(&response.status) {
        return Err(Failure::new(format!(
            "failed to load cache key: invalid response status {}",
            response.status
        )));
    }
    let digest = Digest(response.body.sha256());
    if !op.checksum.is_empty() && op.checksum != digest.to_string() {
        return Err(Failure::new(format!(
            "failed to load cache key: digest mismatch {digest}: {}",
            op.checksum
        )));
    }
    let nanos = cost::network(host.machine(), response.body.size());
    let mut overlay = Overlay::over(&Fs::empty(), clock);
    let meta = Meta::root(DOWNLOADED, Time::EPOCH);
    overlay
        .create(Fs::ROOT, &op.filename, Kind::File(response.body), meta)
        .map_err(|errno| host_error("open", &op.filename, errno))?;
    let result = Snapshot::default().with_layer(overlay.commit(), clamp);
    Ok((Done { result, nanos }, digest))
}
