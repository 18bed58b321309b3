//! The `--flags` of an instruction.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::node::Word;
use crate::dockerfile::suggest::{nearest, with_nearest};

/// What values a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FlagKind {
    /// `--flag`, `--flag=true`, `--flag=false`.
    Bool,
    /// `--flag=value`, once.
    Text,
    /// `--flag=value`, any number of times.
    Texts,
}

/// The instruction that a flag belongs to, for those that only one has or that are known by one.
fn owner(flag: &str) -> Option<&'static str> {
    Some(match flag {
        "mount" | "network" | "security" | "device" => "RUN",
        "from" | "parents" => "COPY",
        "checksum" | "keep-git-dir" | "unpack" => "ADD",
        "chown" | "chmod" | "link" | "exclude" => "COPY and ADD",
        "platform" => "FROM",
        "interval" | "timeout" | "start-period" | "start-interval" | "retries" => "HEALTHCHECK",
        _ => return None,
    })
}

/// The flags that were given.
pub(super) struct Flags<'a> {
    given: Vec<(&'static str, &'a str)>,
}

impl<'a> Flags<'a> {
    /// Checks the words against the flags an instruction has.
    pub(super) fn parse(
        words: &'a [Word],
        known: &[(&'static str, FlagKind)],
    ) -> Result<Self, Diagnostic> {
        let mut given: Vec<(&'static str, &'a str)> = Vec::new();
        for word in words {
            // The splitter only yields words that start with `--`; quotes can hide more.
            let text = word.text.as_str();
            if text == "--" {
                break;
            }
            let fail = |code, message| Err(Diagnostic::error(code, message).at(word.span));
            let Some(body) = text.strip_prefix("--") else {
                return fail("invalid-flag", format!("arg should start with -- : {text}"));
            };
            let (name, value) = match body.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (body, None),
            };
            let Some((name, kind)) = known.iter().copied().find(|(known, _)| *known == name) else {
                let names = || known.iter().map(|(name, _)| *name);
                let message = format!("unknown flag: --{name}");
                let own = || {
                    let all: Vec<String> = names().map(|n| format!("--{n}")).collect();
                    match known.is_empty() {
                        true => "This instruction has no flags.".to_owned(),
                        false => format!("Its flags are {}.", all.join(", ")),
                    }
                };
                let help = match (nearest(name, names(), true), owner(name)) {
                    (Some(near), _) => format!("Write --{near}."),
                    (None, Some(owner)) => format!("--{name} is a flag of {owner}. {}", own()),
                    (None, None) => own(),
                };
                return Err(Diagnostic::error(
                    "unknown-flag",
                    with_nearest(message, name, names(), true),
                )
                .at(word.span)
                .help(help));
            };
            if kind != FlagKind::Texts && given.iter().any(|(given, _)| *given == name) {
                return fail(
                    "duplicate-flag",
                    format!("duplicate flag specified: --{name}"),
                );
            }
            let missing = format!("missing a value on flag: --{name}");
            let value = match (kind, value) {
                (FlagKind::Bool, Some("")) => return fail("missing-flag-value", missing),
                (FlagKind::Bool, value) => match value.unwrap_or("true").to_lowercase().as_str() {
                    "true" => "true",
                    "false" => "false",
                    _ => {
                        let value = value.unwrap_or_default();
                        return fail(
                            "invalid-flag-value",
                            format!("expecting boolean value for flag --{name}, not: {value}"),
                        );
                    }
                },
                (_, Some(value)) => value,
                (_, None) => return fail("missing-flag-value", missing),
            };
            given.push((name, value));
        }
        Ok(Self { given })
    }

    /// The value of a flag, empty if it is not given.
    pub(super) fn text(&self, name: &str) -> String {
        self.maybe(name).unwrap_or_default().to_owned()
    }

    /// The value of a flag, if it is given.
    pub(super) fn maybe(&self, name: &str) -> Option<&'a str> {
        self.given
            .iter()
            .find(|(given, _)| *given == name)
            .map(|(_, value)| *value)
    }

    /// The values of a flag that may be repeated.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.given
            .iter()
            .filter(|(given, _)| *given == name)
            .map(|(_, v)| (*v).into())
            .collect()
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.maybe(name) == Some("true")
    }

    /// The state of a switch, if it is given.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        self.maybe(name).map(|value| value == "true")
    }

    /// The names that were given, sorted, each once.
    pub(super) fn used(&self) -> Vec<String> {
        let mut names: Vec<String> = self.given.iter().map(|(name, _)| (*name).into()).collect();
        crate::order::sort(&mut names);
        names.dedup();
        names
    }
}
