//! RUN: a command in a container.
//!
//! Source: BuildKit `solver/llbsolver/ops/exec`, `solver/llbsolver/mounts` and
//! `executor/runcexecutor`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cache::Cache;
use super::copy::{make_dirs, root_path};
use super::error::ErrorKind;
use super::execute::{Done, Failure};
use super::op::{RunMountKind, RunOp};
use super::process::{add_defaults, credentials, execute};
use super::remedy::remedy;
use super::snapshot::Snapshot;
use crate::dockerfile::golang::quote;
use crate::fs::{Clock, Content, Fs, Ino, Kind, Meta, Overlay, Time, node_digest};
use crate::run::container::Mount;
use crate::run::{Host, Interrupt, Limits, Outcome, Spec};

/// The name of the machine in a build container.
const HOSTNAME: &str = "buildkitsandbox";

/// What a command is run with.
pub(super) struct Surroundings<'a> {
    pub cache: &'a mut Cache,
    pub secrets: &'a BTreeMap<String, Vec<u8>>,
    pub limits: &'a Limits,
    pub clamp: Option<Time>,
}

/// What came of a command.
pub(super) enum Ran {
    /// It succeeded.
    Done(Done, Box<Outcome>),
    /// It failed. What it had changed until then is kept to be looked at.
    Failed(Failure, Option<(Done, Box<Outcome>)>),
}

/// Runs a command.
///
/// # Errors
/// [`Interrupt`]: nothing has happened then.
pub(super) fn run(
    op: &RunOp,
    inputs: &[Arc<Snapshot>],
    clock: &mut Clock,
    around: &mut Surroundings<'_>,
    host: &mut dyn Host,
) -> Result<Ran, Interrupt> {
    let nothing = Snapshot::default();
    let root = op.mounts.iter().find(|m| m.kind == RunMountKind::Root);
    let base = root
        .and_then(|mount| mount.input)
        .map_or(&nothing, |input| &*inputs[input]);
    let process = format!(
        "process {} did not complete successfully",
        quote(&op.args.join(" "))
    );
    let prepared = match prepare(op, inputs, base, *clock, around, &process) {
        Ok(prepared) => prepared,
        Err(failure) => return Ok(Ran::Failed(failure, None)),
    };
    let failed = |why: String| Ok(Ran::Failed(Failure::new(format!("{process}: {why}")), None));
    let mut overlay = Overlay::over(&base.fs, *clock);
    let cred = match credentials(&base.fs, &op.user) {
        Ok(cred) => cred,
        Err(why) => {
            let failure = Failure::new(format!("{process}: {why}"));
            let help = "The image has no such user: make it before USER names it, with RUN and adduser or useradd.";
            return Ok(Ran::Failed(failure.help(help), None));
        }
    };
    let cwd = match root_path(&base.fs, &op.cwd) {
        Ok(cwd) => cwd,
        Err(why) => return failed(why),
    };
    let owner = Some((cred.uid, cred.gid));
    if let Err(why) = make_dirs(&mut overlay, &cwd, 0o755, owner, None) {
        return failed(why);
    }
    let mut env = op.env.clone();
    env.extend(op.proxy.iter().cloned());
    add_defaults(&mut env, &base.fs, &cred);
    env.extend(prepared.secret_env);
    let spec = Spec {
        args: op.args.clone(),
        env,
        cwd,
        cred,
        hostname: HOSTNAME.into(),
        limits: around.limits.clone(),
    };
    let (remains, outcome) = match execute(overlay, prepared.mounts, &spec, host)? {
        Ok(ran) => ran,
        Err(error) => return failed(error.to_string()),
    };
    for (id, overlay) in prepared.caches.into_iter().zip(remains.mounts) {
        if let Some(id) = id {
            around.cache.set_mount(&id, overlay.commit());
        }
    }
    *clock = remains.root.clock;
    let done = Done {
        nanos: outcome.nanos,
        result: base.with_layer(remains.root.commit(), around.clamp),
    };
    let outcome = Box::new(outcome);
    if let Some(limit) = &outcome.limit {
        let failure = Failure::new(format!("{process}: {limit}"))
            .kind(ErrorKind::Limit)
            .help(
                "The engine stops what would take too long; see what the command does in a loop.",
            );
        return Ok(Ran::Failed(failure, Some((done, outcome))));
    }
    if outcome.exit_code != 0 {
        let failure = Failure::new(format!("{process}: exit code: {}", outcome.exit_code));
        let failure = match remedy(&outcome, &done.result.fs) {
            Some(help) => failure.help(help),
            None => failure,
        };
        return Ok(Ran::Failed(failure, Some((done, outcome))));
    }
    Ok(Ran::Done(done, outcome))
}

/// The mounts of a command, ready to be made.
struct Prepared {
    mounts: Vec<Mount>,
    /// For each mount the cache directory whose files it holds, if it is one.
    caches: Vec<Option<String>>,
    secret_env: Vec<(String, String)>,
}

fn prepare(
    op: &RunOp,
    inputs: &[Arc<Snapshot>],
    base: &Snapshot,
    clock: Clock,
    around: &Surroundings<'_>,
    process: &str,
) -> Result<Prepared, Failure> {
    let mut prepared = Prepared {
        mounts: Vec::new(),
        caches: Vec::new(),
        secret_env: Vec::new(),
    };
    for mount in &op.mounts {
        let files = mount
            .input
            .map_or_else(Fs::empty, |input| inputs[input].fs.clone());
        let mut cache = None;
        let (overlay, root) = match &mount.kind {
            RunMountKind::Root => continue,
            RunMountKind::Bind => {
                let root = below(&files, &mount.source, process)?;
                (Overlay::over(&files, clock), root)
            }
            RunMountKind::Cache { id, .. } => {
                // A cache directory belongs to its name and to the files that it begins with.
                let id = match mount.input {
                    Some(_) => format!("{id}:{:?}", node_digest(&files, Fs::ROOT)),
                    None => id.clone(),
                };
                let kept = around.cache.mount(&id).cloned().unwrap_or(files);
                let root = below(&kept, &mount.source, process)?;
                cache = Some(id);
                (Overlay::over(&kept, clock), root)
            }
            RunMountKind::Tmpfs { .. } => {
                let mut overlay = Overlay::over(&Fs::empty(), clock);
                overlay.set_meta(Fs::ROOT, |meta| meta.mode = 0o1777);
                (overlay, Fs::ROOT)
            }
            RunMountKind::Secret(secret) => {
                let Some(value) = around.secrets.get(&secret.id) else {
                    if secret.optional {
                        continue;
                    }
                    return Err(no_secret(&secret.id));
                };
                single_file(value, secret.access, clock)
            }
            RunMountKind::Ssh { id, optional, .. } => {
                if *optional {
                    continue;
                }
                return Err(Failure::new(format!(
                    "no SSH key {} forwarded from the client",
                    quote(id)
                ))
                .kind(ErrorKind::Missing)
                .help("SSH agents are not simulated; without `required` the step goes on."));
            }
        };
        prepared.caches.push(cache);
        prepared.mounts.push(Mount {
            target: seen_at(&base.fs, &op.cwd, &mount.target)?,
            overlay,
            root,
            read_only: mount.read_only,
        });
    }
    for secret in &op.secret_env {
        let value = match around.secrets.get(&secret.id) {
            Some(value) => String::from_utf8_lossy(value).into_owned(),
            None if secret.optional => String::new(),
            None => return Err(no_secret(&secret.id)),
        };
        prepared.secret_env.push((secret.name.clone(), value));
    }
    Ok(prepared)
}

fn no_secret(id: &str) -> Failure {
    Failure::new(format!("secret {id}: not found"))
        .kind(ErrorKind::Missing)
        .help("Give the build a secret of this id.")
}

/// The real path of a mount's target; a relative one is seen from the working directory.
fn seen_at(base: &Fs, cwd: &str, target: &str) -> Result<String, Failure> {
    Ok(root_path(base, &crate::fs::join(cwd, target))?)
}

/// The node at a path inside a mount's files.
fn below(files: &Fs, path: &str, process: &str) -> Result<Ino, Failure> {
    if path.is_empty() || path == "/" {
        return Ok(Fs::ROOT);
    }
    let real = root_path(files, path)?;
    files.find(&real).map(|(ino, _)| ino).ok_or_else(|| {
        let message = format!("{process}: open {real}: no such file or directory");
        Failure::new(message)
    })
}

fn single_file(bytes: &[u8], (uid, gid, mode): (u32, u32, u32), clock: Clock) -> (Overlay, Ino) {
    let mut overlay = Overlay::over(&Fs::empty(), clock);
    let meta = Meta {
        uid,
        gid,
        ..Meta::root(mode & 0o7777, clock.now())
    };
    let kind = Kind::File(Content::new(bytes));
    // The filesystem is empty, so the name is free.
    let ino = overlay
        .create(Fs::ROOT, "secret", kind, meta)
        .unwrap_or(Fs::ROOT);
    (overlay, ino)
}
