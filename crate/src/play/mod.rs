//! Plays: one Markdown format for examples, lessons, documentation and tests.
