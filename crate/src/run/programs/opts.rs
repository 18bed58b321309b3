//! Command line options, as `getopt_long` reads them.

use super::super::{Call, Stop};

/// The options and operands of a call.
#[derive(Clone, Debug, Default)]
pub(in crate::run) struct Opts {
    found: Vec<(String, String)>,
    /// What is no option.
    pub operands: Vec<String>,
}

impl Opts {
    /// Whether the option is there: `r` for `-r`, `recursive` for `--recursive`.
    pub fn has(&self, names: &[&str]) -> bool {
        self.found
            .iter()
            .any(|(name, _)| names.contains(&name.as_str()))
    }

    /// The argument of the last of these options.
    pub fn value(&self, names: &[&str]) -> Option<&str> {
        let mut found = self.found.iter().rev();
        let (_, value) = found.find(|(name, _)| names.contains(&name.as_str()))?;
        Some(value)
    }

    /// The arguments of all of these options, in order.
    pub fn values<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.found
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(_, value)| value.as_str())
    }

    /// All of these options with their arguments, in order.
    pub fn each<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.found
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The last of these options that was given.
    pub fn last(&self, names: &[&str]) -> Option<&str> {
        let mut found = self.found.iter().rev();
        let (name, _) = found.find(|(name, _)| names.contains(&name.as_str()))?;
        Some(name)
    }
}

/// Which options a program takes.
#[derive(Clone, Copy, Debug)]
pub(in crate::run) struct Grammar<'a> {
    /// Short options in getopt's form: `rfi:`, with a `:` behind those that take an argument and
    /// a `+` in front where the first operand ends the options.
    pub short: &'a str,
    /// Long options; with a `=` at the end those that take an argument.
    pub long: &'a [&'a str],
}

/// Reads the options of a call. Unknown ones end the program with code 1 and a complaint.
///
/// # Errors
/// [`Stop::Exit`] for an unknown option or a missing argument.
pub(in crate::run) fn parse(call: &mut Call<'_, '_>, grammar: Grammar<'_>) -> Result<Opts, Stop> {
    let args = call.args.clone();
    match read(&args, grammar) {
        Ok(opts) => Ok(opts),
        Err(message) => {
            call.complain(message)?;
            Err(Stop::Exit(1))
        }
    }
}

fn read(args: &[String], grammar: Grammar<'_>) -> Result<Opts, String> {
    let (in_order, short) = match grammar.short.strip_prefix('+') {
        Some(short) => (true, short),
        None => (false, grammar.short),
    };
    let mut opts = Opts::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            opts.operands.extend(args.cloned());
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_string())),
                None => (long, None),
            };
            let Some((known, takes)) = find_long(grammar.long, name) else {
                return Err(format!("unrecognized option '--{name}'"));
            };
            let value = match (takes, value) {
                (_, Some(value)) => value,
                (false, None) => String::new(),
                (true, None) => args
                    .next()
                    .cloned()
                    .ok_or_else(|| format!("option '--{name}' requires an argument"))?,
            };
            opts.found.push((known.to_string(), value));
            continue;
        }
        if arg.len() < 2 || !arg.starts_with('-') {
            opts.operands.push(arg.clone());
            if in_order {
                opts.operands.extend(args.cloned());
                break;
            }
            continue;
        }
        for (at, letter) in arg[1..].char_indices() {
            let Some(known) = short.find(letter).filter(|_| letter != ':') else {
                return Err(format!("unrecognized option: {letter}"));
            };
            if !short[known + letter.len_utf8()..].starts_with(':') {
                opts.found.push((letter.to_string(), String::new()));
                continue;
            }
            let rest = &arg[1 + at + letter.len_utf8()..];
            let value = if rest.is_empty() {
                args.next()
                    .cloned()
                    .ok_or_else(|| format!("option requires an argument -- '{letter}'"))?
            } else {
                rest.to_string()
            };
            opts.found.push((letter.to_string(), value));
            break;
        }
    }
    Ok(opts)
}

/// A long option by its name or an unambiguous beginning of it.
fn find_long<'a>(long: &[&'a str], name: &str) -> Option<(&'a str, bool)> {
    let parse = |option: &'a str| match option.strip_suffix('=') {
        Some(name) => (name, true),
        None => (option, false),
    };
    let exact = long
        .iter()
        .map(|o| parse(o))
        .find(|(known, _)| *known == name);
    exact.or_else(|| {
        let mut fitting = long
            .iter()
            .map(|o| parse(o))
            .filter(|(k, _)| k.starts_with(name));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAMMAR: Grammar<'_> = Grammar {
        short: "rn:",
        long: &["recursive", "lines=", "link"],
    };

    fn args(text: &str) -> Vec<String> {
        text.split(' ').map(String::from).collect()
    }

    #[test]
    fn options_and_operands_mix() {
        let opts = read(&args("a -rn5 b --lines=7 --rec -- -x"), GRAMMAR).unwrap();
        assert_eq!(opts.operands, ["a", "b", "-x"]);
        assert!(opts.has(&["recursive"]) && opts.has(&["r"]));
        assert_eq!(opts.value(&["n", "lines"]), Some("7"));
    }

    #[test]
    fn unknown_options_are_named() {
        assert_eq!(
            read(&args("-rz"), GRAMMAR).unwrap_err(),
            "unrecognized option: z"
        );
        assert_eq!(
            read(&args("--li"), GRAMMAR).unwrap_err(),
            "unrecognized option '--li'"
        );
        assert_eq!(
            read(&args("-n"), GRAMMAR).unwrap_err(),
            "option requires an argument -- 'n'"
        );
    }
}
