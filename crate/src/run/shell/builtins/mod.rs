//! Builtin commands: which there are, and how a shell finds one.

mod control;
mod input;
mod process;
mod variables;

use super::super::Kernel;
use super::{Dialect, Jump, Result, Shell};
use control::{command, eval, exec, exit, leave, source, type_, wait};
use input::{getopts, mapfile, read};
use process::{bracket, cd, echo, printf, pwd, umask};
use variables::{declare, export, let_, local, readonly, set, shift, unset};

/// A command that the shell does itself.
pub(super) struct Builtin {
    name: &'static str,
    /// A special builtin of POSIX: its assignments stay, its errors end the shell.
    pub special: bool,
    /// A program that is built in: its errors do not name the builtin's place.
    pub plain: bool,
    pub run: fn(&mut Shell, &mut Kernel<'_>, &[String]) -> Result<i32>,
    only_bash: bool,
}

type Run = fn(&mut Shell, &mut Kernel<'_>, &[String]) -> Result<i32>;

const fn special(name: &'static str, run: Run) -> Builtin {
    Builtin {
        name,
        special: true,
        plain: false,
        run,
        only_bash: false,
    }
}

const fn regular(name: &'static str, run: Run) -> Builtin {
    Builtin {
        name,
        special: false,
        plain: false,
        run,
        only_bash: false,
    }
}

const fn plain(name: &'static str, run: Run) -> Builtin {
    Builtin {
        name,
        special: false,
        plain: true,
        run,
        only_bash: false,
    }
}

const fn bash(name: &'static str, run: Run) -> Builtin {
    Builtin {
        name,
        special: false,
        plain: false,
        run,
        only_bash: true,
    }
}

static BUILTINS: &[Builtin] = &[
    special(":", |_, _, _| Ok(0)),
    special(".", source),
    special("break", |shell, k, args| leave(shell, k, args, Jump::Break)),
    special("continue", |shell, k, args| {
        leave(shell, k, args, Jump::Continue)
    }),
    special("eval", eval),
    special("exec", exec),
    special("exit", exit),
    special("export", export),
    special("readonly", readonly),
    special("return", exit),
    special("set", set),
    special("shift", shift),
    special("times", |shell, k, _| {
        shell.out(k, "0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n")?;
        Ok(0)
    }),
    special("trap", |shell, k, args| shell.trap(k, args)),
    special("unset", unset),
    plain("[", bracket),
    plain("test", bracket),
    plain("echo", echo),
    plain("printf", printf),
    plain("true", |_, _, _| Ok(0)),
    plain("false", |_, _, _| Ok(1)),
    plain("kill", |shell, k, args| shell.kill(k, args)),
    regular("cd", cd),
    regular("chdir", cd),
    regular("pwd", pwd),
    regular("read", read),
    regular("local", local),
    regular("getopts", getopts),
    regular("umask", umask),
    regular("command", command),
    regular("type", type_),
    regular("wait", wait),
    regular("alias", |_, _, _| Ok(0)),
    regular("unalias", |_, _, _| Ok(0)),
    regular("hash", |_, _, _| Ok(0)),
    regular("jobs", |_, _, _| Ok(0)),
    regular("ulimit", |_, _, _| Ok(0)),
    regular("let", let_),
    regular("source", source),
    bash("declare", declare),
    bash("typeset", declare),
    bash("shopt", |_, _, _| Ok(0)),
    bash("builtin", command),
    bash("mapfile", mapfile),
    bash("readarray", mapfile),
];

/// The builtin called `name`.
pub(super) fn find(dialect: Dialect, name: &str) -> Option<&'static Builtin> {
    let found = BUILTINS.iter().find(|builtin| builtin.name == name)?;
    let there = match name {
        _ if found.only_bash => dialect == Dialect::Bash,
        "let" | "source" => dialect != Dialect::Dash,
        _ => true,
    };
    there.then_some(found)
}
