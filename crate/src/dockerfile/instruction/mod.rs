//! Typed instructions and stages.
//!
//! Source: BuildKit `frontend/dockerfile/instructions`.

mod convert;
mod csv;
mod expand;
mod flags;
mod mount;
mod stage;

use super::node::Word;
use super::span::{Lines, Span};

pub use convert::parse_instruction;
pub use mount::{CacheSharing, Device, Mount, MountType};
pub use stage::{Dockerfile, Stage, parse_stages};

/// An instruction of a stage, or an ARG before the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// The instruction word as it is written.
    pub name: String,
    /// The joined line, trimmed.
    pub code: String,
    /// The comment lines in front.
    pub comments: Vec<String>,
    /// Its lines.
    pub lines: Lines,
    /// Its bytes.
    pub span: Span,
    /// The bytes of the instruction word.
    pub name_span: Span,
    /// The flags as they are written.
    pub flags: Vec<Word>,
    /// The arguments as they are written.
    pub args: Vec<Word>,
    /// What it says.
    pub command: Command,
}

/// What an instruction says.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// ADD
    Add(Add),
    /// ARG
    Arg(Vec<ArgPair>),
    /// CMD
    Cmd(CommandLine),
    /// COPY
    Copy(Copy),
    /// ENTRYPOINT
    Entrypoint(CommandLine),
    /// ENV
    Env(Vec<KeyValue>),
    /// EXPOSE: the ports in order of their text.
    Expose(Vec<String>),
    /// HEALTHCHECK
    Healthcheck(Healthcheck),
    /// LABEL
    Label(Vec<KeyValue>),
    /// MAINTAINER
    Maintainer(String),
    /// ONBUILD: the instruction it keeps, as text.
    Onbuild(String),
    /// RUN
    Run(Run),
    /// SHELL
    Shell(Vec<String>),
    /// STOPSIGNAL
    StopSignal(String),
    /// USER
    User(String),
    /// VOLUME
    Volume(Vec<String>),
    /// WORKDIR
    Workdir(String),
}

/// A pair of ENV or LABEL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Whether it is written in the old form, `KEY value`.
    pub legacy: bool,
}

/// A variable of ARG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgPair {
    /// The name.
    pub key: String,
    /// The default, if one is given.
    pub value: Option<String>,
    /// The comment line `# key text` in front, its text.
    pub doc: String,
}

/// The sources and the destination of ADD and COPY.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Paths or URLs.
    pub sources: Vec<String>,
    /// Here-documents.
    pub contents: Vec<InlineContent>,
    /// The destination.
    pub dest: String,
    /// `--chown`, empty if not given.
    pub chown: String,
    /// `--chmod`, empty if not given.
    pub chmod: String,
    /// `--link`.
    pub link: bool,
    /// `--exclude`, all of them.
    pub exclude: Vec<String>,
}

/// A file that is written in the Dockerfile itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineContent {
    /// Its name: the delimiter.
    pub path: String,
    /// Its text.
    pub data: String,
    /// Whether variables are expanded in it.
    pub expand: bool,
}

/// ADD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Add {
    /// Sources, destination and the flags it shares with COPY.
    pub transfer: Transfer,
    /// `--keep-git-dir`, if given.
    pub keep_git_dir: Option<bool>,
    /// `--checksum`, empty if not given.
    pub checksum: String,
    /// `--unpack`, if given.
    pub unpack: Option<bool>,
}

/// COPY.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copy {
    /// Sources, destination and the flags it shares with ADD.
    pub transfer: Transfer,
    /// `--from`: a stage, its number, or an image; empty for the build context.
    pub from: String,
    /// `--parents`.
    pub parents: bool,
}

/// The command of RUN, CMD or ENTRYPOINT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The words of the exec form; the whole text as one word in shell form; nothing if empty.
    pub args: Vec<String>,
    /// Whether a shell runs it: the shell form.
    pub shell: bool,
    /// The here-documents of RUN.
    pub files: Vec<InlineFile>,
}

/// A here-document of RUN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineFile {
    /// The delimiter.
    pub name: String,
    /// The text, leading tabs kept.
    pub data: String,
    /// Whether leading tabs are to be dropped.
    pub chomp: bool,
}

/// RUN.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The command.
    pub line: CommandLine,
    /// The mounts. Before expansion only `from` is known of them, as in BuildKit; see
    /// [`Instruction::expand`].
    pub mounts: Vec<Mount>,
    /// The texts of `--mount`.
    pub mount_flags: Vec<String>,
    /// `--network`: `default`, `none` or `host`.
    pub network: String,
    /// `--security`: `sandbox` or `insecure`.
    pub security: String,
    /// `--device`.
    pub devices: Vec<Device>,
    /// The names of the flags that are given, sorted.
    pub flags_used: Vec<String>,
}

/// HEALTHCHECK. Durations are nanoseconds, 0 if not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Healthcheck {
    /// `NONE`; or `CMD` and words; or `CMD-SHELL` and a text.
    pub test: Vec<String>,
    /// `--interval`.
    pub interval: i64,
    /// `--timeout`.
    pub timeout: i64,
    /// `--start-period`.
    pub start_period: i64,
    /// `--start-interval`.
    pub start_interval: i64,
    /// `--retries`, 0 if not given.
    pub retries: i32,
}

impl Command {
    /// The instruction word in capitals.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::Arg(_) => "ARG",
            Self::Cmd(_) => "CMD",
            Self::Copy(_) => "COPY",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Env(_) => "ENV",
            Self::Expose(_) => "EXPOSE",
            Self::Healthcheck(_) => "HEALTHCHECK",
            Self::Label(_) => "LABEL",
            Self::Maintainer(_) => "MAINTAINER",
            Self::Onbuild(_) => "ONBUILD",
            Self::Run(_) => "RUN",
            Self::Shell(_) => "SHELL",
            Self::StopSignal(_) => "STOPSIGNAL",
            Self::User(_) => "USER",
            Self::Volume(_) => "VOLUME",
            Self::Workdir(_) => "WORKDIR",
        }
    }
}

/// Every instruction word, in capitals and in alphabetic order.
pub const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];
