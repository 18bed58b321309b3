//! The log of a run.

use super::{LogLine, Stream};

/// Collects output into lines.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: Vec<LogLine>,
    partial: [Vec<u8>; 2],
    kept: usize,
    /// All bytes written, kept or not.
    pub written: u64,
    limit: usize,
    clipped: bool,
}

impl Log {
    /// A log that keeps `limit` bytes.
    pub fn new(limit: usize) -> Log {
        Log {
            limit,
            ..Log::default()
        }
    }

    /// Adds output.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) {
        self.written += bytes.len() as u64;
        let room = self.limit - self.kept;
        self.clipped |= bytes.len() > room;
        let bytes = &bytes[..bytes.len().min(room)];
        self.kept += bytes.len();
        let partial = &mut self.partial[stream as usize];
        let mut pieces = bytes.split(|b| *b == b'\n');
        partial.extend_from_slice(pieces.next().unwrap_or_default());
        for piece in pieces {
            let line = std::mem::replace(partial, piece.to_vec());
            let text = String::from_utf8_lossy(&line).into_owned();
            self.lines.push(LogLine { stream, text });
        }
    }

    /// The lines, and whether some are missing.
    pub fn finish(mut self) -> (Vec<LogLine>, bool) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let line = std::mem::take(&mut self.partial[stream as usize]);
            if !line.is_empty() {
                let text = String::from_utf8_lossy(&line).into_owned();
                self.lines.push(LogLine { stream, text });
            }
        }
        (self.lines, self.clipped)
    }
}
