//! The container around a run: what is mounted into its root, and what stays of the mount points.

use crate::fs::{
    Clock, Content, Errno, Follow, Fs, Ino, Kind, Meta, Overlay, Process, Time, Vfs, clean, split,
};

/// The major number of the devices that stand for a process's own descriptors below
/// `/proc/self/fd` (that of pseudo-terminals).
pub(super) const FD_MAJOR: u32 = 136;

/// Something mounted into a container.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Where, absolute.
    pub target: String,
    /// Whose files.
    pub overlay: Overlay,
    /// Which node of them: a directory or a file.
    pub root: Ino,
    /// Whether writing fails.
    pub read_only: bool,
}

/// A mount that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountError {
    /// Where.
    pub target: String,
    /// Why.
    pub errno: Errno,
}

impl std::fmt::Display for MountError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = self.errno.to_string().to_lowercase();
        write!(f, "error mounting to rootfs at {:?}: {why}", self.target)
    }
}

impl std::error::Error for MountError {}

/// A root filesystem with everything mounted that a RUN finds.
#[derive(Clone, Debug)]
pub struct Container {
    /// What its processes see.
    pub vfs: Vfs,
    /// Paths that were missing before the mounts were made.
    stubs: Vec<String>,
    /// How many mounts came before the caller's.
    standard: usize,
    /// The caller's mounts in the order of mounting: their place in the caller's list.
    order: Vec<usize>,
}

/// What is left of a container.
#[derive(Clone, Debug)]
pub struct Remains {
    /// The root, mount points taken away.
    pub root: Overlay,
    /// The overlays of the caller's mounts, in the caller's order.
    pub mounts: Vec<Overlay>,
}

/// Name and content of the files that are bind-mounted into every container.
pub const ETC_FILES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];

impl Container {
    /// Mounts `/proc`, `/dev`, `/sys`, `/etc/resolv.conf`, `/etc/hosts` and `mounts` over `root`.
    ///
    /// The directories `/proc`, `/dev` and `/sys` are made where missing, and stay. Other missing
    /// mount points are made too and taken away at the end (BuildKit: mount stubs).
    ///
    /// # Errors
    /// [`MountError`] where a mount point cannot be made or is of the wrong type.
    pub fn new(root: Overlay, mounts: Vec<Mount>, hostname: &str) -> Result<Container, MountError> {
        let process = Process {
            umask: 0,
            ..Process::root()
        };
        let clock = root.clock;
        let mut vfs = Vfs::new(root);
        let mut stubs = Vec::new();
        let targets = ETC_FILES.into_iter();
        for target in targets.chain(mounts.iter().map(|mount| mount.target.as_str())) {
            note_missing(&vfs, &process, target, &mut stubs);
        }
        let standard = standard_mounts(clock, hostname);
        let count = standard.len();
        let mut order: Vec<usize> = (0..mounts.len()).collect();
        // BuildKit mounts in the order of the targets, so that outer ones come first.
        crate::order::sort_by(&mut order, |a, b| mounts[*a].target.cmp(&mounts[*b].target));
        let mut mounts: Vec<Option<Mount>> = mounts.into_iter().map(Some).collect();
        let own = order.iter().filter_map(|at| mounts[*at].take());
        for mount in standard.into_iter().chain(own) {
            attach(&mut vfs, &process, mount)?;
        }
        Ok(Container {
            vfs,
            stubs,
            standard: count,
            order,
        })
    }

    /// Takes the mounts away, and the mount points made for them that are still empty.
    pub fn finish(self) -> Remains {
        let mut overlays = self.vfs.into_overlays().into_iter();
        let root = overlays.next().unwrap_or_else(|| unreachable!("the root"));
        let mut vfs = Vfs::new(root);
        let process = Process::root();
        for stub in &self.stubs {
            remove_stub(&mut vfs, &process, stub);
        }
        let mut placed: Vec<(usize, Overlay)> = self
            .order
            .iter()
            .copied()
            .zip(overlays.skip(self.standard))
            .collect();
        crate::order::sort_by_key(&mut placed, |(at, _)| *at);
        Remains {
            root: vfs.into_root(),
            mounts: placed.into_iter().map(|(_, overlay)| overlay).collect(),
        }
    }
}

/// Adds `target` and the directories above it that are missing, innermost first.
fn note_missing(vfs: &Vfs, process: &Process, target: &str, stubs: &mut Vec<String>) {
    let mut path = clean(target);
    while path != "/" {
        match vfs.resolve(process, &path, Follow::No) {
            Ok(spot) if spot.ino.is_some() => break,
            Ok(spot) => stubs.push(spot.path),
            Err(Errno::Enoent | Errno::Enotdir) => stubs.push(path.clone()),
            Err(_) => break,
        }
        path = crate::fs::parent(&path);
    }
}

fn remove_stub(vfs: &mut Vfs, process: &Process, stub: &str) {
    let Ok(spot) = vfs.resolve(process, stub, Follow::No) else {
        return;
    };
    let Ok(handle) = spot.handle() else {
        return;
    };
    let inode = vfs.inode(handle);
    let empty = match &inode.kind {
        Kind::Dir(entries) => entries.is_empty(),
        _ => inode.size() == 0,
    };
    if !empty {
        return;
    }
    let dir = crate::fs::Handle {
        mount: spot.mount,
        ino: spot.dir,
    };
    let mtime = vfs.inode(dir).meta.mtime;
    let overlay = vfs.overlay_mut(spot.mount);
    if overlay.remove(spot.dir, &spot.name).is_ok() {
        overlay.restore_time(spot.dir, mtime);
    }
}

fn attach(vfs: &mut Vfs, process: &Process, mount: Mount) -> Result<(), MountError> {
    let Mount {
        target,
        overlay,
        root,
        read_only,
    } = mount;
    let is_dir = overlay.fs().inode(root).is_dir();
    let path = mount_point(vfs, process, &target, is_dir).map_err(|errno| MountError {
        target: target.clone(),
        errno,
    })?;
    vfs.mount(&path, overlay, root, read_only);
    Ok(())
}

/// The real path of `target`, made if it is missing.
fn mount_point(
    vfs: &mut Vfs,
    process: &Process,
    target: &str,
    is_dir: bool,
) -> Result<String, Errno> {
    let mut at = String::new();
    let parts: Vec<&str> = split(target).collect();
    for (n, part) in parts.iter().enumerate() {
        at = format!("{at}/{part}");
        if vfs.exists(process, &at) {
            continue;
        }
        if n + 1 < parts.len() || is_dir {
            vfs.mkdir(process, &at, 0o755)?;
        } else {
            vfs.make(process, &at, Kind::File(Content::default()), 0o755)?;
        }
    }
    let spot = vfs.resolve(process, target, Follow::Yes)?;
    if vfs.inode(spot.handle()?).is_dir() != is_dir {
        return Err(Errno::Enotdir);
    }
    Ok(spot.path)
}

fn standard_mounts(clock: Clock, hostname: &str) -> Vec<Mount> {
    let tree = |target: &str, build: &dyn Fn(&mut Overlay)| {
        let mut overlay = Overlay::over(&Fs::empty(), clock);
        build(&mut overlay);
        Mount {
            target: target.into(),
            overlay,
            root: Fs::ROOT,
            read_only: false,
        }
    };
    let file = |target: &str, text: String| {
        let mut overlay = Overlay::over(&Fs::empty(), clock);
        let root = put(
            &mut overlay,
            Fs::ROOT,
            "f",
            Kind::File(Content::new(text)),
            0o644,
        );
        Mount {
            target: target.into(),
            overlay,
            root,
            read_only: true,
        }
    };
    let resolv = "nameserver 8.8.8.8\nnameserver 8.8.4.4\n".to_string();
    let hosts =
        format!("127.0.0.1\tlocalhost {hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    let mut proc = tree("/proc", &fill_proc);
    proc.read_only = true;
    let mut sys = tree("/sys", &|sys| {
        for name in ["block", "bus", "class", "devices", "fs", "kernel", "module"] {
            put(sys, Fs::ROOT, name, Kind::empty_dir(), 0o755);
        }
    });
    sys.read_only = true;
    let [resolv_path, hosts_path] = ETC_FILES;
    vec![
        proc,
        tree("/dev", &fill_dev),
        sys,
        file(resolv_path, resolv),
        file(hosts_path, hosts),
    ]
}

/// A node of a mount that is made from nothing. A name cannot be taken twice there, so this
/// cannot fail.
fn put(overlay: &mut Overlay, dir: Ino, name: &str, kind: Kind, mode: u32) -> Ino {
    let meta = Meta::root(mode, Time(overlay.clock.now().0));
    overlay.create(dir, name, kind, meta).unwrap_or(Fs::ROOT)
}

fn fill_dev(dev: &mut Overlay) {
    let devices = [
        ("null", 1, 3),
        ("zero", 1, 5),
        ("full", 1, 7),
        ("random", 1, 8),
        ("urandom", 1, 9),
        ("tty", 5, 0),
    ];
    for (name, major, minor) in devices {
        put(dev, Fs::ROOT, name, Kind::CharDevice(major, minor), 0o666);
    }
    let links = [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ];
    for (name, target) in links {
        put(dev, Fs::ROOT, name, Kind::Symlink(target.into()), 0o777);
    }
    for (name, mode) in [("pts", 0o755), ("shm", 0o1777), ("mqueue", 0o1777)] {
        put(dev, Fs::ROOT, name, Kind::empty_dir(), mode);
    }
}

fn fill_proc(proc: &mut Overlay) {
    let cpu = |n: u32| {
        format!("processor\t: {n}\nvendor_id\t: GenuineIntel\nmodel name\t: Layerwise\n\n")
    };
    let files = [
        ("cpuinfo", cpu(0) + &cpu(1)),
        (
            "meminfo",
            "MemTotal:        8000000 kB\nMemFree:         6000000 kB\n\
             MemAvailable:    7000000 kB\n"
                .to_string(),
        ),
        ("version", "Linux version 6.1.0 (layerwise)\n".to_string()),
        ("uptime", "1000.00 1000.00\n".to_string()),
        ("mounts", "overlay / overlay rw,relatime 0 0\n".to_string()),
        (
            "filesystems",
            "nodev\tproc\nnodev\ttmpfs\nnodev\toverlay\n".to_string(),
        ),
    ];
    for (name, text) in files {
        put(proc, Fs::ROOT, name, Kind::File(Content::new(text)), 0o444);
    }
    let this = put(proc, Fs::ROOT, "self", Kind::empty_dir(), 0o555);
    let fds = put(proc, this, "fd", Kind::empty_dir(), 0o555);
    for n in 0..3 {
        put(
            proc,
            fds,
            &n.to_string(),
            Kind::CharDevice(FD_MAJOR, n),
            0o666,
        );
    }
}
