//! Sources that are patterns.

pub use crate::context::has_wildcards as is_pattern;

/// Whether the whole of `name` matches `pattern`; a pattern that is not well formed is an error.
pub use crate::context::glob as matches;

/// A path cut before its first component that is a pattern: the plain directory, and the pattern
/// below it (empty where there is none).
pub fn split(path: &str) -> (String, String) {
    let mut plain: Vec<&str> = Vec::new();
    let mut rest: Vec<&str> = Vec::new();
    for part in path.split('/') {
        if rest.is_empty() && !is_pattern(part) {
            plain.push(part);
        } else {
            rest.push(part);
        }
    }
    let mut plain = plain.join("/");
    if plain.is_empty() && path.starts_with('/') {
        plain.push('/');
    }
    (plain, rest.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting_before_the_first_pattern() {
        assert_eq!(split("/a/b*/c"), ("/a".into(), "b*/c".into()));
        assert_eq!(split("/*.txt"), ("/".into(), "*.txt".into()));
        assert_eq!(split("/a/b"), ("/a/b".into(), String::new()));
    }
}
