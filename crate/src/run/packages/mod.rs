//! Package managers, modelled.

use super::Program;

/// The program called `name`, if a package manager is called so.
pub fn find(_name: &str) -> Option<&'static Program> {
    None
}
