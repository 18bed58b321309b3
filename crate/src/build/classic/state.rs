//! What is in force in a stage, and what each instruction changes of it.

use super::args::BuildArgs;
use super::language;
use super::wording::{quoted, quoted_check};
use crate::dockerfile::expand::{Lexer, Variables};
use crate::dockerfile::golang::join_path;
use crate::dockerfile::instruction::{Command, CommandLine, Instruction, KeyValue};
use crate::dockerfile::port::parse_port;
use crate::dockerfile::signal::check_signal;
use crate::image::{Digest, Healthcheck, RunConfig};

/// Where the shell form of a command goes, unless SHELL says otherwise.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];
/// What `docker commit --change` makes of a configuration.
///
/// # Errors
/// moby's text.
pub fn change_config(config: &RunConfig, changes: &[String]) -> Result<RunConfig, String> {
    if changes.is_empty() {
        return Ok(config.clone());
    }
    let (instructions, escape) = language::read_loose(&changes.join("\n"))?;
    for instruction in &instructions {
        if let Command::Add(_)
        | Command::Arg(_)
        | Command::Copy(_)
        | Command::Maintainer(_)
        | Command::Run(_)
        | Command::Shell(_)
        | Command::StopSignal(_) = instruction.command
        {
            let name = instruction.name.to_lowercase();
            return Err(format!("{name} is not a valid change command"));
        }
    }
    let mut state = State {
        config: config.clone(),
        ..State::default()
    };
    for mut instruction in instructions {
        state.expand(&mut instruction, escape)?;
        state.apply(&instruction.command, escape, &mut String::new())?;
    }
    Ok(state.config)
}

/// What is in force in a stage.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub config: RunConfig,
    pub maintainer: String,
    /// Whether the stage has a CMD of its own.
    pub cmd_set: bool,
    /// The image so far; none for `scratch`.
    pub image: Option<Digest>,
    pub args: BuildArgs,
}

/// Variables as pairs; of several with one name the first counts.
pub(super) struct Pairs(pub Vec<(String, String)>);

impl Variables for Pairs {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl State {
    /// The arguments that the environment does not cover.
    pub fn free_args(&self) -> Vec<(String, String)> {
        let covered = |name: &str| self.config.env.iter().any(|pair| key(pair) == name);
        let mut args = self.args.visible();
        args.retain(|(name, _)| !covered(name));
        args
    }

    pub fn variables(&self) -> Pairs {
        let mut pairs: Vec<(String, String)> = self.config.env.iter().map(|p| pair(p)).collect();
        pairs.extend(self.free_args());
        Pairs(pairs)
    }

    pub fn expand(&self, instruction: &mut Instruction, escape: char) -> Result<(), String> {
        let (lexer, variables) = (Lexer::new(escape), self.variables());
        let mut one = |word: &str| lexer.expand(word, &variables).into_text();
        if let Command::Arg(pairs) = &mut instruction.command {
            for pair in pairs {
                pair.key = one(&pair.key)?;
                pair.value = pair.value.as_deref().map(&mut one).transpose()?;
            }
        }
        instruction.expand(&mut one)
    }

    /// Takes over what an instruction says of the configuration, and gives what its step is called.
    /// Those that are more than configuration give none.
    pub fn apply(
        &mut self,
        command: &Command,
        escape: char,
        out: &mut String,
    ) -> Result<Option<String>, String> {
        let config = &mut self.config;
        Ok(Some(match command {
            Command::Env(pairs) => {
                for KeyValue {
                    key: name, value, ..
                } in pairs
                {
                    let new = format!("{name}={value}");
                    match config.env.iter_mut().find(|old| key(old) == name) {
                        Some(old) => *old = new,
                        None => config.env.push(new),
                    }
                }
                format!("ENV{}", listed(pairs))
            }
            Command::Label(pairs) => {
                for pair in pairs {
                    config.labels.insert(pair.key.clone(), pair.value.clone());
                }
                format!("LABEL{}", listed(pairs))
            }
            Command::Maintainer(text) => {
                self.maintainer = text.clone();
                format!("MAINTAINER {text}")
            }
            Command::Onbuild(text) => {
                config.on_build.push(text.clone());
                format!("ONBUILD {text}")
            }
            Command::Cmd(line) => {
                config.cmd = resolved(line, &config.shell);
                config.args_escaped = false;
                self.cmd_set |= !line.args.is_empty();
                format!("CMD {}", quoted(&config.cmd))
            }
            Command::Entrypoint(line) => {
                config.entrypoint = match line.args.is_empty() {
                    true => Vec::new(),
                    false => resolved(line, &config.shell),
                };
                config.args_escaped = false;
                if !self.cmd_set {
                    config.cmd.clear();
                }
                format!("ENTRYPOINT {}", quoted(&config.entrypoint))
            }
            Command::Healthcheck(check) => {
                let old = config.healthcheck.as_ref().map(|check| &check.test);
                if let Some(old) =
                    old.filter(|test| test.first().is_some_and(|kind| kind != "NONE"))
                {
                    let old = old.join(" ");
                    *out += &format!("Note: overriding previous HEALTHCHECK: [{old}]\n");
                }
                config.healthcheck = Some(Healthcheck {
                    test: check.test.clone(),
                    interval: check.interval,
                    timeout: check.timeout,
                    start_period: check.start_period,
                    start_interval: 0,
                    retries: i64::from(check.retries),
                });
                format!("HEALTHCHECK {}", quoted_check(check))
            }
            Command::Expose(words) => {
                let words = self.ports(words, escape)?;
                for word in &words {
                    let exposed =
                        parse_port(word).map_err(|error| old_port_error(&error.message))?;
                    self.config.exposed_ports.extend(exposed.ports());
                }
                format!("EXPOSE {}", words.join(" "))
            }
            Command::User(user) => {
                config.user = user.clone();
                format!("USER {user}")
            }
            Command::Volume(paths) => {
                if paths.iter().any(String::is_empty) {
                    return Err("VOLUME specified can not be an empty string".into());
                }
                config.volumes.extend(paths.iter().cloned());
                format!("VOLUME [{}]", paths.join(" "))
            }
            Command::StopSignal(signal) => {
                check_signal(signal).map_err(|_| format!("Invalid signal: {signal}"))?;
                config.stop_signal = signal.clone();
                format!("STOPSIGNAL {signal}")
            }
            Command::Arg(pairs) => {
                let mut text = "ARG".to_string();
                for pair in pairs {
                    self.args.declare(&pair.key, pair.value.clone());
                    text += &format!(" {}", pair.key);
                    if let Some(value) = &pair.value {
                        text += &format!("={value}");
                    }
                }
                text
            }
            Command::Shell(words) => {
                config.shell = words.clone();
                format!("SHELL [{}]", words.join(" "))
            }
            Command::Workdir(path) => {
                if path.is_empty() {
                    return Err("cannot normalize nothing".into());
                }
                if !path.starts_with('/') {
                    config.working_dir = join_path(&join_path("/", &config.working_dir), path);
                } else {
                    config.working_dir = path.clone();
                }
                return Ok(None);
            }
            Command::Add(_) | Command::Copy(_) | Command::Run(_) => return Ok(None),
        }))
    }

    fn ports(&self, words: &[String], escape: char) -> Result<Vec<String>, String> {
        let (lexer, variables) = (Lexer::new(escape), self.variables());
        let mut ports = Vec::new();
        for word in words {
            let expansion = lexer.expand(word, &variables);
            if let Some(error) = expansion.error {
                return Err(error);
            }
            ports.extend(expansion.words);
        }
        Ok(ports)
    }
}

/// The name of `NAME=value`.
pub(super) fn key(pair: &str) -> &str {
    pair.split('=').next().unwrap_or(pair)
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.to_string(), value.to_string())
}

fn listed(pairs: &[KeyValue]) -> String {
    let one = |pair: &KeyValue| format!(" {}={}", pair.key, pair.value);
    pairs.iter().map(one).collect()
}

/// The words of a command, with the shell in front where it is in shell form.
pub(super) fn resolved(line: &CommandLine, shell: &[String]) -> Vec<String> {
    if !line.shell {
        return line.args.clone();
    }
    let mut words = shell_words(shell);
    if !line.args.is_empty() {
        words.push(line.args.join(" "));
    }
    words
}

pub(super) fn shell_words(shell: &[String]) -> Vec<String> {
    match shell {
        [] => SHELL.map(String::from).to_vec(),
        shell => shell.to_vec(),
    }
}

/// The words of today's errors in those of moby 20.10.
fn old_port_error(message: &str) -> String {
    if message.ends_with("no port specified") {
        let word = message.trim_start_matches("invalid port: ");
        let word = word
            .trim_end_matches(": no port specified")
            .trim_matches('"');
        return format!("No port specified: {word}<empty>");
    }
    let message = match message.split_once(": invalid proto: ") {
        Some((_, protocol)) => format!("invalid proto: {protocol}"),
        None => message.to_string(),
    };
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
