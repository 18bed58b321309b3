//! The limits of a session. What goes past one is refused, and nothing is lost.

/// The longest Dockerfile, in bytes.
pub const MAX_DOCKERFILE_BYTES: usize = crate::dockerfile::limits::MAX_SOURCE_BYTES;

/// The largest file of the context, in bytes.
pub const MAX_FILE_BYTES: usize = 32 << 20;

/// The most bytes that all files of the context may have together.
pub const MAX_CONTEXT_BYTES: u64 = 256 << 20;

/// The most files, links and directories that the context may have.
pub const MAX_CONTEXT_ENTRIES: usize = 100_000;

/// The longest path in the context, in bytes.
pub const MAX_PATH_BYTES: usize = 1024;

/// How many changes can be taken back; older ones are forgotten.
pub const MAX_UNDO: usize = 1_000;

/// How many days simulated time can be moved on at once.
pub const MAX_ADVANCE_DAYS: u32 = 3_650;

/// How many builds are kept; of older ones only their results in the cache are left, and the states
/// that an undo leads to.
pub const MAX_BUILDS: usize = 200;
