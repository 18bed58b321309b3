//! A session whose catalog is at hand.

use std::collections::BTreeSet;

use crate::play::Actor;
use crate::view::{Reply, Request};

use super::Session;

/// A session together with where its parts of the catalog come from: what a page's worker does,
/// for tests and commands.
#[derive(Debug, Default)]
pub struct Served<F> {
    session: Session,
    load: F,
}

impl<F: FnMut(&str) -> Result<Vec<u8>, String>> Served<F> {
    /// A new session. `load` gets a part of the catalog by its name.
    pub fn new(load: F) -> Served<F> {
        Served {
            session: Session::new(),
            load,
        }
    }
}

impl<F: FnMut(&str) -> Result<Vec<u8>, String>> Actor for Served<F> {
    fn ask(&mut self, request: Request) -> Result<Reply, String> {
        let mut supplied = BTreeSet::new();
        let mut request = request;
        loop {
            match self.session.handle(request.clone()) {
                Reply::Needs(parts) => {
                    for part in parts {
                        let bytes = (self.load)(&part)?;
                        self.session
                            .supply(&part, &bytes)
                            .map_err(|refusal| refusal.to_string())?;
                        if !supplied.insert(part.clone()) {
                            return Err(format!("{part} was supplied, and is still needed"));
                        }
                    }
                    // A build that has begun goes on.
                    if self.session.is_busy() {
                        request = Request::Continue;
                    }
                }
                reply => return Ok(reply),
            }
        }
    }
}
