//! The simulated `docker` command line: text in, text out.
//!
//! In this room: words to requests, answers to text: flags, tables, sizes, templates, exit statuses.
//! Not in this room: what the engine does ([`engine::daemon`](crate::engine::daemon)).
//!
//! The wording is that of client 28.2 before an engine 20.10, with `DOCKER_BUILDKIT=0`.

mod archives;
mod build;
mod containers;
mod copy;
mod flags;
mod images;
mod inspect;
mod prune;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod units;
mod usage;
mod volumes;
mod words;

pub mod progress;

use crate::context::Context;
use crate::engine::daemon::Daemon;
use crate::fs::Time;
use crate::run::{Host, Interrupt, Machine, Part, Response};
use crate::world::World;

use flags::Flags;

pub use words::split as split_words;

/// A machine with a Docker engine, some files, and a world around it.
#[derive(Clone, Debug)]
pub struct Desktop {
    /// The engine.
    pub daemon: Daemon,
    /// The files of the working directory.
    pub files: Context,
    /// The working directory, absolute: what messages name.
    pub dir: String,
    /// Where images come from.
    pub world: World,
}

/// What a command answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
    /// The exit status.
    pub code: i32,
}

/// How a command ended that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wrong {
    /// A text on standard error, and the exit status.
    Status(String, i32),
    /// It is to be begun anew, or was to end.
    Interrupted(Interrupt),
}

type Done = Result<(), Wrong>;

/// What the engine refused, as the client passes it on.
fn refused(why: impl std::fmt::Display) -> Wrong {
    Wrong::Status(format!("Error response from daemon: {why}\n"), 1)
}

/// A command under way: the machine and what it says.
struct Job<'a> {
    desktop: &'a mut Desktop,
    stdin: &'a [u8],
    out: String,
    /// What goes to standard output and is no text.
    raw: Vec<u8>,
    err: String,
}

/// A command: its words, its usage behind `docker`, its flags and what does it.
struct Command {
    words: &'static [&'static str],
    usage: &'static str,
    flags: &'static [flags::Flag],
    /// Whether what follows the first argument is not looked at for flags.
    rest_is_literal: bool,
    run: fn(&mut Job<'_>, &Flags) -> Done,
}

impl Desktop {
    /// A machine with an empty engine and no files.
    pub fn new(now: Time, dir: &str) -> Desktop {
        Desktop {
            daemon: Daemon::new(now),
            files: Context::new(now),
            dir: dir.into(),
            world: World::new(),
        }
    }

    /// Runs a command line: `docker` and its words, as a shell splits them.
    ///
    /// # Errors
    /// [`Interrupt`]: nothing has happened then.
    pub fn run(&mut self, words: &[String], stdin: &[u8]) -> Result<Answer, Interrupt> {
        let mut next = self.clone();
        next.files.advance_to(next.daemon.clock.now());
        let mut job = Job {
            desktop: &mut next,
            stdin,
            out: String::new(),
            raw: Vec::new(),
            err: String::new(),
        };
        let outcome = job.command(words);
        let (out, raw, err) = (job.out, job.raw, job.err);
        let (text, code) = match outcome {
            Ok(()) => (String::new(), 0),
            Err(Wrong::Status(text, code)) => (text, code),
            Err(Wrong::Interrupted(interrupt)) => return Err(interrupt),
        };
        *self = next;
        Ok(Answer {
            stdout: [out.into_bytes(), raw].concat(),
            stderr: format!("{err}{text}"),
            code,
        })
    }
}

impl Job<'_> {
    fn command(&mut self, words: &[String]) -> Done {
        let words = match words.split_first() {
            Some((first, rest)) if first == "docker" => rest,
            _ => words,
        };
        let tables = [
            archives::COMMANDS,
            build::COMMANDS,
            images::COMMANDS,
            inspect::COMMANDS,
            containers::COMMANDS,
            copy::COMMANDS,
            prune::COMMANDS,
            usage::COMMANDS,
            volumes::COMMANDS,
        ];
        let matching = |command: &&Command| {
            words.len() >= command.words.len()
                && command.words.iter().zip(words).all(|(a, b)| a == b)
        };
        let found = tables.into_iter().flatten().filter(matching);
        let Some(command) = found.max_by_key(|command| command.words.len()) else {
            let name = words.first().map_or("", String::as_str);
            return Err(Wrong::Status(
                format!(
                    "docker: unknown command: docker {name}\n\nRun 'docker --help' for more \
                     information\n"
                ),
                1,
            ));
        };
        let flags = Flags::read(command, &words[command.words.len()..])?;
        (command.run)(self, &flags)
    }

    fn line(&mut self, text: impl std::fmt::Display) {
        self.out += &format!("{text}\n");
    }

    fn now(&self) -> Time {
        self.desktop.daemon.clock.now()
    }

    /// Does something to each argument, goes on where it fails, and ends with 1 then.
    fn each(
        &mut self,
        names: &[String],
        mut act: impl FnMut(&mut Self, &str) -> Result<(), String>,
    ) -> Done {
        let mut failed = false;
        for name in names {
            if let Err(why) = act(self, name) {
                self.err += &format!("Error response from daemon: {why}\n");
                failed = true;
            }
        }
        if failed {
            return Err(Wrong::Status(String::new(), 1));
        }
        Ok(())
    }
}

/// What a process reaches outside of its container; what it writes is kept.
struct Outside<'a> {
    world: &'a World,
    out: String,
    err: String,
}

impl Outside<'_> {
    fn of(world: &World) -> Outside<'_> {
        Outside {
            world,
            out: String::new(),
            err: String::new(),
        }
    }
}

impl Host for Outside<'_> {
    fn output(&mut self, stream: crate::run::Stream, text: &str) {
        match stream {
            crate::run::Stream::Stdout => self.out += text,
            crate::run::Stream::Stderr => self.err += text,
        }
    }

    fn machine(&self) -> Machine {
        self.world.machine
    }

    fn part(&mut self, name: &str) -> Part {
        self.world.part(name)
    }

    fn fetch(&mut self, url: &str) -> Option<Response> {
        self.world.fetch(url)
    }
}
