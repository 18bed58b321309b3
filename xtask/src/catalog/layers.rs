//! Listings: every file of every layer of a base image.
//!
//! A listing has one line a path, in byte order: path, type (`f`, `d`, `l`, `h` for a hard link),
//! mode in octal, `uid:gid`, size in bytes, and the link's target or the text of the file as a JSON
//! string. Left out are a usual mode (644, 755, 777), root as owner, and the size of a text that is
//! the text's own. Directories that lead to a path are listed too, so that a listing is a layer by
//! itself, whatever lies below it.
//!
//! Where the source form knows but some files of a layer, the listing is filled up so that its
//! sizes add up to the layer's bytes: packages that the layer installs bring their known files,
//! and what is left is one file `unlisted` a package or layer. A small difference is put on the
//! largest file instead.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::node::{Kind, Node};
use super::programs;
use super::source::{Row, Source};
use super::strings;
use crate::Failure;

/// A tree by absolute path.
type Tree = BTreeMap<String, Node>;

/// Turns layers of the source form into listings, each id once.
pub struct Synthesis {
    apt: BTreeMap<String, Row>,
    apk: BTreeMap<String, Row>,
    rootfs: BTreeMap<String, Vec<Row>>,
    debian_packages: Vec<Row>,
    texts: Value,
    /// By id, the description that says most.
    described: BTreeMap<String, Value>,
    /// By id, what was made of it.
    made: BTreeMap<String, Tree>,
}

/// The layers of one image, from below.
pub struct Stack<'a> {
    synthesis: &'a mut Synthesis,
    tree: Tree,
}

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
const DPKG_STATUS: &str = "/var/lib/dpkg/status";
const APK_INSTALLED: &str = "/lib/apk/db/installed";
/// Its presence tells a slim Debian: documentation is left out when a package is unpacked.
const SLIM_RULES: &str = "/etc/dpkg/dpkg.cfg.d/docker";
/// What one package adds to dpkg's status file.
const STATUS_BYTES: u64 = 900;

impl Synthesis {
    /// Reads what is needed.
    pub fn new(source: &Source) -> Result<Synthesis, Failure> {
        let keyed = |rows: Vec<Row>| -> BTreeMap<String, Row> {
            rows.into_iter()
                .map(|row| (row.col(0).to_owned(), row))
                .collect()
        };
        let mut rootfs = BTreeMap::new();
        let mut described: BTreeMap<String, Value> = BTreeMap::new();
        for (_, image) in source.images()? {
            for layer in image["layers"].as_array().into_iter().flatten() {
                if let Some(name) = layer["rootfs"].as_str()
                    && !rootfs.contains_key(name)
                {
                    rootfs.insert(name.to_owned(), source.table(&format!("rootfs/{name}"))?);
                }
                if let Some(id) = layer["id"].as_str() {
                    let known = described.get(id).map_or(0, |known| known.to_string().len());
                    if layer.to_string().len() > known {
                        described.insert(id.to_owned(), layer.clone());
                    }
                }
            }
        }
        Ok(Synthesis {
            apt: keyed(source.apt()?),
            apk: keyed(source.table("apk.tsv")?),
            rootfs,
            debian_packages: source.table("rootfs/debian-bookworm.packages.tsv")?,
            texts: source.json("rootfs/files.json")?,
            described,
            made: BTreeMap::new(),
        })
    }

    /// An image with no layer yet.
    pub fn stack(&mut self) -> Stack<'_> {
        Stack {
            synthesis: self,
            tree: Tree::new(),
        }
    }

    /// The listings by layer id.
    pub fn finish(self) -> impl Iterator<Item = (String, String)> {
        self.made.into_iter().map(|(id, tree)| {
            let mut text = String::new();
            for (path, node) in &tree {
                let _ = writeln!(text, "{path}\t{node}");
            }
            (id, text)
        })
    }
}

impl Stack<'_> {
    /// Puts the layer `id` on top.
    pub fn add(&mut self, id: &str, layer: &Value) -> Result<String, String> {
        let described = self.synthesis.described.get(id).unwrap_or(layer).clone();
        if !self.synthesis.made.contains_key(id) {
            let made = Draft {
                synthesis: self.synthesis,
                below: &self.tree,
                tree: Tree::new(),
            }
            .draw(id, &described)?;
            self.synthesis.made.insert(id.to_owned(), made);
        }
        let made = &self.synthesis.made[id];
        self.tree
            .extend(made.iter().map(|(p, n)| (p.clone(), n.clone())));
        Ok(id.to_owned())
    }
}

/// A layer in the making.
struct Draft<'a> {
    synthesis: &'a Synthesis,
    below: &'a Tree,
    tree: Tree,
}

impl Draft<'_> {
    fn draw(mut self, id: &str, layer: &Value) -> Result<Tree, String> {
        let bytes = layer["bytes"].as_u64().ok_or("a layer has no size")?;
        if let Some(rootfs) = layer["rootfs"].as_str() {
            self.root_tree(id, rootfs, layer["rootfs_filter"].is_string());
        }
        let created_by = layer["created_by"].as_str().unwrap_or_default();
        for path in layer["paths"].as_array().into_iter().flatten() {
            self.listed_path(path)?;
        }
        self.user(created_by);
        self.apt(&named(layer, "apt", created_by, "apt-get install"), bytes);
        self.apk(&named(layer, "apk", created_by, "apk add"), bytes);
        self.targets_of_links();
        self.fill_up(id, bytes);
        self.parents();
        Ok(self.tree)
    }

    fn get(&self, path: &str) -> Option<&Node> {
        self.tree.get(path).or_else(|| self.below.get(path))
    }

    fn text(&self, path: &str) -> &str {
        self.get(path).and_then(Node::as_text).unwrap_or_default()
    }

    /// Puts a text at `path`. It weighs what the source form says the file weighs.
    fn put_text(&mut self, path: &str, text: &str, size: Option<u64>, mode: u32) {
        let mut node = Node::text(text, mode);
        if let (Some(known), Kind::File { size, .. }) = (size, &mut node.kind) {
            *size = known;
        }
        if let Some(old) = self.get(path) {
            node = node.owned(old.uid, old.gid);
            node.mode = old.mode;
        }
        self.tree.insert(path.to_owned(), node);
    }

    fn root_tree(&mut self, id: &str, rootfs: &str, slim: bool) {
        for row in &self.synthesis.rootfs[rootfs] {
            if slim && row.col(7) != "1" {
                continue;
            }
            let mode = u32::from_str_radix(row.col(2), 8).unwrap_or(0o644);
            let target = row.col(6).to_owned();
            let mut node = match row.col(1) {
                "d" => Node::dir(mode),
                "l" => Node::link(target),
                _ => Node::file(row.number(5), mode),
            };
            if row.col(1) == "h" {
                node.kind = Kind::HardLink(row.col(6).to_owned());
            }
            let node = node.owned(row.number(3) as u32, row.number(4) as u32);
            self.tree.insert(row.col(0).to_owned(), node);
        }
        let debian = rootfs.starts_with("debian");
        let names: &[&str] = match id {
            "debian-bookworm-slim" | "debian-bullseye-slim" | "debian-trixie-slim" => {
                &["debian:bookworm", "debian:bookworm-slim"]
            }
            "ubuntu-22.04" | "ubuntu-20.04" => &["debian:bookworm", "ubuntu:22.04"],
            "ubuntu-24.04" => &["debian:bookworm", "ubuntu:24.04"],
            _ if debian => &["debian:bookworm"],
            _ if rootfs.starts_with("alpine") => &["alpine:3.20"],
            _ => &["busybox:glibc"],
        };
        for name in names {
            self.texts_of(name);
        }
        if debian {
            self.apt_sources(id);
        }
        if debian {
            let mut status = String::new();
            for row in &self.synthesis.debian_packages {
                status += &dpkg_entry(row.col(0), row.col(1));
            }
            let size = self.tree.get(DPKG_STATUS).map(Node::size);
            self.put_text(DPKG_STATUS, &status, size, 0o644);
        } else if rootfs.starts_with("alpine") {
            let mut installed = String::new();
            for row in self.synthesis.apk.values().filter(|row| row.col(6) == "1") {
                installed += &apk_entry(row);
            }
            let size = self.tree.get(APK_INSTALLED).map(Node::size);
            self.put_text(APK_INSTALLED, &installed, size, 0o644);
        }
    }

    /// Where apt gets packages from. The known text is Debian 12's.
    fn apt_sources(&mut self, id: &str) {
        const DEBIAN: &str = "/etc/apt/sources.list.d/debian.sources";
        for codename in ["bullseye", "trixie"] {
            if id.contains(codename) {
                let text = self.text(DEBIAN).replace("bookworm", codename);
                self.put_text(DEBIAN, &text, None, 0o644);
            }
        }
        let Some(version) = id.strip_prefix("ubuntu-") else {
            return;
        };
        self.tree.remove(DEBIAN);
        match version {
            // In the older form, as until 23.10.
            "20.04" => self.put_text(SOURCES_LIST, &ubuntu_list("focal"), None, 0o644),
            "22.04" => self.put_text(SOURCES_LIST, &ubuntu_list("jammy"), None, 0o644),
            _ => {
                let note = "# The sources are in /etc/apt/sources.list.d/ubuntu.sources.\n";
                self.put_text(SOURCES_LIST, note, None, 0o644);
                let path = "/etc/apt/sources.list.d/ubuntu.sources";
                self.put_text(path, &ubuntu_sources("noble"), None, 0o644);
            }
        }
    }

    fn texts_of(&mut self, image: &str) {
        let texts = &self.synthesis.texts[image];
        for (path, file) in texts.as_object().into_iter().flatten() {
            let text = file["text"].as_str().unwrap_or_default();
            let mode = mode(file["mode"].as_str().unwrap_or("644"));
            match path.strip_suffix("#append") {
                Some(path) => {
                    let text = format!("{}{text}", self.text(path));
                    self.put_text(path, &text, None, mode);
                }
                None => {
                    let old = self.tree.get(path);
                    if old.is_some_and(|old| matches!(old.kind, Kind::Link(_))) {
                        continue;
                    }
                    let size = old.map(Node::size).filter(|_| image.starts_with("debian"));
                    self.put_text(path, text, size, mode);
                }
            }
        }
    }

    fn listed_path(&mut self, path: &Value) -> Result<(), String> {
        let (Some(at), Some(size), Some(bits)) =
            (path[0].as_str(), path[1].as_u64(), path[2].as_str())
        else {
            return Err(format!("{path} is no path"));
        };
        let at = self.real(at);
        let node = match path[3].as_str() {
            Some(target) => Node::link(target),
            // The source form has no type: nothing else in it is empty.
            None if size == 0 => Node::dir(mode(bits)),
            None => match own_text(&at) {
                Some(text) => {
                    self.put_text(&at, text, Some(size), mode(bits));
                    return Ok(());
                }
                None => Node::file(size, mode(bits)),
            },
        };
        self.tree.insert(at, node);
        Ok(())
    }

    /// The path with the links of its directories followed (`/bin/x` is `/usr/bin/x` in Debian).
    fn real(&self, path: &str) -> String {
        let mut real = String::new();
        for (at, part) in path.split('/').skip(1).enumerate() {
            let next = format!("{real}/{part}");
            let last = at + 2 == path.split('/').count();
            real = match self.get(&next).map(|node| &node.kind) {
                Some(Kind::Link(target)) if !last => match target.strip_prefix('/') {
                    Some(_) => target.clone(),
                    None => format!("{real}/{target}"),
                },
                _ => next,
            };
        }
        real
    }

    /// Users that the layer makes, as its description says.
    fn user(&mut self, created_by: &str) {
        if !created_by.contains("adduser") && !created_by.contains("useradd") {
            return;
        }
        let appended = &self.synthesis.texts["_append"];
        for (name, lines) in appended.as_object().into_iter().flatten() {
            let (Some(passwd), Some(group)) = (lines["passwd"].as_str(), lines["group"].as_str())
            else {
                continue;
            };
            let named = created_by
                .split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| word == name);
            if !named || self.text(PASSWD).contains(&format!("\n{name}:")) {
                continue;
            }
            let passwd = if self.get(APK_INSTALLED).is_some() {
                passwd.replace("/bin/bash", "/bin/sh")
            } else {
                passwd.to_owned()
            };
            let fields: Vec<&str> = passwd.trim().split(':').collect();
            let number = |at: usize| fields.get(at).and_then(|f| f.parse().ok()).unwrap_or(0);
            let (uid, gid) = (number(2), number(3));
            let home = fields.get(5).copied().unwrap_or_default();
            if !home.is_empty() && home != "/nonexistent" {
                self.tree
                    .entry(home.to_owned())
                    .or_insert_with(|| Node::dir(0o755));
                for (path, node) in &mut self.tree {
                    if path == home || path.starts_with(&format!("{home}/")) {
                        (node.uid, node.gid) = (uid, gid);
                    }
                }
            }
            let (users, groups) = (self.text(PASSWD).to_owned(), self.text(GROUP).to_owned());
            self.put_text(PASSWD, &(users + &passwd), None, 0o644);
            self.put_text(GROUP, &(groups + group), None, 0o644);
        }
    }

    fn apt(&mut self, names: &[String], bytes: u64) {
        if bytes == 0 || names.is_empty() || self.get(DPKG_STATUS).is_none() {
            return;
        }
        let mut status = self.text(DPKG_STATUS).to_owned();
        let new = closure(&self.synthesis.apt, names, 6, |name| {
            status.contains(&format!("Package: {name}\n"))
        });
        let slim = self.get(SLIM_RULES).is_some();
        let mut rests = Vec::new();
        for name in &new {
            let row = &self.synthesis.apt[*name];
            let mut known = 0;
            let mut list = String::from("/.\n");
            for field in row.col(8).split(';').filter(|field| !field.is_empty()) {
                let mut columns = field.split('|');
                let mut next = || columns.next().unwrap_or_default();
                let (path, size, bits, target) = (next(), next(), next(), next());
                let documentation = ["/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/"]
                    .iter()
                    .any(|dir| path.starts_with(dir));
                if slim && documentation {
                    continue;
                }
                let size = size.parse().unwrap_or(0);
                let node = if target.is_empty() {
                    Node::file(size, mode(bits))
                } else {
                    Node::link(target)
                };
                let path = self.real(path);
                let _ = writeln!(list, "{path}");
                if let Entry::Vacant(entry) = self.tree.entry(path) {
                    known += node.size();
                    entry.insert(node);
                }
            }
            let whole = (row.number(3) << 10).saturating_sub(700 * row.number(4));
            rests.push((
                format!("/usr/share/{name}/unlisted"),
                whole.saturating_sub(known),
            ));
            self.tree.insert(
                format!("/var/lib/dpkg/info/{name}.list"),
                Node::text(list, 0o644),
            );
            status += &dpkg_entry(name, row.col(1));
        }
        let below = self.get(DPKG_STATUS).map_or(0, Node::size);
        let size = below + STATUS_BYTES * new.len() as u64;
        self.put_text(DPKG_STATUS, &status, Some(size), 0o644);
        self.share_out(rests, bytes);
    }

    fn apk(&mut self, names: &[String], bytes: u64) {
        if bytes == 0 || names.is_empty() || self.get(APK_INSTALLED).is_none() {
            return;
        }
        let mut installed = self.text(APK_INSTALLED).to_owned();
        let new = closure(&self.synthesis.apk, names, 4, |name| {
            installed.contains(&format!("P:{name}\n"))
        });
        let mut rests = Vec::new();
        for name in &new {
            let row = &self.synthesis.apk[*name];
            installed += &apk_entry(row);
            let programs = programs::of_apk(name);
            let whole = row.number(3) << 10;
            let each = whole / 2 / programs.len().max(1) as u64;
            for program in &programs {
                self.tree
                    .entry(program.clone())
                    .or_insert_with(|| Node::file(each, 0o755));
            }
            rests.push((
                format!("/usr/share/{name}/unlisted"),
                whole - each * programs.len() as u64,
            ));
        }
        self.put_text(APK_INSTALLED, &installed, None, 0o644);
        self.share_out(rests, bytes);
    }

    /// Files for what packages hold besides what is known, scaled to fill the layer.
    fn share_out(&mut self, rests: Vec<(String, u64)>, bytes: u64) {
        let have: u64 = self.tree.values().map(Node::size).sum();
        let free = u128::from(bytes.saturating_sub(have));
        let wanted: u128 = rests.iter().map(|(_, size)| u128::from(*size)).sum();
        for (path, size) in rests {
            let scaled = (u128::from(size) * free).checked_div(wanted).unwrap_or(0);
            // What fits need not grow to more than half as much again.
            let size = u64::try_from(scaled).unwrap_or(size).min(size + size / 2);
            if size > 0 {
                self.tree.insert(path, Node::file(size, 0o644));
            }
        }
    }

    /// A link that leads nowhere, but into a device or a process, gets a small file to lead to.
    fn targets_of_links(&mut self) {
        let links: Vec<(String, String)> = self
            .tree
            .iter()
            .filter_map(|(path, node)| match &node.kind {
                Kind::Link(target) => Some((path.clone(), target.clone())),
                _ => None,
            })
            .collect();
        for (path, target) in links {
            // Base trees are complete: their links lead where they lead in life.
            if !path.starts_with("/usr/local/bin/") {
                continue;
            }
            let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
            let full = if target.starts_with('/') {
                target
            } else {
                normal(&format!("{dir}/{target}"))
            };
            if self.get(&full).is_none() {
                self.tree.insert(full, Node::file(512, 0o755));
            }
        }
    }

    fn fill_up(&mut self, id: &str, bytes: u64) {
        let have: u64 = self.tree.values().map(Node::size).sum();
        if have == bytes {
            return;
        }
        let small = have.abs_diff(bytes) <= (bytes / 100).max(4096);
        let can_grow = self
            .tree
            .values()
            .any(|node| node.as_text().is_none() && node.size() > 0);
        if have < bytes && !(small && can_grow) {
            let path = format!("/usr/share/{id}/unlisted");
            self.tree.insert(path, Node::file(bytes - have, 0o644));
            return;
        }
        // From the largest down: each gives what it can and keeps a byte.
        let mut sizes: Vec<(u64, &String)> = self
            .tree
            .iter()
            .filter(|(_, node)| node.as_text().is_none() && node.size() > 0)
            .map(|(path, node)| (node.size(), path))
            .collect();
        sizes.sort_by(|a, b| b.cmp(a));
        let paths: Vec<String> = sizes.into_iter().map(|(_, path)| path.clone()).collect();
        let mut over = have.saturating_sub(bytes);
        let mut under = bytes.saturating_sub(have);
        for path in paths {
            if let Some(Node {
                kind: Kind::File { size, .. },
                ..
            }) = self.tree.get_mut(&path)
            {
                let take = over.min(*size - 1);
                *size = *size + under - take;
                under = 0;
                over -= take;
            }
        }
    }

    /// Lists the directories that lead to what is listed.
    fn parents(&mut self) {
        let mut missing = BTreeSet::new();
        for path in self.tree.keys() {
            let mut at = path.as_str();
            while let Some((dir, _)) = at.rsplit_once('/')
                && !dir.is_empty()
            {
                if !self.tree.contains_key(dir) {
                    missing.insert(dir.to_owned());
                }
                at = dir;
            }
        }
        for dir in missing {
            let node = match self.below.get(&dir) {
                Some(node) => node.clone(),
                None => Node::dir(0o755),
            };
            self.tree.insert(dir, node);
        }
    }
}

/// The packages that a layer installs: as listed, or as its description names them.
fn named(layer: &Value, key: &str, created_by: &str, command: &str) -> Vec<String> {
    if layer[key].is_array() {
        return strings(&layer[key]).map(str::to_owned).collect();
    }
    let Some((_, words)) = created_by.split_once(command) else {
        return Vec::new();
    };
    words
        .split(';')
        .next()
        .unwrap_or_default()
        .split([' ', ',', '(', ')'])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn closure<'a>(
    rows: &'a BTreeMap<String, Row>,
    names: &[String],
    depends: usize,
    installed: impl Fn(&str) -> bool,
) -> BTreeSet<&'a str> {
    let mut todo: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut new = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if let Some((name, row)) = rows.get_key_value(name)
            && !installed(name)
            && new.insert(name.as_str())
        {
            todo.extend(row.words(depends));
        }
    }
    new
}

fn dpkg_entry(name: &str, version: &str) -> String {
    format!(
        "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
    )
}

fn apk_entry(row: &Row) -> String {
    format!(
        "P:{}\nV:{}\nA:x86_64\nS:{}\nI:{}\n\n",
        row.col(0),
        row.col(1),
        row.number(2),
        row.number(3) << 10
    )
}

fn mode(octal: &str) -> u32 {
    u32::from_str_radix(octal, 8).unwrap_or(0o644)
}

fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

const SOURCES_LIST: &str = "/etc/apt/sources.list";
/// The archives of Ubuntu and, for each, the ends of the names of the suites in it.
const UBUNTU: [(&str, &[&str]); 2] = [
    (
        "http://archive.ubuntu.tst/ubuntu/",
        &["", "-updates", "-backports"],
    ),
    ("http://security.ubuntu.tst/ubuntu/", &["-security"]),
];
const UBUNTU_COMPONENTS: &str = "main restricted universe multiverse";

/// Ubuntu's sources, a line each.
fn ubuntu_list(codename: &str) -> String {
    let mut list = String::new();
    for (url, pockets) in UBUNTU {
        for pocket in pockets {
            list += &format!("deb {url} {codename}{pocket} {UBUNTU_COMPONENTS}\n");
        }
    }
    list
}

/// Ubuntu's sources, a paragraph each.
fn ubuntu_sources(codename: &str) -> String {
    let paragraphs = UBUNTU.map(|(url, pockets)| {
        let suites: Vec<String> = pockets
            .iter()
            .map(|end| format!("{codename}{end}"))
            .collect();
        format!(
            "Types: deb\nURIs: {url}\nSuites: {}\nComponents: {UBUNTU_COMPONENTS}\n\
             Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n",
            suites.join(" ")
        )
    });
    paragraphs.join("\n")
}

/// Texts of files that people edit, in their usual form and in our own words.
fn own_text(path: &str) -> Option<&'static str> {
    match path {
        "/etc/nginx/nginx.conf" => Some(
            "user  nginx;\nworker_processes  1;\n\nevents {\n    worker_connections  1024;\n}\n\nhttp {\n    \
             include       /etc/nginx/mime.types;\n    default_type  application/octet-stream;\n    \
             sendfile        on;\n    keepalive_timeout  65;\n    include /etc/nginx/conf.d/*.conf;\n}\n",
        ),
        "/etc/nginx/conf.d/default.conf" => Some(
            "server {\n    listen       80;\n    server_name  localhost;\n\n    location / {\n        \
             root   /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n}\n",
        ),
        "/usr/share/nginx/html/index.html" => {
            Some("<!DOCTYPE html>\n<title>Welcome to nginx!</title>\n<h1>Welcome to nginx!</h1>\n")
        }
        _ => None,
    }
}
