//! Opening, reading and writing.

use std::rc::Rc;

use crate::fs::{Content, Errno, Flags, Follow, Kind, Process};

use super::{Fd, Fds, Kernel, Limit, Open, Pipe, Proc, Stop, Stream, cost};

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Writes go to the end.
    pub append: bool,
    /// Made if missing, and so on.
    pub flags: Flags,
}

impl Access {
    /// `<`
    pub const READ: Access = Access {
        read: true,
        write: false,
        append: false,
        flags: Flags {
            create: false,
            truncate: false,
            exclusive: false,
        },
    };
    /// `>`
    pub const WRITE: Access = Access {
        read: false,
        write: true,
        append: false,
        flags: Flags {
            create: true,
            truncate: true,
            exclusive: false,
        },
    };
    /// `>>`
    pub const APPEND: Access = Access {
        read: false,
        write: true,
        append: true,
        flags: Flags {
            create: true,
            truncate: false,
            exclusive: false,
        },
    };
    /// `<>`
    pub const UPDATE: Access = Access {
        read: true,
        write: true,
        append: false,
        flags: Flags {
            create: true,
            truncate: false,
            exclusive: false,
        },
    };
}

/// Why a write failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// The system call failed.
    Errno(Errno),
    /// The process or the run ends.
    Stop(Stop),
}

impl From<Stop> for WriteError {
    fn from(stop: Stop) -> WriteError {
        WriteError::Stop(stop)
    }
}

/// What an endless writer may put into a pipe before its reader gets its turn.
pub const ENDLESS_BYTES: usize = 1 << 20;

impl Kernel<'_> {
    /// Opens a file, a device, or one of the process's own descriptors (`/dev/stdout`,
    /// `/dev/fd/3`). New files get mode 0666 under the umask.
    ///
    /// # Errors
    /// As [`Vfs::open`](crate::fs::Vfs::open) and [`Vfs::stat`](crate::fs::Vfs::stat).
    pub fn open(
        &mut self,
        process: &Process,
        fds: &Fds,
        path: &str,
        access: Access,
    ) -> Result<Fd, Errno> {
        if let Some(n) = descriptor_path(path) {
            return fds.get(n).cloned().ok_or(Errno::Enoent);
        }
        let found = match self.vfs.stat(process, path, Follow::Yes) {
            Ok(handle) => Some(handle),
            Err(Errno::Enoent) if access.flags.create => None,
            Err(errno) => return Err(errno),
        };
        if let Some(handle) = found {
            let inode = self.vfs.inode(handle);
            let wants = u32::from(access.read) * 4 + u32::from(access.write) * 2;
            let readable = process.cred.may(&inode.meta, wants, inode.is_dir());
            match inode.kind {
                Kind::CharDevice(major, minor) => {
                    if !readable {
                        return Err(Errno::Eacces);
                    }
                    return self.open_device(fds, major, minor);
                }
                Kind::Dir(_) if access.write => return Err(Errno::Eisdir),
                Kind::Socket => return Err(Errno::Enxio),
                _ if !readable => return Err(Errno::Eacces),
                // Nobody is at the other end: processes run one after the other.
                Kind::Fifo | Kind::BlockDevice(..) => return Ok(Open::Null.fd()),
                _ => {}
            }
            if !access.write {
                return Ok(Open::reading(handle).fd());
            }
        }
        let handle = self.vfs.open(process, path, access.flags, 0o666)?;
        Ok(Open::File {
            handle,
            offset: 0,
            read: access.read,
            write: access.write,
            append: access.append,
        }
        .fd())
    }

    fn open_device(&mut self, fds: &Fds, major: u32, minor: u32) -> Result<Fd, Errno> {
        Ok(match (major, minor) {
            (1, 3) => Open::Null.fd(),
            (1, 5) => Open::Zero.fd(),
            (1, 7) => Open::Full.fd(),
            (1, 8 | 9) => {
                self.seed += 1;
                Open::Random(self.seed).fd()
            }
            // A process's own descriptor, as `/proc/self/fd` shows it (see `container`).
            (super::container::FD_MAJOR, n) => return fds.get(n).cloned().ok_or(Errno::Enoent),
            _ => return Err(Errno::Enxio),
        })
    }

    /// Reads at most `max` bytes; none at the end.
    ///
    /// # Errors
    /// [`Stop`] where the read shows that an endless writer was cut off.
    pub fn read(&mut self, fd: &Fd, max: usize) -> Result<Vec<u8>, Stop> {
        match &mut *fd.borrow_mut() {
            Open::Zero | Open::Full => Ok(vec![0; max]),
            Open::Random(state) => Ok(random(state, max)),
            Open::PipeOut(pipe) => {
                let mut pipe = pipe.borrow_mut();
                let end = pipe.bytes.len().min(pipe.read.saturating_add(max));
                if pipe.read == pipe.bytes.len() && pipe.cut && max > 0 {
                    return Err(self.limit(Limit::Pipe, pipe.bytes.len() as u64));
                }
                let bytes = pipe.bytes[pipe.read..end].to_vec();
                pipe.read = end;
                Ok(bytes)
            }
            Open::File {
                handle,
                offset,
                read: true,
                ..
            } => {
                let bytes = self.vfs.inode(*handle).file().map(Content::bytes);
                let bytes = bytes.unwrap_or_default();
                let start = bytes.len().min(*offset);
                let end = bytes.len().min(offset.saturating_add(max));
                *offset = end.max(*offset);
                Ok(bytes[start..end].to_vec())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// [`Stop::Limit`] for what has no end.
    pub fn read_all(&mut self, fd: &Fd) -> Result<Vec<u8>, Stop> {
        if matches!(&*fd.borrow(), Open::Zero | Open::Full | Open::Random(_)) {
            return Err(self.limit(Limit::Endless, 0));
        }
        let cut = matches!(&*fd.borrow(), Open::PipeOut(pipe) if pipe.borrow().cut);
        let bytes = self.read(fd, usize::MAX)?;
        if cut {
            return Err(self.limit(Limit::Pipe, bytes.len() as u64));
        }
        Ok(bytes)
    }

    /// Reads one line with its newline; less at the end. Nothing behind it is taken.
    ///
    /// # Errors
    /// As [`read`](Kernel::read).
    pub fn read_line(&mut self, fd: &Fd) -> Result<Vec<u8>, Stop> {
        let line = {
            let open = fd.borrow();
            let find = |bytes: &[u8]| match bytes.iter().position(|b| *b == b'\n') {
                Some(at) => at + 1,
                None => bytes.len(),
            };
            match &*open {
                Open::PipeOut(pipe) => {
                    let pipe = pipe.borrow();
                    find(&pipe.bytes[pipe.read..])
                }
                Open::File { handle, offset, .. } => {
                    let bytes = self.vfs.inode(*handle).file().map(Content::bytes);
                    find(bytes.and_then(|b| b.get(*offset..)).unwrap_or_default())
                }
                Open::Zero | Open::Full | Open::Random(_) => {
                    return Err(self.limit(Limit::Endless, 0));
                }
                _ => 0,
            }
        };
        self.read(fd, line.max(1))
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// [`WriteError`]: no space, a limit, a pipe that nobody reads.
    pub fn write(&mut self, fd: &Fd, bytes: &[u8]) -> Result<(), WriteError> {
        if bytes.is_empty() {
            return Ok(());
        }
        match &mut *fd.borrow_mut() {
            Open::Null | Open::Zero | Open::Random(_) => Ok(()),
            Open::Full => Err(WriteError::Errno(Errno::Enospc)),
            Open::Log(stream) => Ok(self.log_write(*stream, bytes)?),
            Open::PipeIn(pipe) => {
                let mut pipe = pipe.borrow_mut();
                if pipe.bytes.len() + bytes.len() > self.limits.pipe_bytes {
                    pipe.cut = true;
                    return Err(Stop::SIGPIPE.into());
                }
                pipe.bytes.extend_from_slice(bytes);
                Ok(())
            }
            Open::PipeOut(_) | Open::File { write: false, .. } => {
                Err(WriteError::Errno(Errno::Ebadf))
            }
            Open::File {
                handle,
                offset,
                append,
                ..
            } => {
                self.spend(cost::disk(self.host.machine(), bytes.len() as u64));
                let Some(content) = self.vfs.inode(*handle).file() else {
                    return Ok(());
                };
                let len = content.bytes().len();
                if *append || *offset == len {
                    *offset = len + bytes.len();
                    let done = self.vfs.append_handle(*handle, bytes);
                    return done.map_err(WriteError::Errno);
                }
                let end = *offset + bytes.len();
                let mut all = content.bytes().to_vec();
                all.resize(len.max(end), 0);
                all[*offset..end].copy_from_slice(bytes);
                *offset = end;
                let done = self.vfs.write_handle(*handle, Content::new(all));
                done.map_err(WriteError::Errno)
            }
        }
    }

    pub(super) fn log_write(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Stop> {
        self.host.output(stream, &String::from_utf8_lossy(bytes));
        let nanos = self.elapsed();
        self.log.write(stream, nanos, bytes);
        if self.log.written > self.limits.output_bytes {
            return Err(self.limit(Limit::Output, self.limits.output_bytes));
        }
        Ok(())
    }

    /// A new pipe: the end to read and the end to write.
    pub fn pipe(&self) -> (Fd, Fd) {
        let pipe = Rc::new(std::cell::RefCell::new(Pipe::default()));
        (Open::PipeOut(pipe.clone()).fd(), Open::PipeIn(pipe).fd())
    }

    /// Writes `line` again and again to an output, as `yes` does, until nobody wants more.
    pub fn write_endlessly(&mut self, proc: &Proc, line: &[u8]) -> Stop {
        let Some(fd) = proc.fds.get(1).cloned() else {
            return Stop::Exit(1);
        };
        let many = line.repeat(4096 / line.len().max(1) + 1);
        let mut written = 0;
        loop {
            if let Open::PipeIn(pipe) = &*fd.borrow()
                && written > ENDLESS_BYTES
            {
                pipe.borrow_mut().cut = true;
                return Stop::SIGPIPE;
            }
            match self.write(&fd, &many) {
                Ok(()) if matches!(&*fd.borrow(), Open::Null) => {
                    return self.limit(Limit::Endless, 0);
                }
                Ok(()) => written += many.len(),
                Err(WriteError::Stop(stop)) => return stop,
                Err(WriteError::Errno(_)) => return Stop::Exit(1),
            }
        }
    }
}

/// `/dev/stdin`, `/dev/fd/3` and the like name a descriptor.
fn descriptor_path(path: &str) -> Option<u32> {
    match path {
        "/dev/stdin" => Some(0),
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        _ => {
            let n = path
                .strip_prefix("/dev/fd/")
                .or_else(|| path.strip_prefix("/proc/self/fd/"))?;
            n.parse().ok()
        }
    }
}

/// SplitMix64: bytes that look random and are the same in every run.
fn random(state: &mut u64, len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        out.extend_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    out.truncate(len);
    out
}
