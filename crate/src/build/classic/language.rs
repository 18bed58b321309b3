//! The Dockerfile as the classic builder reads it: the language before here-documents, links and
//! suggestions. Source: BuildKit as it was in moby 20.10.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::instruction::{Command, Dockerfile, Instruction, parse_stages};
use crate::dockerfile::node::{Ast, Node};
use crate::dockerfile::parse_without_heredocs;

/// A Dockerfile that can be built.
#[derive(Debug)]
pub(super) struct Script {
    /// Its stages.
    pub file: Dockerfile,
    /// The escape character.
    pub escape: char,
    /// What is said before the first step.
    pub warnings: Vec<String>,
}

/// Reads the Dockerfile at `path`.
///
/// # Errors
/// Why it is refused.
pub(super) fn read(path: &str, text: &str) -> Result<Script, String> {
    if text.is_empty() {
        return Err(format!("the Dockerfile ({path}) cannot be empty"));
    }
    let ast = parse(text).map_err(|why| format!("failed to parse {path}: {why}"))?;
    let file = stages(&ast)?;
    Ok(Script {
        escape: ast.escape,
        warnings: warnings(&ast),
        file,
    })
}

/// Reads what ONBUILD kept, or what is to change in a commit: instructions without a stage.
///
/// # Errors
/// Why it is refused.
pub(super) fn read_loose(text: &str) -> Result<(Vec<Instruction>, char), String> {
    let ast = parse(text)?;
    let mut instructions = Vec::new();
    for node in &ast.nodes {
        let instruction = crate::dockerfile::instruction::parse_instruction(node)
            .map_err(|error| in_old_words(&error))?;
        if let Some(why) = refusal(&instruction) {
            return Err(why);
        }
        instructions.push(instruction);
    }
    Ok((instructions, ast.escape))
}

fn parse(text: &str) -> Result<Ast, String> {
    let parsed = parse_without_heredocs(text);
    match parsed.error() {
        Some(error) => Err(in_old_words(error)),
        None => Ok(parsed.ast),
    }
}

/// Stages, up to the first instruction that is refused.
fn stages(ast: &Ast) -> Result<Dockerfile, String> {
    let file = parse_stages(ast);
    let lines = file.error().and_then(|error| error.lines.first()).copied();
    let wrong = file.stages.iter().flat_map(|stage| {
        let from = unknown_flag(&stage.flags, &["platform"]);
        let rest = stage.instructions.iter();
        let rest = rest.filter_map(|i| Some((i.lines.first, refusal(i)?)));
        from.map(|why| (stage.lines.first, why))
            .into_iter()
            .chain(rest)
    });
    // Both lists are in order of lines.
    let first = wrong.into_iter().next();
    match (file.error(), first) {
        (error, Some((line, why))) if lines.is_none_or(|at| line < at.first) || error.is_none() => {
            Err(format!("dockerfile parse error line {line}: {why}"))
        }
        (Some(error), _) => Err(in_old_words(error)),
        (None, _) => Ok(file),
    }
}

/// Why an instruction that BuildKit takes today was refused.
fn refusal(instruction: &Instruction) -> Option<String> {
    let known: &[&str] = match instruction.command {
        Command::Add(_) => &["chown", "chmod"],
        Command::Copy(_) => &["chown", "from", "chmod"],
        Command::Run(_) => &["mount", "network", "security"],
        Command::Healthcheck(_) => &["interval", "timeout", "start-period", "retries"],
        _ => &[],
    };
    if let Some(why) = unknown_flag(&instruction.flags, known) {
        return Some(why);
    }
    let retries = instruction
        .flags
        .iter()
        .find_map(|flag| flag.text.strip_prefix("--retries="));
    match (&instruction.command, retries) {
        (Command::Healthcheck(check), Some(text)) if !text.is_empty() && check.retries < 1 => {
            let retries = check.retries;
            Some(format!("--retries must be at least 1 (not {retries})"))
        }
        _ => None,
    }
}

fn unknown_flag(flags: &[crate::dockerfile::node::Word], known: &[&str]) -> Option<String> {
    flags.iter().find_map(|flag| {
        let body = flag.text.strip_prefix("--")?;
        let name = body.split('=').next().unwrap_or(body);
        (!name.is_empty() && !known.contains(&name)).then(|| format!("Unknown flag: {name}"))
    })
}

/// The error in the words of its time.
fn in_old_words(error: &Diagnostic) -> String {
    let mut text = error.message.as_str();
    if let Some(at) = text.rfind(" (did you mean ") {
        text = &text[..at];
    }
    let mut text = text.replacen(
        "dockerfile parse error on line ",
        "dockerfile parse error line ",
        1,
    );
    for (new, old) in [
        ("unknown flag: --", "Unknown flag: "),
        ("duplicate flag specified: --", "Duplicate flag specified: "),
        ("missing a value on flag: --", "Missing a value on flag: "),
    ] {
        text = text.replacen(new, old, 1);
    }
    if let Some((before, word)) = text.split_once("unknown instruction: ") {
        text = format!("{before}unknown instruction: {}", word.to_uppercase());
    }
    if let Some((before, number)) = text.split_once("--retries cannot be negative (") {
        text = format!("{before}--retries must be at least 1 (not {number}");
    }
    text
}

fn warnings(ast: &Ast) -> Vec<String> {
    let lines = |node: &&Node| {
        let ends =
            |blank: &crate::dockerfile::node::EmptyContinuation| blank.line.last == node.lines.last;
        ast.empty_continuations.iter().any(ends)
    };
    let mut warnings: Vec<String> = ast
        .nodes
        .iter()
        .filter(lines)
        .map(|node| {
            let line = &node.original;
            format!("[WARNING]: Empty continuation line found in:\n    {line}")
        })
        .collect();
    if !warnings.is_empty() {
        let last = "[WARNING]: Empty continuation lines will become errors in a future release.";
        warnings.push(last.into());
    }
    warnings
}
