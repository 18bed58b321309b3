//! The programs that are acted out in full.

mod busybox;
mod text;

use super::Program;

/// The program called `name`, if it is one of ours.
pub fn find(name: &str) -> Option<&'static Program> {
    let tables = [busybox::TABLE, text::TABLE];
    tables
        .into_iter()
        .flatten()
        .find(|program| program.name == name)
}

/// Whether busybox has an applet called `name`, be it known here or not.
pub fn is_applet(name: &str) -> bool {
    busybox::APPLETS
        .split_whitespace()
        .any(|applet| applet == name)
}
