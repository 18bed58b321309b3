//! Commands: lists, pipelines, compound commands, functions, programs.

use std::rc::Rc;

use super::super::{ExecError, Exit, Fidelity, Kernel, Stop, cost};
use super::ast::{Arm, Assign, Command, Item, Kind, List, Next, Pipeline, Test, Word};
use super::vars::{Val, Var};
use super::{Dialect, Jump, Result, Shell, builtins};
use crate::fs::{Errno, Follow};

/// Rounds that the loops on the writing side of a pipe may take.
const PIPE_ROUNDS: u64 = 200_000;

/// The exit code of a process that ended.
fn code_of(ended: Exit) -> Result<i32> {
    match ended {
        Ok(code) | Err(Stop::Exit(code)) => Ok(code & 0xff),
        Err(Stop::Killed(signal)) => Ok(128 + i32::from(signal)),
        Err(stop) => Err(Jump::Stop(stop)),
    }
}

impl Shell {
    /// Runs commands one after the other. `tested` says that somebody looks at the exit code, so
    /// that `set -e` has nothing to say.
    pub(super) fn list(&mut self, k: &mut Kernel<'_>, list: &List, tested: bool) -> Result<i32> {
        let mut status = 0;
        for item in list {
            status = self.item(k, item, tested)?;
        }
        Ok(status)
    }

    fn item(&mut self, k: &mut Kernel<'_>, item: &Item, tested: bool) -> Result<i32> {
        if item.background {
            // Nothing runs at the same time here: a job is done before the shell goes on.
            let mut shell = self.subshell(k);
            shell.proc.pid = k.next_pid();
            shell.proc.fds.set(0, Some(super::super::Open::Null.fd()));
            let pid = shell.proc.pid;
            let status = code_of(shell.process(k, |shell, k| shell.and_or(k, item, true)))?;
            self.jobs.push((pid, status));
            self.last_background = Some(pid);
            self.status = 0;
            return Ok(0);
        }
        self.and_or(k, item, tested)
    }

    fn and_or(&mut self, k: &mut Kernel<'_>, item: &Item, tested: bool) -> Result<i32> {
        let last = item.rest.len();
        let mut status = self.pipeline(k, &item.first, tested || last > 0)?;
        for (at, (and, pipeline)) in item.rest.iter().enumerate() {
            if *and == (status == 0) {
                status = self.pipeline(k, pipeline, tested || at + 1 < last)?;
            }
        }
        Ok(status)
    }

    fn pipeline(&mut self, k: &mut Kernel<'_>, pipeline: &Pipeline, tested: bool) -> Result<i32> {
        let unchecked = tested || pipeline.negated;
        let status = match pipeline.commands.as_slice() {
            [command] => {
                let status = self.command(k, command, unchecked)?;
                let checked = matches!(
                    command.kind,
                    Kind::Simple { .. } | Kind::Subshell(_) | Kind::Test(_) | Kind::Arith(_)
                );
                if checked {
                    self.check(status, unchecked)?
                } else {
                    status
                }
            }
            commands => {
                let status = self.pipe(k, commands, unchecked)?;
                self.check(status, unchecked)?
            }
        };
        self.status = match pipeline.negated {
            true => i32::from(status == 0),
            false => status,
        };
        Ok(self.status)
    }

    /// `set -e`: a command that failed ends the shell where nobody looked at its exit code.
    fn check(&mut self, status: i32, tested: bool) -> Result<i32> {
        self.status = status;
        match status != 0 && !tested && self.options.errexit {
            true => Err(Jump::Exit(status)),
            false => Ok(status),
        }
    }

    /// Runs the commands of a pipe from left to right, each as a process of its own.
    fn pipe(&mut self, k: &mut Kernel<'_>, commands: &[Command], tested: bool) -> Result<i32> {
        let mut input = None;
        let mut status = 0;
        let mut failed = 0;
        for (at, command) in commands.iter().enumerate() {
            let mut shell = self.subshell(k);
            if let Some(reader) = input.take() {
                shell.proc.fds.set(0, Some(reader));
            }
            status = if at + 1 == commands.len() {
                code_of(shell.process(k, |shell, k| shell.command(k, command, tested)))?
            } else {
                let (reader, writer) = k.pipe();
                shell.proc.fds.set(1, Some(writer.clone()));
                input = Some(reader);
                let ended = k.bounded(PIPE_ROUNDS, &writer, |k| {
                    shell.process(k, |shell, k| shell.command(k, command, tested))
                });
                code_of(ended)?
            };
            if status != 0 {
                failed = status;
            }
        }
        Ok(if self.options.pipefail {
            failed
        } else {
            status
        })
    }

    /// A copy of the shell that runs as a process of its own.
    pub(super) fn subshell(&mut self, k: &mut Kernel<'_>) -> Shell {
        let mut shell = self.clone();
        shell.proc.pid = k.next_pid();
        // What is trapped is back to normal; what is ignored stays so.
        let ignored = self.traps.iter().filter(|(_, action)| action.is_empty());
        shell.traps = Rc::new(crate::order::map(
            ignored.map(|(n, action)| (*n, action.clone())),
        ));
        shell.jobs.clear();
        shell.loops = 0;
        shell
    }

    /// Runs the commands of a subshell to their end.
    pub(super) fn run_subshell(
        &mut self,
        k: &mut Kernel<'_>,
        list: &List,
        tested: bool,
    ) -> Result<i32> {
        code_of(self.process(k, |shell, k| shell.list(k, list, tested)))
    }

    /// Runs something in this shell, a copy, as a process: to its end and through its exit trap.
    fn process(
        &mut self,
        k: &mut Kernel<'_>,
        run: impl FnOnce(&mut Shell, &mut Kernel<'_>) -> Result<i32>,
    ) -> Exit {
        k.nested(|k| {
            let ended = run(self, k);
            self.finish(k, ended)
        })
    }

    fn command(&mut self, k: &mut Kernel<'_>, command: &Command, tested: bool) -> Result<i32> {
        if let Kind::Simple {
            assigns,
            words,
            line,
        } = &command.kind
        {
            self.line = *line;
            return self.simple(k, assigns, words, command, tested);
        }
        if let Kind::Function { name, body } = &command.kind {
            Rc::make_mut(&mut self.functions).insert(name.clone(), body.clone());
            return Ok(0);
        }
        if command.redirects.is_empty() {
            return self.compound(k, &command.kind, tested);
        }
        let fds = self.proc.fds.clone();
        let result = match self.redirect(k, &command.redirects) {
            Ok(None) => self.compound(k, &command.kind, tested),
            Ok(Some(code)) => Ok(code),
            Err(jump) => Err(jump),
        };
        self.proc.fds = fds;
        result
    }

    fn compound(&mut self, k: &mut Kernel<'_>, kind: &Kind, tested: bool) -> Result<i32> {
        match kind {
            Kind::Simple { .. } | Kind::Function { .. } => Ok(0),
            Kind::Group(list) => self.list(k, list, tested),
            Kind::Subshell(list) => {
                let mut shell = self.subshell(k);
                shell.options.errexit &= !tested;
                shell.run_subshell(k, list, tested)
            }
            Kind::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    if self.list(k, condition, true)? == 0 {
                        return self.list(k, body, tested);
                    }
                }
                match otherwise {
                    Some(body) => self.list(k, body, tested),
                    None => Ok(0),
                }
            }
            Kind::While {
                until,
                condition,
                body,
            } => {
                let mut status = 0;
                self.in_loop(|shell| {
                    loop {
                        k.round()?;
                        let go_on = (|| {
                            if (shell.list(k, condition, true)? == 0) == *until {
                                return Ok(false);
                            }
                            status = shell.list(k, body, tested)?;
                            Ok(true)
                        })();
                        if !shell.next_round(go_on)? {
                            return Ok(());
                        }
                    }
                })?;
                Ok(status)
            }
            Kind::For { name, words, body } => {
                let values = match words {
                    Some(words) => self.fields(k, words)?,
                    None => self.positional.to_vec(),
                };
                let mut status = 0;
                self.in_loop(|shell| {
                    for value in values {
                        k.round()?;
                        let go_on = (|| {
                            shell.set_variable(k, name, value)?;
                            status = shell.list(k, body, tested)?;
                            Ok(true)
                        })();
                        if !shell.next_round(go_on)? {
                            break;
                        }
                    }
                    Ok(())
                })?;
                Ok(status)
            }
            Kind::ArithFor {
                start,
                condition,
                step,
                body,
            } => {
                self.arithmetic(k, start)?;
                let mut status = 0;
                self.in_loop(|shell| {
                    loop {
                        k.round()?;
                        if !condition.pieces.is_empty() && shell.arithmetic(k, condition)? == 0 {
                            return Ok(());
                        }
                        let go_on = (|| {
                            status = shell.list(k, body, tested)?;
                            Ok(true)
                        })();
                        if !shell.next_round(go_on)? {
                            return Ok(());
                        }
                        shell.arithmetic(k, step)?;
                    }
                })?;
                Ok(status)
            }
            Kind::Case { word, arms } => self.case(k, word, arms, tested),
            Kind::Test(test) => Ok(i32::from(!self.extended_test(k, test)?)),
            Kind::Arith(expr) => Ok(i32::from(self.arithmetic(k, expr)? == 0)),
        }
    }

    fn in_loop(&mut self, run: impl FnOnce(&mut Shell) -> Result<()>) -> Result<()> {
        self.loops += 1;
        let result = run(self);
        self.loops -= 1;
        result
    }

    /// Whether a loop goes on after what its body ended with.
    fn next_round(&mut self, body: Result<bool>) -> Result<bool> {
        match body {
            Err(Jump::Break(1)) => Ok(false),
            Err(Jump::Continue(1)) => Ok(true),
            Err(Jump::Break(n)) => Err(Jump::Break(n - 1)),
            Err(Jump::Continue(n)) => Err(Jump::Continue(n - 1)),
            other => other,
        }
    }

    fn case(&mut self, k: &mut Kernel<'_>, word: &Word, arms: &[Arm], tested: bool) -> Result<i32> {
        let text = self.text(k, word)?;
        let mut status = 0;
        let mut fall = false;
        for arm in arms {
            let mut fits = fall;
            for pattern in &arm.patterns {
                if fits {
                    break;
                }
                let pattern = self.pattern(k, pattern)?;
                fits = super::super::glob_matches(&pattern, &text);
            }
            if !fits {
                continue;
            }
            status = self.list(k, &arm.body, tested)?;
            match arm.next {
                Next::Done => return Ok(status),
                Next::FallThrough => fall = true,
                Next::TestMore => fall = false,
            }
        }
        Ok(status)
    }

    fn extended_test(&mut self, k: &mut Kernel<'_>, test: &Test) -> Result<bool> {
        Ok(match test {
            Test::And(a, b) => self.extended_test(k, a)? && self.extended_test(k, b)?,
            Test::Or(a, b) => self.extended_test(k, a)? || self.extended_test(k, b)?,
            Test::Not(a) => !self.extended_test(k, a)?,
            Test::Unary(op, word) => {
                let word = self.text(k, word)?;
                if op == "-v" {
                    return Ok(self.vars.text(&word).is_some());
                }
                let args = [op.clone(), word];
                super::super::programs::test::evaluate(k, &self.proc, &args).unwrap_or(false)
            }
            Test::Binary(op, a, b) => {
                let left = self.text(k, a)?;
                match op.as_str() {
                    "==" | "=" | "!=" => {
                        let pattern = self.pattern(k, b)?;
                        super::super::glob_matches(&pattern, &left) != (op == "!=")
                    }
                    "=~" => {
                        let pattern = self.text(k, b)?;
                        self.regex_test(k, &left, &pattern)?
                    }
                    "contains" => {
                        let text = self.text(k, b)?;
                        left.contains(&text)
                    }
                    op => {
                        let args = [left, op.to_string(), self.text(k, b)?];
                        super::super::programs::test::evaluate(k, &self.proc, &args)
                            .unwrap_or(false)
                    }
                }
            }
        })
    }

    fn regex_test(&mut self, k: &mut Kernel<'_>, text: &str, pattern: &str) -> Result<bool> {
        use super::super::programs::regex::{Regex, Syntax};
        let Ok(regex) = Regex::new(pattern, Syntax::Extended, false) else {
            return Ok(false);
        };
        let Some(groups) = regex.find(text, 0) else {
            return Ok(false);
        };
        let texts = groups.iter().enumerate().map(|(at, group)| {
            let text = group.map_or("", |(from, to)| &text[from..to]);
            (at as i64, text.to_string())
        });
        let texts = Val::Array(crate::order::map(texts));
        self.set_value(k, "BASH_REMATCH", texts)?;
        Ok(true)
    }

    fn simple(
        &mut self,
        k: &mut Kernel<'_>,
        assigns: &[Assign],
        words: &[Word],
        command: &Command,
        tested: bool,
    ) -> Result<i32> {
        k.step()?;
        self.tested = tested;
        self.substituted = None;
        let args = self.fields(k, words)?;
        if args.is_empty() {
            return self.assignments(k, assigns, command);
        }
        if self.options.xtrace {
            self.trace(k, assigns, &args)?;
        }
        let function = self.functions.get(&args[0]).cloned();
        let builtin = builtins::find(self.dialect, &args[0]).filter(|_| function.is_none());
        let special = builtin.is_some_and(|builtin| builtin.special);
        let fds = self.proc.fds.clone();
        match self.redirect(k, &command.redirects) {
            Ok(None) => {}
            Ok(Some(code)) => {
                self.proc.fds = fds;
                // A special builtin that cannot be redirected ends the shell.
                return match special && !self.dialect.has_bash_words() {
                    true => Err(Jump::Exit(code)),
                    false => Ok(code),
                };
            }
            Err(jump) => {
                self.proc.fds = fds;
                return Err(jump);
            }
        }
        let result = if let Some(body) = function {
            self.with_variables(k, assigns, |shell, k| shell.call(k, &body, args, tested))
        } else if let Some(builtin) = builtin {
            let keep_fds = args[0] == "exec" && args.len() == 1;
            let result = if special {
                assigns
                    .iter()
                    .try_for_each(|assign| self.assign(k, assign).map(|_| ()))
                    .and_then(|()| self.builtin(k, builtin, &args))
            } else {
                self.with_variables(k, assigns, |shell, k| shell.builtin(k, builtin, &args))
            };
            if keep_fds {
                return result;
            }
            result
        } else {
            self.with_variables(k, assigns, |shell, k| shell.program(k, args))
        };
        self.proc.fds = fds;
        result
    }

    /// A command without a name: assignments that stay, redirections that do not.
    fn assignments(
        &mut self,
        k: &mut Kernel<'_>,
        assigns: &[Assign],
        command: &Command,
    ) -> Result<i32> {
        if self.options.xtrace && !assigns.is_empty() {
            self.trace(k, assigns, &[])?;
            self.substituted = None;
        }
        let fds = self.proc.fds.clone();
        let redirected = self.redirect(k, &command.redirects);
        self.proc.fds = fds;
        if let Some(code) = redirected? {
            return Ok(code);
        }
        for assign in assigns {
            self.assign(k, assign)?;
        }
        k.spend(cost::BUILTIN);
        Ok(self.substituted.take().unwrap_or(0))
    }

    /// Runs something with variables set for it alone, and in its environment.
    fn with_variables(
        &mut self,
        k: &mut Kernel<'_>,
        assigns: &[Assign],
        run: impl FnOnce(&mut Shell, &mut Kernel<'_>) -> Result<i32>,
    ) -> Result<i32> {
        let mut old: Vec<(String, Option<Var>)> = Vec::new();
        for assign in assigns {
            old.push((assign.name.clone(), self.vars.get(&assign.name).cloned()));
            self.assign(k, assign)?;
            self.vars.entry(&assign.name).exported = true;
        }
        let result = run(self, k);
        for (name, var) in old.into_iter().rev() {
            self.vars.restore(&name, var);
        }
        result
    }

    fn trace(&mut self, k: &mut Kernel<'_>, assigns: &[Assign], args: &[String]) -> Result<()> {
        let mut line = self.vars.text("PS4").unwrap_or("+ ").to_string();
        let mut parts = Vec::new();
        for assign in assigns {
            if let super::ast::Value::Scalar(word) = &assign.value {
                let text = self.text(k, word)?;
                parts.push(format!("{}={}", assign.name, quote(&text)));
            }
        }
        parts.extend(args.iter().map(|arg| quote(arg)));
        line += &parts.join(" ");
        line.push('\n');
        self.err(k, line)
    }

    /// Calls a function.
    fn call(
        &mut self,
        k: &mut Kernel<'_>,
        body: &Rc<Command>,
        args: Vec<String>,
        tested: bool,
    ) -> Result<i32> {
        let positional = Rc::new(args.into_iter().skip(1).collect());
        let positional = std::mem::replace(&mut self.positional, positional);
        let loops = std::mem::take(&mut self.loops);
        self.locals.push(Vec::new());
        let mut result = Ok(0);
        let nested = k.nested(|k| {
            result = self.command(k, body, tested);
            Ok(())
        });
        for (name, var) in self.locals.pop().into_iter().flatten() {
            self.vars.restore(&name, var);
        }
        self.loops = loops;
        self.positional = positional;
        nested?;
        match result {
            Err(Jump::Return(code)) => Ok(code),
            other => other,
        }
    }

    fn builtin(
        &mut self,
        k: &mut Kernel<'_>,
        builtin: &'static builtins::Builtin,
        args: &[String],
    ) -> Result<i32> {
        let begun = k.begin(args, Fidelity::Executed);
        k.spend(cost::BUILTIN);
        let name = (!builtin.plain).then(|| args[0].clone());
        let outer = std::mem::replace(&mut self.builtin, name);
        let result = (builtin.run)(self, k, args);
        self.builtin = outer;
        k.end(begun, *result.as_ref().unwrap_or(&self.status));
        result
    }

    /// Starts a program and waits for its end.
    pub(super) fn program(&mut self, k: &mut Kernel<'_>, args: Vec<String>) -> Result<i32> {
        let mut child = self.proc.clone();
        child.env = self.vars.environment();
        child.pid = k.next_pid();
        let name = args[0].clone();
        child.args = args;
        match k.find(&child, &name) {
            Ok(image) => Ok(k.run(&image, &mut child)?),
            Err(ExecError::Format) => self.run_as_script(k, &child),
            Err(error) => {
                let begun = k.begin(&child.args, Fidelity::Executed);
                let (code, text) = self.not_started(k, &name, error);
                self.complain(k, text)?;
                k.end(begun, code);
                Ok(code)
            }
        }
    }

    /// Why a program cannot be started, as this shell says it.
    pub(super) fn not_started(
        &self,
        k: &Kernel<'_>,
        name: &str,
        error: ExecError,
    ) -> (i32, String) {
        let bash = self.dialect.has_bash_words();
        match error {
            ExecError::NotFound if bash => (127, format!("{name}: command not found")),
            ExecError::NotFound => (127, format!("{name}: not found")),
            ExecError::Errno(Errno::Enoent) => match bash {
                true => (127, format!("{name}: {}", Errno::Enoent)),
                false => (127, format!("{name}: not found")),
            },
            ExecError::Errno(Errno::Eacces)
                if bash && k.vfs.is_dir(&self.proc.fs, name) && name.contains('/') =>
            {
                (126, format!("{name}: Is a directory"))
            }
            ExecError::Errno(errno) => (126, format!("{name}: {errno}")),
            ExecError::Format => (126, format!("{name}: Exec format error")),
        }
    }

    /// A text file without `#!` is a script for this shell.
    fn run_as_script(&mut self, k: &mut Kernel<'_>, child: &super::Proc) -> Result<i32> {
        let path = match child.args[0].contains('/') {
            true => Some(child.args[0].clone()),
            false => self.find_on_path(k, &child.args[0]),
        };
        let content = path.and_then(|path| k.vfs.read(&self.proc.fs, &path).ok());
        let text = match content {
            Some(content) if !content.bytes().contains(&0) => {
                String::from_utf8_lossy(content.bytes()).into_owned()
            }
            _ => {
                let text = format!("{}: Exec format error", child.args[0]);
                self.complain(k, text)?;
                return Ok(126);
            }
        };
        let args = child.args[1..].to_vec();
        let mut shell = Shell::new(self.dialect, child.clone(), &child.args[0], args);
        let ended = k.nested(|k| shell.run_script(k, &text));
        match ended {
            Ok(code) | Err(Stop::Exit(code)) => Ok(code & 0xff),
            Err(Stop::Killed(signal)) => Ok(128 + i32::from(signal)),
            Err(stop) => Err(Jump::Stop(stop)),
        }
    }

    /// The file that a command's name leads to.
    pub(super) fn find_on_path(&self, k: &Kernel<'_>, name: &str) -> Option<String> {
        let is_program = |path: &str| {
            let handle = k.vfs.stat(&self.proc.fs, path, Follow::Yes).ok()?;
            let inode = k.vfs.inode(handle);
            let may = self.proc.fs.cred.may(&inode.meta, 1, false);
            (inode.file().is_some() && may).then(|| path.to_string())
        };
        if name.contains('/') {
            return is_program(name);
        }
        let dirs = self.vars.text("PATH").unwrap_or("/bin:/usr/bin");
        dirs.split(':').find_map(|dir| {
            let dir = if dir.is_empty() {
                "."
            } else {
                dir.trim_end_matches('/')
            };
            is_program(&format!("{dir}/{name}"))
        })
    }

    pub(super) fn is_ash(&self) -> bool {
        self.dialect == Dialect::Ash
    }
}

/// A word as it could be typed.
pub(super) fn quote(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./:@%+,]".contains(c));
    match plain {
        true => text.to_string(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
