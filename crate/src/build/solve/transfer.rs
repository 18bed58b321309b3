//! The context as the builder knows it from transfer to transfer.
//!
//! Source: fsutil's `DiskWriter`. The builder keeps the files of the last transfer and is sent what
//! changed. A directory that is there already gets its new mode and owner on disk, but nobody tells
//! the content hash: as long as it stays, its own metadata count as they first were.

use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use crate::fs::{Fs, Ino, Inode, Meta};

/// What is kept from transfer to transfer.
#[derive(Clone, Debug, Default)]
pub(in crate::build) struct Transferred {
    files: Option<Fs>,
    /// Directories whose metadata count as they first were, by path.
    stale: RedBlackTreeMapSync<String, Meta>,
}

impl Transferred {
    /// Takes the files of a new transfer.
    pub fn take(&mut self, files: &Fs) {
        let is_dir = |path: &str| files.find(path).is_some_and(|(_, inode)| inode.is_dir());
        let gone: Vec<String> = self
            .stale
            .keys()
            .filter(|path| !is_dir(path))
            .cloned()
            .collect();
        for path in gone {
            self.stale.remove_mut(&path);
        }
        if let Some(before) = self.files.replace(files.clone()) {
            self.compare((&before, Fs::ROOT), (files, Fs::ROOT), "");
        }
    }

    /// Notes the directories below a directory whose metadata changed.
    fn compare(&mut self, (before, a): (&Fs, Ino), (now, b): (&Fs, Ino), path: &str) {
        let (old, new) = (before.inode(a), now.inode(b));
        if Arc::ptr_eq(old, new) {
            return;
        }
        let (Some(old_entries), Some(new_entries)) = (old.dir(), new.dir()) else {
            return;
        };
        if !path.is_empty() && !old.meta.same_but_time(&new.meta) && !self.stale.contains_key(path)
        {
            self.stale.insert_mut(path.to_string(), old.meta.clone());
        }
        for (name, child) in new_entries.iter() {
            let Some(other) = old_entries.get(name) else {
                continue;
            };
            let path = if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}/{name}")
            };
            self.compare((before, *other), (now, *child), &path);
        }
    }

    /// The files of the last transfer as their content counts.
    pub fn view(&self) -> Fs {
        let Some(files) = &self.files else {
            return Fs::empty();
        };
        let mut dirs: std::collections::BTreeMap<Ino, Arc<Inode>> = Default::default();
        for (path, meta) in &self.stale {
            // The directories above are made anew too: they remember a digest of what is below.
            let mut at = Fs::ROOT;
            dirs.entry(at).or_insert_with(|| anew(files, Fs::ROOT));
            for part in crate::fs::split(path) {
                let Some(child) = files.child(at, part) else {
                    break;
                };
                at = child;
                dirs.entry(at).or_insert_with(|| anew(files, at));
            }
            if let Some(inode) = dirs.get_mut(&at) {
                Arc::make_mut(inode).meta = meta.clone();
            }
        }
        if dirs.is_empty() {
            return files.clone();
        }
        files.with_dirs(dirs)
    }
}

fn anew(files: &Fs, ino: Ino) -> Arc<Inode> {
    Arc::new(Inode::clone(files.inode(ino)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::content::{Selector, checksum};
    use crate::context::{Context, Edit};
    use crate::fs::Time;

    #[test]
    fn a_directory_counts_as_it_first_was_while_it_stays() {
        let mut context = Context::new(Time::EPOCH);
        let mut known = Transferred::default();
        let mut digest = |context: &Context| {
            known.take(context.fs());
            checksum(&known.view(), &[Selector::path("/d")]).ok()
        };
        let mode = |mode| Edit::Chmod {
            path: "d/e".into(),
            mode,
        };
        context.write("d/e/f", "f").expect("it is free");
        let first = digest(&context);
        context.edit(&mode(0o700)).expect("it is there");
        assert_eq!(digest(&context), first);
        context.write("d/e/f", "g").expect("it is there");
        assert_ne!(digest(&context), first);
        context.write("d/e/f", "f").expect("it is there");
        assert_eq!(digest(&context), first);
        context
            .edit(&Edit::Delete { path: "d/e".into() })
            .expect("it is there");
        digest(&context);
        context.write("d/e/f", "f").expect("it is free");
        context.edit(&mode(0o700)).expect("it is there");
        assert_ne!(digest(&context), first);
    }
}
