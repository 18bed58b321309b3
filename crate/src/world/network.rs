//! What an address serves of which nothing is known.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use crate::fs::{Content, base_name};

/// The host of a URL: between the scheme and the path, without user and port.
pub(super) fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

/// A stand-in for what `url` serves. Its size depends on the address alone and is plausible for
/// what the last part of the path is named like; an archive unpacks to a folder named as it is.
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
        ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar", ".zip", ".jar",
    ]) {
        (2_000_000, 40_000_000)
    } else if ends(&[".deb", ".rpm", ".apk", ".whl", ".bin", ".exe", ".AppImage"]) {
        (1_000_000, 20_000_000)
    } else if ends(&[
        ".gpg", ".asc", ".key", ".pub", ".sig", ".sha256", ".list", ".repo",
    ]) {
        (500, 5_000)
    } else if name.contains("amd64") || name.contains("x86_64") {
        (4_000_000, 60_000_000)
    } else {
        (2_000, 40_000)
    };
    let size = from + seed(url) % (to - from);
    let text = format!("stand-in for {url}: {size} bytes\n");
    let stem = |end: &str| name.strip_suffix(end).filter(|stem| !stem.is_empty());
    let bytes = if let Some(stem) = stem(".tar.gz").or(stem(".tgz")) {
        gzip(&archive(stem, &text))
    } else if let Some(stem) = stem(".tar") {
        archive(stem, &text)
    } else if ends(&[".gz"]) {
        gzip(text.as_bytes())
    } else if from < 1_000_000 {
        // A script that is piped into a shell says what it is and does nothing.
        format!("#!/bin/sh\n# {text}").into_bytes()
    } else {
        format!("\x7fELFprogram {name}\n{text}").into_bytes()
    };
    Content::stand_in(bytes, size)
}

/// Eight bytes of the address's digest.
fn seed(url: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(url.as_bytes()).into();
    digest
        .iter()
        .take(8)
        .fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

fn archive(stem: &str, text: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let script = format!("#!/bin/sh\n# {text}");
    let files = [
        (format!("{stem}/"), "", 0o755),
        (format!("{stem}/README"), text, 0o644),
        (format!("{stem}/install.sh"), script.as_str(), 0o755),
    ];
    for (path, text, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(if path.ends_with('/') {
            tar::EntryType::Directory
        } else {
            tar::EntryType::Regular
        });
        header.set_mode(mode);
        header.set_size(text.len() as u64);
        // Only a path that is too long or odd fails; the archive is then shorter.
        let _ = tar.append_data(&mut header, path, text.as_bytes());
    }
    tar.into_inner().unwrap_or_default()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
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
