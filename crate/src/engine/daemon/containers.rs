//! Containers: a writable layer over an image, and what ran in it.
//!
//! A process runs to its end as soon as it is started. What its modelled time says decides until
//! when the container counts as running.

use super::Daemon;
use super::commit::merge;
use super::volumes::Volume;
use crate::build::classic::{Failure, Stored};
use crate::build::process::{make_directory, real_path};
use crate::fs::Kind as Node;
use crate::fs::{Clock, Content, Fs, Ino, Overlay, Process, Time, Vfs};
use crate::image::{Digest, RunConfig, Upper, stored_size, upper};
use crate::run::{Host, LogLine};

/// What a container is made with.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `--name`.
    pub name: Option<String>,
    /// The image as it was named.
    pub image_name: String,
    /// What overrides the image's configuration.
    pub config: RunConfig,
    /// `--volume`.
    pub binds: Vec<Bind>,
}

/// Files that a container asks for.
#[derive(Clone, Debug)]
pub struct Bind {
    /// Which.
    pub kind: BindKind,
    /// Where it is mounted.
    pub target: String,
    /// Whether writing fails.
    pub read_only: bool,
}

/// Files that can be mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindKind {
    /// A volume: of a name, or one of the container's own.
    Volume(Option<String>),
    /// Memory, which is empty at each start.
    Tmpfs,
}

/// A volume in a container.
#[derive(Clone, Debug)]
pub struct Mounted {
    /// The volume.
    pub volume: String,
    /// Where.
    pub target: String,
    /// Whether writing fails.
    pub read_only: bool,
}

/// A container.
#[derive(Clone, Debug)]
pub struct Container {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image; none for `scratch`.
    pub image: Option<Digest>,
    /// The image as it was named.
    pub image_name: String,
    /// What it is run with.
    pub config: RunConfig,
    /// When it was made.
    pub created: Time,
    /// Its volumes.
    pub mounts: Vec<Mounted>,
    /// Where it has memory in place of files.
    pub tmpfs: Vec<String>,
    /// What it does.
    pub state: State,
    /// The chain IDs of its image, the lowest first: layers that it needs.
    pub chain: Vec<Digest>,
    /// What its image weighs.
    pub image_size: u64,
    /// What it wrote.
    pub log: Vec<LogLine>,
    /// The image's files with what every container has in them.
    lower: Fs,
    /// The writable layer over that.
    pub(super) rw: Overlay,
}

/// What a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was never started.
    Created,
    /// It was started.
    Started {
        /// When.
        at: Time,
        /// When it ended, or will.
        until: Time,
        /// Its exit status then.
        code: i32,
    },
}

/// A [`State`] seen at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was never started.
    Created,
    /// It runs since then.
    Running(Time),
    /// It ended.
    Exited {
        /// When.
        at: Time,
        /// With which status.
        code: i32,
    },
}

impl Container {
    /// What it does at a time.
    pub fn status(&self, now: Time) -> Status {
        match self.state {
            State::Created => Status::Created,
            State::Started { at, until, .. } if now < until => Status::Running(at),
            State::Started { until, code, .. } => Status::Exited { at: until, code },
        }
    }

    /// Whether it runs.
    pub fn is_running(&self, now: Time) -> bool {
        matches!(self.status(now), Status::Running(_))
    }

    /// What is in its writable layer.
    pub fn upper(&self) -> Vec<Upper> {
        upper(&self.rw)
    }

    /// What the files of its writable layer weigh, in bytes.
    pub fn size(&self) -> u64 {
        stored_size(&self.upper())
    }

    /// Its image's files with what every container has.
    pub fn lower(&self) -> &Fs {
        &self.lower
    }

    /// Its files, without its volumes.
    pub fn fs(&self) -> &Fs {
        self.rw.fs()
    }

    /// The command as one line.
    pub fn command(&self) -> Vec<String> {
        let entrypoint = self.config.entrypoint.iter();
        entrypoint.chain(&self.config.cmd).cloned().collect()
    }

    /// Changes its files.
    pub fn edit<T>(&mut self, clock: &mut Clock, edit: impl FnOnce(&mut Overlay) -> T) -> T {
        self.rw.clock = *clock;
        let done = edit(&mut self.rw);
        *clock = self.rw.clock;
        done
    }
}

/// What every container has over its image: mount points that the engine fills.
fn with_init_layer(image: &Fs, clock: Clock) -> Fs {
    let mut vfs = Vfs::new(Overlay::over(image, clock));
    let root = Process {
        umask: 0,
        ..Process::root()
    };
    // What is there already is taken as it is.
    for dir in ["/dev", "/dev/pts", "/dev/shm", "/etc", "/proc", "/sys"] {
        let _ = vfs.mkdir(&root, dir, 0o755);
    }
    let files = [
        "/.dockerenv",
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/hostname",
        "/dev/console",
    ];
    for file in files {
        if !vfs.exists(&root, file) {
            let _ = vfs.make(&root, file, Node::File(Content::default()), 0o755);
        }
    }
    let _ = vfs.symlink(&root, "/proc/mounts", "/etc/mtab");
    vfs.into_root().commit()
}

impl Daemon {
    /// Makes a container.
    ///
    /// # Errors
    /// The name is taken, the image is gone, the working directory cannot be made.
    pub fn create(&mut self, image: Option<Digest>, asked: Asked) -> Result<String, String> {
        let stored = match image {
            Some(id) => Some(
                self.images
                    .get(&id)
                    .cloned()
                    .ok_or_else(|| super::images::no_such_image(&id.to_string()))?,
            ),
            None => None,
        };
        if let Some(name) = &asked.name {
            self.check_free(name)?;
        }
        let mut config = asked.config;
        // One empty word stands for: not even the image's.
        let none = config.entrypoint == [""];
        if none {
            config.entrypoint.clear();
        }
        if let Some(stored) = &stored {
            let mut of_image = stored.image.config.config.clone();
            if none {
                of_image.entrypoint.clear();
            }
            merge(&mut config, &of_image);
        }
        if config.cmd.is_empty() && config.entrypoint.is_empty() {
            return Err("No command specified".into());
        }
        let workdir = &config.working_dir;
        if !workdir.is_empty() && !workdir.starts_with('/') {
            return Err(format!(
                "the working directory '{workdir}' is invalid, it needs to be an absolute path"
            ));
        }
        let id = self.new_id();
        let lower = with_init_layer(&Stored::files(stored.as_deref()), self.clock);
        let rw = Overlay::over(&lower, self.clock);
        let created = self.clock.tick();
        let container = Container {
            name: asked
                .name
                .unwrap_or_else(|| format!("container_{}", self.made)),
            image,
            image_name: asked.image_name,
            config,
            created,
            mounts: Vec::new(),
            tmpfs: Vec::new(),
            state: State::Created,
            chain: stored
                .as_ref()
                .map_or_else(Vec::new, |s| s.image.chain_ids()),
            image_size: stored.as_ref().map_or(0, |stored| stored.size()),
            log: Vec::new(),
            lower,
            rw,
            id: id.clone(),
        };
        self.containers.insert(id.clone(), container);
        self.make_workdir(&id)
            .and_then(|()| self.mount_volumes(&id, &asked.binds))
            .inspect_err(|_| self.drop_container(&id, true))?;
        Ok(id)
    }

    fn check_free(&self, name: &str) -> Result<(), String> {
        match self.containers.values().find(|c| c.name == name) {
            None => Ok(()),
            Some(other) => Err(format!(
                "Conflict. The container name \"/{name}\" is already in use by container \
                 \"{}\". You have to remove (or rename) that container to be able to reuse that \
                 name.",
                other.id
            )),
        }
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// There is none, or the name is taken.
    pub fn rename_container(&mut self, old: &str, new: &str) -> Result<(), String> {
        self.find_container(old)?;
        self.check_free(new)?;
        let (container, _) = self.container_mut(old)?;
        container.name = new.to_string();
        Ok(())
    }

    /// Gives a container the volumes that it and its image ask for. A new one begins with what the
    /// image has there.
    fn mount_volumes(&mut self, id: &str, binds: &[Bind]) -> Result<(), String> {
        let container = self.find_container(id)?;
        let files = container.lower.clone();
        let mut wanted: Vec<Bind> = binds.to_vec();
        for target in &container.config.volumes {
            if !wanted.iter().any(|bind| bind.target == *target) {
                wanted.push(Bind {
                    kind: BindKind::Volume(None),
                    target: target.clone(),
                    read_only: false,
                });
            }
        }
        for bind in wanted {
            let real = real_path(&files, &bind.target)?;
            let below = files.find(&real);
            if below.is_some_and(|(_, inode)| !inode.is_dir()) {
                let path = &bind.target;
                return Err(format!(
                    "cannot mount volume over existing file, file exists {path}"
                ));
            }
            let BindKind::Volume(name) = bind.kind else {
                if let Some(container) = self.containers.get_mut(id) {
                    container.tmpfs.push(bind.target);
                }
                continue;
            };
            let name = self.create_volume(name.as_deref());
            let clock = self.clock;
            if let Some(volume) = self.volumes.get_mut(&name)
                && let Some((ino, _)) = below
                && volume.fs.walk(Fs::ROOT).next().is_none()
            {
                fill(volume, &files, ino, clock);
            }
            if let Some(container) = self.containers.get_mut(id) {
                container.mounts.push(Mounted {
                    volume: name,
                    target: bind.target,
                    read_only: bind.read_only,
                });
            }
        }
        Ok(())
    }

    /// The container of an ID, the beginning of one, or a name.
    ///
    /// # Errors
    /// There is none.
    pub fn find_container(&self, name: &str) -> Result<&Container, String> {
        let bare = name.trim_start_matches('/');
        if let Some(found) = self.containers.get(name) {
            return Ok(found);
        }
        if let Some(found) = self.containers.values().find(|c| c.name == bare) {
            return Ok(found);
        }
        let mut starting = self.containers.values().filter(|c| c.id.starts_with(name));
        match (starting.next(), starting.next()) {
            (Some(found), None) if !name.is_empty() => Ok(found),
            _ => Err(format!("No such container: {name}")),
        }
    }

    pub(super) fn container(&self, id: &str) -> Option<&Container> {
        self.containers.get(id)
    }

    /// The container for changing; see [`find_container`](Daemon::find_container).
    ///
    /// # Errors
    /// There is none.
    pub fn container_mut(&mut self, name: &str) -> Result<(&mut Container, &mut Clock), String> {
        let id = self.find_container(name)?.id.clone();
        let missing = || format!("No such container: {name}");
        let container = self.containers.get_mut(&id).ok_or_else(missing)?;
        Ok((container, &mut self.clock))
    }

    /// All containers, the newest first.
    pub fn containers(&self) -> Vec<&Container> {
        let mut all: Vec<&Container> = self.containers.values().collect();
        crate::order::sort_by(&mut all, |a, b| b.created.cmp(&a.created));
        all
    }

    /// Makes a container's working directory.
    ///
    /// # Errors
    /// Something is in its way.
    pub(super) fn make_workdir(&mut self, id: &str) -> Result<(), String> {
        let (container, clock) = self.container_mut(id)?;
        let path = container.config.working_dir.clone();
        if path.is_empty() {
            return Ok(());
        }
        container
            .edit(clock, |rw| make_directory(rw, &path))
            .map_err(|why| format!("Cannot mkdir: {path} is not a directory: {why}"))
    }

    /// Runs a container's command to its end, whatever time it takes, and gives its exit status.
    ///
    /// # Errors
    /// It cannot be started, or an interrupt.
    pub fn run_to_end(&mut self, id: &str, host: &mut dyn Host) -> Result<i32, Failure> {
        let until = self.begin(id, host)?;
        self.clock
            .advance(until.0.saturating_sub(self.clock.now().0));
        let container = self.find_container(id).map_err(Failure::step)?;
        match container.state {
            State::Started { code, .. } => Ok(code),
            State::Created => Ok(0),
        }
    }

    /// Starts a container, which goes on while other things happen.
    ///
    /// # Errors
    /// It cannot be started, or an interrupt.
    pub fn start(&mut self, id: &str, host: &mut dyn Host) -> Result<(), Failure> {
        self.begin(id, host).map(drop)
    }

    /// Starts a container; gives when it will end. The clock stays where it is.
    fn begin(&mut self, id: &str, host: &mut dyn Host) -> Result<Time, Failure> {
        let command = self.find_container(id).map_err(Failure::step)?.command();
        let clock = self.clock;
        let (code, log) = self.process(id, command, host)?;
        let (at, until) = (clock.now(), self.clock.now());
        self.clock = clock;
        self.clock.tick();
        let (container, _) = self.container_mut(id).map_err(Failure::step)?;
        container.state = State::Started { at, until, code };
        container.log = log;
        Ok(until)
    }

    /// Ends a container that runs.
    ///
    /// # Errors
    /// There is none, or it does not run.
    pub fn kill(&mut self, name: &str) -> Result<(), String> {
        let now = self.clock.now();
        let (container, _) = self.container_mut(name)?;
        if !container.is_running(now) {
            let id = &container.id;
            return Err(format!(
                "Cannot kill container: {name}: Container {id} is not running"
            ));
        }
        if let State::Started { until, code, .. } = &mut container.state {
            (*until, *code) = (now, 137);
        }
        Ok(())
    }

    /// Removes a container.
    ///
    /// # Errors
    /// There is none, or it runs and is not to be ended.
    pub fn remove_container(
        &mut self,
        name: &str,
        force: bool,
        volumes: bool,
    ) -> Result<(), String> {
        let container = self.find_container(name)?;
        let id = container.id.clone();
        if container.is_running(self.clock.now()) && !force {
            return Err(format!(
                "You cannot remove a running container {id}. Stop the container before \
                 attempting removal or force remove"
            ));
        }
        self.drop_container(&id, volumes);
        Ok(())
    }

    pub(super) fn drop_container(&mut self, id: &str, volumes: bool) {
        let Some(container) = self.containers.remove(id) else {
            return;
        };
        for mounted in container.mounts.iter().filter(|_| volumes) {
            let anonymous = self
                .volumes
                .get(&mounted.volume)
                .is_some_and(|v| v.anonymous);
            if anonymous && self.users_of(&mounted.volume).is_empty() {
                self.volumes.remove(&mounted.volume);
            }
        }
    }
}

/// A new volume begins with the files that the image has where it is mounted.
fn fill(volume: &mut Volume, files: &Fs, from: Ino, clock: Clock) {
    let mut overlay = Overlay::over(&Fs::empty(), clock);
    let top = files.inode(from).meta.clone();
    let mut times = Vec::new();
    for entry in files.walk(from) {
        let dir = overlay
            .fs()
            .find(&crate::fs::parent(&entry.path))
            .map(|(ino, _)| ino);
        let (Some(dir), name) = (dir, crate::fs::base_name(&entry.path)) else {
            continue;
        };
        let kind = match entry.inode.is_dir() {
            true => Node::empty_dir(),
            false => entry.inode.kind.clone(),
        };
        let meta = entry.inode.meta.clone();
        let time = meta.mtime;
        if let Ok(made) = overlay.create(dir, name, kind, meta) {
            times.push((made, time));
        }
    }
    overlay.set_meta(Fs::ROOT, |meta| *meta = top);
    for (ino, time) in times {
        overlay.restore_time(ino, time);
    }
    volume.fs = overlay.commit();
}
