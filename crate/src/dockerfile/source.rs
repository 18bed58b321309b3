//! What a source of ADD or COPY is: a path, a URL, a Git repository.
//!
//! Source: BuildKit `frontend/dockerfile/dfgitutil` and `util/gitutil`.

use std::collections::BTreeMap;

use super::golang::{join_path, parse_bool, quote};

/// A source of ADD or COPY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A path in the context or stage.
    Path,
    /// An HTTP or HTTPS URL of a file.
    Url,
    /// A Git repository.
    Git(Box<GitSource>),
}

/// A Git repository and what to take of it. Texts are empty where nothing is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitSource {
    /// The URL for Git, without query and fragment.
    pub remote: String,
    /// A branch, tag or commit.
    pub reference: String,
    /// The commit it must be.
    pub checksum: String,
    /// The directory inside.
    pub subdir: String,
    /// Whether `.git` is kept, if said.
    pub keep_git_dir: Option<bool>,
    /// Whether submodules are fetched, if said.
    pub submodules: Option<bool>,
    /// `checkout` or `commit`, if said.
    pub mtime: String,
    /// Whether the commit is fetched as it is.
    pub fetch_by_commit: bool,
}

impl Source {
    /// Tells what a text is.
    ///
    /// # Errors
    ///
    /// If it is a Git URL with a query that makes no sense.
    pub fn of(text: &str) -> Result<Self, String> {
        if text.starts_with("./") || text.starts_with("../") || text.starts_with("github.com/") {
            return Ok(Self::Path);
        }
        let lower = text.to_ascii_lowercase();
        let web = lower.starts_with("http://") || lower.starts_with("https://");
        // Only the lower-case form is taken for a download.
        let plain = if text.starts_with("http://") || text.starts_with("https://") {
            Self::Url
        } else {
            Self::Path
        };
        let url = if web || lower.starts_with("git://") || lower.starts_with("ssh://") {
            parse_url(text).filter(|url| !web || url.path.ends_with(".git"))
        } else {
            parse_scp(text)
        };
        match url {
            Some(url) => Ok(Self::Git(Box::new(url.into_git()?))),
            None => Ok(plain),
        }
    }
}

struct Url {
    remote: String,
    path: String,
    query: String,
    fragment: String,
}

fn parse_url(text: &str) -> Option<Url> {
    if text.chars().any(|c| c.is_ascii_control()) {
        return None;
    }
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (_, after) = base.split_once("://")?;
    let (host, path) = match after.find('/') {
        Some(at) => after.split_at(at),
        None => (after, ""),
    };
    if host.contains(' ') {
        return None;
    }
    Some(Url {
        remote: base.to_owned(),
        path: decode(path),
        query: query.to_owned(),
        fragment: decode(fragment),
    })
}

/// `user@host:path?query#fragment`
fn parse_scp(text: &str) -> Option<Url> {
    let (user, rest) = text.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let word = |extra: &'static str| {
        move |c: char| c.is_ascii_alphanumeric() || c == '-' || extra.contains(c)
    };
    let valid = !user.is_empty()
        && user.chars().all(word("_"))
        && !host.is_empty()
        && host.chars().all(word("."))
        && !path.contains('\n');
    if !valid {
        return None;
    }
    let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Some(Url {
        remote: format!("{user}@{host}:{path}"),
        path: path.to_owned(),
        query: query.to_owned(),
        fragment: fragment.to_owned(),
    })
}

impl Url {
    fn into_git(self) -> Result<GitSource, String> {
        let (reference, subdir) = self
            .fragment
            .split_once(':')
            .unwrap_or((&self.fragment, ""));
        let mut git = GitSource {
            remote: self.remote,
            reference: reference.to_owned(),
            subdir: join_path("/", subdir).trim_start_matches('/').to_owned(),
            ..GitSource::default()
        };
        git.read_query(&self.query)?;
        Ok(git)
    }
}

impl GitSource {
    fn read_query(&mut self, query: &str) -> Result<(), String> {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for part in query
            .split('&')
            .filter(|part| !part.is_empty() && !part.contains(';'))
        {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let plus = |text: &str| decode(&text.replace('+', " "));
            values.entry(plus(key)).or_default().push(plus(value));
        }
        let (mut tag, mut branch) = (String::new(), String::new());
        for (key, list) in values {
            let [value] = list.as_slice() else {
                return Err(format!("query {} has multiple values", quote(&key)));
            };
            let is_switch = matches!(
                key.as_str(),
                "submodules" | "keep-git-dir" | "fetch-by-commit"
            );
            if value.is_empty() && !is_switch {
                return Err(format!("query {} has no value", quote(&key)));
            }
            let switch = || match value.as_str() {
                "" => Ok(true),
                text => {
                    parse_bool(text).ok_or_else(|| format!("invalid {key} value: {}", quote(text)))
                }
            };
            let once = |given: &str, what: &str| {
                if given.is_empty() || given == value {
                    Ok(value.clone())
                } else {
                    Err(format!(
                        "{what} conflicts: {} vs {}",
                        quote(given),
                        quote(value)
                    ))
                }
            };
            match key.as_str() {
                "ref" => self.reference = once(&self.reference, "ref")?,
                "tag" => tag = value.clone(),
                "branch" => branch = value.clone(),
                "subdir" => self.subdir = once(&self.subdir, "subdir")?,
                "checksum" | "commit" => self.checksum = value.clone(),
                "keep-git-dir" => self.keep_git_dir = Some(switch()?),
                "submodules" => self.submodules = Some(switch()?),
                "fetch-by-commit" => self.fetch_by_commit = switch()?,
                "mtime" if value == "checkout" || value == "commit" => self.mtime = value.clone(),
                "mtime" => {
                    return Err(format!(
                        "invalid mtime value: {} (must be \"checkout\" or \"commit\")",
                        quote(value)
                    ));
                }
                _ => return Err(format!("unexpected query {}", quote(&key))),
            }
        }
        if !tag.is_empty() {
            self.full_reference(&tag, "refs/tags/")?;
        }
        if !branch.is_empty() {
            if !tag.is_empty() {
                return Err("branch conflicts with tag".to_owned());
            }
            self.full_reference(&branch, "refs/heads/")?;
        }
        Ok(())
    }

    fn full_reference(&mut self, name: &str, prefix: &str) -> Result<(), String> {
        let full = if name.starts_with(prefix) {
            name.to_owned()
        } else {
            format!("{prefix}{name}")
        };
        if !self.reference.is_empty() && self.reference != full {
            return Err(format!(
                "ref conflicts: {} vs {}",
                quote(&self.reference),
                quote(&full)
            ));
        }
        self.reference = full;
        Ok(())
    }
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| {
                text.get(at + 1..at + 3)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            })
            .flatten();
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}
