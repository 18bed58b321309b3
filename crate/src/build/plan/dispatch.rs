//! One stage: its instructions, one after the other.

use std::collections::BTreeSet;

use super::graph::{Draft, Drafts};
use super::text;
use super::{Finished, PlanError, PlannedInstruction, Planner, Role};
use super::{base_config, counts_as_step, image_op, scratch_config, some};
use crate::build::error::{BuildError, ConvertError};
use crate::build::op::{FileAction, FileOp, Op, RunMount, RunMountKind, RunOp, proxy_env};
use crate::build::owner::OwnerSpec;
use crate::dockerfile::expand::{Lexer, Variables};
use crate::dockerfile::globals::Globals;
use crate::dockerfile::graph::{Base, Graph, Planned};
use crate::dockerfile::heredoc_word;
use crate::dockerfile::instruction::{
    Command, CommandLine, Healthcheck, Instruction, Mount, MountType, Run,
};
use crate::dockerfile::platform::Platform;
use crate::dockerfile::resolve::Resolved;
use crate::dockerfile::scope::{Scope, Surroundings};
use crate::dockerfile::span::Lines;
use crate::image::ImageConfig;

/// A stage that is being gone through.
pub(super) struct Stage<'s, 'p> {
    pub planner: &'s Planner<'p>,
    pub drafts: &'s mut Drafts,
    /// Its name as steps show it; empty if it is the only one.
    pub label: String,
    lines: Lines,
    pub scope: Scope,
    pub config: ImageConfig,
    /// Its files so far; `None` for an empty filesystem.
    pub root: Option<usize>,
    /// Numbered steps so far and in all.
    index: u32,
    total: u32,
    pub ignore_cache: bool,
    onbuild: bool,
    /// The paths of the context that its steps look at, with a slash in front.
    pub context_paths: BTreeSet<String>,
    /// The drafts that the present instruction has made.
    made: Vec<usize>,
}

impl<'s, 'p> Stage<'s, 'p> {
    pub fn begin(
        planner: &'s Planner<'p>,
        graph: &Graph<'_>,
        resolved: &Resolved,
        number: usize,
        finished: &[Option<Finished>],
        drafts: &'s mut Drafts,
    ) -> Result<Stage<'s, 'p>, PlanError> {
        let node = &graph.nodes[number];
        let platform = resolved.platforms[number].clone();
        let steps = node.instructions.iter().filter(|planned| {
            // Of ONBUILD instructions BuildKit counts all, whatever they do.
            planned.onbuild
                || matches!(
                    planned.instruction.command,
                    Command::Add(_) | Command::Copy(_) | Command::Run(_) | Command::Workdir(_)
                )
        });
        let total = steps.count() as u32 + u32::from(counts_as_step(&node.base));
        // The total that FROM shows is taken before the ONBUILD instructions are known.
        let triggers = node.instructions.iter().filter(|p| p.onbuild).count() as u32;
        let name = node
            .stage
            .map_or("", |stage| planner.file.stages[stage].name.as_str());
        let mut stage = Stage {
            planner,
            drafts,
            label: node.label.clone(),
            lines: node.lines.unwrap_or_default(),
            scope: Scope::on_scratch(platform.clone()),
            config: ImageConfig::default(),
            root: None,
            index: 0,
            total: total - triggers,
            ignore_cache: planner.options.no_cache.covers(name),
            onbuild: false,
            context_paths: BTreeSet::new(),
            made: Vec::new(),
        };
        match &node.base {
            Base::Scratch => stage.config = scratch_config(&platform),
            Base::Image(_) => {
                if let Some((name, image)) = planner.image_of(graph, resolved, number)? {
                    stage.scope =
                        Scope::on_image(&base_config(&image.image.config), platform.clone());
                    stage.config = image.image.config.clone();
                    stage.config.config.on_build.clear();
                    if !image.image.layers.is_empty() {
                        stage.next_prefix();
                        let op = image_op(&name, &image, &platform);
                        let text = format!("FROM {name}");
                        let draft = stage.step(op, Vec::new(), text, stage.lines);
                        stage.root = Some(draft);
                    }
                }
            }
            Base::Node(base) => {
                if let Some(base) = &finished[*base] {
                    stage.scope = base.scope.on_stage();
                    stage.config = base.config.clone();
                    stage.config.config.on_build.clear();
                    stage.root = base.root;
                }
            }
        }
        stage.total = total;
        stage.take_config();
        Ok(stage)
    }

    /// What the stage leaves behind, and the paths of the context that it looks at.
    pub fn finish(mut self) -> (Finished, BTreeSet<String>) {
        self.take_config();
        let done = Finished {
            root: self.root,
            scope: self.scope,
            config: self.config,
        };
        (done, self.context_paths)
    }

    /// Writes down what the drafts made since the last call are for.
    pub fn role(&mut self, instructions: &mut [PlannedInstruction], at: usize) {
        let made = std::mem::take(&mut self.made);
        let Some(instruction) = instructions.get_mut(at) else {
            return;
        };
        match (&mut instruction.role, made.is_empty()) {
            (Role::Steps(steps), _) => steps.extend(made),
            (role, true) => *role = Role::Config,
            (role, false) => *role = Role::Steps(made),
        }
    }

    /// What the scope knows, into the config.
    fn take_config(&mut self) {
        let config = &mut self.config.config;
        let env = self.scope.config_env.iter();
        config.env = env.map(|(name, value)| format!("{name}={value}")).collect();
        config.working_dir.clone_from(&self.scope.working_dir);
        config.user.clone_from(&self.scope.user);
        config.shell.clone_from(&self.scope.shell);
    }

    pub fn instruction(
        &mut self,
        planned: &Planned,
        finished: &[Option<Finished>],
        globals: &Globals,
        at: usize,
        instructions: &mut [PlannedInstruction],
    ) -> Result<(), PlanError> {
        self.onbuild = planned.onbuild;
        let lines = planned.instruction.lines;
        let applied = self.scope.apply(
            &planned.instruction,
            &planned.sources,
            &|node| finished[node].is_some(),
            &self.label,
            Surroundings {
                lexer: self.planner.lexer,
                globals,
                build_args: &self.planner.options.request().build_args,
            },
        );
        if let Some(message) = applied.error {
            return Err(ConvertError::new(message).at(lines).into());
        }
        let exposed = applied.exposed.iter();
        let ports: Vec<String> = exposed
            .flat_map(|port| port.ports().collect::<Vec<_>>())
            .collect();
        self.take_config();
        self.convert(&applied.instruction, &planned.sources, finished, ports)
            .map_err(|error| error.at(lines))?;
        self.role(instructions, at);
        Ok(())
    }

    fn convert(
        &mut self,
        instruction: &Instruction,
        sources: &[usize],
        finished: &[Option<Finished>],
        ports: Vec<String>,
    ) -> Result<(), ConvertError> {
        match &instruction.command {
            Command::Add(add) => self.add(instruction, add)?,
            Command::Copy(copy) => {
                let source = sources.first().and_then(|node| finished[*node].as_ref());
                self.copy(instruction, copy, source)?;
            }
            Command::Run(run) => self.run(instruction, run, sources, finished)?,
            Command::Workdir(_) => self.workdir(instruction),
            Command::Arg(pairs) => {
                let words: Vec<String> = pairs
                    .iter()
                    .map(|pair| match &pair.value {
                        Some(value) => format!("{}={value}", pair.key),
                        None => pair.key.clone(),
                    })
                    .collect();
                self.note(format!("ARG {}", words.join(" ")));
            }
            Command::Env(pairs) => {
                let words = pairs
                    .iter()
                    .map(|pair| format!(" {}={}", pair.key, pair.value));
                self.note(format!("ENV{}", words.collect::<String>()));
            }
            Command::Label(pairs) => {
                let labels = &mut self.config.config.labels;
                labels.extend(pairs.iter().map(|p| (p.key.clone(), p.value.clone())));
                let words = pairs
                    .iter()
                    .map(|pair| format!(" {}={}", pair.key, pair.value));
                self.note(format!("LABEL{}", words.collect::<String>()));
            }
            Command::Cmd(line) => {
                let args = self.with_shell(line);
                self.note(format!("CMD {}", text::quoted_list(&args)));
                self.config.config.cmd = args;
                self.config.config.args_escaped = true;
            }
            Command::Entrypoint(line) => {
                let args = self.with_shell(line);
                self.note(format!("ENTRYPOINT {}", text::quoted_list(&args)));
                self.config.config.entrypoint = args;
                if self.scope.cmd.is_none() {
                    self.config.config.cmd.clear();
                }
            }
            Command::Healthcheck(check) => {
                self.note(text::healthcheck(check));
                self.config.config.healthcheck = Some(image_healthcheck(check));
            }
            Command::Expose(_) => {
                self.note(format!("EXPOSE {}", text::list(&ports)));
                self.config.config.exposed_ports.extend(ports);
            }
            Command::Volume(volumes) => {
                self.note(format!("VOLUME {}", text::list(volumes)));
                self.config.config.volumes.extend(volumes.iter().cloned());
            }
            Command::Maintainer(author) => {
                self.note(format!("MAINTAINER {author}"));
                self.config.author = some(author);
            }
            Command::Onbuild(expression) => self.config.config.on_build.push(expression.clone()),
            Command::Shell(words) => self.note(format!("SHELL {}", text::list(words))),
            Command::StopSignal(signal) => {
                self.note(format!("STOPSIGNAL {signal}"));
                self.config.config.stop_signal.clone_from(signal);
            }
            Command::User(user) => self.note(format!("USER {user}")),
        }
        Ok(())
    }

    /// Adds a line of history without a layer.
    fn note(&mut self, text: String) {
        self.history(text, false);
    }

    pub fn history(&mut self, text: String, layer: bool) {
        let created = self.planner.options.created();
        text::history(&mut self.config, text, layer, created.as_deref());
    }

    /// The platform, where there are several; with what is built for on it, as far as its stage
    /// has asked for that.
    fn platform_prefix(&self) -> String {
        if self.planner.options.more_platforms.is_empty() {
            return String::new();
        }
        let platform = &self.scope.platform;
        let env = &self.scope.env;
        let part = |name| env.get(name).map(str::to_string);
        let asked = match part("TARGETPLATFORM").and_then(|text| Platform::parse(&text).ok()) {
            Some(asked) => Some(asked),
            None => {
                let parts = ["TARGETOS", "TARGETARCH", "TARGETVARIANT"].map(part);
                let [os, architecture, variant] = parts;
                let any = os.is_some() || architecture.is_some() || variant.is_some();
                let full = |text: Option<String>, of: &String| {
                    text.filter(|text| !text.is_empty())
                        .unwrap_or_else(|| of.clone())
                };
                any.then(|| Platform {
                    variant: variant.unwrap_or_default(),
                    ..Platform::new(
                        &full(os, &platform.os),
                        &full(architecture, &platform.architecture),
                    )
                })
            }
        };
        match asked.map(|asked| asked.normalized()) {
            Some(asked) if asked.os != platform.os => format!("{platform}->{asked}"),
            Some(asked) if asked.architecture != platform.architecture => {
                let short = asked.short();
                let (_, rest) = short.split_once('/').unwrap_or_default();
                format!("{platform}->{rest}")
            }
            _ => platform.to_string(),
        }
    }

    /// The prefix of the next numbered step.
    pub fn next_prefix(&mut self) -> String {
        self.index += 1;
        self.same_prefix()
    }

    /// The prefix of the last numbered step.
    pub fn same_prefix(&self) -> String {
        let platform = self.platform_prefix();
        let mut prefix = text::prefix(&platform, &self.label, self.index, self.total);
        if self.onbuild {
            prefix.push_str("ONBUILD ");
        }
        prefix
    }

    /// A draft of the present instruction: its name is the prefix and the text.
    pub fn step(&mut self, op: Op, inputs: Vec<usize>, text: String, lines: Lines) -> usize {
        let draft = self.drafts.add(Draft {
            name: format!("{}{text}", self.same_prefix()),
            text,
            stage: self.label.clone(),
            number: Some((self.index, self.total)),
            lines: Some(lines),
            ..Draft::of(op, inputs)
        });
        self.made.push(draft);
        draft
    }

    /// Marks a draft as one that must run, if the stage is built without the cache.
    pub fn mark(&mut self, draft: usize) {
        if self.ignore_cache {
            self.drafts.ignore_cache(draft);
        }
    }

    fn with_shell(&self, line: &CommandLine) -> Vec<String> {
        if !line.shell {
            return line.args.clone();
        }
        let mut words = self.scope.shell.clone();
        if words.is_empty() {
            words = default_shell(&self.scope.platform.os);
        }
        words.push(line.args.join(" "));
        words
    }

    fn workdir(&mut self, instruction: &Instruction) {
        let dir = self.scope.working_dir.clone();
        let layer = dir != "/";
        if layer {
            let user = &self.scope.user;
            let text =
                text::with_variables(&self.planner.lexer, &instruction.code, &self.scope.env);
            let op = Op::File(FileOp {
                base: self.root.map(|_| 0),
                actions: vec![FileAction::Mkdir {
                    path: crate::fs::clean(&dir),
                    mode: 0o755,
                    owner: (!user.is_empty()).then(|| OwnerSpec::parse(user)),
                    time: self.planner.options.epoch.map(|time| time.0),
                }],
            });
            self.index += 1;
            let inputs = self.root.into_iter().collect();
            self.root = Some(self.step(op, inputs, text::upper(&text), instruction.lines));
        }
        self.history(format!("WORKDIR {dir}"), layer);
    }

    fn run(
        &mut self,
        instruction: &Instruction,
        run: &Run,
        sources: &[usize],
        finished: &[Option<Finished>],
    ) -> Result<(), ConvertError> {
        let mut name = instruction.code.clone();
        let mut args = run.line.args.clone();
        let mut mounts: Vec<(Mount, Option<usize>)> = Vec::new();
        let mut script = None;
        if let Some(first) = run.line.files.first() {
            if matches!(heredoc_word(&args[0]), Ok(Some(_))) {
                let data = if first.chomp {
                    first
                        .data
                        .split_inclusive('\n')
                        .map(|l| l.trim_start_matches('\t'))
                        .collect()
                } else {
                    first.data.clone()
                };
                name = format!("{name} ({})", text::summary(&first.data));
                if data.starts_with("#!") && self.scope.platform.os != "windows" {
                    args = vec![format!("/dev/pipes/{}", first.name)];
                    script = Some(self.inline_file(&first.name, 0o755, &data));
                } else {
                    args = vec![data];
                }
            } else {
                let mut whole = args[0].clone();
                for file in &run.line.files {
                    whole.push('\n');
                    whole.push_str(&file.data);
                    whole.push_str(&file.name);
                }
                args = vec![whole];
            }
        }
        if run.line.shell {
            args = self.with_shell(&CommandLine {
                args,
                shell: true,
                files: Vec::new(),
            });
        }
        for (mount, source) in run.mounts.iter().zip(sources) {
            let root = finished[*source].as_ref().and_then(|done| done.root);
            mounts.push((mount.clone(), root));
        }
        let mut inputs: Vec<usize> = Vec::new();
        let root = RunMount {
            target: "/".into(),
            input: self
                .root
                .map(|root| super::mounts::input(&mut inputs, root)),
            source: String::new(),
            read_only: false,
            kind: RunMountKind::Root,
        };
        let mut listed = vec![root];
        let mut secret_env = Vec::new();
        if let Some(script) = script {
            listed.push(RunMount {
                target: "/dev/pipes/".into(),
                input: Some(script),
                source: "/".into(),
                read_only: true,
                kind: RunMountKind::Bind,
            });
        }
        let mut agents = Vec::new();
        for (mount, source) in mounts {
            self.mount(mount, source, &mut listed, &mut agents, &mut secret_env);
        }
        // By target, as BuildKit defines them; then secrets and agents as written.
        crate::order::sort_by(&mut listed[1..], |a, b| a.target.cmp(&b.target));
        for mount in &mut listed[1..] {
            mount.input = mount
                .input
                .map(|draft| super::mounts::input(&mut inputs, draft));
        }
        listed.extend(agents);
        let mut env: Vec<(String, String)> = self
            .scope
            .env
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        super::mounts::agent_env(&listed, &mut env);
        let op = Op::Run(RunOp {
            env,
            cwd: if self.scope.working_dir.is_empty() {
                "/".into()
            } else {
                self.scope.working_dir.clone()
            },
            user: self.scope.user.clone(),
            network: match run.network.as_str() {
                "default" => String::new(),
                mode => mode.to_string(),
            },
            insecure: run.security == "insecure",
            platform: self.scope.platform.normalized(),
            mounts: listed,
            secret_env,
            proxy: proxy_env(&self.planner.options.build_args),
            args: args.clone(),
        });
        let lexer = Lexer {
            raw_quotes: true,
            skip_unset: true,
            ..self.planner.lexer
        };
        let masked = Masked {
            run,
            variables: &self.scope.env,
        };
        let shown = text::with_variables(&lexer, &name, &masked);
        self.index += 1;
        let draft = self.step(op, inputs, text::upper(&shown), instruction.lines);
        self.mark(draft);
        self.root = Some(draft);
        let text = text::run_history(&args, self.scope.args.iter(), &self.scope.env);
        self.history(text, true);
        Ok(())
    }
}

/// The variables with those from secrets masked.
struct Masked<'a> {
    run: &'a Run,
    variables: &'a dyn Variables,
}

impl Variables for Masked<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let secret = self
            .run
            .mounts
            .iter()
            .any(|mount| mount.kind == MountType::Secret && mount.env.as_deref() == Some(name));
        if secret {
            Some("****")
        } else {
            self.variables.get(name)
        }
    }
}

fn default_shell(os: &str) -> Vec<String> {
    let words: &[&str] = if os == "windows" {
        &["cmd", "/S", "/C"]
    } else {
        &["/bin/sh", "-c"]
    };
    words.iter().map(|word| (*word).to_string()).collect()
}

fn image_healthcheck(check: &Healthcheck) -> crate::image::Healthcheck {
    crate::image::Healthcheck {
        test: check.test.clone(),
        interval: check.interval,
        timeout: check.timeout,
        start_period: check.start_period,
        start_interval: check.start_interval,
        retries: i64::from(check.retries),
    }
}

impl From<BuildError> for ConvertError {
    fn from(error: BuildError) -> ConvertError {
        ConvertError {
            message: error.message,
            help: error.help,
        }
    }
}
