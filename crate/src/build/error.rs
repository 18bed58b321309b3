//! What goes wrong in a build, as values.

use std::fmt;

use serde::Serialize;

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::span::Lines;

/// Why a Dockerfile cannot be turned into a graph of operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertError {
    /// BuildKit's text.
    pub message: String,
    /// What would help.
    pub help: Option<String>,
}

impl ConvertError {
    /// An error with BuildKit's text.
    pub fn new(message: impl Into<String>) -> ConvertError {
        ConvertError {
            message: message.into(),
            help: None,
        }
    }

    /// With a way out.
    pub fn help(mut self, help: impl Into<String>) -> ConvertError {
        self.help = Some(help.into());
        self
    }

    /// At these lines.
    pub fn at(self, lines: Lines) -> BuildError {
        BuildError {
            message: self.message,
            lines: vec![lines],
            help: self.help,
            kind: ErrorKind::Dockerfile,
        }
    }

    /// At no particular line.
    pub fn nowhere(self) -> BuildError {
        BuildError {
            message: self.message,
            lines: Vec::new(),
            help: self.help,
            kind: ErrorKind::Dockerfile,
        }
    }
}

impl From<String> for ConvertError {
    fn from(message: String) -> ConvertError {
        ConvertError::new(message)
    }
}

impl From<&str> for ConvertError {
    fn from(message: &str) -> ConvertError {
        ConvertError::new(message)
    }
}

/// What kind of thing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The Dockerfile or the options are wrong.
    Dockerfile,
    /// A base image is not known.
    Image,
    /// A file that is to be copied or mounted is missing.
    Missing,
    /// A step failed.
    Step,
    /// A limit of the engine was reached.
    Limit,
}

/// Why a build failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildError {
    /// The message, as BuildKit words it.
    pub message: String,
    /// The lines of the Dockerfile that it points at; empty where it points at none.
    pub lines: Vec<Lines>,
    /// What would help.
    pub help: Option<String>,
    /// What kind of thing failed.
    pub kind: ErrorKind,
}

impl BuildError {
    /// Every single line pointed at, sorted, each once.
    pub fn line_numbers(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self
            .lines
            .iter()
            .flat_map(|lines| lines.first..=lines.last)
            .filter(|line| *line > 0)
            .collect();
        crate::order::sort(&mut all);
        all.dedup();
        all
    }
}

impl From<&Diagnostic> for BuildError {
    fn from(diagnostic: &Diagnostic) -> BuildError {
        BuildError {
            message: diagnostic.message.clone(),
            lines: diagnostic.lines.clone(),
            help: diagnostic.help.clone(),
            kind: ErrorKind::Dockerfile,
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BuildError {}
