//! How a run reaches what is outside of it.

use std::sync::Arc;

use crate::fs::Content;

/// Which of a process's two outputs a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The machine that a build is said to run on; durations are modelled from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// Network, bytes a second.
    pub network: f64,
    /// Disk writes, bytes a second.
    pub disk: f64,
    /// Processor time relative to the reference machine; 2.0 takes twice as long.
    pub cpu: f64,
}

impl Default for Machine {
    /// A 100 Mbit/s line and an ordinary SSD.
    fn default() -> Machine {
        Machine {
            network: 12e6,
            disk: 200e6,
            cpu: 1.0,
        }
    }
}

/// What the host knows of a part of the catalog.
#[derive(Clone, Debug)]
pub enum Part {
    /// Here it is.
    Loaded(Arc<[u8]>),
    /// It exists, but must be fetched first: the run is given up and repeated once it is there.
    NotLoaded,
    /// There is no such part.
    Unknown,
}

/// What a simulated server answers.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The body; a stand-in where nobody said what the address serves.
    pub body: Content,
}

/// The world outside of a run.
///
/// Everything a run learns from outside comes through here, so a run with the same host answers
/// is the same run. Methods take `&mut self` so that a host can count and record.
pub trait Host {
    /// A piece of output as it is written, for live progress. The [`Outcome`](super::Outcome)
    /// holds the whole log.
    fn output(&mut self, _stream: Stream, _text: &str) {}

    /// Whether somebody wants the run to end. Asked now and then.
    fn cancelled(&mut self) -> bool {
        false
    }

    /// The machine that durations are modelled on.
    fn machine(&self) -> Machine {
        Machine::default()
    }

    /// A part of the catalog, by name.
    fn part(&mut self, _name: &str) -> Part {
        Part::Unknown
    }

    /// A GET request to the simulated network; `None` where the host does not resolve.
    fn fetch(&mut self, _url: &str) -> Option<Response> {
        None
    }
}

/// A host without network and catalog.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

impl Host for Offline {}
