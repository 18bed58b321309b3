//! How long things take: one table of modelled durations, in nanoseconds.
//!
//! The figures are for one processor of the reference machine; the parts that depend on network,
//! disk and processor are scaled by the host's [`Machine`].

use super::Machine;

/// A command that the shell does itself.
pub const BUILTIN: u64 = 20_000;
/// Starting a process and waiting for its end.
pub const PROCESS: u64 = 1_500_000;
/// Changing the metadata of one file (`chmod -R`, `chown -R`: 20 µs a file).
pub const INODE: u64 = 20_000;

/// Bytes a second that unpacking and packing an archive gets through.
pub const ARCHIVE_RATE: f64 = 150e6;

/// Writing `bytes` to disk.
pub fn disk(machine: Machine, bytes: u64) -> u64 {
    seconds(bytes as f64 / machine.disk)
}

/// Getting `bytes` through the network, with the round trips in front.
pub fn network(machine: Machine, bytes: u64) -> u64 {
    seconds(0.2 + bytes as f64 / machine.network)
}

/// Packing or unpacking `bytes`.
pub fn archive(machine: Machine, bytes: u64) -> u64 {
    seconds(machine.cpu * bytes as f64 / ARCHIVE_RATE)
}

/// Seconds as whole nanoseconds; never negative, never endless.
pub fn seconds(seconds: f64) -> u64 {
    (seconds.clamp(0.0, 1e9) * 1e9) as u64
}
