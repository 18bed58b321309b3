//! Where packages come from: the files of `/etc/apt` that name repositories.

use super::super::files::Files;

/// One repository of the sources, with the bytes of its release file and package list.
pub(super) struct Source {
    pub url: String,
    pub suite: String,
    pub component: String,
    pub release: u64,
    pub packages: u64,
}

/// The repositories that the files of `/etc/apt` name.
pub(super) fn sources(files: &Files<'_>) -> Vec<Source> {
    let mut texts = vec![files.text("/etc/apt/sources.list").unwrap_or_default()];
    let dir = "/etc/apt/sources.list.d";
    for name in files.names(dir) {
        texts.extend(files.text(&format!("{dir}/{name}")));
    }
    let mut all = Vec::new();
    let mut add = |url: &str, suite: &str, components: Vec<&str>| {
        for component in components {
            let (release, packages) = weigh(suite, component);
            all.push(Source {
                url: url.trim_end_matches('/').to_owned(),
                suite: suite.to_owned(),
                component: component.to_owned(),
                release,
                packages,
            });
        }
    };
    for text in &texts {
        for paragraph in text.split("\n\n") {
            let field = |name: &str| {
                let found = paragraph.lines().find_map(|line| line.strip_prefix(name));
                found
                    .unwrap_or_default()
                    .split_whitespace()
                    .collect::<Vec<_>>()
            };
            for url in field("URIs:") {
                for suite in field("Suites:") {
                    add(url, suite, field("Components:"));
                }
            }
        }
        for line in text.lines() {
            let words: Vec<&str> = line
                .split_whitespace()
                .filter(|word| !word.starts_with('[') && !word.ends_with(']'))
                .collect();
            if let ["deb", url, suite, components @ ..] = words.as_slice() {
                add(url, suite, components.to_vec());
            }
        }
    }
    all
}

/// The bytes of a suite's release file and of the package list of one of its components: Debian's
/// as measured, Ubuntu's and others' in round figures.
fn weigh(suite: &str, component: &str) -> (u64, u64) {
    let (distribution, pocket) = suite.split_once('-').unwrap_or((suite, ""));
    let main = component == "main";
    match (distribution, pocket) {
        ("focal" | "jammy" | "noble", "") => {
            let packages = match component {
                "main" => 3_800_000,
                "universe" => 37_200_000,
                _ => 450_000,
            };
            (265_000, packages)
        }
        ("focal" | "jammy" | "noble", "updates" | "security") => {
            let packages = match component {
                "main" | "restricted" => 6_000_000,
                "universe" => 2_800_000,
                _ => 100_000,
            };
            (128_000, packages)
        }
        ("focal" | "jammy" | "noble", _) => (127_000, 60_000),
        (_, "security") => (34_770, if main { 764_313 } else { 19_000 }),
        (_, "updates") => (55_403, if main { 11_648 } else { 300 }),
        ("bullseye" | "bookworm" | "trixie" | "stable", "") => {
            (151_075, if main { 18_840_233 } else { 470_000 })
        }
        _ => (60_000, if main { 400_000 } else { 10_000 }),
    }
}

impl Source {
    /// What its files in the lists are named by.
    pub fn stem(&self) -> String {
        let bare = self
            .url
            .split_once("://")
            .map_or(self.url.as_str(), |(_, bare)| bare);
        format!("{}_dists_{}", bare.replace('/', "_"), self.suite)
    }
}
