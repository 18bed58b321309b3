//! Acting a scenario out, and writing down what is observed in the form of the recordings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use layerwise::build::cache::Cache;
use layerwise::build::error::BuildError;
use layerwise::build::options::{NoCache, Options};
use layerwise::build::plan::{Images, NoImage, PlanError, plan};
use layerwise::build::remote::{Exported, Mode};
use layerwise::build::report::{Report, Status};
use layerwise::build::solve::{Builder, Job};
use layerwise::context::{Context, Ignore, Sender};
use layerwise::dockerfile::globals::Request;
use layerwise::dockerfile::platform::Platform;
use layerwise::dockerfile::reference::Reference;
use layerwise::dockerfile::scope::BaseConfig;
use layerwise::fs::{Change, Clock, Kind, Time, base_name};
use layerwise::image::{Digest, Image, Index, Layer};
use layerwise::lint;
use layerwise::run::{Limits, Offline};
use layerwise::world::{BaseImage, World};
use serde_json::{Map, Value, json};

use super::scenario::{BuildOptions, Scenario, decode_base64};

/// When the first scenario begins: a time like that of a recording.
const START: Time = Time::from_secs(1_785_000_000);

/// Acts a scenario out; gives one item a build, in the form of `expected.json`.
///
/// # Errors
/// An edit that cannot be done.
pub fn act(scenario: &Scenario, base_name: &str, base: &Image) -> Result<Vec<Value>, String> {
    let mut world = World::new();
    let reference = Reference::parse(base_name)?;
    world.publish(&reference, base.clone());
    let mut session = Session {
        world,
        base: base.clone(),
        context: Context::new(START),
        cache: Cache::new(),
        caches: BTreeMap::new(),
        clock: Clock::at(START),
        sender: Sender::default(),
    };
    let mut out = Vec::new();
    for step in &scenario.steps {
        session.context.advance_to(session.clock.now());
        step.edit(&mut session.context)?;
        if step.fresh {
            session.cache = Cache::new();
        }
        out.push(session.build(&step.build));
        session.clock.advance(1_000_000_000);
    }
    Ok(out)
}

struct Session {
    world: World,
    base: Image,
    context: Context,
    cache: Cache,
    /// The exported caches by name.
    caches: BTreeMap<String, Exported>,
    clock: Clock,
    sender: Sender,
}

impl Session {
    fn build(&mut self, options: &BuildOptions) -> Value {
        let path = options.dockerfile.as_deref().unwrap_or("Dockerfile");
        let Some(text) = self.context.fs().read_text(path) else {
            let name = base_name(path);
            let message =
                format!("failed to read dockerfile: open {name}: no such file or directory");
            return failed(&message, None, &[], Vec::new(), Vec::new());
        };
        let ignore = match self.context.ignore(path) {
            Ok(ignore) => ignore,
            Err(error) => return failed(&error.to_string(), None, &[], Vec::new(), Vec::new()),
        };
        let (cache_to, cache_from) = (&options.cache_to, &options.cache_from);
        let options = match build_options(options) {
            Ok(options) => options,
            Err(error) => return failed(&error, None, &[], Vec::new(), Vec::new()),
        };
        let checked = self.lint(&text, &options, &ignore);
        let mut warnings: Vec<Value> = checked.sorted().into_iter().map(warning).collect();
        warnings.dedup();
        let mut images = Recorded(&mut self.world);
        let planned = plan(&text, &options, &mut images);
        let wanted = |error: &&layerwise::dockerfile::diagnostic::Diagnostic| {
            error.code == "invalid-check-options" || error.code == "lint-violation"
        };
        if let Some(error) = checked.error.as_ref().filter(wanted)
            && (planned.is_ok() || error.code == "invalid-check-options")
        {
            return failed_with(&BuildError::from(error), warnings, Vec::new());
        }
        let plan = match planned {
            Ok(plan) => Arc::new(plan),
            Err(PlanError::Failed(error)) => return failed_with(&error, warnings, Vec::new()),
            Err(PlanError::Needs(parts)) => {
                let message = format!("parts of the catalog are missing: {parts:?}");
                return failed(&message, None, &[], warnings, Vec::new());
            }
        };
        let paths = plan.context_paths.clone().unwrap_or_default();
        let sent = self
            .sender
            .send(self.context.fs(), ignore.matcher(), &paths);
        let mut builder = Builder::new(Job {
            plan,
            options,
            context: sent,
            cache: self.cache.clone(),
            imports: cache_from
                .iter()
                .filter_map(|name| self.caches.get(name).cloned())
                .collect(),
            clock: self.clock,
            limits: Limits::default(),
        });
        if let Err(parts) = builder.run(&mut Offline) {
            let message = format!("parts of the catalog are missing: {parts:?}");
            return failed(&message, None, &[], warnings, Vec::new());
        }
        let (report, cache, clock) = builder.finish();
        (self.cache, self.clock) = (cache, clock);
        let steps = steps(&report);
        match (&report.error, &report.image) {
            (Some(error), _) => failed_with(error, warnings, steps),
            (None, Some(image)) => {
                if let Some(index) = report.index() {
                    for (to, cache) in cache_to.iter().zip(&report.caches) {
                        self.caches.insert(to.name.clone(), cache.clone());
                    }
                    return several(&report, &index, warnings, steps);
                }
                let mut out = succeeded(image, &self.base, warnings, steps);
                for (to, cache) in cache_to.iter().zip(&report.caches) {
                    self.caches.insert(to.name.clone(), cache.clone());
                    if to.mode != "inline" {
                        let item = json!({
                            "records": cache.keys(),
                            "results": cache.results().count(),
                            "layers": chains(cache),
                        });
                        let list = out.as_object_mut().map(|out| out.entry("exported"));
                        let list = list.map(|list| list.or_insert_with(|| json!([])));
                        if let Some(Value::Array(list)) = list {
                            list.push(item);
                        }
                    }
                }
                out
            }
            (None, None) => failed("the build did not end", None, &[], warnings, steps),
        }
    }

    fn lint(&self, text: &str, options: &Options, ignore: &Ignore) -> lint::Report {
        let outside = Outside {
            world: &self.world,
            ignore: IgnoreFile(ignore),
        };
        lint::lint(
            text,
            &lint::Options {
                request: Request {
                    build_args: options.build_args.clone(),
                    target: options.target.clone(),
                    build_platform: Platform::linux_amd64(),
                    target_platform: options.platform.clone(),
                },
                all_stages: false,
                outside: &outside,
            },
        )
    }
}

/// The world, in which what is not published does not exist.
struct Recorded<'a>(&'a mut World);

impl Images for Recorded<'_> {
    fn resolve(
        &mut self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Arc<BaseImage>, NoImage> {
        self.0
            .resolve(reference, platform)
            .map_err(|error| match error {
                NoImage::Needs(_) => NoImage::Absent {
                    message: format!(
                        "failed to resolve source metadata for {reference}: {reference}: not found"
                    ),
                    help: None,
                },
                other => other,
            })
    }
}

struct Outside<'a> {
    world: &'a World,
    ignore: IgnoreFile<'a>,
}

struct IgnoreFile<'a>(&'a Ignore);

impl lint::Outside for Outside<'_> {
    fn image(&self, name: &Reference, platform: &Platform) -> Result<BaseConfig, String> {
        let mut world = self.world.clone();
        let image = Recorded(&mut world)
            .resolve(name, platform)
            .map_err(|error| format!("{error:?}"))?;
        Ok(layerwise::build::plan::base_config(&image.image.config))
    }

    fn ignored(&self) -> Option<&dyn lint::Ignored> {
        (!self.ignore.0.patterns.is_empty()).then_some(&self.ignore)
    }
}

impl lint::Ignored for IgnoreFile<'_> {
    fn has_exceptions(&self) -> bool {
        self.0.matcher().has_exclusions()
    }

    fn ignores_all(&self) -> bool {
        let all = ["*", "**", "**/*"];
        self.0
            .patterns
            .iter()
            .any(|pattern| all.contains(&pattern.as_str()))
    }

    fn ignores(&self, path: &str) -> bool {
        self.0.matcher().matches(path).matched
    }
}

fn build_options(given: &BuildOptions) -> Result<Options, String> {
    let mut options = Options {
        target: given.target.clone(),
        build_args: given.build_args.clone(),
        labels: given.labels.clone(),
        no_cache: if given.no_cache {
            NoCache::All
        } else if given.no_cache_filter.is_empty() {
            NoCache::Never
        } else {
            NoCache::Stages(given.no_cache_filter.clone())
        },
        ..Options::default()
    };
    let secrets = given.secrets.iter();
    options.secrets = secrets
        .map(|(id, text)| (id.clone(), text.clone().into_bytes()))
        .collect();
    for to in &given.cache_to {
        options.cache_to.push(match to.mode.as_str() {
            "min" => Mode::Min,
            "max" => Mode::Max,
            "inline" => Mode::Inline,
            mode => return Err(format!("there is no cache mode {mode}")),
        });
    }
    if let Some(platforms) = &given.platform {
        let mut platforms = platforms
            .split(',')
            .map(|text| Platform::parse(text).map(|platform| platform.normalized()));
        if let Some(first) = platforms.next() {
            options.platform = first?;
        }
        options.more_platforms = platforms.collect::<Result<_, _>>()?;
    }
    Ok(options)
}

fn warning(warning: &layerwise::dockerfile::diagnostic::Diagnostic) -> Value {
    json!({
        "rule": warning.code,
        "line": warning.lines.first().map(|lines| lines.first),
        "message": warning.message,
    })
}

fn steps(report: &Report) -> Vec<Value> {
    let step = |step: &layerwise::build::report::Step| {
        let cached = step.status == Status::Cached;
        json!({"name": step.name, "cached": cached, "status": step.status})
    };
    report.steps.iter().map(step).collect()
}

fn failed_with(error: &BuildError, warnings: Vec<Value>, steps: Vec<Value>) -> Value {
    // Where there are several places, the last one is printed first.
    let line = error
        .lines
        .last()
        .map(|lines| lines.first)
        .filter(|line| *line > 0);
    failed(&error.message, line, &error.line_numbers(), warnings, steps)
}

fn failed(
    message: &str,
    line: Option<u32>,
    lines: &[u32],
    warnings: Vec<Value>,
    steps: Vec<Value>,
) -> Value {
    let mut out = json!({
        "ok": false,
        // Recorded without the white space around it.
        "error": message.trim(),
        "steps": steps,
        "warnings": warnings,
        "config": null,
        "configDigest": null,
        "manifestDigest": null,
        "layers": [],
        "errorLine": line,
    });
    if !lines.is_empty() {
        out["errorLines"] = json!(lines);
    }
    out
}

fn succeeded(image: &Image, base: &Image, warnings: Vec<Value>, steps: Vec<Value>) -> Value {
    let from_base = |layer: &Layer| base.layers.iter().any(|b| b.diff_id == layer.diff_id);
    let layers: Vec<Value> = image
        .layers
        .iter()
        .map(|layer| {
            let mut out = json!({"diffId": layer.diff_id, "size": layer.size});
            if from_base(layer) {
                out["fromBase"] = json!(true);
            } else {
                let tar = layer.tar().unwrap_or_default();
                let pax = pax_records(&tar);
                let entries = layer.changes.iter().zip(pax);
                out["entries"] = entries.map(|(change, pax)| entry(change, pax)).collect();
            }
            out
        })
        .collect();
    let mut config: Value = serde_json::from_slice(&image.config_json).unwrap_or(Value::Null);
    // Keys and times in it are each builder's own.
    let inline = config
        .as_object_mut()
        .and_then(|config| config.remove("moby.buildkit.cache.v0"));
    let digest = |digest| {
        if inline.is_some() {
            Value::Null
        } else {
            json!(digest)
        }
    };
    let mut out = json!({
        "ok": true,
        "error": null,
        "steps": steps,
        "warnings": warnings,
        "config": config,
        "configDigest": digest(image.id()),
        "manifestDigest": digest(image.manifest_digest()),
        "layers": layers,
    });
    if let Some(records) = inline.as_ref().and_then(Value::as_str) {
        out["inline"] = inline_shape(records);
    }
    out
}

/// A build for several platforms.
fn several(report: &Report, index: &Index, warnings: Vec<Value>, mut steps: Vec<Value>) -> Value {
    steps.sort_by_key(|step| step["name"].as_str().map(str::to_owned));
    let image = |(platform, image): &(layerwise::image::Platform, Image)| {
        let layer = |layer: &Layer| json!({"diffId": layer.diff_id, "size": layer.size});
        let layers: Vec<Value> = image.layers.iter().map(layer).collect();
        json!({
            "platform": platform,
            "config": serde_json::from_slice::<Value>(&image.config_json).unwrap_or(Value::Null),
            "configDigest": image.id(),
            "manifestDigest": image.manifest_digest(),
            "layers": layers,
        })
    };
    let images: Vec<Value> = report.platforms.iter().map(image).collect();
    json!({
        "ok": true,
        "error": null,
        "steps": steps,
        "warnings": warnings,
        "config": null,
        "configDigest": null,
        "manifestDigest": null,
        "layers": [],
        "indexDigest": Digest::of(&index.to_json_bytes()),
        "images": images,
    })
}

/// How many layers there are, each counted once on each layer below.
fn chains(cache: &Exported) -> usize {
    let mut found = BTreeSet::new();
    for record in cache.results() {
        let layers = record.result.layers.iter();
        let ids: Vec<_> = layers.map(|layer| layer.layer().diff_id).collect();
        found.extend((1..=ids.len()).map(|end| ids[..end].to_vec()));
    }
    found.len()
}

/// How many records there are, and the layers that results are given by.
fn inline_shape(text: &str) -> Value {
    let records = decode_base64(text).unwrap_or_default();
    let records: Vec<Value> = serde_json::from_slice(&records).unwrap_or_default();
    let all = |list: &str, item: &str| {
        let lists = records.iter().filter_map(|record| record[list].as_array());
        let mut found: Vec<Value> = lists.flatten().map(|result| result[item].clone()).collect();
        found.sort_by_key(ToString::to_string);
        found
    };
    json!({
        "records": records.len(),
        "layers": all("layers", "layer"),
        "chains": all("chains", "layers"),
    })
}

/// The extended records of each entry of a layer's tar.
fn pax_records(tar: &[u8]) -> impl Iterator<Item = Option<Value>> + use<> {
    const BLOCK: usize = 512;
    let mut out = Vec::new();
    let (mut at, mut records) = (0, None);
    while let Some(header) = tar.get(at..at + BLOCK).filter(|block| block[0] != 0) {
        let size = String::from_utf8_lossy(&header[124..135]).into_owned();
        let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).unwrap_or(0);
        let data = tar.get(at + BLOCK..at + BLOCK + size).unwrap_or_default();
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
        if header[156] == b'x' {
            let mut map = Map::new();
            let mut rest = data;
            while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
                let length = String::from_utf8_lossy(&rest[..space])
                    .parse()
                    .unwrap_or(rest.len());
                let (record, after) = rest.split_at(length.clamp(space + 1, rest.len()));
                let text = String::from_utf8_lossy(&record[space + 1..]).into_owned();
                if let Some((key, value)) = text.trim_end_matches('\n').split_once('=') {
                    map.insert(key.to_string(), json!(value));
                }
                rest = after;
            }
            records = Some(Value::Object(map));
        } else {
            out.push(records.take());
        }
    }
    out.into_iter().chain(std::iter::repeat(None))
}

fn entry(change: &Change, pax: Option<Value>) -> Value {
    let mut out = Map::new();
    if let Some(pax) = pax {
        out.insert("pax".into(), pax);
    }
    let mut put = |key: &str, value: Value| out.insert(key.to_string(), value);
    let (inode, hard_link) = match change {
        Change::Whiteout { path, .. } => {
            let at = path.len() - base_name(path).len();
            put("path", json!(format!("{}.wh.{}", &path[..at], &path[at..])));
            put("type", json!("file"));
            put("mode", json!("0000"));
            put("uid", json!(0));
            put("gid", json!(0));
            put("size", json!(0));
            put("linkname", json!(""));
            return Value::Object(out);
        }
        Change::Put {
            inode, hard_link, ..
        } => (inode, hard_link),
    };
    let path = change.path();
    let (kind, link) = match (&inode.kind, hard_link) {
        (_, Some(first)) => ("hardlink", first.as_str()),
        (Kind::File(_), _) => ("file", ""),
        (Kind::Dir(_), _) => ("dir", ""),
        (Kind::Symlink(target), _) => ("symlink", &**target),
        (Kind::CharDevice(..), _) => ("char", ""),
        (Kind::BlockDevice(..), _) => ("block", ""),
        (Kind::Fifo, _) => ("fifo", ""),
        (Kind::Socket, _) => ("socket", ""),
    };
    let is_dir = inode.is_dir();
    put(
        "path",
        json!(format!("{path}{}", if is_dir { "/" } else { "" })),
    );
    put("type", json!(kind));
    let mode = if kind == "symlink" {
        0o777
    } else {
        inode.meta.mode
    };
    put("mode", json!(format!("{mode:04o}")));
    put("uid", json!(inode.meta.uid));
    put("gid", json!(inode.meta.gid));
    let content = inode.file().filter(|_| hard_link.is_none());
    let size = content.map_or(0, layerwise::fs::Content::size);
    put("size", json!(size));
    put("linkname", json!(link));
    if let Some(content) = content.filter(|_| size > 0) {
        put(
            "sha256",
            json!(layerwise::image::Digest(content.sha256()).hex()),
        );
    }
    let mtime = inode.meta.mtime.secs().min(0);
    if mtime != 0 {
        put("mtime", json!(mtime));
    }
    if let Kind::CharDevice(major, minor) | Kind::BlockDevice(major, minor) = inode.kind {
        put("dev", json!([major, minor]));
    }
    Value::Object(out)
}

/// The category of a scenario folder: the name of the folder above it.
pub fn category(folder: &Path) -> String {
    let above = folder.parent().and_then(Path::file_name);
    above.unwrap_or_default().to_string_lossy().into_owned()
}
