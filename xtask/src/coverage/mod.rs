//! `cargo xtask coverage`: how much of what real Dockerfiles run is simulated.
//!
//! Every Dockerfile of a corpus is built over a [made-up context](context). Where a step fails the
//! build goes on without that instruction, so that what stands behind it is counted too; the file
//! then counts as not built. What stands behind a failed command in the same instruction is not
//! reached, and is in neither count. A program that the shell does not find counts as missed.

mod context;
mod project;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use layerwise::build::report::{Report, Status};
use layerwise::engine::{BuildOptions, Desk, Edit, Tally, Unready, plan_of};
use layerwise::run::{CommandReport, Fidelity};
use layerwise::world::World;

use crate::args::Args;
use crate::corpus::{lines, read_json};
use crate::process::root;
use crate::{Failure, Outcome};

/// How often a build goes on after a failure before it is given up.
const MAX_FAILURES: usize = 25;
/// What a shell ends with that does not find a program.
const NOT_FOUND: i32 = 127;
/// How many rows a table has unless `--top` says otherwise.
const ROWS: usize = 60;

/// What was found in a Dockerfile.
#[derive(Default)]
struct Found {
    /// Simple commands that were simulated, and all of them.
    simulated: usize,
    commands: usize,
    /// What was not simulated.
    missed: Vec<String>,
    /// What failed: a word to count by, and the message.
    failures: Vec<(String, String)>,
}

/// Builds every Dockerfile of a corpus and counts.
pub fn run(mut args: Args) -> Outcome {
    let only = args.option("--only")?;
    let list = args.flag("--list");
    let rows: usize = match args.option("--top")? {
        Some(text) => text
            .parse()
            .map_err(|_| format!("--top {text}: not a number"))?,
        None => ROWS,
    };
    let words = args.rest()?;
    let [corpus] = words.as_slice() else {
        return Err("needs CORPUS.jsonl.gz".into());
    };
    let mut cases = Vec::new();
    for line in lines(corpus)? {
        let case = read_json(&line?)?;
        let id = case["id"].as_str().unwrap_or_default().to_owned();
        let text = case["text"].as_str().unwrap_or_default().to_owned();
        if only.as_deref().is_none_or(|only| id.contains(only)) {
            cases.push((id, text));
        }
    }
    let found = all(&cases)?;
    let mut missed = Table::default();
    let mut failed = Table::default();
    let (mut simulated, mut commands, mut whole) = (0, 0, 0);
    for ((id, _), found) in cases.iter().zip(&found) {
        simulated += found.simulated;
        commands += found.commands;
        whole += usize::from(found.failures.is_empty() && found.missed.is_empty());
        for name in &found.missed {
            missed.count(name, id);
        }
        for (what, message) in &found.failures {
            failed.count(what, &format!("{id}: {message}"));
        }
        if list {
            for name in &found.missed {
                println!("{id}\tnot simulated\t{name}");
            }
            for (what, message) in &found.failures {
                println!("{id}\t{what}\t{}", message.replace('\n', " ⏎ "));
            }
        }
    }
    missed.print("not simulated, by command", rows);
    failed.print("failures, by what failed", rows);
    println!("coverage: commands {simulated} of {commands}");
    println!("coverage: dockerfiles {whole} of {}", cases.len());
    Ok(())
}

/// Works on all cases, on two threads.
fn all(cases: &[(String, String)]) -> Result<Vec<Found>, Failure> {
    let (left, right) = cases.split_at(cases.len() / 2);
    let work = |cases: &[(String, String)]| -> Result<Vec<Found>, String> {
        let mut catalog = Catalog {
            world: World::new(),
            folder: root().join("public/catalog"),
        };
        cases
            .iter()
            .map(|(id, text)| one(text, &mut catalog).map_err(|why| format!("{id}: {why}")))
            .collect()
    };
    let (left, right) = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(64 << 20);
        let other = builder.spawn_scoped(scope, || work(right));
        (
            work(left),
            other
                .map_err(|error| error.to_string())
                .and_then(|thread| thread.join().map_err(|_| "a build panicked".to_string())?),
        )
    });
    let mut found = left?;
    found.extend(right?);
    Ok(found)
}

/// Counts by name, each with the first place.
#[derive(Default)]
struct Table(BTreeMap<String, (usize, String)>);

impl Table {
    fn count(&mut self, name: &str, place: &str) {
        let entry = self.0.entry(name.to_owned()).or_default();
        entry.0 += 1;
        if entry.0 == 1 {
            entry.1 = place.lines().next().unwrap_or_default().to_owned();
        }
    }

    fn print(&self, title: &str, rows: usize) {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
        let sum: usize = all.iter().map(|(_, (count, _))| count).sum();
        println!("{title} ({sum}):");
        for (name, (count, place)) in all.iter().take(rows) {
            let place: String = place.chars().take(160).collect();
            println!("{count:>7}  {name:<28} {place}");
        }
        println!();
    }
}

/// A world and where its parts come from.
struct Catalog {
    world: World,
    folder: PathBuf,
}

impl Catalog {
    fn supply(&mut self, parts: &[String]) -> Result<(), String> {
        for part in parts {
            let bytes = std::fs::read(self.folder.join(part))
                .map_err(|error| format!("catalog part {part}: {error}"))?;
            self.world
                .supply(part, bytes)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// Builds one Dockerfile.
fn one(text: &str, catalog: &mut Catalog) -> Result<Found, String> {
    let mut found = Found::default();
    let mut text = text.to_owned();
    let mut counted = BTreeSet::new();
    let mut desk = Desk::new(World::START);
    let edit = |desk: &mut Desk, edit: &Edit| {
        desk.apply(edit, &mut Tally::default())
            .map_err(|refusal| refusal.to_string())
    };
    let options = BuildOptions {
        secrets: secrets(&text),
        ..BuildOptions::default()
    };
    edit(&mut desk, &Edit::Options { options })?;
    for round in 0..=MAX_FAILURES {
        edit(&mut desk, &Edit::Dockerfile { text: text.clone() })?;
        let plan = loop {
            match plan_of(&desk.workspace, &catalog.world) {
                Ok(plan) => break plan,
                Err(Unready::Needs(parts)) => catalog.supply(&parts)?,
                Err(Unready::Fails(error)) => {
                    let what = match error.message.as_str() {
                        m if m.contains("failed to resolve source metadata") => "(base image)",
                        _ => "(plan)",
                    };
                    found.failures.push((what.into(), error.message));
                    return Ok(found);
                }
            }
        };
        if round == 0 {
            for (path, (bytes, mode)) in context::files(&plan, &text) {
                let mode = Some(mode);
                // A path that cannot be is a case of its own: the step that asks for it fails.
                let _ = edit(&mut desk, &Edit::Write { path, bytes, mode });
            }
        }
        let report = loop {
            let mut building = match desk.clone().begin(&catalog.world) {
                Ok(building) => building,
                Err(parts) => {
                    catalog.supply(&parts)?;
                    continue;
                }
            };
            while let Err(parts) = building.run(&catalog.world) {
                catalog.supply(&parts)?;
            }
            desk = building.finish();
            let last = desk.last_build().ok_or("a build left nothing")?;
            break last.clone();
        };
        count(&report.report, &mut counted, &mut found);
        let Some(error) = &report.report.error else {
            return Ok(found);
        };
        let failed = report
            .report
            .steps
            .iter()
            .find(|s| s.status == Status::Failed);
        let what = match failed {
            Some(step) => culprit(&step.commands, &step.text),
            None => "(build)".into(),
        };
        let log = failed.map(|step| {
            let tail = step.log.iter().rev().take(3).rev();
            tail.map(|line| line.text.as_str())
                .collect::<Vec<_>>()
                .join(" | ")
        });
        let message = format!(
            "{}: {}",
            log.unwrap_or_default(),
            error.message.lines().next().unwrap_or_default()
        );
        found.failures.push((what, message));
        let span = failed
            .and_then(|step| step.instructions.first())
            .and_then(|at| plan.instructions.get(*at))
            .map(|instruction| instruction.span);
        let Some(span) = span else {
            return Ok(found);
        };
        let (Some(before), Some(after)) = (text.get(..span.start), text.get(span.end..)) else {
            return Ok(found);
        };
        let newline = if after.starts_with('\n') || after.is_empty() {
            ""
        } else {
            "\n"
        };
        text = format!("{before}LABEL left=out{newline}{after}");
    }
    Ok(found)
}

/// A value for every secret that the text names.
fn secrets(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for piece in text.split("type=secret").skip(1) {
        let Some(at) = piece.find("id=") else {
            continue;
        };
        let id: String = piece[at + 3..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect();
        found.insert(id, "secret".into());
    }
    found
}

/// Counts the commands of steps that ran in this build and were not counted yet.
fn count(report: &Report, counted: &mut BTreeSet<String>, found: &mut Found) {
    for step in &report.steps {
        if matches!(step.status, Status::Cached | Status::Skipped) {
            continue;
        }
        // A command in a loop counts once, and a step once, whatever is built again.
        let mut seen = BTreeSet::new();
        for (at, command) in step.commands.iter().enumerate() {
            if !seen.insert(&command.args) {
                continue;
            }
            let key = format!("{}\n{}\n{}", step.stage, step.text, command.args.join("\0"));
            if !counted.insert(key) {
                continue;
            }
            found.commands += 1;
            let runs_others = step
                .commands
                .get(at + 1)
                .is_some_and(|next| next.depth > command.depth);
            if command.fidelity == Fidelity::NotSimulated {
                found.missed.push(shown(command));
            } else if command.exit_code == NOT_FOUND && !runs_others {
                // The shell did its part, but the program is not there: nothing of it is simulated.
                found.missed.push(format!("{} (not found)", shown(command)));
            } else {
                found.simulated += 1;
            }
        }
    }
}

/// The program of a command, and its verb where it is one of many.
fn shown(command: &CommandReport) -> String {
    let mut words = command.args.iter().map(String::as_str);
    let name = context::base(words.next().unwrap_or_default());
    let verb = words
        .find(|word| !word.starts_with('-'))
        .unwrap_or_default();
    let known = [
        "git", "npm", "yarn", "go", "apk", "apt-get", "pip", "gpg", "python", "python3", "node",
        "npx", "pip3", "curl", "dpkg",
    ];
    if known.contains(&name) && !verb.is_empty() {
        let verb: String = verb.chars().take(20).collect();
        return format!("{name} {verb}");
    }
    name.to_owned()
}

/// What a step failed at: the last command that failed and ran no other that did.
fn culprit(commands: &[CommandReport], text: &str) -> String {
    let failed = commands.iter().rev().find(|command| command.exit_code != 0);
    match failed {
        Some(command) => shown(command),
        None => text
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}
