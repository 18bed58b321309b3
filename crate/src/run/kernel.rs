//! Processes: how a program is found, started and accounted for.

use crate::fs::{self, Errno, Follow, Kind, Vfs};

use super::log::Log;
use super::program::{self, Call, Flavour, Program};
use super::{
    CommandReport, Fd, Fds, Fidelity, Host, Interrupt, Limit, LimitHit, Limits, Open, Outcome,
    Stream, cost,
};

/// Why a process ends before its last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It exits with this code.
    Exit(i32),
    /// A signal ended it.
    Killed(u8),
    /// The whole run ends: a limit was reached.
    Limit(LimitHit),
    /// The whole run ends: it cannot go on.
    Interrupt(Interrupt),
}

impl Stop {
    /// The writer of a pipe that nobody reads any more.
    pub const SIGPIPE: Stop = Stop::Killed(13);
}

/// An environment: names and values in the order of their first setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env(Vec<(String, String)>);

impl Env {
    /// An environment of these variables; of equal names the last one counts.
    pub fn new(vars: &[(String, String)]) -> Env {
        let mut env = Env::default();
        for (name, value) in vars {
            env.set(name, value);
        }
        env
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name)?;
        Some(&found.1)
    }

    /// Sets a variable; one that exists keeps its place.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value.to_string(),
            None => self.0.push((name.to_string(), value.to_string())),
        }
    }

    /// Adds a variable that is not there yet.
    pub(super) fn set_new(&mut self, name: &str, value: &str) {
        self.0.push((name.to_string(), value.to_string()));
    }

    /// Removes a variable.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name);
    }

    /// All variables, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// A process.
#[derive(Clone, Debug)]
pub struct Proc {
    /// Its arguments, the name it was called by first.
    pub args: Vec<String>,
    /// Its environment.
    pub env: Env,
    /// User, working directory and umask.
    pub fs: fs::Process,
    /// Its open files.
    pub fds: Fds,
    /// Its number.
    pub pid: u32,
}

impl Proc {
    /// Process 1, as the container runtime starts it.
    pub fn first(args: Vec<String>, env: Env, fs: fs::Process) -> Proc {
        let log = |stream| Open::Log(stream).fd();
        let fds = Fds::standard(Open::Null.fd(), log(Stream::Stdout), log(Stream::Stderr));
        Proc {
            args,
            env,
            fs,
            fds,
            pid: 1,
        }
    }
}

/// Why a program cannot be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecError {
    /// No such name in any directory of `PATH`.
    NotFound,
    /// The system call fails.
    Errno(Errno),
    /// The file is no program: neither a binary nor a script with `#!`.
    Format,
}

/// A file that can be executed, and what acts it out.
#[derive(Clone, Debug)]
pub struct Image {
    /// The path it was found by.
    pub path: String,
    /// Arguments in front of the process's own: an interpreter and its option, the script.
    pub prefix: Vec<String>,
    /// Whose program it is.
    pub flavour: Flavour,
    /// The base name of the file itself, links followed.
    pub real_name: String,
    /// What acts it out; nothing for an unknown program.
    pub program: Option<&'static Program>,
}

/// The state of a run that all its processes share.
pub struct Kernel<'k> {
    /// The filesystem.
    pub vfs: &'k mut Vfs,
    /// The world outside.
    pub host: &'k mut dyn Host,
    /// How much the run may do.
    pub limits: Limits,
    /// The name of the machine.
    pub hostname: String,
    /// Signals sent to processes that have not taken notice yet: process, signal.
    pub signals: Vec<(u32, u8)>,
    pub(super) log: Log,
    pub(super) seed: u64,
    nanos: u64,
    reports: Vec<CommandReport>,
    commands: u64,
    rounds: u64,
    processes: u64,
    last_pid: u32,
    depth: u32,
    report_depth: u32,
}

/// A command that has begun.
pub struct Begun {
    report: Option<usize>,
    nanos: u64,
}

impl<'k> Kernel<'k> {
    /// A machine on which nothing runs yet.
    pub fn new(
        vfs: &'k mut Vfs,
        host: &'k mut dyn Host,
        limits: Limits,
        hostname: String,
    ) -> Kernel<'k> {
        Kernel {
            vfs,
            host,
            log: Log::new(limits.log_bytes),
            limits,
            hostname,
            signals: Vec::new(),
            seed: 0,
            nanos: 0,
            reports: Vec::new(),
            commands: 0,
            rounds: 0,
            processes: 0,
            last_pid: 6,
            depth: 0,
            report_depth: 0,
        }
    }

    /// Runs process 1.
    ///
    /// # Errors
    /// [`Interrupt`].
    pub fn run_first(&mut self, proc: &mut Proc) -> Result<Outcome, Interrupt> {
        let name = proc.args.first().cloned().unwrap_or_default();
        let ended = match self.find(proc, &name) {
            Ok(image) => self.run(&image, proc),
            Err(error) => self.refuse(&name, error).map(|()| 1),
        };
        let (exit_code, limit) = match ended {
            Ok(code) => (code, None),
            Err(Stop::Exit(code)) => (code, None),
            Err(Stop::Killed(signal)) => (128 + i32::from(signal), None),
            // What the kernel does to a process that it must stop: SIGKILL.
            Err(Stop::Limit(hit)) => (137, Some(hit)),
            Err(Stop::Interrupt(interrupt)) => return Err(interrupt),
        };
        let (log, clipped) = std::mem::take(&mut self.log).finish();
        Ok(Outcome {
            exit_code,
            log,
            clipped,
            nanos: self.nanos,
            commands: std::mem::take(&mut self.reports),
            command_count: self.commands,
            limit,
        })
    }

    /// What runc says of a process that it cannot start.
    fn refuse(&mut self, name: &str, error: ExecError) -> Result<(), Stop> {
        let why = match error {
            ExecError::NotFound => "executable file not found in $PATH".to_string(),
            ExecError::Errno(Errno::Enoent) => format!("stat {name}: no such file or directory"),
            ExecError::Errno(errno) => errno.to_string().to_lowercase(),
            ExecError::Format => "exec format error".to_string(),
        };
        let text = format!(
            "runc run failed: unable to start container process: error during container init: \
             exec: \"{name}\": {why}\n"
        );
        self.log_write(Stream::Stderr, text.as_bytes())
    }

    /// Finds the program `name` as `execvp` does: by `PATH`, or as a path if it has a slash.
    ///
    /// # Errors
    /// [`ExecError`]. Of several unusable files, the first that may not be executed counts.
    pub fn find(&self, proc: &Proc, name: &str) -> Result<Image, ExecError> {
        self.find_in(proc, name, proc.env.get("PATH").unwrap_or("/bin:/usr/bin"))
    }

    /// [`find`](Kernel::find) with another `PATH`.
    ///
    /// # Errors
    /// As [`find`](Kernel::find).
    pub fn find_in(&self, proc: &Proc, name: &str, dirs: &str) -> Result<Image, ExecError> {
        if name.contains('/') {
            return self.load(proc, name, 0);
        }
        if name.is_empty() {
            return Err(ExecError::NotFound);
        }
        let mut worst = ExecError::NotFound;
        for dir in dirs.split(':') {
            let path = match dir {
                "" => name.to_string(),
                dir if dir.ends_with('/') => format!("{dir}{name}"),
                dir => format!("{dir}/{name}"),
            };
            match self.load(proc, &path, 0) {
                Ok(image) => return Ok(image),
                Err(ExecError::Errno(Errno::Eacces)) => worst = ExecError::Errno(Errno::Eacces),
                Err(ExecError::Format) => return Err(ExecError::Format),
                Err(_) => {}
            }
        }
        Err(worst)
    }

    fn load(&self, proc: &Proc, path: &str, scripts: u32) -> Result<Image, ExecError> {
        let spot = self
            .vfs
            .resolve(&proc.fs, path, Follow::Yes)
            .map_err(ExecError::Errno)?;
        let inode = self.vfs.inode(spot.handle().map_err(ExecError::Errno)?);
        let Kind::File(content) = &inode.kind else {
            return Err(ExecError::Errno(Errno::Eacces));
        };
        if !proc.fs.cred.may(&inode.meta, 1, false) {
            return Err(ExecError::Errno(Errno::Eacces));
        }
        let bytes = content.bytes();
        if !content.is_stand_in()
            && let Some(rest) = bytes.strip_prefix(b"#!")
        {
            if scripts >= 4 {
                return Err(ExecError::Errno(Errno::Eloop));
            }
            let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            let mut words = line.trim().splitn(2, [' ', '\t']);
            let interpreter = words.next().unwrap_or_default();
            if interpreter.is_empty() {
                return Err(ExecError::Format);
            }
            let mut image = self.load(proc, interpreter, scripts + 1)?;
            if image.prefix.is_empty() {
                image.prefix.push(interpreter.to_string());
            } else {
                // The interpreter is a script itself and gets this script as its argument.
                image.prefix.push(image.path.clone());
            }
            image
                .prefix
                .extend(words.next().map(|option| option.trim().to_string()));
            image.path = path.to_string();
            return Ok(image);
        }
        if !content.is_stand_in() && !bytes.starts_with(b"\x7fELF") {
            return Err(ExecError::Format);
        }
        let name = fs::base_name(path);
        let real_name = fs::base_name(&spot.path);
        let (program, flavour) = program::identify(name, real_name, content);
        Ok(Image {
            path: path.to_string(),
            prefix: Vec::new(),
            flavour,
            real_name: real_name.to_string(),
            program,
        })
    }

    /// Runs a found program as `proc` to its end and gives its exit code.
    ///
    /// # Errors
    /// Only what ends the whole run.
    pub fn run(&mut self, image: &Image, proc: &mut Proc) -> Result<i32, Stop> {
        self.processes += 1;
        if self.processes > self.limits.processes {
            return Err(self.limit(Limit::Processes, self.limits.processes));
        }
        let mut args = proc.args.clone();
        if !image.prefix.is_empty() {
            let own = std::mem::take(&mut args);
            args.extend(image.prefix.iter().cloned());
            args.push(image.path.clone());
            args.extend(own.into_iter().skip(1));
        }
        let fidelity = image
            .program
            .map_or(Fidelity::NotSimulated, |program| program.fidelity);
        let begun = self.begin(&proc.args, fidelity);
        self.spend(cost::PROCESS);
        let ended = match image.program {
            None => Ok(0),
            Some(program) => self.nested(|kernel| {
                let name = args.first().map_or("", |name| fs::base_name(name));
                let name = name.to_string();
                args.drain(..args.len().min(1));
                (program.main)(&mut Call {
                    kernel,
                    proc,
                    name,
                    args,
                    image,
                })
            }),
        };
        let code = match ended {
            Ok(code) | Err(Stop::Exit(code)) => code & 0xff,
            Err(Stop::Killed(signal)) => 128 + i32::from(signal),
            Err(stop) => return Err(stop),
        };
        self.end(begun, code);
        Ok(code)
    }

    /// Does `f` one level deeper.
    ///
    /// # Errors
    /// [`Stop::Limit`] at [`Limits::depth`], and those of `f`.
    pub fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        if self.depth >= self.limits.depth {
            return Err(self.limit(Limit::Depth, self.limits.depth.into()));
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Writes down that a command begins.
    pub fn begin(&mut self, args: &[String], fidelity: Fidelity) -> Begun {
        self.commands += 1;
        let report = self.reports.len();
        let report = (report < Outcome::MAX_REPORTS).then(|| {
            self.reports.push(CommandReport {
                args: args.to_vec(),
                fidelity,
                exit_code: 0,
                nanos: 0,
                depth: self.report_depth,
            });
            report
        });
        self.report_depth += 1;
        Begun {
            report,
            nanos: self.nanos,
        }
    }

    /// Writes down that a command ended.
    pub fn end(&mut self, begun: Begun, exit_code: i32) {
        self.report_depth = self.report_depth.saturating_sub(1);
        let nanos = self.nanos - begun.nanos;
        if let Some(report) = begun.report.and_then(|at| self.reports.get_mut(at)) {
            report.exit_code = exit_code;
            report.nanos = nanos;
        }
    }

    /// Marks the command that has begun last and not ended as less than executed: for programs
    /// that are acted out in part.
    pub fn mark(&mut self, fidelity: Fidelity) {
        if let Some(report) = self.reports.last_mut() {
            report.fidelity = fidelity;
        }
    }

    /// Does `f`, which writes to the pipe `writer`, within so many rounds of loops. A loop that
    /// goes on for longer is taken for an endless one: in life a signal stops it when its reader
    /// ends, and so does one here, if there is anything to read.
    ///
    /// # Errors
    /// Those of `f`; [`Stop::SIGPIPE`] for an endless loop.
    pub fn bounded(
        &mut self,
        rounds: u64,
        writer: &Fd,
        f: impl FnOnce(&mut Self) -> Result<i32, Stop>,
    ) -> Result<i32, Stop> {
        let outer = self.limits.rounds;
        let bound = self.rounds.saturating_add(rounds);
        self.limits.rounds = outer.min(bound);
        let result = f(self);
        self.limits.rounds = outer;
        if let Err(Stop::Limit(hit)) = &result
            && (hit.limit, hit.value) == (Limit::Rounds, bound)
            && let Open::PipeIn(pipe) = &*writer.borrow()
            && !pipe.borrow().bytes.is_empty()
        {
            pipe.borrow_mut().cut = true;
            return Err(Stop::SIGPIPE);
        }
        result
    }

    /// Counts a simple command, and asks now and then whether the run is cancelled.
    ///
    /// # Errors
    /// [`Stop::Limit`], [`Interrupt::Cancelled`].
    pub fn step(&mut self) -> Result<(), Stop> {
        if self.commands >= self.limits.commands {
            return Err(self.limit(Limit::Commands, self.limits.commands));
        }
        if self.commands & 0xff == 0 && self.host.cancelled() {
            return Err(Stop::Interrupt(Interrupt::Cancelled));
        }
        Ok(())
    }

    /// Counts a round of a loop.
    ///
    /// # Errors
    /// As [`step`](Kernel::step).
    pub fn round(&mut self) -> Result<(), Stop> {
        self.rounds += 1;
        if self.rounds >= self.limits.rounds {
            return Err(self.limit(Limit::Rounds, self.limits.rounds));
        }
        if self.rounds & 0xff == 0 && self.host.cancelled() {
            return Err(Stop::Interrupt(Interrupt::Cancelled));
        }
        Ok(())
    }

    /// A number for a new process.
    pub fn next_pid(&mut self) -> u32 {
        self.last_pid += 1;
        self.last_pid
    }

    /// Lets modelled time pass.
    pub fn spend(&mut self, nanos: u64) {
        self.nanos = self.nanos.saturating_add(nanos);
        self.vfs.advance(i64::try_from(nanos).unwrap_or(i64::MAX));
    }

    /// The modelled nanoseconds since the run began.
    pub fn elapsed(&self) -> u64 {
        self.nanos
    }

    /// A stop for a limit that was reached.
    pub fn limit(&self, limit: Limit, value: u64) -> Stop {
        Stop::Limit(LimitHit { limit, value })
    }

    /// A part of the catalog; `None` where there is no such part.
    ///
    /// # Errors
    /// [`Interrupt::Needs`] where it is not loaded yet.
    pub fn part(&mut self, name: &str) -> Result<Option<std::sync::Arc<[u8]>>, Stop> {
        match self.host.part(name) {
            super::Part::Loaded(bytes) => Ok(Some(bytes)),
            super::Part::Unknown => Ok(None),
            super::Part::NotLoaded => {
                let needs = Interrupt::Needs(vec![name.to_string()]);
                Err(Stop::Interrupt(needs))
            }
        }
    }
}
