//! Paths as text: `/`-separated, without knowledge of any filesystem.

/// The path without `.`, `..` and repeated slashes, absolute. `..` above the root stays there.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in split(path) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let mut out = String::with_capacity(path.len() + 1);
    for part in parts {
        out.push('/');
        out.push_str(part);
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// `path` seen from directory `base`, cleaned; an absolute `path` stands alone.
pub fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') {
        clean(path)
    } else {
        clean(&format!("{base}/{path}"))
    }
}

/// The non-empty components.
pub fn split(path: &str) -> impl DoubleEndedIterator<Item = &str> + Clone {
    path.split('/').filter(|part| !part.is_empty())
}

/// The last component, or the empty string for the root.
pub fn base_name(path: &str) -> &str {
    split(path).next_back().unwrap_or("")
}

/// The cleaned path of the containing directory; the root's is the root.
pub fn parent(path: &str) -> String {
    clean(&format!("{path}/.."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning() {
        assert_eq!(clean("a//b/./../c/"), "/a/c");
        assert_eq!(clean("/../.."), "/");
        assert_eq!(join("/a", "../b"), "/b");
        assert_eq!(join("/a", "/c"), "/c");
        assert_eq!(base_name("/a/b/"), "b");
        assert_eq!(parent("/a/b"), "/a");
        assert_eq!(parent("/"), "/");
    }
}
