//! Build checks: each rule a file.
