//! Changing the files of a scenario.

use layerwise::context::{Context, Edit};
use layerwise::fs::{Content, Fs, Time};
use serde_json::Value;

/// The time of every file that is not given another one.
pub const OLD: i64 = 1_704_153_600;

/// Does a list of edits; then every folder gets the time of old.
///
/// # Errors
/// An edit that cannot be done.
pub fn edit(files: &mut Context, edits: &Value) -> Result<(), String> {
    for change in edits.as_array().into_iter().flatten() {
        one(files, change)?;
    }
    let walk = files.fs().walk(Fs::ROOT);
    let dirs = walk.filter(|entry| entry.inode.is_dir());
    let dirs: Vec<String> = dirs.map(|entry| entry.path).collect();
    for path in dirs {
        let mtime = Time::from_secs(OLD);
        apply(files, Edit::Touch { path, mtime })?;
    }
    Ok(())
}

fn apply(files: &mut Context, edit: Edit) -> Result<(), String> {
    files.edit(&edit).map_err(|error| error.to_string())
}

fn one(files: &mut Context, change: &Value) -> Result<(), String> {
    let text = |key: &str| change[key].as_str().map(String::from);
    if let Some(path) = text("remove") {
        return apply(files, Edit::Delete { path });
    }
    if let Some([from, to]) = change["rename"].as_array().map(Vec::as_slice) {
        let name = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let (from, to) = (name(from), name(to));
        return apply(files, Edit::Rename { from, to });
    }
    let path = text("path").ok_or("an edit without a path")?;
    let mode = match text("mode") {
        Some(mode) => Some(u32::from_str_radix(&mode, 8).map_err(|e| e.to_string())?),
        None => None,
    };
    if let Some(target) = text("symlink") {
        if files.fs().find(&path).is_some() {
            apply(files, Edit::Delete { path: path.clone() })?;
        }
        return apply(files, Edit::Symlink { path, target });
    }
    if change["dir"].as_bool() == Some(true) {
        let mode = Some(mode.unwrap_or(0o755));
        let path = path.clone();
        apply(files, Edit::Mkdir { path, mode })?;
    } else if let Some(content) = content(change) {
        let mode = Some(mode.unwrap_or(0o644));
        let path = path.clone();
        let content = Content::new(content);
        apply(
            files,
            Edit::Write {
                path,
                content,
                mode,
            },
        )?;
    } else if let Some(mode) = mode {
        let path = path.clone();
        apply(files, Edit::Chmod { path, mode })?;
    }
    let mtime = Time::from_secs(change["mtime"].as_i64().unwrap_or(OLD));
    apply(files, Edit::Touch { path, mtime })
}

fn content(change: &Value) -> Option<Vec<u8>> {
    if let Some(text) = change["text"].as_str() {
        return Some(text.as_bytes().to_vec());
    }
    let size = change["size"].as_u64()? as usize;
    if let Some(fill) = change["fill"].as_str() {
        return Some(fill.as_bytes().repeat(size));
    }
    change["noise"].as_u64().map(|seed| noise(seed, size))
}

/// Bytes that do not compress.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut x = seed;
    (0..size)
        .map(|_| {
            x = (x * 1_103_515_245 + 12_345) & 0x7fff_ffff;
            (x >> 16) as u8
        })
        .collect()
}
