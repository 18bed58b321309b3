//! Variables, options and positional parameters.

use super::super::super::Kernel;
use super::super::{Dialect, Result, Shell, word};

pub(super) fn split(arg: &str) -> (&str, Option<&str>) {
    match arg.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (arg, None),
    }
}

pub(super) fn check_name(shell: &mut Shell, k: &mut Kernel<'_>, name: &str) -> Result<()> {
    if word::is_name(name) {
        return Ok(());
    }
    Err(shell.error(k, 2, format!("{name}: bad variable name"))?)
}

pub(super) fn export(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let remove = args.get(1).is_some_and(|arg| arg == "-n");
    let names: Vec<&String> = args[1..]
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    if names.is_empty() {
        let mut out = String::new();
        for (name, var) in shell.vars.iter().filter(|(_, var)| var.exported) {
            match var.text() {
                Some(text) => out += &format!("export {name}={}\n", always_quoted(text)),
                None => out += &format!("export {name}\n"),
            }
        }
        shell.out(k, out)?;
        return Ok(0);
    }
    for arg in names {
        let (name, value) = split(arg);
        check_name(shell, k, name)?;
        if let Some(value) = value {
            shell.set_variable(k, name, value.to_string())?;
        }
        shell.vars.entry(name).exported = !remove;
    }
    Ok(0)
}

pub(super) fn always_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

pub(super) fn readonly(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    for arg in args[1..].iter().filter(|arg| !arg.starts_with('-')) {
        let (name, value) = split(arg);
        check_name(shell, k, name)?;
        if let Some(value) = value {
            shell.set_variable(k, name, value.to_string())?;
        }
        shell.vars.entry(name).readonly = true;
    }
    Ok(0)
}

pub(super) fn set(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    if args.len() == 1 {
        let mut out = String::new();
        for (name, var) in shell.vars.iter() {
            if let Some(text) = var.text() {
                out += &format!("{name}={}\n", always_quoted(text));
            }
        }
        shell.out(k, out)?;
        return Ok(0);
    }
    let mut at = 1;
    while let Some(arg) = args.get(at) {
        if arg == "--" {
            shell.positional = std::rc::Rc::new(args[at + 1..].to_vec());
            return Ok(0);
        }
        let on = arg.starts_with('-');
        let Some(letters) = arg
            .strip_prefix(['-', '+'])
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        at += 1;
        for letter in letters.chars() {
            let name = match letter {
                'o' => match args.get(at) {
                    Some(name) => {
                        at += 1;
                        name.clone()
                    }
                    None => return list_options(shell, k),
                },
                _ => String::new(),
            };
            let letter = if letter == 'o' { ' ' } else { letter };
            match shell.options.field(letter, &name) {
                Some(field) => *field = on,
                // Known elsewhere, without anything to show here.
                None if "bhmEHTBI".contains(letter) => {}
                None if matches!(
                    name.as_str(),
                    "vi" | "emacs"
                        | "posix"
                        | "monitor"
                        | "notify"
                        | "errtrace"
                        | "functrace"
                        | "ignoreeof"
                        | "history"
                        | "braceexpand"
                        | "hashall"
                ) => {}
                None => {
                    let text = match name.is_empty() {
                        true => format!("illegal option -{letter}"),
                        false => format!("illegal option -o {name}"),
                    };
                    return Err(shell.error(k, 2, text)?);
                }
            }
        }
    }
    if at < args.len() {
        shell.positional = std::rc::Rc::new(args[at..].to_vec());
    }
    Ok(0)
}

pub(super) fn list_options(shell: &mut Shell, k: &mut Kernel<'_>) -> Result<i32> {
    let names = [
        "errexit",
        "noglob",
        "noexec",
        "xtrace",
        "verbose",
        "noclobber",
        "allexport",
        "nounset",
        "pipefail",
    ];
    let mut out = String::new();
    for name in names {
        let on = shell.options.field(' ', name).is_some_and(|field| *field);
        out += &format!("{name:<16}{}\n", if on { "on" } else { "off" });
    }
    shell.out(k, out)?;
    Ok(0)
}

pub(super) fn shift(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let count = match args.get(1).map(|text| text.parse::<usize>()) {
        None => 1,
        Some(Ok(count)) => count,
        Some(Err(_)) => {
            return Err(shell.error(k, 2, format!("Illegal number: {}", args[1]))?);
        }
    };
    if count > shell.positional.len() {
        return Ok(1);
    }
    shell.positional = std::rc::Rc::new(shell.positional[count..].to_vec());
    Ok(0)
}

pub(super) fn unset(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut functions = false;
    for arg in &args[1..] {
        match arg.as_str() {
            "-f" => functions = true,
            "-v" => functions = false,
            name if functions => {
                std::rc::Rc::make_mut(&mut shell.functions).remove(name);
            }
            name => {
                if shell.vars.get(name).is_some_and(|var| var.readonly) {
                    return Err(shell.error(k, 2, format!("{name}: is read only"))?);
                }
                shell.vars.remove(name);
            }
        }
    }
    Ok(0)
}

pub(super) fn local(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    if shell.locals.is_empty() {
        return Err(shell.error(k, 2, "not in a function")?);
    }
    for arg in args[1..].iter().filter(|arg| !arg.starts_with('-')) {
        let (name, value) = split(arg);
        check_name(shell, k, name)?;
        shell.make_local(name);
        match value {
            Some(value) => shell.set_variable(k, name, value.to_string())?,
            None if shell.dialect == Dialect::Bash => shell.vars.entry(name).value = None,
            None => {}
        }
    }
    Ok(0)
}

pub(super) fn declare(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let flags: String = args[1..]
        .iter()
        .filter(|arg| arg.starts_with('-'))
        .cloned()
        .collect();
    for arg in args[1..].iter().filter(|arg| !arg.starts_with('-')) {
        let (name, value) = split(arg);
        check_name(shell, k, name)?;
        if !flags.contains('g') {
            shell.make_local(name);
        }
        if let Some(value) = value {
            shell.set_variable(k, name, value.to_string())?;
        }
        let var = shell.vars.entry(name);
        var.exported |= flags.contains('x');
        var.readonly |= flags.contains('r');
    }
    Ok(0)
}

pub(super) fn let_(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut value = 0;
    for arg in &args[1..] {
        value = match super::super::arith::evaluate(arg, shell) {
            Ok(value) => value,
            Err(message) => {
                shell.complain(k, message)?;
                return Ok(1);
            }
        };
    }
    Ok(i32::from(value == 0))
}
