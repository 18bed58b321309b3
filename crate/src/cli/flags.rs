//! Flags of a command.

use super::{Command, Wrong};

/// A flag: its letter, if it has one, its name, and whether a value follows.
pub(super) type Flag = (Option<char>, &'static str, bool);

/// What was given.
#[derive(Debug, Default)]
pub(super) struct Flags {
    given: Vec<(&'static str, String)>,
    /// The arguments.
    pub args: Vec<String>,
}

impl Flags {
    pub fn read(command: &Command, words: &[String]) -> Result<Flags, Wrong> {
        let mut flags = Flags::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                flags.args.extend(words.cloned());
                break;
            }
            if let Some(body) = word.strip_prefix("--") {
                let (name, value) = match body.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_string())),
                    None => (body, None),
                };
                let known = command.flags.iter().find(|flag| flag.1 == name);
                let (_, name, takes_value) =
                    known.ok_or_else(|| wrong(command, &format!("unknown flag: --{name}")))?;
                let value = match (value, takes_value) {
                    (Some(value), _) => value,
                    (None, false) => "true".into(),
                    (None, true) => words.next().cloned().ok_or_else(|| {
                        wrong(command, &format!("flag needs an argument: --{name}"))
                    })?,
                };
                flags.given.push((name, value));
            } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                flags.letters(command, letters, &mut words)?;
            } else {
                flags.args.push(word.clone());
                if command.rest_is_literal {
                    flags.args.extend(words.cloned());
                    break;
                }
            }
        }
        Ok(flags)
    }

    fn letters<'a>(
        &mut self,
        command: &Command,
        letters: &str,
        words: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Wrong> {
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            let known = command.flags.iter().find(|flag| flag.0 == Some(letter));
            let (_, name, takes_value) = known.ok_or_else(|| {
                let what = format!("unknown shorthand flag: '{letter}' in -{letters}");
                wrong(command, &what)
            })?;
            if !takes_value {
                self.given.push((name, "true".into()));
                continue;
            }
            let value = match rest.strip_prefix('=').unwrap_or(rest) {
                "" => words.next().cloned().ok_or_else(|| {
                    let what = format!("flag needs an argument: '{letter}' in -{letters}");
                    wrong(command, &what)
                })?,
                value => value.to_string(),
            };
            self.given.push((name, value));
            break;
        }
        Ok(())
    }

    /// Whether a switch is on.
    pub fn on(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value != "false")
    }

    /// Whether a switch is there and off.
    pub fn off(&self, name: &str) -> bool {
        self.value(name) == Some("false")
    }

    /// The last value.
    pub fn value(&self, name: &str) -> Option<&str> {
        let given = self.given.iter().rfind(|(known, _)| *known == name);
        given.map(|(_, value)| value.as_str())
    }

    /// All values.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let given = self.given.iter().filter(move |(known, _)| *known == name);
        given.map(|(_, value)| value.as_str())
    }

    /// Exactly one argument.
    pub fn only(&self, command: &Command) -> Result<&str, Wrong> {
        match self.args.as_slice() {
            [arg] => Ok(arg),
            _ => Err(count(command, "requires 1 argument")),
        }
    }

    /// The first argument.
    pub fn first(&self, command: &Command) -> Result<&str, Wrong> {
        let first = self.args.first().map(String::as_str);
        first.ok_or_else(|| count(command, "requires at least 1 argument"))
    }

    /// Exactly two arguments.
    pub fn two(&self, command: &Command) -> Result<(&str, &str), Wrong> {
        match self.args.as_slice() {
            [a, b] => Ok((a, b)),
            _ => Err(count(command, "requires 2 arguments")),
        }
    }
}

fn count(command: &Command, what: &str) -> Wrong {
    let name = command.words.join(" ");
    let text = format!("docker: 'docker {name}' {what}\n\n{}", usage(command));
    Wrong::Status(text, 1)
}

/// What is said of flags that make no sense.
pub(super) fn wrong(command: &Command, what: &str) -> Wrong {
    Wrong::Status(format!("{what}\n\n{}", usage(command)), 125)
}

fn usage(command: &Command) -> String {
    let (name, usage) = (command.words.join(" "), command.usage);
    format!("Usage:  docker {name} {usage}\n\nRun 'docker {name} --help' for more information\n")
}
