//! Build checks: each rule a file.
//!
//! The rules, their messages and the lines they point at are BuildKit's. Some look at the tree, some
//! at the stages, some at what an instruction comes to once its variables are known; [`lint`] goes
//! through all of it in BuildKit's order and stops at the error at which a build would stop;
//! [`diagnose`] goes on after it, for editors.

mod config;
mod consistent_instruction_casing;
mod copy_ignored_file;
mod duplicate_stage_name;
mod expose_invalid_format;
mod expose_proto_casing;
mod from_as_casing;
mod from_platform_flag_const_disallowed;
mod invalid_base_image_platform;
mod invalid_default_arg_in_from;
mod invalid_definition_description;
mod json_args_recommended;
mod legacy_key_value_format;
mod maintainer_deprecated;
mod multiple_instructions_disallowed;
mod no_empty_continuation;
mod redundant_target_platform;
mod report;
mod reserved_stage_name;
mod secrets_used_in_arg_or_env;
mod stage_name_casing;
#[cfg(test)]
mod tests;
mod undefined_arg_in_from;
mod undefined_var;
mod walk;
mod workdir_relative_path;

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::globals::Request;
use crate::dockerfile::platform::Platform;
use crate::dockerfile::reference::Reference;
use crate::dockerfile::scope::BaseConfig;

pub use config::Config;
pub use walk::{diagnose, lint};

/// A build check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name, as `# check=skip=` takes it.
    pub name: &'static str,
    /// What it is about, in a sentence.
    pub about: &'static str,
    /// The page about it.
    pub url: Option<&'static str>,
    /// Whether it only runs when asked for.
    pub experimental: bool,
}

/// Every rule, by name.
pub const RULES: [Rule; 22] = [
    consistent_instruction_casing::RULE,
    copy_ignored_file::RULE,
    duplicate_stage_name::RULE,
    expose_invalid_format::RULE,
    expose_proto_casing::RULE,
    from_as_casing::RULE,
    from_platform_flag_const_disallowed::RULE,
    invalid_base_image_platform::RULE,
    invalid_default_arg_in_from::RULE,
    invalid_definition_description::RULE,
    json_args_recommended::RULE,
    legacy_key_value_format::RULE,
    maintainer_deprecated::RULE,
    multiple_instructions_disallowed::RULE,
    no_empty_continuation::RULE,
    redundant_target_platform::RULE,
    reserved_stage_name::RULE,
    secrets_used_in_arg_or_env::RULE,
    stage_name_casing::RULE,
    undefined_arg_in_from::RULE,
    undefined_var::RULE,
    workdir_relative_path::RULE,
];

/// Which paths of the build context are left out.
pub trait Ignored {
    /// Whether a pattern takes paths in again (`!path`).
    fn has_exceptions(&self) -> bool;
    /// Whether a pattern leaves out everything: `*`, `**` or `**/*`.
    fn ignores_all(&self) -> bool;
    /// Whether a clean path or one of its parents is left out.
    fn ignores(&self, path: &str) -> bool;
}

/// What is outside the Dockerfile.
pub trait Outside {
    /// The config of an image, or why it cannot be had.
    fn image(&self, name: &Reference, platform: &Platform) -> Result<BaseConfig, String>;
    /// The ignore file of the build context, if there is one with patterns.
    fn ignored(&self) -> Option<&dyn Ignored>;
}

/// Nothing is known of the outside: every image has an empty config, there is no context.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOutside;

impl Outside for NoOutside {
    fn image(&self, _: &Reference, platform: &Platform) -> Result<BaseConfig, String> {
        Ok(BaseConfig {
            platform: platform.clone(),
            ..BaseConfig::default()
        })
    }

    fn ignored(&self) -> Option<&dyn Ignored> {
        None
    }
}

/// What is checked.
pub struct Options<'a> {
    /// What a build would be asked for.
    pub request: Request,
    /// Whether stages that the target does not need are gone through as well, as `docker build
    /// --check` does; a build only goes through those it needs.
    pub all_stages: bool,
    /// What is outside the Dockerfile.
    pub outside: &'a dyn Outside,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            request: Request::default(),
            all_stages: true,
            outside: &NoOutside,
        }
    }
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The warnings in the order in which they came up.
    pub warnings: Vec<Diagnostic>,
    /// The error at which a build would stop, before it runs anything.
    pub error: Option<Diagnostic>,
    /// The errors that come after it, for an editor to show; BuildKit does not look for them.
    pub more_errors: Vec<Diagnostic>,
}

impl Report {
    /// The warnings by line, rule and message.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<&Diagnostic> = self.warnings.iter().collect();
        crate::order::sort_by_key(&mut sorted, |w| order(w));
        sorted
    }

    /// The warnings as [`Report::sorted`], each once: a rule can find the same in two words of one
    /// instruction.
    pub fn distinct(&self) -> Vec<&Diagnostic> {
        let mut sorted = self.sorted();
        sorted.dedup_by(|a, b| order(a) == order(b));
        sorted
    }
}

fn order(warning: &Diagnostic) -> (Option<u32>, &str, &str) {
    (
        warning.lines.first().map(|lines| lines.first),
        &warning.code,
        &warning.message,
    )
}

/// A rule in the making: its page is named like itself.
macro_rules! rule {
    ($name:literal, $page:literal, $about:literal) => {
        crate::lint::Rule {
            name: $name,
            about: $about,
            url: Some(concat!(
                "https://docs.docker.com/go/dockerfile/rule/",
                $page,
                "/"
            )),
            experimental: false,
        }
    };
}
use rule;
