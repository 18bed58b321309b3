//! Going through the instructions, and making the image of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::args::BuildArgs;
use super::copy::Job;
use super::language::{self, Script};
use super::source::{Sent, Source};
use super::state::{Pairs, State, key, resolved, shell_words};
use super::{Commit, Engine, Failure, Options, Stored};
use crate::dockerfile::expand::Lexer;
use crate::dockerfile::instruction::{Command, CommandLine, Instruction, KeyValue, Stage};
use crate::dockerfile::scope::DEFAULT_PATH;
use crate::fs::Overlay;
use crate::image::{Digest, Healthcheck, RunConfig};
use crate::run::{Host, Stream};

/// The name of the image that is none.
const SCRATCH: &str = "scratch";
/// Colours that standard error is shown in.
const RED: &str = "\x1b[91m";
const PLAIN: &str = "\x1b[0m";
/// What only BuildKit can do is refused with a hint to it.
const NEEDS_BUILDKIT: &str = "option requires BuildKit. Refer to \
     https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled";

/// Builds the Dockerfile with that text, and says what it does in `out`.
///
/// # Errors
/// [`Failure`].
pub fn build(
    options: &Options,
    text: &str,
    context: &Sent,
    engine: &mut dyn Engine,
    host: &mut dyn Host,
    out: &mut String,
) -> Result<Option<Digest>, Failure> {
    let mut script = language::read(&options.dockerfile, text).map_err(Failure::Refused)?;
    let stages = &mut script.file.stages;
    if !options.target.is_empty() {
        let target = &options.target;
        let named = |stage: &Stage| stage.name.eq_ignore_ascii_case(target);
        let at = stages.iter().rposition(named).ok_or_else(|| {
            Failure::Refused(format!(
                "failed to reach build target {target} in Dockerfile"
            ))
        })?;
        stages.truncate(at + 1);
    }
    if let Some(last) = stages.last_mut() {
        for (key, value) in &options.labels {
            last.instructions.push(label(key, value));
        }
    }
    let mut builder = Builder {
        options,
        context,
        engine,
        host,
        out,
        escape: script.escape,
        containers: Vec::new(),
        cache: None,
    };
    builder.warn(&script.warnings);
    builder.all(&script)
}

/// LABEL as `--label` adds it: without variables.
fn label(key: &str, value: &str) -> Instruction {
    let code = format!("LABEL {key}={value}");
    Instruction {
        name: "LABEL".into(),
        code,
        comments: Vec::new(),
        lines: Default::default(),
        span: Default::default(),
        name_span: Default::default(),
        flags: Vec::new(),
        args: Vec::new(),
        command: Command::Label(vec![KeyValue {
            key: key.into(),
            value: value.into(),
            legacy: false,
        }]),
    }
}

/// A build under way.
struct Builder<'a> {
    options: &'a Options,
    context: &'a Sent,
    engine: &'a mut dyn Engine,
    host: &'a mut dyn Host,
    out: &'a mut String,
    escape: char,
    /// Containers of the present step.
    containers: Vec<String>,
    /// The images that `--cache-from` names, as long as every step of the stage was found.
    cache: Option<Vec<Digest>>,
}

/// The stages that are done.
#[derive(Default)]
struct Done {
    images: Vec<Option<Digest>>,
    named: BTreeMap<String, usize>,
}

impl Builder<'_> {
    fn warn(&mut self, warnings: &[String]) {
        if !warnings.is_empty() {
            *self.out += &format!("{RED}{}\n{PLAIN}", warnings.join("\n"));
        }
    }

    fn all(&mut self, script: &Script) -> Result<Option<Digest>, Failure> {
        let file = &script.file;
        let steps = |stage: &Stage| 1 + stage.instructions.len();
        let total = file.meta_args.len() + file.stages.iter().map(steps).sum::<usize>();
        let mut step = 0;
        let mut announce = |out: &mut String, code: &str| {
            step += 1;
            *out += &format!("Step {step}/{total} : {code}\n");
        };
        let mut args = BuildArgs::new(&self.options.build_args);
        for meta in &file.meta_args {
            announce(self.out, &meta.code);
            let lexer = Lexer::new(self.escape);
            if let Command::Arg(pairs) = &meta.command {
                for pair in pairs {
                    let visible = Pairs(args.visible());
                    let expand = |word: &str| lexer.expand(word, &visible).into_text();
                    let name = expand(&pair.key).map_err(Failure::step)?;
                    let value = pair.value.as_deref().map(expand).transpose();
                    args.declare_meta(&name, value.map_err(Failure::step)?);
                }
            }
        }
        let mut done = Done::default();
        let mut image = None;
        for stage in &file.stages {
            if !stage.name.is_empty() && done.named.contains_key(&stage.name) {
                let name = &stage.name;
                return Err(Failure::step(format!("{name} stage name already used")));
            }
            announce(self.out, &stage.code);
            let mut state = self.begin(stage, &args, &done)?;
            self.show(&state);
            for instruction in &stage.instructions {
                announce(self.out, &instruction.code);
                self.dispatch(&mut state, instruction.clone(), &done)?;
                self.show(&state);
            }
            args.merge_referenced(&state.args);
            if !stage.name.is_empty() {
                done.named.insert(stage.name.clone(), done.images.len());
            }
            done.images.push(state.image);
            image = Some(state.image);
        }
        let unused = args.unconsumed();
        if !unused.is_empty() {
            let unused = unused.join(" ");
            *self.out +=
                &format!("[Warning] One or more build-args [{unused}] were not consumed\n");
        }
        match image {
            Some(Some(image)) => Ok(Some(image)),
            _ => Err(Failure::step(
                "No image was generated. Is your Dockerfile empty?",
            )),
        }
    }

    fn show(&mut self, state: &State) {
        let id = state.image.map_or(String::new(), |id| id.short());
        *self.out += &format!(" ---> {id}\n");
    }

    /// FROM, with the triggers that the image holds.
    fn begin(&mut self, stage: &Stage, args: &BuildArgs, done: &Done) -> Result<State, Failure> {
        self.cache = (!self.options.no_cache).then(Vec::new);
        if let Some(sources) = &mut self.cache {
            for name in &self.options.cache_from {
                if let Ok(image) = self.engine.image(name, true) {
                    sources.push(image.id());
                }
            }
        }
        let variables = Pairs(args.meta_values());
        let name = Lexer::new(self.escape)
            .expand(&stage.base, &variables)
            .into_text()
            .map_err(Failure::step)?;
        if name.is_empty() {
            let base = &stage.base;
            return Err(Failure::step(format!(
                "base name ({base}) should not be blank"
            )));
        }
        let image = self.base(&name, done)?;
        let mut state = State {
            args: args.for_stage(),
            image: image.as_ref().map(|image| image.id()),
            config: image.map_or_else(RunConfig::default, |i| i.image.config.config.clone()),
            ..State::default()
        };
        if !state.config.env.iter().any(|pair| key(pair) == "PATH") {
            state.config.env.push(format!("PATH={DEFAULT_PATH}"));
        }
        let triggers = std::mem::take(&mut state.config.on_build);
        if !triggers.is_empty() {
            let (count, s) = (triggers.len(), if triggers.len() > 1 { "s" } else { "" });
            *self.out += &format!("# Executing {count} build trigger{s}\n");
        }
        for trigger in triggers {
            let (instructions, _) = language::read_loose(&trigger).map_err(Failure::step)?;
            let [instruction] = <[Instruction; 1]>::try_from(instructions)
                .map_err(|_| Failure::step("onbuild trigger should be a single expression"))?;
            self.dispatch(&mut state, instruction, done)?;
        }
        Ok(state)
    }

    /// The image that a stage is based on; none for `scratch`.
    fn base(&mut self, name: &str, done: &Done) -> Result<Option<Arc<Stored>>, Failure> {
        match done.named.get(&name.to_lowercase()) {
            Some(stage) => done.images[*stage]
                .map(|id| self.engine.stored(id))
                .transpose(),
            None if name == SCRATCH => Ok(None),
            None => self.engine.image(name, false).map(Some),
        }
    }

    fn dispatch(
        &mut self,
        state: &mut State,
        mut instruction: Instruction,
        done: &Done,
    ) -> Result<(), Failure> {
        let outcome = state
            .expand(&mut instruction, self.escape)
            .map_err(Failure::step)
            .and_then(|()| self.run_step(state, &instruction, done));
        let keep = match &outcome {
            Ok(()) => self.options.keep_containers && !self.options.force_remove,
            Err(_) => !self.options.force_remove,
        };
        for container in std::mem::take(&mut self.containers) {
            if !keep {
                self.engine.remove(&container);
                let short = container.get(..12).unwrap_or(&container);
                *self.out += &format!("Removing intermediate container {short}\n");
            }
        }
        outcome
    }

    fn run_step(
        &mut self,
        state: &mut State,
        instruction: &Instruction,
        done: &Done,
    ) -> Result<(), Failure> {
        match &instruction.command {
            Command::Run(run) => {
                if let Some(flag) = run.flags_used.first() {
                    return Err(Failure::step(format!("the --{flag} {NEEDS_BUILDKIT}")));
                }
                self.run_command(state, &run.line)
            }
            Command::Add(add) => {
                if !add.transfer.chmod.is_empty() {
                    return Err(Failure::step(format!("the --chmod {NEEDS_BUILDKIT}")));
                }
                self.transfer(state, instruction, "ADD", &add.transfer.chown, None)
            }
            Command::Copy(copy) => {
                if !copy.transfer.chmod.is_empty() {
                    return Err(Failure::step(format!("the --chmod {NEEDS_BUILDKIT}")));
                }
                let from = match copy.from.as_str() {
                    "" => None,
                    from => Some(self.files_of(from, done).map_err(|failure| {
                        failure.wrapped(&format!("invalid from flag value {from}"))
                    })?),
                };
                self.transfer(state, instruction, "COPY", &copy.transfer.chown, from)
            }
            Command::Workdir(_) => {
                state
                    .apply(&instruction.command, self.escape, self.out)
                    .map_err(Failure::step)?;
                let comment = format!("#(nop) WORKDIR {}", state.config.working_dir);
                let mut config = commented(&state.config, vec![comment]);
                let Some(container) = self.probe_and_create(state, &mut config)? else {
                    return Ok(());
                };
                self.engine.make_workdir(&container)?;
                self.commit(state, &container, config)
            }
            command => {
                let comment = state
                    .apply(command, self.escape, self.out)
                    .map_err(Failure::step)?
                    .unwrap_or_default();
                let mut config = commented(&state.config, vec!["#(nop) ".into(), comment]);
                let Some(container) = self.probe_and_create(state, &mut config)? else {
                    return Ok(());
                };
                self.commit(state, &container, config)
            }
        }
    }

    /// The files that `--from` names: of a stage, by name or number, or of an image.
    fn files_of(&mut self, from: &str, done: &Done) -> Result<Option<Arc<Stored>>, Failure> {
        if let Some(stage) = done.named.get(&from.to_lowercase()) {
            return self.of_stage(*stage, done);
        }
        match from.parse::<i64>() {
            Ok(number) => match usize::try_from(number) {
                Ok(stage) if stage < done.images.len() => self.of_stage(stage, done),
                Ok(stage) if stage == done.images.len() => {
                    Err(Failure::step("refers to current build stage"))
                }
                _ => Err(Failure::step("index out of bounds")),
            },
            Err(_) => self.engine.image(from, false).map(Some),
        }
    }

    fn of_stage(&mut self, stage: usize, done: &Done) -> Result<Option<Arc<Stored>>, Failure> {
        done.images[stage]
            .map(|id| self.engine.stored(id))
            .transpose()
    }

    fn run_command(&mut self, state: &mut State, line: &CommandLine) -> Result<(), Failure> {
        let command = resolved(line, &state.config.shell);
        let args = state.free_args();
        let mut saved = command.clone();
        if !args.is_empty() {
            // What is not seen in the history does not count for the cache either, but that there
            // is something does.
            let shown = args.iter().filter(|(name, _)| state.args.shows(name));
            let mut words: Vec<String> = shown.map(|(n, value)| format!("{n}={value}")).collect();
            crate::order::sort(&mut words);
            words.insert(0, format!("|{}", words.len()));
            words.append(&mut saved);
            saved = words;
        }
        let mut probe = state.config.clone();
        probe.args_escaped = false;
        if !saved.is_empty() {
            probe.entrypoint.clear();
        }
        probe.cmd = saved;
        if self.probe(state, &probe)? {
            return Ok(());
        }
        let mut config = probe.clone();
        config.cmd = command.clone();
        config
            .env
            .extend(args.iter().map(|(n, value)| format!("{n}={value}")));
        if !probe.cmd.is_empty() {
            // Not even the image's own entrypoint.
            config.entrypoint = vec![String::new()];
        }
        config.healthcheck = Some(Healthcheck {
            test: vec!["NONE".into()],
            ..Healthcheck::default()
        });
        let container = self.create(state, &mut config)?;
        let mut output = Output {
            host: self.host,
            out: self.out,
            red: false,
        };
        let code = self.engine.run(&container, &mut output);
        output.end();
        match code? {
            0 => self.commit(state, &container, probe),
            code => Err(Failure::Failed {
                message: format!(
                    "The command '{}' returned a non-zero code: {code}",
                    command.join(" ")
                ),
                code,
            }),
        }
    }

    fn transfer(
        &mut self,
        state: &mut State,
        instruction: &Instruction,
        name: &'static str,
        chown: &str,
        from: Option<Option<Arc<Stored>>>,
    ) -> Result<(), Failure> {
        let (lexer, variables) = (Lexer::new(self.escape), state.variables());
        let words: Result<Vec<String>, String> = instruction
            .args
            .iter()
            .map(|word| lexer.expand(&word.text, &variables).into_text())
            .collect();
        let words = words.map_err(Failure::step)?;
        let Some((dest, sources)) = words.split_last() else {
            return Ok(());
        };
        let source = match &from {
            None => Source::Context(self.context),
            Some(image) => Source::Image(Stored::files(image.as_deref())),
        };
        let job = Job {
            name,
            sources,
            dest,
            chown,
            source: &source,
            keep_owner: from.is_some() && chown.is_empty(),
        };
        let infos = job.infos()?;
        let comment = format!("#(nop) {}", job.comment(&infos));
        let config = commented(&state.config, vec![comment]);
        if self.probe(state, &config)? {
            return Ok(());
        }
        let parent = state.image.map(|id| self.engine.stored(id)).transpose()?;
        let below = Stored::files(parent.as_deref());
        let mut overlay = Overlay::over(&below, *self.engine.clock());
        job.copy(&infos, &state.config.working_dir, &mut overlay)?;
        *self.engine.clock() = overlay.clock;
        let commit = Commit {
            author: state.maintainer.clone(),
            comment: String::new(),
            config: state.config.clone(),
            container: config,
        };
        state.image = Some(self.engine.commit_files(state.image, &overlay, commit)?);
        Ok(())
    }

    /// Whether the step is found; it is then taken.
    fn probe(&mut self, state: &mut State, config: &RunConfig) -> Result<bool, Failure> {
        let Some(sources) = &mut self.cache else {
            return Ok(false);
        };
        let Some(found) = self.engine.cached(state.image, config, sources)? else {
            // What follows a step that is not found is not looked for.
            self.cache = None;
            return Ok(false);
        };
        *self.out += " ---> Using cache\n";
        state.image = Some(found);
        Ok(true)
    }

    fn probe_and_create(
        &mut self,
        state: &mut State,
        config: &mut RunConfig,
    ) -> Result<Option<String>, Failure> {
        if self.probe(state, config)? {
            return Ok(None);
        }
        let container = self.create(state, config)?;
        // The health check is one for the step and the container, which takes over what is open.
        state.config.healthcheck = config.healthcheck.clone();
        Ok(Some(container))
    }

    fn create(&mut self, state: &State, config: &mut RunConfig) -> Result<String, Failure> {
        let container = self.engine.create(config, state.image)?;
        let short = container.get(..12).unwrap_or(&container);
        *self.out += &format!(" ---> Running in {short}\n");
        self.containers.push(container.clone());
        Ok(container)
    }

    fn commit(
        &mut self,
        state: &mut State,
        container: &str,
        made_by: RunConfig,
    ) -> Result<(), Failure> {
        let commit = Commit {
            author: state.maintainer.clone(),
            comment: String::new(),
            config: state.config.clone(),
            container: made_by,
        };
        state.image = Some(self.engine.commit(container, commit)?);
        Ok(())
    }
}

/// The configuration of a container that does nothing but say what the step is.
fn commented(config: &RunConfig, comment: Vec<String>) -> RunConfig {
    let mut config = config.clone();
    config.cmd = shell_words(&config.shell);
    config.cmd.extend(comment);
    config
}

/// Shows what a command writes, standard error in red.
struct Output<'a> {
    host: &'a mut dyn Host,
    out: &'a mut String,
    red: bool,
}

impl Output<'_> {
    fn end(&mut self) {
        if std::mem::take(&mut self.red) {
            *self.out += PLAIN;
        }
    }
}

impl Host for Output<'_> {
    fn output(&mut self, stream: Stream, text: &str) {
        match stream {
            Stream::Stdout => self.end(),
            Stream::Stderr if !self.red => {
                *self.out += RED;
                self.red = true;
            }
            Stream::Stderr => {}
        }
        *self.out += text;
        self.host.output(stream, text);
    }

    fn cancelled(&mut self) -> bool {
        self.host.cancelled()
    }

    fn machine(&self) -> crate::run::Machine {
        self.host.machine()
    }

    fn part(&mut self, name: &str) -> crate::run::Part {
        self.host.part(name)
    }

    fn fetch(&mut self, url: &str) -> Option<crate::run::Response> {
        self.host.fetch(url)
    }
}
