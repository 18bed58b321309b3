//! How much a run may do before it is stopped.

/// The limits of one run. A limit that is reached ends the run with a [`LimitHit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Simple commands executed, by all shells together.
    pub commands: u64,
    /// Rounds of loops, by all loops together.
    pub rounds: u64,
    /// Bytes written to the log; what is above [`log_bytes`](Limits::log_bytes) is not kept.
    pub output_bytes: u64,
    /// Bytes of log kept (BuildKit: 2 MiB a step, then the output is clipped).
    pub log_bytes: usize,
    /// Nested function calls, command substitutions, subshells and programs that run programs.
    pub depth: u32,
    /// Processes started.
    pub processes: u64,
    /// Bytes one pipe or command substitution holds at once.
    pub pipe_bytes: usize,
    /// Bytes of shell variables' values and of words expanded from one command.
    pub word_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            commands: 1_000_000,
            rounds: 1_000_000,
            output_bytes: 64 << 20,
            log_bytes: 2 << 20,
            depth: 100,
            processes: 200_000,
            pipe_bytes: 64 << 20,
            word_bytes: 16 << 20,
        }
    }
}

/// Which limit ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::commands`].
    Commands,
    /// [`Limits::rounds`].
    Rounds,
    /// [`Limits::output_bytes`].
    Output,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::processes`].
    Processes,
    /// [`Limits::pipe_bytes`].
    Pipe,
    /// [`Limits::word_bytes`].
    Word,
    /// A read that would never end, as of `/dev/zero` to its end.
    Endless,
}

/// A limit that was reached, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitHit {
    /// Which.
    pub limit: Limit,
    /// Its value, in the limit's unit.
    pub value: u64,
}

impl std::fmt::Display for LimitHit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.value;
        match self.limit {
            Limit::Commands => write!(f, "stopped after {value} commands: an endless loop?"),
            Limit::Rounds => write!(f, "stopped after {value} rounds of loops: an endless loop?"),
            Limit::Output => write!(f, "stopped after {value} bytes of output"),
            Limit::Depth => write!(f, "stopped at {value} nested calls: an endless recursion?"),
            Limit::Processes => write!(f, "stopped after {value} processes: a fork bomb?"),
            Limit::Pipe => write!(f, "stopped with {value} bytes in one pipe"),
            Limit::Word => write!(f, "stopped with {value} bytes in one expansion"),
            Limit::Endless => write!(f, "stopped reading from an endless device"),
        }
    }
}
