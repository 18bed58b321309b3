//! What RUN runs: the shell, the programs, the package managers.
//!
//! In this room: processes over a [`Vfs`], their descriptors and exit codes, the shell language,
//! and what programs do to files. Not in this room: where root filesystems come from and how a
//! step's result is cached.
//!
//! [`execute`] runs one process to its end, with everything it starts. A name is looked up in
//! the filesystem as in life; what the file found *does* is decided by what it is: a script is
//! interpreted, a known binary is acted out by a [`Program`] of ours, anything else has no
//! effect and is [marked](Fidelity::NotSimulated).
//!
//! A run is deterministic: processes run one after the other (the left side of a pipe to its end
//! before the right side starts, background jobs at once), and the only time is the clock of the
//! filesystem, moved on by modelled durations.

pub mod container;
pub mod cost;
mod fd;
mod glob;
mod host;
pub mod io;
mod kernel;
mod limits;
mod log;
pub mod packages;
mod program;
pub mod programs;
mod shell;
pub mod stand_in;
pub mod users;

#[cfg(test)]
mod tests;

pub use fd::{Fd, Fds, Open, Pipe};
pub use glob::matches as glob_matches;
pub use host::{Host, Machine, Offline, Part, Response, Stream};
pub use kernel::{Env, ExecError, Image, Kernel, Proc, Stop};
pub use limits::{Limit, LimitHit, Limits};
pub use program::{Call, Exit, Fidelity, Flavour, Main, Program};

use crate::fs::{Cred, Process, Vfs};

/// The process to run.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// The environment, in order.
    pub env: Vec<(String, String)>,
    /// The working directory, absolute; it exists.
    pub cwd: String,
    /// The user, resolved.
    pub cred: Cred,
    /// The name of the machine (BuildKit: `buildkitsandbox`).
    pub hostname: String,
    /// How much it may do.
    pub limits: Limits,
}

impl Spec {
    /// `args` as root at `/` with an empty environment.
    pub fn new(args: impl IntoIterator<Item = impl Into<String>>) -> Spec {
        Spec {
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: "/".into(),
            cred: Cred::ROOT,
            hostname: "buildkitsandbox".into(),
            limits: Limits::default(),
        }
    }
}

/// Why a run gave no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// Parts of the catalog, by name, must be loaded first. The filesystem is to be thrown away
    /// and the run repeated.
    Needs(Vec<String>),
    /// The host wanted it to end.
    Cancelled,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Where it was written to.
    pub stream: Stream,
    /// When it began to be written, in modelled nanoseconds from the start of the run.
    pub nanos: u64,
    /// Without the newline; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// One simple command that was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandReport {
    /// The words, expanded.
    pub args: Vec<String>,
    /// How it was simulated.
    pub fidelity: Fidelity,
    /// Its exit code.
    pub exit_code: i32,
    /// Its modelled duration in nanoseconds, that of the commands it started included.
    pub nanos: u64,
    /// How many commands it runs inside of.
    pub depth: u32,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code of the process; 128 + n where signal n ended it.
    pub exit_code: i32,
    /// What was written to standard output and error.
    pub log: Vec<LogLine>,
    /// Whether the log was clipped at [`Limits::log_bytes`].
    pub clipped: bool,
    /// The modelled duration in nanoseconds.
    pub nanos: u64,
    /// The commands executed, in order of their start; the first [`Outcome::MAX_REPORTS`] of them.
    pub commands: Vec<CommandReport>,
    /// How many commands were executed.
    pub command_count: u64,
    /// The limit that ended the run, if one did.
    pub limit: Option<LimitHit>,
}

impl Outcome {
    /// So many [`CommandReport`]s are kept.
    pub const MAX_REPORTS: usize = 1000;
}

/// Runs `spec` over `vfs` to its end.
///
/// # Errors
/// [`Interrupt`]: `vfs` is then in the middle of things and must be thrown away.
pub fn execute(vfs: &mut Vfs, spec: &Spec, host: &mut dyn Host) -> Result<Outcome, Interrupt> {
    let process = Process {
        cred: spec.cred.clone(),
        cwd: spec.cwd.clone(),
        umask: 0o022,
    };
    let mut proc = Proc::first(spec.args.clone(), Env::new(&spec.env), process);
    let mut kernel = Kernel::new(vfs, host, spec.limits.clone(), spec.hostname.clone());
    kernel.run_first(&mut proc)
}
