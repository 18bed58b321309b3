//! The Dockerfile language: text to directives, nodes and typed instructions with source spans.
//!
//! In this room: the parser, heredocs, variable expansion, the printer. Not in this room: files, images,
//! or anything that an instruction does.
