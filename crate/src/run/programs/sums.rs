//! Checksums and encodings: md5sum, sha1sum, sha256sum, sha512sum, base64.

use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

use super::super::{Call, Exit, Program};
use super::digest::{md5, sha1};
use super::opts::{Grammar, parse};

pub(super) const TABLE: &[Program] = &[
    Program::executed("md5sum", |call| sums(call, |bytes| hex(&md5(bytes)))),
    Program::executed("sha1sum", |call| sums(call, |bytes| hex(&sha1(bytes)))),
    Program::executed("sha224sum", |call| {
        sums(call, |bytes| hex(&Sha224::digest(bytes)))
    }),
    Program::executed("sha256sum", |call| {
        sums(call, |bytes| hex(&Sha256::digest(bytes)))
    }),
    Program::executed("sha384sum", |call| {
        sums(call, |bytes| hex(&Sha384::digest(bytes)))
    }),
    Program::executed("sha512sum", |call| {
        sums(call, |bytes| hex(&Sha512::digest(bytes)))
    }),
    Program::executed("base64", base64),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sums(call: &mut Call<'_, '_>, sum: fn(&[u8]) -> String) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "bcstw",
            long: &[
                "check",
                "status",
                "quiet",
                "binary",
                "text",
                "warn",
                "strict",
                "ignore-missing",
            ],
        },
    )?;
    let operands = match opts.operands.is_empty() {
        true => vec!["-".to_string()],
        false => opts.operands.clone(),
    };
    let mut code = 0;
    for path in operands {
        let bytes = match call.slurp(&path)? {
            Ok(bytes) => bytes,
            Err(errno) => {
                code = call.fail(1, format_args!("can't open '{path}': {errno}"))?;
                continue;
            }
        };
        if !opts.has(&["c", "check"]) {
            let line = format!("{}  {path}\n", sum(&bytes));
            call.out(line)?;
            continue;
        }
        let (mut checked, mut failed) = (0, 0);
        for line in String::from_utf8_lossy(&bytes).lines() {
            let Some((wanted, name)) = line.split_once(' ') else {
                continue;
            };
            let name = name.trim_start_matches([' ', '*']);
            checked += 1;
            let found = call.slurp(name)?;
            // A stand-in of the catalog is not the file whose sum somebody wrote down.
            let modelled = is_stand_in(call, name);
            let ok = match &found {
                Ok(bytes) => modelled || sum(bytes).eq_ignore_ascii_case(wanted),
                Err(errno) => {
                    call.complain(format_args!("can't open '{name}': {errno}"))?;
                    false
                }
            };
            if modelled {
                call.kernel.mark(super::super::Fidelity::Modelled);
            }
            failed += usize::from(!ok);
            let quiet = opts.has(&["s", "status"]) || (ok && opts.has(&["quiet"]));
            if !quiet {
                let verdict = if ok { "OK" } else { "FAILED" };
                call.out(format!("{name}: {verdict}\n"))?;
            }
        }
        if checked == 0 {
            code = call.fail(1, "no checksum lines found")?;
        } else if failed > 0 {
            code = 1;
            if !opts.has(&["s", "status"]) {
                let text =
                    format!("WARNING: {failed} of {checked} computed checksums did NOT match");
                call.complain(text)?;
            }
        }
    }
    Ok(code)
}

fn is_stand_in(call: &Call<'_, '_>, path: &str) -> bool {
    let content = call.kernel.vfs.read(&call.proc.fs, path);
    content.is_ok_and(|content| content.is_stand_in())
}

fn base64(call: &mut Call<'_, '_>) -> Exit {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let opts = parse(
        call,
        Grammar {
            short: "dDiw:",
            long: &["decode", "wrap=", "ignore-garbage"],
        },
    )?;
    let path = opts
        .operands
        .first()
        .map_or("-", String::as_str)
        .to_string();
    let bytes = match call.slurp(&path)? {
        Ok(bytes) => bytes,
        Err(errno) => return call.fail(1, format_args!("{path}: {errno}")),
    };
    if opts.has(&["d", "D", "decode"]) {
        let mut out = Vec::new();
        let (mut bits, mut count) = (0_u32, 0);
        for byte in bytes {
            let value = match LETTERS.iter().position(|letter| *letter == byte) {
                Some(value) => value as u32,
                None if byte.is_ascii_whitespace() || opts.has(&["i", "ignore-garbage"]) => {
                    continue;
                }
                None if byte == b'=' => break,
                None => {
                    call.out(&out)?;
                    return call.fail(1, "truncated input");
                }
            };
            bits = (bits << 6) | value;
            count += 6;
            if count >= 8 {
                count -= 8;
                out.push((bits >> count) as u8);
            }
        }
        call.out(&out)?;
        return Ok(0);
    }
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = (bits << 8) | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            match at <= chunk.len() {
                true => text.push(LETTERS[(bits >> (18 - 6 * at)) as usize & 63].into()),
                false => text.push('='),
            }
        }
    }
    let width = opts
        .value(&["w", "wrap"])
        .and_then(|width| width.parse().ok())
        .unwrap_or(76);
    let mut out = String::new();
    match width {
        0 => out = text,
        width => {
            for (at, c) in text.chars().enumerate() {
                if at > 0 && at % width == 0 {
                    out.push('\n');
                }
                out.push(c);
            }
            if !out.is_empty() {
                out.push('\n');
            }
        }
    }
    call.out(out)?;
    Ok(0)
}
