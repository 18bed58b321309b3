//! The shell: POSIX `sh` as busybox `ash` does it, with the words of `bash` where that runs.

mod arith;
mod ast;
mod brace;
mod builtins;
mod compile;
mod exec;
mod expand;
mod guard;
mod params;
mod redirect;
mod signals;
mod variables;
mod vars;
mod word;

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Call, Exit, Flavour, Kernel, Proc, Program, Stop};
use ast::Command;
use vars::{Var, Vars};

pub(super) use signals::number as signal_number;

pub(super) const TABLE: &[Program] = &[
    Program::executed("sh", main),
    Program::executed("ash", main),
    Program::executed("dash", main),
    Program::executed("bash", main),
];

/// Whose shell it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// busybox.
    Ash,
    /// Debian's `sh`.
    Dash,
    /// GNU.
    Bash,
}

impl Dialect {
    /// Arrays, here-strings, brace expansion, `${!x}` and the like.
    pub fn has_bash_words(self) -> bool {
        self == Dialect::Bash
    }
}

/// What leaves the commands that are running.
#[derive(Debug)]
pub(super) enum Jump {
    /// Out of so many loops.
    Break(u32),
    /// To the next round of the loop so many out.
    Continue(u32),
    /// Out of the function or the sourced file.
    Return(i32),
    /// The shell exits.
    Exit(i32),
    /// A signal, a limit.
    Stop(Stop),
}

impl From<Stop> for Jump {
    fn from(stop: Stop) -> Jump {
        match stop {
            Stop::Exit(code) => Jump::Exit(code),
            stop => Jump::Stop(stop),
        }
    }
}

type Result<T> = std::result::Result<T, Jump>;

/// The options that `set` sets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    pub allexport: bool,
    pub errexit: bool,
    pub noglob: bool,
    pub noexec: bool,
    pub nounset: bool,
    pub noclobber: bool,
    pub verbose: bool,
    pub xtrace: bool,
    pub pipefail: bool,
}

impl Options {
    /// The options, each with its letter (if it has one) and its name.
    pub fn field(&mut self, letter: char, name: &str) -> Option<&mut bool> {
        Some(match (letter, name) {
            ('a', _) | (_, "allexport") => &mut self.allexport,
            ('e', _) | (_, "errexit") => &mut self.errexit,
            ('f', _) | (_, "noglob") => &mut self.noglob,
            ('n', _) | (_, "noexec") => &mut self.noexec,
            ('u', _) | (_, "nounset") => &mut self.nounset,
            ('C', _) | (_, "noclobber") => &mut self.noclobber,
            ('v', _) | (_, "verbose") => &mut self.verbose,
            ('x', _) | (_, "xtrace") => &mut self.xtrace,
            (_, "pipefail") => &mut self.pipefail,
            _ => return None,
        })
    }
}

/// A shell. A subshell is a copy.
#[derive(Clone)]
pub(super) struct Shell {
    dialect: Dialect,
    /// The process; its environment is made when a program is started.
    proc: Proc,
    arg0: Rc<str>,
    positional: Rc<Vec<String>>,
    vars: Vars,
    functions: Rc<BTreeMap<String, Rc<Command>>>,
    options: Options,
    /// `$?`
    status: i32,
    /// `$$`: the number of the shell that is no subshell.
    shell_pid: u32,
    /// `$!`
    last_background: Option<u32>,
    /// Background jobs that nobody waited for yet, and their exit codes.
    jobs: Vec<(u32, i32)>,
    /// Traps by signal, 0 being the exit; an empty one ignores the signal.
    traps: Rc<BTreeMap<u8, String>>,
    in_trap: bool,
    /// What `local` hid, for each running function.
    locals: Vec<Vec<(String, Option<Var>)>>,
    /// Loops around the command that runs, within the function that runs.
    loops: u32,
    /// Sourced files that run.
    sourced: u32,
    /// The builtin that runs, which its errors name.
    builtin: Option<String>,
    /// Whether somebody looks at the exit code of the builtin that runs.
    tested: bool,
    /// The line of the command that runs.
    line: usize,
    /// The exit code of the last command substitution of the command being expanded.
    substituted: Option<i32>,
    /// How far `getopts` is in the word it looks at.
    getopts_at: usize,
}

impl Shell {
    /// A shell that runs as `proc`, with its environment as variables.
    fn new(dialect: Dialect, proc: Proc, arg0: &str, positional: Vec<String>) -> Shell {
        let mut vars = Vars::default();
        for (name, value) in proc.env.iter() {
            if word::is_name(name) {
                let var = vars.entry(name);
                var.value = Some(vars::Val::Scalar(value.to_string()));
                var.exported = true;
            }
        }
        vars.set("IFS", " \t\n");
        vars.set("OPTIND", "1");
        vars.set("PS4", "+ ");
        vars.set("PPID", "0");
        vars.set("PWD", proc.fs.cwd.clone());
        if dialect != Dialect::Dash {
            let level = vars.text("SHLVL").and_then(|level| level.parse().ok());
            vars.set("SHLVL", (level.unwrap_or(0u32).wrapping_add(1)).to_string());
            vars.entry("SHLVL").exported = true;
        }
        vars.entry("PWD").exported = true;
        if dialect == Dialect::Bash {
            vars.set("BASH_VERSION", "5.2.15(1)-release");
            vars.set("EUID", proc.fs.cred.uid.to_string());
            vars.set("UID", proc.fs.cred.uid.to_string());
        }
        Shell {
            dialect,
            shell_pid: proc.pid,
            proc,
            arg0: arg0.into(),
            positional: Rc::new(positional),
            vars,
            functions: Rc::default(),
            options: Options::default(),
            status: 0,
            last_background: None,
            jobs: Vec::new(),
            traps: Rc::default(),
            in_trap: false,
            locals: Vec::new(),
            loops: 0,
            sourced: 0,
            builtin: None,
            tested: false,
            line: 1,
            substituted: None,
            getopts_at: 0,
        }
    }

    /// Runs a whole script and then the exit trap.
    fn run_script(&mut self, k: &mut Kernel<'_>, text: &str) -> Exit {
        let ended = self.run_text(k, text, false);
        self.finish(k, ended)
    }

    /// The end of a shell: what ended it becomes its exit code, and the exit trap runs.
    fn finish(&mut self, k: &mut Kernel<'_>, ended: Result<i32>) -> Exit {
        let code = match ended {
            Ok(code) | Err(Jump::Exit(code) | Jump::Return(code)) => code,
            Err(Jump::Break(_) | Jump::Continue(_)) => self.status,
            Err(Jump::Stop(stop)) => return Err(stop),
        };
        self.exit_trap(k, code)
    }

    /// Parses and runs `text`, command by command up to a syntax error.
    fn run_text(&mut self, k: &mut Kernel<'_>, text: &str, tested: bool) -> Result<i32> {
        let script = compile::script(self.dialect, text);
        let mut status = 0;
        if !script.list.is_empty() {
            status = self.list(k, &script.list, tested)?;
        }
        match script.error {
            None => Ok(status),
            Some(error) => {
                let message = format!("syntax error: {}", error.message);
                Err(self.error(k, 2, message)?)
            }
        }
    }

    /// Complains as the shell does: with its name, and inside of a builtin with that and the line.
    fn complain(&mut self, k: &mut Kernel<'_>, text: impl std::fmt::Display) -> Result<()> {
        let line = match (&self.builtin, self.dialect) {
            (_, Dialect::Bash) => match &self.builtin {
                Some(name) => format!("{}: line {}: {name}: {text}\n", self.arg0, self.line),
                None => format!("{}: line {}: {text}\n", self.arg0, self.line),
            },
            (Some(name), Dialect::Ash) => {
                // Counted from 0 in the text of `-c`, which is where most scripts stand.
                let line = self.line.saturating_sub(1);
                format!("{}: {name}: line {line}: {text}\n", self.arg0)
            }
            (Some(name), Dialect::Dash) => {
                format!("{}: {}: {name}: {text}\n", self.arg0, self.line)
            }
            (None, Dialect::Dash) => format!("{}: {}: {text}\n", self.arg0, self.line),
            (None, Dialect::Ash) => format!("{}: {text}\n", self.arg0),
        };
        self.err(k, line)
    }

    /// Complains; the value then ends the shell with `code`.
    fn error(
        &mut self,
        k: &mut Kernel<'_>,
        code: i32,
        text: impl std::fmt::Display,
    ) -> Result<Jump> {
        self.complain(k, text)?;
        self.status = code;
        Ok(Jump::Exit(code))
    }

    /// Writes to standard error.
    fn err(&mut self, k: &mut Kernel<'_>, text: impl AsRef<[u8]>) -> Result<()> {
        self.write(k, 2, text.as_ref()).map(|_| ())
    }

    /// Writes to standard output, and says whether that went well.
    fn out(&mut self, k: &mut Kernel<'_>, text: impl AsRef<[u8]>) -> Result<bool> {
        self.write(k, 1, text.as_ref())
    }

    fn write(&mut self, k: &mut Kernel<'_>, fd: u32, bytes: &[u8]) -> Result<bool> {
        let Some(fd) = self.proc.fds.get(fd).cloned() else {
            return Ok(false);
        };
        match k.write(&fd, bytes) {
            Ok(()) => Ok(true),
            Err(super::io::WriteError::Errno(_)) => Ok(false),
            Err(super::io::WriteError::Stop(stop)) => Err(stop.into()),
        }
    }
}

/// The program `sh`.
fn main(call: &mut Call<'_, '_>) -> Exit {
    let dialect = match (call.flavour(), call.image.real_name.as_str()) {
        (Flavour::Busybox, _) => Dialect::Ash,
        (_, "bash") => Dialect::Bash,
        (_, "dash" | "sh") => Dialect::Dash,
        _ if call.name == "bash" => Dialect::Bash,
        _ => Dialect::Ash,
    };
    let own_name = call.proc.args.first().cloned().unwrap_or_default();
    let own_name = match call.image.prefix.first() {
        Some(interpreter) => interpreter.clone(),
        None => own_name,
    };
    let args = std::mem::take(&mut call.args);
    let mut shell = Shell::new(dialect, call.proc.clone(), &own_name, Vec::new());
    let result = (|| -> Result<Exit> {
        let mut at = 0;
        let mut command = false;
        let mut from_stdin = false;
        while let Some(arg) = args.get(at) {
            let Some(letters) = arg.strip_prefix(['-', '+']).filter(|l| !l.is_empty()) else {
                break;
            };
            let on = arg.starts_with('-');
            at += 1;
            if arg == "--" {
                break;
            }
            if arg.starts_with("--") {
                // `--login`, `--norc`, `--posix`: nothing that shows here.
                continue;
            }
            for letter in letters.chars() {
                match letter {
                    'c' => command = true,
                    's' => from_stdin = true,
                    'i' | 'l' | 'm' | 'b' => {}
                    'o' => {
                        let name = args.get(at).cloned().unwrap_or_default();
                        at += 1;
                        match shell.options.field('o', &name) {
                            Some(field) => *field = on,
                            None => {
                                let text = format!("illegal option {arg} {name}");
                                return Err(shell.error(call.kernel, 2, text)?);
                            }
                        }
                    }
                    letter => match shell.options.field(letter, "") {
                        Some(field) => *field = on,
                        None => {
                            let text = format!("illegal option -{letter}");
                            return Err(shell.error(call.kernel, 2, text)?);
                        }
                    },
                }
            }
        }
        let mut rest = args[at.min(args.len())..].to_vec();
        let k = &mut *call.kernel;
        let text = if command {
            if rest.is_empty() {
                return Err(shell.error(k, 2, "-c requires an argument")?);
            }
            let text = rest.remove(0);
            if !rest.is_empty() {
                shell.arg0 = rest.remove(0).into();
            }
            text
        } else if !rest.is_empty() && !from_stdin {
            let path = rest.remove(0);
            match shell.script_file(k, &path)? {
                Ok(text) => {
                    shell.arg0 = path.into();
                    text
                }
                Err(jump) => return Err(jump),
            }
        } else {
            match shell.proc.fds.get(0).cloned() {
                Some(fd) => String::from_utf8_lossy(&k.read_all(&fd)?).into_owned(),
                None => String::new(),
            }
        };
        shell.positional = Rc::new(rest);
        Ok(shell.run_script(k, &text))
    })();
    match result {
        Ok(exit) => exit,
        Err(jump) => shell.finish(call.kernel, Err(jump)),
    }
}

impl Shell {
    /// The text of a script named on the command line.
    fn script_file(
        &mut self,
        k: &mut Kernel<'_>,
        path: &str,
    ) -> Result<std::result::Result<String, Jump>> {
        let content = match k.vfs.read(&self.proc.fs, path) {
            Ok(content) => content,
            Err(errno) => {
                let text = match self.dialect {
                    Dialect::Bash => format!("{path}: {errno}"),
                    _ => format!("can't open '{path}': {errno}"),
                };
                let jump = self.error(
                    k,
                    if self.dialect == Dialect::Bash {
                        127
                    } else {
                        2
                    },
                    text,
                )?;
                return Ok(Err(jump));
            }
        };
        Ok(Ok(String::from_utf8_lossy(content.bytes()).into_owned()))
    }
}
