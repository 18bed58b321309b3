//! Tests of the language through its public functions.

mod edit;
mod expand;
mod instruction;
mod laws;
mod names;
mod parser;
mod stages;

use super::diagnostic::Diagnostic;

/// An error on one line: the lines it points at, the bytes at fault, the message.
fn show(text: &str, error: &Diagnostic) -> String {
    let at = error.span.map_or("", |span| span.slice(text));
    format!(
        "{:?} `{}` {}",
        error.line_numbers(),
        at.escape_debug(),
        error.message
    )
}
