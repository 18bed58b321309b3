//! The way out when a command fails, read off its exit code and its last words.

use crate::fs::Fs;
use crate::run::{Outcome, Stream};

/// What a program says on standard error, and what would help. The first row whose text is in a
/// line counts; `{}` stands for what the line has in quotes.
const LAST_WORDS: &[(&str, &str)] = &[
    (
        "in use",
        "The image has {} already: leave the command that makes it out, or take another name or number.",
    ),
    (
        "already exists",
        "The image has {} already: leave the command that makes it out, or take another name or number.",
    ),
    (
        "unknown user",
        "The image has no such user: make it first, with adduser or useradd.",
    ),
    (
        "invalid user:",
        "The image has no such user: make it first, with adduser or useradd.",
    ),
    (
        "existing package-lock.json",
        "npm ci needs package-lock.json: copy it together with package.json, or run npm install.",
    ),
    (
        "package.json and package-lock.json",
        "Run npm install where the project is, so that the lock file fits package.json again, and copy both.",
    ),
    (
        "Could not read package.json",
        "Copy package.json before this step, to the directory that WORKDIR names.",
    ),
    (
        "Unable to locate package",
        "Run apt-get update in the same RUN before the install; else see whether the name is right.",
    ),
    (
        "no such package",
        "Run apk add with --no-cache, so that it fetches the index; else see whether the name is right.",
    ),
    (
        "Permission denied",
        "See which user runs this step, and who owns the file: COPY makes files of root, whatever USER says.",
    ),
    (
        "No such file or directory",
        "The file is not in the image at this step: was it copied before, and to this path?",
    ),
    (
        "can't open",
        "The file is not in the image at this step: was it copied before, and to this path?",
    ),
];

/// So many of the last lines are looked at: what a command says before may be about something else.
const LINES: usize = 12;

/// What would help a command that ended in this way over these files.
pub(super) fn remedy(outcome: &Outcome, files: &Fs) -> Option<String> {
    let said = || {
        let stderr = outcome.log.iter().rev().take(LINES);
        stderr
            .filter(|line| line.stream == Stream::Stderr)
            .map(|line| line.text.as_str())
    };
    match outcome.exit_code {
        127 => Some(not_found(said().find_map(missing_program), files)),
        126 => Some("The file is there but cannot be executed: check its mode.".into()),
        _ => said().find_map(|line| {
            let (_, help) = LAST_WORDS.iter().find(|(words, _)| line.contains(words))?;
            Some(help.replace("{}", quoted(line).unwrap_or("it")))
        }),
    }
}

/// The program in `/bin/sh: 1: curl: not found` and `bash: line 1: curl: command not found`.
fn missing_program(line: &str) -> Option<&str> {
    let rest = line.strip_suffix(": not found");
    let rest = rest.or_else(|| line.strip_suffix(": command not found"))?;
    rest.rsplit(": ").next()
}

fn not_found(program: Option<&str>, files: &Fs) -> String {
    let Some(program) = program else {
        return "The shell did not find the program: is it installed in this image?".into();
    };
    if program.contains('/') {
        return format!(
            "There is no {program} at this step: was it copied before, and to this path?"
        );
    }
    let has = |path: &str| files.find(path).is_some();
    let install = [
        ("sbin/apk", "RUN apk add --no-cache"),
        (
            "usr/bin/apt-get",
            "RUN apt-get update && apt-get install -y",
        ),
        ("usr/bin/microdnf", "RUN microdnf install -y"),
        ("usr/bin/dnf", "RUN dnf install -y"),
        ("usr/bin/yum", "RUN yum install -y"),
    ];
    match install.iter().find(|(manager, _)| has(manager)) {
        Some((_, install)) => format!(
            "{program} is not installed in this image. If its package is called so: {install} {program}"
        ),
        None => format!(
            "{program} is not in this image, and no package manager is: copy it from another stage, or take another base image."
        ),
    }
}

/// What stands between the first quotes of a line, of whatever kind.
fn quoted(line: &str) -> Option<&str> {
    let quotes = ['\'', '"', '`', '‘', '’', '“', '”'];
    let (_, rest) = line.split_once(quotes)?;
    let (word, _) = rest.split_once(quotes)?;
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::LogLine;

    fn failing(exit_code: i32, lines: &[&str]) -> String {
        let line = |text: &&str| LogLine {
            stream: Stream::Stderr,
            nanos: 0,
            text: text.to_string(),
        };
        let outcome = Outcome {
            exit_code,
            log: lines.iter().map(line).collect(),
            clipped: false,
            nanos: 0,
            commands: Vec::new(),
            command_count: 0,
            limit: None,
        };
        remedy(&outcome, &Fs::default()).unwrap_or_default()
    }

    #[test]
    fn the_last_words_tell_what_helps() {
        let said = |line: &str| failing(1, &[line]);
        insta::assert_snapshot!(said("addgroup: group 'web' in use"), @"The image has web already: leave the command that makes it out, or take another name or number.");
        insta::assert_snapshot!(said("groupadd: group 'web' already exists"), @"The image has web already: leave the command that makes it out, or take another name or number.");
        insta::assert_snapshot!(said("chown: unknown user/group app:app"), @"The image has no such user: make it first, with adduser or useradd.");
        insta::assert_snapshot!(said("cat: a.txt: No such file or directory"), @"The file is not in the image at this step: was it copied before, and to this path?");
        assert_eq!(said("something else"), "");
        // Old words are about something that did not end the step.
        let long = [["mkdir: Permission denied"].as_slice(), &["fine"; LINES]].concat();
        assert_eq!(failing(1, &long), "");
    }

    #[test]
    fn a_missing_program_is_named() {
        insta::assert_snapshot!(failing(127, &["/bin/sh: 1: curl: not found"]), @"curl is not in this image, and no package manager is: copy it from another stage, or take another base image.");
        insta::assert_snapshot!(failing(127, &["bash: line 3: jq: command not found"]), @"jq is not in this image, and no package manager is: copy it from another stage, or take another base image.");
        insta::assert_snapshot!(failing(127, &["/bin/sh: ./start.sh: not found"]), @"There is no ./start.sh at this step: was it copied before, and to this path?");
        insta::assert_snapshot!(failing(127, &["exec failed"]), @"The shell did not find the program: is it installed in this image?");
    }
}
