//! The native engine's replies to scripted requests, for the tests of the wasm module: both are the
//! same engine, so both must say the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use layerwise::session::Session;
use layerwise::view::{Reply, Request};

use crate::process::root;
use crate::{Failure, Outcome};

/// Answers every script of `scripts`, each in a session of its own, and writes the replies to `out`.
///
/// # Errors
///
/// A script is not understood, or needs a part that the catalog lacks.
pub fn write(scripts: &Path, out: &Path) -> Outcome {
    let invalid = |error: serde_json::Error| format!("{}: {error}", scripts.display());
    let scripts: BTreeMap<String, Vec<Request>> =
        serde_json::from_str(&fs::read_to_string(scripts)?).map_err(invalid)?;
    let mut replies = BTreeMap::new();
    for (name, requests) in scripts {
        let mut session = Session::default();
        let answered: Result<Vec<_>, _> = requests
            .into_iter()
            .map(|request| answer(&mut session, request))
            .collect();
        replies.insert(name, answered?);
    }
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(out, serde_json::to_string(&replies).map_err(invalid)?)?;
    Ok(())
}

/// The final reply to a request, after all that it needs and all that it takes.
fn answer(session: &mut Session, request: Request) -> Result<Reply, Failure> {
    let mut now = request;
    loop {
        match session.handle(now.clone()) {
            Reply::Needs(names) => {
                for name in names {
                    let bytes = fs::read(root().join("public/catalog").join(&name))?;
                    session
                        .supply(&name, &bytes)
                        .map_err(|refusal| refusal.to_string())?;
                }
            }
            Reply::Progress(_) => now = Request::Continue,
            reply => return Ok(reply),
        }
    }
}
