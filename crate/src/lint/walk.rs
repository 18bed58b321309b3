//! Going through a Dockerfile in the order in which BuildKit does.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::directive::{DirectiveKind, find_directive, first_word};
use crate::dockerfile::expand::Lexer;
use crate::dockerfile::globals::{Globals, Request};
use crate::dockerfile::graph::{Base, FromUse, Graph, Planned, no_stages};
use crate::dockerfile::instruction::{Dockerfile, Instruction, parse_stages};
use crate::dockerfile::limits::MAX_ERRORS;
use crate::dockerfile::node::Node;
use crate::dockerfile::parse;
use crate::dockerfile::resolve::{Resolved, resolve};
use crate::dockerfile::scope::{Applied, Note, Scope, Surroundings};
use crate::dockerfile::span::LineIndex;

use super::report::Reporter;
use super::{
    Config, Options, Report, consistent_instruction_casing, copy_ignored_file,
    duplicate_stage_name, expose_invalid_format, expose_proto_casing, from_as_casing,
    from_platform_flag_const_disallowed, invalid_base_image_platform, invalid_default_arg_in_from,
    invalid_definition_description, json_args_recommended, legacy_key_value_format,
    maintainer_deprecated, multiple_instructions_disallowed, no_empty_continuation,
    redundant_target_platform, reserved_stage_name, secrets_used_in_arg_or_env, stage_name_casing,
    undefined_arg_in_from, undefined_var, workdir_relative_path,
};

/// Checks a Dockerfile as BuildKit does: up to the first error.
pub fn lint(text: &str, options: &Options<'_>) -> Report {
    check(text, options, false)
}

/// Checks a Dockerfile and goes on after errors, as an editor needs it.
///
/// The error and the warnings up to it are those of [`lint`]; what comes after is in `more_errors`,
/// and more warnings may follow.
pub fn diagnose(text: &str, options: &Options<'_>) -> Report {
    check(text, options, true)
}

fn check(text: &str, options: &Options<'_>, go_on: bool) -> Report {
    let mut errors = Errors {
        found: Vec::new(),
        go_on,
    };
    let mut reporter = Reporter::new(Config::default());
    if let Err(error) = walk(text, options, &mut reporter, &mut errors) {
        errors.found.push(error);
    }
    let mut found = errors.found.into_iter();
    Report {
        warnings: reporter.warnings,
        error: found.next(),
        more_errors: found.collect(),
    }
}

/// The errors so far.
struct Errors {
    found: Vec<Diagnostic>,
    go_on: bool,
}

impl Errors {
    /// Takes in errors; gives the first back where it ends the walk.
    fn meet(&mut self, errors: Vec<Diagnostic>) -> Result<(), Diagnostic> {
        let mut errors = errors.into_iter();
        if self.go_on {
            let room = MAX_ERRORS.saturating_sub(self.found.len() + 1);
            self.found.extend(errors.by_ref().take(room));
        }
        errors.next().map_or(Ok(()), Err)
    }
}

/// The build argument that takes the place of the `check` directive.
const CHECK_ARG: &str = "BUILDKIT_DOCKERFILE_CHECK";

fn config_of(text: &str, request: &Request) -> Result<Config, Diagnostic> {
    let help = "The options are skip=, experimental= and error=, separated by ;.";
    if let Some(options) = request.build_args.get(CHECK_ARG) {
        return Config::parse(options).map_err(|error| {
            let message = format!("failed to parse build-arg:{CHECK_ARG}: {error}");
            Diagnostic::error("invalid-check-options", message).help(help)
        });
    }
    if text.is_empty() {
        return Err(Diagnostic::error("empty", "the Dockerfile cannot be empty")
            .help("A Dockerfile starts with FROM."));
    }
    let Some(directive) = find_directive(DirectiveKind::Check, text) else {
        return Ok(Config::default());
    };
    Config::parse(first_word(&directive.value)).map_err(|error| {
        let message = format!("failed to parse check options: {error}");
        Diagnostic::error("invalid-check-options", message)
            .at(directive.span)
            .help(help)
    })
}

fn walk(
    text: &str,
    options: &Options<'_>,
    reporter: &mut Reporter,
    errors: &mut Errors,
) -> Result<(), Diagnostic> {
    match config_of(text, &options.request) {
        Ok(config) => reporter.config = config,
        Err(error) => errors.meet(vec![error])?,
    }
    let parsed = parse(text);
    errors.meet(parsed.errors)?;
    let blanks = parsed
        .ast
        .empty_continuations
        .iter()
        .map(no_empty_continuation::check);
    reporter.report_in_file(&no_empty_continuation::RULE, blanks);
    let file = parse_stages(&parsed.ast);
    check_nodes(&parsed.ast.nodes, &file.errors, errors.go_on, reporter);
    errors.meet(file.errors.clone())?;
    if file.stages.is_empty() {
        // Where something else is wrong already, this is only its consequence.
        return if errors.found.is_empty() {
            Err(no_stages())
        } else {
            Ok(())
        };
    }
    reporter.report_in_file(
        &reserved_stage_name::RULE,
        reserved_stage_name::check(&file),
    );
    reporter.report_in_file(
        &duplicate_stage_name::RULE,
        duplicate_stage_name::check(&file),
    );
    reporter.report_in_file(
        &consistent_instruction_casing::RULE,
        consistent_instruction_casing::check(&file),
    );

    let lexer = Lexer::new(parsed.ast.escape);
    let request = &options.request;
    let predefined = Globals::predefined(&file, request);
    if let Ok(defaults) = predefined
        .clone()
        .with_meta_args(&file, lexer, &Default::default())
    {
        let found = invalid_default_arg_in_from::check(&file, lexer, &defaults);
        reporter.report_in_file(&invalid_default_arg_in_from::RULE, found);
    }
    let globals = predefined.with_meta_args(&file, lexer, &request.build_args)?;

    let mut graph = Graph::new(&file, lexer, &globals, &mut |from| {
        check_from(text, &file, from, &globals, reporter);
    })?;
    let target = graph.target(request)?;
    graph.link()?;
    let outside = options.outside;
    let resolved = resolve(
        &mut graph,
        target,
        options.all_stages,
        request,
        &mut |name, platform| outside.image(name, platform),
    )?;
    check_base_platforms(&graph, &resolved, reporter);
    let around = Surroundings {
        lexer,
        globals: &globals,
        build_args: &request.build_args,
    };
    Stages {
        text,
        options,
        graph: &graph,
        resolved: &resolved,
        around,
    }
    .walk(reporter, errors)?;
    match reporter.error().filter(|_| errors.found.is_empty()) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The rules that look at single nodes, unless `go_on` up to the first that cannot be read.
fn check_nodes(nodes: &[Node], errors: &[Diagnostic], go_on: bool, reporter: &mut Reporter) {
    let broken = crate::order::set(errors.iter().flat_map(|e| e.lines.first().copied()));
    for node in nodes {
        let failed = broken.contains(&node.lines);
        let config = reporter.config.with_comments(&node.comments);
        match node.name.text.to_lowercase().as_str() {
            "maintainer" => {
                let found = [maintainer_deprecated::check(node)];
                reporter.report(&config, &maintainer_deprecated::RULE, found);
            }
            "from" => {
                let rule = &stage_name_casing::RULE;
                reporter.report(&config, rule, stage_name_casing::check(node));
                reporter.report(&config, &from_as_casing::RULE, from_as_casing::check(node));
                if let ([_, _, name], false) = (node.args.as_slice(), failed) {
                    let name = name.text.to_lowercase();
                    let found = invalid_definition_description::check(node, "FROM", &[&name]);
                    reporter.report(&config, &invalid_definition_description::RULE, found);
                }
            }
            "arg" if !failed => {
                let names: Vec<&str> = node
                    .args
                    .iter()
                    .map(|word| word.text.split('=').next().unwrap_or_default())
                    .collect();
                let found = invalid_definition_description::check(node, "ARG", &names);
                reporter.report(&config, &invalid_definition_description::RULE, found);
            }
            _ => {}
        }
        if failed && !go_on {
            return;
        }
    }
}

/// The rules that look at how the variables of a FROM come out.
fn check_from(
    text: &str,
    file: &Dockerfile,
    from: &FromUse,
    globals: &Globals,
    reporter: &mut Reporter,
) {
    let stage = &file.stages[from.stage];
    let config = reporter.config.with_comments(&stage.comments);
    let undefined = &undefined_arg_in_from::RULE;
    let found = undefined_arg_in_from::check(text, stage, &from.base, globals);
    reporter.report(&config, undefined, found);
    let Some(platform) = &from.platform else {
        return;
    };
    let found = undefined_arg_in_from::check(text, stage, platform, globals);
    reporter.report(&config, undefined, found);
    let found = redundant_target_platform::check(text, stage, platform, globals);
    reporter.report(&config, &redundant_target_platform::RULE, found);
    let found = from_platform_flag_const_disallowed::check(stage, platform);
    reporter.report(&config, &from_platform_flag_const_disallowed::RULE, found);
}

fn check_base_platforms(graph: &Graph<'_>, resolved: &Resolved, reporter: &mut Reporter) {
    for (number, node) in graph.nodes.iter().enumerate() {
        let (Base::Image(name), Some(config)) = (&node.base, &resolved.configs[number]) else {
            continue;
        };
        // An image without layers counts as scratch.
        if !config.has_layers {
            continue;
        }
        let found = invalid_base_image_platform::check(
            name,
            &resolved.platforms[number],
            &config.platform,
            node.lines.unwrap_or_default(),
            node.span.unwrap_or_default(),
        );
        reporter.report_in_file(&invalid_base_image_platform::RULE, found);
    }
}

/// The stages once their bases are known.
struct Stages<'a> {
    text: &'a str,
    options: &'a Options<'a>,
    graph: &'a Graph<'a>,
    resolved: &'a Resolved,
    around: Surroundings<'a>,
}

impl Stages<'_> {
    fn walk(&self, reporter: &mut Reporter, errors: &mut Errors) -> Result<(), Diagnostic> {
        let index = LineIndex::new(self.text);
        let nodes = &self.graph.nodes;
        let mut scopes: Vec<Option<Scope>> = Vec::with_capacity(nodes.len());
        for (number, node) in nodes.iter().enumerate() {
            // A build goes through the stages it needs; not through images that only files are
            // taken from, even if they have ONBUILD triggers.
            let needed = node.stage.is_some() && self.resolved.reachable.contains(&number);
            if !self.options.all_stages && !needed {
                scopes.push(None);
                continue;
            }
            let platform = self.resolved.platforms[number].clone();
            let mut scope = match &node.base {
                Base::Scratch => Scope::on_scratch(platform),
                Base::Image(_) => {
                    let config = self.resolved.configs[number].clone().unwrap_or_default();
                    Scope::on_image(&config, platform)
                }
                Base::Node(base) => match scopes.get(*base).and_then(Option::as_ref) {
                    Some(base) => base.on_stage(),
                    None => Scope::on_scratch(platform),
                },
            };
            for planned in &node.instructions {
                // Images that only files are taken from are there from the start.
                let ready = |source: usize| source <= number || nodes[source].stage.is_none();
                let applied = scope.apply(
                    &planned.instruction,
                    &planned.sources,
                    &ready,
                    &node.label,
                    self.around,
                );
                self.check_instruction(planned, &applied, &index, reporter);
                if let Some(message) = applied.error {
                    let error = Diagnostic::error("refused", message)
                        .at_lines(planned.instruction.lines)
                        .at(planned.instruction.span);
                    errors.meet(vec![error])?;
                }
            }
            scopes.push(Some(scope));
        }
        Ok(())
    }

    fn check_instruction(
        &self,
        planned: &Planned,
        applied: &Applied,
        index: &LineIndex,
        reporter: &mut Reporter,
    ) {
        let instruction = &planned.instruction;
        let config = reporter.config.with_comments(&instruction.comments);
        for note in &applied.notes {
            let (rule, found) = self.judge(note, instruction, index);
            let found = found.map(|mut found| {
                // The words of an ONBUILD trigger are not in the text.
                if planned.onbuild {
                    found.span = Some(instruction.span);
                    found.fixes.clear();
                }
                found
            });
            reporter.report(&config, rule, found);
        }
    }

    fn judge(
        &self,
        note: &Note,
        instruction: &Instruction,
        index: &LineIndex,
    ) -> (&'static super::Rule, Option<Diagnostic>) {
        match note {
            Note::UndefinedVariable { name, suggestion } => (
                &undefined_var::RULE,
                Some(undefined_var::check(
                    self.text,
                    instruction,
                    name,
                    suggestion.as_deref(),
                )),
            ),
            Note::LegacyPair => (
                &legacy_key_value_format::RULE,
                Some(legacy_key_value_format::check(instruction)),
            ),
            Note::Defined {
                instruction: kind,
                name,
            } => (
                &secrets_used_in_arg_or_env::RULE,
                secrets_used_in_arg_or_env::check(instruction, kind, name),
            ),
            Note::RelativeWorkdir(path) => (
                &workdir_relative_path::RULE,
                Some(workdir_relative_path::check(instruction, path)),
            ),
            Note::ShellForm => (
                &json_args_recommended::RULE,
                Some(json_args_recommended::check(instruction)),
            ),
            Note::Voids(place) => (
                &multiple_instructions_disallowed::RULE,
                Some(multiple_instructions_disallowed::check(
                    index,
                    instruction,
                    *place,
                )),
            ),
            Note::CapitalProtocol(port) => (
                &expose_proto_casing::RULE,
                Some(expose_proto_casing::check(instruction, port)),
            ),
            Note::MappedPort(port) => (
                &expose_invalid_format::RULE,
                Some(expose_invalid_format::check(instruction, port)),
            ),
            Note::ContextSource(path) => (
                &copy_ignored_file::RULE,
                self.options
                    .outside
                    .ignored()
                    .and_then(|ignored| copy_ignored_file::check(instruction, path, ignored)),
            ),
        }
    }
}
