//! File content.

use std::fmt;
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

/// The bytes of a file, shared between all that hold them.
///
/// A *stand-in* has small bytes and a nominal size: what a modelled file would weigh. Digests and
/// exports are of the bytes; sizes, durations and transfer figures are nominal.
#[derive(Clone)]
pub struct Content(Arc<Inner>);

struct Inner {
    bytes: Vec<u8>,
    /// The size that is shown, where it is not the number of bytes.
    nominal: Option<u64>,
    /// Known from elsewhere when the bytes are not held (a base image's large binary).
    declared: Option<[u8; 32]>,
    sha256: OnceLock<[u8; 32]>,
}

impl Content {
    /// Content of exactly these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Content {
        Content::with(bytes.into(), None, None)
    }

    /// A stand-in: `bytes` in place of a file of `size` bytes.
    pub fn stand_in(bytes: impl Into<Vec<u8>>, size: u64) -> Content {
        Content::with(bytes.into(), Some(size), None)
    }

    /// A stand-in for real bytes that are not held but whose SHA-256 is known.
    pub fn declared(bytes: impl Into<Vec<u8>>, size: u64, sha256: [u8; 32]) -> Content {
        Content::with(bytes.into(), Some(size), Some(sha256))
    }

    fn with(bytes: Vec<u8>, nominal: Option<u64>, declared: Option<[u8; 32]>) -> Content {
        Content(Arc::new(Inner {
            bytes,
            nominal,
            declared,
            sha256: OnceLock::new(),
        }))
    }

    /// The bytes that exports and digests are made of.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The size that `stat` and every figure shows: nominal for a stand-in.
    pub fn size(&self) -> u64 {
        self.0.nominal.unwrap_or(self.0.bytes.len() as u64)
    }

    /// Whether the size is modelled.
    pub fn is_stand_in(&self) -> bool {
        self.0.nominal.is_some()
    }

    /// The SHA-256 of the bytes, computed once; for [declared](Content::declared) content, the
    /// digest that was declared.
    pub fn sha256(&self) -> [u8; 32] {
        *self.0.sha256.get_or_init(|| {
            self.0.declared.unwrap_or_else(|| {
                let mut hasher = Sha256::new();
                // In pieces: a WebAssembly engine optimises between calls, not inside one.
                for chunk in self.0.bytes.chunks(64 << 10) {
                    hasher.update(chunk);
                }
                hasher.finalize().into()
            })
        })
    }

    /// These bytes with `more` behind them. Costs `more` alone where nobody else holds the bytes.
    /// Appending to a stand-in adds to its nominal size.
    pub fn append(&mut self, more: &[u8]) {
        match Arc::get_mut(&mut self.0) {
            Some(inner) => {
                inner.bytes.extend_from_slice(more);
                inner.nominal = inner.nominal.map(|size| size + more.len() as u64);
                inner.declared = None;
                inner.sha256 = OnceLock::new();
            }
            None => {
                let nominal = self.0.nominal.map(|size| size + more.len() as u64);
                *self = Content::with([self.bytes(), more].concat(), nominal, None);
            }
        }
    }
}

impl Default for Content {
    fn default() -> Content {
        Content::new(Vec::new())
    }
}

/// Equal bytes and equal size; two that share their bytes are equal without a look.
impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.size() == other.size()
                && self.0.declared == other.0.declared
                && self.bytes() == other.bytes())
    }
}

impl Eq for Content {}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.nominal {
            Some(size) => write!(f, "Content(stand-in for {size} bytes)"),
            None if self.0.bytes.len() <= 64 => {
                write!(f, "Content({:?})", String::from_utf8_lossy(&self.0.bytes))
            }
            None => write!(f, "Content({} bytes)", self.0.bytes.len()),
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Content {
        Content::new(text.as_bytes())
    }
}
