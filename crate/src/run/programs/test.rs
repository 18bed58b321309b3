//! `test` and `[`: of the shell and as a program.

use super::super::{Call, Exit, Kernel, Proc, Program};
use crate::fs::{Follow, Handle, Inode, Kind};

pub(super) const TABLE: &[Program] = &[
    Program::executed("test", main),
    Program::executed("[", main),
    Program::executed("true", |_| Ok(0)),
    Program::executed("false", |_| Ok(1)),
];

fn main(call: &mut Call<'_, '_>) -> Exit {
    let mut args = call.args.clone();
    if call.name == "[" && args.pop().as_deref() != Some("]") {
        return call.fail(2, "missing ]");
    }
    match evaluate(call.kernel, call.proc, &args) {
        Ok(holds) => Ok(i32::from(!holds)),
        Err(message) => call.fail(2, message),
    }
}

/// Whether the expression holds.
///
/// # Errors
/// What is wrong with it, as busybox says it.
pub(in crate::run) fn evaluate(
    kernel: &Kernel<'_>,
    proc: &Proc,
    args: &[String],
) -> Result<bool, String> {
    // Up to three arguments, their number decides what they are (POSIX).
    match args {
        [] => return Ok(false),
        [one] => return Ok(!one.is_empty()),
        [not, one] if not == "!" => return Ok(one.is_empty()),
        [a, op, b] if is_binary(op) => return binary(kernel, proc, a, op, b),
        [not, a, op, b] if not == "!" && is_binary(op) => {
            return Ok(!binary(kernel, proc, a, op, b)?);
        }
        _ => {}
    }
    let mut reader = Reader {
        kernel,
        proc,
        args,
        at: 0,
    };
    let holds = reader.or()?;
    match reader.args.get(reader.at) {
        None => Ok(holds),
        Some(extra) => Err(format!("{extra}: unknown operand")),
    }
}

fn is_binary(op: &str) -> bool {
    matches!(
        op,
        "=" | "=="
            | "!="
            | "<"
            | ">"
            | "-eq"
            | "-ne"
            | "-lt"
            | "-le"
            | "-gt"
            | "-ge"
            | "-nt"
            | "-ot"
            | "-ef"
    )
}

struct Reader<'r, 'k> {
    kernel: &'r Kernel<'k>,
    proc: &'r Proc,
    args: &'r [String],
    at: usize,
}

impl Reader<'_, '_> {
    fn peek(&self, ahead: usize) -> Option<&str> {
        self.args.get(self.at + ahead).map(String::as_str)
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut holds = self.and()?;
        while self.peek(0) == Some("-o") {
            self.at += 1;
            holds |= self.and()?;
        }
        Ok(holds)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut holds = self.not()?;
        while self.peek(0) == Some("-a") {
            self.at += 1;
            holds &= self.not()?;
        }
        Ok(holds)
    }

    fn not(&mut self) -> Result<bool, String> {
        let mut negated = false;
        while self.peek(0) == Some("!") && !self.peek(1).is_some_and(is_binary) {
            negated = !negated;
            self.at += 1;
        }
        Ok(self.primary()? != negated)
    }

    fn primary(&mut self) -> Result<bool, String> {
        let Some(first) = self.peek(0).map(String::from) else {
            return Err("argument expected".into());
        };
        if let (Some(op), Some(b)) = (self.peek(1), self.peek(2))
            && is_binary(op)
        {
            let (op, b) = (op.to_string(), b.to_string());
            self.at += 3;
            return binary(self.kernel, self.proc, &first, &op, &b);
        }
        self.at += 1;
        if first == "(" {
            let holds = self.or()?;
            if self.peek(0) != Some(")") {
                return Err("closing paren expected".into());
            }
            self.at += 1;
            return Ok(holds);
        }
        let is_unary = first.len() == 2
            && first.starts_with('-')
            && "bcdefghknpOGrstuwxzLSN".contains(&first[1..]);
        match self.peek(0).map(String::from) {
            Some(operand)
                if is_unary
                    && !(matches!(operand.as_str(), "-a" | "-o") && self.peek(1).is_some()) =>
            {
                self.at += 1;
                unary(self.kernel, self.proc, &first, &operand)
            }
            _ => Ok(!first.is_empty()),
        }
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("{text}: bad number"))
}

fn binary(kernel: &Kernel<'_>, proc: &Proc, a: &str, op: &str, b: &str) -> Result<bool, String> {
    let stat = |path: &str| kernel.vfs.stat(&proc.fs, path, Follow::Yes).ok();
    let time = |path: &str| stat(path).map(|handle| kernel.vfs.inode(handle).meta.mtime);
    Ok(match op {
        "=" | "==" => a == b,
        "!=" => a != b,
        "<" => a < b,
        ">" => a > b,
        "-eq" => number(a)? == number(b)?,
        "-ne" => number(a)? != number(b)?,
        "-lt" => number(a)? < number(b)?,
        "-le" => number(a)? <= number(b)?,
        "-gt" => number(a)? > number(b)?,
        "-ge" => number(a)? >= number(b)?,
        "-nt" => time(a).is_some_and(|a| time(b).is_none_or(|b| a > b)),
        "-ot" => time(b).is_some_and(|b| time(a).is_none_or(|a| a < b)),
        _ => stat(a).is_some() && stat(a) == stat(b),
    })
}

fn unary(kernel: &Kernel<'_>, proc: &Proc, op: &str, operand: &str) -> Result<bool, String> {
    let follow = if matches!(op, "-L" | "-h") {
        Follow::No
    } else {
        Follow::Yes
    };
    let stat = || -> Option<Handle> { kernel.vfs.stat(&proc.fs, operand, follow).ok() };
    let inode = || -> Option<&Inode> { stat().map(|handle| kernel.vfs.inode(handle).as_ref()) };
    let kind = |test: fn(&Kind) -> bool| inode().is_some_and(|inode| test(&inode.kind));
    let may = |want: u32| {
        inode().is_some_and(|inode| proc.fs.cred.may(&inode.meta, want, inode.is_dir()))
    };
    let bit = |bit: u32| inode().is_some_and(|inode| inode.meta.mode & bit != 0);
    Ok(match op {
        "-n" => !operand.is_empty(),
        "-z" => operand.is_empty(),
        "-t" => {
            number(operand)?;
            false
        }
        "-e" => stat().is_some(),
        "-f" => kind(|kind| matches!(kind, Kind::File(_))),
        "-d" => kind(|kind| matches!(kind, Kind::Dir(_))),
        "-L" | "-h" => kind(|kind| matches!(kind, Kind::Symlink(_))),
        "-p" => kind(|kind| matches!(kind, Kind::Fifo)),
        "-b" => kind(|kind| matches!(kind, Kind::BlockDevice(..))),
        "-c" => kind(|kind| matches!(kind, Kind::CharDevice(..))),
        "-S" => kind(|kind| matches!(kind, Kind::Socket)),
        "-s" => inode().is_some_and(|inode| inode.is_dir() || inode.size() > 0),
        "-r" => may(4),
        "-w" => may(2),
        "-x" => may(1),
        "-u" => bit(0o4000),
        "-g" => bit(0o2000),
        "-k" => bit(0o1000),
        "-O" => inode().is_some_and(|inode| inode.meta.uid == proc.fs.cred.uid),
        "-G" => inode().is_some_and(|inode| inode.meta.gid == proc.fs.cred.gid),
        _ => false,
    })
}
