//! Volumes: files that belong to no container.

use super::Daemon;
use crate::fs::{Fs, Time};

/// A volume.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its name: 64 hexadecimal digits for one that nobody named.
    pub name: String,
    /// Its files.
    pub fs: Fs,
    /// Whether it was made for a container that did not name it.
    pub anonymous: bool,
    /// When it was made.
    pub created: Time,
}

impl Volume {
    /// What its files weigh, in bytes.
    pub fn size(&self) -> u64 {
        self.fs.walk(Fs::ROOT).map(|entry| entry.inode.size()).sum()
    }
}

impl Daemon {
    /// The volumes, in order of their names.
    pub fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.volumes.values()
    }

    /// Makes a volume, if it is not there; gives its name.
    pub fn create_volume(&mut self, name: Option<&str>) -> String {
        let anonymous = name.is_none();
        let name = name.map_or_else(|| self.new_id(), String::from);
        let created = self.clock.tick();
        self.volumes.entry(name.clone()).or_insert_with(|| Volume {
            name: name.clone(),
            fs: Fs::empty(),
            anonymous,
            created,
        });
        name
    }

    /// The containers that a volume is mounted in.
    pub fn users_of(&self, volume: &str) -> Vec<String> {
        let uses = |container: &&super::Container| {
            container.mounts.iter().any(|mount| mount.volume == volume)
        };
        let users = self.containers.values().filter(uses);
        users.map(|container| container.id.clone()).collect()
    }

    /// Removes a volume.
    ///
    /// # Errors
    /// There is none, or it is in use.
    pub fn remove_volume(&mut self, name: &str) -> Result<(), String> {
        if !self.volumes.contains_key(name) {
            return Err(format!("get {name}: no such volume"));
        }
        let users = self.users_of(name);
        if !users.is_empty() {
            let users = users.join(", ");
            return Err(format!("remove {name}: volume is in use - [{users}]"));
        }
        self.volumes.remove(name);
        Ok(())
    }
}
