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
        let (release, packages) = match suite {
            suite if suite.ends_with("-security") => (34_770, 764_313),
            suite if suite.ends_with("-updates") => (55_403, 11_648),
            "bookworm" | "stable" => (151_075, 18_840_233),
            _ => (60_000, 400_000),
        };
        for (at, component) in components.into_iter().enumerate() {
            all.push(Source {
                url: url.trim_end_matches('/').to_owned(),
                suite: suite.to_owned(),
                component: component.to_owned(),
                release,
                // Only the main component is large.
                packages: if at == 0 { packages } else { packages / 40 },
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
