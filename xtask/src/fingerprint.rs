//! Digests of inputs, to skip what is up to date.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::process::root;
use crate::{Failure, Outcome};

/// A digest over files and whatever else decides an output.
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of `paths`: files, and folders with all that is in them. What is missing
    /// counts as missing.
    ///
    /// # Errors
    ///
    /// Something cannot be read.
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Result<Self, Failure> {
        let mut hash = Sha256::new();
        for path in paths {
            add(&mut hash, &path)?;
        }
        Ok(Self::from(hash))
    }

    /// This fingerprint together with `words`, such as settings and versions.
    pub fn and(self, words: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(&self.0);
        hash.update(words);
        Self::from(hash)
    }

    fn from(hash: Sha256) -> Self {
        Self(
            hash.finalize()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    /// Its first 16 hex digits, for file names.
    pub fn short(&self) -> &str {
        &self.0[..16]
    }

    /// Whether `stamp` holds this fingerprint.
    pub fn is_at(&self, stamp: &Path) -> bool {
        fs::read_to_string(stamp).is_ok_and(|text| text.trim() == self.0)
    }

    /// Writes the stamp.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write_to(&self, stamp: &Path) -> Outcome {
        if let Some(dir) = stamp.parent() {
            fs::create_dir_all(dir)?;
        }
        Ok(fs::write(stamp, format!("{}\n", self.0))?)
    }
}

fn add(hash: &mut Sha256, path: &Path) -> Outcome {
    // Relative, so that two checkouts agree.
    let name = path.strip_prefix(root()).unwrap_or(path);
    hash.update(name.to_string_lossy().as_bytes());
    if path.is_dir() {
        let mut inside = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        inside.sort();
        hash.update(inside.len().to_le_bytes());
        inside.iter().try_for_each(|path| add(hash, path))
    } else {
        let bytes = fs::read(path).unwrap_or_default();
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
        Ok(())
    }
}
