//! unzip and zip.

use std::io::{Read, Write};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::super::super::io::Access;
use super::super::super::{Call, Exit, Program, Stop, cost, glob_matches, stand_in};
use super::super::opts::{Grammar, parse};
use super::super::{create, date, input};
use crate::fs::{Flags, Follow, Kind, Time};

pub(super) const TABLE: &[Program] = &[
    Program::executed("unzip", unzip),
    Program::executed("zip", zip),
];

/// The most that one member may unpack to, in bytes.
const MAX_MEMBER: u64 = 256 << 20;

/// A line of the central directory.
struct Member {
    name: String,
    method: u16,
    crc: u32,
    packed: usize,
    size: u64,
    offset: usize,
    /// Unix mode and type, where the archive was made on Unix.
    mode: Option<u32>,
    time: Time,
}

fn number(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + len)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |value, byte| (value << 8) | usize::from(*byte)),
    )
}

/// MS-DOS date and time.
fn dos_time(date: usize, time: usize) -> Time {
    let text = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        1980 + (date >> 9),
        (date >> 5) & 15,
        date & 31,
        time >> 11,
        (time >> 5) & 63,
        (time & 31) * 2
    );
    date::parse(&text, Time::EPOCH).unwrap_or(Time::from_secs(315_532_800))
}

/// The central directory.
fn members(bytes: &[u8]) -> Option<Vec<Member>> {
    let end = bytes
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")?;
    let count = number(bytes, end + 10, 2)?;
    let mut at = number(bytes, end + 16, 4)?;
    let mut found = Vec::new();
    for _ in 0..count {
        if bytes.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        let field = |offset, len| number(bytes, at + offset, len);
        let (name_len, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let unix = field(5, 1)? == 3;
        found.push(Member {
            name: input::decode(bytes.get(at + 46..at + 46 + name_len)?),
            method: u16::try_from(field(10, 2)?).ok()?,
            crc: u32::try_from(field(16, 4)?).ok()?,
            packed: field(20, 4)?,
            size: field(24, 4)? as u64,
            offset: field(42, 4)?,
            mode: unix.then_some(u32::try_from(field(40, 2)?).ok()?),
            time: dos_time(field(14, 2)?, field(12, 2)?),
        });
        at += 46 + name_len + extra + comment;
    }
    Some(found)
}

impl Member {
    fn content(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let header = number(bytes, self.offset + 26, 2)? + number(bytes, self.offset + 28, 2)?;
        let start = self.offset + 30 + header;
        let packed = bytes.get(start..start + self.packed)?;
        let content = match self.method {
            0 => packed.to_vec(),
            8 => {
                let mut out = Vec::new();
                let mut reader = DeflateDecoder::new(packed).take(MAX_MEMBER);
                reader.read_to_end(&mut out).ok()?;
                out
            }
            _ => return None,
        };
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        (crc.sum() == self.crc).then_some(content)
    }
}

fn unzip(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "lnojpqtKd:x:DX",
            long: &[],
        },
    )?;
    let mut operands = opts.operands.clone();
    if operands.is_empty() {
        call.err("Usage: unzip [-lnojpqK] FILE[.zip] [FILE]... [-x FILE]... [-d DIR]\n")?;
        return Ok(1);
    }
    let archive = operands.remove(0);
    let mut bytes = call.slurp(&archive)?;
    for end in [".zip", ".ZIP"] {
        if bytes.is_err() {
            bytes = call.slurp(&format!("{archive}{end}"))?;
        }
    }
    let Ok(bytes) = bytes else {
        return match call.flavour() {
            super::super::Flavour::Busybox => {
                call.fail(1, format_args!("can't open {archive}[.zip]"))
            }
            super::super::Flavour::Gnu => {
                let line = format!(
                    "unzip:  cannot find or open {archive}, {archive}.zip or {archive}.ZIP.\n"
                );
                call.err(line)?;
                Ok(9)
            }
        };
    };
    let quiet = opts.has(&["q", "p"]);
    if !quiet {
        call.out(format!("Archive:  {archive}\n"))?;
    }
    let Some(members) = members(&bytes) else {
        return call.fail(1, "invalid zip magic");
    };
    let spent = cost::archive(call.kernel.host.machine(), bytes.len() as u64);
    call.kernel.spend(spent);
    let wanted = |name: &str| {
        (operands.is_empty() || operands.iter().any(|glob| glob_matches(glob, name)))
            && !opts.values(&["x"]).any(|glob| glob_matches(glob, name))
    };
    let dir = opts.value(&["d"]).map(String::from);
    if opts.has(&["l"]) {
        let mut out = String::from(
            "  Length      Date    Time    Name\n---------  ---------- -----   ----\n",
        );
        let (mut total, mut count) = (0, 0);
        for member in members.iter().filter(|member| wanted(&member.name)) {
            let time = date::format(member.time, "%m-%d-%Y %H:%M");
            out += &format!("{:9}  {time}   {}\n", member.size, member.name);
            total += member.size;
            count += 1;
        }
        out += &format!(
            "---------                     -------\n{total:9}                     {count} files\n"
        );
        call.out(out)?;
        return Ok(0);
    }
    let process = call.proc.fs.clone();
    for member in members.iter().filter(|member| wanted(&member.name)) {
        call.kernel.round()?;
        let mut name = member.name.trim_start_matches('/').to_string();
        while let Some(rest) = name.strip_prefix("../") {
            name = rest.to_string();
        }
        if opts.has(&["j"]) {
            name = name.rsplit('/').next().unwrap_or_default().to_string();
        }
        if name.is_empty() || name.split('/').any(|part| part == "..") {
            continue;
        }
        let path = match &dir {
            Some(dir) => format!("{}/{name}", dir.trim_end_matches('/')),
            None => name.clone(),
        };
        if let Some(path) = path.strip_suffix('/') {
            if !quiet && !call.kernel.vfs.is_dir(&process, path) {
                call.out(format!("   creating: {path}/\n"))?;
            }
            if let Err(errno) = create::make_dir(call, path, None, true) {
                return call.fail(1, format_args!("can't create directory '{path}': {errno}"));
            }
            if let Some(mode) = member.mode {
                let _ = call.kernel.vfs.chmod(&process, path, mode & 0o777);
            }
            continue;
        }
        let Some(content) = member.content(&bytes) else {
            return call.fail(1, "inflate error");
        };
        if opts.has(&["p"]) {
            call.out(content)?;
            continue;
        }
        if opts.has(&["t"]) {
            call.out(format!("    testing: {path}\n"))?;
            continue;
        }
        if call.kernel.vfs.stat(&process, &path, Follow::No).is_ok() {
            if opts.has(&["n"]) {
                continue;
            }
            if !opts.has(&["o"]) {
                call.out(format!(
                    "replace {path}? [y]es, [n]o, [A]ll, [N]one, [r]ename: "
                ))?;
                return call.fail(1, "can't read standard input");
            }
        }
        if !quiet {
            let verb = if member.method == 0 {
                " extracting"
            } else {
                "  inflating"
            };
            call.out(format!("{verb}: {path}\n"))?;
        }
        if let Err(errno) = place(call, &path, member, content) {
            return call.fail(1, format_args!("can't open '{path}': {errno}"));
        }
    }
    Ok(0)
}

fn place(
    call: &mut Call<'_, '_>,
    path: &str,
    member: &Member,
    content: Vec<u8>,
) -> Result<(), crate::fs::Errno> {
    if let Some((dir, _)) = path.rsplit_once('/')
        && !dir.is_empty()
    {
        create::make_dir(call, dir, None, true)?;
    }
    let process = &call.proc.fs;
    let vfs = &mut *call.kernel.vfs;
    let mode = member.mode.unwrap_or(0o100_644);
    if mode & 0o170_000 == 0o120_000 {
        let target = String::from_utf8_lossy(&content).into_owned();
        let _ = vfs.unlink(process, path);
        vfs.symlink(process, &target, path)?;
        return Ok(());
    }
    let flags = Flags {
        create: true,
        truncate: true,
        exclusive: false,
    };
    let handle = vfs.open(process, path, flags, 0o666)?;
    vfs.write_handle(handle, stand_in::recognise(content))?;
    if member.mode.is_some() {
        vfs.chmod(process, path, mode & 0o777)?;
    }
    vfs.set_mtime(process, path, member.time, Follow::No)
}

fn zip(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "rqj0123456789yXx:vmu",
            long: &["recurse-paths", "quiet", "junk-paths", "symlinks"],
        },
    )?;
    let mut operands = opts.operands.clone();
    if operands.len() < 2 {
        return call.fail(16, "nothing to do");
    }
    let mut archive = operands.remove(0);
    if !archive.contains('.') && archive != "-" {
        archive += ".zip";
    }
    let mut paths = Vec::new();
    for path in operands {
        collect(
            call,
            path.trim_end_matches('/'),
            opts.has(&["r", "recurse-paths"]),
            &mut paths,
        )?;
    }
    let excluded: Vec<String> = opts.values(&["x"]).map(String::from).collect();
    let (mut body, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u16);
    for path in paths {
        let Ok(handle) = call.kernel.vfs.stat(&call.proc.fs, &path, Follow::Yes) else {
            let line = format!("zip warning: name not matched: {path}\n");
            call.err(line)?;
            continue;
        };
        let inode = call.kernel.vfs.inode(handle).clone();
        let (kind, content) = match &inode.kind {
            Kind::File(content) => (0o100_000, content.bytes().to_vec()),
            Kind::Dir(_) if !opts.has(&["j"]) => (0o040_000, Vec::new()),
            _ => continue,
        };
        let mut name = path.trim_start_matches('/').to_string();
        name = name.strip_prefix("./").unwrap_or(&name).to_string();
        if opts.has(&["j"]) {
            name = name.rsplit('/').next().unwrap_or_default().to_string();
        }
        if inode.is_dir() {
            name.push('/');
        }
        if excluded.iter().any(|glob| glob_matches(glob, &name)) || name == "./" {
            continue;
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
        let deflated = match encoder.write_all(&content) {
            Ok(()) => encoder.finish().unwrap_or_default(),
            Err(_) => return call.fail(1, "deflate error"),
        };
        let stored = deflated.len() >= content.len();
        let packed = if stored { &content } else { &deflated };
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        let saved = 100 - (packed.len() * 100).div_ceil(content.len().max(1)).min(100);
        if !opts.has(&["q", "quiet"]) {
            let how = if stored {
                "stored 0%".to_string()
            } else {
                format!("deflated {saved}%")
            };
            call.out(format!("  adding: {name} ({how})\n"))?;
        }
        let offset = body.len() as u32;
        let part =
            |text: &str| -> u32 { date::format(inode.meta.mtime, text).parse().unwrap_or(0) };
        let day = (part("%Y").saturating_sub(1980) << 9) | (part("%m") << 5) | part("%d");
        let clock = (part("%H") << 11) | (part("%M") << 5) | (part("%S") / 2);
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        common.extend(if stored { 0_u16 } else { 8 }.to_le_bytes());
        common.extend((clock as u16).to_le_bytes());
        common.extend((day as u16).to_le_bytes());
        common.extend(crc.sum().to_le_bytes());
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        body.extend(b"PK\x03\x04");
        body.extend(&common);
        body.extend(name.as_bytes());
        body.extend(packed);
        directory.extend(b"PK\x01\x02\x1e\x03");
        directory.extend(&common);
        // No comment, first disk, no internal attributes.
        directory.extend([0; 6]);
        directory.extend(((kind | inode.meta.mode) << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
        count += 1;
    }
    let start = body.len() as u32;
    let size = directory.len() as u32;
    body.extend(directory);
    body.extend(b"PK\x05\x06\0\0\0\0");
    body.extend(count.to_le_bytes());
    body.extend(count.to_le_bytes());
    body.extend(size.to_le_bytes());
    body.extend(start.to_le_bytes());
    body.extend([0; 2]);
    if archive == "-" {
        call.out(body)?;
        return Ok(0);
    }
    let written = match call.open(&archive, Access::WRITE) {
        Ok(fd) => input::write(call, &fd, &body)?,
        Err(errno) => Err(errno),
    };
    match written {
        Ok(()) => Ok(0),
        Err(errno) => call.fail(15, format_args!("{archive}: {errno}")),
    }
}

fn collect(
    call: &mut Call<'_, '_>,
    path: &str,
    recursive: bool,
    paths: &mut Vec<String>,
) -> Result<(), Stop> {
    call.kernel.round()?;
    paths.push(path.to_string());
    if recursive && call.kernel.vfs.is_dir(&call.proc.fs, path) {
        let names = call.kernel.vfs.read_dir(&call.proc.fs, path);
        for name in names.unwrap_or_default() {
            collect(call, &format!("{path}/{name}"), true, paths)?;
        }
    }
    Ok(())
}
