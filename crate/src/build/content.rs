//! The content of an input as it enters a key.
//!
//! Source: BuildKit `cache/contenthash`. What counts of a file is its type, mode, owner,
//! attributes, link target, size and bytes; of a directory the names and digests below and its own
//! metadata. Times do not count, nor does the name of the path itself.

use std::fmt;

use super::filter::{Above, Filter};
use super::glob;
use crate::fs::{Errno, Fs, Ino, clean, header_digest, node_digest};
use crate::image::{Digest, Hasher};

/// The part of an input that a step looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// The absolute path.
    pub path: String,
    /// Whether the path is a pattern.
    pub wildcard: bool,
    /// Whether a symbolic link at the path stands for what it points to.
    pub follow_links: bool,
    /// What is taken below the path; empty for everything.
    pub include: Vec<String>,
    /// What is left out below the path.
    pub exclude: Vec<String>,
    /// Paths of which at least one entry must be taken.
    pub required: Vec<String>,
}

impl Selector {
    /// A whole path, links followed.
    pub fn path(path: impl Into<String>) -> Selector {
        Selector {
            path: path.into(),
            follow_links: true,
            ..Selector::default()
        }
    }

    /// Whether it is more than a plain path.
    pub fn is_filtered(&self) -> bool {
        self.wildcard || !self.include.is_empty() || !self.exclude.is_empty()
    }
}

/// Why the content of an input cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentError {
    /// Nothing is at the path.
    NotFound(String),
    /// A symbolic link leads to itself.
    TooManyLinks,
    /// A pattern is not well formed.
    Pattern(String),
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContentError::NotFound(path) => {
                write!(f, "{}: not found", crate::dockerfile::golang::quote(path))
            }
            ContentError::TooManyLinks => f.write_str("too many links"),
            ContentError::Pattern(message) => f.write_str(message),
        }
    }
}

/// The digest of what `selectors` take of `fs`, in their order; without selectors of everything.
///
/// # Errors
/// [`ContentError`]: of the last selector if it has one, else of the first that has. (BuildKit looks
/// at all of them at the same time, and begins with the last.)
pub fn checksum(fs: &Fs, selectors: &[Selector]) -> Result<Digest, ContentError> {
    let mut hasher = Hasher::default();
    if selectors.is_empty() {
        hasher.update(&node_digest(fs, Fs::ROOT).0);
    }
    let digests: Vec<_> = selectors
        .iter()
        .map(|selector| select(fs, selector))
        .collect();
    if let Some(Err(error)) = digests.last() {
        return Err(error.clone());
    }
    for digest in digests {
        hasher.update(&digest?.0);
    }
    Ok(hasher.finish().0)
}

/// The digest of what one selector takes.
///
/// # Errors
/// [`ContentError`].
pub fn select(fs: &Fs, selector: &Selector) -> Result<Digest, ContentError> {
    let path = clean(&selector.path);
    if !selector.is_filtered() {
        return plain(fs, &path, selector.follow_links);
    }
    let taken = taken(fs, selector)?;
    for required in &selector.required {
        if !taken.iter().any(|(path, _)| path.starts_with(required)) {
            return Err(ContentError::NotFound(required.clone()));
        }
    }
    let (prefix, _) = glob::split(&path);
    let prefix = if selector.wildcard { &prefix } else { &path };
    let prefix = prefix.trim_end_matches('/');
    let mut hasher = Hasher::default();
    for (path, digest) in &taken {
        let name = path.strip_prefix(prefix).unwrap_or(path);
        hasher.update(name.as_bytes());
        hasher.update(&[0]);
        hasher.update(&digest.0);
    }
    Ok(hasher.finish().0)
}

/// The digest of the node at `path`.
fn plain(fs: &Fs, path: &str, follow: bool) -> Result<Digest, ContentError> {
    let ino = find(fs, path, follow)?;
    let ino = ino.ok_or_else(|| ContentError::NotFound(path.to_string()))?;
    Ok(Digest(node_digest(fs, ino).0))
}

/// The node at `path`: links on the way are followed, one at the end if `follow` says so.
fn find(fs: &Fs, path: &str, follow: bool) -> Result<Option<Ino>, ContentError> {
    let found = if follow {
        fs.follow(path).map(|(_, ino)| Some(ino))
    } else {
        let dir = crate::fs::parent(path);
        let name = crate::fs::base_name(path);
        match fs.follow(&dir) {
            Ok((_, dir)) if name.is_empty() => Ok(Some(dir)),
            Ok((_, dir)) => Ok(fs.child(dir, name)),
            Err(errno) => Err(errno),
        }
    };
    match found {
        Ok(ino) => Ok(ino),
        Err(Errno::Eloop) => Err(ContentError::TooManyLinks),
        Err(_) => Ok(None),
    }
}

/// Every path that a filtered selector takes, with its digest: of a directory only its own
/// metadata. Paths are as the selector spells them, not as links resolve.
pub(super) fn taken(fs: &Fs, selector: &Selector) -> Result<Vec<(String, Digest)>, ContentError> {
    let path = clean(&selector.path);
    let filter =
        Filter::new(&selector.include, &selector.exclude).map_err(ContentError::Pattern)?;
    let (start, pattern) = if selector.wildcard {
        glob::split(&path)
    } else {
        (path.clone(), String::new())
    };
    // A link at the end is followed only as a directory that a pattern looks into.
    let follow = !pattern.is_empty();
    let Some(ino) = find(fs, &start, follow)? else {
        return Ok(Vec::new());
    };
    let start = start.trim_end_matches('/').to_string();
    let mut walk = Walk {
        fs,
        selector,
        filter,
        pattern: if pattern.is_empty() {
            Vec::new()
        } else {
            pattern.split('/').map(str::to_string).collect()
        },
        prunable: !pattern.contains('['),
        whole: pattern,
        out: Vec::new(),
    };
    if walk.pattern.is_empty() {
        walk.visit(&start, "", ino, &Above::default(), &mut Vec::new())?;
    } else {
        walk.search(&start, "", ino)?;
    }
    Ok(walk.out)
}

struct Walk<'a> {
    fs: &'a Fs,
    selector: &'a Selector,
    filter: Filter,
    /// The components of the pattern, and the pattern.
    pattern: Vec<String>,
    whole: String,
    /// Whether no component of the pattern can match a slash, so that a directory whose name does
    /// not match need not be looked into.
    prunable: bool,
    out: Vec<(String, Digest)>,
}

/// A directory on the way whose header is listed before the first thing taken in it.
struct Header {
    path: String,
    digest: Digest,
    listed: bool,
}

impl Walk<'_> {
    /// Looks for what the wildcard pattern matches below `dir`.
    fn search(&mut self, dir: &str, below: &str, ino: Ino) -> Result<(), ContentError> {
        let fs = self.fs;
        let Some(entries) = fs.inode(ino).dir() else {
            return Ok(());
        };
        let depth = if below.is_empty() {
            0
        } else {
            below.matches('/').count() + 1
        };
        for (name, child) in entries.iter() {
            let path = format!("{dir}/{name}");
            let below = if below.is_empty() {
                name.to_string()
            } else {
                format!("{below}/{name}")
            };
            let matched = glob::matches(&self.whole, &below)
                .map_err(|_| ContentError::Pattern("syntax error in pattern".into()))?;
            if matched {
                self.visit(&path, "", *child, &Above::default(), &mut Vec::new())?;
            } else if !self.prunable
                || depth + 1 < self.pattern.len()
                    && glob::matches(&self.pattern[depth], name).unwrap_or(false)
            {
                self.search(&path, &below, *child)?;
            }
        }
        Ok(())
    }

    /// Takes what the filter takes at and below `path`. `below` is the path that patterns see.
    fn visit(
        &mut self,
        path: &str,
        below: &str,
        ino: Ino,
        above: &Above,
        headers: &mut Vec<Header>,
    ) -> Result<(), ContentError> {
        let fs = self.fs;
        let inode = fs.inode(ino);
        let verdict = self.filter.verdict(below, above);
        let top = headers.is_empty();
        if !inode.is_dir() {
            if verdict.taken {
                self.list(headers);
                let digest = if top && self.selector.follow_links && inode.link_target().is_some() {
                    plain(fs, path, true)?
                } else {
                    Digest(node_digest(fs, ino).0)
                };
                self.out.push((path.to_string(), digest));
            }
            return Ok(());
        }
        let mut header = Header {
            path: path.to_string(),
            digest: Digest(header_digest(inode).0),
            listed: false,
        };
        if verdict.taken {
            self.list(headers);
            self.out.push((header.path.clone(), header.digest));
            header.listed = true;
        }
        headers.push(header);
        for (name, child) in inode.dir().iter().flat_map(|entries| entries.iter()) {
            let path = format!("{path}/{name}");
            let below = if below.is_empty() {
                name.to_string()
            } else {
                format!("{below}/{name}")
            };
            self.visit(&path, &below, *child, &verdict.above, headers)?;
        }
        headers.pop();
        Ok(())
    }

    fn list(&mut self, headers: &mut [Header]) {
        for header in headers.iter_mut().filter(|header| !header.listed) {
            self.out.push((header.path.clone(), header.digest));
            header.listed = true;
        }
    }
}
