//! Nodes to typed instructions.

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::golang::{parse_duration, parse_i32, quote};
use crate::dockerfile::node::{Heredoc, Node, Word};
use crate::dockerfile::parser::heredoc_word;
use crate::dockerfile::suggest::{nearest, with_nearest};

use super::flags::{FlagKind, Flags};
use super::mount::{parse_device, parse_mount};
use super::{
    Add, ArgPair, Command, CommandLine, Copy, Healthcheck, InlineContent, InlineFile, Instruction,
    KEYWORDS, KeyValue, Run, Transfer,
};

const NO_FLAGS: &[(&str, FlagKind)] = &[];

/// Gives a node its meaning. FROM is not an instruction of a stage; see
/// [`parse_stages`](super::parse_stages).
///
/// # Errors
///
/// BuildKit's message, without the `dockerfile parse error on line N: ` that
/// [`parse_stages`](super::parse_stages) puts in front.
pub fn parse_instruction(node: &Node) -> Result<Instruction, Diagnostic> {
    let args = node.flat_args();
    let command = command(node, &args)?;
    Ok(Instruction {
        name: node.name.text.clone(),
        code: node.original.trim().to_owned(),
        comments: node.comments.clone(),
        lines: node.lines,
        span: node.span,
        name_span: node.name.span,
        flags: node.flags.clone(),
        args,
        command,
    })
}

fn command(node: &Node, args: &[Word]) -> Result<Command, Diagnostic> {
    let flags = &node.flags;
    let no_flags = || Flags::parse(flags, NO_FLAGS).map(drop);
    match node.name.text.to_lowercase().as_str() {
        "add" => add(node, args).map(Command::Add),
        "arg" => arg(node, args).map(Command::Arg),
        "cmd" => {
            no_flags()?;
            Ok(Command::Cmd(command_line(node)))
        }
        "copy" => copy(node, args).map(Command::Copy),
        "entrypoint" => {
            no_flags()?;
            Ok(Command::Entrypoint(command_line(node)))
        }
        "env" => {
            no_flags()?;
            pairs("ENV", args).map(Command::Env)
        }
        "expose" => {
            at_least_one("EXPOSE", args)?;
            no_flags()?;
            let mut ports: Vec<String> = args.iter().map(|w| w.text.clone()).collect();
            crate::order::sort(&mut ports);
            Ok(Command::Expose(ports))
        }
        "healthcheck" => healthcheck(node).map(Command::Healthcheck),
        "label" => {
            no_flags()?;
            pairs("LABEL", args).map(Command::Label)
        }
        "maintainer" => {
            let name = exactly_one("MAINTAINER", args)?;
            no_flags()?;
            Ok(Command::Maintainer(name))
        }
        "onbuild" => onbuild(node, args).map(Command::Onbuild),
        "run" => run(node).map(Command::Run),
        "shell" => {
            no_flags()?;
            at_least_one("SHELL", args)?;
            if !node.json {
                return Err(Diagnostic::error(
                    "not-json",
                    "SHELL requires the arguments to be in JSON form",
                )
                .help("Write SHELL [\"/bin/bash\", \"-c\"]."));
            }
            Ok(Command::Shell(
                args.iter().map(|w| w.text.clone()).collect(),
            ))
        }
        "stopsignal" => exactly_one("STOPSIGNAL", args).map(Command::StopSignal),
        "user" => {
            let user = exactly_one("USER", args)?;
            no_flags()?;
            Ok(Command::User(user))
        }
        "volume" => {
            at_least_one("VOLUME", args)?;
            no_flags()?;
            let volumes: Vec<String> = args.iter().map(|w| w.text.trim().to_owned()).collect();
            if volumes.iter().any(String::is_empty) {
                let message = "VOLUME specified can not be an empty string";
                return Err(Diagnostic::error("empty-volume", message));
            }
            Ok(Command::Volume(volumes))
        }
        "workdir" => {
            let path = exactly_one("WORKDIR", args)?;
            no_flags()?;
            Ok(Command::Workdir(path))
        }
        _ => Err(unknown(node)),
    }
}

fn unknown(node: &Node) -> Diagnostic {
    let name = &node.name.text;
    let message = format!("unknown instruction: {name}");
    let help = match nearest(name, KEYWORDS, false) {
        Some(near) => format!("Write {near}."),
        None => "If this belongs to the instruction before, end the line before with \\.".into(),
    };
    Diagnostic::error(
        "unknown-instruction",
        with_nearest(message, name, KEYWORDS, false),
    )
    .at(node.name.span)
    .help(help)
}

fn at_least_one(instruction: &str, args: &[Word]) -> Result<(), Diagnostic> {
    if args.is_empty() {
        let message = format!("{instruction} requires at least one argument");
        return Err(Diagnostic::error("missing-arguments", message));
    }
    Ok(())
}

fn exactly_one(instruction: &str, args: &[Word]) -> Result<String, Diagnostic> {
    match args {
        [only] => Ok(only.text.clone()),
        _ => Err(Diagnostic::error(
            "wrong-arguments",
            format!("{instruction} requires exactly one argument"),
        )),
    }
}

fn pairs(instruction: &str, args: &[Word]) -> Result<Vec<KeyValue>, Diagnostic> {
    at_least_one(instruction, args)?;
    args.chunks(3)
        .map(|chunk| match chunk {
            [key, ..] if key.text.is_empty() => Err(blank_name(instruction, key)),
            [key, value, separator] => Ok(KeyValue {
                key: key.text.clone(),
                value: value.text.clone(),
                legacy: separator.text.is_empty(),
            }),
            _ => Err(Diagnostic::error(
                "wrong-arguments",
                format!("Bad input to {instruction}, too many arguments"),
            )),
        })
        .collect()
}

fn blank_name(instruction: &str, word: &Word) -> Diagnostic {
    Diagnostic::error(
        "blank-name",
        format!("{instruction} names can not be blank"),
    )
    .at(word.span)
}

fn arg(node: &Node, args: &[Word]) -> Result<Vec<ArgPair>, Diagnostic> {
    at_least_one("ARG", args)?;
    args.iter()
        .map(|word| {
            let (key, value) = match word.text.split_once('=') {
                Some(("", _)) => return Err(blank_name("ARG", word)),
                Some((key, value)) => (key, Some(value.to_owned())),
                None => (word.text.as_str(), None),
            };
            Ok(ArgPair {
                key: key.to_owned(),
                value,
                doc: doc_comment(&node.comments, key),
            })
        })
        .collect()
}

/// The text of the comment line that starts with `name`.
pub(super) fn doc_comment(comments: &[String], name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    comments
        .iter()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_default()
        .to_owned()
}

fn needs_destination(instruction: &str, args: &[Word]) -> Result<(), Diagnostic> {
    if args.len() >= 2 {
        return Ok(());
    }
    Err(Diagnostic::error(
        "missing-destination",
        format!(
            "{instruction} requires at least two arguments, but only one was provided. \
             Destination could not be determined"
        ),
    )
    .help("Add the path in the image as the last argument."))
}

fn add(node: &Node, args: &[Word]) -> Result<Add, Diagnostic> {
    needs_destination("ADD", args)?;
    let flags = Flags::parse(
        &node.flags,
        &[
            ("chown", FlagKind::Text),
            ("chmod", FlagKind::Text),
            ("link", FlagKind::Bool),
            ("keep-git-dir", FlagKind::Bool),
            ("checksum", FlagKind::Text),
            ("unpack", FlagKind::Bool),
            ("exclude", FlagKind::Texts),
        ],
    )?;
    Ok(Add {
        transfer: transfer("ADD", node, args, &flags)?,
        keep_git_dir: flags.switch("keep-git-dir"),
        checksum: flags.text("checksum"),
        unpack: flags.switch("unpack"),
    })
}

fn copy(node: &Node, args: &[Word]) -> Result<Copy, Diagnostic> {
    needs_destination("COPY", args)?;
    let flags = Flags::parse(
        &node.flags,
        &[
            ("chown", FlagKind::Text),
            ("from", FlagKind::Text),
            ("chmod", FlagKind::Text),
            ("link", FlagKind::Bool),
            ("exclude", FlagKind::Texts),
            ("parents", FlagKind::Bool),
        ],
    )?;
    Ok(Copy {
        transfer: transfer("COPY", node, args, &flags)?,
        from: flags.text("from"),
        parents: flags.is_on("parents"),
    })
}

fn transfer(
    instruction: &str,
    node: &Node,
    args: &[Word],
    flags: &Flags<'_>,
) -> Result<Transfer, Diagnostic> {
    // A word whose quotes do not close is a path here; the parser has refused what it had to.
    let announced = |word: &Word| heredoc_word(&word.text).ok().flatten();
    let Some((dest, sources)) = args.split_last() else {
        return Ok(Transfer::default());
    };
    if announced(dest).is_some() {
        return Err(Diagnostic::error(
            "heredoc-destination",
            format!("{instruction} cannot accept a heredoc as a destination"),
        )
        .at(dest.span));
    }
    let mut transfer = Transfer {
        dest: dest.text.clone(),
        chown: flags.text("chown"),
        chmod: flags.text("chmod"),
        link: flags.is_on("link"),
        exclude: flags.texts("exclude"),
        ..Transfer::default()
    };
    for source in sources {
        let Some(heredoc) = announced(source) else {
            transfer.sources.push(source.text.clone());
            continue;
        };
        // Of several with one name the last one counts, as in BuildKit.
        let body = node.heredocs.iter().rfind(|h| h.name == heredoc.name);
        let content = body.map_or("", |h| h.content.as_str());
        let data = if heredoc.chomp {
            Heredoc::chomped(content)
        } else {
            content.to_owned()
        };
        transfer.contents.push(InlineContent {
            path: heredoc.name,
            data,
            expand: heredoc.expand,
        });
    }
    Ok(transfer)
}

fn command_line(node: &Node) -> CommandLine {
    let files = node.heredocs.iter().map(|h| InlineFile {
        name: h.name.clone(),
        data: h.content.clone(),
        chomp: h.chomp,
    });
    CommandLine {
        args: node.args.iter().map(|w| w.text.clone()).collect(),
        shell: !node.json,
        files: files.collect(),
    }
}

fn run(node: &Node) -> Result<Run, Diagnostic> {
    let flags = Flags::parse(
        &node.flags,
        &[
            ("device", FlagKind::Texts),
            ("mount", FlagKind::Texts),
            ("network", FlagKind::Text),
            ("security", FlagKind::Text),
        ],
    )?;
    let flag_error = |name: &str, nth: usize, message: String| {
        let prefix = format!("--{name}=");
        let word = node
            .flags
            .iter()
            .filter(|w| w.text.starts_with(&prefix))
            .nth(nth);
        let error = Diagnostic::error("invalid-flag-value", message);
        match word {
            Some(word) => error.at(word.span),
            None => error,
        }
    };
    let mut devices = Vec::new();
    for (nth, text) in flags.texts("device").iter().enumerate() {
        devices.push(parse_device(text).map_err(|e| flag_error("device", nth, e))?);
    }
    let mount_flags = flags.texts("mount");
    let mut mounts = Vec::new();
    for (nth, text) in mount_flags.iter().enumerate() {
        mounts.push(parse_mount(text, None).map_err(|e| flag_error("mount", nth, e))?);
    }
    let network = flags.maybe("network").unwrap_or("default").to_owned();
    if !["default", "none", "host"].contains(&network.as_str()) {
        let message = format!("invalid network mode {}", quote(&network));
        return Err(flag_error("network", 0, message).help("Use default, none or host."));
    }
    let security = flags.maybe("security").unwrap_or("sandbox").to_owned();
    if !["insecure", "sandbox"].contains(&security.as_str()) {
        let message = format!("security {} is not valid", quote(&security));
        return Err(flag_error("security", 0, message).help("Use sandbox or insecure."));
    }
    Ok(Run {
        line: command_line(node),
        mounts,
        mount_flags,
        network,
        security,
        devices,
        flags_used: flags.used(),
    })
}

fn onbuild(node: &Node, args: &[Word]) -> Result<String, Diagnostic> {
    at_least_one("ONBUILD", args)?;
    Flags::parse(&node.flags, NO_FLAGS)?;
    match args[0].text.trim().to_uppercase().as_str() {
        "ONBUILD" => {
            return Err(Diagnostic::error(
                "onbuild-chain",
                "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
            ));
        }
        trigger @ ("MAINTAINER" | "FROM") => {
            let message = format!("{trigger} isn't allowed as an ONBUILD trigger");
            return Err(Diagnostic::error("onbuild-trigger", message));
        }
        _ => {}
    }
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r');
    let line = node.original.trim_start_matches(blank);
    let mut expression = match line.get(..7) {
        Some(word) if word.eq_ignore_ascii_case("onbuild") => {
            line[7..].trim_start_matches(blank).to_owned()
        }
        _ => node.original.clone(),
    };
    for heredoc in &node.heredocs {
        expression.push('\n');
        expression.push_str(&heredoc.content);
        expression.push_str(&heredoc.name);
    }
    Ok(expression)
}

fn healthcheck(node: &Node) -> Result<Healthcheck, Diagnostic> {
    let Some((kind, args)) = node.args.split_first() else {
        return Err(Diagnostic::error(
            "missing-arguments",
            "HEALTHCHECK requires at least one argument",
        ));
    };
    let kind = kind.text.to_uppercase();
    if kind == "NONE" {
        if !args.is_empty() {
            let message = "HEALTHCHECK NONE takes no arguments";
            return Err(Diagnostic::error("wrong-arguments", message));
        }
        return Ok(Healthcheck {
            test: vec![kind],
            ..Healthcheck::default()
        });
    }
    let flags = Flags::parse(
        &node.flags,
        &[
            ("interval", FlagKind::Text),
            ("timeout", FlagKind::Text),
            ("start-period", FlagKind::Text),
            ("start-interval", FlagKind::Text),
            ("retries", FlagKind::Text),
        ],
    )?;
    if kind != "CMD" {
        let message = format!("Unknown type {} in HEALTHCHECK (try CMD)", quote(&kind));
        return Err(Diagnostic::error("healthcheck-type", message));
    }
    if args.is_empty() {
        let message = "Missing command after HEALTHCHECK CMD";
        return Err(Diagnostic::error("missing-arguments", message));
    }
    let form = if node.json { "CMD" } else { "CMD-SHELL" };
    let mut test = vec![form.to_owned()];
    test.extend(args.iter().map(|w| w.text.clone()));
    let duration = |name: &str| -> Result<i64, Diagnostic> {
        let text = flags.text(name);
        let problem = match parse_duration(&text) {
            _ if text.is_empty() => return Ok(0),
            Ok(nanoseconds) if nanoseconds == 0 || nanoseconds >= 1_000_000 => {
                return Ok(nanoseconds);
            }
            Ok(_) => format!("Interval {} cannot be less than 1ms", quote(name)),
            Err(error) => error,
        };
        Err(Diagnostic::error("invalid-duration", problem))
    };
    let interval = duration("interval")?;
    let timeout = duration("timeout")?;
    let start_period = duration("start-period")?;
    let start_interval = duration("start-interval")?;
    let text = flags.text("retries");
    let retries = if text.is_empty() {
        0
    } else {
        parse_i32(&text).map_err(|error| Diagnostic::error("invalid-retries", error))?
    };
    if retries < 0 {
        let message = format!("--retries cannot be negative ({retries})");
        return Err(Diagnostic::error("invalid-retries", message));
    }
    Ok(Healthcheck {
        test,
        interval,
        timeout,
        start_period,
        start_interval,
        retries,
    })
}
