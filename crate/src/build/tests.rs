//! Builds through the public interface: hits, misses and their causes, predictions, limits.

use std::sync::Arc;

use super::cache::Cache;
use super::explain::{Cause, Verdict};
use super::options::{NoCache, Options};
use super::plan::{Plan, plan};
use super::predict::{PredictedStatus, Prediction, predict};
use super::report::{Report, Status};
use super::solve::{Builder, Job, Progress};
use crate::context::{Context, Edit, Sender};
use crate::dockerfile::platform::Platform;
use crate::dockerfile::reference::Reference;
use crate::fs::{Clock, Content, Fs, Kind, Meta, Overlay, Time, diff};
use crate::image::{History, Image, ImageConfig, Layer, validate};
use crate::run::{Host, Limits, Offline, Response};
use crate::world::World;

const START: Time = Time::from_secs(1_700_000_000);

/// A workspace with a cache that builds share.
#[derive(Clone)]
pub(super) struct Bench {
    world: World,
    pub context: Context,
    pub cache: Cache,
    pub clock: Clock,
    options: Options,
}

impl Bench {
    pub fn new() -> Bench {
        let mut world = World::new();
        publish(&mut world, "base", "one");
        let mut context = Context::new(START);
        for (path, text) in [("a.txt", "a"), ("src/b.txt", "b"), ("src/sub/c.txt", "c")] {
            context.write(path, text).expect("a new file");
        }
        Bench {
            world,
            context,
            cache: Cache::new(),
            clock: Clock::at(START),
            options: Options::default(),
        }
    }

    fn job(&mut self, dockerfile: &str) -> Job {
        let plan: Plan = match plan(dockerfile, &self.options, &mut self.world) {
            Ok(plan) => plan,
            Err(error) => panic!("{error:?}"),
        };
        let paths = plan.context_paths.clone().unwrap_or_default();
        let ignore = self.context.ignore("Dockerfile").expect("no ignore file");
        Job {
            context: Sender::default().send(self.context.fs(), ignore.matcher(), &paths),
            plan: Arc::new(plan),
            options: self.options.clone(),
            cache: self.cache.clone(),
            imports: Vec::new(),
            clock: self.clock,
            limits: Limits::default(),
        }
    }

    pub fn build(&mut self, dockerfile: &str) -> Report {
        self.build_with(dockerfile, &mut Offline)
    }

    fn build_with(&mut self, dockerfile: &str, host: &mut dyn Host) -> Report {
        let mut builder = Builder::new(self.job(dockerfile));
        builder.run(host).expect("nothing is needed");
        let (report, cache, clock) = builder.finish();
        (self.cache, self.clock) = (cache, clock);
        self.clock.advance(1_000_000_000);
        if let Some(image) = &report.image {
            assert_eq!(validate(image), Vec::new());
        }
        report
    }

    pub fn predict(&mut self, dockerfile: &str) -> Prediction {
        predict(self.job(dockerfile), &mut Offline)
    }

    fn write(&mut self, path: &str, text: &str) {
        self.context.advance_to(self.clock.now());
        self.context.write(path, text).expect("it can be written");
    }
}

fn publish(world: &mut World, name: &str, text: &str) {
    let mut overlay = Overlay::over(&Fs::empty(), Clock::at(Time::EPOCH));
    let mut make = |dir, name: &str, kind| {
        let meta = Meta::root(0o755, Time::EPOCH);
        overlay.create(dir, name, kind, meta).expect("a free name")
    };
    let bin = make(Fs::ROOT, "bin", Kind::empty_dir());
    for program in ["sh", "true", "false", "sleep"] {
        make(bin, program, Kind::File(Content::new("\x7fELF")));
    }
    make(Fs::ROOT, "version", Kind::File(Content::from(text)));
    let upper = overlay.commit();
    let layer = Layer::from_changes(diff(&Fs::empty(), &upper), None);
    let mut config = ImageConfig::scratch("linux", "amd64", None);
    config.history.push(History::default());
    let image = Image::new(config, vec![layer]).expect("one layer");
    world.publish(&Reference::parse(name).expect("a name"), image);
}

fn statuses(report: &Report) -> String {
    let word = |step: &super::report::Step| match step.status {
        Status::Done => "done",
        Status::Cached => "cached",
        Status::Failed => "failed",
        Status::Skipped => "skipped",
    };
    report.steps.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn causes(report: &Report, step: usize) -> String {
    let causes = &report.steps[step].why.causes;
    causes
        .iter()
        .map(Cause::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

fn predicted(prediction: &Prediction) -> String {
    let word = |item: &super::predict::Predicted| match item.status {
        PredictedStatus::Hit => "hit",
        PredictedStatus::Miss => "miss",
        PredictedStatus::Depends => "depends",
        PredictedStatus::Config => "config",
        PredictedStatus::Unneeded => "unneeded",
        PredictedStatus::Fails => "fails",
    };
    prediction
        .instructions
        .iter()
        .map(word)
        .collect::<Vec<_>>()
        .join(" ")
}

const APP: &str = "FROM base\nWORKDIR /app\nCOPY a.txt .\nCOPY src src/\nENV X=1\nWORKDIR /end\n";

#[test]
fn a_changed_file_is_named_and_starts_a_cascade() {
    let mut bench = Bench::new();
    assert_eq!(statuses(&bench.build(APP)), "done done done done done");
    bench.write("src/sub/c.txt", "changed");
    bench.write("src/new.txt", "new");
    let report = bench.build(APP);
    assert_eq!(statuses(&report), "done cached cached done done");
    assert_eq!(causes(&report, 3), "src/new.txt and 1 more changed");
    let Cause::ContentChanged { files } = &report.steps[3].why.causes[0] else {
        panic!("{:?}", report.steps[3].why.causes);
    };
    assert_eq!(files[0].path, "src/new.txt");
    assert_eq!(files[0].old, None);
    assert_eq!(files[1].path, "src/sub/c.txt");
    assert!(
        files[1]
            .old
            .as_deref()
            .is_some_and(|old| old.starts_with("sha256:"))
    );
    assert_eq!(causes(&report, 4), "[4/5] COPY src src/ missed");
    assert_eq!(report.steps[2].why.verdict, Verdict::Hit);
    assert_eq!(report.steps[2].why.earlier, Some(1));
}

#[test]
fn going_back_hits_all_the_way() {
    let mut bench = Bench::new();
    let first = bench.build(APP).image.expect("it builds");
    bench.write("a.txt", "other");
    let other = bench.build(APP).image.expect("it builds");
    assert_ne!(first.manifest_digest(), other.manifest_digest());
    bench.write("a.txt", "a");
    let report = bench.build(APP);
    assert_eq!(statuses(&report), "done cached cached cached cached");
    let again = report.image.expect("it builds");
    assert_eq!(first.manifest_digest(), again.manifest_digest());
    assert_eq!(report.nanos, 0);
}

#[test]
fn modes_count_and_times_do_not() {
    let mut bench = Bench::new();
    bench.build(APP);
    let mtime = Time::from_secs(5);
    let path = || "a.txt".to_string();
    bench
        .context
        .edit(&Edit::Touch {
            path: path(),
            mtime,
        })
        .expect("it is there");
    assert_eq!(
        statuses(&bench.build(APP)),
        "done cached cached cached cached"
    );
    bench
        .context
        .edit(&Edit::Chmod {
            path: path(),
            mode: 0o755,
        })
        .expect("it is there");
    let report = bench.build(APP);
    let Cause::ContentChanged { files } = &report.steps[2].why.causes[0] else {
        panic!("{:?}", report.steps[2].why.causes);
    };
    assert_eq!(files[0].old.as_deref(), Some("mode 0644, owner 0:0"));
    assert_eq!(files[0].new.as_deref(), Some("mode 0755, owner 0:0"));
}

#[test]
fn commands_variables_and_flags_are_told_apart() {
    let mut bench = Bench::new();
    bench.build("FROM base\nENV A=1\nRUN :\nCOPY a.txt /x\n");
    let report = bench.build("FROM base\nENV A=2\nRUN :\nCOPY a.txt /x\n");
    assert_eq!(causes(&report, 1), "the variable A changed");
    let report = bench.build("FROM base\nENV A=1\nRUN : other\nCOPY a.txt /x\n");
    assert!(
        causes(&report, 1).starts_with("the command changed"),
        "{}",
        causes(&report, 1)
    );
    let report = bench.build("FROM base\nENV A=1\nRUN :\nCOPY --chmod=600 a.txt /x\n");
    assert_eq!(causes(&report, 2), "its chmod changed");
    let report = bench.build("FROM base\nENV A=1\nUSER 5\nRUN :\nCOPY a.txt /x\n");
    assert_eq!(causes(&report, 1), "the user changed");
}

#[test]
fn a_new_base_misses_everything_on_it() {
    let mut bench = Bench::new();
    let file = "FROM base\nCOPY a.txt /\n";
    bench.build(file);
    publish(&mut bench.world, "base", "two");
    let report = bench.build(file);
    assert_eq!(statuses(&report), "done done");
    assert_eq!(causes(&report, 1), "[1/2] FROM base:latest missed");
}

#[test]
fn without_the_cache_a_stage_runs_again() {
    let mut bench = Bench::new();
    bench.build(APP);
    bench.options.no_cache = NoCache::All;
    let report = bench.build(APP);
    // WORKDIR is looked up; what comes after a step that must run is not found.
    assert_eq!(statuses(&report), "done cached done done done");
    assert_eq!(causes(&report, 2), "the cache was turned off");
}

#[test]
fn a_copied_stage_passes_content_on_and_not_its_misses() {
    let mut bench = Bench::new();
    let file = |end: &str| {
        format!(
            "FROM base AS build\nCOPY a.txt /a{end}\nCOPY src/b.txt /b\nFROM base\n\
             COPY --from=build /b /b\nWORKDIR /w\n"
        )
    };
    bench.build(&file("1"));
    let prediction = bench.predict(&file("2"));
    assert_eq!(predicted(&prediction), "hit miss miss hit depends depends");
    let report = bench.build(&file("2"));
    assert_eq!(statuses(&report), "cached done done cached cached");
    assert_eq!(
        predicted(&bench.predict(&file("2"))),
        "hit hit hit hit hit hit"
    );
}

#[test]
fn predictions_come_true() {
    let mut bench = Bench::new();
    let file =
        "ARG V=1\nFROM base AS unused\nRUN :\nFROM base\nLABEL v=1\nCOPY a.txt /a\nCOPY src /s\n";
    assert_eq!(
        predicted(&bench.predict(file)),
        "config unneeded unneeded miss config miss miss"
    );
    bench.build(file);
    bench.write("src/b.txt", "changed");
    let prediction = bench.predict(file);
    assert_eq!(
        predicted(&prediction),
        "config unneeded unneeded hit config hit miss"
    );
    let why = prediction.instructions[6].why.as_ref().expect("a step");
    assert_eq!(why.causes[0].to_string(), "src/b.txt changed");
    assert_eq!((prediction.cached, prediction.steps), (2, 3));
    let delete = Edit::Delete {
        path: "a.txt".into(),
    };
    bench.context.edit(&delete).expect("it is there");
    assert!(predicted(&bench.predict(file)).contains("fails"));
}

#[test]
fn a_missing_source_is_an_error_with_a_place() {
    let mut bench = Bench::new();
    let report = bench.build("FROM base\nWORKDIR /w\nCOPY nope.txt .\nWORKDIR /x\n");
    let error = report.error.clone().expect("nothing is there");
    assert!(
        error.message.ends_with("\"/nope.txt\": not found"),
        "{error}"
    );
    assert_eq!(error.line_numbers(), [3]);
    assert_eq!(statuses(&report), "cached cached failed skipped");
}

#[test]
fn a_build_goes_step_by_step_and_can_be_dropped() {
    let mut bench = Bench::new();
    let mut builder = Builder::new(bench.job(APP));
    let mut rounds = 0;
    let mut last = 0;
    while let Progress::More { done, total, .. } = builder.step(&mut Offline) {
        assert!(done >= last && total == 5);
        (last, rounds) = (done, rounds + 1);
    }
    assert!(rounds >= 4, "{rounds} rounds");
    // Half a build leaves the cache as it was.
    let mut half = Builder::new(bench.job(APP));
    half.step(&mut Offline);
    drop(half);
    assert!(bench.cache.is_empty());
}

#[test]
fn an_unknown_image_is_answered_with_near_names() {
    let mut world = World::new();
    let index = r#"{"images": {"node:20": "node-20", "code:1": "code-1"}, "aliases": [["node:*", "node:20"]]}"#;
    world
        .supply(crate::world::INDEX, index.as_bytes())
        .expect("an index");
    let mut help = |text: &str| match plan(text, &Options::default(), &mut world) {
        Err(super::plan::PlanError::Failed(error)) => {
            assert_eq!(error.kind, super::error::ErrorKind::Image);
            (error.help.clone().unwrap_or_default(), error.line_numbers())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        help("FROM scratch AS a\nFROM ndoe:20-alpine\n"),
        ("Did you mean node:20-alpine?".into(), vec![2])
    );
    assert_eq!(
        help("FROM nodee\nCOPY --from=node:20 / /\n").0,
        "Did you mean node:latest or code?"
    );
    assert!(help("FROM quite/another\n").0.contains("catalog"));
}

#[test]
fn errors_of_the_dockerfile_have_lines() {
    let mut bench = Bench::new();
    let mut fail = |text: &str| match plan(text, &Options::default(), &mut bench.world) {
        Err(super::plan::PlanError::Failed(error)) => (error.message.clone(), error.line_numbers()),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        fail("FROM base\nCOPY --chmod=999 a.txt /\n"),
        (
            "invalid chmod parameter: '999'. it should be octal string and between 0 and 07777"
                .into(),
            vec![2]
        )
    );
    let (message, lines) = fail("FROM base\nADD https://example.org/x.git /x\n");
    assert!(message.contains("is not simulated"), "{message}");
    assert_eq!(lines, [2]);
}

#[test]
fn platforms_and_labels_reach_the_config() {
    let mut bench = Bench::new();
    bench.options.platform = Platform::parse("linux/arm64").expect("a platform");
    bench.options.labels.insert("a".into(), "b".into());
    let image = bench
        .build("FROM scratch\nCOPY a.txt /\n")
        .image
        .expect("it builds");
    assert_eq!(image.config.architecture, "arm64");
    assert_eq!(image.config.config.labels["a"], "b");
}

#[test]
fn one_file_in_several_layers_is_one_layer_each() {
    let mut bench = Bench::new();
    let report = bench.build("FROM base\nCOPY --link src /l/\nCOPY src /p/\nCOPY src /p/\n");
    let image = report.image.as_ref().expect("it builds");
    assert_eq!(image.layers.len(), 4);
    assert!(image.layers[3].is_empty());
    let layers: Vec<_> = report.steps.iter().map(|step| step.layer).collect();
    assert_eq!(layers, [None, Some(1), Some(1), Some(2), Some(3)]);
}

/// A network on which every address serves the same text.
struct Serving(&'static str);

impl Host for Serving {
    fn fetch(&mut self, _: &str) -> Option<Response> {
        Some(Response {
            status: 200,
            body: Content::from(self.0),
        })
    }
}

#[test]
fn a_download_counts_by_its_bytes() {
    let mut bench = Bench::new();
    let file = "FROM base\nADD https://example.org/dir/tool.txt /t/\n";
    let report = bench.build_with(file, &mut Serving("one"));
    let image = report.image.as_ref().expect("it builds");
    let (_, inode) = image.snapshots[1]
        .find("t/tool.txt")
        .map(|(i, n)| (i, n.clone()))
        .expect("it was added");
    assert_eq!((inode.meta.mode, inode.size()), (0o600, 3));
    let again = bench.build_with(file, &mut Serving("one"));
    assert!(statuses(&again).ends_with("cached"), "{}", statuses(&again));
    let other = bench.build_with(file, &mut Serving("two"));
    assert!(
        statuses(&other).ends_with("done done"),
        "{}",
        statuses(&other)
    );
    assert_eq!(
        causes(&other, 1),
        "https://example.org/dir/tool.txt changed"
    );
    let digest = crate::image::Digest::of(b"one");
    let file = format!("FROM base\nADD --checksum={digest} https://example.org/x /x\n");
    assert!(bench.build_with(&file, &mut Serving("one")).ok());
    let error = bench
        .build_with(&file, &mut Serving("two"))
        .error
        .expect("it is another file");
    assert!(error.message.contains("digest mismatch"), "{error}");
    assert_eq!(error.line_numbers(), [2]);
    let error = bench
        .build("FROM base\nADD http://nowhere.invalid/x /x\n")
        .error;
    assert!(error.expect("no network").message.contains("no such host"));
}

#[test]
fn a_failure_ends_what_runs_at_the_same_time() {
    let mut bench = Bench::new();
    let file = "FROM base AS slow\nRUN [\"true\"]\nRUN [\"true\", \"2\"]\nRUN [\"sleep\", \"9\"]\n\
        FROM base AS bad\nRUN [\"true\", \"b\"]\nRUN [\"false\"]\n\
        FROM base AS quick\nRUN [\"true\", \"q\"]\n\
        FROM scratch\nCOPY --from=slow /bin /1\nCOPY --from=bad /bin /2\nCOPY --from=quick /bin /3\n";
    let report = bench.build(file);
    let of = |stage: &str| {
        let steps = report.steps.iter().filter(|step| step.stage == stage);
        steps.map(|step| step.status).collect::<Vec<_>>()
    };
    assert_eq!(of("slow"), [Status::Done, Status::Done, Status::Skipped]);
    assert_eq!(of("bad"), [Status::Done, Status::Failed]);
    assert_eq!(of("quick"), [Status::Done, Status::Done]);
    assert_eq!(
        of("stage-3"),
        [Status::Skipped, Status::Skipped, Status::Skipped]
    );
    let error = report.error.as_ref().expect("false fails");
    assert_eq!(error.line_numbers(), [7]);
    let ends = report
        .steps
        .iter()
        .map(|step| step.start + step.nanos)
        .max();
    assert_eq!(Some(report.nanos), ends);
    // What was taken back is not in the cache either.
    let prediction = bench.predict(file);
    assert_eq!(prediction.instructions[2].status, PredictedStatus::Hit);
    assert_eq!(prediction.instructions[3].status, PredictedStatus::Miss);
}
