//! Image names: `alpine`, `ghcr.io/o/i:tag`, `busybox@sha256:…`.
//!
//! Source: `distribution/reference`.

use std::fmt;

/// The registry of names without one.
const DEFAULT_DOMAIN: &str = "docker.io";
/// Another name of it.
const LEGACY_DOMAIN: &str = "index.docker.io";
/// Where names of one part live.
const OFFICIAL: &str = "library/";
/// The tag of a name with neither tag nor digest.
pub const DEFAULT_TAG: &str = "latest";
/// The longest path of a name, in bytes.
const MAX_PATH: usize = 255;
/// The longest tag, in bytes.
const MAX_TAG: usize = 128;

/// A full image name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The registry: `docker.io`.
    pub domain: String,
    /// The repository in it: `library/alpine`.
    pub path: String,
    /// The tag, if one is given.
    pub tag: Option<String>,
    /// The digest, if one is given.
    pub digest: Option<String>,
}

impl Reference {
    /// Reads a name and completes it with registry and `library/`.
    ///
    /// # Errors
    ///
    /// What `distribution/reference` says of a text that is no image name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 64 && text.bytes().all(hex) {
            return Err(format!(
                "invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
            ));
        }
        let (domain, remainder) = split_domain(text);
        let name = remainder.split(':').next().unwrap_or_default();
        if name.to_lowercase() != name {
            return Err(format!(
                "invalid reference format: repository name ({name}) must be lowercase"
            ));
        }
        let full = format!("{domain}/{remainder}");
        match parts(&full) {
            Some(reference) => {
                if reference.path.len() > MAX_PATH {
                    return Err(format!(
                        "repository name must not be more than {MAX_PATH} characters"
                    ));
                }
                if let Some(digest) = &reference.digest {
                    check_digest(digest)?;
                }
                Ok(reference)
            }
            None if parts(&full.to_lowercase()).is_some() => {
                Err("repository name must be lowercase".to_owned())
            }
            None => Err("invalid reference format".to_owned()),
        }
    }

    /// The name with the tag `latest` if it has neither tag nor digest.
    pub fn tagged(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The name as people write it: without the default registry and `library/`.
    pub fn familiar(&self) -> String {
        let mut short = self.clone();
        if short.domain == DEFAULT_DOMAIN {
            short.domain.clear();
            if let Some(rest) = short.path.strip_prefix(OFFICIAL)
                && !rest.contains('/')
            {
                short.path = rest.to_owned();
            }
        }
        short.to_string()
    }

    /// The repository as people write it: the familiar name without tag and digest.
    pub fn familiar_name(&self) -> String {
        let repository = Reference {
            tag: None,
            digest: None,
            ..self.clone()
        };
        repository.familiar()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.domain.is_empty() {
            write!(f, "{}/", self.domain)?;
        }
        f.write_str(&self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn split_domain(text: &str) -> (&str, String) {
    let Some((first, rest)) = text.split_once('/') else {
        return (DEFAULT_DOMAIN, format!("{OFFICIAL}{text}"));
    };
    let (domain, remainder) = if first == LEGACY_DOMAIN {
        (DEFAULT_DOMAIN, rest)
    } else if first == "localhost" || first.contains(['.', ':']) || first.to_lowercase() != first {
        (first, rest)
    } else {
        (DEFAULT_DOMAIN, text)
    };
    if domain == DEFAULT_DOMAIN && !remainder.contains('/') {
        return (domain, format!("{OFFICIAL}{remainder}"));
    }
    (domain, remainder.to_owned())
}

fn parts(text: &str) -> Option<Reference> {
    let (text, digest) = match text.split_once('@') {
        Some((text, digest)) => (text, Some(digest)),
        None => (text, None),
    };
    let after_slash = text.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match text[after_slash..].find(':') {
        Some(at) => (
            &text[..after_slash + at],
            Some(&text[after_slash + at + 1..]),
        ),
        None => (text, None),
    };
    if tag.is_some_and(|tag| !is_tag(tag)) || digest.is_some_and(|digest| !is_digest(digest)) {
        return None;
    }
    let (domain, path) = match name.split_once('/') {
        Some((domain, path)) if is_domain(domain) && is_path(path) => (domain, path),
        _ if is_path(name) => ("", name),
        _ => return None,
    };
    Some(Reference {
        domain: domain.to_owned(),
        path: path.to_owned(),
        tag: tag.map(str::to_owned),
        digest: digest.map(str::to_owned),
    })
}

fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= MAX_TAG
        && tag.starts_with(word)
        && tag.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return false;
    };
    let part = |p: &str| {
        p.starts_with(|c: char| c.is_ascii_alphabetic())
            && p.chars().all(|c| c.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(part)
        && hex.len() >= 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Checks a digest: `sha256:` and 64 digits, or one of the longer kinds.
///
/// # Errors
///
/// What `opencontainers/go-digest` says of it.
pub fn check_digest(digest: &str) -> Result<(), String> {
    let format = || Err("invalid checksum digest format".to_owned());
    let (algorithm, hex) = digest.split_once(':').unwrap_or_default();
    if algorithm.is_empty() || hex.is_empty() {
        return format();
    }
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => {
            let part = |p: &str| {
                !p.is_empty()
                    && p.bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            };
            let encoded = |b: u8| b.is_ascii_alphanumeric() || b"=_-".contains(&b);
            if algorithm.split(['.', '+', '_', '-']).all(part) && hex.bytes().all(encoded) {
                return Err("unsupported digest algorithm".to_owned());
            }
            return format();
        }
    };
    if hex.len() != length {
        return Err("invalid checksum digest length".to_owned());
    }
    if !hex
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    {
        return format();
    }
    Ok(())
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (domain, None),
    };
    if port.is_some_and(|p| p.is_empty() || !p.bytes().all(|b| b.is_ascii_digit())) {
        return false;
    }
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|a| {
            !a.is_empty() && a.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
        });
    }
    host.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

fn is_path(path: &str) -> bool {
    path.split('/').all(is_component)
}

/// Lower-case letters and digits, separated by `.`, `_`, `__` or any number of `-`.
fn is_component(component: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let mut at = 0;
    loop {
        let word = bytes[at..].iter().take_while(|b| plain(**b)).count();
        if word == 0 {
            return false;
        }
        at += word;
        if at == bytes.len() {
            return true;
        }
        let separator = bytes[at..].iter().take_while(|b| !plain(**b)).count();
        let valid = match &bytes[at..at + separator] {
            b"." | b"_" | b"__" => true,
            dashes => dashes.iter().all(|b| *b == b'-'),
        };
        if !valid {
            return false;
        }
        at += separator;
    }
}
