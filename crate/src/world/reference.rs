//! Names of images.

use std::fmt;

/// The registry of a name that names none.
pub const DEFAULT_DOMAIN: &str = "docker.io";
/// The folder of official images on it.
const OFFICIAL: &str = "library/";
/// The tag of a name without one.
const DEFAULT_TAG: &str = "latest";
/// The longest name, in bytes, without tag and digest.
const MAX_NAME: usize = 255;
/// The longest tag, in bytes.
const MAX_TAG: usize = 128;

/// An image's name in full: `docker.io/library/node:20`. Displayed so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The registry.
    pub domain: String,
    /// The path on it.
    pub path: String,
    /// The tag; `latest` if the name has neither tag nor digest.
    pub tag: Option<String>,
    /// The digest, if the name pins one.
    pub digest: Option<String>,
}

/// Why a text names no image; displayed as BuildKit words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// It does not follow the grammar.
    Format,
    /// The path has capitals; without them it would do.
    Uppercase(String),
    /// Sixty-four hexadecimal digits, which would be an image's ID.
    Identifier(String),
    /// The name has more than 255 bytes.
    TooLong,
    /// There is nothing.
    Empty,
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReferenceError::Format => f.write_str("invalid reference format"),
            ReferenceError::Uppercase(name) => write!(
                f,
                "invalid reference format: repository name ({name}) must be lowercase"
            ),
            ReferenceError::Identifier(name) => write!(
                f,
                "invalid repository name ({name}), cannot specify 64-byte hexadecimal strings"
            ),
            ReferenceError::TooLong => write!(
                f,
                "repository name must not be more than {MAX_NAME} characters"
            ),
            ReferenceError::Empty => {
                f.write_str("repository name must have at least one component")
            }
        }
    }
}

impl std::error::Error for ReferenceError {}

impl Reference {
    /// Reads a name as Docker does: `node` is `docker.io/library/node:latest`. (distribution's
    /// grammar of references and its rules for familiar names.)
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn parse(text: &str) -> Result<Reference, ReferenceError> {
        if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(ReferenceError::Identifier(text.to_owned()));
        }
        let (domain, rest) = split_domain(text);
        let (named, digest) = match rest.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (rest.as_str(), None),
        };
        let (path, tag) = match named.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (named, None),
        };
        if path.is_empty() {
            return Err(if text.is_empty() {
                ReferenceError::Empty
            } else {
                ReferenceError::Format
            });
        }
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(ReferenceError::Uppercase(path.to_owned()));
        }
        let sound = is_domain(&domain)
            && path.split('/').all(is_component)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest);
        if !sound {
            return Err(ReferenceError::Format);
        }
        if domain.len() + 1 + path.len() > MAX_NAME {
            return Err(ReferenceError::TooLong);
        }
        let tag = match (tag, digest) {
            (None, None) => Some(DEFAULT_TAG),
            (tag, _) => tag,
        };
        Ok(Reference {
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
            domain,
        })
    }

    /// The name as people write it: without the default registry and its official folder, and
    /// without tag and digest.
    pub fn familiar_name(&self) -> String {
        if self.domain != DEFAULT_DOMAIN {
            return format!("{}/{}", self.domain, self.path);
        }
        match self.path.strip_prefix(OFFICIAL) {
            Some(name) if !name.contains('/') => name.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// The familiar name with the tag: `node:20`. A name with a digest alone gets `latest`.
    pub fn familiar(&self) -> String {
        let tag = self.tag.as_deref().unwrap_or(DEFAULT_TAG);
        format!("{}:{tag}", self.familiar_name())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// What stands before the first slash is a registry if it has a dot, a port or a capital, or is
/// `localhost`; all else is on the default one.
fn split_domain(text: &str) -> (String, String) {
    let (domain, rest) = match text.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.bytes().any(|b| b.is_ascii_uppercase()) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_DOMAIN, text),
    };
    // An old name of the same registry.
    let domain = if domain == "index.docker.io" {
        DEFAULT_DOMAIN
    } else {
        domain
    };
    if domain == DEFAULT_DOMAIN && !rest.contains('/') && !rest.is_empty() {
        return (domain.to_owned(), format!("{OFFICIAL}{rest}"));
    }
    (domain.to_owned(), rest.to_owned())
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let sound = address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
            if address.is_empty() || !sound {
                return false;
            }
            (
                "v6",
                rest.strip_prefix(':').or((!rest.is_empty()).then_some("x")),
            )
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    host.split('.').all(label) && port.is_none_or(digits)
}

/// Runs of lower-case letters and digits, with `.`, `_`, `__` or dashes between.
fn is_component(text: &str) -> bool {
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let mut rest = bytes;
    if !bytes.last().is_some_and(alphanumeric) {
        return false;
    }
    while !rest.is_empty() {
        let run = rest.iter().take_while(|b| alphanumeric(b)).count();
        if run == 0 {
            return false;
        }
        rest = &rest[run..];
        let gap = rest.iter().take_while(|b| !alphanumeric(b)).count();
        let sound = matches!(&rest[..gap], b"" | b"." | b"_" | b"__")
            || rest[..gap].iter().all(|b| *b == b'-');
        if !sound {
            return false;
        }
        rest = &rest[gap..];
    }
    true
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else {
        return false;
    };
    let hex_digits = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match algorithm {
        "sha256" => hex.len() == 64 && hex_digits,
        "sha384" => hex.len() == 96 && hex_digits,
        "sha512" => hex.len() == 128 && hex_digits,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(text: &str) -> String {
        match Reference::parse(text) {
            Ok(reference) => reference.to_string(),
            Err(error) => format!("! {error}"),
        }
    }

    #[test]
    fn names_are_completed() {
        assert_eq!(full("node"), "docker.io/library/node:latest");
        assert_eq!(full("node:20-alpine"), "docker.io/library/node:20-alpine");
        assert_eq!(full("docker.io/node"), "docker.io/library/node:latest");
        assert_eq!(full("index.docker.io/a/b"), "docker.io/a/b:latest");
        assert_eq!(full("nginxinc/nginx"), "docker.io/nginxinc/nginx:latest");
        assert_eq!(full("localhost/a"), "localhost/a:latest");
        assert_eq!(full("localhost:5000/a:1"), "localhost:5000/a:1");
        assert_eq!(full("[::1]:5000/a"), "[::1]:5000/a:latest");
        assert_eq!(full("host.tst/x/y__z-1:v"), "host.tst/x/y__z-1:v");
        let digest = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(
            full(&format!("node@{digest}")),
            format!("docker.io/library/node@{digest}")
        );
        assert_eq!(
            full(&format!("node:20@{digest}")),
            format!("docker.io/library/node:20@{digest}")
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        insta::assert_snapshot!(
            [
                "", "Node", "a//b", "-a", "a-", "a..b", "a___b", "node:", "node:-x", "node:a b",
                "node@sha256:abc", "http://x", "a.tst:port/b", &"0a".repeat(32), &"a".repeat(300),
            ]
            .map(|text| format!("{:.20} -> {}", text, full(text)))
            .join("\n"),
            @r"
             -> ! repository name must have at least one component
            Node -> ! invalid reference format: repository name (library/Node) must be lowercase
            a//b -> ! invalid reference format
            -a -> ! invalid reference format
            a- -> ! invalid reference format
            a..b -> ! invalid reference format
            a___b -> ! invalid reference format
            node: -> ! invalid reference format
            node:-x -> ! invalid reference format
            node:a b -> ! invalid reference format
            node@sha256:abc -> ! invalid reference format
            http://x -> ! invalid reference format
            a.tst:port/b -> ! invalid reference format
            0a0a0a0a0a0a0a0a0a0a -> ! invalid repository name (0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a), cannot specify 64-byte hexadecimal strings
            aaaaaaaaaaaaaaaaaaaa -> ! repository name must not be more than 255 characters
            "
        );
    }

    #[test]
    fn familiar_names_leave_the_default_out() {
        let familiar = |text| Reference::parse(text).map(|r| r.familiar());
        assert_eq!(
            familiar("docker.io/library/node:20").as_deref(),
            Ok("node:20")
        );
        assert_eq!(familiar("a/b").as_deref(), Ok("a/b:latest"));
        assert_eq!(familiar("gcr.io/a/b:c").as_deref(), Ok("gcr.io/a/b:c"));
    }
}
