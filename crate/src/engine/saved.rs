//! A workspace as plain data that outlives the engine.

use serde::{Deserialize, Serialize};

use crate::fs::{Fs, Kind, Time};

use super::workspace::DOCKERFILE;
use super::{BuildOptions, Edit, Refusal, Tally, Workspace};
use crate::base64;

/// A session that outlives its worker: workspace and settings; builds are made again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase", default)]
pub struct Saved {
    /// The version of this form.
    pub version: u32,
    /// See [`State::title`](crate::view::State::title).
    pub title: String,
    /// See [`State::about`](crate::view::State::about).
    pub about: String,
    /// The Dockerfile.
    pub dockerfile: String,
    /// The context.
    pub files: Vec<SavedFile>,
    /// The options.
    pub options: BuildOptions,
    /// The workspace of the last build, where it differs, so that the cache can be made again.
    pub built: Option<Box<Saved>>,
}

/// A file of a saved session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub struct SavedFile {
    /// Path in the context.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// The node.
    pub node: SavedNode,
}

/// What a saved file is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "js", derive(tsify::Tsify))]
#[serde(rename_all = "camelCase")]
pub enum SavedNode {
    /// A file that is UTF-8 text.
    Text(String),
    /// Any other file, in base64.
    Base64(String),
    /// A directory.
    Dir,
    /// A symbolic link and its target.
    Symlink(String),
}

impl Saved {
    /// The version that is written and read.
    pub const VERSION: u32 = 1;

    /// Writes a workspace down.
    pub fn of(workspace: &Workspace, title: &str, about: &str) -> Saved {
        Saved {
            version: Saved::VERSION,
            title: title.to_string(),
            about: about.to_string(),
            dockerfile: workspace.dockerfile().unwrap_or_default().into_owned(),
            files: files(workspace.files()),
            options: workspace.options().clone(),
            built: None,
        }
    }

    /// The workspace that was written down, at `now`.
    ///
    /// # Errors
    /// Another version, and whatever [`Workspace::apply`] refuses.
    pub fn workspace(&self, now: Time) -> Result<Workspace, Refusal> {
        if self.version != Saved::VERSION {
            return Err(Refusal::new(format!(
                "This was saved in form {}; this version reads form {}.",
                self.version,
                Saved::VERSION
            ))
            .help("Open it in the version that saved it."));
        }
        let mut workspace = Workspace::new(now);
        let mut tally = Tally::default();
        for file in &self.files {
            let path = file.path.clone();
            match &file.node {
                SavedNode::Text(text) => workspace.apply(
                    &Edit::Write {
                        path,
                        bytes: text.clone().into_bytes(),
                        mode: Some(file.mode),
                    },
                    &mut tally,
                )?,
                SavedNode::Base64(text) => workspace.apply(
                    &Edit::Write {
                        bytes: base64::decode(text).ok_or_else(|| {
                            Refusal::new(format!("The saved content of {path} is damaged."))
                        })?,
                        path,
                        mode: Some(file.mode),
                    },
                    &mut tally,
                )?,
                SavedNode::Dir => {
                    if workspace.files().find(&path).is_none() {
                        workspace.apply(&Edit::Mkdir { path: path.clone() }, &mut tally)?;
                    }
                    workspace.apply(
                        &Edit::Chmod {
                            path,
                            mode: file.mode,
                        },
                        &mut tally,
                    )?;
                }
                SavedNode::Symlink(target) => workspace.apply(
                    &Edit::Symlink {
                        path,
                        target: target.clone(),
                    },
                    &mut tally,
                )?,
            }
        }
        if !self.dockerfile.is_empty() && workspace.files().find(DOCKERFILE).is_none() {
            workspace.apply(
                &Edit::Dockerfile {
                    text: self.dockerfile.clone(),
                },
                &mut tally,
            )?;
        }
        workspace.apply(
            &Edit::Options {
                options: self.options.clone(),
            },
            &mut tally,
        )?;
        Ok(workspace)
    }
}

/// Everything but a Dockerfile that its text says all of.
fn files(fs: &Fs) -> Vec<SavedFile> {
    fs.walk(Fs::ROOT)
        .filter_map(|entry| {
            let node = match &entry.inode.kind {
                Kind::File(content) => match std::str::from_utf8(content.bytes()) {
                    Ok(text)
                        if entry.path == DOCKERFILE
                            && entry.inode.meta.mode == 0o644
                            && !text.is_empty() =>
                    {
                        return None;
                    }
                    Ok(text) => SavedNode::Text(text.to_string()),
                    Err(_) => SavedNode::Base64(base64::encode(content.bytes())),
                },
                Kind::Dir(_) => SavedNode::Dir,
                Kind::Symlink(target) => SavedNode::Symlink(target.to_string()),
                _ => return None,
            };
            Some(SavedFile {
                path: entry.path,
                mode: entry.inode.meta.mode,
                node,
            })
        })
        .collect()
}
