//! The variables that exist before the first stage: predefined ones and the ARGs there.
//!
//! Source: BuildKit `dockerfile2llb` (`defaultArgs`, `buildMetaArgs`).

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Diagnostic;
use super::env::Env;
use super::expand::Lexer;
use super::instruction::{Command, Dockerfile};
use super::platform::Platform;

/// Names that steer the build and never become environment variables.
pub const NOT_ENVIRONMENT: [&str; 2] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/// What a build is asked for, as far as the language layer needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `--build-arg`
    pub build_args: BTreeMap<String, String>,
    /// `--target`; empty for the last stage.
    pub target: String,
    /// The platform that builds.
    pub build_platform: Platform,
    /// The platform that is built for.
    pub target_platform: Platform,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            build_args: BTreeMap::new(),
            target: String::new(),
            build_platform: Platform::linux_amd64(),
            target_platform: Platform::linux_amd64(),
        }
    }
}

/// The variables that FROM can use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// Those with a value.
    pub env: Env,
    /// The names of the ARGs before the first stage, with or without a value.
    pub declared: BTreeSet<String>,
}

impl Globals {
    /// The predefined variables. Build arguments override them.
    pub fn predefined(file: &Dockerfile, request: &Request) -> Self {
        let (build, target) = (&request.build_platform, &request.target_platform);
        let last = file
            .stages
            .last()
            .map(|stage| stage.name.as_str())
            .unwrap_or_default();
        let stage = [&request.target, last, "default"]
            .into_iter()
            .find(|name| !name.is_empty());
        let values = [
            ("BUILDPLATFORM", build.short()),
            ("BUILDOS", build.os.clone()),
            ("BUILDOSVERSION", build.os_version.clone()),
            ("BUILDARCH", build.architecture.clone()),
            ("BUILDVARIANT", build.variant.clone()),
            ("TARGETPLATFORM", target.to_string()),
            ("TARGETOS", target.os.clone()),
            ("TARGETOSVERSION", target.os_version.clone()),
            ("TARGETARCH", target.architecture.clone()),
            ("TARGETVARIANT", target.variant.clone()),
            ("TARGETSTAGE", stage.unwrap_or_default().to_owned()),
        ];
        let mut env = Env::new();
        for (name, value) in values {
            env.set(name, request.build_args.get(name).cloned().unwrap_or(value));
        }
        Self {
            env,
            declared: BTreeSet::new(),
        }
    }

    /// Adds the ARGs before the first stage.
    ///
    /// # Errors
    ///
    /// If a default cannot be expanded.
    pub fn with_meta_args(
        mut self,
        file: &Dockerfile,
        lexer: Lexer,
        build_args: &BTreeMap<String, String>,
    ) -> Result<Self, Diagnostic> {
        for instruction in &file.meta_args {
            let Command::Arg(pairs) = &instruction.command else {
                continue;
            };
            for pair in pairs {
                let value = match (build_args.get(&pair.key), &pair.value) {
                    (Some(value), _) => Some(value.clone()),
                    (None, Some(default)) => {
                        let text = lexer.expand(default, &self.env).into_text();
                        Some(text.map_err(|error| {
                            Diagnostic::error("expansion", error)
                                .at_lines(instruction.lines)
                                .at(instruction.span)
                        })?)
                    }
                    (None, None) => None,
                };
                if let Some(value) = value {
                    self.env.set(&pair.key, value);
                }
                self.declared.insert(pair.key.clone());
            }
        }
        Ok(self)
    }

    /// The names FROM may use without a warning, sorted.
    pub fn known_names(&self) -> BTreeSet<&str> {
        let declared = self.declared.iter().map(String::as_str);
        crate::order::set(self.env.names().chain(declared))
    }
}
