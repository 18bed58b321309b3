//! `cargo xtask corpus`: real Dockerfiles against what BuildKit says of each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use layerwise::dockerfile::diagnostic::Diagnostic;
use layerwise::dockerfile::directive::{DirectiveKind, detect_syntax, find_directive, first_word};
use layerwise::dockerfile::instruction::{
    Command, CommandLine, Dockerfile, Instruction, Mount, Run, Stage, Transfer, parse_stages,
};
use layerwise::dockerfile::node::{Node, Parsed};
use layerwise::dockerfile::parse;
use layerwise::lint::{Options, Report, lint};
use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::{Failure, Outcome};

/// The fields that are compared, in the order in which they depend on each other.
const FIELDS: [&str; 9] = [
    "ok",
    "error",
    "errorLines",
    "escape",
    "directives",
    "detectSyntax",
    "nodes",
    "instructions",
    "lint",
];

/// How many differing files are printed unless `--show` says otherwise.
const SHOWN: usize = 5;

/// Compares every file of a corpus.
pub fn run(mut args: Args) -> Outcome {
    let as_json = args.flag("--json");
    let shown = match args.option("--show")? {
        Some(text) => text
            .parse()
            .map_err(|_| format!("--show {text}: not a number"))?,
        None => SHOWN,
    };
    let only = args.option("--only")?;
    let words = args.rest()?;
    let [corpus, oracle] = words.as_slice() else {
        return Err("needs CORPUS.jsonl.gz and ORACLE.jsonl.gz".into());
    };
    let mut agree: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut total, mut whole, mut printed) = (0, 0, 0);
    let mut differing = Vec::new();
    for (line, answer) in lines(corpus)?.zip(lines(oracle)?) {
        let (case, answer) = (read_json(&line?)?, read_json(&answer?)?);
        let id = case["id"].as_str().unwrap_or_default();
        if answer["id"] != case["id"] {
            return Err(format!("{id}: the oracle's file is out of step").into());
        }
        if only.as_deref().is_some_and(|only| !id.contains(only)) {
            continue;
        }
        total += 1;
        let mine = answer_of(case["text"].as_str().unwrap_or_default());
        let mut wrong = Vec::new();
        for field in FIELDS {
            match first_difference(field, &view(&answer, field), &view(&mine, field)) {
                None => *agree.entry(field).or_default() += 1,
                Some(difference) => wrong.push((field, difference)),
            }
        }
        if wrong.is_empty() {
            whole += 1;
            continue;
        }
        if printed < shown && !as_json {
            printed += 1;
            println!("{id}");
            for (_, difference) in &wrong {
                println!("  {difference}");
            }
        }
        let fields: Vec<&str> = wrong.iter().map(|(field, _)| *field).collect();
        differing.push(json!({ "id": id, "fields": fields }));
    }
    if as_json {
        let fields: Map<String, Value> = FIELDS
            .iter()
            .map(|f| ((*f).into(), agree.get(f).copied().into()))
            .collect();
        let report =
            json!({ "files": total, "agree": whole, "fields": fields, "differing": differing });
        println!("{report:#}");
    } else {
        for field in FIELDS {
            println!(
                "{field:>14}: {} of {total}",
                agree.get(field).copied().unwrap_or_default()
            );
        }
    }
    println!("corpus: {whole} of {total} files agree in all fields");
    if whole == total {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

/// The lines of a gzipped file.
pub fn lines(path: &str) -> Result<impl Iterator<Item = Result<String, Failure>> + use<>, Failure> {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(BufReader::new(GzDecoder::new(file))
        .lines()
        .map(|line| line.map_err(Failure::from)))
}

/// A line of it.
pub fn read_json(line: &str) -> Result<Value, Failure> {
    serde_json::from_str(line).map_err(|error| error.to_string().into())
}

/// What is compared under a field's name: lint findings and the error they stop at belong together.
fn view(answer: &Value, field: &str) -> Value {
    match field {
        "lint" => json!({ "findings": answer["lint"], "error": answer["lintError"] }),
        "nodes" if answer[field].is_null() => json!([]),
        field => answer[field].clone(),
    }
}

/// The first place where two values differ, for reading.
fn first_difference(path: &str, theirs: &Value, mine: &Value) -> Option<String> {
    match (theirs, mine) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k)));
            keys.filter_map(|key| {
                let (a, b) = (a.get(key), b.get(key));
                let null = Value::Null;
                let path = format!("{path}.{key}");
                first_difference(&path, a.unwrap_or(&null), b.unwrap_or(&null))
            })
            .next()
        }
        (Value::Array(a), Value::Array(b)) => {
            let inner =
                a.iter().zip(b).enumerate().find_map(|(index, (a, b))| {
                    first_difference(&format!("{path}[{index}]"), a, b)
                });
            inner.or_else(|| {
                let at = a.len().min(b.len());
                (a.len() != b.len()).then(|| {
                    let extra = |list: &[Value]| list.get(at).map(Value::to_string);
                    format!(
                        "{path}: {} theirs, {} ours; theirs goes on {}, ours {}",
                        a.len(),
                        b.len(),
                        extra(a).unwrap_or_default(),
                        extra(b).unwrap_or_default()
                    )
                })
            })
        }
        _ if theirs == mine => None,
        _ => Some(format!("{path}: theirs {theirs}, ours {mine}")),
    }
}

/// Our answer in the oracle's form.
fn answer_of(text: &str) -> Value {
    let parsed = parse(text);
    let mut answer = Map::new();
    answer.insert("ok".into(), parsed.error().is_none().into());
    answer.insert(
        "error".into(),
        parsed.error().map(|e| e.message.clone()).into(),
    );
    if let Some(error) = parsed.error() {
        answer.insert("errorLines".into(), ranges(error));
    } else {
        answer.insert("escape".into(), parsed.ast.escape.to_string().into());
        answer.insert("nodes".into(), parsed.ast.nodes.iter().map(node).collect());
        answer.insert("instructions".into(), instructions(&parsed));
    }
    answer.insert("directives".into(), directives(text));
    let report = lint(text, &Options::default());
    answer.insert("lint".into(), findings(&report));
    if let Some(error) = &report.error {
        let error = json!({ "message": error.message, "lines": ranges(error) });
        answer.insert("lintError".into(), error);
    }
    if let Some(syntax) = detect_syntax(text) {
        answer.insert("detectSyntax".into(), syntax.into());
    }
    Value::Object(answer)
}

/// The lines of an error, one range each as BuildKit gives them.
fn ranges(error: &Diagnostic) -> Value {
    error
        .line_numbers()
        .into_iter()
        .map(|line| json!([line, line]))
        .collect()
}

fn findings(report: &Report) -> Value {
    let sorted = report.sorted().into_iter().map(|warning| {
        let lines = warning.lines.first().copied().unwrap_or_default();
        json!({
            "rule": warning.code, "lines": [lines.first, lines.last], "message": warning.message,
        })
    });
    sorted.collect()
}

fn directives(text: &str) -> Value {
    let kinds = [
        DirectiveKind::Syntax,
        DirectiveKind::Escape,
        DirectiveKind::Check,
    ];
    let found = kinds.into_iter().filter_map(|kind| {
        let directive = find_directive(kind, text)?;
        let value = json!({
            "line": directive.lines.first, "value": first_word(&directive.value),
        });
        Some((kind.name().to_owned(), value))
    });
    Value::Object(found.collect())
}

/// An object without the members that are empty.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    let kept = members.into_iter().filter(|(_, value)| !empty(value));
    Value::Object(kept.map(|(key, value)| (key.to_owned(), value)).collect())
}

fn with(mut base: Value, members: &[(&str, Value)]) -> Value {
    if let Value::Object(map) = &mut base {
        map.extend(
            members
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone())),
        );
    }
    base
}

fn texts<'a>(list: impl IntoIterator<Item = &'a String>) -> Value {
    list.into_iter()
        .map(|text| Value::from(text.as_str()))
        .collect()
}

fn node(node: &Node) -> Value {
    node_at(node, node.lines.first, node.lines.last)
}

fn node_at(node: &Node, start: u32, end: u32) -> Value {
    let heredocs: Value = node
        .heredocs
        .iter()
        .map(|h| {
            json!({
                "name": h.name, "content": h.content, "expand": h.expand, "chomp": h.chomp,
                "fd": h.fd,
            })
        })
        .collect();
    let attributes = if node.json {
        json!({ "json": true })
    } else {
        Value::Null
    };
    let base = object([
        ("attributes", attributes),
        ("flags", texts(node.flags.iter().map(|f| &f.text))),
        ("heredocs", heredocs),
        ("prevComment", texts(&node.comments)),
        // BuildKit gives the instruction inside ONBUILD no lines of its own.
        (
            "children",
            node.child
                .iter()
                .map(|child| node_at(child, 0, 0))
                .collect(),
        ),
    ]);
    let args = if node.child.is_some() {
        json!([])
    } else {
        texts(node.args.iter().map(|a| &a.text))
    };
    with(
        base,
        &[
            ("value", node.name.text.as_str().into()),
            ("args", args),
            ("original", node.original.as_str().into()),
            ("start", start.into()),
            ("end", end.into()),
        ],
    )
}

fn instructions(parsed: &Parsed) -> Value {
    let file: Dockerfile = parse_stages(&parsed.ast);
    if let Some(error) = file.error() {
        return json!({ "ok": false, "error": error.message, "errorLines": ranges(error) });
    }
    json!({
        "ok": true,
        "metaArgs": file.meta_args.iter().map(instruction).collect::<Value>(),
        "stages": file.stages.iter().map(stage).collect::<Value>(),
    })
}

fn stage(stage: &Stage) -> Value {
    let base = object([
        ("name", stage.name.as_str().into()),
        ("platform", stage.platform.as_str().into()),
        ("doc", stage.doc.as_str().into()),
    ]);
    with(
        base,
        &[
            ("baseName", stage.base.as_str().into()),
            ("origCmd", stage.keyword.as_str().into()),
            ("lines", json!([stage.lines.first, stage.lines.last])),
            (
                "commands",
                stage.instructions.iter().map(instruction).collect(),
            ),
        ],
    )
}

fn instruction(instruction: &Instruction) -> Value {
    let (kind, members) = command(instruction);
    let lines = json!([instruction.lines.first, instruction.lines.last]);
    with(members, &[("kind", kind.into()), ("lines", lines)])
}

fn command(instruction: &Instruction) -> (&'static str, Value) {
    match &instruction.command {
        Command::Add(add) => (
            "AddCommand",
            transfer(
                &add.transfer,
                object([
                    ("checksum", add.checksum.as_str().into()),
                    // A given `false` is shown.
                    ("keepGitDir", Value::Null),
                    ("unpack", Value::Null),
                ]),
                [("keepGitDir", add.keep_git_dir), ("unpack", add.unpack)],
            ),
        ),
        Command::Copy(copy) => (
            "CopyCommand",
            transfer(
                &copy.transfer,
                object([
                    ("from", copy.from.as_str().into()),
                    ("parents", copy.parents.into()),
                ]),
                [],
            ),
        ),
        Command::Arg(pairs) => {
            let args: Value = pairs
                .iter()
                .map(|pair| {
                    let base = object([("doc", pair.doc.as_str().into())]);
                    let mut members = vec![("key", pair.key.as_str().into())];
                    members.extend(pair.value.as_deref().map(|value| ("value", value.into())));
                    with(base, &members)
                })
                .collect();
            ("ArgCommand", json!({ "args": args }))
        }
        Command::Env(pairs) => ("EnvCommand", json!({ "env": key_values(pairs) })),
        Command::Label(pairs) => ("LabelCommand", json!({ "labels": key_values(pairs) })),
        Command::Cmd(line) => ("CmdCommand", command_line(line, json!([]))),
        Command::Entrypoint(line) => ("EntrypointCommand", command_line(line, Value::Null)),
        Command::Run(_) => ("RunCommand", run_command(instruction)),
        Command::Expose(ports) => ("ExposeCommand", json!({ "ports": ports })),
        Command::Healthcheck(check) => (
            "HealthCheckCommand",
            json!({
                "test": check.test, "intervalNs": check.interval, "timeoutNs": check.timeout,
                "startPeriodNs": check.start_period, "startIntervalNs": check.start_interval,
                "retries": check.retries,
            }),
        ),
        Command::Maintainer(name) => ("MaintainerCommand", json!({ "maintainer": name })),
        Command::Onbuild(text) => ("OnbuildCommand", json!({ "expression": text })),
        Command::Shell(words) => ("ShellCommand", json!({ "shell": words })),
        Command::StopSignal(signal) => ("StopSignalCommand", json!({ "signal": signal })),
        Command::User(user) => ("UserCommand", json!({ "user": user })),
        Command::Volume(volumes) => ("VolumeCommand", json!({ "volumes": volumes })),
        Command::Workdir(path) => ("WorkdirCommand", json!({ "path": path })),
    }
}

fn key_values(pairs: &[layerwise::dockerfile::instruction::KeyValue]) -> Value {
    pairs
        .iter()
        .map(|pair| {
            let base = object([("noDelim", pair.legacy.into())]);
            let (key, value) = (pair.key.as_str().into(), pair.value.as_str().into());
            with(base, &[("key", key), ("value", value)])
        })
        .collect()
}

fn transfer<const N: usize>(
    transfer: &Transfer,
    own: Value,
    switches: [(&str, Option<bool>); N],
) -> Value {
    let contents: Value = transfer
        .contents
        .iter()
        .map(|c| json!({ "path": c.path, "data": c.data, "expand": c.expand }))
        .collect();
    let mut all = object([
        ("contents", contents),
        ("chown", transfer.chown.as_str().into()),
        ("chmod", transfer.chmod.as_str().into()),
        ("link", transfer.link.into()),
        ("exclude", texts(&transfer.exclude)),
    ]);
    if let (Value::Object(all), Value::Object(own)) = (&mut all, own) {
        all.extend(own);
        for (name, switch) in switches {
            all.extend(switch.map(|on| (name.to_owned(), on.into())));
        }
    }
    with(
        all,
        &[
            ("sources", texts(&transfer.sources)),
            ("dest", transfer.dest.as_str().into()),
        ],
    )
}

fn command_line(line: &CommandLine, when_empty: Value) -> Value {
    let files: Value = line
        .files
        .iter()
        .map(|f| json!({ "name": f.name, "data": f.data, "chomp": f.chomp }))
        .collect();
    let words = if line.args.is_empty() {
        when_empty
    } else {
        texts(&line.args)
    };
    with(
        object([("files", files)]),
        &[("cmdline", words), ("prependShell", line.shell.into())],
    )
}

/// RUN, with its mounts as they read when no variable is replaced.
fn run_command(instruction: &Instruction) -> Value {
    let mut expanded = instruction.clone();
    let outcome = expanded.expand(&mut |word| Ok(word.to_owned()));
    let Command::Run(run) = &expanded.command else {
        return Value::Null;
    };
    let Run {
        line,
        mounts,
        network,
        security,
        devices,
        flags_used,
        ..
    } = run;
    let unless = |value: &str, default: &str| {
        if value == default {
            Value::Null
        } else {
            Value::from(value)
        }
    };
    let devices: Value = devices
        .iter()
        .map(|d| json!({ "name": d.name, "required": d.required }))
        .collect();
    let (mounts, error) = match outcome {
        Ok(()) => (mounts.iter().map(mount).collect(), Value::Null),
        Err(error) => (Value::Null, error.into()),
    };
    let own = object([
        ("flagsUsed", texts(flags_used)),
        ("mounts", mounts),
        ("mountError", error),
        ("network", unless(network, "default")),
        ("security", unless(security, "sandbox")),
        ("devices", devices),
    ]);
    let Value::Object(own) = own else {
        return Value::Null;
    };
    let mut all = command_line(line, json!([]));
    if let Value::Object(all) = &mut all {
        all.extend(own);
    }
    all
}

fn mount(mount: &Mount) -> Value {
    let base = object([
        ("from", mount.from.as_str().into()),
        ("source", mount.source.as_str().into()),
        ("target", mount.target.as_str().into()),
        ("id", mount.id.as_str().into()),
        ("sharing", mount.sharing.map(|s| s.name()).into()),
        ("required", mount.required.into()),
        (
            "size",
            if mount.size_limit == 0 {
                Value::Null
            } else {
                mount.size_limit.into()
            },
        ),
        ("mode", mount.mode.into()),
        ("uid", mount.uid.into()),
        ("gid", mount.gid.into()),
    ]);
    let mut members = vec![
        ("type", mount.kind.name().into()),
        ("readOnly", mount.read_only.into()),
    ];
    members.extend(mount.env.as_deref().map(|name| ("env", name.into())));
    with(base, &members)
}
