//! What an address serves of which nothing is known.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use crate::fs::{Content, base_name};
use crate::run::stand_in::{binary, text};

/// The host of a URL: between the scheme and the path, without user and port.
pub(super) fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

/// A stand-in for what `url` serves. Its size depends on the address alone and is plausible for
/// what the last part of the path is named like.
///
/// An archive unpacks to a folder named as it is, and holds what is plausible for it; so does the address
/// of a repository (`….git`), which is served as an archive. Every archive is packed with gzip,
/// whatever its name ends in, but for `.zip` and `.tar.xz`.
pub fn download(url: &str) -> Content {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let name = match path.split_once('/') {
        Some((_, path)) => base_name(path),
        None => "",
    };
    let ends = |endings: &[&str]| endings.iter().any(|end| name.ends_with(end));
    // The smallest and the largest size, in bytes.
    let (from, to) = if ends(&[
        ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".tbz2", ".tar", ".zip", ".jar",
        ".war", ".git", ".txz",
    ]) {
        (2_000_000, 40_000_000)
    } else if ends(&[
        ".deb",
        ".rpm",
        ".apk",
        ".whl",
        ".bin",
        ".exe",
        ".AppImage",
        ".run",
        ".so",
        ".phar",
    ]) {
        (1_000_000, 20_000_000)
    } else if ends(&[
        ".gpg", ".asc", ".key", ".pub", ".sig", ".sha256", ".list", ".repo",
    ]) {
        (500, 5_000)
    } else if ["amd64", "x86_64", "x64", "linux64"]
        .iter()
        .any(|arch| name.contains(arch))
    {
        (4_000_000, 60_000_000)
    } else {
        (2_000, 40_000)
    };
    let size = from + seed(url) % (to - from);
    let stem = folder(path, name);
    let bytes = match stem {
        Some(stem) if name.ends_with(".zip") => zip(&tree(&stem, url, size)),
        Some(stem) if name.ends_with(".tar") => archive(&tree(&stem, url, size)),
        Some(stem) if ends(&[".xz", ".txz"]) => xz(&archive(&tree(&stem, url, size))),
        Some(stem) => gzip(&archive(&tree(&stem, url, size))),
        None if ends(&[".gz"]) => gzip(text(url, size).as_bytes()),
        // A script that is piped into a shell says what it is and does nothing.
        None if from < 1_000_000 => format!("#!/bin/sh\n# {}", text(url, size)).into_bytes(),
        None => binary(name, url, size).into_bytes(),
    };
    Content::stand_in(bytes, size)
}

/// The folder that an archive unpacks to; `None` for what is no archive.
fn folder(path: &str, name: &str) -> Option<String> {
    let endings = [
        ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".tar", ".zip",
        ".git",
    ];
    let stem = endings.iter().find_map(|end| name.strip_suffix(end))?;
    if stem.is_empty() {
        return None;
    }
    // GitHub names the folder after the repository and the tag without its `v`.
    let parts: Vec<&str> = path.split('/').collect();
    if let Some(at) = parts
        .iter()
        .position(|part| *part == "archive")
        .filter(|at| *at > 1)
    {
        let version = stem
            .strip_prefix('v')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        return Some(format!("{}-{}", parts[at - 1], version.unwrap_or(stem)));
    }
    Some(stem.to_owned())
}

/// The name of a project by that of its folder: without version, system and architecture.
fn project(stem: &str) -> &str {
    let marks = [
        "linux", "amd64", "x86", "x64", "src", "bin", "v0", "v1", "v2", "v3", "v4", "v5", "v6",
        "v7", "v8", "v9",
    ];
    let mut end = stem.len();
    for (at, _) in stem.match_indices(['-', '_', '.']) {
        let rest = &stem[at + 1..].to_lowercase();
        if at > 0
            && (rest.starts_with(|c: char| c.is_ascii_digit())
                || marks.iter().any(|mark| rest.starts_with(mark)))
        {
            end = at;
            break;
        }
    }
    &stem[..end]
}

/// What stands for an archive or a repository of which only the name is known: nobody knows how
/// it is built, so there is a file of every kind that builds begin with, or else, if the name
/// speaks of a system or an architecture, the program. The rest of its weight is in one file.
fn tree(stem: &str, url: &str, packed: u64) -> Vec<(String, String, u32)> {
    let name = project(stem);
    let lower = url.to_lowercase();
    let built = ["linux", "amd64", "x86_64", "x64", "-bin.", "musl", "64bit"]
        .iter()
        .any(|mark| lower.contains(mark));
    let whole = packed * 5 / 2;
    let part = |what: &str, size: u64| text(&format!("{what} of {name}"), size);
    let mut files = vec![
        (String::new(), String::new(), 0o755),
        ("README.md".to_owned(), part("README.md", 6_000), 0o644),
        ("LICENSE".to_owned(), part("LICENSE", 11_358), 0o644),
    ];
    let mut add = |path: &str, text: String, mode: u32| files.push((path.to_owned(), text, mode));
    if built {
        let program = binary(name, url, whole * 7 / 10);
        add(name, program.clone(), 0o755);
        add("bin/", String::new(), 0o755);
        add(&format!("bin/{name}"), program, 0o755);
        add(
            "install.sh",
            format!("#!/bin/sh\n# {}", part("install.sh", 4_000)),
            0o755,
        );
    } else {
        add(
            "install.sh",
            format!("#!/bin/sh\n# {}", part("install.sh", 4_000)),
            0o755,
        );
        for (path, size) in SOURCES {
            add(path, part(path, *size), 0o644);
        }
        for path in SCRIPTS {
            add(
                path,
                binary(base_name(path), &format!("{path} of {name}"), 20_000),
                0o755,
            );
        }
        add(
            "package.json",
            format!(
                "{{\"name\": \"{}\", \"version\": \"1.0.0\", \"private\": true}}\n",
                name.to_lowercase()
            ),
            0o644,
        );
        add("requirements.txt", String::new(), 0o644);
        add(
            "go.mod",
            format!("module example.com/{name}\n\ngo 1.21\n"),
            0o644,
        );
        add(
            "main.go",
            "package main\n\nfunc main() {}\n".to_owned(),
            0o644,
        );
    }
    add("share/", String::new(), 0o755);
    add(
        "share/unlisted",
        part(
            "everything else",
            if built { whole * 3 / 10 } else { whole },
        ),
        0o644,
    );
    files
        .into_iter()
        .map(|(path, text, mode)| (format!("{stem}/{path}"), text, mode))
        .collect()
}

/// Files that builds of all kinds begin with, and their sizes.
const SOURCES: &[(&str, u64)] = &[
    ("Makefile", 9_000),
    ("CMakeLists.txt", 8_000),
    ("meson.build", 3_000),
    ("configure.ac", 6_000),
    ("setup.py", 2_000),
    ("pyproject.toml", 1_500),
    ("Cargo.toml", 1_200),
    ("pom.xml", 12_000),
    ("build.gradle", 4_000),
    ("composer.json", 1_500),
    ("Gemfile", 600),
    ("src/main.c", 20_000),
    ("include/main.h", 4_000),
    ("tests/test.c", 9_000),
    ("docs/index.md", 5_000),
];

/// Scripts that builds begin with.
const SCRIPTS: &[&str] = &["configure", "autogen.sh", "bootstrap", "gradlew", "mvnw"];

/// Eight bytes of the address's digest.
fn seed(url: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(url.as_bytes()).into();
    digest
        .iter()
        .take(8)
        .fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

fn archive(files: &[(String, String, u32)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, text, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(if path.ends_with('/') {
            tar::EntryType::Directory
        } else {
            tar::EntryType::Regular
        });
        header.set_mode(*mode);
        header.set_size(text.len() as u64);
        // Only a path that is too long or odd fails; the archive is then shorter.
        let _ = tar.append_data(&mut header, path, text.as_bytes());
    }
    tar.into_inner().unwrap_or_default()
}

/// A zip archive whose members are stored as they are.
fn zip(files: &[(String, String, u32)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (path, text, mode) in files {
        let offset = out.len() as u32;
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let size = (text.len() as u32).to_le_bytes();
        // What both headers have: version, flags, method, time, date, checksum, sizes, names.
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend(size);
        common.extend(size);
        common.extend((path.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(path.as_bytes());
        out.extend(text.as_bytes());
        let kind = if path.ends_with('/') {
            0o040_000
        } else {
            0o100_000
        };
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend(((kind | mode) << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(path.as_bytes());
    }
    let (start, length) = (out.len() as u32, directory.len() as u32);
    let count = (files.len() as u16).to_le_bytes();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count);
    out.extend(count);
    out.extend(length.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // As above.
    let _ = lzma_rs::xz_compress(&mut &*bytes, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        assert_eq!(host("https://a.tst/b"), Some("a.tst"));
        assert_eq!(host("http://u:p@a.tst:80?x"), Some("a.tst"));
        assert_eq!(host("a.tst/b"), Some("a.tst"));
        assert_eq!(host("https:///b"), None);
    }

    #[test]
    fn archives_unpack_to_a_folder() {
        let folder = |url: &str| folder(url, base_name(url));
        assert_eq!(folder("h/x-1.2.tar.xz").as_deref(), Some("x-1.2"));
        assert_eq!(
            folder("github.com/o/repo/archive/refs/tags/v1.2.zip").as_deref(),
            Some("repo-1.2")
        );
        assert_eq!(folder("h/o/tool.git").as_deref(), Some("tool"));
        assert_eq!(folder("h/x.sh"), None);
        assert_eq!(project("node_exporter-1.5.0.linux-amd64"), "node_exporter");
        assert_eq!(project("helm-v3.2"), "helm");
        assert_eq!(project("nginx"), "nginx");
    }

    #[test]
    fn sizes_follow_the_address() {
        let archive = download("https://a.tst/x-1.0.tar.gz");
        assert!(archive.is_stand_in() && archive.size() >= 2_000_000);
        assert_eq!(archive, download("https://a.tst/x-1.0.tar.gz"));
        assert_ne!(
            archive.size(),
            download("https://b.tst/x-1.0.tar.gz").size()
        );
        assert_eq!(&archive.bytes()[..2], &[0x1f, 0x8b]);
        assert!(
            download("https://a.tst/install")
                .bytes()
                .starts_with(b"#!/bin/sh\n")
        );
        assert!(download("https://a.tst").size() < 40_000);
    }
}
