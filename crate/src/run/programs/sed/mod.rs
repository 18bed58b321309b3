//! sed.

mod parse;
mod run;

use super::super::{Call, Exit, Flavour, Program};
use super::input;
use super::opts::{Grammar, parse as options};

pub(super) const TABLE: &[Program] = &[Program::executed("sed", sed)];

fn sed(call: &mut Call<'_, '_>) -> Exit {
    // `-i` takes its suffix in the same word or not at all, which getopt writes as two colons.
    let mut in_place = None;
    let mut args = Vec::new();
    let mut takes_next = false;
    let mut ended = false;
    for arg in std::mem::take(&mut call.args) {
        let letters = arg.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let at = letters.and_then(|letters| letters.find(['i', 'e', 'f', 'l']));
        let is_option = !ended && !takes_next;
        ended |= is_option && arg == "--";
        takes_next = false;
        match (letters, at) {
            (Some(letters), Some(at)) if is_option && letters[at..].starts_with('i') => {
                in_place = Some(letters[at + 1..].to_string());
                args.extend((at > 0).then(|| format!("-{}", &letters[..at])));
            }
            (Some(letters), Some(at)) => {
                takes_next = is_option && at + 1 == letters.len();
                args.push(arg);
            }
            _ if is_option && arg.starts_with("--in-place") => {
                let suffix = arg.strip_prefix("--in-place=").unwrap_or_default();
                in_place = Some(suffix.to_string());
            }
            _ => args.push(arg),
        }
    }
    call.args = args;
    let opts = options(
        call,
        Grammar {
            short: "nErsuze:f:",
            long: &[
                "quiet",
                "silent",
                "regexp-extended",
                "expression=",
                "file=",
                "separate",
                "unbuffered",
                "null-data",
                "posix",
                "follow-symlinks",
            ],
        },
    )?;
    let mut operands = opts.operands.clone();
    let mut scripts: Vec<String> = Vec::new();
    for (name, value) in opts.each(&["e", "expression", "f", "file"]) {
        if matches!(name, "e" | "expression") {
            scripts.push(value.to_string());
            continue;
        }
        match call.slurp(value)? {
            Ok(bytes) => {
                let text = input::decode(&bytes);
                scripts.push(text.strip_suffix('\n').unwrap_or(&text).to_string());
            }
            Err(errno) => {
                let text = match call.flavour() {
                    Flavour::Busybox => format!("can't open '{value}': {errno}"),
                    Flavour::Gnu => format!("couldn't open file {value}: {errno}"),
                };
                return call.fail(1, text);
            }
        }
    }
    if scripts.is_empty() {
        if operands.is_empty() {
            call.err("Usage: sed [-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\n")?;
            return Ok(1);
        }
        scripts.push(operands.remove(0));
    }
    let syntax = parse::Dialect {
        extended: opts.has(&["E", "r", "regexp-extended"]),
        gnu: call.flavour() == Flavour::Gnu,
    };
    let script = match parse::script(&scripts.join("\n"), syntax) {
        Ok(script) => script,
        Err(message) => {
            let text = match call.flavour() {
                Flavour::Busybox => message,
                Flavour::Gnu => format!("-e expression #1, char 0: {message}"),
            };
            return call.fail(1, text);
        }
    };
    let settings = run::Settings {
        quiet: opts.has(&["n", "quiet", "silent"])
            || scripts
                .first()
                .is_some_and(|s| s == "#n" || s.starts_with("#n\n")),
        end: if opts.has(&["z", "null-data"]) {
            0
        } else {
            b'\n'
        },
        separate: opts.has(&["s", "separate"]),
        in_place,
    };
    run::run(call, &script, &settings, operands)
}
