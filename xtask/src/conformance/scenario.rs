//! Scenarios and what a real build did with them.

use std::collections::BTreeMap;

use layerwise::context::{Context, Edit};
use layerwise::fs::{Content, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `scenario.json`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Scenario {
    /// What it shows.
    pub title: String,
    /// Edits and builds, one after the other over one cache.
    pub steps: Vec<ScenarioStep>,
}

/// Edits, then a build.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ScenarioStep {
    /// The edits.
    #[serde(default)]
    pub edits: Vec<RecordedEdit>,
    /// Whether the build has an empty cache of its own, as on another machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// The build's options.
    #[serde(default)]
    pub build: BuildOptions,
}

/// The options of a build.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BuildOptions {
    /// `--target`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// `--build-arg`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub build_args: BTreeMap<String, String>,
    /// `--label`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// `--no-cache`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_cache: bool,
    /// `--no-cache-filter`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_cache_filter: Vec<String>,
    /// Secrets by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// The Dockerfile's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    /// `--platform`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// `--cache-to`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_to: Vec<CacheTo>,
    /// `--cache-from`: names of `cache_to`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_from: Vec<String>,
}

/// Where a build's cache goes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CacheTo {
    /// The name that it is found by.
    #[serde(rename = "ref")]
    pub name: String,
    /// `min`, `max` or `inline`.
    pub mode: String,
}

/// An edit as it is recorded; modes are octal texts.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum RecordedEdit {
    /// Writes a file: `text`, or `base64` for bytes.
    Write {
        path: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        mode: Option<String>,
    },
    /// Deletes a file, or a directory with everything in it.
    Delete { path: String },
    /// Sets a mode.
    Chmod { path: String, mode: String },
    /// Sets a modification time, in seconds since the epoch.
    Touch { path: String, mtime: i64 },
    /// Makes a symbolic link.
    Symlink { path: String, target: String },
    /// Makes a directory.
    Mkdir {
        path: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        mode: Option<String>,
    },
    /// Moves a file or directory.
    Rename { from: String, to: String },
}

/// `expected.json`.
#[derive(Deserialize, Serialize)]
pub struct Expected {
    /// One item a build.
    pub builds: Vec<Value>,
}

impl ScenarioStep {
    /// Does the edits.
    ///
    /// # Errors
    /// An edit that cannot be done.
    pub fn edit(&self, context: &mut Context) -> Result<(), String> {
        for edit in &self.edits {
            context.edit(&edit.read()?).map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}

impl RecordedEdit {
    fn read(&self) -> Result<Edit, String> {
        let octal = |text: &str| u32::from_str_radix(text, 8).map_err(|e| e.to_string());
        let maybe = |text: &Option<String>| text.as_deref().map(octal).transpose();
        Ok(match self {
            RecordedEdit::Write {
                path,
                text,
                base64,
                mode,
            } => Edit::Write {
                path: path.clone(),
                content: match (text, base64) {
                    (Some(text), _) => Content::new(text.as_bytes()),
                    (None, Some(base64)) => Content::new(decode_base64(base64)?),
                    (None, None) => Content::default(),
                },
                mode: maybe(mode)?,
            },
            RecordedEdit::Delete { path } => Edit::Delete { path: path.clone() },
            RecordedEdit::Chmod { path, mode } => Edit::Chmod {
                path: path.clone(),
                mode: octal(mode)?,
            },
            RecordedEdit::Touch { path, mtime } => Edit::Touch {
                path: path.clone(),
                mtime: Time::from_secs(*mtime),
            },
            RecordedEdit::Symlink { path, target } => Edit::Symlink {
                path: path.clone(),
                target: target.clone(),
            },
            RecordedEdit::Mkdir { path, mode } => Edit::Mkdir {
                path: path.clone(),
                mode: maybe(mode)?,
            },
            RecordedEdit::Rename { from, to } => Edit::Rename {
                from: from.clone(),
                to: to.clone(),
            },
        })
    }
}

/// The bytes of a text in base64.
///
/// # Errors
/// A character that does not belong in it.
pub fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Ok(byte - b'A'),
        b'a'..=b'z' => Ok(byte - b'a' + 26),
        b'0'..=b'9' => Ok(byte - b'0' + 52),
        b'+' => Ok(62),
        b'/' => Ok(63),
        _ => Err(format!("{:?} is no base64", byte as char)),
    };
    let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for byte in text
        .bytes()
        .filter(|b| !b.is_ascii_whitespace() && *b != b'=')
    {
        bits = bits << 6 | u32::from(digit(byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Ok(out)
}

/// `bytes` in base64.
pub fn encode_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * at) & 63];
            out.push(if at <= chunk.len() {
                digit as char
            } else {
                '='
            });
        }
    }
    out
}
