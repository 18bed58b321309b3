//! A build as text: progress, history, inspect, blobs, reports.

use crate::cli::progress::{self, Told};
use crate::cli::{Desktop, split_words};
use crate::context::Sender;
use crate::dockerfile::reference::Reference;
use crate::engine::{Build, DOCKERFILE, Refusal, sent};
use crate::image::Image;
use crate::run::Interrupt;
use crate::view::{Reply, Text, TextView, report};

use super::Session;
use super::reading::check;

/// The name of an image without a tag, for commands that need one.
const NAME: &str = "image";

impl Session {
    /// A build as text.
    pub(super) fn text(&mut self, number: u32, text: Text) -> Result<Reply, Refusal> {
        let build = self.find_build(number)?;
        let view = match text {
            Text::Plain | Text::Tty => {
                let told = self.told(&build);
                let printed = match text {
                    Text::Plain => progress::plain(&build, &told),
                    _ => progress::tty(&build, &told),
                };
                TextView::of_steps(format!("build-{number}.log"), printed.text, &printed.steps)
            }
            Text::Config => blob("config", &image(&build)?.config_json),
            Text::Manifest => blob("manifest", &image(&build)?.manifest().to_json_bytes()),
            Text::Json => {
                let view = self.build_view(&build);
                let name = format!("build-{number}.json");
                TextView::plain(name, report::json(&view, &self.desk.title))
            }
            Text::Markdown => {
                let view = self.build_view(&build);
                let name = format!("build-{number}.md");
                TextView::plain(name, report::markdown(&view, &self.desk.title))
            }
            Text::History => return self.command(&build, false, "history"),
            Text::HistoryWhole => return self.command(&build, false, "history --no-trunc"),
            Text::Classic => return self.command(&build, true, "history"),
            Text::ClassicWhole => return self.command(&build, true, "history --no-trunc"),
            Text::Inspect => return self.command(&build, false, "image inspect"),
        };
        Ok(Reply::Text(view))
    }

    /// What the client of a build knew.
    fn told(&self, build: &Build) -> Told {
        let files = |build: &Build| {
            let ignore = build.workspace.context().ignore(DOCKERFILE).ok()?;
            let plan = build.plan.as_deref()?;
            sent(
                &build.workspace,
                Some(plan),
                &ignore,
                &mut Sender::default(),
            )
            .ok()
        };
        let ignore = build.workspace.context().ignore(DOCKERFILE).ok();
        let ignore_file = ignore.as_ref().filter(|ignore| !ignore.file.is_empty());
        let before = build.number.checked_sub(1);
        let before = before.and_then(|number| self.desk.build(number).ok());
        let text = build.workspace.dockerfile().unwrap_or_default();
        let found = check(&text, &build.workspace, &self.world, ignore.as_ref());
        Told {
            sent: files(build),
            sent_before: before.and_then(|before| files(before)),
            ignore: ignore_file.map(|ignore| {
                let text = build.workspace.files().read_text(&ignore.file);
                (
                    ignore.file.clone(),
                    text.map_or(0, |text| text.len()) as u64,
                )
            }),
            warnings: found
                .distinct()
                .into_iter()
                .map(|found| {
                    let line = found.lines.first().map_or(0, |lines| lines.first);
                    format!("{}: {} (line {line})", found.code, found.message)
                })
                .collect(),
            machine: self.world.machine,
        }
    }

    /// What a command says of a build's image, in an engine that holds it; or of what the classic
    /// builder makes of the same files there.
    fn command(&self, build: &Build, classic: bool, words: &str) -> Result<Reply, Refusal> {
        let mut desktop = Desktop::new(build.workspace.now(), "/work");
        desktop.world = self.world.clone();
        let tag = build.workspace.options().tag.as_deref().unwrap_or(NAME);
        if classic {
            desktop.files = build.workspace.context().clone();
            let mut line = vec!["build".to_string(), "-t".into(), tag.into()];
            let options = build.workspace.options();
            for (name, value) in &options.build_args {
                line.extend(["--build-arg".into(), format!("{name}={value}")]);
            }
            if let Some(target) = &options.target {
                line.extend(["--target".into(), target.clone()]);
            }
            line.push(".".into());
            match desktop.run(&line, &[]) {
                Ok(answer) if answer.code == 0 => {}
                Ok(answer) => {
                    let why = answer.stderr.trim().to_string();
                    return Err(Refusal::new(format!("The classic builder says: {why}"))
                        .help("BuildKit builds more than the classic builder does."));
                }
                Err(Interrupt::Needs(parts)) => return Ok(Reply::Needs(parts)),
                Err(_) => return Err(Refusal::new("The classic build was ended.")),
            }
        } else {
            let name = Reference::parse(tag).ok();
            desktop.daemon.load(image(build)?.clone(), name.as_ref());
        }
        let line = split_words(&format!("{words} {tag}"));
        let answer = desktop.run(&line.unwrap_or_default(), &[]);
        match answer {
            Ok(answer) if answer.code == 0 => {
                let text = String::from_utf8_lossy(&answer.stdout).into_owned();
                let name = words.split(' ').next().unwrap_or(words);
                Ok(Reply::Text(TextView::plain(format!("{name}.txt"), text)))
            }
            Ok(answer) => Err(Refusal::new(answer.stderr.trim())),
            Err(_) => Err(Refusal::new("The command was ended.")),
        }
    }
}

fn image(build: &Build) -> Result<&Image, Refusal> {
    build.report.image.as_ref().ok_or_else(|| {
        Refusal::new(format!("Build {} made no image.", build.number))
            .help("Look at the log of the build for why.")
    })
}

/// A JSON blob of the image, byte for byte.
fn blob(name: &str, bytes: &[u8]) -> TextView {
    TextView {
        digest: Some(crate::image::Digest::of(bytes).to_string()),
        ..TextView::plain(
            format!("{name}.json"),
            String::from_utf8_lossy(bytes).into_owned(),
        )
    }
}
