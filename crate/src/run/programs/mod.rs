//! The programs that are acted out in full.

mod accounts;
mod archive;
mod awk;
mod busybox;
mod cat;
mod copy;
mod create;
mod cut;
mod date;
mod diff;
mod digest;
mod dump;
mod expr;
mod find;
mod grep;
mod head;
mod input;
mod launch;
mod list;
mod machine;
pub(super) mod mode;
mod number;
mod opts;
mod owner;
mod patch;
pub(super) mod print;
pub(super) mod regex;
mod remove;
mod sed;
mod sort;
mod sums;
pub(super) mod test;
#[cfg(test)]
mod tests;

use super::{Flavour, Program};

/// The program called `name`, if it is one of ours.
pub fn find(name: &str) -> Option<&'static Program> {
    let tables = [
        accounts::TABLE,
        awk::TABLE,
        busybox::TABLE,
        cat::TABLE,
        copy::TABLE,
        create::TABLE,
        cut::TABLE,
        date::TABLE,
        diff::TABLE,
        dump::TABLE,
        expr::TABLE,
        find::TABLE,
        grep::TABLE,
        head::TABLE,
        launch::TABLE,
        list::TABLE,
        machine::TABLE,
        owner::TABLE,
        patch::TABLE,
        print::TABLE,
        remove::TABLE,
        sed::TABLE,
        super::shell::TABLE,
        sort::TABLE,
        sums::TABLE,
        test::TABLE,
    ];
    tables
        .into_iter()
        .chain(archive::TABLES)
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
