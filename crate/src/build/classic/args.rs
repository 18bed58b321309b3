//! Build arguments: which are given, declared, visible, and part of a command's key.

use std::collections::{BTreeMap, BTreeSet};

/// Arguments that need no declaration and leave no trace in the history.
const PROXIES: [&str; 8] = [
    "FTP_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "ftp_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

type Values = BTreeMap<String, Option<String>>;

/// The arguments of a build.
#[derive(Clone, Debug, Default)]
pub(super) struct BuildArgs {
    /// `--build-arg`.
    given: Values,
    /// Declared before the first FROM.
    meta: Values,
    /// Declared in the stage.
    declared: Values,
    /// Declared anywhere.
    referenced: BTreeSet<String>,
}

impl BuildArgs {
    pub fn new(given: &Values) -> BuildArgs {
        BuildArgs {
            given: given.clone(),
            ..BuildArgs::default()
        }
    }

    /// For the next stage: nothing is declared there yet.
    pub fn for_stage(&self) -> BuildArgs {
        BuildArgs {
            declared: Values::new(),
            ..self.clone()
        }
    }

    /// ARG before the first FROM.
    pub fn declare_meta(&mut self, name: &str, value: Option<String>) {
        self.meta.insert(name.into(), value.clone());
        self.declare(name, value);
    }

    /// ARG.
    pub fn declare(&mut self, name: &str, value: Option<String>) {
        self.declared.insert(name.into(), value);
        self.referenced.insert(name.into());
    }

    /// Takes over what a stage has declared.
    pub fn merge_referenced(&mut self, stage: &BuildArgs) {
        self.referenced.extend(stage.referenced.iter().cloned());
    }

    /// The given arguments that no ARG declares.
    pub fn unconsumed(&self) -> Vec<&str> {
        self.given
            .keys()
            .map(String::as_str)
            .filter(|name| !PROXIES.contains(name) && !self.referenced.contains(*name))
            .collect()
    }

    /// What a FROM sees.
    pub fn meta_values(&self) -> Vec<(String, String)> {
        self.values(&self.meta)
    }

    /// What an instruction sees.
    pub fn visible(&self) -> Vec<(String, String)> {
        self.values(&self.declared)
    }

    /// Whether the argument shows in the key and the history of a command.
    pub fn shows(&self, name: &str) -> bool {
        self.declared.contains_key(name) || !PROXIES.contains(&name)
    }

    fn values(&self, declared: &Values) -> Vec<(String, String)> {
        let mut names: BTreeSet<&str> = crate::order::set(PROXIES);
        names.extend(declared.keys().map(String::as_str));
        let value = |name: &str| {
            let given = self.given.get(name).cloned().flatten();
            given
                .or_else(|| declared.get(name).cloned().flatten())
                .or_else(|| self.meta.get(name).cloned().flatten())
        };
        let pair = |name: &str| Some((name.to_string(), value(name)?));
        names.into_iter().filter_map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_goes_before_what_is_declared() {
        let given = crate::order::map([
            ("A".to_string(), Some("given".to_string())),
            ("http_proxy".to_string(), Some("p".to_string())),
            ("NOPE".to_string(), Some("1".to_string())),
        ]);
        let mut args = BuildArgs::new(&given);
        args.declare_meta("B", Some("meta".into()));
        let mut stage = args.for_stage();
        let proxy = ("http_proxy".to_string(), "p".to_string());
        assert_eq!(stage.visible(), std::slice::from_ref(&proxy));
        assert!(!stage.shows("http_proxy"));
        stage.declare("A", Some("default".into()));
        stage.declare("B", None);
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(
            stage.visible(),
            [pair("A", "given"), pair("B", "meta"), proxy]
        );
        args.merge_referenced(&stage);
        assert_eq!(args.unconsumed(), ["NOPE"]);
    }
}
