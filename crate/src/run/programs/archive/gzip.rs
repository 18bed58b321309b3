//! gzip, gunzip, zcat; bzip2, xz, lzma and theirs.

use super::super::super::io::Access;
use super::super::super::{Call, Exit, Fidelity, Flavour, Program, cost};
use super::super::input;
use super::super::opts::{Grammar, parse};
use super::codec::Codec;
use crate::fs::{Flags, Follow};

pub(super) const TABLE: &[Program] = &[
    Program::executed("gzip", |call| main(call, Codec::Gzip, Mode::Pack)),
    Program::executed("gunzip", |call| main(call, Codec::Gzip, Mode::Unpack)),
    Program::executed("zcat", |call| main(call, Codec::Gzip, Mode::Show)),
    Program::executed("bzip2", |call| main(call, Codec::Bzip2, Mode::Pack)),
    Program::executed("bunzip2", |call| main(call, Codec::Bzip2, Mode::Unpack)),
    Program::executed("bzcat", |call| main(call, Codec::Bzip2, Mode::Show)),
    Program::executed("xz", |call| main(call, Codec::Xz, Mode::Pack)),
    Program::executed("unxz", |call| main(call, Codec::Xz, Mode::Unpack)),
    Program::executed("xzcat", |call| main(call, Codec::Xz, Mode::Show)),
    Program::executed("lzma", |call| main(call, Codec::Lzma, Mode::Pack)),
    Program::executed("unlzma", |call| main(call, Codec::Lzma, Mode::Unpack)),
    Program::executed("lzcat", |call| main(call, Codec::Lzma, Mode::Show)),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pack,
    Unpack,
    /// Unpack to standard output.
    Show,
}

/// The endings of packed files, and what they become.
fn endings(codec: Codec) -> &'static [(&'static str, &'static str)] {
    match codec {
        Codec::Gzip => &[(".gz", ""), (".tgz", ".tar"), (".Z", "")],
        Codec::Bzip2 => &[(".bz2", ""), (".tbz", ".tar"), (".tbz2", ".tar")],
        Codec::Xz => &[(".xz", ""), (".txz", ".tar")],
        Codec::Lzma => &[(".lzma", "")],
    }
}

fn main(call: &mut Call<'_, '_>, codec: Codec, mode: Mode) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "cdfkntqvzNrlS:T:0123456789eaC:",
            long: &[
                "stdout",
                "to-stdout",
                "decompress",
                "uncompress",
                "force",
                "keep",
                "test",
                "quiet",
                "verbose",
                "best",
                "fast",
                "no-name",
                "threads=",
                "rsyncable",
            ],
        },
    )?;
    let unpacks = mode != Mode::Pack || opts.has(&["d", "decompress", "uncompress", "t", "test"]);
    let to_stdout = mode == Mode::Show || opts.has(&["c", "stdout", "to-stdout"]);
    let keeps = to_stdout || opts.has(&["k", "keep"]);
    let forced = opts.has(&["f", "force"]);
    let level = (0..=9).rev().find(|n: &u32| opts.has(&[&n.to_string()]));
    let level = level.unwrap_or(if opts.has(&["best"]) { 9 } else { 6 });
    if !unpacks && codec == Codec::Bzip2 {
        call.kernel.mark(Fidelity::NotSimulated);
        return Ok(0);
    }
    let mut code = 0;
    for path in input::or_stdin(&opts.operands) {
        call.kernel.round()?;
        let (fd, meta) = if path == "-" {
            (input::open(call, "-")?, None)
        } else {
            let meta = match call.kernel.vfs.stat(&call.proc.fs, &path, Follow::Yes) {
                Ok(handle) => {
                    let inode = call.kernel.vfs.inode(handle);
                    if inode.is_dir() {
                        code = call.fail(1, format_args!("{path}: Is a directory"))?;
                        continue;
                    }
                    inode.meta.clone()
                }
                Err(errno) => {
                    code = call.fail(1, format_args!("{path}: {errno}"))?;
                    continue;
                }
            };
            (input::open(call, &path)?, Some(meta))
        };
        let Some(fd) = fd else {
            code = 1;
            continue;
        };
        let target = match (&meta, to_stdout, unpacks) {
            (None, ..) | (_, true, _) => None,
            (_, _, true) => {
                let ending = endings(codec)
                    .iter()
                    .find_map(|(end, to)| Some(format!("{}{to}", path.strip_suffix(end)?)));
                match ending {
                    Some(target) => Some(target),
                    None => {
                        let text = match call.flavour() {
                            Flavour::Busybox => format!("{path}: unknown suffix - ignored"),
                            Flavour::Gnu => format!("{path}: unknown suffix -- ignored"),
                        };
                        code =
                            call.fail(if call.flavour() == Flavour::Gnu { 2 } else { 1 }, text)?;
                        continue;
                    }
                }
            }
            (_, _, false) => {
                let ending = endings(codec)[0].0;
                if path.ends_with(ending) && !forced && call.flavour() == Flavour::Gnu {
                    let text = format!("{path} already has {ending} suffix -- unchanged");
                    code = call.fail(2, text)?;
                    continue;
                }
                Some(format!("{path}{ending}"))
            }
        };
        let bytes = call.kernel.read_all(&fd)?;
        let spent = cost::archive(call.kernel.host.machine(), bytes.len() as u64);
        call.kernel.spend(spent);
        let result = match unpacks {
            true if forced && to_stdout && Codec::detect(&bytes) != Some(codec) => Some(bytes),
            true => {
                let good = codec == Codec::Lzma || Codec::detect(&bytes) == Some(codec);
                let unpacked = if good { codec.unpack(&bytes) } else { None };
                match unpacked {
                    Some(result) => Some(result),
                    None => {
                        let text = match (good, call.flavour()) {
                            (false, Flavour::Busybox) if codec == Codec::Gzip => {
                                "invalid magic".into()
                            }
                            (true, Flavour::Busybox) => "corrupted data".to_string(),
                            (false, Flavour::Busybox) => "invalid magic".to_string(),
                            (false, Flavour::Gnu) => match path.as_str() {
                                "-" => "stdin: not in gzip format".to_string(),
                                path => format!("{path}: not in gzip format"),
                            },
                            (true, Flavour::Gnu) => format!("{path}: unexpected end of file"),
                        };
                        code = call.fail(1, text)?;
                        continue;
                    }
                }
            }
            false => codec.pack(&bytes, level),
        };
        let Some(result) = result else { continue };
        if opts.has(&["t", "test"]) {
            continue;
        }
        let (Some(target), Some(meta)) = (target, meta) else {
            call.out(result)?;
            continue;
        };
        let process = call.proc.fs.clone();
        if forced {
            let _ = call.kernel.vfs.unlink(&process, &target);
        }
        let flags = Flags {
            create: true,
            truncate: true,
            exclusive: true,
        };
        let made = call
            .kernel
            .vfs
            .open(&process, &target, flags, meta.mode & 0o777);
        let done = match made {
            Ok(_) => match call.open(&target, Access::WRITE) {
                Ok(fd) => input::write(call, &fd, &result)?,
                // Not writable by its own mode: the descriptor of the creation was.
                Err(_) => call
                    .kernel
                    .vfs
                    .stat(&process, &target, Follow::No)
                    .and_then(|handle| call.kernel.vfs.append_handle(handle, &result)),
            },
            Err(errno) => Err(errno),
        };
        if let Err(errno) = done {
            let text = match call.flavour() {
                Flavour::Busybox => format!("can't open '{target}': {errno}"),
                Flavour::Gnu => format!("{target} already exists;\tnot overwritten"),
            };
            code = call.fail(1, text)?;
            continue;
        }
        if call.flavour() == Flavour::Gnu {
            let vfs = &mut *call.kernel.vfs;
            let owner = (Some(meta.uid), Some(meta.gid));
            let _ = vfs.chown(&process, &target, owner, Follow::No);
            let _ = vfs.chmod(&process, &target, meta.mode);
            let _ = vfs.set_mtime(&process, &target, meta.mtime, Follow::No);
        }
        if !keeps {
            let _ = call.kernel.vfs.unlink(&process, &path);
        }
    }
    Ok(code)
}
