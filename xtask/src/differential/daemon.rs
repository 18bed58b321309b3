//! Real builds: acting a scenario out in a BuildKit daemon, and writing down what it did.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use layerwise::image::Digest;
use regex_lite::Regex;
use serde_json::{Value, json};

use super::oci;
use crate::Failure;
use crate::conformance::scenario::{BuildOptions, Expected, RecordedEdit, Scenario, decode_base64};

/// How the images are written: as the recorded ones.
const OUTPUT: &str = "compression=uncompressed,force-compression=true,rewrite-timestamp=true";

/// How often the cache is pruned before the daemon is replaced: what the last build used is
/// released a moment later.
const PRUNES: u32 = 5;

/// How often a replaced daemon is asked whether it is there.
const PATIENCE: u32 = 100;

/// A daemon that does nothing else.
pub struct Daemon {
    /// The program `buildctl`.
    pub buildctl: PathBuf,
    /// The daemon's address.
    pub address: String,
    /// A shell command that replaces the daemon by one with an empty state: some failed builds
    /// leave records that cannot be pruned.
    pub restart: Option<String>,
    /// The diff IDs of the base image.
    pub base: Vec<Digest>,
    /// A folder for contexts and images, which is emptied.
    pub work: PathBuf,
    /// What differs between machines and runs.
    pub noise: Noise,
}

impl Daemon {
    /// Acts `scenario` out with an empty cache; gives one item a build, in the form of
    /// `expected.json`.
    ///
    /// # Errors
    /// An edit that cannot be done; a daemon that does not answer.
    pub fn act(&self, scenario: &Scenario) -> Result<Expected, Failure> {
        self.empty_cache()?;
        let context = self.work.join("context");
        let _ = fs::remove_dir_all(&self.work);
        fs::create_dir_all(&context)?;
        let mut builds = Vec::new();
        for step in &scenario.steps {
            for edit in &step.edits {
                apply(&context, edit).map_err(|error| format!("{edit:?}: {error}"))?;
            }
            builds.push(self.build(&context, &step.build)?);
        }
        Ok(Expected { builds })
    }

    fn buildctl(&self) -> Command {
        let mut command = Command::new(&self.buildctl);
        command.arg("--addr").arg(&self.address);
        command.stdin(Stdio::null());
        command
    }

    fn empty_cache(&self) -> Result<(), Failure> {
        for _ in 0..PRUNES {
            self.buildctl().args(["prune", "--all"]).output()?;
            let usage = self.buildctl();
            let usage = { usage }.args(["du", "--format", "{{json .}}"]).output()?;
            let usage = String::from_utf8_lossy(&usage.stdout).trim().to_owned();
            if matches!(&usage[..], "" | "null" | "[]") {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        let restart = self.restart.as_ref();
        let restart = restart.ok_or("the cache does not become empty: give --restart")?;
        let mut shell = Command::new("sh");
        shell.args(["-c", restart]).stdout(Stdio::null()).status()?;
        for _ in 0..PATIENCE {
            let answer = self.buildctl().args(["debug", "workers"]).output()?;
            if answer.status.success() {
                return Ok(());
            }
            sleep(Duration::from_millis(100));
        }
        Err("the daemon did not come back".into())
    }

    fn build(&self, context: &Path, options: &BuildOptions) -> Result<Value, Failure> {
        let image = self.work.join("out.tar");
        let _ = fs::remove_file(&image);
        let output = self.command(context, options, &image)?.output()?;
        let log = Log::read(&output);
        let mut out = json!({
            "ok": output.status.success(),
            "error": null,
            "steps": log.steps(!output.status.success()),
            "warnings": log.warnings(),
            "config": null,
            "configDigest": null,
            "manifestDigest": null,
            "layers": [],
        });
        if output.status.success() {
            oci::describe(&image, &self.base, &mut out)?;
        } else {
            self.noise.failure(&log.rest, context, &mut out);
        }
        let names = out["steps"].as_array_mut().into_iter().flatten();
        for step in names {
            step["name"] = self.noise.clean(step["name"].as_str().unwrap_or_default());
        }
        Ok(out)
    }

    fn command(
        &self,
        context: &Path,
        options: &BuildOptions,
        image: &Path,
    ) -> Result<Command, Failure> {
        let path = options.dockerfile.as_deref().unwrap_or("Dockerfile");
        let file = context.join(path);
        let folder = file.parent().unwrap_or(context);
        let name = file.file_name().unwrap_or_default();
        let mut command = self.buildctl();
        command.args(["build", "--progress", "rawjson"]);
        command.args(["--frontend", "dockerfile.v0"]);
        let mut add = |flag: &str, value: String| {
            command.args([flag, &value]);
        };
        add("--local", format!("context={}", context.display()));
        add("--local", format!("dockerfile={}", folder.display()));
        add("--opt", format!("filename={}", name.display()));
        let platform = options.platform.as_deref().unwrap_or("linux/amd64");
        add("--opt", format!("platform={platform}"));
        add("--opt", "build-arg:SOURCE_DATE_EPOCH=0".into());
        add(
            "--output",
            format!("type=oci,dest={},{OUTPUT}", image.display()),
        );
        if !options.target.is_empty() {
            add("--opt", format!("target={}", options.target));
        }
        for (name, value) in &options.build_args {
            add("--opt", format!("build-arg:{name}={value}"));
        }
        for (name, value) in &options.labels {
            add("--opt", format!("label:{name}={value}"));
        }
        if !options.no_cache && !options.no_cache_filter.is_empty() {
            add(
                "--opt",
                format!("no-cache={}", options.no_cache_filter.join(",")),
            );
        }
        for (id, value) in &options.secrets {
            let file = self.work.join(format!("secret-{id}"));
            fs::write(&file, value)?;
            add("--secret", format!("id={id},src={}", file.display()));
        }
        if options.no_cache {
            command.arg("--no-cache");
        }
        Ok(command)
    }
}

fn apply(context: &Path, edit: &RecordedEdit) -> Result<(), String> {
    let set_mode = |path: &Path, mode: &str| -> Result<(), String> {
        let mode = u32::from_str_radix(mode, 8).map_err(|error| error.to_string())?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|e| e.to_string())
    };
    // Directories and files are made as with umask 022, whatever it is here.
    let parents = |path: &Path| -> Result<(), String> {
        let missing: Vec<&Path> = path.ancestors().take_while(|dir| !dir.is_dir()).collect();
        for dir in missing.into_iter().rev() {
            fs::create_dir(dir).map_err(|error| error.to_string())?;
            set_mode(dir, "755")?;
        }
        Ok(())
    };
    let at = |path: &str| context.join(path);
    let above = |path: &Path| parents(path.parent().unwrap_or(context));
    match edit {
        RecordedEdit::Write {
            path,
            text,
            base64,
            mode,
        } => {
            let path = at(path);
            above(&path)?;
            let bytes = match base64 {
                Some(base64) => decode_base64(base64)?,
                None => text.clone().unwrap_or_default().into_bytes(),
            };
            let new = !path.exists();
            fs::write(&path, bytes).map_err(|error| error.to_string())?;
            match mode {
                Some(mode) => set_mode(&path, mode),
                None if new => set_mode(&path, "644"),
                None => Ok(()),
            }
        }
        RecordedEdit::Delete { path } => {
            let path = at(path);
            let is_dir = path.is_dir() && !path.is_symlink();
            let done = if is_dir {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            done.map_err(|error| error.to_string())
        }
        RecordedEdit::Chmod { path, mode } => set_mode(&at(path), mode),
        RecordedEdit::Touch { path, mtime } => {
            let secs = u64::try_from(*mtime).map_err(|error| error.to_string())?;
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(secs);
            let file = fs::File::open(at(path)).map_err(|error| error.to_string())?;
            file.set_times(fs::FileTimes::new().set_accessed(time).set_modified(time))
                .map_err(|error| error.to_string())
        }
        RecordedEdit::Symlink { path, target } => {
            above(&at(path))?;
            symlink(target, at(path)).map_err(|error| error.to_string())
        }
        RecordedEdit::Mkdir { path, mode } => {
            parents(&at(path))?;
            mode.as_ref()
                .map_or(Ok(()), |mode| set_mode(&at(path), mode))
        }
        RecordedEdit::Rename { from, to } => {
            above(&at(to))?;
            fs::rename(at(from), at(to)).map_err(|error| error.to_string())
        }
    }
}

/// What `buildctl --progress rawjson` printed.
struct Log {
    /// What is known of each vertex in the end, by digest.
    vertexes: BTreeMap<String, Value>,
    warnings: Vec<Value>,
    /// The lines that are no progress.
    rest: String,
}

impl Log {
    fn read(output: &Output) -> Log {
        let mut log = Log {
            vertexes: BTreeMap::new(),
            warnings: Vec::new(),
            rest: String::new(),
        };
        let text = [&output.stdout[..], &output.stderr].concat();
        for line in String::from_utf8_lossy(&text).lines() {
            let Some(status) = Some(line)
                .filter(|line| line.starts_with('{'))
                .and_then(|line| serde_json::from_str::<Value>(line).ok())
            else {
                log.rest += line;
                log.rest.push('\n');
                continue;
            };
            for vertex in status["vertexes"].as_array().into_iter().flatten() {
                let digest = vertex["digest"].as_str().unwrap_or_default().to_owned();
                let known = log.vertexes.entry(digest).or_insert_with(|| json!({}));
                for (key, value) in vertex.as_object().into_iter().flatten() {
                    known[key] = value.clone();
                }
            }
            let warnings = status["warnings"].as_array();
            log.warnings.extend(warnings.into_iter().flatten().cloned());
        }
        log
    }

    /// The vertices of instructions, in order of definition: inputs before users.
    fn steps(&self, failed: bool) -> Vec<Value> {
        let inputs = |vertex: &Value| -> Vec<String> {
            let list = vertex["inputs"].as_array().into_iter().flatten();
            list.filter_map(|input| Some(input.as_str()?.to_owned()))
                .collect()
        };
        let used: BTreeSet<String> = self.vertexes.values().flat_map(inputs).collect();
        let unused = self.vertexes.iter();
        let unused = unused.filter(|(digest, _)| !used.contains(*digest));
        let mut ends: Vec<_> = unused.collect();
        ends.sort_by_key(|(_, vertex)| vertex["name"].as_str());
        let mut order = Vec::new();
        // Whether a vertex's inputs have been put in already.
        let mut stack: Vec<(String, bool)> = ends
            .into_iter()
            .rev()
            .map(|(digest, _)| (digest.clone(), false))
            .collect();
        let mut seen = BTreeSet::new();
        while let Some((digest, ready)) = stack.pop() {
            let Some(vertex) = self.vertexes.get(&digest) else {
                continue;
            };
            if ready {
                order.push(vertex);
            } else if seen.insert(digest.clone()) {
                stack.push((digest, true));
                let inputs = inputs(vertex).into_iter().rev();
                stack.extend(inputs.map(|input| (input, false)));
            }
        }
        let mut steps = Vec::new();
        for vertex in order {
            let name = vertex["name"].as_str().unwrap_or_default();
            let no_instruction = [
                "[internal]",
                "[auth]",
                "exporting ",
                "resolve ",
                "importing ",
            ];
            if no_instruction.iter().any(|start| name.starts_with(start)) {
                continue;
            }
            let error = vertex["error"].as_str().unwrap_or_default();
            let cached = vertex["cached"] == true;
            let status = if !error.is_empty() && !error.contains("context canceled") {
                "failed"
            } else if cached {
                "cached"
            } else if !vertex["completed"].is_null() && error.is_empty() {
                "done"
            } else {
                "skipped"
            };
            steps.push(json!({"name": name, "cached": cached, "status": status}));
        }
        // The stream may end before it says which step failed: it is the first open one.
        if failed && !steps.iter().any(|step| step["status"] == "failed") {
            let open = steps.iter_mut().find(|step| step["status"] == "skipped");
            if let Some(step) = open {
                step["status"] = "failed".into();
            }
        }
        steps
    }

    fn warnings(&self) -> Vec<Value> {
        let mut out = Vec::new();
        for warning in &self.warnings {
            let short = decode_base64(warning["short"].as_str().unwrap_or_default());
            let short = short.unwrap_or_default();
            let short = String::from_utf8_lossy(&short);
            let is_rule = |rule: &str| rule.chars().all(char::is_alphanumeric);
            let named = short.split_once(": ").filter(|(rule, _)| is_rule(rule));
            let (rule, mut message) = match named {
                Some((rule, message)) => (Some(rule), message),
                None => (None, &short[..]),
            };
            let mut line = None;
            if let Some((text, number)) = message
                .strip_suffix(')')
                .and_then(|text| text.rsplit_once(" (line "))
                && let Ok(number) = number.parse::<u64>()
            {
                (message, line) = (text, Some(number));
            }
            line = line.or_else(|| warning["range"][0]["start"]["line"].as_u64());
            let item = (line, rule.map(str::to_owned), message.to_owned());
            if !out.contains(&item) {
                out.push(item);
            }
        }
        out.sort();
        let json = |(line, rule, message)| json!({"rule": rule, "line": line, "message": message});
        out.into_iter().map(json).collect()
    }
}

/// What differs between machines and runs, and is taken out of texts.
pub struct Noise {
    root: Regex,
    image: Regex,
    reference: Regex,
    error: Regex,
    solve: Regex,
    place: Regex,
    marked: Regex,
}

impl Noise {
    /// Prepares the patterns.
    pub fn new() -> Noise {
        let pattern = |text: &str| Regex::new(text).expect("a pattern of this file is valid");
        Noise {
            root: pattern(r"/\S*/cachemounts/buildkit\d+"),
            image: pattern(r"\b[a-z0-9.]+/library/(busybox:1\.36)(@sha256:[0-9a-f]{64})?"),
            reference: pattern(r"\bof ref [a-z0-9]{20,}(::[a-z0-9]{20,})?"),
            error: pattern(r"(?m)^error: "),
            solve: pattern(r"^failed to solve: (rpc error: code = \w+ desc = )?"),
            place: pattern(r"(?m)^(\S+):(\d+)$"),
            marked: pattern(r"(?m)^ *(\d+) \| >>> "),
        }
    }

    fn clean(&self, text: &str) -> Value {
        let text = self.root.replace_all(text, "<root>");
        let text = self.image.replace_all(&text, "$1");
        let text = self.reference.replace_all(&text, "of ref <ref>");
        Value::String(text.into_owned())
    }

    /// Adds what is said of a failure.
    fn failure(&self, text: &str, context: &Path, into: &mut Value) {
        let text = text.trim_end_matches('\n');
        let start = self.error.find(text).map_or(0, |found| found.end());
        let message = self.solve.replace(text[start..].trim(), "").into_owned();
        let message = message.replace(&*context.to_string_lossy(), "<context>");
        into["error"] = self.clean(&message);
        let number = |text: Option<regex_lite::Match<'_>>| text?.as_str().parse::<u32>().ok();
        let place = self.place.captures(text);
        into["errorLine"] = json!(place.and_then(|found| number(found.get(2))));
        let marked = self.marked.captures_iter(text);
        let marked: BTreeSet<u32> = marked.filter_map(|found| number(found.get(1))).collect();
        if !marked.is_empty() {
            into["errorLines"] = json!(marked);
        }
    }
}
