//! How many files there are, at the cost of what changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fs::{Fs, Ino, Inode, Kind};

/// What is below a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Files and links.
    pub files: usize,
    /// Directories.
    pub dirs: usize,
    /// The bytes of the files.
    pub bytes: u64,
}

/// Sums up trees, and remembers each directory as it was: one that did not change is not looked
/// into again.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<Ino, (Arc<Inode>, Sum)>);

impl Tally {
    /// What is below the root.
    pub fn sum(&mut self, fs: &Fs) -> Sum {
        self.dir(fs, Fs::ROOT)
    }

    fn dir(&mut self, fs: &Fs, ino: Ino) -> Sum {
        let inode = fs.inode(ino);
        if let Some((known, sum)) = self.0.get(&ino)
            && Arc::ptr_eq(known, inode)
        {
            return *sum;
        }
        let mut sum = Sum::default();
        for child in inode.dir().iter().flat_map(|dir| dir.values()) {
            match &fs.inode(*child).kind {
                Kind::Dir(_) => {
                    let below = self.dir(fs, *child);
                    sum.files += below.files;
                    sum.dirs += below.dirs + 1;
                    sum.bytes += below.bytes;
                }
                Kind::File(content) => {
                    sum.files += 1;
                    sum.bytes += content.size();
                }
                _ => sum.files += 1,
            }
        }
        self.0.insert(ino, (inode.clone(), sum));
        sum
    }
}
