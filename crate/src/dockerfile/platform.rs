//! Platforms: `linux/amd64`, `linux/arm/v7`, `windows(10.0.17763)/amd64`.
//!
//! Source: `containerd/platforms`. Where it takes the machine it runs on as the default, this takes
//! `linux/amd64`.

use std::fmt;

use super::golang::quote;

/// The operating system that a platform without one gets.
const DEFAULT_OS: &str = "linux";
/// The architecture that a platform without one gets.
const DEFAULT_ARCHITECTURE: &str = "amd64";

/// A platform. Texts are empty where nothing is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// `linux`, `windows`, …
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `v7`, …
    pub variant: String,
    /// The version of the operating system.
    pub os_version: String,
    /// Features of the operating system.
    pub os_features: Vec<String>,
}

impl Platform {
    /// A platform of a system and an architecture.
    pub fn new(os: &str, architecture: &str) -> Self {
        Self {
            os: os.into(),
            architecture: architecture.into(),
            ..Self::default()
        }
    }

    /// `linux/amd64`.
    pub fn linux_amd64() -> Self {
        Self::new(DEFAULT_OS, DEFAULT_ARCHITECTURE)
    }

    /// Reads a platform: `os`, `arch`, `os/arch` or `os/arch/variant`.
    ///
    /// # Errors
    ///
    /// What containerd says of a text that is no platform.
    pub fn parse(text: &str) -> Result<Self, String> {
        let quoted = quote(text);
        if text.contains('*') {
            return Err(format!(
                "{quoted}: wildcards not yet supported: invalid argument"
            ));
        }
        let parts: Vec<&str> = text.splitn(4, '/').collect();
        let mut platform = Self::default();
        let (os, options) = split_os(parts[0]).ok_or_else(|| {
            format!(
                "{} is an invalid OS component of {quoted}: OSAndVersion specifier component \
                 must match {}: invalid argument",
                quote(parts[0]),
                quote(r"^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$")
            )
        })?;
        platform.os = normal_os(os);
        let mut options = options.split('+');
        platform.os_version = unescape(options.next().unwrap_or_default());
        platform.os_features = options.map(unescape).filter(|f| !f.is_empty()).collect();
        for part in &parts[1..] {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
            if part.is_empty() || !part.chars().all(allowed) {
                return Err(format!(
                    "{} is an invalid component of {quoted}: platform specifier component must \
                     match {}: invalid argument",
                    quote(part),
                    quote("^[A-Za-z0-9_.-]+$")
                ));
            }
        }
        match parts.as_slice() {
            [_] if is_known_os(&platform.os) => {
                platform.architecture = DEFAULT_ARCHITECTURE.to_owned();
            }
            [only] => {
                platform.set_architecture(only, "");
                if !is_known_architecture(&platform.architecture) {
                    return Err(format!(
                        "{quoted}: unknown operating system or architecture: invalid argument"
                    ));
                }
                platform.os = DEFAULT_OS.to_owned();
            }
            [_, architecture] => platform.set_architecture(architecture, ""),
            [_, architecture, variant] => {
                (platform.architecture, platform.variant) =
                    normal_architecture(architecture, variant);
                if platform.architecture == "arm64" && platform.variant.is_empty() {
                    platform.variant = "v8".to_owned();
                }
            }
            _ => {
                return Err(format!(
                    "{quoted}: cannot parse platform specifier: invalid argument"
                ));
            }
        }
        Ok(platform)
    }

    fn set_architecture(&mut self, architecture: &str, variant: &str) {
        (self.architecture, self.variant) = normal_architecture(architecture, variant);
        if self.architecture == "arm" && self.variant == "v7" {
            self.variant.clear();
        }
    }

    /// The platform with every name in its usual form: `aarch64` is `arm64`, `arm` is `arm/v7`.
    pub fn normalized(&self) -> Self {
        let (architecture, variant) = normal_architecture(&self.architecture, &self.variant);
        let mut os_features = self.os_features.clone();
        crate::order::sort(&mut os_features);
        os_features.dedup();
        let os = normal_os(&self.os);
        Self {
            os,
            architecture,
            variant,
            os_version: self.os_version.clone(),
            os_features,
        }
    }

    /// `os/arch/variant`, without version and features.
    pub fn short(&self) -> String {
        join(&[&self.os, &self.architecture, &self.variant])
    }
}

/// `os(version+feature)/arch/variant`.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.os.is_empty() || (self.os_version.is_empty() && self.os_features.is_empty()) {
            return f.write_str(&self.short());
        }
        let mut features: Vec<String> = self.os_features.iter().map(|f| escape(f)).collect();
        features.retain(|feature| !feature.is_empty());
        crate::order::sort(&mut features);
        features.dedup();
        let options: String = features
            .iter()
            .map(|feature| format!("+{feature}"))
            .collect();
        let os = format!("{}({}{options})", self.os, escape(&self.os_version));
        f.write_str(&join(&[&os, &self.architecture, &self.variant]))
    }
}

fn join(parts: &[&str]) -> String {
    if parts[0].is_empty() {
        return "unknown".to_owned();
    }
    parts
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join("/")
}

/// The name and what stands in parentheses behind it.
fn split_os(text: &str) -> Option<(&str, &str)> {
    let (name, options) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')?),
        None => (text, ""),
    };
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let in_option = |c: char| in_name(c) || matches!(c, '.' | '%');
    let mut features = options.split('+');
    let version = features.next().unwrap_or_default();
    let valid = !name.is_empty()
        && name.chars().all(in_name)
        && version.chars().all(in_option)
        && features.all(|f| !f.is_empty() && f.chars().all(in_option));
    valid.then_some((name, options))
}

fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('+', "%2B")
        .replace('(', "%28")
        .replace(')', "%29")
        .replace('/', "%2F")
}

fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| {
                text.get(at + 1..at + 3)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            })
            .flatten();
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn normal_os(os: &str) -> String {
    match os.to_lowercase().as_str() {
        "" => DEFAULT_OS.to_owned(),
        "macos" => "darwin".to_owned(),
        os => os.to_owned(),
    }
}

fn normal_architecture(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = (architecture.to_lowercase(), variant.to_lowercase());
    let (a, v) = match (architecture.as_str(), variant.as_str()) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", v) => ("amd64", v),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", v) => ("arm64", v),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        (a, v) => (a, v),
    };
    (a.to_owned(), v.to_owned())
}

fn is_known_os(os: &str) -> bool {
    const KNOWN: &[&str] = &[
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "hurd",
        "illumos",
        "ios",
        "js",
        "linux",
        "nacl",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "windows",
        "zos",
    ];
    KNOWN.contains(&os)
}

fn is_known_architecture(architecture: &str) -> bool {
    const KNOWN: &[&str] = &[
        "386",
        "amd64",
        "amd64p32",
        "arm",
        "armbe",
        "arm64",
        "arm64be",
        "ppc64",
        "ppc64le",
        "loong64",
        "mips",
        "mipsle",
        "mips64",
        "mips64le",
        "mips64p32",
        "mips64p32le",
        "ppc",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
    ];
    KNOWN.contains(&architecture)
}
