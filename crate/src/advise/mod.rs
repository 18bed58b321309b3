//! Comparing orders and edits; suggestions that are verified by building them.
