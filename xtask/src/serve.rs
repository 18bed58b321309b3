//! `serve`: the page on this machine.

use std::thread;
use std::time::Duration;

use crate::args::Args;
use crate::http::Server;
use crate::page::{self, Mode};
use crate::process::say;
use crate::{Failure, Outcome};

/// The port when none is asked for.
const PORT: u16 = 8080;

/// How often `--watch` looks for changes.
const WATCH: Duration = Duration::from_millis(500);

/// Builds the page and serves it on 127.0.0.1.
///
/// # Errors
///
/// The build fails, or the port is taken.
pub fn run(mut args: Args) -> Outcome {
    let release = args.flag("--release");
    let watch = args.flag("--watch");
    let prebuilt = args.flag("--prebuilt");
    let base = args.option("--base")?.unwrap_or_else(|| "/".to_owned());
    let port = match args.option("--port")? {
        Some(port) => port
            .parse()
            .map_err(|_| format!("`{port}` is not a port"))?,
        None => PORT,
    };
    args.none_left()?;

    let mode = if release { Mode::Release } else { Mode::Dev };
    if !prebuilt {
        page::build(mode)?;
    }
    let server = Server::bind(port, &base, page::dist()).map_err(|error| {
        Failure::Because(format!(
            "cannot listen on port {port}: {error}; --port takes another"
        ))
    })?;
    println!(
        "\n  Layerwise is at {}\n  Control-C ends it.\n",
        server.address()
    );
    if watch {
        thread::spawn(move || rebuild_on_change(mode));
    }
    server.run()
}

/// Builds the page again whenever one of its inputs has changed, for ever.
fn rebuild_on_change(mode: Mode) {
    let mut seen = newest();
    loop {
        thread::sleep(WATCH);
        let now = newest();
        if now != seen {
            seen = now;
            match page::build(mode) {
                Ok(()) => say("built: reload the page"),
                Err(Failure::Because(message)) => eprintln!("✗ {message}"),
                Err(Failure::Reported) => {}
            }
        }
    }
}

/// What tells that an input has changed, without reading it: how many there are, and the youngest.
fn newest() -> (usize, Option<std::time::SystemTime>) {
    let mut count = 0;
    let mut newest = None;
    let mut left = page::inputs();
    while let Some(path) = left.pop() {
        if let Ok(inside) = std::fs::read_dir(&path) {
            left.extend(inside.flatten().map(|entry| entry.path()));
        } else if let Ok(modified) = path.metadata().and_then(|meta| meta.modified()) {
            count += 1;
            newest = newest.max(Some(modified));
        }
    }
    (count, newest)
}
