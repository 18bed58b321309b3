//! Open files: descriptors, descriptions, pipes.

use std::cell::RefCell;
use std::rc::Rc;

use crate::fs::Handle;

use super::Stream;

/// An open file description; descriptors that share one share its offset.
pub type Fd = Rc<RefCell<Open>>;

/// What a description is open on.
#[derive(Clone, Debug)]
pub enum Open {
    /// `/dev/null`.
    Null,
    /// `/dev/zero`.
    Zero,
    /// `/dev/full`: reads zeros, has no space.
    Full,
    /// `/dev/random`, `/dev/urandom`: the state of a fixed sequence.
    Random(u64),
    /// The step's log.
    Log(Stream),
    /// The end of a pipe that is read.
    PipeOut(Rc<RefCell<Pipe>>),
    /// The end of a pipe that is written.
    PipeIn(Rc<RefCell<Pipe>>),
    /// A file of the filesystem.
    File {
        /// Which.
        handle: Handle,
        /// Where the next read or write happens.
        offset: usize,
        /// Whether it may be read.
        read: bool,
        /// Whether it may be written.
        write: bool,
        /// Whether writes go to the end.
        append: bool,
    },
}

impl Open {
    /// A description of its own.
    pub fn fd(self) -> Fd {
        Rc::new(RefCell::new(self))
    }

    /// A file open for reading from its start.
    pub fn reading(handle: Handle) -> Open {
        Open::File {
            handle,
            offset: 0,
            read: true,
            write: false,
            append: false,
        }
    }

    /// A pipe that already holds `bytes` and has no writer any more: reading it gives them.
    pub fn holding(bytes: Vec<u8>) -> Open {
        Open::PipeOut(Rc::new(RefCell::new(Pipe {
            bytes,
            ..Pipe::default()
        })))
    }
}

/// Bytes on their way from one process to the next. The writer runs to its end before the reader
/// starts, so a pipe holds all that was written, up to a limit.
#[derive(Clone, Debug, Default)]
pub struct Pipe {
    /// What was written.
    pub bytes: Vec<u8>,
    /// How much of it was read.
    pub read: usize,
    /// The writer was stopped because it wrote too much. A reader that never gets to the end
    /// does not notice, as with an endless writer in life; one that does has hit a limit.
    pub cut: bool,
}

/// A process's descriptors by number.
#[derive(Clone, Debug, Default)]
pub struct Fds(Vec<Option<Fd>>);

impl Fds {
    /// The highest descriptor number a script may name, plus one.
    pub const MAX: u32 = 1024;

    /// Standard input, output and error.
    pub fn standard(stdin: Fd, stdout: Fd, stderr: Fd) -> Fds {
        Fds(vec![Some(stdin), Some(stdout), Some(stderr)])
    }

    /// What is open as `n`.
    pub fn get(&self, n: u32) -> Option<&Fd> {
        self.0.get(n as usize)?.as_ref()
    }

    /// Opens `fd` as `n`, or closes `n`; numbers from [`Fds::MAX`] on are refused.
    pub fn set(&mut self, n: u32, fd: Option<Fd>) -> bool {
        if n >= Fds::MAX {
            return false;
        }
        let n = n as usize;
        if self.0.len() <= n {
            self.0.resize(n + 1, None);
        }
        self.0[n] = fd;
        true
    }

    /// The lowest free number from `from` on.
    pub fn free(&self, from: u32) -> u32 {
        (from..).find(|n| self.get(*n).is_none()).unwrap_or(from)
    }
}
