//! The log of a run.

use super::{LogLine, Stream};

/// Collects output into lines.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: Vec<LogLine>,
    partial: [Partial; 2],
    kept: usize,
    /// All bytes written, kept or not.
    pub written: u64,
    limit: usize,
    clipped: bool,
}

/// A line that is not at its end yet.
#[derive(Debug, Default)]
struct Partial {
    nanos: u64,
    bytes: Vec<u8>,
}

impl Partial {
    /// Adds bytes at a time; a line has the time of its first byte.
    fn add(&mut self, nanos: u64, bytes: &[u8]) {
        if self.bytes.is_empty() {
            self.nanos = nanos;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The line as it is; what follows is another.
    fn end(&mut self, stream: Stream) -> LogLine {
        let line = LogLine {
            stream,
            nanos: self.nanos,
            text: String::from_utf8_lossy(&self.bytes).into_owned(),
        };
        self.bytes.clear();
        line
    }
}

impl Log {
    /// A log that keeps `limit` bytes.
    pub fn new(limit: usize) -> Log {
        Log {
            limit,
            ..Log::default()
        }
    }

    /// Adds output that was written so many nanoseconds after the run's start.
    pub fn write(&mut self, stream: Stream, nanos: u64, bytes: &[u8]) {
        self.written += bytes.len() as u64;
        let room = self.limit - self.kept;
        self.clipped |= bytes.len() > room;
        let bytes = &bytes[..bytes.len().min(room)];
        self.kept += bytes.len();
        let partial = &mut self.partial[stream as usize];
        for (number, piece) in bytes.split(|b| *b == b'\n').enumerate() {
            if number > 0 {
                // An empty line has no byte of its own: its time is that of its end.
                partial.add(nanos, b"");
                self.lines.push(partial.end(stream));
            }
            partial.add(nanos, piece);
        }
    }

    /// The lines, and whether some are missing.
    pub fn finish(mut self) -> (Vec<LogLine>, bool) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let partial = &mut self.partial[stream as usize];
            if !partial.bytes.is_empty() {
                self.lines.push(partial.end(stream));
            }
        }
        (self.lines, self.clipped)
    }
}
