//! `RUN --mount` and `--device`.

use crate::dockerfile::golang::{parse_bool, parse_u32, quote, ram_in_bytes};
use crate::dockerfile::suggest::with_nearest;

use super::csv;
use super::expand::Expander;

/// What is mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MountType {
    /// A part of the build context, a stage or an image.
    #[default]
    Bind,
    /// A directory that outlives builds.
    Cache,
    /// A temporary file system.
    Tmpfs,
    /// A secret file.
    Secret,
    /// The socket of an SSH agent.
    Ssh,
}

impl MountType {
    /// All types.
    pub const ALL: [Self; 5] = [
        Self::Bind,
        Self::Cache,
        Self::Tmpfs,
        Self::Secret,
        Self::Ssh,
    ];

    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Cache => "cache",
            Self::Tmpfs => "tmpfs",
            Self::Secret => "secret",
            Self::Ssh => "ssh",
        }
    }
}

/// Who may use a cache mount at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheSharing {
    /// Everybody.
    Shared,
    /// Each writer gets its own.
    Private,
    /// One after the other.
    Locked,
}

impl CacheSharing {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Shared, Self::Private, Self::Locked];

    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
            Self::Locked => "locked",
        }
    }
}

/// A mount. Texts are empty where nothing is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// `type`
    pub kind: MountType,
    /// `from`: a stage or an image.
    pub from: String,
    /// `source`
    pub source: String,
    /// `target`
    pub target: String,
    /// Whether it cannot be written: `readonly` or `readwrite`, else by type.
    pub read_only: bool,
    /// `size` in bytes, 0 if not given.
    pub size_limit: i64,
    /// `id`
    pub id: String,
    /// `sharing`, if given.
    pub sharing: Option<CacheSharing>,
    /// `required`
    pub required: bool,
    /// `env`: the variable a secret is put in.
    pub env: Option<String>,
    /// `mode`
    pub mode: Option<u32>,
    /// `uid`
    pub uid: Option<u32>,
    /// `gid`
    pub gid: Option<u32>,
}

const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "destination",
    "ro",
    "rw",
    "readwrite",
    "env",
];

/// Reads a mount. Without an expander only what can be said before variables are known is looked
/// at: the syntax and `from`.
pub(super) fn parse_mount(text: &str, mut expand: Option<Expander<'_>>) -> Result<Mount, String> {
    let fields = csv::fields(text).map_err(|e| format!("failed to parse csv mounts: {e}"))?;
    let mut mount = Mount::default();
    let mut writable_by_type = true;
    for field in &fields {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), Some(value)),
            None => (field.to_lowercase(), None),
        };
        let key = key.as_str();
        let unexpected = |mount: &Mount| {
            Err(format!(
                "unexpected key '{key}' for mount type '{}'",
                mount.kind.name()
            ))
        };
        let for_agent = matches!(mount.kind, MountType::Secret | MountType::Ssh);
        let value = match (value, &mut expand) {
            (None, None) => continue,
            (None, Some(_)) => {
                match key {
                    "readonly" | "ro" | "readwrite" | "rw" => {
                        mount.read_only = key.starts_with("ro") || key == "readonly";
                        writable_by_type = false;
                    }
                    "required" if for_agent => mount.required = true,
                    "required" => return unexpected(&mount),
                    _ => return Err(format!("invalid field '{field}' must be a key=value pair")),
                }
                continue;
            }
            (Some(value), Some(expand)) => expand(value)?,
            (Some(value), None) if key == "from" => {
                if value.find('$').is_some_and(|at| at + 1 != value.len()) {
                    return Err(format!(
                        "'{key}' doesn't support variable expansion, define alias stage instead"
                    ));
                }
                value.to_owned()
            }
            (Some(_), None) => continue,
        };
        let flag = |value: &str| {
            parse_bool(value).ok_or_else(|| format!("invalid value for {key}: {value}"))
        };
        let number = |value: &str, radix| {
            parse_u32(value, radix).ok_or_else(|| format!("invalid value {value} for {key}"))
        };
        match key {
            "type" => {
                let wanted = value.to_lowercase();
                mount.kind = MountType::ALL
                    .into_iter()
                    .find(|t| t.name() == wanted)
                    .ok_or_else(|| {
                        let message = format!("unsupported mount type {}", quote(&value));
                        with_nearest(message, &value, MountType::ALL.map(MountType::name), true)
                    })?;
            }
            "from" => mount.from = value,
            "source" | "src" => mount.source = value,
            "target" | "dst" | "destination" => mount.target = value,
            "readonly" | "ro" => {
                mount.read_only = flag(&value)?;
                writable_by_type = false;
            }
            "readwrite" | "rw" => {
                mount.read_only = !flag(&value)?;
                writable_by_type = false;
            }
            "required" if for_agent => mount.required = flag(&value)?,
            "size" if mount.kind == MountType::Tmpfs => {
                mount.size_limit = ram_in_bytes(&value)
                    .ok_or_else(|| format!("invalid value for {key}: {value}"))?;
            }
            "required" | "size" => return unexpected(&mount),
            "id" => mount.id = value,
            "sharing" => {
                let wanted = value.to_lowercase();
                let found = CacheSharing::ALL.into_iter().find(|s| s.name() == wanted);
                mount.sharing = Some(found.ok_or_else(|| {
                    let message = format!("unsupported sharing value {}", quote(&value));
                    with_nearest(
                        message,
                        &value,
                        CacheSharing::ALL.map(CacheSharing::name),
                        true,
                    )
                })?);
            }
            "mode" => mount.mode = Some(number(&value, 8)?),
            "uid" => mount.uid = Some(number(&value, 10)?),
            "gid" => mount.gid = Some(number(&value, 10)?),
            "env" => mount.env = Some(value),
            _ => {
                let message = format!("unexpected key '{key}' in '{field}'");
                return Err(with_nearest(message, key, KEYS, true));
            }
        }
    }
    check(&mount)?;
    if writable_by_type {
        mount.read_only = !matches!(mount.kind, MountType::Cache | MountType::Tmpfs);
    }
    Ok(mount)
}

fn check(mount: &Mount) -> Result<(), String> {
    let kind = mount.kind.name();
    if matches!(mount.kind, MountType::Bind | MountType::Tmpfs) {
        let given = [
            ("mode", mount.mode.is_some()),
            ("uid", mount.uid.is_some()),
            ("gid", mount.gid.is_some()),
        ];
        if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(format!(
                "{name} not allowed for {} type mounts",
                quote(kind)
            ));
        }
    }
    if mount.kind == MountType::Secret {
        let problem = if !mount.from.is_empty() {
            Some("secret mount should not have a from")
        } else if mount.sharing.is_some() {
            Some("secret mount should not define sharing")
        } else if mount.source.is_empty() && mount.target.is_empty() && mount.id.is_empty() {
            Some("invalid secret mount. one of source, target required")
        } else if !mount.source.is_empty() && !mount.id.is_empty() {
            Some("both source and id can't be set")
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(problem.to_owned());
        }
    }
    if mount.sharing.is_some() && mount.kind != MountType::Cache {
        return Err(format!("invalid cache sharing set for {kind} mount"));
    }
    Ok(())
}

/// A device of `RUN --device`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// The device's name.
    pub name: String,
    /// Whether the build fails without it.
    pub required: bool,
}

/// Reads a device.
pub(super) fn parse_device(text: &str) -> Result<Device, String> {
    let fields = csv::fields(text).map_err(|e| format!("failed to parse csv devices: {e}"))?;
    let mut device = Device::default();
    for field in &fields {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), Some(value)),
            None => (field.to_lowercase(), None),
        };
        match (key.as_str(), value) {
            ("required", None) => device.required = true,
            ("required", Some(value)) => {
                device.required =
                    parse_bool(value).ok_or_else(|| format!("invalid value for {key}: {value}"))?;
            }
            ("name", Some(value)) => {
                if !device.name.is_empty() {
                    return Err(format!("device name already set to {}", device.name));
                }
                device.name = value.to_owned();
            }
            _ if device.name.is_empty() => device.name = field.clone(),
            (_, None) => return Err(format!("invalid field '{field}' must be a key=value pair")),
            (_, Some(_)) => {
                let message = format!("unexpected key '{key}' in '{field}'");
                return Err(with_nearest(message, &key, ["name", "required"], true));
            }
        }
    }
    Ok(device)
}
