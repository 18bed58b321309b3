#![allow(dead_code, reason = "each test crate uses some of it")]
//! What the tests of the catalog share: a world that loads its parts from the served files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use layerwise::dockerfile::reference::Reference;
use layerwise::fs::{Content, Fs, Overlay, Process, Vfs, diff};
use layerwise::image::{Layer, Platform};
use layerwise::run::{Host, Machine, Outcome, Part, Response, Spec, execute};
use layerwise::world::{BaseImage, Missing, World};

/// The folder of the served catalog.
pub fn catalog() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../public/catalog")
}

/// Supplies parts by name.
pub fn supply(world: &mut World, parts: &[String]) {
    for part in parts {
        let bytes = std::fs::read(catalog().join(part)).expect(part);
        world.supply(part, bytes).expect(part);
    }
}

/// Looks an image up as a page does: supplies what is asked for until nothing is.
pub fn image(world: &mut World, name: &str) -> Result<Arc<BaseImage>, Missing> {
    let reference = Reference::parse(name).expect("a sound name");
    let platform = Platform {
        architecture: "amd64".into(),
        os: "linux".into(),
        variant: None,
    };
    loop {
        match world.image(&reference, &platform) {
            Err(Missing::Needs(parts)) => supply(world, &parts),
            other => return other,
        }
    }
}

/// A run's view of a world; it loads the parts that are asked for.
struct Everything<'w>(&'w mut World);

impl Host for Everything<'_> {
    fn machine(&self) -> Machine {
        self.0.machine
    }

    fn part(&mut self, name: &str) -> Part {
        if let Part::NotLoaded = self.0.part(name) {
            supply(self.0, &[name.to_owned()]);
        }
        self.0.part(name)
    }

    fn fetch(&mut self, url: &str) -> Option<Response> {
        self.0.fetch(url)
    }
}

/// A container of a base image in which commands run one after the other.
pub struct Container {
    pub world: World,
    pub vfs: Vfs,
    pub spec: Spec,
    lower: Fs,
}

impl Container {
    /// A container of `image`, as root in `/app`.
    pub fn of(name: &str) -> Container {
        let mut world = World::new();
        let base = image(&mut world, name).expect(name);
        let lower = base.image.fs();
        let clock = layerwise::fs::Clock::at(world.clock);
        let mut vfs = Vfs::new(Overlay::over(&lower, clock));
        vfs.mkdir(&Process::root(), "/app", 0o755).expect("/app");
        let mut spec = Spec::new([""]);
        spec.cwd = "/app".into();
        for pair in &base.image.config.config.env {
            let (name, value) = pair.split_once('=').expect("a variable");
            spec.env.push((name.to_owned(), value.to_owned()));
        }
        spec.env.push(("HOME".into(), "/root".into()));
        Container {
            world,
            vfs,
            spec,
            lower,
        }
    }

    /// Writes a file.
    pub fn write(&mut self, path: &str, text: &str) {
        self.vfs
            .write(&Process::root(), path, Content::from(text))
            .expect(path);
    }

    /// Runs a command line without quotes.
    pub fn run(&mut self, line: &str) -> Outcome {
        self.spec.args = line.split_whitespace().map(str::to_owned).collect();
        execute(&mut self.vfs, &self.spec, &mut Everything(&mut self.world)).expect("no interrupt")
    }

    /// Runs a command that succeeds, and gives its seconds.
    pub fn ok(&mut self, line: &str) -> f64 {
        let outcome = self.run(line);
        assert_eq!(outcome.exit_code, 0, "{line}: {}", log(&outcome));
        outcome.nanos as f64 / 1e9
    }

    /// The layer that the commands so far have made.
    pub fn layer(&self) -> Layer {
        Layer::from_changes(diff(&self.lower, self.vfs.root_fs()), None)
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> String {
        self.vfs.root_fs().read_text(path).expect(path)
    }

    /// Whether something is at `path`.
    pub fn has(&self, path: &str) -> bool {
        self.vfs.root_fs().follow(path).is_ok()
    }
}

/// The log as one text.
pub fn log(outcome: &Outcome) -> String {
    let lines: Vec<&str> = outcome.log.iter().map(|line| line.text.as_str()).collect();
    lines.join("\n")
}

/// Asserts that `got` is within 10 % of what was measured.
pub fn near(what: &str, got: u64, measured: u64) {
    let off = got as f64 / measured as f64;
    println!("{what}: {got}, measured {measured}: {off:.3}");
    assert!((0.9..=1.1).contains(&off), "{what}: {got} for {measured}");
}
