//! The limits of the language layer. Where BuildKit has a limit, it is the same.

/// The longest Dockerfile that is parsed, in bytes. BuildKit has no such limit; a text beyond it is
/// a mistake (pasted data), and an editor must answer at once.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;

/// The longest line, in bytes without its `\n`. Source: BuildKit's line scanner (`bufio.Scanner`
/// with its default buffer of 64 KiB).
pub const MAX_LINE_BYTES: usize = 65535;

/// How deep `${a:-${b:-…}}` may nest.
pub const MAX_EXPANSION_DEPTH: usize = 100;

/// How much longer than the word its expansion may be, in bytes: variables that repeat each other can
/// double with every instruction. Linux takes no longer variable either (`MAX_ARG_STRLEN`).
pub const MAX_EXPANSION_BYTES: usize = 128 << 10;

/// How many variables a stage may have.
pub const MAX_VARIABLES: usize = 10_000;

/// How many bytes the names and values of a stage's variables may have together.
pub const MAX_ENV_BYTES: usize = 4 << 20;

/// How many stages a Dockerfile may have.
pub const MAX_STAGES: usize = 1_000;

/// How deep `ONBUILD ONBUILD …` is taken apart. Two levels are already refused as an instruction.
pub const MAX_ONBUILD_DEPTH: usize = 16;

/// How deep JSON arrays and objects may nest in an exec form.
pub const MAX_JSON_DEPTH: usize = 100;

/// How many errors are collected when checking goes on after the first.
pub const MAX_ERRORS: usize = 100;
