//! What a stage knows while its instructions are gone through: variables, directory, user, shell.
//!
//! Source: BuildKit `dockerfile2llb` (`dispatch`). This is the part that needs no files: what
//! variables are replaced by, which instructions are refused, what gives rise to a warning.

use std::collections::{BTreeMap, BTreeSet};

use rpds::{RedBlackTreeMap, RedBlackTreeSet, Vector};

use super::chmod::Chmod;
use super::env::Env;
use super::expand::{Lexer, Variables};
use super::globals::{Globals, NOT_ENVIRONMENT};
use super::golang::{clean_path, join_path, quote};
use super::instruction::{ArgPair, Command, Instruction, Mount, MountType, Run, Transfer};
use super::limits::{MAX_ENV_BYTES, MAX_VARIABLES};
use super::platform::Platform;
use super::port::{Exposed, parse_port};
use super::reference::check_digest;
use super::signal::check_signal;
use super::source::Source;
use super::span::{Lines, Span};
use super::suggest::nearest;

/// The PATH of images that have none. Source: BuildKit `util/system`.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a stage takes over from the config of its base image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseConfig {
    /// `Env`, `NAME=value`.
    pub env: Vec<String>,
    /// `WorkingDir`
    pub working_dir: String,
    /// `User`
    pub user: String,
    /// `Shell`
    pub shell: Vec<String>,
    /// `OnBuild`
    pub onbuild: Vec<String>,
    /// The platform the image is for.
    pub platform: Platform,
    /// Whether the image has a layer or, for old ones, a history that speaks of one.
    pub has_layers: bool,
}

/// An instruction by its place, to point back at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its lines.
    pub lines: Lines,
    /// Its bytes.
    pub span: Span,
}

/// What is in force at some point of a stage.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The variables that expansion sees: those of the image, then ENV and ARG as they come.
    pub env: Env,
    /// The ARGs so far, with the value in force when declared, those of the base stage first.
    pub args: Vector<ArgPair>,
    /// The names in `args`.
    arg_names: RedBlackTreeSet<String>,
    /// The variables of the image config, each at the place of its first definition.
    pub config_env: Vector<(String, String)>,
    /// Where in `config_env` each name is.
    config_places: RedBlackTreeMap<String, usize>,
    /// The working directory, absolute; empty if none was ever set.
    pub working_dir: String,
    /// Whether a WORKDIR of the file set it.
    pub workdir_set: bool,
    /// The user, as written.
    pub user: String,
    /// The words of SHELL; empty for the default.
    pub shell: Vec<String>,
    /// The platform of the stage.
    pub platform: Platform,
    /// The last CMD of the stage itself.
    pub cmd: Option<Place>,
    /// The last ENTRYPOINT of the stage itself.
    pub entrypoint: Option<Place>,
    /// The last HEALTHCHECK of the stage itself.
    pub healthcheck: Option<Place>,
}

/// Something the build checks may warn about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A variable that is not set was used.
    UndefinedVariable {
        /// Its name.
        name: String,
        /// A variable with nearly the same name.
        suggestion: Option<String>,
    },
    /// A pair of ENV or LABEL in the old form.
    LegacyPair,
    /// A variable of ARG or ENV is defined.
    Defined {
        /// `ARG` or `ENV`.
        instruction: &'static str,
        /// Its name.
        name: String,
    },
    /// The first WORKDIR of the file is relative.
    RelativeWorkdir(String),
    /// A CMD or ENTRYPOINT in shell form without a SHELL.
    ShellForm,
    /// An instruction that only counts once makes this earlier one void.
    Voids(Place),
    /// A port with its protocol in capitals.
    CapitalProtocol(String),
    /// A port with an address or a host port.
    MappedPort(String),
    /// A path of the build context that ADD or COPY takes.
    ContextSource(String),
}

/// An instruction gone through.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The instruction with its variables replaced, as far as it went.
    pub instruction: Instruction,
    /// What came up, in order, also before an error.
    pub notes: Vec<Note>,
    /// What BuildKit refuses the instruction with.
    pub error: Option<String>,
    /// What EXPOSE exposes.
    pub exposed: Vec<Exposed>,
}

/// What stays the same through all stages.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The file's lexer.
    pub lexer: Lexer,
    /// The variables before the first stage.
    pub globals: &'a Globals,
    /// `--build-arg`
    pub build_args: &'a BTreeMap<String, String>,
}

/// Which of an instruction's sources can be used: those gone through already.
pub type Ready<'a> = &'a dyn Fn(usize) -> bool;

impl Scope {
    /// The state in a stage on an image.
    pub fn on_image(config: &BaseConfig, platform: Platform) -> Self {
        let mut scope = Self {
            env: Env::new(),
            args: Vector::new(),
            arg_names: RedBlackTreeSet::new(),
            config_env: Vector::new(),
            config_places: RedBlackTreeMap::new(),
            working_dir: String::new(),
            workdir_set: false,
            user: config.user.clone(),
            shell: config.shell.clone(),
            platform,
            cmd: None,
            entrypoint: None,
            healthcheck: None,
        };
        for pair in &config.env {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            scope.set_config_env(name, value);
        }
        if !config.working_dir.is_empty() {
            scope.working_dir = normal_dir("/", &config.working_dir);
        }
        scope.enter();
        scope
    }

    /// The state in a stage on nothing.
    pub fn on_scratch(platform: Platform) -> Self {
        let config = BaseConfig {
            working_dir: "/".to_owned(),
            ..BaseConfig::default()
        };
        Self::on_image(&config, platform)
    }

    /// The state in a stage on another stage that ended in this state.
    pub fn on_stage(&self) -> Self {
        let mut scope = Self {
            cmd: None,
            entrypoint: None,
            healthcheck: None,
            ..self.clone()
        };
        scope.enter();
        scope
    }

    fn enter(&mut self) {
        if !self.config_places.contains_key("PATH") && self.platform.os != "windows" {
            self.set_config_env("PATH", DEFAULT_PATH);
        }
        for (name, value) in &self.config_env {
            self.env.set(name, value);
        }
    }

    /// Goes through an instruction: replaces its variables, checks it, takes over what it changes.
    ///
    /// `sources` are the nodes of [`Planned::sources`](super::graph::Planned); `label` is the
    /// stage's name in messages.
    pub fn apply(
        &mut self,
        instruction: &Instruction,
        sources: &[usize],
        ready: Ready<'_>,
        label: &str,
        around: Surroundings<'_>,
    ) -> Applied {
        let mut applied = Applied {
            instruction: instruction.clone(),
            notes: Vec::new(),
            error: None,
            exposed: Vec::new(),
        };
        applied.error = self.run(&mut applied, sources, ready, label, around).err();
        applied
    }

    fn run(
        &mut self,
        applied: &mut Applied,
        sources: &[usize],
        ready: Ready<'_>,
        label: &str,
        around: Surroundings<'_>,
    ) -> Result<(), String> {
        let Applied {
            instruction,
            notes,
            exposed,
            ..
        } = applied;
        let content_lexer = Lexer {
            skip_quotes: true,
            ..Lexer::new('\\')
        };
        instruction.expand(&mut |word| self.expand(word, around.lexer, notes))?;
        instruction.expand_contents(&mut |word| self.expand(word, content_lexer, notes))?;
        let place = Place {
            lines: instruction.lines,
            span: instruction.span,
        };
        match &mut instruction.command {
            Command::Env(pairs) => {
                for pair in pairs {
                    if pair.legacy {
                        notes.push(Note::LegacyPair);
                    }
                    notes.push(Note::Defined {
                        instruction: "ENV",
                        name: pair.key.clone(),
                    });
                    self.set_env(&pair.key, &pair.value)?;
                    self.set_config_env(&pair.key, &pair.value);
                }
                Ok(())
            }
            Command::Label(pairs) => {
                notes.extend(pairs.iter().filter(|p| p.legacy).map(|_| Note::LegacyPair));
                Ok(())
            }
            Command::Arg(pairs) => pairs
                .iter_mut()
                .try_for_each(|pair| self.declare(pair, notes, around)),
            Command::Workdir(path) => {
                if !self.workdir_set && !path.starts_with('/') {
                    notes.push(Note::RelativeWorkdir(path.clone()));
                }
                self.workdir_set = true;
                self.working_dir = normal_dir(&self.working_dir, path);
                Ok(())
            }
            Command::User(user) => {
                self.user = user.clone();
                Ok(())
            }
            Command::Shell(words) => {
                self.shell = words.clone();
                Ok(())
            }
            Command::Cmd(line) => {
                notes.extend(self.cmd.replace(place).map(Note::Voids));
                if line.shell && self.shell.is_empty() {
                    notes.push(Note::ShellForm);
                }
                Ok(())
            }
            Command::Entrypoint(line) => {
                notes.extend(self.entrypoint.replace(place).map(Note::Voids));
                if line.shell && self.shell.is_empty() {
                    notes.push(Note::ShellForm);
                }
                Ok(())
            }
            Command::Healthcheck(_) => {
                notes.extend(self.healthcheck.replace(place).map(Note::Voids));
                Ok(())
            }
            Command::Expose(ports) => {
                let mut words = Vec::new();
                for port in ports.iter() {
                    let expansion = around.lexer.expand(port, &self.env);
                    if let Some(error) = expansion.error {
                        return Err(error);
                    }
                    words.extend(expansion.words);
                }
                *ports = words;
                ports
                    .iter()
                    .try_for_each(|word| expose(word, exposed, notes))
            }
            Command::Volume(volumes) if volumes.iter().any(String::is_empty) => {
                Err("VOLUME specified can not be an empty string".to_owned())
            }
            Command::StopSignal(signal) => check_signal(signal),
            Command::Add(add) => check_transfer(&add.transfer, true, &add.checksum, notes),
            Command::Copy(copy) => match sources.first() {
                Some(source) if !ready(*source) => Err(format!(
                    "cannot copy from stage {}, it needs to be defined before current stage {}",
                    quote(&copy.from),
                    quote(label)
                )),
                Some(_) => check_transfer(&copy.transfer, false, "", &mut Vec::new()),
                None => check_transfer(&copy.transfer, false, "", notes),
            },
            Command::Run(run) => self.check_run(run, sources, ready),
            Command::Volume(_) | Command::Onbuild(_) | Command::Maintainer(_) => Ok(()),
        }
    }

    /// Expands a word and notes the variables that are not set.
    fn expand(&self, word: &str, lexer: Lexer, notes: &mut Vec<Note>) -> Result<String, String> {
        let expansion = lexer.expand(word, &self.env);
        self.note_undefined(&expansion.unmatched, notes);
        expansion.into_text()
    }

    fn note_undefined(&self, unmatched: &BTreeSet<String>, notes: &mut Vec<Note>) {
        for name in unmatched {
            if self.arg_names.contains(name) || NOT_ENVIRONMENT.contains(&name.as_str()) {
                continue;
            }
            let suggestion = nearest(name, self.env.names(), true);
            notes.push(Note::UndefinedVariable {
                name: name.clone(),
                suggestion,
            });
        }
    }

    fn set_config_env(&mut self, name: &str, value: &str) {
        let pair = (name.to_owned(), value.to_owned());
        match self.config_places.get(name) {
            Some(at) => {
                self.config_env.set_mut(*at, pair);
            }
            None => {
                self.config_places
                    .insert_mut(name.to_owned(), self.config_env.len());
                self.config_env.push_back_mut(pair);
            }
        }
    }

    fn set_env(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.env.set(name, value);
        if self.env.len() > MAX_VARIABLES {
            return Err(format!("more than {MAX_VARIABLES} variables are set"));
        }
        if self.env.bytes() > MAX_ENV_BYTES {
            return Err(format!(
                "the variables are longer than {MAX_ENV_BYTES} bytes together"
            ));
        }
        Ok(())
    }

    fn declare(
        &mut self,
        pair: &mut ArgPair,
        notes: &mut Vec<Note>,
        around: Surroundings<'_>,
    ) -> Result<(), String> {
        notes.push(Note::Defined {
            instruction: "ARG",
            name: pair.key.clone(),
        });
        if let Some(value) = around.build_args.get(&pair.key) {
            pair.value = Some(value.clone());
        } else if let Some(default) = &pair.value {
            pair.value = Some(self.expand(default, around.lexer, notes)?);
        } else {
            pair.value = around.globals.env.get(&pair.key).map(str::to_owned);
        }
        if let Some(value) = &pair.value
            && !NOT_ENVIRONMENT.contains(&pair.key.as_str())
        {
            self.set_env(&pair.key, value)?;
        }
        self.args.push_back_mut(pair.clone());
        self.arg_names.insert_mut(pair.key.clone());
        Ok(())
    }

    fn check_run(&self, run: &Run, sources: &[usize], ready: Ready<'_>) -> Result<(), String> {
        if !run.line.files.is_empty() && (run.line.args.len() != 1 || !run.line.shell) {
            return Err(format!(
                "parsing produced an invalid run command: [{}]",
                run.line.args.join(" ")
            ));
        }
        for (mount, source) in run.mounts.iter().zip(sources) {
            self.check_mount(mount, ready(*source))?;
        }
        if !run.devices.is_empty() {
            return Err(
                "device feature is only supported in Dockerfile frontend 1.14.0-labs or \
                        later"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn check_mount(&self, mount: &Mount, ready: bool) -> Result<(), String> {
        let has_source = !mount.from.is_empty() || mount.kind == MountType::Cache;
        if has_source && !ready {
            return Err(format!(
                "cannot mount from stage {} to {}, stage needs to be defined before current \
                 command",
                quote(if mount.from.is_empty() {
                    super::graph::SCRATCH
                } else {
                    &mount.from
                }),
                quote(&mount.target)
            ));
        }
        match mount.kind {
            MountType::Secret => return Ok(()),
            MountType::Ssh if !mount.source.is_empty() => {
                return Err("ssh does not support source".to_owned());
            }
            MountType::Ssh => return Ok(()),
            MountType::Bind | MountType::Cache | MountType::Tmpfs => {}
        }
        match self.mount_target(mount) {
            target if target == "/" => Err(format!("invalid mount target {}", quote(&target))),
            _ => Ok(()),
        }
    }

    /// Where a mount is seen: its target, from the working directory if it is relative.
    pub fn mount_target(&self, mount: &Mount) -> String {
        if clean_path(&mount.target).starts_with('/') {
            mount.target.clone()
        } else {
            join_path(&format!("/{}", self.working_dir), &mount.target)
        }
    }
}

/// A directory seen from another. Source: BuildKit `util/system` (`NormalizeWorkdir`), Linux.
fn normal_dir(current: &str, path: &str) -> String {
    let current = if current.is_empty() { "/" } else { current };
    match path {
        "" => current.to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => join_path(current, path),
    }
}

fn expose(word: &str, exposed: &mut Vec<Exposed>, notes: &mut Vec<Note>) -> Result<(), String> {
    let outcome = parse_port(word);
    let (capital, mapped) = match &outcome {
        Ok(port) => (port.capital_protocol, port.mapped),
        Err(error) => (error.capital_protocol, error.mapped),
    };
    if capital {
        notes.push(Note::CapitalProtocol(word.to_owned()));
    }
    if mapped {
        notes.push(Note::MappedPort(word.to_owned()));
    }
    exposed.push(outcome.map_err(|error| error.message)?);
    Ok(())
}

fn check_transfer(
    transfer: &Transfer,
    is_add: bool,
    checksum: &str,
    notes: &mut Vec<Note>,
) -> Result<(), String> {
    if !transfer.chmod.is_empty() {
        Chmod::parse(&transfer.chmod)?;
    }
    if !checksum.is_empty() {
        let [only] = transfer.sources.as_slice() else {
            return Err("checksum can't be specified for multiple sources".to_owned());
        };
        // A Git URL with a bad query is still a Git URL here; its error comes below.
        if Source::of(only) == Ok(Source::Path) {
            return Err("checksum requires HTTP(S) or Git sources".to_owned());
        }
    }
    for source in &transfer.sources {
        match Source::of(source)? {
            Source::Git(_) if !is_add => {
                return Err("source can't be a git ref for COPY".to_owned());
            }
            Source::Url if !is_add => return Err("source can't be a URL for COPY".to_owned()),
            Source::Git(git) => {
                if !checksum.is_empty() && !git.checksum.is_empty() && checksum != git.checksum {
                    return Err(format!(
                        "checksum mismatch {} != {}",
                        quote(checksum),
                        quote(&git.checksum)
                    ));
                }
            }
            Source::Url if !checksum.is_empty() => check_digest(checksum)?,
            Source::Url => {}
            Source::Path => notes.push(Note::ContextSource(source.clone())),
        }
    }
    Ok(())
}
