//! Collecting warnings.

use std::collections::BTreeSet;

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::span::{Lines, Span};

use super::{Config, Rule};

/// The warnings so far, and which rules gave rise to them.
pub(super) struct Reporter {
    /// The options of the whole file.
    pub(super) config: Config,
    pub(super) warnings: Vec<Diagnostic>,
    fired: BTreeSet<&'static str>,
}

impl Reporter {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            warnings: Vec::new(),
            fired: BTreeSet::new(),
        }
    }

    /// Takes in what a rule found, unless `config` silences the rule.
    pub(super) fn report(
        &mut self,
        config: &Config,
        rule: &Rule,
        findings: impl IntoIterator<Item = Diagnostic>,
    ) {
        if !config.runs(rule) {
            return;
        }
        for finding in findings {
            self.fired.insert(rule.name);
            self.warnings.push(finding);
        }
    }

    /// As [`Reporter::report`], with the options of the whole file.
    pub(super) fn report_in_file(
        &mut self,
        rule: &Rule,
        findings: impl IntoIterator<Item = Diagnostic>,
    ) {
        let config = self.config.clone();
        self.report(&config, rule, findings);
    }

    /// The error that warnings come to under `error=true`.
    pub(super) fn error(&self) -> Option<Diagnostic> {
        if !self.config.error || self.fired.is_empty() {
            return None;
        }
        let rules: Vec<&str> = self.fired.iter().copied().collect();
        let message = format!("lint violation found for rules: {}", rules.join(", "));
        Some(
            Diagnostic::error("lint-violation", message)
                .help("Mend the warnings, or take error=true out of the check directive."),
        )
    }
}

/// A finding of a rule at an instruction.
pub(super) fn finding(rule: &Rule, message: String, lines: Lines, span: Span) -> Diagnostic {
    Diagnostic::warning(rule.name, message)
        .at_lines(lines)
        .at(span)
}
