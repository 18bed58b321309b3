//! A process in a container.

use super::Daemon;
use crate::build::classic::Failure;
use crate::build::process::{add_defaults, credentials, execute, make_directory, real_path};
use crate::dockerfile::scope::DEFAULT_PATH;
use crate::fs::{Clock, Content, Follow, Fs, Kind, Overlay, Process, Vfs};
use crate::run::container::Mount;
use crate::run::{Host, Limits, LogLine, Machine, Part, Response, Spec, Stream};

impl Daemon {
    /// Runs a process in a container to its end; gives its exit status and what it wrote.
    ///
    /// # Errors
    /// As [`start`](Daemon::start).
    pub fn process(
        &mut self,
        id: &str,
        args: Vec<String>,
        host: &mut dyn Host,
    ) -> Result<(i32, Vec<LogLine>), Failure> {
        let container = self.find_container(id).map_err(Failure::step)?;
        let hostname = container.id.get(..12).unwrap_or_default().to_string();
        let id = container.id.clone();
        let base = container.rw.fs().clone();
        let cred = credentials(&base, &container.config.user).map_err(not_started)?;
        let mut env = vec![
            ("PATH".to_string(), DEFAULT_PATH.to_string()),
            ("HOSTNAME".to_string(), hostname.clone()),
        ];
        for pair in &container.config.env {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match env.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => *old = value.into(),
                None => env.push((name.into(), value.into())),
            }
        }
        add_defaults(&mut env, &base, &cred);
        let cwd = match container.config.working_dir.as_str() {
            "" => "/".to_string(),
            dir => real_path(&base, dir).map_err(not_started)?,
        };
        let mut overlay = container.rw.clone();
        overlay.clock = self.clock;
        let mut mounts = vec![file_mount(
            "/etc/hostname",
            &format!("{hostname}\n"),
            self.clock,
        )];
        for mounted in &container.mounts {
            let files = self.volumes.get(&mounted.volume);
            let files = files.map_or_else(Fs::empty, |volume| volume.fs.clone());
            // The mount point stays in the container's layer.
            make_directory(&mut overlay, &mounted.target).map_err(not_started)?;
            mounts.push(Mount {
                target: mounted.target.clone(),
                overlay: Overlay::over(&files, self.clock),
                root: Fs::ROOT,
                read_only: mounted.read_only,
            });
        }
        for target in &container.tmpfs {
            make_directory(&mut overlay, target).map_err(not_started)?;
            let mut memory = Overlay::over(&Fs::empty(), self.clock);
            memory.set_meta(Fs::ROOT, |meta| meta.mode = 0o1777);
            mounts.push(Mount {
                target: target.clone(),
                overlay: memory,
                root: Fs::ROOT,
                read_only: false,
            });
        }
        let spec = Spec {
            args,
            env,
            cwd,
            cred,
            hostname,
            limits: Limits::default(),
        };
        let mut gate = Gate {
            host,
            refused: None,
        };
        let ran = execute(overlay, mounts, &spec, &mut gate)?;
        if let Some(why) = gate.refused {
            return Err(not_started(why));
        }
        let (remains, outcome) = ran.map_err(|error| not_started(error.to_string()))?;
        self.clock = remains.root.clock;
        // The first mount is the engine's own.
        let volumes = remains.mounts.into_iter().skip(1);
        let mut root = remains.root;
        root.forget_unnamed();
        if let Some(container) = self.containers.get_mut(&id) {
            container.rw = root;
            for (mounted, overlay) in container.mounts.iter().zip(volumes) {
                if let Some(volume) = self.volumes.get_mut(&mounted.volume) {
                    volume.fs = overlay.commit();
                }
            }
        }
        Ok((outcome.exit_code, outcome.log))
    }
}

fn file_mount(target: &str, text: &str, clock: Clock) -> Mount {
    let mut vfs = Vfs::new(Overlay::over(&Fs::empty(), clock));
    let root = Process::root();
    let _ = vfs.make(&root, "/f", Kind::File(Content::from(text)), 0o644);
    let found = vfs.resolve(&root, "/f", Follow::No).ok();
    Mount {
        target: target.into(),
        root: found.and_then(|spot| spot.ino).unwrap_or(Fs::ROOT),
        overlay: vfs.into_root(),
        read_only: true,
    }
}

/// What the engine says of a process that could not be started.
fn not_started(why: String) -> Failure {
    Failure::step(format!(
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to \
         start container process: {why}: unknown"
    ))
}

/// Passes output on, but for what says that there was no process.
struct Gate<'a> {
    host: &'a mut dyn Host,
    refused: Option<String>,
}

impl Host for Gate<'_> {
    fn output(&mut self, stream: Stream, text: &str) {
        let start = "runc run failed: unable to start container process: error during container \
                     init: ";
        match text.strip_prefix(start) {
            Some(why) if stream == Stream::Stderr => self.refused = Some(why.trim_end().into()),
            _ => self.host.output(stream, text),
        }
    }

    fn cancelled(&mut self) -> bool {
        self.host.cancelled()
    }

    fn machine(&self) -> Machine {
        self.host.machine()
    }

    fn part(&mut self, name: &str) -> Part {
        self.host.part(name)
    }

    fn fetch(&mut self, url: &str) -> Option<Response> {
        self.host.fetch(url)
    }
}
