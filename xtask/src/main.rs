//! The project's commands: `cargo xtask COMMAND`.
//!
//! A command is a module with a `run` function and a row in [`COMMANDS`].

mod args;
mod bench;
mod build;
mod catalog;
mod conformance;
mod corpus;
mod coverage;
mod differential;
mod docker_goldens;
mod fingerprint;
mod http;
mod page;
mod play;
mod process;
mod replies;
mod scenarios;
mod serve;
mod test;
mod tools;

use std::process::ExitCode;

use args::Args;

/// What a command returns: nothing, or why it failed.
type Outcome = Result<(), Failure>;

/// One command of the dispatcher.
struct Command {
    /// The word that selects it.
    name: &'static str,
    /// Its arguments, as the help shows them.
    usage: &'static str,
    /// One line on what it does.
    about: &'static str,
    /// Does it.
    run: fn(Args) -> Outcome,
}

/// Every command, in the order in which the help lists them.
const COMMANDS: &[Command] = &[
    Command {
        name: "serve",
        usage: "[--port N] [--watch] [--release] [--prebuilt] [--base PATH]",
        about: "builds the page and serves it on 127.0.0.1",
        run: serve::run,
    },
    Command {
        name: "test",
        usage: "[--only native|conformance|plays|wasm|browser]",
        about: "sets up and runs everything that must hold before a change lands",
        run: test::run,
    },
    Command {
        name: "build",
        usage: "",
        about: "builds the static site into dist/, and prints what it weighs",
        run: build::run,
    },
    Command {
        name: "bench",
        usage: "[--native]",
        about: "measures the engine, natively and in the browser, as figures and ratios",
        run: bench::run_all,
    },
    Command {
        name: "conformance",
        usage: "DIR [--filter S] [--json]",
        about: "acts recorded builds out and compares everything that was recorded",
        run: conformance::run,
    },
    Command {
        name: "docker-goldens",
        usage: "DIR [--filter S] [--json]",
        about: "acts recorded docker commands out and compares everything that was recorded",
        run: docker_goldens::run,
    },
    Command {
        name: "corpus",
        usage: "CORPUS.jsonl.gz ORACLE.jsonl.gz [--json] [--show N] [--only TEXT]",
        about: "compares real Dockerfiles with the real parser's and linter's answers",
        run: corpus::run,
    },
    Command {
        name: "coverage",
        usage: "CORPUS.jsonl.gz [--only TEXT] [--top N] [--list]",
        about: "builds real Dockerfiles and counts the commands that are simulated",
        run: coverage::run,
    },
    Command {
        name: "differential",
        usage: "--buildkit ADDR [--cases N] [--seed S] [--first N] [--save DIR] [--keep DIR] \
                [--differences N] [--no-shrink] [--buildctl PATH] [--port N] \
                [--restart COMMAND]",
        about: "builds generated scenarios in the engine and in a real BuildKit, and shrinks what differs",
        run: differential::run,
    },
    Command {
        name: "play",
        usage: "check FILE…",
        about: "acts plays out and checks what they expect",
        run: play::run,
    },
    Command {
        name: "catalog",
        usage: "DIR",
        about: "regenerates public/catalog from the source form in DIR",
        run: catalog::run,
    },
];

/// Why a command failed.
#[derive(Debug)]
enum Failure {
    /// The command has printed what is wrong; only the exit code is left to set.
    Reported,
    /// What to print.
    Because(String),
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Failure::Because(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Failure::Because(message.to_owned())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Because(error.to_string())
    }
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_else(|| "--help".to_owned());
    if matches!(name.as_str(), "--help" | "-h" | "help") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("there is no command `{name}`\n\n{}", help());
        return ExitCode::from(2);
    };
    let args = Args::new(words);
    if args.wants_help() {
        println!(
            "cargo xtask {} {}\n\n{}",
            command.name, command.usage, command.about
        );
        return ExitCode::SUCCESS;
    }
    match (command.run)(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Reported) => ExitCode::FAILURE,
        Err(Failure::Because(message)) => {
            eprintln!("✗ {}: {message}", command.name);
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let mut text = String::from("cargo xtask COMMAND\n\n");
    for Command {
        name, usage, about, ..
    } in COMMANDS
    {
        text += &format!("  {name} {usage}\n      {about}\n");
    }
    text
}
