//! awk, as POSIX describes it.

mod lex;
mod parse;
mod run;
mod value;

use super::super::{Call, Exit, Program};
use super::input;

pub(super) const TABLE: &[Program] = &[
    Program::executed("awk", awk),
    Program::executed("gawk", awk),
    Program::executed("mawk", awk),
];

fn awk(call: &mut Call<'_, '_>) -> Exit {
    let mut args = std::mem::take(&mut call.args).into_iter().peekable();
    let mut assigned: Vec<(String, String)> = Vec::new();
    let mut separator = None;
    let mut program: Option<String> = None;
    while let Some(arg) = args.next_if(|arg| arg.len() > 1 && arg.starts_with('-')) {
        if arg == "--" {
            break;
        }
        let letter = arg[1..].chars().next().unwrap_or('-');
        if !"Fvfe".contains(letter) {
            // Options of gawk that change nothing here (`--posix` and the like).
            if arg.starts_with("--") {
                continue;
            }
            return call.fail(1, format_args!("unrecognized option: {letter}"));
        }
        let value = match &arg[2..] {
            "" => match args.next() {
                Some(value) => value,
                None => {
                    return call.fail(1, format_args!("option requires an argument -- '{letter}'"));
                }
            },
            value => value.to_string(),
        };
        match letter {
            'F' => separator = Some(value),
            'v' => match value.split_once('=') {
                Some((name, value)) => assigned.push((name.to_string(), value.to_string())),
                None => return call.fail(1, format_args!("invalid assignment '{value}'")),
            },
            letter => {
                let text = match letter {
                    'e' => value,
                    _ => match call.slurp(&value)? {
                        Ok(bytes) => input::decode(&bytes),
                        Err(errno) => {
                            return call.fail(1, format_args!("can't open '{value}': {errno}"));
                        }
                    },
                };
                let program = program.get_or_insert_default();
                program.push_str(&text);
                program.push('\n');
            }
        }
    }
    let program = match program.or_else(|| args.next()) {
        Some(program) => program,
        None => {
            call.err("Usage: awk [OPTIONS] [AWK_PROGRAM] [FILE]...\n")?;
            return Ok(1);
        }
    };
    let parsed = match lex::tokens(&program).and_then(parse::program) {
        Ok(parsed) => parsed,
        Err(message) => return call.fail(1, format_args!("cmd. line:1: {message}")),
    };
    run::run(call, parsed, separator, assigned, args.collect())
}
