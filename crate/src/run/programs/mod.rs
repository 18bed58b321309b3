//! The programs that are acted out in full.

mod archive;
mod busybox;
mod columns;
mod copy;
mod create;
mod date;
mod grep;
mod input;
mod list;
pub(super) mod mode;
mod number;
mod opts;
mod owner;
pub(super) mod print;
mod process;
pub(super) mod regex;
mod remove;
mod sort;
mod sums;
pub(super) mod test;
mod text;

use super::{Flavour, Program};

/// The program called `name`, if it is one of ours.
pub fn find(name: &str) -> Option<&'static Program> {
    let tables = [
        archive::TABLE,
        busybox::TABLE,
        columns::TABLE,
        copy::TABLE,
        create::TABLE,
        date::TABLE,
        grep::TABLE,
        list::TABLE,
        owner::TABLE,
        print::TABLE,
        process::TABLE,
        remove::TABLE,
        super::shell::TABLE,
        sort::TABLE,
        sums::TABLE,
        test::TABLE,
        text::TABLE,
    ];
    tables
        .into_iter()
        .flatten()
        .find(|program| program.name == name)
}

/// Whether busybox has an applet called `name`, be it known here or not.
pub fn is_applet(name: &str) -> bool {
    applets().any(|applet| applet == name)
}

/// The names of all busybox applets.
pub(super) fn applets() -> impl Iterator<Item = &'static str> {
    busybox::APPLETS.split_whitespace()
}
