//! Redirections.

use super::super::io::Access;
use super::super::{Kernel, Open};
use super::ast::{Redirect, RedirectOp};
use super::{Dialect, Result, Shell};
use crate::fs::{Errno, Follow};

impl Shell {
    /// Carries redirections out, one after the other, for as long as the caller leaves the
    /// descriptors so. Gives the exit code where one fails and was complained about.
    pub(super) fn redirect(
        &mut self,
        k: &mut Kernel<'_>,
        redirects: &[Redirect],
    ) -> Result<Option<i32>> {
        for redirect in redirects {
            if let Some(code) = self.redirect_one(k, redirect)? {
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    fn redirect_one(&mut self, k: &mut Kernel<'_>, redirect: &Redirect) -> Result<Option<i32>> {
        use RedirectOp as Op;
        let mut text = self.text(k, &redirect.word)?;
        let standard = match redirect.op {
            Op::Read | Op::Update | Op::DupIn | Op::Here | Op::HereString => 0,
            _ => 1,
        };
        let number = redirect.fd.unwrap_or(standard);
        let (access, both) = match redirect.op {
            Op::Here | Op::HereString => {
                if redirect.op == Op::HereString {
                    text.push('\n');
                }
                let fd = Open::holding(text.into_bytes()).fd();
                self.proc.fds.set(number, Some(fd));
                return Ok(None);
            }
            Op::DupIn | Op::DupOut => {
                let target = text.trim_end_matches('-');
                if text == "-" {
                    self.proc.fds.set(number, None);
                    return Ok(None);
                }
                match target.parse::<u32>() {
                    Ok(from) => {
                        let Some(fd) = self.proc.fds.get(from).cloned() else {
                            let text = format!("{from}: Bad file descriptor");
                            self.complain(k, text)?;
                            return Ok(Some(1));
                        };
                        self.proc.fds.set(number, Some(fd));
                        if text.ends_with('-') && from != number {
                            self.proc.fds.set(from, None);
                        }
                        return Ok(None);
                    }
                    // `>& file` is `&> file`.
                    Err(_) if redirect.op == Op::DupOut && redirect.fd.is_none() => {
                        (Access::WRITE, true)
                    }
                    Err(_) => {
                        let code = if self.dialect == Dialect::Bash { 1 } else { 2 };
                        return Err(self.error(k, code, "bad fd number")?);
                    }
                }
            }
            Op::Read => (Access::READ, false),
            Op::Update => (Access::UPDATE, false),
            Op::Append => (Access::APPEND, false),
            Op::BothAppend => (Access::APPEND, true),
            Op::Both => (Access::WRITE, true),
            Op::Write if self.options.noclobber => {
                let handle = k.vfs.stat(&self.proc.fs, &text, Follow::Yes);
                let is_file = handle.is_ok_and(|handle| k.vfs.inode(handle).file().is_some());
                if is_file {
                    self.complain(k, format!("can't create {text}: File exists"))?;
                    return Ok(Some(1));
                }
                (Access::WRITE, false)
            }
            Op::Write | Op::Clobber => (Access::WRITE, false),
        };
        match k.open(&self.proc.fs, &self.proc.fds, &text, access) {
            Ok(fd) => {
                self.proc.fds.set(number, Some(fd.clone()));
                if both {
                    self.proc.fds.set(2, Some(fd));
                }
                Ok(None)
            }
            Err(errno) => {
                let message = self.open_error(&text, access.write, errno);
                self.complain_outside(k, message)?;
                Ok(Some(1))
            }
        }
    }

    fn open_error(&self, path: &str, create: bool, errno: Errno) -> String {
        match (self.dialect, create, errno) {
            (Dialect::Bash, ..) => format!("{path}: {errno}"),
            (Dialect::Ash, true, Errno::Enoent) => {
                format!("can't create {path}: nonexistent directory")
            }
            (Dialect::Ash, false, Errno::Enoent) => format!("can't open {path}: no such file"),
            (Dialect::Dash, true, Errno::Enoent) => {
                format!("cannot create {path}: Directory nonexistent")
            }
            (Dialect::Dash, false, Errno::Enoent) => format!("cannot open {path}: No such file"),
            (Dialect::Dash, true, errno) => format!("cannot create {path}: {errno}"),
            (Dialect::Dash, false, errno) => format!("cannot open {path}: {errno}"),
            (_, true, errno) => format!("can't create {path}: {errno}"),
            (_, false, errno) => format!("can't open {path}: {errno}"),
        }
    }

    /// Complains about what happened in front of a builtin, not in it.
    fn complain_outside(&mut self, k: &mut Kernel<'_>, text: String) -> Result<()> {
        let builtin = self.builtin.take();
        let result = self.complain(k, text);
        self.builtin = builtin;
        result
    }
}
