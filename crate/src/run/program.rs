//! Programs: what a binary does when it runs.

use crate::fs::{Content, Errno};

use super::io::{Access, WriteError};
use super::{ExecError, Fd, Image, Kernel, Open, Proc, Stop, packages, programs};

/// How faithfully a command is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fidelity {
    /// It does here what it does in life.
    Executed,
    /// Its effect is modelled from the catalog.
    Modelled,
    /// It is not known here: it succeeds without any effect.
    NotSimulated,
}

/// Whose program it is: the same name may word its errors in several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// A busybox applet.
    Busybox,
    /// GNU coreutils and the like.
    Gnu,
}

/// The end of a program: its exit code, or why it stopped before.
pub type Exit = Result<i32, Stop>;

/// A program's main function.
pub type Main = fn(&mut Call<'_, '_>) -> Exit;

/// A program that is acted out.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The name it is called by.
    pub name: &'static str,
    /// How faithfully.
    pub fidelity: Fidelity,
    /// What it does.
    pub main: Main,
}

impl Program {
    /// A program that does what it does in life.
    pub const fn executed(name: &'static str, main: Main) -> Program {
        Program {
            name,
            fidelity: Fidelity::Executed,
            main,
        }
    }

    /// A program whose effect is modelled.
    pub const fn modelled(name: &'static str, main: Main) -> Program {
        Program {
            name,
            fidelity: Fidelity::Modelled,
            main,
        }
    }
}

/// What acts out the binary `content`, called as `name` while the file itself is `real_name`.
///
/// The binary of a base image is a stand-in. Its bytes may say whose program it is, so that a copy
/// under another name stays what it is: `\x7fELF`, then `program NAME`, then a newline. A real
/// busybox is known by the banner in it.
pub(super) fn identify(
    name: &str,
    real_name: &str,
    content: &Content,
) -> (Option<&'static Program>, Flavour) {
    let declared = content
        .bytes()
        .strip_prefix(b"\x7fELFprogram ")
        .and_then(|rest| rest.split(|b| *b == b'\n').next())
        .and_then(|name| std::str::from_utf8(name).ok());
    let is_busybox = declared == Some("busybox")
        || real_name.starts_with("busybox")
        || !content.is_stand_in() && contains(content.bytes(), b"BusyBox v");
    if is_busybox {
        let applet = if name.starts_with("busybox") {
            "busybox"
        } else {
            name
        };
        let program = programs::find(applet)
            .or_else(|| packages::find(applet))
            .or_else(|| programs::find("busybox"));
        let known = programs::is_applet(applet);
        return (
            program.filter(|program| !known || program.name != "busybox"),
            Flavour::Busybox,
        );
    }
    let names = [Some(name), declared, Some(real_name)];
    let program = names
        .into_iter()
        .flatten()
        .find_map(|name| packages::find(name).or_else(|| programs::find(name)));
    (program, Flavour::Gnu)
}

/// Whether `part` is somewhere in `bytes`. Looks for its first byte, which is quick in a binary.
fn contains(bytes: &[u8], part: &[u8; 9]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == part[0]) {
        rest = &rest[at..];
        if rest.starts_with(part) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// A running program: the process and everything it may use.
pub struct Call<'c, 'k> {
    /// The machine.
    pub kernel: &'c mut Kernel<'k>,
    /// The process; its `args` are as it was started, see [`Call::args`].
    pub proc: &'c mut Proc,
    /// The name it was called by, without directories: what its messages begin with.
    pub name: String,
    /// The arguments behind the name.
    pub args: Vec<String>,
    /// The file that runs.
    pub image: &'c Image,
}

impl<'k> Call<'_, 'k> {
    /// Whose program it is.
    pub fn flavour(&self) -> Flavour {
        self.image.flavour
    }

    /// Writes to standard output.
    ///
    /// # Errors
    /// [`Stop`]: the reader is gone, or the write failed and was complained about.
    pub fn out(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Stop> {
        let Some(fd) = self.proc.fds.get(1).cloned() else {
            return Err(Stop::Exit(1));
        };
        match self.kernel.write(&fd, bytes.as_ref()) {
            Ok(()) => Ok(()),
            Err(WriteError::Stop(stop)) => Err(stop),
            Err(WriteError::Errno(errno)) => {
                self.complain(format_args!("write error: {errno}"))?;
                Err(Stop::Exit(1))
            }
        }
    }

    /// Writes to standard error.
    ///
    /// # Errors
    /// As [`out`](Call::out); a failed write is silent.
    pub fn err(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Stop> {
        let Some(fd) = self.proc.fds.get(2).cloned() else {
            return Ok(());
        };
        match self.kernel.write(&fd, bytes.as_ref()) {
            Err(WriteError::Stop(stop)) => Err(stop),
            _ => Ok(()),
        }
    }

    /// Writes a line `NAME: TEXT` to standard error.
    ///
    /// # Errors
    /// As [`err`](Call::err).
    pub fn complain(&mut self, text: impl std::fmt::Display) -> Result<(), Stop> {
        let line = format!("{}: {text}\n", self.name);
        self.err(line)
    }

    /// Complains and gives the exit code `code`.
    ///
    /// # Errors
    /// As [`err`](Call::err).
    pub fn fail(&mut self, code: i32, text: impl std::fmt::Display) -> Exit {
        self.complain(text)?;
        Ok(code)
    }

    /// Standard input to its end.
    ///
    /// # Errors
    /// As [`Kernel::read_all`].
    pub fn stdin(&mut self) -> Result<Vec<u8>, Stop> {
        match self.proc.fds.get(0).cloned() {
            Some(fd) => self.kernel.read_all(&fd),
            None => Ok(Vec::new()),
        }
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As [`Kernel::open`].
    pub fn open(&mut self, path: &str, access: Access) -> Result<Fd, Errno> {
        self.kernel
            .open(&self.proc.fs, &self.proc.fds, path, access)
    }

    /// The whole of a file or, for `-`, of standard input.
    ///
    /// # Errors
    /// The inner error is the system's; the outer ends the program.
    pub fn slurp(&mut self, path: &str) -> Result<Result<Vec<u8>, Errno>, Stop> {
        if path == "-" {
            return self.stdin().map(Ok);
        }
        let fd = match self.open(path, Access::READ) {
            Ok(fd) => fd,
            Err(errno) => return Ok(Err(errno)),
        };
        if let Open::File { handle, .. } = &*fd.borrow()
            && self.kernel.vfs.inode(*handle).is_dir()
        {
            return Ok(Err(Errno::Eisdir));
        }
        self.kernel.read_all(&fd).map(Ok)
    }

    /// Runs another program with this process's files, directory and user, and `env` if given.
    ///
    /// # Errors
    /// The inner error says why it cannot be started; the outer ends the run.
    pub fn run(&mut self, args: &[String]) -> Result<Result<i32, ExecError>, Stop> {
        self.run_with(args, |_| ())
    }

    /// [`run`](Call::run) in a process that `change` has had a hand on.
    ///
    /// # Errors
    /// As [`run`](Call::run).
    pub fn run_with(
        &mut self,
        args: &[String],
        change: impl FnOnce(&mut Proc),
    ) -> Result<Result<i32, ExecError>, Stop> {
        let mut child = self.proc.clone();
        child.args = args.to_vec();
        child.pid = self.kernel.next_pid();
        change(&mut child);
        let name = args.first().map_or("", String::as_str);
        match self.kernel.find(&child, name) {
            Ok(image) => self.kernel.run(&image, &mut child).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }
}
