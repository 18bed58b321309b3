//! The workspace: the files of the build context, the Dockerfile among them, and the options.

use std::borrow::Cow;
use std::sync::Arc;

use crate::build::options::{NoCache, Options};
use crate::context::{self, Context, EditError};
use crate::dockerfile::edit::move_instruction;
use crate::dockerfile::platform::Platform;
use crate::dockerfile::reference::Reference;
use crate::fs::{Content, Errno, Fs, Overlay, Time, split};

use super::limits::{
    MAX_CONTEXT_BYTES, MAX_CONTEXT_ENTRIES, MAX_DOCKERFILE_BYTES, MAX_FILE_BYTES, MAX_PATH_BYTES,
};
use super::{BuildOptions, Edit, Refusal, Tally, caches, nudge};

/// The path of the Dockerfile in the context.
pub const DOCKERFILE: &str = "Dockerfile";

/// What is built, and how. A clone costs O(1).
#[derive(Clone, Debug)]
pub struct Workspace {
    context: Context,
    options: Arc<BuildOptions>,
    now: Time,
}

impl Workspace {
    /// An empty one, at `now`.
    pub fn new(now: Time) -> Workspace {
        Workspace {
            context: Context::new(now),
            options: Arc::default(),
            now,
        }
    }

    /// The build context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The files of the context.
    pub fn files(&self) -> &Fs {
        self.context.fs()
    }

    /// The options.
    pub fn options(&self) -> &BuildOptions {
        &self.options
    }

    /// The present moment: when the next build begins.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Moves time on. It never goes back.
    pub fn advance_to(&mut self, now: Time) {
        self.now = self.now.max(now);
        self.context.advance_to(self.now);
    }

    /// The Dockerfile's text; nothing where there is no such file.
    pub fn dockerfile(&self) -> Option<Cow<'_, str>> {
        let (_, inode) = self.files().find(DOCKERFILE)?;
        Some(String::from_utf8_lossy(inode.file()?.bytes()))
    }

    /// Whether the files are the same ones and the options are equal.
    pub fn same_as(&self, other: &Workspace) -> bool {
        let root = |workspace: &Workspace| workspace.files().inode(Fs::ROOT).clone();
        Arc::ptr_eq(&root(self), &root(other)) && self.options == other.options
    }

    /// Makes a change. On a refusal nothing has changed. `tally` makes the check of the limits
    /// cheap; any will do.
    ///
    /// [`Edit::ClearCache`] and [`Edit::Machine`] are not the workspace's: they do nothing here.
    ///
    /// # Errors
    /// A path that does not exist or cannot be one, an index out of range, a limit.
    pub fn apply(&mut self, edit: &Edit, tally: &mut Tally) -> Result<(), Refusal> {
        let mut next = self.clone();
        match edit {
            Edit::Dockerfile { text } => next.set_dockerfile(text)?,
            Edit::Move { from, to } => {
                let text = next.dockerfile().unwrap_or_default().into_owned();
                let moved = move_instruction(&text, *from, *to)
                    .map_err(|refusal| Refusal::new(refusal.to_string()))?;
                next.set_dockerfile(&moved.text)?;
            }
            Edit::Write { path, bytes, mode } => next.write(path, bytes.clone(), *mode)?,
            Edit::Nudge { path } => {
                let path = usable(path)?;
                let content = next.file(&path)?;
                let bytes = nudge::nudged(&path, content.bytes());
                next.write(&path, bytes, None)?;
            }
            Edit::Upload { files } => {
                for file in files {
                    next.write(&file.path, file.bytes.clone(), None)?;
                }
            }
            Edit::Mkdir { path } => next.change(context::Edit::Mkdir {
                path: usable(path)?,
                mode: None,
            })?,
            Edit::Symlink { path, target } => next.symlink(path, target)?,
            Edit::Delete { path } => next.change(context::Edit::Delete {
                path: usable(path)?,
            })?,
            Edit::Rename { from, to } => next.rename(from, to)?,
            Edit::Chmod { path, mode } => next.chmod(path, *mode)?,
            Edit::Touch { path } => {
                let mtime = Time(next.now.0.saturating_add(1));
                next.advance_to(mtime);
                next.change(context::Edit::Touch {
                    path: usable(path)?,
                    mtime,
                })?;
            }
            Edit::Options { options } => {
                planned(options)?;
                next.options = Arc::new(options.clone());
            }
            Edit::Advance { days } => next.advance_days(*days)?,
            Edit::ClearCache | Edit::Machine { .. } => {}
        }
        next.check_limits(tally)?;
        *self = next;
        Ok(())
    }

    fn set_dockerfile(&mut self, text: &str) -> Result<(), Refusal> {
        if text.len() > MAX_DOCKERFILE_BYTES {
            return Err(Refusal::new(format!(
                "The Dockerfile would have {}; at most {} are possible.",
                bytes(text.len() as u64),
                bytes(MAX_DOCKERFILE_BYTES as u64)
            ))
            .help("Keep data in files of the context and COPY them."));
        }
        self.write(DOCKERFILE, text.as_bytes().to_vec(), None)
    }

    fn file(&self, path: &str) -> Result<Content, Refusal> {
        let (_, inode) = self.files().find(path).ok_or_else(|| missing(path))?;
        let file = inode.file().ok_or_else(|| {
            Refusal::new(format!("{path} is no regular file.")).help("Choose a file.")
        })?;
        Ok(file.clone())
    }

    fn change(&mut self, edit: context::Edit) -> Result<(), Refusal> {
        self.context.edit(&edit).map_err(|error| unfit(&error))
    }

    fn write(&mut self, path: &str, content: Vec<u8>, mode: Option<u32>) -> Result<(), Refusal> {
        let path = usable(path)?;
        if content.len() > MAX_FILE_BYTES {
            return Err(Refusal::new(format!(
                "{path} would have {}; a file may have at most {}.",
                bytes(content.len() as u64),
                bytes(MAX_FILE_BYTES as u64)
            ))
            .help("What matters here are names and changes: a shorter file shows the same."));
        }
        self.change(context::Edit::Write {
            path,
            content: Content::new(content),
            mode: mode.map(|mode| mode & 0o7777),
        })
    }

    fn symlink(&mut self, path: &str, target: &str) -> Result<(), Refusal> {
        if target.is_empty() || target.len() > MAX_PATH_BYTES || target.contains('\0') {
            return Err(Refusal::new("That is no target for a link.").help(format!(
                "A target is a path of 1 to {MAX_PATH_BYTES} bytes."
            )));
        }
        self.change(context::Edit::Symlink {
            path: usable(path)?,
            target: target.to_string(),
        })
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Refusal> {
        let (from, to) = (usable(from)?, usable(to)?);
        if from != to && self.files().find(&to).is_some() {
            return Err(taken(&to));
        }
        self.change(context::Edit::Rename { from, to })
    }

    fn chmod(&mut self, path: &str, mode: u32) -> Result<(), Refusal> {
        if mode > 0o7777 {
            return Err(Refusal::new(format!("{mode:o} are no permission bits."))
                .help("Permission bits are 0 to 7777 in octal, such as 644 or 755."));
        }
        self.change(context::Edit::Chmod {
            path: usable(path)?,
            mode,
        })
    }

    fn advance_days(&mut self, days: u32) -> Result<(), Refusal> {
        const DAY: i64 = 86_400;
        let most = super::limits::MAX_ADVANCE_DAYS;
        if days > most {
            return Err(Refusal::new(format!("{days} days are too many."))
                .help(format!("At most {most} days pass at once.")));
        }
        let nanos = Time::from_secs(i64::from(days) * DAY).0;
        self.advance_to(Time(self.now.0.saturating_add(nanos)));
        Ok(())
    }

    fn check_limits(&self, tally: &mut Tally) -> Result<(), Refusal> {
        let sum = tally.sum(self.files());
        let help = "Leave out what the Dockerfile does not copy, such as node_modules or .git.";
        if sum.files + sum.dirs > MAX_CONTEXT_ENTRIES {
            return Err(Refusal::new(format!(
                "The context would have {} files and directories; at most {MAX_CONTEXT_ENTRIES} \
                 are possible.",
                sum.files + sum.dirs
            ))
            .help(help));
        }
        if sum.bytes > MAX_CONTEXT_BYTES {
            return Err(Refusal::new(format!(
                "The files would have {} together; at most {} are possible.",
                bytes(sum.bytes),
                bytes(MAX_CONTEXT_BYTES)
            ))
            .help(help));
        }
        Ok(())
    }
}

/// The options as a build takes them.
///
/// # Errors
/// A platform, a name or a cache that cannot be read.
pub fn planned(options: &BuildOptions) -> Result<Options, Refusal> {
    if let Some(tag) = &options.tag {
        Reference::parse(tag).map_err(|error| {
            Refusal::new(format!("{tag}: {error}.")).help("An image name reads app or app:1.0.")
        })?;
    }
    caches::from(options)?;
    let cache_to = caches::to(options)?.into_iter();
    let secrets = options.secrets.iter();
    let secrets = secrets.map(|(id, text)| (id.clone(), text.clone().into_bytes()));
    let mut platforms: Vec<Platform> = Vec::new();
    for text in options.platform.iter().flat_map(|text| text.split(',')) {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let platform = Platform::parse(text).map_err(|error| {
            Refusal::new(error).help(
                "A platform reads linux/amd64 or linux/arm64; several stand with a comma between.",
            )
        })?;
        // BuildKit: `parsePlatforms`.
        let platform = platform.normalized();
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    let mut platforms = platforms.into_iter();
    Ok(Options {
        target: options.target.clone().unwrap_or_default(),
        build_args: options.build_args.clone(),
        labels: options.labels.clone(),
        no_cache: match options.no_cache {
            true => NoCache::All,
            false if options.no_cache_filter.is_empty() => NoCache::Never,
            false => NoCache::Stages(options.no_cache_filter.clone()),
        },
        secrets: crate::order::map(secrets),
        platform: platforms.next().unwrap_or_else(Platform::linux_amd64),
        more_platforms: platforms.collect(),
        cache_to: cache_to.map(|(_, mode)| mode).collect(),
        ..Options::default()
    })
}

/// The path as the context knows it: components joined by single slashes.
fn usable(path: &str) -> Result<String, Refusal> {
    let parts: Vec<&str> = split(path).filter(|part| *part != ".").collect();
    let help = "A path is relative to the context, such as src/app.js.";
    if parts.is_empty() {
        return Err(Refusal::new("The path is empty.").help(help));
    }
    if parts.contains(&"..") {
        return Err(Refusal::new(format!("{path} may lead out of the context.")).help(help));
    }
    if path.chars().any(char::is_control) {
        return Err(Refusal::new(format!(
            "{} has a character that no name may have.",
            path.escape_debug()
        ))
        .help(help));
    }
    let joined = parts.join("/");
    if joined.len() > MAX_PATH_BYTES || parts.iter().any(|part| part.len() > Overlay::MAX_NAME) {
        return Err(Refusal::new("The path is too long.").help(format!(
            "A path may have {MAX_PATH_BYTES} bytes, each name in it {}.",
            Overlay::MAX_NAME
        )));
    }
    Ok(joined)
}

fn missing(path: &str) -> Refusal {
    Refusal::new(format!("There is no {path} in the context."))
        .help("Look at the files for its name.")
}

fn taken(path: &str) -> Refusal {
    Refusal::new(format!("{path} exists already.")).help("Delete it first, or choose another name.")
}

fn unfit(error: &EditError) -> Refusal {
    let path = &error.path;
    match error.errno {
        Errno::Enoent => missing(path),
        Errno::Eexist => taken(path),
        Errno::Enotdir => Refusal::new(format!("A directory above {path} is a file."))
            .help("Delete or rename that file first."),
        Errno::Eisdir => Refusal::new(format!("{path} is a directory."))
            .help("Delete it first, or choose another name."),
        Errno::Enospc => Refusal::new("The context has seen too many files.")
            .help("Start again from what is there: save and open."),
        errno => Refusal::new(format!("{path} cannot be changed: {errno}.")),
    }
}

/// A number of bytes in words.
pub fn bytes(count: u64) -> String {
    match count {
        0..=9_999 => format!("{count} bytes"),
        10_000..=999_999 => format!("{} kB", count / 1000),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}
