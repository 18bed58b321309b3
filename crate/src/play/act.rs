//! Acts: what is done in a play.

use crate::view::{BuildOptions, Edit};

use super::Expect;
use super::words::{mode, words};

/// One act and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// Its line in the play, from 1.
    pub line: u32,
    /// As written.
    pub text: String,
    /// What is done.
    pub doing: Doing,
    /// What is expected then.
    pub expects: Vec<Expect>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Doing {
    /// An edit of the workspace.
    Edit(Edit),
    /// `move COPY . . below RUN npm ci`: the instructions by the beginning of their text.
    Move {
        /// Which one.
        what: String,
        /// Whether it comes below the other one.
        place: Place,
        /// The other one.
        other: String,
    },
    /// `replace src/app.js "old" "new"`, once, in a file or the Dockerfile.
    Replace {
        /// Path in the context.
        path: String,
        /// What stands there.
        old: String,
        /// What stands there afterwards.
        new: String,
    },
    /// `append src/app.js "text"`.
    Append {
        /// Path in the context.
        path: String,
        /// What is added at the end.
        text: String,
    },
    /// `build`, with flags that hold for this build alone.
    Build(Vec<Flag>),
    /// `options`, with flags that replace all options.
    Options(Vec<Flag>),
    /// `predict`: what the next build would do.
    Predict,
    /// `suggest`: better orders.
    Suggest,
    /// `undo`
    Undo,
    /// `redo`
    Redo,
    /// `pause`: here the page shows the play for the first time.
    Pause,
}

/// Where something is moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Directly above the other one.
    Above,
    /// Directly below it.
    Below,
}

/// A flag of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `--target NAME`
    Target(String),
    /// `--build-arg NAME=VALUE`
    BuildArg(String, String),
    /// `--secret ID=TEXT`
    Secret(String, String),
    /// `--label NAME=VALUE`
    Label(String, String),
    /// `--no-cache`
    NoCache,
    /// `--no-cache-filter STAGE`
    NoCacheFilter(String),
    /// `--platform PLATFORM`
    Platform(String),
    /// `--tag NAME`
    Tag(String),
    /// `--cache-to VALUE`
    CacheTo(String),
    /// `--cache-from VALUE`
    CacheFrom(String),
}

impl Flag {
    /// Sets the option.
    pub fn set(&self, options: &mut BuildOptions) {
        match self.clone() {
            Flag::Target(target) => options.target = Some(target),
            Flag::BuildArg(name, value) => drop(options.build_args.insert(name, value)),
            Flag::Secret(id, text) => drop(options.secrets.insert(id, text)),
            Flag::Label(name, value) => drop(options.labels.insert(name, value)),
            Flag::NoCache => options.no_cache = true,
            Flag::NoCacheFilter(stage) => options.no_cache_filter.push(stage),
            Flag::Platform(platform) => options.platform = Some(platform),
            Flag::Tag(tag) => options.tag = Some(tag),
            Flag::CacheTo(value) => options.cache_to.push(value),
            Flag::CacheFrom(value) => options.cache_from.push(value),
        }
    }
}

/// The words that an act can begin with.
const VERBS: &[&str] = &[
    "build", "predict", "suggest", "pause", "undo", "redo", "edit", "write", "append", "replace",
    "move", "mkdir", "link", "delete", "rename", "chmod", "touch", "options", "advance", "clear",
    "machine",
];

/// Reads the line of an act.
///
/// # Errors
/// What is wrong with it, and what is right.
pub fn parse(line: &str) -> Result<Doing, String> {
    if let Some(rest) = line.strip_prefix("move ") {
        return parse_move(rest);
    }
    let words = words(line)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let edit = |edit| Ok(Doing::Edit(edit));
    let own = |word: &str| word.to_string();
    match words.as_slice() {
        ["build", flags @ ..] => Ok(Doing::Build(parse_flags(flags)?)),
        ["options", flags @ ..] => Ok(Doing::Options(parse_flags(flags)?)),
        ["predict"] => Ok(Doing::Predict),
        ["suggest"] => Ok(Doing::Suggest),
        ["pause"] => Ok(Doing::Pause),
        ["undo"] => Ok(Doing::Undo),
        ["redo"] => Ok(Doing::Redo),
        ["edit", path] => edit(Edit::Nudge { path: own(path) }),
        ["write", path, text] => edit(Edit::Write {
            path: own(path),
            bytes: text.as_bytes().to_vec(),
            mode: None,
        }),
        ["append", path, text] => Ok(Doing::Append {
            path: own(path),
            text: own(text),
        }),
        ["replace", path, old, new] | ["replace", path, old, "with", new] => Ok(Doing::Replace {
            path: own(path),
            old: own(old),
            new: own(new),
        }),
        ["mkdir", path] => edit(Edit::Mkdir { path: own(path) }),
        ["link", path, "to", target] => edit(Edit::Symlink {
            path: own(path),
            target: own(target),
        }),
        ["delete", path] => edit(Edit::Delete { path: own(path) }),
        ["rename", from, "to", to] => edit(Edit::Rename {
            from: own(from),
            to: own(to),
        }),
        ["chmod", bits, path] => edit(Edit::Chmod {
            path: own(path),
            mode: mode(bits).ok_or("permission bits are octal, such as 644 or 755")?,
        }),
        ["touch", path] => edit(Edit::Touch { path: own(path) }),
        ["advance", days, "day" | "days"] => edit(Edit::Advance {
            days: days.parse().map_err(|_| "write advance 7 days")?,
        }),
        ["clear", "cache"] => edit(Edit::ClearCache),
        ["machine", name] => edit(Edit::Machine { name: own(name) }),
        ["machine"] => edit(Edit::Machine {
            name: String::new(),
        }),
        [verb, ..] if VERBS.contains(verb) => Err(format!("write {}", usage(verb))),
        [verb, ..] => Err(format!(
            "there is no act `{verb}`; {}",
            nearest(verb, VERBS)
        )),
        [] => Err("there is no act on this line".into()),
    }
}

fn usage(verb: &str) -> &'static str {
    match verb {
        "edit" => "edit PATH",
        "write" => "write PATH \"TEXT\"",
        "append" => "append PATH \"TEXT\"",
        "replace" => "replace PATH \"OLD\" with \"NEW\"",
        "mkdir" => "mkdir PATH",
        "link" => "link PATH to TARGET",
        "delete" => "delete PATH",
        "rename" => "rename OLD to NEW",
        "chmod" => "chmod 755 PATH",
        "touch" => "touch PATH",
        "advance" => "advance 7 days",
        "clear" => "clear cache",
        "machine" => "machine NAME",
        "move" => "move INSTRUCTION below INSTRUCTION",
        _ => "it without anything behind it",
    }
}

/// What somebody may have meant.
pub fn nearest(word: &str, known: &[&str]) -> String {
    match crate::dockerfile::suggest::nearest(word, known.iter().copied(), false) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("known are {}", known.join(", ")),
    }
}

fn parse_move(rest: &str) -> Result<Doing, String> {
    let places = [(" below ", Place::Below), (" above ", Place::Above)];
    places
        .iter()
        .find_map(|(word, place)| {
            let (what, other) = rest.split_once(word)?;
            Some(Doing::Move {
                what: what.trim().to_string(),
                place: *place,
                other: other.trim().to_string(),
            })
        })
        .ok_or_else(|| "write move INSTRUCTION below INSTRUCTION, or above".into())
}

fn parse_flags(words: &[&str]) -> Result<Vec<Flag>, String> {
    let mut flags = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (*word, None),
        };
        if name == "--no-cache" && value.is_none() {
            flags.push(Flag::NoCache);
            continue;
        }
        let mut value = || {
            value
                .or_else(|| words.next().copied())
                .map(String::from)
                .ok_or_else(|| format!("{name} needs a value"))
        };
        let pair = |text: String| {
            text.split_once('=')
                .map(|(a, b)| (a.to_string(), b.to_string()))
                .ok_or_else(|| format!("{name} needs NAME=VALUE"))
        };
        flags.push(match name {
            "--target" => Flag::Target(value()?),
            "--build-arg" => pair(value()?).map(|(a, b)| Flag::BuildArg(a, b))?,
            "--secret" => pair(value()?).map(|(a, b)| Flag::Secret(a, b))?,
            "--label" => pair(value()?).map(|(a, b)| Flag::Label(a, b))?,
            "--no-cache-filter" => Flag::NoCacheFilter(value()?),
            "--platform" => Flag::Platform(value()?),
            "--tag" | "-t" => Flag::Tag(value()?),
            "--cache-to" => Flag::CacheTo(value()?),
            "--cache-from" => Flag::CacheFrom(value()?),
            _ => {
                let known = [
                    "--target",
                    "--build-arg",
                    "--secret",
                    "--label",
                    "--no-cache",
                    "--no-cache-filter",
                    "--platform",
                    "--tag",
                    "--cache-to",
                    "--cache-from",
                ];
                return Err(format!(
                    "there is no flag `{name}`; {}",
                    nearest(name, &known)
                ));
            }
        });
    }
    Ok(flags)
}
