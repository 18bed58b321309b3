//! What programs read: files one after the other, and input without end.

use super::super::io::{ENDLESS_BYTES, WriteError};
use super::super::{Call, Fd, Flavour, Open, Stop};
use crate::fs::Errno;

/// What is read from an endless or long input at once.
const CHUNK: usize = 64 << 10;

/// The operands, or standard input where there are none.
pub(in crate::run) fn or_stdin(operands: &[String]) -> Vec<String> {
    match operands.is_empty() {
        true => vec!["-".into()],
        false => operands.to_vec(),
    }
}

/// Complains about a file that cannot be opened or read, in the words of the flavour.
///
/// # Errors
/// Only what ends the program.
pub(in crate::run) fn cannot_open(
    call: &mut Call<'_, '_>,
    path: &str,
    errno: Errno,
) -> Result<(), Stop> {
    if call.flavour() == Flavour::Gnu {
        return call.complain(format_args!("{path}: {errno}"));
    }
    // busybox opens in one place with and in another without words of its own.
    let opens = ["cat", "tail", "uniq", "tar", "crc32", "xargs"];
    let hashes = call.name.ends_with("sum");
    match (call.name.as_str(), errno) {
        (_, Errno::Eisdir) if hashes => call.complain(format_args!("can't read '{path}': {errno}")),
        ("cat" | "tail", Errno::Eisdir) => call.complain(format_args!("read error: {errno}")),
        ("head" | "fold" | "expand" | "unexpand", Errno::Eisdir) => {
            call.complain(format_args!("{path}: Input/output error"))
        }
        (name, _) if hashes || opens.contains(&name) => {
            call.complain(format_args!("can't open '{path}': {errno}"))
        }
        _ => call.complain(format_args!("{path}: {errno}")),
    }
}

/// Whether a directory reads as an empty file: busybox does not look at the error of the read.
fn reads_directories(call: &Call<'_, '_>) -> bool {
    let careless = [
        "cut", "nl", "paste", "rev", "sed", "shuf", "sort", "strings",
    ];
    call.flavour() == Flavour::Busybox && careless.contains(&call.name.as_str())
}

/// The whole of a file or of standard input; nothing, after a complaint, where it cannot be read.
///
/// # Errors
/// Only what ends the program.
pub(in crate::run) fn slurp(call: &mut Call<'_, '_>, path: &str) -> Result<Option<Vec<u8>>, Stop> {
    match call.slurp(path)? {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Errno::Eisdir) if reads_directories(call) => Ok(Some(Vec::new())),
        Err(errno) => cannot_open(call, path, errno).map(|()| None),
    }
}

/// All inputs, one behind the other, and the exit code: 1 where one cannot be read.
///
/// # Errors
/// Only what ends the program.
pub(in crate::run) fn join(
    call: &mut Call<'_, '_>,
    operands: &[String],
) -> Result<(Vec<u8>, i32), Stop> {
    let mut all = Vec::new();
    let mut code = 0;
    for path in or_stdin(operands) {
        match slurp(call, &path)? {
            Some(bytes) => all.extend(bytes),
            None => code = 1,
        }
    }
    Ok((all, code))
}

/// Opens an input; `-` is standard input. Nothing, after a complaint, where it cannot be opened.
///
/// # Errors
/// Only what ends the program.
pub(in crate::run) fn open(call: &mut Call<'_, '_>, path: &str) -> Result<Option<Fd>, Stop> {
    if path == "-" {
        let fd = call.proc.fds.get(0).cloned();
        return Ok(Some(fd.unwrap_or_else(|| Open::Null.fd())));
    }
    let fd = match call.open(path, super::super::io::Access::READ) {
        Ok(fd) => fd,
        Err(errno) => return cannot_open(call, path, errno).map(|()| None),
    };
    let is_dir = match &*fd.borrow() {
        Open::File { handle, .. } => call.kernel.vfs.inode(*handle).is_dir(),
        _ => false,
    };
    if is_dir {
        return cannot_open(call, path, Errno::Eisdir).map(|()| None);
    }
    Ok(Some(fd))
}

/// Sends `fd` through `filter` to standard output, to its end. Where it has none, as `/dev/zero`
/// or the output of `yes`, the reader of the output gets its turn after a while and the program
/// ends as by a broken pipe.
///
/// # Errors
/// [`Stop`]: as [`Call::out`], or an endless input whose output nobody cuts off.
pub(in crate::run) fn pump(
    call: &mut Call<'_, '_>,
    fd: &Fd,
    mut filter: impl FnMut(&[u8]) -> Vec<u8>,
) -> Result<(), Stop> {
    let device = matches!(&*fd.borrow(), Open::Zero | Open::Full | Open::Random(_));
    let is_cut = |fd: &Fd| matches!(&*fd.borrow(), Open::PipeOut(pipe) if pipe.borrow().cut);
    let mut read = 0;
    loop {
        let at_cut = is_cut(fd) && left(fd) == 0;
        if at_cut || (device && read >= ENDLESS_BYTES) {
            let out = call.proc.fds.get(1).cloned();
            return Err(match out.as_ref().map(|out| out.borrow()).as_deref() {
                Some(Open::PipeIn(pipe)) => {
                    pipe.borrow_mut().cut = true;
                    Stop::SIGPIPE
                }
                _ => call.kernel.limit(super::super::Limit::Endless, 0),
            });
        }
        let bytes = call.kernel.read(fd, CHUNK)?;
        if bytes.is_empty() {
            return Ok(());
        }
        read += bytes.len();
        call.out(filter(&bytes))?;
    }
}

/// How many bytes a pipe still holds.
fn left(fd: &Fd) -> usize {
    match &*fd.borrow() {
        Open::PipeOut(pipe) => {
            let pipe = pipe.borrow();
            pipe.bytes.len() - pipe.read
        }
        _ => 0,
    }
}

/// Writes all of `bytes` to an open file.
///
/// # Errors
/// The inner error is the system's.
pub(in crate::run) fn write(
    call: &mut Call<'_, '_>,
    fd: &Fd,
    bytes: &[u8],
) -> Result<Result<(), Errno>, Stop> {
    match call.kernel.write(fd, bytes) {
        Ok(()) => Ok(Ok(())),
        Err(WriteError::Errno(errno)) => Ok(Err(errno)),
        Err(WriteError::Stop(stop)) => Err(stop),
    }
}

/// Lines without their newlines; the last one may lack it.
pub(in crate::run) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_suffix(b"\n").map_or(bytes, |bytes| bytes);
    let count = if bytes.is_empty() { 0 } else { usize::MAX };
    bytes.split(|b| *b == b'\n').take(count)
}

/// The first of the characters that stand for single bytes (the end of the last private plane).
const RAW: u32 = 0x10_FF00;

/// Bytes as text: what is no UTF-8 becomes a character of its own for each byte, so that
/// [`encode`] gives the same bytes again.
pub(in crate::run) fn decode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let raw = |byte: &u8| char::from_u32(RAW + u32::from(*byte)).unwrap_or_default();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match is_raw(c) {
                Some(_) => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes().iter().map(raw)),
                None => out.push(c),
            }
        }
        out.extend(chunk.invalid().iter().map(raw));
    }
    out
}

/// Text from [`decode`] as bytes.
pub(in crate::run) fn encode(text: &str) -> Vec<u8> {
    if !text.contains(|c| is_raw(c).is_some()) {
        return text.as_bytes().to_vec();
    }
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match is_raw(c) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

fn is_raw(c: char) -> Option<u8> {
    let byte = (c as u32).checked_sub(RAW)?;
    u8::try_from(byte).ok().filter(|byte| *byte >= 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_survive_as_text(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(encode(&decode(&bytes)), bytes);
        }
    }

    #[test]
    fn characters_that_stand_for_bytes_survive_too() {
        let bytes = "a\u{10ff80}b".as_bytes();
        assert_eq!(encode(&decode(bytes)), bytes);
    }

    #[test]
    fn the_last_line_may_lack_its_newline() {
        let all = |text: &'static str| lines(text.as_bytes()).count();
        assert_eq!(
            (all(""), all("a"), all("a\n"), all("a\n\nb\n")),
            (0, 1, 1, 3)
        );
    }
}
